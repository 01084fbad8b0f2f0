"""What the HTML report and the terminal both tell about a document: order, step numbers, process tree, times in words.

Rows come in (schema.py), small frozen records of the same rows go out; nothing is cleaned or drawn here. A step has
one number everywhere: in the story, on the timeline and at the processes, so that a reader can follow it with a finger.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from douse.model import LEVELS
from douse.report.glossary import technique_name
from douse.report.schema import AlertRow, AssetRow, Document, IncidentRow, ProcessRow, StageRow, StepRow

NOTHING_FOUND = "No incident found in the telemetry read"
NOTHING_FOUND_STEPS = (
    "Read below what could not be judged: an attack that leaves its traces only there would not show in this report.",
    "Turn on the settings named there, the credential stores first, and hunt again.",
    "If somebody reported something odd, keep the machine as it is and look at it directly.",
)
NOTHING_READ = "No event could be judged"
NOTHING_READ_STEPS = (
    "Read below what was wrong with the input, and name event logs (EVTX or JSON) or a folder of them.",
    "Where --since or --until limited the time, check that the logs go so far.",
)
WEAK_SIGNS = "Only weak signs in the telemetry read"
BELOW_MEDIUM = frozenset(LEVELS[: LEVELS.index("medium")])
"""Levels of incidents that are no finding: nobody is to read a word like infostealer there."""

STAGES = (1, 2, 3)
ORDINARY_LINKS = frozenset({"", "started", "parent", "child", "spawned"})
"""How a process came from its parent, where that is nothing special; other words are set off in the tree."""

MAX_DEPTH = 24
"""Deeper processes are drawn at this depth: a chain of thousands is cheap for an attacker."""


@dataclass(frozen=True, slots=True)
class Told:
    """A step with its number in the story, the time since the first step and its proof, as far as it is listed."""

    number: int
    offset: str
    row: StepRow
    proof: tuple[AlertRow, ...]


@dataclass(frozen=True, slots=True)
class Branch:
    """One process of the tree, in the order of drawing. `rails` are pass, blank, tee or end: one for each level.

    `link` says how it came from its parent, empty where that is nothing special.
    """

    row: ProcessRow
    name: str
    parent: str
    link: str
    rails: tuple[str, ...]
    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """What a result without an incident says: a word and a headline, a sentence, what to do next; never that all is
    well."""

    word: str
    title: str
    lead: str
    steps: tuple[str, ...]


def nothing(document: Document) -> Nothing:
    """The words for a hunt that found nothing, which is another thing than one that could judge nothing."""
    summary = document["summary"]
    if not document["coverage"]:
        lead = "Not one event was there to judge, so this says nothing about any computer."
        return Nothing("NOT JUDGED", NOTHING_READ, lead, NOTHING_READ_STEPS)
    single = f"; {count(summary['alerts'], 'single alert')} below belong to none" if summary["alerts"] else ""
    lead = (f"Douse read {count(summary['records_read'], 'record')} and found nothing that forms an incident{single}. "
            f"{_set_apart(document)}This is no proof that nothing happened: what was not recorded could not be judged.")
    return Nothing("NO INCIDENT", NOTHING_FOUND, lead, NOTHING_FOUND_STEPS)


def worst_first(document: Document) -> list[IncidentRow]:
    """The incidents, strongest level first, then the higher score, then the earlier."""
    return sorted(document["incidents"], key=lambda i: (-_rank(i["level"]), -i["score"], i["first_seen"]))


def only_weak(incidents: Iterable[IncidentRow]) -> bool:
    """Whether there are incidents and none of them, and nothing in their stories, reaches medium."""
    levels = {row["level"] for incident in incidents for row in (incident, *incident["steps"])}
    return bool(levels) and levels <= BELOW_MEDIUM


def weak_signs(document: Document) -> str:
    """What to say first of a hunt that found only weak signs: how much was read, and what that is worth."""
    signs = len(document["incidents"])
    worth = "One thing in them is" if signs == 1 else f"{signs:,} things in them are"
    read = count(document["summary"]["records_read"], "record")
    return (
        f"{read} were read. {worth} worth a look; nothing adds up to an intrusion. {_set_apart(document)}This is no "
        "proof that nothing happened: what was not recorded could not be judged."
    )


def _set_apart(document: Document) -> str:
    """A sentence on alerts that took no part because a list allows them; "" where there are none."""
    number = len(document.get("suppressed", []))
    return f"{count(number, 'alert')} took no part, because a list says that they are expected. " if number else ""


def questions(incidents: Iterable[IncidentRow]) -> list[str]:
    """What to do about all of these incidents, each step once."""
    return list(dict.fromkeys(step for incident in incidents for step in incident["next_steps"]))


def alerts_by_id(document: Document) -> dict[str, AlertRow]:
    """The document's alerts by id."""
    return {alert["alert_id"]: alert for alert in document["alerts"]}


def told(incident: IncidentRow, alerts: Mapping[str, AlertRow]) -> tuple[Told, ...]:
    """The incident's steps in the order in which it tells them, numbered from 1."""
    steps = incident["steps"]
    begun: list[str] = []  # what is told before an earlier record began no later: a typed command and its child
    for step in reversed(steps):
        begun.append(min(step["time"], begun[-1] if begun else step["time"], key=when))
    begun.reverse()
    return tuple(
        Told(
            number=number,
            offset=offset(begun[0], time),
            row=step,
            proof=tuple(alerts[name] for name in step["alerts"] if name in alerts),
        )
        for number, (step, time) in enumerate(zip(steps, begun, strict=True), 1)
    )


def most_telling(steps: tuple[Told, ...], most: int) -> tuple[Told, ...]:
    """At most so many steps, in order: the strongest, the earlier of equals. A log can be made to tell thousands."""
    if len(steps) <= most:
        return steps
    strongest = sorted(steps, key=lambda step: (-_rank(step.row["level"]), step.number))[:most]
    return tuple(sorted(strongest, key=lambda step: step.number))


def stages(incident: IncidentRow) -> tuple[tuple[int, StageRow | None], ...]:
    """Each of the three stages and what was seen of it, None where nothing was."""
    seen = {stage["stage"]: stage for stage in incident["stages"]}
    return tuple((number, seen.get(number)) for number in STAGES)


def tree(incident: IncidentRow, steps: Iterable[Told]) -> tuple[Branch, ...]:
    """The processes parents first, each with the numbers of the steps that its alerts prove."""
    nodes = incident["processes"]
    numbers = _numbers_by_alert(steps)
    children: dict[int | None, list[int]] = {}
    for index, node in enumerate(nodes):
        parent = node["parent"]
        known = parent is not None and 0 <= parent < len(nodes) and parent != index
        children.setdefault(parent if known else None, []).append(index)
    branches: list[Branch] = []
    drawn: set[int] = set()
    stack: list[tuple[int, tuple[str, ...]]] = [(index, ()) for index in reversed(children.get(None, []))]
    while stack or len(drawn) < len(nodes):
        if not stack:  # processes that are their own ancestors hang on no root
            stack.append((min(set(range(len(nodes))) - drawn), ()))
        index, rails = stack.pop()
        if index in drawn:
            continue
        drawn.add(index)
        branches.append(_branch(nodes, index, rails, numbers))
        below = children.get(index, [])
        inherited = tuple({"tee": "pass", "end": "blank"}.get(rail, rail) for rail in rails)[: MAX_DEPTH - 1]
        for position, child in enumerate(reversed(below)):
            stack.append((child, (*inherited, "end" if position == 0 else "tee")))
    return tuple(branches)


def _branch(nodes: list[ProcessRow], index: int, rails: tuple[str, ...], numbers: Mapping[str, set[int]]) -> Branch:
    row = nodes[index]
    parent = nodes[row["parent"]] if rails and row["parent"] is not None else None
    return Branch(
        row=row,
        name=base_name(row["image"]) or "unknown program",
        parent=f"{base_name(parent['image'])} ({parent['pid']})" if parent else "",
        link="; ".join(word for word in row["link"].split("; ") if word not in ORDINARY_LINKS),
        rails=rails,
        steps=tuple(sorted({number for name in row["alerts"] for number in numbers.get(name, ())})),
    )


def _numbers_by_alert(steps: Iterable[Told]) -> dict[str, set[int]]:
    numbers: dict[str, set[int]] = {}
    for step in steps:
        for name in step.row["alerts"]:
            numbers.setdefault(name, set()).add(step.number)
    return numbers


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else 0


def by_level_then_time(alerts: Iterable[AlertRow]) -> list[AlertRow]:
    """Alerts strongest first, and in time order within a level."""
    return sorted(alerts, key=lambda alert: (-_rank(alert["level"]), when(alert["time"])))


def asset_words(asset: AssetRow | None) -> str:
    """What an inventory says of a computer, in one line; "" where it says nothing."""
    if asset is None:
        return ""
    said = (asset["role"], asset["owner"] and f"owner {asset['owner']}",
            asset["criticality"] and f"criticality {asset['criticality']}")
    return ", ".join(filter(None, said))


def impact_words(incident: IncidentRow) -> str:
    """The outcomes of an incident and why they are named, in one text; "" where there are none."""
    named = ", ".join(" ".join(filter(None, (one, technique_name(one)))) for one in incident.get("impact", []))
    return f"{named}: {incident['impact_reason']}" if named else ""


def suppressed(document: Document) -> str:
    """How many alerts are set apart, and by which files; "" where no list of what is expected was given."""
    files = dict.fromkeys(base_name(row["where"].rpartition(":")[0]) for row in document.get("allowances", []))
    number = len(document.get("suppressed", []))
    return f"{count(number, 'alert')} suppressed by {', '.join(files)}" if files else ""


def found(document: Document) -> str:
    """How many incidents on how many hosts, in words."""
    incidents = document["incidents"]
    if not incidents:
        return NOTHING_FOUND
    hosts = len({incident["host"] for incident in incidents})
    return f"{count(len(incidents), 'incident')} on {count(hosts, 'host')}"


def count(number: int, thing: str) -> str:
    """A number with its noun: `1 alert`, `2,410 alerts`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def one_line(text: str) -> str:
    """The text on one line: a script's line ends and tabs become blanks."""
    return re.sub(r"[\r\n\t]+ *", " ", text).strip()


def ranges(numbers: Iterable[int]) -> str:
    """Ascending numbers with runs of three and more shortened: `1 2 7-11`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return " ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else " ".join(map(str, run)) for run in runs)


def base_name(path: str) -> str:
    """The last part of a Windows or other path."""
    return re.split(r"[\\/]", path.strip('" '))[-1]


def when(text: str) -> datetime:
    """A document's time; a time that is none is the start of the era, so that a foreign document still renders."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def moment(text: str | None) -> str:
    """`2026-11-18 09:14:02`, in UTC, and a dash where there is no time."""
    return f"{when(text).astimezone(UTC):%Y-%m-%d %H:%M:%S}" if text else "–"


def clock(text: str | None) -> str:
    """`09:14:02`, in UTC."""
    return moment(text)[-8:] if text else "–"


def span(first: str, last: str) -> str:
    """The time between two moments, in words of two units: `2 min 38 s`."""
    return duration(when(last) - when(first))


def duration(length: timedelta) -> str:
    """A length of time in its two largest units."""
    seconds = round(abs(length.total_seconds()))
    if seconds < 1:
        return "under 1 s"
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")) if n]
    return " ".join(parts[:2])


def offset(start: str, time: str) -> str:
    """The time since the start: `start`, `+0.6 s`, `+42 s`, `+2 min 38 s`."""
    gap = when(time) - when(start)
    if not gap:
        return "start"
    if gap < timedelta(seconds=10):
        return f"+{gap.total_seconds():.1f} s"
    return f"+{duration(gap)}"
