"""Class O: which connections may have carried stolen data, and which are never called that."""

from __future__ import annotations

import pytest

import builders as b
from douse.incident.correlate import correlate
from douse.incident.network import Flows
from douse.model import Incident, Step
from incident.sensors import PROXY_HOST, conn, facts, proxied, socket, zeek
from incident.stories import CHROME_STORE, POWERSHELL, REGASM, SERVER, TELEGRAM, Story

PARENT = b.process(POWERSHELL, 400, 0, b.explorer())
THIEF = b.process(REGASM, 500, 5, PARENT)


def sent(incident: Incident) -> list[Step]:
    return [step for step in incident.steps if step.evidence_class == "O"]


def reading(*connections: b.Event, by: b.Process = THIEF, more: tuple[b.Process, ...] = (THIEF,)) -> Incident:
    """A process reads Chrome's store at second 1000; these connections are made."""
    story = Story()
    story.log(b.process_start(PARENT), *map(b.process_start, more), *connections)
    story.read(by, 1000, CHROME_STORE, "chromium")
    return story.incident()


@pytest.mark.parametrize("shape", ["sysmon", "security"])
@pytest.mark.parametrize("seconds", [1000 - 119, 1000, 1000 + 599])
def test_a_connection_of_the_reader_near_the_read_counts(shape: str, seconds: float) -> None:
    (step,) = sent(reading(b.connection(THIEF, seconds, SERVER, shape=shape)))
    assert step.title == "Possible exfiltration (bytes unknown)"
    assert step.process == "RegAsm.exe (500)"
    assert f"{SERVER}:443" in step.evidence
    assert "record" in step.evidence
    assert step.alert_ids == ()


@pytest.mark.parametrize("seconds", [1000 - 121, 1000 + 601])
def test_a_connection_long_before_or_after_does_not(seconds: float) -> None:
    assert sent(reading(b.connection(THIEF, seconds, SERVER))) == []


def test_private_destinations_and_other_processes_do_not_count() -> None:
    bystander = b.process("C:\\Program Files\\x\\x.exe", 600, 5, b.explorer())
    assert sent(reading(b.connection(THIEF, 1001, "10.0.0.9"), b.connection(bystander, 1001, SERVER))) == []


def test_a_child_of_the_reader_counts_and_its_parent_does_not() -> None:
    child = b.process("C:\\Windows\\System32\\curl.exe", 600, 1001, THIEF)
    incident = reading(
        b.connection(child, 1002, SERVER), b.connection(PARENT, 1002, "203.0.113.1"), more=(THIEF, child)
    )
    assert [step.process for step in sent(incident)] == ["curl.exe (600)"]


def test_a_process_that_the_reader_injected_into_counts() -> None:
    host = b.process("C:\\Windows\\System32\\dllhost.exe", 700, 6, b.explorer())
    story = Story()
    story.log(b.process_start(PARENT), b.process_start(THIEF), b.process_start(host), b.connection(host, 1300, SERVER))
    story.read(THIEF, 1000, CHROME_STORE, "chromium")
    story.alert(b.injection(THIEF, host, 600), "I", "Injected")
    assert [step.process for step in sent(story.incident())] == ["dllhost.exe (700)"]


def test_a_browser_that_imports_from_another_sends_nothing() -> None:
    firefox = b.process("C:\\Program Files\\Mozilla Firefox\\firefox.exe", 500, 5, b.explorer())
    incident = reading(b.connection(firefox, 1001, SERVER), by=firefox, more=(firefox,))
    assert sent(incident) == []
    assert incident.sequences == ()
    assert incident.level == "low"


def test_a_read_of_an_unnamed_store_is_no_reason() -> None:
    story = Story()
    story.log(b.process_start(THIEF), b.connection(THIEF, 1001, SERVER))
    story.alert(b.store_read(THIEF, 1000, "C:\\Windows\\System32\\lsass.exe"), "C", "Foreign rule", fidelity=0.4)
    assert sent(story.incident()) == []


def dead_drop(results: str, *connections: b.Event) -> Incident:
    story = Story()
    story.log(b.process_start(THIEF), *connections)
    story.alert(b.dns_query(THIEF, 1000, "t.me", results), "R", "Dead drop", role="dead-drop")
    return story.incident()


def test_after_a_dead_drop_another_destination_counts_and_the_dead_drop_does_not() -> None:
    visits = b.connection(THIEF, 1001, TELEGRAM), b.connection(THIEF, 1002, SERVER)
    (step,) = sent(dead_drop(f"::ffff:{TELEGRAM};", *visits))
    assert SERVER in step.evidence
    assert "after asking a dead drop" in step.detail
    (step,) = sent(dead_drop("-", *visits))
    assert SERVER in step.evidence, "without an answer in the log, the first connection is the dead drop"
    assert sent(dead_drop("-", b.connection(THIEF, 1001, "203.0.113.9", hostname="t.me"))) == []
    assert sent(dead_drop(f"::ffff:{TELEGRAM};", b.connection(THIEF, 999, SERVER))) == []
    assert sent(dead_drop(f"::ffff:{TELEGRAM};", b.connection(THIEF, 1601, SERVER))) == []


def test_after_an_injection_only_another_destination_than_the_alerts_own_counts() -> None:
    def incident(*addresses: str) -> Incident:
        story = Story()
        for seconds, address in enumerate(addresses, start=1000):
            story.alert(b.connection(THIEF, seconds, address), "I", "Host connected", role="injected-host")
        return story.incident()

    assert sent(incident(SERVER)) == []
    assert len(sent(incident(TELEGRAM, SERVER))) == 1


def test_the_connection_after_the_read_is_the_better_proof() -> None:
    (step,) = sent(reading(*(b.connection(THIEF, seconds, SERVER) for seconds in (950, 1020, 1100))))
    assert step.time == b.at(1020)
    assert step.level == "high"
    (step,) = sent(reading(b.connection(THIEF, 950, SERVER)))
    assert (step.time, step.level) == (b.at(950), "medium")


def test_of_many_reads_the_nearest_is_named_and_the_earlier_on_a_tie() -> None:
    story = Story()
    story.log(b.process_start(PARENT), b.process_start(THIEF))
    for seconds in (100, 190, 210, 400):
        story.read(THIEF, seconds, CHROME_STORE, "chromium")
    story.log(b.connection(THIEF, 200, SERVER), b.connection(THIEF, 395, "203.0.113.9"))
    details = [step.detail for step in sent(story.incident())]
    assert [detail.rpartition(", ")[2] for detail in details] == [
        "10 s after reading a credential store",
        "5 s before reading a credential store",
    ]


def test_the_connections_that_raised_the_alerts_lead_to_others_but_not_to_themselves() -> None:
    story = Story()
    story.log(b.process_start(PARENT))
    story.alert(b.process_start(THIEF), "X", "Started")
    for seconds in range(10, 60):
        story.alert(b.connection(THIEF, seconds, SERVER), "I", "Injection host connected", role="injected-host")
    assert sent(story.incident()) == []
    story.log(b.connection(THIEF, 61, "203.0.113.9"))
    (step,) = sent(story.incident())
    assert "203.0.113.9:443, 2 s after signs of injection" in step.detail


def watched(*events: b.Event) -> Incident:
    """A thief reads a store at second 1000; endpoint's and sensors' records of what followed."""
    story = Story()
    story.log(b.process_start(PARENT), b.process_start(THIEF), *events)
    story.read(THIEF, 1000, CHROME_STORE, "chromium")
    kept = facts(*events)
    found = correlate(story.alerts, b.facts_of(story.events).host(b.HOST), b.coverage_of(story.events),
                      transfers=Flows(kept.pieces()).transfers(kept.sockets(b.HOST)))
    assert len(found) == 1
    return found[0]


def points(incident: Incident) -> float:
    return next(one.points for one in incident.classes if one.evidence_class == "O")


@pytest.mark.parametrize(("bytes_sent", "received", "title", "fidelity"), [
    (20_480, 507, "Data sent out, as the network saw it", 1.0),
    (300, 507, "Possible exfiltration (300 bytes sent)", 0.4),
    (20_480, 90_000, "Possible exfiltration (20,480 bytes sent)", 0.7),
    (None, 507, "Possible exfiltration (bytes unknown)", 0.7),
])
def test_what_a_sensor_counted_is_said_and_weighed(bytes_sent: int | None, received: int, title: str,
                                                   fidelity: float) -> None:
    counted = {} if bytes_sent is None else {"orig_bytes": str(bytes_sent)}
    seen = zeek("conn", 1010.2, "C1", duration="3", resp_bytes=str(received), **counted)
    incident = watched(socket(THIEF, 1010, 49712), seen)
    (step,) = sent(incident)
    assert (step.title, points(incident)) == (title, 20 * fidelity)
    assert "seen on the network: " in step.detail
    assert "perhaps" not in step.detail
    assert (incident.level == "critical") == (fidelity == 1.0), "counted bytes make it a theft"


def test_what_sensors_saw_a_part_of_may_have_been_more() -> None:
    both = socket(THIEF, 1010, 49712), socket(THIEF, 1050, 49713)
    incident = watched(*both, conn(1010, "C1", sent=300))
    (step,) = sent(incident)
    assert (step.title, points(incident)) == ("Possible exfiltration (at least 300 bytes sent)", 14)
    incident = watched(*both, conn(1010, "C1", sent=300), conn(1050, "C2", 49713, sent=200))
    (step,) = sent(incident)
    assert (step.title, points(incident)) == ("Possible exfiltration (500 bytes sent)", 8)
    incident = watched(both[0], socket(THIEF, 3000, 49713), conn(1010, "C1", sent=300))
    assert "(300 bytes sent)" in sent(incident)[0].title, "what is half an hour later is another story"


def test_a_sensor_that_counts_nothing_has_still_seen_it() -> None:
    (step,) = sent(watched(socket(THIEF, 1010, 49712), zeek("conn", 1010, "C1")))
    assert "seen on the network: a connection, its bytes not counted, Zeek/conn record" in step.detail


def test_what_a_sensor_perhaps_saw_is_told_as_such_and_counts_nothing() -> None:
    incident = watched(socket(THIEF, 1010, 49712), conn(1310, "C1"))
    (step,) = sent(incident)
    assert (step.title, points(incident)) == ("Possible exfiltration (bytes unknown)", 14)
    assert "perhaps (five-tuple, time apart): 20,480 bytes sent, 507 received, Zeek/conn record" in step.detail
    assert "bytes sent to" not in incident.verdict


def test_what_went_to_one_name_behind_a_proxy_is_not_said_of_another() -> None:
    through = socket(THIEF, 1010, 49712, PROXY_HOST, 3128)
    requests = [proxied(1010.5, f"http://{name}.example/", sent=amount) for name, amount in (("a", 9), ("b", 90_000))]
    details = [step.detail for step in sent(watched(through, *requests))]
    assert len(details) == 1
    first, second = details[0].split("; RegAsm.exe connected to b.example")
    assert "a.example (10.0.0.8:3128)" in first
    assert "90,000" not in first
    assert "POST, 90,000 bytes sent" in second
    assert "perhaps (through proxy)" in second
