"""Who and what a record is about: the acting process, its target, its user, the network destination, the object.

Logs name the same thing differently (ProcessGuid or SourceProcessGUID, decimal or hex pids, ProcessName or Image), so
everything that reads a field of an event or an alert for correlation is here, as one table of names per kind of record.
Unknown is "" or pid 0, never None. The names of Sysmon 1 and Security 4688 differ in a trap: in 4688 `ProcessId` is the
parent, so `NewProcessId` is asked first and a reader's alias cannot mislead us. Counterparts: processes.py, and
people.py, which says whether two accounts are one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from douse.incident.addresses import spelled
from douse.incident.people import is_sid
from douse.model import Event
from douse.telemetry.system import in_utc
from douse.telemetry.times import iso

SYSMON = "microsoft-windows-sysmon/operational"
SECURITY = "security"
POWERSHELL = frozenset({"microsoft-windows-powershell/operational", "powershellcore/operational"})
DPAPI = "microsoft-windows-crypto-dpapi/debug"

Get = Callable[[str], str]
"""A look-up of one field, "" where the record has nothing to say (also where it says "-")."""

_ABSENT = frozenset({"", "-", "?", "<unknown process>", "(null)"})
_LONGEST_ABSENT = max(map(len, _ABSENT))
_ABSENT_BEGINS = frozenset(word[:1] for word in _ABSENT)
_LONGEST_NUMBER = 20  # 2 ** 64 in decimal
_LONGEST_GUID = 64
_NO_SESSION = frozenset({"", "0", "996", "997", "999"})  # local service, network service, SYSTEM: not a person's logon
_SHA256 = re.compile(r"SHA256=([0-9a-f]{64})\b", re.IGNORECASE)
_HIVE_OWNER = re.compile(r"(?:HKU|HKEY_USERS|REGISTRY\\USER)\\(S-1-(?:5-21|12-1)(?:-\d+)+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Actor:
    """A process as one record names it; `created` is when it says that the process began, None where it does not."""

    guid: str = ""
    pid: int = 0
    image: str = ""
    user_sid: str = ""
    user_name: str = ""
    logon: str = ""
    command_line: str = ""
    created: datetime | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a connection or a DNS query went. `addresses` holds every address the record gives for it."""

    addresses: tuple[str, ...]
    hostname: str
    port: int


@dataclass(frozen=True, slots=True)
class _Names:
    """The field names, first that is filled wins, under which one kind of record describes a process."""

    guid: tuple[str, ...] = ()
    pid: tuple[str, ...] = ()
    image: tuple[str, ...] = ()
    sid: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()
    logon: tuple[str, ...] = ()
    command_line: tuple[str, ...] = ()
    created: tuple[str, ...] = ()


_SYSMON_ACTOR = _Names(guid=("ProcessGuid",), pid=("ProcessId",), image=("Image",), name=("User",), logon=("LogonId",),
                       command_line=("CommandLine",))
_SYSMON_SOURCE = _Names(guid=("SourceProcessGuid",), pid=("SourceProcessId",), image=("SourceImage",),
                        name=("SourceUser",))
_SYSMON_TARGET = _Names(guid=("TargetProcessGuid",), pid=("TargetProcessId",), image=("TargetImage",),
                        name=("TargetUser",))
_SYSMON_PARENT = _Names(guid=("ParentProcessGuid",), pid=("ParentProcessId",), image=("ParentImage",),
                        name=("ParentUser",), command_line=("ParentCommandLine",))
_SECURITY_ACTOR = _Names(pid=("ProcessId", "ClientProcessId"), image=("ProcessName", "Application"),
                         sid=("SubjectUserSid",), name=("SubjectUserName",), domain=("SubjectDomainName",),
                         logon=("SubjectLogonId",))
_VAULT_CLIENT = _Names(pid=("ClientProcessId",), sid=("SubjectUserSid",), name=("SubjectUserName",),
                       domain=("SubjectDomainName",), logon=("SubjectLogonId",), created=("ProcessCreationTime",))
_SECURITY_START = _Names(pid=("NewProcessId",), image=("NewProcessName",), sid=("SubjectUserSid",),
                         name=("SubjectUserName",), domain=("SubjectDomainName",), logon=("SubjectLogonId",),
                         command_line=("CommandLine", "ProcessCommandLine"))
_SECURITY_OTHER_USER = _Names(sid=("TargetUserSid",), name=("TargetUserName",), domain=("TargetDomainName",),
                              logon=("TargetLogonId",))
_SECURITY_PARENT = _Names(pid=("ParentProcessId", "ProcessId"), image=("ParentProcessName",))
_SCRIPT_HOST = _Names(pid=("Execution_ProcessID",), sid=("Security_UserID",))
_DPAPI_CALLER = _Names(pid=("CallerProcessID",), sid=("Security_UserID",), created=("CallerProcessCreationTime",))
_DEFENDER = _Names(pid=("ProcessID",), image=("ProcessName",), sid=("SID",), name=("DetectionUser", "User"),
                   domain=("Domain",))
_APPLOCKER = _Names(sid=("TargetUser",), logon=("TargetLogonId",))  # TargetProcessId: the vendor does not say whose
_CODE_INTEGRITY = _Names(pid=("Execution_ProcessID",), image=("ProcessName", "ProcessNameBuffer"),
                         sid=("Security_UserID",))
_BITS_JOB = _Names(pid=("processId",), image=("processPath",), name=("jobOwner",))
_TASK = _Names(pid=("ProcessID",), image=("Path",), name=("UserContext", "UserName"))  # 129: what the task started
_WMI_CLIENT = _Names(pid=("ClientProcessId", "processid"), name=("User",))
_FIREWALL = _Names(image=("ModifyingApplication",), sid=("ModifyingUser",))
_NAMES_BY_CHANNEL = {
    SYSMON: _SYSMON_ACTOR, SECURITY: _SECURITY_ACTOR, DPAPI: _DPAPI_CALLER, **dict.fromkeys(POWERSHELL, _SCRIPT_HOST),
    "microsoft-windows-windows defender/operational": _DEFENDER,
    "microsoft-windows-applocker/exe and dll": _APPLOCKER,
    "microsoft-windows-applocker/msi and script": _APPLOCKER,
    "microsoft-windows-codeintegrity/operational": _CODE_INTEGRITY,
    "microsoft-windows-bits-client/operational": _BITS_JOB,
    "microsoft-windows-taskscheduler/operational": _TASK,
    "microsoft-windows-wmi-activity/operational": _WMI_CLIENT,
    "microsoft-windows-windows firewall with advanced security/firewall": _FIREWALL,
}
_LIKE_SYSMON = "mde/"  # Defender's rows have Sysmon's ids and names (telemetry/mde_rows.py)
_INJECTIONS = frozenset({8, 10})  # Sysmon: remote thread, process access; they have a source and a target
_VAULT = frozenset({5376, 5377, 5379, 5380, 5381, 5382})  # of Credential Manager and the vault
_FILETIME_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_FILETIME_FROM = 10 ** 16  # the year 1632; smaller numbers are no FILETIME of a process


def getter(fields: Mapping[str, str]) -> Get:
    """Look fields up as Sigma does: exact spelling first, then without case."""
    names: tuple[str, ...] = ()

    def get(name: str) -> str:
        nonlocal names
        value = fields.get(name)
        if value is None:
            names = names or tuple(fields)
            spelling = _spelling(names, name)
            if spelling is None:
                return ""
            value = fields[spelling]
        return present(value)

    return get


@lru_cache(maxsize=10_000)  # records of one kind have the same names, and the same questions are asked of all
def _spelling(names: tuple[str, ...], name: str) -> str | None:
    """How a name is spelled among those of a record, the last if several ways, None where it is none of them."""
    folded = name.lower()
    return next((own for own in reversed(names) if own.lower() == folded), None)


def event_getter(event: Event) -> Get:
    """The same for an event: what is asked is nearly always in its data, under that very name."""
    data = event.data
    if data is None:
        return lambda name: present(event.text(name))

    def get(name: str) -> str:
        value = data.get(name)
        if value.__class__ is str:
            return present(value)
        return present(event.text(name)) if value is None else str(value)

    return get


def present(value: str) -> str:
    """The value, or "" for the ways in which Windows writes "nothing"."""
    stripped = value.strip()
    if stripped[:1] not in _ABSENT_BEGINS:  # nearly always
        return stripped
    return "" if len(stripped) <= _LONGEST_ABSENT and stripped.lower() in _ABSENT else stripped


def number(text: str) -> int:
    """A pid, port or logon id of 64 bits, written in decimal or as 0x hex; 0 where it is no such number."""
    if len(text) > _LONGEST_NUMBER:
        return 0
    try:
        return int(text, 16 if text[:2].lower() == "0x" else 10)
    except ValueError:
        return 0


def moment(text: str) -> datetime | None:
    """A time in a record's data: ISO 8601, or a FILETIME (100 ns since 1601) as a decimal or hex number; in UTC."""
    counted = number(text)
    if counted >= _FILETIME_FROM:
        try:
            return in_utc(_FILETIME_EPOCH + timedelta(microseconds=counted // 10))
        except OverflowError:
            return None
    return iso(text) if text and not counted else None


def guid(text: str) -> str:
    """A GUID in one spelling: lower case, no braces; "" for the null GUID, and for what is too long to be one."""
    return _guid(text) if len(text) <= _LONGEST_GUID else ""


@lru_cache(maxsize=10_000)
def _guid(text: str) -> str:
    plain = text.strip("{} ").lower()
    return plain if plain.strip("0-") else ""


@lru_cache(maxsize=1_024)  # of few paths, each asked for again and again
def image_name(path: str) -> str:
    """The file name of an image path, as written; works on device paths too."""
    return path[max(path.rfind("\\"), path.rfind("/")) + 1:]


@lru_cache(maxsize=1_024)
def kind_of(channel: str) -> str:
    """The channel whose field names a record has: its own in lower case, Sysmon's for Defender's rows."""
    folded = channel.lower()
    return SYSMON if folded.startswith(_LIKE_SYSMON) else folded


def actor_of(channel: str, event_id: int, get: Get) -> Actor:
    """The process that did what the record tells; for 4688 and Sysmon 1 the new process itself."""
    names = _actor_names(kind_of(channel), event_id)
    return _security_start(get) if names is _SECURITY_START else _read(names, get)


def process_of(channel: str, event_id: int, get: Get) -> tuple[int, str, str]:
    """Pid, GUID and image of that process, where no more is asked: in a hunt this runs for most records."""
    names = _actor_names(kind_of(channel), event_id)
    return number(_first(names.pid, get)), guid(_first(names.guid, get)), _first(names.image, get)


def _actor_names(channel: str, event_id: int) -> _Names:
    if channel == SYSMON and event_id in _INJECTIONS:
        return _SYSMON_SOURCE
    if channel == SECURITY and event_id == 4688:
        return _SECURITY_START
    if channel == SECURITY and event_id in _VAULT:
        return _VAULT_CLIENT
    return _NAMES_BY_CHANNEL.get(channel, _SYSMON_ACTOR)


def target_of(channel: str, event_id: int, get: Get) -> Actor | None:
    """The process something was done to (Sysmon 8 and 10), None for records without a target."""
    if kind_of(channel) == SYSMON and event_id in _INJECTIONS:
        return _read(_SYSMON_TARGET, get)
    return None


def parent_of(channel: str, get: Get) -> Actor:
    """The parent named by a process start."""
    return _read(_SECURITY_PARENT if channel.lower() == SECURITY else _SYSMON_PARENT, get)


def is_start(channel: str, event_id: int) -> bool:
    """Whether the record is the start of its process."""
    return (kind_of(channel), event_id) in {(SYSMON, 1), (SECURITY, 4688)}


def destination_of(channel: str, event_id: int, get: Get) -> Destination | None:
    """The destination of a network record (Sysmon 3 and 22, Security 5156), None for other records."""
    kind = (kind_of(channel), event_id)
    if kind == (SYSMON, 22):
        answers = map(spelled, get("QueryResults").split(";"))
        return Destination(tuple(filter(None, answers)), get("QueryName").lower().rstrip("."), 0)
    if kind in {(SYSMON, 3), (SECURITY, 5156)}:
        address = spelled(get("DestinationIp") or get("DestAddress"))
        port = get("DestinationPort") or get("DestPort")
        return Destination((address,) if address else (), get("DestinationHostname").lower(), number(port))
    return None


def object_of(get: Get) -> str:
    """The file, key, or query the record is about, "" where it is about none."""
    return next(filter(None, map(get, ("ObjectName", "TargetFilename", "TargetObject", "QueryName", "TaskName",
                                          "TargetName"))), "")


def command_text(get: Get) -> str:
    """The command a record stores for later or that somebody typed: registry data, task, command line, startup file."""
    text = next(filter(None, map(get, ("Details", "NewValue", "TaskContent", "CommandLine", "TargetFilename"))),
                "")
    return text[:-2] if text.endswith("\\1") else text  # RunMRU values end in \1


def sha256_of(get: Get) -> str:
    """The SHA-256 of the file or program the record is about, in lower case; "" where it gives none."""
    text = get("Hashes") or get("Hash")
    if not text:
        return ""
    found = _SHA256.search(text)
    return found.group(1).lower() if found else ""


def hive_owner(get: Get) -> str:
    """The SID whose registry hive the record is about, "" if none."""
    found = _HIVE_OWNER.search(object_of(get))
    return found.group(1).upper() if found else ""


def _first(choices: tuple[str, ...], get: Get) -> str:
    for name in choices:
        if value := get(name):
            return value
    return ""


def _read(names: _Names, get: Get) -> Actor:
    name = _first(names.name, get)
    domain = _first(names.domain, get)
    logon = str(number(_first(names.logon, get))) if names.logon else ""
    sid = _first(names.sid, get).upper()
    return Actor(
        guid(_first(names.guid, get)), number(_first(names.pid, get)), _first(names.image, get),
        sid if sid and sid != "S-1-0-0" and is_sid(sid) else "",
        f"{domain}\\{name}" if domain and name and "\\" not in name else name,
        "" if logon in _NO_SESSION else logon, _first(names.command_line, get),
        moment(_first(names.created, get)) if names.created else None)


def _security_start(get: Get) -> Actor:
    """4688 names the creator; where the process runs as somebody else (a service, runas), Target* names them."""
    started, other = _read(_SECURITY_START, get), _read(_SECURITY_OTHER_USER, get)
    if not other.user_sid:
        return started
    return Actor(pid=started.pid, image=started.image, user_sid=other.user_sid, user_name=other.user_name,
                 logon=other.logon or started.logon, command_line=started.command_line)
