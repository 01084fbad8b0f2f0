r"""Microsoft's columns of one kind of row in, the fields of the Sysmon event that tells the same out.

One function a table of advanced hunting, called by mde_rows.py; a value that is empty is left out there. In Sysmon's
events of files, keys and connections the acting process is `Image`; here it is what the InitiatingProcess columns say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from douse.model import Value
from douse.telemetry.fields import Fields, scalar
from douse.telemetry.system import decode_document
from douse.telemetry.webrequest import is_absolute, split_url, without_port

Texts = Mapping[str, str]

_ROOTS: Final = (("HKEY_LOCAL_MACHINE", "HKLM"), ("HKEY_USERS", "HKU"), ("HKEY_CLASSES_ROOT", "HKCR"))
_CURRENT_USER: Final = "HKEY_CURRENT_USER"
_CONTROL_SET: Final = re.compile(r"^HKLM\\SYSTEM\\ControlSet[0-9]{3}(?=\\|$)", re.IGNORECASE)
_EVENT_TYPES: Final = {"RegistryKeyCreated": "CreateKey", "RegistryKeyDeleted": "DeleteKey",
                       "RegistryValueDeleted": "DeleteValue", "RegistryValueSet": "SetValue",
                       "RegistryKeyRenamed": "RenameKey"}
_PIPES: Final = re.compile(r"^\\Device\\NamedPipe(?=\\)", re.IGNORECASE)


def process_fields(row: Texts, action: str) -> Fields:  # noqa: ARG001 - all tables are called alike
    """DeviceProcessEvents as Sysmon 1."""
    return {
        "Image": path(row, ""), "CommandLine": _of(row, "ProcessCommandLine"), "User": user(row, ""),
        "ProcessGuid": _of(row, "ProcessUniqueId"), "IntegrityLevel": _of(row, "ProcessIntegrityLevel"),
        "OriginalFileName": _of(row, "ProcessVersionInfoOriginalFileName"),
        "Company": _of(row, "ProcessVersionInfoCompanyName"), "Product": _of(row, "ProcessVersionInfoProductName"),
        "Description": _of(row, "ProcessVersionInfoFileDescription"),
        "FileVersion": _of(row, "ProcessVersionInfoProductVersion"), "Hashes": hashes(row),
        "ParentImage": path(row, "InitiatingProcess"), "ParentProcessId": _of(row, "InitiatingProcessId"),
        "ParentProcessGuid": _of(row, "InitiatingProcessUniqueId"), "ParentUser": user(row, "InitiatingProcess"),
        "ParentCommandLine": _of(row, "InitiatingProcessCommandLine"),
        "GrandParentImage": _of(row, "InitiatingProcessParentFileName"),
    }


def network_fields(row: Texts, action: str) -> Fields:
    """DeviceNetworkEvents as Sysmon 3: the source is who began, also where that was the other side."""
    local = _of(row, "LocalIP"), _of(row, "LocalPort"), ""
    remote = _of(row, "RemoteIP"), _of(row, "RemotePort"), hostname(_of(row, "RemoteUrl"))
    inbound = action == "InboundConnectionAccepted"
    source, destination = (remote, local) if inbound else (local, remote)
    return {
        **_actor(row), "Initiated": "false" if inbound else "true", "Protocol": _of(row, "Protocol").lower(),
        "SourceIp": source[0], "SourcePort": source[1], "SourceHostname": source[2],
        "DestinationIp": destination[0], "DestinationPort": destination[1], "DestinationHostname": destination[2],
    }


def file_fields(row: Texts, action: str) -> Fields:  # noqa: ARG001 - all tables are called alike
    """DeviceFileEvents as Sysmon 11 and 23; of a renamed file also the name it had."""
    return {**_actor(row), "TargetFilename": path(row, ""), "Hashes": hashes(row),
            "SourceFilename": joined(_of(row, "PreviousFolderPath"), _of(row, "PreviousFileName"))}


def registry_fields(row: Texts, action: str) -> Fields:
    """DeviceRegistryEvents as Sysmon 12, 13 and 14."""
    sid = _of(row, "InitiatingProcessAccountSid")
    key = registry_path(_of(row, "RegistryKey") or _of(row, "PreviousRegistryKey"), sid)
    name = _of(row, "RegistryValueName") or _of(row, "PreviousRegistryValueName")
    if not name and action in ("RegistryValueSet", "RegistryValueDeleted"):
        name = "(Default)"
    fields: Fields = {**_actor(row), "EventType": _EVENT_TYPES.get(action, ""),
                      "TargetObject": f"{key}\\{name}" if name else key,
                      "Details": registry_data(_of(row, "RegistryValueData"), _of(row, "RegistryValueType"))}
    if action == "RegistryKeyRenamed" and _of(row, "PreviousRegistryKey"):
        fields |= {"TargetObject": registry_path(_of(row, "PreviousRegistryKey"), sid), "NewName": key}
    return fields


def image_fields(row: Texts, action: str) -> Fields:  # noqa: ARG001 - all tables are called alike
    """DeviceImageLoadEvents as Sysmon 7."""
    return {**_actor(row), "ImageLoaded": path(row, ""), "Hashes": hashes(row)}


def device_event_fields(row: Texts, action: str) -> Fields:
    """DeviceEvents, whose columns mean something else for each action; AdditionalFields are among them already."""
    file = path(row, "")
    match action:
        case "DriverLoad":
            return {"ImageLoaded": file, "Hashes": hashes(row)}
        case "CreateRemoteThreadApiCall" | "OpenProcessApiCall":
            return {"SourceImage": path(row, "InitiatingProcess"), "SourceProcessId": _of(row, "InitiatingProcessId"),
                    "SourceProcessGuid": _of(row, "InitiatingProcessUniqueId"), "TargetImage": file,
                    "SourceUser": user(row, "InitiatingProcess"), "TargetProcessId": _of(row, "ProcessId"),
                    "TargetProcessGuid": _of(row, "ProcessUniqueId"), "TargetUser": user(row, ""),
                    "GrantedAccess": _hexadecimal(_of(row, "DesiredAccess"))}
        case "NamedPipeEvent":
            return {**_actor(row), "PipeName": _PIPES.sub("", _of(row, "PipeName"))}
        case "DnsQueryResponse":
            return {**_actor(row), "QueryName": _of(row, "DnsQueryString"), "QueryResults": _of(row, "DnsQueryResult")}
        case "SensitiveFileRead":
            return {**_actor(row), "ObjectName": file, "ObjectType": "File"}
        case "AntivirusDetection":
            return {**_actor(row), "Signature": _of(row, "ThreatName"), "Filename": file}
    return _actor(row)


def alert_fields(row: Texts, action: str) -> Fields:  # noqa: ARG001 - all tables are called alike
    """AlertInfo and AlertEvidence as an antivirus product's finding: what was named, and which file."""
    names = [name for name in (_of(row, "Title"), _of(row, "ThreatFamily")) if name]
    return {"Signature": names if len(names) > 1 else "".join(names), "Filename": path(row, ""), "User": user(row, ""),
            "CommandLine": _of(row, "ProcessCommandLine"), "Hashes": hashes(row)}


def additional(value: object) -> dict[str, Value]:
    """AdditionalFields, a JSON object as text or as itself: its values; of a list of objects their `Result`s."""
    parsed: Any = decode_document(value) if isinstance(value, str) and value.startswith("{") else value
    if not isinstance(parsed, dict):
        return {}
    found: dict[str, Value] = {}
    for name, item in parsed.items():
        if isinstance(item, list) and item and all(isinstance(part, dict) for part in item):
            found[name] = ";".join(str(part["Result"]) for part in item if part.get("Result"))
        elif not isinstance(item, dict) and item is not None:
            found[name] = scalar(item)
    return found


def path(row: Texts, who: str) -> str:
    """The file of a row (`who` is empty) or of the process that acted (`InitiatingProcess`), with its folder."""
    return joined(_of(row, f"{who}FolderPath"), _of(row, f"{who}FileName"))


def joined(folder: str, name: str) -> str:
    """A folder and a file's name as one path; the folder often has the name already."""
    if not folder or not name:
        return folder or name
    separator = "/" if "/" in folder and "\\" not in folder else "\\"
    last = folder[folder.rfind(separator) + 1:]
    return folder if last.lower() == name.lower() else f"{folder.rstrip(separator)}{separator}{name}"


def user(row: Texts, who: str) -> str:
    r"""`DOMAIN\name`, or the name alone."""
    parts = _of(row, f"{who}AccountDomain"), _of(row, f"{who}AccountName")
    return "\\".join(part for part in parts if part)


def hashes(row: Texts) -> str:
    """The file's hashes as Sysmon writes them: `SHA1=...,MD5=...,SHA256=...`."""
    return ",".join(f"{name}={digest}" for name in ("SHA1", "MD5", "SHA256") if (digest := _of(row, name)))


def hostname(url: str) -> str:
    """The host of RemoteUrl, which is a URL, a host, or a host with a port."""
    return split_url(url)[0] if is_absolute(url) else without_port(url.partition("/")[0])


def registry_path(key: str, sid: str) -> str:
    """A key under Sysmon's short root keys; the current user's is that of the account, by its SID."""
    for root, short in _ROOTS:
        if key[:len(root)].upper() == root and key[len(root):len(root) + 1] in ("", "\\"):
            key = short + key[len(root):]
    if key[:len(_CURRENT_USER)].upper() == _CURRENT_USER:
        rest = key[len(_CURRENT_USER):].lstrip("\\")
        key = f"HKU\\{rest}" if rest.upper().startswith("S-1-") else f"HKU\\{sid}\\{rest}" if sid else f"HKCU\\{rest}"
    return _CONTROL_SET.sub(r"HKLM\\System\\CurrentControlSet", key)


def registry_data(text: str, kind: str) -> str:
    """The data of a value as Sysmon writes it: numbers in hex, binary data only named."""
    kind = kind.lower()
    if kind == "binary":
        return "Binary Data"
    if kind in ("dword", "qword") and text.isdecimal() and len(text) <= 20:
        number = int(text)
        if kind == "dword" and number < 1 << 32:
            return f"DWORD (0x{number:08x})"
        if kind == "qword" and number < 1 << 64:
            return f"QWORD (0x{number >> 32:08x}-0x{number & 0xFFFFFFFF:08x})"
    return text


def _actor(row: Texts) -> Fields:
    return {"Image": path(row, "InitiatingProcess"), "ProcessId": _of(row, "InitiatingProcessId"),
            "ProcessGuid": _of(row, "InitiatingProcessUniqueId"), "User": user(row, "InitiatingProcess")}


def _of(row: Texts, name: str) -> str:
    return row.get(name, "")


def _hexadecimal(text: str) -> str:
    return f"0x{int(text):x}" if text.isdecimal() and len(text) <= 10 else text
