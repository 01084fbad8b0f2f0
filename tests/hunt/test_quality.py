"""Our rules on logs that others recorded, and on ordinary days: nothing lost, and every alert is one somebody has read.

The measuring is scripts/quality.py, what a person wrote is in docs/quality, and docs/detection-quality.md publishes it.
SigmaHQ's side takes minutes and is checked by `scripts/quality.py --check`.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from douse.model import Alert
from douse.telemetry.chunks import expected_records

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
DAYS, NOISE = 3, 500


class Quality:
    """The modules of scripts/quality.py, and our rules on each kind of others' logs."""

    def __init__(self, runs: ModuleType, ledgers: ModuleType, page: ModuleType) -> None:
        self.runs, self.ledgers, self.page = runs, ledgers, page
        self.sides: dict[str, Any] = {corpus.kind: runs.logs_of(corpus) for corpus in runs.CORPORA}

    def problems(self, corpus: Any, alerts: list[Alert], rows: list[dict[str, str]]) -> list[str]:
        return list(self.ledgers.ledger_problems(corpus, alerts, rows))


@pytest.fixture(scope="module")
def quality(shared: Path) -> Iterator[Quality]:
    """Everything below is about the same three hunts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOUSE_SHARED", str(shared))
        patch.syspath_prepend(str(SCRIPTS))
        import quality_ledgers
        import quality_page
        import quality_runs

        yield Quality(quality_runs, quality_ledgers, quality_page)
        for name in ("quality_ledgers", "quality_page", "quality_runs"):
            sys.modules.pop(name)


def test_every_alert_on_the_logs_of_others_was_read_by_hand(quality: Quality) -> None:
    found = []
    for corpus in quality.runs.CORPORA:
        found += quality.problems(corpus, quality.sides[corpus.kind].alerts, quality.ledgers.read_list(corpus.ledger))
    assert not found, "\n".join(found)


def test_the_page_shows_the_figures_of_this_run(quality: Quality) -> None:
    page = quality.page.PAGE.read_text(encoding="utf-8")
    told = "docs/detection-quality.md is out of date. Run `make quality` and review the difference."
    tables = {"read": quality.page.read_by_hand(quality.sides), "false": quality.page.false_alerts()}
    assert quality.page.current(page, tables), told
    lines = page.splitlines()
    for row in quality.page.counts(quality.sides).splitlines()[2:]:  # the page has one more column, for ordinary days
        assert any(line.startswith(row) for line in lines), f"{row}: {told}"


def test_what_was_read_and_lost_is_what_the_chunk_headers_state(quality: Quality) -> None:
    samples = quality.runs.CORPORA[0]
    stated = 0
    for path in quality.runs.files_of(samples):
        with path.open("rb") as stream:
            stated += expected_records(stream)
    side = quality.sides[samples.kind]
    assert side.records + side.lost == stated > 10_000
    assert side.files == len(quality.runs.files_of(samples))


def test_no_theft_is_claimed_and_no_family_named(quality: Quality) -> None:
    for kind, side in quality.sides.items():
        assert not side.incidents["critical"], kind
        assert side.families <= {"unattributed infostealer"}, kind


def test_ordinary_days_raise_nothing_of_high_or_above(quality: Quality, tmp_path: Path) -> None:
    side = quality.runs.Side()
    for seed in range(DAYS):
        quality.runs.add_day(tmp_path, seed, {None: side}, noise=NOISE)
    assert side.records > DAYS * NOISE
    assert side.alerts, "an ordinary day holds what resembles a stealer; without an alert the rules did not run"
    assert not side.at_least("high")
    assert not {level for level in ("medium", "high", "critical") if side.incidents[level]}


def test_a_ledger_tells_what_to_do_about_each_difference(quality: Quality) -> None:
    """The comparison above is only as good as its problems."""
    corpus = quality.runs.CORPORA[0]
    alerts = quality.sides[corpus.kind].alerts
    alert = next(alert for alert in alerts if alert.level == "high")
    row = {**next(quality.ledgers.drafts([alert], [])), "verdict": "true", "why": "it does"}
    said = {
        "nobody has read": quality.problems(corpus, [alert], []),
        "no such alert": quality.problems(corpus, [], [row]),
        "has 2 rows and 1 alerts": quality.problems(corpus, [alert], [row, row]),
        "is high now, not low": quality.problems(corpus, [alert], [{**row, "level": "low"}]),
        "did not decide": quality.problems(corpus, [alert], [{**row, "value": "elsewhere"}]),
        "Say true or false": quality.problems(corpus, [alert], [{**row, "verdict": ""}]),
        "no reason": quality.problems(corpus, [alert], [{**row, "why": " "}]),
    }
    for words, problems in said.items():
        assert problems, words
        assert words in " ".join(problems)
    assert not quality.problems(corpus, [alert], [row])
    assert not quality.problems(corpus, [replace(alert, level="informational")], [])



def test_a_difference_needs_a_reason_and_a_reason_a_difference(quality: Quality) -> None:
    one = quality.runs.Difference("Theirs", "id-1", "high", alone=Counter({"real logs: data sets": 2}))
    both = quality.runs.Difference("Theirs as well", "id-2", "high", both=Counter({"vendor samples": 1}))
    row = {"rule_id": "id-1", "rule": "Theirs", "class": "weak", "why": "too general"}
    found = {"id-1": one, "id-2": both}
    name = quality.ledgers.THEIRS

    def said(*rows: dict[str, str]) -> str:
        return " ".join(quality.ledgers.difference_problems(name, found, rows))

    assert said(row) == ""
    assert "Say why in a row" in said()
    assert "no such record any more" in said(row, {**row, "rule_id": "id-2"})
    assert "stands here twice" in said(row, row)
    assert "its class is none of" in said({**row, "class": "dull"})
    assert "lacks a reason" in said({**row, "why": ""})


def test_a_page_and_its_tables_must_name_the_same(quality: Quality) -> None:
    page = "before\n<!-- table read -->\nold\n<!-- end -->\nafter\n"
    new = quality.page.filled(page, {"read": "| new |\n"})
    assert new == "before\n<!-- table read -->\n\n| new |\n\n<!-- end -->\nafter\n"
    assert quality.page.filled(new, {"read": "| new |\n"}) == new
    with pytest.raises(ValueError, match="other"):
        quality.page.filled(page, {"other": ""})


def test_sigmahqs_rules_are_explained_once_and_in_known_words(quality: Quality) -> None:
    rows = quality.ledgers.read_list(quality.ledgers.THEIRS)
    assert len({row["rule_id"] for row in rows}) == len(rows) > 100
    assert {row["class"] for row in rows} <= set(quality.ledgers.CLASSES)
    assert not [row["rule"] for row in rows if not row["why"].strip()]
