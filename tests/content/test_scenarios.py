"""Scenarios as data: ours keep the manners of their README, and a broken one names file, line and fix."""

import base64
import ipaddress
import re
from datetime import timedelta
from pathlib import Path

import pytest

from douse.content.scenarios import FOLDER, Scenario, load_programs, load_scenario, scenario_ids
from douse.errors import ContentError

RESERVED = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "10.0.0.0/8")))
NAMED_ON_PURPOSE = {"t.me", "steamcommunity.com"}
RESERVED_NAME = re.compile(r"(?:.+\.)?(?:example|example\.com|example\.net|example\.org)", re.IGNORECASE)


def texts(scenario: Scenario) -> str:
    """Everything a scenario says, as one text."""
    spoken = [str(value) for step in scenario.steps for value in step.arguments.values()]
    return "\n".join([*spoken, *(process.command for process in scenario.processes.values())])


def addresses(scenario: Scenario) -> set[str]:
    said = {str(step.arguments["address"]) for step in scenario.steps if step.action == "network"}
    lists = [step.arguments.get("answers", ()) for step in scenario.steps if step.action == "dns"]
    return said | {answer for answers in lists if isinstance(answers, tuple) for answer in answers} | {scenario.address}


@pytest.mark.parametrize("name", scenario_ids())
def test_no_text_reaches_anybody(name: str) -> None:
    scenario = load_scenario(name)
    for address in addresses(scenario):
        assert any(ipaddress.ip_address(address) in network for network in RESERVED), address
    for step in scenario.steps:
        if step.action == "dns":
            query = str(step.arguments["name"])
            assert RESERVED_NAME.fullmatch(query) or query in NAMED_ON_PURPOSE, step.where
    for host in re.findall(r"(?i)\b(?:https?|ftp)://([^/\s'\":]+)", texts(scenario)):
        assert RESERVED_NAME.fullmatch(host), host
    assert RESERVED_NAME.fullmatch(scenario.host)


@pytest.mark.parametrize("name", scenario_ids())
def test_encoded_commands_are_harmless(name: str) -> None:
    found = re.findall(r"(?i)-enc(?:odedcommand)? ([A-Za-z0-9+/=]{16,})", texts(load_scenario(name)))
    decoded = {base64.b64decode(code).decode("utf-16-le") for code in found}
    assert decoded <= {"# Douse simulation: this comment is all there is.", "Get-CimInstance Win32_BIOS"}
    assert decoded or name == "cracked-installer"


def test_every_action_of_the_readme_exists_and_the_reverse() -> None:
    from douse.content.scenarios import ACTIONS

    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[a-z_]+.*?) \|", readme[readme.index("## Steps"):], re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"`([a-z_]+)", row)}
    assert named == set(ACTIONS)


def test_a_variant_has_its_base_and_less() -> None:
    base, variant = load_scenario("lumma-clickfix"), load_scenario("lumma-clickfix-no-audit")
    assert variant.steps == base.steps
    assert (variant.without, base.without) == (frozenset({4663}), frozenset())
    assert variant.title != base.title


def test_programs_are_known_by_label() -> None:
    assert load_programs()["regasm"].image.endswith("RegAsm.exe")
    assert load_programs()["regasm"].original_name == "RegAsm.exe"


MINIMAL = """\
id: one
title: One
description: A test.
start: 2026-11-03T08:00:00Z
host: {name: A.example, address: 10.0.0.1}
accounts:
  anna: {name: 'CORP\\anna', sid: S-1-5-21-1-2-3-4, logon_id: 0x10}
processes:
  shell: {program: explorer, account: anna}
  tool: {program: cmd, account: anna, parent: shell}
steps:
  - {at: 1, start: tool}
  - {at: 2.5, dns: tool, name: a.example}
  - {at: '08:00:30', end: tool}
"""


def load(folder: Path, text: str) -> Scenario:
    (folder / "programs.yml").write_text((FOLDER / "programs.yml").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "one.yml").write_text(text, encoding="utf-8")
    return load_scenario("one", folder)


def test_offsets_are_seconds_or_clock_times_and_steps_are_put_in_order(tmp_path: Path) -> None:
    late_first = MINIMAL.replace("  - {at: 1, start: tool}\n", "") + "  - {at: 1, start: tool}\n"
    scenario = load(tmp_path, MINIMAL)
    assert [(step.at, step.action) for step in scenario.steps] == [
        (timedelta(seconds=1), "start"), (timedelta(seconds=2.5), "dns"), (timedelta(seconds=30), "end")]
    assert [step.at for step in load(tmp_path, late_first).steps] == [step.at for step in scenario.steps]
    assert scenario.processes["tool"].command == '"C:\\Windows\\System32\\cmd.exe"'
    assert scenario.accounts["anna"].logon_id == 16


def test_a_repeated_step_comes_at_its_distance(tmp_path: Path) -> None:
    text = MINIMAL.replace("name: a.example}", "name: a.example, repeat: {times: 3, every: 2}}")
    offsets = [step.at.total_seconds() for step in load(tmp_path, text).steps if step.action == "dns"]
    assert offsets == [2.5, 4.5, 6.5]


@pytest.mark.parametrize(("old", "new", "complaint"), [
    ("dns: tool", "dsn: tool", r"one\.yml:13: a step must have one action, this has no known action"),
    ("name: a.example", "nmae: a.example", r"one\.yml:13: name is missing"),
    ("name: a.example", "name: a.example, answer: [x]", r"one\.yml:13: unknown key 'answer'\. Did you mean 'answers"),
    ("name: a.example", "name: a.example, answers: x", r"one\.yml:13: answers must be a list"),
    ("dns: tool", "dns: tol", r"one\.yml:13: dns: unknown process 'tol'"),
    ("at: 2.5", "at: 45.0", r"one\.yml:13: 'tool' acts while it is not running"),
    ("at: 2.5", "at: soon", r"one\.yml:13: at must be seconds or a clock time"),
    ("at: 2.5", "at: '07:59:59'", r"one\.yml:13: at '07:59:59' is before the start"),
    ("at: 1,", "at: nan,", r"one\.yml:12: at must be seconds"),
    ("program: cmd", "program: cmdd", r"one\.yml:10: unknown program 'cmdd'\..*Did you mean"),
    ("parent: shell", "parent: shel", r"unknown parent 'shel'"),
    ("account: anna}\n  tool", "account: ann}\n  tool", r"one\.yml:9: unknown account 'ann'"),
    ("S-1-5-21-1-2-3-4", "anna", r"one\.yml:7: sid must look like"),
    ("logon_id: 0x10", "logon_id: ten", r"one\.yml:7: logon_id must be a whole number"),
    ("logon_id: 0x10", "logon_id: 1, integrity: Huge", r"one\.yml:7: integrity must be one of Low, Medium"),
    ("CORP\\anna", "anna", r"one\.yml:7: name must be DOMAIN"),
    ("08:00:00Z", "08:00:00", r"one\.yml:4: start must be in UTC"),
    ("2026-11-03T", "tomorrow", r"one\.yml:4: start must be a time"),
    ("id: one", "id: two", r"one\.yml:1: id is 'two', but the file is called one\.yml"),
    ("title: One", "title: One\ntitle: Two", r"one\.yml:3: 'title' is given twice"),
    ("title: One", "title: [One]", r"one\.yml:2: title must be one value"),
    ("title: One", "title: 'One", r"one\.yml:\d+: not YAML"),
    ("host: {name: A.example, address: 10.0.0.1}\n", "", r"host is missing"),
    ("title: One", "titel: One", r"title is missing"),
    ("steps:\n", "extends: gone\nsteps:\n", r"extends 'gone', which does not exist"),
    ("steps:\n", "without: [many]\nsteps:\n", r"without holds 'many', which is no event id"),
])
def test_a_broken_scenario_names_its_line(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in MINIMAL
    with pytest.raises(ContentError, match=complaint):
        load(tmp_path, MINIMAL.replace(old, new))


@pytest.mark.parametrize(("content", "complaint"), [(b"", "the file is empty"), (b"- a\n", "must be a mapping"),
                                                    (b"\xff\xfe\xff", "cannot be read")])
def test_a_file_that_is_no_scenario_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / "one.yml").write_bytes(content)
    with pytest.raises(ContentError, match=complaint):
        load_scenario("one", tmp_path)
