"""Lists of what is expected: which entries are taken, which are refused and why, which are remarked upon."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from douse.errors import ContentError
from douse.hunt import allow
from douse.hunt.allow import Entry, read_allow

HEADER = "rule,host,process,reason,expires,user,command"
AGENT = r"C:\Program Files\Backup\agent.exe"


def entry(tmp_path: Path, **cells: str) -> Entry:
    """One entry, ordinary but for the cells named."""
    row = {"rule": "r", "host": "*", "process": AGENT, "reason": "CHG-1", "expires": "2027-03-31", **cells}
    path = tmp_path / "allow.csv"
    path.write_text(f"{HEADER}\n" + ",".join(row.get(name, "") for name in HEADER.split(",")) + "\n", encoding="utf-8")
    ((found,), _) = read_allow([path])
    return found


def test_an_entry_is_kept_as_written(tmp_path: Path) -> None:
    found = entry(tmp_path, user=r"CORP\svc", command="--backup")
    assert found == Entry(str(tmp_path / "allow.csv"), 2, "r", "*", AGENT, "CHG-1", date(2027, 3, 31), r"CORP\svc",
                          "--backup", ())
    assert found.where == f"{tmp_path / 'allow.csv'}:2"


@pytest.mark.parametrize(("column", "value", "what", "next_step"), [
    ("rule", "", "rule is empty", "douse rules list"),
    ("rule", "*", "more than one rule", "Name one rule"),
    ("rule", "chromium_*", "more than one rule", "Name one rule"),
    ("host", "", "host is empty", "* for all"),
    ("reason", "", "reason is empty", "why this is expected"),
    ("expires", "", "expires is empty", "2027-03-31"),
    ("expires", "never", "'never' is no date", "2027-03-31"),
    ("expires", "31.12.2027", "is no date", "year-month-day"),
    ("expires", "20271231", "is no date", "year-month-day"),
    ("expires", "2027-02-30", "is no date", "year-month-day"),
    ("expires", "2027-12-31T00:00:00Z", "is no date", "year-month-day"),
    ("process", "", "process is empty", "full path"),
    ("process", "agent.exe", "any program can take any name", r"C:\Program Files"),
    ("process", r"*\agent.exe", "any program can take any name", r"C:\Program Files"),
    ("process", r"**\\agent.exe", "any program can take any name", ""),
    ("process", "*agent.exe", "any program can take any name", ""),
    ("process", r"C:\*", "any program can take any name", ""),
    ("process", r"c:\*\agent.exe", "any program can take any name", ""),
    ("process", r"C:\Prog*\agent.exe", "any program can take any name", ""),
    ("process", r"C:\Program Files*\agent.exe", "any program can take any name", ""),
    ("process", r"\Device\HarddiskVolume3\*\agent.exe", "any program can take any name", ""),
    ("process", r"*:\Program Files\agent.exe", "does not begin with a drive", ""),
    ("process", r"Program Files\agent.exe", "does not begin with a drive", ""),
    ("process", r"\\?\C:\Program Files\agent.exe", "does not begin with a drive", ""),
    ("process", r"%ProgramFiles%\Backup\agent.exe", "begins with a variable", "Write the folder out"),
    ("process", "C:\\Program Files\\Backup\\", "names a folder", "* for all programs"),
    ("process", r"C:\Program Files\..\Users\agent.exe", "no path as Windows logs it", "'..'"),
    ("process", r"C:\Program Files\\agent.exe", "no path as Windows logs it", ""),
    ("process", r"C:\Program Files\agen?.exe", "no path as Windows logs it", "only wildcard is *"),
    ("process", "C:\\Program Files\\" + "a" * 2_000, "no path as Windows logs it", ""),
])
def test_what_is_refused(column: str, value: str, what: str, next_step: str, tmp_path: Path) -> None:
    with pytest.raises(ContentError) as caught:
        entry(tmp_path, **{column: value})
    assert caught.value.where == f"{tmp_path / 'allow.csv'}:2"
    assert what in caught.value.what
    assert next_step in caught.value.next_step


@pytest.mark.parametrize(("process", "remark"), [
    (AGENT, ""),
    (r"C:/Program Files (x86)/Vendor/*/agent.exe", ""),
    (r'\Device\HarddiskVolume3\Program Files\Backup\agent.exe', ""),
    (r"C:\ProgramData\Microsoft\Windows Defender\Platform\*\MsMpEng.exe", ""),
    ("*", "any program fits"),
    (r"C:\Users\anna\agent.exe", "users can write to"),
    (r"C:\Users\*\AppData\Local\Vendor\agent.exe", "users can write to"),
    (r"C:\ProgramData\Vendor\agent.exe", "users can write to"),
    (r"C:\Windows\Temp\agent.exe", "users can write to"),
    (r"C:\Windows\*\agent.exe", "users can write to"),
    (r"C:\Windows\Te*\agent.exe", "users can write to"),
    (r"C:\Program Files\Vendor\Temp\agent.exe", "users can write to"),
    (r"\Device\HarddiskVolume3\Users\anna\agent.exe", "users can write to"),
    (r"C:\Tools\agent.exe", "check that only administrators"),
    (r"D:\Program Files\Backup\agent.exe", "check that only administrators"),
    (r"C:\Windows \System32\agent.exe", "check that only administrators"),
    (r"\\server\share\agent.exe", "lies on a share"),
    (r"C:\Windows\System32\svchost.exe", "a part of Windows"),
])
def test_what_is_remarked_upon(process: str, remark: str, tmp_path: Path) -> None:
    remarks = entry(tmp_path, process=process).remarks
    assert len(remarks) == bool(remark)
    assert remark in " ".join(remarks)


def test_a_program_of_windows_with_a_command_is_narrow_enough(tmp_path: Path) -> None:
    assert entry(tmp_path, process=r"C:\Windows\System32\svchost.exe", command="-s Schedule").remarks == ()


def test_a_file_named_twice_is_read_once_and_there_is_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry(tmp_path)
    path = tmp_path / "allow.csv"
    assert len(read_allow([path, path])[0]) == 1
    monkeypatch.setattr(allow, "MAX_ENTRIES", 0)
    with pytest.raises(ContentError, match=r"allow\.csv:2: there are more than 0 entries"):
        read_allow([path])
