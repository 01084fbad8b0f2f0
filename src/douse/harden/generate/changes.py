"""changes.json: every value a bundle sets, what it was before as far as evidence shows, and what an undo does with it.

    {"format": "douse.changes/1", "mode": "audit", "registry": [{"old": {...}, "new": {...}, "undo": "restore"}], ...}

It is a data file: evidence text stands in it, as JSON strings in plain ASCII, and nowhere else but in undo files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from douse.content.settings import (
    AppControlSetting,
    AppLockerSetting,
    AsrSetting,
    AuditSetting,
    ChannelSetting,
    FeatureSetting,
    SaclSetting,
    ServiceSetting,
    Setting,
    SysmonSetting,
)
from douse.harden.generate.policy import Change, Policy
from douse.harden.generate.undo import Old, Undo, undone, user_profiles
from douse.harden.observed import Subject
from douse.harden.registry import RegistryValue
from douse.harden.seen import Seen

FORMAT = "douse.changes/1"
Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"


def changes_json(policy: Policy) -> bytes:
    """The file's bytes."""
    rows: Json = {
        "format": FORMAT, "version": policy.version, "mode": policy.mode, "profile": policy.profile,
        "controls": [control.id for control in policy.controls],
        "host": policy.before.name if policy.before else None,
        "preflight": policy.go.sha256 if policy.go else None,
        "registry": list(_registry(policy)),
        "other": [_other(change, policy.before) for change in policy.changes],
        "left": [{"control": one.control, "setting": one.setting.id, "why": one.why} for one in policy.left]}
    return (json.dumps(rows, indent=2, ensure_ascii=True) + "\n").encode()


def _registry(policy: Policy) -> Iterator[Json]:
    for undo in undone(policy, "HKLM"):
        yield _value_row(undo, None, "undo.reg")
    for number, profile in enumerate(user_profiles(policy), start=1):
        for undo in undone(policy, "HKCU", profile):
            yield _value_row(undo, profile or None, f"undo-user-{number}.reg" if profile else "undo-user.reg")


def _value_row(undo: Undo, user: str | None, file: str) -> Json:
    change = undo.change
    return {"control": change.control, "setting": change.setting, "hive": change.hive, "user": user, "key": change.key,
            "name": change.name, "policy": change.is_policy, "old": _old_row(undo.old), "new": _data(change.value),
            "undo": undo.action, "file": file}


def _old_row(old: Old) -> Json:
    """What it was: {"known": false, "why": ...}, or the value (null for absent) with its source."""
    if not old.known:
        return {"known": False, "why": old.why}
    return {"known": True, "value": _data(old.value), "source": old.source}


def _data(value: RegistryValue | None) -> Json:
    """Type and data; bytes in hexadecimal."""
    if value is None:
        return None
    return {"type": value.type, "data": value.data.hex() if isinstance(value.data, bytes) else value.data}


def _other(change: Change, before: Subject | None) -> Json:
    kind, wanted = wanted_state(change)
    old = _found_state(change.setting, before)
    return {"control": change.control, "setting": change.setting.id, "kind": kind, "old": old, "new": wanted}


def wanted_state(change: Change) -> tuple[str, str]:
    """What kind of thing a change is about, and what it becomes, in words of ours."""
    match change.setting:
        case ServiceSetting() as service:
            return "service", f"{service.service}: {service.start}"
        case AuditSetting() as audit:
            words = [word for word, on in (("success", audit.success), ("failure", audit.failure)) if on]
            return "audit subcategory", f"{audit.title}: {' and '.join(words)}"
        case ChannelSetting() as channel:
            return "event log", f"{channel.channel}: on"
        case FeatureSetting() as feature:
            return "Windows feature", f"{feature.feature}: {feature.state}"
        case SysmonSetting() as sysmon:
            return "Sysmon", f"events {', '.join(map(str, sysmon.ids))}"
        case SaclSetting():
            return "audit entries", "reads of credential stores in every profile"
        case AsrSetting() as rule:
            return "attack surface reduction", f"{rule.guid}: {({1: 'block', 2: 'audit', 6: 'warn'})[change.state]}"
        case AppLockerSetting() as denied:
            return "AppLocker", f"{denied.binary}: denied"
        case AppControlSetting() as denied_file:
            return "App Control", f"{denied_file.file_name}: denied"
        case _:
            return "registry", change.setting.id


def _found_state(setting: Setting, before: Subject | None) -> Json:
    """What evidence says of it, as text; {"known": false} where it says nothing or two things."""
    seen = _seen(setting, before) if before else []
    if not seen or any(one.value != seen[0].value for one in seen):
        return {"known": False}
    return {"known": True, "value": str(seen[0].value), "source": seen[0].source.file}


def _seen(setting: Setting, before: Subject) -> Sequence[Seen[object]]:
    found: Sequence[Seen[object]] = ()
    match setting:
        case ServiceSetting():
            found = [Seen(one.value.start if one.value else "no such service", one.source, one.where)
                     for one in before.services.get(setting.service, before.services.get(setting.service.lower(), []))]
        case AuditSetting():
            found = [Seen(f"success {one.value.success}, failure {one.value.failure}", one.source, one.where)
                     for one in before.audit.get(setting.guid, [])]
        case ChannelSetting():
            found = [Seen("on" if one.value else "off", one.source, one.where)
                     for one in before.channels.get(setting.channel, [])]
        case FeatureSetting():
            found = [Seen(one.value, one.source, one.where) for one in before.features.get(setting.feature, [])]
        case AsrSetting():
            found = [Seen(one.value, one.source, one.where) for one in before.asr.get(setting.guid, [])]
        case _:
            pass
    return found
