"""Load telemetry/: what Windows must log so that an evidence class can be judged, and how to switch it on.

One file is one requirement; the format is in the folder's README. incident/blindspots.py compares them with what a host
logged. A file that does not follow the format is a ContentError with file and line.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from douse.content import document
from douse.model import EVIDENCE_CLASSES

FOLDER = Path(__file__).with_name("telemetry")
SHOW = ("missing", "no-command-line", "no-store-audit", "store-audit")


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one channel; without ids the whole channel."""

    channel: str
    event_ids: frozenset[int] | None

    def __str__(self) -> str:
        short = self.channel.removeprefix("Microsoft-Windows-").removesuffix("/Operational").removesuffix("/Debug")
        return " ".join([short, ", ".join(map(str, sorted(self.event_ids or ())))]).strip()


@dataclass(frozen=True, slots=True)
class Requirement:
    """Telemetry of which any one kind is enough, what is blind without it, and the Windows setting that provides it.

    `show` says when it is a blind spot: where no record was seen ("missing"), where process starts are logged without
    their command lines ("no-command-line"), where no record is about a credential store ("no-store-audit"), or where
    some is and only its limits are to be told ("store-audit").
    """

    id: str
    order: int
    title: str
    any_of: tuple[Records, ...]
    classes: tuple[str, ...]
    cannot_judge: str
    enable: str
    verified: bool
    source: str
    show: str

    @property
    def events(self) -> str:
        """The records in an analyst's words: `Security 4656, 4663`. Defender's rows count too and are not named."""
        return " or ".join(str(records) for records in self.any_of if not records.channel.startswith("MDE/"))


@cache
def requirements() -> tuple[Requirement, ...]:
    """All requirements, the most decisive first."""
    found = [_load(path) for path in sorted(FOLDER.glob("*.yml"))]
    return tuple(sorted(found, key=lambda requirement: (requirement.order, requirement.id)))


def _load(path: Path) -> Requirement:
    data = document.read(path)
    records = []
    for entry in data.listed("any_of"):
        ids = entry.texts("ids")
        if not all(number.isdecimal() for number in ids):
            entry.fail("ids must be event ids.", "Leave them out for the whole channel.", key="ids")
        records.append(Records(entry.text("channel"), frozenset(map(int, ids)) or None))
        entry.end()
    classes = data.texts("classes")
    if not records or not classes or not set(classes) <= set(EVIDENCE_CLASSES):
        data.fail("any_of needs an entry, and classes at least one letter of D X E I C R O P V.")
    if data.text("id") != path.stem:
        data.fail(f"id must be the file's name, {path.stem!r}.", key="id")
    found = Requirement(path.stem, data.number("order"), _line(data.text("title")), tuple(records), classes,
                        _line(data.text("cannot_judge")), _line(data.text("enable")), data.truth("verified", False),
                        _line(data.text("source")), data.choice("show", SHOW, SHOW[0]))
    data.end()
    return found


def _line(text: str) -> str:
    return " ".join(text.split())
