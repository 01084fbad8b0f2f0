"""Paths of rules in, what became of every file and document out: loaded, idle, rejected or skipped, and the lints.

    loaded + filters + idle + rejected + skipped = documents, and every rule file has at least one of them

The rules are loaded as a hunt loads them (ruleset.py), so that this account cannot differ from what runs. Files without
a rule's suffix are only counted. With `carried` (the fields that somebody's logs hold) it also says which of the loaded
rules read no record of those logs.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from douse.detection.explain import reads
from douse.detection.language.documents import line_of
from douse.detection.language.parse import CompiledRule
from douse.detection.language.placeholders import NO_LISTS, Lists
from douse.detection.lint.fields import Carried
from douse.detection.lint.lint import DUPLICATE_TITLE, Finding, lint_text
from douse.detection.logsource import EVERY_CHANNEL
from douse.detection.rulefiles import rule_files_at
from douse.detection.ruleset import Idle, RuleSet, load_rules
from douse.errors import RuleError
from douse.model import Rule

NO_DOCUMENT = "no document"
"""Why a file is skipped that holds nothing at all."""


@dataclass(frozen=True, slots=True)
class Skip:
    """A document that is neither a rule that loads nor a broken one, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A loaded rule of which the logs have no record, and what it reads."""

    rule: Rule
    reads: str


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the rules at some paths. `files` is the number of rule files, `others` of all the rest there.

    `loaded` are the rules and correlations that can fire, `filters` the number of filters that are part of them now.
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

    @property
    def documents(self) -> int:
        """How many documents were met; an empty file counts as one."""
        return len(self.loaded) + self.filters + len(self.idle) + len(self.rejected) + len(self.skipped)


def account(paths: Sequence[Path], carried: Carried | None = None, *, placeholders: Lists = NO_LISTS) -> Account:
    """Load and lint everything below the paths. Raises RuleError for a path that does not exist."""
    files = list(dict.fromkeys(file for path in paths for file in rule_files_at(path)))
    ruleset = load_rules(paths, builtin=False, placeholders=placeholders)
    loaded = (*(one.rule for one in ruleset.rules), *(one.rule for one in ruleset.correlations))
    filters, rejected = _filters_and_errors(ruleset)
    rules = [*loaded, *(idle.rule for idle in ruleset.idle)]
    findings = [*_lints({Path(rule.path) for rule in rules}, carried), *_same_titles(rules)]
    return Account(
        files=len(files),
        others=_others(paths, files),
        loaded=loaded,
        filters=filters,
        idle=tuple(ruleset.idle),
        rejected=rejected,
        skipped=tuple(_skips(files, ruleset)),
        findings=tuple(sorted(findings, key=_order)),
        unread=None if carried is None else tuple(_unread(ruleset.rules, carried)),
    )


def _filters_and_errors(ruleset: RuleSet) -> tuple[int, tuple[RuleError, ...]]:
    """How many filters are whole, and one error for each document; a filter may have one for every rule it names."""
    dropped: set[int] = set()
    broken = 0
    for one in ruleset.filters:
        text, index = one.document.text, one.document.index
        places = {f"{one.document.path}:{line_of(text, index, ('filter', 'rules', place))}"
                  for place in range(len(one.references or ()))}
        mine = [number for number, error in enumerate(ruleset.rejected) if error.where in places]
        broken += bool(mine)
        dropped.update(mine[1:])
    kept = tuple(error for number, error in enumerate(ruleset.rejected) if number not in dropped)
    return len(ruleset.filters) - broken, kept


def _others(paths: Sequence[Path], files: Sequence[Path]) -> int:
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


def _order(finding: Finding) -> tuple[str, int, str]:
    file, _, line = finding.where.rpartition(":")
    return file, int(line), finding.name


def _skips(files: Sequence[Path], ruleset: RuleSet) -> Iterator[Skip]:
    """The skipped documents with their file: of a file that gave nothing, and of one that holds several."""
    known = {compiled.rule.path for compiled in ruleset.rules} | {idle.rule.path for idle in ruleset.idle}
    known |= {error.where.rpartition(":")[0] for error in ruleset.rejected}
    known |= {each.document.path for each in ruleset.filters} | {each.rule.path for each in ruleset.correlations}
    left = Counter(ruleset.skipped)
    seen: set[Path] = set()
    for file in files:
        if (real := file.resolve()) in seen:
            yield Skip(str(file), "the same file as another")
        elif str(file) not in known or left:
            yield from _skips_of(file, left, listed=str(file) in known)
        seen.add(real)


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
    """Whether the file may hold more than one document."""
    return b"\n---" in file.read_bytes()


def _lints(files: Iterable[Path], carried: Carried | None) -> Iterator[Finding]:
    for file in files:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            continue  # it is among the rejected
        yield from lint_text(text, str(file), carried)


def _same_titles(rules: Sequence[Rule]) -> Iterator[Finding]:
    """Two rules with one title cannot be told apart in an alert."""
    first: dict[str, Rule] = {}
    for rule in rules:
        other = first.setdefault(rule.title.casefold(), rule)
        if other is not rule:
            yield Finding(DUPLICATE_TITLE.name, DUPLICATE_TITLE.severity, f"{rule.path}:1", rule.rule_id, rule.title,
                          f"the title '{rule.title}' is also that of {other.path}.", "Say what sets it apart.")


def _unread(rules: Sequence[CompiledRule], carried: Carried) -> Iterator[Unread]:
    """The rules none of whose routes leads to a record of the logs."""
    channels = {channel for channel, _ in carried}
    for compiled in rules:
        if not any(route.channel == EVERY_CHANNEL
                   or (route.channel in channels if route.event_id is None
                       else (route.channel, route.event_id) in carried) for route in compiled.routes):
            yield Unread(compiled.rule, reads(compiled.routes))
