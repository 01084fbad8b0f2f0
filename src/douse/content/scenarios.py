"""Scenarios: who is on a host and what happens there, as data. The format is defined in scenarios/README.md.

A file gives a Scenario whose steps are checked here: every action and argument is known, every process is declared and
started before it acts. simulate/play.py turns the steps into log records. Programs that several scenarios use stand
in programs.yml, so that one file knows what a version resource says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path

from douse.content import document
from douse.content.document import Section
from douse.errors import ContentError

FOLDER = Path(__file__).with_name("scenarios")
PROGRAMS = "programs.yml"
INTEGRITY_LEVELS = ("Low", "Medium", "High", "System")
_SID = re.compile(r"S-1-\d{1,14}(-\d{1,10}){1,15}")

Argument = str | int | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Action:
    """What a step of one kind needs: who does it, and its arguments by name with their type's word.

    The words are text, number, truth, texts, process for the label of another process, or the texts to choose from.
    """

    actor: str
    required: Mapping[str, str] = field(default_factory=dict)
    optional: Mapping[str, str] = field(default_factory=dict)


ACTIONS: Mapping[str, Action] = {
    "start": Action("process"),
    "end": Action("process"),
    "network": Action("process", {"address": "text", "port": "number"},
                      {"hostname": "text", "protocol": "tcp|udp", "filtering": "truth"}),
    "dns": Action("process", {"name": "text"}, {"answers": "texts"}),
    "registry_set": Action("process", {"key": "text", "details": "text"}),
    "registry_delete": Action("process", {"key": "text"}, {"kind": "DeleteValue|DeleteKey"}),
    "file_create": Action("process", {"path": "text"}),
    "file_read": Action("process", {"path": "text"}),
    "process_access": Action("process", {"target": "process"}, {"access": "number", "call_trace": "text"}),
    "remote_thread": Action("process", {"target": "process"}),
    "process_tampering": Action("process", {}, {"kind": "Image is replaced|Image is locked for access"}),
    "zip_opened": Action("process", {"path": "text"}),
    "script_block": Action("process", {"text": "text"}, {"path": "text", "suspicious": "truth"}),
    "scan_started": Action("process"),
    "scan_finished": Action("process", {"seconds": "number"}),
    "malware_found": Action("process", {"threat": "text", "path": "text"}, {"by": "process"}),
    "malware_handled": Action("process", {"threat": "text", "path": "text"}, {"by": "process", "action": "text"}),
    "protection_changed": Action("process", {"old": "text", "new": "text"}),
    "logon": Action("account", {}, {"kind": "number", "process": "process"}),
}
"""Every kind of step. `start` and `end` are a process's life; the others are functions of simulate/records.py."""


@dataclass(frozen=True, slots=True)
class ProgramSpec:
    """An executable file and its version resource, as programs.yml or the scenario declares it."""

    image: str
    version: str
    description: str
    product: str
    company: str
    original_name: str


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """An account with its logon session; `integrity` is the level its processes usually have."""

    name: str
    domain: str
    sid: str
    logon_id: int
    session: int
    integrity: str


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A process by label. One that no step starts is running already when the scene begins."""

    program: ProgramSpec
    account: str
    parent: str
    command: str
    integrity: str
    directory: str


@dataclass(frozen=True, slots=True)
class StepSpec:
    """One thing that happens, so long after the start; `where` is its place in the file."""

    at: timedelta
    action: str
    actor: str
    arguments: Mapping[str, Argument]
    where: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scene: the host, its accounts and processes, and what happens, in order of time.

    `without` holds event ids that this host does not log.
    """

    scenario_id: str
    title: str
    description: str
    start: datetime
    host: str
    address: str
    accounts: Mapping[str, AccountSpec]
    processes: Mapping[str, ProcessSpec]
    steps: tuple[StepSpec, ...]
    without: frozenset[int]


def scenario_ids(folder: Path = FOLDER) -> tuple[str, ...]:
    """The names of all scenarios, sorted."""
    return tuple(sorted(path.stem for path in folder.glob("*.yml") if path.name != PROGRAMS))


def load_scenario(scenario_id: str, folder: Path = FOLDER) -> Scenario:
    """The scenario of that name; ContentError where there is none or its file breaks the format."""
    known = scenario_ids(folder)
    if scenario_id not in known:
        near = get_close_matches(scenario_id, known, 1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise ContentError(f"scenario {scenario_id!r}", "does not exist.", f"{hint}Known: {', '.join(known)}.")
    return _load(scenario_id, folder, ())


def _load(scenario_id: str, folder: Path, above: tuple[str, ...]) -> Scenario:
    section = document.read(folder / f"{scenario_id}.yml", f"scenarios/{scenario_id}.yml")
    given = section.text("id")
    if given != scenario_id:
        section.fail(f"id is {given!r}, but the file is called {scenario_id}.yml.", "Make them the same.", key="id")
    title, description = section.text("title"), section.text("description")
    without = frozenset(_event_id(section, text) for text in section.texts("without"))
    base = section.text("extends", "")
    if base:
        if base in (*above, scenario_id) or not (folder / f"{base}.yml").is_file():
            section.fail(f"extends {base!r}, which does not exist or extends this one.", key="extends")
        section.end()
        parent = _load(base, folder, (*above, scenario_id))
        return Scenario(scenario_id, title, description, parent.start, parent.host, parent.address, parent.accounts,
                        parent.processes, parent.steps, parent.without | without)
    programs = load_programs(folder) | {label: _program(entry) for label, entry in section.named("programs").items()}
    start = _start(section)
    host = section.section("host") or section.fail("host is missing.")
    accounts = {label: _account(entry) for label, entry in section.named("accounts").items()}
    processes = {label: _process(entry, programs, accounts) for label, entry in section.named("processes").items()}
    steps = [step for entry in section.listed("steps") for step in _steps(entry, start, processes, accounts)]
    scenario = Scenario(scenario_id, title, description, start, host.text("name"), host.text("address"), accounts,
                        processes, tuple(sorted(steps, key=lambda step: step.at)), without)
    host.end()
    section.end()
    _check_lives(scenario, section)
    return scenario


def _event_id(section: Section, text: str) -> int:
    if not text.isdecimal():
        section.fail(f"without holds {text!r}, which is no event id.", key="without")
    return int(text)


def _start(section: Section) -> datetime:
    text = section.text("start")
    try:
        start = datetime.fromisoformat(text)
    except ValueError:
        section.fail(f"start must be a time such as 2026-11-03T08:14:00Z, not {text!r}.", key="start")
    if start.utcoffset() != timedelta(0):
        section.fail("start must be in UTC.", "End it with Z.", key="start")
    return start.astimezone(UTC)


def load_programs(folder: Path = FOLDER) -> dict[str, ProgramSpec]:
    """The programs that all scenarios share, by label."""
    section = document.read(folder / PROGRAMS, f"scenarios/{PROGRAMS}")
    programs = {label: _program(entry) for label, entry in section.named("programs").items()}
    section.end()
    return programs


def _program(section: Section) -> ProgramSpec:
    image = section.text("image")
    program = ProgramSpec(
        image, section.text("version", "-"), section.text("description", "-"), section.text("product", "-"),
        section.text("company", "-"), section.text("original_name", "-"),
    )
    section.end()
    return program


def _account(section: Section) -> AccountSpec:
    domain, _, name = section.text("name").rpartition("\\")
    if not domain:
        section.fail("name must be DOMAIN\\name.", key="name")
    if not _SID.fullmatch(section.text("sid")):
        section.fail(f"sid must look like S-1-5-18, not {section.text('sid')!r}.", key="sid")
    account = AccountSpec(name, domain, section.text("sid"), section.number("logon_id"), section.number("session", 1),
                          section.choice("integrity", INTEGRITY_LEVELS, "Medium"))
    section.end()
    return account


def _process(section: Section, programs: Mapping[str, ProgramSpec], accounts: Mapping[str, AccountSpec]) -> ProcessSpec:
    label, account = section.text("program"), section.text("account")
    program = programs.get(label)
    if program is None:
        section.fail(f"unknown program {label!r}.", f"Add it to {PROGRAMS}.{_nearest(label, programs)}", key="program")
    if account not in accounts:
        section.fail(f"unknown account {account!r}.", f"Known: {', '.join(accounts)}.", key="account")
    spec = ProcessSpec(program, account, section.text("parent", ""), section.text("command", f'"{program.image}"'),
                       section.choice("integrity", INTEGRITY_LEVELS, accounts[account].integrity),
                       section.text("directory", "C:\\Windows\\system32\\"))
    section.end()
    return spec


def _nearest(word: str, known: Mapping[str, object]) -> str:
    near = get_close_matches(word, known, 1)
    return f" Did you mean {near[0]!r}?" if near else ""


def _steps(section: Section, start: datetime, processes: Mapping[str, ProcessSpec],
           accounts: Mapping[str, AccountSpec]) -> list[StepSpec]:
    """A step, as often as its `repeat` says."""
    actions = [key for key in section if key in ACTIONS]
    if len(actions) != 1:
        known = "no known action" if not actions else f"{len(actions)} actions ({', '.join(actions)})"
        section.fail(f"a step must have one action, this has {known}.", f"Actions: {', '.join(ACTIONS)}.")
    name, action = actions[0], ACTIONS[actions[0]]
    actor = section.text(name)
    if actor not in (processes if action.actor == "process" else accounts):
        section.fail(f"{name}: unknown {action.actor} {actor!r}.", "Declare it above.", key=name)
    arguments = {key: _argument(section, key, kind, processes)
                 for kinds in (action.required, action.optional)
                 for key, kind in kinds.items() if kinds is action.required or key in section}
    section.expect(*action.optional)
    first, times, every = _offset(section, start), 1, timedelta()
    if repeat := section.section("repeat"):
        times, every = repeat.number("times"), timedelta(seconds=repeat.number("every"))
        repeat.end()
    section.end()
    return [StepSpec(first + every * number, name, actor, arguments, section.where) for number in range(times)]


def _argument(section: Section, key: str, kind: str, processes: Mapping[str, ProcessSpec]) -> Argument:
    match kind:
        case "number":
            return section.number(key)
        case "truth":
            return section.truth(key, False)
        case "texts":
            return section.texts(key)
    if "|" in kind:
        return section.choice(key, tuple(kind.split("|")))
    text = section.text(key)
    if kind == "process" and text not in processes:
        section.fail(f"{key}: unknown process {text!r}.", "Declare it above.", key=key)
    return text


_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,3}))?)?")


def _offset(section: Section, start: datetime) -> timedelta:
    """`at` as a distance from the start: seconds, or a clock time (UTC) on the day of the start."""
    text = section.text("at")
    if clock := _CLOCK.fullmatch(text):
        hours, minutes, seconds, fraction = (int(part or 0) for part in clock.groups())
        milliseconds = fraction * 10 ** (3 - len(clock[4] or "000"))
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        offset = midnight - start + timedelta(hours=hours, minutes=minutes, seconds=seconds, milliseconds=milliseconds)
    else:
        try:
            offset = timedelta(milliseconds=round(float(text) * 1000))
        except (ValueError, OverflowError):
            section.fail(f"at must be seconds or a clock time HH:MM:SS, not {text!r}.", key="at")
    if offset < timedelta():
        section.fail(f"at {text!r} is before the start.", key="at")
    return offset


def _check_lives(scenario: Scenario, section: Section) -> None:
    """Every parent is declared; a process acts only between its start and its end, if it has them."""
    for label, process in scenario.processes.items():
        if process.parent and process.parent not in scenario.processes:
            section.fail(f"process {label!r} has an unknown parent {process.parent!r}.", "Declare it, or leave it out.")
    alive = set(scenario.processes) - {step.actor for step in scenario.steps if step.action == "start"}
    for step in scenario.steps:
        if step.action == "start":
            parent = scenario.processes[step.actor].parent
            if parent and parent not in alive:
                raise ContentError(step.where, f"{step.actor!r} starts while its parent {parent!r} is not running.")
            alive.add(step.actor)
        elif ACTIONS[step.action].actor == "process" and step.actor not in alive:
            raise ContentError(step.where, f"{step.actor!r} acts while it is not running.", "Start it first.")
        if step.action == "end":
            alive.discard(step.actor)
