"""A hunt as one STIX 2.1 bundle: a document in, JSON bytes out. Marked TLP:AMBER, every id the same in every run.

Incidents are told whole (stix_incident.py), with their alerts as observed data. Alerts outside of incidents are weak
signs that nobody should import as intelligence: the note on the run counts them. A hunt without a finding gives a
bundle too, whose note says what was read and what could not be seen.
"""

from __future__ import annotations

from collections.abc import Iterator

from douse.report.schema import Document
from douse.report.stix_incident import Teller
from douse.report.stix_objects import DOUSE, TLP_AMBER, Stamp, StixObject, bundle, host_id, own_id


def render(document: Document) -> Iterator[bytes]:
    """The bundle as JSON. The alerts are read once, in order, and not kept."""
    run = document["provenance"]
    parts = (run["finished"], run["rules_hash"], *(one["incident_id"] for one in document["incidents"]))
    yield from bundle(own_id("bundle", *parts), objects(document))


def objects(document: Document) -> Iterator[StixObject]:
    """The objects of the bundle; one that several incidents share comes several times."""
    stamp = Stamp.of(document)
    tellers = [Teller(incident, stamp, document["provenance"]["version"]) for incident in document["incidents"]]
    teller_of = {alert: teller for teller, incident in zip(tellers, document["incidents"], strict=True)
                 for alert in incident["alerts"]}
    yield TLP_AMBER
    yield DOUSE
    for teller in tellers:
        yield from teller.opening()
    alone = 0
    for alert in document["alerts"]:
        if alert["alert_id"] in teller_of:
            yield from teller_of[alert["alert_id"]].alert(alert)
        else:
            alone += 1
    for teller in tellers:
        yield from teller.closing()
    yield from _of_the_run(document, stamp, alone)


def _of_the_run(document: Document, stamp: Stamp, alone: int) -> Iterator[StixObject]:
    """The hosts that were read and a note on the run: what it found, read and lost."""
    run, summary = document["provenance"], document["summary"]
    hosts = list(dict.fromkeys(host["host"] for host in document["coverage"]))
    for host in hosts:
        yield stamp.host(host)
    lines = [
        f"Incidents: {len(document['incidents'])}. Alerts outside of incidents, not in this bundle: {alone}.",
        f"Records read: {summary['records_read']} of {summary['files']} files. Lost: {summary['records_lost']}.",
        *(["The result is partial."] if summary["partial"] else []),
        *(f"Not to be judged on {host['host']}: {'; '.join(spot['title'] for spot in host['blind_spots'])}."
          for host in document["coverage"] if host["blind_spots"]),
        *document["notes"],
        f"Douse {run['version']}, rules {run['rules_hash']}, ATT&CK {run['attack_version']}.",
    ]
    yield stamp.sdo("note", own_id("note", "run", run["finished"], run["rules_hash"]), run["finished"],
                    abstract="What was read, and what could not be seen", content="\n".join(lines),
                    authors=[f"Douse {run['version']}"], object_refs=[host_id(host) for host in hosts] or [DOUSE["id"]])
