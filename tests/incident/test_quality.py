"""What the fields of records say about the logging itself."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

import builders as b
from builders import HOST, SECURITY, SYSMON
from douse.incident import quality as module
from douse.incident.quality import HostQuality, Quality
from douse.model import Event
from incident.stories import CHROME_STORE

RAN = b.process("C:\\Users\\anna\\x.exe", 500)
DEFENDER = "Microsoft-Windows-Windows Defender/Operational"


def seen(*events: Event) -> HostQuality:
    found = Quality()
    for one in events:
        found.observe(one)
    return found.host(HOST)


def counts(found: HostQuality, name: str) -> tuple[int, int]:
    return found.looked_at.get(name, 0), found.met.get(name, 0)


def with_fields(event: Event, **fields: str) -> Event:
    event.fields.update(fields)
    return event


@pytest.mark.parametrize(("line", "met"), [("mshta http://x", 1), ("", 0), ("-", 0)])
def test_command_lines(line: str, met: int) -> None:
    event = with_fields(b.process_start(RAN, "security"), CommandLine=line)
    assert counts(seen(event), "security-process-start") == (1, met)


@pytest.mark.parametrize(("hashes", "met"), [
    ("SHA256=AA,IMPHASH=BB", 1), ("sha1=1,sha256=AA,imphash=BB", 1), ("SHA1=AA", 0), ("SHA256=AA", 0),
    ("IMPHASH=BB", 0), ("", 0)])
def test_hashes(hashes: str, met: int) -> None:
    assert counts(seen(with_fields(b.process_start(RAN), Hashes=hashes)), "sysmon-process-start") == (1, met)


@pytest.mark.parametrize(("path", "met"), [
    (CHROME_STORE, 1), ("C:\\Users\\anna\\Documents\\budget.xlsx", 0), ("C:\\Windows\\System32\\config\\SAM", 0),
    ("\\REGISTRY\\USER\\S-1-5-21-1-2-3-1104\\Software\\SimonTatham\\PuTTY\\Sessions\\srv", 1)])
def test_an_audit_of_other_files_is_none_of_stores(path: str, met: int) -> None:
    assert counts(seen(b.store_read(RAN, 0, path)), "security-store-read") == (1, met)


def test_registry_changes_that_tell_a_typed_command() -> None:
    shell = b.explorer()
    run_key = b.registry_set(RAN, 1, "S-1-5-21-1\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\x", "x")
    found = seen(b.run_dialog(shell, 0, "mshta"), run_key, b.run_dialog(shell, 2, "cmd", "security"))
    assert counts(found, "sysmon-registry") == (2, 1)
    assert counts(found, "security-registry-change") == (1, 1)


@pytest.mark.parametrize(("level", "met"), [(5, 1), ("5", 1), ("Verbose", 1), (3, 0), ("Warning", 0), (None, 0)])
def test_script_blocks_that_powershell_suspects_are_not_all(level: object, met: int) -> None:
    event = b.event("Microsoft-Windows-PowerShell/Operational", 4104, 0, {"ScriptBlockText": "x", "Level": level})
    assert counts(seen(event), "powershell-script-block") == (1, met)


def cleared(channel: str, event_id: int, provider: str = "Microsoft-Windows-Eventlog", **fields: str) -> Event:
    who = {"SubjectUserName": "anna", "SubjectDomainName": "CORP"}
    event = b.event(channel, event_id, 60, {**who, **fields}, record_id=7)
    event.provider = provider
    return event


def test_cleared_logs_say_which_and_by_whom() -> None:
    found = seen(cleared(SECURITY, 1102), cleared("System", 104, Channel="Microsoft-Windows-Sysmon/Operational"))
    assert [(one.log, one.user, one.channel, one.event_id, one.record_id) for one in sorted(found.cleared)] == [
        ("Microsoft-Windows-Sysmon/Operational", "CORP\\anna", "System", 104, 7),
        ("Security", "CORP\\anna", "Security", 1102, 7)]


@pytest.mark.parametrize("event", [
    cleared("System", 104, "Some-Driver", Channel="x"), cleared("Application", 104, Channel="x"),
    cleared("System", 1102), cleared(SECURITY, 104)])
def test_other_events_of_these_numbers_clear_nothing(event: Event) -> None:
    assert seen(event).cleared == set()


def test_a_log_cleared_again_and_again_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CLEARED", 3)
    events = [replace_time(cleared(SECURITY, 1102), number) for number in range(10)]
    random.Random(1).shuffle(events)
    assert [one.time for one in sorted(seen(*events).cleared)] == [b.at(number) for number in range(3)]


def replace_time(event: Event, seconds: float) -> Event:
    event.time = b.at(seconds)
    return event


def stated(seconds: float, utc_time: str) -> Event:
    return b.event(SYSMON, 11, seconds, {"UtcTime": utc_time, "TargetFilename": "C:\\x.exe"})


def test_clocks_that_disagree_by_more_than_a_minute() -> None:
    found = seen(stated(0, "2026-11-18 09:00:00.123"), stated(60, "2026-11-18 09:00:00.000"),
                 stated(61, "2026-11-18 09:00:00.000"), stated(90, "2026-11-18 17:30:00.000"), stated(95, "nonsense"))
    assert found.skew is not None
    assert (found.skew.records, found.skew.checked) == (2, 4)
    assert (found.skew.first_seen, found.skew.last_seen) == (b.at(61), b.at(90))
    assert (found.skew.least, found.skew.greatest) == (timedelta(hours=-8, minutes=-28, seconds=-30),
                                                       timedelta(seconds=61))
    assert seen(stated(0, "2026-11-18 09:00:59.000")).skew is None


def test_what_is_seen_in_parts_merges_to_the_whole() -> None:
    events = [with_fields(b.process_start(RAN), Hashes="SHA256=A,IMPHASH=B"), b.store_read(RAN, 1, CHROME_STORE),
              cleared(SECURITY, 1102), stated(0, "2026-11-18 09:30:00"), stated(5, "2026-11-18 08:00:00"),
              b.process_start(RAN, "security")]
    whole = seen(*events)
    random.Random(2).shuffle(events)
    parts = [Quality() for _ in range(3)]
    for number, event in enumerate(events):
        parts[number % 3].observe(event)
    for part in parts[1:]:
        parts[0].merge(part)
    assert parts[0].host(HOST) == whole
    assert whole.skew is not None


def test_hosts_are_bounded_and_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_HOSTS", 1)
    found = Quality()
    for host in ("a", "b"):
        found.observe(b.event(SECURITY, 4688, 0, {"CommandLine": "x"}, host=host))
    assert counts(found.host("A"), "security-process-start") == (1, 1)
    assert counts(found.host("b"), "security-process-start") == (0, 0)
