"""`douse harden list|show` as its user meets it: what they print, their exit codes, their files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from douse.cli import exits
from douse.cli.harden import VERBS
from douse.cli.harden_list import PROFILES, SEVERITIES, TAGS
from douse.cli.main import main
from douse.content import controls as controls_file
from douse.content import settings
from douse.content.signs import TAGS as ALL_TAGS


@pytest.fixture(autouse=True)
def plain_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")


def out(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = exits.DONE) -> str:
    assert main(["harden", *arguments]) == code
    return capsys.readouterr().out


def test_the_words_of_the_options_are_those_of_the_catalogue() -> None:
    """They are spelled again in the command, so that --help reads no file."""
    assert set(TAGS) == set(ALL_TAGS)
    assert PROFILES == settings.PROFILES
    assert SEVERITIES == controls_file.SEVERITIES


def test_list_names_every_control_by_severity(capsys: pytest.CaptureFixture[str]) -> None:
    said = out(capsys, "list")
    assert sorted(re.findall(r"^  (H\d\d) ", said, re.MULTILINE)) == [f"H{number:02}" for number in range(1, 45)]
    headings = re.findall(r"^(high|medium|low) \((\d+)\)$", said, re.MULTILINE)
    assert [word for word, _ in headings] == list(SEVERITIES)
    assert sum(int(number) for _, number in headings) == 44
    assert len(re.findall(r"not\s+verified", said)) == 5
    assert "\\x0a" not in said
    assert max(map(len, said.splitlines())) <= 100


def test_tables_look_as_reviewed(capsys: pytest.CaptureFixture[str], golden: Callable[[str, str], None]) -> None:
    golden("harden_list.txt", out(capsys, "list", "--seed", "WL", "--seed", "CREDMAN"))
    golden("harden_show.txt", out(capsys, "show", "H01", "H12", "H37"))


def test_list_can_be_narrowed(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(out(capsys, "list", "--seed", "fw", "--seed", "TRAIN", "--format", "json"))
    assert [row["id"] for row in rows] == ["H01", "H02", "H03", "H04", "H05", "H20"]
    rows = json.loads(out(capsys, "list", "--seed", "FW", "--severity", "high", "--format", "json"))
    assert [row["id"] for row in rows] == ["H01", "H02", "H03"]
    rows = json.loads(out(capsys, "list", "--profile", "seed", "--format", "json"))
    assert {setting["profile"] for row in rows for setting in row["settings"]} == {"", "seed"}
    assert main(["harden", "list", "--seed", "TRAIN", "--severity", "high"]) == exits.NO_RULES
    assert "no control is left of 44" in capsys.readouterr().err


def test_show_explains_a_control(capsys: pytest.CaptureFixture[str]) -> None:
    said = out(capsys, "show", "laps")
    flat = re.sub(r"\s+", " ", said)
    assert said.startswith("medium  H38  Every computer its own administrator password (LAPS)")
    for words in ("Strong and unique passwords", "T1078.003", "M1027, M1026", "IA-5", "Misses", "Costs", "Undo",
                  "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\LAPS",
                  "BackupDirectory: 1 or 2 (REG_DWORD), written as 2", "Get-ItemProperty -LiteralPath",
                  "30 or less", "Sources", "mapping to ATT&CK, NIST SP 800-53 and CIS Controls is ours",
                  "was run on Windows by us"):
        assert words in flat, words
    assert "\\x0a" not in said


def test_show_says_what_nobody_verified(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Not verified: No page of Microsoft describes this" in re.sub(r"\s+", " ", out(capsys, "show", "H09"))
    assert "Not verified in part: " in out(capsys, "show", "H01")
    assert "Not verified" not in out(capsys, "show", "H03")


def test_a_look_that_shows_all_values_of_a_key_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    said = out(capsys, "show", "H14")
    assert said.count("Get-ItemProperty") == 1
    assert len(re.findall(r"^    Disable", said, re.MULTILINE)) == 4


def test_show_takes_several_and_shows_all_where_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    rows = json.loads(out(capsys, "show", "h02,H01", "tamper-protection", "--format", "json"))
    assert [row["id"] for row in rows] == ["H01", "H02", "H18"]
    assert len(json.loads(out(capsys, "show", "--format", "json"))) == 44


@pytest.mark.parametrize(("name", "said"), [("H45", "Controls are H01 to H44"), ("smart-screen", "H19 (smartscreen)"),
                                            ("\x1b]0;x", "\\x1b]0;x: is no control")])
def test_an_unknown_control_ends_with_a_proposal(name: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["harden", "show", name]) == exits.NO_RULES
    captured = capsys.readouterr()
    assert said in captured.err
    assert "\x1b" not in captured.err
    assert captured.out == ""


def test_a_wrong_tag_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["harden", "list", "--seed", "FWALL"]) == exits.USAGE
    assert "'fw'" in capsys.readouterr().err


@pytest.mark.parametrize(("format_", "begins"), [("html", b"<!doctype html>"), ("markdown", b"# "), ("json", b"["),
                                                 ("table", b"\nhigh (")])
def test_a_file_is_written_once(format_: str, begins: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["harden", "list", "--format", format_, "-o", "c.out"]) == exits.DONE
    written = Path("c.out").read_bytes()
    assert written.startswith(begins)
    assert b"\x1b" not in written
    assert capsys.readouterr().out == ""
    assert main(["harden", "list", "--format", format_, "-o", "c.out"]) == exits.USAGE
    assert "already exists" in capsys.readouterr().err
    assert main(["harden", "show", "H01", "--format", format_, "-o", "c.out", "--force"]) == exits.DONE
    assert Path("c.out").read_bytes() != written


def test_colour_is_never_alone(capsys: pytest.CaptureFixture[str]) -> None:
    plain = out(capsys, "show", "H09", "--color", "never")
    colored = out(capsys, "show", "H09", "--color", "always")
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored).split() == plain.split()


def test_an_unknown_verb_is_compared_with_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["harden", "lst"]) == exits.USAGE
    assert "list" in capsys.readouterr().err


def test_help_of_the_group_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    said = out(capsys, "--help")
    assert [entry.name for entry in VERBS if not re.search(rf"^  {entry.name} ", said, re.MULTILINE)] == []


@pytest.mark.parametrize("verb", [entry.name for entry in VERBS])
def test_every_verb_ends_with_examples_and_codes(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = out(capsys, verb, "--help")
    assert f"$ douse harden {verb}" in said
    assert "Exit codes:" in said


def test_help_of_a_verb_reads_no_catalogue() -> None:
    """In an interpreter of its own, as this one has loaded everything."""
    program = ("import sys; from douse.cli.main import main\n"
               "assert main(['harden', 'list', '--help']) == main(['harden', 'show', '--help']) == 0\n"
               "print(sorted({'yaml', 'rich', 'jinja2', 'msgspec', 'douse.content.controls'} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"
