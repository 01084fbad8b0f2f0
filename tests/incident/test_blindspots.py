from __future__ import annotations

from dataclasses import replace

import pytest

import builders as b
from builders import HOST, SECURITY, SYSMON
from douse.content.telemetry import requirements
from douse.incident.blindspots import blind_spots, is_gap, reads_audited
from douse.model import BlindSpot, Coverage, Event
from incident.stories import CHROME_STORE, lumma

RAN = b.process("C:\\x.exe", 500)


def spots(*events: Event) -> dict[str, BlindSpot]:
    return {spot.requirement: spot for spot in blind_spots(b.coverage_of(events), b.facts_of(events).host(HOST))}


def test_a_host_without_logs_is_blind_to_everything_and_each_gap_names_a_setting() -> None:
    found = blind_spots(Coverage(HOST, ()), b.facts_of([]).host(HOST))
    silent = {r.id for r in requirements() if r.show in {"missing", "no-store-audit"}}
    assert {spot.requirement for spot in found} == silent
    for spot in found:
        assert spot.enable
        assert spot.cannot_judge
        assert spot.classes
        assert spot.events


def test_missing_file_auditing_is_first_and_names_4663() -> None:
    first = lumma(audit=False).incident().blind_spots[0]
    assert "4663" in first.title
    assert "4663" in first.events
    assert "C" in first.classes
    assert "SACL" in first.enable


def test_present_file_auditing_still_says_that_only_objects_with_a_sacl_are_seen() -> None:
    found = spots(b.store_read(RAN, 0, CHROME_STORE))
    assert "store-reads" not in found
    assert "only objects with one" in found["store-reads-sacl"].cannot_judge
    assert not is_gap(found["store-reads-sacl"])


@pytest.mark.parametrize(
    ("channel", "event_id", "closed"),
    [
        (SYSMON, 1, "process-start"),
        (SECURITY, 4688, "process-start"),
        (SYSMON, 3, "network"),
        (SECURITY, 5156, "network"),
        (SYSMON, 22, "dns"),
        (SYSMON, 8, "injection"),
        (SYSMON, 10, "injection"),
        (SYSMON, 25, "tampering"),
        (SYSMON, 11, "file-create"),
        (SYSMON, 13, "registry"),
        (SECURITY, 5382, "vault"),
        ("Microsoft-Windows-PowerShell/Operational", 4104, "script-blocks"),
        ("Microsoft-Windows-Windows Defender/Operational", 1150, "defender"),
        ("MICROSOFT-WINDOWS-CRYPTO-DPAPI/DEBUG", 16385, "dpapi"),
    ],
)
def test_any_kind_of_record_of_a_requirement_closes_it(channel: str, event_id: int, closed: str) -> None:
    before, after = spots(), spots(b.event(channel, event_id, 0, {"CommandLine": "x"}))
    assert set(before) - set(after) == {closed}


def test_starts_without_any_command_line_are_a_gap() -> None:
    silent = b.process_start(RAN, "security")
    silent.fields["CommandLine"] = ""
    assert "command-line" in spots(silent)
    assert "command-line" not in spots(silent, b.process_start(b.process("C:\\y.exe", 600), "security"))


def test_forgotten_facts_are_a_blind_spot() -> None:
    facts = b.facts_of([b.process_start(RAN)]).host(HOST)
    first = blind_spots(Coverage(HOST, ()), replace(facts, trimmed=True))[0]
    assert first.requirement == "facts-limit"
    assert not is_gap(first)


@pytest.mark.parametrize(
    ("channel", "event_id", "path", "audited"),
    [
        ("Security", 4663, CHROME_STORE, True),
        ("security", 4656, "C:\\Users\\bob\\AppData\\Roaming\\Mozilla\\Firefox\\Profiles\\x\\key4.db", True),
        ("Security", 4663, "\\REGISTRY\\USER\\S-1-5-21-1-2-3-1104\\Software\\SimonTatham\\PuTTY\\Sessions\\srv", True),
        ("Security", 4663, "C:\\Users\\anna\\Documents\\budget.xlsx", False),
        ("Security", 4663, "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe", False),
        ("Security", 4688, CHROME_STORE, False),
        ("Microsoft-Windows-Crypto-DPAPI/Debug", 16385, "", True),
        (SYSMON, 1, "", False),
    ],
)
def test_whether_reads_of_stores_are_audited(channel: str, event_id: int, path: str, audited: bool) -> None:
    log = [b.event(channel, event_id, 0, {"ObjectName": path})]
    assert reads_audited(b.coverage_of(log), b.facts_of(log).host(HOST)) is audited
