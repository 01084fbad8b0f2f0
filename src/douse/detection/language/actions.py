"""Rules spread over several documents of a file (`action: global`, `reset`, `repeat`) in, whole documents out.

Sigma version 1 wrote so what two rules have in common. A global document is merged into every rule after it in the
file; several add up, and `reset` forgets them. `repeat` is the document before it once more, changed by what it says.
Where both say something, maps are joined and otherwise what is merged in wins, as the reference implementation does it.
Rules that thereby share an id keep it for the first and get ones made from it for the others. Correlations and filters
take nothing from a global document.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import replace

from douse.detection.language.documents import MAX_DEPTH, MAX_NODES, Document, Mistake, Node
from douse.errors import RuleError

ACTIONS = ("global", "reset", "repeat")
_NAMESPACE = uuid.UUID("1f2d0a84-0c53-5b0e-9a2e-6f1a0d6f8c55")

Map = dict[str, Node]


def merged(documents: Iterable[Document]) -> Iterator[Document | RuleError]:
    """The documents of one file with what their actions say carried out; an unknown action is an error."""
    shared: Map = {}
    last: Map = {}
    ids: set[str] = set()
    size = 0
    for document in documents:
        data = document.data
        if not isinstance(data, dict) or "correlation" in data or "filter" in data:
            yield document
            continue
        size += _size(last) if shared or "action" in data else 0
        if size > MAX_NODES:
            too_big = Mistake(f"the documents expand to more than {MAX_NODES} values", "Write the rules out in files.")
            raise document.error(too_big)
        own = {key: value for key, value in data.items() if key != "action"}
        match data.get("action"):
            case None:
                last = joined(own, shared)
                yield _with_own_id(document, last, ids, given=bool(shared))
            case "global":
                shared = joined(shared, own)
                last = shared
            case "reset":
                shared = {}
            case "repeat":
                last = joined(last, own)
                yield _with_own_id(document, last, ids, given=True)
            case other:
                yield document.error(Mistake(f"unknown action '{other}'", f"Known: {', '.join(ACTIONS)}.", ("action",)))


def joined(under: Map, over: Map, depth: int = 0) -> Map:
    """Two maps as one: maps below the same key are joined, and otherwise what is over wins."""
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        if isinstance(value, dict) and isinstance(below, dict) and depth < MAX_DEPTH:
            result[key] = joined(below, value, depth + 1)
        else:
            result[key] = value
    return result


def _size(node: Node) -> int:
    """How many values a node holds, itself included."""
    items = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return 1 + sum(_size(item) for item in items)


def _with_own_id(document: Document, data: Map, ids: set[str], *, given: bool) -> Document:
    """The document with its merged data; an id that came from elsewhere and is taken becomes one of its own."""
    known = data.get("id")
    if given and isinstance(known, str) and known:
        if known in ids:
            data = {**data, "id": str(uuid.uuid5(_NAMESPACE, f"{known}\n{document.index}"))}
        ids.add(known)
    return replace(document, data=data)
