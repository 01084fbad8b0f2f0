"""An incident as an Attack Flow 2.0, a STIX 2.1 bundle with objects of the flow: a document in, JSON bytes out.

A file holds exactly one flow. Of several incidents it is the first of the worst level, and the description says how
many others there are (`--incident` narrows a document to one). Steps are actions in the order of time, each with its
technique, command, host, users and stores; where steps completed a known sequence, or opened a store for the last time,
a condition says so. The order is that of the records: it says what came after what, not what caused it. Format:
center-for-threat-informed-defense/attack-flow, Language Specification.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from douse.content.attack import attack
from douse.model import level_rank
from douse.report.schema import Document, IncidentRow, StepRow
from douse.report.stix_objects import DOUSE, SPEC, TLP_AMBER, Stamp, StixObject, bundle, host_id, own_id
from douse.report.stix_observables import Objects, account, processes
from douse.report.stix_techniques import attack_pattern, pattern_id

EXTENSION: Final = "extension-definition--fb9c968a-745b-4ade-9b25-c324172197f4"
MITRE: Final = "identity--d673f8cb-c168-42da-8ed4-0cb26725f86c"
_MADE: Final = "2022-08-02T19:34:35.143Z"
_DEFINITION: Final[tuple[StixObject, ...]] = (
    {"type": "extension-definition", "id": EXTENSION, "spec_version": SPEC, "name": "Attack Flow",
     "description": "Extends STIX 2.1 with features to create Attack Flows.", "created": _MADE, "modified": _MADE,
     "created_by_ref": MITRE, "version": "2.0.0", "extension_types": ["new-sdo"],
     "schema": "https://center-for-threat-informed-defense.github.io/attack-flow/stix/attack-flow-schema-2.0.0.json"},
    {"type": "identity", "spec_version": SPEC, "id": MITRE, "created_by_ref": MITRE, "created": _MADE,
     "modified": _MADE, "name": "MITRE Center for Threat-Informed Defense", "identity_class": "organization"},
)
"""The extension's own definition and its author, as published; a flow has to carry them."""
_TACTIC_OF: Final = {"D": "TA0001", "X": "TA0002", "E": "TA0005", "I": "TA0005", "C": "TA0006", "R": "TA0011",
                     "O": "TA0010", "P": "TA0003"}
"""Of a technique with several tactics, the one that fits the step's class of evidence."""


def render(document: Document) -> Iterator[bytes]:
    """The flow of the worst incident as JSON; of a document without an incident, a flow that says so."""
    stamp = Stamp.of(document)
    if not document["incidents"]:
        return bundle(own_id("bundle", "no flow", stamp.finished), _nothing(document, stamp))
    worst = max(document["incidents"], key=lambda one: level_rank(one["level"]))
    others = len(document["incidents"]) - 1
    return bundle(own_id("bundle", "flow", worst["incident_id"], stamp.finished), flow(worst, stamp, others))


def flow(incident: IncidentRow, stamp: Stamp, others: int = 0) -> Iterator[StixObject]:
    """The objects of one incident's flow; `others` are incidents of the same hunt that it does not tell."""
    return _Flow(incident, stamp, others).objects()


def _extended(stamp: Stamp, kind: str, identity: str, created: str, **properties: object) -> StixObject:
    return stamp.sdo(kind, identity, created, **properties, extensions={EXTENSION: {"extension_type": "new-sdo"}})


def _nothing(document: Document, stamp: Stamp) -> Iterator[StixObject]:
    """A flow must start somewhere: here with the condition that nothing was found."""
    run = document["provenance"]
    yield from (TLP_AMBER, DOUSE, *_DEFINITION)
    told = (f"No incident was found in {document['summary']['records_read']} records of "
            f"{len(document['coverage'])} hosts. That is no proof of absence.")
    condition = own_id("attack-condition", "no flow", run["finished"])
    yield _extended(stamp, "attack-flow", own_id("attack-flow", "no flow", run["finished"]), run["finished"],
                    name="No incident", description=told, scope="incident", start_refs=[condition])
    yield _extended(stamp, "attack-condition", condition, run["finished"], description=told)


class _Flow:
    """One incident on its way into a flow."""

    def __init__(self, incident: IncidentRow, stamp: Stamp, others: int) -> None:
        self._incident, self._stamp, self._others = incident, stamp, others
        self._processes = processes(incident["host"], incident["processes"])
        self._id = own_id("attack-flow", incident["incident_id"], "flow")
        self._users = {name: account(name, incident["host"]) for name in incident["users"] if name}

    def objects(self) -> Iterator[StixObject]:
        """The bundle's objects, the flow before its actions."""
        yield from (TLP_AMBER, DOUSE, *_DEFINITION, self._stamp.host(self._incident["host"]))
        chain = list(self._chain())
        for before, after in pairwise(chain):
            before["effect_refs" if before["type"] == "attack-action" else "on_true_refs"] = [after["id"]]
        yield self._flow_object(chain[0]["id"])
        for asset in self._assets():
            yield asset
            yield self._stamp.relationship(asset["id"], "related-to", self._id, self._incident["first_seen"])
        for technique in dict.fromkeys(one for step in self._incident["steps"] for one in step["techniques"]):
            yield attack_pattern(technique, self._stamp)
        for made in (*self._commands(), *self._users.values()):
            yield from made
        yield from chain
        yield from self._further_techniques()

    def _own(self, kind: str, *parts: str, **properties: object) -> StixObject:
        incident = self._incident
        return _extended(self._stamp, kind, own_id(kind, incident["incident_id"], *parts), incident["first_seen"],
                         **properties)

    def _flow_object(self, start: str) -> StixObject:
        incident = self._incident
        more = f"{self._others} further incidents of this hunt are not in this flow." if self._others else ""
        parts = (incident["verdict"], incident["family_detail"], more,
                 "Actions stand in the order of the records, which does not say that one caused the next.")
        return self._own("attack-flow", "flow", name=f"{incident['title']} on {incident['host']}", scope="incident",
                         description=" ".join(filter(None, parts)), start_refs=[start],
                         external_references=[{"source_name": "Douse", "external_id": incident["incident_id"]}])

    def _chain(self) -> Iterator[StixObject]:
        """Actions and conditions in the order of time, not yet linked; never empty."""
        steps = sorted(enumerate(self._incident["steps"]), key=lambda pair: pair[1]["time"])
        conditions = self._conditions([step for _, step in steps])
        for position, (number, step) in enumerate(steps):
            yield self._action(number, step)
            yield from conditions[position]
        if not steps:
            yield self._own("attack-condition", "no steps", description=self._incident["verdict"] or "No step known.")

    def _action(self, number: int, step: StepRow) -> StixObject:
        technique = step["techniques"][0] if step["techniques"] else ""
        known = attack().techniques.get(technique)
        parts = (step["title"], step["detail"], f"Process: {step['process']}" if step["process"] else "",
                 step["evidence"], f"Level: {step['level']}; alerts: {len(step['alerts'])}")
        return self._own(
            "attack-action", "step", step["time"], step["title"], str(number),
            name=known.title if known else technique or step["title"], tactic_id=self._tactic(technique, step),
            technique_id=technique, technique_ref=pattern_id(technique) if technique else "",
            description="\n".join(filter(None, parts)), execution_start=step["time"],
            command_ref=self._command(step), asset_refs=self._asset_ids(step))

    def _tactic(self, technique: str, step: StepRow) -> str:
        fitting = [one["tactic_id"] for one in self._incident["tactics"] if technique in one["techniques"]]
        preferred = _TACTIC_OF.get(step["evidence_class"], "")
        return preferred if preferred in fitting else fitting[0] if fitting else ""

    def _command(self, step: StepRow) -> str:
        """The process of the step, by the alerts that prove it or by the name that the step gives it."""
        for row, made in zip(self._incident["processes"], self._processes, strict=True):
            named = f"{row['image'].rpartition(chr(92))[2]} ({row['pid']})"
            if made and (step["process"] == named or not set(step["alerts"]).isdisjoint(row["alerts"])):
                return str(made[-1]["id"])
        return ""

    def _commands(self) -> Iterator[Objects]:
        """The processes of the steps and those that they came from; others have no place in a flow."""
        rows = self._incident["processes"]
        index = {made[-1]["id"]: number for number, made in enumerate(self._processes) if made}
        wanted: set[int] = set()
        for step in self._incident["steps"]:
            number = index.get(self._command(step))
            while number is not None and number not in wanted:
                wanted.add(number)
                number = rows[number]["parent"]
        return (self._processes[number] for number in sorted(wanted))

    def _asset_id(self, *parts: str) -> str:
        return own_id("attack-asset", self._incident["incident_id"], *parts)

    def _asset_ids(self, step: StepRow) -> list[str]:
        command = self._command(step)
        user = next((row["user"] for row, made in zip(self._incident["processes"], self._processes, strict=True)
                     if made and made[-1]["id"] == command), "")
        users = [self._asset_id("user", user)] if user in self._users else []
        stores = [self._asset_id("store", store["store"], store["user"]) for store in self._incident["stores"]
                  if not set(step["alerts"]).isdisjoint(store["alerts"])]
        return [self._asset_id("host"), *users, *stores]

    def _assets(self) -> Iterator[StixObject]:
        host = self._incident["host"]
        yield self._own("attack-asset", "host", name=host or "(host unknown)", description="The computer.",
                        object_ref=host_id(host))
        for name, made in self._users.items():
            yield self._own("attack-asset", "user", name, name=name, description="A user of the computer.",
                            object_ref=_last(made))
        for store in self._incident["stores"]:
            of = f" of {store['user']}" if store["user"] else ""
            holds = f": {', '.join(store['holds'])}" if store["holds"] else ""
            yield self._own("attack-asset", "store", store["store"], store["user"], name=f"{store['product']}{of}",
                            description=f"Credential store, {store['state']}{holds}. {store['evidence']}".strip())

    def _conditions(self, steps: list[StepRow]) -> defaultdict[int, list[StixObject]]:
        """What became true with which step: the sequence that it completes, the stores that no later step opens."""
        last = {alert: position for position, step in enumerate(steps) for alert in step["alerts"]}
        found: defaultdict[int, list[StixObject]] = defaultdict(list)
        for hit in self._incident["sequences"]:
            position = max((last.get(alert, -1) for alert in hit["alerts"]), default=-1)
            found[position].append(self._own("attack-condition", "sequence", hit["sequence_id"], hit["first_seen"],
                                             description=f"{hit['sequence_id']} {hit['title']}: {hit['reason']}"))
        opened: defaultdict[int, list[str]] = defaultdict(list)
        for store in self._incident["stores"]:
            position = max((last.get(alert, -1) for alert in store["alerts"]), default=-1)
            opened[position].append(f"{store['product']} ({', '.join(store['holds'])})")
        for position, names in opened.items():
            told = f"What lies in these stores may be in other hands: {', '.join(names)}."
            found[position].append(self._own("attack-condition", "stores", *names, description=told))
        return found

    def _further_techniques(self) -> Iterator[StixObject]:
        """An action has one technique; the others of its step are related to it."""
        for number, step in enumerate(self._incident["steps"]):
            action = own_id("attack-action", self._incident["incident_id"], "step", step["time"], step["title"],
                            str(number))
            for technique in step["techniques"][1:]:
                yield self._stamp.relationship(action, "related-to", pattern_id(technique),
                                               self._incident["first_seen"])


def _last(made: Objects) -> str:
    return str(made[-1]["id"]) if made else ""
