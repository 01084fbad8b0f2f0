"""What every renderer of a document tells in the same words: what was found, what nothing means, whose a computer is.

Rows come in (schema.py), sentences and small frozen records go out; nothing is cleaned or drawn here. It is also the
one door to its neighbours: phrases.py (numbers and times in words), steps.py (the numbered steps) and process_tree.py.
What only the HTML report tells is in answers.py, taken.py and matrix.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from douse.model import LEVELS
from douse.report.glossary import technique_name
from douse.report.phrases import base_name, clock, count, duration, listed, moment, offset, one_line, ranges, span, when
from douse.report.process_tree import Branch, Sight, tree
from douse.report.schema import AssetRow, Document, IncidentRow, StageRow
from douse.report.steps import Told, alerts_by_id, by_level_then_time, most_telling, rank, told

__all__ = [  # noqa: RUF022 - by code point, as tests/test_house.py asks
    "BELOW_MEDIUM", "Branch", "NOTHING_FOUND", "NOTHING_FOUND_STEPS", "NOTHING_READ", "NOTHING_READ_STEPS", "Nothing",
    "STAGES", "Sight", "Told", "WEAK_SIGNS", "alerts_by_id", "asset_words", "base_name", "by_level_then_time",
    "clock", "count", "duration", "found", "impact_words", "listed", "moment", "most_telling", "nothing", "offset",
    "one_line", "only_weak", "questions", "ranges", "rank", "span", "stages", "suppressed", "told", "tree",
    "weak_signs", "when", "worst_first",
]

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
    return sorted(document["incidents"], key=lambda i: (-rank(i["level"]), -i["score"], i["first_seen"]))


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


def stages(incident: IncidentRow) -> tuple[tuple[int, StageRow | None], ...]:
    """Each of the three stages and what was seen of it, None where nothing was."""
    seen = {stage["stage"]: stage for stage in incident["stages"]}
    return tuple((number, seen.get(number)) for number in STAGES)


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
