"""Rule files and what was loaded from them in, the documents that were skipped out, each with its file and why.

A RuleSet only counts what it skips, because a hunt needs no more. Here the files are gone through again: one that gave
nothing holds nothing else, and one with several documents may hold some that were skipped. Files without the suffix of
a rule are only counted.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from douse.detection.language.documents import MAX_BYTES
from douse.detection.ruleset import RuleSet, load_rules

NO_DOCUMENT = "no document"
"""Why a file is skipped that holds nothing at all."""


@dataclass(frozen=True, slots=True)
class Skip:
    """A document that is neither a rule that loads nor a broken one, and why."""

    path: str
    reason: str


def others(paths: Sequence[Path], files: Sequence[Path]) -> int:
    """How many files there are besides the rule files; folders that are links are followed once, as for the rules."""
    found: set[Path] = set()
    seen: set[str] = set()
    for path in paths:
        for root, folders, names in os.walk(path, followlinks=True):
            real = {name: os.path.realpath(Path(root, name)) for name in folders}
            folders[:] = [name for name in folders if real[name] not in seen]
            seen.update(real.values())
            found |= {Path(root, name).resolve() for name in names}
    return len(found - {file.resolve() for file in files})


def skips(files: Sequence[Path], ruleset: RuleSet) -> Iterator[Skip]:
    """The skipped documents with their file: of a file that gave nothing, and of one that holds several."""
    known = {compiled.rule.path for compiled in ruleset.rules} | {idle.rule.path for idle in ruleset.idle}
    known |= {error.where.rpartition(":")[0] for error in ruleset.rejected}
    known |= {each.document.path for each in ruleset.filters} | {each.rule.path for each in ruleset.correlations}
    left = Counter(ruleset.skipped)
    seen: set[tuple[int, int] | Path] = set()
    for file in files:
        if (real := identity(file)) in seen:
            yield Skip(str(file), "the same file as another")
        elif str(file) not in known or left:
            yield from _skips_of(file, left, listed=str(file) in known)
        seen.add(real)


def identity(file: Path) -> tuple[int, int] | Path:
    """What two names of one file have in common, as the loading sees it."""
    try:
        status = file.stat()
    except OSError:
        return file
    return status.st_dev, status.st_ino


def _skips_of(file: Path, left: Counter[str], *, listed: bool) -> Iterator[Skip]:
    """What is skipped of one file, as far as the whole set has it `left`."""
    if listed and not _several(file):
        return
    alone = load_rules([file], builtin=False)
    found = [reason for reason, number in alone.skipped.items() for _ in range(number)]
    for reason in found:
        if left[reason]:
            left[reason] -= 1
        yield Skip(str(file), reason)
    if not found and not listed:
        yield Skip(str(file), NO_DOCUMENT)


def _several(file: Path) -> bool:
    """Whether the file may hold more than one document; one that is too big or not readable is rejected whole."""
    try:
        with file.open("rb") as stream:
            return b"\n---" in stream.read(MAX_BYTES)
    except OSError:
        return False
