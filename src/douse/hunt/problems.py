"""What a run could not use, whatever it looked for: lost evidence, rejected rules, an interruption, nothing to read."""

from __future__ import annotations

from collections.abc import Iterable

from douse.errors import RuleError
from douse.hunt.result import Problem
from douse.model import Loss
from douse.telemetry import Tally


def problems_of(tally: Tally, losses: Iterable[Loss], rejected: Iterable[RuleError], unread: int,
                done: str) -> tuple[Problem, ...]:
    """The problems of a run over evidence. `losses` are the plan's own, `unread` counts files that an interruption left
    out, `done` is what the run does with a record (`judged`)."""
    problems = [_of_loss(loss) for loss in (*losses, *tally.losses)]
    problems += problems_of_rules(rejected)
    if unread:
        what = f"interrupted; {unread} file(s) were not read to their end"
        problems.append(Problem("input", "run", what, None, "Run the same command again for the whole result."))
    elif not tally.records_read and not any(problem.kind == "loss" for problem in problems):
        what = "no record of a log was found in what was named"
        problems.append(Problem("input", "run", what, None, "Name event or network logs, or a folder of them."))
    elif tally.records_read and tally.records_outside == tally.records_read:
        what = f"no event lies between --since and --until, so nothing was {done}"
        problems.append(Problem("input", "run", what, None, "Check the times (UTC), and whether the logs go so far."))
    return tuple(problems)


def problems_of_rules(rejected: Iterable[RuleError]) -> tuple[Problem, ...]:
    """The problems of a run that reads rules alone."""
    return tuple(Problem("rule", error.where, error.what, None, error.next_step) for error in rejected)


def _of_loss(loss: Loss) -> Problem:
    where = str(loss.source) if loss.where in ("", str(loss.source)) else f"{loss.source}: {loss.where}"
    return Problem("loss", where, loss.reason, loss.records, loss.next_step)
