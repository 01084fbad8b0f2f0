"""Rule files in, a RuleSet out: it says which records it wants, and turns an event into alerts.

    load_rules(paths) -> RuleSet           .rules .idle .rejected .skipped .interests() .match(event)

Rules are bucketed by (channel, event id), each bucket built when its first event comes, so an event meets only rules
that read it. One alert for each rule and event, nothing is merged here. A broken rule is kept as a RuleError and the
others run; of two rules with one id the first is used, and our own come first.
"""

from __future__ import annotations

import gc
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from douse.content.rules import rule_files
from douse.detection.correlation.document import Correlation
from douse.detection.language.filters import Filter
from douse.detection.language.parse import CompiledRule, Outcome, Skipped, parse_rules
from douse.detection.language.placeholders import NO_LISTS, Lists, with_ours
from douse.detection.linking import link
from douse.detection.logsource import EVERY_CHANNEL, Route, is_elsewhere
from douse.detection.matching.automaton import Memory
from douse.detection.matching.bucket import Bucket, Entry
from douse.detection.matching.cache import RuleCache
from douse.detection.matching.cachefile import cache_folder
from douse.detection.matching.deferred import distrust
from douse.detection.matching.plan import UnsoundPlan
from douse.detection.matching.probes import Probes
from douse.detection.rulefiles import read_bytes, rule_paths_at, text_of
from douse.errors import RuleError
from douse.model import Alert, Event, Interest, Rule

MAX_BUCKETS = 4_096
"""Buckets kept at once; a log with more (channel, id) pairs than this is hostile, and rebuilding them is cheap."""

LONGEST_CHANNEL = 255
"""Characters, as Windows has it. A longer name is made up, and not worth remembering."""


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
        self._forget()

    def _forget(self) -> None:
        """Begin with no bucket, nothing numbered and nothing remembered."""
        self._memory = Memory()
        self._probes = Probes(self._memory)
        self._buckets: dict[tuple[str, int], Bucket] = {}
        self._lanes: dict[Route, Route] = {}
        self._lane_of: dict[int, Route] = {}
        self._alike: dict[tuple[int, ...], Bucket] = {}

    def interests(self) -> frozenset[Interest]:
        """The records that some rule reads."""
        different = {id(rule.routes): rule.routes for rule in self.rules}  # rules of one logsource share their routes
        return frozenset((route.channel, route.event_id) for routes in different.values() for route in routes)

    def match(self, event: Event) -> Iterator[Alert]:
        """The alerts of an event, one for each rule that it matches, in the order of the rules within a route."""
        bucket = self._buckets.get((event.channel, event.event_id))
        try:
            return (bucket or self._bucket(event)).match(event)
        except UnsoundPlan:
            for rule in self.rules:
                distrust(rule.term)
            self._forget()
            return self._bucket(event).match(event)

    def match_slowly(self, event: Event) -> Iterator[Alert]:
        """The same by the definition: every rule of the bucket is asked, one after the other. For tests."""
        return (self._buckets.get((event.channel, event.event_id)) or self._bucket(event)).match_slowly(event)

    def _bucket(self, event: Event) -> Bucket:
        """The rules that read an event's channel and id; remembered, and one for all pairs that have the same rules."""
        lanes: dict[int, dict[str, Entry]] = {}
        anywhere: Sequence[tuple[CompiledRule, Route]] = self._by_channel.get(EVERY_CHANNEL, ())
        if is_elsewhere(event.channel):
            anywhere = [pair for pair in anywhere if pair[0].rule.logsource.product.lower() != "windows"]
        for rule, route in (*self._by_channel.get(event.channel.lower(), ()), *anywhere):
            if rule.term is not None and route.event_id in (None, event.event_id):
                lane = self._lane(route)
                lanes.setdefault(id(lane), {})[rule.rule.rule_id] = Entry(lane, rule.rule, rule.term)
        entries = tuple(entry for lane in lanes.values() for entry in lane.values())
        alike = tuple(key for entry in entries for key in (id(entry.route), id(entry.term)))
        bucket = self._alike.get(alike)
        if bucket is None:
            with no_garbage_collection():
                bucket = self._alike[alike] = Bucket(entries, self._probes)
        if len(event.channel) <= LONGEST_CHANNEL:
            if len(self._buckets) >= MAX_BUCKETS:
                self._buckets.clear()
            self._buckets[event.channel, event.event_id] = bucket
        return bucket

    def _lane(self, route: Route) -> Route:
        """What the entries of a bucket share: the route without its channel and id; one object for equal ones."""
        lane = self._lane_of.get(id(route))
        if lane is None:
            lane = Route("", None, route.where, route.aliases)
            lane = self._lane_of[id(route)] = self._lanes.setdefault(lane, lane)
        return lane


def load_rules(paths: Sequence[Path], *, builtin: bool = True, placeholders: Lists = NO_LISTS,
               cached: bool = False) -> RuleSet:
    """Read our own rules (unless `builtin` is false) and those below the given files and folders.

    `placeholders` has a user's values for placeholders that rules name under `expand`; our own lists are added, also
    where our rules are not (placeholders.py). With `cached`, what was compiled before comes from cache.py, and terms
    are made when they are needed. Raises RuleError for a path that does not exist; all else that is wrong with a rule
    is in the set's `rejected`.
    """
    folder = cache_folder() if cached else None
    lists = with_ours(placeholders)
    loading = _Loading(lists, RuleCache(folder, paths, lists) if folder is not None else None)
    with no_garbage_collection():
        return _load(loading, paths, builtin)


def _load(loading: _Loading, paths: Sequence[Path], builtin: bool) -> RuleSet:
    if builtin:
        for file in rule_files():
            loading.read(str(file), builtin=True)
    for path in paths:
        for name in rule_paths_at(path):
            loading.read(name)
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

    def read(self, path: str, *, builtin: bool = False) -> None:
        """Read one file, unless it was read before under another name."""
        try:
            data, identity = read_bytes(path)
        except OSError as error:
            what = f"cannot be read ({error.strerror})."
            self.rejected.append(RuleError(f"{path}:1", what, "Check its permissions."))
        except RuleError as error:
            self.rejected.append(error)
        else:
            if identity not in self.files:
                self.files.add(identity)
                self._read(data, path, builtin)

    def _read(self, data: bytes, path: str, builtin: bool) -> None:
        digest = hashlib.sha256(data)
        for outcome in self._outcomes(data, digest.hexdigest(), path, builtin):
            self._take(outcome, data)
        self.digests.append(digest.digest())

    def _outcomes(self, data: bytes, digest: str, path: str, builtin: bool) -> list[Outcome]:
        """What the documents of a file are, from the cache where that knows the text, and through it where it can."""
        known = None if self.cache is None else self.cache.get(digest, path, builtin=builtin)
        if known is not None:
            return known
        try:
            text = text_of(data, path)
        except RuleError as error:
            return [error]
        found = list(parse_rules(text, path, builtin=builtin, lists=self.placeholders))
        if self.cache is not None and self.cache.put(digest, found, builtin=builtin):
            return self.cache.get(digest, path, builtin=builtin) or found
        return found

    def _take(self, outcome: Outcome, data: bytes) -> None:
        if isinstance(outcome, RuleError):
            self.rejected.append(outcome)
        elif isinstance(outcome, Skipped):
            self.skipped[outcome.reason] += 1
        elif isinstance(outcome, Filter):
            self.filters.append(outcome)
        elif outcome.rule.rule_id in self.paths_by_id:
            self._reject_double(outcome.rule, data)
        else:
            self.paths_by_id[outcome.rule.rule_id] = outcome.rule.path
            if isinstance(outcome, Correlation):
                self.correlations.append(outcome)
            elif outcome.idle:
                self.idle.append(Idle(outcome.rule, outcome.idle))
            else:
                self.rules.append(outcome)

    def _reject_double(self, rule: Rule, data: bytes) -> None:
        line = data.count(b"\n", 0, max(data.rfind(rule.rule_id.encode("utf-8", "replace")), 0)) + 1
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
