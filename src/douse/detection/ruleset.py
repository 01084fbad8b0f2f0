"""Rule files in, a RuleSet out: it says which records it wants, and turns an event into alerts.

    load_rules(paths) -> RuleSet           .rules .idle .rejected .skipped .interests() .match(event)

Rules are bucketed by (channel, event id), each bucket built when its first event comes, so an event meets only rules
that read it. One alert for each rule and event, nothing is merged here. A broken rule is kept as a RuleError and the
others run; of two rules with one id the first is used, and our own come first.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from douse.content.rules import rule_files
from douse.detection.alert import make_alert
from douse.detection.documents import MAX_BYTES
from douse.detection.logsource import EVERY_CHANNEL, Route, alias_table
from douse.detection.parse import CompiledRule, Outcome, Skipped, parse_rules
from douse.detection.reference import Term
from douse.detection.view import View
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


@dataclass(frozen=True, slots=True)
class _Lane:
    """The rules of a bucket that see its events through the same aliases and under the same conditions."""

    route: Route
    rules: tuple[tuple[Rule, Term], ...]


class RuleSet:
    """Compiled rules, ready to match. `rules` can fire; `idle`, `rejected`, `skipped` say what became of the rest."""

    def __init__(self, rules: Sequence[CompiledRule], idle: Sequence[Idle] = (), rejected: Sequence[RuleError] = (),
                 skipped: Mapping[str, int] | None = None, fingerprint: str = "") -> None:
        self.rules, self.idle, self.rejected = tuple(rules), tuple(idle), tuple(rejected)
        self.skipped: Mapping[str, int] = dict(skipped or {})
        self.fingerprint = fingerprint
        self._by_channel: dict[str, list[tuple[CompiledRule, Route]]] = {}
        for rule in self.rules:
            for route in rule.routes:
                self._by_channel.setdefault(route.channel, []).append((rule, route))
        self._buckets: dict[tuple[str, int], tuple[_Lane, ...]] = {}

    def interests(self) -> frozenset[Interest]:
        """The records that some rule reads."""
        return frozenset((route.channel, route.event_id) for rule in self.rules for route in rule.routes)

    def match(self, event: Event) -> Iterator[Alert]:
        """The alerts of an event, one for each rule that it matches, in the order of the rules within a lane."""
        key = event.channel, event.event_id
        lanes = self._buckets.get(key)
        if lanes is None:
            lanes = self._bucket(key)
        views: dict[str, View] = {}
        for lane in lanes:
            name = lane.route.aliases
            view = views.get(name) or views.setdefault(name, View(event, alias_table(name)))
            if lane.route.admits(view):
                for rule, term in lane.rules:
                    if term.holds(view):
                        yield make_alert(rule, term, view)

    def _bucket(self, key: tuple[str, int]) -> tuple[_Lane, ...]:
        """The rules that read a channel and event id, grouped; remembered."""
        channel, event_id = key[0].lower(), key[1]
        lanes: dict[Route, dict[str, tuple[Rule, Term]]] = {}
        for rule, route in (*self._by_channel.get(channel, ()), *self._by_channel.get(EVERY_CHANNEL, ())):
            if rule.term is not None and route.event_id in (None, event_id):
                lane = Route("", None, route.where, route.aliases)
                lanes.setdefault(lane, {})[rule.rule.rule_id] = rule.rule, rule.term
        if len(self._buckets) >= MAX_BUCKETS:
            self._buckets.clear()
        built = tuple(_Lane(route, tuple(rules.values())) for route, rules in lanes.items())
        self._buckets[key] = built
        return built


def load_rules(paths: Sequence[Path], *, builtin: bool = True) -> RuleSet:
    """Read our own rules (unless `builtin` is false) and those below the given files and folders.

    Raises RuleError for a path that does not exist; all else that is wrong with a rule is in the set's `rejected`.
    """
    loading = _Loading()
    if builtin:
        for file in rule_files():
            loading.read(file, builtin=True)
    for path in paths:
        for file in _files(path):
            loading.read(file)
    return loading.ruleset()


def _files(path: Path) -> Iterator[Path]:
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

    rules: list[CompiledRule] = field(default_factory=list)
    idle: list[Idle] = field(default_factory=list)
    rejected: list[RuleError] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    files: set[Path] = field(default_factory=set)
    paths_by_id: dict[str, str] = field(default_factory=dict)
    digests: list[bytes] = field(default_factory=list)

    def read(self, file: Path, *, builtin: bool = False) -> None:
        """Read one file, unless it was read before under another name."""
        try:
            real = file.resolve(strict=True)
            if real in self.files:
                return
            self.files.add(real)
            text = _text(file)
        except OSError as error:
            what = f"cannot be read ({error.strerror})."
            self.rejected.append(RuleError(f"{file}:1", what, "Check its permissions."))
        except RuleError as error:
            self.rejected.append(error)
        else:
            for outcome in parse_rules(text, str(file), builtin=builtin):
                self._take(outcome, text)
            self.digests.append(hashlib.sha256(text.encode()).digest())

    def _take(self, outcome: Outcome, text: str) -> None:
        if isinstance(outcome, RuleError):
            self.rejected.append(outcome)
        elif isinstance(outcome, Skipped):
            self.skipped[outcome.reason] += 1
        elif outcome.rule.rule_id in self.paths_by_id:
            self._reject_double(outcome.rule, text)
        else:
            self.paths_by_id[outcome.rule.rule_id] = outcome.rule.path
            if outcome.idle:
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
        digest = hashlib.sha256(b"".join(sorted(self.digests))).hexdigest()
        return RuleSet(self.rules, self.idle, self.rejected, self.skipped, digest)


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
