"""A tenant's second factors: what exports show, and that an export which is not whole never passes."""

from __future__ import annotations

import pytest

from douse.content.settings import MFA_CHECKS, TenantSetting
from douse.harden.audit.checks import check
from douse.harden.audit.mfa import CHECKS
from harden import makers as m

APP, KEY, SMS = "microsoftAuthenticatorPush", "fido2SecurityKey", "mobilePhone"
WHOLE = m.accounts_whole()
ALL = m.policies_whole()
ADMIN, USER = m.account("ada@x", True, True, APP), m.account("uma@x", False, True, APP)
ALL_USERS = m.access_policy("MFA for all")
REPORT = m.access_policy("MFA report", "report-only")
PHISHING = m.access_policy("Admins", grants=(), strength="Phishing-resistant MFA",
                           includes=("role:62e90394-69f5-4237-9190-012177145e10",))
LEGACY = m.access_policy("No legacy", grants=("block",), clients=("exchangeActiveSync", "other"))
OTHER = m.source("entra", "portal.csv")


def resistant(**more):
    """A policy that demands a factor that resists phishing, of everybody unless more is said."""
    return m.access_policy("Strong", **{"grants": (), "strength": "Phishing-resistant MFA", **more})


def users(count: int, without: int):
    return [m.account(f"u{number}@x", False, number >= without, APP) for number in range(count)]


CASES = [
    ("admins-registered", [], "unknown"),
    ("admins-registered", [ADMIN, USER], "unknown"),
    ("admins-registered", [ADMIN, USER, WHOLE], "pass"),
    ("admins-registered", [m.account("ada@x", True, False), USER, WHOLE], "fail"),
    ("admins-registered", [m.account("ada@x", True, False), USER], "fail"),
    ("admins-registered", [ADMIN, m.account("bob@x", True, False), WHOLE], "partial"),
    ("admins-registered", [ADMIN, m.account("bob@x", True, True, APP, capable=False), WHOLE], "partial"),
    ("admins-registered", [ADMIN, m.account("bob@x", None, True, APP), WHOLE], "unknown"),
    ("admins-registered", [ADMIN, m.account("bob@x", True, None), WHOLE], "unknown"),
    ("admins-registered", [USER, WHOLE], "unknown"),
    ("admins-registered", [ADMIN, m.account("ADA@x", True, False, of=OTHER), WHOLE], "conflict"),
    ("users-registered", [], "unknown"),
    ("users-registered", [*users(100, 1), WHOLE], "pass"),
    ("users-registered", [*users(100, 2), WHOLE], "partial"),
    ("users-registered", [*users(3, 3), WHOLE], "fail"),
    ("users-registered", users(100, 0), "unknown"),
    ("no-sms-only", [ADMIN, m.account("s@x", False, True, SMS, APP), WHOLE], "pass"),
    ("no-sms-only", [ADMIN, m.account("s@x", False, True, SMS), WHOLE], "partial"),
    ("no-sms-only", [m.account("s@x", False, True, SMS, "email"), WHOLE], "fail"),
    ("no-sms-only", [ADMIN, m.account("s@x", False, True, told=False), WHOLE], "unknown"),
    ("no-sms-only", [ADMIN, m.account("n@x", False, False, SMS), WHOLE], "pass"),
    ("admins-phishing-resistant", [m.account("a@x", True, True, KEY), WHOLE], "unknown"),
    ("admins-phishing-resistant", [m.account("a@x", True, True, KEY), WHOLE, ALL_USERS, ALL], "partial"),
    ("admins-phishing-resistant", [m.account("a@x", True, True, KEY), WHOLE, PHISHING, ALL], "pass"),
    ("admins-phishing-resistant", [m.account("a@x", True, True, KEY), WHOLE, PHISHING], "unknown"),
    ("admins-phishing-resistant", [m.account("a@x", True, True, KEY), WHOLE, ALL, resistant(
        includes=("role:62e90394-69f5-4237-9190-012177145e10",))], "pass"),
    ("admins-phishing-resistant", [m.account("a@x", True, True, KEY), WHOLE, ALL, resistant(
        includes=("role:f2ef992c-3afb-46b9-b7cf-a126ee74c451",))], "partial"),
    ("admins-phishing-resistant", [m.account("a@x", True, True, KEY), WHOLE, ALL, resistant(
        applications=("one-app",))], "partial"),
    ("admins-phishing-resistant", [m.account("a@x", True, True, KEY), WHOLE, ALL, resistant(
        excludes=("group:staff",))], "partial"),
    ("admins-phishing-resistant", [m.account("a@x", True, True, KEY), WHOLE, ALL, resistant(
        grants=("compliantDevice",))], "partial"),
    ("no-sms-only", [ADMIN, m.account("s@x", False, True, "Mobile phone", "Password"), WHOLE], "partial"),
    ("policies-enforced", [m.access_policy("Or", strength="Multifactor authentication",
                                           grants=("compliantDevice",)), ALL], "fail"),
    ("policies-enforced", [m.access_policy("Most", excludes=("group:staff",)), ALL], "partial"),
    ("policies-enforced", [m.access_policy("Most", excludes=("user:1", "user:2")), ALL], "pass"),
    ("legacy-blocked", [m.access_policy("Old", grants=("block",), clients=("exchangeActiveSync", "other"),
                                        excludes=("group:staff",)), ALL], "partial"),
    ("admins-phishing-resistant", [m.account("a@x", True, True, APP), WHOLE, PHISHING, ALL], "fail"),
    ("admins-phishing-resistant", [m.account("a@x", True, True, "windowsHelloForBusiness"), WHOLE, PHISHING,
                                   ALL], "pass"),
    ("admins-phishing-resistant", [m.account("a@x", True, True, KEY), WHOLE, ALL, m.access_policy(
        "Pilot", grants=(), strength="Phishing-resistant MFA", includes=("group:1",))], "partial"),
    ("no-sms-only", [m.account("s@x", False, True), WHOLE], "unknown"),
    ("policies-enforced", [], "unknown"),
    ("policies-enforced", [ALL], "unknown"),
    ("policies-enforced", [ALL_USERS, ALL], "pass"),
    ("policies-enforced", [ALL_USERS], "unknown"),
    ("policies-enforced", [ALL_USERS, REPORT, ALL], "pass"),
    ("policies-enforced", [REPORT, ALL], "fail"),
    ("policies-enforced", [REPORT], "partial"),
    ("policies-enforced", [PHISHING, ALL], "partial"),
    ("policies-enforced", [m.access_policy("off", "disabled"), ALL], "unknown"),
    ("policies-enforced", [m.access_policy("some", complete=False), ALL], "partial"),
    ("policies-enforced", [m.access_policy("or", grants=("mfa", "compliantDevice")), ALL], "fail"),
    ("policies-enforced", [m.access_policy("and", grants=("mfa", "compliantDevice"), operator="AND"), ALL], "pass"),
    ("policies-enforced", [m.access_policy("app", applications=("guid",)), ALL], "partial"),
    ("policies-enforced", [m.access_policy("web", clients=("browser",)), ALL], "partial"),
    ("no-exclusions", [], "unknown"),
    ("no-exclusions", [ALL_USERS, ALL], "pass"),
    ("no-exclusions", [ALL_USERS], "unknown"),
    ("no-exclusions", [m.access_policy("x", excludes=("user:1", "user:2")), ALL], "pass"),
    ("no-exclusions", [m.access_policy("x", excludes=("user:1", "user:2", "user:3")), ALL], "partial"),
    ("no-exclusions", [m.access_policy("x", excludes=("group:1",)), ALL], "partial"),
    ("no-exclusions", [m.access_policy("x", excludes=("GuestsOrExternalUsers",)), ALL], "partial"),
    ("no-exclusions", [m.access_policy("x", complete=False), ALL], "unknown"),
    ("no-exclusions", [REPORT, ALL], "unknown"),
    ("legacy-blocked", [], "unknown"),
    ("legacy-blocked", [LEGACY, ALL], "pass"),
    ("legacy-blocked", [LEGACY], "unknown"),
    ("legacy-blocked", [ALL_USERS, ALL], "fail"),
    ("legacy-blocked", [ALL_USERS], "unknown"),
    ("legacy-blocked", [m.access_policy("l", "report-only", ("block",), clients=("exchangeActiveSync", "other")), ALL],
     "fail"),
    ("legacy-blocked", [m.access_policy("l", grants=("block",), clients=("other",)), ALL], "fail"),
    ("legacy-blocked", [m.access_policy("l", grants=("block",), clients=("exchangeActiveSync", "other"),
                                        includes=("group:1",)), ALL], "partial"),
]


@pytest.mark.parametrize(("asked", "adds", "state"), CASES, ids=lambda value: str(value)[:30])
def test_states(asked, adds, state) -> None:
    for order in (adds, adds[::-1]):
        (found,) = check(TenantSetting(id=f"H99/{asked}", check=asked), m.subject(*order, kind="tenant"), "seed")
        assert found.state == state, found.why


def test_every_question_has_an_answer_and_cases() -> None:
    assert set(CHECKS) == set(MFA_CHECKS) == {asked for asked, *_ in CASES}


def test_accounts_are_named_and_a_thousand_are_counted() -> None:
    tenant = m.subject(*users(1000, 1000), WHOLE, kind="tenant")
    (found,) = check(TenantSetting(id="H99/u", check="users-registered"), tenant, "seed")
    assert "0 of 1,000 (0 %)" in found.why
    assert "and 994 more" in found.why
    assert len(found.cited) <= 20


def test_a_newer_export_replaces_an_older_one_and_its_accounts() -> None:
    old, new = m.source("entra", "old.json", day=1), m.source("entra", "new.json", day=20)
    tenant = m.subject(m.account("gone@x", True, False, of=old), m.accounts_whole(old),
                       m.account("ada@x", True, True, APP, of=new), m.accounts_whole(new), kind="tenant")
    (found,) = check(TenantSetting(id="H99/a", check="admins-registered"), tenant, "seed")
    assert found.state == "pass"
