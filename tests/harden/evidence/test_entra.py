"""Entra's exports: accounts and conditional access policies, of Graph, of its cmdlets, and as CSV."""

from __future__ import annotations

import json

import pytest

from douse.harden.evidence.entra import TENANT
from douse.harden.observed import AccessPolicy, Account
from harden.evidence.given import given, only, told

CONTEXT = "https://graph.microsoft.com/v1.0/$metadata#"
ANNA = {"id": "86462606-fde0-4fc4-9e0c-a20eb73e54c6", "userPrincipalName": "anna@corp.example", "isAdmin": True,
        "isMfaRegistered": True, "isMfaCapable": True, "userType": "member",
        "methodsRegistered": ["microsoftAuthenticatorPush", "fido2SecurityKey"],
        "userPreferredMethodForSecondaryAuthentication": "push"}
ACCOUNTS = {"@odata.context": f"{CONTEXT}reports/authenticationMethods/userRegistrationDetails", "value": [
    ANNA, {"userPrincipalName": "bob@corp.example", "isAdmin": False, "isMfaRegistered": False, "isMfaCapable": False,
           "methodsRegistered": [], "userType": "guest"}, {"id": "x", "isMfaRegistered": True}]}
POLICY = {
    "id": "7359d0e0", "displayName": "MFA for all", "state": "enabled", "sessionControls": None, "conditions": {
        "signInRiskLevels": [], "userRiskLevels": [], "clientAppTypes": ["all"], "platforms": None, "locations": None,
        "devices": None, "applications": {"includeApplications": ["All"], "excludeApplications": [],
                                          "includeUserActions": []},
        "users": {"includeUsers": ["All"], "excludeUsers": ["GuestsOrExternalUsers", "u-1"], "includeGroups": [],
                  "excludeGroups": ["g-1"], "includeRoles": [], "excludeRoles": ["r-1"]}},
    "grantControls": {"operator": "OR", "builtInControls": ["mfa"], "customAuthenticationFactors": [],
                      "termsOfUse": [], "authenticationStrength": None}}
POLICIES = {"@odata.context": f"{CONTEXT}identity/conditionalAccess/policies", "value": [POLICY]}


def policy(**changes: object) -> AccessPolicy:
    """The one policy, with parts of its conditions changed."""
    made = json.loads(json.dumps(POLICY))
    for path, value in changes.items():
        target = made
        *above, last = path.split("__")
        for part in above:
            target = target[part]
        target[last] = value
    (seen,) = only(given("ca.json", {"value": [made]}, reader="entra")).access_policies
    return seen.value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_accounts_of_graph(encoding) -> None:
    evidence = given("mfa.json", json.dumps(ACCOUNTS).encode(encoding), reader="entra")
    tenant = only(evidence)
    assert (tenant.kind, tenant.name) == ("tenant", TENANT)
    assert [seen.value for seen in tenant.accounts] == [
        Account("anna@corp.example", True, True, True, ("microsoftAuthenticatorPush", "fido2SecurityKey"), "push",
                "member"),
        Account("bob@corp.example", False, False, False, (), "", "guest"),
        Account("x", None, True, None, None)]
    assert [source.file for source in tenant.accounts_whole] == ["mfa.json"]
    assert told(evidence) == []


def test_accounts_of_the_cmdlets() -> None:
    spelled = [{name[:1].upper() + name[1:]: value for name, value in ANNA.items()}]
    for document in (spelled, spelled[0]):
        tenant = only(given("mfa.json", document, reader="entra"))
        assert [seen.value.name for seen in tenant.accounts] == ["anna@corp.example"]
        assert tenant.accounts[0].value.methods == ("microsoftAuthenticatorPush", "fido2SecurityKey")
        assert len(tenant.accounts_whole) == 1


def test_one_page_of_several_is_not_the_whole() -> None:
    evidence = given("mfa.json", ACCOUNTS | {"@odata.nextLink": "https://graph.microsoft.com/v1.0/x?$skiptoken=1"},
                     reader="entra")
    assert len(only(evidence).accounts) == 3
    assert only(evidence).accounts_whole == []
    assert told(evidence) == ["mfa.json: is one page of several: it names a next one."]


@pytest.mark.parametrize(("count", "more"), [(99, False), (100, True), (101, False)])
def test_a_list_as_long_as_a_page_may_go_on(count, more) -> None:
    accounts = [ANNA | {"userPrincipalName": f"u{at}@corp.example"} for at in range(count)]
    for document in (accounts, {"value": accounts, "Count": count}):
        evidence = given("mfa.json", document, reader="entra")
        assert only(evidence).accounts_whole == ([] if more else only(evidence).accounts_whole[:1])
        assert bool(only(evidence).accounts_whole) is not more
        assert [f"exactly {count} entries" in line for line in told(evidence)] == ([True] if more else [])
    assert only(given("mfa.json", ACCOUNTS | {"value": accounts}, reader="entra")).accounts_whole


def test_an_empty_page_of_policies_is_the_whole() -> None:
    tenant = only(given("ca.json", POLICIES | {"value": []}, reader="entra"))
    assert (tenant.access_policies, len(tenant.access_policies_whole), tenant.accounts_whole) == ([], 1, [])


def test_both_exports_are_of_one_tenant() -> None:
    evidence = given("a/mfa.json", ACCOUNTS, reader="entra")
    given("b/ca.json", POLICIES, reader="entra", evidence=evidence)
    assert (len(only(evidence).accounts), len(only(evidence).access_policies)) == (3, 1)


def test_a_policy() -> None:
    assert policy() == AccessPolicy(
        "MFA for all", "enabled", ("mfa",), "", "OR", ("user:All",), ("guests:everyone", "user:u-1", "group:g-1",
                                                                      "role:r-1"), ("all",), ("All",), True)


def test_states_and_strengths_of_policies() -> None:
    assert policy(state="enabledForReportingButNotEnforced").state == "report-only"
    assert policy(state="disabled").state == "disabled"
    resistant = {"id": "00000000-0000-0000-0000-000000000004"}
    assert policy(grantControls__authenticationStrength=resistant).strength == "Phishing-resistant MFA"
    own = resistant | {"displayName": "Ours"}
    assert policy(grantControls__authenticationStrength=own).strength == "Ours"
    assert policy(grantControls__operator="and").operator == "AND"


@pytest.mark.parametrize(("changes", "applications"), [
    ({"conditions__applications__excludeApplications": ["app-1"]}, ("All (without app-1)",)),
    ({"conditions__signInRiskLevels": ["high", "medium"]}, ("All (only signinrisk high/medium)",)),
    ({"conditions__locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}},
     ("All (without some locations)",)),
    ({"conditions__locations": {"includeLocations": ["All"], "excludeLocations": []}}, ("All",)),
    ({"conditions__platforms": {"includePlatforms": ["windows"], "excludePlatforms": []}},
     ("All (only some platforms)",)),
    ({"conditions__platforms": {"includePlatforms": ["all"], "excludePlatforms": None}}, ("All",)),
    ({"conditions__devices": {"deviceFilter": {"mode": "exclude", "rule": "device.x -eq 1"}}},
     ("All (only some devices)",)),
    ({"conditions__devices": {"deviceFilter": None, "includeDevices": []}}, ("All",)),
    ({"conditions__authenticationFlows": {"transferMethods": "deviceCodeFlow"}},
     ("All (only some authenticationflows)",)),
    ({"conditions__applications": {"includeUserActions": ["urn:user:registersecurityinfo"]}},
     ("action urn:user:registersecurityinfo",)),
])
def test_what_narrows_a_policy_is_not_all(changes, applications) -> None:
    assert policy(**changes).applications == applications


def test_a_policy_without_its_conditions_is_incomplete() -> None:
    assert not policy(conditions={"applications": {"includeApplications": ["All"]}}).complete
    assert not policy(conditions=None).complete
    assert not policy(conditions__users={}).complete
    assert policy(grantControls=None).complete  # it has session controls


def test_what_powershell_cut_off_proves_nothing() -> None:
    assert policy(conditions__users__excludeUsers="u-1 u-2 u-3").excludes[:3] == ("user:u-1", "user:u-2", "user:u-3")
    for what in ("locations", "platforms", "devices"):
        assert not policy(**{f"conditions__{what}": "Microsoft.Graph.PowerShell.Models.MicrosoftGraphX"}).complete
    assert not policy(conditions__users__excludeGuestsOrExternalUsers="@{guestOrExternalUserTypes=guest}").complete
    assert not policy(conditions__devices={"deviceFilter": "Microsoft.Graph.PowerShell.Models.X"}).complete
    assert not policy(grantControls__authenticationStrength="@{id=x}").complete
    filtered = {"mode": "exclude", "rule": "x"}
    assert policy(conditions__applications__applicationFilter=filtered).applications == ("All (only filtered ones)",)


def test_policies_without_name_or_state_are_counted() -> None:
    evidence = given("ca.json", POLICIES | {"value": [POLICY, {"conditions": {}, "state": "odd", "id": "1"}, 1]},
                     reader="entra")
    assert len(only(evidence).access_policies) == 1
    assert told(evidence) == ["ca.json: 2 of 3 entries are no account or policy."]
    assert only(evidence).access_policies_whole == []


CSV = ("UserPrincipalName,IsAdmin,IsMfaRegistered,IsMfaCapable,MethodsRegistered,UserType\r\n"
       "anna@corp.example,True,True,True,mobilePhone;email,member\r\nbob@corp.example,False,False,False,,member\r\n")


@pytest.mark.parametrize("data", [
    CSV, CSV.encode("utf-16"), CSV.replace(",", '","').replace("\r\n", '"\r\n"').join(('"', "")),
    '#TYPE Selected\n' + CSV, CSV.replace(";", " ; ").replace(",", "\t"),
    CSV.replace("IsMfaRegistered,IsMfaCapable", "Multi-factor authentication registered,MFA capable").replace(
        "True", "Yes").replace("False", "No")])
def test_accounts_as_csv(data) -> None:
    if isinstance(data, str):
        data = data.removesuffix('"')
    evidence = given("mfa.csv", data, reader="entra")
    assert told(evidence) == []
    assert [seen.value for seen in only(evidence).accounts] == [
        Account("anna@corp.example", True, True, True, ("mobilePhone", "email"), "", "member"),
        Account("bob@corp.example", False, False, False, (), "", "member")]
    assert len(only(evidence).accounts_whole) == 1


def test_methods_that_powershell_did_not_write_are_not_known() -> None:
    evidence = given("mfa.csv", CSV.replace("mobilePhone;email", "System.String[]"), reader="entra")
    assert only(evidence).accounts[0].value.methods is None
    assert "1 accounts have words" in told(evidence)[0]


def test_a_file_in_another_language_is_refused() -> None:
    evidence = given("mfa.csv", "userPrincipalName,MethodsRegistered\r\na@b,x\r\n", reader="entra")
    assert evidence.problems[0].what == "has no columns for an account and its second factor in English."
    assert "Export it from Graph" in evidence.problems[0].next_step


def test_damaged_rows_are_counted() -> None:
    evidence = given("mfa.csv", CSV + 'carl@corp.example,"True\r\nno account,True,True,True,,\r\n', reader="entra")
    assert len(only(evidence).accounts) == 2
    assert told(evidence) == ["mfa.csv: 2 rows are no accounts."]
    assert only(evidence).accounts_whole == []


@pytest.mark.parametrize("data", ['{"value": [{"isMfaRegistered": ', '{"x": "isMfaRegistered", "isMfaRegistered2": 1}',
                                  '{"a": ["isMfaRegistered", {"isMfaRegistered"'])
def test_what_cannot_be_used(data) -> None:
    evidence = given("mfa.json", data)
    assert all(not subject.accounts for subject in evidence.subjects)
    assert len(evidence.problems) <= 1
