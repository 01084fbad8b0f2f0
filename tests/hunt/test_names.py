"""Wildcards and host names of lists: what fits, what could, and that hostile text costs nothing."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.hunt.names import HostName, Wildcard, short_name

FEW = st.text(alphabet="aB*\\", max_size=8)


@given(FEW, st.text(alphabet="aAbB\\", max_size=10))
def test_a_wildcard_is_the_expression_with_any_text_for_a_star(pattern: str, text: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("*")))
    assert Wildcard(pattern).fits(text) == bool(re.fullmatch(expression, text, re.IGNORECASE | re.DOTALL))


@given(FEW, st.text(alphabet="ab\\", max_size=4))
def test_a_pattern_reaches_a_folder_if_anything_that_begins_so_fits(pattern: str, folder: str) -> None:
    rest = pattern.lower().replace("*", "")
    ends = {"", *(rest[at:] for at in range(len(rest)))}  # what a fitting text can go on with, if any does
    assert Wildcard(pattern).reaches(folder) == any(Wildcard(pattern).fits(folder + end) for end in ends)


def test_a_hostile_text_is_compared_at_once() -> None:
    started = time.perf_counter()
    assert not Wildcard("*a" * 200 + "b").fits("a" * 30_000)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(("name", "host", "fits"), [
    ("WS-1.corp.example", "ws-1.CORP.example", True),
    ("WS-1.corp.example.", "ws-1.corp.example", True),
    ("ws-1", "WS-1.corp.example", True),
    ("ws-1", "ws-10.corp.example", False),
    ("ws-1.corp.example", "ws-1", False),
    ("ws-*", "WS-77.corp.example", True),
    ("*.lab.example", "ws-1.lab.example", True),
    ("*.lab.example", "ws-1.corp.example", False),
    ("10", "10.0.0.5", False),
    ("10.0.0.*", "10.0.0.5", True),
    ("fe80", "fe80::1", False),
    ("*", "", True),
    ("ws-1", "", False),
])
def test_hosts(name: str, host: str, fits: bool) -> None:
    assert HostName(name).fits(host) is fits


def test_an_address_has_no_short_name() -> None:
    assert [short_name(host) for host in ("a.b.c", "a", "10.0.0.5", "fe80::1")] == ["a", "a", "10.0.0.5", "fe80::1"]
