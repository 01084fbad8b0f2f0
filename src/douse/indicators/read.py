"""Read files of indicators (--ioc), each told apart by its content: STIX, a table with a header, or one value a line.

    read_files(paths) -> IndicatorFiles      .known, merged over all files     .files, one row each     .skips

A file that cannot be read, or is none of the three, is a ContentError; one bad entry is a Skip and the rest counts. The
same file named twice is read once. Everything here happens before the evidence is read.
"""

from __future__ import annotations

import codecs
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from douse.errors import ContentError
from douse.indicators import stix, table
from douse.indicators.entries import Entries, Skip
from douse.indicators.known import TYPES, Known, merged
from douse.indicators.lines import COMMENTS, read_lines

MAX_BYTES: Final = 256 << 20
_BLOCK: Final = 1 << 20
MOST: Final = 2_000_000
"""Indicators of a run: each takes about 500 bytes, in every process that reads."""

_BOMS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_FORMS: Final = "Give one value a line, a CSV with a header that names the column indicator, or a STIX 2.1 bundle."


@dataclass(frozen=True, slots=True)
class IndicatorFile:
    """One file that was read: how the user named it, its size and hash, how many indicators of which type it named,
    how many entries its own author did not mean, by reason, and how many could not be used."""

    path: str
    size: int
    sha256: str
    named: Counter[str]
    left_out: Counter[str]
    skipped: int

    @property
    def summary(self) -> str:
        """One line for a person."""
        kinds = Counter[str]()
        for kind, count in self.named.items():
            kinds[TYPES[kind]] += count
        listed = ", ".join(f"{count:,} {_plural(word, count)}" for word, count in kinds.items())
        more = [f"{count:,} left out: {reason}" for reason, count in self.left_out.items()]
        more += [f"{self.skipped:,} could not be used"] if self.skipped else []
        total = sum(kinds.values())
        said = f"{self.path}: {total:,} {_plural('indicator', total)}"
        return "; ".join((f"{said} ({listed})" if listed else said, *more))


@dataclass(frozen=True, slots=True)
class IndicatorFiles:
    """All files of a run: what they name together, one row for each, and the entries that could not be used."""

    known: tuple[Known, ...] = ()
    files: tuple[IndicatorFile, ...] = ()
    skips: tuple[Skip, ...] = ()


def read_files(paths: Iterable[Path]) -> IndicatorFiles:
    """Read all files in the order named. Raises ContentError where one cannot be used at all."""
    known: list[Known] = []
    files: list[IndicatorFile] = []
    skips: list[Skip] = []
    for path in dict.fromkeys(paths):
        data = _bytes(path)
        entries = _entries(str(path), data)
        if not (entries.known or entries.left_out):
            raise _unusable(str(path), entries.skips)
        known += entries.known
        skips += entries.skips
        if len(known) > MOST:
            raise ContentError(str(path), f"there are more than {MOST:,} indicators.", "Leave out the older ones.")
        files.append(IndicatorFile(
            str(path), len(data), hashlib.sha256(data).hexdigest(), Counter(one.type for one in entries.known),
            entries.left_out, len(entries.skips)))
    return IndicatorFiles(merged(known), tuple(files), tuple(skips))


def _unusable(file: str, skips: list[Skip]) -> ContentError:
    """Why a file is of no use: a run without what it should have named would look clean."""
    if not skips:
        return ContentError(file, "names no indicator.", _FORMS)
    what = f"{skips[0].what.rstrip('.')}; nothing else in the file can be used."
    return ContentError(skips[0].where, what, skips[0].next_step)


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}es" if word.endswith(("s", "sh")) else f"{word}s"


def _bytes(path: Path) -> bytes:
    blocks: list[bytes] = []
    try:
        with path.open("rb") as stream:
            while (block := stream.read(_BLOCK)) and sum(map(len, blocks)) <= MAX_BYTES:
                blocks.append(block)
    except OSError as error:
        raise ContentError(str(path), f"cannot be read ({error.strerror or error}).",
                           "Check the path and its permissions.") from None
    data = b"".join(blocks)
    if len(data) > MAX_BYTES:
        raise ContentError(str(path), f"is larger than {MAX_BYTES >> 20} MiB.",
                           "Split it, or leave out the older ones.")
    return data


def _entries(file: str, data: bytes) -> Entries:
    """The entries of a file, by what it looks like."""
    text = _text(file, data)
    if text.lstrip()[:1] in ("{", "["):
        objects = _objects(file, text)
        if objects is not None:
            return stix.read_objects(file, objects)
    numbered = list(enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1))
    found = _header(numbered)
    if found is None:
        return read_lines(file, numbered)
    at, (separator, columns) = found
    if len(columns) == 1:  # a list with a heading: what looks like a separator is part of a URL
        return read_lines(file, numbered[at:])
    return table.read_rows(file, numbered[at:], separator, columns)


def _text(file: str, data: bytes) -> str:
    bom, encoding = next(((bom, name) for bom, name in _BOMS if data.startswith(bom)), (b"", "utf-8"))
    try:
        return data[len(bom):].decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start + len(bom)) + 1
        raise ContentError(f"{file}:{line}", "is neither UTF-8 nor UTF-16.", f"Save it as UTF-8. {_FORMS}") from None


def _objects(file: str, text: str) -> list[object] | None:
    """The objects of a JSON file; None where its first sign is a defanged value's. Raises ContentError."""
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        first = text.lstrip()
        if first[0] == "[" and first[1:2] not in ("{", "[", "]", '"', "\n", "\r", " "):
            return None
        raise ContentError(file, f"begins as JSON and is none ({error}).", _FORMS) from None
    objects = stix.objects_of(document)
    if objects is None:
        raise ContentError(file, "is JSON, and no STIX 2.1 bundle or object.", _FORMS)
    return list(objects)


def _header(numbered: list[tuple[int, str]]) -> tuple[int, tuple[str, list[str]]] | None:
    """Where the rows of a table begin (an index), and its header; None where the file is a list.

    It is the first line that is neither blank nor a comment, or the last comment before it that names columns.
    """
    comment = ""
    for at, (_, line) in enumerate(numbered):
        if not line.strip():
            continue
        if not line.lstrip().startswith(COMMENTS):
            found = table.header_of(line)
            if found:
                return at + 1, found
            found = table.header_of(comment)
            is_row = found is not None and len(found[1]) > 1 and line.count(found[0]) >= len(found[1]) - 1
            return (at, found) if found and is_row else None
        comment = line if table.header_of(line) else comment
    return None


def lines_of(skips: Iterable[Skip], most: int) -> Iterator[Skip]:
    """The first skips, and one that counts the others."""
    listed = list(skips)
    yield from listed[:most]
    if len(listed) > most:
        yield Skip(listed[most].where, f"this and {len(listed) - most - 1:,} more entries could not be used either.",
                   "Correct the first ones and run the command again.")
