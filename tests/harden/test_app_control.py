"""App Control's XML, and what a policy means: who is denied, in which versions, and whether mshta runs any code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.errors import EvidenceError
from douse.harden.app_control_effect import allows_all, denies_of, effect, versions_of
from douse.harden.app_control_policy import KERNEL, USER, AppControlPolicy, FileRule, parse, write

ALL = "65535.65535.65535.65535"
NONE = ".".join("0000")
OLD = "65355.65355.65355.65355"


def xml(*deny: str, options: tuple[str, ...] = ("Enabled:UMCI",), type_: str = "Base Policy", scenario: int = 12,
        extra: str = "") -> str:
    refs = "".join(f'<FileRuleRef RuleID="ID_DENY_{at}"/>' for at in range(len(deny)))
    rules = "".join(f'<Deny ID="ID_DENY_{at}" FriendlyName="mshta" {one}/>' for at, one in enumerate(deny))
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy" PolicyType="{type_}">'
        f"<VersionEx>10.0.0.1</VersionEx><PolicyID>{{A}}</PolicyID><BasePolicyID>{{A}}</BasePolicyID><Rules>"
        f"{''.join(f'<Rule><Option>{one}</Option></Rule>' for one in options)}</Rules><EKUs/><FileRules>"
        f'<Allow ID="ID_ALLOW_1" FriendlyName="all" FileName="*"/>{rules}</FileRules>'
        f'<SigningScenarios><SigningScenario Value="131" ID="K"><ProductSigners><FileRulesRef><FileRuleRef '
        f'RuleID="ID_ALLOW_1"/></FileRulesRef></ProductSigners></SigningScenario><SigningScenario Value="{scenario}" '
        f'ID="U"><ProductSigners><FileRulesRef><FileRuleRef RuleID="ID_ALLOW_1"/>{refs}</FileRulesRef></ProductSigners>'
        f"</SigningScenario></SigningScenarios>{extra}</SiPolicy>")


def deny(minimum: str = "", maximum: str = "", name: str = "mshta.exe", path: str = "", hash_: str = "",
         other: tuple[tuple[str, str], ...] = ()) -> FileRule:
    return FileRule("Deny", "ID_DENY_1", "mshta.exe", name, minimum, maximum, path, hash_, other)


def test_a_policy_is_read() -> None:
    policy = parse(xml(f'FileName="mshta.exe" MinimumFileVersion="{ALL}"', extra=(
        '<Settings><Setting Provider="PolicyInfo" Key="Information" ValueName="Name"><Value><String>Ours</String>'
        "</Value></Setting></Settings>")))
    assert (policy.id, policy.base_id, policy.type, policy.name, policy.version) == (
        "{A}", "{A}", "Base Policy", "Ours", "10.0.0.1")
    assert policy.has("enabled:umci")
    assert not policy.has("Enabled:Audit Mode")
    assert [rule.kind for rule in policy.rules_of(USER)] == ["Allow", "Deny"]
    assert [rule.kind for rule in policy.rules_of(KERNEL)] == ["Allow"]
    assert policy.left_out == ()


@pytest.mark.parametrize(("text", "says"), [
    ("", "no XML"), ("<a/>", "no App Control policy"), ("<SiPolicy", "no XML"),
    ('<!DOCTYPE SiPolicy [<!ENTITY a "b">]><SiPolicy/>', "DTD")])
def test_what_is_no_policy_is_refused(text: str, says: str) -> None:
    with pytest.raises(EvidenceError, match=says):
        parse(text, "p.xml")


def test_what_is_not_understood_is_told() -> None:
    text = xml().replace("</FileRules>", '<Odd ID="ID_X"/><!-- c --></FileRules>').replace('Value="12"', 'Value="x"')
    assert parse(text).left_out == ("a signing scenario whose value is 'x'", "a file rule <Odd> ID_X")


def test_a_policy_of_the_old_format_has_its_type_as_id() -> None:
    text = xml().replace("<PolicyID>{A}</PolicyID><BasePolicyID>{A}</BasePolicyID>", "<PolicyTypeID>{B}</PolicyTypeID>")
    assert (parse(text).id, parse(text).base_id) == ("{B}", "{B}")


@pytest.mark.parametrize(("minimum", "maximum", "which"), [
    ("", "", "all"), (ALL, "", "all"), (NONE, "", "none"), ("10.0.0.0", "", "some"),
    (NONE, OLD, "all"), (NONE, ALL, "all"), (NONE, "10.0.0.0", "some"), ("1.0.0.0", OLD, "some"),
    ("2.0.0.0", "1.0.0.0", "none"),
    ("", NONE, "all"), ("", "10.0.0.0", "some"), ("", ALL, "none"), ("x", "", "some"), (NONE, "1.0", "some"),
])
def test_versions_of_a_deny_rule(minimum: str, maximum: str, which: str) -> None:
    assert versions_of(deny(minimum, maximum)) == which


PATHS = (r"%SystemRoot%\System32\mshta.exe", r"%SystemRoot%\SysWOW64\mshta.exe")


@pytest.mark.parametrize(("rule", "fits"), [
    (deny(ALL), True), (deny(), True), (deny(name="MSHTA.EXE"), True), (deny(name="*"), True),
    (deny(name="cmd.exe"), False), (deny(NONE), False), (deny("10.0.0.0"), None),
    (deny(other=(("ProductName", "x"),)), None),
    (deny(name="", hash_="00"), None),
    (FileRule("Deny", "x", "another", "", "", "", "", "00"), False),
    (deny(name="", path=r"%WINDIR%\*\mshta.exe"), True), (deny(name="", path=r"%SYSTEM32%\mshta.exe"), None),
    (deny(name="", path=r"C:\Windows\System32\calc.exe"), False), (deny(name=""), False),
    (deny(name="", other=(("InternalName", "MSHTA"),)), None),
])
def test_whether_a_rule_denies_a_program(rule: FileRule, fits: bool | None) -> None:
    assert denies_of(rule, "mshta.exe", PATHS) is fits


@pytest.mark.parametrize(("text", "denied", "dead", "audit"), [
    (xml(f'FileName="mshta.exe" MinimumFileVersion="{ALL}"'), True, True, False),
    (xml(f'FileName="mshta.exe" MinimumFileVersion="{NONE}"'), False, True, False),
    (xml('FileName="mshta.exe" MinimumFileVersion="9.0.0.0"'), None, True, False),
    (xml(), False, True, False),
    (xml(options=("Enabled:UMCI", "Enabled:Audit Mode")), False, True, True),  # audit mode too
    (xml(options=("Enabled:UMCI", "Disabled:Script Enforcement")), False, False, False),
    (xml('FileName="mshta.exe"', options=("Enabled:UMCI", "Disabled:Script Enforcement")), True, False, False),
    (xml('FileName="mshta.exe"', options=()), False, False, False),  # drivers only
    (xml('FileName="mshta.exe"', scenario=131), False, True, False),  # of the kernel only
    (xml('FileName="mshta.exe"', type_="Supplemental Policy"), False, False, False),
])
def test_what_a_policy_does_to_mshta(text: str, denied: bool | None, dead: bool, audit: bool) -> None:
    found = effect(parse(text), "mshta.exe")
    assert (found.denied, found.scripts_dead, found.audit) == (denied, dead, audit), found


@pytest.mark.parametrize(("options", "says"), [
    ((), "drivers only"), (("Enabled:UMCI",), "runs no code at all"),
    (("Enabled:UMCI", "Enabled:Audit Mode"), "only records"),
    (("Enabled:UMCI", "Disabled:Script Enforcement"), "script enforcement is off")])
def test_an_effect_says_why(options: tuple[str, ...], says: str) -> None:
    assert says in effect(parse(xml(options=options)), "mshta.exe").why


SILENT = ("Enabled:UMCI", "Disabled:Script Enforcement")


def test_a_policy_that_only_tags_processes_refuses_nothing() -> None:
    found = effect(parse(xml('FileName="mshta.exe"', type_="AppID tagging policy")), "mshta.exe")
    assert (found.denied, found.umci, found.scripts_dead) == (False, False, False)


def test_what_is_not_understood_may_deny() -> None:
    odd = parse(xml(options=SILENT).replace("</FileRules>", '<Odd ID="ID_X"/></FileRules>'))
    assert effect(odd, "mshta.exe").denied is None
    new = parse(xml('FileName="mshta.exe"', type_="Newest Policy"))
    assert new.left_out == ("the PolicyType 'Newest Policy'",)
    assert (effect(new, "mshta.exe").denied, effect(new, "mshta.exe").scripts_dead) == (None, False)


def test_a_path_rule_without_known_places_may_be_about_the_program() -> None:
    assert denies_of(deny(name="", path=r"%WINDIR%\*\mshta.exe"), "mshta.exe") is None
    assert denies_of(deny(name="", path=r"%WINDIR%\*"), "mshta.exe") is None
    assert denies_of(deny(name="", path=r"C:\a\calc.exe"), "mshta.exe") is False


def test_a_denied_signer_that_is_narrowed_to_the_program_may_deny_it() -> None:
    text = xml(options=("Enabled:UMCI", "Disabled:Script Enforcement")).replace(
        "</FileRules>", '<FileAttrib ID="ID_F" FileName="mshta.exe"/></FileRules><Signers><Signer ID="S" Name="M">'
        '<FileAttribRef RuleID="ID_F"/></Signer></Signers>').replace(
        'Value="12" ID="U"><ProductSigners>', 'Value="12" ID="U"><ProductSigners><DeniedSigners><DeniedSigner '
        'SignerId="S"/></DeniedSigners>')
    assert effect(parse(text), "mshta.exe").denied is None
    assert effect(parse(text), "cmd.exe").denied is False


def test_what_allows_everything() -> None:
    policy = parse(xml())
    assert allows_all(policy, KERNEL)
    assert allows_all(policy, USER)
    only = parse(xml().replace('FileName="*"', 'FileName="a.exe"'))
    assert not allows_all(only, USER)


OPTIONS = st.lists(st.sampled_from(["Enabled:UMCI", "Enabled:Audit Mode", "Disabled:Script Enforcement"]), unique=True)
VERSIONS = st.sampled_from(["", ALL, NONE, "1.2.3.4"])
NAMES = st.text(st.characters(categories=["L", "N"]) | st.sampled_from("<>&\"' ."), max_size=12).map(str.strip)
RULES = st.lists(st.tuples(st.sampled_from(["Allow", "Deny"]), NAMES, VERSIONS, VERSIONS), max_size=4)


@given(OPTIONS, RULES, NAMES)
def test_a_policy_survives_its_xml(options: list[str], made: list[tuple[str, str, str, str]], name: str) -> None:
    rules = tuple(FileRule(kind, f"ID_{at}", called, called, low, high, "", "")
                  for at, (kind, called, low, high) in enumerate(made))
    policy = AppControlPolicy("{A}", "{B}", "Base Policy", name, frozenset(options), rules, (
        (KERNEL, tuple(rule.id for rule in rules)), (USER, ())), version="10.0.0.0")
    assert parse(write(policy, options, "{P}")) == policy
