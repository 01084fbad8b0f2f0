"""The measures against a chain: their order, what is in place, and the command that follows."""

from __future__ import annotations

from pathlib import Path

import pytest

from douse.content.controls import controls
from douse.errors import EvidenceError
from douse.harden.for_incident import Broken, Chain, ForIncident, formats_for, measures
from harden.collected import collected
from harden.fleet import TODAY, build

STEPS = ("A command was pasted", "mshta was started", "mshta connected", "Passwords were read")
BROKEN = (
    Broken("H12", "limits", 1, "pasted"), Broken("H11", "stops", 1, "pasted"), Broken("H06", "stops", 2, "started"),
    Broken("H01", "stops", 3, "connected"), Broken("H28", "limits", 4, "read"), Broken("H43", "shows", 4, "unlogged"))


def chain(*broken: Broken, host: str = "PC-B") -> Chain:
    return Chain("5ad6bd6c-0000", host, "Infostealer incident", "critical", "2026-11-03T08:14:00Z", STEPS,
                 broken or BROKEN)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("fleet")).evidence


def one(*args, **more) -> ForIncident:
    (found,) = measures([chain(*args)], **more)
    return found


def test_what_stops_comes_first_then_the_earliest_step() -> None:
    found = one()
    assert [(it.control.id, it.effect, it.step) for it in found.measures] == [
        ("H11", "stops", 1), ("H06", "stops", 2), ("H01", "stops", 3), ("H12", "limits", 1), ("H28", "limits", 4),
        ("H43", "shows", 4)]
    assert found.measures[1].step_title == "mshta was started"
    assert {it.state for it in found.measures} == {""}
    assert not found.looked


def test_of_one_step_what_weighs_more_comes_first() -> None:
    found = one(Broken("H12", "limits", 1, ""), Broken("H32", "limits", 1, ""))
    assert [it.control.severity for it in found.measures] == ["high", "low"]


def test_what_is_needed_is_in_the_command() -> None:
    found = one()
    assert {"H03", "H07"} <= set(found.needed)
    assert found.command.startswith("douse harden generate --controls H01,H03,H06,H07,H11,H12,H28")
    assert found.command.endswith("--mode audit -o bundle/")
    assert found.preflights == (
        "douse harden preflight mshta --logs logs/ --inventory hosts.csv -o preflight.json",)
    assert "--profile recommended" in one(profile="recommended").command


def test_the_command_is_one_that_the_program_takes(tmp_path: Path) -> None:
    from douse.cli.main import main

    words = one().command.split()[1:]
    assert main([*words[:-1], str(tmp_path / "bundle")]) == 0
    assert (tmp_path / "bundle" / "README.md").is_file()


def test_formats_are_few_and_say_everything_that_can_be_said() -> None:
    settings = [setting for control in controls() for setting in control.settings_of("seed")]
    words = formats_for(settings)
    assert words[0] == "gpo"
    assert "wdac" in words
    assert formats_for([]) == ()
    hooks = next(control for control in controls() if control.id == "H42").settings_of("seed")
    assert formats_for(hooks) == ()


def test_what_is_in_place_comes_last(evidence: Path) -> None:
    (found,) = measures([chain(host="pc-a.corp.example")], evidence=[str(evidence)], today=TODAY)
    assert {it.control.id: it.state for it in found.measures} == dict.fromkeys(
        ("H11", "H06", "H01", "H12", "H28", "H43"), "pass")
    assert found.command == ""
    (found,) = measures([chain(host="PC-B")], evidence=[str(evidence)], today=TODAY)
    assert {it.control.id: it.state for it in found.measures}["H01"] == "partial"
    assert found.looked
    (found,) = measures([chain(Broken("H03", "stops", 1, ""), Broken("H11", "limits", 2, ""))],
                        evidence=[str(evidence)], today=TODAY)
    assert [(it.control.id, it.state) for it in found.measures] == [("H11", "fail"), ("H03", "pass")]
    assert "H03" not in found.command


def test_evidence_of_another_host_says_so_and_proves_nothing(evidence: Path) -> None:
    (found,) = measures([chain(host="WS-042")], evidence=[str(evidence / "PC-A.json")], today=TODAY)
    assert {it.state for it in found.measures} == {"unknown"}
    assert found.notes == ("The evidence is about PC-A, not about WS-042: what is in place there is not known.",)


def test_a_control_that_only_an_export_shows_is_judged_by_the_tenant(evidence: Path) -> None:
    (found,) = measures([chain(Broken("H42", "limits", 4, "cookies"))], evidence=[str(evidence)], today=TODAY)
    assert found.measures[0].state == "partial"
    assert found.command == ""


def test_ids_of_another_version_are_told_and_none_at_all_is_an_error() -> None:
    found = one(Broken("H01", "stops", 3, ""), Broken("H99", "stops", 1, ""))
    assert found.unknown == ("H99",)
    with pytest.raises(EvidenceError, match="names no control"):
        one(Broken("H99", "stops", 1, ""))


def test_a_step_that_is_not_there_has_no_title() -> None:
    assert one(Broken("H01", "stops", 99, "")).measures[0].step_title == ""


def test_of_two_computers_of_one_name_nobody_knows_which_it_was(tmp_path: Path) -> None:
    for domain in ("a.example", "b.example"):
        (tmp_path / f"{domain}.json").write_bytes(collected("PC1", domain=domain))
    (found,) = measures([chain(host="PC1")], evidence=[str(tmp_path)], today=TODAY)
    assert {it.state for it in found.measures} == {"unknown"}
    assert "PC1.a.example and PC1.b.example" in found.notes[0]
    (found,) = measures([chain(host="pc1.b.example")], evidence=[str(tmp_path)], today=TODAY)
    assert found.notes == ()
    assert "fail" in {it.state for it in found.measures}
