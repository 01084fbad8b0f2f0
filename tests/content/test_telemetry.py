from __future__ import annotations

from pathlib import Path

import pytest

from douse.content import telemetry
from douse.errors import ContentError

GOOD = """id: one
order: 1
title: One
any_of:
  - {channel: Security, ids: [4663, 4656]}
  - {channel: Microsoft-Windows-Sysmon/Operational}
classes: [C]
cannot_judge: Theft.
enable: A setting.
verified: true
source: A page.
"""


def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> tuple[telemetry.Requirement, ...]:
    (tmp_path / "one.yml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(telemetry, "FOLDER", tmp_path)
    return telemetry.requirements.__wrapped__()


def test_a_requirement_names_its_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = load(tmp_path, monkeypatch, GOOD)
    assert found.events == "Security 4656, 4663 or Sysmon"
    assert found.any_of[1].event_ids is None
    assert found.show == "missing"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("id: one", "id: two"),
        ("[C]", "[Z]"),
        ("[C]", "[]"),
        ("4656]", "x]"),
        ("verified: true", "verified: maybe"),
        ("order: 1", "order: first"),
        ("source: A page.", "sauce: A page."),
        ("source: A page.", "source: x\nshow: never"),
        ("enable: A setting.\n", ""),
    ],
)
def test_a_wrong_file_is_named_with_its_line(
    old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ContentError, match=r"one\.yml:\d+"):
        load(tmp_path, monkeypatch, GOOD.replace(old, new))


def test_what_a_stealer_hunt_needs_is_there_in_order() -> None:
    known = {requirement.id: requirement for requirement in telemetry.requirements()}
    assert next(iter(known)) == "store-reads"
    wanted = {
        "Security 4663": "store-reads",
        "4688": "process-start",
        "Sysmon 3": "network",
        "Sysmon 22": "dns",
        "5156": "network",
        "Sysmon 8, 10": "injection",
        "Sysmon 25": "tampering",
        "Sysmon 11": "file-create",
        "13": "registry",
        "5379": "vault",
        "4104": "script-blocks",
        "Windows Defender": "defender",
    }
    for events, requirement in wanted.items():
        assert events.split()[-1] in known[requirement].events
    assert not known["vault"].verified, "Microsoft's page does not list these ids"


def test_every_requirement_says_what_to_switch_on() -> None:
    for requirement in telemetry.requirements():
        assert len(requirement.enable) > 20
        assert requirement.cannot_judge.endswith(".")
        assert requirement.source
