r"""What a row of Defender's advanced hunting means: its table and event id, and its fields under Sysmon's names too.

A row seldom says its table, so ActionType tells it, else the columns do. The event id is that of the Windows event that
tells the same (_ACTIONS), so that rules and correlation read both alike, and 0 where there is none. Microsoft's columns
keep their names; Sysmon's are added, because some are made of several: FolderPath sometimes lacks the file's name,
TargetObject joins key and value and has short root keys, `Hashes` is one text. An empty column is an absent field.
Sources: Microsoft's pages on each table; the action types are from published queries, so `verified: false` for
SensitiveFileRead and for what AdditionalFields holds. The readers are mde.py (JSON) and mde_csv.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final

from douse.model import Value
from douse.telemetry.fields import Fields, integer, scalar
from douse.telemetry.mde_fields import (
    additional,
    alert_fields,
    device_event_fields,
    file_fields,
    image_fields,
    network_fields,
    process_fields,
    registry_fields,
)
from douse.telemetry.textlog import Record, content_id
from douse.telemetry.times import american, english, iso, states_zone

PROVIDER: Final = "Microsoft Defender for Endpoint"
NO_TIME: Final = "no time in column Timestamp"
NO_DEVICE: Final = "(no device)"
"""The host of a row that names no device, such as one of AlertInfo."""

TIMES: Final = ("Timestamp", "TimeGenerated")
_TABLE_COLUMNS: Final = ("$table", "SourceTable", "Type")
_TABLE: Final = re.compile(r"(?:AdvancedHunting-)?([A-Za-z]{1,60})")
_AGGREGATED: Final = "AggregatedReport"
_EXACT: Final = 1 << 53

PROCESS, NETWORK, FILE, REGISTRY, IMAGE, LOGON, DEVICE, ALERT, EVIDENCE = (
    "DeviceProcessEvents", "DeviceNetworkEvents", "DeviceFileEvents", "DeviceRegistryEvents", "DeviceImageLoadEvents",
    "DeviceLogonEvents", "DeviceEvents", "AlertInfo", "AlertEvidence")

_ACTIONS: Final[Mapping[str, tuple[str, int]]] = {
    "ProcessCreated": (PROCESS, 1),
    "ConnectionSuccess": (NETWORK, 3), "ConnectionFound": (NETWORK, 3), "ConnectionAcknowledged": (NETWORK, 3),
    "InboundConnectionAccepted": (NETWORK, 3), "ConnectionFailed": (NETWORK, 0), "ConnectionRequest": (NETWORK, 0),
    "ConnectionAttempt": (NETWORK, 0), "ListeningConnectionCreated": (NETWORK, 0),
    "DnsConnectionInspected": (NETWORK, 0), "HttpConnectionInspected": (NETWORK, 0),
    "SslConnectionInspected": (NETWORK, 0), "NetworkSignatureInspected": (NETWORK, 0),
    "FileCreated": (FILE, 11), "FileModified": (FILE, 11), "FileRenamed": (FILE, 0), "FileDeleted": (FILE, 23),
    "RegistryKeyCreated": (REGISTRY, 12), "RegistryKeyDeleted": (REGISTRY, 12), "RegistryValueDeleted": (REGISTRY, 12),
    "RegistryValueSet": (REGISTRY, 13), "RegistryKeyRenamed": (REGISTRY, 14),
    "ImageLoaded": (IMAGE, 7),
    "LogonSuccess": (LOGON, 4624), "LogonFailed": (LOGON, 4625), "LogonAttempted": (LOGON, 0),
    "DriverLoad": (DEVICE, 6), "CreateRemoteThreadApiCall": (DEVICE, 8), "OpenProcessApiCall": (DEVICE, 10),
    "NamedPipeEvent": (DEVICE, 17), "DnsQueryResponse": (DEVICE, 22), "SensitiveFileRead": (DEVICE, 4663),
    "AntivirusDetection": (DEVICE, 1116),
}
_TOLD_BY: Final = (  # filled columns that only rows of a table have, for rows without a known ActionType
    (EVIDENCE, ("AlertId", "EntityType")), (ALERT, ("AlertId", "Title")), (REGISTRY, ("RegistryKey",)),
    (LOGON, ("LogonType", "DeviceName")), (NETWORK, ("RemoteIP", "RemotePort")),
    (PROCESS, ("ProcessCommandLine", "ProcessCreationTime")), (DEVICE, ("ActionType", "DeviceId")),
    (DEVICE, ("ActionType", "DeviceName")),
)
_SYSMON: Final[Mapping[str, Callable[[Mapping[str, str], str], Fields]]] = {
    PROCESS: process_fields, NETWORK: network_fields, FILE: file_fields, REGISTRY: registry_fields,
    IMAGE: image_fields, DEVICE: device_event_fields, ALERT: alert_fields, EVIDENCE: alert_fields,
}

_TABLES: Final = frozenset({table for table, _ in _ACTIONS.values()} | {ALERT, EVIDENCE})

Row = Mapping[str, Any]


def record_of(row: Row, table: str = "") -> Record | str:
    """A row as a Record, or why it is none. `table` is what the source says it is, if anything."""
    time = time_of(row)
    if time is None:
        return NO_TIME
    action = _text(row, "ActionType").removesuffix(_AGGREGATED)
    table, event_id = _kind(row, action, table or _said(row))
    host = _text(row, "DeviceName") or NO_DEVICE
    return Record(f"MDE/{table}", host, time, partial(_fields, row, table, action), event_id, _record_id(row), host)


def _record_id(row: Row) -> int:
    """Microsoft's own number, which is unique for a device and time; else one made of the columns, in any format."""
    report = integer(row.get("ReportId"))
    if 0 < report < _EXACT:
        return report
    filled = {name: _plain(value) for name, raw in row.items() if (value := scalar(raw)) not in (None, "", [])}
    return content_id("\x1f".join(f"{name}={text}" for name, text in sorted(filled.items())))


def time_of(row: Row) -> datetime | None:
    """The row's time in UTC; the portal writes `11/24/2026 10:11:12 AM`, `Nov 24, 2026 10:11:12 AM` or ISO 8601."""
    text = _time_text(row)
    return (iso(text) or american(text) or english(text)) if text else None


def says_no_zone(row: Row) -> bool:
    """Whether the row's time is taken as UTC only because it does not say otherwise."""
    return not states_zone(_time_text(row))


def _time_text(row: Row) -> str:
    text = next((text for name in TIMES if (text := _text(row, name))), "")
    return text.replace("\u202f", " ")  # what newer browsers write before AM and PM


def table_name(text: str) -> str:
    """`DeviceProcessEvents` of `AdvancedHunting-DeviceProcessEvents`; empty where it is no name of a table."""
    found = _TABLE.fullmatch(text)
    return found[1] if found else ""


def _said(row: Row) -> str:
    return next((name for column in _TABLE_COLUMNS if (name := _text(row, column)) in _TABLES), "")


def _kind(row: Row, action: str, said: str) -> tuple[str, int]:
    known = _ACTIONS.get(action)
    if known is not None and said in ("", known[0]):
        return known
    told = said or next((table for table, columns in _TOLD_BY if all(_text(row, name) for name in columns)), "Unknown")
    return told, 1 if told == PROCESS and not action else 0


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value)


def _fields(row: Row, table: str, action: str) -> Fields:
    columns: Fields = {name: value for name, raw in row.items() if (value := scalar(raw)) not in (None, "", [])}
    if table == DEVICE:
        columns = {**additional(row.get("AdditionalFields")), **columns}
    told = _SYSMON.get(table)
    if told is None:
        return columns
    texts = {name: _plain(value) for name, value in columns.items()}
    named = {name: value for name, value in told(texts, action).items() if value not in ("", [])}
    return {**columns, **named}


def _plain(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ";".join(value) if isinstance(value, list) else str(value)
