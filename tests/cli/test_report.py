"""`douse report`, `douse diff` and several formats in one run, as a user meets them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from douse.cli import exits, exports, output
from douse.cli.main import main
from douse.report.formats import FORMATS

Run = Callable[..., tuple[int, bytes, str]]
Scenario = Callable[..., Path]


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run `douse ...`; give exit code, standard output and standard error."""

    def go(*args: str | Path) -> tuple[int, bytes, str]:
        capfdbinary.readouterr()
        code = main(list(map(str, args)))
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    return go


@pytest.fixture
def saved(run: Run, scenario: Scenario, tmp_path: Path) -> Path:
    """A hunt as JSON."""
    path = tmp_path / "saved.json"
    assert run("hunt", scenario("lumma-clickfix"), "--format", "json", "-o", path, "-q")[0] == exits.DONE
    return path


def test_every_format_in_one_run_and_again_from_the_saved(run: Run, scenario: Scenario, tmp_path: Path) -> None:
    words = ",".join(exports.FILES)
    assert run("hunt", scenario("lumma-clickfix"), "--format", words, "-o", tmp_path / "a", "-q")[0] == exits.DONE
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == sorted(exports.FILES.values())
    code, out, _ = run("report", tmp_path / "a" / "hunt.jsonl", "--format", words, "-o", tmp_path / "b")
    assert (code, out) == (exits.DONE, b"")
    for name in exports.FILES.values():
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_several_formats_need_a_folder(run: Run, saved: Path, tmp_path: Path) -> None:
    for args in ([], ["-o", "-"]):
        code, out, err = run("report", saved, "--format", "json,csv", *args)
        assert (code, out) == (exits.USAGE, b"")
        assert "Name a folder for them with -o." in err
    (tmp_path / "file").write_text("old")
    assert "is no folder" in run("report", saved, "--format", "json,csv", "-o", tmp_path / "file")[2]
    assert "its folder does not exist" in run("report", saved, "--format", "json,csv", "-o", tmp_path / "x" / "y")[2]


def test_an_unknown_format_suggests_the_nearest(run: Run, saved: Path) -> None:
    code, _, err = run("report", saved, "--format", "json,sitx")
    assert code == exits.USAGE
    assert "'sitx' is no format. Did you mean 'stix'?" in err
    assert "Known: table, json" in run("report", saved, "--format", "pdf")[2]


def test_nothing_is_overwritten_and_nothing_half_written(run: Run, saved: Path, tmp_path: Path,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "alerts.csv").write_text("old")
    code, _, err = run("report", saved, "--format", "json,csv", "-o", folder)
    assert code == exits.USAGE
    assert "already exists" in err
    assert [path.name for path in folder.iterdir()] == ["alerts.csv"]
    with monkeypatch.context() as patch:
        patch.setitem(FORMATS, "csv", FORMATS["csv"].__class__("alerts.csv", "broken", "douse.report.gone:render"))
        assert run("report", saved, "--format", "json,csv", "-o", folder, "--force")[0] == exits.INTERNAL
        assert run("report", saved, "--format", "json,csv", "-o", tmp_path / "new")[0] == exits.INTERNAL
    assert (folder / "alerts.csv").read_text() == "old"
    assert [path.name for path in folder.iterdir()] == ["alerts.csv"]
    assert not (tmp_path / "new").exists()
    assert run("report", saved, "--format", "json,csv", "-o", folder, "--force")[0] == exits.DONE
    assert (folder / "alerts.csv").read_bytes().startswith(b'"time"')


def test_never_into_the_evidence(run: Run, scenario: Scenario, saved: Path) -> None:
    logs = scenario("lumma-clickfix")
    for place in (logs, logs / "reports"):
        code, _, err = run("hunt", logs, "--format", "json,csv", "-o", place, "--force", "-q")
        assert code == exits.USAGE
        assert "lies in the evidence" in err
    assert "lies in the evidence" in run("report", saved, "--format", "json", "-o", saved, "--force")[2]


def test_one_incident_and_the_table(run: Run, saved: Path) -> None:
    wanted = json.loads(saved.read_bytes())["incidents"][0]["incident_id"]
    code, out, _ = run("report", saved, "--incident", wanted[:8], "--format", "json")
    assert code == exits.DONE
    assert [one["incident_id"] for one in json.loads(out)["incidents"]] == [wanted]
    code, out, _ = run("report", saved)
    assert code == exits.DONE
    assert b"CRITICAL" in out
    assert run("report", saved, "--incident", "zz")[0] == exits.UNREADABLE


def test_what_is_no_hunt_is_3_with_its_place(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"kind": "hunt", "schema": "douse.hunt/9"}')
    code, out, err = run("report", tmp_path / "x.json")
    assert (code, out) == (exits.UNREADABLE, b"")
    assert err.startswith(f"douse: {tmp_path / 'x.json'}: has schema douse.hunt/9")


def test_secrets_are_left_out_again_unless_asked_for(run: Run, saved: Path) -> None:
    document = json.loads(saved.read_bytes())
    document["alerts"][0]["fields"]["CommandLine"] = "net use x: /user:anna password=Hunter2Canary"
    saved.write_text(json.dumps(document))
    assert b"Hunter2Canary" not in run("report", saved, "--format", "json")[1]
    assert b"Hunter2Canary" in run("report", saved, "--format", "json", "--no-redact")[1]


def test_diff_says_what_is_new_and_fails_when_asked(run: Run, saved: Path, scenario: Scenario, tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.json"
    run("hunt", scenario("benign-day"), "--format", "json", "-o", quiet, "-q")
    code, out, _ = run("diff", quiet, saved, "--fail-on-new", "high")
    assert code == exits.FINDINGS
    assert b"New incidents\n  - critical: " in out
    assert b"no longer reports" in out
    assert run("diff", saved, saved, "--fail-on-new", "informational")[0] == exits.DONE
    assert json.loads(run("diff", quiet, saved, "--format", "json")[1])["highest_new"] == "critical"
    assert b"## New incidents" in run("diff", quiet, saved, "--format", "markdown")[1]
    assert run("diff", "-", "-")[0] == exits.USAGE
    assert run("diff", saved, tmp_path / "none.json")[0] == exits.UNREADABLE


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(output.OutputError, match="No space left"):
        output.write_together({tmp_path / "new" / "a": [b"x"], tmp_path / "new" / "b": [b"y"]})
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("typed", "offered"), [("ma", ["markdown"]), ("json,st", ["json,stix"]), ("x", [])])
def test_words_are_completed(typed: str, offered: list[str]) -> None:
    import click

    param = click.Option(["--format"])
    found = exports.Formats().shell_complete(click.Context(click.Command("x")), param, typed)
    assert [one.value for one in found] == offered
