"""Rules spread over the documents of a file by `action:`, compared with the same rules written out in full.

The merging is done again here over leaves: a document is a table of paths and what stands at their ends, and to merge
is to write the one table over the other. What then comes of the merged documents must not depend on how they were
written, so each is written out without an action and read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from douse.detection.language.actions import ACTIONS, merged
from douse.detection.language.documents import Document, Node, read_documents
from douse.detection.language.parse import CompiledRule, Outcome, Skipped, parse_rules
from douse.errors import RuleError
from fuzz import documents
from fuzz.language import SIGMA, fires
from fuzz.mutate import TEXT
from fuzz.target import EVENTS, Target, check_error, text_of

Leaves = dict[tuple[str, ...], Node]
"""Path of keys -> what is no map, or an empty one."""

MOST_CHARACTERS = 20_000
"""Of longer inputs only the errors are looked at."""

LONGEST_KEY = 150
"""In the notation that we write YAML takes no key of more than 1024 characters, of which an escape is six."""


def leaves(node: Node, path: tuple[str, ...] = ()) -> Leaves:
    """A document as the table of its leaves."""
    if not isinstance(node, dict) or not node:
        return {path: node}
    return {place: leaf for key, below in node.items() for place, leaf in leaves(below, (*path, key)).items()}


def written_over(under: Leaves, over: Leaves) -> Leaves:
    """The one table with the other written over it."""
    result = dict(under)
    for path, leaf in over.items():
        for place in [place for place in result if place[:len(path)] == path or path[:len(place)] == place]:
            if leaf != {} or place == path or len(place) < len(path):
                del result[place]  # an empty map joins what is below its key, all else replaces it
        if leaf != {} or not any(place[:len(path)] == path for place in result):
            result[path] = leaf
    return result


def spread(data: bytes) -> None:
    """What an action makes of the documents of a file is what its definition says."""
    text = text_of(data)
    try:
        before = list(read_documents(text, "fuzz.yml"))
        after = list(merged(before))
    except RuleError as error:  # broken after some documents, or too big once merged
        check_error(error, "fuzz.yml", text)
        return
    if len(text) <= MOST_CHARACTERS:
        _merged_by_hand(before, after)
    if len(text) % 2:  # on a part of the inputs, because it takes twice as long
        _read(text, after)


def _read(text: str, after: list[Document | RuleError]) -> None:
    outcomes = list(parse_rules(text, "fuzz.yml"))
    for outcome in outcomes:
        if isinstance(outcome, RuleError):
            check_error(outcome, "fuzz.yml", text)
    if len(text) <= MOST_CHARACTERS and "action" in text:
        _as_if_written_out(after, outcomes)


def _merged_by_hand(before: list[Document], after: list[Document | RuleError]) -> None:
    shared: Leaves = {}
    last: Leaves = {}
    expected: list[Leaves | None] = []
    for document in before:
        data = document.data
        if not isinstance(data, dict) or "correlation" in data or "filter" in data:
            expected.append(leaves(data))
            continue
        own = {path: leaf for path, leaf in leaves(data).items() if path[:1] != ("action",) and path}
        action = data.get("action")
        if action == "global":
            last = shared = written_over(shared, own)
        elif action == "reset":
            shared = {}
        elif action is None or action == "repeat":
            last = written_over(own, shared) if action is None else written_over(last, own)
            expected.append(last)
        else:
            expected.append(None)
    assert len(after) == len(expected)
    for one, hoped in zip(after, expected, strict=True):
        assert isinstance(one, RuleError) is (hoped is None)
        if isinstance(one, Document) and hoped is not None:
            found = leaves(one.data) if one.data != {} else {}
            assert _without_id(found) == _without_id(hoped), f"document {one.index} is not what its action says"


def _without_id(known: Leaves) -> Leaves:
    return {path: leaf for path, leaf in known.items() if path != ("id",)}


def _as_if_written_out(after: list[Document | RuleError], outcomes: list[Outcome]) -> None:
    read = [one.data for one in after if isinstance(one, Document)]
    if any(len(key) > LONGEST_KEY for data in read for path in leaves(data) for key in path):
        return
    texts = [documents.as_text([data]) for data in read]
    again = [outcome for text in texts for outcome in parse_rules(text, "fuzz.yml")]
    first = [outcome for one, outcome in zip(after, outcomes, strict=True) if isinstance(one, Document)]
    assert len(first) == len(again)
    for one, other in zip(first, again, strict=True):
        assert type(one) is type(other), (one, other)
        if isinstance(one, RuleError) and isinstance(other, RuleError):
            assert (one.what, one.next_step) == (other.what, other.next_step)
        elif isinstance(one, Skipped):
            assert one == other
        elif isinstance(one, CompiledRule) and isinstance(other, CompiledRule):
            assert (one.rule, one.routes, one.idle) == (other.rule, other.routes, other.idle)
            assert fires(one, EVENTS[0]) is fires(other, EVENTS[0])


SEED = """\
action: global
title: Shared
level: high
tags: [attack.t1059]
logsource: {product: windows}
detection: {condition: selection and not filter, filter: {User: x}}
---
id: a0000000-0000-4000-8000-000000000000
logsource: {category: process_creation}
detection: {selection: {Image|endswith: .exe}}
---
action: repeat
level: low
detection: {selection: {Image|endswith: .dll, User: anna}, filter: {}}
---
action: global
logsource: {service: sysmon}
---
id: b0000000-0000-4000-8000-000000000000
detection: {selection: [powershell, -enc]}
---
action: reset
---
title: Alone
logsource: {category: dns_query}
detection: {a: {QueryName|endswith: .example}, condition: a}
"""


def _parts(random: Random) -> bytes | None:
    if random.random() < 0.4:
        return None
    made = [documents.part(random) for _ in range(random.randint(2, 5))]
    return documents.as_text(made).encode("utf-8", "surrogatepass")


SPREAD: Mapping[str, Target] = {
    "action": Target(lambda: (SEED.encode(),), (*SIGMA, *(f"action: {word}\n".encode() for word in ACTIONS), b"id: a\n",
                     b"detection: {}\n", b"logsource: {service: security}\n", b"action: x\n", b"action: [global]\n"),
                     TEXT, spread, fresh=_parts),
}
