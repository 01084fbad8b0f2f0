"""Rules as they were compiled, kept in a file by the hash of their text: a hunt starts in a third of a second.

What is kept is data, never code: what a rule says of itself, its routes, and its detection as it stood in the YAML, of
which the term is made when the first event comes that the rule reads (Deferred). A text that is new, changed, wrong,
or that refers to other rules (filters, correlations) is read in full. The file is msgpack with a checksum, decoded
against the types below; one that does not fit in any way is ignored and written anew, and so is one that others than
its owner may write, because whoever writes it decides what is found. Cannot be written: no cache, no complaint.

DOUSE_CACHE_DIR says where; set but empty it means nowhere. A folder that may only be read serves as it is.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import msgspec

import douse
from douse.detection.language.decision import decision
from douse.detection.language.documents import Node
from douse.detection.language.parse import CompiledRule, Outcome, Skipped
from douse.detection.language.placeholders import Lists
from douse.detection.logsource import Route
from douse.detection.reference import Term
from douse.detection.view import View
from douse.model import Match, Rule

ENVIRONMENT = "DOUSE_CACHE_DIR"
MAX_FILES = 8
"""Sets of rules kept; the one not used for longest goes first."""

_DIGEST = hashlib.sha256().digest_size


class _Kept(msgspec.Struct, array_like=True, gc=False, tag="rule"):
    """A rule: all but its term, and what that is made of."""

    rule: Rule
    routes: list[Route]
    idle: str
    detection: msgspec.Raw


class _KeptReason(msgspec.Struct, array_like=True, gc=False, tag="skip"):
    """A document that is no rule to load."""

    reason: str


_File = dict[str, list[_Kept | _KeptReason]]
"""Hash of a rule file's text -> what its documents are."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_File).decode


class Deferred:
    """A term that is made when it is first asked."""

    __slots__ = ("_detection", "_lists", "_term")

    def __init__(self, detection: bytes, lists: Lists) -> None:
        self._detection, self._lists = detection, lists
        self._term: Term | None = None

    def made(self) -> Term:
        """The term itself."""
        if self._term is None:
            nodes: dict[str, Node] = msgspec.msgpack.decode(self._detection, type=dict[str, object])
            self._term = decision("detection", nodes, self._lists)
        return self._term

    def holds(self, view: View) -> bool:
        return self.made().holds(view)

    def why(self, view: View, selection: str) -> Iterator[Match]:
        return self.made().why(view, selection)

    def event_ids(self) -> frozenset[int] | None:
        return self.made().event_ids()


class RuleCache:
    """The cache of one set of rule paths. Ask `get` for each file, tell `put` what was not there, `save` at the end."""

    def __init__(self, folder: Path, paths: Iterable[Path], lists: Lists) -> None:
        stamp = repr((_engine(), sorted(lists.items()), [str(path.absolute()) for path in paths]))
        self._path = folder / f"rules-{hashlib.sha256(stamp.encode()).hexdigest()[:24]}.msgpack"
        self._lists = lists
        self._known = _load(self._path)
        self._used: _File = {}
        self._changed = False

    def get(self, digest: str, path: str, *, builtin: bool) -> list[Outcome] | None:
        """What the documents of a text turned out to be, None when it is not known."""
        kept = self._known.get(_key(digest, builtin))
        if kept is None:
            return None
        self._used[_key(digest, builtin)] = kept
        return [self._outcome(each, path) for each in kept]

    def _outcome(self, kept: _Kept | _KeptReason, path: str) -> Outcome:
        if isinstance(kept, _KeptReason):
            return Skipped(path, kept.reason)
        rule = kept.rule if kept.rule.path == path else replace(kept.rule, path=path)
        term = Deferred(bytes(kept.detection), self._lists) if not kept.idle else None
        return CompiledRule(rule, term, tuple(kept.routes), kept.idle)

    def put(self, digest: str, outcomes: list[Outcome], *, builtin: bool) -> None:
        """Keep what a text turned out to be, if it is nothing but rules and documents that are none."""
        kept: list[_Kept | _KeptReason] = []
        for outcome in outcomes:
            if isinstance(outcome, Skipped):
                kept.append(_KeptReason(outcome.reason))
            elif isinstance(outcome, CompiledRule):
                detection = msgspec.Raw(_encode(outcome.detection or {}))
                kept.append(_Kept(outcome.rule, list(outcome.routes), outcome.idle, detection))
            else:
                return
        self._used[_key(digest, builtin)] = kept
        self._changed = True

    def save(self) -> None:
        """Write what this run used, if any of it was new; whole or not at all."""
        if not self._changed:
            return
        body = _encode(self._used)
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".rules-")
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(hashlib.sha256(body).digest() + body)
                Path(name).replace(self._path)
            finally:
                Path(name).unlink(missing_ok=True)
            _forget_old(self._path.parent)
        except OSError:
            pass


def cache_folder() -> Path | None:
    """Where caches of this user belong; None when he wants none."""
    named = os.environ.get(ENVIRONMENT)
    if named is not None:
        return Path(named) if named else None
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return Path(base) / "douse" / "cache" if base else None
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache") / "douse"
    except RuntimeError:  # no home
        return None


def _key(digest: str, builtin: bool) -> str:
    return f"{digest}+" if builtin else digest


@cache
def _engine() -> str:
    """What compiled rules depend on beside their text: the version, and the files of this room and its tables."""
    house = Path(douse.__file__).parent
    files = [*(house / "detection").rglob("*.py"), *(house / "content").rglob("*.yml"), house / "model.py"]
    state = sorted((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    return f"{douse.__version__} {state!r}"


def _load(path: Path) -> _File:
    try:
        with path.open("rb") as stream:
            if not _trusted(os.fstat(stream.fileno())):
                return {}
            data = stream.read()
        if hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
            return {}
        return _decode(data[_DIGEST:])
    except (OSError, msgspec.DecodeError, RecursionError):
        return {}


def _trusted(status: os.stat_result) -> bool:
    """Whether only this user or the administrator can have written a file. Windows guards the user's folder itself."""
    if sys.platform == "win32":
        return True
    return status.st_uid in (0, os.geteuid()) and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _forget_old(folder: Path) -> None:
    files = sorted(folder.glob("rules-*.msgpack"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in files[MAX_FILES:]:
        file.unlink(missing_ok=True)
