"""Hostile text is visible and inert after `clean`, readable text is unchanged."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.indicators.values import refanged
from douse.text import clean, defang


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


@pytest.mark.parametrize(("indicator", "shown"), [
    ("bad.example", "bad[.]example"), ("203.0.113.41", "203[.]0[.]113[.]41"),
    ("bad.example:8443", "bad[.]example:8443"),
    ("https://bad.example/a.b?c=d.e", "hxxps[:]//bad[.]example/a.b?c=d.e"),
    ("http://user@bad.example@203.0.113.4:8080/x", "hxxp[:]//user@bad[.]example@203[.]0[.]113[.]4:8080/x"),
    ("ftp://bad.example/x", "ftp[:]//bad[.]example/x"), ("2001:db8::7", "2001[:]db8[:][:]7"), ("::1", "[:][:]1"),
    ("http://[2001:db8::7]:80/x", "hxxp[:]//[2001:db8::7]:80/x"),
    ("https://xn--bcher-kva.example/", "hxxps[:]//xn--bcher-kva[.]example/"),
    ("bad.example/?next=http://good.example", "bad[.]example/?next=http://good[.]example"), ("", ""),
])
def test_nobody_can_click_an_indicator(indicator: str, shown: str) -> None:
    assert defang(indicator) == shown
    assert refanged(shown) == indicator


_LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
_NAMES = st.lists(_LABEL, min_size=2, max_size=4).map(".".join)
_ADDRESSES = st.ip_addresses().map(str)
_URLS = st.builds(lambda scheme, host, port, path: f"{scheme}://{host}{port}/{path}",
                  st.sampled_from(["http", "https", "ftp"]),
                  _NAMES | _ADDRESSES.map(lambda a: f"[{a}]" if ":" in a else a), st.sampled_from(["", ":8080"]),
                  st.from_regex(r"[a-z0-9/?=&.%~_-]{0,30}", fullmatch=True))


@given(_NAMES | _ADDRESSES | _URLS)
def test_what_is_made_harmless_can_be_read_in_again(indicator: str) -> None:
    assert refanged(defang(indicator)) == indicator
    assert "." not in defang(indicator).partition("//")[2].partition("/")[0].replace("[.]", "")
