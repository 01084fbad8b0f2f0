"""Results of subjects become rows for the whole fleet: each control, and how many computers are in each state.

A control about accounts or answers is counted over the tenant or the organisation instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from douse.content.controls import Control
from douse.harden.audit.checks import ABOUT
from douse.harden.finding import STATES, FleetRow, SubjectResult

KINDS = ("host", "tenant", "organisation")
"""Whose control it is, the first that it is about."""


def fleet(wanted: Iterable[Control], subjects: Sequence[SubjectResult], profile: str) -> tuple[FleetRow, ...]:
    """A row for each control, in order."""
    return tuple(_row(control, subjects, profile) for control in wanted)


def whose(control: Control, profile: str) -> str:
    """The kind of subject that a control is about first, "" where the profile asks for nothing of it."""
    kinds = {type(setting) for setting in control.settings_of(profile)}
    return next((kind for kind in KINDS if kinds & ABOUT[kind]), "")


def _row(control: Control, subjects: Sequence[SubjectResult], profile: str) -> FleetRow:
    kind = whose(control, profile)
    counted = Counter(finding.state for subject in subjects if subject.kind == kind
                      for finding in subject.findings if finding.control.id == control.id)
    return FleetRow(control, {state: counted[state] for state in STATES})
