"""A cache of compiled rules that was forged, checksum and all: nothing impossible is believed, and nothing crashes.

A forged plan is made anew from the rule; a forged detection is an error that names the file; all else is not believed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detection.makers import event, rule_text
from douse.detection.matching import cache, cachefile, probes
from douse.detection.matching.deferred import Deferred
from douse.detection.ruleset import RuleSet, load_rules
from douse.errors import RuleError

ROUTES, TEXTS = 0, 1
RULE, ROUTE, IDLE, DETECTION, PLAN = 1, 2, 3, 4, 5
"""Places in the file, and in what is kept of a rule (behind its tag)."""
SEARCHES, CONDITION, GUARDS, ASKED = 0, 1, 2, 3

RULES = {
    "one.yml": rule_text({"s": {"CommandLine|re": "needle[0-9]+", "Image|endswith": "\\x.exe"}, "f": {"User": "anna"},
                          "condition": "s and not f"}),
    "two.yml": rule_text({"s": {"CommandLine|cidr": "10.0.0.0/8"}, "condition": "s"},
                         id="22222222-2222-4222-8222-222222222222"),
}
EVENTS = [event({"CommandLine": "a needle1", "Image": "C:\\x.exe"}), event({"CommandLine": "10.1.2.3"}),
          event({"CommandLine": "a needle1", "Image": "C:\\x.exe", "User": "Anna"}), event({"CommandLine": "11.1.1.1"}),
          event({"CommandLine": "needle", "Image": "C:\\x.exe"}), event({})]
FIRED = [1, 1, 0, 0, 0, 0]

Change = Callable[[Any], object]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Rules whose cache is written."""
    monkeypatch.setenv(cachefile.ENVIRONMENT, str(tmp_path / "cache"))
    rules = tmp_path / "rules"
    rules.mkdir()
    for name, text in RULES.items():
        (rules / name).write_text(text, encoding="utf-8")
    load(rules)
    return rules


def load(folder: Path) -> RuleSet:
    return load_rules([folder], builtin=False, cached=True)


def file_of(folder: Path) -> Path:
    (file,) = (folder.parent / "cache").glob("*.msgpack")
    return file


def sign(file: Path, body: bytes) -> None:
    file.write_bytes(hashlib.sha256(body).digest() + body)


def forge(folder: Path, change: Change) -> RuleSet:
    """The rules, after everything in the cache that is kept of a rule was changed."""
    file = file_of(folder)
    tree = msgspec.msgpack.decode(file.read_bytes()[32:])
    for kept in tree[TEXTS].values():
        change(kept[0])
    sign(file, msgspec.msgpack.encode(tree))
    return load(folder)


def fired(rules: RuleSet) -> list[int]:
    return [len(list(rules.match(record))) for record in EVENTS]


def test_one_that_nobody_changed_is_believed(folder: Path) -> None:
    rules = forge(folder, lambda kept: None)
    assert all(isinstance(rule.term, Deferred) and rule.term.plan() is not None for rule in rules.rules)
    assert fired(rules) == FIRED


def put(place: int, value: object) -> Change:
    return lambda kept: kept[PLAN].__setitem__(place, value)


def deep(levels: int) -> list[Any]:
    group: list[Any] = [True]
    for _ in range(levels):
        group = [True, [], [], [group]]
    return group


PLANS: dict[str, Change] = {
    "nothing": lambda kept: kept.__setitem__(PLAN, None),
    "text": lambda kept: kept.__setitem__(PLAN, "x"),
    "empty": lambda kept: kept.__setitem__(PLAN, []),
    "no searches": put(SEARCHES, []),
    "a search that is none": put(SEARCHES, [["F"]]),
    "an index too high": put(CONDITION, [True, [9]]),
    "an index too high, deeper": put(CONDITION, [True, [0], [], [[False, [0], [9]]]]),
    "an index below 0": put(CONDITION, [True, [-1]]),
    "a guard too high": put(GUARDS, [9]),
    "a guard below 0": put(GUARDS, [-1]),
    "a guard that is text": put(GUARDS, ["0"]),
    "deep": put(CONDITION, deep(300)),
    "an empty literal": put(SEARCHES, [["CommandLine", 1.0, [""]]] * 3),
    "an empty need": put(SEARCHES, [["CommandLine", 1.0, [], [[["re", "x", "", False, False], [""]]]]] * 3),
    "a recipe that nobody knows": put(SEARCHES, [["CommandLine", 1.0, [], [[["eval", "1"], []]]]] * 3),
    "an order that nobody knows": put(SEARCHES, [["CommandLine", 1.0, [], [[["compare", "ne", 1, ""], []]]]] * 3),
    "a glob of something else": put(SEARCHES, [["CommandLine", 1.0, [], [[["like", ["a", 2], True], []]]]] * 3),
}


@pytest.mark.parametrize("change", PLANS.values(), ids=PLANS)
def test_a_plan_that_is_none_is_made_from_the_rule(folder: Path, change: Change) -> None:
    rules = forge(folder, change)
    assert [rule.term.plan() for rule in rules.rules if isinstance(rule.term, Deferred)] == [None, None]
    assert fired(rules) == FIRED


def test_a_plan_too_deep_to_decode_is_none() -> None:
    levels = b"\x94\xc3\x90\x90\x91" * 100_000 + b"\x91\xc3"
    assert Deferred(msgspec.Raw(b"\x80"), msgspec.Raw(b"\x94\x90" + levels + b"\xc0\xc2"), {}, "").plan() is None


def asking(recipe: list[Any]) -> Change:
    """A plan that fits together, and whose only test is that one."""
    return lambda kept: kept.__setitem__(PLAN, [[["CommandLine", 1.0, [], [[recipe, []]]]], [True, [0]], [0]])


@pytest.mark.parametrize("recipe", [
    ["re", "(", "", False, False], ["re", "a", "x", False, False], ["re", "a{9999}", "", False, False],
    ["re", "a" * 5_000, "", False, False], ["cidr", "10.0.0.0/99"], ["cidr", ""],
], ids=str)
def test_a_test_that_cannot_be_made_is_found_when_it_is_asked_and_all_plans_are_made_anew(
        folder: Path, recipe: list[Any]) -> None:
    rules = forge(folder, asking(recipe))
    assert all(isinstance(rule.term, Deferred) and rule.term.plan() is not None for rule in rules.rules)
    assert fired(rules) == FIRED
    assert [rule.term.plan() for rule in rules.rules if isinstance(rule.term, Deferred)] == [None, None]


def test_so_it_is_with_a_rule_that_a_filter_narrows(folder: Path) -> None:
    (folder / "filter.yml").write_text(
        "title: F\nlogsource: {product: windows}\nfilter: {rules: any, s: {User: bert}, condition: not s}\n")
    load(folder)
    rules = forge(folder, asking(["re", "(", "", False, False]))
    assert fired(rules) == FIRED
    assert not list(rules.match(event({"CommandLine": "10.1.2.3", "User": "bert"})))


def test_text_in_a_plan_that_is_no_utf_8_is_no_plan(folder: Path) -> None:
    file = file_of(folder)
    body = file.read_bytes()[32:]
    assert body.count(b"needle") >= 3, "in the detection, the recipe and its needs"
    at = body.rindex(b"needle")
    sign(file, body[:at] + b"n\xffedle" + body[at + 6:])
    assert fired(load(folder)) == FIRED


DETECTIONS: list[object] = [
    [], "x", {}, {"s": {"a": b"x"}, "condition": "s"}, {"s": {"a": {1: 2}}, "condition": "s"}, {"condition": "s"},
    {"s": {"a|re": "("}, "condition": "s"}, {"s": {"a|expand": "%none%"}, "condition": "s"}, {1: 2},
]


@pytest.mark.parametrize("detection", DETECTIONS, ids=str)
def test_a_detection_that_is_none_names_the_file_and_what_to_do(folder: Path, detection: object) -> None:
    rules = forge(folder, lambda kept: kept.__setitem__(DETECTION, detection))
    with pytest.raises(RuleError, match="holds a rule that Douse did not write there") as caught:
        fired(rules)
    assert caught.value.where == str(file_of(folder))
    assert "Delete the file" in str(caught.value)


def in_rule(**values: object) -> Change:
    return lambda kept: kept[RULE].update(values)


@pytest.mark.parametrize("change", [
    in_rule(level="hugh"), in_rule(evidence_class="Q"), in_rule(fidelity=1.5), in_rule(fidelity=float("nan")),
    in_rule(stage=9), in_rule(stage=-1), in_rule(tags="x"), in_rule(title=None), in_rule(builtin="yes"),
    lambda kept: kept.__setitem__(ROUTE, 9), lambda kept: kept.__setitem__(ROUTE, -1),
    lambda kept: kept.__setitem__(ROUTE, "x"), lambda kept: kept.__setitem__(IDLE, None), lambda kept: kept.pop(),
])
def test_a_rule_that_no_parsing_gives_is_not_believed(folder: Path, change: Change) -> None:
    assert fired(forge(folder, change)) == FIRED
    assert cache._load(file_of(folder)).texts, "it was written anew"


@pytest.mark.parametrize("route", [
    {"aliases": "nosuch"}, {"event_id": "1"}, {"channel": None}, {"where": "x"},
], ids=str)
def test_routes_that_no_logsource_has_are_not_believed(folder: Path, route: dict[str, object]) -> None:
    file = file_of(folder)
    tree = msgspec.msgpack.decode(file.read_bytes()[32:])
    tree[ROUTES][0][0].update(route)
    sign(file, msgspec.msgpack.encode(tree))
    assert not cache._load(file).texts
    assert fired(load(folder)) == FIRED


def test_a_test_that_is_never_asked_is_never_made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = load(folder)
    made: list[Any] = []
    decider = probes.decider
    monkeypatch.setattr(probes, "decider", lambda *args: made.append(args) or decider(*args))
    assert not list(rules.match(event({"CommandLine": "harmless"})))
    assert made == []
    assert [rule.term._term for rule in rules.rules if isinstance(rule.term, Deferred)] == [None, None]
    assert list(rules.match(EVENTS[0]))
    assert len(made) == 1
    assert [rule.term._term is None for rule in rules.rules if isinstance(rule.term, Deferred)] == [False, True]
