r"""Judge one registry value: what sources saw of it goes in, a Check comes out, one for every user profile under HKCU.

A value of the wrong type is a failure, as Windows reads it as none. One that is absent is judged only where a source
says that it is absent. Where evidence also has the state that Windows derives from the value (`effective`), the two
must agree: tamper protection, MDM or a refresh that is still to come can make a policy a dead letter. A state that is
good without the value passes, as what is in force is what counts; a value that is good passes without the state, but a
value that is well absent does not. A policy that is a list keeps its entries under numbers, so that any number will do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from douse.content.settings import Accept, Data, RegistrySetting
from douse.harden.audit.weigh import (
    Opinion,
    cite,
    current,
    current_sources,
    is_policy,
    join,
    only_value,
    seen_of,
    settled,
    shortened,
    unique_citations,
    unseen,
)
from douse.harden.finding import Check
from douse.harden.observed import Subject
from douse.harden.registry import RegistryValue
from douse.harden.seen import Seen, Source

_WINDOWS = re.compile(r"%windir%|%systemroot%|[a-z]:\\windows(?=\\|$)", re.IGNORECASE)
_ABSENT = "absent"
_PROFILES_MISSING = "The NTUSER.DAT of each profile, or the collector while those users are signed in, would tell."
_LIST_MISSING = "The collector's JSON or the SOFTWARE hive would tell."


def check_registry(setting: RegistrySetting, subject: Subject) -> tuple[Check, ...]:
    """The value of the computer, or of each user profile that anybody told of."""
    if setting.hive != "HKCU" or is_policy(subject):
        return (_one(setting, subject, ""),)
    registry = subject.registry
    if not registry.profiles:
        return (unseen(setting, expected(setting), f"No user profile was seen. {_PROFILES_MISSING}"),)
    checks = tuple(_one(setting, subject, profile) for profile in registry.profiles)
    if current_sources(registry.knows_all_profiles):
        return checks
    others = f"Whether there are profiles besides {shortened(registry.profiles)} was not seen. {_LIST_MISSING}"
    return (*checks, unseen(setting, expected(setting), others))


def expected(setting: RegistrySetting) -> str:
    """What the value may be, for people."""
    return f"{setting.accept} ({' or '.join(setting.types)}){', or absent' if setting.absent else ''}"


def _one(setting: RegistrySetting, subject: Subject, profile: str) -> Check:
    seen, old = current(_looked(setting, subject, profile))
    build = build_of(subject)
    check = settled(setting, expected(setting), [_opinion(setting, one, build) for one in seen],
                    missing=_missing(setting, profile), profile=profile, replaced=old)
    if setting.effective and not is_policy(subject):
        return _with_effective(setting, subject, check, stored={one.value is not None for one in seen})
    return check


def build_of(subject: Subject) -> int:
    """The Windows build, 0 where it is not known or sources differ."""
    builds = {one.value.build for one in current(subject.machine)[0] if one.value.build}
    return builds.pop() if len(builds) == 1 else 0


def _looked(setting: RegistrySetting, subject: Subject, profile: str) -> list[Seen[RegistryValue | None]]:
    """What was seen of the value. A policy that does not name it says nothing of it, even where it is whole."""
    found = subject.registry.look(setting.hive, setting.key, setting.name, profile)
    if setting.name.isdecimal():
        listed = _entries(setting, subject, profile)
        told = {one.source for one in listed}
        found = [*listed, *(one for one in found if one.source not in told)]
    if not is_policy(subject):
        return found
    whole = set(subject.registry.knows_all_of(setting.hive, setting.key, profile))
    return [one for one in found if one.value is not None or one.source not in whole or one.raw != _ABSENT]


def _entries(setting: RegistrySetting, subject: Subject, profile: str) -> list[Seen[RegistryValue | None]]:
    """The entries of a list as one value for each source."""
    by_source: dict[Source, dict[tuple[int, str, RegistryValue], None]] = {}
    for subkey, name, seen in subject.registry.below(setting.hive, setting.key, profile):
        if not subkey and name.isdecimal() and seen.value is not None:
            by_source.setdefault(seen.source, {})[int(name), seen.where, seen.value] = None
    found: list[Seen[RegistryValue | None]] = []
    for source, unsorted in by_source.items():
        entries = sorted(unsorted, key=lambda entry: (entry[0], entry[1], repr(entry[2])))
        wrong = next((value.type for *_, value in entries if value.type.upper() not in setting.types), "")
        data = tuple(shown_data(value.data) for *_, value in entries)
        found.append(Seen(RegistryValue(wrong or entries[0][2].type, data), source, entries[0][1],
                          "; ".join(f"{number}={text}" for (number, *_), text in zip(entries, data, strict=True))))
    return found


def _opinion(setting: RegistrySetting, seen: Seen[RegistryValue | None], build: int) -> Opinion:
    """What one source makes of the value."""
    if seen.value is None:
        cited = cite(seen, _ABSENT)
        if setting.absent:
            return Opinion("pass", _ABSENT, "It is absent, and Windows' own default is the good one.", cited)
        return Opinion("fail", _ABSENT, "It is not set.", cited)
    value = seen.value
    shown = shown_data(value.data)
    if value.type.upper() not in setting.types:
        return Opinion("fail", f"{shown} ({value.type})",
                       f"It is a {value.type}, which Windows does not read as {' or '.join(setting.types)}.",
                       cite(seen, shown))
    if _fits(setting.accept_on(build), setting, value.data):
        return Opinion("pass", shown, f"It is {shown}.", cite(seen, shown))
    if not build and _fits(setting.accept, setting, value.data):
        return Opinion("unknown", shown, f"It is {shown}, which only newer builds of Windows understand; the build is "
                       "not known.", cite(seen, shown))
    return Opinion("fail", shown, f"It is {shown}; good is {setting.accept}.", cite(seen, shown))


def _fits(accept: Accept, setting: RegistrySetting, data: Data) -> bool:
    """Whether data are good. Of a list one good entry is enough, unless `!=` forbids every entry to be so."""
    if isinstance(data, tuple) and setting.name.isdecimal():
        every = all if accept.operator == "!=" else any
        return every(accept.fits(entry) for entry in data)
    return any(accept.fits(spelled) for spelled in _spellings(data))


def shown_data(data: Data) -> str:
    """A registry value's data as text, on one line."""
    if isinstance(data, bytes):
        return data.hex(" ") or "(empty)"
    if isinstance(data, tuple):
        return "; ".join(data) or "(empty)"
    return str(data) if data != "" else "(empty)"


def _spellings(data: Data) -> Iterator[Data]:
    """The data as it is, and with the Windows folder as catalogue entries spell it."""
    yield data
    if isinstance(data, str):
        yield _WINDOWS.sub("%SystemRoot%", data)


def _missing(setting: RegistrySetting, profile: str) -> str:
    """What evidence would tell."""
    if profile:
        return f"Nothing was seen of this value for {profile}. The NTUSER.DAT of that profile would tell."
    if setting.hive == "HKCU":
        return _PROFILES_MISSING
    hive = setting.key.partition("\\")[0].upper()
    return f"The collector's JSON, the {hive} hive, or a .reg export of {setting.path.partition('!')[0]} would tell."


def _with_effective(setting: RegistrySetting, subject: Subject, check: Check, stored: set[bool]) -> Check:
    """The check of the stored value, weighed against what Windows made of it."""
    seen, old = current(seen_of(subject.effective, setting.effective))
    opinions = [Opinion("pass" if setting.accept.fits(one.value) else "fail", str(one.value),
                        f"{setting.effective} is {one.value}.", cite(one, str(one.value))) for one in seen]
    if not opinions:
        if check.state != "pass" or True in stored:
            return check
        why = join("Nothing switches it to something else here, but whether it is in force was not seen.",
                   f"{setting.effective} would tell (the collector's JSON).")
        return Check(setting, "unknown", check.expected, check.actual, why, check.cited, check.profile)
    state = settled(setting, check.expected, opinions, missing="", profile=check.profile, replaced=old)
    cited = unique_citations((*check.cited, *state.cited))
    if "conflict" in (check.state, state.state):
        worst = check if check.state == "conflict" else state
        return Check(setting, "conflict", check.expected, f"stored {check.actual}; in force {state.actual}", worst.why,
                     cited, check.profile)
    if check.state == state.state:
        return Check(setting, state.state, check.expected, check.actual, join(check.why, state.why), cited,
                     check.profile)
    if True not in stored:  # nothing is stored here, so nothing contradicts what is in force
        where = "It is in force without a value here (by default, by MDM or by a local choice)." if (
            state.state == "pass") else "Nothing is stored here, and what is in force is not good."
        return Check(setting, state.state, check.expected, f"in force {state.actual}", join(where, state.why), cited,
                     check.profile)
    return Check(setting, "conflict", check.expected, f"stored {check.actual}; in force {state.actual}",
                 join("What is stored is not what is in force.", _reason(setting, subject)), cited, check.profile)


def _reason(setting: RegistrySetting, subject: Subject) -> str:
    """Why a stored value may not be in force."""
    tamper = only_value(subject.effective, "MpComputerStatus.IsTamperProtected") is True
    if tamper and setting.effective.startswith("Mp"):
        return ("Tamper protection is on, and Windows then ignores policy for the settings it protects; or MDM sets "
                "something else.")
    return ("MDM may set something else, tamper protection may ignore the policy, or the policy was not refreshed yet "
            "(gpupdate /force, then collect again).")
