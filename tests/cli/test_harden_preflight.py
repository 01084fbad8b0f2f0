"""`douse harden preflight` and `verify` as a user meets them: formats, exit codes, files, real and simulated logs."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest

from douse.cli.main import main
from douse.harden.preflight.record import read_record
from harden.preflight.fleet_logs import DAY, HOSTS, days_of, form, hta, inventory, on, write
from harden.test_verify import refused

Run = Callable[..., tuple[int, str, str]]
Scenario = Callable[..., Path]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run `douse harden ...`; give exit code, standard output and standard error."""

    def go(*args: str | Path) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(["harden", *map(str, args)])
        out, err = capfd.readouterr()
        return code, out, err

    return go


@pytest.fixture
def month(tmp_path: Path) -> tuple[Path, Path]:
    """A month of three idle hosts with a business application on one, and the inventory of them."""
    events = chain(*map(days_of, HOSTS), form(HOSTS[0], range(3, 9)))
    return write(tmp_path / "month.jsonl", events), inventory(tmp_path)


def test_from_the_first_run_to_a_go(run: Run, month: tuple[Path, Path], tmp_path: Path) -> None:
    log, hosts = month
    base = ("preflight", "mshta", "--logs", log, "--inventory", hosts, "-q")
    todo, record = tmp_path / "todo.yml", tmp_path / "preflight.json"
    code, out, _ = run(*base, "--write-decisions", todo)
    assert code == 10
    assert out.startswith("NO-GO  mshta.exe\n")
    assert "no decision is signed" in out
    text = todo.read_text(encoding="utf-8")
    for name, value in {"decision": "migrate", "owner": "Ben", "signed": "2020-01-01", "expires": "2999-01-01",
                        "ticket": "CHG-7", "reason": "version 9"}.items():
        text = text.replace(f'{name}: ""', f'{name}: "{value}"')
    todo.write_text(text, encoding="utf-8")
    code, out, err = run(*base, "--decisions", todo, "-o", record)
    assert (code, out) == (0, "")
    assert "GO; exit code 0" in err
    found = read_record(record)
    assert (found.verdict, found.program) == ("GO", "mshta.exe")
    assert json.loads(record.read_bytes())["command_line"].startswith("douse")


@pytest.mark.parametrize(("name", "begins"), [
    ("a.json", "{"), ("a.HTML", "<!doctype html>"), ("a.csv", '"row"'), ("a.txt", "NO-GO")])
def test_the_ending_of_a_file_decides_the_format(
    run: Run, month: tuple[Path, Path], tmp_path: Path, name: str, begins: str,
) -> None:
    log, hosts = month
    base = ("preflight", "mshta.exe", "--logs", log, "--inventory", hosts, "-q", "-o", tmp_path / name)
    assert run(*base)[0] == 10
    assert (tmp_path / name).read_text(encoding="utf-8").lstrip().startswith(begins)
    assert run(*base)[0] == 2  # it is there already
    assert run(*base, "--force", "--format", "json")[0] == 10
    assert json.loads((tmp_path / name).read_bytes())["verdict"] == "NO-GO"


def test_nothing_is_written_over_a_list_or_into_evidence(run: Run, month: tuple[Path, Path]) -> None:
    log, hosts = month
    base = ("preflight", "mshta", "--logs", log, "--inventory", hosts, "-q", "--force")
    for target in (log, hosts):
        before = target.read_bytes()
        assert run(*base, "-o", target)[0] == 2
        assert run(*base, "--write-decisions", target)[0] == 2
        assert target.read_bytes() == before


def test_the_record_is_not_overwritten_by_the_decisions(run: Run, month: tuple[Path, Path], tmp_path: Path) -> None:
    base = ("preflight", "mshta", "--logs", month[0], "--inventory", month[1], "-q")
    for files in (("-o", tmp_path / "a.json", "--write-decisions", tmp_path / "." / "a.json"),
                  ("--write-decisions", "-"), ("-o", "-", "--write-decisions", "-")):
        code, out, err = run(*base, *files)
        assert (code, out, "where the result goes, too" in err) == (2, "", True)
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize("more", [
    ("--inventory", "nowhere.csv"), ("--decisions", "nowhere.yml"), ("--internal", "corp"), ("--ioc", "nowhere.txt")])
def test_a_list_that_cannot_be_used_is_an_error_of_its_own(run: Run, month: tuple[Path, Path],
                                                           more: tuple[str, str]) -> None:
    log, hosts = month
    code, _, err = run("preflight", "mshta", "--logs", log, "--inventory", hosts, "-q", *more)
    assert code == 5
    assert more[1].partition(".")[0] in err


def test_a_simulated_intrusion_is_a_no_go_and_an_ordinary_day_is_not_enough(
    run: Run, scenario: Scenario, tmp_path: Path,
) -> None:
    hosts = inventory(tmp_path, ["WS-042", "WS-019"])
    lumma, day = scenario("lumma-clickfix"), scenario("benign-day")
    code, out, _ = run("preflight", "mshta", "--logs", lumma, "--inventory", hosts, "-q", "--format", "json")
    document = json.loads(out)
    (use,) = document["use_cases"]
    assert (code, document["verdict"], use["class"], use["destination"]) == (10, "NO-GO", "suspect", "verify.example")
    code, out, _ = run("preflight", "mshta", "--logs", day, "--inventory", hosts, "-q")
    assert code == 11
    assert out.startswith("INSUFFICIENT")
    one = inventory(tmp_path, ["WS-019"])
    code, out, _ = run("preflight", "mshta", "--logs", day, "--inventory", one, "-q", "--days", "1")
    assert code == 11  # its HTA started, and nothing proves that Sysmon's configuration has connections of mshta
    assert "no record would have shown a connection" in " ".join(out.split())
    assert run("preflight", "mshta", "--logs", day, "--inventory", one, "-q")[0] == 11  # its log begins that day


def test_real_logs_of_mshta_and_of_regsvr32(run: Run, shared: Path, tmp_path: Path) -> None:
    attack = next((shared / "data" / "evtx").glob("*panache_sysmon_vs_EDRTestingScript.evtx"))
    hosts = inventory(tmp_path, ["MSEDGEWIN10", "WORKSTATION5"])
    more = ("--inventory", hosts, "--days", "1", "-q", "--format", "json")
    code, out, _ = run("preflight", "mshta", "--logs", attack, *more)
    uses = json.loads(out)["use_cases"]
    assert code == 10
    assert {(use["class"], use["basis"], use["parent"], use["port"]) for use in uses} == {
        ("suspect", "connected", "cmd.exe", 443), ("suspect", "connected", "cmd.exe", 80)}
    assert all("javascript:" in use["command"] and use["users"] == ["MSEDGEWIN10\\IEUser"] for use in uses)

    both = shared / "data" / "otrf" / "defense_evasion__host__empire_launcher_sct_regsvr32.zip"
    code, out, _ = run("preflight", "regsvr32", "--logs", both, *more)
    document = json.loads(out)
    (use,) = document["use_cases"]
    assert (code, use["class"], use["destination"], use["port"], use["times"]) == (
        10, "suspect", "10.10.10.0/24", 8444, 1)
    assert {record.split(" #")[0].rpartition(" ")[2] for record in use["evidence"]} == {"1", "3", "4688", "5156"}
    assert document["hosts"][1]["network"] == ["Security 5156", "Sysmon 3"]


def test_verify_says_who_was_hit(run: Run, tmp_path: Path) -> None:
    ran = hta(40 * DAY, "mshta.exe a.hta")
    log = write(tmp_path / "after.jsonl", on(HOSTS[0], [refused(ran, 40 * DAY, "203.0.113.5")]))
    code, out, _ = run("verify", "--logs", log, "--inventory", inventory(tmp_path), "-q")
    assert code == 0
    assert out.startswith("1 hit of mshta.exe\n")
    assert "2 hosts of 3 cannot say" in " ".join(out.split())
    assert run("verify", "--logs", log, "--fail-on-hits", "-q")[0] == 1
    assert run("verify", "--logs", log, "--since", "2027-01-01", "--fail-on-hits", "-q")[0] == 0
    assert run("verify", "--logs", tmp_path / "nowhere", "-q")[0] == 3
    assert run("verify", "--logs", log, "-q", "-o", tmp_path / "hits.csv")[0] == 0
    assert (tmp_path / "hits.csv").read_text(encoding="utf-8").startswith('"state"')
