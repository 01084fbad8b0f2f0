r"""The rendered Message of a record back to its data: `\tNew Process Name:\tC:\a.exe` is NewProcessName.

Splunk's classic input (renderXml = false) keeps of a record's data only this text. It can be read where the vendor
documents which value stands behind which label: Sysmon's messages name the fields themselves, Security's put labels
under headings (Microsoft's page on each event shows both; all of it but 5157 and 7045 was compared with 42,333 real
records that have the message and the fields). Everything else is unreadable rather than guessed, and so is

- a message in another language than English, because none of the labels is in it;
- a message in which a label occurs twice: a line break in a command line can fake the fields behind it.

Values that Windows words (`%%14593` is "Outbound") get their number back where a rule or an alias asks for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from douse.content.fields import field_table

Fields = dict[str, str]
Labels = Mapping[str, Mapping[str, str]]

_SUBJECT: Final = {"Security ID": "SubjectUserSid", "Account Name": "SubjectUserName",
                   "Account Domain": "SubjectDomainName", "Logon ID": "SubjectLogonId"}
_TARGET: Final = {"Security ID": "TargetUserSid", "Account Name": "TargetUserName",
                  "Account Domain": "TargetDomainName", "Logon ID": "TargetLogonId"}
_PROCESS: Final = {"Process ID": "ProcessId", "Process Name": "ProcessName"}
_OBJECT: Final = {"Object Server": "ObjectServer", "Object Type": "ObjectType", "Object Name": "ObjectName",
                  "Handle ID": "HandleId", "Resource Attributes": "ResourceAttributes"}
_ACCESS: Final = {"Accesses": "AccessList", "Access Mask": "AccessMask"}
_LOGON: Final = {
    "Subject": _SUBJECT,
    "": {"Logon Type": "LogonType", "Impersonation Level": "ImpersonationLevel"},
    "Logon Information": {"Logon Type": "LogonType", "Restricted Admin Mode": "RestrictedAdminMode",
                          "Virtual Account": "VirtualAccount", "Elevated Token": "ElevatedToken"},
    "New Logon": {**_TARGET, "Linked Logon ID": "TargetLinkedLogonId", "Logon GUID": "LogonGuid",
                  "Network Account Name": "TargetOutboundUserName",
                  "Network Account Domain": "TargetOutboundDomainName"},
    "Process Information": _PROCESS,
    "Network Information": {"Workstation Name": "WorkstationName", "Source Network Address": "IpAddress",
                            "Source Port": "IpPort"},
    "Detailed Authentication Information": {
        "Logon Process": "LogonProcessName", "Authentication Package": "AuthenticationPackageName",
        "Transited Services": "TransmittedServices", "Package Name (NTLM only)": "LmPackageName",
        "Key Length": "KeyLength"},
}
_CONNECTION: Final = {
    "Application Information": {"Process ID": "ProcessID", "Application Name": "Application"},
    "Network Information": {"Direction": "Direction", "Source Address": "SourceAddress", "Source Port": "SourcePort",
                            "Destination Address": "DestAddress", "Destination Port": "DestPort",
                            "Protocol": "Protocol"},
    "Filter Information": {"Filter Run-Time ID": "FilterRTID", "Layer Name": "LayerName",
                           "Layer Run-Time ID": "LayerRTID"},
}
_LABELS: Final[Mapping[tuple[str, int], Labels]] = {
    ("security", 4624): _LOGON,
    ("security", 4656): {"Subject": _SUBJECT, "Object": _OBJECT, "Process Information": _PROCESS,
                         "Access Request Information": {
                             **_ACCESS, "Transaction ID": "TransactionId", "Access Reasons": "AccessReason",
                             "Privileges Used for Access Check": "PrivilegeList",
                             "Restricted SID Count": "RestrictedSidCount"}},
    ("security", 4657): {"Subject": _SUBJECT, "Process Information": _PROCESS,
                         "Object": {"Object Name": "ObjectName", "Object Value Name": "ObjectValueName",
                                    "Handle ID": "HandleId", "Operation Type": "OperationType"},
                         "Change Information": {"Old Value Type": "OldValueType", "Old Value": "OldValue",
                                                "New Value Type": "NewValueType", "New Value": "NewValue"}},
    ("security", 4663): {"Subject": _SUBJECT, "Object": _OBJECT, "Process Information": _PROCESS,
                         "Access Request Information": _ACCESS},
    ("security", 4688): {
        "Subject": _SUBJECT, "Creator Subject": _SUBJECT, "Target Subject": _TARGET,
        "Process Information": {
            "New Process ID": "NewProcessId", "New Process Name": "NewProcessName",
            "Token Elevation Type": "TokenElevationType", "Mandatory Label": "MandatoryLabel",
            "Creator Process ID": "ProcessId", "Creator Process Name": "ParentProcessName",
            "Process Command Line": "CommandLine"}},
    ("security", 4689): {"Subject": _SUBJECT, "Process Information": {**_PROCESS, "Exit Status": "Status"}},
    ("security", 5156): _CONNECTION,
    ("security", 5157): _CONNECTION,
    ("system", 7045): {"": {"Service Name": "ServiceName", "Service File Name": "ImagePath",
                            "Service Type": "ServiceType", "Service Start Type": "StartType",
                            "Service Account": "AccountName"}},
}
_NUMBERS: Final[Mapping[str, Mapping[str, str]]] = {
    "Direction": {"Inbound": "%%14592", "Outbound": "%%14593"},
    "OperationType": {"New registry value created": "%%1904", "Existing registry value modified": "%%1905",
                      "Registry value deleted": "%%1906"},
    "AccessList": {"DELETE": "%%1537", "READ_CONTROL": "%%1538", "WRITE_DAC": "%%1539", "WRITE_OWNER": "%%1540",
                   "SYNCHRONIZE": "%%1541", "ReadData (or ListDirectory)": "%%4416", "WriteData (or AddFile)": "%%4417",
                   "AppendData (or AddSubdirectory or CreatePipeInstance)": "%%4418", "ReadEA": "%%4419",
                   "WriteEA": "%%4420", "Execute/Traverse": "%%4421", "DeleteChild": "%%4422",
                   "ReadAttributes": "%%4423", "WriteAttributes": "%%4424", "Query key value": "%%4432",
                   "Set key value": "%%4433", "Create sub-key": "%%4434", "Enumerate sub-keys": "%%4435",
                   "Notify about changes to keys": "%%4436", "Create Link": "%%4437"},
}
_MANY_LINES: Final = frozenset({"CommandLine", "AccessList", "AccessReason", "OldValue", "NewValue"})
_FREE_TEXT: Final = frozenset({"CommandLine", "ParentCommandLine", "Details", "Contents", "Query", "Consumer"})
_LABEL: Final = re.compile(r"([\t ]*)([A-Z][^:\t]{0,60}):[\t ]*(.*)")
_SYSMON_CHANNEL: Final = "microsoft-windows-sysmon/operational"
_SCRIPT_CHANNELS: Final = ("microsoft-windows-powershell/operational", "powershellcore/operational")
_SCRIPT: Final = re.compile(r"[^\n]*\((\d+) [^\n\d]* (\d+)\):\n(.*)\n\nScriptBlock ID: ([0-9A-Fa-f-]{36})\nPath:(.*)",
                            re.DOTALL)


def data_of(channel: str, event_id: int, message: str) -> Fields | None:
    """The data fields that a rendered message states; None where it cannot be read."""
    channel, message = channel.lower(), message.replace("\r\n", "\n")
    if channel == _SYSMON_CHANNEL:
        return _named(message, frozenset(field_table().records.get((channel, event_id), ())))
    if channel in _SCRIPT_CHANNELS and event_id == 4104:
        return _script_block(message)
    labels = _LABELS.get((channel, event_id))
    return _labelled(message, labels) if labels else None


def is_readable(channel: str, event_id: int) -> bool:
    """Whether records of this kind can be read from their message."""
    channel = channel.lower()
    return (channel == _SYSMON_CHANNEL or (channel, event_id) in _LABELS
            or (channel in _SCRIPT_CHANNELS and event_id == 4104))


def _named(message: str, names: frozenset[str]) -> Fields | None:
    """Sysmon's `Image: C:\\a.exe`; of a value with line breaks, later lines are told by naming no field."""
    data: dict[str, list[str]] = {}
    current = ""
    for line in message.split("\n")[1:]:
        name, colon, value = line.partition(":")
        if colon and (name in names or (name.isalnum() and current not in _FREE_TEXT)):
            if name in data:
                return None
            data[name], current = [value.removeprefix(" ")], name
        elif current in _FREE_TEXT:
            data[current].append(line)
    return {name: "\n".join(lines).rstrip("\n") for name, lines in data.items()} if "UtcTime" in data else None


def _script_block(message: str) -> Fields | None:
    found = _SCRIPT.fullmatch(message.rstrip("\n"))
    if found is None:
        return None
    return {"MessageNumber": found[1], "MessageTotal": found[2], "ScriptBlockText": found[3],
            "ScriptBlockId": found[4], "Path": found[5].strip()}


def _labelled(message: str, labels: Labels) -> Fields | None:
    """Security's labels under headings."""
    data: dict[str, list[str]] = {}
    heading, current = "", ""
    for line in message.split("\n"):
        found = _LABEL.fullmatch(line)
        if found is not None and not found[1] and not found[3]:
            heading, current = found[2], ""
            continue
        name = labels.get(heading if found[1] else "", {}).get(found[2]) if found else None
        if found is not None and name is not None:
            if name in data:
                return None
            data[name], current = [found[3].rstrip()], name
        elif not line:
            current = ""
        elif current in _MANY_LINES:
            data[current].append(line)
        else:
            current = ""
    return {name: _numbered(name, "\n".join(lines).rstrip()) for name, lines in data.items()} or None


def _numbered(name: str, value: str) -> str:
    """A worded value with its number, line by line; what is no such word stays."""
    numbers = _NUMBERS.get(name)
    if numbers is None:
        return value
    words = [word.strip() for word in value.split("\n")]
    return "\n".join(numbers.get(word, word) for word in words if word)
