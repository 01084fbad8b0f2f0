"""Completion: each shell gets its script, and what the script asks for is answered."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from douse.cli.completion import SHELLS
from douse.cli.main import main


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_gets_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    out = capsys.readouterr().out
    assert "_DOUSE_COMPLETE" in out
    assert f"{shell}_complete" in out


def test_unknown_shell_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "ksh"]) == 2
    assert "'bash'" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "expected"), [("douse hu", "hunt"), ("douse completion po", "powershell")])
def test_what_the_script_asks_is_answered(words: str, expected: str) -> None:
    asked = {"_DOUSE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    done = subprocess.run(
        [sys.executable, "-c", "from douse.cli.main import main; main()"],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert expected in done.stdout
