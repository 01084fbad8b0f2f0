"""One incident as STIX 2.1 objects: what it was, what was used, seen and stolen, what to block and what to do.

A Teller is made for each incident of a document, is shown the incident's alerts one by one and gives the objects in
three parts: `opening`, `alert` for each alert, `closing`. It remembers ids and times, never rows of alerts.

What is advised to be blocked becomes an Indicator with a pattern; what must not be blocked for everybody (a public
site that stealers use) is only an observable. Malware has a name where the attribution names it, else it is this
incident's own "unattributed infostealer" and no family; a weak incident has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from douse.incident.family import UNATTRIBUTED
from douse.report.incident_words import is_infostealer, plan_text, stolen_text, unseen_text
from douse.report.observed import observed
from douse.report.schema import AlertRow, IncidentRow, IndicatorRow, StepRow
from douse.report.stix_objects import Stamp, StixObject, host_id, id_from, own_id
from douse.report.stix_observables import Objects, account, indicator_value, of_record, processes
from douse.report.stix_patterns import pattern
from douse.report.stix_techniques import attack_pattern, pattern_id

CONFIDENCE: Final = {"low": 15, "medium": 50, "high": 85, "confirmed": 95}
"""STIX's scale (specification, appendix A) for the attribution's words."""
MAX_COUNT: Final = 999_999_999
"""The most that a sighting or observed data may count."""


@dataclass(slots=True)
class _Sighted:
    """What the alerts of one step, or of one indicator, showed: ids of observables, how many alerts, when."""

    first: str
    last: str
    refs: dict[str, None] = field(default_factory=dict)
    alerts: int = 0

    def add(self, refs: Iterable[str], moment: str) -> None:
        self.refs.update(dict.fromkeys(refs))
        self.alerts += 1
        self.first, self.last = min(self.first, moment), max(self.last, moment)


class Teller:
    """The objects of one incident; `ids` are those of everything given so far."""

    def __init__(self, incident: IncidentRow, stamp: Stamp, version: str) -> None:
        self._incident, self._stamp, self._version = incident, stamp, version
        self.ids: dict[str, None] = {}
        self._owned: set[str] = set()
        self.id = id_from("incident", incident["incident_id"])
        self._began = incident["first_seen"]
        self._host = host_id(incident["host"])
        self._processes = processes(incident["host"], incident["processes"])
        self._process_of = {alert: made for row, made in zip(incident["processes"], self._processes, strict=True)
                            for alert in row["alerts"]}
        self._steps = [_Sighted(step["time"], step["time"]) for step in incident["steps"]]
        self._steps_of: dict[str, list[_Sighted]] = {}
        for step, sighted in zip(incident["steps"], self._steps, strict=True):
            for alert in step["alerts"]:
                self._steps_of.setdefault(alert, []).append(sighted)
        self._malware = self._malware_objects()

    def opening(self) -> Iterator[StixObject]:
        """The incident, its host, users and processes, the malware, techniques and indicators."""
        yield from self._told([self._stamp.host(self._incident["host"])])
        yield from self._told([self._incident_object()])
        for name in self._incident["users"]:
            yield from self._told(account(name, self._incident["host"]))
        for made in self._processes:
            yield from self._told(made)
        yield from self._told(self._malware)
        yield from self._told(attack_pattern(technique, self._stamp) for technique in self._techniques())

    def alert(self, alert: AlertRow) -> Iterator[StixObject]:
        """What one alert of the incident names."""
        found: Objects = (*self._process_of.get(alert["alert_id"], ()), *of_record(observed(alert)))
        for sighted in self._steps_of.get(alert["alert_id"], ()):
            sighted.add((one["id"] for one in found), alert["time"])
        yield from self._told(found)

    def closing(self) -> Iterator[StixObject]:
        """Observed data, indicators, sightings, relationships, notes, and the grouping that holds them all."""
        yield from self._told(self._of_steps())
        yield from self._told(self._of_indicators())
        yield from self._told(self._links())
        yield from self._told(self._controls())
        yield from self._told(self._notes())
        yield self._sdo("grouping", own_id("grouping", self.id), name=self._incident["title"],
                        context="suspicious-activity", description=self._incident["verdict"],
                        object_refs=list(self.ids), labels=self._labels())

    def _told(self, objects: Iterable[StixObject]) -> Iterator[StixObject]:
        for one in objects:
            self.ids[one["id"]] = None
            yield one

    def _sdo(self, kind: str, identity: str, **properties: object) -> StixObject:
        """An object of this incident alone."""
        self._owned.add(identity)
        return self._stamp.sdo(kind, identity, self._began, **properties)

    def _link(self, source: str, kind: str, target: str, **properties: object) -> StixObject:
        """A relationship: of this incident where one of its ends is, else one that other incidents tell too."""
        if self._owned.isdisjoint((source, target)):
            return self._stamp.relationship(source, kind, target)
        return self._stamp.relationship(source, kind, target, self._began, **properties)

    def _labels(self) -> list[str]:
        return [f"level-{self._incident['level']}", *(["infostealer"] if is_infostealer(self._incident) else [])]

    def _techniques(self) -> list[str]:
        incident = self._incident
        named = [technique for step in incident["steps"] for technique in step["techniques"]]
        return list(dict.fromkeys((*named, *incident["impact"])))

    def _incident_object(self) -> StixObject:
        incident = self._incident
        parts = (incident["verdict"], incident["family_detail"], incident["level_reason"], incident["impact_reason"],
                 f"From {incident['first_seen']} to {incident['last_seen']}.")
        before = [{"source_name": "Douse", "description": "was called so in an earlier result", "external_id": earlier}
                  for earlier in incident["supersedes"]]
        own = {"source_name": "Douse", "external_id": incident["incident_id"]}
        return self._sdo("incident", self.id, name=incident["title"], description="\n\n".join(filter(None, parts)),
                         labels=self._labels(), external_references=[own, *before])

    def _malware_objects(self) -> tuple[StixObject, ...]:
        said = self._incident["attribution"]
        if said is None or not said["family"] or not is_infostealer(self._incident):
            return ()
        payload = self._malware_object(said["family"], said["confidence"], "spyware", self._incident["family_detail"])
        if not said["loader"]:
            return (payload,)
        return payload, self._malware_object(said["loader"], said["loader_confidence"], "downloader", "")

    def _malware_object(self, name: str, confidence: str, kind: str, description: str) -> StixObject:
        sure = CONFIDENCE.get(confidence)
        if name == UNATTRIBUTED:
            return self._sdo("malware", own_id("malware", self.id), name=name, is_family=False, malware_types=[kind],
                             description=description or "The evidence names no family.", confidence=sure)
        return self._stamp.sdo("malware", own_id("malware", name.lower()), name=name, is_family=True,
                               malware_types=[kind])

    def _of_steps(self) -> Iterator[StixObject]:
        """Observed data of each step, and a sighting of each technique with them; a step without objects has none."""
        by_technique: dict[str, list[tuple[_Sighted, str]]] = {}
        for step, sighted in zip(self._incident["steps"], self._steps, strict=True):
            if not sighted.refs:
                sighted.refs.update((one["id"], None) for one in self._actor(step))
            data = self._observed_data(sighted, "step", step["time"], step["title"], step["process"],
                                       *step["alerts"][:1])
            yield from data
            for technique in step["techniques"]:
                by_technique.setdefault(technique, []).append((sighted, data[0]["id"] if data else ""))
        for technique, seen in by_technique.items():
            yield self._sighting(pattern_id(technique), [one for one, _ in seen], [ref for _, ref in seen if ref])

    def _actor(self, step: StepRow) -> Objects:
        """The process of a step that only a network record proves, found by the name the step gives it."""
        for row, made in zip(self._incident["processes"], self._processes, strict=True):
            if step["process"] == f"{row['image'].rpartition(chr(92))[2]} ({row['pid']})":
                return made[-1:]
        return ()

    def _observed_data(self, sighted: _Sighted, *parts: str) -> tuple[StixObject, ...]:
        if not sighted.refs:
            return ()
        return (self._sdo("observed-data", own_id("observed-data", self.id, *parts), first_observed=sighted.first,
                          last_observed=sighted.last, number_observed=_count(sighted.alerts),
                          object_refs=list(sighted.refs)),)

    def _sighting(self, of: str, seen: Sequence[_Sighted], data: list[str]) -> StixObject:
        return self._sdo("sighting", own_id("sighting", self.id, of), sighting_of_ref=of,
                         where_sighted_refs=[self._host], observed_data_refs=data,
                         count=_count(sum(one.alerts for one in seen)), first_seen=min(one.first for one in seen),
                         last_seen=max(one.last for one in seen))

    def _of_indicators(self) -> Iterator[StixObject]:
        for row in self._incident["indicators"]:
            found = indicator_value(row["type"], row["value"])
            yield from self._of_indicator(row, found) if found else ()

    def _of_indicator(self, row: IndicatorRow, found: Objects) -> Iterator[StixObject]:
        yield from found
        sighted = _Sighted(row["first_seen"], row["last_seen"], {found[-1]["id"]: None}, len(row["alerts"]))
        (data,) = self._observed_data(sighted, "indicator", row["type"], row["value"])
        yield data
        malware = self._malware[0]["id"] if self._malware else ""
        if malware and row["type"] in {"domain-name", "url", "ipv4-addr", "ipv6-addr"} and row["block"]:
            yield self._link(malware, "communicates-with", found[-1]["id"], description=row["role"])
        if not row["block"]:
            return
        indicator = self._stamp.sdo(
            "indicator", own_id("indicator", row["type"], row["value"]), name=row["defanged"],
            description=f"{row['role']}. {row['reason']}", indicator_types=["malicious-activity"],
            pattern=pattern(row["type"], row["value"]), pattern_type="stix", valid_from=row["first_seen"])
        yield indicator
        yield self._sighting(indicator["id"], [sighted], [data["id"]])
        yield self._link(indicator["id"], "based-on", data["id"])
        if malware:
            yield self._link(indicator["id"], "indicates", malware)

    def _links(self) -> Iterator[StixObject]:
        yield self._link(self.id, "targets", self._host)
        if not self._malware:
            for technique in self._techniques():
                yield self._link(self.id, "uses", pattern_id(technique))
            return
        payload, *loader = (one["id"] for one in self._malware)
        said = self._incident["attribution"]
        yield self._link(self.id, "uses", payload, description=self._incident["family_detail"],
                         confidence=CONFIDENCE.get(said["confidence"]) if said else None)
        yield self._link(payload, "targets", self._host)
        for technique in self._techniques():
            yield self._link(payload, "uses", pattern_id(technique))
        for one in loader:
            yield self._link(self.id, "uses", one,
                             confidence=CONFIDENCE.get(said["loader_confidence"]) if said else None)
            yield self._link(one, "drops", payload)

    def _controls(self) -> Iterator[StixObject]:
        """Controls that would have broken the chain, as courses of action against the techniques of their step."""
        shown = set(self._techniques())
        for row in self._incident["controls"]:
            action = self._stamp.sdo("course-of-action", own_id("course-of-action", row["control_id"]),
                                     name=f"{row['control_id']} {row['title']}", description=row["takeaway"])
            yield action
            why = f"{row['effect']}: {row['why']}"
            for one in (pattern_id(technique) for technique in row["techniques"] if technique in shown):
                yield self._stamp.relationship(action["id"], "mitigates", one, self._began, self.id, description=why)

    def _notes(self) -> Iterator[StixObject]:
        for abstract, content in (("What was taken and what to change", stolen_text(self._incident)),
                                  ("What to do, in this order", plan_text(self._incident)),
                                  ("What could not be seen", unseen_text(self._incident)),
                                  ("Indicators that are not of the form of their type", self._malformed())):
            if content:
                yield self._sdo("note", own_id("note", self.id, abstract), abstract=abstract, content=content,
                                authors=[f"Douse {self._version}"], object_refs=[self.id])

    def _malformed(self) -> str:
        return "\n".join(f"{row['type']}: {row['value']!r}" for row in self._incident["indicators"]
                         if not indicator_value(row["type"], row["value"]))


def _count(alerts: int) -> int:
    return min(max(alerts, 1), MAX_COUNT)
