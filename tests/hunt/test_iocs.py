"""Indicators in a hunt: an alert like a rule's, in the incident of its process, whoever reads, unless it is allowed."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import builders as b
from douse.errors import ContentError, RuleError
from douse.hunt import plan, spread
from douse.hunt.iocs import MAX_PROBLEMS, NONE, Iocs, rule_of
from douse.hunt.options import HuntOptions
from douse.hunt.result import HuntResult
from douse.hunt.run import hunt
from douse.model import Alert
from douse.report.document import document
from douse.report.machine import json_document

Scenario = Callable[..., Path]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
REGASM_MD5 = "43a047e5c396dfaf30c02d5407d2735a"


def listed(folder: Path, text: str, name: str = "ioc.txt") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def iocs(folder: Path, text: str) -> Iocs:
    return Iocs.of([listed(folder, text)])


def hunted(logs: Path, *files: Path, jobs: int = 1, **more: object) -> HuntResult:
    return hunt(HuntOptions(paths=(str(logs),), ioc=files, jobs=jobs, **more))  # type: ignore[arg-type]


def ours(result: HuntResult) -> list[Alert]:
    return [alert for alert in result.alerts if alert.role == "ioc"]


def written(result: HuntResult) -> bytes:
    return json_document(document(replace(
        result, summary=replace(result.summary, elapsed_seconds=0.0),
        provenance=replace(result.provenance, started=EPOCH, finished=EPOCH))))


# --- one alert --------------------------------------------------------------------------------------------------------


def test_an_alert_of_a_domain(tmp_path: Path) -> None:
    found = iocs(tmp_path, "bad.example  # Lumma, C2\n")
    query = b.dns_query(b.process("C:\\x.exe", 7), 0, "cdn.bad.example")
    (alert,) = found.alerts(query)
    assert alert.title == "Indicator seen: domain bad.example"
    assert (alert.level, alert.evidence_class, alert.fidelity, alert.role) == ("high", "R", 0.7, "ioc")
    assert (alert.host, alert.channel, alert.event_id, alert.record_id) == (
        query.host, query.channel, query.event_id, query.record_id)
    assert alert.techniques == ()
    (why,) = alert.matched
    assert (why.field, why.value, why.pattern) == ("QueryName", "cdn.bad.example", "bad.example")
    assert alert.fields["QueryName"] == "cdn.bad.example"
    assert {name: text for name, text in alert.fields.items() if name.startswith("Indicator")} == {
        "IndicatorType": "domain-name", "IndicatorValue": "bad.example",
        "IndicatorSource": f"{tmp_path}/ioc.txt:1 ('Lumma, C2')"}
    assert [rule.rule_id for rule in found.rules()] == [alert.rule_id]


def test_an_alert_of_a_hash_with_all_that_a_bundle_says(tmp_path: Path) -> None:
    bundle = {"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "indicator", "id": "indicator--1", "pattern": f"[file:hashes.MD5 = '{REGASM_MD5}']",
            "pattern_type": "stix",
         "name": "dropper", "labels": ["malicious-activity"], "valid_from": "2026-01-01T00:00:00Z",
         "valid_until": "2027-01-01T00:00:00Z", "created_by_ref": "identity--1",
         "object_marking_refs": ["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"]},
        {"type": "identity", "id": "identity--1", "name": "CERT Example"},
        {"type": "malware", "id": "malware--1", "name": "Lumma"},
        {"type": "relationship", "id": "relationship--1", "relationship_type": "indicates",
            "source_ref": "indicator--1",
         "target_ref": "malware--1"}]}
    path = listed(tmp_path, json.dumps(bundle), "bundle.json")
    start = b.event(b.SYSMON, 1, 0, {"Image": "C:\\x.exe", "Hashes": f"MD5={REGASM_MD5.upper()}"})
    (alert,) = Iocs.of([path]).alerts(start)
    assert (alert.evidence_class, alert.fidelity, alert.level) == ("V", 1.0, "high")
    assert {name: text for name, text in alert.fields.items() if name.startswith("Indicator")} == {
        "IndicatorType": "file", "IndicatorValue": REGASM_MD5, "IndicatorFamily": "Lumma",
        "IndicatorSource": f"{path}: indicator--1 ('dropper', by CERT Example)",
        "IndicatorLabels": "malicious-activity",
        "IndicatorTlp": "AMBER", "IndicatorValidFrom": "2026-01-01T00:00:00Z",
        "IndicatorValidUntil": "2027-01-01T00:00:00Z"}


@pytest.mark.parametrize(("until", "level", "said"), [
    ("2026-11-18T08:59:59Z", "medium", "Indicator seen, expired 2026-11-18: domain bad.example"),
    ("2026-11-18T09:00:00Z", "medium", "Indicator seen, expired 2026-11-18: domain bad.example"),
    ("2026-11-18T09:00:01Z", "high", "Indicator seen: domain bad.example"),
    ("", "high", "Indicator seen: domain bad.example"),
])
def test_what_had_expired_when_it_happened_is_weaker_and_says_so(tmp_path: Path, until: str, level: str,
    said: str) -> None:
    found = iocs(tmp_path, f"indicator,valid_until\nbad.example,{until}\n")
    (alert,) = found.alerts(b.dns_query(b.process("C:\\x.exe", 7), 0, "bad.example"))
    assert (alert.level, alert.title) == (level, said)
    assert [rule.title for rule in found.rules()] == ["Indicator seen: domain bad.example"]


def test_each_indicator_has_its_own_alert_and_the_record_is_the_same_in_any_file(tmp_path: Path) -> None:
    found = iocs(tmp_path, "bad.example\n203.0.113.7\nnever.example\n")
    query = b.dns_query(b.process("C:\\x.exe", 7), 0, "bad.example", "203.0.113.7;")
    alerts = found.alerts(query)
    assert [alert.fields["IndicatorValue"] for alert in alerts] == ["bad.example", "203.0.113.7"]
    assert len({alert.alert_id for alert in alerts}) == 2
    again = Iocs.of([listed(tmp_path, "203.0.113.7\nbad.example\n", "other.txt")]).alerts(query)
    assert [alert.alert_id for alert in again] == [alert.alert_id for alert in alerts]


def test_many_origins_and_long_names_stay_bounded(tmp_path: Path) -> None:
    found = iocs(tmp_path, "".join(f"bad.example # {'x' * 500}\n" for _ in range(100)))
    (alert,) = found.alerts(b.dns_query(b.process("C:\\x.exe", 7), 0, "bad.example"))
    assert alert.fields["IndicatorSource"].endswith("and 95 more")
    assert len(alert.fields["IndicatorSource"]) < Alert.MAX_FIELD


def test_the_fields_that_say_it_win_over_an_events_own(tmp_path: Path) -> None:
    on = b.event(b.SYSMON, 22, 0, {"QueryName": "bad.example", "IndicatorValue": "fine.example"})
    (alert,) = iocs(tmp_path, "bad.example\n").alerts(on)
    assert alert.fields["IndicatorValue"] == "bad.example"


def test_without_files_there_is_nothing(tmp_path: Path) -> None:
    assert not NONE.watch
    assert not NONE.alerts(b.dns_query(b.process("C:\\x.exe", 7), 0, "bad.example"))
    assert (NONE.files, NONE.problems, NONE.notes(()), list(NONE.rules())) == ((), (), (), [])


def test_it_can_be_sent_to_another_process(tmp_path: Path) -> None:
    found = iocs(tmp_path, "bad.example # Lumma\n")
    query = b.dns_query(b.process("C:\\x.exe", 7), 0, "bad.example")
    assert pickle.loads(pickle.dumps(found)).alerts(query) == found.alerts(query)


def test_notes_say_what_no_record_could_show(tmp_path: Path) -> None:
    found = iocs(tmp_path, f"bad.example\n203.0.113.7\n{REGASM_MD5}\n")
    summary = f"{tmp_path}/ioc.txt: 3 indicators (1 domain, 1 address, 1 file hash)"
    assert found.notes((b.coverage_of([b.dns_query(b.process("C:\\x.exe", 7), 0, "a.example")]),)) == (
        summary, "no record was read that carries hashes, so 1 indicator(s) could not be seen")
    assert found.notes((b.coverage_of([b.process_start(b.process("C:\\x.exe", 7))]),)) == (summary,)
    assert found.notes(()) == (summary,)  # that nothing was read at all is said elsewhere
    other = b.coverage_of([b.event("MDE/DeviceEvents", 4663, 0, {})])
    assert found.notes((other,)) == (summary,)  # any row of that table may carry each


def test_bad_entries_are_problems_up_to_a_number(tmp_path: Path) -> None:
    found = iocs(tmp_path, "bad.example\n" + "?\n" * 100)
    assert len(found.problems) == MAX_PROBLEMS + 1
    assert {problem.kind for problem in found.problems} == {"ioc"}
    assert found.problems[0].where == f"{tmp_path}/ioc.txt:2"
    assert "79 more" in found.problems[-1].what


# --- a hunt -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lumma(scenario: Scenario) -> Path:
    return scenario("lumma-clickfix")


@pytest.mark.parametrize(("text", "records"), [
    ("verify.example", {(1, "CommandLine"), (4688, "CommandLine"), (13, "Details"), (22, "QueryName"),
                        (4104, "ScriptBlockText")}),
    ("https://files.verify.example/stage.txt", {(4104, "ScriptBlockText")}),
    ("203.0.113.41", {(3, "DestinationIp"), (5156, "DestAddress"), (22, "QueryResults")}),
    (REGASM_MD5, {(1, "Hashes")}), ("files.verify.example", {(22, "QueryName"), (4104, "ScriptBlockText")}),
])
def test_what_is_seen_joins_the_incident_of_its_process(lumma: Path, tmp_path: Path, text: str,
                                                        records: set[tuple[int, str]]) -> None:
    plain, found = hunted(lumma), hunted(lumma, listed(tmp_path, text))
    alerts = ours(found)
    assert {(alert.event_id, match.field) for alert in alerts for match in alert.matched} == records
    (before,), (after,) = plain.incidents, found.incidents
    assert {alert.alert_id for alert in alerts} <= set(after.alert_ids)
    assert set(before.alert_ids) <= set(after.alert_ids)
    assert after.score >= before.score
    assert {score.evidence_class for score in after.classes} >= {alert.evidence_class for alert in alerts}


def test_an_indicator_alone_makes_an_incident_on_a_quiet_day(scenario: Scenario, tmp_path: Path) -> None:
    day = scenario("benign-day")
    result = hunted(day, listed(tmp_path, "news.example.org\n"))
    alerts = {alert.alert_id for alert in ours(result)}
    assert len(alerts) == 10  # it is asked for every hour
    assert {alert_id for incident in result.incidents for alert_id in incident.alert_ids} >= alerts
    assert {incident.level for incident in result.incidents if alerts & set(incident.alert_ids)} == {"medium"}


def test_the_result_is_the_same_for_any_number_of_jobs(scenario: Scenario, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch
                                                       ) -> None:
    monkeypatch.setattr(plan, "CHUNKS_A_UNIT", 3)
    monkeypatch.setattr(spread, "BYTES_A_WORKER", 1)
    logs = scenario("lumma-clickfix", noise=2_500, file="more.evtx")
    path = listed(tmp_path, f"verify.example # lure\n203.0.113.0/24\n{REGASM_MD5}\n???\n")
    one, three = hunted(logs, path), hunted(logs, path, jobs=3)
    assert len(ours(one)) > 5
    assert written(one) == written(three)


def test_provenance_problems_and_notes(lumma: Path, tmp_path: Path) -> None:
    path = listed(tmp_path, "verify.example\nlocalhost\n")
    result = hunted(lumma, path)
    assert [file.path for file in result.provenance.lists] == [str(path)]
    assert len(result.provenance.lists[0].sha256) == 64
    assert [(problem.kind, problem.where) for problem in result.problems] == [("ioc", f"{path}:2")]
    assert result.summary.partial
    assert f"{path}: 1 indicator (1 domain); 1 could not be used" in result.notes


@pytest.mark.parametrize("name", ["title", "id", "value"])
def test_what_is_expected_can_be_allowed(lumma: Path, tmp_path: Path, name: str) -> None:
    path = listed(tmp_path, "verify.example\n203.0.113.41\n")
    rule = rule_of(Iocs.of([path]).watch.known[1])
    word = {"title": rule.title, "id": rule.rule_id, "value": "203.0.113.41"}[name]
    regasm = r"C:\Windows\Microsoft.NET\Framework\v4.0.30319\RegAsm.exe"
    allow = listed(tmp_path, "rule,host,process,reason,expires,command\n"
                             f"{word},*,{regasm},our sinkhole,2099-01-01,\n", "allow.csv")
    result = hunted(lumma, path, allow=(allow,), today=date(2026, 11, 24))
    assert {one.alert.fields["IndicatorValue"] for one in result.suppressed} == {"203.0.113.41"}
    assert {alert.fields["IndicatorValue"] for alert in ours(result)} == {"verify.example"}
    assert [(one.state, one.rule_id) for one in result.allowances] == [("used", rule.rule_id)]


def test_a_sweep_for_indicators_alone_needs_no_rule(lumma: Path, tmp_path: Path) -> None:
    path = listed(tmp_path, "verify.example\n")
    result = hunted(lumma, path, builtin=False)
    assert {alert.role for alert in result.alerts} == {"ioc"}
    assert {alert.event_id for alert in result.alerts} == {1, 13, 22, 4104, 4688}  # records that no rule asked for
    assert result.incidents
    with pytest.raises(RuleError, match="no Sigma rule was found"):
        hunted(lumma, builtin=False)


def test_a_file_of_no_use_ends_the_run_before_any_evidence_is_read(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="cannot be read"):
        hunted(tmp_path / "no-logs", tmp_path / "none.txt")


def test_a_sensors_record_is_its_hosts(tmp_path: Path) -> None:
    log = listed(tmp_path, "1795514712.123    245 10.20.4.42 TCP_MISS/200 507 GET http://cdn.bad.example/x.zip - "
                           "HIER_DIRECT/203.0.113.7 text/html\n", "access.log")
    result = hunted(log, listed(tmp_path, "http://cdn.bad.example/x.zip\n203.0.113.7\n"))
    assert {(alert.host, alert.fields["IndicatorType"]) for alert in ours(result)} == {
        ("10.20.4.42", "url"), ("10.20.4.42", "ipv4-addr")}
