"""An audit as a layer of the ATT&CK Navigator: how much of what is against a technique is in place. Format 4.5.

The score of a technique is the share, in percent, of its controls' findings that pass: over hosts, tenant and
organisation, not policies, and without those that are not applicable. What nobody knows does not count as in place. The
mapping of controls to techniques is ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from douse.report.audit_schema import AuditDocument, ControlSummaryRow
from douse.report.navigator_layer import frame, in_matrix, technique

MAX_HOSTS: Final = 20
"""Subjects that a technique's comment names for one control."""

_LOW, _MIDDLE, _HIGH = "#f3c6c0", "#f6e3a1", "#a8d8a8"


def layer(document: AuditDocument) -> dict[str, Any]:
    """The layer of an audit; a technique whose controls apply nowhere is left out."""
    by_technique: dict[str, list[ControlSummaryRow]] = {}
    for control in document["controls"]:
        for identity in control["techniques"]:
            if in_matrix(identity) and _applying(control):
                by_technique.setdefault(identity, []).append(control)
    hosts = document["summary"]["hosts"]
    return frame(
        f"Douse: controls on {hosts} host(s)",
        f"Share of findings that pass, profile {document['profile']}. The mapping of controls to techniques is ours.",
        document["provenance"],
        [_technique(identity, by_technique[identity]) for identity in sorted(by_technique)],
        (_LOW, _MIDDLE, _HIGH),
        (("in place", _HIGH), ("in part", _MIDDLE), ("missing or unknown", _LOW)),
    )


def _applying(control: ControlSummaryRow) -> int:
    return sum(number for state, number in control["counts"].items() if state != "not-applicable")


def _technique(identity: str, controls: Sequence[ControlSummaryRow]) -> dict[str, Any]:
    score = 100 * sum(one["counts"]["pass"] for one in controls) / sum(map(_applying, controls))
    facts = [(one["id"], ", ".join(f"{number} {state}" for state, number in one["counts"].items() if number))
             for one in controls]
    return technique(identity, score, "\n".join(map(_comment, controls)), facts)


def _comment(control: ControlSummaryRow) -> str:
    """A control and where it is missing or unknown."""
    parts = [f"{word} {_names(names)}" for word, names in (("missing on", control["missing_on"]),
                                                           ("unknown on", control["unknown_on"])) if names]
    return f"{control['id']} {control['title']}: {'; '.join(parts) or 'in place'}"


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_HOSTS} more" if len(names) > MAX_HOSTS else ""
    return ", ".join(names[:MAX_HOSTS]) + more
