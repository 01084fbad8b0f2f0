r"""Read allow-lists (--allow): what somebody decided is expected on their hosts, with a reason and an end.

    rule,host,process,reason,expires
    chromium_store_read,ws-*,C:\Program Files\Backup\agent.exe,"Backs up profiles, CHG-1042",2027-03-31

An entry names one rule, hosts, programs by full path, why, and the last day (UTC) on which it holds; `user` and
`command` narrow it further. A name without a folder is refused, because any stealer can take any name. What a program
that users can write may do in the name of an entry is said as a remark, and left to whoever signs it. Entries go out
in order, as a person wrote them; suppress.py holds them against the alerts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from douse.hunt.names import Wildcard
from douse.hunt.tables import Columns, Line, Table, read_table, shown

COLUMNS = Columns(("rule", "host", "process", "reason", "expires"), ("user", "command", "ticket", "note"))
MAX_ENTRIES = 10_000
MAX_PATH = 1_024
"""Characters of a process: each `*` in one costs a comparison with every record of its rule."""

ANY = "*"
_FULL_PATH = "Write the full path, as in C:\\Program Files\\Vendor\\agent.exe"

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_ROOTED = re.compile(r"(?:[a-z]:|\\\\[^\\*?]+\\[^\\*?]+|\\device\\[^\\*?]+)\\", re.IGNORECASE)
_PROTECTED = re.compile(r"c:\\(?:program files(?: \(x86\))?|windows)\\")
_WRITABLE = (
    "c:\\users\\", "c:\\programdata\\", "c:\\perflogs\\", "c:\\temp\\", "c:\\tmp\\", "c:\\$recycle.bin\\",
    "c:\\windows\\temp\\", "c:\\windows\\tasks\\", "c:\\windows\\tracing\\",
    "c:\\windows\\system32\\spool\\drivers\\color\\",
)
"""Folders in which users can place programs on a Windows as it is installed; not all of them."""
_ADMINISTRATORS = "c:\\programdata\\microsoft\\windows defender\\platform\\"
"""Lies in one of these and is only writable for Windows."""
_WINDOWS = "c:\\windows\\"
_NO_FOLDER = re.compile(r"(?:[a-z]:|\\device\\[^\\]+)\\[^\\]*\*", re.IGNORECASE)
_DEVICE = re.compile(r"^\\device\\[^\\]+\\", re.IGNORECASE)
_TEMPORARY = re.compile(r"\\te?mp\\", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an allow-list, as written. `expires` is its last day in UTC; `remarks` are what a reviewer should
    know of it. `user` and `command` are empty where they do not matter."""

    file: str
    line: int
    rule: str
    host: str
    process: str
    reason: str
    expires: date
    user: str = ""
    command: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """`file:line`."""
        return f"{self.file}:{self.line}"


def read_allow(paths: Iterable[Path]) -> tuple[tuple[Entry, ...], tuple[Table, ...]]:
    """The entries of all files in the order named, and the files. Raises ContentError with file and line."""
    entries: list[Entry] = []
    tables = tuple(read_table(path, COLUMNS) for path in dict.fromkeys(paths))
    for table in tables:
        entries += map(_entry, table.lines)
        if len(entries) > MAX_ENTRIES:
            table.lines[-1].fail(f"there are more than {MAX_ENTRIES:,} entries.",
                                 "Write one with * for a rule that is noisy everywhere.")
    return tuple(entries), tables


def _entry(line: Line) -> Entry:
    for column in COLUMNS.required:
        if not line[column]:
            line.fail(f"{column} is empty.", _WANTED[column])
    if ANY in line["rule"]:
        line.fail(f"rule {shown(line['rule'])} stands for more than one rule.",
                  "Name one rule; what is expected of one is not expected of all.")
    process = _process(line)
    return Entry(line.file, line.number, line["rule"], line["host"], process, line["reason"], _day(line), line["user"],
                 line["command"], _remarks(process, line))


_WANTED = {
    "rule": "Name a rule by id, file name or title; see: douse rules list",
    "host": "Name a host, or * for all.",
    "process": "Write the program's full path, or * where the rule's records name no program.",
    "reason": "Say why this is expected, so that whoever reviews the list can judge it.",
    "expires": "Give the last day (UTC) on which it holds, as in 2027-03-31.",
}


def _day(line: Line) -> date:
    text = line["expires"]
    try:
        return date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        line.fail(f"expires {shown(text)} is no date.", "Write year-month-day, as in 2027-03-31.")


def _process(line: Line) -> str:
    """The programs' path, with backslashes. One that says nothing of where they lie is an error."""
    path = line["process"].strip('"').replace("/", "\\")
    if path == ANY:
        return path
    said = f"process {shown(path)}"
    if "\\" not in path.lstrip(ANY + "\\") or _NO_FOLDER.match(path):
        line.fail(f"{said} names no folder before its name or *, and any program can take any name.", _FULL_PATH)
    if "%" in path.partition("\\")[0]:
        line.fail(f"{said} begins with a variable.", "Write the folder out, as in C:\\Program Files.")
    if not _ROOTED.match(path):
        line.fail(f"{said} does not begin with a drive, a share or a device.", _FULL_PATH)
    if path.endswith("\\"):
        line.fail(f"{said} names a folder.", "Add the program's name, or * for all programs in it.")
    if "?" in path or {"", ".", ".."} & set(path[2:].split("\\")[1:]) or len(path) > MAX_PATH:
        line.fail(f"{said} is no path as Windows logs it.", "Write it without '..' and '?'; the only wildcard is *.")
    return path


def _remarks(process: str, line: Line) -> tuple[str, ...]:
    """What a reviewer should know of an entry for these programs."""
    if process == ANY:
        return ("any program fits process *, a stealer's too",)
    path = Wildcard(_DEVICE.sub(lambda _: "c:\\", process))
    if process.startswith("\\\\"):
        return ("the program lies on a share; whoever can write there can put a stealer in its place",)
    if path.start.startswith(_ADMINISTRATORS):
        return ()
    if any(map(path.reaches, _WRITABLE)) or _TEMPORARY.search(process):
        return ("the path fits folders that users can write to, where a stealer may lie",)
    if not _PROTECTED.match(path.start):
        return ("the path is not in Program Files or Windows; check that only administrators can write there",)
    if path.start.startswith(_WINDOWS) and not line["command"]:
        return ("the program is a part of Windows, such as stealers run or inject; narrow it with command",)
    return ()
