"""The rows of CSV: every delimiter and quoting, and a broken row costs itself only."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from douse.telemetry.damage import TOO_LONG
from douse.telemetry.rows import BROKEN_QUOTES, BROKEN_ROW, Row, Rows

HEADER = "A,B,C\n"
LONG = 1 << 26


def rows_of(text: str, limit: int = LONG) -> list[Row]:
    return list(Rows(io.StringIO(text, newline=""), limit))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("before", ["", "\ufeff", "\n\n", "sep={}\r\n"])
def test_every_delimiter_is_told_by_the_header(delimiter: str, before: str) -> None:
    lines = (delimiter.join(("A", "B x", "C")), delimiter.join(("1", "", "x y")), "")
    text = before.format(delimiter) + "\r\n".join(lines)
    found = Rows(io.StringIO(text, newline=""), LONG)
    assert found.header == ["A", "B x", "C"]
    assert [row.fields for row in found] == [{"A": "1", "C": "x y"}]


def test_quotes_line_breaks_and_lines() -> None:
    text = HEADER + '"a ""b""","x\r\ny\n\n,z",3\n4,5,6\n\n"7","8","9"'
    assert rows_of(text) == [
        Row(2, {"A": 'a "b"', "B": "x\r\ny\n\n,z", "C": "3"}), Row(6, {"A": "4", "B": "5", "C": "6"}),
        Row(8, {"A": "7", "B": "8", "C": "9"})]


def test_a_header_that_comes_again_and_empty_fields_behind_the_last_are_no_rows_and_no_harm() -> None:
    assert [row.fields for row in rows_of(HEADER + "1,2,3\n" + HEADER + "4,5,6,,\n")] == [
        {"A": "1", "B": "2", "C": "3"}, {"A": "4", "B": "5", "C": "6"}]


GOOD = "1,2,3\n"


@pytest.mark.parametrize(("bad", "reason"), [
    ("1,2\n", BROKEN_ROW.format(2, 3)),
    ("1,2,3,4\n", BROKEN_ROW.format(4, 3)),
    ('1,"2,3\n', BROKEN_QUOTES),
    ('1,"2"x,3\n', BROKEN_QUOTES),
    ("\0\0\0\n", BROKEN_ROW.format(1, 3)),
    ('"1,2\n\n\ntext of a script\nmore, of, it, all\n', BROKEN_QUOTES),  # a quote that was overwritten
])
def test_a_broken_row_is_one_loss_and_the_others_are_read(bad: str, reason: str) -> None:
    found = rows_of(HEADER + GOOD + bad + GOOD * 3 + '"4","5","6"\n')
    assert [row.fields for row in found if not row.broken] == [{"A": "1", "B": "2", "C": "3"}] * 4 + [
        {"A": "4", "B": "5", "C": "6"}]
    assert [(row.line, row.broken) for row in found if row.broken] == [(3, reason)]


def test_a_quote_that_is_never_closed_swallows_nothing() -> None:
    found = rows_of(HEADER + GOOD + '1,"2,3\n' + GOOD * 2_000)
    assert [row.line for row in found if row.broken] == [3]
    assert len(found) == 2_002
    assert found[-1].line == 2_003


def test_a_file_that_ends_inside_a_row() -> None:
    for cut in ('1,"2', "1,2", '1,2,"3', "1"):
        found = rows_of(HEADER + GOOD + cut)
        assert [bool(row.broken) for row in found] == [False, True]


@pytest.mark.parametrize("long", ["x" * 5_000, "x\n" * 2_500, "\n" * 5_000, '""' * 2_500])
def test_a_row_over_the_limit_is_one_loss(long: str) -> None:
    found = rows_of(HEADER + GOOD + f'1,2,"{long}"\n' + GOOD, limit=1_000)
    assert [(row.line, row.broken) for row in found] == [(2, ""), (3, TOO_LONG), (4 + long.count("\n"), "")]


@pytest.mark.parametrize("hostile", ['"' * 60_000, '"\n' * 40_000, "," * 60_000, '"a,b"",\n' * 10_000,
                                     '"' + "\n" * 60_000, "\r" * 60_000, "x\0\n" * 60_000])
def test_hostile_rows_are_passed_over_in_linear_time(hostile: str) -> None:
    found = rows_of(HEADER + GOOD + hostile + "\n" + GOOD + GOOD)
    assert found[0].fields == found[-1].fields == {"A": "1", "B": "2", "C": "3"}


CELLS = st.text(alphabet=st.sampled_from('ab ,;"\n\r\t\0é'), max_size=12)


@given(table=st.lists(st.tuples(CELLS, CELLS, CELLS).filter(any), max_size=8))
@settings(max_examples=100)
def test_what_a_writer_wrote_is_read_back(table: list[tuple[str, str, str]]) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerows([("A", "B", "C"), *table])
    expected = [{name: cell for name, cell in zip("ABC", row, strict=True) if cell} for row in table]
    assert [row.fields for row in rows_of(out.getvalue())] == expected
