"""Hostile text is visible and inert after `clean`, readable text is unchanged."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.text import clean


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b]8;;http://192.0.2.1\x07link\x1b]8;;\x07", "\\x1b]8;;http://192.0.2.1\\x07link\\x1b]8;;\\x07"),
        ("invoice\u202efdp.exe", "invoice\\u202efdp.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("two\r\nlines", "two\\x0d\\x0alines"),
        ("\ud800 alone", "\\ud800 alone"),
        ("tag \U000e0041", "tag \\U000e0041"),
    ],
)
def test_what_a_terminal_or_an_eye_would_obey_is_written_out(hostile: str, shown: str) -> None:
    assert clean(hostile) == shown


def test_ordinary_text_of_any_language_is_unchanged() -> None:
    for text in ("C:\\Users\\Jürgen\\Downloads\\请.exe", "✅ I am not a robot", "пароль", "日本語"):
        assert clean(text) == text


def test_script_blocks_keep_their_lines() -> None:
    assert clean("a\n\tb\x1b", multiline=True) == "a\n\tb\\x1b"


def test_a_limit_says_that_it_cut() -> None:
    assert clean("abcdef", 4) == "abc…"
    assert clean("abcd", 4) == "abcd"


def test_other_values_become_text() -> None:
    assert clean(4663) == "4663"
    assert clean(None) == "None"


@given(st.text())
def test_nothing_hidden_is_left(text: str) -> None:
    assert not [c for c in clean(text) if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}]


@given(st.text())
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)
