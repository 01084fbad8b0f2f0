"""Say what happened in one sentence that a boss understands, from the evidence and never beyond it.

Marks and sequence hits in; headline, sentence, users and the word on the family out. "Was injected" needs a record of
it (Sysmon 8 or 25), "read" needs a 4663; weaker evidence gets weaker words. An incident without credential-store access
says whether such access would have been seen at all. A file name that could pass for words of ours is quoted. The
family is never guessed from behaviour.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from douse.incident.entities import image_name
from douse.incident.family_signs import ROLE_IOC
from douse.incident.link import Links
from douse.incident.marks import Mark
from douse.incident.story import store_name
from douse.model import Alert, SequenceHit, level_rank

NEAR = timedelta(minutes=10)
"""How far from an incident an allowed alert may be, to be mentioned with it."""

_MAX_NAMES = 5
_MAX_NAME = 60
_PLAIN_NAME = re.compile(r"[\w.+~()\[\]:-]+")
_HEADLINES = (
    (("S5", "S6", "S8"), "critical", "Infostealer incident"),
    (("S7",), "", "Probable infostealer"),
    (("S8",), "high", "Infostealer removed by the antivirus after it ran"),
    (("S5",), "", "Possible theft of credentials"),
    (("S4",), "", "Credential stores accessed by a program that does not own them"),
    (("S3",), "", "Likely loader or stealer"),
    (("S2",), "", "Likely initial compromise"),
    (("S1",), "", "Pasted command was run"),
    (("S8",), "", "Infostealer removed by the antivirus, no start of it logged"),
)
"""Sequences of which one was found, the level it must give ("" for any), and what the incident is called then."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The words about an incident."""

    title: str
    sentence: str
    users: tuple[str, ...]


def verdict_of(marks: Sequence[Mark], hits: Sequence[SequenceHit], level: str, links: Links, audited: bool,
               allowed: Sequence[Alert] = ()) -> Verdict:
    """Headline and sentence of an incident. `allowed` are alerts of the host that are in none, because somebody expects
    them, in time order."""
    users = users_of(marks, links)
    found = {(hit.sequence_id, level) for hit in hits for level in ("", hit.level)}
    headline = next((text for ids, least, text in _HEADLINES if any((name, least) in found for name in ids)), "")
    clauses = [clause for clause in (_vendor(marks, hits), _lure(marks, hits, links), *_processes(marks, links),
                                     _contacts(marks, links), _given(marks), _dead_drop(marks, links),
                                     _transfer(marks))
               if clause]
    if not headline:
        strongest = max((m.alert for m in marks if m.alert), key=lambda alert: level_rank(alert.level), default=None)
        serious = max(level_rank(level), level_rank(strongest.level) if strongest else 0) >= level_rank("medium")
        headline = "Suspicious activity" if serious else "Weak signs only"
        clauses = clauses or ([strongest.title] if strongest else [])
    near = allowed[bisect_left(allowed, marks[0].time - NEAR, key=_time):
                   bisect_right(allowed, marks[-1].time + NEAR, key=_time)]
    if near:
        clauses.append(_left_out(near))
    reads = any(mark.letter == "C" for mark in marks) or any(alert.evidence_class == "C" for alert in near)
    if not reads and level_rank(level) >= level_rank("medium"):
        clauses.append("no credential-store read was logged, although some reads are audited" if audited else
                       "theft cannot be excluded: credential-store reads were not audited")
    more = ["theft cannot be excluded"] if headline == "Probable infostealer" else []
    more += ["possible exfiltration"] if any(m.letter == "O" for m in marks) else []
    title = ", ".join([headline, *more])
    return Verdict(title, f"{headline}: {'; '.join(clauses)}.", users)


def _time(alert: Alert) -> datetime:
    return alert.time


def _left_out(allowed: Sequence[Alert]) -> str:
    """That alerts were left out because somebody expects them; a reader may think otherwise."""
    reads = sum(alert.evidence_class == "C" for alert in allowed)
    what = f", {reads:,} of them of credential-store access," if reads else ""
    one = len(allowed) == 1
    return f"{len(allowed):,} alert{'' if one else 's'} near it{what} {'is' if one else 'are'} allowed and left out"


def users_of(marks: Iterable[Mark], links: Links) -> tuple[str, ...]:
    """The people whose account was used, by name where the logs tell it."""
    keys = {mark.placed.user for mark in marks if mark.placed and mark.placed.user}
    return tuple(sorted({links.people.display(key) for key in keys}))


def _lure(marks: Sequence[Mark], hits: Sequence[SequenceHit], links: Links) -> str:
    """How it began: the pasted command, else what ran suspiciously, else the title of the first execution or delivery.

    A program that cuts the tree was running anyway: what the record tells is what somebody did in it.
    """
    ran = _images([m for m in marks if m.letter == "X" and m.process is not None
                   and not links.cuts(m.process, m.time)], links)
    pasted = {alert_id for hit in hits if hit.sequence_id == "S1" for alert_id in hit.alert_ids}
    for item in (mark.placed for mark in marks):
        typed = links.typed.get(item.alert.alert_id) if item and item.alert.alert_id in pasted else None
        if item is not None and typed is not None:
            who = links.people.display(item.user).rpartition("\\")[2]
            child = _image(links.table[typed.child].image)
            return f"{f'user {who}' if who else 'a user'} ran a pasted command{f' ({child})' if child else ''}"
    if ran:
        return f"{listed(ran)} {'was' if len(ran) == 1 else 'were'} run in a suspicious way"
    return next((m.alert.title for m in marks if m.letter in "XD" and m.alert), "")


def _vendor(marks: Sequence[Mark], hits: Sequence[SequenceHit]) -> str:
    """What the antivirus called the stealer, and at its worst why; what else became of it the headline says."""
    hit = next((hit for hit in hits if hit.sequence_id == "S8"), None)
    if hit is None:
        return ""
    names = [mark.placed.get("ThreatName") or mark.placed.get("Signature") for mark in marks
             if mark.placed and mark.letter == "V" and not set(hit.alert_ids).isdisjoint(mark.alert_ids)]
    named = listed(list(dict.fromkeys(map(_quoted, filter(None, names)))))
    why = f"; {hit.reason.rpartition('; ')[2]}" if hit.level == "critical" else ""
    return f"the antivirus named {named or 'a stealer'}{why}"


def _processes(marks: Sequence[Mark], links: Links) -> list[str]:
    """What each process underwent and accessed, in the order in which they appear."""
    by_process: defaultdict[int | None, list[Mark]] = defaultdict(list)
    for mark in marks:
        if mark.letter in "IC":
            by_process[mark.process].append(mark)
    clauses = []
    for process, own in by_process.items():
        image = _image(links.table[process].image) if process is not None else ""
        parts = [part for part in (_injection(own), _reads(own)) if part]
        clauses.append(f"{image or 'an unknown process'} {' and '.join(parts)}")
    return list(dict.fromkeys(clauses))[:_MAX_NAMES]


def _injection(own: Sequence[Mark]) -> str:
    signs = [m.alert for m in own if m.letter == "I" and m.alert]
    if any(alert.event_id in {8, 25} and level_rank(alert.level) >= level_rank("medium") for alert in signs):
        return "was injected"
    return "shows signs of injection" if signs else ""


def _reads(own: Sequence[Mark]) -> str:
    accesses = [m for m in own if m.letter == "C"]
    if not accesses:
        return ""
    names = list(dict.fromkeys(filter(None, map(store_name, accesses))))
    if not names:
        return "accessed credentials"
    verb = "read" if all(m.alert and m.alert.event_id == 4663 for m in accesses) else "accessed"
    return f"{verb} the credential store{'s' if len(names) > 1 else ''} of {listed(names)}"


def _contacts(marks: Sequence[Mark], links: Links) -> str:
    """Who reached the network although it should not, dead drops apart."""
    names = _images([m for m in marks if m.letter == "R" and m.role != "dead-drop"
                     and m.placed and m.placed.destination], links)
    return f"{listed(names)} used the network" if names else ""


def _given(marks: Sequence[Mark]) -> str:
    """Which of the indicators that the analyst gave were seen."""
    seen = [mark.placed.get("IndicatorValue") for mark in marks if mark.role == ROLE_IOC and mark.placed]
    names = list(dict.fromkeys(map(_quoted, filter(None, seen))))
    return f"{listed(names)} {'is a given indicator' if len(names) == 1 else 'are given indicators'}" if names else ""


def _dead_drop(marks: Sequence[Mark], links: Links) -> str:
    asking = [m for m in marks if m.role == "dead-drop"]
    places = [to.hostname or next(iter(to.addresses), "") for m in asking if m.placed and (to := m.placed.destination)]
    names = list(dict.fromkeys(map(_quoted, filter(None, places))))
    who = listed(_images(asking, links)) or "a process"
    return f"{who} asked {listed(names)}, where stealers look up their server" if names else ""


def _transfer(marks: Sequence[Mark]) -> str:
    sent = [m.outbound for m in marks if m.outbound]
    uploads = [out for out in sent if out.is_upload]
    names = list(dict.fromkeys(out.destination for out in uploads or sent))
    what = (f"{sum(out.sent or 0 for out in uploads):,} bytes sent" if uploads
            else "possible exfiltration (bytes unknown)")
    return f"{what} to {listed(names)}" if names else ""


def _images(marks: Iterable[Mark], links: Links) -> list[str]:
    names = (_image(links.table[m.process].image) for m in marks if m.process is not None)
    return list(dict.fromkeys(filter(None, names)))


def _image(path: str) -> str:
    return _quoted(image_name(path))


def _quoted(name: str) -> str:
    """A name that an attacker may have chosen: quoted unless it is plainly one word, cut where it is too long."""
    shown = name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME - 1]}…"
    return shown if not shown or _PLAIN_NAME.fullmatch(name) else f'"{shown}"'


def listed(names: Sequence[str], most: int = _MAX_NAMES) -> str:
    """`a, b and c`, at most so many of them."""
    shown = list(names[:most])
    if len(names) > most:
        shown.append(f"{len(names) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""
