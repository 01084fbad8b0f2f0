r"""A Sysmon configuration (XML) that gives Douse its telemetry, and how to install it.

    sysmon/sysmon.xml     sysmon64 -accepteula -i sysmon.xml, or -c sysmon.xml where Sysmon runs already
    sysmon/APPLY.txt

It records the event ids and hashes that the controls ask for, filtered as sysmon_filters.py says. One RuleGroup per
filter, all of relation `or`; conditions that must hold together stand in a Rule of relation `and`. Nobody has loaded it
into Sysmon yet; a schema of ours and a model of Sysmon's filter judge it in the tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from douse.content.settings import SysmonSetting
from douse.errors import ContentError
from douse.harden.generate.policy import BundleFile, Policy
from douse.harden.generate.sysmon_filters import ALSO, SILENT, Filter, Rule, filters

PLACE = PurePosixPath("sysmon")
SCHEMA = "4.82"
"""The version of Microsoft's own example; Sysmon reads older ones than its own."""

APPLY = """\
How to install this Sysmon configuration
========================================
Sysmon comes from Microsoft Sysinternals; take it from there only. As administrator:

  sysmon64 -accepteula -i sysmon.xml      where Sysmon is not installed
  sysmon64 -c > before.txt                where it is: see what is configured now ...
  sysmon64 -c sysmon.xml                  ... then replace it

That list is for reading: Sysmon cannot load it again. Have the XML file of the present configuration at hand before you
replace it.

What is recorded: every program start, DNS query, remote thread, replaced image and downloaded file; connections of
everything but the installed browsers; and from the rest what stealers touch. Make the log larger first:

  wevtutil sl Microsoft-Windows-Sysmon/Operational /ms:1073741824

Command lines and DNS queries can hold secrets and say what people do: limit who reads the log, and tell those who
answer for data protection. The clipboard is not recorded, and deleted files are not kept.

Taking it back: sysmon64 -c with the XML file from before, sysmon64 -c -- for Sysmon's defaults, sysmon64 -u to
uninstall it.

Nobody has loaded this file into Sysmon yet; `sysmon64 -c sysmon.xml` says at once if it does not like it. Try it on a
few computers, and look at how many records they write in a day.
"""


def files(policy: Policy) -> Iterator[BundleFile]:
    """The configuration, where a control asks for Sysmon. ContentError for an event id that no filter is for."""
    settings = [change.setting for change in policy.of(SysmonSetting) if isinstance(change.setting, SysmonSetting)]
    if not settings:
        return
    ids = sorted({*ALSO, *(id_ for setting in settings for id_ in setting.ids)})
    hashes = dict.fromkeys(word for setting in settings for word in setting.hashes)
    yield BundleFile(PLACE / "sysmon.xml", configuration(ids, hashes), "Sysmon's configuration: what Douse has to see.")
    yield BundleFile(PLACE / "APPLY.txt", APPLY.replace("\n", "\r\n").encode(), "How to install it, and take it back.")


def configuration(ids: Iterable[int], hashes: Iterable[str]) -> bytes:
    """The XML for these event ids and hash algorithms; UTF-8."""
    known = filters()
    root = Element("Sysmon", schemaversion=SCHEMA)
    SubElement(root, "HashAlgorithms").text = ",".join(hashes)
    filtering = SubElement(root, "EventFiltering")
    written: dict[str, None] = {}
    for id_ in ids:
        if id_ not in known:
            raise ContentError("sysmon", f"no filter is written for event {id_}.",
                               "Add it to harden/generate/sysmon_filters.py.")
        if known[id_].tag not in written:
            written[known[id_].tag] = None
            _add(filtering, known[id_])
    for tag in _unasked(known, written):
        _add(filtering, Filter(tag))
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _unasked(known: Mapping[int, Filter], written: Mapping[str, None]) -> Iterator[str]:
    """Tags of events that are not asked for; left out, Sysmon would record them as it likes."""
    yield from dict.fromkeys(tag for tag in (*(one.tag for one in known.values()), *SILENT) if tag not in written)


def _add(filtering: Element, wanted: Filter) -> None:
    """One or two groups: what is included, and what is left out of it. An empty `include` records nothing, an empty
    `exclude` everything."""
    if not wanted.all:
        _group(filtering, wanted.tag, "include", wanted.include)
    if wanted.all or wanted.exclude:
        _group(filtering, wanted.tag, "exclude", wanted.exclude)


def _group(filtering: Element, tag: str, onmatch: str, rules: Iterable[Rule]) -> None:
    group = SubElement(filtering, "RuleGroup", name=f"{tag} {onmatch}", groupRelation="or")
    event = SubElement(group, tag, onmatch=onmatch)
    for rule in rules:
        holder = event if len(rule) == 1 else SubElement(event, "Rule", groupRelation="and")
        for one in rule:
            SubElement(holder, one.field, condition=one.condition).text = one.value
