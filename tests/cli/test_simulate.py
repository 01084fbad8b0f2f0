"""`douse simulate` as a user types it: paths on standard output, the rest on standard error."""

from pathlib import Path

import pytest

from douse.cli import exits
from douse.cli.main import main


def run(capfd: pytest.CaptureFixture[str], *args: str | Path) -> tuple[int, str, str]:
    code = main(["simulate", *map(str, args)])
    captured = capfd.readouterr()
    return code, captured.out, captured.err


def test_standard_output_is_the_paths(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capfd, "lumma-clickfix", "-o", tmp_path / "logs", "--seed", "4", "--noise", "20")
    assert code == exits.DONE
    paths = [Path(line) for line in out.splitlines()]
    assert paths == sorted((tmp_path / "logs").iterdir())
    assert "85 records on WS-042.corp.example" in err
    assert "seed 4" in err
    assert "\x1b" not in err


def test_the_format_can_be_chosen(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capfd, "benign-day", "-o", tmp_path / "day.log", "--format", "jsonl")
    assert (code, out) == (exits.DONE, f"{tmp_path / 'day.log'}\n")
    assert (tmp_path / "day.log").read_bytes().startswith(b'{"Event":')


def test_a_file_that_exists_needs_force(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "x.evtx"
    target.write_bytes(b"mine")
    code, out, err = run(capfd, "lumma-clickfix", "-o", target)
    assert (code, out) == (exits.USAGE, "")
    assert "--force" in err
    assert target.read_bytes() == b"mine"
    assert run(capfd, "lumma-clickfix", "-o", target, "--force")[0] == exits.DONE
    assert target.read_bytes().startswith(b"ElfFile\0")


def test_an_unknown_scenario_lists_the_known_ones(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capfd, "nothing", "-o", tmp_path / "x.evtx")
    assert (code, out) == (exits.USAGE, "")
    for name in ("benign-day", "cracked-installer", "lumma-clickfix", "lumma-clickfix-no-audit"):
        assert name in err


def test_the_list_says_what_each_scenario_is(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capfd, "--list")
    assert (code, err) == (exits.DONE, "")
    assert [line.split()[0] for line in out.splitlines()] == [
        "benign-day", "cracked-installer", "lumma-clickfix", "lumma-clickfix-no-audit"]
    assert "An ordinary working day" in out


@pytest.mark.parametrize("args", [("lumma-clickfix",), ("lumma-clickfix", "-o", "x.evtx", "--noise", "-1"),
                                  ("lumma-clickfix", "-o", "x.evtx", "--format", "xml")])
def test_wrong_usage_is_code_two(args: tuple[str, ...], capfd: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capfd, *args)
    assert (code, out) == (exits.USAGE, "")


def test_standard_output_takes_no_records(capfd: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capfd, "lumma-clickfix", "-o", "-")
    assert (code, out) == (exits.USAGE, "")
    assert "not to standard output" in err
    assert not Path("-").exists()
