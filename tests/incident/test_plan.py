"""The plan: what is said when, in which order, and by which evidence; what is changed and blocked comes from others."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import builders as b
from douse.content.incidents import advice
from douse.incident import correlate as correlation
from douse.incident.correlate import correlate
from douse.model import PHASES, Incident, Indicator, PlanStep, Rotation
from incident.stories import CHROME_STORE, EXODUS_STORE, MSHTA, REGASM, SERVER, TELEGRAM, Story, lumma


def which(incident: Incident) -> list[str]:
    return [step.step_id for step in incident.plan]


def step(incident: Incident, step_id: str) -> PlanStep:
    return next(one for one in incident.plan if one.step_id == step_id)


def indicator(value: str, kind: str = "ipv4-addr", block: bool = True) -> Indicator:
    return Indicator(kind, value, "c2", block, "", b.at(0), b.at(1), "RegAsm.exe", ())


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch):
    """An incident whose rotation and indicators are given, so that only the plan is looked at."""

    def run(story: Story, rotation: tuple[Rotation, ...] = (), indicators: tuple[Indicator, ...] = ()) -> Incident:
        monkeypatch.setattr(correlation, "rotation_of", lambda case, stores: rotation)
        monkeypatch.setattr(correlation, "indicators_of", lambda case: indicators)
        return story.incident()

    return run


def test_the_whole_chain_is_put_out_in_order() -> None:
    incident = lumma().incident()
    told = which(incident)
    order = ["isolate", "sessions", "funds", "passwords", "memory", "stop", "same-lure", "rebuild", "controls",
             "lessons", "telemetry"]
    assert [name for name in told if name in order] == order
    assert [step.phase for step in incident.plan] == sorted((s.phase for s in incident.plan), key=PHASES.index)
    assert incident.next_steps == tuple(step.text for step in incident.plan)
    assert "unclear" not in told
    assert "presumed" not in told
    assert "RegAsm.exe (5008)" in step(incident, "memory").text
    assert "explorer.exe" not in step(incident, "stop").text
    assert not any("{" in text for text in incident.next_steps)


def test_what_is_first_needs_no_expert() -> None:
    first = lumma().incident().plan[0]
    assert first.text.startswith(f"Take {b.HOST} off the network now")
    jargon = re.compile(r"\b(sigma|rule|alert|sequence|IOC|TTP|lolbin|T\d{4}|S\d)\b", re.IGNORECASE)
    for known in advice():
        assert not jargon.search(known.text), known.id


def test_every_step_names_the_evidence_that_calls_for_it() -> None:
    incident = lumma().incident()
    classes = {number: told.evidence_class for number, told in enumerate(incident.steps, 1)}
    assert {classes[n] for n in step(incident, "isolate").steps} == {"I", "C", "R", "O"}
    assert {classes[n] for n in step(incident, "memory").steps} == {"I"}
    assert {classes[n] for n in step(incident, "sessions").steps} == {"C"}
    [wallet] = step(incident, "funds").steps
    assert "Exodus" in incident.steps[wallet - 1].detail
    assert all(0 < n <= len(incident.steps) for one in incident.plan for n in one.steps)


def test_the_funds_are_moved_only_where_a_wallet_is_concerned() -> None:
    without = Story()
    shell = b.explorer()
    mshta = b.process(MSHTA, 500, 0, shell, "mshta https://verify.example/a")
    regasm = b.process(REGASM, 504, 3, mshta)
    without.alert(b.process_start(mshta), "X", "Started", "high", techniques=("T1218.005",))
    without.alert(b.process_start(regasm), "I", "Injected", role="injected-host")
    without.read(regasm, 15, CHROME_STORE, "chromium")
    without.log(b.connection(regasm, 20, SERVER))
    assert {"sessions", "passwords"} <= set(which(without.incident()))
    assert "funds" not in which(without.incident())
    without.read(regasm, 16, EXODUS_STORE, "wallet")
    assert "Exodus" in step(without.incident(), "funds").text


def test_what_is_changed_is_what_the_rotation_says(answered) -> None:
    rotation = (
        Rotation("sessions", "Sign out.", ("Chrome",), ("CORP\\anna",), "observed", (), ("x",)),
        Rotation("sessions", "Sign out.", ("Edge", "Chrome"), ("CORP\\ben",), "presumed", (), ()),
        Rotation("passwords", "By name.", ("Vault",), (), "named", ("https://mail.example/", "TERMSRV/db"), ()),
        Rotation("codes", "Enrol anew.", ("Authy",), (), "unknown", (), ()),
    )
    incident = answered(lumma(), rotation)
    assert "sign CORP\\anna and CORP\\ben out everywhere" in step(incident, "sessions").text
    assert "Chrome and Edge (presumed stolen)" in step(incident, "sessions").text
    assert "https://mail.example/ and TERMSRV/db" in step(incident, "named-entries").text
    assert "Authy (not certain)" in step(incident, "codes").text
    assert not {"passwords", "funds", "cards", "presumed"} & set(which(incident))


def test_without_auditing_everything_is_presumed_stolen(answered) -> None:
    incident = answered(lumma(audit=False))
    assert "presumed" in which(incident)
    assert f"browsers, wallets and password stores on {b.HOST} as stolen" in step(incident, "presumed").text
    assert not {"funds", "sessions", "passwords"} & set(which(incident))
    assert "Security 4663" in step(incident, "telemetry").text
    known = Rotation("passwords", "Change.", ("Chrome",), (b.ANNA.name,), "presumed", (), ())
    assert {"passwords", "presumed"} <= set(which(answered(lumma(audit=False), (known,)))), "others may be there unseen"


def test_what_is_blocked_are_the_addresses_to_block_and_nobody_can_click_them(answered) -> None:
    public = replace(indicator("t.me", "domain-name"), block=False)
    found = (indicator(SERVER), indicator("https://verify.example/a.mp3", "url"), public,
             indicator("a" * 64, "file"))
    text = step(answered(lumma(), (), found), "block").text
    assert "203[.]0[.]113[.]44 and hxxps[:]//verify[.]example/a.mp3 at proxy" in text
    whole = (*found, indicator("verify.example", "domain-name"))
    assert "203[.]0[.]113[.]44 and verify[.]example at proxy" in step(answered(lumma(), (), whole), "block").text
    assert "t[.]me" not in text
    assert "t.me" not in text
    assert "aaaa" not in text
    assert SERVER not in text
    assert TELEGRAM not in text
    assert "block" not in which(answered(lumma(), (), (public,)))


def test_a_browser_or_windows_itself_is_not_to_be_suspended() -> None:
    story = lumma()
    story.alert(b.process_start(b.explorer(9000)), "X", "Explorer did something", "high")
    for incident in story.incidents():
        assert "explorer.exe" not in " ".join(one.text for one in incident.plan if one.step_id == "stop")


def test_what_starts_again_is_named_with_its_step() -> None:
    story = lumma()
    power = b.process("C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe", 5004, 3)
    key = f"{b.ANNA.sid}\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\WinSync"
    command = "mshta https://again.example/" + "x" * 500
    story.alert(b.registry_set(power, 25, key, command), "P", "Autostart", techniques=("T1547.001",))
    found = next(i for i in story.incidents() if "autostart" in which(i))
    told = step(found, "autostart")
    assert "mshta hxxps[:]//again[.]example/" in told.text
    assert len(told.text) < 400
    assert [found.steps[n - 1].title for n in told.steps] == ["Autostart"]


def test_weak_signs_isolate_nobody_and_change_nothing() -> None:
    story = Story()
    story.alert(b.process_start(b.process(MSHTA, 500, 0, b.explorer())), "X", "Started")
    incident = story.incident()
    assert incident.level == "informational"
    assert which(incident) == ["unclear"]
    assert (incident.controls, incident.lessons) == ((), ())


def verdict(event_id: int, role: str, seconds: float = 0.0) -> Story:
    story = Story()
    fields = {"DetectionID": "{5C1E7A1B-9A8B-4B0E-9B40-0F6B0F2C4D11}", "DetectionUser": "CORP\\anna",
              "ThreatName": "Trojan:Win32/LummaStealer.A", "Path": "file:_C:\\Users\\anna\\Downloads\\Setup.exe"}
    found = b.event("Microsoft-Windows-Windows Defender/Operational", event_id, seconds, dict(fields))
    story.alert(found, "V", f"Defender says {role}", "high" if role == "vendor-family" else "medium", role=role)
    return story


def test_what_the_antivirus_removed_in_time_asks_for_a_scan_and_not_for_a_knife() -> None:
    incident = verdict(1116, "vendor-family").extend(verdict(1117, "vendor-removed", 1)).incident()
    assert incident.level == "medium"
    assert "vendor" in which(incident)
    assert not {"isolate", "rebuild", "stop", "memory", "presumed"} & set(which(incident))


def test_what_the_antivirus_found_and_did_not_stop_is_taken_off_the_network() -> None:
    assert which(verdict(1116, "vendor-family").incident())[:2] == ["isolate", "presumed"]


def test_controls_and_lessons_belong_to_their_steps() -> None:
    incident = lumma(audit=False).incident()
    effects = {control.control_id: control.effect for control in incident.controls}
    assert {effects[name] for name in step(incident, "controls").controls} == {"stops", "limits"}
    assert {effects[name] for name in step(incident, "telemetry").controls} == {"shows"}
    assert set(step(incident, "lessons").lessons) == {lesson.lesson_id for lesson in incident.lessons}
    assert "(H11)" in step(incident, "controls").text
    assert re.search(r"to CORP\\anna L\d\d, .*; to IT staff L10", step(incident, "lessons").text)


def test_braces_in_evidence_stay_as_they_are() -> None:
    story = Story()
    mshta = b.process("C:\\{host}.exe", 500, 0, b.explorer())
    story.alert(b.process_start(mshta), "X", "Started", "high")
    story.alert(b.connection(mshta, 1, SERVER), "R", "Connected")
    assert any("{host}.exe (500)" in text for text in story.incident().next_steps)


def test_the_order_of_the_alerts_does_not_matter() -> None:
    story = lumma()
    facts, coverage = b.facts_of(story.events).host(b.HOST), b.coverage_of(story.events)
    forward, backward = (correlate(alerts, facts, coverage)[0] for alerts in (story.alerts, story.alerts[::-1]))
    assert forward.plan == backward.plan
    assert (forward.controls, forward.lessons) == (backward.controls, backward.lessons)


def test_a_reader_that_is_no_more_than_suspicious_is_looked_at_first() -> None:
    story = Story()
    story.read(b.process("C:\\Users\\anna\\Downloads\\x.exe", 700, 0, b.explorer()), 2, EXODUS_STORE, "wallet")
    incident = story.incident()
    assert (incident.level, which(incident)[0]) == ("low", "reader")
    assert "x.exe (700)" in step(incident, "reader").text
    assert step(incident, "reader").steps == (1,)
    assert "reader" not in which(lumma().incident())


def test_nobody_is_told_to_allow_a_program_of_windows_or_of_cookies_in_a_vault() -> None:
    texts = {known.id: known.text for known in advice()}
    assert "never a whole program of Windows" in texts["unclear"]
    assert "cookie" not in texts["sessions"], "sessions are those of a vault's or messenger's accounts too"


def test_a_record_without_a_host_still_reads_well() -> None:
    story = lumma()
    nameless = [replace(alert, host="") for alert in story.alerts]
    facts = b.facts_of(story.events).host(b.HOST)
    incident = correlate(nameless, facts, replace(b.coverage_of(story.events), host=""))[0]
    assert incident.next_steps[0].startswith("Take the computer off the network")
