"""Sigma documents made by chance: rules, filters, correlations and parts of rules with an action, as text.

Damaged text is mostly no YAML any more, and then nothing behind the YAML is tested. These documents are sound YAML and
mostly sound Sigma, refer to each other by few ids and names, and have here and there a value that does not belong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

Node = Any
"""What JSON can say."""

IDS = tuple(f"{letter}0000000-0000-4000-8000-000000000000" for letter in "abcdef")
NAMES = ("start", "logon", "lookup", "burst", "chain", "linux")
_KNOWN = (*NAMES[:2], *IDS[:2])
"""What BASE has."""

BASE: tuple[Node, ...] = (
    {"title": "Start", "id": IDS[0], "name": "start", "level": "medium",
     "logsource": {"product": "windows", "category": "process_creation"},
     "detection": {"s": {"Image|endswith": ".exe"}, "condition": "s"}},
    {"title": "Logon", "id": IDS[1], "name": "logon", "logsource": {"product": "windows", "service": "security"},
     "detection": {"s": {"EventID": 4688}, "condition": "s"}},
    {"title": "Linux", "name": "linux", "logsource": {"product": "linux"},
     "detection": {"s": {"EventID": 1}, "condition": "s"}},
)
"""Two rules that are true of many events and an idle one: most files begin with them."""

_LOGSOURCES: tuple[Node, ...] = (
    {"product": "windows", "category": "process_creation"}, {"category": "process_creation"}, {"product": "windows"},
    {"product": "windows", "service": "security"}, {"product": "windows", "category": "dns_query"},
    {"product": "linux"}, {"category": "file_event"},
    {"product": "Windows", "service": "sysmon", "category": "process_creation"})
_LINES: tuple[tuple[str, Node], ...] = (
    ("Image|endswith", "\\cmd.exe"), ("CommandLine|contains|all", ["powershell", "-enc"]), ("EventID", 4688),
    ("NewProcessId|gte", 500), ("User|re", "anna$"), ("User|re|i", "^corp"), ("DestinationIp|cidr", "10.0.0.0/8"),
    ("Null", None), ("Missing", None), ("Image|exists", True), ("Image|fieldref|neq", "ParentImage"),
    ("QueryName|startswith", "aaa"), ("TargetFilename|contains", "\\\\\\\\"), ("Image", "*"), ("Data", ["a", "z"]),
    ("CommandLine|expand", "%admins%"), ("CommandLine|windash|contains", "-enc"), ("Float|lt", 2), ("Truth", "true"),
    ("EventID", [1, 3]), ("User|cased", "corp\\anna"))
_CONDITIONS = ("{0}", "not {0}", "{0} and not {1}", "1 of them", "not all of them", "not 1 of {0}*", "{0} or {1}")
_KINDS = ("event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg", "value_percentile",
          "value_median")
_FIELDS = ("Computer", "User", "Image", "ProcessId", "NewProcessId", "Missing", "host", "Data")
_WILD: tuple[Node, ...] = (None, True, False, 0, -1, 1.5, 10**17, 10**30, "", " ", "any", "*", "x" * 5000, "\u2028",
                           "\U0001f600", "a\nb", [], {}, [[]], [{}], {"": None}, {"a": {"b": []}}, [None], "1 of them",
                           "0x10", "%a%", ["any"], {"rules": "any"}, "\ufeff", "-")


def maybe(random: Random, value: Node, odds: float = 0.02) -> Node:
    """The value, or now and then one that may not belong there."""
    if random.random() >= odds:
        return value
    return random.choice(_WILD)


def _some(random: Random, known: Sequence[Node], most: int = 3) -> list[Node]:
    return random.sample(known, random.randint(1, min(most, len(known))))


def _decision(random: Random) -> dict[str, Node]:
    """Selections and a condition that names some of them."""
    names = _some(random, ("a", "b", "b2", "_c"), 3)
    made = {name: maybe(random, {key: maybe(random, value) for key, value in _some(random, _LINES, 2)})
            for name in names}
    condition = random.choice(_CONDITIONS).format(names[0], names[-1])
    return {**made, "condition": maybe(random, condition)}


def rule(random: Random) -> dict[str, Node]:
    """A rule, which now and then is idle, withdrawn or broken."""
    return _kept(random, {
        "title": maybe(random, f"Rule {random.randrange(99)}"), "name": maybe(random, random.choice(NAMES)),
        "id": maybe(random, random.choice(IDS)) if random.random() < 0.3 else None,
        "level": maybe(random, random.choice(("low", "high", "critical"))),
        "status": maybe(random, random.choice(("test", "stable", "experimental", "deprecated"))),
        "tags": maybe(random, _some(random, ("attack.t1059", "douse.class.x", "douse.stage.1", "attack.execution"), 2)),
        "logsource": maybe(random, random.choice(_LOGSOURCES)),
        "detection": maybe(random, _decision(random)),
    }, ("title", "logsource", "detection"))


def _kept(random: Random, document: dict[str, Node], needed: Sequence[str]) -> dict[str, Node]:
    """Some of the keys, and nearly always those that a document needs, in any order."""
    keys = [key for key in document if random.random() < (0.97 if key in needed else 0.6)]
    random.shuffle(keys)
    return {key: document[key] for key in keys}


def _references(random: Random, most: int) -> list[Node]:
    """Rules as another document may call them: mostly some that are there, now and then one twice."""
    known = (*NAMES, *IDS) if random.random() < 0.1 else random.choice((_KNOWN[:2], _KNOWN[1:3], (*NAMES[:2], "burst"),
                                                                        ("start", IDS[1], "linux"), NAMES[2:5]))
    return _some(random, known, most)


def filter_(random: Random) -> dict[str, Node]:
    """A filter for some rules, or for all of a logsource."""
    rules = random.choice(("any", _references(random, 3), random.choice(NAMES), []))
    part = {"rules": maybe(random, rules), **_decision(random)}
    return _kept(random, {"title": "Filter", "id": random.choice(IDS), "logsource": random.choice(_LOGSOURCES[:3]),
                          "filter": maybe(random, part)}, ("title", "logsource", "filter"))


def correlation(random: Random) -> dict[str, Node]:
    """A correlation of some rules or other correlations."""
    kind, rules = random.choice(_KINDS), _references(random, 4)
    words = [random.choice(("gte", "gte", "gt", "lt", "lte", "eq", "neq")) for _ in range(random.choice((1, 1, 2)))]
    condition = {word: maybe(random, random.choice((0, 1, 2, 0.5))) for word in words}
    if kind.startswith("value"):
        condition["field"] = maybe(random, random.choice(_FIELDS))
    if kind == "value_percentile":
        condition["percentile"] = maybe(random, random.choice((0, 50, 95, 100)))
    part = {"type": maybe(random, kind), "rules": maybe(random, rules),
            "group-by": maybe(random, _some(random, _FIELDS, 2)), "condition": maybe(random, condition),
            "timespan": maybe(random, random.choice(("1s", "3s", "1m", "1d", "2M", "99y"))),
            "aliases": maybe(random, {"host": {name: random.choice(_FIELDS) for name in rules}}),
            "generate": maybe(random, random.random() < 0.5)}
    part = _kept(random, part, ("type", "rules", "timespan", "condition"))
    return _kept(random, {"title": f"Joined {random.randrange(99)}",
                          "id": random.choice(IDS) if random.random() < 0.3 else None,
                          "name": random.choice(NAMES[2:]), "level": maybe(random, random.choice(("low", "critical"))),
                          "correlation": maybe(random, part)}, ("title", "correlation"))


def rules(random: Random) -> bytes | None:
    """A file of one or two rules, as often as not."""
    return files(random, (rule,), 2, base=()) if random.random() < 0.4 else None


def part(random: Random) -> dict[str, Node]:
    """A part of a rule, with what is to be done with it."""
    made = rule(random)
    kept: dict[str, Node] = {key: made[key] for key in made if random.random() < 0.75}
    if random.random() < 0.7:
        kept["action"] = maybe(random, random.choice(("global", "global", "repeat", "repeat", "reset")))
    return kept


def files(random: Random, makers: Sequence[Callable[[Random], Mapping[str, Node]]], most: int,
          base: Sequence[Node] = BASE) -> bytes:
    """Documents of one to three files, each maker drawn by chance."""
    texts = []
    for number in range(random.choice((1, 1, 1, 1, 2, 3))):
        first = base[:random.choice((2, 2, 3))] if number == 0 and random.random() < 0.9 else ()
        texts.append(as_text([*first, *(random.choice(makers)(random) for _ in range(random.randint(1, most)))]))
    return BORDER.join(text.encode("utf-8", "surrogatepass") for text in texts)


BORDER = b"\n=====\n"
"""Between two files in one input."""


def as_text(documents: Sequence[Node]) -> str:
    """Documents as YAML that any parser reads as the same values: JSON, its escapes as YAML has them."""
    texts = (_PAIR.sub(_one_escape, json.dumps(each)).replace("\x7f", "\\x7f") for each in documents)
    return "\n---\n".join(texts) + "\n"


_PAIR = re.compile(r"\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})")


def _one_escape(pair: re.Match[str]) -> str:
    high, low = int(pair[1], 16), int(pair[2], 16)
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"
