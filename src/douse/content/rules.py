"""Where Douse's own Sigma rules are. detection reads them as it reads anybody's; this is only the folder."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).with_name("sigma")


def rule_files() -> tuple[Path, ...]:
    """The files of our own rules, by name."""
    return tuple(sorted(FOLDER.glob("*.yml")))
