"""What PowerShell and Microsoft Defender log in their own channels.

Script blocks are logged by the PowerShell process itself, under its user. Defender's fields have blanks in their names.
The texts of script blocks are the scenario's; they are text in a log, nothing here runs anything.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from douse.simulate.actors import Host, Process
from douse.simulate.record import Record
from douse.simulate.values import Guid, Value, time_text

POWERSHELL_CHANNEL = "Microsoft-Windows-PowerShell/Operational"
POWERSHELL_GUID = "A0C1853B-5C40-4B15-8766-3CF1C58F985A"
DEFENDER_CHANNEL = "Microsoft-Windows-Windows Defender/Operational"
DEFENDER_GUID = "11CD958A-C507-4EF3-B3F2-5FD9DFBD2C78"

_PRODUCT: dict[str, Value] = {"Product Name": "Microsoft Defender Antivirus", "Product Version": "4.18.26090.5"}
_NO_ACTION = "Not Applicable"
_VERBOSE, _WARNING, _INFORMATION = 5, 3, 4


def _guid(*parts: object) -> Guid:
    """A GUID made from what it stands for, so that the same scene gives the same one."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
    return Guid(f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:]}")


def script_block(host: Host, time: datetime, process: Process, text: str, path: str = "", *,
                 suspicious: bool = False) -> tuple[Record]:
    """PowerShell 4104: one script block; Windows raises its level to warning where its own list finds it suspicious."""
    return (Record(
        POWERSHELL_CHANNEL, "Microsoft-Windows-PowerShell", POWERSHELL_GUID, 4104, 1,
        _WARNING if suspicious else _VERBOSE, 2, 15, 0, time + timedelta(milliseconds=2), host.name, process.pid,
        host.thread(time),
        {"MessageNumber": 1, "MessageTotal": 1, "ScriptBlockText": text,
         "ScriptBlockId": str(_guid(host.name, time, text)).lower(), "Path": path},
        user_sid=process.account.sid, activity_id=_guid(process.guid, time),
    ),)


def _defender(host: Host, time: datetime, defender: Process, event_id: int, level: int,
              data: dict[str, Value]) -> tuple[Record]:
    return (Record(DEFENDER_CHANNEL, "Microsoft-Windows-Windows Defender", DEFENDER_GUID, event_id, 0, level, 0, 0,
                   1 << 63, time, host.name, defender.pid, host.thread(time), {**_PRODUCT, **data},
                   user_sid="S-1-5-18"),)


def _braced(guid: Guid) -> str:
    return f"{{{guid}}}"


def _scan(host: Host, started: datetime) -> dict[str, Value]:
    return {
        "Scan ID": _braced(_guid(host.name, started)), "Scan Type Index": "1", "Scan Type": "Antimalware",
        "Scan Parameters Index": "1", "Scan Parameters": "Quick Scan", "Domain": "NT AUTHORITY", "User": "SYSTEM",
        "SID": "S-1-5-18",
    }


def scan_started(host: Host, time: datetime, process: Process) -> tuple[Record]:
    """Defender 1000: a quick scan began. The process is Defender's service, here and below."""
    return _defender(host, time, process, 1000, _INFORMATION, {**_scan(host, time), "Scan Resources": ""})


def scan_finished(host: Host, time: datetime, process: Process, seconds: int) -> tuple[Record]:
    """Defender 1001: the quick scan that began so many seconds ago is over."""
    return _defender(host, time, process, 1001, _INFORMATION, {
        **_scan(host, time - timedelta(seconds=seconds)), "Scan Time Hours": str(seconds // 3600),
        "Scan Time Minutes": str(seconds // 60 % 60), "Scan Time Seconds": str(seconds % 60),
    })


def _threat(host: Host, time: datetime, threat: str, path: str, by: Process | None, action: str) -> dict[str, Value]:
    number = 2147800000 + int(hashlib.blake2b(threat.encode(), digest_size=2).hexdigest(), 16)
    handled = action != _NO_ACTION
    return {
        "Detection ID": _braced(_guid(host.name, threat, path)), "Detection Time": time_text(time)[:-4] + "Z",
        "Unused": "", "Unused2": "", "Threat ID": str(number), "Threat Name": threat, "Severity ID": "5",
        "Severity Name": "Severe", "Category ID": "8", "Category Name": threat.partition(":")[0],
        "FWLink": f"https://go.microsoft.com/fwlink/?linkid=37020&name={threat}&threatid={number}&enterprise=1",
        "Status Code": "3" if handled else "1", "Status Description": "", "State": "2" if handled else "1",
        "Source ID": "3", "Source Name": "Real-Time Protection", "Process Name": by.image if by else "Unknown",
        "Detection User": by.account.full_name if by else "NT AUTHORITY\\SYSTEM", "Unused3": "",
        "Path": f"file:_{path}", "Origin ID": "1", "Origin Name": "Local machine", "Execution ID": "1",
        "Execution Name": "Suspended", "Type ID": "0", "Type Name": "Concrete", "Pre Execution Status": "0",
        "Action ID": "2" if handled else "9", "Action Name": action, "Unused4": "", "Error Code": "0x00000000",
        "Error Description": "The operation completed successfully. ", "Unused5": "", "Post Clean Status": "0",
        "Additional Actions ID": "0", "Additional Actions String": "No additional actions required",
        "Remediation User": "NT AUTHORITY\\SYSTEM" if handled else "", "Unused6": "",
        "Security intelligence Version": "AV: 1.439.210.0, AS: 1.439.210.0, NIS: 1.439.210.0",
        "Engine Version": "AM: 1.1.26090.4, NIS: 1.1.26090.4",
    }


def malware_found(host: Host, time: datetime, process: Process, threat: str, path: str,
                  by: Process | None = None) -> tuple[Record]:
    """Defender 1116: something was recognised in a file, nothing done yet; `by` is who touched the file."""
    return _defender(host, time, process, 1116, _WARNING, _threat(host, time, threat, path, by, _NO_ACTION))


def malware_handled(host: Host, time: datetime, process: Process, threat: str, path: str, by: Process | None = None,
                    action: str = "Quarantine") -> tuple[Record]:
    """Defender 1117: something was done about it."""
    return _defender(host, time, process, 1117, _INFORMATION, _threat(host, time, threat, path, by, action))


def protection_changed(host: Host, time: datetime, process: Process, old: str, new: str) -> tuple[Record]:
    """Defender 5007: a setting changed, such as an exclusion that was added."""
    return _defender(host, time, process, 5007, _INFORMATION, {"Old Value": old, "New Value": new})
