"""Firewall rules in three stores: which counts, which is worth half, and which is dead."""

from __future__ import annotations

import pytest

from douse.content.controls import controls
from douse.content.settings import FirewallSetting
from douse.harden.audit.checks import check
from harden import makers as m

MSHTA = r"%SystemRoot%\System32\mshta.exe"
WEB = FirewallSetting(id="H99/web", program=MSHTA, tcp=(80, 443), title="Block mshta.exe")
BLOCK = rf"v2.26|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=80|RPort=443|App={MSHTA}|Name=Block mshta|"
IDLE = BLOCK.replace("Active=TRUE", "Active=FALSE")
HALF = BLOCK.replace("RPort=443|", "")
DOMAIN = BLOCK.replace("Protocol=6", "Profile=Domain|Protocol=6")
USER = BLOCK.replace("Name=", "LUAuth=O:LSD:(A;;CC;;;S-1-5-21-1)|Name=")
OTHER = r"v2.26|Action=Allow|Active=TRUE|Dir=In|App=C:\other.exe|Name=Other|"
ALL = m.store_whole("gpo", "mdm", "local")
KEY = r"SOFTWARE\Policies\Microsoft\WindowsFirewall"


def state_of(*adds, kind: str = "host") -> str:
    (found,) = check(WEB, m.subject(*adds, kind=kind), "seed")
    return found.state


@pytest.mark.parametrize(("adds", "state"), [
    ([], "unknown"),
    ([ALL], "fail"),
    ([m.store_whole("gpo", "local")], "unknown"),
    ([m.rule("gpo", OTHER)], "unknown"),
    ([m.rule("gpo", OTHER), ALL], "fail"),
    ([m.rule("gpo", OTHER), m.store_whole("mdm", "local")], "unknown"),
    ([m.rule("gpo", BLOCK)], "pass"),
    ([m.rule("mdm", BLOCK)], "pass"),
    ([m.rule("local", BLOCK)], "partial"),
    ([m.rule("local", BLOCK), ALL], "partial"),
    ([m.rule("gpo", IDLE), ALL], "fail"),
    ([m.rule("gpo", IDLE)], "unknown"),
    ([m.rule("gpo", HALF), ALL], "partial"),
    ([m.rule("gpo", DOMAIN), ALL], "partial"),
    ([m.rule("gpo", USER), ALL], "unknown"),
    ([m.rule("gpo", IDLE), m.rule("local", BLOCK), ALL], "partial"),
    ([m.rule("gpo", HALF), m.rule("gpo", BLOCK.replace("RPort=80|", ""), name="{2}"), ALL], "pass"),
    ([m.rule("gpo", BLOCK), m.rule("gpo", "v2.26|Action=Bypass|Active=TRUE|Dir=Out|", name="{2}"), ALL], "partial"),
], ids=str)
def test_states(adds, state) -> None:
    assert state_of(*adds) == state
    assert state_of(*reversed(adds)) == state


def test_stores_that_differ_are_no_conflict_and_sources_that_differ_on_one_store_are() -> None:
    collector, hive = m.store_whole("gpo"), m.store_whole("gpo", of=m.HIVE)
    assert state_of(m.rule("gpo", BLOCK), m.rule("local", IDLE), ALL) == "pass"
    assert state_of(m.rule("gpo", BLOCK), collector, hive) == "conflict"
    assert state_of(m.rule("gpo", BLOCK), collector, m.rule("gpo", BLOCK, of=m.HIVE), hive) == "pass"
    old = m.source("collector", "old.json", day=1)
    new = m.source("collector", "new.json", day=9)
    assert state_of(m.store_whole("gpo", "mdm", "local", of=old), m.rule("gpo", BLOCK, of=new),
                    m.store_whole("gpo", "mdm", "local", of=new)) == "pass"
    assert state_of(m.rule("gpo", BLOCK, of=old), m.store_whole("gpo", "mdm", "local", of=old),
                    m.store_whole("gpo", "mdm", "local", of=new)) == "fail"


def test_a_rule_is_dead_where_the_firewall_is_off() -> None:
    off = [m.effective(f"FirewallProfile.{name}.Enabled", False) for name in ("Domain", "Private", "Public")]
    assert state_of(m.rule("gpo", BLOCK), off[2]) == "partial"
    assert state_of(m.rule("gpo", BLOCK), *off) == "fail"
    assert state_of(m.rule("gpo", BLOCK), m.reg("HKLM", rf"{KEY}\PublicProfile", "EnableFirewall", 0)) == "partial"
    assert state_of(m.rule("gpo", BLOCK), m.reg("HKLM", rf"{KEY}\PublicProfile", "EnableFirewall", 0),
                    m.effective("FirewallProfile.Public.Enabled", True)) == "pass"
    (found,) = check(WEB, m.subject(m.rule("gpo", BLOCK), off[2]), "seed")
    assert "off in the profile Public" in found.why
    assert "H03" in found.why


def test_a_rule_that_is_stored_and_not_enforced_is_a_conflict() -> None:
    active = m.effective("FirewallActive.mshta.exe", True)
    idle = m.effective("FirewallActive.mshta.exe", False)
    assert state_of(m.rule("gpo", BLOCK), active) == "pass"
    assert state_of(m.rule("gpo", BLOCK), idle) == "conflict"
    assert state_of(m.rule("local", BLOCK), idle) == "conflict"
    assert state_of(ALL, idle) == "fail"
    assert state_of(active) == "unknown"
    assert state_of(ALL, active) == "fail"
    (found,) = check(WEB, m.subject(m.rule("gpo", BLOCK), idle), "seed")
    assert {one.where for one in found.cited} == {"gpo {1}", "FirewallActive.mshta.exe"}


def test_a_local_rule_is_nothing_where_local_rules_are_ignored() -> None:
    ignore = [m.reg("HKLM", rf"{KEY}\{name}Profile", "AllowLocalPolicyMerge", 0)
              for name in ("Domain", "Private", "Public")]
    assert state_of(m.rule("local", BLOCK), *ignore) == "fail"
    assert state_of(m.rule("local", BLOCK), ignore[0]) == "partial"
    assert state_of(m.rule("gpo", BLOCK), *ignore) == "pass"
    assert state_of(m.rule("local", HALF), ALL) == "partial"
    assert state_of(m.rule("local", HALF), ALL, *ignore) == "fail"


@pytest.mark.parametrize("dead", [m.service("MpsSvc", "disabled"), m.service("MpsSvc", "automatic", "stopped")])
def test_nothing_of_the_firewall_counts_while_its_service_rests(dead) -> None:
    assert state_of(m.rule("gpo", BLOCK), dead) == "fail"
    assert state_of(m.rule("gpo", BLOCK), m.service("MpsSvc", "automatic", "running")) == "pass"
    on = next(one for control in controls() if control.id == "H03" for one in control.settings)
    good = m.reg("HKLM", rf"{KEY}\DomainProfile", "EnableFirewall", 1)
    assert [one.state for adds in ([good], [good, dead]) for one in check(on, m.subject(*adds), "seed")] == [
        "pass", "fail"]


def test_a_policy_is_judged_by_its_own_rules() -> None:
    assert state_of(kind="policy") == "not-applicable"
    assert state_of(m.rule("gpo", OTHER), kind="policy") == "not-applicable"
    assert state_of(m.rule("gpo", BLOCK), kind="policy") == "pass"
    assert state_of(m.rule("gpo", IDLE), kind="policy") == "fail"
    assert state_of(m.rule("gpo", HALF), kind="policy") == "partial"


def test_the_rule_is_cited_as_it_stood_there() -> None:
    (found,) = check(WEB, m.subject(m.rule("gpo", BLOCK, of=m.HIVE)), "seed")
    assert [(one.file, one.value) for one in found.cited] == [("SOFTWARE", BLOCK)]
