"""Records that a log shipper flattened: one JSON object with System and data side by side in, Head and fields out.

Shapes seen in ../shared/data/otrf (18 archives, 51,709 records): NXLog through Logstash (EventTime, EventReceivedTime,
@timestamp, RecordNumber, SourceModuleType) and a PowerShell export (TimeCreated, some with Level and Keywords).

Time. These logs rarely state UTC: measured against Sysmon's own UtcTime, EventTime is local time without a zone, and
TimeCreated is local time too (off by -16 to +8 hours, always whole hours, one offset a file), *even where it ends in
"Z"*. @timestamp is right in the NXLog shape (it is when Logstash got the record, seconds late) and wrong in the other.
So time = stated time + offset, the offset a multiple of 15 minutes and taken from, in this order,
1. the record's own UtcTime (Sysmon), 2. its own @timestamp - EventReceivedTime (NXLog), 3. the last offset the file
showed (`Clock`), 4. nothing: the time as stated, UTC if no zone is. Whoever corrects a time leaves a note on the tally.
A time of whole seconds takes the fraction of UtcTime where the two agree, so that a chain of processes keeps its order.

Names become those of the System part (Hostname -> Computer, SourceName -> Provider_Name, ...). What only NXLog and
Logstash themselves added is dropped; Message is kept, it is all that classic PowerShell records have. The provider,
where the export left it out, is that of the channel. Keywords written as a signed number become hex, as in EVTX.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from douse.telemetry.columns import CHANNEL, EVENT_ID, HOST, PROVIDER, RECORD_ID, TIME
from douse.telemetry.fields import Fields, add_hashes, integer, scalar
from douse.telemetry.system import Head, in_utc, parse_time

CLASSIC_CHANNELS: Final = {"security": "Security", "system": "System", "application": "Application", "setup": "Setup"}
"""Windows' spelling of channels that shippers write in lower case."""

_RENAMED: Final = {
    "Hostname": "Computer", "ComputerName": "Computer", "MachineName": "Computer", "LogName": "Channel",
    "SourceName": "Provider_Name", "ProviderName": "Provider_Name", "ProviderGuid": "Provider_Guid",
    "RecordNumber": "EventRecordID", "EventRecordId": "EventRecordID", "RecordId": "EventRecordID",
    "EventId": "EventID", "Event_ID": "EventID",
}
_RENAMED_NXLOG: Final = {
    "ExecutionProcessID": "Execution_ProcessID", "ThreadID": "Execution_ThreadID", "UserID": "Security_UserID",
    "OpcodeValue": "Opcode", "ActivityID": "Correlation_ActivityID",
}
_OF_THE_SHIPPER: Final = frozenset({
    "SourceModuleName", "SourceModuleType", "EventReceivedTime", "Severity", "SeverityValue", "EventTypeOrignal",
    "AccountType", "Opcode", "Category",
})
_OF_LOGSTASH: Final = frozenset({"@version", "@timestamp", "tags", "host", "port"})
_SEVERITIES: Final = frozenset({"INFO", "AUDIT_SUCCESS", "AUDIT_FAILURE", "VERBOSE", "WARNING", "ERROR", "CRITICAL"})
_QUARTER: Final = timedelta(minutes=15)
_NEAR: Final = timedelta(minutes=2)  # a record that was delayed by more proves nothing about the clock
_FURTHEST: Final = timedelta(hours=26)  # the widest distance of two zones, as the local hours of two hosts can differ


class Clock:
    """What a file has shown so far about its stated times: how far they are from UTC. None while it showed nothing."""

    def __init__(self) -> None:
        self.offset: timedelta | None = None

    def learn(self, record: Mapping[str, Any]) -> timedelta | None:
        """The offset this record proves, remembered for those that prove none; None where it proves none."""
        utc, stated = _sysmon_time(record), _first_time(record)
        if utc is None:
            utc, stated = parse_time(record.get("@timestamp")), parse_time(record.get("EventReceivedTime"))
        if utc is None or stated is None:
            return None
        distance = in_utc(utc) - in_utc(stated)
        offset = round(distance / _QUARTER) * _QUARTER
        if abs(offset) > _FURTHEST or abs(distance - offset) > _NEAR:
            return None
        self.offset = offset
        return offset


def flattened_head(record: Mapping[str, Any], offset: timedelta) -> Head | None:
    """The Head of a flattened record whose stated time is `offset` from UTC; None without channel, id or time."""
    channel, host, provider = _text(record, CHANNEL), _text(record, HOST), _text(record, PROVIDER)
    event_id = integer(_first(record, EVENT_ID), -1)
    stated = _first_time(record)
    if not channel or event_id < 0 or stated is None:
        return None
    channel = CLASSIC_CHANNELS.get(channel, channel)
    return Head(channel, event_id, host, provider or provider_of(channel, event_id),
                integer(_first(record, RECORD_ID)), _corrected(stated, offset, record))


def flattened_fields(record: Mapping[str, Any], head: Head) -> Fields:
    """The fields of a flattened record under Sigma's names."""
    nxlog = "SourceModuleType" in record
    renamed = {**_RENAMED, **_RENAMED_NXLOG} if nxlog else _RENAMED
    dropped = _OF_THE_SHIPPER | _OF_LOGSTASH if nxlog else _OF_LOGSTASH if "@version" in record else frozenset()
    fields: Fields = {}
    late: Fields = {}
    for name, value in record.items():
        if name in dropped or name in TIME[:4] or (nxlog and name == "EventType" and value in _SEVERITIES):
            continue
        (late if name in renamed else fields)[renamed.get(name, name.replace(" ", ""))] = scalar(value)
    for name, value in late.items():
        fields.setdefault(name, value)
    fields["EventID"], fields["Channel"] = head.event_id, head.channel
    if head.provider:
        fields.setdefault("Provider_Name", head.provider)
    fields["TimeCreated_SystemTime"] = f"{head.time:%Y-%m-%dT%H:%M:%S.%fZ}"
    keywords = fields.get("Keywords")
    if isinstance(keywords, int):
        fields["Keywords"] = f"0x{keywords & 0xFFFF_FFFF_FFFF_FFFF:x}"
    add_hashes(fields)
    return fields


def states_no_zone(record: Mapping[str, Any]) -> bool:
    """Whether the record's time is written without a zone."""
    stated = _first_time(record)
    return stated is not None and stated.tzinfo is None


def provider_of(channel: str, event_id: int) -> str:
    """The provider that writes a channel, for exports that left it out; empty where a channel has many."""
    if channel == "Security":
        return "Microsoft-Windows-Eventlog" if 1100 <= event_id <= 1108 else "Microsoft-Windows-Security-Auditing"
    provider, slash, _ = channel.partition("/")
    return provider if slash else ""


def _first(record: Mapping[str, Any], names: tuple[str, ...]) -> object:
    for name in names:
        if name in record:
            return record[name]
    return None


def _text(record: Mapping[str, Any], names: tuple[str, ...]) -> str:
    value = _first(record, names)
    return value if isinstance(value, str) else ""


def _first_time(record: Mapping[str, Any]) -> datetime | None:
    for name in TIME:
        if name in record and (time := parse_time(record[name])) is not None:
            return time
    return None


def _sysmon_time(record: Mapping[str, Any]) -> datetime | None:
    return parse_time(record.get("UtcTime")) if "Sysmon" in _text(record, CHANNEL) else None


def _corrected(stated: datetime, offset: timedelta, record: Mapping[str, Any]) -> datetime:
    try:
        time = in_utc(stated) + offset
    except OverflowError:
        return in_utc(stated)
    if not time.microsecond:
        exact = _sysmon_time(record)
        if exact is not None and in_utc(exact).replace(microsecond=0) == time:
            return in_utc(exact)
    return time
