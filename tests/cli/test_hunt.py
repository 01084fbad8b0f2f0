"""`douse hunt` as a user and as an attacker meet it: exit codes, formats, clean output, losses shown, hostile text."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from douse.cli import exits
from douse.cli.main import main
from douse.telemetry.chunks import CHUNK_SIZE, FILE_HEADER_SIZE

Scenario = Callable[..., Path]
Run = Callable[..., tuple[int, bytes, str]]

MIDDLE = "2026-11-03T08:15:00"  # of lumma-clickfix; its alerts begin at 08:14:48 and end at 08:15:13
BROKEN_RULE = """title: Broken
logsource: {product: windows, category: process_creation}
detection:
  selection:
    Image|startwith: 'C:\\'
  condition: selection
"""


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run `douse hunt ...`; give exit code, standard output and standard error."""

    def go(*args: str | Path) -> tuple[int, bytes, str]:
        capfdbinary.readouterr()
        code = main(["hunt", *map(str, args)])
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    return go


@pytest.fixture
def lumma(scenario: Scenario) -> Path:
    """An intrusion as one EVTX file."""
    return scenario("lumma-clickfix", file="one.evtx")


@pytest.fixture
def damaged(scenario: Scenario, tmp_path: Path) -> Path:
    """A working day with the header of its second chunk destroyed."""
    data = bytearray(scenario("benign-day", file="day.evtx").read_bytes())
    start = FILE_HEADER_SIZE + CHUNK_SIZE
    data[start:start + 512] = b"\xee" * 512
    path = tmp_path / "damaged.evtx"
    path.write_bytes(data)
    return path


def rows(out: bytes) -> dict[str, list[dict[str, Any]]]:
    """The objects of a JSON Lines output by their kind."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in out.decode("utf-8").splitlines():
        row = json.loads(line)
        found.setdefault(row["kind"], []).append(row)
    return found


# --- exit codes -------------------------------------------------------------------------------------------------------


def test_findings_alone_do_not_change_the_code(run: Run, lumma: Path) -> None:
    assert run(lumma)[0] == exits.DONE


@pytest.mark.parametrize(("name", "level", "code"), [
    ("lumma-clickfix", "critical", exits.FINDINGS), ("lumma-clickfix", "low", exits.FINDINGS),
    ("benign-day", "high", exits.DONE), ("benign-day", "informational", exits.FINDINGS)])
def test_fail_on(name: str, level: str, code: int, run: Run, scenario: Scenario) -> None:
    assert run(scenario(name), "--fail-on", level)[0] == code


def test_fail_on_sees_what_level_hides(run: Run, scenario: Scenario) -> None:
    code, out, _ = run(scenario("benign-day"), "--level", "critical", "--fail-on", "low", "--format", "json")
    assert code == exits.FINDINGS
    assert json.loads(out)["alerts"] == []


@pytest.mark.parametrize(("name", "content", "what"), [
    ("empty.evtx", b"", "empty file"),
    ("wrong.evtx", b"MZ" + bytes(range(256)) * 20, "named like evtx"),
    ("short.evtx", b"ElfFile\x00" + bytes(500), "ends inside its header"),
    ("notes.txt", b"hello", "unknown format"),
    ("a.zip", b"PK\x03\x04" + bytes(500), "damaged zip"),
    ("blank.jsonl", b"\n \n", "no record of a log"),
])
def test_nothing_readable_is_3_and_beside_good_input_4(name: str, content: bytes, what: str, run: Run, lumma: Path,
                                                       tmp_path: Path) -> None:
    bad = tmp_path / name
    bad.write_bytes(content)
    code, out, err = run(bad, "--format", "jsonl", "-q")
    assert code == exits.UNREADABLE
    assert what in rows(out)["error"][0]["what"]
    assert rows(out)["summary"][0]["partial"]
    assert what in err
    if name != "blank.jsonl":  # a file of blank lines lost nothing
        assert run(bad, lumma)[0] == exits.PARTIAL
    assert run(bad, lumma, "--fail-on", "high")[0] == exits.FINDINGS


def test_a_missing_path_is_a_loss_among_others(run: Run, lumma: Path) -> None:
    assert run("no-such-path")[0] == exits.UNREADABLE
    assert run("no-such-path", lumma)[0] == exits.PARTIAL


def test_strict_stops_at_the_first_loss_with_its_place(run: Run, damaged: Path, lumma: Path) -> None:
    code, out, err = run(lumma, damaged, "--strict", "-q")
    assert (code, out) == (exits.UNREADABLE, b"")
    assert f"{damaged}: chunk 1: header destroyed" in err
    assert run(lumma, "no-such-path", "--strict")[0] == exits.UNREADABLE
    assert run(lumma, "--strict")[0] == exits.DONE


def test_a_broken_rule_is_named_and_the_others_run(run: Run, lumma: Path, tmp_path: Path) -> None:
    rule = tmp_path / "broken.yml"
    rule.write_text(BROKEN_RULE)
    code, out, err = run(lumma, "--rules", rule, "--format", "jsonl", "-q")
    found = rows(out)
    assert code == exits.PARTIAL
    assert found["error"] == [{"kind": "error", "error": "rule", "where": f"{rule}:5", "records": None,
                               "what": "unknown modifier 'startwith' on Image.",
                               "next_step": "Did you mean 'startswith'?"}]
    assert found["summary"][0]["rules_rejected"] == 1
    assert found["incident"][0]["level"] == "critical"
    assert f"{rule}:5" in err


def test_no_usable_rule_is_5(run: Run, lumma: Path, tmp_path: Path) -> None:
    rule = tmp_path / "broken.yml"
    rule.write_text(BROKEN_RULE)
    for args in (["--no-builtin"], ["--no-builtin", "--rules", rule], ["--rules", tmp_path / "missing"]):
        code, out, err = run(lumma, *args)
        assert (code, out) == (exits.NO_RULES, b"")
        assert err.startswith("douse: ")


def test_usage_errors(run: Run, lumma: Path) -> None:
    assert run()[0] == exits.USAGE
    assert run(lumma, "--level", "loud")[0] == exits.USAGE
    assert run(lumma, "--since", "soon")[0] == exits.USAGE
    code, _, err = run(lumma, "--since", "2026-12-01", "--until", "2026-11-01")
    assert code == exits.USAGE
    assert "--since is not before --until" in err


# --- what is read -----------------------------------------------------------------------------------------------------


def test_standard_input_in_every_format(lumma: Path, scenario: Scenario, tmp_path: Path) -> None:
    """Zip and EVTX need seeking, which a pipe cannot."""
    packed = tmp_path / "logs.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(lumma, "one.evtx")
    for path in (lumma, scenario("lumma-clickfix", "jsonl", file="one.jsonl"), packed):
        done = subprocess.run([sys.executable, "-m", "douse", "hunt", "-", "--format", "jsonl"],
                              input=path.read_bytes(), capture_output=True, check=False, timeout=60)
        assert done.returncode == exits.DONE, done.stderr
        assert rows(done.stdout)["incident"][0]["level"] == "critical"


def test_a_time_window_with_and_without_a_zone(run: Run, lumma: Path) -> None:
    def alerts(*args: str) -> list[str]:
        code, out, _ = run(lumma, *args, "--format", "jsonl", "-q")
        assert code == exits.DONE
        return [row["time"] for row in rows(out)["alert"]]

    everything, late = alerts(), alerts("--since", MIDDLE)
    assert late == alerts("--since", "2026-11-03T09:15:00+01:00") == [time for time in everything if time >= MIDDLE]
    assert alerts("--until", f"{MIDDLE}Z") == [time for time in everything if time < MIDDLE]
    assert 0 < len(late) < len(everything)


def test_the_resolved_instant_is_told(run: Run, lumma: Path) -> None:
    assert f"since {MIDDLE}Z\n" in run(lumma, "--since", "2026-11-03T09:15:00+01:00")[2]


def test_telemetry_outside_the_window_is_no_coverage(run: Run, lumma: Path) -> None:
    _, out, _ = run(lumma, "--until", "2026-11-03T08:14:50", "--format", "json")
    document = json.loads(out)
    assert any("records lie outside --since and --until" in note for note in document["notes"])
    assert "store-reads" in {spot["requirement"] for spot in document["coverage"][0]["blind_spots"]}


def test_an_empty_window_does_not_look_clean(run: Run, lumma: Path) -> None:
    code, out, _ = run(lumma, "--since", "2026-11-20")
    assert code == exits.PARTIAL
    assert "no event lies between --since and --until" in " ".join(out.decode().split())


def test_level_hides_weaker_findings_and_changes_no_story(run: Run, scenario: Scenario) -> None:
    logs = scenario("lumma-clickfix"), scenario("benign-day")
    whole, strong = (json.loads(run(*logs, "--level", level, "--format", "json")[1]) for level in ("low", "high"))
    assert {alert["level"] for alert in strong["alerts"]} == {"high"}
    [incident] = strong["incidents"]
    assert incident == whole["incidents"][0]


# --- where it goes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["table", "json", "jsonl", "html"])
def test_a_file_is_written_and_not_overwritten(format_: str, run: Run, lumma: Path, tmp_path: Path) -> None:
    target = tmp_path / "result"
    code, out, _ = run(lumma, "--format", format_, "-o", target)
    assert (code, out) == (exits.DONE, b"")
    first = target.read_bytes()
    assert b"\x1b" not in first
    code, _, err = run(lumma, "--format", format_, "-o", target)
    assert code == exits.USAGE
    assert "--force" in err
    assert target.read_bytes() == first
    assert run(lumma, "--format", format_, "-o", target, "--force")[0] == exits.DONE


def test_nothing_is_written_into_the_evidence(run: Run, scenario: Scenario) -> None:
    folder = scenario("lumma-clickfix")
    before = sorted(folder.iterdir())
    assert run(folder, "-o", folder / "report.html", "--force")[0] == exits.USAGE
    assert run(folder, "-o", before[0], "--force")[0] == exits.USAGE
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize("format_", ["json", "jsonl"])
def test_json_is_byte_pure_through_a_pipe(format_: str, run: Run, lumma: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    _, out, err = run(lumma, "--format", format_)
    assert b"\x1b" not in out
    assert out.endswith(b"\n")
    documents = [out] if format_ == "json" else out.splitlines()
    assert all(json.loads(document)["kind"] for document in documents)
    assert "100 %" in err  # the progress went elsewhere
    assert "\x1b" not in err


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_on_a_terminal_json_stays_pure_and_only_the_table_is_coloured(variables: dict[str, str], lumma: Path) -> None:
    def on_terminal(format_: str) -> bytes:
        import pty

        ours, theirs = pty.openpty()
        child = subprocess.Popen([sys.executable, "-m", "douse", "hunt", "-q", "--format", format_, str(lumma)],
                                 stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL,
                                 env={**os.environ, "TERM": "xterm", **variables})
        os.close(theirs)
        said = b""
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:  # the child closed its end
                break
            if not data:
                break
            said += data
        os.close(ours)
        assert child.wait(60) == exits.DONE
        return said

    assert rows(on_terminal("jsonl").replace(b"\r\n", b"\n"))["summary"][0]["incidents"] == 1
    assert (b"\x1b" in on_terminal("table")) is not bool(variables)


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_ctrl_c_keeps_what_was_read(tmp_path: Path) -> None:
    """Standard input that never ends: the run is certainly in the middle of it."""
    child = subprocess.Popen([sys.executable, "-m", "douse", "hunt", "-", "--format", "jsonl"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdin is not None
    child.stdin.write(b'{"not": "an event"}\n' * 200_000)  # far more than a pipe holds: reading has begun
    child.stdin.flush()
    time.sleep(0.2)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == exits.INTERRUPTED, err
    summary = rows(out)["summary"][0]
    assert summary["interrupted"]
    assert summary["partial"]
    assert summary["records_lost"] > 0
    assert b"interrupted" in err


# --- losses and hostile text in every format --------------------------------------------------------------------------


@pytest.mark.parametrize("format_", ["table", "json", "jsonl", "html"])
def test_a_loss_is_shown_in_every_format(format_: str, run: Run, damaged: Path, lumma: Path) -> None:
    code, out, _ = run(lumma, damaged, "--format", format_)
    assert code == exits.PARTIAL
    said = " ".join(out.decode("utf-8").split())
    assert "chunk 1" in said
    assert "kept 0 of 67 records" in said
    if format_ == "jsonl":
        assert rows(out)["summary"][0]["records_lost"] == rows(out)["error"][0]["records"] == 67


def test_a_name_of_thousands_of_characters_does_not_flood_the_screen(run: Run, tmp_path: Path) -> None:
    packed = tmp_path / "flood.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(20):
            archive.writestr(f"{'A' * 30_000}{number}.evtx", b"junk")
    _, out, _ = run(packed)
    assert len(out) < 10_000
    assert b"and 12 more problems" in out


HOSTILE = "\x1b[31mred\x1b]8;;http://evil.example\x07link\x1b]8;;\x07\u202egpj.exe\u200b<script>alert(1)</script>{{7*7}}"


@pytest.fixture
def hostile(scenario: Scenario, tmp_path: Path) -> Path:
    """The intrusion again, its user, command lines and host full of what terminals, browsers and readers obey."""
    text = scenario("lumma-clickfix", "jsonl", file="one.jsonl").read_text(encoding="utf-8")
    escaped = json.dumps(HOSTILE)[1:-1]
    path = tmp_path / "\x1b[31mevil\u202e.jsonl"
    path.write_text(text.replace("anna", f"anna{escaped}").replace("https://verify.example", f"{escaped}https://x.example")
                    .replace("WS-042", f"WS{escaped}"), encoding="utf-8")
    return path


@pytest.mark.skipif(os.name != "posix", reason="no such file name on Windows")
@pytest.mark.parametrize("format_", ["table", "html", "json", "jsonl"])
def test_hostile_text_is_inert(format_: str, run: Run, hostile: Path) -> None:
    code, out, err = run(hostile, hostile.with_name("\x1b]0;owned\x07"), "--format", format_, "--color", "never")
    assert code == exits.PARTIAL  # of the second path, which does not exist and is named as hostile
    assert b"\x1b" not in out + err.encode()
    assert b"\x07" not in out + err.encode()
    if format_ in ("table", "html"):  # JSON is for programs and has the text as it was
        assert "\u202e" not in out.decode() + err
        assert "\u200b" not in out.decode() + err
    if format_ == "html":
        assert b"{{7*7}}" in out
        assert b"<script>alert" not in out
        assert b"&lt;script&gt;alert(1)&lt;/script&gt;" in out
        assert b"\\x1b[31mred" in out
    if format_ == "table":
        assert "\\x1b[31m" in " ".join(out.decode().split())
