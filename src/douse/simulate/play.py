"""A scenario and a seed to log records, in order of time.

The seed decides what no scenario cares about: pids, GUIDs and the fraction of the second. The same seed gives the same
records, and a variant of a scenario gets the same processes as the scenario it extends. Record ids are given later,
when noise has been mixed in (record.numbered). noise.py uses the same Scene for its own processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random

from douse.content.scenarios import ACTIONS, Argument, ProcessSpec, ProgramSpec, Scenario, StepSpec
from douse.simulate import records
from douse.simulate.actors import Account, Host, Process, Program, logon_guid, process_guid
from douse.simulate.record import Record

PERFORM: Mapping[str, Callable[..., tuple[Record, ...]]] = {
    action: getattr(records, action) for action in ACTIONS if action not in ("start", "end")
}
"""The function for each action that is not a process's life; test_play.py compares their arguments with ACTIONS."""

_UP_SINCE = timedelta(minutes=41)
_PIDS = range(1204, 14800, 4)


class Scene:
    """The actors of a scenario as they live through it: which process a label means right now."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311  chooses pids, guards nothing
        self.began = scenario.start + timedelta(microseconds=self.random.randrange(10**6))
        self.host = Host(scenario.host, scenario.address, self.random.getrandbits(32),
                         sysmon_pid=self.random.randrange(2800, 3600, 4))
        self._pids: set[int] = {self.host.sysmon_pid, self.host.lsass_pid}
        self._started = 0
        self.accounts = {
            label: Account(spec.name, spec.domain, spec.sid, spec.logon_id,
                           logon_guid(self.host, self.began - _UP_SINCE, spec.logon_id), spec.session)
            for label, spec in scenario.accounts.items()
        }
        self._specs = scenario.processes
        self.processes: dict[str, Process] = {}
        to_come = {step.actor for step in scenario.steps if step.action == "start"}
        for label in scenario.processes:
            if label not in to_come:
                self._already_running(label)

    def _already_running(self, label: str) -> Process:
        """A process from before the scene, and its parents before it."""
        if label not in self.processes:
            parent = self._specs[label].parent
            if parent:
                self._already_running(parent)
            since = self.began - _UP_SINCE + timedelta(seconds=len(self.processes))
            self.processes[label] = self.new_process(self._specs[label], since)
        return self.processes[label]

    def start(self, label: str, time: datetime) -> Process:
        """A new process for a label; an older one of the same label is forgotten."""
        self.processes[label] = self.new_process(self._specs[label], time)
        return self.processes[label]

    def new_process(self, spec: ProcessSpec, time: datetime) -> Process:
        """A process with a pid nobody has and its own GUID."""
        self._started += 1
        return Process(
            _program(spec.program), self._pid(), process_guid(self.host, time, 0x100 + self._started), spec.command,
            self.accounts[spec.account], spec.integrity, spec.directory, time, self.processes.get(spec.parent),
        )

    def _pid(self) -> int:
        if len(self._pids) > len(_PIDS) // 2:
            self._pids.clear()  # Windows uses a pid again, too
        while (pid := self.random.choice(_PIDS)) in self._pids:
            pass
        self._pids.add(pid)
        return pid


def _program(spec: ProgramSpec) -> Program:
    return Program(spec.image, spec.version, spec.description, spec.product, spec.company, spec.original_name)


def play(scenario: Scenario, scene: Scene) -> list[Record]:
    """All records of the scenario, in order of time, less those its host does not log."""
    made = [record for step in scenario.steps for record in _perform(scene, step, scene.began + step.at)
            if record.event_id not in scenario.without]
    return sorted(made, key=lambda record: record.time)


def _perform(scene: Scene, step: StepSpec, time: datetime) -> tuple[Record, ...]:
    match step.action:
        case "start":
            return records.process_start(scene.host, time, scene.start(step.actor, time))
        case "end":
            return records.process_end(scene.host, time, scene.processes[step.actor])
    actor = (scene.processes if ACTIONS[step.action].actor == "process" else scene.accounts)[step.actor]
    return PERFORM[step.action](scene.host, time, actor, **_arguments(scene, step))


def _arguments(scene: Scene, step: StepSpec) -> dict[str, Argument | Process]:
    action = ACTIONS[step.action]
    kinds = {**action.required, **action.optional}
    return {name: scene.processes[str(value)] if kinds[name] == "process" else value
            for name, value in step.arguments.items()}
