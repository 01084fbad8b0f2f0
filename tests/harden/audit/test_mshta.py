"""The mission's own question, per host: the order of what counts, what is in force, and what nobody can know."""

from __future__ import annotations

from dataclasses import replace

import pytest

from douse.content.controls import controls
from douse.content.settings import AppLockerSetting
from douse.harden.app_control_policy import KERNEL, USER, AppControlPolicy, FileRule
from douse.harden.applocker_policy import AppLockerPolicy, AppLockerRule, Condition, RuleCollection, write
from douse.harden.audit.applocker import SRP
from douse.harden.audit.mshta import answer
from douse.harden.audit.mshta_app_control import UMCI_STATUS
from douse.harden.finding import ANSWERS, MshtaAnswer
from douse.harden.generate.applocker import made_policy
from douse.harden.observed import Subject
from harden import makers as m

SETTINGS = [one for control in controls() for one in control.settings if isinstance(one, AppLockerSetting)]
SID = "S-1-5-21-1-2-3-1603"
DENIED = write(made_policy(SETTINGS, "enforce", None)).decode()
SCOPED = write(made_policy(SETTINGS, "enforce", ("CORP\\HTA users", SID))).decode()
AUDITED = write(made_policy(SETTINGS, "audit", None)).decode()
WINDOWS = AppLockerRule("1", "Windows", "", "S-1-1-0", "Allow", (Condition("path", path=r"%WINDIR%\*"),))
OPEN = write(AppLockerPolicy((RuleCollection("Exe", "Enabled", (WINDOWS,)),))).decode()
EMPTY = write(AppLockerPolicy(())).decode()
RUNS = m.service("AppIDSvc", "manual", "running")
ID = "{11111111-2222-3333-4444-555555555555}"


def wdac(*options: str, deny: str = "") -> AppControlPolicy:
    rules = (FileRule("Allow", "A", "", "*", "", "", "", ""),
             *((FileRule("Deny", "D", "", deny, "", "", "", ""),) if deny else ()))
    ids = tuple(rule.id for rule in rules)
    return AppControlPolicy(ID, ID, "Base Policy", "lock", frozenset(options), rules, ((KERNEL, ("A",)), (USER, ids)),
                            version="10.0.0.1")


DEAD = wdac("Enabled:UMCI")
DEAD_IN_AUDIT = wdac("Enabled:UMCI", "Enabled:Audit Mode")
NO_SCRIPTS = wdac("Enabled:UMCI", "Disabled:Script Enforcement")
NO_SCRIPTS_DENY = wdac("Enabled:UMCI", "Disabled:Script Enforcement", deny="mshta.exe")
DRIVERS = wdac()
TAGS = replace(DEAD, type="AppID Tagging Policy")
PATH_DENY = replace(NO_SCRIPTS, rules=(*NO_SCRIPTS.rules, FileRule(
    "Deny", "P", "", "", "", "", r"%SYSTEM32%\mshta.exe", "")), scenarios=((KERNEL, ("A",)), (USER, ("A", "P"))))
NONE = m.app_control_whole()
"""The list of active App Control policies is whole."""


def told(subject: Subject) -> MshtaAnswer:
    found = answer(subject)
    assert found is not None
    assert found.answer in ANSWERS
    assert (found.answer == "allowed-for-group") == bool(found.groups)
    return found


@pytest.mark.parametrize(("adds", "expected", "says"), [
    # AppLocker
    ([m.applocker("effective", DENIED), RUNS], "denied", "A rule denies it to Everyone"),
    ([m.applocker("gpo", DENIED), RUNS], "denied", "A rule denies it"),
    ([m.applocker("effective", DENIED), m.service("AppIDSvc", "automatic")], "denied", ""),
    ([m.applocker("effective", DENIED), m.service("AppIDSvc", "automatic", "stopped"), NONE], "unrestricted",
     "does not run"),
    ([m.applocker("effective", DENIED), m.service("AppIDSvc", "disabled"), NONE], "unrestricted", "is disabled"),
    ([m.applocker("effective", DENIED), m.service("AppIDSvc", None), NONE], "unrestricted", "does not run"),
    ([m.applocker("effective", DENIED), m.service("AppIDSvc", None)], "unknown", "one could stop mshta"),
    ([m.applocker("effective", DENIED), m.service("AppIDSvc", "manual")], "unknown", "starts as manual"),
    ([m.applocker("effective", DENIED)], "unknown", "nothing was seen of it"),
    ([m.applocker("effective", DENIED), RUNS, m.service("AppIDSvc", "manual", "stopped", of=m.HIVE)], "conflict",
     "disagree"),
    ([m.applocker("effective", DENIED), RUNS, m.service("appidsvc", "manual", of=m.HIVE)], "denied", ""),
    ([m.applocker("effective", DENIED), m.service("AppIDSvc", "automatic"), m.service("AppIDSvc", "manual", of=m.HIVE)],
     "unknown", "automatic or manual"),
    ([m.applocker("effective", SCOPED), RUNS], "allowed-for-group", SID),
    ([m.applocker("gpo", SCOPED, of=m.HIVE), m.applocker("gpo", AUDITED, of=m.GPRESULT), RUNS, NONE], "unknown", ""),
    ([m.applocker("effective", SCOPED), m.service("AppIDSvc", "disabled"), NONE], "unrestricted", "not in force"),
    ([m.applocker("effective", AUDITED), RUNS, NONE], "unrestricted", "only records"),
    ([m.applocker("effective", OPEN), RUNS, NONE], "unrestricted", "allows it to Everyone"),
    ([m.applocker("effective", EMPTY), NONE], "unrestricted", "no Exe rules"),
    ([m.applocker("effective", EMPTY)], "unknown", "one could stop mshta"),  # App Control was not looked at
    ([m.applocker("gpo", OPEN), RUNS, NONE], "unknown", "another store"),  # the local rules may deny it
    ([m.applocker("local", DENIED), RUNS], "unknown", "Group Policy"),  # which may have them only record
    ([m.whole_key("HKLM", SRP), NONE], "unknown", "MDM"),
    ([m.applocker("gpo", OPEN), m.applocker("local", DENIED), RUNS], "denied", ""),
    ([m.applocker("effective", DENIED), m.applocker("effective", OPEN, of=m.GPRESULT), RUNS], "conflict", ""),
    ([m.applocker("gpo", DENIED, of=m.HIVE), m.applocker("effective", OPEN), RUNS], "conflict", "not in force"),
    # App Control
    ([m.app_control(ID, True, DEAD)], "dead", "runs no code"),
    ([m.app_control(ID, True, DEAD_IN_AUDIT)], "dead", "audit mode too"),
    ([m.app_control(ID, True, DEAD), m.applocker("effective", OPEN), RUNS], "dead", ""),
    ([m.app_control(ID, True, DEAD), m.applocker("effective", DENIED), RUNS], "dead", ""),
    ([m.app_control(ID, None, DEAD), m.applocker("effective", DENIED), RUNS], "denied", ""),
    ([m.app_control(ID, None, DEAD), m.applocker("effective", OPEN)], "unknown", "nobody said whether"),
    ([m.app_control(ID, None, DEAD), m.applocker("effective", SCOPED), RUNS], "allowed-for-group", ""),
    ([m.app_control(ID, False, DEAD), m.applocker("effective", EMPTY), NONE], "unrestricted", ""),
    ([m.app_control(ID, False, DEAD), m.applocker("effective", EMPTY)], "unknown", "one could stop mshta"),
    ([m.app_control(ID, True, DRIVERS), m.applocker("effective", EMPTY), NONE], "unrestricted", ""),
    ([m.app_control(ID, True, TAGS), m.applocker("effective", EMPTY), NONE], "unrestricted", ""),
    ([m.app_control(ID, True, NO_SCRIPTS), m.applocker("effective", EMPTY), NONE], "unrestricted", ""),
    ([m.app_control(ID, True, PATH_DENY), m.applocker("effective", EMPTY), NONE], "unknown", "may deny it"),
    ([m.app_control(ID, True, NO_SCRIPTS_DENY), m.applocker("effective", EMPTY)], "denied", "denies it"),
    ([m.app_control(ID, True, NO_SCRIPTS), m.applocker("effective", EMPTY), m.machine(14393)], "unknown", "this build"),
    ([m.app_control(ID, True, None), m.applocker("effective", EMPTY)], "unknown", "content was not seen"),
    ([m.app_control(ID, True, None), m.effective(UMCI_STATUS, 0), m.applocker("effective", EMPTY)], "unrestricted",
     "no policy about programs"),
    ([m.effective(UMCI_STATUS, 2), m.applocker("effective", EMPTY)], "unknown", "a policy about programs is active"),
    ([m.effective(UMCI_STATUS, 1), m.app_control(ID, True, NO_SCRIPTS), m.applocker("effective", EMPTY), NONE],
     "unrestricted", ""),
    ([m.effective(UMCI_STATUS, 1), m.app_control(ID, True, NO_SCRIPTS), m.applocker("effective", EMPTY)], "unknown",
     "a policy about programs is active"),
    ([m.effective(UMCI_STATUS, 2), m.app_control("{D2BDA982-CCF6-4344-AC5B-0B44427B6816}", True, None), NONE,
      m.applocker("effective", EMPTY)], "unknown", "a policy about programs is active"),
    ([m.app_control("{D2BDA982-CCF6-4344-AC5B-0B44427B6816}", True, None), m.app_control_whole(),
      m.applocker("effective", EMPTY)], "unrestricted", "no active policy stops it"),
    ([m.app_control(ID, True, DEAD), m.app_control(ID, False, DEAD, of=m.GPRESULT)], "conflict", "disagree"),
    ([m.app_control(ID, True, DEAD), m.effective(UMCI_STATUS, 0)], "conflict", "Device Guard"),
    ([m.app_control_whole()], "unknown", "AppLocker does was not seen"),
    # nobody looked
    ([], "unknown", "was not seen"),
    ([RUNS, m.machine()], "unknown", "was not seen"),
])
def test_answers(adds: list[m.Add], expected: str, says: str) -> None:
    found = told(m.subject(*adds))
    assert found.answer == expected, found.sentence
    assert says in found.sentence
    assert told(m.subject(*reversed(adds))).answer == expected  # the order of evidence does not matter


def test_the_groups_are_named() -> None:
    administrators = AppLockerRule("2", "Admins", "", "S-1-5-32-544", "Allow", (Condition("path", path="*"),))
    only = write(AppLockerPolicy((RuleCollection("Exe", "Enabled", (administrators,)),))).decode()
    assert told(m.subject(m.applocker("effective", SCOPED), RUNS)).groups == (SID,)
    assert told(m.subject(m.applocker("effective", only), RUNS)).groups == ("Administrators (S-1-5-32-544)",)


def test_the_evidence_is_cited() -> None:
    found = told(m.subject(m.applocker("effective", DENIED), RUNS, m.app_control(ID, False, None)))
    assert {one.where for one in found.cited} >= {"AppLocker effective", "services AppIDSvc", f"App Control {ID}"}


STORES = m.store_whole("gpo", "mdm", "local")


def block(folder: str, active: str = "TRUE") -> m.Add:
    """A rule of Group Policy against one copy."""
    return m.rule("gpo", f"v2.26|Action=Block|Active={active}|Dir=Out|Protocol=6|RPort=80|RPort=443|"
                  rf"App=%SystemRoot%\{folder}\mshta.exe|Name={folder}|", name=folder)


@pytest.mark.parametrize(("adds", "egress", "says"), [
    ([], "unknown", "cannot be told"),
    ([STORES], "fail", "No firewall rule keeps it off ports 80 and 443."),
    ([STORES, block("System32"), block("SysWOW64")],
     "pass", "keeps it off ports 80 and 443."),
    ([STORES, block("System32")], "fail", "does not"),
    ([STORES, block("System32", "FALSE"), block("SysWOW64")],
     "fail", "switched off"),
    ([STORES, block("System32"), block("SysWOW64"),
      *(m.effective(f"FirewallProfile.{name}.Enabled", False) for name in ("Domain", "Private", "Public"))],
     "fail", "Windows Firewall is off"),
])
def test_what_the_firewall_does(adds: list[m.Add], egress: str, says: str) -> None:
    found = told(m.subject(*adds))
    assert found.egress == egress
    assert says in found.sentence


ON = [m.effective(f"FirewallProfile.{name}.Enabled", True) for name in ("Domain", "Private", "Public")]
BYPASS = m.rule("local", "v2.26|Action=ByPass|Active=TRUE|Dir=Out|Name=tool|", name="{9}")


def test_a_rule_alone_does_not_say_that_the_firewall_is_on() -> None:
    rules = [STORES, block("System32"), block("SysWOW64")]
    assert "was not seen (H03)" in told(m.subject(*rules)).sentence
    assert "H03" not in told(m.subject(*rules, *ON)).sentence
    assert "H03" in told(m.subject(*rules, *ON[:2])).sentence


def test_a_bypass_rule_of_another_store_outranks_the_block_of_group_policy() -> None:
    rules = [STORES, block("System32"), block("SysWOW64"), *ON]
    found = told(m.subject(*rules, BYPASS))
    assert found.egress == "partial"
    assert "bypass rule of another store (Local store)" in found.sentence
    ignored = [m.reg("HKLM", rf"SOFTWARE\Policies\Microsoft\WindowsFirewall\{name}Profile", "AllowLocalPolicyMerge", 0)
               for name in ("Domain", "Private", "Public")]
    assert told(m.subject(*rules, BYPASS, *ignored)).egress == "pass"


def test_a_policy_is_answered_for_where_it_is_applied() -> None:
    assert answer(m.subject(kind="policy")) is None
    assert answer(m.subject(m.reg("HKLM", "SOFTWARE\\Policies\\x", "y", 1), kind="policy")) is None
    found = told(m.subject(m.applocker("gpo", DENIED), kind="policy"))
    assert found.answer == "denied"
    assert found.sentence.startswith("Where it is applied:")
    assert "only where the service AppIDSvc runs" in found.sentence
    assert told(m.subject(m.app_control(ID, None, DEAD), kind="policy")).answer == "dead"
    for open_ in (AUDITED, EMPTY, OPEN):  # other policies may stop it
        assert told(m.subject(m.applocker("gpo", open_), kind="policy")).answer == "unknown"
    only_egress = told(m.subject(block("System32"), kind="policy"))
    assert only_egress.answer == "unknown"


FILE, OTHER_FILE = m.source("app_control", "policy.xml"), m.source("app_control", "old.xml")
SHARED = "{A244370E-44C9-4C06-B551-F6016E563076}"


@pytest.mark.parametrize(("adds", "expected", "says"), [
    ([m.app_control(ID.lower(), True, None)], "unknown", "content was not seen"),
    ([m.app_control(ID.lower(), True, None), m.app_control(ID, None, DEAD, of=FILE)], "dead", ""),
    ([m.app_control(ID, True, None, version="10.0.0.1"), m.app_control(ID, None, DEAD, of=FILE)], "dead", ""),
    ([m.app_control(ID, True, None, version="10.0.0.2"), m.app_control(ID, None, DEAD, of=FILE)], "unknown",
     "Version 10.0.0.2 is active, and the XML that was given is 10.0.0.1."),
    ([m.app_control(ID, True, None), m.app_control(ID, None, DEAD, of=FILE),
      m.app_control(ID, None, NO_SCRIPTS, of=OTHER_FILE)], "unknown", "2 files have the id"),
    ([m.app_control(ID, True, None), m.app_control(ID, None, DEAD, of=FILE),
      m.app_control(ID, None, DEAD_IN_AUDIT, of=OTHER_FILE)], "dead", ""),
    ([m.app_control(SHARED, True, None), m.app_control(SHARED, None, DEAD, of=FILE)], "unknown", "content was not"),
])
def test_content_found_elsewhere_tells_what_an_active_id_means(adds: list[m.Add], expected: str, says: str) -> None:
    found = told(m.subject(*adds, m.applocker("effective", EMPTY)))
    assert found.answer == expected, found.sentence
    assert says in found.sentence


def test_a_newer_list_of_policies_replaces_an_older_one() -> None:
    old, new = m.source(day=1), m.source(file="new.json", day=2)
    host = m.subject(m.app_control(ID, True, DEAD, of=old), m.app_control_whole(old), m.app_control_whole(new),
                     m.applocker("effective", EMPTY))
    assert told(host).answer == "unrestricted"
