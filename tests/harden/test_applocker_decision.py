"""Who may start a program under an AppLocker policy: deny wins, exceptions, modes, and what cannot be known."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.content.controls import controls
from douse.content.settings import AppLockerSetting
from douse.harden.applocker_decision import (
    ADMINISTRATORS,
    Program,
    any_version,
    decide,
    decide_for,
    glob,
    places_of,
    program_of,
)
from douse.harden.applocker_policy import AppLockerPolicy, AppLockerRule, Condition, RuleCollection, parse

ALL, USERS, GROUP = "S-1-1-0", "S-1-5-32-545", "S-1-5-21-1-2-3-1603"
PROGRAM = Program((r"c:\windows\system32\mshta.exe", r"c:\windows\syswow64\mshta.exe"), "O=M", "IE", "MSHTA.EXE")
_ids = itertools.count()


def publisher(low: str = "*", high: str = "*", publisher: str = "O=M", product: str = "IE",
              binary: str = "MSHTA.EXE") -> Condition:
    return Condition("publisher", publisher, product, binary, low, high)


def path(text: str) -> Condition:
    return Condition("path", path=text)


def rule(action: str, about: Condition, sid: str = ALL, *exceptions: Condition) -> AppLockerRule:
    return AppLockerRule(str(next(_ids)), "a rule", "", sid, action, (about,), exceptions)


def policy(*rules: AppLockerRule, mode: str = "Enabled", left_out: tuple[str, ...] = ()) -> AppLockerPolicy:
    return AppLockerPolicy((RuleCollection("Exe", mode, rules, left_out),))


WINDOWS = rule("Allow", path(r"%WINDIR%\*"))
ADMINS = rule("Allow", path("*"), ADMINISTRATORS)
DENY = rule("Deny", publisher())


@pytest.mark.parametrize(("rules", "state"), [
    ((WINDOWS, ADMINS), "allowed"),
    ((WINDOWS, ADMINS, DENY), "denied"),
    ((DENY, WINDOWS), "denied"),  # the order does not matter
    ((WINDOWS, rule("Deny", publisher(), USERS)), "denied"),
    ((WINDOWS, rule("Deny", publisher(), "s-1-1-0")), "denied"),
    ((WINDOWS, rule("Deny", path(r"%SYSTEM32%\mshta.exe"))), "denied"),  # System32 and SysWOW64
    ((WINDOWS, rule("Deny", path(r"%WINDIR%\*\MSHTA.EXE"))), "denied"),
    ((WINDOWS, rule("Deny", path(r"%OSDRIVE%\windows\system32\mshta.exe")),
      rule("Deny", path(r"C:\Windows\SysWOW64\mshta.exe"))), "denied"),
    ((WINDOWS, rule("Deny", path(r"C:\Windows\System32\mshta.exe"))), "allowed"),  # the other copy is left
    ((WINDOWS, rule("Deny", publisher(publisher="*", product="*"))), "denied"),
    ((WINDOWS, rule("Deny", publisher(binary="WSCRIPT.EXE"))), "allowed"),
    ((WINDOWS, rule("Deny", publisher("0.0", "*"))), "denied"),
    ((WINDOWS, rule("Deny", publisher("11.0.22000.1", "11.0.22000.1"))), "unknown"),
    ((WINDOWS, rule("Deny", publisher("*", "10.0.0.0"))), "unknown"),
    ((WINDOWS, rule("Deny", publisher("x", "*"))), "unknown"),
    ((WINDOWS, rule("Deny", Condition("hash", hashes=("0x1",)))), "unknown"),
    ((rule("Allow", Condition("hash", hashes=("0x1",))), rule("Deny", Condition("hash", hashes=("0x2",)))), "unknown"),
    ((WINDOWS, rule("Deny", path(r"%SystemRoot%\System32\mshta.exe"))), "unknown"),  # not AppLocker's variable
    ((WINDOWS, DENY, rule("Deny", Condition("hash", hashes=("0x1",)))), "denied"),
    ((rule("Allow", path(r"%PROGRAMFILES%\*")),), "denied"),  # what no rule allows is refused
    ((rule("Allow", path(r"%WINDIR%\*"), ALL, publisher()),), "denied"),
    ((rule("Allow", path(r"%WINDIR%\*"), ALL, publisher()), ADMINS), "groups"),
    ((rule("Allow", path(r"%WINDIR%\*"), ALL, publisher()), rule("Allow", publisher(), GROUP)), "groups"),
    ((rule("Allow", path(r"%WINDIR%\*"), ALL, Condition("hash", hashes=("0x1",))),), "unknown"),
    ((WINDOWS, rule("Deny", publisher(), ALL, path(r"%SYSTEM32%\*"))), "allowed"),  # a deny with exceptions
    ((WINDOWS, rule("Deny", publisher(), GROUP)), "allowed"),
    ((rule("Allow", publisher(), GROUP), rule("Deny", publisher(), GROUP)), "denied"),
    ((DENY,), "denied"),
    ((), "ungoverned"),
])
def test_states(rules: tuple[AppLockerRule, ...], state: str) -> None:
    found = decide(policy(*rules), PROGRAM)
    assert found.state == state, found
    assert found.why.endswith(".")


def test_who_is_named() -> None:
    found = decide(policy(rule("Allow", path(r"%WINDIR%\*"), ALL, publisher()), rule("Allow", publisher(), GROUP),
                          ADMINS), PROGRAM)
    assert found.groups == (GROUP, ADMINISTRATORS)
    assert "Administrators (S-1-5-32-544)" in found.why
    assert decide(policy(WINDOWS, rule("Deny", publisher(), GROUP)), PROGRAM).refused == (GROUP,)


@pytest.mark.parametrize(("mode", "state"), [
    ("Enabled", "denied"), ("NotConfigured", "denied"), ("AuditOnly", "audit")])
def test_modes(mode: str, state: str) -> None:
    found = decide(policy(WINDOWS, DENY, mode=mode), PROGRAM)
    assert found.state == state
    assert found.would == ("denied" if mode == "AuditOnly" else "")


def test_no_collection_governs_nothing() -> None:
    assert decide(AppLockerPolicy(()), PROGRAM).state == "ungoverned"
    script = AppLockerPolicy((RuleCollection("Script", "Enabled", (DENY,)),))
    assert decide(script, PROGRAM).state == "ungoverned"  # .hta is not governed by the Script collection


def test_what_was_not_understood_is_never_taken_for_the_better() -> None:
    assert decide(policy(WINDOWS, left_out=("x",)), PROGRAM).state == "unknown"
    assert decide(policy(left_out=("x",)), PROGRAM).state == "unknown"
    assert decide(policy(WINDOWS, DENY, left_out=("x",)), PROGRAM).state == "denied"  # nothing outranks a deny
    assert decide(policy(rule("Allow", path("c:\\x")), left_out=("x",)), PROGRAM).state == "unknown"


def test_a_known_version_decides() -> None:
    pinned = policy(WINDOWS, rule("Deny", publisher("11.0.0.0", "11.0.22000.1")))
    for version, state in (("11.0.22000.1", "denied"), ("11.0.22621.1", "allowed"), ("10.9", "allowed"),
                           ("x", "unknown")):
        assert decide(pinned, Program(PROGRAM.paths, "O=M", "IE", "MSHTA.EXE", version)).state == state


@pytest.mark.parametrize(("low", "high", "every"), [
    ("*", "*", True), ("0.0", "*", True), ("*", "65535.65535.65535.65535", True),
    ("0", "65535.65535.65535.65535", True), ("1.0", "*", False), ("*", "9", False), ("x", "*", False)])
def test_every_version(low: str, high: str, every: bool) -> None:
    assert any_version(low, high) is every


def test_for_one_person() -> None:
    scoped = policy(rule("Allow", path(r"%WINDIR%\*"), ALL, publisher()), rule("Allow", publisher(), GROUP))
    assert decide_for(scoped, PROGRAM, [GROUP]) is True
    assert decide_for(scoped, PROGRAM, ["S-1-5-21-1-2-3-9999"]) is False
    assert decide_for(policy(WINDOWS, rule("Deny", Condition("hash", hashes=("0x1",)))), PROGRAM, []) is None
    assert decide_for(AppLockerPolicy(()), PROGRAM, []) is True


def test_the_program_of_the_control_is_in_both_places() -> None:
    (setting,) = [one for control in controls() for one in control.settings if isinstance(one, AppLockerSetting)]
    assert program_of(setting).paths == PROGRAM.paths


def test_variables() -> None:
    assert list(places_of(r"%SYSTEM32%\a")) == [r"c:\windows\system32\a", r"c:\windows\syswow64\a"]
    assert list(places_of(r"%ProgramFiles%\a")) == [r"c:\program files\a", r"c:\program files (x86)\a"]
    assert list(places_of(r"%REMOVABLE%\a")) == []


@pytest.mark.parametrize(("pattern", "text", "fits"), [
    ("*", "", True), ("a*c", "abbc", True), ("a*c", "abbd", False), ("?b", "ab", True), ("?", "", False),
    ("*a*b*", "xaybz", True), ("", "", True), ("", "a", False), ("a", "A", False), ("[a]", "a", False)])
def test_globs(pattern: str, text: str, fits: bool) -> None:
    assert glob(pattern, text) is fits


def test_a_hostile_pattern_does_not_take_long() -> None:
    assert not glob("*a" * 2000 + "b", "a" * 4000)


ACTIONS = st.sampled_from(["Allow", "Deny"])
ABOUT = st.sampled_from([publisher(), publisher("*", "9.0"), path(r"%WINDIR%\*"), path("*"),
                         path(r"%SYSTEM32%\mshta.exe"), path(r"%PROGRAMFILES%\*"), Condition("hash", hashes=("0x1",))])
RULES = st.lists(st.builds(rule, ACTIONS, ABOUT, st.sampled_from([ALL, USERS, GROUP, ADMINISTRATORS])), max_size=6)


@given(RULES)
def test_a_deny_for_everybody_makes_any_policy_denied(rules: list[AppLockerRule]) -> None:
    assert decide(policy(*rules, DENY), PROGRAM).state == "denied"


@given(RULES)
def test_the_answer_for_everybody_is_the_answer_for_each(rules: list[AppLockerRule]) -> None:
    found = decide(policy(*rules), PROGRAM)
    stranger = decide_for(policy(*rules), PROGRAM, ["S-1-5-21-9-9-9-9", "S-1-5-11", USERS])
    member = decide_for(policy(*rules), PROGRAM, [GROUP, "S-1-5-11", USERS])
    if found.state == "denied":
        assert (stranger, member) == (False, False)
    if found.state == "allowed":
        assert stranger is True
    if found.state == "groups":
        assert stranger is False
        assert member is (GROUP in found.groups)


@pytest.mark.parametrize("mode", ["Audit", "enabled ", ""])
def test_a_mode_that_nobody_understands_denies_nothing_for_certain(mode: str) -> None:
    xml = (f'<AppLockerPolicy Version="1"><RuleCollection Type="Exe" EnforcementMode="{mode}"><FilePathRule Id="1" '
           'Name="n" Description="" UserOrGroupSid="S-1-1-0" Action="Deny"><Conditions><FilePathCondition '
           'Path="%SYSTEM32%\\mshta.exe"/></Conditions></FilePathRule></RuleCollection></AppLockerPolicy>')
    found = decide(parse(xml), PROGRAM)
    assert found.state == "unknown"
    assert "EnforcementMode is" in found.why
    assert decide_for(parse(xml), PROGRAM, ["S-1-5-32-545"]) is None


def test_two_collections_that_are_enforced_in_different_ways_are_unknown() -> None:
    rules = (rule("Deny", path(r"%SYSTEM32%\mshta.exe")),)
    both = [RuleCollection("Exe", mode, rules) for mode in ("Enabled", "AuditOnly")]
    assert decide(AppLockerPolicy(tuple(both)), PROGRAM).state == "unknown"
    assert decide(AppLockerPolicy(tuple(reversed(both))), PROGRAM).state == "unknown"


@pytest.mark.parametrize(("rules", "copies"), [
    ((WINDOWS, DENY), False),
    ((WINDOWS, rule("Deny", path(r"%SYSTEM32%\mshta.exe"))), True),  # Windows keeps a copy in WinSxS
    ((WINDOWS, rule("Deny", path(r"%WINDIR%\*\mshta.exe"))), False),
    ((rule("Allow", path(r"%WINDIR%\*"), ALL, path(r"%SYSTEM32%\mshta.exe")),), True),
    ((rule("Allow", path(r"%WINDIR%\*"), ALL, publisher()), rule("Allow", publisher(), GROUP)), False),
    ((rule("Allow", path(r"%PROGRAMFILES%\*")),), False),
    ((WINDOWS,), False),  # it is allowed anyhow
])
def test_a_copy_in_another_folder_of_windows_is_thought_of(rules: tuple[AppLockerRule, ...], copies: bool) -> None:
    assert decide(policy(*rules), PROGRAM).copies is copies
