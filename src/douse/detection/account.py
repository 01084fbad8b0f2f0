"""Paths of rules in, what became of every file and document out: loaded, idle, rejected or skipped, and the lints.

    loaded + filters + idle + rejected + skipped = documents, and every rule file has at least one of them

The rules are loaded as a hunt loads them (ruleset.py), so that this account cannot differ from what runs: our own are
beside them, because others may refer to them or have their ids, and are not counted. With `carried` (the fields that
somebody's logs hold) it also says which of the loaded rules read no record of those logs. Lints of a correlation look
at its rules too, so they are told here with the set around them. Which file a skipped document is in: skips.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from douse.content.rules import rule_files
from douse.detection.correlation.document import Correlation
from douse.detection.explain import filters_of, reads
from douse.detection.language.documents import line_of
from douse.detection.language.filters import Filter
from douse.detection.language.parse import CompiledRule
from douse.detection.language.placeholders import NO_LISTS, Lists
from douse.detection.lint.lint import DUPLICATE_FILE, DUPLICATE_TITLE, Finding, Lint, lint_text
from douse.detection.lint.subject import Carried, Place, Surroundings
from douse.detection.logsource import EVERY_CHANNEL
from douse.detection.rulefiles import rule_files_at
from douse.detection.ruleset import Idle, RuleSet, load_rules
from douse.detection.skips import Skip, identity, others, skips
from douse.errors import RuleError
from douse.model import Loss, Rule


@dataclass(frozen=True, slots=True)
class Unread:
    """A loaded rule of which the logs have no record, and what it reads."""

    rule: Rule
    reads: str


@dataclass(frozen=True, slots=True)
class LogsRead:
    """What was read of the logs to compare with: records, those that are known to be lost, and every loss."""

    records: int
    records_lost: int
    losses: tuple[Loss, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the rules at some paths. `files` is the number of rule files, `others` of all the rest there.

    `loaded` are the rules and correlations that can fire; `filters` is the number of filters that are whole. `logs` is
    what the rules were compared with, None without logs.
    """

    files: int
    others: int
    loaded: tuple[Rule, ...]
    filters: int
    idle: tuple[Idle, ...]
    rejected: tuple[RuleError, ...]
    skipped: tuple[Skip, ...]
    findings: tuple[Finding, ...]
    unread: tuple[Unread, ...] | None = None
    logs: LogsRead | None = None

    @property
    def documents(self) -> int:
        """How many documents were met; an empty file counts as one."""
        return len(self.loaded) + self.filters + len(self.idle) + len(self.rejected) + len(self.skipped)


def account(paths: Sequence[Path], carried: Carried | None = None, *, placeholders: Lists = NO_LISTS) -> Account:
    """Load and lint everything below the paths. Raises RuleError for a path that does not exist."""
    files = list(dict.fromkeys(file for path in paths for file in rule_files_at(path)))
    everything = _loaded(paths, files, placeholders)
    ruleset = _without_ours(everything)
    loaded = (*(one.rule for one in ruleset.rules), *(one.rule for one in ruleset.correlations))
    filters, rejected = _filters_and_errors(ruleset)
    return Account(
        files=len(files),
        others=others(paths, files),
        loaded=loaded,
        filters=filters,
        idle=tuple(ruleset.idle),
        rejected=rejected,
        skipped=tuple(skips(files, ruleset)),
        findings=tuple(sorted(_findings(ruleset, _surroundings(everything, carried or {})), key=_order)),
        unread=None if carried is None else tuple(_unread(ruleset.rules, carried)),
    )


def _loaded(paths: Sequence[Path], files: Sequence[Path], placeholders: Lists) -> RuleSet:
    """The rules at the paths, with ours beside them as in a hunt, unless it is ours that are looked at."""
    ours = {identity(file) for file in rule_files()}
    return load_rules(paths, builtin=not any(identity(file) in ours for file in files), placeholders=placeholders)


def _without_ours(ruleset: RuleSet) -> RuleSet:
    """The same, less our own rules."""
    ours = {str(file) for file in rule_files()}
    return RuleSet(
        [one for one in ruleset.rules if not one.rule.builtin],
        [one for one in ruleset.idle if not one.rule.builtin],
        [error for error in ruleset.rejected if error.where.rpartition(":")[0] not in ours],
        ruleset.skipped,
        correlations=[one for one in ruleset.correlations if not one.rule.builtin],
        filters=[one for one in ruleset.filters if one.document.path not in ours],
    )


def _findings(ruleset: RuleSet, around: Surroundings) -> Iterator[Finding]:
    """What the lints say of every file that something was loaded from, and what only shows between files."""
    rules = [*(one.rule for one in ruleset.rules), *(one.rule for one in ruleset.correlations),
             *(idle.rule for idle in ruleset.idle)]
    files = dict.fromkeys([*(rule.path for rule in rules), *(one.document.path for one in ruleset.filters)])
    broken = {error.where.rpartition(":")[0] for error in ruleset.rejected}
    for file in files:
        try:
            text = Path(file).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            continue  # it was there a moment ago, and is no rule's fault
        yield from lint_text(text, file, around, broken=file in broken)
    yield from _twice(DUPLICATE_TITLE, rules, lambda rule: rule.title.casefold(),
                      "the title '{0.title}' is also that of {1.path}.", "Say what sets it apart.")
    firsts: dict[str, Rule] = {}
    for rule in rules:
        firsts.setdefault(rule.path, rule)
    yield from _twice(DUPLICATE_FILE, firsts.values(), lambda rule: Path(rule.path).stem.casefold(),
                      "{1.path} has the same name, by which rules and cases are found.", "Rename one of them.")


def _surroundings(ruleset: RuleSet, carried: Carried) -> Surroundings:
    narrowed: dict[Place, set[str]] = {(one.document.path, one.document.index): set() for one in ruleset.filters
                                       if not _errors_of(one, ruleset.rejected)}
    for compiled in ruleset.rules if narrowed else ():
        for one in filters_of(compiled, ruleset.filters):
            narrowed.get((one.document.path, one.document.index), set()).add(compiled.rule.rule_id)
    rules: list[CompiledRule | Correlation] = [*ruleset.rules, *ruleset.correlations]
    return Surroundings(
        carried,
        {one.rule.rule_id: one for one in rules},
        {(one.document.path, one.document.index): one for one in ruleset.correlations},
        {place: frozenset(ids) for place, ids in narrowed.items()},
    )


def _twice(lint: Lint, rules: Iterable[Rule], of: Callable[[Rule], str], says: str, step: str) -> Iterator[Finding]:
    """A finding for each rule that has something which another has too; `says` is about it and the first one."""
    first: dict[str, Rule] = {}
    for rule in rules:
        other = first.setdefault(of(rule), rule)
        if other is not rule:
            yield Finding(lint.name, lint.severity, f"{rule.path}:1", rule.rule_id, rule.title,
                          says.format(rule, other), step)


def _filters_and_errors(ruleset: RuleSet) -> tuple[int, tuple[RuleError, ...]]:
    """How many filters are whole, and one error for each document; a filter may have one for every rule it names."""
    dropped: set[int] = set()
    broken = 0
    for one in ruleset.filters:
        mine = _errors_of(one, ruleset.rejected)
        broken += bool(mine)
        dropped.update(mine[1:])
    kept = tuple(error for number, error in enumerate(ruleset.rejected) if number not in dropped)
    return len(ruleset.filters) - broken, kept


def _errors_of(one: Filter, errors: Sequence[RuleError]) -> list[int]:
    """The places of the errors about rules that a filter names."""
    text, index = one.document.text, one.document.index
    places = {f"{one.document.path}:{line_of(text, index, ('filter', 'rules', place))}"
              for place in range(len(one.references or ()))} if errors else set()
    return [number for number, error in enumerate(errors) if error.where in places]


def _order(finding: Finding) -> tuple[str, int, str]:
    file, _, line = finding.where.rpartition(":")
    return file, int(line), finding.name


def _unread(rules: Sequence[CompiledRule], carried: Carried) -> Iterator[Unread]:
    """The rules none of whose routes leads to a record of the logs."""
    channels = {channel for channel, _ in carried}
    for compiled in rules:
        if not any(route.channel == EVERY_CHANNEL
                   or (route.channel in channels if route.event_id is None
                       else (route.channel, route.event_id) in carried) for route in compiled.routes):
            yield Unread(compiled.rule, reads(compiled.routes))
