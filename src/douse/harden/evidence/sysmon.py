"""Sysmon's configuration as `Sysmon64 -c` prints it on a host: which events it records, and with which hashes.

An event that is filtered counts as recorded where something can pass: an `include` with rules, or an `exclude` where
there is no `include` of it. What the configuration does not mention is left to Sysmon's defaults, which its page does
not list for every version; so it does not count. The text is that of an installed service; whether it runs now is the
collector's to say. Form: public outputs of Sysmon 10 to 15.
"""

from __future__ import annotations

import re

from douse.errors import EvidenceError
from douse.harden.evidence import texts
from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.naming import named_for_file
from douse.harden.gathered import Evidence
from douse.harden.observed import Sysmon
from douse.harden.seen import Seen

EVENTS = {
    "processcreate": (1,), "filecreatetime": (2,), "networkconnect": (3,), "processterminate": (5,), "driverload": (6,),
    "imageload": (7,), "createremotethread": (8,), "rawaccessread": (9,), "processaccess": (10,), "filecreate": (11,),
    "registryevent": (12, 13, 14), "filecreatestreamhash": (15,), "pipeevent": (17, 18), "wmievent": (19, 20, 21),
    "dnsquery": (22,), "filedelete": (23,), "clipboardchange": (24,), "processtampering": (25,),
    "filedeletedetected": (26,), "fileblockexecutable": (27,), "fileblockshredding": (28,),
    "fileexecutabledetected": (29,)}
"""The tag of a rule and its event ids, as Sysmon's page lists them."""

HASHES = frozenset({"SHA1", "MD5", "SHA256", "IMPHASH"})
_MARK = "Current configuration:"
_HASHING = re.compile(r"^ - HashingAlgorithms: *(.*)$", re.MULTILINE)
_RULE = re.compile(r"^ - (\w+) +onmatch: (include|exclude)")
_CONDITION = re.compile(r"^\s+\S.* filter: ")


def looks(file: EvidenceFile) -> bool:
    """Whether it is such an output."""
    start = texts.start_of(file.data, 8 << 10)
    return _MARK in start and ("HashingAlgorithms:" in start or "System Monitor" in start)


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add Sysmon to the host that the file is named for. EvidenceError where it holds no configuration."""
    shown = texts.read(file, evidence).replace("\r\n", "\n")
    hashing = _HASHING.search(shown)
    if hashing is None:
        raise EvidenceError(file.shown, "does not say Sysmon's hashes.", "Run it elevated: Sysmon64 -c > HOST.txt")
    words = {word.strip().upper() for word in hashing[1].split(",")}
    ids = recorded(shown)
    host = named_for_file(file, evidence, "the output of Sysmon -c does not name its host")
    if ids is None:
        evidence.note(file.shown, "lists no rules, so that what Sysmon records by default stays unknown.",
                      "Give Sysmon a configuration, or run Sysmon64 -c elevated.")
    found = Sysmon(None, ids, frozenset(HASHES if "*" in words else words & HASHES))
    raw = f"events {', '.join(map(str, sorted(ids or ())))}; hashes {hashing[1].strip()}"
    host.sysmon.append(Seen(found, file.source("sysmon"), "Sysmon -c", raw))


def recorded(shown: str) -> frozenset[int] | None:
    """The events that its rules record; None where it lists no rules."""
    conditions: dict[tuple[str, str], int] = {}
    at = ("", "")
    for line in shown.split("\n"):
        rule = _RULE.match(line)
        if rule:
            at = (rule[1].casefold(), rule[2])
            conditions.setdefault(at, 0)
        elif at in conditions and _CONDITION.match(line):
            conditions[at] += 1
    if not conditions:
        return None
    tags = {tag for tag, _ in conditions if conditions.get((tag, "include"), (tag, "include") not in conditions)}
    return frozenset(id_ for tag in tags for id_ in EVENTS.get(tag, ()))
