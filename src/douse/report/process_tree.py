"""The processes of an incident as an indented tree, each with the steps it is part of and what was seen of it.

Rows come in, Branches in the order of drawing go out. A parent's number in the rows may be wrong or lead in a circle,
for logs can be forged: every process is drawn once all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from douse.report.phrases import base_name
from douse.report.schema import IncidentRow, ProcessRow
from douse.report.steps import Told, rank

ORDINARY_LINKS = frozenset({"", "started", "parent", "child", "spawned"})
"""How a process came from its parent, where that is nothing special; other words are set off in the tree."""

MAX_DEPTH = 24
"""Deeper processes are drawn at this depth: a chain of thousands is cheap for an attacker."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What alerts of one title say of a process: the strongest of their levels and how many there are."""

    title: str
    level: str
    count: int


@dataclass(frozen=True, slots=True)
class Branch:
    """One process of the tree, in the order of drawing. `rails` are pass, blank, tee or end: one for each level.

    `link` says how it came from its parent, empty where that is nothing special. `seen` is what its alerts say, the
    strongest first; empty where no alerts were given.
    """

    row: ProcessRow
    name: str
    parent: str
    link: str
    rails: tuple[str, ...]
    steps: tuple[int, ...]
    seen: tuple[Sight, ...] = ()


def tree(
    incident: IncidentRow, steps: Iterable[Told], said: Mapping[str, tuple[str, str]] | None = None
) -> tuple[Branch, ...]:
    """The processes parents first, each with the numbers of the steps that its alerts prove.

    `said` has title and level of alerts by id, for what was seen of each.
    """
    nodes = incident["processes"]
    numbers = _numbers_by_alert(steps)
    children: dict[int | None, list[int]] = {}
    for index, node in enumerate(nodes):
        parent = node["parent"]
        known = parent is not None and 0 <= parent < len(nodes) and parent != index
        children.setdefault(parent if known else None, []).append(index)
    branches: list[Branch] = []
    drawn: set[int] = set()
    stack: list[tuple[int, tuple[str, ...]]] = [(index, ()) for index in reversed(children.get(None, []))]
    while stack or len(drawn) < len(nodes):
        if not stack:  # processes that are their own ancestors hang on no root
            stack.append((min(set(range(len(nodes))) - drawn), ()))
        index, rails = stack.pop()
        if index in drawn:
            continue
        drawn.add(index)
        branches.append(_branch(nodes, index, rails, numbers, said or {}))
        below = children.get(index, [])
        inherited = tuple({"tee": "pass", "end": "blank"}.get(rail, rail) for rail in rails)[: MAX_DEPTH - 1]
        for position, child in enumerate(reversed(below)):
            stack.append((child, (*inherited, "end" if position == 0 else "tee")))
    return tuple(branches)


def _branch(nodes: list[ProcessRow], index: int, rails: tuple[str, ...], numbers: Mapping[str, set[int]],
            said: Mapping[str, tuple[str, str]]) -> Branch:
    row = nodes[index]
    parent = nodes[row["parent"]] if rails and row["parent"] is not None else None
    return Branch(
        row=row,
        name=base_name(row["image"]) or "unknown program",
        parent=f"{base_name(parent['image'])} ({parent['pid']})" if parent else "",
        link="; ".join(word for word in row["link"].split("; ") if word not in ORDINARY_LINKS),
        rails=rails,
        steps=tuple(sorted({number for name in row["alerts"] for number in numbers.get(name, ())})),
        seen=_seen(said[name] for name in row["alerts"] if name in said),
    )


def _seen(said: Iterable[tuple[str, str]]) -> tuple[Sight, ...]:
    """One Sight for each title, the strongest first, then the earlier."""
    found: dict[str, Sight] = {}
    for title, level in said:
        before = found.get(title, Sight(title, level, 0))
        found[title] = Sight(title, max(before.level, level, key=rank), before.count + 1)
    return tuple(sorted(found.values(), key=lambda sight: -rank(sight.level)))


def _numbers_by_alert(steps: Iterable[Told]) -> dict[str, set[int]]:
    numbers: dict[str, set[int]] = {}
    for step in steps:
        for name in step.row["alerts"]:
            numbers.setdefault(name, set()).add(step.number)
    return numbers
