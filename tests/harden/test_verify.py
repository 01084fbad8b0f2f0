"""Who was hit after a block was deployed, by records that are written here."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from builders import ANNA, BEN, SECURITY, Process, event, process_start
from douse.harden.verify import VerifyOptions, VerifyResult, verify
from douse.model import Event
from douse.report.preflight import preflight_document
from douse.report.preflight_formats import FORMATS
from harden.preflight.fleet_logs import DAY, HOSTS, MSHTA, days_of, form, hta, inventory, on, run, write

LOCKER = "Microsoft-Windows-AppLocker/EXE and DLL"
SCRIPTS = "Microsoft-Windows-AppLocker/MSI and Script"
GUARD = "Microsoft-Windows-CodeIntegrity/Operational"


def refused(ran: Process, seconds: float, address: str, port: int = 443, event_id: int = 5157) -> Event:
    """Security 5157 or 5152: a filter refused a connection, or its packet."""
    pid = "ProcessID" if event_id == 5157 else "ProcessId"
    return event(SECURITY, event_id, seconds, {
        pid: str(ran.pid), "Application": "\\device\\harddiskvolume3\\windows\\system32\\mshta.exe",
        "Direction": "%%14593", "SourceAddress": "10.0.0.15", "SourcePort": "50122", "DestAddress": address,
        "DestPort": str(port), "Protocol": "6"})


def locked(seconds: float, event_id: int, path: str = "%SYSTEM32%\\MSHTA.EXE", channel: str = LOCKER) -> Event:
    """AppLocker's word on a program."""
    return event(channel, event_id, seconds, {"FilePath": path, "TargetUser": ANNA.sid, "PolicyName": "EXE"})


def seen(folder: Path, events: list[Event], **options: object) -> VerifyResult:
    """A verify of mshta over these events."""
    log = write(folder / "after.jsonl", events)
    return verify(VerifyOptions(**{"programs": ("mshta",), "logs": (str(log),), **options}))  # type: ignore[arg-type]  # whatever a test asks


def record(folder: Path) -> Path:
    """The pre-flight that knew Ben's form."""
    inventory(folder, HOSTS[:1])
    document = preflight_document(run(folder, days_of(HOSTS[0]) + form(HOSTS[0], range(2, 9), shape="security")))
    file = folder / "preflight.json"
    file.write_bytes(b"".join(FORMATS["json"](document)))
    return file


def test_hits_are_known_alike_or_new(tmp_path: Path) -> None:
    command = f'"{MSHTA}" "C:\\Program Files\\Payroll\\form.hta"'
    ben, other, anna = (hta(40 * DAY + 100 * n, text, user=user, pid=6000 + n) for n, (text, user) in enumerate((
        (command, BEN), (command, BEN), ("mshta.exe http://new.example/a.hta", ANNA))))
    events = on(HOSTS[0], [
        process_start(ben, "security"), refused(ben, 40 * DAY + 2, "10.20.0.80"),
        refused(ben, 40 * DAY + 2.1, "10.20.0.80", event_id=5152), refused(ben, 40 * DAY + 99, "10.20.0.80"),
        process_start(other, "security"), refused(other, 40 * DAY + 101, "203.0.113.5"),
        process_start(anna, "security"), refused(anna, 40 * DAY + 201, "203.0.113.6", 80)])
    result = seen(tmp_path, events, preflight=record(tmp_path))
    told = [(hit.state, hit.event, hit.user, hit.destination, hit.port, hit.times) for hit in result.hits]
    assert told == [
        ("new", "Security 5157", "CORP\\anna", "203.0.113.6", 80, 1),
        ("alike", "Security 5157", "CORP\\ben", "203.0.113.5", 443, 1),
        ("known", "Security 5157", "CORP\\ben", "10.20.0.0/24", 443, 2),
        ("known", "Security 5152", "CORP\\ben", "10.20.0.0/24", 443, 1)]
    known = result.hits[2]
    assert (known.parent, known.command, known.outcome) == ("explorer.exe", command, "blocked")
    assert known.use is not None
    assert result.record is not None
    assert known.use.id == result.record.uses[0].id


@pytest.mark.parametrize(("made", "event_words", "outcome"), [
    (locked(5, 8004), "AppLocker 8004", "blocked"), (locked(5, 8003), "AppLocker 8003", "would be blocked"),
    (locked(5, 8007, "%OSDRIVE%\\A.HTA", SCRIPTS), "AppLocker 8007", "blocked"),
    (locked(5, 8029, "C:\\a.hta", SCRIPTS), "AppLocker 8029", "blocked"),
    (event(GUARD, 3077, 5, {"FileName": "\\Device\\HarddiskVolume3\\Windows\\System32\\mshta.exe"}), "App Control 3077",
     "blocked"),
    (event(GUARD, 3076, 5, {"FileName": "C:\\x.exe", "OriginalFileName": "MSHTA.EXE"}), "App Control 3076",
     "would be blocked"),
])
def test_policies_hit_too(tmp_path: Path, made: Event, event_words: str, outcome: str) -> None:
    (hit,) = seen(tmp_path, [made]).hits
    assert (hit.event, hit.outcome, hit.state) == (event_words, outcome, "new")


def test_what_is_no_hit(tmp_path: Path) -> None:
    ran = hta(100, "mshta.exe a.hta")
    inbound = refused(ran, 101, "203.0.113.5")
    inbound.fields["Direction"] = "%%14592"
    other = refused(ran, 102, "203.0.113.5")
    other.fields["Application"] = "\\device\\harddiskvolume3\\windows\\system32\\svchost.exe"
    result = seen(tmp_path, [process_start(ran, "security"), inbound, other, locked(103, 8002),
                             locked(104, 8004, "%OSDRIVE%\\X.EXE"), locked(105, 8006, "%OSDRIVE%\\A.PS1", SCRIPTS)])
    assert result.hits == ()
    assert [(host.can_say, host.seen) for host in result.hosts] == [
        (True, ("AppLocker 8002", "AppLocker 8004", "AppLocker 8006", "Security 5157"))]


def test_silent_hosts_are_not_called_unhurt(tmp_path: Path) -> None:
    ran = hta(100, "mshta.exe a.hta")
    events = on(HOSTS[0], [refused(ran, 102, "203.0.113.5")]) + days_of(HOSTS[1], range(3))
    result = seen(tmp_path, events, inventory=inventory(tmp_path))
    assert [(host.host, host.can_say) for host in result.hosts] == list(zip(HOSTS, (True, False, False), strict=True))
    assert "AppLocker" in result.hosts[0].why
    assert "5157" in result.hosts[1].why
    assert result.hosts[2].why == "no record of this host was read"


def test_since_leaves_out_what_was_before_the_block(tmp_path: Path) -> None:
    ran = hta(100, "mshta.exe a.hta")
    events = [refused(ran, 102, "203.0.113.5"), refused(ran, 2 * DAY, "203.0.113.5")]
    result = seen(tmp_path, events, since=datetime(2026, 11, 19, tzinfo=UTC))
    assert [hit.times for hit in result.hits] == [1]


def test_a_pre_flight_of_another_program_is_told(tmp_path: Path) -> None:
    result = seen(tmp_path, days_of(HOSTS[0], range(2)), preflight=record(tmp_path), programs=("wscript", "cscript"))
    assert result.programs == ("wscript.exe", "cscript.exe")
    assert any("none of the programs" in note for note in result.notes)
    result = seen(tmp_path, days_of(HOSTS[0], range(2)), preflight=record(tmp_path), programs=())
    assert result.programs == ("mshta.exe",)
