"""The exit codes: which wins, what each error of ours ends with, and that the help lists them all."""

from __future__ import annotations

import pytest

from douse import errors
from douse.cli import exits


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ([], exits.DONE),
        ([exits.DONE, exits.PARTIAL], exits.PARTIAL),
        ([exits.PARTIAL, exits.FINDINGS], exits.FINDINGS),
        ([exits.FINDINGS, exits.UNREADABLE], exits.UNREADABLE),
        ([exits.UNREADABLE, exits.NO_RULES], exits.NO_RULES),
        ([exits.NO_RULES, exits.USAGE], exits.USAGE),
        ([exits.USAGE, exits.INTERNAL], exits.INTERNAL),
        ([exits.INTERNAL, exits.INTERRUPTED], exits.INTERRUPTED),
        ([exits.DONE, 12], 12),
        ([exits.PARTIAL, 12], exits.PARTIAL),
    ],
)
def test_the_strongest_code_wins(codes: list[int], expected: int) -> None:
    assert exits.worst(codes) == expected
    assert exits.worst(reversed(codes)) == expected


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.EvidenceError, 3),
        (errors.RuleError, 5),
        (errors.ContentError, 5),
        (errors.OutputError, 2),
        (errors.DouseError, 3),
    ],
)
def test_every_error_class_has_its_code(kind: type[errors.DouseError], code: int) -> None:
    assert exits.of_error(kind("there", "something is wrong.")) == code


def test_severity_ranks_every_documented_code_but_the_closed_pipe() -> None:
    assert set(exits.SEVERITY) == set(exits.MEANING) - {exits.PIPE_CLOSED}


def test_epilog_shows_examples_and_only_the_codes_asked_for() -> None:
    text = exits.epilog("douse hunt x", codes=(exits.DONE, exits.PARTIAL))
    assert "$ douse hunt x" in text
    assert "  4  partial" in text
    assert "internal" not in text
