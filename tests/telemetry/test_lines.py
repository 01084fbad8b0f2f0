"""Lines of text logs: encodings, line ends, lines that are too long, bytes that are no text."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.telemetry.damage import TOO_LONG
from douse.telemetry.lines import Line, lines


def of(data: bytes, max_line: int = 100) -> list[Line]:
    return list(lines(io.BytesIO(data), max_line))


def test_lines_have_numbers_and_no_line_ends() -> None:
    assert of(b"one\r\ntwo\n\nfour") == [Line(1, "one"), Line(2, "two"), Line(3, ""), Line(4, "four")]
    assert of(b"") == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(encoding: str) -> None:
    assert [line.text for line in of("first £ line\r\nsecond\n".encode(encoding))] == ["first £ line", "second"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_a_mark_where_files_were_strung_together_is_no_text(encoding: str) -> None:
    assert [line.text for line in of("\ufeffone\n\ufefftwo\n".encode(encoding))] == ["one", "two"]


def test_a_byte_that_is_no_utf8_stays_visible() -> None:
    assert of(b"GET /\xff\xfe HTTP") == [Line(1, r"GET /\xff\xfe HTTP")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_line_that_is_too_long_is_named_and_the_next_one_read(encoding: str) -> None:
    text = "a\n" + "x" * 5_000_000 + "\nb\n" + "y" * 101
    assert of(text.encode(encoding)) == [Line(1, "a"), Line(2, "", TOO_LONG), Line(3, "b"), Line(4, "", TOO_LONG)]


def test_a_line_of_the_most_characters_is_read() -> None:
    assert of(b"x" * 100 + b"\n" + b"y" * 100) == [Line(1, "x" * 100), Line(2, "y" * 100)]


@given(st.binary(max_size=300))
def test_any_bytes_give_lines_that_can_be_encoded(data: bytes) -> None:
    found = of(data)
    assert [line.number for line in found] == list(range(1, len(found) + 1))
    for line in found:
        line.text.encode()
