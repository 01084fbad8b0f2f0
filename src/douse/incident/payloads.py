"""The attacker's own files and autostart entries of an incident: a case in, what was seen of them out.

Own are programs in folders that a user can write to: those that an alert is about, those that these came from, and
runnable files that the incident's processes wrote. Programs of Windows, of Program Files and browsers carry foreign
code at the most, so neither their path nor their hash is ever given. A hash is known only from a record that has it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from douse.incident.case import Case
from douse.incident.entities import SECURITY, SYSMON, Actor, Get, command_text, image_name, kind_of
from douse.incident.facts import FileDrop
from douse.incident.link import Links
from douse.incident.marks import Mark, PlacedAlert
from douse.incident.places import is_browser, user_writable

PAYLOAD, PERSISTENCE = "payload", "persistence"
HASH, PATH, KEY = "file", "file-path", "registry-key"

_HASHES: Final = re.compile(r"(SHA256|SHA1|MD5)=([0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?![0-9a-f])", re.IGNORECASE)
_DIGITS: Final = {"SHA256": 64, "SHA1": 40, "MD5": 32}
_ABOUT: Final = {(SECURITY, 4688): "NewProcessName", (SYSMON, 1): "Image", (SYSMON, 7): "ImageLoaded",
                 **{(SYSMON, number): "TargetFilename" for number in (11, 15, 26, 29)}}
"""The field that names the file a record is about; hashes beside it are of that file."""
_KEYS: Final = frozenset({(SYSMON, 12), (SYSMON, 13), (SYSMON, 14), (SECURITY, 4657)})
_FOUND: Final = re.compile(r"(?:^|;)\s*(?:(?:file|containerfile|webfile|startup):_)?([a-z]:\\[^;|>*?\"<]{1,400})",
                           re.IGNORECASE)
_STORED: Final = re.compile(
    r"[a-z]:\\[^\"'<>|?*\r\n]{1,250}?\.(?:exe|dll|com|pif|scr|cpl|bat|cmd|ps1|vbs|vbe|js|jse|wsf|hta|msi|lnk|jar|py|a3x|au3)\b",
    re.IGNORECASE)
_TRIALS: Final = re.compile(r"\\__PSScriptPolicyTest_[a-z0-9]{8}\.[a-z0-9]{3}\.psm?1$", re.IGNORECASE)
"""What PowerShell writes whenever it starts, to learn whether scripts may run."""
_INTERPRETERS: Final = re.compile(
    r"(?:autoit\d?(?:_x64)?|pythonw?|node|javaw?|7z[ar]?|7zg|rar|winrar|curl|php|perl|ruby)(?:\.exe)?", re.IGNORECASE)
_LIBRARIES: Final = frozenset({"sqlite3.dll", "nss3.dll", "mozglue.dll", "freebl3.dll", "softokn3.dll", "msvcp140.dll",
                               "vcruntime140.dll"})
_TASKS: Final = "C:\\Windows\\System32\\Tasks"


@dataclass(frozen=True, slots=True)
class Trace:
    """One thing seen of an indicator, whose `type`, `value` and `role` it gives. `doubt` says why a hash is not to be
    blocked, "" where nothing speaks against it; a host that was not `reached` only stands in a text."""

    type: str
    value: str
    role: str
    time: datetime
    process: int | None
    alert_ids: tuple[str, ...]
    weak: bool
    doubt: str = ""
    reached: bool = True


def dropped_by(drops: Iterable[FileDrop], links: Links) -> Mapping[int, Sequence[FileDrop]]:
    """The runnable files that each process wrote, without those that a program wrote which writes for everybody."""
    found: defaultdict[int, list[FileDrop]] = defaultdict(list)
    for drop in drops:
        writer = links.table.find(Actor(drop.guid, drop.pid, drop.image), drop.time)
        if writer is not None and not links.cuts(writer, drop.time):
            found[writer].append(drop)
    return found


def traces(case: Case) -> Iterator[Trace]:
    """All traces of an incident; one file or key may have many."""
    acting = _acting(case)
    for mark in case.marks:
        if mark.placed is not None:
            yield from _of_record(mark, mark.placed)
    for number, mark in acting.items():
        process = case.links.table[number]
        if is_own(process.image):
            yield Trace(PATH, process.image, PAYLOAD, process.started or mark.time, number, mark.alert_ids, mark.weak)
        for drop in case.dropped.get(number, ()):
            if is_own(drop.path) and not _TRIALS.search(drop.path):
                yield Trace(PATH, drop.path, PAYLOAD, drop.time, number, (), mark.weak)


@lru_cache(maxsize=4_096)
def is_own(path: str) -> bool:
    """Whether a file can be the attacker's own: where a user can put it, and no browser."""
    return user_writable(path) and not is_browser(path)


def _acting(case: Case) -> dict[int, Mark]:
    """The incident's processes that an alert is about, and those they came from, each with its first mark."""
    found: dict[int, Mark] = {}
    for mark in case.marks:
        source = mark.placed.process if mark.placed else None
        for number in (mark.process, source):
            if number is not None and number not in found and not case.links.cuts(number, mark.time):
                for origin in case.links.lineage(number):
                    found.setdefault(origin, mark)
    return found


def _of_record(mark: Mark, placed: PlacedAlert) -> Iterator[Trace]:
    """Files, hashes and keys that the mark's own record is about."""
    get, kind, number = placed.get, kind_of(placed.alert.channel), placed.alert.event_id
    about = get(_ABOUT.get((kind, number), ""))
    role = PERSISTENCE if mark.letter == "P" and number == 11 else PAYLOAD
    if about and is_own(about) and mark.letter != "C":  # what a thief writes of a store is the victim's
        yield _trace(mark, PATH, about, role)
        digest = digest_of(get("Hashes") or get("Hash"))
        if digest:
            yield _trace(mark, HASH, digest, PAYLOAD, _doubt(about, get))
    if mark.letter == "V":
        yield from (_trace(mark, PATH, path, PAYLOAD) for path in _found(get))
    if mark.letter == "P" and mark.role != "clean-up":
        yield from _autostart(mark, get, (kind, number))


def _autostart(mark: Mark, get: Get, kind: tuple[str, int]) -> Iterator[Trace]:
    """The entry itself, and the programs that it starts."""
    key = get("TargetObject") or "\\".join(filter(None, (get("ObjectName"), get("ObjectValueName"))))
    if kind in _KEYS and key and "delete" not in get("EventType").lower():
        yield _trace(mark, KEY, key, PERSISTENCE)
    task = get("TaskName")
    if task.startswith("\\"):
        yield _trace(mark, PATH, f"{_TASKS}{task}", PERSISTENCE)
    for found in _STORED.finditer(command_text(get)):
        if is_own(found[0]):
            yield _trace(mark, PATH, found[0], PAYLOAD)


def _trace(mark: Mark, kind: str, value: str, role: str, doubt: str = "") -> Trace:
    return Trace(kind, value, role, mark.time, mark.process, mark.alert_ids, mark.weak, doubt)


def _found(get: Get) -> Iterator[str]:
    """The files that an antivirus names; of an archive the archive."""
    for found in _FOUND.finditer(get("Path") or get("Filename") or get("FolderPath")):
        path = found[1].partition("->")[0].strip().rstrip("-")
        if is_own(path) and image_name(path):
            yield path


def foreign(get: Get) -> str:
    """Why a file that others know by its hash is not to be blocked: it lies where only an administrator can put it."""
    path = next(filter(None, map(get, ("TargetFilename", "ImageLoaded", "Image", "NewProcessName"))), "")
    return f"It is {image_name(path)} in a folder of Windows or of programs: doubt the source" if path and not is_own(
        path) else ""


def digest_of(text: str) -> str:
    """The strongest hash of a file in Sysmon's list, in lower case; "" where there is none. An IMPHASH is none."""
    listed = {kind.upper(): digest.lower() for kind, digest in _HASHES.findall(text)}
    return next((listed[kind] for kind, digits in _DIGITS.items() if len(listed.get(kind, "")) == digits), "")


def _doubt(path: str, get: Get) -> str:
    """Why a file in a user's folder may be everybody's all the same."""
    own_name = get("OriginalFileName")
    if _INTERPRETERS.fullmatch(own_name) or _INTERPRETERS.fullmatch(image_name(path)):
        return f"It is {own_name or image_name(path)}, which others use too"
    if image_name(path).lower() in _LIBRARIES:
        return "A library that many programs bring"
    if get("Company").lower().startswith("microsoft"):
        return "It calls itself a program of Microsoft, which may be true"
    return "It is signed, so it may be somebody else's" if get("Signed").lower() == "true" else ""
