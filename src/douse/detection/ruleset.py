"""Rule files in, a RuleSet out: it says which records it wants, and turns an event into alerts.

    load_rules(paths) -> RuleSet           .rules .idle .rejected .skipped .interests() .match(event)

Rules are bucketed by (channel, event id), each bucket built when its first event comes, so an event meets only rules
that read it. One alert for each rule and event, nothing is merged here. A broken rule is kept as a RuleError and the
others run; of two rules with one id the first is used, and our own come first.
"""

from __future__ import annotations

import gc
import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from douse.content.rules import rule_files
from douse.detection.correlation.document import Correlation
from douse.detection.language.documents import MAX_BYTES
from douse.detection.language.filters import Filter
from douse.detection.language.parse import CompiledRule, Outcome, Skipped, parse_rules
from douse.detection.language.placeholders import NO_LISTS, Lists
from douse.detection.linking import link
from douse.detection.logsource import EVERY_CHANNEL, Route
from douse.detection.matching.automaton import Memory
from douse.detection.matching.bucket import Bucket, Entry
from douse.detection.matching.cache import RuleCache, cache_folder
from douse.errors import RuleError
from douse.model import Alert, Event, Interest, Rule

SUFFIXES = (".yml", ".yaml")
MAX_BUCKETS = 4_096
"""Buckets kept at once; a log with more (channel, id) pairs than this is hostile, and rebuilding them is cheap."""


@dataclass(frozen=True, slots=True)
class Idle:
    """A rule that was read and can never fire here, and why."""

    rule: Rule
    reason: str


class RuleSet:
    """Compiled rules, ready to match. `rules` can fire; `idle`, `rejected`, `skipped` say what became of the rest.

    `correlations` join their alerts (correlator.py); `filters` are in the rules already.
    """

    def __init__(self, rules: Sequence[CompiledRule], idle: Sequence[Idle] = (), rejected: Sequence[RuleError] = (),
                 skipped: Mapping[str, int] | None = None, fingerprint: str = "",
                 correlations: Sequence[Correlation] = (), filters: Sequence[Filter] = ()) -> None:
        self.rules, self.idle, self.rejected = tuple(rules), tuple(idle), tuple(rejected)
        self.correlations, self.filters = tuple(correlations), tuple(filters)
        self.skipped: Mapping[str, int] = dict(skipped or {})
        self.fingerprint = fingerprint
        self._by_channel: dict[str, list[tuple[CompiledRule, Route]]] = {}
        for rule in self.rules:
            for route in rule.routes:
                self._by_channel.setdefault(route.channel, []).append((rule, route))
        self._memory = Memory()
        self._buckets: dict[tuple[str, int], Bucket] = {}
        self._alike: dict[tuple[tuple[Route, int], ...], Bucket] = {}

    def interests(self) -> frozenset[Interest]:
        """The records that some rule reads."""
        return frozenset((route.channel, route.event_id) for rule in self.rules for route in rule.routes)

    def match(self, event: Event) -> Iterator[Alert]:
        """The alerts of an event, one for each rule that it matches, in the order of the rules within a route."""
        bucket = self._buckets.get((event.channel, event.event_id))
        return (bucket or self._bucket(event)).match(event)

    def match_slowly(self, event: Event) -> Iterator[Alert]:
        """The same by the definition: every rule of the bucket is asked, one after the other. For tests."""
        return (self._buckets.get((event.channel, event.event_id)) or self._bucket(event)).match_slowly(event)

    def _bucket(self, event: Event) -> Bucket:
        """The rules that read an event's channel and id; remembered, and one for all pairs that have the same rules."""
        lanes: dict[Route, dict[str, Entry]] = {}
        for rule, route in (*self._by_channel.get(event.channel.lower(), ()), *self._by_channel.get(EVERY_CHANNEL, ())):
            if rule.term is not None and route.event_id in (None, event.event_id):
                lane = Route("", None, route.where, route.aliases)
                lanes.setdefault(lane, {})[rule.rule.rule_id] = Entry(lane, rule.rule, rule.term)
        if len(self._buckets) >= MAX_BUCKETS:
            self._buckets.clear()
        entries = tuple(entry for lane in lanes.values() for entry in lane.values())
        alike = tuple((entry.route, id(entry.term)) for entry in entries)
        bucket = self._alike.get(alike)
        if bucket is None:
            with no_garbage_collection():
                bucket = self._alike[alike] = Bucket(entries, self._memory)
        self._buckets[event.channel, event.event_id] = bucket
        return bucket


def load_rules(paths: Sequence[Path], *, builtin: bool = True, placeholders: Lists = NO_LISTS,
               cached: bool = False) -> RuleSet:
    """Read our own rules (unless `builtin` is false) and those below the given files and folders.

    `placeholders` has the values for each placeholder that rules name under `expand` (see placeholders.py).
    With `cached`, what was compiled before comes from cache.py, and terms are made when they are needed.
    Raises RuleError for a path that does not exist; all else that is wrong with a rule is in the set's `rejected`.
    """
    folder = cache_folder() if cached else None
    loading = _Loading(placeholders, RuleCache(folder, paths, placeholders) if folder is not None else None)
    with no_garbage_collection():
        return _load(loading, paths, builtin)


def _load(loading: _Loading, paths: Sequence[Path], builtin: bool) -> RuleSet:
    if builtin:
        for file in rule_files():
            loading.read(file, builtin=True)
    for path in paths:
        for file in rule_files_at(path):
            loading.read(file)
    if loading.cache is not None:
        loading.cache.save()
    return loading.ruleset()


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Rules are a hundred thousand objects that stay: looking for garbage among them takes half the time of loading."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def rule_files_at(path: Path) -> Iterator[Path]:
    """The rule files at a path: the file itself, or all below the folder, links followed once."""
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from _below(path)
    else:
        raise RuleError(str(path), "no such file or folder.", "Check the path given to --rules.")


def _below(folder: Path) -> Iterator[Path]:
    seen: set[tuple[int, int]] = set()
    for root, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if _first_visit(Path(root, name), seen))
        for name in sorted(files):
            if name.lower().endswith(SUFFIXES):
                yield Path(root, name)


def _first_visit(folder: Path, seen: set[tuple[int, int]]) -> bool:
    """Whether the folder was not walked before under another name."""
    try:
        status = folder.stat()
    except OSError:
        return False
    key = status.st_dev, status.st_ino
    if key in seen:
        return False
    seen.add(key)
    return True


@dataclass(slots=True)
class _Loading:
    """What has been read so far."""

    placeholders: Lists = field(default_factory=lambda: NO_LISTS)
    cache: RuleCache | None = None
    filters: list[Filter] = field(default_factory=list)
    correlations: list[Correlation] = field(default_factory=list)
    rules: list[CompiledRule] = field(default_factory=list)
    idle: list[Idle] = field(default_factory=list)
    rejected: list[RuleError] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    files: set[tuple[int, int]] = field(default_factory=set)
    paths_by_id: dict[str, str] = field(default_factory=dict)
    digests: list[bytes] = field(default_factory=list)

    def read(self, file: Path, *, builtin: bool = False) -> None:
        """Read one file, unless it was read before under another name."""
        try:
            status = file.stat()
            if (status.st_dev, status.st_ino) in self.files:
                return
            self.files.add((status.st_dev, status.st_ino))
            text = _text(file)
        except OSError as error:
            what = f"cannot be read ({error.strerror})."
            self.rejected.append(RuleError(f"{file}:1", what, "Check its permissions."))
        except RuleError as error:
            self.rejected.append(error)
        else:
            digest = hashlib.sha256(text.encode())
            for outcome in self._outcomes(text, digest.hexdigest(), str(file), builtin):
                self._take(outcome, text)
            self.digests.append(digest.digest())

    def _outcomes(self, text: str, digest: str, path: str, builtin: bool) -> list[Outcome]:
        """What the documents of a file are, from the cache where that knows the text."""
        known = None if self.cache is None else self.cache.get(digest, path, builtin=builtin)
        if known is not None:
            return known
        found = list(parse_rules(text, path, builtin=builtin, lists=self.placeholders))
        if self.cache is not None:
            self.cache.put(digest, found, builtin=builtin)
        return found

    def _take(self, outcome: Outcome, text: str) -> None:
        if isinstance(outcome, RuleError):
            self.rejected.append(outcome)
        elif isinstance(outcome, Skipped):
            self.skipped[outcome.reason] += 1
        elif isinstance(outcome, Filter):
            self.filters.append(outcome)
        elif outcome.rule.rule_id in self.paths_by_id:
            self._reject_double(outcome.rule, text)
        else:
            self.paths_by_id[outcome.rule.rule_id] = outcome.rule.path
            if isinstance(outcome, Correlation):
                self.correlations.append(outcome)
            elif outcome.idle:
                self.idle.append(Idle(outcome.rule, outcome.idle))
            else:
                self.rules.append(outcome)

    def _reject_double(self, rule: Rule, text: str) -> None:
        line = text.count("\n", 0, max(text.rfind(rule.rule_id), 0)) + 1
        first = self.paths_by_id[rule.rule_id]
        self.rejected.append(RuleError(f"{rule.path}:{line}", f"the id {rule.rule_id} is already that of {first}.",
                                       "Give one of them a new id, or load only one."))

    def ruleset(self) -> RuleSet:
        """The set, with a fingerprint of the contents of all files that were read."""
        lists = repr(sorted(self.placeholders.items())).encode() if self.placeholders else b""
        digest = hashlib.sha256(b"".join(sorted(self.digests)) + lists).hexdigest()
        linked = link(self.rules, [(idle.rule, idle.reason) for idle in self.idle], self.filters, self.correlations)
        return RuleSet(linked.rules, [*self.idle, *(Idle(rule, reason) for rule, reason in linked.idle)],
                       [*self.rejected, *linked.errors], self.skipped, digest, linked.correlations, self.filters)


def _text(file: Path) -> str:
    """The file's text; raises RuleError where it is no UTF-8 or larger than a rule file may be."""
    with file.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise RuleError(f"{file}:1", f"larger than {MAX_BYTES} bytes.", "Split it into several files.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RuleError(f"{file}:{line}", "not UTF-8.", "Save it as UTF-8 text.") from None
