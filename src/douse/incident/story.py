"""Tell an incident in time order: marks in, steps and the mission's three stages out.

Repeats of one thing by one process (three reads of one kind of store, the same start in two channels) are one step
with all its proof. Titles are the rules' own; the detail is the evidence: command line, path, destination. Text from
evidence stays as it is, whoever shows it cleans it. Class O has no alert, so its step names the record instead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache

from douse.content.incidents import stages
from douse.content.stores import stores
from douse.incident.entities import SECURITY, SYSMON, command_text, image_name, kind_of, object_of
from douse.incident.link import Links
from douse.incident.marks import Mark, Outbound, PlacedAlert
from douse.incident.outbound import describe
from douse.incident.stores_seen import store_at
from douse.model import EVIDENCE_CLASSES, Stage, Step, level_rank

REPEAT = timedelta(minutes=10)
_MAX_DETAIL = 600
_MAX_DETAILS = 5
_STORED = frozenset({(SYSMON, 12), (SYSMON, 13), (SYSMON, 14), (SECURITY, 4657), (SECURITY, 4698)})
_ORDER = "".join(EVIDENCE_CLASSES)
POSSIBLE_EXFILTRATION = "Possible exfiltration ({})"
UPLOAD = "Data sent out, as the network saw it"


def steps_of(marks: Sequence[Mark], links: Links) -> tuple[Step, ...]:
    """The incident's story in time order; one moment is told in the order of an intrusion.

    A typed command is told before the process that it started, although Windows may write its record a little later.
    """
    told: list[list[Mark]] = []
    latest: dict[object, list[Mark]] = {}
    for mark in marks:
        key = _same_thing(mark)
        repeats = latest.get(key)
        if repeats is None or mark.time - repeats[-1].time > REPEAT:
            repeats = latest[key] = []
            told.append(repeats)
        repeats.append(mark)
    steps = [(_begun(repeats[0], links), _step(repeats, links)) for repeats in told]
    steps.sort(key=lambda s: (s[0], s[1].stage, _ORDER.index(s[1].evidence_class), s[1].title, s[1].alert_ids))
    return tuple(step for _, step in steps)


def stages_of(marks: Sequence[Mark]) -> tuple[Stage, ...]:
    """What was seen of each stage, with the techniques that the rules name, not those that the mission lists."""
    by_stage: defaultdict[int, list[Mark]] = defaultdict(list)
    for mark in marks:
        by_stage[stage_of(mark)].append(mark)
    return tuple(
        Stage(text.stage, text.name, techniques_of(seen), seen[0].time, seen[-1].time,
              tuple(alert_id for mark in seen for alert_id in mark.alert_ids))
        for text in stages() if (seen := by_stage.get(text.stage)))


def stage_of(mark: Mark) -> int:
    """The rule's stage, else the stage of the evidence class."""
    return _stage(mark.alert.stage if mark.alert else 0, mark.letter)


@cache
def _stage(stated: int, letter: str) -> int:
    if stated in {text.stage for text in stages()}:
        return stated
    return next((text.stage for text in stages() if letter in text.classes), stages()[0].stage)


def store_name(mark: Mark) -> str:
    """The product whose store was accessed, else its sub-family in words, "" where a rule names neither."""
    found = store_at(object_of(mark.placed.get)) if mark.placed else None
    return found.product if found else stores().families.get(mark.store, mark.store)


def _begun(mark: Mark, links: Links) -> tuple[datetime, bool]:
    """Where a step stands in the story: a typed command just before its child."""
    typed = links.typed.get(mark.alert.alert_id) if mark.alert else None
    return (min(mark.time, typed.started), False) if typed else (mark.time, True)


def _same_thing(mark: Mark) -> object:
    if mark.outbound:
        return "O", mark.process, mark.outbound.address
    return mark.letter, mark.alert and mark.alert.title, mark.process, mark.store


def _step(repeats: Sequence[Mark], links: Links) -> Step:
    first = repeats[0]
    process = links.table[first.process].name if first.process is not None else ""
    details = _stores(repeats) if first.letter == "C" else [_detail(mark, links) for mark in repeats]
    details = list(dict.fromkeys(filter(None, details)))
    more = len(details) - _MAX_DETAILS
    text = "; ".join(details[:_MAX_DETAILS]) + (f"; and {more} more" if more > 0 else "")
    if first.outbound:
        level = "high" if first.outbound.after_read else "medium"
        records = "; ".join(mark.outbound.evidence for mark in repeats if mark.outbound)
        title = _title_of([mark.outbound for mark in repeats if mark.outbound])
        return Step(first.time, "O", stage_of(first), title, text, process, level, ("T1041",), (),
                    records)
    return Step(first.time, first.letter, stage_of(first), first.alert.title if first.alert else "", text, process,
                max((mark.level for mark in repeats), key=level_rank), techniques_of(repeats),
                tuple(alert_id for mark in repeats for alert_id in mark.alert_ids))


def _title_of(sent: Sequence[Outbound]) -> str:
    """What transfers to one address are called: by the largest of them."""
    largest = max(sent, key=lambda out: -1 if out.sent is None else out.sent)
    return UPLOAD if any(out.is_upload for out in sent) else POSSIBLE_EXFILTRATION.format(largest.amount)


def techniques_of(marks: Iterable[Mark]) -> tuple[str, ...]:
    """The techniques of the marks, in the order in which they were seen."""
    found: dict[str, None] = {}
    for mark in marks:
        found.update(dict.fromkeys(mark.alert.techniques if mark.alert else ("T1041",)))
    return tuple(found)


def _detail(mark: Mark, links: Links) -> str:
    if mark.outbound:
        return describe(mark.outbound, links)
    if mark.placed is None:
        return ""
    return evidence_text(mark.placed, links)[:_MAX_DETAIL]


def _stores(accesses: Sequence[Mark]) -> list[str]:
    """One entry for each product with its file names (full paths stand in the alerts); a path where none is known."""
    files: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for mark in accesses:
        name, path = store_name(mark), object_of(mark.placed.get) if mark.placed else ""
        files[name or path][image_name(path) if name else ""] = None
    return [": ".join(filter(None, (name, ", ".join(filter(None, names)))))[:_MAX_DETAIL]
            for name, names in files.items()]


def evidence_text(item: PlacedAlert, links: Links) -> str:
    """What the record says, in one line: what was run, written, reached or opened."""
    get, to = item.get, item.destination
    if to is not None:
        address = to.addresses[0] if to.addresses else ""
        port = f":{to.port}" if to.port else ""
        return f"{to.hostname} ({address}{port})" if to.hostname and address else to.hostname or f"{address}{port}"
    if item.process is not None and item.subject is not None and item.process != item.subject:
        access = get("GrantedAccess")
        names = f"{links.table[item.process].name} -> {links.table[item.subject].name}"
        return f"{names}, access {access}" if access else names
    if (kind_of(item.alert.channel), item.alert.event_id) in _STORED:
        stored, place = command_text(get), "\\".join(object_of(get).split("\\")[-2:])
        return f"{place} = {stored}" if stored else object_of(get)
    matched = next((match for match in item.alert.matched if match.field != "EventID"), None)
    return (item.actor.command_line or object_of(get) or get("ScriptBlockText")
            or (f"{matched.field} = {matched.value}" if matched else ""))
