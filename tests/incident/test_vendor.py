"""S8: what an antivirus named a stealer, and whether it was stopped; how its records join what ran (by_file.py)."""

from __future__ import annotations

import pytest

import builders as b
from douse.incident.entities import Actor, getter
from douse.incident.findings import finding_of
from douse.incident.marks import PlacedAlert
from douse.model import Event, Value
from incident.stories import CHROME_STORE, POWERSHELL, SERVER, Story, ids

DEFENDER = "Microsoft-Windows-Windows Defender/Operational"
SETUP = "C:\\Users\\anna\\Downloads\\Setup.exe"
SHELL = b.explorer()
RAN = b.process(SETUP, 500, 50, SHELL)


def record(event_id: int, seconds: float, path: str = SETUP, **more: str) -> Event:
    fields: dict[str, Value] = {"DetectionID": "{5C1E7A1B-9A8B-4B0E-9B40-0F6B0F2C4D11}", "DetectionUser": "CORP\\anna",
                                "ThreatName": "Trojan:Win32/LummaStealer.A", "Path": f"file:_{path}"}
    return b.event(DEFENDER, event_id, seconds, fields | more)


def found(story: Story, seconds: float = 100, role: str = "vendor-family", **more: str) -> Story:
    story.alert(record(1116, seconds, **more), "V", "Stealer named", "high", role=role)
    return story


def removed(story: Story, seconds: float = 104, **more: str) -> Story:
    story.alert(record(1117, seconds, **more), "V", "Stealer removed", role="vendor-removed")
    return story


def judged(story: Story) -> tuple[str, str]:
    """The worst incident's level, and the level that S8 gives it."""
    incident = story.incidents()[0]
    return incident.level, next((h.level for h in incident.sequences if h.sequence_id == "S8"), "")


def test_removed_before_it_ran_is_medium() -> None:
    incident = removed(found(Story())).incident()
    assert (incident.level, ids(incident), len(incident.alert_ids)) == ("medium", {"S8"}, 2)
    assert incident.title == "Infostealer removed by the antivirus, no start of it logged"
    assert "before it ran" not in f"{incident.verdict} {incident.sequences[0].title}", "starts may not have been logged"
    assert len(incident.sequences[0].alert_ids) == 2


@pytest.mark.parametrize("role", ["vendor-family", "vendor-stealer"])
def test_not_removed_is_critical(role: str) -> None:
    assert judged(found(Story(), role=role)) == ("critical", "critical")
    assert "no record says that it was removed" in found(Story()).incident().sequences[0].reason
    assert ('the antivirus named "Trojan:Win32/LummaStealer.A"; no record says that it was removed'
            in found(Story()).incident().verdict)


@pytest.mark.parametrize("role", ["vendor-loader", ""])
def test_another_verdict_is_no_s8(role: str) -> None:
    assert judged(found(Story(), role=role))[1] == ""


def test_a_failed_removal_is_critical_until_one_succeeds() -> None:
    story = found(Story())
    story.alert(record(1119, 102), "V", "Not removed", role="vendor-not-removed")
    assert "a record says that it was not removed" in story.incident().sequences[0].reason
    assert judged(removed(story, 110)) == ("medium", "medium")
    story.alert(record(1119, 120), "V", "Not removed", role="vendor-not-removed")
    assert judged(story) == ("medium", "medium"), "what failed later was another try at what was gone"


def test_a_finding_after_the_removal_needs_its_own() -> None:
    story = found(removed(found(Story())), 900)
    assert judged(story) == ("critical", "critical")
    assert judged(removed(story, 905)) == ("medium", "medium")


@pytest.mark.parametrize("more", [{"DetectionID": "{00000000-1111-2222-3333-444444444444}"}, {"DetectionID": ""}])
def test_without_a_common_id_name_and_file_tell(more: dict[str, str]) -> None:
    assert judged(removed(found(Story()), **more)) == ("medium", "medium")
    other = removed(found(Story()), path="C:\\Users\\anna\\Downloads\\Other.exe", **more)
    assert judged(other) == ("critical", "critical")


def test_defender_for_endpoint_says_so_itself() -> None:
    assert judged(found(Story(), WasRemediated="True")) == ("medium", "medium")
    assert judged(found(Story(), WasRemediated="False")) == ("critical", "critical")


def test_where_the_log_has_only_the_removal_that_counts() -> None:
    assert judged(removed(Story())) == ("medium", "medium")


@pytest.mark.parametrize(("seconds", "expected"), [(50, "high"), (200, "medium")])
def test_removed_after_a_start_of_it_is_late(seconds: float, expected: str) -> None:
    story = removed(found(Story()))
    story.log(b.process_start(b.process(SETUP, 500, seconds, SHELL)))
    incident = story.incident()
    assert (incident.level, incident.sequences[0].level) == (expected, expected)


@pytest.mark.parametrize("path", ["x; process:_pid:500,ProcessStart:0", "x; behavior:_pid:500:12345"])
def test_what_was_running_did_run(path: str) -> None:
    assert judged(removed(found(Story(), path=path), path=path)) == ("high", "high")


@pytest.mark.parametrize(("seconds", "expected"), [(-1700, "critical"), (1700, "critical"), (2000, "medium")])
def test_a_theft_within_half_an_hour_is_critical_although_it_was_removed(seconds: float, expected: str) -> None:
    story = removed(found(Story()))
    other = b.process(POWERSHELL, 900, 0, SHELL)
    story.log(b.process_start(other, "security"))
    story.read(other, 100 + seconds, CHROME_STORE, "chromium")
    assert judged(story)[1] == expected


def test_a_verdict_joins_the_process_of_its_file_and_its_user_only() -> None:
    story = removed(found(Story()))
    story.log(b.process_start(RAN), b.process_start(b.process(SETUP, 600, 60, b.explorer(9000, b.BEN))),
              b.connection(RAN, 90, SERVER))
    story.read(RAN, 80, CHROME_STORE, "chromium")
    incident = story.incident()
    assert incident.level == "critical"
    assert {"S5", "S8"} <= ids(incident)
    assert {node.pid for node in incident.processes} & {500, 600} == {500}
    assert next(c for c in incident.classes if c.evidence_class == "V").points == 30, "no weak link: the file tells"


def test_a_verdict_joins_the_writer_of_its_file() -> None:
    power = b.process(POWERSHELL, 400, 0, SHELL)
    story = Story()
    story.alert(b.process_start(power), "X", "Script")
    story.log(b.file_drop(power, 60, SETUP))
    incident = removed(found(story)).incident()
    assert {c.evidence_class: c.points for c in incident.classes} == {"X": 15, "V": 30}


def test_a_download_joins_the_start_of_the_same_content_under_another_name() -> None:
    sha256 = "ab" * 32
    browser = b.process("C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe", 400, 0, SHELL)
    download = b.event(b.SYSMON, 15, 0, {
        "ProcessGuid": browser.guid, "ProcessId": "400", "Image": browser.image, "Hash": f"SHA256={sha256}",
        "TargetFilename": "C:\\Users\\anna\\Downloads\\a.tmp"})
    for image, joined in ((SETUP, True), ("C:\\Windows\\System32\\mshta.exe", False)):
        start = b.process_start(b.process(image, 500, 60, SHELL, user=b.BEN), "security")
        start.fields["Hashes"] = f"MD5=0,SHA256={sha256.upper()}"
        story = Story()
        story.alert(download, "D", "Download")
        story.alert(start, "X", "Started")
        assert (len(story.incidents()) == 1) == joined


@pytest.mark.parametrize(
    ("text", "paths", "ran"),
    [
        ("file:_C:\\Users\\a\\x.exe; file:_C:\\Users\\a\\y.exe", {"\\users\\a\\x.exe", "\\users\\a\\y.exe"}, False),
        ("containerfile:_C:\\d\\a.zip; file:_C:\\d\\a.zip->b/c.exe", {"\\d\\a.zip"}, False),
        ("webfile:_C:\\d\\a.exe|https://x.example/a.exe|pid:12,ProcessStart:5", {"\\d\\a.exe"}, False),
        ("C:\\d\\a.exe", {"\\d\\a.exe"}, False),
        ("behavior:_process: C:\\d\\a.exe, pid:5868:95232; process:_pid:5868,ProcessStart:132345", set(), True),
        ("CmdLine:_C:\\Windows\\System32\\mshta.exe https://x", set(), True),
        ("", set(), False),
        (";;->|:_", set(), False),
    ],
)
def test_what_defender_writes_about_what_it_found(text: str, paths: set[str], ran: bool) -> None:
    on = record(1116, 0)
    on.fields["Path"] = text
    alert = b.alert(on, "V")
    finding = finding_of(PlacedAlert(alert, getter(alert.fields), Actor(), None, None))
    assert (finding.paths, finding.ran) == (paths, ran)
    assert {actor.pid for actor in finding.processes} == ({5868} if "5868" in text else set())
