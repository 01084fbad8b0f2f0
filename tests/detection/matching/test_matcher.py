"""The fast matcher says what the reference says: on real logs, and on rules and events made to collide."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.makers import SYSMON, compiled, event, rule_text
from douse.detection.language.parse import CompiledRule, parse_rules
from douse.detection.logsource import Route
from douse.detection.matching.automaton import Memory
from douse.detection.matching.bucket import Bucket, Entry
from douse.detection.matching.probes import Probes
from douse.detection.matching.search import END, START
from douse.detection.ruleset import RuleSet, load_rules
from douse.hunt.plan import make
from douse.model import Event, Value
from douse.telemetry import Limits, Tally, Wanted, read_path

CHARS = "aAbB/\\\"'ßÉéſKſİı1x0-. \x02\x03\x00\n*?"
FIELDS = ("CommandLine", "commandline", "Image", "User", "Data")
PIECES = st.sampled_from(["a", "ab", "aB", "ß", "ss", "é", "É", "ſ", "K", "k", "İ", "ı", "\x02", "\x03", "\x02a",
                          "a\x03", "1", "0x1", "01", "-1", "1.0", " ", "\n", "\x00", "\\", "/a", "-a", "."])
TEXTS = st.lists(PIECES, max_size=4).map("".join)
PATTERNS = st.lists(st.one_of(PIECES, st.sampled_from(["*", "?", "\\*", "\\?", "\\\\", "**"])), max_size=5).map("".join)
EXPRESSIONS = st.sampled_from(["a", "^a", "a$", "(?:ab|ss)", "a+b?", "[ab]{2}", "a.b", "ab*", "x|", "\\x61", "(a|b)1",
                               "k", "\\.", "^$", "a|ß", "\x02a", "[^a]", "\\d", "s", "a{2}", "(?i)AB", "\\Bb"])
VALUES = st.one_of(TEXTS, st.none(), st.booleans(), st.integers(-2, 3), st.just(1.0), st.lists(TEXTS, max_size=3))


def scalars() -> st.SearchStrategy[Any]:
    return st.one_of(PATTERNS, st.none(), st.booleans(), st.integers(-2, 3))


@st.composite
def lines(draw: st.DrawFn) -> tuple[str, Any]:
    """One line of a selection: a field, its modifiers, its values."""
    field = draw(st.sampled_from(FIELDS))
    kind = draw(st.sampled_from(["plain", "open", "open", "re", "exists", "fieldref", "compare", "cidr", "null"]))
    words = draw(st.sampled_from(["", "|all", "|neq", "|all|neq"]))
    if kind == "open":
        opened = draw(st.sampled_from(["|contains", "|startswith", "|endswith", "|contains|windash"]))
        cased = draw(st.sampled_from(["", "|cased"]))
        return f"{field}{opened}{cased}{words}", draw(st.lists(PATTERNS, min_size=1, max_size=3))
    if kind == "re":
        flag = draw(st.sampled_from(["", "|i"]))
        return f"{field}|re{flag}{words}", draw(st.lists(EXPRESSIONS, min_size=1, max_size=3))
    if kind == "exists":
        return f"{field}|exists", draw(st.booleans())
    if kind == "fieldref":
        return f"{field}|fieldref{draw(st.sampled_from(['', '|contains']))}", draw(st.sampled_from(FIELDS))
    if kind == "compare":
        return f"{field}|{draw(st.sampled_from(['lt', 'gte']))}", draw(st.integers(-1, 2))
    if kind == "cidr":
        return f"{field}|cidr", ["10.0.0.0/8", "::1/128"]
    if kind == "null":
        return field, None
    cased = draw(st.sampled_from(["", "|cased"]))
    return f"{field}{cased}{words}", draw(st.lists(scalars(), min_size=1, max_size=3))


def maps() -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(lines(), min_size=1, max_size=3).map(dict)


SELECTIONS = st.one_of(maps(), st.lists(maps(), min_size=1, max_size=2),
                       st.lists(PATTERNS.filter(lambda text: text.strip("*?\\") != ""), min_size=1, max_size=2))
CONDITIONS = st.sampled_from(["s1", "not s1", "s1 and s2", "s1 or s2", "s1 and not s2", "not (s1 or s2)", "all of them",
                              "1 of s*", "not 1 of s*", "s1 and not (s2 and not s1)"])
DETECTIONS = st.builds(lambda one, two, condition: {"s1": one, "s2": two, "condition": condition},
                       SELECTIONS, SELECTIONS, CONDITIONS)
RECORDS = st.dictionaries(st.sampled_from([*FIELDS, "Other"]), VALUES, max_size=5)


def rules_of(detections: list[dict[str, Any]]) -> list[CompiledRule]:
    """Those of the generated rules that are Sigma, each with its own id."""
    rules = []
    for number, detection in enumerate(detections):
        text = rule_text(detection, id=f"11111111-1111-4111-8111-{number:012}")
        rules += [rule for rule in parse_rules(text, f"{number}.yml") if isinstance(rule, CompiledRule)]
    return rules


@given(st.lists(DETECTIONS, min_size=1, max_size=4), st.lists(RECORDS, min_size=1, max_size=6))
def test_generated_rules_on_generated_events(detections: list[dict[str, Any]], records: list[dict[str, Value]]) -> None:
    rules = RuleSet(rules_of(detections))
    for _ in range(2):  # the second time from memory
        for fields in records:
            for record in (event(fields), event(fields, "Security", 4688)):
                assert list(rules.match(record)) == list(rules.match_slowly(record)), fields


@given(st.lists(DETECTIONS, min_size=1, max_size=3), RECORDS)
def test_forgetting_everything_at_every_step_changes_nothing(detections: list[dict[str, Any]],
                                                             fields: dict[str, Value]) -> None:
    entries = [Entry(Route("", None), rule.rule, rule.term) for rule in rules_of(detections) if rule.term is not None]
    bucket = Bucket(entries, Probes(Memory(limit=1)))
    for _ in range(2):
        assert list(bucket.match(event(fields))) == list(bucket.match_slowly(event(fields)))


def real_events(shared: Path, rules: RuleSet, every: int) -> Iterator[Event]:
    """Each Nth record of every log we have that some rule reads."""
    folders = tuple(str(shared / "data" / name) for name in ("evtx", "sigma_regression", "otrf"))
    for number, unit in enumerate(make(folders).units):
        read = read_path(Path(unit.path), Wanted(rules.interests()), Tally(), Limits(), named=False)
        yield from islice(read, number % every, 6_000, every)


def test_real_logs_with_all_rules_of_sigmahq_and_ours(shared: Path, sigmahq: RuleSet) -> None:
    rules = RuleSet([*load_rules([]).rules, *sigmahq.rules])
    records = alerts = 0
    for record in real_events(shared, rules, 61):
        fast = list(rules.match(record))
        assert fast == list(rules.match_slowly(record)), record
        records, alerts = records + 1, alerts + len(fast)
    assert records > 600
    assert alerts > 50


HOSTILE = {
    "one character again and again": "a" * 1_000_000,
    "every literal of a short rule at every place": "ab" * 500_000,
    "NUL": "\x00" * 1_000_000,
    "sentinels": (START + "ab" + END) * 250_000,
    "half characters": "\ud800ab" * 100_000,
    "long lines": ("x" * 999 + "\n") * 1_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_value_is_matched_exactly_in_seconds_and_not_kept(text: str) -> None:
    rules = RuleSet(rules_of([
        {"s": {"CommandLine|contains": ["a", "b", "ab", "aba", "\x00", "?b"]}, "condition": "s"},
        {"s": {"CommandLine|re": "(a+)+$"}, "condition": "s"},
        {"s": {"CommandLine|startswith": "ab", "CommandLine|endswith": "ab"}, "condition": "s"},
        {"s": {"CommandLine": "*a*b*a*c*"}, "condition": "not s"},
        {"s": ["abx", "xb"], "condition": "s"},
    ]))
    record = event({"CommandLine": text})
    start = time.process_time()
    fast = list(rules.match(record))
    assert time.process_time() - start < 5
    assert fast == list(rules.match_slowly(record))
    assert rules._memory.used < 100_000, "a megabyte must not be remembered"


def test_what_is_remembered_stays_below_its_limit() -> None:
    memory = Memory(limit=100_000)
    rule = compiled(rule_text({"s": {"CommandLine|contains": "needle"}, "condition": "s"}))
    assert rule.term is not None
    bucket = Bucket([Entry(Route("", None), rule.rule, rule.term)], Probes(memory))
    for number in range(5_000):
        found = list(bucket.match(event({"CommandLine": f"{number} needle" if number % 7 == 0 else f"{number}"})))
        assert len(found) == (number % 7 == 0)
        assert memory.used <= 100_000 + 10_000


def test_alerts_come_in_the_order_of_the_rules() -> None:
    every = {"s": {"CommandLine|contains": "a"}, "condition": "s"}
    always = {"s": {"CommandLine|contains": "b"}, "condition": "not s"}
    asked = {"s": {"CommandLine|exists": True}, "condition": "s"}
    rules = RuleSet(rules_of([always, every, asked, every, always]))
    found = [alert.rule_id[-1] for alert in rules.match(event({"CommandLine": "a"}))]
    assert found == ["0", "1", "2", "3", "4"]


def test_channels_with_the_same_rules_share_what_was_learned() -> None:
    rules = RuleSet([compiled(rule_text({"words": ["mimikatz"], "condition": "words"}, {"product": "windows"}))])
    for number in range(200):
        assert not list(rules.match(event({"Data": "x"}, f"Channel {number}", number)))
    assert list(rules.match(event({"Data": "a MimiKatz b"}, SYSMON, 99)))
    assert len(rules._alike) == 1
