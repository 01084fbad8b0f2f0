"""`douse harden collect-script|audit|for` as a user meets them: output, codes, refusals, hostile text."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from douse.cli import exits
from douse.cli.main import main
from harden.fleet import HOSTILE, Fleet, build

Run = Callable[..., tuple[int, bytes, str]]

HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run `douse harden ...`; give exit code, standard output and standard error."""

    def go(*args: str | Path) -> tuple[int, bytes, str]:
        capfdbinary.readouterr()
        code = main(["harden", *map(str, args)])
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    return go


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    return build(tmp_path_factory.mktemp("fleet"))


# ── collect-script ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_script_and_its_hash(run: Run, tmp_path: Path) -> None:
    code, out, err = run("collect-script")
    assert code == exits.DONE
    assert out.isascii()
    assert b"Get-MpPreference" in out
    assert hashlib.sha256(out).hexdigest() in err
    assert run("collect-script", "-o", tmp_path / "collect.ps1")[:2] == (exits.DONE, b"")
    assert (tmp_path / "collect.ps1").read_bytes() == out
    assert run("collect-script", "-o", tmp_path / "collect.ps1")[0] == exits.USAGE


def test_the_questionnaire_is_one_that_the_audit_reads(run: Run, tmp_path: Path) -> None:
    answers = tmp_path / "answers.yml"
    assert run("collect-script", "--questionnaire", "-o", answers)[0] == exits.DONE
    code, out, _ = run("audit", answers, "--format", "json")
    assert code == exits.DONE
    assert {one["kind"] for one in json.loads(out)["files"]} == {"questionnaire"}


# ── audit ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_table(run: Run, fleet: Fleet) -> None:
    code, out, err = run("audit", fleet.evidence, "--inventory", fleet.inventory)
    shown = out.decode()
    assert code == exits.PARTIAL
    assert "mshta.exe is restricted on 1 of 5 hosts" in shown
    assert "PC-D  (no evidence)" in shown
    assert re.search(r"H01 high   \+~\?!x", shown)
    assert "Sources contradict each other" in shown
    assert shown.rstrip().splitlines()[-1].startswith("douse harden generate --controls ")
    assert "truncated" in shown
    assert "truncated" in err


def test_no_hostile_sign_reaches_the_terminal(run: Run, fleet: Fleet) -> None:
    _, out, err = run("audit", fleet.evidence, "--color", "never")
    assert "\\x1b[31mred" in out.decode()
    assert not HIDDEN.search(out.decode())
    assert not HIDDEN.search(err)
    _, out, _ = run("audit", fleet.evidence, "--color", "always")
    assert "\x1b[31mred" not in out.decode()


@pytest.mark.parametrize("word", ["json", "csv", "html", "navigator"])
def test_the_other_formats(run: Run, fleet: Fleet, tmp_path: Path, word: str) -> None:
    place = tmp_path / f"audit.{word}"
    code, out, _ = run("audit", fleet.evidence, "--format", word, "-o", place)
    assert (code, out) == (exits.PARTIAL, b"")
    data = place.read_bytes()
    if word in ("json", "navigator"):
        assert json.loads(data)
    if word == "csv":
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))
        assert len(rows) > 100
        assert not [cell for row in rows for cell in row if cell[:1] in ("=", "+", "@")]
    if word == "html":
        assert b"<script>alert(1)</script>" not in data
        assert b"PC-D" in data or b"PC-B" in data


def test_a_table_in_a_file_is_whole(run: Run, fleet: Fleet, tmp_path: Path) -> None:
    place = tmp_path / "audit.txt"
    run("audit", fleet.evidence, "-o", place)
    text = place.read_text(encoding="utf-8")
    assert "html has all" not in text
    assert "\x1b" not in text
    assert "\\x1b[31mred" in text
    assert HOSTILE not in text


@pytest.mark.parametrize(("words", "code"), [
    ((), exits.DONE), (("--fail-on", "conflict"), exits.DONE), (("--fail-on", "unknown"), exits.FINDINGS),
    (("--fail-on", "conflict,partial"), exits.FINDINGS), (("--fail-on", "fail"), exits.DONE),
])
def test_codes_by_state(run: Run, fleet: Fleet, words: tuple[str, ...], code: int) -> None:
    assert run("audit", fleet.evidence / "PC-A.json", "--controls", "H13,H41", *words)[0] == code


def test_codes_of_what_could_not_be_read(run: Run, fleet: Fleet, tmp_path: Path) -> None:
    assert run("audit", fleet.evidence / "SRV-C_truncated.json")[0] == exits.UNREADABLE
    assert run("audit", tmp_path)[0] == exits.UNREADABLE
    assert run("audit", tmp_path / "missing.json")[0] == exits.UNREADABLE
    assert run("audit", fleet.evidence / "PC-A.json", fleet.evidence / "SRV-C_truncated.json")[0] == exits.PARTIAL
    assert run("audit", fleet.evidence / "PC-A.json", fleet.evidence / "SRV-C_truncated.json",
               "--fail-on", "unknown")[0] == exits.FINDINGS


def test_what_is_refused(run: Run, fleet: Fleet, tmp_path: Path) -> None:
    code, out, err = run("audit", fleet.evidence, "-o", fleet.evidence / "new.html", "--format", "html")
    assert (code, out) == (exits.USAGE, b"")
    assert "lies in the evidence" in err
    assert run("audit", fleet.evidence, "-o", fleet.inventory, "--force", "--inventory",
               fleet.inventory)[0] == exits.USAGE
    assert "is none of" in run("audit", fleet.evidence, "--fail-on", "good")[2]
    code, _, err = run("audit", fleet.evidence, "--controls", "H001")
    assert code == exits.NO_RULES
    assert "no control" in err
    bad = tmp_path / "hosts.csv"
    bad.write_text("name\nPC-A\n")
    code, _, err = run("audit", fleet.evidence, "--inventory", bad)
    assert code == exits.NO_RULES
    assert "hosts.csv:1" in err
    assert run("audit")[0] == exits.USAGE


# ── for ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def hunt(tmp_path_factory: pytest.TempPathFactory, scenario: Callable[..., Path]) -> Path:
    place = tmp_path_factory.mktemp("hunt") / "hunt.json"
    assert main(["hunt", str(scenario("lumma-clickfix")), "--format", "json", "-o", str(place), "-q"]) == exits.DONE
    return place


def test_for_an_incident(run: Run, hunt: Path) -> None:
    code, out, _ = run("for", hunt)
    shown = out.decode()
    assert code == exits.DONE
    assert "controls would have broken this chain" in shown
    assert "No evidence of the computer was given" in shown
    assert shown.rstrip().splitlines()[-1].startswith("douse harden generate --controls ")
    id_ = json.loads(hunt.read_text())["incidents"][0]["incident_id"]
    assert run("for", hunt, "--incident", id_[:8])[1] == out
    code, out, err = run("for", hunt, "--incident", "ffffffff")
    assert (code, out) == (exits.UNREADABLE, b"")
    assert "is no incident of this hunt" in err


def test_for_an_incident_with_evidence(run: Run, hunt: Path, fleet: Fleet) -> None:
    code, out, _ = run("for", hunt, "--evidence", fleet.evidence / "PC-A.json", "--format", "json")
    (row,) = json.loads(out)
    assert code == exits.DONE
    assert row["kind"] == "harden_for"
    assert row["looked"] is True
    assert {one["state"] for one in row["measures"]} == {"unknown"}
    assert "not about WS-042" in row["notes"][0]
    assert run("for", hunt, "--evidence", fleet.evidence)[0] == exits.PARTIAL


def test_for_as_a_ticket(run: Run, hunt: Path) -> None:
    _, out, _ = run("for", hunt, "--format", "markdown")
    text = out.decode()
    assert text.startswith("# What would have broken the chain")
    assert "- [ ] **H06" in text
    assert "    douse harden generate --controls" in text


def test_for_what_is_no_hunt_and_what_has_no_chain(run: Run, hunt: Path, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    assert run("for", tmp_path / "x.json")[0] == exits.UNREADABLE
    document = json.loads(hunt.read_text())
    for incident in document["incidents"]:
        incident["controls"] = []
    (tmp_path / "none.json").write_text(json.dumps(document))
    code, _, err = run("for", tmp_path / "none.json")
    assert code == exits.UNREADABLE
    assert "names a control" in err
