"""JSON and CSV from strangers: what is refused, with which line, and what PowerShell does to lists."""

from __future__ import annotations

import pytest

from douse.errors import EvidenceError
from douse.harden.evidence import json_tree
from douse.harden.evidence.json_tree import listed, mapping, number, parse_text, text
from douse.harden.evidence.table_text import header_of, table


def test_a_document_that_would_fill_the_memory_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(json_tree, "MAX_HELD", 10)
    monkeypatch.setattr(json_tree, "MAX_SPLIT", 20)
    assert parse_text(f"[{','.join(['{}'] * 9)}]", "x") == [{}] * 9
    for shown in (f"[{','.join(['{}'] * 10)}]", f"[{','.join('1' * 22)}]"):
        with pytest.raises(EvidenceError, match="which no export has"):
            parse_text(shown, "x")


@pytest.mark.parametrize(("shown", "message"), [
    ('{"a": 1,\n "b": ', "x:2: this is no sound JSON: it ends in the middle."),
    ('{"a": 1}}', "x:1: this is no sound JSON: Extra data (column 9)."),
    ("", "x:1: this is no sound JSON"),
    ('{"a": 1, "a": 2}', "'a' is given twice in one object"),
    ('{"a": -Infinity}', "-Infinity is no number"),
    ("[" * 50_000, "nested too deep"),
    ('{"a":' * 50_000, "nested too deep"),
    ("9" * 10_000, "no sound JSON"),
    ("{'a': 1}", "x:1: this is no sound JSON"),
    ('{"a": "\x01"}', "x:1: this is no sound JSON: Invalid control character"),
])
def test_what_is_refused(shown, message) -> None:
    with pytest.raises(EvidenceError) as raised:
        parse_text(shown, "x")
    assert message in str(raised.value)
    assert len(raised.value.what) < 300


def test_lists_as_powershell_writes_them() -> None:
    assert listed(None) == []
    assert listed("a") == ["a"]
    assert listed({"value": ["a", "b"], "Count": 2}) == ["a", "b"]
    assert listed({"value": "a"}) == [{"value": "a"}]
    assert listed([["a"]]) == [["a"]]


def test_questions() -> None:
    assert mapping([]) == {}
    assert text(1) == ""
    assert [number(one) for one in (1, True, "7", " -3 ", "1.5", "9" * 30, None, 1.0, "")] == [
        1, None, 7, -3, None, None, None, None, None]


def test_tables() -> None:
    made = table("\ufeff#TYPE x\n\na;b\n1;2\n\n3\n4;\"5;6\"\n", "x")
    assert made.columns == ["a", "b"]
    assert list(made) == [(4, {"a": "1", "b": "2"}), (7, {"a": "4", "b": "5;6"})]
    assert (made.damaged, made.first_damaged) == (1, 6)
    assert header_of("\n#TYPE x\na,b\n") == "a,b"


@pytest.mark.parametrize("shown", ["", "\n\n", "one", "a,a\n1,2\n", '"open\n', "#TYPE x\n"])
def test_tables_without_a_header(shown) -> None:
    with pytest.raises(EvidenceError, match="has no row of column names"):
        table(shown, "x")
