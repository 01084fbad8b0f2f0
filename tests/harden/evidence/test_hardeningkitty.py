"""HardeningKitty's report: rows are a second opinion, and only what they say for certain is evidence."""

from __future__ import annotations

import pytest

from douse.harden.observed import ScanRow
from harden.evidence.given import given, only, told

EMAIL = "be9ba2d9-53ea-4cdc-84e5-9b1eeee46550"
HEADER = '"ID","Category","Name","Severity","Result","Recommended","TestResult","SeverityFinding"\r\n'
REPORT = HEADER + (
    '"1700","Windows Defender","PUA","Medium","1","1","Passed","Medium"\r\n'
    '"2315","Windows Firewall","HardeningKitty-Block-mshta-x64","Low","True","True","Passed","Low"\r\n'
    '"2316","Windows Firewall","HardeningKitty-Block-mshta-x86","Low","False","True","Failed","Low"\r\n'
    f'"1900","Microsoft Defender","ASR: Block mail ({EMAIL})","Medium","2","1","Failed","Medium"\r\n'
    '"1","Odd","Nobody, knows","Low","","x","Skipped","Low"\r\n')


@pytest.mark.parametrize("data", [REPORT, REPORT.encode("utf-8-sig"), REPORT.encode("utf-16"),
                                  REPORT.replace('","', '";"')])
def test_rows(data) -> None:
    evidence = given("hardeningkitty_report_PC-7.csv", data, reader="hardeningkitty")
    subject = only(evidence)
    assert subject.name == "PC-7"
    assert [seen.value for seen in subject.scans][:2] == [
        ScanRow("1700", "Windows Defender", "PUA", "Medium", "1", "1", True),
        ScanRow("2315", "Windows Firewall", "HardeningKitty-Block-mshta-x64", "Low", "True", "True", True)]
    assert [seen.value.passed for seen in subject.scans] == [True, True, False, False, None]
    assert subject.scans[0].where == "line 2, ID 1700"
    assert "does not name its host" in evidence.notes[0].what


def test_what_is_evidence_too() -> None:
    subject = only(given("PC-7.csv", REPORT, reader="hardeningkitty"))
    assert {guid: [seen.value for seen in states] for guid, states in subject.asr.items()} == {EMAIL: [2]}
    (stored,) = subject.firewall
    assert (stored.value.store, stored.value.rule.action, stored.value.rule.direction) == ("local", "block", "out")
    assert stored.value.rule.first("App") == r"%SystemRoot%\System32\mshta.exe"
    assert subject.firewall_whole == []
    assert subject.effective == {}
    assert len(subject.registry) == 0


def test_older_reports() -> None:
    old = ('"ID","Name","Severity","Result","Recommended"\r\n"1700","PUA","Passed","1","1"\r\n'
           '"1701","x","High","0","1"\r\n')
    subject = only(given("PC-7.csv", old, reader="hardeningkitty"))
    assert [(seen.value.id, seen.value.passed, seen.value.category) for seen in subject.scans] == [
        ("1700", True, ""), ("1701", None, "")]


def test_damage() -> None:
    evidence = given("PC-7.csv", REPORT + '"1","2"\r\n"open,\r\n', reader="hardeningkitty")
    assert len(only(evidence).scans) == 5
    assert told(evidence) == ["PC-7.csv:7: 2 rows have another number of cells than the header."]
    evidence = given("report.csv", REPORT, reader="hardeningkitty")
    assert "nor does the file's name" in told(evidence)[0]
