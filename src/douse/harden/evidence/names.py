r"""Whose a file is that does not say so: the host of a hive or a .reg file, the user of a profile's hive.

    host_of(file, evidence)    the ComputerName in the SYSTEM hive of the same tree of files
    user_of(file)              Users/NAME/NTUSER.DAT, or the path that the hive's own header has

Collectors copy a disk's tree (HOST/C/Windows/System32/config/SOFTWARE), or put all hives into one folder. The folder's
name is the fallback, and the result then says so: a host that was named wrongly is a finding about the wrong computer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from douse.errors import EvidenceError
from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.hive_file import Hive
from douse.harden.gathered import Evidence
from douse.harden.registry_data import text_of

_PLACE = re.compile(r"(?:^|/)(?:windows/system32/(?:config/[^/]+|(?:grouppolicy|codeintegrity)/.+)|"
                    r"(?:users|documents and settings)/[^/]+/(?:[^/]+|appdata/local/microsoft/windows/[^/]+))$",
                    re.IGNORECASE)
r"""Where Windows keeps a file, below the root of its disk."""

_USER = re.compile(r"(?:^|[/\\])(?:users|documents and settings)[/\\]([^/\\]+)[/\\]", re.IGNORECASE)
_SYSTEM = ("Windows/System32/config/SYSTEM", "SYSTEM", "config/SYSTEM", "registry/SYSTEM", "hives/SYSTEM",
           "SYSTEM.hiv", "SYSTEM.hive")
"""Where the SYSTEM hive lies below the root of a tree."""

_DRIVE = re.compile(r"(?:(?:%5c|_){2}\.(?:%5c|_))?([a-z])(?:%3a|[_$:])?", re.IGNORECASE)
_WAYS = ("auto", "ntfs", "lazy_ntfs", "uploads", "upload", "registry", "config", "hive", "hives", "reg", "files",
         "windows", "users", "root")
"""Folders for the ways in which a collector read one disk, and for its parts."""

_NO_HOST = re.compile(_DRIVE.pattern + r"|uploads?|auto|ntfs|lazy_ntfs|registry|config|hives?|evidence|collect(?:ed|"
                      r"ion)|files?|windows|users|root|disk|export|reg|results?|tmp|temp|\.{0,2}", re.IGNORECASE)
"""Folders that collectors make for every host."""

_PREFIXED = re.compile(r"(.*[^-_. ][-_. ]+)SOFTWARE((?:\.\w+)?)", re.IGNORECASE)
"""PC-7_SOFTWARE: hives of several hosts in one folder."""

_SUFFIX = re.compile(r"\.(zip|reg|dat|hive?)$", re.IGNORECASE)


def host_of(file: EvidenceFile, evidence: Evidence) -> str:
    """The name of the host a file was taken from. A name that is a guess is noted once for each tree."""
    root, up = _root(file)
    named = _PREFIXED.fullmatch(file.name)
    key = f"{root}/{named[1]}" if named is not None else root
    if key not in evidence.host_names:
        places = [f"{named[1]}SYSTEM{named[2]}"] if named is not None else [up + name for name in _SYSTEM]
        found = _computer_name(file, places)
        if not found:
            found = named[1].strip("-_. ") if named is not None else _guess(root, evidence)
            after = "its name" if named is not None else "its folder"
            evidence.note(file.shown, f"says of no host; it is shown as {found!r}, after {after}.",
                          "Put the SYSTEM hive of the same computer beside it, or name the folder for the host.")
        evidence.host_names[key] = found
    return evidence.host_names[key]


def known_host_of(file: EvidenceFile, evidence: Evidence) -> str:
    """The same for a file that may be of no host at all: "" where neither a SYSTEM hive names one nor its own folder is
    named for something."""
    root, up = _root(file)
    own = root.replace("\\", "/").rpartition("/")[2]
    is_known = _folder(own) or _computer_name(file, [up + name for name in _SYSTEM])
    return host_of(file, evidence) if is_known else ""


def user_of(file: EvidenceFile, header: str = "") -> str:
    """The user of a profile's hive: from its path, then from the path in its header, then from its folder or name."""
    for text in (file.shown.replace("\\", "/"), header):
        found = _USER.findall(text)
        if found:
            return str(found[-1])
    stem = re.sub(r"(?i)[-_. ]*(?:ntuser|usrclass)[-_. ]*", "", re.sub(r"(?i)\.dat$", "", file.name))
    parts = [part for part in re.split(r"[/\\!]", file.shown)[:-1] if part]
    return stem or (parts[-1] if parts else file.name)


def computer_name(hive: Hive) -> str:
    """The host's name as a SYSTEM hive has it, with its domain where that is known; "" where it has none."""
    control = control_set(hive)
    name = _text(hive, f"{control}\\Control\\ComputerName\\ComputerName", "ComputerName")
    return name or _text(hive, f"{control}\\Services\\Tcpip\\Parameters", "Hostname")


def control_set(hive: Hive) -> str:
    """The key that CurrentControlSet stands for: what Select names; else the first, and the hive is in doubt."""
    found = hive.value("Select", "Current")
    number = int.from_bytes(found.data[:4], "little") if found is not None else 0
    name = f"ControlSet{number:03}"
    if 0 < number < 1000 and hive.key(name) is not None:
        return name
    hive.doubt("Select names no control set that is there, and ControlSet001 was read instead")
    return "ControlSet001"


def _root(file: EvidenceFile) -> tuple[str, str]:
    """The root of the disk's tree a file lies in, and the way up to it from the file's folder."""
    shown = file.shown.replace("\\", "/")
    inner = str(file.path.absolute()) if file.path is not None else shown.rpartition("!")[2]
    found = _PLACE.search(inner.replace("\\", "/"))
    if found is None:
        return (f"{shown.rpartition('!')[0]}!" if "!" in shown else "") + inner.rpartition("/")[0], ""
    below = found[0].strip("/")
    archive = f"{shown.rpartition('!')[0]}!" if file.path is None and "!" in shown else ""
    return archive + inner.replace("\\", "/")[:-len(below)].rstrip("/"), "../" * below.count("/")


def _computer_name(file: EvidenceFile, places: Sequence[str]) -> str:
    """The name in the first SYSTEM hive that is at one of these places, "" for none."""
    for place in places:
        found = file.beside(place)
        if found is not None:
            try:
                return computer_name(Hive(found.data, found.shown))
            except EvidenceError:  # told when its own turn comes
                return ""
    return ""


def _folder(root: str) -> str:
    """The nearest folder, or archive, that is named for something."""
    for part in reversed(re.split(r"[/\\!]", root)):
        name = _SUFFIX.sub("", Path(part).name)
        if not _NO_HOST.fullmatch(name):
            return name
    return ""


def _guess(root: str, evidence: Evidence) -> str:
    """A host's name after its folder. Of several disks in one folder that is named for something, each is a host of its
    own, because they may be: two that are shown as one would be worse."""
    name = _folder(root) or "unknown host"
    below = [part for part in re.split(r"[/\\!]", root) if part]
    named = max((at for at, part in enumerate(below, 1) if _SUFFIX.sub("", part) == name), default=0)
    disk = "/".join(found[1].upper() if (found := _DRIVE.fullmatch(part)) else part for part in below[named:]
                    if part.casefold() not in _WAYS)
    first = evidence.host_names.setdefault(f"\0{name.casefold()}", disk)
    return name if first == disk else f"{name} ({disk or 'itself'})"


def _text(hive: Hive, key: str, name: str) -> str:
    found = hive.value(key, name)
    return text_of(found.data).strip() if found is not None else ""
