"""Documents that refer to others: how references are found, and what becomes of a correlation that cannot fire."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detection.correlation.test_correlator import BASE
from detection.makers import loaded
from douse.detection.correlation.document import Correlation
from douse.detection.language.filters import Filter
from douse.detection.language.parse import CompiledRule, Skipped, parse_rules
from douse.detection.ruleset import load_rules
from douse.errors import RuleError

IDLE = "title: Linux\nname: linux\nlogsource: {product: linux}\ndetection: {s: {a: b}, condition: s}\n---\n"


def test_a_rule_is_found_by_id_in_any_case_or_by_name(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + "title: x\ncorrelation: {type: temporal, timespan: 1m, "
                                    "rules: [F0000000-0000-4000-8000-000000000000, logon]}\n")
    assert not rules.rejected
    by_name = {rule.rule.name: rule.rule.rule_id for rule in rules.rules}
    assert rules.correlations[0].members == (by_name["failed"], by_name["logon"])


def test_a_reference_to_nothing_is_rejected_with_its_line(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + "title: x\ncorrelation:\n  type: temporal\n  rules: [faild]\n  timespan: 1m\n")
    line = (tmp_path / "rules.yml").read_text().splitlines().index("  rules: [faild]") + 1
    assert [str(error) for error in rules.rejected] == [
        f"{tmp_path}/rules.yml:{line}: no rule that is loaded has the id or name 'faild'. Did you mean 'failed'?"]
    assert not rules.correlations
    assert len(rules.rules) == 3


def test_a_name_is_first_that_of_the_same_file_and_must_be_clear_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(BASE + "title: x\ncorrelation: {type: temporal, timespan: 1m, rules: [failed]}\n")
    (tmp_path / "b.yml").write_text(BASE.replace("id: f0", "id: f1"))
    (tmp_path / "c.yml").write_text("title: y\ncorrelation: {type: temporal, timespan: 1m, rules: [failed]}\n")
    rules = load_rules([tmp_path], builtin=False)
    assert [each.members for each in rules.correlations] == [("f0000000-0000-4000-8000-000000000000",)]
    assert "2 rules have the name 'failed'. Refer to one by its id." in str(rules.rejected[-1])


def test_a_rule_by_id_and_by_name_is_still_one(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + "title: x\ncorrelation: {type: temporal, timespan: 1m, "
                                    "rules: [f0000000-0000-4000-8000-000000000000, failed]}\n")
    assert "the correlation names a rule twice" in str(rules.rejected[0])


def test_a_filter_of_a_correlation_is_told_what_a_filter_is_for(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + "title: c\nname: c\ncorrelation: {type: temporal, timespan: 1m, rules: [failed]}\n"
                   "---\ntitle: f\nlogsource: {product: windows}\n"
                   "filter: {rules: [c, failed], selection: {User: a}, condition: not selection}\n")
    assert [error.what for error in rules.rejected] == ["'c' is a correlation, and a filter narrows rules."]
    assert rules.rejected[0].next_step == "Name the rules that it is made of."


def test_correlations_in_a_circle_are_rejected(tmp_path: Path) -> None:
    text = "title: {0}\nname: {0}\ncorrelation: {{type: temporal, timespan: 1m, rules: [{1}]}}\n"
    circle = "---\n".join(text.format(one, other)
                          for one, other in (("a", "b"), ("b", "a"), ("c", "c"), ("d", "failed")))
    rules = loaded(tmp_path, BASE + circle)
    assert [each.rule.title for each in rules.correlations] == ["d"]
    assert len(rules.rejected) == 3
    assert "made of itself" in str(rules.rejected[0])


@pytest.mark.parametrize(("what", "idle"), [
    ("type: temporal, rules: [failed, linux]", True),
    ("type: temporal, rules: [failed, logon, linux], condition: {gte: 2}", False),
    ("type: event_count, rules: [failed, linux], condition: {gte: 2}", False),
    ("type: event_count, rules: [linux], condition: {gte: 2}", True),
])
def test_a_correlation_of_idle_rules_is_idle_when_it_can_never_fire(tmp_path: Path, what: str, idle: bool) -> None:
    rules = loaded(tmp_path, BASE + IDLE + f"title: x\ncorrelation: {{{what}, timespan: 1m}}\n")
    assert not rules.rejected
    reasons = {each.rule.title: each.reason for each in rules.idle}
    assert (reasons.get("x") == "its rule 'linux' is idle: product linux is not Windows") is idle
    assert bool(rules.correlations) is not idle


def test_without_a_level_a_correlation_has_the_strongest_of_its_rules(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + "title: x\ncorrelation: {type: temporal, timespan: 1m, rules: [failed, start]}\n")
    assert rules.correlations[0].rule.level == "medium"


@pytest.mark.parametrize(("timespan", "seconds"), [
    ("90s", 90), ("15m", 900), ("2h", 7_200), ("1d", 86_400), ("1w", 604_800), ("1M", 2_629_746), ("1y", 31_556_952)])
def test_timespans(tmp_path: Path, timespan: str, seconds: int) -> None:
    what = f"{{type: temporal, timespan: {timespan}, rules: [failed]}}"
    rules = loaded(tmp_path, BASE + f"title: x\ncorrelation: {what}\n")
    assert rules.correlations[0].seconds == seconds


def test_the_same_id_for_a_rule_and_a_correlation_is_refused(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + "title: x\nid: f0000000-0000-4000-8000-000000000000\n"
                                    "correlation: {type: temporal, timespan: 1m, rules: [logon]}\n")
    assert "is already that of" in str(rules.rejected[0])


def test_a_chain_may_be_twenty_deep(tmp_path: Path) -> None:
    text = ("title: c{0}\nname: c{0}\ncorrelation: {{type: event_count, timespan: 1m, rules: [{1}], "
            "condition: {{gte: 1}}}}\n")
    chain = "---\n".join(text.format(n, f"c{n - 1}" if n else "failed") for n in range(22))
    rules = loaded(tmp_path, BASE + chain)
    assert len(rules.correlations) == 20
    assert [error.what for error in rules.rejected] == ["correlations of correlations, more than 20 deep."]
    assert [idle.rule.title for idle in rules.idle] == ["c21"]


def test_thousands_of_wrong_documents_are_reported_at_once(tmp_path: Path) -> None:
    text = "title: c{0}\nname: c{0}\ncorrelation: {{type: temporal, timespan: 1m, rules: [{1}]}}\n"
    many = "---\n".join(text.format(n, f"c{n + 1}") for n in range(3_000))
    started = time.process_time()
    rules = loaded(tmp_path, BASE + many)
    assert len(rules.rejected) == 3_000
    assert time.process_time() - started < 10


SCALARS = st.none() | st.booleans() | st.integers(-2, 300) | st.text(max_size=6) | st.sampled_from(
    ["failed", "logon", "event_count", "temporal", "temporal_ordered", "value_sum", "5m", "any", "User", "x"])
NODES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.sampled_from(["gte", "lt", "field", "percentile", "a", "failed", "selection", "condition", "rules"]), inner,
    max_size=3), max_leaves=6)
CORRELATIONS = st.dictionaries(st.sampled_from(
    ["type", "rules", "group-by", "timespan", "condition", "aliases", "generate"]), NODES, max_size=7)
FILTERS = st.dictionaries(st.sampled_from(["rules", "selection", "condition", "s|x"]), NODES, max_size=4)
DOCUMENTS = st.dictionaries(st.sampled_from(["title", "id", "name", "action", "level", "logsource"]), NODES, max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(DOCUMENTS, st.sampled_from(["correlation", "filter", "detection"]),
                          CORRELATIONS | FILTERS | NODES), min_size=1, max_size=3))
def test_whatever_refers_to_whatever_is_loaded_or_a_rule_error(
        tmp_path: Path, made: list[tuple[dict[str, object], str, object]]) -> None:
    text = BASE + yaml.safe_dump_all([{"title": "t", **more, part: node} for more, part, node in made],
                                     allow_unicode=True)
    for outcome in parse_rules(text, "r.yml"):
        assert isinstance(outcome, CompiledRule | Correlation | Filter | Skipped | RuleError)
    rules = loaded(tmp_path, text)
    assert len(rules.rules) >= 3
