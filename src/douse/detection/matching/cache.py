"""Rules as they were compiled, kept in a file by the hash of their text: three thousand load in a tenth of a second.

What is kept is data, never code: what a rule says of itself, its routes, its plan (plan.py), of which a bucket is
built, and its detection as it stood in the YAML, of which the term is made when the rule fires (deferred.py). A text
that is new, changed, wrong, or that refers to other rules (filters, correlations) is read in full. The file is msgpack,
decoded against the types below; one that does not fit in any way is ignored and written anew. Where it lies and whom
it is believed: cachefile.py.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path

import msgspec

import douse
from douse.content.logsources import log_sources
from douse.detection.language.meaning import STAGES
from douse.detection.language.parse import CompiledRule, Outcome, Skipped
from douse.detection.language.placeholders import Lists
from douse.detection.logsource import Route
from douse.detection.matching.cachefile import cache_path, read_cache, write_cache
from douse.detection.matching.deferred import Deferred
from douse.detection.matching.planner import plan_of
from douse.model import EVIDENCE_CLASSES, LEVELS, Rule

_LAST_STAGE = max(map(int, STAGES))


class _Kept(msgspec.Struct, array_like=True, gc=False, tag="rule"):
    """A rule: what it says of itself, the number of its routes, why it is idle, and what its term is made of."""

    rule: Rule
    routes: int
    idle: str
    detection: msgspec.Raw
    plan: msgspec.Raw


class _KeptReason(msgspec.Struct, array_like=True, gc=False, tag="skip"):
    """A document that is no rule to load."""

    reason: str


class _File(msgspec.Struct, array_like=True):
    """Hash of a rule file's text -> what its documents are; and their routes, which most rules share with others."""

    routes: list[tuple[Route, ...]] = msgspec.field(default_factory=list)
    texts: dict[str, list[_Kept | _KeptReason]] = msgspec.field(default_factory=dict)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_File).decode


class RuleCache:
    """The cache of one set of rule paths. Ask `get` for each file, tell `put` what was not there, `save` at the end."""

    def __init__(self, folder: Path, paths: Iterable[Path], lists: Lists) -> None:
        stamp = repr((_engine(), sorted(lists.items()), [str(path.absolute()) for path in paths]))
        self._path = cache_path(folder, stamp)
        self._name, self._lists = str(self._path), lists
        self._known = _load(self._path)
        self._numbers = {routes: number for number, routes in enumerate(self._known.routes)}
        self._used: dict[str, None] = {}
        self._changed = False

    def get(self, digest: str, path: str, *, builtin: bool) -> list[Outcome] | None:
        """What the documents of a text turned out to be, None when it is not known."""
        key = _key(digest, builtin)
        kept = self._known.texts.get(key)
        if kept is None:
            return None
        self._used[key] = None
        return [self._outcome(each, path) for each in kept]

    def _outcome(self, kept: _Kept | _KeptReason, path: str) -> Outcome:
        if isinstance(kept, _KeptReason):
            return Skipped(path, kept.reason)
        rule = kept.rule if kept.rule.path == path else replace(kept.rule, path=path)
        routes = self._known.routes[kept.routes]
        term = None if kept.idle else Deferred(kept.detection, kept.plan, self._lists, self._name)
        return CompiledRule(rule, term, routes, kept.idle)

    def put(self, digest: str, outcomes: list[Outcome], *, builtin: bool) -> bool:
        """Keep what a text turned out to be, if it is nothing but rules and documents that are none."""
        kept: list[_Kept | _KeptReason] = []
        try:
            for outcome in outcomes:
                if isinstance(outcome, Skipped):
                    kept.append(_KeptReason(outcome.reason))
                elif isinstance(outcome, CompiledRule):
                    kept.append(self._kept(outcome))
                else:
                    return False
            _encode(kept)
        except UnicodeEncodeError:  # half a character, which YAML can write and msgpack cannot
            return False
        key = _key(digest, builtin)
        self._known.texts[key], self._used[key] = kept, None
        self._changed = True
        return True

    def _kept(self, compiled: CompiledRule) -> _Kept:
        number = self._numbers.setdefault(compiled.routes, len(self._known.routes))
        if number == len(self._known.routes):
            self._known.routes.append(compiled.routes)
        plan = None if compiled.term is None else plan_of(compiled.term)
        return _Kept(compiled.rule, number, compiled.idle, msgspec.Raw(_encode(compiled.detection or {})),
                     msgspec.Raw(_encode(plan)))

    def save(self) -> None:
        """Write what this run used, if any of it was new."""
        if self._changed:
            texts = {key: self._known.texts[key] for key in self._used}
            write_cache(self._path, _encode(_File(self._known.routes, texts)))


def _key(digest: str, builtin: bool) -> str:
    return f"{digest}+" if builtin else digest


@cache
def _engine() -> str:
    """What compiled rules depend on beside their text: the version, the files of this room and its tables, and how this
    Python folds letters."""
    house = Path(douse.__file__).parent
    content = [file for kind in ("*.yml", "*.tsv") for file in (house / "content").rglob(kind)]
    files = [*(house / "detection").rglob("*.py"), *content, house / "model.py"]
    state = sorted((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    return f"{douse.__version__} {unicodedata.unidata_version} {state!r}"


def _load(path: Path) -> _File:
    """What is in the file, nothing where it is not exactly what was written here."""
    try:
        found = _decode(read_cache(path))
    except (msgspec.DecodeError, ValueError, RecursionError):  # ValueError: text that is not UTF-8
        return _File()
    return found if _is_possible(found) else _File()


def _is_possible(file: _File) -> bool:
    """Whether rules have only words and numbers that parsing gives, so that no table is asked for one it lacks."""
    count, tables = len(file.routes), {"", *log_sources().aliases}
    return all(route.aliases in tables for routes in file.routes for route in routes) and all(
        0 <= kept.routes < count and _is_possible_rule(kept.rule)
        for kept_of_text in file.texts.values() for kept in kept_of_text if isinstance(kept, _Kept))


def _is_possible_rule(rule: Rule) -> bool:
    return (rule.level in LEVELS and 0 <= rule.fidelity <= 1 and 0 <= rule.stage <= _LAST_STAGE
            and (not rule.evidence_class or rule.evidence_class in EVIDENCE_CLASSES))
