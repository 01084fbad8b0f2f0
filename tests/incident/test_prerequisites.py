"""Present, partial or absent, and why."""

from __future__ import annotations

import builders as b
from builders import HOST, SECURITY, SYSMON
from douse.incident.prerequisites import Standing, standings
from douse.incident.quality import HostQuality, Quality
from douse.model import Coverage, Event
from incident.stories import CHROME_STORE

RAN = b.process("C:\\Users\\anna\\x.exe", 500)
GOOD = {"Hashes": "SHA256=A,IMPHASH=B", "CommandLine": "x"}


def judge(*events: Event) -> dict[str, Standing]:
    quality = Quality()
    for one in events:
        quality.observe(one)
    return {one.prerequisite.id: one for one in standings(b.coverage_of(events), quality.host(HOST))}


def starts(shape: str, complete: int, bare: int) -> list[Event]:
    made = [b.process_start(RAN, shape) for _ in range(complete + bare)]
    for event in made[:complete]:
        event.fields.update(GOOD)
    for event in made[complete:]:
        event.fields.update({"CommandLine": "", "Hashes": "SHA1=A"})
    return made


def test_what_is_there_and_complete_is_present() -> None:
    found = judge(*starts("security", 4, 0), *starts("sysmon", 4, 0))
    for name in ("security-process-start", "sysmon-process-start"):
        assert (found[name].state, found[name].records, found[name].reason) == ("present", 4, "")
        assert (found[name].first_seen, found[name].last_seen) == (b.at(0), b.at(0))


def test_process_starts_without_command_lines_or_hashes_are_partial() -> None:
    found = judge(*starts("security", 1, 3), *starts("sysmon", 2, 2))
    assert found["security-process-start"].state == "partial"
    assert "without a command line" in found["security-process-start"].reason
    assert found["sysmon-process-start"].state == "partial"
    assert "SHA256 and IMPHASH" in found["sysmon-process-start"].reason


def test_a_few_incomplete_records_are_counted_and_do_no_harm() -> None:
    found = judge(*starts("security", 3, 1))["security-process-start"]
    assert (found.state, found.reason) == ("present", "3 of 4 records are complete.")


def test_an_audit_of_other_files_is_partial_and_one_store_read_is_enough() -> None:
    others = [b.store_read(RAN, 0, "C:\\data\\x.docx") for _ in range(20)]
    assert judge(*others)["security-store-read"].state == "partial"
    assert judge(*others, b.store_read(RAN, 1, CHROME_STORE))["security-store-read"].state == "present"


def test_registry_changes_without_a_typed_command_are_partial() -> None:
    run_key = b.registry_set(RAN, 1, "S-1-5-21-1\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\x", "x")
    found = judge(run_key)["sysmon-registry"]
    assert (found.state, "nobody typed a command" in found.reason) == ("partial", True)
    assert judge(run_key, b.run_dialog(b.explorer(), 0, "x"))["sysmon-registry"].state == "present"


def test_absent_says_what_its_silence_is_worth() -> None:
    found = judge(*starts("sysmon", 1, 0))
    assert found["sysmon-network"].reason == "The log is there and has none of these records."
    assert found["sysmon-tampering"].reason.endswith("they are rare, so they may be switched on.")
    assert found["defender"].reason == "No record of this log."
    assert {found[name].state for name in ("sysmon-network", "sysmon-tampering", "defender")} == {"absent"}


def test_a_product_that_nobody_has_to_own_is_not_missed() -> None:
    assert not [name for name in judge() if name.startswith(("endpoint-", "network-"))]
    row = b.event("MDE/DeviceProcessEvents", 1, 0, {"ProcessCommandLine": "x"})
    assert judge(row)["endpoint-process"].state == "present"


def test_sensors_are_judged_apart() -> None:
    log = [b.event("Zeek/conn", 0, 0, {}), b.event("Proxy/access", 0, 5, {})]
    found = {one.prerequisite.id: one.state for one in standings(b.coverage_of(log), HostQuality(), sensors=True)}
    assert found == {"network-flow": "present", "network-dns": "absent", "network-web": "present",
                     "network-tls": "absent"}


def test_without_logs_everything_is_absent_and_the_most_decisive_comes_first() -> None:
    found = standings(Coverage(HOST, ()), HostQuality())
    assert {one.state for one in found} == {"absent"}
    assert found[0].prerequisite.id == "security-store-read"


def test_names_of_channels_are_compared_without_case() -> None:
    log = [b.event(SECURITY.upper(), 5156, 0, {}), b.event(SYSMON.lower(), 3, 0, {})]
    found = judge(*log)
    assert found["security-connection"].state == found["sysmon-network"].state == "present"
