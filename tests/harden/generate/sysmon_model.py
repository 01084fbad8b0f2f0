"""Sysmon's filter as a model: would this configuration have recorded this event? After Microsoft's Sysmon page.

    Recorder(xml).records(10, {"SourceImage": ..., "TargetImage": ...})

Comparisons ignore case. An `exclude` that fits wins; without an `include` of its own, an event is recorded. RuleGroups
here are of relation `or`, a Rule says its own. Only the conditions that our configuration uses are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree.ElementTree import Element

from defusedxml import ElementTree

TAGS = {1: "ProcessCreate", 2: "FileCreateTime", 3: "NetworkConnect", 5: "ProcessTerminate", 6: "DriverLoad",
        7: "ImageLoad", 8: "CreateRemoteThread", 9: "RawAccessRead", 10: "ProcessAccess", 11: "FileCreate",
        12: "RegistryEvent", 13: "RegistryEvent", 14: "RegistryEvent", 15: "FileCreateStreamHash", 17: "PipeEvent",
        18: "PipeEvent", 19: "WmiEvent", 20: "WmiEvent", 21: "WmiEvent", 22: "DnsQuery", 23: "FileDelete",
        24: "ClipboardChange", 25: "ProcessTampering", 26: "FileDeleteDetected"}
"""The table of event ids and tags on Microsoft's page; the tag of 22 as every configuration writes it."""

MEETS = {
    "is": lambda value, wanted: value == wanted,
    "is any": lambda value, wanted: value in wanted.split(";"),
    "contains": lambda value, wanted: wanted in value,
    "contains any": lambda value, wanted: any(part in value for part in wanted.split(";")),
    "begin with": lambda value, wanted: value.startswith(wanted),
    "end with": lambda value, wanted: value.endswith(wanted),
}


class Recorder:
    """A configuration, asked event by event."""

    def __init__(self, xml: bytes) -> None:
        self.root: Element = ElementTree.fromstring(xml, forbid_dtd=True)
        self.filters: dict[tuple[str, str], list[Element]] = {}
        for group in self.root.iter("RuleGroup"):
            assert group.get("groupRelation") == "or"
            for event in group:
                self.filters.setdefault((event.tag, event.attrib["onmatch"]), []).append(event)

    def records(self, event_id: int, fields: Mapping[str, object]) -> bool:
        texts = {name: str(value).lower() for name, value in fields.items()}
        tag = TAGS[event_id]
        if any(self._fits(event, texts) for event in self.filters.get((tag, "exclude"), ())):
            return False
        included = self.filters.get((tag, "include"))
        return included is None or any(self._fits(event, texts) for event in included)

    def _fits(self, event: Element, texts: Mapping[str, str]) -> bool:
        return any(all(self._meets(one, texts) for one in rule) if rule.tag == "Rule" else self._meets(rule, texts)
                   for rule in event)

    @staticmethod
    def _meets(one: Element, texts: Mapping[str, str]) -> bool:
        value = texts.get(one.tag)
        return value is not None and MEETS[one.attrib["condition"]](value, (one.text or "").lower())
