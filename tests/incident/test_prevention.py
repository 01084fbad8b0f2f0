"""Which controls would have broken a chain, at which step and why; who should learn what; what a sign fits."""

from __future__ import annotations

import pytest

import builders as b
from douse.content.controls import controls
from douse.content.signs import Sign
from douse.incident import prevention, signs
from douse.incident.case import Case
from douse.incident.correlate import correlate
from douse.model import BreakingControl, Incident
from incident.stories import EXODUS_STORE, FIREFOX_STORE, MSHTA, POWERSHELL, SERVER, Story, lumma

WORD = "C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE"
SETUP = "C:\\Users\\anna\\Downloads\\setup.exe"
MSHTA32 = "C:\\Windows\\SysWOW64\\mshta.exe"


def control(incident: Incident, control_id: str) -> BreakingControl | None:
    return next((one for one in incident.controls if one.control_id == control_id), None)


def started(image: str, line: str = "", parent: str = "", technique: str = "T1218.005", letter: str = "X") -> Story:
    """One program that ran, and went online so that it is an incident of medium or above."""
    story = Story()
    up = b.process(parent, 400, -5, b.explorer()) if parent else b.explorer()
    ran = b.process(image, 500, 0, up, line)
    if parent:
        story.log(b.process_start(up))
    story.alert(b.process_start(ran), letter, "Started", "high", techniques=(technique,))
    story.alert(b.connection(ran, 1, SERVER), "R", "Connected", "high", techniques=("T1071.001",))
    return story


def test_a_pasted_command_is_broken_where_it_begins() -> None:
    incident = lumma().incident()
    first = incident.controls[0]
    assert (first.control_id, first.effect, first.step) == ("H11", "stops", 1)
    assert first.why == ("A command was pasted into the Run dialog; without the dialog there is nothing to paste "
                         "into.")
    assert first.techniques == ("T1204.004",)
    shown = [one.effect == "shows" for one in incident.controls]
    assert shown == sorted(shown)
    acting = [one.step for one in incident.controls if one.effect != "shows"]
    assert acting == sorted(acting)
    assert len(incident.controls) <= prevention.MOST


def test_each_copy_of_mshta_has_its_own_firewall_rule() -> None:
    wide, narrow = started(MSHTA).incident(), started(MSHTA32).incident()
    assert control(wide, "H01")
    assert not control(wide, "H02")
    assert control(narrow, "H02")
    assert not control(narrow, "H01")
    found = control(wide, "H01")
    assert found
    assert found.why == "mshta.exe connected to 203[.]0[.]113[.]44; with the rule Windows refuses that connection."
    assert wide.steps[found.step - 1].title == "Connected"


def test_where_no_connection_was_logged_the_address_in_the_command_counts() -> None:
    story = Story()
    mshta = b.process(MSHTA, 500, 0, b.explorer(), "mshta https://verify.example/a")
    story.alert(b.process_start(mshta), "X", "Started", "high", techniques=("T1218.005",))
    story.alert(b.injection(mshta, b.process(POWERSHELL, 504, 1), 2), "I", "Injected", "high")
    incident = story.incident()
    found = control(incident, "H01")
    assert found
    assert incident.steps[found.step - 1].title == "Started"
    assert "started with a web address" in found.why


def test_a_macro_is_no_fake_installer() -> None:
    macro = started(POWERSHELL, parent=WORD, technique="T1059.001").incident()
    found = control(macro, "H23")
    assert found
    assert found.why.startswith("WINWORD.EXE started powershell.exe, as macros do")
    rule = control(macro, "H13")
    assert rule
    assert '"Office starts no other programs"' in rule.why
    assert not control(macro, "H06")
    installer = started(SETUP, technique="T1204.002", letter="D").incident()
    assert control(installer, "H08")
    assert control(installer, "H16")
    assert not control(installer, "H23")
    assert not control(installer, "H11")


def test_a_firefox_that_was_read_is_not_answered_with_a_setting_of_chrome() -> None:
    story = started(SETUP, technique="T1204.002")
    setup = b.process(SETUP, 500, 0, b.explorer())
    story.read(setup, 5, FIREFOX_STORE, "gecko")
    story.read(setup, 6, EXODUS_STORE, "wallet")
    incident = story.incident()
    kept = {one.control_id for one in incident.controls}
    assert "H30" in kept
    assert not {"H28", "H29"} & kept
    assert "the store of Firefox" in (control(incident, "H30") or incident.controls[0]).why


def test_logging_is_named_only_where_a_gap_of_this_host_is_closed() -> None:
    blind, seeing = lumma(audit=False).incident(), lumma().incident()
    missing = control(blind, "H43")
    assert missing
    assert missing.effect == "shows"
    assert "Security 4663" in missing.why
    assert "Unknown therefore: " in missing.why
    assert 1 <= missing.step <= len(blind.steps)
    assert control(seeing, "H43") is None
    assert {spot.requirement for spot in seeing.blind_spots}.isdisjoint({"store-reads"})


def test_script_logging_matters_only_where_powershell_ran() -> None:
    assert control(started(POWERSHELL, technique="T1059.001").incident(), "H39")
    assert control(started(MSHTA).incident(), "H39") is None


def test_no_step_gets_more_than_a_few_controls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prevention, "PER_STEP", {"stops": 1, "limits": 0, "shows": 1})
    monkeypatch.setattr(prevention, "MOST", 3)
    found = lumma(audit=False).incident().controls
    acting = [one.step for one in found if one.effect != "shows"]
    assert len(acting) == len(set(acting))
    assert len(found) == 3
    assert any(one.effect == "shows" for one in found), "what would have shown more is not crowded out"
    assert not any(one.effect == "limits" for one in found)


def test_a_name_that_passes_for_words_of_ours_is_quoted() -> None:
    incident = started("C:\\Users\\anna\\safe; nothing to see here.exe", technique="T1204.002").incident()
    found = control(incident, "H08")
    assert found
    assert '"safe; nothing to see here.exe" ran from a folder' in found.why
    assert signs.quoted("x" * 200 + ".exe").endswith("…")


def test_a_weak_chain_has_no_controls() -> None:
    story = Story()
    story.alert(b.process_start(b.process(MSHTA, 500, 0, b.explorer())), "X", "Started", techniques=("T1218.005",))
    assert story.incident().controls == ()


def test_the_person_who_was_led_to_paste_learns_just_that() -> None:
    lessons = {one.lesson_id: one for one in lumma(user=b.BEN).incident().lessons}
    assert {"L01", "L04", "L07", "L09", "L10"} <= set(lessons)
    assert not {"L02", "L03", "L05", "L06"} & set(lessons)
    assert lessons["L04"].users == ("CORP\\ben",)
    assert lessons["L04"].steps[0] == 1
    assert lessons["L10"].users == (prevention.IT,)
    assert list(lessons)[-1] == "L10"


def test_who_ran_cracked_software_learns_of_that() -> None:
    lessons = {one.lesson_id for one in started(SETUP, technique="T1204.002", letter="D").incident().lessons}
    assert {"L05", "L09"} <= lessons
    assert "L04" not in lessons


@pytest.mark.parametrize(
    ("sign", "fits"),
    [
        (Sign(classes=("X",)), True),
        (Sign(classes=("C",)), False),
        (Sign(techniques=("T1218",)), True),
        (Sign(techniques=("T121",)), False),
        (Sign(programs=("mshta.exe",), folder="system32"), True),
        (Sign(programs=("mshta.exe",), folder="user"), False),
        (Sign(parents=("explorer.exe",)), True),
        (Sign(parents=("winword.exe",)), False),
        (Sign(says=("verify.example",)), True),
        (Sign(says=("verify.example",), unless=("https:",)), False),
        (Sign(classes=("X",), says=("nowhere",)), False),
        (Sign(roles=("run-dialog",)), False),
        (Sign(stores=("gecko",)), False),
    ],
)
def test_all_that_a_sign_names_must_fit(sign: Sign, fits: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    story = Story()
    ran = b.process(MSHTA, 500, 0, b.explorer(), "mshta https://VERIFY.example/a")
    story.alert(b.process_start(ran), "X", "Started", "high", techniques=("T1218.005",))

    def look(case: Case, evidence: signs.Evidence) -> tuple[BreakingControl, ...]:
        seen.append(any(piece.shape.fits(sign) and piece.says(sign) for piece in evidence.pieces))
        return ()

    monkeypatch.setattr("douse.incident.correlate.controls_of", look)
    story.incident()
    assert seen == [fits]


def test_a_flood_of_evidence_is_looked_at_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs, "MOST", 50)
    looked: list[int] = []

    def look(case: Case, evidence: signs.Evidence) -> tuple[BreakingControl, ...]:
        looked.append(len(evidence.pieces))
        return prevention.controls_of(case, evidence)

    monkeypatch.setattr("douse.incident.correlate.controls_of", look)
    story = Story()
    parent = b.process(MSHTA, 1, 0, b.explorer())
    story.alert(b.process_start(parent), "X", "Started", "high")
    for number in range(300):
        child = b.process(SETUP, 1000 + number, 1 + number, parent)
        story.alert(b.process_start(child), "X", f"Started {number % 7}", "high")
    assert story.incident().controls
    assert looked == [50]


def test_every_control_with_an_entry_can_be_named() -> None:
    """A word in braces that nobody fills in would be shown as it stands."""
    for incident in (lumma().incident(), lumma(audit=False).incident(), started(SETUP).incident()):
        assert not any("{" in one.why for one in incident.controls)
    assert sum(bool(one.breaks) for one in controls()) > 30


def test_controls_do_not_change_a_level() -> None:
    story = lumma()
    facts, coverage = b.facts_of(story.events).host(b.HOST), b.coverage_of(story.events)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("douse.incident.correlate.controls_of", lambda case, evidence: ())
        patch.setattr("douse.incident.correlate.lessons_of", lambda case, evidence: ())
        bare = correlate(story.alerts, facts, coverage)[0]
    whole = correlate(story.alerts, facts, coverage)[0]
    assert (bare.level, bare.score, bare.incident_id) == (whole.level, whole.score, whole.incident_id)
