"""Attack surface reduction rules, and what becomes of Defender's settings where Defender does not work."""

from __future__ import annotations

import pytest

from douse.content.settings import Accept, AsrSetting, EffectiveSetting, RegistrySetting
from douse.harden.audit.checks import check
from douse.harden.audit.defender import RULE_KEYS, RUNNING_MODE
from harden import makers as m

GUID = "be9ba2d9-53ea-4cdc-84e5-9b1eeee46550"
RULE = AsrSetting(id="H99/mail", guid=GUID, title="No programs from mail", start="block")
LATER = AsrSetting(id="H99/later", guid=GUID, title="Rare programs", start="audit")
POLICY = rf"HKLM\{RULE_KEYS[0]}!{GUID}"
WHOLE = [m.whole_key("HKLM", key) for key in RULE_KEYS]


def by_policy(state: int, of=m.HIVE):
    return m.asr(GUID, state, of=of, where=POLICY)


def kept(layer: int, state: int, of=m.HIVE):
    """By MDM (1), or as a setting of the computer (2)."""
    return m.asr(GUID, state, of=of, where=rf"HKLM\{RULE_KEYS[layer]}!{GUID}")


@pytest.mark.parametrize(("adds", "state"), [
    ([], "unknown"),
    (WHOLE, "fail"),
    (WHOLE[:2], "unknown"),
    ([m.asr(GUID, 1)], "pass"),
    ([by_policy(1)], "pass"),
    ([m.asr(GUID, 2)], "partial"),
    ([m.asr(GUID, 6)], "partial"),
    ([m.asr(GUID, 0)], "fail"),
    ([m.asr(GUID, 5)], "fail"),
    ([m.asr(GUID, 99)], "fail"),
    ([m.asr(GUID, 1), by_policy(1)], "pass"),
    ([m.asr(GUID, 2), by_policy(1)], "conflict"),
    ([m.asr(GUID, 5), by_policy(1)], "conflict"),
    ([m.asr(GUID, 0), m.asr(GUID, 5, of=m.HIVE)], "fail"),
    ([kept(1, 1)], "pass"),
    ([by_policy(1), kept(1, 2)], "conflict"),
    ([kept(2, 1)], "pass"),
    ([by_policy(1), kept(2, 0)], "pass"),
    ([by_policy(2), kept(2, 1)], "partial"),
    ([m.asr(GUID, 1), kept(2, 0)], "pass"),
], ids=str)
def test_states(adds, state) -> None:
    for order in (adds, adds[::-1]):
        (found,) = check(RULE, m.subject(*order), "seed")
        assert found.state == state, found.why


def test_a_pass_says_where_nobody_saw_whether_defender_is_the_one_who_works() -> None:
    doubt = "Whether Defender is the active antivirus was not seen."
    (without,) = check(RULE, m.subject(m.asr(GUID, 1)), "seed")
    (seen,) = check(RULE, m.subject(m.asr(GUID, 1), m.effective(RUNNING_MODE, "Normal")), "seed")
    assert without.why.endswith(doubt)
    assert (seen.state, doubt in seen.why) == ("pass", False)


def test_what_is_in_force_comes_first_in_the_words() -> None:
    (found,) = check(RULE, m.subject(m.asr(GUID, 2), by_policy(1)), "seed")
    assert found.actual == "in force audit"
    assert found.why.startswith("In force is audit, and a policy says something else")


def test_a_rule_that_begins_in_audit_mode_is_partial_and_says_how_to_go_on() -> None:
    (found,) = check(LATER, m.subject(m.asr(GUID, 2)), "seed")
    assert found.state == "partial"
    assert "go on to block" in found.why


def test_a_policy_alone() -> None:
    for adds, state in (([], "not-applicable"), ([by_policy(1)], "pass"), ([by_policy(2)], "partial"),
                        ([*WHOLE], "not-applicable")):
        (found,) = check(RULE, m.subject(*adds, kind="policy"), "seed")
        assert found.state == state


# ── another antivirus, or none ────────────────────────────────────────────────────────────────────────────────────────

REAL_TIME = RegistrySetting(id="H99/real-time", hive="HKLM", name="DisableRealtimeMonitoring", types=("REG_DWORD",),
                            key=r"SOFTWARE\Policies\Microsoft\Windows Defender\Real-Time Protection", good=0,
                            accept=Accept("=", ("0",)))
TAMPER = EffectiveSetting(id="H99/tamper", state="MpComputerStatus.IsTamperProtected", accept=Accept("=", ("true",)))
OTHER_KEY = RegistrySetting(id="H99/other", hive="HKLM", name="V", types=("REG_DWORD",), key=r"SOFTWARE\Policies\Other",
                            good=1, accept=Accept("=", ("1",)))
VENDOR = m.effective("SecurityCenter.AntiVirus", "Windows Defender; Example Endpoint")


@pytest.mark.parametrize("setting", [RULE, REAL_TIME, TAMPER], ids=lambda one: one.id)
def test_another_antivirus(setting) -> None:
    (found,) = check(setting, m.subject(m.effective(RUNNING_MODE, "Passive Mode"), VENDOR), "seed")
    assert found.state == "not-applicable"
    assert "Example Endpoint" in found.why
    assert "questionnaire" in found.why
    (found,) = check(setting, m.subject(m.effective(RUNNING_MODE, "Not running"), VENDOR), "seed")
    assert found.state == "not-applicable"


@pytest.mark.parametrize("setting", [RULE, REAL_TIME, TAMPER], ids=lambda one: one.id)
def test_no_antivirus_at_all(setting) -> None:
    (found,) = check(setting, m.subject(m.effective(RUNNING_MODE, "Not running")), "seed")
    assert found.state == "fail"
    assert "no other antivirus is known" in found.why


@pytest.mark.parametrize("setting", [RULE, REAL_TIME, TAMPER], ids=lambda one: one.id)
def test_defender_at_work_or_nobody_knows(setting) -> None:
    for adds in ([m.effective(RUNNING_MODE, "Normal"), VENDOR], [VENDOR], [],
                 [m.service("WinDefend", "automatic", "running")]):
        (found,) = check(setting, m.subject(*adds), "seed")
        assert found.state == "unknown"


@pytest.mark.parametrize("setting", [RULE, REAL_TIME, TAMPER], ids=lambda one: one.id)
def test_sources_that_differ_on_defender(setting) -> None:
    (found,) = check(setting, m.subject(m.effective(RUNNING_MODE, "Normal"),
                                        m.effective(RUNNING_MODE, "Not running", of=m.HIVE)), "seed")
    assert found.state == "conflict"


@pytest.mark.parametrize("dead", [
    m.service("WinDefend", "disabled"), m.service("WinDefend", "automatic", "stopped"), m.service("WinDefend", None),
    m.effective("MpComputerStatus.AMServiceEnabled", False), m.effective("MpComputerStatus.AntivirusEnabled", False)])
def test_policies_for_a_defender_that_is_off_do_not_pass(dead) -> None:
    """Where the service is off Get-MpPreference answers nothing, and the policies are in the registry all the same."""
    good = [m.asr(GUID, 1, where=f"HKLM\\{RULE_KEYS[0]}"),
            m.reg("HKLM", REAL_TIME.key, REAL_TIME.name, REAL_TIME.good)]
    for setting in (RULE, REAL_TIME):
        assert check(setting, m.subject(*good), "seed")[0].state == "pass"
        assert check(setting, m.subject(*good, dead), "seed")[0].state == "fail"
        assert check(setting, m.subject(*good, dead, VENDOR), "seed")[0].state == "not-applicable"


def test_other_settings_do_not_care() -> None:
    (found,) = check(OTHER_KEY, m.subject(m.effective(RUNNING_MODE, "Not running")), "seed")
    assert found.state == "unknown"
