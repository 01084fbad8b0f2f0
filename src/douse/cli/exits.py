"""The exit codes of every command, and the help text that documents them.

A scheduled task reads nothing but this number, so a code means the same in every command. Findings change it only
when the user asked for that with --fail-on. Codes from 10 up belong to single commands, which document them.
`worst` decides when several apply; `of_error` says which code an error of ours ends with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from douse.errors import ContentError, DouseError, EvidenceError, OutputError, RuleError

DONE = 0
FINDINGS = 1
USAGE = 2
UNREADABLE = 3
PARTIAL = 4
NO_RULES = 5
NETWORK = 6
INTERNAL = 70
INTERRUPTED = 130
PIPE_CLOSED = 141

MEANING = {
    DONE: "done",
    FINDINGS: "findings at or above --fail-on",
    USAGE: "usage error, or a result that cannot be written",
    UNREADABLE: "input unreadable, or a loss under --strict",
    PARTIAL: "partial: some input or some rules failed",
    NO_RULES: "no usable rule, or bad configuration",
    NETWORK: "network or delivery failed",
    INTERNAL: "internal error, a bug in Douse",
    INTERRUPTED: "interrupted; partial results were kept",
    PIPE_CLOSED: "the reader of our output went away",
}

SEVERITY = (INTERRUPTED, INTERNAL, USAGE, NO_RULES, UNREADABLE, FINDINGS, PARTIAL, NETWORK, DONE)
"""Which code wins when several apply, strongest first."""

_ERRORS: tuple[tuple[type[DouseError], int], ...] = (
    (EvidenceError, UNREADABLE),
    (RuleError, NO_RULES),
    (ContentError, NO_RULES),
    (OutputError, USAGE),
)


def worst(codes: Iterable[int]) -> int:
    """The code to exit with when several apply; DONE for none. A command's own verdicts (10 and up) win over DONE."""
    present = set(codes)
    for code in SEVERITY[:-1]:
        if code in present:
            return code
    return max(present, default=DONE)


def of_error(error: DouseError) -> int:
    """The code an error of ours ends with; an error class nobody listed counts as unreadable input."""
    return next((code for kind, code in _ERRORS if isinstance(error, kind)), UNREADABLE)


def epilog(*examples: str, codes: tuple[int, ...] = tuple(MEANING), own: Mapping[int, str] | None = None) -> str:
    """The end of a command's --help: worked examples, then what its exit codes mean; `own` words say it better.

    A line with only a backspace character tells click not to re-wrap the block that follows.
    """
    shown = "\n".join(f"  $ {example}" for example in examples)
    said = {**MEANING, **(own or {})}
    listed = "\n".join(f"  {code:>3}  {said[code]}" for code in codes)
    return f"\b\nExamples:\n{shown}\n\n\b\nExit codes:\n{listed}"
