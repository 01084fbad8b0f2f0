"""How many Sigma rules below a folder use each feature of the language: the numbers of the table in docs/sigma.md.

    python scripts/sigma_features.py ../shared/data/sigma

A rule counts once for each feature. Files that are no rules (a map of log sources) are left out.
tests/scripts/test_sigma_features.py holds the table to these numbers.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from douse.detection.language.actions import merged
from douse.detection.language.documents import Document, Node, read_documents
from douse.detection.language.modifiers import MODIFIERS, TIME_PARTS
from douse.detection.language.patterns import Glob, Wild

_COMPARED = frozenset({"lt", "lte", "gt", "gte"})
_CONDITION = {
    "1 of": re.compile(r"\b(?:1|any) of\b", re.IGNORECASE),
    "all of": re.compile(r"\ball of\b", re.IGNORECASE),
    "of them": re.compile(r"\bof them\b", re.IGNORECASE),
    "not 1 of": re.compile(r"\bnot (?:1|any) of\b", re.IGNORECASE),
    "not": re.compile(r"\bnot\b", re.IGNORECASE),
    "and": re.compile(r"\band\b", re.IGNORECASE),
    "or": re.compile(r"\bor\b", re.IGNORECASE),
    "parentheses": re.compile(r"\("),
}


def features(data: dict[str, Node]) -> set[str]:
    """The features that one document uses."""
    found: set[str] = {kind for kind in ("correlation", "filter", "action") if kind in data}
    detection = data.get("detection")
    if isinstance(detection, dict):
        condition = detection.get("condition")
        found |= {"list of conditions"} if isinstance(condition, list) else set()
        found |= {name for name, pattern in _CONDITION.items() if pattern.search(str(condition))}
        for name, node in detection.items():
            if name not in ("condition", "timeframe"):
                found |= set(_of_selection(node))
    return found


def _of_selection(node: Node) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _of_line(key, value)
    elif isinstance(node, list):
        if any(isinstance(item, dict) for item in node):
            yield "list of maps"
        if any(not isinstance(item, dict) for item in node):
            yield "keywords"
        for item in node:
            if isinstance(item, dict | list):
                yield from _of_selection(item)
    else:
        yield "keywords"


def _of_line(key: str, node: Node) -> Iterator[str]:
    field, *words = key.split("|")
    if not field:
        yield "keywords"
        yield from ["keywords with all"] if "all" in words else []
    for word in words:
        yield "a part of a time" if word in TIME_PARTS else "lt lte gt gte" if word in _COMPARED else word
        if word not in MODIFIERS:
            yield "unknown modifiers"
    for value in node if isinstance(node, list) else [node]:
        if value is None:
            yield "null"
        elif value == "":
            yield "empty"
        elif isinstance(value, bool):
            yield "true or false"
        elif isinstance(value, int | float):
            yield "numbers"
        elif isinstance(value, str) and "re" not in words and any(isinstance(p, Wild) for p in Glob.parse(value).parts):
            yield "wildcards"


def count(folder: Path) -> tuple[int, Counter[str]]:
    """How many rules there are below a folder, and how many of them use each feature."""
    counts: Counter[str] = Counter()
    documents = 0
    for file in sorted(folder.rglob("*.yml")):
        text = file.read_text(encoding="utf-8-sig")
        found = list(read_documents(text, str(file)))
        if len(found) > 1:
            counts["several documents"] += 1
        for document in merged(found):
            data = document.data if isinstance(document, Document) else None
            if isinstance(data, dict) and data.keys() & {"detection", "correlation", "filter"}:
                documents += 1
                counts.update(features(data))
    return documents, counts


def main(folder: Path) -> None:
    """Print every feature with the number of rules that use it."""
    documents, counts = count(folder)
    print(f"{documents} rules")
    for name, number in sorted(counts.items()):
        print(f"{number:6} {name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
