"""Where rules are read from: paths in, the rule files below them out in a fixed order, and the text of each.

A folder is walked with links followed once, so that a loop ends. Texts are bytes first: a file that was compiled before
is known by their hash and need not be decoded. Paths are plain texts inside, for speed.
"""
# ruff: noqa: PTH116, PTH118, PTH123 -- three thousand Path objects cost more than reading as many files

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from douse.detection.language.documents import MAX_BYTES
from douse.errors import RuleError

SUFFIXES = (".yml", ".yaml")


def rule_files_at(path: Path) -> Iterator[Path]:
    """The rule files at a path: the file itself, or all below the folder. Raises RuleError."""
    return map(Path, rule_paths_at(path))


def rule_paths_at(path: Path) -> Iterator[str]:
    """The same as plain texts. Raises RuleError for a path that is neither."""
    try:
        kind = path.stat().st_mode
    except (OSError, ValueError) as error:
        what = "no such file or folder" if isinstance(error, FileNotFoundError) else str(
            getattr(error, "strerror", None) or error).lower()
        raise RuleError(str(path), f"{what}.", "Check the path.") from None
    if stat.S_ISREG(kind):
        yield str(path)
    elif stat.S_ISDIR(kind):
        yield from _below(path)
    else:
        raise RuleError(str(path), "neither a file nor a folder.", "Name a rule file, or a folder of them.")


def _below(folder: Path) -> Iterator[str]:
    seen: set[tuple[int, int]] = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if _first_visit(os.path.join(root, name), seen))
        for name in sorted(files):
            if name.lower().endswith(SUFFIXES):
                yield os.path.join(root, name)


def _first_visit(folder: str, seen: set[tuple[int, int]]) -> bool:
    """Whether the folder was not walked before under another name."""
    try:
        status = os.stat(folder)
    except OSError:
        return False
    key = status.st_dev, status.st_ino
    if key in seen:
        return False
    seen.add(key)
    return True


def read_bytes(path: str) -> tuple[bytes, tuple[int, int]]:
    """A rule file's bytes, and what tells it from every other file under whatever name (device, inode).

    Raises OSError, and RuleError where it is larger than a rule file may be.
    """
    with open(path, "rb") as stream:
        status = os.fstat(stream.fileno())
        data = stream.read(min(status.st_size, MAX_BYTES) + 1)  # a buffer for the largest would cost more than reading
        if len(data) > status.st_size:
            data += stream.read(MAX_BYTES + 1 - len(data))
    if len(data) > MAX_BYTES:
        raise RuleError(f"{path}:1", f"larger than {MAX_BYTES} bytes.", "Split it into several files.")
    return data, (status.st_dev, status.st_ino)


def text_of(data: bytes, path: str) -> str:
    """The text of a rule file. Raises RuleError where it is no UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RuleError(f"{path}:{line}", "not UTF-8.", "Save it as UTF-8 text.") from None
