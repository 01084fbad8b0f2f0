"""The verbs about rules that need more than rules: find one by what a user calls it, account for a folder of them.

What is needed of evidence is read here, because detection never opens a log: which fields the records of some logs
carry. A rule is named by its id, its Sigma `name`, its file or its title. explain.py explains one on a log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

from douse.detection.account import Account, LogsRead, account
from douse.detection.correlation.document import Correlation
from douse.detection.explain import filters_of
from douse.detection.language.filters import Filter
from douse.detection.language.parse import CompiledRule
from douse.detection.language.placeholders import NO_LISTS, Lists
from douse.detection.lint.subject import Carried
from douse.detection.ruleset import RuleSet
from douse.errors import EvidenceError, RuleError
from douse.hunt.plan import make
from douse.hunt.read import read_unit
from douse.model import Rule
from douse.telemetry import Tally, Wanted

MAX_NAMED = 10
"""Rules that an error lists."""

MAX_KINDS = 50_000
"""Kinds of records, and fields of one kind, that are remembered of logs."""


def find_rule(ruleset: RuleSet, name: str) -> CompiledRule | Correlation:
    """The rule or correlation of that id, name, file or title, also an idle one. Raises RuleError with the nearest."""
    found: dict[str, CompiledRule | Correlation] = {}
    names: dict[str, str] = {}
    word = name.strip().casefold()
    idle = [CompiledRule(one.rule, None, (), one.reason) for one in ruleset.idle]
    known: list[CompiledRule | Correlation] = [*ruleset.rules, *ruleset.correlations, *idle]
    for one in known:
        for called in _names(one.rule):
            names.setdefault(called.casefold(), called)
            if called.casefold() in (word, _stem(word)):
                found[one.rule.rule_id] = one
        if _is_file(one.rule.path, name):
            found[one.rule.rule_id] = one
    inner = {member for one in found.values() if isinstance(one, Correlation) for member in one.members}
    outer = [one for rule_id, one in found.items() if rule_id not in inner]  # a file's correlation, not its rules
    if len(outer) == 1:
        return outer[0]
    if found:
        listed = ", ".join(f"{one.rule.rule_id} ({one.rule.path})" for one in list(found.values())[:MAX_NAMED])
        raise RuleError(name, f"names {len(found)} rules.", f"Use an id: {listed}.")
    raise _not_found(ruleset, name, names)


def _not_found(ruleset: RuleSet, name: str, names: Mapping[str, str]) -> RuleError:
    """Why there is no such rule: it is broken, it is a filter, or nothing is called so."""
    stem = _stem(name.strip().casefold())
    for error in ruleset.rejected:
        file = Path(error.where.rpartition(":")[0])
        if file.stem.casefold() == stem or _is_file(str(file), name):
            return error
    for one in ruleset.filters:
        file = Path(one.document.path)
        if name.strip().casefold() == one.title.casefold() or file.stem.casefold() == stem or _is_file(str(file), name):
            return RuleError(name, f"is a filter, {one.document.path}, and has no alerts of its own.",
                             _narrowed(ruleset, one))
    near = get_close_matches(name.casefold(), names, n=1, cutoff=0.5)
    hint = f"Did you mean '{names[near[0]]}'? " if near else ""
    broken = ". Some rules were rejected; see: douse rules check PATH" if ruleset.rejected else ""
    return RuleError(name or "''", "no rule has this id, file name or title.", f"{hint}Try: douse rules list{broken}")


def _narrowed(ruleset: RuleSet, one: Filter) -> str:
    """Which rules a filter is part of."""
    rules = [rule.rule.title for rule in ruleset.rules if one in filters_of(rule, ruleset.filters)]
    more = f" and {len(rules) - MAX_NAMED:,} more" if len(rules) > MAX_NAMED else ""
    return f"It narrows {', '.join(rules[:MAX_NAMED])}{more}." if rules else "It narrows no rule that is loaded."


def _is_file(path: str, name: str) -> bool:
    """Whether a rule's file is what a user has named."""
    if Path(path).name != Path(name).name:
        return False
    try:
        return Path(path).samefile(name)
    except OSError:
        return False


def _stem(word: str) -> str:
    return word.removesuffix(".yml").removesuffix(".yaml")


def _names(rule: Rule) -> tuple[str, ...]:
    return rule.rule_id, Path(rule.path).stem, rule.title, *([rule.name] if rule.name else [])


def carried_fields(logs: Sequence[str]) -> tuple[Carried, LogsRead]:
    """Which fields the records of some logs carry, (channel in lower case, event id) -> names, and how much was read.

    Raises EvidenceError where nothing could be read.
    """
    plan, tally = make(tuple(logs)), Tally()
    for loss in plan.losses:
        tally.lose(loss)
    carried: dict[tuple[str, int], set[str]] = {}
    for unit in plan.units:
        for event in read_unit(unit, Wanted.everything(), tally):
            names = carried.setdefault((event.channel.lower(), event.event_id), set())
            names.update(event.fields)
            if len(carried) > MAX_KINDS or len(names) > MAX_KINDS:
                raise EvidenceError(str(event.source), f"has more than {MAX_KINDS:,} kinds of records or of fields.",
                                    "No real log has; leave it out.")
    if not carried:
        for loss in tally.losses:
            raise EvidenceError(str(loss.source), f"{loss.reason}.", loss.next_step)
        raise EvidenceError(", ".join(logs), "holds no event.", "Name a log file or a folder of logs with --logs.")
    return ({key: frozenset(names) for key, names in carried.items()},
            LogsRead(tally.records_read, tally.records_lost, tuple(tally.losses)))


def check_rules(paths: Sequence[Path], logs: Sequence[str] = (), *, placeholders: Lists = NO_LISTS) -> Account:
    """What became of every file below the paths, with lints; `logs` adds which fields their records really carry."""
    if not logs:
        return account(paths, placeholders=placeholders)
    carried, read = carried_fields(logs)
    return replace(account(paths, carried, placeholders=placeholders), logs=read)
