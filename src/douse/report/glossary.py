"""Words for people who do not read logs all day: terms, names of ATT&CK techniques and of common event ids.

Facts and our own sentences only. A name that is missing here costs a reader one look-up: the id is always shown.
"""

from __future__ import annotations

from douse.content.attack import attack

GLOSSARY: tuple[tuple[str, str], ...] = (
    ("Alert", "One detection rule matched one log record. An alert alone is a hint, not a verdict."),
    ("ATT&CK technique", "A numbered entry (such as T1555.003) in MITRE's public catalogue of attackers' methods."),
    ("Blind spot", "Telemetry that was not recorded or not given to Douse, so that something could not be judged."),
    ("Control", "A setting of Windows or a browser that takes away a step of an attack, or makes it visible."),
    ("Credential store", "A file or database in which a program keeps passwords, session cookies, keys or a wallet."),
    (
        "Dead drop",
        "A public page (a chat profile, a paste) from which malware reads the address of its real server.",
    ),
    ("Evidence class", "The kind of thing an alert shows: execution, injection, access to stores, transfer and so on."),
    ("Exfiltration", "Stolen data leaving the machine. Host logs show the connection, seldom how much was sent."),
    ("Fidelity", "How surely a rule means what it says: 1.0 exact, 0.7 a good heuristic, 0.4 a weak sign."),
    ("Incident", "Alerts on one host that belong together by their processes, users and times, told as one story."),
    ("Indicator", "An address, file or key of an attack, to search for elsewhere; some are to be blocked."),
    (
        "Infostealer",
        "Malware that copies passwords, sessions and wallets within minutes, sends them out and often leaves.",
    ),
    ("Injection", "Running code inside another, trusted program's process, so that its actions bear that name."),
    ("Loader", "A program that brings another: the stealer comes out of it, and the two are told apart."),
    ("Lost record", "A log record that is damaged or cut off and could not be read. Lost records are counted."),
    (
        "Paste and run (ClickFix)",
        "A web page persuades a person to paste a command into Windows, for instance as a fake captcha.",
    ),
    ("RunMRU", "The registry key in which Windows remembers what was typed into the Run dialog (Win+R)."),
    (
        "SACL, event 4663",
        "The audit setting of a file or folder. Only with it does Windows record who read a password store.",
    ),
    ("Sequence", "A named order of events that is far more telling than its parts, such as stores read, then sent."),
    ("Session", "Being signed in: whoever has its cookie or token is that user, without password and second factor."),
    ("Sigma rule", "A detection rule in an open text format. Douse brings its own and reads others."),
    ("Sysmon", "A free Microsoft tool that records process starts, connections and more in the event log."),
)

_SYSMON = "microsoft-windows-sysmon/operational"
_POWERSHELL = "microsoft-windows-powershell/operational"

EVENTS = {
    (_SYSMON, 1): "process started",
    (_SYSMON, 3): "network connection",
    (_SYSMON, 5): "process ended",
    (_SYSMON, 7): "library loaded",
    (_SYSMON, 8): "remote thread created",
    (_SYSMON, 10): "process opened by another",
    (_SYSMON, 11): "file created",
    (_SYSMON, 12): "registry key or value created or deleted",
    (_SYSMON, 13): "registry value set",
    (_SYSMON, 15): "file stream created",
    (_SYSMON, 22): "DNS query",
    (_SYSMON, 23): "file deleted, archived",
    (_SYSMON, 24): "clipboard changed",
    (_SYSMON, 25): "process image tampered with",
    (_SYSMON, 26): "file deleted",
    ("security", 4624): "logon",
    ("security", 4625): "failed logon",
    ("security", 4634): "logoff",
    ("security", 4656): "handle to an object requested",
    ("security", 4657): "registry value changed",
    ("security", 4663): "object accessed",
    ("security", 4672): "special privileges assigned",
    ("security", 4688): "process started",
    ("security", 4689): "process ended",
    ("security", 4698): "scheduled task created",
    ("security", 5156): "connection allowed",
    ("security", 5157): "connection blocked",
    ("security", 5379): "stored credentials read",
    (_POWERSHELL, 4103): "PowerShell pipeline",
    (_POWERSHELL, 4104): "PowerShell script block",
    ("system", 7036): "service changed state",
    ("system", 7045): "service installed",
    ("microsoft-windows-windows defender/operational", 1116): "malware found",
    ("microsoft-windows-windows defender/operational", 1117): "malware acted upon",
}


def technique_name(technique: str) -> str:
    """The name of an ATT&CK technique, empty where the table we ship does not know it."""
    found = attack().techniques.get(technique)
    return found.name if found else ""


def event_name(channel: str, event_id: int) -> str:
    """What a record of this channel and id says, empty where it is not in our list."""
    return EVENTS.get((channel.lower(), event_id), "")
