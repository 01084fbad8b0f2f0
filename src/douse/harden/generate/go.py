"""The pre-flight that lets a block be enforced: what a record must be, and what the refusal says.

    checked_go(controls, "enforce", Path("preflight.json"), today=None)

A control with `preflight` refuses something that somebody may rely on. It is enforced only with a record of a
pre-flight for that very program that ended in GO (with or without exceptions), whose logs end at most MAX_DAYS ago, and
whose signed decisions have not run out: what was true of the summer is not true of the new release in autumn. A
pre-flight asks whether connections can be refused; a control that stops the program itself (AppLocker, App Control)
also hurts who only starts it, and needs a decision on each such use case. That nobody changed the record is checked by
preflight/record.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

from douse.content.controls import Control
from douse.content.settings import AppControlSetting, AppLockerSetting
from douse.errors import ContentError, OutputError
from douse.harden.generate.policy import GoRecord
from douse.harden.generate.site import is_group_sid, is_name
from douse.harden.preflight.record import read_record
from douse.harden.preflight.result import PASSING
from douse.text import clean

MAX_DAYS = 30
MAX_NAMED = 3


def checked_go(controls: Iterable[Control], mode: str, file: Path | None, today: date | None) -> GoRecord | None:
    """The record of the file, None without one. Raises OutputError where enforcing asks for a better one."""
    record = None if file is None else _read(file)
    if mode != "enforce":
        return record
    for control in controls:
        if control.preflight:
            wrong = _objection(record, control, today or datetime.now(UTC).date())
            if wrong:
                raise OutputError(f"{control.id} ({control.slug})", wrong, _way_out(control))
            if record is not None and record.undecided and stops_starts(control):
                raise OutputError(f"{control.id} ({control.slug})", _unasked(record), (
                    "Sign a decision on each (--write-decisions of the pre-flight lists them) and run the pre-flight "
                    "again, or leave this control out."))
    return record


def _read(file: Path) -> GoRecord:
    found = read_record(file)
    for group, sid in found.groups:  # they come into policies and instructions, so they are names like site.yml's
        if not is_name(group, also="\\") or not is_group_sid(sid):
            raise OutputError(str(file), "an exception's group or SID is none that a policy can name.",
                              "Correct it in the file of decisions, and run the pre-flight again.")
    document: dict[str, object] = json.loads(found.data.decode("utf-8-sig"))
    coverage = document.get("coverage")
    counted = coverage if isinstance(coverage, dict) else {}
    return GoRecord(found.program, found.verdict, found.finished, found.sha256, found.groups, found.data, found.expires,
                    _time(document.get("until"), str(file)), _number(document.get("days")),
                    _number(document.get("need")), _number(counted.get("hosts")), _number(counted.get("covered")),
                    found.reason, found.undecided)


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _time(text: object, shown: str) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ContentError(shown, "its until is no time.", "Run the pre-flight again.") from None


def _objection(record: GoRecord | None, control: Control, today: date) -> str:
    """Why a record does not let a control be enforced, "" where it does."""
    if record is None:
        return f"is enforced only with the record of a pre-flight that ended in GO for {control.preflight}."
    if record.program.casefold() != control.preflight.casefold():
        return f"needs a pre-flight of {control.preflight}; the record is one of another program."
    if record.verdict not in PASSING:
        return f"is not enforced: the pre-flight ended in {record.verdict}."
    watched = min(record.finished, record.until or record.finished).date()
    age = (today - watched).days
    if age > MAX_DAYS:
        return f"is not enforced: what the pre-flight saw ends {age} days ago, and {MAX_DAYS} is the most."
    if (record.finished.date() - today).days > 1:  # a day for clocks in other time zones
        return "is not enforced: the pre-flight says that it ended in the future."
    if record.expires is not None and record.expires < today:
        return f"is not enforced: a signed decision of the pre-flight ran out on {record.expires}."
    return ""


def _unasked(record: GoRecord) -> str:
    named = ", ".join(clean(one, 40) for one in record.undecided[:MAX_NAMED])
    return (f"is not enforced: it stops the program itself, also where it makes no connection, and "
            f"{len(record.undecided)} use case(s) that only start it have no decision ({named}).")


def stops_starts(control: Control) -> bool:
    """Whether a control stops a program from starting, and not just its connections."""
    return any(isinstance(setting, AppLockerSetting | AppControlSetting) for setting in control.settings)


def _way_out(control: Control) -> str:
    return (f"Run: douse harden preflight {control.preflight} --logs LOGS --inventory hosts.csv -o preflight.json, and "
            "add --preflight preflight.json. Or generate --mode audit, which refuses nothing.")

