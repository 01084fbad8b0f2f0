"""Every error a caller of Douse may want to tell apart.

    DouseError               where: what is wrong. What to do next.
    ├── EvidenceError        evidence that cannot be read (only under --strict, else it is a counted Loss), or a saved
    │                        hunt that is none
    ├── RuleError            a Sigma rule that cannot be loaded: file and line
    ├── ContentError         our own data (scenario, telemetry requirement, ...), or a file of a user's (--allow,
    │                        --assets, --ioc), does not follow its format: file and line
    └── OutputError          a result that cannot be written where the user asked

Damaged evidence is ordinary and is counted, not raised (telemetry/coverage.py). A bug in our code is none of these:
it propagates and the command line exits with 70.
"""

from __future__ import annotations


class DouseError(Exception):
    """An error with its place, what is wrong there, and what to do next; `str()` gives the three as one line."""

    def __init__(self, where: str, what: str, next_step: str = "") -> None:
        self.where, self.what, self.next_step = where, what, next_step
        super().__init__(f"{where}: {what}" + (f" {next_step}" if next_step else ""))

    def __reduce__(self) -> tuple[type[DouseError], tuple[str, str, str]]:
        """How it travels from a worker process; Python's own way would hand over the one line only."""
        return type(self), (self.where, self.what, self.next_step)


class EvidenceError(DouseError):
    """Evidence that cannot be read (only under --strict, else it is a recorded Loss), or a saved hunt that is none."""


class RuleError(DouseError):
    """A Sigma rule that cannot be loaded. `where` is `file:line`."""


class ContentError(DouseError):
    """A data file that does not follow its format: one of ours (its folder's README) or a user's (docs/tuning.md)."""


class OutputError(DouseError):
    """A result that cannot be written: the target exists, is no folder, or cannot be opened."""
