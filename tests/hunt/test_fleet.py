"""The fleet: how each host stands; none is called clean that could not be judged; --level hides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

import builders as b
from douse.hunt.fleet import STATES, HostView, ranked
from douse.hunt.hosts import hosts_of, is_usable
from douse.incident.blindspots import blind_spots
from douse.model import Alert, Asset, Coverage, Event, Incident
from douse.telemetry.textlog import NETWORK
from incident.stories import CHROME_STORE, EXODUS_STORE, MSHTA, lumma

SHELL = b.explorer()
RAN = b.process(MSHTA, 500, 0, SHELL)
DEFENDER = "Microsoft-Windows-Windows Defender/Operational"
ASSET = Asset("srv-9", "file server", "IT", "high", "", "assets.csv:2")


def views(*events: Event, alerts: Iterable[Alert] = (), incidents: Iterable[Incident] = (),
          shown: Iterable[Incident] | None = None, absent: dict[str, Asset] | None = None) -> tuple[HostView, ...]:
    """The fleet of the host of the builders, with these records."""
    covered = [b.coverage_of(events)] if events else []
    spots = {one.host: blind_spots(one, b.facts_of(events).host(one.host)) for one in covered}
    found = tuple(incidents)
    return hosts_of(covered, spots, alerts, found, found if shown is None else shown, {}, absent or {})


def state(*events: Event) -> str:
    [view] = views(*events)
    return view.state


def other(event_id: int, channel: str = b.SECURITY) -> Event:
    return b.event(channel, event_id, 0, {})


def document_read(path: str) -> Event:
    return b.store_read(RAN, 1, path)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((b.process_start(RAN),), "no finding"),
        ((b.process_start(RAN, "security"),), "no finding"),
        ((b.connection(RAN, 1, "203.0.113.1"),), "no finding"),
        ((other(4104, "Microsoft-Windows-PowerShell/Operational"),), "no finding"),
        ((document_read(CHROME_STORE),), "no finding"),
        ((document_read("C:\\Users\\anna\\Documents\\a.txt"),), "no usable telemetry"),
        ((other(4624), other(4634)), "no usable telemetry"),
        ((other(7036, "System"), other(1000, "Application")), "no usable telemetry"),
        ((other(1116, DEFENDER),), "no usable telemetry"),
        ((other(5, b.SYSMON),), "no usable telemetry"),
    ],
)
def test_only_what_shows_behaviour_can_clear_a_host(events: tuple[Event, ...], expected: str) -> None:
    assert state(*events) == expected


def test_a_finding_counts_whatever_else_is_logged() -> None:
    verdict = b.alert(other(1116, DEFENDER), "V", "Defender Named a Stealer", "high")
    [view] = views(other(1116, DEFENDER), alerts=[verdict])
    assert (view.state, view.level) == ("weak signs", "high")
    [view] = views(alerts=[verdict])
    assert (view.state, view.records, view.first_event) == ("weak signs", 0, None)


def test_context_alone_is_no_finding() -> None:
    context = b.alert(b.process_start(RAN), "", "Tool Started", "informational")
    [view] = views(b.process_start(RAN), alerts=[context])
    assert (view.state, view.level) == ("no finding", "")
    assert view.alerts_by_level == {"informational": 1}


def test_an_incident_from_medium_on_makes_the_state() -> None:
    story = lumma()
    incident = story.incident()
    [view] = views(*story.events, alerts=story.alerts, incidents=[incident])
    assert (view.state, view.level, view.incident_ids) == ("incident", "critical", (incident.incident_id,))
    assert view.records == len(story.events)
    assert (view.first_event, view.last_event) == (min(e.time for e in story.events), max(e.time for e in story.events))


def test_a_hidden_incident_makes_no_host_look_better() -> None:
    story = lumma(audit=False)
    incident = story.incident()
    [view] = views(*story.events, alerts=story.alerts, incidents=[incident], shown=())
    assert (view.state, view.level, view.incident_ids) == ("incident", "high", ())


def test_what_was_missing_is_named_by_gaps_that_can_be_closed() -> None:
    [blind] = views(b.process_start(RAN))
    assert "Reads of credential stores (Security 4663)" in blind.missing
    assert not any("SACL" in title for title in blind.missing)
    [audited] = views(b.process_start(RAN), document_read(EXODUS_STORE))
    assert "Reads of credential stores (Security 4663)" not in audited.missing


def test_computers_without_a_record_are_listed_and_never_as_clean() -> None:
    found = views(b.process_start(RAN), absent={"srv-9": ASSET})
    assert [(view.host, view.state) for view in found] == [(b.HOST, "no finding"), ("srv-9", "no usable telemetry")]
    assert (found[1].asset, found[1].records, found[1].level) == (ASSET, 0, "")


def test_the_worst_come_first_and_the_order_is_one() -> None:
    def view(host: str, state: str, level: str = "", score: float = 0.0) -> HostView:
        return HostView(host, state, level, (), {}, 1, None, None, (), score=score)

    order = [view("z", "incident", "critical", 149.5), view("y", "incident", "critical", 90.0),
             view("a", "incident", "high"), view("B", "weak signs", "low"),
             view("c", "weak signs", "low"), view("a", "no finding"), view("b", "no usable telemetry")]
    assert list(ranked(reversed(order))) == order
    assert [one.state for one in order] == sorted((one.state for one in order), key=STATES.index)


def test_names_that_differ_in_case_are_one_host() -> None:
    alert = b.alert(b.event(b.SYSMON, 1, 0, {}, host=b.HOST.upper()), "X", "Started", "low")
    [view] = views(b.process_start(RAN), alerts=[alert])
    assert (view.host, view.state) == (b.HOST, "weak signs")


def test_no_records_are_usable_for_nothing() -> None:
    assert not is_usable(Coverage(b.HOST, ()), ())


def test_a_hunt_lists_the_inventory_and_no_sensor(
    scenario: Callable[..., Path], hunt_json: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    for file in scenario("lumma-clickfix").iterdir():
        (logs / file.name).write_bytes(file.read_bytes())
    (logs / "dns.log").write_text(
        "#separator \\x09\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\n"
        "1793693700.0\tC1\t10.0.0.15\t5353\t10.0.0.1\t53\tudp\texample.com\n", encoding="utf-8")
    inventory = tmp_path / "assets.csv"
    inventory.write_text("host,ip,role,owner,criticality\nws-042,,laptop,Sales,low\nsrv-9,,file server,IT,high\n"
                         ",10.0.0.77,printer,IT,low\n", encoding="utf-8")
    found = hunt_json(logs, "--assets", inventory, "--level", "critical")
    by_name = {host["host"]: host for host in found["hosts"]}
    assert NETWORK not in by_name
    assert any(row["host"] == NETWORK for row in found["coverage"]), "the sensor's log was read"
    assert by_name["WS-042.corp.example"]["state"] == "incident"
    assert by_name["WS-042.corp.example"]["asset"]["owner"] == "Sales"
    for name in ("srv-9", "10.0.0.77"):
        assert (by_name[name]["state"], by_name[name]["records"]) == ("no usable telemetry", 0)
    assert next(iter(by_name)) == "WS-042.corp.example"


def test_level_changes_no_state(scenario: Callable[..., Path], hunt_json: Callable[..., dict[str, Any]]) -> None:
    everything = hunt_json(scenario("lumma-clickfix-no-audit"))["hosts"]
    little = hunt_json(scenario("lumma-clickfix-no-audit"), "--level", "critical")
    assert little["incidents"] == []
    assert [{**host, "incidents": []} for host in everything] == little["hosts"]
    assert everything[0]["state"] == "incident"
    assert everything[0]["incidents"]
