"""One registry value: every state, and every way in which absent evidence must not pass."""

from __future__ import annotations

import pytest

from douse.content.settings import Accept, RegistrySetting
from douse.harden.audit.checks import check
from harden import makers as m

KEY = r"SOFTWARE\Policies\Example"
TAMPER = "MpComputerStatus.IsTamperProtected"


def setting(**changes) -> RegistrySetting:
    given = {"id": "H99/Value", "hive": "HKLM", "key": KEY, "name": "Value", "types": ("REG_DWORD",), "good": 1,
             "accept": Accept("=", ("1",)), **changes}
    return RegistrySetting(**given)


def value(data, type_="", **more):
    return m.reg("HKLM", KEY, "Value", data, type_, **more)


def state_of(one: RegistrySetting, *adds, kind: str = "host") -> str:
    (found,) = check(one, m.subject(*adds, kind=kind), "seed")
    return found.state


@pytest.mark.parametrize(("adds", "state"), [
    ([], "unknown"),
    ([m.whole_key("HKLM", r"SOFTWARE\Policies\Other")], "unknown"),
    ([value(1)], "pass"),
    ([value(0)], "fail"),
    ([value(None)], "fail"),
    ([m.whole_key("HKLM", "SOFTWARE")], "fail"),
    ([value("1", "REG_SZ")], "fail"),
    ([value(1), value(1, of=m.HIVE)], "pass"),
    ([value(1), value(0, of=m.HIVE)], "conflict"),
    ([value(1), value(None, of=m.HIVE)], "conflict"),
    ([value(1), m.whole_key("HKLM", "SOFTWARE", of=m.HIVE)], "conflict"),
    ([value(0), value(None, of=m.HIVE)], "fail"),
    ([value(0), value(2, of=m.HIVE)], "fail"),
    ([value(1), value("1", "REG_SZ", of=m.HIVE)], "conflict"),
], ids=str)
def test_states(adds, state) -> None:
    assert state_of(setting(), *adds) == state
    assert state_of(setting(), *reversed(adds)) == state


def test_it_cites_source_key_and_raw_value() -> None:
    (found,) = check(setting(), m.subject(m.reg("HKLM", KEY, "Value", 0, of=m.HIVE)), "seed")
    (cited,) = found.cited
    assert (cited.kind, cited.file, cited.value) == ("hive", "SOFTWARE", "0")
    assert cited.where == rf"HKLM\{KEY}!Value"
    assert len(cited.sha256) == 64


def test_absent_is_good_only_where_it_is_known_to_be_absent() -> None:
    one = setting(absent=True)
    assert state_of(one) == "unknown"
    assert state_of(one, value(None)) == "pass"
    assert state_of(one, m.whole_key("HKLM", KEY)) == "pass"
    assert state_of(one, value(0)) == "fail"


def test_two_good_values_that_differ_are_a_conflict() -> None:
    one = setting(accept=Accept(">=", ("1",)))
    assert state_of(one, value(1), value(2, of=m.HIVE)) == "conflict"


def test_newer_evidence_of_the_same_kind_replaces_older_and_the_check_says_so() -> None:
    old, new = m.source("collector", "old.json", day=1), m.source("collector", "new.json", day=20)
    (found,) = check(setting(), m.subject(value(0, of=old), value(1, of=new)), "seed")
    assert (found.state, [one.file for one in found.cited]) == ("pass", ["new.json"])
    assert "old.json (2026-11-01)" in found.why
    undated = m.source("collector", "undated.json")
    assert state_of(setting(), value(0, of=undated), value(1, of=new)) == "conflict"
    assert state_of(setting(), value(0, of=m.source("hive", "old", day=1)), value(1, of=new)) == "conflict"


def test_windows_folder_in_either_spelling() -> None:
    text = r'%SystemRoot%\System32\notepad.exe "%1"'
    one = setting(types=("REG_EXPAND_SZ", "REG_SZ"), good=text, accept=Accept("=", (text,)))
    assert state_of(one, value(text, "REG_EXPAND_SZ")) == "pass"
    assert state_of(one, value(r'C:\WINDOWS\system32\notepad.exe "%1"', "REG_SZ")) == "pass"
    assert state_of(one, value(r'C:\WindowsX\system32\notepad.exe "%1"', "REG_SZ")) == "fail"


def test_a_list_keeps_its_entries_under_any_number() -> None:
    star = setting(name="1", types=("REG_SZ",), good="*", accept=Accept("=", ("*",)))
    assert state_of(star, m.reg("HKLM", KEY, "1", "abc"), m.reg("HKLM", KEY, "2", "*")) == "pass"
    assert state_of(star, m.reg("HKLM", KEY, "7", "abc")) == "fail"
    none = setting(name="1", types=("REG_SZ",), good=None, accept=Accept("!=", ("*",)), absent=True)
    assert state_of(none, m.reg("HKLM", KEY, "1", "abc"), m.reg("HKLM", KEY, "2", "*")) == "fail"
    assert state_of(none, m.reg("HKLM", KEY, "1", "abc"), m.reg("HKLM", KEY, "2", "def")) == "pass"
    assert state_of(none, m.reg("HKLM", KEY, "1", 7)) == "fail"


def test_an_operand_that_only_newer_builds_know() -> None:
    one = setting(accept=Accept("one-of", ("1", "2")), since=(("2", 22621),))
    assert state_of(one, value(2)) == "unknown"
    assert state_of(one, value(2), m.machine(19045)) == "fail"
    assert state_of(one, value(2), m.machine(22621)) == "pass"
    assert state_of(one, value(1)) == "pass"


@pytest.mark.parametrize(("adds", "state", "words"), [
    ([value(1), m.effective("S.X", 1)], "pass", ""),
    ([m.effective("S.X", True)], "pass", "in force without a value here"),
    ([value(None), m.effective("S.X", 1)], "pass", "in force without a value here"),
    ([value(None), m.effective("S.X", 0)], "fail", ""),
    ([m.effective("S.X", 0)], "fail", ""),
    ([value(1), m.effective("S.X", 0)], "conflict", "gpupdate"),
    ([value(0), m.effective("S.X", 1)], "conflict", "MDM"),
    ([value(1), m.effective("S.X", 1), m.effective("S.X", 0, of=m.MPPREFERENCE)], "conflict", ""),
    ([value(1)], "pass", ""),
], ids=str)
def test_what_is_stored_and_what_is_in_force(adds, state, words) -> None:
    (found,) = check(setting(effective="S.X"), m.subject(*adds), "seed")
    assert found.state == state
    assert words in found.why


def test_a_conflict_under_tamper_protection_says_so() -> None:
    one = setting(effective="MpPreference.X")
    (found,) = check(one, m.subject(value(0), m.effective("MpPreference.X", 1), m.effective(TAMPER, True)), "seed")
    assert found.state == "conflict"
    assert "Tamper protection is on" in found.why


# ── values of users ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_check_for_each_profile() -> None:
    one = setting(hive="HKCU")
    found = check(one, m.subject(m.reg("HKCU", KEY, "Value", 1, profile="anna"),
                                 m.reg("HKCU", KEY, "Value", None, profile="bert"), m.profile("carl"),
                                 m.all_profiles()), "seed")
    assert [(one.profile, one.state) for one in found] == [("anna", "pass"), ("bert", "fail"), ("carl", "unknown")]
    assert "NTUSER.DAT" in found[2].why


def test_one_profile_of_nobody_knows_how_many_does_not_pass() -> None:
    """A single NTUSER.DAT says nothing of the other people of a computer."""
    one, good = setting(hive="HKCU"), m.reg("HKCU", KEY, "Value", 1, profile="anna")
    found = check(one, m.subject(good), "seed")
    assert [(one.profile, one.state) for one in found] == [("anna", "pass"), ("", "unknown")]
    assert "besides anna" in found[1].why
    assert [one.state for one in check(one, m.subject(good, m.all_profiles()), "seed")] == ["pass"]


def test_no_profile_seen_is_unknown() -> None:
    (found,) = check(setting(hive="HKCU"), m.subject(), "seed")
    assert found.state == "unknown"
    assert "No user profile was seen" in found.why


# ── where it means nothing ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_build_that_is_too_old() -> None:
    one = setting(min_build=16299)
    assert state_of(one, value(0), m.machine(14393)) == "not-applicable"
    assert state_of(one, value(0), m.machine(16299)) == "fail"
    assert state_of(one, value(0)) == "fail"
    assert state_of(one, m.machine(14393), m.machine(17763, of=m.HIVE)) == "unknown"


def test_a_program_that_is_not_installed() -> None:
    one = setting(product="chrome")
    assert state_of(one, value(None), m.product("chrome", False)) == "not-applicable"
    assert state_of(one, value(None), m.product("chrome", True)) == "fail"
    assert state_of(one, value(None)) == "fail"
    assert state_of(one) == "unknown"
    assert state_of(one, value(None), m.product("chrome", False), m.product("chrome", True, of=m.HIVE)) == "fail"


def test_a_profile_of_the_audit_that_does_not_ask() -> None:
    assert check(setting(profile="recommended"), m.subject(value(1)), "seed") == ()
    assert len(check(setting(profile="recommended"), m.subject(value(1)), "recommended")) == 1


# ── policies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_policy_does_not_mention_is_none_of_its_failures() -> None:
    one = setting()
    assert state_of(one, kind="policy") == "not-applicable"
    assert state_of(one, m.whole_key("HKLM", "SOFTWARE"), kind="policy") == "not-applicable"
    assert state_of(one, value(0), kind="policy") == "fail"
    assert state_of(one, value(1), kind="policy") == "pass"
    assert state_of(setting(effective="S.X"), value(1), m.effective("S.X", 0), kind="policy") == "pass"
    user = setting(hive="HKCU")
    assert state_of(user, m.reg("HKCU", KEY, "Value", 1), kind="policy") == "pass"
    deletes = m.reg("HKLM", KEY, "Value", None, of=m.source("registry_pol", "registry.pol"))
    assert state_of(one, deletes, kind="policy") == "fail"


def test_a_tenant_is_not_asked_about_the_registry() -> None:
    assert check(setting(), m.subject(kind="tenant"), "seed") == ()
    assert check(setting(), m.subject(kind="organisation"), "seed") == ()
