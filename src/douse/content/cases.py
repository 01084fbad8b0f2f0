"""The proof of our rules: for each, events that must fire it and benign twins that must not (cases/README.md).

A Case gives whole Events, as a reader would: the System fields that Sigma rules may ask for are filled in from the
channel, and host and time are always the same unless the case says otherwise. A case has one event, or for a
correlation several. tests/detection/test_cases.py runs them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from douse.content import document
from douse.content.document import Section
from douse.model import Event, Source, Value

FOLDER = Path(__file__).with_name("cases")
TIME = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOST = "WS-042.corp.example"
PROVIDERS: Mapping[str, str] = {
    "Microsoft-Windows-Sysmon/Operational": "Microsoft-Windows-Sysmon",
    "Microsoft-Windows-PowerShell/Operational": "Microsoft-Windows-PowerShell",
    "Microsoft-Windows-Windows Defender/Operational": "Microsoft-Windows-Windows Defender",
    "Windows PowerShell": "PowerShell",
    "Security": "Microsoft-Windows-Security-Auditing",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One event of a rule's proof, and where it is written; `later` are the others of a case with several."""

    name: str
    where: str
    channel: str
    event_id: int
    host: str
    provider: str
    time: datetime
    fields: Mapping[str, Value]
    later: tuple[Case, ...] = ()

    def events(self) -> list[Event]:
        """All events as a reader would give them, each with a record id of its own."""
        return [one.event(number) for number, one in enumerate((self, *self.later), start=1)]

    def event(self, record_id: int = 1) -> Event:
        """The event as a reader would give it."""
        system: dict[str, Value] = {
            "EventID": self.event_id, "Channel": self.channel, "Computer": self.host, "Provider_Name": self.provider,
        }
        fields = {**system, **self.fields}
        return Event(channel=self.channel, event_id=self.event_id, time=self.time, host=self.host,
                     provider=self.provider, record_id=record_id, source=Source(self.where, format="case"),
                     decode=lambda: fields)


@dataclass(frozen=True, slots=True)
class Cases:
    """A rule's proof: events that fire it, and benign ones that do not."""

    match: tuple[Case, ...]
    benign: tuple[Case, ...]


def case_file(rule_file: Path, folder: Path = FOLDER) -> Path:
    """The file that should hold the proof of a rule file."""
    return folder / f"{rule_file.stem}.yml"


def load_cases(path: Path) -> Cases:
    """Read a file of cases. Raises ContentError where it does not follow cases/README.md, or proves only one side."""
    top = document.read(path, f"cases/{path.name}" if path.parent == FOLDER else str(path))
    cases = Cases(*(tuple(_case(section) for section in top.listed(side)) for side in ("match", "benign")))
    top.end()
    if not cases.match or not cases.benign:
        missing = "benign" if cases.match else "match"
        top.fail(f"no event is listed under {missing}.", "A rule is proven by at least one of each.")
    return cases


def _case(section: Section) -> Case:
    """A case: an event, or a name and a list of events."""
    if "events" not in section:
        return _event(section, section.text("name"))
    name = section.text("name")
    events = [_event(one, name) for one in section.listed("events")]
    section.end()
    if not events:
        section.fail("no event is listed.", key="events")
    return replace(events[0], where=section.where, later=tuple(events[1:]))


def _event(section: Section, name: str) -> Case:
    fields = section.section("fields")
    if fields is None:
        section.fail("fields is missing.")
    channel = section.text("channel")
    case = Case(
        name=name,
        where=section.where,
        channel=channel,
        event_id=section.number("event_id"),
        host=section.text("host", HOST),
        provider=section.text("provider", PROVIDERS.get(channel, channel.partition("/")[0])),
        time=_time(section),
        fields={name: fields.value(name) for name in fields},
    )
    section.end()
    return case


def _time(section: Section) -> datetime:
    text = section.text("time", TIME.isoformat())
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        section.fail(f"{text!r} is no time.", "Write it as 2026-11-24T09:00:00Z.", key="time")
    return time if time.tzinfo else time.replace(tzinfo=UTC)
