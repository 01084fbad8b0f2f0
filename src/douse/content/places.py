r"""Where a file path or a registry key of a log is, whatever way the log writes it.

    place_of(r"\Device\HarddiskVolumeShadowCopy3\Users\anna\NTUSER.DAT") -> Place((USER, "NTUSER.DAT"), "anna", "")

Drives, devices, shadow copies, administrative shares and `\\?\` name one place, and so do `HKU\<SID>`, `HKCU` and the
kernel's `\REGISTRY\USER\<SID>`. A profile's folder is one component (USER), with its owner beside it. Short names
(`LOGIND~1`) are not resolved, since only the disk knows them. The counterpart, paths.py, has the patterns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

USER, HKCU, HKLM = "\0user", "\0hkcu", "\0hklm"
"""Components that stand for the start of a path; place_of leaves no other NUL in one."""

MAX_PATH = 32_767
"""Characters of the longest path that Windows knows; nothing longer is a path."""

_LEAD = re.compile(r"^(?:\\\\[?.]|\\\?\?)\\(?:globalroot(?=\\device\\))?", re.IGNORECASE)
_VOLUME = re.compile(
    r"^(?:(?P<drive>[a-z]):|\\?device\\harddiskvolume(?:shadowcopy)?\d+"
    r"|(?P<share>(?:\\\\|unc\\|\\device\\mup\\)[^\\]+\\[a-z]\$))(?=\\|$)", re.IGNORECASE)
_HIVE = re.compile(
    r"^(?:(?P<user>\\registry\\user|hku|hkey_users)\\(?P<sid>[^\\]+?)(?P<classes>_classes)?"
    r"|(?P<own>hkcu|hkey_current_user)|(?P<machine>\\registry\\machine|hklm|hkey_local_machine)"
    r"|(?P<root>hkcr|hkey_classes_root))(?=\\|$)", re.IGNORECASE)
_NO_PERSON = (
    (("windows", "system32", "config", "systemprofile"), "SYSTEM"),
    (("windows", "syswow64", "config", "systemprofile"), "SYSTEM"),
    (("windows", "serviceprofiles", "localservice"), "LOCAL SERVICE"),
    (("windows", "serviceprofiles", "networkservice"), "NETWORK SERVICE"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A path of a log, read. `user` is a profile's folder or a SID; `drive` a letter, `\\\\` for a share, else ""."""

    names: tuple[str, ...]
    user: str
    drive: str

    @property
    def keys(self) -> tuple[str, ...]:
        """The names to compare."""
        return tuple(name.lower() for name in self.names)


def place_of(path: str) -> Place | None:
    """A file path or a key as a log writes it; None where it is too long to be one."""
    if len(path) > MAX_PATH:
        return None
    text = path.replace("\0", "").strip(" \t\r\n\"").replace("/", "\\")
    hive = _HIVE.match(text)
    if hive is not None:
        return _key(hive, _names(text[hive.end():]))
    text = _LEAD.sub("", text)
    volume = _VOLUME.match(text)
    drive = "" if volume is None else "\\\\" if volume["share"] else (volume["drive"] or "").lower()
    names = _names(text if volume is None else text[volume.end():])
    if names and names[-1].lower().endswith("::$data"):  # the file's own content under its full name
        names[-1] = names[-1][:-len("::$data")]
    return _file(names, drive)


def _names(text: str) -> list[str]:
    names: list[str] = []
    for name in text.split("\\"):
        if name == "..":
            del names[-1:]
        elif kept := name.rstrip(" ."):  # as Windows does when it opens a path
            names.append(kept)
    return names


def _key(hive: re.Match[str], names: list[str]) -> Place:
    start = ["Software", "Classes"] if hive["classes"] or hive["root"] else []
    names = [*start, *names]
    if len(names) > 1 and names[1].lower() == "wow6432node":
        del names[1]
    return Place((HKLM if hive["machine"] or hive["root"] else HKCU, *names), hive["sid"] or "", "")


def _file(names: list[str], drive: str) -> Place:
    low = [name.lower() for name in names[:4]]
    if len(names) > 1 and low[0] == "users":
        return Place((USER, *names[2:]), names[1], drive)
    for folder, account in _NO_PERSON:
        if tuple(low[:len(folder)]) == folder:
            return Place((USER, *names[len(folder):]), account, drive)
    return Place(tuple(names), "", drive)
