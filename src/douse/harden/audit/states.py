"""Judge states of Windows that are no registry value: services, audit policy, features, channels, effective states,
Sysmon, and the audit entries of credential stores.

What sources saw goes in, a Check comes out. A state nobody told of is unknown; something that is known not to be there
(a service, Sysmon) fails.
"""

from __future__ import annotations

from collections.abc import Iterable

from douse.content.settings import (
    AuditSetting,
    ChannelSetting,
    EffectiveSetting,
    FeatureSetting,
    SaclSetting,
    ServiceSetting,
    SysmonSetting,
)
from douse.harden.audit.weigh import (
    Opinion,
    cite,
    cite_source,
    current,
    current_sources,
    join,
    not_applicable,
    seen_of,
    settled,
    shortened,
    unseen,
)
from douse.harden.finding import Check
from douse.harden.observed import AuditState, Sacl, Service, Subject, Sysmon
from douse.harden.seen import Seen

_COLLECTOR = "The collector's JSON would tell."
_OFF = frozenset({"disabled", "disabledwithpayloadremoved", "absent", "removed"})


def check_service(setting: ServiceSetting, subject: Subject) -> tuple[Check, ...]:
    """How a service starts, and whether it runs where it must."""
    seen, old = current(seen_of(subject.services, setting.service))
    return (settled(setting, f"starts {_start(setting.start)}", [_service(setting, one) for one in seen],
                    missing=f"{_COLLECTOR} So would the SYSTEM hive.", replaced=old),)


def _service(setting: ServiceSetting, seen: Seen[Service | None]) -> Opinion:
    service = seen.value
    if service is None:
        absent = setting.start == "disabled"
        return Opinion("pass" if absent else "fail", "not installed", f"There is no service {setting.service}.",
                       cite(seen, "not installed"))
    if not service.start:
        return Opinion("unknown", "start not told", "How it starts was not told.", cite(seen, service.state))
    actual = f"starts {_start(service.start)}"
    cited = cite(seen, join(service.start, service.state))
    if service.start != setting.start:
        return Opinion("fail", actual, f"{setting.service} {actual}.", cited)
    if setting.start == "automatic" and service.state == "stopped":
        return Opinion("partial", f"{actual}, and is stopped", f"{setting.service} {actual}, but is stopped now.",
                       cited)
    return Opinion("pass", actual, f"{setting.service} {actual}.", cited)


def _start(start: str) -> str:
    return {"automatic": "automatically", "manual": "on demand", "disabled": "never"}.get(start, start)


def check_audit(setting: AuditSetting, subject: Subject) -> tuple[Check, ...]:
    """What of an audit subcategory is recorded."""
    seen, old = current(seen_of(subject.audit, setting.guid))
    wanted = _audited(AuditState(setting.success, setting.failure))
    return (settled(setting, wanted, [_audit(setting, one) for one in seen], replaced=old,
                    missing="auditpol /get /category:* /r would tell, and so would the collector's JSON."),)


def _audit(setting: AuditSetting, seen: Seen[AuditState]) -> Opinion:
    state, actual = seen.value, _audited(seen.value)
    lacking = [word for word, asked, has in (("success", setting.success, state.success),
                                             ("failure", setting.failure, state.failure)) if asked and not has]
    asked = setting.success + setting.failure
    if not lacking:
        return Opinion("pass", actual, f"{setting.title}: {actual}.", cite(seen, actual))
    verdict = "partial" if len(lacking) < asked else "fail"
    return Opinion(verdict, actual, f"{setting.title}: {actual}; {' and '.join(lacking)} is not audited.",
                   cite(seen, actual))


def _audited(state: AuditState) -> str:
    words = [word for word, on in (("success", state.success), ("failure", state.failure)) if on]
    return " and ".join(words) or "nothing"


def check_feature(setting: FeatureSetting, subject: Subject) -> tuple[Check, ...]:
    """Whether an optional feature of Windows is there."""
    seen, old = current(seen_of(subject.features, setting.feature))
    opinions = []
    for one in seen:
        word = one.value.replace(" ", "").casefold()
        good = word in _OFF if setting.state == "disabled" else word == "enabled"
        known = word in _OFF or word.startswith("enable")
        opinions.append(Opinion(("pass" if good else "fail") if known else "unknown", one.value or "not told",
                                f"{setting.feature} is {one.value or 'in a state that was not told'}.",
                                cite(one, one.value)))
    return (settled(setting, setting.state, opinions, missing=_COLLECTOR, replaced=old),)


def check_channel(setting: ChannelSetting, subject: Subject) -> tuple[Check, ...]:
    """Whether an event log that is off by default is on."""
    seen, old = current(seen_of(subject.channels, setting.channel))
    opinions = [Opinion("pass" if one.value else "fail", "on" if one.value else "off",
                        f"The log {setting.channel} is {'on' if one.value else 'off'}.",
                        cite(one, "on" if one.value else "off")) for one in seen]
    return (settled(setting, "on", opinions, missing=_COLLECTOR, replaced=old),)


def check_effective(setting: EffectiveSetting, subject: Subject) -> tuple[Check, ...]:
    """A state that no policy shows."""
    seen, old = current(seen_of(subject.effective, setting.state))
    opinions = [Opinion("pass" if setting.accept.fits(one.value) else "fail", str(one.value),
                        f"{setting.state} is {one.value}.", cite(one, str(one.value))) for one in seen]
    return (settled(setting, str(setting.accept), opinions, replaced=old,
                    missing=f"Only the computer itself can say {setting.state}: the collector's JSON would tell."),)


def check_sysmon(setting: SysmonSetting, subject: Subject) -> tuple[Check, ...]:
    """Whether Sysmon runs and records what is needed."""
    seen, old = current(subject.sysmon)
    expected = f"runs; event ids {', '.join(map(str, setting.ids))}; hashes {', '.join(setting.hashes)}"
    told = [one.value.running for one in seen if one.value.running is not None]
    opinions = [_sysmon(setting, one, runs=bool(told) and all(told)) for one in seen]
    return (settled(setting, expected, opinions, missing=_COLLECTOR, replaced=old),)


def _sysmon(setting: SysmonSetting, seen: Seen[Sysmon], *, runs: bool) -> Opinion:
    """What a source shows; its configuration (sysmon -c) is there also while the service is stopped."""
    sysmon = seen.value
    runs = runs if sysmon.running is None else sysmon.running
    if sysmon.running is False:
        return Opinion("fail", "does not run", "Sysmon does not run.", cite(seen, "does not run"))
    if sysmon.ids is None:
        return Opinion("unknown", "runs; configuration not known",
                       "Sysmon runs, but nobody said what it records: collect its configuration (sysmon -c).",
                       cite(seen, "runs"))
    hashes = {word.upper() for word in sysmon.hashes}
    ids = sorted(set(setting.ids) - sysmon.ids)
    missing = [word for word in setting.hashes if word.upper() not in hashes and "*" not in hashes]
    records = f"event ids {', '.join(map(str, sorted(sysmon.ids)))}; hashes {', '.join(sorted(hashes)) or 'none'}"
    actual = f"runs; {records}" if runs else records
    if not ids and not missing and not runs:
        return Opinion("unknown", actual, "Its configuration records what is needed, but whether Sysmon runs was not "
                       "seen: the collector's JSON would tell.", cite(seen, actual))
    if not ids and not missing:
        return Opinion("pass", actual, "Sysmon runs and records what is needed.", cite(seen, actual))
    lacks = join(f"event ids {shortened(map(str, ids), 20)}" if ids else "",
                 f"hashes {', '.join(missing)}" if missing else "")
    return Opinion("partial", actual, f"Sysmon does not record {lacks}.", cite(seen, actual))


def check_sacl(setting: SaclSetting, subject: Subject) -> tuple[Check, ...]:
    """Whether reads of credential stores are audited, for every user profile."""
    seen, _ = current(subject.sacls, subject.sacls_whole)
    by_profile: dict[str, list[Seen[Sacl]]] = {}
    for one in seen:
        by_profile.setdefault(one.value.profile.casefold(), []).append(one)
    names = {name.casefold(): name for name in (*subject.registry.profiles, *(one.value.profile for one in seen))}
    if not names:
        return (unseen(setting, _SACL, f"No user profile was seen. {_COLLECTOR}"),)
    return tuple(_sacls(setting, subject, names[name], by_profile.get(name, [])) for name in sorted(names))


_SACL = "reads of every folder of credential stores are audited for everyone, inherited by what lies below"


def _sacls(setting: SaclSetting, subject: Subject, profile: str, seen: list[Seen[Sacl]]) -> Check:
    """The audit entries of one profile."""
    whole = current_sources(subject.sacls_whole)
    if not seen and whole:
        return not_applicable(setting, _SACL, f"{profile} has none of the folders in which credentials are stored.",
                              [cite_source(source, "audit entries", "no such folder") for source in whole], profile)
    paths: dict[str, list[Opinion]] = {}
    for one in seen:
        paths.setdefault(one.value.path.casefold(), []).append(_folder(one))
    checks = [settled(setting, _SACL, opinions, missing="", profile=profile) for opinions in paths.values()]
    if not checks:
        return unseen(setting, _SACL, f"Nothing was seen of the folders of {profile}. {_COLLECTOR}", profile)
    return _over_folders(setting, profile, checks, [one.value.path for one in seen], bool(whole))


def _folder(seen: Seen[Sacl]) -> Opinion:
    entry = seen.value
    lacks = [words for words, has in (("reads are not audited", entry.reads), ("not inherited", entry.inheritable),
                                      ("not for everyone", entry.everyone)) if not has]
    actual = "audited" if not lacks else ", ".join(lacks)
    state = "pass" if not lacks else "partial" if entry.reads else "fail"
    return Opinion(state, actual, f"{entry.path}: {actual}.", cite(seen, actual))


def _over_folders(setting: SaclSetting, profile: str, checks: list[Check], paths: Iterable[str], whole: bool) -> Check:
    """One check from those of the folders."""
    states = [check.state for check in checks]
    good = states.count("pass")
    count = len(checks)
    actual = f"{good} of {count} folders audited"
    cited = tuple(one for check in checks for one in check.cited)
    bad = shortened(check.why for check in checks if check.state != "pass")
    if "conflict" in states:
        return Check(setting, "conflict", _SACL, actual, bad, cited, profile)
    if good == count and not whole:
        why = f"{actual}: {shortened(dict.fromkeys(paths))}. Whether there are others was not seen. {_COLLECTOR}"
        return Check(setting, "unknown", _SACL, actual, why, cited, profile)
    state = "pass" if good == count else "fail" if good == 0 and "partial" not in states else "partial"
    return Check(setting, state, _SACL, actual, bad or f"All {count} folders are audited.", cited, profile)
