r"""What collect.ps1 would print on a made-up host: a model in, the bytes of its JSON out.

    collected("PC-7", registry={r"HKLM\SOFTWARE\Policies\Google\Chrome!PasswordManagerEnabled": 0},
              users={"anna": {r"Software\Microsoft\Windows\CurrentVersion\Policies\Explorer!NoRun": 1}},
              firewall={"gpo": {"{guid}": "v2.26|Action=Block|..."}}, services={"AppIDSvc": ("automatic", "running")},
              audit={"0CCE922B-69AE-11D9-BED3-505054503030": "Success"}, mppreference={"PUAProtection": 1})

Everything the script asks for by name and that the model does not have is written as not present, as the script does.
`leave_out` drops whole parts; with `errors` they are those that could not be read. A value is an int (REG_DWORD), a
text (REG_SZ), a tuple (REG_MULTI_SZ), bytes (REG_BINARY), or (type, data).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from douse.harden.collect import APP_PATHS, CHANNELS, PROGRAMS, SYSMON, SYSMON_CONFIG, USER_PROGRAMS, asked

Value = int | str | bytes | tuple[Any, ...] | None
STORE_KEYS = {
    "gpo": r"SOFTWARE\Policies\Microsoft\WindowsFirewall\FirewallRules",
    "mdm": r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\Mdm\FirewallRules",
    "local": r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules",
}
ASR_KEY = r"SOFTWARE\Policies\Microsoft\Windows Defender\Windows Defender Exploit Guard\ASR"
SID = "S-1-5-21-1004336348-1177238915-682003330-"


def collected(
    host: str,
    *,
    registry: Mapping[str, Value] | None = None,
    users: Mapping[str, Mapping[str, Value]] | None = None,
    not_loaded: Sequence[str] = (),
    firewall: Mapping[str, Mapping[str, str]] | None = None,
    firewall_profiles: Mapping[str, bool] | None = None,
    asr: Mapping[str, int] | None = None,
    asr_effective: Mapping[str, int] | None = None,
    applocker: str | None = None,
    app_control: Sequence[Mapping[str, object]] | None = (),
    device_guard: Mapping[str, object] | None = None,
    mppreference: Mapping[str, object] | None = None,
    mpcomputerstatus: Mapping[str, object] | None = None,
    services: Mapping[str, tuple[str, str]] | None = None,
    audit: Mapping[str, str] | None = None,
    features: Mapping[str, str] | None = None,
    channels: Mapping[str, bool] | None = None,
    products: Collection[str] = ("edge",),
    antivirus: Sequence[str] = ("Windows Defender",),
    sysmon: tuple[str, Sequence[str]] | None = None,
    sacls: Mapping[str, Mapping[str, str]] | None = None,
    build: int = 22631,
    system: str = "Microsoft Windows 11 Enterprise",
    product_type: int = 1,
    domain: str = "corp.example",
    taken: str = "2026-11-24T09:00:00Z",
    elevated: bool = True,
    errors: Sequence[Mapping[str, object]] = (),
    leave_out: Collection[str] = (),
) -> bytes:
    """The JSON of one host, UTF-8.

    `users` are profiles with a loaded hive and their values below HKCU, `not_loaded` those without. `firewall` are raw
    rules by store and name. `asr` are the values of the policy's key, `asr_effective` what Defender says (the same
    where not given). `applocker` is the XML of the effective policy. `app_control` are CiTool's policies, None where
    there is no CiTool. `audit` are auditpol's words by GUID, None where auditpol could not be run. `sysmon` is
    ("running" or "stopped", hashes). `sacls` are SDDL texts by user and folder below the profile.
    """
    model, wanted = dict(registry or {}), asked()
    people = users if users is not None else {"anna": {}}
    sids = {name: f"{SID}{1001 + at}" for at, name in enumerate([*people, *not_loaded])}
    for store, rules in (firewall or {}).items():
        model.update({f"HKLM\\{STORE_KEYS[store]}!{name}": text for name, text in rules.items()})
    model.update({f"HKLM\\{ASR_KEY}\\Rules!{guid}": str(action) for guid, action in (asr or {}).items()})
    model.update({f"HKLM\\{CHANNELS}\\{channel}!Enabled": int(on) for channel, on in (channels or {}).items()})
    model.update({f"HKLM\\{APP_PATHS}\\{program}!(default)": f"C:\\Program Files\\{program}"
                  for word in products for program in PROGRAMS[word]})
    if sysmon:
        model[f"HKLM\\{SYSMON[0]}!{SYSMON[1]}"] = _hashing(sysmon[1])
        model[f"HKLM\\{SYSMON_CONFIG[0]}!{SYSMON_CONFIG[1]}"] = "SHA256=" + "AB" * 32
    defender = {"DisableRealtimeMonitoring": False, **(mppreference or {})}
    effective = asr_effective if asr_effective is not None else asr or {}
    document: dict[str, object] = {
        "schema": "douse-collected", "schema_version": 1, "tool": "douse", "tool_version": "0",
        "script_sha256": "ab" * 32, "host": host, "domain": domain, "taken": taken, "elevated": elevated,
        "powershell": "5.1.22621.4391", "language_mode": "FullLanguage",
        "system": {"caption": system, "version": f"10.0.{build}", "build": build, "product_type": product_type},
        "profiles": [{"sid": sid, "path": f"C:\\Users\\{name}", "loaded": name in people}
                     for name, sid in sids.items()],
        "registry": [*_values(wanted.values, "HKLM", "", model),
                     *(entry for name, own in people.items()
                       for entry in _values(wanted.values, "HKCU", sids[name], _of_user(own)))],
        "lists": [*_lists(wanted.lists, "HKLM", "", model),
                  *(entry for name, own in people.items()
                    for entry in _lists(wanted.lists, "HKCU", sids[name], _of_user(own)))],
        "firewall_profiles": [{"name": name, "enabled": on} for name, on in (
            firewall_profiles if firewall_profiles is not None else dict.fromkeys(("Domain", "Private", "Public"), True)
        ).items()],
        "firewall_active": [],
        "mppreference": defender,
        "asr_ids": list(effective), "asr_actions": list(effective.values()),
        "mpcomputerstatus": dict(mpcomputerstatus or {}),
        "applocker_effective": applocker if applocker is not None else '<AppLockerPolicy Version="1" />',
        "app_control": json.dumps({"OperationResult": 0, "Policies": list(app_control or ())}),
        "device_guard": dict(device_guard or {}),
        "auditpol": _auditpol(host, audit),
        "services": _services(wanted.services, services or {}, sysmon),
        "features": [{"name": name, "present": True,
                      "state": {"enabled": 1, "disabled": 2}[(features or {}).get(name, "disabled")]}
                     for name in wanted.features],
        "user_programs": [{"profile": sid, "word": word, "present": False} for sid in sids.values()
                          for word, _ in USER_PROGRAMS],
        "antivirus": [{"name": name, "state": 397568} for name in antivirus],
        "sacls": [{"profile": sids[name], "folder": folder, "sddl": sddl}
                  for name, by_folder in (sacls or {}).items() for folder, sddl in by_folder.items()],
        "errors": list(errors),
    }
    if app_control is None:
        del document["app_control"]
    if audit is None:
        del document["auditpol"]
    return json.dumps({key: value for key, value in document.items() if key not in leave_out}).encode()


def _of_user(values: Mapping[str, Value]) -> dict[str, Value]:
    return {f"HKCU\\{path}": value for path, value in values.items()}


def _data(value: Value) -> dict[str, object]:
    """A registry value as the script writes it."""
    if isinstance(value, tuple) and len(value) == 2 and str(value[0]).startswith("REG_"):
        kind, value = value
    else:
        kind = {int: "REG_DWORD", str: "REG_SZ", bytes: "REG_BINARY", tuple: "REG_MULTI_SZ"}[type(value)]
    if isinstance(value, bytes):
        return {"type": kind, "data": "-".join(f"{byte:02X}" for byte in value)}
    return {"type": kind, "data": list(value) if isinstance(value, tuple) else value}


def _split(path: str) -> tuple[str, str, str]:
    key, _, name = path.partition("!")
    hive, _, key = key.partition("\\")
    return hive, key, "" if name == "(default)" else name


def _values(wanted: Sequence[tuple[str, str, str]], hive: str, profile: str,
            model: Mapping[str, Value]) -> list[dict[str, object]]:
    """Every value that is asked for, and every other one of the model that lies in no list."""
    known = {tuple(part.casefold() for part in _split(path)): value for path, value in model.items()}
    made = []
    others = [one for one in map(_split, model) if not any(
        one[0] == of and f"{one[1]}\\".casefold().startswith(f"{key}\\".casefold()) for of, key in asked().lists)]
    for of, key, name in dict.fromkeys([*wanted, *others]):
        if of == hive:
            value = known.get((of.casefold(), key.casefold(), name.casefold()))
            entry = {"hive": hive, "profile": profile, "key": key, "name": name, "present": value is not None}
            made.append(entry | (_data(value) if value is not None else {}))
    return made


def _lists(wanted: Sequence[tuple[str, str]], hive: str, profile: str,
           model: Mapping[str, Value]) -> list[dict[str, object]]:
    made: list[dict[str, object]] = []
    for of, top in wanted:
        if of != hive:
            continue
        values: list[dict[str, object]] = []
        for path, value in model.items():
            where, key, name = _split(path)
            below = key.casefold() == top.casefold() or key.casefold().startswith(top.casefold() + "\\")
            if where == hive and below and value is not None:
                values.append({"key": key[len(top):].strip("\\"), "name": name, **_data(value)})
        made.append({"hive": hive, "profile": profile, "key": top, "present": bool(values), "values": values})
    return made


def _auditpol(host: str, audit: Mapping[str, str] | None) -> list[str]:
    lines = ["Machine Name,Policy Target,Subcategory,Subcategory GUID,Inclusion Setting,Exclusion Setting", ""]
    return [*lines, *(f"{host},System,Some name,{{{guid}}},{words}," for guid, words in (audit or {}).items())]


def _services(wanted: Sequence[str], known: Mapping[str, tuple[str, str]],
              sysmon: tuple[str, Sequence[str]] | None) -> list[dict[str, object]]:
    modes = {"automatic": "Auto", "manual": "Manual", "disabled": "Disabled"}
    found = [{"name": name, "present": name in known,
              **({"start": modes[known[name][0]], "state": known[name][1].capitalize(), "sysmon": False}
                 if name in known else {})}
             for name in dict.fromkeys([*wanted, *known])]
    if sysmon:
        found.append({"name": "Sysmon64", "present": True, "start": "Auto", "state": sysmon[0].capitalize(),
                      "sysmon": True})
    return found


def _hashing(hashes: Sequence[str]) -> int:
    bits = {"SHA1": 1, "MD5": 2, "SHA256": 4, "IMPHASH": 8}
    return 0x80000000 | sum(bits[one] for one in hashes)
