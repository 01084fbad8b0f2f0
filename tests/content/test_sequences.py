"""incidents/sequences.yml: what it says is the threat model's, and a wrong edit is named with file and line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from douse.content import incidents
from douse.content.sequences import FILE, level_rules, sequence
from douse.errors import ContentError
from douse.incident.sequences import HUNTED


def test_levels_and_windows_are_those_of_the_threat_model() -> None:
    rows = level_rules().sequences
    assert {name: (row.full.level, round(row.window.total_seconds())) for name, row in rows.items()} == {
        "S1": ("high", 15), "S2": ("high", 120), "S3": ("high", 900), "S4": ("high", 60), "S5": ("critical", 600),
        "S6": ("critical", 1800), "S7": ("high", 1800), "S8": ("critical", 1800), "S9": ("critical", 7 * 86400)}
    assert rows.keys() == HUNTED
    assert sequence("S5").ahead == timedelta(minutes=2)
    assert sequence("S8").degree("stopped").level == "medium"
    assert sequence("S8").degree("") == sequence("S8").full


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("level: high\n    window: 15", "level: hi\n    window: 15", "level must be one of"),
        ("window: 15\n", "window: 0\n", "numbers of seconds"),
        ("  - id: S2", "  - id: S1", "there twice"),
        ("without: [C, V]", "without: [C, W]", "none of D, X"),
        ("    without: [C, V]\n", "", "without a condition"),
        ("alert: high, gives", "gives", "level of an alert, or the role"),
        ("ahead: 120", "ahed: 120", "unknown key 'ahed'"),
        ("caps:", "cups:", "unknown key 'cups'"),
        ('{level: medium, title: "Info', '{lvl: medium, title: "Info', "level is missing"),
    ],
)
def test_a_wrong_edit_is_named(old: str, new: str, problem: str, tmp_path: Path,
                               monkeypatch: pytest.MonkeyPatch) -> None:
    text = (incidents.FOLDER / FILE).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / FILE).write_text(text.replace(old, new, 1), encoding="utf-8")
    monkeypatch.setattr(incidents, "FOLDER", tmp_path)
    with pytest.raises(ContentError, match=problem) as failed:
        level_rules.__wrapped__()
    assert f"{FILE}:" in str(failed.value)
