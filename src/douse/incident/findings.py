"""What an antivirus record is about: the threat, the files, and whether something of it was running.

Defender writes one text with everything it found, each with its kind (`file:_C:\\x.exe; process:_pid:12,...`); Defender
for Endpoint gives a folder and a name. That a threat was removed is another record, of the same detection id, or of the
same name and file where a log has no ids. The forms of the text are from practice, not from a vendor's page (verified:
false). Used by by_file.py, which joins by file and process, and by vendor.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from douse.incident.entities import Actor, Get, guid, image_name, moment, number
from douse.incident.marks import PlacedAlert
from douse.incident.places import place

_MAX_RESOURCES = 64
_FILE_KINDS = frozenset({"", "file", "containerfile", "webfile", "startup", "taskscheduler"})
_RUNNING_KINDS = frozenset({"process", "behavior", "cmdline", "amsi"})
_KIND = re.compile(r"^\s*([a-z]+):_", re.IGNORECASE)
_PROCESS = re.compile(r"\bpid:(\d{1,10})(?:,ProcessStart:(\d{1,20}))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One record of an antivirus. `keys` of records about one threat overlap; `paths` are spelled as place() does."""

    keys: frozenset[tuple[str, str]]
    paths: frozenset[str]
    processes: tuple[Actor, ...]
    ran: bool
    remediated: bool


NOTHING = Finding(frozenset(), frozenset(), (), ran=False, remediated=False)


def finding_of(item: PlacedAlert) -> Finding:
    """What the record behind an alert of class V says."""
    resources = _resources(item.get)
    paths = frozenset(filter(None, (_path(text) for kind, text in resources if kind in _FILE_KINDS)))
    processes = tuple(Actor(pid=number(pid), created=moment(started)) for kind, text in resources
                      if kind in _RUNNING_KINDS for pid, started in _PROCESS.findall(text))
    ran = any(kind in _RUNNING_KINDS for kind, _ in resources)
    return Finding(_keys(item.get, paths), paths, processes, ran, item.get("WasRemediated").lower() in {"true", "1"})


def _keys(get: Get, paths: frozenset[str]) -> frozenset[tuple[str, str]]:
    name = (get("ThreatName") or get("Signature")).lower()
    detection = guid(get("DetectionID"))
    keys = {("detection", detection)} if detection else set()
    return frozenset(keys | {(name, path) for path in paths or {""} if name})


def _resources(get: Get) -> list[tuple[str, str]]:
    """Everything that was found: kind in lower case, and the rest."""
    text = get("Path") or get("Filename")
    folder, name = get("FolderPath"), get("FileName")
    if folder and not text:
        text = folder if not name or folder.lower().endswith(f"\\{name.lower()}") else f"{folder}\\{name}"
    found = []
    for part in text.split(";")[:_MAX_RESOURCES]:
        kind = _KIND.match(part)
        found.append((kind.group(1).lower() if kind else "", part[kind.end():] if kind else part))
    return found


def _path(text: str) -> str:
    """The file on disk: an archive instead of its member, a download without its address."""
    path = place(text.partition("->")[0].partition("|")[0])
    return path if image_name(path) != path else ""
