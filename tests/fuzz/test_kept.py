"""A cache of compiled rules that was forged, checksum and all: nothing impossible is believed, and nothing crashes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from douse.detection.language.parse import CompiledRule, parse_rules
from douse.detection.matching.cache import RuleCache
from douse.detection.ruleset import RuleSet
from douse.errors import RuleError
from fuzz.kept import signed
from fuzz.seeds import EVERY_MODIFIER
from fuzz.target import EVENTS

RULE, DETECTION, PLAN = 1, 4, 5
"""Places in what is kept of a rule."""


@pytest.fixture
def forged(tmp_path: Path) -> Callable[[Callable[[Any], None]], RuleCache]:
    """A cache whose first rule was changed after it was written."""

    def forge(change: Callable[[Any], None]) -> RuleCache:
        cache = RuleCache(tmp_path, (), {})
        cache.put("text", list(parse_rules(EVERY_MODIFIER, "r.yml")), builtin=False)
        cache.save()
        (file,) = tmp_path.glob("*.msgpack")
        tree = msgspec.msgpack.decode(file.read_bytes()[32:])
        change(tree)
        file.write_bytes(signed(msgspec.msgpack.encode(tree)))
        return RuleCache(tmp_path, (), {})

    return forge


def first(tree: Any) -> Any:
    """What is kept of the first rule."""
    _routes, texts = tree
    return texts["text"][0]


def in_rule(**values: object) -> Callable[[Any], None]:
    return lambda tree: first(tree)[RULE].update(values)


def test_one_that_nobody_changed_is_believed(forged: Callable[[Callable[[Any], None]], RuleCache]) -> None:
    outcomes = forged(lambda tree: None).get("text", "r.yml", builtin=False)
    assert outcomes is not None
    assert isinstance(outcomes[0], CompiledRule)
    assert outcomes[0].term is not None
    outcomes[0].term.event_ids()


@pytest.mark.parametrize("change", [
    in_rule(level="hugh"), in_rule(evidence_class="Q"), in_rule(fidelity=1.5), in_rule(fidelity=float("nan")),
    in_rule(stage=9), in_rule(stage=-1), in_rule(tags="x"), in_rule(title=None), in_rule(builtin="yes"),
    lambda tree: tree[0][0][0].update(aliases="nosuch"), lambda tree: tree[0][0][0].update(event_id="1"),
    lambda tree: first(tree).__setitem__(2, 99), lambda tree: first(tree).__setitem__(2, -1),
], ids=str)
def test_a_rule_that_no_parsing_gives_is_not_believed(
        forged: Callable[[Callable[[Any], None]], RuleCache], change: Callable[[Any], None]) -> None:
    assert forged(change).get("text", "r.yml", builtin=False) is None


def test_text_that_is_no_utf_8_is_not_believed(tmp_path: Path) -> None:
    cache = RuleCache(tmp_path, (), {})
    cache.put("text", list(parse_rules("key: value", "r.yml")), builtin=False)
    cache.save()
    (file,) = tmp_path.glob("*.msgpack")
    body = file.read_bytes()[32:]
    assert b"no Sigma" in body
    file.write_bytes(signed(body.replace(b"no Sigma", b"no \xffigma")))
    assert RuleCache(tmp_path, (), {}).get("text", "r.yml", builtin=False) is None


@pytest.mark.parametrize("detection", [
    [], "x", {}, {"s": {"a": b"x"}, "condition": "s"}, {"s": {"a": {1: 2}}, "condition": "s"}, {"condition": "s"},
    {"s": {"a|re": "("}, "condition": "s"}, {"s": {"a|expand": "%none%"}, "condition": "s"}, {1: 2},
], ids=str)
def test_a_detection_that_is_none_names_the_file_and_what_to_do(
        forged: Callable[[Callable[[Any], None]], RuleCache], detection: object, tmp_path: Path) -> None:
    cache = forged(lambda tree: first(tree).__setitem__(DETECTION, detection))
    rule = next(iter(cache.get("text", "r.yml", builtin=False) or ()))
    assert isinstance(rule, CompiledRule)
    assert rule.term is not None
    with pytest.raises(RuleError, match="holds a rule that Douse did not write there") as caught:
        rule.term.event_ids()
    assert caught.value.where.startswith(str(tmp_path))
    assert "Delete the file" in str(caught.value)


@pytest.mark.parametrize("plan", [
    [], "x", None, [[], [True, [0]], None], [[["Image", 1.0]], [True, [7]], None], [[["Image", "x"]], [True], [0]],
    [[["Image", 1.0, [], [[["re", "("], []]]]], [True, [0]], [0]],
], ids=str)
def test_a_plan_that_is_none_is_made_anew(
        forged: Callable[[Callable[[Any], None]], RuleCache], plan: object) -> None:
    outcomes = forged(lambda tree: first(tree).__setitem__(PLAN, plan)).get("text", "r.yml", builtin=False)
    assert outcomes is not None
    rules = RuleSet([one for one in outcomes if isinstance(one, CompiledRule)])
    for event in EVENTS:
        assert [each.rule_id for each in rules.match(event)] == [each.rule_id for each in rules.match_slowly(event)]
