"""Rule files as bytes from anywhere: what YAML becomes, what is refused, and that nothing but RuleError comes out."""

from __future__ import annotations

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from detection.makers import rule_text
from douse.detection.language.documents import MAX_BYTES, Node, line_of, read_documents
from douse.detection.language.parse import CompiledRule, Skipped, parse_rules
from douse.errors import RuleError


def data(text: str) -> list[Node]:
    return [document.data for document in read_documents(text, "r.yml")]


def error(text: str) -> str:
    with pytest.raises(RuleError) as caught:
        data(text)
    return str(caught.value)


def test_scalars_are_what_an_analyst_wrote() -> None:
    text = "[1, -2, 0x1F, 1.5, true, FALSE, null, ~, '1', yes, on, 0755, 1_000, 12:30:45, 2026-11-24, .inf, 1e3, '']"
    assert data(text) == [[1, -2, "0x1F", 1.5, True, False, None, None, "1", "yes", "on", "0755", "1_000", "12:30:45",
                           "2026-11-24", ".inf", "1e3", ""]]


def test_a_number_that_reads_otherwise_when_written_again_is_text() -> None:
    assert data("[1.10, -0, +7, 00, 0x0, 0.1]") == [["1.10", "-0", "+7", "00", "0x0", 0.1]]


def test_keys_are_text_and_documents_come_in_order() -> None:
    assert data("1: a\nnull: b\n---\nx\n---\n") == [{"1": "a", "null": "b"}, "x", None]


def test_a_number_too_long_to_be_one_is_text() -> None:
    assert data("9" * 5_000) == ["9" * 5_000]


def test_an_alias_stands_for_its_value() -> None:
    assert data("a: &x [1, 2]\nb: *x\n") == [{"a": [1, 2], "b": [1, 2]}]


@pytest.mark.parametrize(("text", "says"), [
    ("a: b\na: c\n", "r.yml:2: 'a' is there twice."),
    ("a: *x\n", "r.yml:1: alias *x has no anchor before it."),
    ("a: &x [*x]\n", "r.yml:1: alias *x has no anchor before it."),
    ("a: &x {b: c}\nd:\n  <<: *x\n", "r.yml:3: the merge key << is no Sigma."),
    ("? [a, b]\n: c\n", "r.yml:1: a key must be plain text."),
    ("a: !!binary aGk=\n", "r.yml:1: unknown YAML tag tag:yaml.org,2002:binary."),
    ("a:\n\tb: c\n", "r.yml:2: not valid YAML"),
    ("a: [b\n", "r.yml:2: not valid YAML"),
    ("a: \x07\n", "r.yml:1: not"),
    ("a: \ud800\n", "r.yml:1: not readable as YAML"),
    ("a: " + "x" * MAX_BYTES, f"r.yml:1: larger than {MAX_BYTES} bytes."),
])
def test_what_is_refused_says_where(text: str, says: str) -> None:
    assert error(text).startswith(says)


@pytest.mark.parametrize("text", ["[" * 300_000, "{a: " * 200_000, "- " * 300_000])
def test_deep_nesting_is_refused_at_once(text: str) -> None:
    assert "nested deeper than 40 levels" in error(text)


def test_a_billion_laughs_are_refused_at_once() -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    started = time.process_time()
    assert "expands to more than 100000 values" in error("\n".join(lines))
    assert time.process_time() - started < 2


def test_the_line_of_a_node_is_that_of_its_key() -> None:
    text = "a: 1\nb:\n  c:\n    - x\n    - d: 2\n      e: 3\n---\nf: 4\n"
    assert line_of(text, 0, ("b", "c", 1, "e")) == 6
    assert line_of(text, 0, ("b", "missing")) == 2
    assert line_of(text, 1, ("f",)) == 8


@given(st.text())
def test_any_text_is_documents_or_a_rule_error(text: str) -> None:
    for outcome in parse_rules(text, "r.yml"):
        assert isinstance(outcome, CompiledRule | Skipped | RuleError)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.dates()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
    st.text(max_size=6) | st.sampled_from(["A|contains", "B|re", "C|cidr", "D|all", "E|base64offset|contains", "|all",
                                           "F|windash", "G|exists", "H|gt", "I|fieldref", "J|wide"]),
    inner, max_size=3), max_leaves=8)
DETECTIONS = st.dictionaries(st.sampled_from(["selection", "filter", "_x", "timeframe", "a b"]), VALUES, max_size=3)
CONDITIONS = VALUES | st.sampled_from(["selection", "1 of them", "selection and not filter", "all of sel*"])


@given(DETECTIONS, CONDITIONS, VALUES, st.dictionaries(
    st.sampled_from(["title", "id", "level", "status", "tags", "logsource", "detection", "references"]), VALUES,
    max_size=3))
def test_any_rule_is_compiled_skipped_or_a_rule_error_with_its_line(
        detection: dict[str, object], condition: object, logsource: object, more: dict[str, object]) -> None:
    rule = yaml.safe_load(rule_text({**detection, "condition": condition}))
    rule |= more if logsource is None else {"logsource": logsource, **more}
    text = yaml.safe_dump(rule, allow_unicode=True)
    for outcome in parse_rules(text, "r.yml"):
        assert isinstance(outcome, CompiledRule | Skipped | RuleError)
        if isinstance(outcome, RuleError):
            path, _, line = outcome.where.rpartition(":")
            assert path == "r.yml"
            assert 1 <= int(line) <= text.count("\n") + 1
