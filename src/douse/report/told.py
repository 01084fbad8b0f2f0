"""What CSV, Timesketch and SARIF say of an alert besides its row: whose it is, and what its record names.

An AlertRow goes in with the document's incidents; texts are raw, each format makes them safe for its reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from douse.content.attack import attack
from douse.report.observed import Observed, observed
from douse.report.schema import AlertRow, Document, IncidentRow


def incident_of_alert(document: Document) -> dict[str, IncidentRow]:
    """The incident of each alert that is in one, by the alert's id."""
    return {name: incident for incident in document["incidents"] for name in incident["alerts"]}


@cache
def tactics_of(technique: str) -> tuple[str, ...]:
    """The names of a technique's tactics in ATT&CK; none for an id it does not have."""
    known = attack().techniques.get(technique)
    return known.tactics if known else ()


def tactics(alert: AlertRow) -> list[str]:
    """The tactics of all techniques of an alert, each once."""
    return list(dict.fromkeys(name for one in alert["techniques"] for name in tactics_of(one)))


def reason(alert: AlertRow) -> str:
    """Why the rule fired: each field that it looked at, with its value."""
    return "; ".join(dict.fromkeys(f"{one['field']}={one['value']}" for one in alert["matched"]))


def facts(alert: AlertRow) -> dict[str, str]:
    """What the alert's record names, under plain names; what it does not name is left out."""
    seen = observed(alert)
    found = {"process": seen.actor.image, "pid": str(seen.actor.pid or ""), "user": seen.actor.user_name,
             "command_line": seen.actor.command_line, "file": seen.file, "url": seen.url, "script": seen.script,
             **_registry(seen), **_network(seen),
             **{name.lower().replace("-", ""): value for name, value in seen.hashes.items()}}
    return {name: value for name, value in found.items() if value}


def _registry(seen: Observed) -> Mapping[str, str]:
    if seen.registry is None:
        return {}
    return {"registry_key": seen.registry.key, "registry_value": seen.registry.name,
            "registry_data": seen.registry.data}


def _network(seen: Observed) -> Mapping[str, str]:
    if seen.destination is None:
        return {}
    return {"destination_ip": ", ".join(seen.destination.addresses), "destination_host": seen.destination.hostname,
            "destination_port": str(seen.destination.port or "")}
