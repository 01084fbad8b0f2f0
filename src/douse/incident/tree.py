"""The incident's process tree: everything with evidence, and what it comes from up to the program that cuts the tree.

The cut parent (explorer, a browser, a service host) is shown as root, because people ask what started it all; of its
own alerts only those of this incident are on it. Harmless siblings are left out. Children follow their parents.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from douse.incident.link import Links
from douse.incident.marks import Mark, PlacedAlert
from douse.model import ProcessNode


def process_nodes(placed: Sequence[PlacedAlert], outbound: Iterable[Mark], links: Links,
                  weak: frozenset[str] = frozenset()) -> tuple[ProcessNode, ...]:
    """The nodes of a group, parents before children, siblings by start; what began before the log comes first.

    `weak` are the alerts that only user and time connect to the rest; their processes say so.
    """
    shown = _shown(placed, outbound, links)
    parents = _parents(shown, links)
    alerts: defaultdict[int, list[str]] = defaultdict(list)
    for item in placed:
        if item.subject is not None:
            alerts[item.subject].append(item.alert.alert_id)
    notes: defaultdict[int, list[str]] = defaultdict(list)
    for item in placed:
        if command := links.typed.get(item.alert.alert_id):
            notes[command.child].append("started by a typed or pasted command")
        if item.alert.alert_id in weak and item.subject is not None:
            notes[item.subject].append("linked only by user and time")
    order = _depth_first(shown, parents, links)
    position = {process: index for index, process in enumerate(order)}
    return tuple(_node(process, position.get(parents.get(process, -1)), tuple(alerts[process]), notes[process], links)
                 for process in order)


def _shown(placed: Sequence[PlacedAlert], outbound: Iterable[Mark], links: Links) -> set[int]:
    queue = [process for item in placed for process in (item.process, item.subject) if process is not None]
    queue += [mark.process for mark in outbound if mark.process is not None]
    queue += [typed.child for item in placed if (typed := links.typed.get(item.alert.alert_id))]
    shown: set[int] = set()
    while queue:
        process = queue.pop()
        if process not in shown:
            shown.add(process)
            parent = links.shown_parent(process)
            queue += [edge.source for edge in links.edges_to.get(process, ())] + ([] if parent is None else [parent])
    return shown


def _parents(shown: set[int], links: Links) -> dict[int, int]:
    """The node above each node: the parent, or the source of an edge where the parent is not known."""
    parents = {process: parent for process in sorted(shown)
               if (parent := links.shown_parent(process)) is not None and parent in shown}
    for process in sorted(shown - parents.keys()):
        for edge in links.edges_to.get(process, ()):
            if edge.source in shown and not _is_above(process, edge.source, parents):
                parents[process] = edge.source
                break
    return parents


def _is_above(process: int, other: int, parents: Mapping[int, int]) -> bool:
    at: int | None = other
    while at is not None and at != process:
        at = parents.get(at)
    return at == process


def _depth_first(shown: set[int], parents: Mapping[int, int], links: Links) -> list[int]:
    children: defaultdict[int, list[int]] = defaultdict(list)
    for process in shown:
        children[parents.get(process, -1)].append(process)

    def latest_first(process: int) -> tuple[bool, float, int]:
        started = links.table[process].started
        return started is None, -started.timestamp() if started else 0.0, -process

    order: list[int] = []
    stack = sorted(children[-1], key=latest_first)
    while stack:
        process = stack.pop()
        order.append(process)
        stack += sorted(children[process], key=latest_first)
    return order


def _node(process: int, parent: int | None, alert_ids: tuple[str, ...], notes: Sequence[str],
          links: Links) -> ProcessNode:
    known = links.table[process]
    user = links.people.display(links.people.key(known.user_sid, known.user_name)) or known.user_name or known.user_sid
    edges = [f"{edge.reason} {links.table[edge.source].name}" for edge in links.edges_to.get(process, ())]
    child = ["child"] if known.parent is not None and parent is not None else []
    return ProcessNode(known.pid, known.guid, known.image, known.command_line, user, known.started, parent,
                       "; ".join(dict.fromkeys([*child, *notes, *edges])), alert_ids)
