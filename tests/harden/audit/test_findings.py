"""Checks become findings: how states add up, what a control needs, policies, second opinions, language mode."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from douse.content.controls import Control, Entries, controls
from douse.content.settings import Accept, RegistrySetting, Setting
from douse.harden.audit import findings as findings_module
from douse.harden.audit.findings import findings
from douse.harden.finding import Finding
from harden import makers as m
from harden.audit.test_applications import ALLOWS, AUDIT, DENIES, ENFORCED, EVERYONE, NOTHING, WINDOWS, policy

KEY = r"SOFTWARE\Policies\Example"
TODAY = date(2026, 11, 24)


class Given(Entries):
    """Settings that come from no file."""

    def __init__(self, settings: tuple[Setting, ...]) -> None:
        self._data, self._found = None, settings


def named(id_: str) -> Control:
    return next(control for control in controls() if control.id == id_)


def made(*names: str, id_: str = "H91", needs: tuple[str, ...] = (), **more) -> Control:
    """A control of registry values that must be 1; `u:` before a name makes it one of every user."""
    settings = tuple(RegistrySetting(id=f"{id_}/{name}", hive="HKCU" if name.startswith("u:") else "HKLM", key=KEY,
                                     name=name, types=("REG_DWORD",), good=1, accept=Accept("=", ("1",)),
                                     product=more.pop("product", "")) for name in names)
    given = {"id": id_, "slug": id_.lower(), "needs": needs, "entries": Given(settings), "sources": (), "min_build": 0,
             "roles": ("workstation", "server"), "title": f"Control {id_}", **more}
    return replace(named("H25"), **given)


@pytest.fixture
def finding(monkeypatch: pytest.MonkeyPatch):
    """The finding of the last of some controls, which are all there are."""
    def found(*catalogue: Control, adds=(), kind: str = "host") -> Finding:
        monkeypatch.setattr(findings_module, "controls", lambda: catalogue)
        return findings(m.subject(*adds, kind=kind), catalogue[-1:], "seed", TODAY)[0]

    return found


def value(name: str, data, **more):
    return m.reg("HKCU" if name.startswith("u:") else "HKLM", KEY, name, data, **more)


GOOD, BAD, TORN = value("a", 1), value("b", 0), (value("c", 1), value("c", 0, of=m.HIVE))


@pytest.mark.parametrize(("names", "adds", "state"), [
    ("a", [], "unknown"),
    ("a", [GOOD], "pass"),
    ("b", [BAD], "fail"),
    ("c", TORN, "conflict"),
    ("ab", [GOOD, BAD], "partial"),
    ("ad", [GOOD], "unknown"),
    ("bd", [BAD], "fail"),
    ("abd", [GOOD, BAD], "partial"),
    ("ac", [GOOD, *TORN], "conflict"),
    ("bc", [BAD, *TORN], "conflict"),
    ("ae", [GOOD, value("e", "1", type_="REG_SZ")], "partial"),
])
def test_how_states_add_up(finding, names, adds, state) -> None:
    found = finding(made(*names), adds=adds)
    assert found.state == state
    assert found.why
    if "d" in names:
        assert "Not known: d" in found.why


def test_what_does_not_apply_does_not_count(finding) -> None:
    without = made("a", product="chrome")
    assert finding(without, adds=[value("a", 0), m.product("chrome", False)]).state == "not-applicable"
    both = replace(without, entries=Given((*without.settings, *made("b").settings)))
    assert finding(both, adds=[value("a", 0), value("b", 1), m.product("chrome", False)]).state == "pass"


@pytest.mark.parametrize(("adds", "state"), [
    ([], "unknown"),
    ([m.machine(22631, "workstation"), value("a", 0)], "fail"),
    ([m.machine(22631, "server"), value("a", 0)], "not-applicable"),
    ([m.machine(22631, "domain controller"), value("a", 0)], "not-applicable"),
    ([m.machine(22631, ""), value("a", 0)], "fail"),
    ([m.machine(14393, "workstation"), value("a", 0)], "not-applicable"),
    ([m.machine(22631, "workstation"), m.machine(22631, "server", of=m.HIVE), value("a", 0)], "fail"),
], ids=str)
def test_roles_and_builds(finding, adds, state) -> None:
    assert finding(made("a", roles=("workstation",), min_build=19041), adds=adds).state == state


def test_n_of_m_profiles(finding) -> None:
    found = finding(made("u:x"), adds=[value("u:x", 1, profile="anna"), value("u:x", 0, profile="bert"),
                                       m.profile("carl")])
    assert found.state == "partial"
    assert found.why.endswith("1 of 3 profiles.")
    assert "u:x of carl" in found.why


# ── needs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

NEEDED = made("n", id_="H90")


@pytest.mark.parametrize(("needed", "state", "said"), [
    ([value("n", 1)], "pass", ""),
    ([value("n", 0)], "partial", "does nothing without H90 (Control H90), which is missing"),
    ([], "unknown", "does nothing without H90 (Control H90), of which nobody knows"),
    ([value("n", 1), value("n", 0, of=m.HIVE)], "partial", "contradictory"),
])
def test_a_control_needs_another(finding, needed, state, said) -> None:
    found = finding(NEEDED, made("a", needs=("H90",)), adds=[GOOD, *needed])
    assert found.state == state
    assert said in found.why


def test_needs_are_followed_and_a_circle_ends(finding) -> None:
    middle, last = made("m", id_="H92", needs=("H90",)), made("a", needs=("H92",))
    assert finding(NEEDED, middle, last, adds=[GOOD, value("m", 1), value("n", 0)]).state == "partial"
    ring = made("n", id_="H90", needs=("H91",))
    assert finding(ring, made("a", needs=("H90",)), adds=[GOOD, value("n", 1)]).state == "pass"
    assert finding(ring, made("b", needs=("H90",)), adds=[BAD, value("n", 1)]).state == "fail"


def test_a_need_that_is_not_in_place_never_makes_a_failure_better(finding) -> None:
    assert finding(NEEDED, made("b", needs=("H90",)), adds=[BAD, value("n", 0)]).state == "fail"


# ── policies ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_policy_is_silent_on_what_it_is_not_about() -> None:
    gpo = m.subject(m.reg("HKLM", r"SOFTWARE\Policies\Microsoft\Edge", "SmartScreenEnabled", 1), kind="policy")
    found = findings(gpo, controls(), "seed", TODAY)
    assert [one.control.id for one in found] == ["H32"]
    assert found[0].state == "partial"
    assert "It would set 1 of 8 settings" in found[0].why


def test_a_policy_that_sets_all_of_it_passes_and_one_that_sets_it_wrongly_fails(finding) -> None:
    both = made("a", "b")
    assert finding(both, adds=[GOOD, value("b", 1)], kind="policy").state == "pass"
    assert finding(both, adds=[GOOD, BAD], kind="policy").state == "partial"
    assert finding(both, adds=[BAD], kind="policy").state == "fail"


def test_a_policy_without_what_it_needs_is_no_worse_but_says_so(finding) -> None:
    found = finding(NEEDED, made("a", needs=("H90",)), adds=[GOOD], kind="policy")
    assert found.state == "pass"
    assert found.notes == ("It does nothing without H90, which this policy does not set.",)


# ── other opinions ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_another_scanner_is_told_and_contradicts_only_on_the_very_same_value(finding) -> None:
    control = made("SmartScreenEnabled", sources=("HardeningKitty finding lists, 2315 and 2316",))
    good = value("SmartScreenEnabled", 1)
    other = finding(control, adds=[good, m.scanned("2315", "Block mshta", "False", False)])
    assert other.state == "pass"
    assert "HardeningKitty 2315 (Block mshta) failed" in other.notes[0]
    same = finding(control, adds=[good, m.scanned("77", "Edge: SmartScreenEnabled", "0", False)])
    assert same.state == "conflict"
    assert "HardeningKitty 77" in same.why
    assert finding(control, adds=[good, m.scanned("77", "Edge: SmartScreenEnabled", "1", True)]).state == "pass"
    silent = finding(control, adds=[m.scanned("77", "Edge: SmartScreenEnabled", "1", True)])
    assert silent.state == "unknown"
    assert finding(control, adds=[good, m.scanned("1", "Something else", "0", False)]).notes == ()


def test_the_browser_must_be_the_same(finding) -> None:
    control = made("PasswordManagerEnabled", product="edge")
    adds = [value("PasswordManagerEnabled", 1), m.scanned("1", "Chrome PasswordManagerEnabled", "0", False)]
    assert finding(control, adds=adds).state == "pass"


OLD = [m.feature("MicrosoftWindowsPowerShellV2Root", "disabled"), m.feature("MicrosoftWindowsPowerShellV2", "disabled")]
SCRIPTS = policy(WINDOWS.format(sid=EVERYONE)).replace('Type="Exe"', 'Type="Script"')


@pytest.mark.parametrize(("adds", "state"), [
    ([], "unknown"),
    ([m.applocker("effective", NOTHING), m.app_control_whole()], "partial"),
    ([m.applocker("effective", NOTHING)], "unknown"),
    ([m.applocker("effective", ALLOWS), m.app_control_whole()], "partial"),
    ([m.applocker("effective", SCRIPTS)], "pass"),
    ([m.applocker("effective", DENIES), m.app_control("{1}", True, ENFORCED)], "pass"),
    ([m.app_control("{1}", True, None), m.app_control("{1}", None, ENFORCED, of=m.HIVE)], "pass"),
    ([m.app_control("{1}", True, AUDIT), m.app_control_whole(), m.applocker("effective", NOTHING)], "partial"),
    ([m.app_control("{1}", None, ENFORCED)], "unknown"),
], ids=lambda one: str(one)[:12])
def test_constrained_language_mode_comes_from_an_enforced_policy_only(adds, state) -> None:
    (found,) = findings(m.subject(*OLD, *adds), [named("H40")], "seed", TODAY)
    assert found.state == state, found.why
    assert "Constrained Language Mode" in found.why


def test_app_control_without_evidence_is_unknown() -> None:
    (found,) = findings(m.subject(), [named("H08")], "seed", TODAY)
    assert found.state == "unknown"
    assert "CiTool" in found.why
