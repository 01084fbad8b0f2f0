r"""Read .reg files, exports of a key by regedit or `reg export`: version 5 (UTF-16) and REGEDIT4 (ANSI).

    Windows Registry Editor Version 5.00

    [HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Google\Chrome]
    "PasswordManagerEnabled"=dword:00000000

An export says of no host that it is from there: names.py. A file that nothing names a host for, that deletes
something or has an undo.reg beside it was made to be applied, and is a policy: what it sets is in force nowhere yet.
Nothing is claimed to be absent, because nobody can tell an export of a whole key from one that was cut. A text's line
ends stand in it as they are, and other data is bytes in hexadecimal over several lines.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from douse.errors import EvidenceError
from douse.harden.evidence import names, texts
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence
from douse.harden.observed import Subject
from douse.harden.registry import RegistryValue
from douse.harden.registry_data import decode, shown

START = re.compile(r"\s*(Windows Registry Editor Version 5\.00|REGEDIT4)\s*(?:\r?\n|$)")
_CLASSES = ("HKLM", r"SOFTWARE\Classes")
HIVES = {"HKEY_LOCAL_MACHINE": ("HKLM", ""), "HKLM": ("HKLM", ""), "HKEY_CURRENT_USER": ("HKCU", ""),
         "HKCU": ("HKCU", ""), "HKEY_CLASSES_ROOT": _CLASSES, "HKCR": _CLASSES}
"""Roots by their names. HKEY_CLASSES_ROOT is written to the machine's classes where the user has no such key."""

_KEY = re.compile(r"\[(-?)([^\r\n]*)\][ \t]*(?=\r?\n|$)")
_NAME = re.compile(r'(@|"[^"\\]*+(?:\\.[^"\\]*+)*+")[ \t]*+=[ \t]*+', re.DOTALL)
_TEXT = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"[ \t]*+(?=\r?\n|$)', re.DOTALL)
_NUMBER = re.compile(r"dword:([0-9A-Fa-f]{1,8})[ \t]*(?=\r?\n|$)", re.IGNORECASE)
_BYTES = re.compile(r"hex(?:\(([0-9A-F]{1,8})\))?:((?:[0-9A-F]{2}[ \t]*+,?[ \t]*+(?:\\[ \t]*+\r?\n[ \t]*+)?)*+)"
                    r"(?=\r?\n|$)", re.IGNORECASE)
_DELETE = re.compile(r"-[ \t]*(?=\r?\n|$)")
_BLANK = re.compile(r"(?:[ \t]*(?:;[^\r\n]*)?(?:\r?\n|$))+|[ \t]+")
_LINE = re.compile(r"[^\r\n]*")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_USER_SID = re.compile(r"S-1-(?:5-21|12-1)-[\d-]+$")


@dataclass(frozen=True, slots=True)
class RegEntry:
    """A value of the file and the line it stands on: `value` None is a deletion, `name` None that of the whole key."""

    line: int
    hive: str
    key: str
    profile: str
    name: str | None
    value: RegistryValue | None


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add the file's values to the host it was exported from, or to the policy that it is."""
    found, bad = parse(texts.read(file, evidence), file.shown)
    source = file.source("regfile")
    subject = _subject(found, file, evidence)
    for entry in found:
        where = f"line {entry.line}: {entry.hive}\\{entry.key}!{entry.name or '(default)'}"
        if entry.name is None:
            subject.registry.complete(entry.hive, entry.key, source, entry.profile)
        else:
            raw = shown(entry.value.data) if entry.value is not None else "deleted"
            subject.registry.add(entry.hive, entry.key, entry.name, entry.value, source, where=where, raw=raw,
                                 profile=entry.profile)
    if bad:
        evidence.lost(f"{file.shown}:{bad[0]}", f"{len(bad)} lines of this .reg file cannot be read.",
                      "Export it again.")


def _subject(found: list[RegEntry], file: EvidenceFile, evidence: Evidence) -> Subject:
    """Whose values they are: a host's, or a policy's."""
    applied = file.beside("undo.reg") is not None or any(entry.value is None for entry in found)
    host = "" if applied else names.known_host_of(file, evidence)
    if host:
        return evidence.host(host)
    if not applied:
        evidence.note(file.shown, "says of no host, so that it is shown as a policy of its own.",
                      "If it is an export, put it in a folder that is named for its host.")
    return evidence.policy(file.name, file.sha256[:12])


def parse(text: str, where: str) -> tuple[list[RegEntry], list[int]]:
    """The values of a .reg file, and the lines that are none. Raises EvidenceError where it does not begin as one."""
    start = START.match(text)
    if start is None:
        raise EvidenceError(where, "is no .reg file: its first line is none of regedit's.", "Export it with regedit.")
    wide = start[1] != "REGEDIT4"
    return _Scanner(text, start.end(), wide).run()


class _Scanner:
    """Goes through the text once; what fits nothing costs its line."""

    def __init__(self, text: str, at: int, wide: bool) -> None:
        self._text, self._at, self._wide = text, at, wide
        self._line, self._counted = 1, 0
        self._place: tuple[str, str, str] | None = None
        self._entries: list[RegEntry] = []
        self._bad: list[int] = []

    def run(self) -> tuple[list[RegEntry], list[int]]:
        while self._at < len(self._text):
            blank = _BLANK.match(self._text, self._at)
            if blank is not None and blank.end() > self._at:
                self._at = blank.end()
            elif not self._key() and not self._value():
                self._bad.append(self._number())
                self._skip()
        return self._entries, self._bad

    def _key(self) -> bool:
        found = _KEY.match(self._text, self._at)
        if found is None:
            return False
        self._place = place_of(found[2])
        if found[1] and self._place is not None:
            self._keep(None, None)
        self._at = found.end()
        return True

    def _value(self) -> bool:
        named = _NAME.match(self._text, self._at)
        if named is None:
            return False
        name = "" if named[1] == "@" else _plain(named[1][1:-1])
        for pattern in (_TEXT, _NUMBER, _BYTES, _DELETE):
            found = pattern.match(self._text, named.end())
            if found is not None and not self._is_cut(pattern, found):
                self._keep(name, None if pattern is _DELETE else self._decoded(pattern, found))
                self._at = found.end()
                return True
        return False

    def _is_cut(self, pattern: re.Pattern[str], found: re.Match[str]) -> bool:
        """Whether the file ends inside a value that begins soundly: more digits or bytes followed."""
        if found.end() < len(self._text):
            return False
        if pattern is _NUMBER:
            return len(found[1]) < 8
        return pattern is _BYTES and found[2].rstrip(" \t\r\n\\").endswith(",")

    def _decoded(self, pattern: re.Pattern[str], found: re.Match[str]) -> RegistryValue:
        if pattern is _TEXT:
            return RegistryValue("REG_SZ", _plain(found[1]))
        if pattern is _NUMBER:
            return RegistryValue("REG_DWORD", int(found[1], 16))
        data = bytes.fromhex(re.sub(r"[^0-9A-Fa-f]", "", found[2]))
        type_ = int(found[1], 16) if found[1] else 3
        if not self._wide and type_ in (2, 7):  # REGEDIT4 has bytes of the code page where version 5 has UTF-16
            data = data.decode("cp1252", "replace").encode("utf-16-le")
        return decode(type_, data)

    def _keep(self, name: str | None, value: RegistryValue | None) -> None:
        if self._place is not None:
            self._entries.append(RegEntry(self._number(), *self._place, name, value))

    def _skip(self) -> None:
        found = _LINE.match(self._text, self._at)
        self._at = max(found.end() if found is not None else 0, self._at + 1)

    def _number(self) -> int:
        """The line that the scan is on; counted on from the last one, so that it stays cheap."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line


def place_of(path: str) -> tuple[str, str, str] | None:
    """Hive, key and profile of a key's whole path; None where nothing here looks at it."""
    root, _, rest = path.strip().partition("\\")
    if root.upper() in ("HKEY_USERS", "HKU"):
        user, _, rest = rest.partition("\\")
        classes = user.upper().endswith("_CLASSES")
        sid = user[:-8] if classes else user
        return ("HKCU", f"Software\\Classes\\{rest}" if classes else rest, sid) if _USER_SID.match(sid) else None
    if root.upper() not in HIVES:
        return None
    hive, above = HIVES[root.upper()]
    parts = [part for part in (above, rest) if part]
    key = "\\".join(parts)
    control = re.match(r"(?i)system\\ControlSet001(?=\\|$)", key) if hive == "HKLM" else None
    return hive, f"SYSTEM\\CurrentControlSet{key[control.end():]}" if control is not None else key, ""


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)
