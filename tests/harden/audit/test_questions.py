"""Answers of the questionnaire: what counts, for how long, and which of two."""

from __future__ import annotations

from datetime import date

import pytest

from douse.content.settings import QuestionSetting
from douse.harden.audit.checks import check
from harden import makers as m

ASKED = QuestionSetting(id="H99/edr", question="edr-behaviour")
TODAY = date(2026, 11, 24)
SECOND = m.source("questionnaire", "second.yml")


def said(word: str, **more):
    return m.answer("edr-behaviour", word, **more)


@pytest.mark.parametrize(("adds", "state"), [
    ([], "unknown"),
    ([m.answer("another-question", "yes")], "unknown"),
    ([said("yes")], "pass"),
    ([said("YES ")], "pass"),
    ([said("yes", proof=" ")], "partial"),
    ([said("yes", when="2025-11-24")], "pass"),
    ([said("yes", when="2025-11-23")], "partial"),
    ([said("yes", when="")], "partial"),
    ([said("yes", when="last summer")], "partial"),
    ([said("yes", when="2026-11-25")], "partial"),
    ([said("partial")], "partial"),
    ([said("no")], "fail"),
    ([said("unknown")], "unknown"),
    ([said("")], "unknown"),
    ([said("perhaps")], "unknown"),
    ([said("no", when="2026-01-01"), said("yes", of=SECOND)], "pass"),
    ([said("yes", when="2026-01-01"), said("no", of=SECOND)], "fail"),
    ([said("yes"), said("no", of=SECOND)], "conflict"),
    ([said("yes"), said("unknown", of=SECOND)], "pass"),
    ([said("no", when=""), said("yes", of=SECOND)], "conflict"),
    ([said("yes"), said("yes", proof="another.pdf", of=SECOND)], "pass"),
    ([said("no"), said("yes", when="2099-01-01", of=SECOND)], "conflict"),
], ids=str)
def test_states(adds, state) -> None:
    for order in (adds, adds[::-1]):
        (found,) = check(ASKED, m.subject(*order, kind="organisation"), "seed", TODAY)
        assert found.state == state, found.why


def test_a_host_is_not_asked() -> None:
    assert check(ASKED, m.subject(said("yes")), "seed", TODAY) == ()


def test_the_day_is_given_and_never_taken_from_the_clock_unasked() -> None:
    late = date(2028, 1, 1)
    (found,) = check(ASKED, m.subject(said("yes"), kind="organisation"), "seed", late)
    assert found.state == "partial"
    assert "days ago" in found.why
