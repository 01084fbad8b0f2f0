"""Rules and files of cases in, for each rule out: which of its events fire it that must, and which that must not.

A file of cases proves the rule file of the same name (content/cases/README.md). A rule file may hold several rules; its
cases are about all of them, so a case that must fire has to fire any. What counts is an alert that a hunt would show: a
rule that only serves a correlation is silent. The cases of a file with a filter are about the rules that it narrows. A
broken file of cases, or one whose rule is not there or does not load, is a failure like any other: a proof that cannot
be run proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path

from douse.content.cases import FOLDER, Case, load_cases
from douse.content.rules import rule_files
from douse.detection.correlation.correlator import Correlator
from douse.detection.correlation.explain import below
from douse.detection.explain import filters_of
from douse.detection.language.placeholders import NO_LISTS, Lists
from douse.detection.rulefiles import rule_files_at
from douse.detection.ruleset import RuleSet, load_rules
from douse.errors import ContentError, RuleError


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case of a proof: whether its events must fire the rule, and whether they did."""

    name: str
    where: str
    must_fire: bool
    fired: bool

    @property
    def passed(self) -> bool:
        """Whether the rule did what the case says."""
        return self.fired is self.must_fire


@dataclass(frozen=True, slots=True)
class Proof:
    """A rule file (empty where there is none for the cases), its cases, and what kept them from being run."""

    rule_path: str
    title: str
    cases_path: str
    results: tuple[CaseResult, ...]
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether every case was run and came out right."""
        return not self.problem and all(result.passed for result in self.results)


@dataclass(frozen=True, slots=True)
class Proofs:
    """All proofs that were run, and the rule files that have none."""

    proofs: tuple[Proof, ...]
    unproven: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every proof passed."""
        return all(proof.passed for proof in self.proofs)


def prove_rules(case_paths: Sequence[Path] = (), rule_paths: Sequence[Path] = (), *, builtin: bool = True,
                placeholders: Lists = NO_LISTS) -> Proofs:
    """Run files of cases (our own where none is named) against our rules and those at `rule_paths`.

    Raises RuleError for a path that does not exist.
    """
    files: dict[str, Path] = {}
    for file in [*(rule_files() if builtin else ()), *(file for path in rule_paths for file in rule_files_at(path))]:
        files[file.stem] = file  # the user's own wins over ours of that name
    rules = _Rules(tuple(rule_paths), builtin, placeholders)
    cases = [file for path in case_paths or [FOLDER] for file in rule_files_at(path)]
    proofs = tuple(_prove(file, files, rules) for file in cases)
    proven = {Path(proof.rule_path) for proof in proofs}
    ours = set(rule_files())
    asked = [file for file in files.values() if not case_paths or file not in ours]
    return Proofs(proofs, tuple(str(file) for file in asked if file not in proven))


def _prove(cases: Path, files: Mapping[str, Path], rules: _Rules) -> Proof:
    rule = files.get(cases.stem)
    if rule is None:
        near = get_close_matches(cases.stem, files, n=1, cutoff=0.6)
        hint = f"Did you mean '{near[0]}'? " if near else ""
        return Proof("", "", str(cases), (), f"no rule file is called {cases.stem}.yml. {hint}"
                     "Name the folder of the rules with --rules.")
    try:
        tried = rules.of(rule)
        loaded = load_cases(cases)
    except (RuleError, ContentError) as error:
        return Proof(str(rule), "", str(cases), (), str(error))
    results = (*_run(tried, loaded.match, must_fire=True), *_run(tried, loaded.benign, must_fire=False))
    return Proof(str(rule), tried.title, str(cases), results)


@dataclass(frozen=True, slots=True)
class _Tried:
    """What the cases of a file are run against: a set of rules, and those of them that are meant."""

    title: str
    ruleset: RuleSet
    meant: frozenset[str]


@dataclass(frozen=True)
class _Rules:
    """Where rules come from. A file is read alone as far as that is possible, so that a proof is about nothing else."""

    paths: tuple[Path, ...]
    builtin: bool
    placeholders: Lists

    @cached_property
    def _all(self) -> RuleSet:
        return load_rules(self.paths, builtin=self.builtin, placeholders=self.placeholders)

    def of(self, file: Path) -> _Tried:
        """The rules of one file. Raises RuleError where one is broken or none can fire."""
        ruleset = load_rules([file], builtin=False, placeholders=self.placeholders)
        if ruleset.rejected:  # perhaps because it refers to others
            ruleset = self._all
        for error in ruleset.rejected:
            if error.where.rpartition(":")[0] == str(file):
                raise error
        filters = {id(one) for one in ruleset.filters if one.document.path == str(file)}
        rules = [*(one.rule for one in ruleset.correlations), *(one.rule for one in ruleset.rules)]
        titles = {rule.rule_id: rule.title for rule in rules if rule.path == str(file)}
        if not titles:
            titles = {one.rule.rule_id: one.rule.title for one in ruleset.rules
                      if any(id(each) in filters for each in filters_of(one, ruleset.filters))}
        if not titles:
            raise RuleError(str(file), f"can never fire: {_reason(ruleset, file)}.", "Correct the rule first.")
        return _Tried(next(iter(titles.values())), below(ruleset, titles), frozenset(titles))


def _reason(ruleset: RuleSet, file: Path) -> str:
    """Why nothing of a file fires."""
    idle = [one.reason for one in ruleset.idle if one.rule.path == str(file)]
    if any(one.document.path == str(file) for one in ruleset.filters):
        return "its filter narrows no rule"
    return idle[0] if idle else next(iter(ruleset.skipped), "no Sigma rule")


def _run(tried: _Tried, cases: Iterable[Case], *, must_fire: bool) -> Iterator[CaseResult]:
    for case in cases:
        correlator = Correlator(tried.ruleset)
        shown = [alert for event in case.events() for alert in correlator.observe(tried.ruleset.match(event))]
        fired = any(alert.rule_id in tried.meant for alert in (*shown, *correlator.finish()))
        yield CaseResult(case.name, case.where, must_fire, fired)
