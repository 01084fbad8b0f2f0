"""`douse rules` as its user meets it: every verb, its exit code, its JSON, and that a hostile rule cannot act."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, is_typeddict

import click
import pytest

from douse.cli import exits
from douse.cli.main import main
from douse.cli.rules import rules as group

SYSMON = "Microsoft-Windows-Sysmon/Operational"
RULE = r"""title: Letter Sent by an Office Program
id: 11111111-1111-4111-8111-111111111111
status: test
description: |
  An office program starts a mail client. Misses: webmail.
references: [https://example.org/letters]
author: A tester
date: 2026-11-24
tags: [attack.execution, attack.t1204.002]
logsource: {product: windows, category: process_creation}
detection:
  selection:
    ParentImage|endswith: ['\winword.exe', '\excel.exe']
    CommandLine|contains|all: [mailto, attach]
  filter_main_signed:
    Company: Example Corp
  condition: selection and not filter_main_signed
falsepositives: [mail merge]
level: high
"""
IDLE = """title: Penguin
id: 22222222-2222-4222-8222-222222222222
status: test
description: Another system's rule.
logsource: {product: linux, category: process_creation}
detection: {selection: {Image: x}, condition: selection}
level: low
"""
BROKEN = """title: Broken
id: 33333333-3333-4333-8333-333333333333
logsource: {product: windows, category: process_creation}
detection:
  selection:
    Image|startwith: x
  condition: selection
"""
CASES = r"""match:
  - name: Word mails
    channel: Microsoft-Windows-Sysmon/Operational
    event_id: 1
    fields: {ParentImage: 'C:\Office\winword.exe', CommandLine: 'mail mailto:x attach y'}
benign:
  - name: Word of Example Corp mails
    channel: Microsoft-Windows-Sysmon/Operational
    event_id: 1
    fields: {ParentImage: 'C:\Office\winword.exe', CommandLine: 'mail mailto:x attach y', Company: Example Corp}
"""
EVENT = {"EventID": 1, "Channel": SYSMON, "Computer": "WS-01", "TimeCreated": "2026-11-24T09:00:00Z",
         "EventRecordID": 7, "ParentImage": "C:\\Office\\WINWORD.EXE", "CommandLine": "mail mailto:anna attach x"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with rules/letter.yml, its case, and event.json."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "90")
    for name in ("rules", "cases"):
        (tmp_path / name).mkdir()
    Path("rules/letter.yml").write_text(RULE, encoding="utf-8")
    Path("cases/letter.yml").write_text(CASES, encoding="utf-8")
    write_event(**EVENT)
    return tmp_path


def write_event(**fields: object) -> None:
    Path("event.json").write_text(json.dumps(fields), encoding="utf-8")


def add(name: str, text: str) -> None:
    Path(f"rules/{name}.yml").write_text(text, encoding="utf-8")


OURS = ("--rules", "rules", "--no-builtin")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["rules", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code, out, _ = run(capsys, *arguments, "--format", "json")
    return code, json.loads(out)


# --- list -------------------------------------------------------------------------------------------------------------


def test_list_as_json_is_an_array_of_objects(capsys: pytest.CaptureFixture[str]) -> None:
    add("penguin", IDLE)
    code, rows = run_json(capsys, "list", *OURS)
    assert code == exits.DONE
    assert [row["title"] for row in rows] == ["Letter Sent by an Office Program", "Penguin"]
    letter, penguin = rows
    assert letter.keys() >= {"id", "title", "level", "status", "techniques", "logsource", "evidence_class", "path"}
    assert letter["techniques"] == ["T1204.002"]
    assert letter["logsource"] == {"product": "windows", "category": "process_creation", "service": ""}
    assert letter["evidence_class"] == "X"
    assert letter["path"] == "rules/letter.yml"
    assert (letter["idle"], penguin["idle"]) == ("", "product linux is not Windows")


def test_list_without_options_has_our_own_rules(capsys: pytest.CaptureFixture[str]) -> None:
    code, rows = run_json(capsys, "list")
    assert code == exits.DONE
    assert len(rows) > 20
    assert all(row["builtin"] and row["id"] and row["status"] for row in rows)
    assert [row["level"] for row in rows] == sorted((row["level"] for row in rows), key=(
        "critical", "high", "medium", "low", "informational").index)


def test_list_as_a_table(capsys: pytest.CaptureFixture[str], golden) -> None:
    add("penguin", IDLE)
    code, out, _ = run(capsys, "list", *OURS)
    assert code == exits.DONE
    golden("rules_list.txt", out)


def test_list_by_tag_names_a_rule_under_each_of_its_tags(capsys: pytest.CaptureFixture[str]) -> None:
    add("penguin", IDLE)
    _, out, _ = run(capsys, "list", *OURS, "--by", "tag")
    assert out.count("Letter Sent") == 2
    assert "attack.t1204.002 (1)" in out
    assert "no tag (1)" in out


def test_list_leaves_out_weaker_rules_and_says_when_nothing_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    add("penguin", IDLE)
    assert [row["title"] for row in run_json(capsys, "list", *OURS, "--level", "medium")[1]] == [
        "Letter Sent by an Office Program"]
    code, out, err = run(capsys, "list", *OURS, "--level", "critical", "--format", "json")
    assert (code, json.loads(out)) == (exits.NO_RULES, [])
    assert "no rule is left after --level critical (2 read). Try: douse rules list" in err


def test_list_mentions_rejected_rules_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    add("broken", BROKEN)
    code, out, err = run(capsys, "list", *OURS, "--format", "json")
    assert code == exits.PARTIAL
    assert len(json.loads(out)) == 1
    assert "rules/broken.yml:6: unknown modifier 'startwith' on Image. Did you mean 'startswith'?" in err


# --- show -------------------------------------------------------------------------------------------------------------


def test_show_as_a_table(capsys: pytest.CaptureFixture[str], golden) -> None:
    code, out, _ = run(capsys, "show", "letter", *OURS)
    assert code == exits.DONE
    golden("rules_show.txt", out)


@pytest.mark.parametrize("name", ["letter", "LETTER.yml", "11111111-1111-4111-8111-111111111111",
                                  "letter sent by an office program"])
def test_show_finds_a_rule_by_id_file_or_title(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code, page = run_json(capsys, "show", name, *OURS)
    assert code == exits.DONE
    assert page["description"] == "An office program starts a mail client."
    assert page["misses"] == "webmail."
    assert page["falsepositives"] == ["mail merge"]
    assert page["references"] == ["https://example.org/letters"]
    assert {"channel": SYSMON, "event_ids": [1], "where": {}} in page["reads"]
    assert {"channel": "Security", "event_ids": [4688], "where": {}} in page["reads"]
    assert page["sigma"] == RULE


def test_show_suggests_the_nearest_rule(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "show", "lettre", *OURS)
    assert (code, out) == (exits.NO_RULES, "")
    assert "lettre: no rule has this id, file name or title. Did you mean 'letter'? Try: douse rules list" in err


def test_show_of_a_rejected_rule_says_what_is_wrong_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    add("broken", BROKEN)
    code, _, err = run(capsys, "show", "broken", *OURS)
    assert code == exits.NO_RULES
    assert "unknown modifier 'startwith'" in err


def test_show_of_an_idle_rule_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    add("penguin", IDLE)
    code, out, _ = run(capsys, "show", "penguin", *OURS)
    assert code == exits.DONE
    assert "nothing: it is idle, because product linux is not Windows" in out


def test_show_asks_which_of_two_rules(capsys: pytest.CaptureFixture[str]) -> None:
    add("twice", RULE.replace("11111111-1111", "44444444-1111"))
    code, _, err = run(capsys, "show", "Letter Sent by an Office Program", *OURS)
    assert code == exits.NO_RULES
    assert ("names 2 rules. Use an id: 11111111-1111-4111-8111-111111111111 (rules/letter.yml), 44444444-1111"
            in err)


def test_a_rule_named_by_its_file_need_not_be_named_twice(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_json(capsys, "show", "rules/letter.yml")[1]["title"] == "Letter Sent by an Office Program"
    ours = run_json(capsys, "list")[1][0]
    assert run_json(capsys, "show", ours["path"])[1]["id"] == ours["id"]
    assert run_json(capsys, "explain", "./rules/letter.yml", "event.json")[1]["fires"] is True
    add("penguin", RULE.replace("11111111-1111", "55555555-1111") + "---\n" + IDLE)
    code, _, err = run(capsys, "show", "rules/penguin.yml")
    assert code == exits.NO_RULES
    assert "names 2 rules" in err
    add("broken", BROKEN)
    assert "unknown modifier 'startwith'" in run(capsys, "explain", "rules/broken.yml", "event.json")[2]


FILTER = """title: Not Anna
logsource: {product: windows, category: process_creation}
filter:
  rules: [11111111-1111-4111-8111-111111111111]
  selection_anna: {CommandLine|contains: anna}
  condition: not selection_anna
"""


def test_a_filter_is_seen_where_its_rule_is_shown_and_explained(capsys: pytest.CaptureFixture[str]) -> None:
    add("not_anna", FILTER)
    assert run_json(capsys, "show", "letter", *OURS)[1]["filters"] == ["Not Anna"]
    assert "Narrowed by the filters\n  • Not Anna" in run(capsys, "show", "letter", *OURS)[1]
    _, row = run_json(capsys, "explain", "letter", "event.json", *OURS)
    assert (row["fires"], row["reasons"]) == (False, ["the filter 'Not Anna' leaves it out: selection_anna matches"])
    own, narrowing = row["condition"]["parts"]
    assert (own["holds"], narrowing["kind"], narrowing["name"]) == (True, "filter", "Not Anna")
    assert "no  the filter 'Not Anna'" in run(capsys, "explain", "letter", "event.json", *OURS)[1]
    code, _, err = run(capsys, "show", "Not Anna", *OURS)
    assert code == exits.NO_RULES
    assert "is a filter, rules/not_anna.yml" in err
    assert "It narrows Letter Sent by an Office Program." in err


# --- explain ----------------------------------------------------------------------------------------------------------


def test_explain_as_a_table(capsys: pytest.CaptureFixture[str], golden) -> None:
    write_event(**{**EVENT, "CommandLine": "mail mailto:anna"})
    code, out, _ = run(capsys, "explain", "letter", "event.json", *OURS)
    assert code == exits.DONE
    golden("rules_explain.txt", out)


def test_explain_as_json_has_the_tree(capsys: pytest.CaptureFixture[str]) -> None:
    code, row = run_json(capsys, "explain", "letter", "event.json", *OURS)
    assert code == exits.DONE
    assert (row["fires"], row["read"], row["unread"], row["reasons"]) == (True, True, [], [])
    assert row["event"]["record_id"] == 7
    selection, no_filter = row["condition"]["parts"]
    assert (selection["name"], selection["holds"]) == ("selection", True)
    parent = selection["parts"][0]["parts"][0]
    assert (parent["field"], parent["value"]) == ("ParentImage", EVENT["ParentImage"])
    assert [tried["found"] for tried in parent["tried"]] == [True, False]
    assert (no_filter["kind"], no_filter["holds"]) == ("not", True)


def test_explain_an_event_that_the_rule_does_not_read(capsys: pytest.CaptureFixture[str]) -> None:
    write_event(**{**EVENT, "EventID": 11})
    _, row = run_json(capsys, "explain", "letter", "event.json", *OURS)
    assert (row["fires"], row["read"], row["condition"]["holds"]) == (False, False, True)
    assert row["unread"] == [f"of {SYSMON} it reads event id 1, and this is 11"]
    _, out, _ = run(capsys, "explain", "letter", "event.json", *OURS)
    assert "the condition holds, but the rule is never asked about such an event" in " ".join(out.split())


def test_explain_a_nested_event_and_one_of_many(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    nested = [{"Event": {
        "System": {"Provider": {"#attributes": {"Name": "Microsoft-Windows-Sysmon"}}, "EventID": 1, "Channel": SYSMON,
                   "TimeCreated": {"#attributes": {"SystemTime": "2026-11-24T09:00:00Z"}}, "Computer": "WS-01",
                   "EventRecordID": record},
        "EventData": {"ParentImage": "C:\\Office\\excel.exe", "CommandLine": text},
    }} for record, text in ((7, "mailto attach"), (8, "nothing"))]
    (folder / "log.jsonl").write_text("".join(json.dumps(one) + "\n" for one in nested), encoding="utf-8")
    (folder / "one.json").write_text(json.dumps(nested[0]), encoding="utf-8")
    assert run_json(capsys, "explain", "letter", "one.json", *OURS)[1]["fires"] is True
    assert run_json(capsys, "explain", "letter", "log.jsonl", "--record-id", "7", *OURS)[1]["fires"] is True
    _, row = run_json(capsys, "explain", "letter", "log.jsonl", "--record-id", "8", *OURS)
    assert (row["fires"], row["reasons"]) == (False, ["selection does not match"])


def test_explain_a_record_of_an_evtx_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "lumma-clickfix", "-o", "logs", "--format", "jsonl"]) == exits.DONE
    assert main(["simulate", "lumma-clickfix", "-o", "log.evtx"]) == exits.DONE
    capsys.readouterr()
    main(["hunt", "log.evtx", "--format", "json", "-q"])
    alerts = json.loads(capsys.readouterr().out)["alerts"]
    pasted = next(alert for alert in alerts if alert["title"] == "Command Pasted Into the Run Dialog")
    code, row = run_json(capsys, "explain", "run_dialog_paste", "log.evtx", "--record-id", str(pasted["record_id"]))
    assert code == exits.DONE
    assert row["fires"] is True


@pytest.mark.parametrize(("file", "text", "options", "says"), [
    ("two.jsonl", f"{json.dumps(EVENT)}\n{json.dumps(EVENT)}", ("--record-id", "7"),
     f"has 2 records 7 that the rule reads: 1 is {SYSMON} 1 of WS-01; 2 is {SYSMON} 1 of WS-01. Choose one with --nu"),
    ("two.jsonl", f"{json.dumps(EVENT)}\n{json.dumps(EVENT)}", ("--number", "3"), "has no event number 3; it has 2."),
    ("two.jsonl", f"{json.dumps({**EVENT, 'EventID': 11})}\n{json.dumps({**EVENT, 'EventID': 5})}", (),
     f"has none of the records that the rule reads, but {SYSMON} 11 (1), {SYSMON} 5 (1). It reads {SYSMON} 1; "),
    ("event.json", None, ("--record-id", "99"), "has no record 99 among 1."),
    ("empty.json", "{}", (), "empty.json"),
    ("empty.json", "", (), "empty.json: empty file."),
    ("binary.evtx", "\x00\x01", (), "binary.evtx"),
    ("nowhere.json", None, (), "nowhere.json: no such file or folder."),
    ("rules", None, (), "rules: holds no event."),
])
def test_explain_says_what_is_wrong_with_an_event(capsys: pytest.CaptureFixture[str], file: str, text: str | None,
                                                  options: tuple[str, ...], says: str) -> None:
    if text is not None:
        Path(file).write_text(text, encoding="utf-8")
    code, out, err = run(capsys, "explain", "letter", file, *options, *OURS)
    assert (code, out) == (exits.UNREADABLE, "")
    assert says in err


def test_explain_asks_for_one_selector(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "explain", "letter", "event.json", "--record-id", "7", "--number", "1", *OURS)
    assert code == exits.USAGE
    assert "Give one of them" in err


def test_explain_reads_standard_input(folder: Path) -> None:
    command = [sys.executable, "-m", "douse", "rules", "explain", "letter", "-", *OURS, "--format", "json"]
    done = subprocess.run(command, input=Path("event.json").read_bytes(), capture_output=True, check=True, timeout=60,
                          cwd=folder)
    assert json.loads(done.stdout)["fires"] is True


def test_explain_says_what_of_a_log_could_not_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    Path("log.jsonl").write_text(f"{json.dumps(EVENT)}\n{{broken\n", encoding="utf-8")
    code, out, err = run(capsys, "explain", "letter", "log.jsonl", *OURS, "--format", "json")
    row = json.loads(out)
    assert (code, row["fires"], len(row["survey"]["losses"])) == (exits.PARTIAL, True, 1)
    assert "douse: log.jsonl" in err


# --- test -------------------------------------------------------------------------------------------------------------


def test_our_own_cases_pass(capsys: pytest.CaptureFixture[str]) -> None:
    code, row = run_json(capsys, "test")
    assert code == exits.DONE
    assert row["passed"] is True
    assert len(row["proofs"]) > 20
    assert row["unproven"] == []


def test_a_users_cases_pass_and_fail(capsys: pytest.CaptureFixture[str]) -> None:
    code, row = run_json(capsys, "test", "cases", *OURS)
    assert (code, row["passed"]) == (exits.DONE, True)
    results = row["proofs"][0]["results"]
    assert [(case["must_fire"], case["fired"]) for case in results] == [(True, True), (False, False)]
    add("letter", RULE.replace("Example Corp", "Sample Corp"))
    code, out, _ = run(capsys, "test", "cases", *OURS)
    assert code == exits.FINDINGS
    assert "FAIL Letter Sent by an Office Program" in out
    assert "fires on the benign 'Word of Example Corp mails' (cases/letter.yml:" in out
    assert "1 rule, 2 cases, 1 failed" in out


def test_a_case_without_its_rule_and_a_rule_without_its_case(capsys: pytest.CaptureFixture[str]) -> None:
    Path("cases/letter.yml").rename("cases/leter.yml")
    code, row = run_json(capsys, "test", "cases", *OURS)
    assert code == exits.FINDINGS
    assert row["proofs"][0]["problem"] == ("no rule file is called leter.yml. Did you mean 'letter'? "
                                           "Name the folder of the rules with --rules.")
    assert row["unproven"] == ["rules/letter.yml"]


@pytest.mark.parametrize(("rule", "cases", "says"), [
    (BROKEN, CASES, "unknown modifier"),
    (IDLE, CASES, "can never fire: product linux is not Windows"),
    (RULE, "match: []\n", "no event is listed under match"),
])
def test_a_proof_that_cannot_be_run_fails(capsys: pytest.CaptureFixture[str], rule: str, cases: str,
                                          says: str) -> None:
    add("letter", rule)
    Path("cases/letter.yml").write_text(cases, encoding="utf-8")
    code, row = run_json(capsys, "test", "cases", *OURS)
    assert code == exits.FINDINGS
    assert says in row["proofs"][0]["problem"]


# --- check ------------------------------------------------------------------------------------------------------------


def test_check_as_a_table(capsys: pytest.CaptureFixture[str], golden) -> None:
    add("penguin", IDLE)
    add("broken", BROKEN)
    add("withdrawn", RULE.replace("status: test", "status: deprecated"))
    add("star", RULE.replace("11111111", "55555555").replace("Letter", "Star").replace(r"'\excel.exe'", r"'C:\Of\*\x'"))
    Path("rules/notes.txt").write_text("not a rule", encoding="utf-8")
    code, out, _ = run(capsys, "check", "rules")
    assert code == exits.PARTIAL
    golden("rules_check.txt", out)


def test_check_as_json_accounts_for_every_file(capsys: pytest.CaptureFixture[str]) -> None:
    add("penguin", IDLE)
    add("broken", BROKEN)
    add("empty", "")
    add("list", "[1, 2]")
    code, row = run_json(capsys, "check", "rules")
    assert code == exits.PARTIAL
    summary = row["summary"]
    assert (summary["files"], summary["documents"]) == (5, 5)
    assert summary["documents"] == sum(summary[key] for key in ("loaded", "filters", "idle", "rejected", "skipped"))
    assert row["rejected"] == [{"file": "rules/broken.yml", "line": 6, "what": "unknown modifier 'startwith' on Image.",
                                "next_step": "Did you mean 'startswith'?"}]
    assert row["idle"][0]["idle"] == "product linux is not Windows"
    assert {(skip["file"], skip["reason"]) for skip in row["skipped"]} == {
        ("rules/empty.yml", "no document"), ("rules/list.yml", "no Sigma rule")}
    assert row["unread"] is None


def test_check_with_logs_says_which_rules_read_them(capsys: pytest.CaptureFixture[str]) -> None:
    write_event(**{**EVENT, "EventID": 11})
    code, row = run_json(capsys, "check", "rules", "--logs", "event.json")
    assert code == exits.DONE
    assert row["unread"][0]["reads"].startswith(f"{SYSMON} 1; Security 4688")
    assert row["logs"] == {"records": 1, "records_lost": 0, "losses": []}
    write_event(**EVENT)
    assert run_json(capsys, "check", "rules", "--logs", "event.json")[1]["unread"] == []
    code, _, err = run(capsys, "check", "rules", "--logs", "nowhere.evtx")
    assert code == exits.UNREADABLE
    assert "nowhere.evtx" in err
    code, out, err = run(capsys, "check", "rules", "--logs", "event.json", "--logs", "nowhere.evtx")
    assert code == exits.PARTIAL
    assert ("1 record of the logs read, 1 part not readable: 1 of 1 loaded rules read some of them"
            in " ".join(out.split()))
    assert "douse: nowhere.evtx: no such file or folder." in err


def test_check_ends_with_the_numbers_and_counts_the_lints_by_kind(capsys: pytest.CaptureFixture[str]) -> None:
    add("penguin", IDLE)
    add("several", RULE.replace("11111111-1111", "66666666-1111").replace("Letter", "Star") + "---\n" + FILTER)
    out = run(capsys, "check", "rules")[1]
    assert out.splitlines()[-1] == "3 files with 4 documents: 2 loaded, 1 filter, 1 idle, 0 rejected, 0 skipped"
    by_kind = out.partition("Lints by kind (")[2]
    assert "2 blind-filter             note     some of the records lack a field" in " ".join(by_kind.split("\n")[1:])
    summary = run_json(capsys, "check", "rules")[1]["summary"]
    assert summary["lints"]["blind-filter"] == 2
    assert sum(summary["lints"].values()) == sum(summary["findings"].values())


def test_check_of_a_folder_without_rules_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    Path("nothing").mkdir()
    code, out, err = run(capsys, "check", "nothing")
    assert code == exits.NO_RULES
    assert out.splitlines()[-1] == "0 files: 0 loaded, 0 idle, 0 rejected, 0 skipped"
    assert "there is no rule file (.yml, .yaml) in what was named" in err


def test_check_tells_correlations_and_rules_apart(capsys: pytest.CaptureFixture[str]) -> None:
    add("many", CORRELATION)
    add("idle_many", CORRELATION.replace("99999999", "88888888").replace("Many", "Few").replace(
        "[11111111-1111-4111-8111-111111111111]", "[22222222-2222-4222-8222-222222222222]"))
    add("penguin", IDLE)
    _, row = run_json(capsys, "check", "rules")
    assert {one["title"]: one["kind"] for one in (*row["loaded"], *row["idle"])} == {
        "Letter Sent by an Office Program": "rule", "Many Letters": "correlation", "Penguin": "rule",
        "Few Letters": "correlation"}


def test_check_fails_on_a_lint_only_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    add("letter", RULE.replace("ParentImage", "ParentImag"))
    assert run(capsys, "check", "rules")[0] == exits.DONE
    code, row = run_json(capsys, "check", "rules", "--fail-on", "warning")
    assert code == exits.FINDINGS
    assert [(one["name"], one["file"], one["line"]) for one in row["findings"]] == [
        ("unknown-field", "rules/letter.yml", 13), ("blind-filter", "rules/letter.yml", 16)]
    assert row["findings"][0]["next_step"] == "Did you mean 'ParentImage'?"


def test_check_without_a_usable_rule(capsys: pytest.CaptureFixture[str]) -> None:
    add("letter", IDLE)
    assert run(capsys, "check", "rules")[0] == exits.NO_RULES
    code, _, err = run(capsys, "check", "nowhere")
    assert code == exits.NO_RULES
    assert "nowhere: no such file or folder." in err


def test_check_accounts_for_every_file_of_sigmahq(capsys: pytest.CaptureFixture[str], shared: Path) -> None:
    folder = shared / "data" / "sigma"
    code, row = run_json(capsys, "check", str(folder))
    summary = row["summary"]
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert summary["files"] + summary["other_files"] == len(files)
    assert summary["files"] == sum(1 for path in files if path.suffix == ".yml")
    assert summary["documents"] == sum(summary[key] for key in ("loaded", "filters", "idle", "rejected", "skipped"))
    met = {rule["path"] for state in ("loaded", "idle") for rule in row[state]}
    met |= {one["file"] for state in ("rejected", "skipped") for one in row[state]}
    assert met == {str(path) for path in files if path.suffix == ".yml"}
    assert code == (exits.PARTIAL if summary["rejected"] else exits.DONE)


# --- all verbs --------------------------------------------------------------------------------------------------------

HOSTILE = RULE.replace("title: Letter Sent by an Office Program", 'title: "Red \\e[31m \\u202e\\e]8;;http://x\\a"').replace(
    "[mail merge]", '["\\e[2J"]').replace("Example Corp", '"\\e[31m"')


@pytest.mark.parametrize("arguments", [
    ("list", *OURS), ("show", "letter", *OURS), ("explain", "letter", "event.json", *OURS),
    ("explain", "many", "event.json", *OURS), ("show", "many", *OURS), ("test", "cases", *OURS), ("check", "rules"),
])
@pytest.mark.parametrize("form", ["table", "json"])
def test_a_hostile_rule_or_event_cannot_act(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...],
                                            form: str) -> None:
    add("letter", HOSTILE)
    add("many", CORRELATION)
    write_event(**{**EVENT, "CommandLine": "\x1b[31m mailto attach \u202e", "User": "\x1b[31m\u202e"})
    _, out, err = run(capsys, *arguments, "--format", form)
    assert out
    assert not {"\x1b", "\x07", "\u202e"} & set(out + err)


@pytest.mark.parametrize("arguments", [("list", *OURS), ("check", "rules"), ("test", "cases", *OURS)])
def test_colour_only_when_asked_for(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...],
                                    monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b" not in run(capsys, *arguments)[1]
    assert "\x1b[" in run(capsys, *arguments, "--color", "always")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in run(capsys, *arguments)[1]


@pytest.mark.parametrize("verb", sorted(group.commands))
def test_every_verb_describes_itself_and_loads_nothing_heavy(verb: str) -> None:
    program = ("import json, sys\nfrom douse.cli.main import main\n"
               f"assert main(['rules', '{verb}', '--help']) == 0\nprint('\\n' + json.dumps(sorted(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert not {"yaml", "rich", "evtx", "re2", "msgspec", "jinja2"} & set(json.loads(done.stdout.splitlines()[-1]))
    assert f"$ douse rules {verb}" in done.stdout
    assert "Exit codes:" in done.stdout
    for option in group.commands[verb].params:
        assert not isinstance(option, click.Option) or option.help


@pytest.mark.parametrize("arguments", [
    ("list", *OURS), ("show", "letter", *OURS), ("explain", "letter", "event.json", *OURS),
    ("explain", "many", "event.json", *OURS), ("test", "cases", *OURS), ("check", "rules"),
])
@pytest.mark.parametrize("form", ["table", "json"])
def test_a_result_goes_to_a_file_and_never_over_one(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...],
                                                    form: str) -> None:
    add("many", CORRELATION)
    written = (*arguments, "--format", form, "-o", "result")
    code, out, err = run(capsys, *written)
    assert (out, err) == ("", "")
    assert code == run(capsys, *arguments, "--format", form, "-o", "-")[0]
    first = Path("result").read_text(encoding="utf-8")
    assert json.loads(first) if form == "json" else "etter" in first
    assert "\x1b" not in first
    code, _, err = run(capsys, *written)
    assert code == exits.USAGE
    assert "already exists. Add --force" in err
    Path("result").write_text("old", encoding="utf-8")
    run(capsys, *written, "--force")
    assert Path("result").read_text(encoding="utf-8") == first


@pytest.mark.parametrize("arguments", [("explain", "letter", "event.json", *OURS),
                                       ("check", "rules", "--logs", "event.json")])
def test_a_result_never_goes_into_the_evidence(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    before = Path("event.json").read_bytes()
    code, _, err = run(capsys, *arguments, "-o", "event.json", "--force")
    assert code == exits.USAGE
    assert "lies in the evidence event.json" in err
    assert Path("event.json").read_bytes() == before


def test_a_table_in_a_file_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(30):
        add(f"broken{number}", BROKEN)
    assert "and 10 more; -o FILE or --format json has all" in run(capsys, "check", "rules")[1]
    run(capsys, "check", "rules", "-o", "result")
    text = Path("result").read_text(encoding="utf-8")
    assert "more;" not in text
    assert text.count("unknown modifier 'startwith'") == 30


def test_a_long_title_is_cut_in_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    add("letter", RULE.replace("Letter Sent", "x" * 100_000))
    for arguments in (("list", *OURS), ("test", "cases", *OURS), ("explain", "letter", "event.json", *OURS)):
        assert len(run(capsys, *arguments)[1]) < 5_000


def test_json_is_pure_on_a_pipe(folder: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "douse", "rules", "list", *OURS, "--format", "json"],
                          capture_output=True, check=True, timeout=60, cwd=folder)
    assert json.loads(done.stdout)[0]["title"] == "Letter Sent by an Office Program"
    assert done.stderr == b""


@pytest.mark.skipif(os.name != "posix", reason="closes standard output as a POSIX shell does")
@pytest.mark.parametrize(("more", "code", "says"), [
    ("", exits.USAGE, "standard output: is closed. Name a file with -o."), ("-o result", exits.DONE, ""),
])
def test_a_closed_standard_output(folder: Path, more: str, code: int, says: str) -> None:
    command = f"'{sys.executable}' -m douse rules list {' '.join(OURS)} {more} >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, cwd=folder)
    assert done.returncode == code
    assert says in done.stderr
    assert "internal error" not in done.stderr
    assert Path("result").is_file() is bool(more)


def test_the_handbook_lists_every_lint_and_every_key() -> None:
    from douse.detection.lint.lint import lint_names
    from douse.report import rules_schema as rows

    page = (Path(__file__).resolve().parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    for lint in lint_names().values():
        assert f"| `{lint.name}` | {lint.severity} | {lint.says} |" in page
    for row in vars(rows).values():
        for key in row.__annotations__ if is_typeddict(row) else ():
            assert f"`{key}`" in page, f"docs/rules.md does not name {key} of {row.__name__}"


CORRELATION = """title: Many Letters
id: 99999999-1111-4111-8111-111111111111
name: many_letters
level: high
description: Three letters in five minutes.
correlation:
  type: event_count
  rules: [11111111-1111-4111-8111-111111111111]
  group-by: [User]
  timespan: 5m
  condition: {gte: 3}
"""


def test_a_correlation_is_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    add("many", CORRELATION)
    rows = run_json(capsys, "list", *OURS)[1]
    assert [(row["title"], row["kind"]) for row in rows] == [
        ("Letter Sent by an Office Program", "rule"), ("Many Letters", "correlation")]
    _, page = run_json(capsys, "show", "many_letters", *OURS)
    assert page["joins"] == [{"id": "11111111-1111-4111-8111-111111111111", "level": "high",
                              "title": "Letter Sent by an Office Program", "path": "rules/letter.yml"}]
    assert (page["asks"], page["group_by"]) == ("event_count gte 3 within 5m", ["User"])
    add("both", CORRELATION.replace("99999999", "88888888").replace("[11111111", "[77777777") + "---\n"
        + RULE.replace("11111111-1111", "77777777-1111"))
    assert run_json(capsys, "show", "rules/both.yml")[1]["id"].startswith("88888888"), "not the rule that it joins"
    Path("rules/both.yml").unlink()
    out = run(capsys, "show", "many", *OURS)[1]
    assert "Joins\n  • Letter Sent by an Office Program, high, rules/letter.yml\n  Asks      event_count gte 3" in out
    assert run_json(capsys, "check", "rules")[1]["summary"]["loaded"] == 2


def test_a_correlation_is_explained_over_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    add("many", CORRELATION)
    events = [{**EVENT, "EventRecordID": number, "User": user, "TimeCreated": f"2026-11-24T09:0{minute}:00Z"}
              for number, (user, minute) in enumerate([("anna", 0), ("anna", 4), ("bert", 1), ("", 2), ("anna", 8)])]
    Path("log.jsonl").write_text("".join(json.dumps(one) + "\n" for one in events), encoding="utf-8")
    code, row = run_json(capsys, "explain", "many", "log.jsonl", *OURS)
    assert (code, row["fires"], row["group_count"]) == (exits.DONE, False, 2)
    assert row["left_out"] == {"lack a field of group-by": 1}
    assert [(one["group"], one["matches"], one["value"]) for one in row["groups"]] == [
        ({"User": "anna"}, 3, 2.0), ({"User": "bert"}, 1, 1.0)]
    out = run(capsys, "explain", "many", "log.jsonl", *OURS)[1]
    assert "Fires     no: no group meets that" in out
    assert "no  User = anna  3 matches, nearest 2 from 2026-11-24T09:00:00Z" in out
    events[-1]["TimeCreated"] = "2026-11-24T09:05:00Z"
    Path("log.jsonl").write_text("".join(json.dumps(one) + "\n" for one in events), encoding="utf-8")
    assert run_json(capsys, "explain", "many", "log.jsonl", *OURS)[1]["groups"][0]["alerts"] == 1
    out = run(capsys, "explain", "many", "log.jsonl", *OURS)[1]
    assert "Fires     yes, 1 alert" in out
    assert "yes User = anna  1 alert, 3 matches, best 3" in out
    code, _, err = run(capsys, "explain", "many", "log.jsonl", "--record-id", "1", *OURS)
    assert code == exits.UNREADABLE
    assert "is a correlation, which is about all events of a log" in err


def test_placeholders_wake_a_rule_in_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = RULE.replace("[mailto, attach]", "['%mail_words%', attach]")
    add("letter", wanted.replace("contains|all", "expand|contains|all"))
    Path("lists.yml").write_text("mail_words: [mailto, smtp]\n", encoding="utf-8")
    lists = ("--placeholders", "lists.yml")
    assert "no list is known" in run_json(capsys, "list", *OURS)[1][0]["idle"]
    assert run_json(capsys, "list", *OURS, *lists)[1][0]["idle"] == ""
    assert run_json(capsys, "show", "letter", *OURS, *lists)[1]["idle"] == ""
    assert run_json(capsys, "explain", "letter", "event.json", *OURS, *lists)[1]["fires"] is True
    assert run(capsys, "test", "cases", *OURS)[0] == exits.FINDINGS
    assert run(capsys, "test", "cases", *OURS, *lists)[0] == exits.DONE
    assert run(capsys, "check", "rules")[0] == exits.NO_RULES
    assert run(capsys, "check", "rules", *lists)[0] == exits.DONE
