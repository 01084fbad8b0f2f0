"""`douse hunt --allow` and `--assets` as users meet them: what changes, what never does, and what is shown of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from douse import api
from douse.cli import exits
from douse.cli.main import main
from douse.hunt import spread
from douse.report.document import document
from douse.report.machine import json_document

Scenario = Callable[..., Path]
Hunt = Callable[..., dict[str, Any]]
Allow = Callable[..., Path]

HEADER = "rule,host,process,reason,expires\n"
THIEF = r"C:\Windows\Microsoft.NET\Framework\v4.0.30319\RegAsm.exe"
VEEAM = r"C:\Program Files\Veeam\Endpoint Backup\*.exe"
CHROMIUM = "ab9ae556-b6b0-5320-87a2-560fd49348ff"
STORES = ("chromium_store_read", "gecko_store_read", "wallet_store_read", "password_manager_read",
          "extension_vault_read")
HOSTILE = "\x1b[31mred\u202egpj.exe\u200b<script>alert(1)</script>{{7*7}} \x9b"
MANY = f"""
title: Many reads by one program
id: 0b1f7a52-6b8e-4a5b-9d0c-0a4e6f0d7a13
level: high
correlation: {{type: event_count, rules: [{CHROMIUM}], group-by: [ProcessName], timespan: 5m, condition: {{gte: 4}}}}
"""
PART = r"""---
title: Any start of mshta
name: part
logsource: {product: windows, category: process_creation}
detection: {selection: {Image|endswith: '\mshta.exe'}, condition: selection}
"""


@pytest.fixture
def allow(tmp_path: Path) -> Allow:
    """Write an allow-list of these lines below its header."""

    def write(*lines: str, header: str = HEADER) -> Path:
        path = tmp_path / "allow.csv"
        path.write_text(header + "".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write


@pytest.fixture(scope="module")
def lumma(scenario: Scenario) -> Path:
    """An intrusion."""
    return scenario("lumma-clickfix")


@pytest.fixture(scope="module")
def whole(lumma: Path) -> dict[str, Any]:
    """The document of its hunt without any list."""
    found: dict[str, Any] = json.loads(json_document(document(api.hunt(api.HuntOptions(paths=(str(lumma),))))))
    return found


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(row["alert_id"] for row in rows)


# --- what an entry changes --------------------------------------------------------------------------------------------


def test_one_rule_for_one_program_leaves_the_incident_and_stays_listed(
        lumma: Path, whole: dict[str, Any], hunt_json: Hunt, allow: Allow) -> None:
    tuned = hunt_json(lumma, "--allow", allow(f"chromium_store_read,WS-042,{THIEF},CHG-1,9999-12-31"))
    left_out = [row["alert"] for row in tuned["suppressed"]]
    assert {alert["rule_id"] for alert in left_out} == {CHROMIUM}
    assert ids([*tuned["alerts"], *left_out]) == ids(whole["alerts"])  # nothing is gone
    assert [alert for alert in whole["alerts"] if alert["rule_id"] == CHROMIUM] == left_out
    before, (after,) = whole["incidents"][0], tuned["incidents"]
    assert after["score"] < before["score"]
    assert not set(after["alerts"]) & {alert["alert_id"] for alert in left_out}
    assert "Chrome" in before["verdict"]
    assert "Chrome" not in after["verdict"]
    number = len(left_out)
    assert f"{number} alerts near it, {number} of them of credential-store access, are allowed" in after["verdict"]
    assert tuned["summary"]["alerts_suppressed"] == len(left_out)
    assert tuned["summary"]["alerts"] == whole["summary"]["alerts"] - len(left_out)
    assert {row["allowed_by"].rpartition(":")[2] for row in tuned["suppressed"]} == {"2"}
    assert tuned["coverage"] == whole["coverage"]
    assert tuned["errors"] == []


def test_without_its_reads_an_incident_does_not_say_that_none_was_logged(
        lumma: Path, hunt_json: Hunt, allow: Allow) -> None:
    lines = (f"{rule},*,{THIEF},CHG-1,9999-12-31" for rule in STORES)
    (incident,) = hunt_json(lumma, "--allow", allow(*lines))["incidents"]
    assert "C" not in {row["evidence_class"] for row in incident["classes"]}
    assert "are allowed and left out" in incident["verdict"]
    assert "no credential-store read was logged" not in incident["verdict"]


def test_a_backup_of_a_working_day_is_tuned_away_and_fail_on_follows(
        scenario: Scenario, hunt_json: Hunt, allow: Allow, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    day = scenario("benign-day")
    whole = hunt_json(day)
    by_program = {(row["rule_id"], row["fields"].get("Image") or row["fields"].get("ProcessName", "*") or "*")
                  for row in whole["alerts"]}
    assert by_program
    path = allow(*(f"{rule},ws-019,{program if ':' in program else '*'},known,9999-12-31"
                   for rule, program in by_program))
    tuned = hunt_json(day, "--allow", path)
    assert (tuned["alerts"], tuned["incidents"]) == ([], [])
    assert len(tuned["suppressed"]) == len(whole["alerts"])
    assert main(["hunt", str(day), "--fail-on", "informational", "-q"]) == exits.FINDINGS
    assert main(["hunt", str(day), "--fail-on", "informational", "-q", "--allow", str(path)]) == exits.DONE
    said = " ".join(capsysbinary.readouterr().out.decode().split())
    assert f"{len(whole['alerts'])} alerts took no part, because a list says that they are expected." in said


@pytest.mark.parametrize(("host", "fits"), [
    ("ws-*", True), ("WS-042.Corp.example", True), ("dc-*", False)])
def test_hosts_with_wildcards(host: str, fits: bool, lumma: Path, hunt_json: Hunt, allow: Allow) -> None:
    tuned = hunt_json(lumma, "--allow", allow(f"{CHROMIUM},{host},{THIEF},CHG-1,9999-12-31"))
    assert bool(tuned["suppressed"]) is fits
    assert tuned["allowances"][0]["state"] == ("used" if fits else "unused")


def test_a_device_path_and_a_record_without_a_path_are_found_by_their_process(
        lumma: Path, hunt_json: Hunt, allow: Allow) -> None:
    tuned = hunt_json(lumma, "--allow", allow(
        f"Injection Host Connected to the Internet,*,{THIEF},CHG-1,9999-12-31",
        r"PowerShell Script Block Downloads and Runs Code,*,C:\Windows\System32\WindowsPowerShell\*,CHG-1,9999-12-31"))
    found = {(row["alert"]["channel"], row["alert"]["event_id"]) for row in tuned["suppressed"]}
    assert found == {("Security", 5156), ("Microsoft-Windows-Sysmon/Operational", 3),
                     ("Microsoft-Windows-PowerShell/Operational", 4104)}


def test_another_program_of_that_name_is_not_allowed(
        lumma: Path, whole: dict[str, Any], hunt_json: Hunt, allow: Allow) -> None:
    tuned = hunt_json(lumma, "--allow", allow(rf"{CHROMIUM},*,C:\Program Files\Vendor\RegAsm.exe,CHG-1,9999-12-31"))
    assert tuned["suppressed"] == []
    assert tuned["incidents"] == whole["incidents"]


def test_level_hides_nothing_of_what_is_suppressed(lumma: Path, hunt_json: Hunt, allow: Allow) -> None:
    path = allow(f"{CHROMIUM},*,{THIEF},CHG-1,9999-12-31")
    strong = hunt_json(lumma, "--allow", path, "--level", "critical")
    assert strong["alerts"] == []
    assert strong["suppressed"] == hunt_json(lumma, "--allow", path)["suppressed"] != []


# --- expiry, unknown rules, remarks -----------------------------------------------------------------------------------


def test_what_does_nothing_is_reported_with_its_line(
        lumma: Path, whole: dict[str, Any], hunt_json: Hunt, allow: Allow) -> None:
    path = allow(f"{CHROMIUM},*,{THIEF},old,2020-01-31", f"{CHROMIUM},dc-*,{THIEF},unused,9999-12-31",
                 rf"chromium_store_raed,*,{VEEAM},typo,9999-12-31",
                 r"gecko_store_read,*,C:\Users\*\Portable\agent.exe,wide,9999-12-31")
    tuned = hunt_json(lumma, "--allow", path)
    assert tuned["suppressed"] == []
    assert tuned["incidents"] == whole["incidents"]
    assert [row["state"] for row in tuned["allowances"]] == ["expired", "unused", "no rule", "unused"]
    reads = sum(alert["rule_id"] == CHROMIUM for alert in tuned["alerts"])
    assert [note for note in tuned["notes"] if note.startswith(str(path))] == [
        f"{path}: expired and suppresses nothing: line 2 (2020-01-31, {reads} alert(s) of this run fit it)",
        (f"{path}: names no rule of this run: line 4 (no rule has this id, file name or title. "
         "Did you mean 'chromium_store_read'?)"),
        f"{path}: unused, no alert fits it: line 3; line 5",
        f"{path}: the program is a part of Windows, such as stealers run or inject; narrow it with command: line 3",
        f"{path}: the path fits folders that users can write to, where a stealer may lie: line 5",
    ]
    assert tuned["allowances"][3]["remarks"]


@pytest.mark.parametrize(("line", "what"), [
    ("chromium_store_read,*,agent.exe,r,9999-12-31", "any program can take any name. Write the full path"),
    (f"chromium_store_read,*,{THIEF},r,soon", "expires 'soon' is no date. Write year-month-day"),
    (f"chromium_store_read,*,{THIEF},,9999-12-31", "reason is empty."),
    (f"chromium_store_read,*,{THIEF},r", "has 4 cells, and the header names 5 columns."),
])
def test_a_bad_line_stops_before_anything_is_read(
        line: str, what: str, lumma: Path, allow: Allow, capsys: pytest.CaptureFixture[str]) -> None:
    path = allow("# a comment", line)
    assert main(["hunt", str(lumma), "--allow", str(path)]) == exits.NO_RULES
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"douse: {path}:3: ")
    assert what in err
    assert "100 %" not in err


@pytest.mark.parametrize("option", ["--allow", "--assets"])
def test_a_list_that_is_missing_or_hostile_is_named_safely(
        option: str, lumma: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hunt", str(lumma), option, str(tmp_path / "none.csv")]) == exits.NO_RULES
    assert "none.csv: cannot be read (No such file or directory)." in capsys.readouterr().err
    path = tmp_path / "x.csv"
    path.write_text(f"host,{HOSTILE}\n", encoding="utf-8")
    assert main(["hunt", str(lumma), option, str(path)]) == exits.NO_RULES
    err = capsys.readouterr().err
    assert "there is no column" in err
    assert not set(err) & set("\x1b\u202e\u200b\x9b")


# --- correlations -----------------------------------------------------------------------------------------------------


@pytest.fixture
def many(tmp_path: Path) -> Path:
    path = tmp_path / "many.yml"
    path.write_text(MANY, encoding="utf-8")
    return path


def test_a_correlation_does_not_count_what_is_suppressed(
        lumma: Path, hunt_json: Hunt, allow: Allow, many: Path) -> None:
    assert "Many reads by one program" in {row["title"] for row in hunt_json(lumma, "--rules", many)["alerts"]}
    tuned = hunt_json(lumma, "--rules", many, "--allow", allow(f"{CHROMIUM},*,{THIEF},CHG-1,9999-12-31"))
    assert "Many reads by one program" not in {row["title"] for row in tuned["alerts"]}
    (note,) = [note for note in tuned["notes"] if note.startswith("correlation ")]
    assert note == (f"correlation 'Many reads by one program': {tuned['summary']['alerts_suppressed']} match(es) "
                    "left out, because they are allowed by --allow")


def test_a_correlations_own_alert_is_suppressed_by_its_group_and_its_parts_are_not(
        lumma: Path, hunt_json: Hunt, allow: Allow, many: Path) -> None:
    for program, fits in ((THIEF, True), (r"C:\Program Files\x.exe", False)):
        tuned = hunt_json(lumma, "--rules", many, "--allow", allow(f"many,*,{program},CHG-1,9999-12-31"))
        assert [row["alert"]["title"] for row in tuned["suppressed"]] == ["Many reads by one program"] * fits
        assert CHROMIUM in {row["rule_id"] for row in tuned["alerts"]}


def test_a_rule_that_is_only_a_part_is_told_to_be_one(
        lumma: Path, hunt_json: Hunt, allow: Allow, tmp_path: Path) -> None:
    path = tmp_path / "part.yml"
    once = MANY.replace(CHROMIUM, "part").replace("ProcessName", "Computer").replace("gte: 4", "gte: 1")
    path.write_text(once + PART, encoding="utf-8")
    tuned = hunt_json(lumma, "--rules", path, "--allow", allow("Any start of mshta,*,*,CHG-1,9999-12-31"))
    assert "Many reads by one program" in {row["title"] for row in tuned["alerts"]}
    (entry,) = tuned["allowances"]
    assert (entry["state"], "only a part of correlations" in entry["about"]) == ("unused", True)


# --- every format, any number of jobs ---------------------------------------------------------------------------------


def test_any_number_of_jobs_gives_the_same(
        scenario: Scenario, hunt_json: Hunt, allow: Allow, many: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "workers_for", lambda _units, jobs: jobs)  # as if the files were large
    path = allow(f"{CHROMIUM},*,{THIEF},CHG-1,9999-12-31", "Injection Host Connected to the Internet,*,*,x,9999-12-31")
    found = []
    for jobs in ("1", "2", "3"):
        tuned = hunt_json(scenario("lumma-clickfix"), scenario("benign-day"), "--rules", many, "--allow", path,
                          "--jobs", jobs)
        found.append({key: tuned[key] for key in ("incidents", "alerts", "suppressed", "allowances", "notes")})
    assert found[0] == found[1] == found[2]
    assert len(found[0]["suppressed"]) > 5


@pytest.mark.parametrize("format_", ["table", "json", "jsonl", "html"])
def test_every_format_lists_what_is_suppressed_and_obeys_no_reason(
        format_: str, lumma: Path, allow: Allow, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    path = allow(f"{CHROMIUM},*,{THIEF},{HOSTILE},9999-12-31")
    owner = path.with_name("assets.csv")
    owner.write_text(f"host,role,owner\nws-042,OT,{HOSTILE}\n", encoding="utf-8")
    assert main(["hunt", str(lumma), "--allow", str(path), "--assets", str(owner), "--format", format_, "-q"]) == 0
    out = capsysbinary.readouterr().out.decode()
    assert not set(out) & set("\x1b\u202e\u200b\x9b")
    said = " ".join(out.split())
    if format_ == "table":
        assert re.search(r"\d+ alerts suppressed by allow\.csv \(see --format json\)", said)
        assert re.search(rf"\d+ allow\.csv:2 {CHROMIUM}", said)
        assert "T0882" in said
    elif format_ == "html":
        assert "<script>alert" not in out
        assert '<h2 id="suppressed">Suppressed alerts</h2>' in out
        assert ">allow.csv:2<" in out
        assert f">{path}<" in out  # among the files read
        assert "Theft of Operational Information" in out
    else:
        rows = json.loads(out) if format_ == "json" else {}
        lines = [json.loads(line) for line in out.splitlines()] if format_ == "jsonl" else []
        left_out = rows.get("suppressed") or [row for row in lines if row["kind"] == "suppressed"]
        (entry,) = rows.get("allowances") or [row for row in lines if row["kind"] == "allowance"]
        assert {row["reason"] for row in left_out} == {HOSTILE} == {entry["reason"]}
        assert entry["alerts"] == len(left_out)
        (incident,) = rows.get("incidents") or [row for row in lines if row["kind"] == "incident"]
        assert (incident["impact"], incident["asset"]["owner"]) == (["T0882"], HOSTILE)
        origin = (rows or lines[-1])["provenance"]["lists"]
        assert [Path(row["path"]).name for row in origin] == ["allow.csv", "assets.csv"]


def test_a_list_never_hides_a_loss(lumma: Path, hunt_json: Hunt, allow: Allow, tmp_path: Path) -> None:
    bad = tmp_path / "bad.evtx"
    bad.write_bytes(b"ElfFile\x00" + bytes(500))
    tuned = hunt_json(lumma, bad, "--allow", allow(f"{CHROMIUM},*,*,CHG-1,9999-12-31"), code=exits.PARTIAL)
    assert [row["error"] for row in tuned["errors"]] == ["loss"]
    assert tuned["errors"][0]["where"].startswith(str(bad))


def test_without_lists_nothing_is_said_of_them(
        lumma: Path, whole: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert (whole["suppressed"], whole["allowances"], whole["summary"]["alerts_suppressed"]) == ([], [], 0)
    assert (whole["incidents"][0]["asset"], whole["incidents"][0]["impact"]) == (None, [])
    assert main(["hunt", str(lumma), "-q"]) == exits.DONE
    assert "suppressed" not in capsys.readouterr().out
