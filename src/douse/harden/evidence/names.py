r"""Whose a file is that does not say so: the host of a hive or a .reg file, the user of a profile's hive.

    host_of(file, evidence)    the ComputerName in the SYSTEM hive of the same tree of files
    user_of(file)              Users/NAME/NTUSER.DAT, or the path that the hive's own header has

Collectors copy a disk's tree (HOST/C/Windows/System32/config/SOFTWARE), or put all hives into one folder. The folder's
name is the fallback, and the result then says so: a host that was named wrongly is a finding about the wrong computer.
"""

from __future__ import annotations

import re
from pathlib import Path

from douse.errors import EvidenceError
from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.hive_file import Hive
from douse.harden.observed import Evidence
from douse.harden.registry_data import text_of

_PLACE = re.compile(r"(?:^|/)(?:windows/system32/(?:config/[^/]+|(?:grouppolicy|codeintegrity)/.+)|"
                    r"(?:users|documents and settings)/[^/]+/(?:[^/]+|appdata/local/microsoft/windows/[^/]+))$",
                    re.IGNORECASE)
r"""Where Windows keeps a file, below the root of its disk."""

_USER = re.compile(r"(?:^|[/\\])(?:users|documents and settings)[/\\]([^/\\]+)[/\\]", re.IGNORECASE)
_SYSTEM = ("Windows/System32/config/SYSTEM", "SYSTEM", "config/SYSTEM", "registry/SYSTEM", "hives/SYSTEM",
           "SYSTEM.hiv", "SYSTEM.hive")
"""Where the SYSTEM hive lies below the root of a tree."""

_NO_HOST = re.compile(r"[a-z](?:%3a|[_$:])?|uploads?|auto|ntfs|lazy_ntfs|registry|config|hives?|evidence|collect(?:ed|"
                      r"ion)|files?|windows|users|root|disk|export|reg|results?|tmp|temp|\.{0,2}", re.IGNORECASE)
"""Folders that collectors make for every host."""

_SUFFIX = re.compile(r"\.(zip|reg|dat|hive?)$", re.IGNORECASE)


def host_of(file: EvidenceFile, evidence: Evidence) -> str:
    """The name of the host a file was taken from. A name that is a guess is noted once for each tree."""
    root, up = _root(file)
    if root not in evidence.host_names:
        found = _computer_name(file, up)
        if not found:
            found = _folder(root) or "unknown host"
            evidence.note(file.shown, f"says of no host; it is shown as {found!r}, after its folder.",
                          "Put the SYSTEM hive of the same computer beside it, or name the folder for the host.")
        evidence.host_names[root] = found
    return evidence.host_names[root]


def known_host_of(file: EvidenceFile, evidence: Evidence) -> str:
    """The same for a file that may be of no host at all: "" where neither a SYSTEM hive names one nor its own folder is
    named for something."""
    root, up = _root(file)
    if not (_computer_name(file, up) or _folder(root.replace("\\", "/").rpartition("/")[2])):
        return ""
    return host_of(file, evidence)


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
    """The key that CurrentControlSet stands for: what Select names, else the first."""
    found = hive.value("Select", "Current")
    number = int.from_bytes(found.data[:4], "little") if found is not None else 1
    name = f"ControlSet{number:03}"
    return name if 0 < number < 1000 and hive.key(name) is not None else "ControlSet001"


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


def _computer_name(file: EvidenceFile, up: str) -> str:
    places = [file] if file.name.casefold() == "system" else []
    places += [found for name in _SYSTEM if (found := file.beside(up + name)) is not None][:1]
    for place in places:
        try:
            name = computer_name(Hive(place.data, place.shown))
        except EvidenceError:
            continue
        if name:
            return name
    return ""


def _folder(root: str) -> str:
    """The nearest folder, or archive, that is named for something."""
    for part in reversed(re.split(r"[/\\!]", root)):
        name = _SUFFIX.sub("", Path(part).name)
        if not _NO_HOST.fullmatch(name):
            return name
    return ""


def _text(hive: Hive, key: str, name: str) -> str:
    found = hive.value(key, name)
    return text_of(found.data).strip() if found is not None else ""
