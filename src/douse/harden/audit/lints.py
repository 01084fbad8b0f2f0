"""Something wrong in a policy that was collected, whatever control it is for: AppLocker, App Control, the firewall.

    for lint in lints(subject): lint.code, lint.severity, lint.what, lint.next_step, lint.cited

Nothing here says whether a control is met. A lint is a rule that does nothing, one that can be walked around, or one
that locks everybody out. CODES lists them all; a code never changes its meaning. What each kind of policy is asked is
in lints_applocker.py, lints_app_control.py and lints_firewall.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from douse.harden.audit.lints_app_control import APP_CONTROL, app_control_lints
from douse.harden.audit.lints_applocker import APPLOCKER, applocker_lints
from douse.harden.audit.lints_firewall import FIREWALL, firewall_lints
from douse.harden.finding import SEVERITIES, Lint
from douse.harden.observed import Subject

CODES: Mapping[str, tuple[str, str]] = {**APPLOCKER, **APP_CONTROL, **FIREWALL}
"""Every code: its severity, and what it is about."""


def lints(subject: Subject) -> tuple[Lint, ...]:
    """All that is wrong in the policies of one subject, the worst first, each once."""
    found = dict.fromkeys((*applocker_lints(subject), *app_control_lints(subject), *firewall_lints(subject)))
    return tuple(sorted(found, key=lambda one: (SEVERITIES.index(one.severity), one.code, one.cited.file,
                                                one.cited.where, one.what)))
