"""Rules and files of cases in, for each rule out: which of its events fire it that must, and which that must not.

A file of cases proves the rule file of the same name (content/cases/README.md). A rule file may hold several rules; its
cases are about all of them, so an event that must fire has to fire any. A broken file of cases, or one whose rule is
not there or does not load, is a failure like any other: a proof that cannot be run proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from douse.content.cases import FOLDER, Case, load_cases
from douse.content.rules import rule_files
from douse.detection.language.documents import did_you_mean
from douse.detection.language.placeholders import NO_LISTS, Lists
from douse.detection.rulefiles import rule_files_at
from douse.detection.ruleset import RuleSet, load_rules
from douse.errors import ContentError, RuleError


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One event of a proof: whether it must fire the rule, and whether it did."""

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
    cases = [file for path in case_paths or [FOLDER] for file in rule_files_at(path)]
    proofs = tuple(_prove(file, files, placeholders) for file in cases)
    proven = {Path(proof.rule_path) for proof in proofs}
    ours = set(rule_files())
    asked = [file for file in files.values() if not case_paths or file not in ours]
    return Proofs(proofs, tuple(str(file) for file in asked if file not in proven))


def _prove(cases: Path, files: Mapping[str, Path], placeholders: Lists) -> Proof:
    rule = files.get(cases.stem)
    if rule is None:
        return Proof("", "", str(cases), (), f"no rule file is called {cases.stem}.yml. "
                     f"{did_you_mean(cases.stem, files)} Name the folder of the rules with --rules.")
    try:
        ruleset = _loaded(rule, placeholders)
        loaded = load_cases(cases)
    except (RuleError, ContentError) as error:
        return Proof(str(rule), "", str(cases), (), str(error))
    results = (*_run(ruleset, loaded.match, must_fire=True), *_run(ruleset, loaded.benign, must_fire=False))
    return Proof(str(rule), ruleset.rules[0].rule.title, str(cases), results)


def _loaded(rule: Path, placeholders: Lists) -> RuleSet:
    """The rules of one file. Raises RuleError where none of them can fire."""
    ruleset = load_rules([rule], builtin=False, placeholders=placeholders)
    if ruleset.rejected:
        raise ruleset.rejected[0]
    if not ruleset.rules:
        reason = ruleset.idle[0].reason if ruleset.idle else next(iter(ruleset.skipped), "no Sigma rule")
        raise RuleError(str(rule), f"can never fire: {reason}.", "Correct the rule first.")
    return ruleset


def _run(ruleset: RuleSet, cases: Iterable[Case], *, must_fire: bool) -> Iterator[CaseResult]:
    for case in cases:
        fired = any(True for _ in ruleset.match(case.event()))
        yield CaseResult(case.name, case.where, must_fire, fired)
