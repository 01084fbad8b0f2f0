"""Join one host's alerts through processes: placed alerts and facts in, groups that belong to one intrusion out.

Everything in one process tree is one group, but the tree is cut below programs that start everything (places.py), and
an injected program is not cut from then on. Across cuts only explicit edges join, each with its reason: a typed command
and the child it started, a dropped file and its execution, an autostart entry and the process it started, an injection,
a file that an antivirus found or that has the hash of what ran (by_file.py). Alerts that no edge reaches, and groups
that only time and user suggest, are joined weakly by weak.py.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from douse.content.sequences import sequence
from douse.incident.by_file import DROP_WINDOW, Moments, joined_by_file
from douse.incident.entities import Actor, command_text, image_name
from douse.incident.facts import FileDrop, HostFacts
from douse.incident.marks import PlacedAlert
from douse.incident.people import People, is_sid
from douse.incident.places import BROKERS, SHELLS, cuts_tree, is_browser, place, user_writable
from douse.incident.processes import SLACK, Process, ProcessTable

AUTOSTART_WINDOW = timedelta(hours=24)
MAX_LINEAGE = 64

_STORED_PATH = re.compile(
    r"[a-z]:\\[^\"'<>|?*\r\n]{1,250}?\.(?:exe|dll|com|pif|scr|cpl|bat|cmd|ps1|vbs|vbe|js|jse|wsf|wsh|hta|msi|msix|lnk"
    r"|url|jar|py|a3x|au3)\b", re.IGNORECASE)
_TASK_COMMAND = re.compile(r"<Command>(.*?)</Command>(?:\s*<Arguments>(.*?)</Arguments>)?", re.IGNORECASE | re.DOTALL)
_TASK_SWITCH = re.compile(r"[/-]tr\s+(?:\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|(\S+))", re.IGNORECASE)
_ALIASES = {"cmd": "%comspec%", "windowsterminal": "wt"}


@dataclass(frozen=True, slots=True)
class Edge:
    """Why a process belongs to another although it is not simply its child: `source` led to `target`."""

    source: int
    target: int
    reason: str


@dataclass(frozen=True, slots=True)
class TypedCommand:
    """The process that a command typed or pasted into the Run dialog or the address bar started."""

    child: int
    started: datetime


class Joined:
    """A union-find over processes and alerts; the smaller vertex is the root, so the result has no order."""

    def __init__(self, size: int) -> None:
        self._root = list(range(size))

    def root(self, vertex: int) -> int:
        """The vertex that stands for the group."""
        while self._root[vertex] != vertex:
            self._root[vertex] = self._root[self._root[vertex]]
            vertex = self._root[vertex]
        return vertex

    def join(self, one: int, other: int) -> None:
        """Make two vertices one group."""
        low, high = sorted((self.root(one), self.root(other)))
        self._root[high] = low


@dataclass(slots=True)
class Group:
    """Alerts joined by strong edges, in time order, and every process that the edges reach."""

    placed: list[PlacedAlert] = field(default_factory=list)
    processes: list[int] = field(default_factory=list)
    loose: bool = False


class Links:
    """All strong edges of a host.

    `typed` has the started process for the alert on a typed command, by alert id; `injected` says since when a process
    was under somebody else's control.
    """

    def __init__(self, placed: Sequence[PlacedAlert], facts: HostFacts, table: ProcessTable, people: People) -> None:
        self.table, self.people = table, people
        self.edges: list[Edge] = []
        self.typed: dict[str, TypedCommand] = {}
        self.injected: dict[int, datetime] = {}
        self.autostarts: set[str] = set()
        self._written: defaultdict[str, Moments] = defaultdict(list)
        self._placed = placed
        self._joined = Joined(len(table) + len(placed))
        self._by_start = sorted((p.started, p.index) for p in table.processes if p.started)
        for item in placed:
            if item.alert.evidence_class == "I" and item.subject is not None:
                since = self.injected.get(item.subject, item.alert.time)
                self.injected[item.subject] = min(since, item.alert.time)
        self._tree()
        self._alerts()
        self._typed_commands()
        self._drops(facts.drops)
        self._autostarts()
        self._files()
        self._lineages: dict[int, tuple[int, ...]] = {}
        self.edges_to: defaultdict[int, list[Edge]] = defaultdict(list)
        for edge in self.edges:
            self.edges_to[edge.target].append(edge)

    # ── what holds and what cuts ──────────────────────────────────────────────────────────────────────────────────

    def cuts(self, process: int, time: datetime) -> bool:
        """Whether at that time the process joins nothing: a starter of everything that nobody injected into."""
        since = self.injected.get(process)
        return cuts_tree(self.table[process].image) and (since is None or time + SLACK < since)

    def tree_parent(self, process: int) -> int | None:
        """The parent, if it belongs to the same intrusion."""
        child = self.table[process]
        if child.parent is None or child.started is None or self.cuts(child.parent, child.started):
            return None
        return child.parent

    def shown_parent(self, process: int) -> int | None:
        """The parent to draw: also one that cuts the tree, but nothing above a program that cuts it."""
        parent = self.tree_parent(process)
        return self.table[process].parent if parent is None and not cuts_tree(self.table[process].image) else parent

    def lineage(self, process: int) -> tuple[int, ...]:
        """The process and what it comes from: parents up to the cut and sources of edges, at most MAX_LINEAGE."""
        known = self._lineages.get(process)
        if known is None:
            parent = None if self.edges_to.get(process) else self.tree_parent(process)
            above = self._lineages.get(parent) if parent is not None else None  # a deep tree asks from its root down
            known = self._lineages[process] = (
                tuple(self._walk_up(process)) if above is None else
                (process, *(origin for origin in above if origin != process))[:MAX_LINEAGE])
        return known

    def _walk_up(self, process: int) -> list[int]:
        met = [process]
        for at in met:
            parent = self.tree_parent(at)
            edges = self.edges_to.get(at, ())
            for origin in (*(edge.source for edge in edges), *(() if parent is None else (parent,))):
                if origin not in met and len(met) < MAX_LINEAGE:
                    met.append(origin)
        return met

    def groups(self) -> list[Group]:
        """One group per set of joined alerts that has a scoring one; an alert joined to nothing is a loose group."""
        groups: dict[int, Group] = defaultdict(Group)
        for vertex, item in enumerate(self._placed, start=len(self.table)):
            groups[self._joined.root(vertex)].placed.append(item)
        kept = {root: group for root, group in groups.items() if any(item.scores for item in group.placed)}
        for process in self.table.processes:
            group = kept.get(self._joined.root(process.index))
            if group is not None:
                group.processes.append(process.index)
        for group in kept.values():
            group.loose = not group.processes
        return sorted(kept.values(), key=lambda g: (g.placed[0].alert.time, g.placed[0].alert.alert_id))

    # ── edges ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _edge(self, source: int, target: int, reason: str) -> None:
        if source != target:
            self.edges.append(Edge(source, target, reason))
            self._joined.join(source, target)

    def _tree(self) -> None:
        for process in self.table.processes:
            parent = self.tree_parent(process.index)
            if parent is not None:
                self._joined.join(process.index, parent)

    def _alerts(self) -> None:
        """Join an alert to its process. What a cut program did stays loose, but its own start belongs to its parent."""
        for vertex, item in enumerate(self._placed, start=len(self.table)):
            time, source, subject = item.alert.time, item.process, item.subject
            if subject is not None and (item.is_start or item.alert.evidence_class == "I"
                                        or not self.cuts(subject, time)):
                self._joined.join(vertex, subject)
            if source is not None and subject is not None and source != subject and not self.cuts(source, time):
                self._joined.join(vertex, source)
                self._edge(source, subject, "injected by")

    def _typed_commands(self) -> None:
        children = [(started, index) for started, index in self._by_start if self._is_shell_child(self.table[index])]
        for vertex, item in enumerate(self._placed, start=len(self.table)):
            child = self._typed_child(item, children) if item.alert.role == "run-dialog" else None
            if child is not None and child.started is not None:
                self._joined.join(vertex, child.index)
                self.typed[item.alert.alert_id] = TypedCommand(child.index, child.started)

    def _typed_child(self, item: PlacedAlert, children: Sequence[tuple[datetime, int]]) -> Process | None:
        """The child of a shell that the typed text names; the registry entry may be written after the launch."""
        text, time, window = command_text(item.get).lower(), item.alert.time, sequence("S1").window
        low = bisect_left(children, (time - window, -1))
        high = bisect_right(children, (time + window, len(self.table)))
        nearest_first = sorted((abs(started - time), index) for started, index in children[low:high])
        return next((child for _, index in nearest_first
                     if self._is_typed_child(item, child := self.table[index], text)), None)

    def _is_shell_child(self, child: Process) -> bool:
        """Started by explorer, or by a browser, whose upload dialog has an address bar too."""
        image = self.table[child.parent].image if child.parent is not None else ""
        return image_name(image).lower() in SHELLS or is_browser(image)

    def _is_typed_child(self, item: PlacedAlert, child: Process, text: str) -> bool:
        stem = image_name(child.image).lower().rsplit(".", 1)[0]
        named = not text or stem in text or _ALIASES.get(stem, "\0") in text
        user = self.people.key(child.user_sid, child.user_name)
        comparable = bool(user and item.user) and is_sid(user) == is_sid(item.user)
        same_user = user == item.user if comparable else child.parent == item.process
        return bool(stem) and named and same_user

    def _drops(self, drops: Iterable[FileDrop]) -> None:
        """Join the writer of a program to its execution, unless the writer is a program that writes for everybody."""
        by_path = self._written
        for drop in drops:
            actor_index = self.table.find(_actor(drop), drop.time)
            if actor_index is not None and not self.cuts(actor_index, drop.time):
                by_path[place(drop.path)].append((drop.time, actor_index))
        if not by_path:
            return
        for written in by_path.values():
            written.sort()
        for started, index in self._by_start:
            process = self.table[index]
            for path in _paths(process):
                written = by_path.get(path, [])
                at = bisect_right(written, (started + SLACK, len(self.table)))
                if at and started - written[at - 1][0] <= DROP_WINDOW:
                    self._edge(written[at - 1][1], index, "dropped by")

    def _autostarts(self) -> None:
        """Join an autostart entry to the process it starts later: same program path or same command line."""
        roots: defaultdict[str, list[tuple[datetime, int]]] = defaultdict(list)
        for started, index in self._by_start:
            parent = self.table[index].parent
            if parent is not None and self.cuts(parent, started):
                roots[place(self.table[index].image)].append((started, index))
                roots[_command_key(self.table[index].command_line)].append((started, index))
        roots.pop("", None)
        for vertex, item in enumerate(self._placed, start=len(self.table)):
            if item.alert.evidence_class != "P":
                continue
            for key in _stored_commands(command_text(item.get)):
                low = bisect_right(roots.get(key, ()), (item.alert.time, len(self.table)))
                for started, index in roots.get(key, [])[low:low + 1]:
                    if started - item.alert.time <= AUTOSTART_WINDOW:
                        self._joined.join(vertex, index)
                        self.autostarts.add(item.alert.alert_id)
                        if item.subject is not None and not self.cuts(item.subject, item.alert.time):
                            self._edge(item.subject, index, "autostart set by")

    def _files(self) -> None:
        """Join records about a file, or about a process that an antivirus names, to who started or wrote it."""
        for number, index in joined_by_file(self._placed, self._by_start, self._written, self.table, self.people):
            if not self.cuts(index, self._placed[number].alert.time):
                self._joined.join(len(self.table) + number, index)


def is_broker_child(process: Process, table: ProcessTable) -> bool:
    """Whether COM, WMI or the scheduler started the process, so that its true cause is not its parent."""
    return process.parent is not None and image_name(table[process.parent].image).lower() in BROKERS


def _actor(drop: FileDrop) -> Actor:
    return Actor(drop.guid, drop.pid, drop.image)


def _paths(process: Process) -> set[str]:
    """The program, and the scripts that its command line names if the program is one that runs scripts."""
    named: set[str] = set()
    if image_name(process.image).lower() in _HOSTS or user_writable(process.image):
        named = {place(found.group()) for found in _STORED_PATH.finditer(process.command_line)}
    return (named | {place(process.image)}) - {""}


def _stored_commands(text: str) -> Iterator[str]:
    """What an autostart entry would run, as keys: every program path in it, and its whole command line."""
    for found in _STORED_PATH.finditer(text):
        if image_name(found.group()).lower() not in _HOSTS:
            yield place(found.group())
    for found in _TASK_COMMAND.finditer(text):
        yield _command_key(" ".join(part for part in found.groups() if part))
    for found in _TASK_SWITCH.finditer(text):
        yield _command_key(next(filter(None, found.groups()), ""))
    yield _command_key(text)


_HOSTS = frozenset({"cmd.exe", "powershell.exe", "pwsh.exe", "mshta.exe", "wscript.exe", "cscript.exe", "rundll32.exe",
                    "regsvr32.exe", "msiexec.exe", "conhost.exe", "python.exe", "java.exe", "javaw.exe",
                    "node.exe", "autoit3.exe"})
"""Programs that run what they are given: their own path says nothing about who started them, their arguments do."""


def _command_key(command_line: str) -> str:
    """A command line with its program reduced to the bare name: `"C:\\...\\mshta.EXE" x` and `mshta x` are one."""
    text = " ".join(command_line.replace('\\"', '"').lower().split())
    quoted = re.match(r'"([^"]+)"\s*(.*)', text)
    program, rest = quoted.groups() if quoted else (text.partition(" ")[0], text.partition(" ")[2])
    stem = re.sub(r"\.(?:exe|com)$", "", image_name(program))
    rest = rest.replace('"', "").strip()
    return f"{stem} {rest}" if rest else ""
