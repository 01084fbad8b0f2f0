"""The cache of compiled rules: a file that is damaged is ignored, and nothing of a wrong type is ever believed.

Most inputs carry a checksum that fits, as no accident makes one, so that what lies behind it is tested as well: bytes
changed anywhere, and values of the wrong kind anywhere in a structure that is otherwise sound. What is loaded is walked
here type by type, and then matched: a detection that is none must end as a RuleError that says what to do. Whether the
rules of a forged file find what they should is not asked, because nobody can know.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from douse.detection.correlation.document import Correlation
from douse.detection.language.filters import Filter
from douse.detection.language.parse import CompiledRule, Outcome, Skipped, parse_rules
from douse.detection.logsource import Route
from douse.detection.matching.cache import RuleCache
from douse.detection.matching.deferred import Deferred
from douse.detection.ruleset import RuleSet
from douse.errors import RuleError
from douse.model import EVIDENCE_CLASSES, LEVELS, LogSource, Rule
from fuzz import seeds
from fuzz.mutate import BINARY, Material, mutated
from fuzz.target import EVENTS, Target, folder

Node = Any
"""What msgpack can say."""

_DIGEST = 32
_WILD: tuple[Node, ...] = (None, True, 0, -1, 1 << 63, 1.5, float("nan"), float("inf"), "", "x", "hugh", b"", b"\xff",
                           [], {}, [[]], {"": None}, {1: 2}, {None: [b"x"]}, ["rule"], ["skip", "why"], [None] * 20,
                           "\u2028", msgspec.msgpack.Ext(5, b"abc"), [["rule"]], {"s": {"EventID": b"1"}})


@functools.cache
def _place() -> Path:
    """The cache file that this process keeps writing."""
    path = folder() / "cache"
    cache = RuleCache(path, (), {})
    cache.put("", [Skipped("", "")], builtin=False)
    cache.save()
    (file,) = path.glob("*.msgpack")
    return file


@functools.cache
def _texts() -> tuple[tuple[str, ...], ...]:
    """Sets of rule files of which caches are made."""
    every, _more, *ours = (text.decode() for text in seeds.rule_texts())
    idle = ours[0].replace("product: windows", "product: linux")
    return (every, idle, "key: value\n"), tuple(ours[1:4]), (ours[4],)


@functools.cache
def cache_files() -> tuple[bytes, ...]:
    """Caches as the engine writes them."""
    made = []
    for texts in _texts():
        _place().unlink()
        cache = RuleCache(_place().parent, (), {})
        for number, text in enumerate(texts):
            cache.put(_digest(text), list(parse_rules(text, "r.yml")), builtin=number == 1)
        cache.save()
        made.append(_place().read_bytes())
    return tuple(made)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def kept(data: bytes) -> None:
    """Load a cache file; what is believed is sound in every type, and is asked about events."""
    sound = hashlib.sha256(data[_DIGEST:]).digest() == data[:_DIGEST]
    for outcomes in kept_in(data):
        assert sound or not outcomes, "believed although its checksum does not fit"
        for outcome in outcomes:
            _typed(outcome)
        if outcomes:
            _asked(outcomes)


def kept_in(data: bytes) -> Iterator[list[Outcome]]:
    """What a cache of these bytes says of each text that is in one of the seeds, nothing where it knows it not."""
    cache_files()
    _place().write_bytes(data)
    cache = RuleCache(_place().parent, (), {})
    for text in (text for texts in _texts() for text in texts):
        for builtin in (True, False):
            yield cache.get(_digest(text), "other.yml", builtin=builtin) or []


def _typed(outcome: Outcome) -> None:
    """What a hunt would use of an outcome is what parsing a rule could have given."""
    assert not isinstance(outcome, RuleError | Filter | Correlation)
    if isinstance(outcome, Skipped):
        assert type(outcome.reason) is str
        return
    rule = outcome.rule
    assert type(rule) is Rule
    assert type(rule.logsource) is LogSource
    for text in (rule.rule_id, rule.title, rule.path, rule.description, rule.evidence_class, rule.store, rule.role,
                 rule.name, *rule.tags, *rule.techniques, *rule.falsepositives, *rule.references, outcome.idle,
                 rule.logsource.product, rule.logsource.category, rule.logsource.service):
        assert type(text) is str
    assert rule.path == "other.yml"
    assert rule.level in LEVELS
    assert rule.evidence_class in ("", *EVIDENCE_CLASSES)
    assert type(rule.fidelity) is float
    assert 0 <= rule.fidelity <= 1
    assert type(rule.stage) is int
    assert 0 <= rule.stage <= 3
    assert type(rule.builtin) is bool
    for route in outcome.routes:
        assert type(route) is Route
        assert type(route.channel) is str
        assert route.event_id is None or type(route.event_id) is int
        assert all(type(name) is str and type(values) is frozenset for name, values in route.where)
    assert isinstance(outcome.term, Deferred) is (not outcome.idle)


def _asked(outcomes: list[Outcome]) -> None:
    """Rules from a cache that somebody forged fire, do not fire, or say that the cache is to go."""
    rules = RuleSet([outcome for outcome in outcomes if isinstance(outcome, CompiledRule)])
    for match in (rules.match, rules.match_slowly):
        try:
            for alert in match(EVENTS[0]):
                assert alert.rule_id
        except RuleError:
            pass


def signed(body: bytes) -> bytes:
    """A cache file of that body, with a checksum that fits."""
    return hashlib.sha256(body).digest() + body


def _damaged(random: Random) -> bytes | None:
    """A cache whose damage its checksum covers."""
    bodies = [file[_DIGEST:] for file in cache_files()]
    body = random.choice(bodies)
    chance = random.random()
    if chance < 0.2:
        return None
    if chance < 0.5:
        return signed(mutated(body, BINARY, random, Material(bodies, _WORDS)))
    tree = msgspec.msgpack.decode(body)
    rules = [holder[key] for holder, key in _places(tree) if _is_rule(holder[key])]
    chosen = random.choice(rules)[-2:] if random.random() < 0.5 else tree  # a detection and its plan, or anything
    for _ in range(random.choice((1, 1, 2, 4))):
        _misplace(chosen, random)
    return signed(msgspec.msgpack.encode(tree))


def _is_rule(node: Node) -> bool:
    return isinstance(node, list) and node[:1] == ["rule"]


def _misplace(tree: Node, random: Random) -> None:
    """Put another value in some place of a structure: a wild one, or one from elsewhere in it."""
    places = _places(tree)
    if not places:
        return
    holder, key = random.choice(places)
    other, there = random.choice(places)
    value = deepcopy(random.choice(_WILD)) if random.random() < 0.6 else other[there]
    if random.random() < 0.2:
        del holder[key]
    elif not _inside(value, holder):
        holder[key] = value


def _places(node: Node) -> list[tuple[Node, Node]]:
    """Every list or dict with every one of its indexes or keys."""
    found: list[tuple[Node, Node]] = []
    waiting = [node]
    while waiting:
        node = waiting.pop()
        keys = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
        found += [(node, key) for key in keys]
        waiting += [node[key] for key in keys]
    return found


def _inside(value: Node, holder: Node) -> bool:
    """Whether a value holds that very holder, which would make a structure without an end."""
    return value is holder or any(place is holder for place, _ in _places(value))


_WORDS = (b"\xc0", b"\xc1", b"\xc2", b"\xc3", b"\x80", b"\x90", b"\x91", b"\x81\xa1a", b"\xa1\xff", b"\xd9\x01a",
          b"\xca\x7f\xc0\0\0", b"\xcb\x7f\xf0\0\0\0\0\0\0", b"\xcf" + b"\xff" * 8, b"\xd3\x80" + b"\0" * 7,
          b"\xdb\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff",
          b"\xc7\x0c\xff" + b"\xff" * 12, b"\xd6\xff\0\0\0\0", b"\xa4rule", b"\xa4skip", b"\xa4high")
"""Heads of msgpack's kinds, with lengths and numbers at their ends, and words of a cache."""

KEPT: Mapping[str, Target] = {
    "cache": Target(cache_files, _WORDS, BINARY, kept, lambda seed: (0, _DIGEST), fresh=_damaged),
}
