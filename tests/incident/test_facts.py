from __future__ import annotations

import pickle
import random

import pytest

import builders as b
from builders import HOST, SECURITY, SYSMON
from douse.incident import facts as module
from douse.incident.facts import Facts, HostFacts, interests
from douse.incident.newest import MAX_TEXT
from incident.stories import lumma

SHELL = b.explorer()
A = b.process("C:\\Users\\anna\\a.exe", 500, 1, SHELL, "a.exe --go")


def observed(*events) -> HostFacts:
    return b.facts_of(events).host(HOST)


@pytest.mark.parametrize("shape", ["sysmon", "security"])
def test_a_start_is_kept_with_parent_and_user(shape: str) -> None:
    (start,) = observed(b.process_start(A, shape)).starts
    assert (start.pid, start.image, start.command_line) == (500, A.image, "a.exe --go")
    assert (start.parent_pid, start.parent_image) == (SHELL.pid, SHELL.image)
    assert start.user_name == b.ANNA.name
    assert start.channel in (SYSMON, SECURITY)


def test_every_interest_is_observed_and_nothing_else() -> None:
    assert (SYSMON.lower(), 1) in interests()
    assert all(channel == channel.lower() for channel, _ in interests())
    assert observed(b.store_read(A, 1, "C:\\x"), b.dns_query(A, 1, "t.me")) == HostFacts(HOST.lower())


def test_ends_drops_and_connections() -> None:
    found = observed(
        b.process_end(A, 9),
        b.process_end(A, 9, "security"),
        b.file_drop(A, 2, "C:\\Users\\anna\\b.PIF"),
        b.file_drop(A, 2, "C:\\Users\\anna\\notes.txt"),
        b.connection(A, 3, "203.0.113.9", 443, "x.example"),
        b.connection(A, 4, "203.0.113.9", 443, shape="security"),
    )
    assert len(found.ends) == 2
    assert [drop.path for drop in found.drops] == ["C:\\Users\\anna\\b.PIF"]
    assert [(c.address, c.port, c.hostname) for c in found.connections] == [
        ("203.0.113.9", 443, "x.example"),
        ("203.0.113.9", 443, ""),
    ]


def test_private_and_inbound_connections_are_not_kept() -> None:
    quiet = [
        b.connection(A, 1, address, shape=shape)
        for address in ("10.1.2.3", "127.0.0.1", "fe80::1", "224.0.0.251", "::ffff:192.168.1.1")
        for shape in ("sysmon", "security")
    ]
    quiet += [b.connection(A, 1, "203.0.113.9", outbound=False, shape=shape) for shape in ("sysmon", "security")]
    assert observed(*quiet).connections == ()


def test_repeated_connections_are_kept_once_per_bucket() -> None:
    beacon = [b.connection(A, seconds / 10, "203.0.113.9") for seconds in range(300)]
    found = observed(*beacon).connections
    assert [c.time for c in found] == [b.at(0), b.at(10), b.at(20)]


def test_odd_records_do_not_stop_the_reading() -> None:
    odd = [
        b.event(SYSMON, 1, 0, {"ProcessId": "none"}),
        b.event(SYSMON, 3, 0, {"Initiated": "true"}),
        b.event(SYSMON, 3, 0, {"Initiated": True, "DestinationIp": "x"}),
        b.event(SECURITY, 4688, 0, {}),
        b.event(SECURITY, 4689, 0, {"ProcessId": None}),
        b.event(SYSMON, 11, 0, {"TargetFilename": ["a", "b"]}),
    ]
    found = observed(*odd)
    assert len(found.starts) == 2
    assert found.connections == ()


def test_merging_shuffling_and_repeating_change_nothing() -> None:
    events = lumma().events + lumma(shape="security", pid=7000, later=5).events
    whole = b.facts_of(events).host(HOST)
    generator = random.Random(4)
    for _ in range(5):
        generator.shuffle(events)
        left, right = b.facts_of(events[:25]), b.facts_of(events[20:])
        left.merge(pickle.loads(pickle.dumps(right)))
        assert left.host(HOST.upper()) == whole


def test_over_the_limit_the_newest_are_kept_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.LIMITS, "starts", 10)
    events = [b.process_start(b.process("C:\\a.exe", 100 + n, n, SHELL)) for n in range(50)]
    kept = b.facts_of(events).host(HOST)
    assert [start.pid for start in kept.starts] == list(range(140, 150))
    assert kept.trimmed
    random.Random(1).shuffle(events)
    left, right = b.facts_of(events[:30]), b.facts_of(events[30:])
    left.merge(right)
    assert left.host(HOST) == kept
    assert not b.facts_of(events[:10]).host(HOST).trimmed


def test_hosts_are_apart_and_named_without_case() -> None:
    facts = Facts()
    facts.observe(b.event(SYSMON, 5, 0, {"ProcessId": "1"}, host="A.example"))
    facts.observe(b.event(SYSMON, 5, 0, {"ProcessId": "2"}, host="a.EXAMPLE"))
    assert len(facts.host("a.example").ends) == 2
    assert facts.host("b.example") == HostFacts("b.example")


def test_texts_of_any_length_are_kept_in_part() -> None:
    long = "C:\\" + "x" * 100_000 + "\\tail.exe"
    user = b.User("CORP\\" + "u" * 100_000, "S-1-5-21-" + "1" * 100_000, 0x4A1B2)
    program = b.process(long, 500, 1, b.process(long, 400), long, user)
    found = observed(
        b.process_start(program), b.process_start(program, "security"), b.process_end(program, 5),
        b.connection(program, 2, "203.0.113.9", 443, "h" * 100_000), b.file_drop(program, 3, long))
    kept = [value for facts in (found.starts, found.ends, found.connections, found.drops) for fact in facts
            for value in map(fact.__getattribute__, fact.__slots__) if isinstance(value, str)]
    assert max(map(len, kept)) == MAX_TEXT
    images = {fact.image for facts in (found.starts, found.ends, found.connections) for fact in facts}
    assert [len(image) for image in images] == [MAX_TEXT], "one program is one in all records"
    assert found.drops[0].path.endswith("x\\tail.exe")


@pytest.mark.parametrize("name", ["ProcessId", "LogonId", "ParentProcessId", "ProcessGuid", "User"])
def test_numbers_and_names_of_any_length_are_no_error(name: str) -> None:
    for value in ("0x" + "f" * 100_000, "9" * 100_000, "\x00" * 100_000):
        (start,) = observed(b.event(SYSMON, 1, 0, {"Image": "C:\\a.exe", "ProcessId": "7", name: value})).starts
        assert start.pid == (0 if name == "ProcessId" else 7)
        assert len(repr(start)) < 10_000
