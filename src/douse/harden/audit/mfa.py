"""Judge a tenant's second factors: which question of a control is answered where.

The exports and what they cannot show: mfa_accounts.py, mfa_policies.py. What an export does not hold cannot pass.
"""

from __future__ import annotations

from collections.abc import Callable

from douse.content.settings import TenantSetting
from douse.harden.audit.mfa_accounts import admins_registered, admins_resistant, no_sms_only, users_registered
from douse.harden.audit.mfa_policies import legacy_blocked, no_exclusions, policies_enforced
from douse.harden.finding import Check
from douse.harden.observed import Subject


def check_tenant(setting: TenantSetting, subject: Subject) -> tuple[Check, ...]:
    """The answer to the question that a setting names."""
    return (CHECKS[setting.check](setting, subject),)


CHECKS: dict[str, Callable[[TenantSetting, Subject], Check]] = {
    "admins-registered": admins_registered, "users-registered": users_registered,
    "admins-phishing-resistant": admins_resistant, "no-sms-only": no_sms_only,
    "policies-enforced": policies_enforced, "no-exclusions": no_exclusions, "legacy-blocked": legacy_blocked}
"""The questions of content/settings.MFA_CHECKS."""
