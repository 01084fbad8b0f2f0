"""What else decides on a control: second opinions of another scanner, and what its settings cannot show.

A row of a HardeningKitty report belongs to a control that names its id among the sources, or to one of its registry
values where the row's name says it. Rows are told as notes. Only a row about the very same value can contradict a
check, and then the two are a conflict like any other two sources. Constrained Language Mode of PowerShell has no
setting that counts: it comes from an enforced App Control or AppLocker policy, so it is looked for there.
"""

from __future__ import annotations

import re
from dataclasses import replace

from douse.content.controls import Control
from douse.content.settings import FeatureSetting, RegistrySetting
from douse.harden.app_control_effect import effect
from douse.harden.audit.app_control import active_policies
from douse.harden.audit.weigh import cite, current, join, unique_citations
from douse.harden.finding import Check
from douse.harden.observed import ScanRow, Subject
from douse.harden.seen import Seen

_SCANNER = re.compile(r"HardeningKitty\D*([\d, and/]+)")
_NUMBER = re.compile(r"\d+")
_OLD_POWERSHELL = "MicrosoftWindowsPowerShellV2"


def second_opinions(control: Control, checks: list[Check], subject: Subject) -> tuple[list[Check], tuple[str, ...]]:
    """The checks, those that a row about the same value contradicts as conflicts, and the rows as notes."""
    notes = []
    ids = _ids(control)
    for seen in current(subject.scans)[0]:
        row = seen.value
        same = [at for at, one in enumerate(checks) if _is_about(row, one)]
        if not same and row.id not in ids:
            continue
        notes.append(_told(row))
        for at in same:
            checks[at] = _weighed(checks[at], seen)
    return checks, tuple(dict.fromkeys(notes))


def _ids(control: Control) -> frozenset[str]:
    """The ids of HardeningKitty's rows that a control names among its sources."""
    return frozenset(number for source in control.sources for found in _SCANNER.finditer(source)
                     for number in _NUMBER.findall(found[1]))


def _is_about(row: ScanRow, check: Check) -> bool:
    """Whether a row is about the value of a check: its name says the value's, as a whole word, and the program's."""
    setting = check.setting
    if not isinstance(setting, RegistrySetting) or len(setting.name) < 6 or check.profile:
        return False
    words = re.split(r"[^\w]+", row.name.casefold())
    return setting.name.casefold() in words and (not setting.product or setting.product in words)


def _told(row: ScanRow) -> str:
    passed = {True: "passed", False: "failed", None: "has no verdict"}[row.passed]
    return f"HardeningKitty {row.id} ({row.name}) {passed}: found {row.result or 'nothing'}, wants {row.recommended}."


def _weighed(check: Check, seen: Seen[ScanRow]) -> Check:
    """A check with the row's value beside it: a value that would turn the verdict contradicts it."""
    row, setting = seen.value, check.setting
    if check.state not in ("pass", "fail") or not row.result or not isinstance(setting, RegistrySetting):
        return check
    says = "pass" if setting.accept.fits(row.result) else "fail"
    if says == check.state:
        return check
    cited = unique_citations((*check.cited, cite(seen, row.result)))
    return replace(check, state="conflict", cited=cited,
                   why=join(check.why, f"But HardeningKitty {row.id} in {seen.source.file} found {row.result}."))


def with_language_mode(control: Control, state: str, why: str, subject: Subject) -> tuple[str, str]:
    """The state and the reason of a control; of the one about PowerShell 2, at most partial where nothing switches
    Constrained Language Mode on, and unknown where nobody knows."""
    about = any(isinstance(one, FeatureSetting) and one.feature.startswith(_OLD_POWERSHELL) for one in control.settings)
    if not about or subject.kind != "host" or state in ("not-applicable", "unknown"):
        return state, why
    in_force, told = _language_mode(subject)
    if state != "pass" or in_force:
        return state, join(why, told)
    return ("unknown" if in_force is None else "partial"), join(why, told)


def _language_mode(subject: Subject) -> tuple[bool | None, str]:
    """Whether Constrained Language Mode is in force on a host, by which policy; None where that cannot be told."""
    by = [name for name, policy in active_policies(subject)
          if (found := effect(policy, "powershell.exe")).scripts_dead and not found.audit]
    by += [f"AppLocker of {one.source.file}" for one in current(subject.applocker)[0]
           if (held := one.value.policy.collection("Script")) is not None and held.enforced]
    if by:
        return True, f"Constrained Language Mode follows from {', '.join(dict.fromkeys(by))}."
    only = "only an enforced App Control or AppLocker Script policy switches it on, no environment variable"
    if subject.app_control_whole and any(one.value.store == "effective" for one in subject.applocker):
        return False, f"Constrained Language Mode is not in force: {only} (H06, H08)."
    return None, f"Constrained Language Mode was not seen: {only} (H06, H08)."
