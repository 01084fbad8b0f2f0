"""A rule as data: the same from its term and from a file, and joined as the condition says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given

from detection.generated import DETECTIONS, rules_of
from detection.makers import compiled, event, rule_text
from douse.detection import reference
from douse.detection.language.parse import CompiledRule
from douse.detection.matching import planner
from douse.detection.matching.cache import RuleCache
from douse.detection.matching.deferred import Deferred
from douse.detection.matching.plan import ALWAYS, MAX_DEPTH, Asked, Group, Plan, Search
from douse.detection.matching.planner import plan_of
from douse.detection.reference import All, Not, Term
from douse.detection.ruleset import RuleSet

A, B, C, D = ({"CommandLine|contains": letter * 4} for letter in "abcd")


def term_of(condition: str, **selections: Any) -> Term:
    term = compiled(rule_text({**selections, "condition": condition})).term
    assert term is not None
    return term


def plan(condition: str, **selections: Any) -> Plan:
    return plan_of(term_of(condition, **selections))


def kept(rules: list[CompiledRule], folder: Path) -> list[Deferred]:
    """The terms of rules that went through a cache and its file."""
    cache = RuleCache(folder, (), {})
    for number, rule in enumerate(rules):
        assert cache.put(str(number), [rule], builtin=False)
    cache.save()
    cache = RuleCache(folder, (), {})
    found = [outcome for number in range(len(rules)) for outcome in cache.get(str(number), "", builtin=False) or ()]
    terms = [outcome.term for outcome in found if isinstance(outcome, CompiledRule)]
    assert len(terms) == len(rules)
    return [term for term in terms if isinstance(term, Deferred)]


CONDITIONS = {
    "a": Group(True, (0,)),
    "not a": Group(False, false=(0,)),
    "a and b and c": Group(True, (0, 1, 2)),
    "a or b or c": Group(False, (0, 1, 2)),
    "a and not b": Group(True, (0,), (1,)),
    "not (a or b)": Group(True, false=(0, 1)),
    "not (a and b)": Group(False, false=(0, 1)),
    "not not a": Group(True, (0,)),
    "a and (b or c)": Group(True, (0,), groups=(Group(False, (1, 2)),)),
    "a and not (b or (c and not d))": Group(True, (0,), (1,), (Group(False, (3,), (2,)),)),
    "a and (b and (c and d))": Group(True, (0, 1, 2, 3)),
    "a and a": Group(True, (0,)),
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_not_moves_down_and_what_is_of_one_kind_becomes_one_group(condition: str) -> None:
    assert plan(condition, a=A, b=B, c=C, d=D).condition == CONDITIONS[condition]


def test_a_line_with_all_is_several_searches_and_its_opposite_any_of_them_false() -> None:
    assert plan("a", a={"CommandLine|contains|all": ["x", "y"]}).condition == Group(True, (0, 1))
    assert plan("not a", a={"CommandLine|contains|all": ["x", "y"]}).condition == Group(False, false=(0, 1))
    assert plan("a", a={"CommandLine|contains|all|neq": ["x", "y"]}).condition == Group(False, false=(0, 1))
    assert plan("not a", a={"CommandLine|contains|neq": ["x", "y"]}).condition == Group(True, (0,))


def test_equal_lines_of_a_rule_are_one_search() -> None:
    found = plan("a or (b and c)", a=A, b=A, c={"Image": "x"})
    assert [search.field for search in found.searches] == ["CommandLine", "Image"]


@pytest.mark.parametrize(("condition", "guards"), [
    ("short and long", {"longliteral"}), ("short or long", {"s", "longliteral"}), ("short and not long", {"s"}),
    ("not short", None), ("short or not long", None), ("not not long", {"longliteral"}),
    ("short and (long or not short)", {"s"}),
])
def test_one_of_the_guards_is_true_where_the_condition_is(condition: str, guards: set[str] | None) -> None:
    found = plan(condition, short={"A|contains": "s"}, long={"B|contains": "longliteral"})
    named = None if found.guards is None else {found.searches[guard].proofs[0] for guard in found.guards}
    assert named == guards


def test_what_is_never_true_needs_no_guard() -> None:
    never = Not(All(()))
    assert plan_of(never).guards == plan_of(All((never, reference.Any(())))).guards == ()
    assert plan_of(All((term_of("a", a=A), never))).guards == ()


EXISTS = {"User|exists": True}


@pytest.mark.parametrize(("condition", "expected"), [
    ("a and e", Group(True, (0,))), ("a and not e", Group(True, (0,))), ("a or e", ALWAYS), ("e", ALWAYS),
    ("not e", ALWAYS), ("a and (b or e)", Group(True, (0,))), ("not (a and e)", ALWAYS),
    ("not (a or e)", Group(True, false=(0,))),
])
def test_what_probes_cannot_say_is_taken_for_true_and_the_term_is_asked(condition: str, expected: Group) -> None:
    found = plan(condition, a=A, b=B, e=EXISTS)
    assert found.asked
    assert found.condition == expected
    assert (found.guards is None) is (not expected.true)


def test_a_term_is_not_asked_where_its_plan_says_no(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = compiled(rule_text({"a": A, "e": EXISTS, "condition": "a and e"}))
    asked: list[object] = []
    holds = All.holds
    monkeypatch.setattr(All, "holds", lambda self, view: asked.append(view) or holds(self, view))
    rules = RuleSet([rule])
    assert not list(rules.match(event({"CommandLine": "b", "User": "u"})))
    assert not asked
    assert list(rules.match(event({"CommandLine": "aaaa", "User": "u"})))
    assert not list(rules.match(event({"CommandLine": "aaaa"})))
    assert len(asked) == 2


def test_a_condition_that_grows_too_large_is_asked_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = compiled(rule_text({"a": A, "b": B, "condition": "a and not b"}))
    assert rule.term is not None
    assert not plan_of(rule.term).asked
    monkeypatch.setattr(planner, "MAX_GROUPS", 3)
    assert plan_of(rule.term) == Plan((), ALWAYS, None, asked=True)
    rules = RuleSet([rule])
    assert list(rules.match(event({"CommandLine": "aaaa"})))
    assert not list(rules.match(event({"CommandLine": "aaaa bbbb"})))


@pytest.mark.parametrize("whole", [
    Plan((), ALWAYS, None), Plan((Search("F", 1),), Group(True, (0,)), (0,)),
])
def test_a_plan_that_fits_together(whole: Plan) -> None:
    assert whole.is_whole()


def nested(depth: int) -> Group:
    group = Group(True)
    for _ in range(depth - 1):
        group = Group(False, groups=(group,))
    return group


@pytest.mark.parametrize("broken", [
    Plan((), Group(True, (0,)), None), Plan((), Group(True, (), (0,)), None), Plan((), ALWAYS, (0,)),
    Plan((Search("F", 1),), Group(True, (0,), groups=(Group(False, (1,)),)), (0,)),
    Plan((), nested(MAX_DEPTH + 1), None),
])
def test_a_plan_that_does_not(broken: Plan) -> None:
    assert not broken.is_whole()


def test_the_deepest_plan_is_whole() -> None:
    assert Plan((), nested(MAX_DEPTH), None).is_whole()


@given(DETECTIONS)
def test_a_plan_is_the_same_from_a_file(detection: dict[str, Any]) -> None:
    for rule in rules_of([detection]):
        assert rule.term is not None
        made = plan_of(rule.term)
        assert made.is_whole()
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(made), type=Plan) == made


def test_every_plan_of_sigmahq_is_the_same_from_a_file(sigmahq: RuleSet, tmp_path: Path) -> None:
    fresh = [rule for rule in sigmahq.rules if not isinstance(rule.term, Deferred)]
    assert len(fresh) == len(sigmahq.rules) > 2_800
    asked = 0
    for rule, term in zip(fresh, kept(fresh, tmp_path), strict=True):
        assert rule.term is not None
        known = term.plan()
        assert known == plan_of(rule.term), rule.rule.path
        assert known is not None
        assert known.is_whole()
        asked += known.asked
    assert asked < 10, "nearly all rules ask for nothing but texts"


def test_a_filter_is_added_to_a_plan_without_its_term(tmp_path: Path) -> None:
    rule = compiled(rule_text({"a": A, "b": B, "condition": "a or not b"}))
    filtering = term_of("not c", c=[C, B])
    (term,) = kept([rule], tmp_path)
    assert rule.term is not None
    assert plan_of(All((term, filtering))) == plan_of(All((rule.term, filtering)))
    assert plan_of(Not(term)) == plan_of(Not(rule.term))
    assert term._term is None, "the plan was enough"


def test_the_opposite_of_a_plan_that_only_may_hold_says_nothing(tmp_path: Path) -> None:
    rule = compiled(rule_text({"a": A, "e": EXISTS, "condition": "a and e"}))
    (term,) = kept([rule], tmp_path)
    found = plan_of(Not(term))
    assert (found.condition, found.guards, found.asked) == (ALWAYS, None, True)


def test_an_expression_keeps_its_needs_and_a_glob_of_parts_its_longest() -> None:
    (search,) = plan("a", a={"F|re": "foo.*barbar"}).searches
    assert [asked.needs for asked in search.asked] == [("barbar",)]
    (search,) = plan("a", a={"F": "a*Longer?b"}).searches
    assert (search.proofs, [asked.needs for asked in search.asked]) == ((), [("longer",)])
    (search,) = plan("a", a={"F|cidr": "10.0.0.0/8"}).searches
    assert [asked.needs for asked in search.asked] == [()]
    assert isinstance(search.asked[0], Asked)
