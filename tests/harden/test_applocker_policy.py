"""AppLocker's XML: read, written, refused; nothing of a policy lost without a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.errors import ContentError, EvidenceError
from douse.harden.applocker_policy import (
    COLLECTIONS,
    MODES,
    AppLockerPolicy,
    AppLockerRule,
    Condition,
    RuleCollection,
    mode_of,
    parse,
    parse_rule,
    rule_text,
    write,
)

POLICY = """<?xml version="1.0" encoding="utf-16"?>
<AppLockerPolicy Version="1">
 <RuleCollection Type="Exe" EnforcementMode="AuditOnly">
  <!-- a comment -->
  <FilePublisherRule Id="1" Name="Deny mshta" Description="" UserOrGroupSid="S-1-1-0" Action="Deny">
   <Conditions><FilePublisherCondition PublisherName="O=M" ProductName="INTERNET EXPLORER" BinaryName="MSHTA.EXE">
    <BinaryVersionRange LowSection="*" HighSection="11.0.0.0"/></FilePublisherCondition></Conditions>
   <Exceptions><FilePathCondition Path="%WINDIR%\\Temp\\*"/><FileHashCondition>
    <FileHash Type="SHA256" Data="0xAB" SourceFileName="a.exe" SourceFileLength="1"/></FileHashCondition></Exceptions>
  </FilePublisherRule>
  <RuleCollectionExtensions><ThresholdExtensions><Services EnforcementMode="Enabled"/></ThresholdExtensions>
   <RedstoneExtensions><SystemApps Allow="Enabled"/></RedstoneExtensions></RuleCollectionExtensions>
 </RuleCollection>
 <RuleCollection Type="Script"/>
</AppLockerPolicy>"""
RULE = '<FilePathRule Id="2" Name="n" UserOrGroupSid="S-1-1-0" Action="Allow">{}</FilePathRule>'


def test_a_policy_is_read() -> None:
    policy = parse(POLICY)
    exe = policy.collection("Exe")
    assert exe is not None
    assert (exe.mode, exe.left_out) == ("AuditOnly", ())
    assert exe.rules == (AppLockerRule(
        "1", "Deny mshta", "", "S-1-1-0", "Deny",
        (Condition("publisher", "O=M", "INTERNET EXPLORER", "MSHTA.EXE", "*", "11.0.0.0"),),
        (Condition("path", path=r"%WINDIR%\Temp\*"), Condition("hash", hashes=("0xAB",)))),)
    script = policy.collection("Script")
    assert script is not None
    assert (script.mode, script.rules, policy.collection("Dll")) == ("NotConfigured", (), None)


def test_namespaces_do_not_matter() -> None:
    named = POLICY.replace("<AppLockerPolicy ", '<AppLockerPolicy xmlns="urn:x" ')
    assert parse(named) == parse(POLICY)
    assert parse(POLICY.partition("?>")[2].encode("utf-16")) == parse(POLICY)


def test_one_rule_as_a_registry_value_holds_it() -> None:
    policy = parse(POLICY)
    rule = policy.collections[0].rules[0]
    assert parse_rule(rule_text(rule)) == rule
    assert "\n" not in rule_text(rule)


@pytest.mark.parametrize(("text", "says"), [
    ("", "no XML"), ("<a", "no XML"), ("<a/>", "no AppLocker policy"), ("\ud800", "no XML"),
    ('<!DOCTYPE a [<!ENTITY b "c">]><AppLockerPolicy/>', "DTD"),
    ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><AppLockerPolicy/>', "DTD"),
    ('<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;">]><AppLockerPolicy a="&z;"/>', "DTD"),
    ("<AppLockerPolicy>" + " " * (9 << 20), "larger"),
])
def test_what_is_no_policy_is_refused(text: str, says: str) -> None:
    with pytest.raises(EvidenceError, match=says):
        parse(text, "evidence.xml")


@pytest.mark.parametrize(("rule", "says"), [
    ("<Odd/>", "no kind of rule"), (RULE.format(""), "no condition"),
    (RULE.format("<Conditions><FileHashCondition/></Conditions>"), "no condition of its kind"),
    (RULE.format("<Conditions><FilePathCondition Path='*'/></Conditions>").replace('"Allow"', '"allow"'), "Action"),
    (RULE.format("<Conditions><FilePathCondition Path='*'/></Conditions>").replace("S-1-1-0", " "), "UserOrGroupSid"),
])
def test_a_damaged_rule_is_told_and_the_rest_kept(rule: str, says: str) -> None:
    with pytest.raises(EvidenceError, match=says):
        parse_rule(rule)
    sound = RULE.format("<Conditions><FilePathCondition Path='*'/></Conditions>")
    policy = parse(f'<AppLockerPolicy><RuleCollection Type="Exe" EnforcementMode="Enabled">{rule}{sound}'
                   "</RuleCollection></AppLockerPolicy>")
    (held,) = policy.collections
    assert len(held.rules) == 1
    assert says in held.left_out[0]


def test_an_unknown_mode_is_told() -> None:
    policy = parse('<AppLockerPolicy><RuleCollection Type="Exe" EnforcementMode="Often"/></AppLockerPolicy>')
    (held,) = policy.collections
    assert "Often" in held.left_out[0]


def test_two_collections_of_a_kind_are_not_half_forgotten() -> None:
    second = RULE.format("<Conditions><FilePathCondition Path='*'/></Conditions>")
    twice = POLICY.replace('<RuleCollection Type="Script"/>', f'<RuleCollection Type="exe">{second}</RuleCollection>')
    exe = parse(twice).collection("Exe")
    assert exe is not None
    assert [rule.id for rule in exe.rules] == ["1", "2"]
    assert exe.left_out == ("there are 2 collections of Exe",)


def test_modes_of_the_registry() -> None:
    assert [mode_of(0), mode_of(1)] == ["AuditOnly", "Enabled"]
    with pytest.raises(ValueError, match="EnforcementMode 2"):
        mode_of(2)


@pytest.mark.parametrize(("mode", "rules", "enforced"), [
    ("Enabled", 1, True), ("NotConfigured", 1, True), ("AuditOnly", 1, False), ("Enabled", 0, False)])
def test_a_collection_is_enforced_once_it_has_rules(mode: str, rules: int, enforced: bool) -> None:
    rule = parse(POLICY).collections[0].rules[0]
    assert RuleCollection("Exe", mode, (rule,) * rules).enforced is enforced


SIGNS = st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff") | st.sampled_from("<>&\"'\r\n\t")
TEXTS = st.text(SIGNS.filter(lambda sign: sign in "\t\n\r" or sign >= " "), max_size=20)
PUBLISHERS = st.builds(Condition, kind=st.just("publisher"), publisher=TEXTS, product=TEXTS, binary=TEXTS,
                       low=st.sampled_from(["*", "1.0"]), high=st.sampled_from(["*", "9.9.9.9"]))
PATHS = st.builds(Condition, kind=st.just("path"), path=TEXTS)
HASHES = st.builds(Condition, kind=st.just("hash"), hashes=st.lists(TEXTS, min_size=1, max_size=2).map(tuple))
CONDITIONS = PUBLISHERS | PATHS | HASHES
SIDS = st.sampled_from(["S-1-1-0", "S-1-5-32-544", "S-1-5-21-1-2-3-1603"])
RULES = st.builds(
    AppLockerRule, id=TEXTS, name=TEXTS, description=TEXTS, sid=SIDS, action=st.sampled_from(["Allow", "Deny"]),
    conditions=CONDITIONS.map(lambda one: (one,)), exceptions=st.lists(CONDITIONS, max_size=2).map(tuple))
POLICIES = st.lists(st.builds(
    RuleCollection, type=st.sampled_from(COLLECTIONS), mode=st.sampled_from(MODES),
    rules=st.lists(RULES, max_size=3).map(tuple)), max_size=3).map(tuple).map(AppLockerPolicy)


@given(POLICIES)
def test_a_policy_survives_its_xml(policy: AppLockerPolicy) -> None:
    assert parse(write(policy)) == policy
    assert write(policy) == write(parse(write(policy)))


@given(RULES)
def test_a_rule_survives_its_xml(rule: AppLockerRule) -> None:
    assert parse_rule(rule_text(rule)) == rule


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\ufffe", "\ud800"])
def test_what_xml_cannot_hold_is_refused(sign: str) -> None:
    rule = AppLockerRule("1", f"a{sign}b", "", "S-1-1-0", "Allow", (Condition("path", path="*"),))
    with pytest.raises(ContentError, match="XML cannot hold"):
        rule_text(rule)
