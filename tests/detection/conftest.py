"""SigmaHQ's rules, loaded once for all tests of this room: three thousand files are half of its time."""

from __future__ import annotations

from pathlib import Path

import pytest

from douse.detection.ruleset import RuleSet, load_rules


@pytest.fixture(scope="session")
def sigmahq(shared: Path) -> RuleSet:
    return load_rules([shared / "data" / "sigma"], builtin=False)
