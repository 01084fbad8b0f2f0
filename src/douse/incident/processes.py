"""The processes of one host: facts in, a table with parents out, and "which process does this record mean?".

One process may be known by a Sysmon GUID, by a pid with a life (4688 to 4689, or to the next start of that pid), by a
pid and the time at which it began (records of the vault and of DPAPI carry it), or only by the alerts that mention it;
the table makes one entry of all of these. A pid is never trusted beyond its life, because Windows reuses it at once.
Processes whose start was not logged get an entry too, kept apart by pid, image and the gap between known lives in which
they were seen. Which parents hold a tree together is decided in link.py.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta

from douse.incident.entities import Actor, image_name
from douse.incident.facts import HostFacts, ProcessEnd, ProcessStart

SLACK = timedelta(seconds=2)
"""Two channels may log one moment this far apart, so a life is believed to be this much longer on both sides."""

TWIN = timedelta(seconds=5)
"""A Sysmon 1 and a 4688 of the same pid and image within this time are one process."""

UNSEEN_LIFE = timedelta(hours=24)
"""Records of one pid and image without any start belong together only if no pause between them is longer."""


HOLDERS = 8
"""How many holders of a pid are looked at, the latest first. A pid has one at a time, so older ones are long gone."""


@dataclass(slots=True)
class Process:
    """One process as far as it is known. `parent` is an index into the table; a start that was not logged is None."""

    index: int
    pid: int
    guid: str = ""
    image: str = ""
    command_line: str = ""
    user_sid: str = ""
    user_name: str = ""
    logon: str = ""
    started: datetime | None = None
    until: datetime | None = None
    last_seen: datetime | None = None
    parent: int | None = None
    channels: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """`image (pid)`, as an analyst writes it."""
        return f"{image_name(self.image) or 'unknown image'} ({self.pid})" if self.pid else image_name(self.image)


class ProcessTable:
    """All processes of a host. Build it once from facts, then `place` every alert's actor in time order."""

    def __init__(self, facts: HostFacts) -> None:
        self.processes: list[Process] = []
        self._by_guid: dict[str, int] = {}
        self._lives: dict[int, list[int]] = {}
        self._begins: dict[int, list[datetime]] = {}
        self._unseen: dict[tuple[int, int], list[int]] = {}
        parents = [(self._start(start), start) for start in sorted(facts.starts)]
        self._close_lives()
        for end in sorted(facts.ends):
            self._end(end)
        for child, start in parents:
            self._set_parent(child, start)
        self._break_cycles()

    def __getitem__(self, index: int) -> Process:
        return self.processes[index]

    def __len__(self) -> int:
        return len(self.processes)

    def find(self, actor: Actor, time: datetime) -> int | None:
        """The process that a record at that time means, None if the table has none that fits."""
        known = self._by_guid.get(actor.guid) if actor.guid else None
        if known is not None or not actor.pid:
            return known
        alive = self._alive(actor, time)
        return self._seen_before(actor, time) if alive is None else alive

    def place(self, actor: Actor, time: datetime) -> int | None:
        """Like `find`, but makes an entry for a process not met before, and learns what the record knows of it."""
        if not actor.guid and not actor.pid:
            return None
        found = self.find(actor, time)
        if found is None:
            found = self._add(actor)
            self._unseen.setdefault(self._gap(actor.pid, time), []).append(found)
        self._learn(self.processes[found], actor, time)
        return found

    # ── building ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _add(self, actor: Actor) -> int:
        process = Process(len(self.processes), actor.pid)
        self.processes.append(process)
        return process.index

    def _start(self, start: ProcessStart) -> int:
        """The entry for a start; a second record of the same process only adds what it knows more."""
        actor = Actor(start.guid, start.pid, start.image, start.user_sid, start.user_name, start.logon,
                      start.command_line)
        index = self._by_guid.get(start.guid) if start.guid else None
        if index is None:
            index = self._twin(start)
        if index is None:
            index = self._add(actor)
            self.processes[index].started = start.time
            self._lives.setdefault(start.pid, []).append(index)
        process = self.processes[index]
        process.channels |= {start.channel.lower()}
        self._learn(process, actor, start.time)
        return index

    def _twin(self, start: ProcessStart) -> int | None:
        """The same process as another channel logged it."""
        for index in reversed(self._lives.get(start.pid, [])[-HOLDERS:]):
            other = self.processes[index]
            if other.started is None or start.time - other.started > TWIN:
                break
            same_guid = not start.guid or not other.guid or start.guid == other.guid
            twice = start.channel.lower() in other.channels and start.time != other.started
            if same_guid and not twice and _same_image(start.image, other.image):
                return index
        return None

    def _close_lives(self) -> None:
        """A pid's life ends at the latest when the pid is given to another process."""
        for pid, lives in self._lives.items():
            self._begins[pid] = [started for index in lives if (started := self.processes[index].started)]
            for index, following in zip(lives, self._begins[pid][1:], strict=False):
                self.processes[index].until = following

    def _end(self, end: ProcessEnd) -> None:
        index = self.find(Actor(end.guid, end.pid, end.image), end.time)
        if index is not None:
            process = self.processes[index]
            process.until = min(process.until, end.time) if process.until else end.time

    def _set_parent(self, child: int, start: ProcessStart) -> None:
        process = self.processes[child]
        if process.parent is None:
            parent = self.place(Actor(start.parent_guid, start.parent_pid, start.parent_image), start.time)
            process.parent = None if parent == child else parent

    def _break_cycles(self) -> None:
        """Forged records can make a process its own ancestor; such a link is dropped."""
        done: set[int] = set()
        for process in self.processes:
            path: set[int] = set()
            at: Process = process
            while at.index not in done:
                path.add(at.index)
                if at.parent is None:
                    break
                if at.parent in path:
                    at.parent = None
                    break
                at = self.processes[at.parent]
            done |= path

    # ── looking up ────────────────────────────────────────────────────────────────────────────────────────────────

    def _gap(self, pid: int, time: datetime) -> tuple[int, int]:
        return pid, bisect_right(self._begins.get(pid, []), time)

    def _alive(self, actor: Actor, time: datetime) -> int | None:
        """The life of this pid that contains the time, strictly if there is one, else within SLACK."""
        lives = self._lives.get(actor.pid, [])
        last = bisect_right(self._begins.get(actor.pid, []), time + SLACK)
        nearby = [self.processes[index] for index in lives[max(0, last - 3):last]]
        fits = [p for p in nearby if _may_be(p, actor) and (p.until is None or time <= p.until + SLACK)]
        return max(fits, key=lambda p: (_contains(p, time), p.index), default=_NOBODY).index if fits else None

    def _seen_before(self, actor: Actor, time: datetime) -> int | None:
        """The process without a logged start that was last seen with this pid and image in the same gap."""
        for index in reversed(self._unseen.get(self._gap(actor.pid, time), [])[-HOLDERS:]):
            process = self.processes[index]
            recent = process.last_seen is None or abs(time - process.last_seen) <= UNSEEN_LIFE
            ended = process.until is not None and time > process.until + SLACK
            begun = process.started is None or process.started <= time + SLACK
            if recent and begun and not ended and _may_be(process, actor):
                return index
        return None

    def _learn(self, process: Process, actor: Actor, time: datetime) -> None:
        if actor.guid and not process.guid:
            process.guid = actor.guid
            self._by_guid.setdefault(actor.guid, process.index)
        process.pid = process.pid or actor.pid
        process.image = process.image or actor.image
        process.command_line = process.command_line or actor.command_line
        process.user_sid = process.user_sid or actor.user_sid
        process.user_name = process.user_name or actor.user_name
        process.logon = process.logon or actor.logon
        process.started = process.started or actor.created
        process.last_seen = max(process.last_seen or time, time)


_NOBODY = Process(-1, 0)


def _same_image(one: str, other: str) -> bool:
    """File names only, because 5156 writes device paths and some logs no path at all."""
    return not one or not other or one == other or image_name(one).lower() == image_name(other).lower()


def _may_be(process: Process, actor: Actor) -> bool:
    same_guid = not process.guid or not actor.guid or process.guid == actor.guid
    return same_guid and _same_image(process.image, actor.image) and _began_so(process, actor.created)


def _began_so(process: Process, created: datetime | None) -> bool:
    """Whether the process may have begun when a record says that it did; one that was seen before that did not."""
    if created is None:
        return True
    if process.started is not None:
        return abs(process.started - created) <= SLACK
    return process.last_seen is None or created <= process.last_seen + SLACK


def _contains(process: Process, time: datetime) -> bool:
    begun = process.started is None or process.started <= time
    return begun and (process.until is None or time <= process.until)
