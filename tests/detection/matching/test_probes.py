"""What matchers share: one number for equal searches, one table for those who ask the same, and conditions decided."""

from __future__ import annotations

from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.makers import compiled, event, rule_text
from douse.detection.matching.automaton import Memory, Table
from douse.detection.matching.plan import ALWAYS, Group
from douse.detection.matching.probes import Probes, decider
from douse.detection.reference import Term
from douse.detection.ruleset import RuleSet


def term(**lines: object) -> Term:
    made = compiled(rule_text({"s": lines, "condition": "s"})).term
    assert made is not None
    return made


def contains(*words: str) -> Term:
    return term(**{"CommandLine|contains": list(words)})


def test_equal_searches_have_one_number_and_a_term_is_planned_once() -> None:
    probes = Probes(Memory())
    one, same, other = contains("abc"), contains("abc"), contains("abcd")
    first = probes.numbered(one)
    assert probes.numbered(one) is first
    assert probes.numbered(same).numbers == first.numbers
    assert probes.numbered(other).numbers != first.numbers


def tables(probes: Probes, terms: list[Term]) -> dict[str, Table]:
    return probes.tables(number for each in terms for number in probes.numbered(each).numbers)


def test_who_asks_the_same_or_a_little_less_shares_a_table_and_who_asks_for_little_has_his_own() -> None:
    probes = Probes(Memory())
    terms = [contains(f"word{number:02}") for number in range(100)]
    whole = tables(probes, terms)["CommandLine"]
    assert tables(probes, terms)["CommandLine"] is whole
    assert tables(probes, terms[1:])["CommandLine"] is whole
    small = tables(probes, terms[:50])["CommandLine"]
    assert small is not whole
    assert small.of_text("word70") == set()
    assert tables(probes, [*terms, contains("more")])["CommandLine"] is not whole


def test_each_field_has_its_own_table_also_the_record_as_a_whole() -> None:
    words = compiled(rule_text({"s": ["word"], "condition": "s"})).term
    assert words is not None
    assert set(tables(Probes(Memory()), [contains("a"), term(Image="b", User="c"), words])) == {
        "CommandLine", "Image", "User", ""}


def test_records_of_two_logs_are_matched_with_the_same_tables() -> None:
    texts = [rule_text({"s": {"CommandLine|contains": f"word{number}", "Image|endswith": f"{number}.exe"},
                        "condition": "s"}, id=f"11111111-1111-4111-8111-{number:012}") for number in range(20)]
    rules = RuleSet([compiled(text) for text in texts])
    sysmon = event({"CommandLine": "word7", "Image": "C:\\7.exe"})
    security = event({"CommandLine": "word8", "NewProcessName": "C:\\8.exe"}, "Security", 4688)
    assert [len(list(rules.match(record))) for record in (sysmon, security)] == [1, 1]
    made = [table for shared in rules._probes._tables.values() for _, table in shared]
    assert len(made) == 2
    assert any({"word7", "word8"} <= set(table.known) for table in made)


NUMBERS = (0, 1, 2, 3)
SETS = [frozenset(chosen) for size in range(5) for chosen in combinations(NUMBERS, size)]
INDEXES = st.lists(st.sampled_from(NUMBERS), max_size=3, unique=True).map(tuple)
GROUPS = st.recursive(
    st.builds(Group, st.booleans(), INDEXES, INDEXES),
    lambda inner: st.builds(Group, st.booleans(), INDEXES, INDEXES, st.lists(inner, max_size=2).map(tuple)),
    max_leaves=6)


def holds(group: Group, fired: frozenset[int]) -> bool:
    """The definition."""
    parts = chain((each in fired for each in group.true), (each not in fired for each in group.false),
                  (holds(each, fired) for each in group.groups))
    return all(parts) if group.every else any(parts)


@given(GROUPS)
def test_a_condition_is_decided_as_it_is_defined(group: Group) -> None:
    decide = decider(group, [each + 10 for each in NUMBERS])
    for fired in SETS:
        assert decide(frozenset(each + 10 for each in fired)) is holds(group, fired)


@pytest.mark.parametrize("fired", SETS)
def test_all_of_nothing_is_true_and_any_of_nothing_is_not(fired: frozenset[int]) -> None:
    assert decider(ALWAYS, ())(fired) is True
    assert decider(Group(False), ())(fired) is False
