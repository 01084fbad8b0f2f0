"""Wanted: which records are decoded and which are only counted."""

from __future__ import annotations

import pytest

from douse.telemetry import Wanted
from douse.telemetry import wanted as wanted_module


def test_a_pair_is_wanted_whatever_the_case_of_the_channel() -> None:
    wanted = Wanted([("security", 4688), ("Microsoft-Windows-Sysmon/Operational", 1)])
    assert wanted.accepts("Security", 4688)
    assert wanted.accepts("security", 4688)
    assert wanted.accepts("microsoft-windows-sysmon/operational", 1)
    assert not wanted.accepts("Security", 4689)
    assert not wanted.accepts("System", 4688)


def test_a_whole_channel_and_every_channel() -> None:
    assert Wanted([("system", None)]).accepts("System", 7045)
    assert not Wanted([("system", None)]).accepts("Security", 7045)
    assert Wanted([("*", 104)]).accepts("System", 104)
    assert not Wanted([("*", 104)]).accepts("System", 105)
    assert Wanted.everything().accepts("Whatever", 1)
    assert not Wanted([]).accepts("Security", 4688)


def test_hostile_channels_do_not_fill_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wanted_module, "_REMEMBERED", 10)
    wanted = Wanted([("security", 1)])
    assert not any(wanted.accepts(f"channel {number}", 1) for number in range(1_000))
    assert wanted.accepts("Security", 1)
    assert len(wanted._answers) <= 10


def test_a_name_that_no_channel_can_have_is_not_remembered() -> None:
    wanted = Wanted([("security", 1), ("x" * 300, 1)])
    assert wanted.accepts("X" * 300, 1)
    assert not wanted.accepts("y" * 300, 1)
    assert not wanted._answers
