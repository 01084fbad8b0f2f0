"""What a user can ask of a hunt, typed. The command line fills it; a script may fill it as well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

STDIN = "-"


class RuleChoice(Protocol):
    """The part of any run's options that says which rules it uses."""

    @property
    def rules(self) -> tuple[Path, ...]:
        """Files and folders of rules beside ours."""

    @property
    def placeholders(self) -> tuple[Path, ...]:
        """Lists for placeholders."""

    @property
    def builtin(self) -> bool:
        """Whether ours are used."""


@dataclass(frozen=True, slots=True)
class HuntOptions:
    """One hunt. Paths are files, folders or "-". Times are UTC, `since` inclusive, `until` exclusive.

    `level` hides weaker alerts and incidents from the result and changes no verdict: rules of every level still feed
    the correlation. `max_line` is the longest line or document of JSON in characters; 0 takes the reader's default.
    `allow` are lists of what is expected, `assets` inventories of computers, both CSV; `today` is the day in UTC by
    which an entry of `allow` has expired, None for that of the run. `ioc` are files of indicators to look for: one
    value a line, CSV or STIX.
    `clock_skew` is how many seconds the clocks of endpoints and network sensors may differ. `jobs` is how many
    processes may read, 0 for one a core; the result is the same. A script that asks for more than one needs
    `if __name__ == "__main__":`, because each process imports it.
    """

    paths: tuple[str, ...]
    rules: tuple[Path, ...] = ()
    placeholders: tuple[Path, ...] = ()
    allow: tuple[Path, ...] = ()
    assets: tuple[Path, ...] = ()
    ioc: tuple[Path, ...] = ()
    today: date | None = None
    builtin: bool = True
    since: datetime | None = None
    until: datetime | None = None
    level: str = "informational"
    strict: bool = False
    max_line: int = 0
    clock_skew: float = 2.0
    jobs: int = 1
    command_line: str = ""

    @property
    def has_window(self) -> bool:
        """Whether the user asked for a part of the time only."""
        return self.since is not None or self.until is not None

    def in_window(self, time: datetime) -> bool:
        """Whether an event of that time is asked for."""
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)
