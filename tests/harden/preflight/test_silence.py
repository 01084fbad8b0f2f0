"""What must never pass for proof: logs in which a use, or a host, could have been missed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path

import pytest

from builders import SECURITY, SYSMON, connection, dns_query, event, process_start
from douse.harden.preflight import watch
from douse.harden.preflight.logs import read_logs
from douse.harden.preflight.programs import program_of
from douse.harden.preflight.watch import Watcher
from douse.hunt.run import Silent
from douse.model import Event
from harden.preflight.fleet_logs import (
    CCM,
    DAY,
    HOSTS,
    MSHTA,
    days_of,
    form,
    hta,
    inventory,
    on,
    run,
    write,
)
from harden.preflight.test_run import LURE, TODAY, idle, signed

LOCAL = f'"{MSHTA}" "C:\\Tools\\form.hta"'


def start(day: float, host: str = HOSTS[0], shape: str = "sysmon") -> list[Event]:
    """A local HTML application that makes no connection."""
    return on(host, [process_start(hta(day * DAY, LOCAL, CCM), shape)])


def proof(host: str = HOSTS[1], *, outbound: bool = True, shape: str = "sysmon") -> list[Event]:
    """A connection of mshta on a test computer."""
    ran = hta(DAY, "mshta.exe proof.hta", CCM, pid=4141)
    return on(host, [connection(ran, DAY, "10.0.0.15", outbound=outbound, shape=shape)])


@pytest.mark.parametrize(("more", "verdict"), [
    ([], "INSUFFICIENT"),
    (proof(outbound=False), "GO"),  # Sysmon recorded a connection to it: its configuration does not leave it out
    (days_of(HOSTS[0], [5], "security", ["network"]), "GO"),  # 5156 has everybody's
    (days_of(HOSTS[0], [6], "security", ["network"]), "INSUFFICIENT"),  # on another day
])
def test_sysmon_alone_shows_no_silence_of_a_program_it_may_leave_out(
    tmp_path: Path, more: list[Event], verdict: str,
) -> None:
    result = run(tmp_path, idle() + start(5) + more)
    (use,) = result.uses
    assert (result.verdict, use.basis, use.unseen) == (verdict, "started", verdict != "GO")
    assert ("a decision on each" in result.reason) == (verdict == "GO")


def test_a_connection_in_another_log_proves_nothing_of_sysmon(tmp_path: Path) -> None:
    result = run(tmp_path, idle() + start(5) + proof(shape="security"))
    assert {(use.basis, bool(use.open)) for use in result.uses} == {("connected", True), ("started", True)}
    assert any("event 3" in one for one in result.blind)


def test_one_day_of_5156_leaves_the_others_unproven(tmp_path: Path) -> None:
    result = run(tmp_path, idle() + [one for host in HOSTS for one in days_of(host, [5], "security", ["network"])])
    assert result.verdict == "GO"
    assert "not proven" in result.reason


@pytest.mark.parametrize("started", [True, False])
def test_a_name_that_it_asked_for_is_a_use(tmp_path: Path, started: bool) -> None:
    ran = hta(5 * DAY, LOCAL, CCM)
    asked = on(HOSTS[0], [*([process_start(ran)] if started else []),
                          dns_query(ran, 5 * DAY + 1, "cdn.vendor.example", "198.51.100.7;"),
                          dns_query(ran, 5 * DAY + 1, "wpad.corp.example", "-")])
    result = run(tmp_path, idle() + asked + proof(outbound=False))
    (use,) = result.uses
    assert (result.verdict, use.destination, use.basis) == ("NO-GO", "vendor.example", "started")
    assert "DNS queries" in use.open
    assert any(" 22 " in record for record in use.evidence)
    only_wpad = run(tmp_path, idle() + start(5) + asked[-1:] + proof(outbound=False))
    assert [use.destination for use in only_wpad.uses if use.destination] == []


@pytest.mark.parametrize(("late", "pid", "basis"), [(1, 5050, "connected"), (61, 5050, "started"), (1, 7, "started")])
def test_a_process_that_ended_before_sysmon_knew_its_name(tmp_path: Path, late: int, pid: int, basis: str) -> None:
    ran = hta(5 * DAY, LOCAL, CCM)
    late_one = connection(ran, 5 * DAY + late, "198.51.100.7")
    late_one.fields.update(Image="<unknown process>", ProcessGuid="{00000000-0000-0000-0000-000000000000}",
                           ProcessId=str(pid))
    (use,) = run(tmp_path, idle() + on(HOSTS[0], [process_start(ran), late_one]) + proof(outbound=False)).uses
    assert (use.basis, use.destination, "name no process" in use.why) == (
        basis, "198.51.100.7" if basis == "connected" else "", basis == "connected")


@pytest.mark.parametrize(("fields", "destination"), [
    ({"Direction": "14593"}, "203.0.113.9"), ({"Direction": "Ausgehend"}, "203.0.113.9"), ({"Direction": ""},
     "203.0.113.9"), ({"Direction": "%%14592"}, ""), ({"Direction": "Inbound"}, ""),
    ({"DestAddress": "-"}, "unknown destination"), ({"DestAddress": "not an address"}, "not an address"),
    ({"Application": "\\device\\harddiskvolume3\\windows\\syswow64\\MSHTA.EXE\0"}, "203.0.113.9")])
def test_a_record_of_the_program_counts_however_it_is_spelled(
    tmp_path: Path, fields: dict[str, str], destination: str,
) -> None:
    ran = hta(5 * DAY, LOCAL, CCM)
    used = connection(ran, 5 * DAY + 1, "203.0.113.9", shape="security")
    used.fields.update(fields)
    idle_days = [one for host in HOSTS for one in days_of(host, shape="security")]
    result = run(tmp_path, idle_days + on(HOSTS[0], [process_start(ran, "security"), used]))
    assert (result.uses[0].destination, result.verdict == "GO") == (destination, not destination)


def test_a_queried_indicator_makes_a_connection_to_a_proxy_suspect(tmp_path: Path) -> None:
    (tmp_path / "ioc.txt").write_text("bad.example\n", encoding="utf-8")
    ran = hta(5 * DAY, LOCAL, CCM)
    events = on(HOSTS[0], [process_start(ran), dns_query(ran, 5 * DAY + 1, "bad.example", "-"),
                           connection(ran, 5 * DAY + 2, "10.20.0.3", 8080)])
    assert run(tmp_path, idle() + events, ioc=(tmp_path / "ioc.txt",)).uses[0].classed == "suspect"


@pytest.mark.parametrize(("kinds", "why"), [
    ((0, 7_200), "no connections were recorded on 2026-11-23, while other records were"),
    ((0, 60), ""),  # a minute beyond midnight of UTC
])
def test_a_computer_that_wrote_anything_was_not_switched_off(tmp_path: Path, kinds: Sequence[int], why: str) -> None:
    days = [day for day in range(30) if day != 5]
    logons = on(HOSTS[2], [event(SECURITY, 4624, 5 * DAY + second, {"LogonType": "2"}) for second in kinds])
    result = run(tmp_path, idle(HOSTS[:2]) + days_of(HOSTS[2], days) + logons)
    assert (result.verdict == "GO") == (not why)
    assert result.hosts[2].why == why or not why
    only = run(tmp_path, idle(HOSTS[:2]) + logons)
    assert only.hosts[2].why == "its records show neither starts of programs nor connections"


def test_dns_queries_alone_say_that_a_computer_was_on(tmp_path: Path) -> None:
    other = on(HOSTS[2], [event(SYSMON, 22, 5 * DAY, {"Image": "C:\\x.exe", "QueryName": "a.example"})])
    result = run(tmp_path, idle(HOSTS[:2]) + days_of(HOSTS[2], [day for day in range(30) if day != 5]) + other)
    assert "while other records were" in result.hosts[2].why


def test_days_without_records_stand_beside_the_verdict(tmp_path: Path) -> None:
    result = run(tmp_path, idle(HOSTS[:2]) + days_of(HOSTS[2], [day for day in range(30) if day % 7 not in (3, 4)]))
    assert (result.verdict, result.hosts[2].off) == ("GO", 8)
    assert "up to 8 on one host, were taken for days on which it was switched off" in result.reason


@pytest.mark.parametrize(("hosts", "listed"), [
    (("WS-01.a.example", "WS-01.b.example"), "WS-01,,"), (("WS-A", "WS-B"), ",10.0.0.15,")])
def test_two_computers_under_one_name_do_not_fill_each_others_gaps(
    tmp_path: Path, hosts: tuple[str, str], listed: str,
) -> None:
    (tmp_path / "hosts.csv").write_text(f"host,ip,role,owner,criticality\n{listed},,\n", encoding="utf-8")
    result = run(tmp_path, days_of(hosts[0], range(15)) + days_of(hosts[1], range(15, 30)))
    assert result.verdict == "INSUFFICIENT"
    assert f"several computers go by this name or address ({hosts[0].lower()}, {hosts[1].lower()})" in result.reason
    assert run(tmp_path, days_of(hosts[0])).verdict == "GO"


def test_a_computer_whose_sensor_writes_its_address_is_still_one(tmp_path: Path) -> None:
    (tmp_path / "hosts.csv").write_text("host,ip,role,owner,criticality\nWS-A,10.0.0.15,,,\n", encoding="utf-8")
    mixed = days_of("WS-A.corp.example", range(15)) + days_of("10.0.0.15", range(15, 30))
    assert run(tmp_path, mixed).verdict == "GO"


@pytest.mark.parametrize(("need", "verdict"), [(66, "GO"), (67, "INSUFFICIENT")])
def test_two_of_three_are_less_than_67_percent(tmp_path: Path, need: int, verdict: str) -> None:
    inventory(tmp_path, HOSTS)
    assert run(tmp_path, idle(HOSTS[:2]), need=need).verdict == verdict


def test_nobody_can_decide_about_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("douse.harden.preflight.uses.MAX_USES", 0)
    events = idle() + form(HOSTS[0], range(3, 5))
    result = run(tmp_path, events)
    again = run(tmp_path, events, decisions=signed(tmp_path, result), today=TODAY)
    assert (result.uses[0].id, again.verdict) == ("U-rest", "NO-GO")
    assert "nobody can decide" in again.uses[0].open


def test_a_nameless_computer_with_two_addresses_is_one(tmp_path: Path) -> None:
    (tmp_path / "hosts.csv").write_text("host,ip,role,owner,criticality\n,10.0.0.15 10.0.0.16,,,\n", encoding="utf-8")
    result = run(tmp_path, days_of("WS-A"))
    assert (result.verdict, len(result.hosts)) == ("GO", 1)


@pytest.mark.parametrize(("role", "always"), [
    ("Fileserver", True), ("domain_controller", True), ("DC01", True), ("RDS host", True), ("srv", True),
    ("developer", False), ("notebook", False), ("", False)])
def test_roles_of_computers_that_are_always_on(tmp_path: Path, role: str, always: bool) -> None:
    inventory(tmp_path, HOSTS[:1], role)
    assert (run(tmp_path, days_of(HOSTS[0], [0, *range(2, 30)])).verdict == "INSUFFICIENT") == always


def test_the_days_end_with_the_last_record_at_the_latest(tmp_path: Path) -> None:
    result = run(tmp_path, idle(), until=datetime(2026, 12, 21, tzinfo=UTC))
    assert (result.until.date(), result.since.date()) == (date(2026, 12, 17), date(2026, 11, 18))


def test_a_clock_of_the_future_is_told(tmp_path: Path) -> None:
    result = run(tmp_path, idle() + on("WS-77", [event(SYSMON, 1, 30_000 * DAY, {"Image": "C:\\x.exe"})]))
    assert result.verdict == "INSUFFICIENT"
    assert any("a clock was wrong" in note for note in result.notes)
    end = datetime(2026, 12, 18, tzinfo=UTC)
    assert run(tmp_path, idle() + on("WS-77", [event(SYSMON, 1, 30_000 * DAY, {"Image": "C:\\x.exe"})]),
               until=end).verdict == "GO"


def test_hosts_that_could_not_be_followed_are_no_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "MAX_HOSTS", 3)
    result = run(tmp_path, idle() + days_of("WS-04"))
    assert result.verdict == "INSUFFICIENT"
    assert "more hosts than can be followed" in result.reason


def test_too_many_facts_of_all_hosts_are_no_coverage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "MAX_FACTS", 60)
    monkeypatch.setattr(watch, "CHECK_EVERY", 20)
    busy = [one for number in range(90) for one in start(2 + number / 10, HOSTS[0])]
    few = [one for number in range(9) for one in start(2 + number, HOSTS[1])]
    result = run(tmp_path, idle() + busy + few, program="mshta")
    assert [host.covered for host in result.hosts] == [False, True, True]
    assert "not complete" in result.hosts[0].why
    assert sum(use.times for use in result.uses) <= 60 + 20 + 9


def test_what_a_go_does_not_cover_stands_in_its_reason(tmp_path: Path) -> None:
    inventory(tmp_path, [*HOSTS, "WS-99"])
    events = idle() + form(HOSTS[0], range(3, 20)) + days_of("STRANGER")
    decisions = signed(tmp_path, run(tmp_path, events), decision="migrate")
    result = run(tmp_path, events, need=75, days=29, decisions=decisions, today=TODAY)
    assert result.verdict == "GO"
    for said in ("Only 29 days", "1 host of the inventory was not watched",
                 "1 host in the logs and not in the inventory", "1 use case(s) are to be migrated first"):
        assert said in result.reason
    assert "not proven" not in result.reason


def test_a_suspect_use_that_comes_back_is_another_incident(tmp_path: Path) -> None:
    def pasted(day: int) -> list[Event]:
        ran = hta(day * DAY, LURE)
        return on(HOSTS[0], [process_start(ran), dns_query(ran, day * DAY + 1, "verify.example", "198.51.100.77;"),
                             connection(ran, day * DAY + 2, "198.51.100.77")])

    events = idle() + pasted(3)
    decisions = signed(tmp_path, run(tmp_path, events), signed="2026-11-22")
    assert run(tmp_path, events, decisions=decisions, today=TODAY).verdict == "GO"
    again = run(tmp_path, events + pasted(9), decisions=decisions, today=TODAY)
    assert again.verdict == "NO-GO"
    assert "seen again on 2026-11-27" in again.uses[0].open


def test_a_flood_of_uses_is_counted_in_linear_time(tmp_path: Path) -> None:
    """One host that connects to ever new addresses and starts as often: the starts are not counted in each."""
    events = []
    for number in range(600):
        ran = hta(5 * DAY + number * 60, LOCAL, CCM, pid=6_000 + number)
        events += [process_start(ran), *([connection(ran, 5 * DAY + number * 60 + 1, f"198.51.{number % 250}.7")]
                                         if number % 2 else [])]
    result = run(tmp_path, idle() + on(HOSTS[0], events))
    assert sum(use.times for use in result.uses) < 300 + 21 * 300
    assert {use.basis for use in result.uses} == {"connected"}


def test_days_on_which_hosts_were_on_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("douse.harden.preflight.logs.MAX_HOST_DAYS", 2)
    events = [event(SECURITY, 4624, day * DAY + second, {}) for day in range(5) for second in (0, 7_200)]
    log = write(tmp_path / "log.jsonl", chain(on("WS-01", events)))
    read = read_logs((str(log),), [Watcher(program_of("mshta"))], Silent())
    assert [len(days) for days in read.on.values()] == [2]
