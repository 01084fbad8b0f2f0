"""The verbs about rules: find one, explain one on an event, run its proofs, account for a folder of them.

What they need of evidence is read here, because detection never opens a log: one event of a file, or which fields the
records of some logs carry. A rule is named by its id, its Sigma `name`, its file or its title.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from douse.detection.account import Account, account
from douse.detection.correlation.document import Correlation
from douse.detection.explain import Explanation, explain
from douse.detection.language.parse import CompiledRule
from douse.detection.language.placeholders import NO_LISTS, Lists
from douse.detection.lint.fields import Carried
from douse.detection.ruleset import RuleSet
from douse.errors import EvidenceError, RuleError
from douse.hunt.plan import make
from douse.model import Event, Rule
from douse.telemetry import Limits, Tally, Wanted, read_path


def find_rule(ruleset: RuleSet, name: str) -> CompiledRule | Correlation:
    """The rule or correlation of that id, file name or title, also an idle one. Raises RuleError with the nearest."""
    found: dict[str, CompiledRule | Correlation] = {}
    names: dict[str, str] = {}
    idle = [CompiledRule(one.rule, None, (), one.reason) for one in ruleset.idle]
    known: list[CompiledRule | Correlation] = [*ruleset.rules, *ruleset.correlations, *idle]
    for one in known:
        for word in _names(one.rule):
            names.setdefault(word.casefold(), word)
            if word.casefold() == name.casefold().removesuffix(".yml"):
                found[one.rule.rule_id] = one
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise RuleError(name, f"names {len(found)} rules.", f"Use an id: {', '.join(sorted(found))}.")
    rejected = next((error for error in ruleset.rejected
                     if Path(error.where.rpartition(":")[0]).stem.casefold() == name.casefold()), None)
    if rejected is not None:
        raise rejected
    near = get_close_matches(name.casefold(), names, n=1, cutoff=0.5)
    hint = f"Did you mean '{names[near[0]]}'? " if near else ""
    raise RuleError(name, "no rule has this id, file name or title.", f"{hint}Try: douse rules list")


def _names(rule: Rule) -> tuple[str, ...]:
    return rule.rule_id, Path(rule.path).stem, rule.title, *([rule.name] if rule.name else [])


def explain_rule(ruleset: RuleSet, name: str, evidence: Path, record_id: int | None = None) -> Explanation:
    """What a rule makes of the one event of a file, or of the record of that id in a log.

    Raises RuleError for an unknown rule and EvidenceError where there is no such event, or more than one.
    """
    compiled = find_rule(ruleset, name)
    if isinstance(compiled, Correlation):
        raise RuleError(name, "is a correlation: it joins the alerts of other rules and reads no event itself.",
                        f"Explain one of its rules: {', '.join(compiled.members)}.")
    events = _events(evidence, record_id)
    explained = [explain(compiled, event) for event in events]
    return next((one for one in explained if one.read), explained[0])


def _events(evidence: Path, record_id: int | None) -> list[Event]:
    """The events that are meant: usually one; record ids are unique in a channel only."""
    tally = Tally()
    found: list[Event] = []
    for event in read_path(evidence, Wanted.everything(), tally, Limits(), named=True):
        if record_id is None or event.record_id == record_id:
            found.append(event)
        if record_id is None and len(found) > 1:
            raise EvidenceError(str(evidence), "holds more than one event.",
                                "Choose one with --record-id N; douse hunt --format json lists them as record_id.")
    if found:
        return found
    if tally.losses and not tally.records_read:
        loss = tally.losses[0]
        raise EvidenceError(f"{loss.source} {loss.where}".strip(), f"{loss.reason}.", loss.next_step)
    if record_id is not None:
        raise EvidenceError(str(evidence), f"has no record {record_id} among {tally.records_read:,}.",
                            "Check the id; it is EventRecordID in the log.")
    raise EvidenceError(str(evidence), "holds no event.", "An event needs at least Channel, EventID and a time.")


def carried_fields(logs: Sequence[str]) -> Carried:
    """Which fields the records of some logs carry: (channel in lower case, event id) -> names.

    Raises EvidenceError where nothing could be read.
    """
    plan, tally = make(tuple(logs)), Tally()
    for loss in plan.losses:
        tally.lose(loss)
    carried: dict[tuple[str, int], set[str]] = {}
    for unit in plan.units:
        for event in read_path(Path(unit.path), Wanted.everything(), tally, Limits(), named=unit.named):
            carried.setdefault((event.channel.lower(), event.event_id), set()).update(event.fields)
    if not carried:
        for loss in tally.losses:
            raise EvidenceError(str(loss.source), f"{loss.reason}.", loss.next_step)
        raise EvidenceError(", ".join(logs), "holds no event.", "Name a log file or a folder of logs with --logs.")
    return {key: frozenset(names) for key, names in carried.items()}


def check_rules(paths: Sequence[Path], logs: Sequence[str] = (), *, placeholders: Lists = NO_LISTS) -> Account:
    """What became of every file below the paths, with lints; `logs` adds which fields their records really carry."""
    return account(paths, carried_fields(logs) if logs else None, placeholders=placeholders)
