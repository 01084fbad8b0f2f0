"""`douse coverage` as a user meets it: formats, exit codes, clean output, hostile text."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from douse.cli import exits
from douse.cli.main import main
from douse.detection.ruleset import load_rules
from douse.detection.techniques import technique_rows

Scenario = Callable[..., Path]
Run = Callable[..., tuple[int, bytes, str]]
HOSTILE = "\x1b[31mred\x1b]8;;http://evil.example\x07link\u202egpj.exe\u200b<script>alert(1)</script>"


@pytest.fixture
def run_all(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run `douse coverage ...`; give exit code, standard output and standard error."""

    def go(*args: str | Path) -> tuple[int, bytes, str]:
        capfdbinary.readouterr()
        code = main(["coverage", *map(str, args)])
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    return go


@pytest.fixture
def run(run_all: Run) -> Run:
    """The same without our rules, which say nothing about logs and take their time."""
    return lambda *args: run_all("--no-builtin", *args)


def flat(out: bytes) -> str:
    return " ".join(out.decode().split())


# --- the matrix -------------------------------------------------------------------------------------------------------


def test_without_a_path_it_is_the_matrix(run_all: Run) -> None:
    code, out, err = run_all()
    assert (code, err) == (exits.DONE, "")
    said = flat(out)
    for words in ("What can be seen of an infostealer", "Stage 1", "none looks for it", "blind", "ATT&CK"):
        assert words in said, words
    for row in technique_rows(one.rule for one in load_rules([]).rules):
        assert row.id in said
        if row.rules and row.visible_in:
            assert f"rules {row.rules[0]}" in said


def test_the_matrix_as_json_is_an_array(run_all: Run) -> None:
    code, out, _ = run_all("--format", "json")
    assert code == exits.DONE
    rows = {row["id"]: row for row in json.loads(out)}
    assert {"id", "name", "stage", "visible_in", "rules", "needs_file", "blind", "note"} <= rows["T1115"].keys()
    assert rows["T1115"]["visible_in"]
    assert rows["T1218.005"]["rules"]


def test_rules_of_others_see_techniques_too(run: Run, tmp_path: Path) -> None:
    (tmp_path / "my_rule.yml").write_text(
        "title: Mine\nid: 11111111-2222-4333-8444-555555555555\nlevel: low\ntags: [attack.t1113]\n"
        "logsource: {product: windows, category: process_creation}\n"
        "detection: {selection: {Image: x}, condition: selection}\n", encoding="utf-8")
    rows = {row["id"]: row for row in json.loads(run("--rules", tmp_path, "--format", "json")[1])}
    assert {name for name, row in rows.items() if row["rules"]} <= {"T1113", "S1213"}
    assert rows["T1113"]["rules"] == ["my_rule"]


@pytest.mark.parametrize("format_", ["html", "navigator"])
def test_the_matrix_in_other_formats(format_: str, run: Run) -> None:
    code, out, _ = run("--format", format_)
    assert code == exits.DONE
    assert b"T1204.004" in out


def test_options_about_logs_need_logs(run: Run) -> None:
    code, out, err = run("--require", "security-store-read")
    assert (code, out) == (exits.USAGE, b"")
    assert "Name a file or a folder" in err


# --- logs -------------------------------------------------------------------------------------------------------------


def test_a_host_without_the_audit_learns_what_to_switch_on(run: Run, scenario: Scenario) -> None:
    code, out, err = run(scenario("lumma-clickfix-no-audit"))
    assert code == exits.DONE
    assert "100 %" in err
    assert "alert" not in err
    said = flat(out)
    for words in ("WS-042.corp.example can be judged in part", "judged S1 S2 S3 S7; not S4 S5 S6",
                  "Reads of credential stores, for S4, S5, S6 (1 host)", "Advanced Audit Policy Configuration",
                  'auditpol /set /subcategory:"{0CCE921D', "(unverified)", "Not logged: reads of credential stores.",
                  "id security-store-read", "none lost"):
        assert words in said, words


def test_json_of_logs_is_a_document(run: Run, scenario: Scenario) -> None:
    code, out, _ = run(scenario("lumma-clickfix"), "--format", "json", "-q")
    assert code == exits.DONE
    document = json.loads(out)
    assert document["surveyed"]
    assert document["hosts"][0]["usable"] == "yes"
    assert document["provenance"]["gap_seconds"] == 6 * 3600


def test_a_host_with_no_usable_telemetry_is_listed_and_never_clean(run: Run, tmp_path: Path) -> None:
    event = {"Channel": "Setup", "EventID": 1, "Computer": "WS-09", "TimeCreated": "2026-11-18T09:00:00Z"}
    log = tmp_path / "setup.jsonl"
    log.write_text(json.dumps(event), encoding="utf-8")
    code, out, _ = run(log)
    assert code == exits.DONE
    said = flat(out)
    assert "WS-09 cannot be judged" in said
    assert "means nothing" in said
    assert "clean" not in said


@pytest.mark.parametrize(("needs", "name", "code"), [
    (("security-store-read",), "lumma-clickfix", exits.DONE),
    (("security-store-read",), "lumma-clickfix-no-audit", exits.FINDINGS),
    (("sysmon-network", "sysmon-dns"), "lumma-clickfix-no-audit", exits.DONE),
    (("sysmon-network", "defender"), "lumma-clickfix", exits.FINDINGS),
    (("powershell-script-block",), "lumma-clickfix", exits.FINDINGS),
])
def test_require_fails_where_a_host_lacks_it(needs: tuple[str, ...], name: str, code: int, run: Run,
                                             scenario: Scenario) -> None:
    options = [word for need in needs for word in ("--require", need)]
    assert run(scenario(name), "-q", *options)[0] == code


def test_require_knows_its_names(run: Run, scenario: Scenario) -> None:
    code, _, err = run(scenario("lumma-clickfix"), "--require", "colour")
    assert code == exits.USAGE
    assert "security-store-read" in err
    assert "network-flow" not in err


@pytest.mark.parametrize("value", ["0h", "six", "6", "6y", "-1h"])
def test_gap_is_a_length_of_time(value: str, run: Run, scenario: Scenario) -> None:
    code, _, err = run(scenario("lumma-clickfix"), f"--gap={value}")
    assert code == exits.USAGE
    assert "90m, 6h or 2d" in err


def test_since_after_until_is_refused(run: Run, scenario: Scenario) -> None:
    code, _, err = run(scenario("lumma-clickfix"), "--since", "2026-11-04", "--until", "2026-11-03")
    assert code == exits.USAGE
    assert "--since is not before --until" in err


def test_nothing_readable_is_3_and_beside_good_logs_4(run: Run, scenario: Scenario, tmp_path: Path) -> None:
    absent = tmp_path / "absent.evtx"
    code, out, err = run(absent, "--format", "json", "-q")
    assert code == exits.UNREADABLE
    assert json.loads(out)["hosts"] == []
    assert "no such file" in err
    code, out, _ = run(absent, scenario("lumma-clickfix"), "-q")
    assert code == exits.PARTIAL
    assert "This result is partial" in flat(out)
    assert run(absent, "--strict")[0] == exits.UNREADABLE


def test_rules_that_do_not_exist_are_5(run: Run, tmp_path: Path) -> None:
    assert run("--rules", tmp_path / "none")[0] == exits.NO_RULES


@pytest.mark.parametrize("format_", ["table", "json", "html", "navigator"])
def test_a_file_is_written_whole_and_not_overwritten(format_: str, run: Run, scenario: Scenario,
                                                     tmp_path: Path) -> None:
    target, logs = tmp_path / "result", scenario("lumma-clickfix")
    assert run(logs, "--format", format_, "-o", target)[:2] == (exits.DONE, b"")
    first = target.read_bytes()
    assert first
    assert b"\x1b" not in first
    code, _, err = run(logs, "--format", format_, "-o", target)
    assert code == exits.USAGE
    assert "--force" in err
    assert target.read_bytes() == first
    assert run(logs, "--format", format_, "-o", target, "--force")[0] == exits.DONE


def test_nothing_is_written_into_the_evidence(run: Run, scenario: Scenario) -> None:
    folder = scenario("lumma-clickfix")
    before = sorted(folder.iterdir())
    assert run(folder, "-o", folder / "coverage.html", "--force")[0] == exits.USAGE
    assert sorted(folder.iterdir()) == before


def test_a_screen_ends_and_a_file_has_all(run: Run, tmp_path: Path) -> None:
    log = tmp_path / "many.jsonl"
    log.write_text("\n".join(json.dumps({
        "Channel": "Setup", "EventID": 1, "Computer": f"WS-{number:03}", "TimeCreated": "2026-11-18T09:00:00Z"})
        for number in range(45)), encoding="utf-8")
    said = flat(run(log, "-q")[1])
    assert "45 hosts: 45 cannot be judged" in said
    assert "and 5 more hosts" in said
    assert said.count("Host WS-") == 3
    target = tmp_path / "all.txt"
    run(log, "-q", "-o", target)
    assert flat(target.read_bytes()).count("Host WS-") == 45


@pytest.mark.skipif(os.name != "posix", reason="no such file name on Windows")
@pytest.mark.parametrize("format_", ["table", "html", "json", "navigator"])
def test_hostile_text_is_inert(format_: str, run: Run, scenario: Scenario, tmp_path: Path) -> None:
    text = scenario("lumma-clickfix", "jsonl", file="one.jsonl").read_text(encoding="utf-8")
    path = tmp_path / "\x1b[31mevil\u202e.jsonl"
    path.write_text(text.replace("WS-042", f"WS{json.dumps(HOSTILE)[1:-1]}"), encoding="utf-8")
    code, out, err = run(path, path.with_name("\x1b]0;owned\x07"), "--format", format_, "--color", "never")
    assert code == exits.PARTIAL
    for sign in (b"\x1b", b"\x07"):
        assert sign not in out + err.encode()
    if format_ in ("table", "html"):
        assert "\u202e" not in out.decode() + err
    if format_ == "html":
        assert b"<script>alert" not in out
        assert b"&lt;script&gt;alert(1)" in out
