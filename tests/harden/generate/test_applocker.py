"""AppLocker rules that we write: sound XML, the decision that was meant, the same as registry values, and refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from douse.content.controls import controls
from douse.content.settings import AppLockerSetting
from douse.errors import ContentError, OutputError
from douse.harden.applocker_decision import Program, decide, decide_for, program_of
from douse.harden.applocker_policy import (
    AppLockerPolicy,
    AppLockerRule,
    Condition,
    RuleCollection,
    mode_of,
    parse,
    parse_rule,
)
from douse.harden.generate.applocker import applocker, group_of, made_policy, policy_of, refuse_bricks, srp_values
from douse.harden.generate.policy import Site
from harden.generate.policies import GO, policy

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parent.parent / "schemas" / "applocker.xsd"))
SETTINGS = [one for control in controls() for one in control.settings if isinstance(one, AppLockerSetting)]
PROGRAM = program_of(SETTINGS[0])
SID = "S-1-5-21-1-2-3-1603"
GROUP = ("CORP\\HTA users", SID)
ADMIN, PERSON = ["S-1-5-32-544", "S-1-5-32-545"], ["S-1-5-32-545"]


def other(path: str) -> Program:
    return Program((path,), "O=EXAMPLE", "EXAMPLE", "EXAMPLE.EXE")


@pytest.mark.parametrize("group", [None, GROUP])
@pytest.mark.parametrize("mode", ["audit", "enforce"])
def test_the_xml_follows_the_schema(mode: str, group: tuple[str, str] | None) -> None:
    site = Site(mshta_group=group[0], mshta_sid=group[1]) if group else Site()
    made = {str(one.path): one for one in applocker(policy("H06", mode=mode, site=site))}
    document = etree.fromstring(made["applocker/applocker.xml"].data)
    SCHEMA.assertValid(document)
    expected = "AuditOnly" if mode == "audit" else "Enabled"
    assert document.find("RuleCollection").get("EnforcementMode") == expected
    assert made["applocker/applocker.xml"].about
    assert b"\r\n" in made["applocker/APPLY.txt"].data


def test_the_schema_refuses_what_is_wrong() -> None:
    data = next(applocker(policy("H06"))).data
    for old, new in ((b'Action="Deny"', b'Action="Refuse"'), (b"S-1-1-0", b"Everyone"), (b"Enabled", b"On"),
                     (b'Version="1"', b'Version="2"'), (b"<Conditions>", b"<Condition>")):
        document = data.replace(old, new).replace(b"</Conditions>", b"</Condition>" if b"<Condition>" in new else
                                                  b"</Conditions>")
        assert not SCHEMA.validate(etree.fromstring(document))


def test_nobody_may_start_it_and_all_else_works_as_before() -> None:
    made = made_policy(SETTINGS, "enforce", None)
    assert decide(made, PROGRAM).state == "denied"
    assert decide_for(made, PROGRAM, ADMIN) is False
    assert decide(made, Program((r"c:\users\a\renamed.exe",), *SETTINGS_FIELDS)).state == "denied"  # another name
    assert decide(made, other(r"c:\windows\explorer.exe")).state == "allowed"
    assert decide(made, other(r"c:\program files (x86)\a\b.exe")).state == "allowed"
    assert decide(made, other(r"c:\users\a\downloads\setup.exe")).groups == ("S-1-5-32-544",)
    assert decide(made, other(r"c:\windows\temp\dropped.exe")).groups == ("S-1-5-32-544",)
    assert decide(made, other(r"c:\windows\system32\spool\drivers\color\a.exe")).groups == ("S-1-5-32-544",)


SETTINGS_FIELDS = (SETTINGS[0].publisher, SETTINGS[0].product_name, SETTINGS[0].binary)


def test_only_the_group_may_start_it() -> None:
    made = made_policy(SETTINGS, "enforce", GROUP)
    found = decide(made, PROGRAM)
    assert (found.state, found.groups) == ("groups", (SID,))
    assert decide_for(made, PROGRAM, [*PERSON, SID]) is True
    assert decide_for(made, PROGRAM, PERSON) is False
    assert decide_for(made, PROGRAM, ADMIN) is False  # the administrators' rule excepts it too
    assert not any(rule.action == "Deny" for rule in made.collections[0].rules)  # a deny would win over the allow
    assert decide(made, other(r"c:\windows\explorer.exe")).state == "allowed"
    assert decide(made, other(r"c:\tools\x.exe")).groups == ("S-1-5-32-544",)


def test_an_audit_policy_refuses_nothing() -> None:
    found = decide(made_policy(SETTINGS, "audit", None), PROGRAM)
    assert (found.state, found.would) == ("audit", "denied")


@pytest.mark.parametrize("mode", ["audit", "enforce"])
def test_registry_values_say_the_same(mode: str) -> None:
    planned = policy("H06", mode=mode)
    values = srp_values(planned)
    (number,) = [one.value.data for one in values if one.name == "EnforcementMode"]
    texts = [str(one.value.data) for one in values if one.name == "Value"]
    assert isinstance(number, int)
    again = AppLockerPolicy((RuleCollection("Exe", mode_of(number), tuple(map(parse_rule, texts))),))
    assert again == policy_of(planned)
    assert {one.value.type for one in values} == {"REG_DWORD", "REG_SZ"}
    assert all(one.is_policy and one.control == "H06" and one.hive == "HKLM" for one in values)
    for one in values:
        if one.name == "Value":
            assert one.key.rpartition("\\")[2] == parse_rule(str(one.value.data)).id  # the key is the rule's id
            assert one.key.startswith("SOFTWARE\\Policies\\Microsoft\\Windows\\SrpV2\\Exe\\")


def test_nothing_is_made_where_no_control_asks() -> None:
    assert list(applocker(policy("H03"))) == []
    assert srp_values(policy("H03")) == []


def test_the_same_options_give_the_same_bytes() -> None:
    assert [one.data for one in applocker(policy("H06"))] == [one.data for one in applocker(policy("H06"))]


def test_commands_name_the_domain_and_nothing_is_run() -> None:
    site = Site(domain="corp.example.org")
    text = list(applocker(policy("H06", site=site)))[1].data.decode()
    assert "LDAP://corp.example.org/CN={GPO-GUID},CN=Policies,CN=System,DC=corp,DC=example,DC=org'" in text
    assert "Set-AppLockerPolicy -XmlPolicy .\\applocker.xml -Merge" in text
    assert "BEFORE ENFORCING" in text


def test_the_group_comes_from_the_site_or_the_only_exception() -> None:
    assert group_of(Site(), None) is None
    other_exception = replace(GO, groups=(("b", "S-1-5-21-1-1-1-1"),))
    assert group_of(Site(mshta_group="a", mshta_sid=SID), other_exception) == ("a", SID)
    assert group_of(Site(), replace(GO, groups=(GROUP, GROUP))) == GROUP
    with pytest.raises(OutputError, match="excepts 2 groups"):
        group_of(Site(), replace(GO, groups=(GROUP, ("b", "S-1-5-21-1-1-1-1"))))


@pytest.mark.parametrize("group", [
    ("HTA", "S-1-1-0"), ("HTA", "Everyone"), ("HTA", ""), ("HTA", 'S-1-5-21-1-2-3-4" Action="Deny'),
    ("HTA", "S-1-5-32-545"), ('x" Id="', SID), ("<b>", SID), ("", SID), ("a\nb", SID),
])
def test_a_group_that_is_none_is_refused(group: tuple[str, str]) -> None:
    with pytest.raises(ContentError):
        made_policy(SETTINGS, "enforce", group)


WINDOWS = AppLockerRule("1", "w", "", "S-1-1-0", "Allow", (Condition("path", path=r"%WINDIR%\*"),))
PROGRAMS = AppLockerRule("2", "p", "", "S-1-1-0", "Allow", (Condition("path", path=r"%PROGRAMFILES%\*"),))
DENY = AppLockerRule("3", "d", "", "S-1-1-0", "Deny", (Condition("path", path=r"C:\a.exe"),))
DENY_ALL = AppLockerRule("4", "d", "", "S-1-1-0", "Deny", (Condition("path", path="*"),))


@pytest.mark.parametrize(("type_", "rules", "says"), [
    ("Exe", (DENY,), "only deny rules"), ("Script", (DENY,), "only deny rules"),
    ("Exe", (PROGRAMS, DENY), r"c:\windows\explorer.exe"), ("Exe", (WINDOWS, DENY), "example.exe"),
    ("Exe", (WINDOWS, PROGRAMS, DENY_ALL), "explorer.exe"),
])
@pytest.mark.parametrize("mode", ["Enabled", "AuditOnly", "NotConfigured"])
def test_what_bricks_hosts_is_refused_in_every_mode(mode: str, type_: str, rules: tuple[AppLockerRule, ...],
                                                    says: str) -> None:
    with pytest.raises(OutputError, match="nothing would start") as raised:
        refuse_bricks(AppLockerPolicy((RuleCollection(type_, mode, rules),)))
    assert says in str(raised.value)


def test_what_bricks_nothing_passes() -> None:
    refuse_bricks(AppLockerPolicy((RuleCollection("Exe", "Enabled", (WINDOWS, PROGRAMS, DENY)), RuleCollection(
        "Script", "Enabled", ()))))


@given(st.text(max_size=30))
def test_no_name_of_a_group_gets_out_of_its_attribute(name: str) -> None:
    try:
        made = made_policy(SETTINGS, "enforce", (name, SID))
    except ContentError:
        return
    assert parse(next(applocker(policy("H06", site=Site(mshta_group=name, mshta_sid=SID)))).data) == made


@pytest.mark.parametrize("mode", ["audit", "enforce"])
def test_the_maker_itself_refuses_a_policy_without_the_default_rules(mode: str,
                                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("douse.harden.generate.applocker._DEFAULTS", ())
    with pytest.raises(OutputError, match="only deny rules"):
        made_policy(SETTINGS, mode, None)
