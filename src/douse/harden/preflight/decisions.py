"""Decisions of people about use cases: a YAML file in, which use cases they settle out; and a skeleton of such a file.

    program: mshta.exe
    decisions:
      - use_case: U-1f0c5a77e9d2
        decision: except                # migrate, except or block
        owner: Anna Example, Payroll
        signed: 2026-11-20
        expires: 2027-02-28
        ticket: CHG-4711
        reason: The payroll form is an HTA until version 9.
        group: CORP\\HTA users           # who keeps it: with except only
        sid: S-1-5-21-1-2-3-1604

An empty value is one that is still to be written: the use case stays open and the result says what is lacking. Only a
file that breaks the format is an error (ContentError with file and line). A suspect use case can be blocked, with the
ticket of its incident, and nothing else: it is nobody's business application. Seen again after that, it is open again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

from douse.content.document import Section, read
from douse.errors import ContentError
from douse.harden.generate.site import is_group_sid, is_name
from douse.harden.preflight.result import DECISIONS, Decision, UseCase

REST: Final = "U-rest"
"""The id of what could not be kept apart, which nobody can decide about."""

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_EVERYBODY: Final = ("513", "514", "515")
"""Last numbers of a domain's groups that everybody or every computer is in: users, guests, computers."""
_FIELDS: Final = ("owner", "signed", "expires", "ticket", "reason")


def read_decisions(path: Path, program: str) -> tuple[Decision, ...]:
    """The decisions of a file. Raises ContentError where it breaks the format or is about another program."""
    top = read(path)
    about = top.text("program", program).lower()
    if about != program:
        top.fail(f"is about {about[:64]!r}, not {program}.", "Name the decisions about this program.", key="program")
    found: dict[str, Decision] = {}
    for section in top.listed("decisions"):
        one = _decision(section)
        if one.use_case in found:
            section.fail(f"decides {one.use_case} again, after {found[one.use_case].where}.", "Keep one of them.")
        found[one.use_case] = one
    top.end()
    return tuple(found.values())


def sha256_of(path: Path) -> str:
    """The hash of a file of a user's. Raises ContentError where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ContentError(str(path), f"cannot be read ({error.strerror or error}).", "Check the path.") from None


def _decision(section: Section) -> Decision:
    decision = Decision(
        use_case=section.text("use_case").strip(), decision=_word(section),
        owner=section.text("owner", "").strip(), signed=_day(section, "signed"), expires=_day(section, "expires"),
        ticket=section.text("ticket", "").strip(), reason=section.text("reason", "").strip(),
        group=section.text("group", "").strip(), sid=section.text("sid", "").strip().upper(), where=section.where)
    section.expect("about")
    section.text("about", "")
    section.end()
    return decision


def _word(section: Section) -> str:
    text = section.text("decision", "").strip()
    return section.choice("decision", DECISIONS) if text else ""


def _day(section: Section, key: str) -> date | None:
    text = section.text(key, "").strip()
    if not text:
        return None
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        section.fail(f"{key} must be a date, not {text[:40]!r}.", "Write it as 2027-02-28.", key=key)


def decided(uses: Iterable[UseCase], decisions: Sequence[Decision], today: date) -> tuple[UseCase, ...]:
    """The use cases with their decisions, and why each that is open is so."""
    by_id: Mapping[str, Decision] = {one.use_case: one for one in decisions}
    return tuple(_settled(use, by_id.get(use.id), today) for use in uses)


def unknown(uses: Iterable[UseCase], decisions: Iterable[Decision]) -> tuple[Decision, ...]:
    """Decisions about use cases that this run does not have."""
    known = {use.id for use in uses}
    return tuple(one for one in decisions if one.use_case not in known)


def _settled(use: UseCase, decision: Decision | None, today: date) -> UseCase:
    if use.id == REST:
        return replace(use, open="more use cases than can be kept apart; nobody can decide about them as one")
    if decision is None or not decision.decision:
        return replace(use, decision=decision, open=_undecided(use))
    return replace(use, decision=decision, open=_objection(use, decision, today))


def _undecided(use: UseCase) -> str:
    """Why a use case without a decision blocks; empty for a mere start that made no connection."""
    if use.classed == "suspect":
        return "an incident until somebody has looked at it: hunt it; it can be blocked, never excepted"
    if use.basis != "started":
        return "no decision is signed"
    if use.destination:
        return "its command or its DNS queries name a host, and no decision is signed"
    if use.unseen:
        return ("it started where no record would have shown a connection of it (no program's was recorded, or only "
                "Sysmon's, which never showed one of it), so nobody can tell whether it made one")
    return ""


def _objection(use: UseCase, decision: Decision, today: date) -> str:
    """Why a decision does not settle its use case; empty where it does."""
    empty = [name for name in _FIELDS if not getattr(decision, name)]
    if use.classed == "suspect" and decision.decision != "block":
        return f"{decision.where} says {decision.decision}, but a suspect use case is an incident, never an exception"
    if decision.signed is None or decision.expires is None or empty:
        return f"{decision.where} is not signed: {', '.join(empty)} {'is' if len(empty) == 1 else 'are'} empty"
    if decision.signed > today:
        return f"{decision.where} is signed on {decision.signed}, which is still to come"
    if decision.expires < max(today, decision.signed):
        return f"{decision.where} expired on {decision.expires}"
    if use.classed == "suspect" and use.last_seen.date() > decision.signed:
        return (f"{decision.where} was signed on {decision.signed}, and it was seen again on {use.last_seen:%Y-%m-%d}: "
                "that is another incident")
    return _wrong_group(decision) if decision.decision == "except" else ""


def _wrong_group(decision: Decision) -> str:
    if not decision.group:
        return f"{decision.where} excepts nobody: group is empty"
    if not is_name(decision.group, also="\\"):
        return f"{decision.where} cannot be kept to: '{decision.group[:80]}' has signs that no policy can carry"
    if not is_group_sid(decision.sid):
        said = f"'{decision.sid[:80]}' is no SID of a domain's group" if decision.sid else "sid is empty"
        return f"{decision.where} cannot be kept to: {said}"
    if decision.sid.startswith("S-1-5-21-") and decision.sid.rpartition("-")[2] in _EVERYBODY:
        return f"{decision.where} excepts everybody: {decision.sid} is a group that all are in"
    return ""
