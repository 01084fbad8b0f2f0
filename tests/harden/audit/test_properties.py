"""What must hold whatever the evidence says: order and repetition change nothing, and silence never becomes a pass."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from douse.content.controls import controls
from douse.content.settings import RegistrySetting
from douse.harden.audit.findings import findings
from douse.harden.audit.mshta import answer
from harden import makers as m
from harden.audit.test_applications import ALLOWS, AUDITS, DENIES, ENFORCED, GROUP_ONLY
from harden.audit.test_firewall import BLOCK, HALF, IDLE
from harden.audit.test_firewall import KEY as FIREWALL

TODAY = date(2026, 11, 24)
SOURCES = (m.COLLECTOR, m.HIVE, m.GPRESULT, m.source("collector", "old.json", day=1),
           m.source("collector", "new.json", day=9))
CONTROLS = [control for control in controls() if control.id in (
    "H01", "H03", "H06", "H07", "H08", "H11", "H13", "H14", "H28", "H33", "H40", "H41")]
"""Some of every kind; with fewer, evidence meets evidence more often."""

VALUES = [setting for control in CONTROLS for setting in control.settings if isinstance(setting, RegistrySetting)]
GUIDS = [rule.guid for control in CONTROLS for rule in control.rules][:3]
STORES = ("gpo", "mdm", "local")

sources = st.sampled_from(SOURCES)
values = st.builds(
    lambda setting, data, of, profile: m.reg(setting.hive, setting.key, setting.name, data, of=of,
                                             profile=profile if setting.hive == "HKCU" else ""),
    st.sampled_from(VALUES), st.sampled_from((None, 0, 1, 2, "1", "", "Block", "*")), sources,
    st.sampled_from(("anna", "bert")))
states = st.one_of(
    st.builds(lambda store, text, of: m.rule(store, text, of=of), st.sampled_from(STORES),
              st.sampled_from((BLOCK, HALF, IDLE)), sources),
    st.builds(lambda store, of: m.store_whole(store, of=of), st.sampled_from(STORES), sources),
    st.builds(lambda xml, of: m.applocker("effective", xml, of=of),
              st.sampled_from((DENIES, AUDITS, ALLOWS, GROUP_ONLY)), sources),
    st.builds(lambda active, of: m.app_control("{1}", active, ENFORCED, of=of), st.sampled_from((True, False, None)),
              sources),
    st.builds(lambda start, state, of: m.service("AppIDSvc", start, state, of=of),
              st.sampled_from(("automatic", "manual", "", None)), st.sampled_from(("running", "stopped", "")), sources),
    st.builds(lambda guid, state, of: m.asr(guid, state, of=of), st.sampled_from(GUIDS), st.integers(0, 6), sources),
    st.builds(lambda name, on, of: m.effective(f"FirewallProfile.{name}.Enabled", on, of=of),
              st.sampled_from(("Domain", "Private", "Public")), st.booleans(), sources),
    st.builds(lambda build, role, of: m.machine(build, role, of=of), st.sampled_from((0, 14393, 22631)),
              st.sampled_from(("", "workstation", "server")), sources),
    st.builds(lambda word, on, of: m.product(word, on, of=of), st.sampled_from(("chrome", "edge", "office")),
              st.booleans(), sources),
    st.builds(lambda of: m.whole_key("HKLM", FIREWALL, of=of), sources),
    st.builds(lambda on, of: m.sysmon(on, of=of), st.booleans(), sources))
evidence = st.lists(st.one_of(values, states), max_size=12)


def judged(adds, kind: str = "host"):
    """Everything that the audit says of a subject, as comparable values."""
    subject = m.subject(*adds, kind=kind)
    found = findings(subject, CONTROLS, "seed", TODAY)
    return ([(one.control.id, one.state, one.why, [(it.setting.id, it.profile, it.state, it.actual, it.why, it.cited)
                                                   for it in one.checks]) for one in found], answer(subject))


@given(evidence, st.randoms(use_true_random=False), st.sampled_from(("host", "policy")))
def test_the_order_of_evidence_does_not_matter(adds, random, kind) -> None:
    shuffled = list(adds)
    random.shuffle(shuffled)
    assert judged(adds, kind) == judged(shuffled, kind)


@given(evidence)
def test_the_same_evidence_twice_changes_nothing(adds) -> None:
    assert judged(adds) == judged([*adds, *adds])


@given(evidence)
def test_a_pass_cites_what_it_saw_and_every_check_says_why(adds) -> None:
    for finding in findings(m.subject(*adds), CONTROLS, "seed", TODAY):
        assert finding.why
        for check in finding.checks:
            assert check.why
            assert check.cited or check.state in ("unknown", "not-applicable"), (check.setting.id, check.state)


@given(evidence, st.sampled_from(SOURCES), st.sampled_from((r"SOFTWARE\Unrelated", r"SYSTEM\Unrelated")))
def test_a_source_that_says_nothing_of_a_value_turns_no_unknown_into_a_pass(adds, of, key) -> None:
    def passing(more):
        found = findings(m.subject(*adds, *more), CONTROLS, "seed", TODAY)
        return {(check.setting.id, check.profile) for one in found for check in one.checks if check.state == "pass"}

    assert passing([m.reg("HKLM", key, "Other", 1, of=of), m.whole_key("HKLM", key, of=of)]) <= passing([])


@given(evidence)
def test_no_evidence_of_a_setting_means_no_pass(adds) -> None:
    """A check passes only where a citation stands for it; taking all evidence away leaves everything unknown."""
    assert {one.state for one in findings(m.subject(), controls(), "seed", TODAY)} == {"unknown"}
    for finding in findings(m.subject(*adds), CONTROLS, "seed", TODAY):
        if finding.state == "pass":
            assert all(check.cited for check in finding.checks if check.state == "pass")
            assert not [check for check in finding.checks if check.state not in ("pass", "not-applicable")]
