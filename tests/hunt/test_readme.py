"""The README shows what `make demo` really prints."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from douse.cli.main import main

README = Path(__file__).resolve().parents[2] / "README.md"
BLOCK = re.compile(r"(<!-- demo output: .*? -->\n```text\n)(.*?)(```\n)", re.DOTALL)


def demo_output(folder: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> str:
    """What the demo's hunt prints on a terminal of 100 columns, without the one line that differs between runs."""
    main(["simulate", "lumma-clickfix", "-o", str(folder)])
    capsysbinary.readouterr()
    assert main(["hunt", str(folder), "--quiet"]) == 0
    text = capsysbinary.readouterr().out.decode("utf-8")
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith("  Elapsed"))


def test_the_readme_shows_the_demos_real_output(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
    golden: Callable[[str, str], None],
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    printed = demo_output(tmp_path / "logs", capsysbinary)
    page = README.read_text(encoding="utf-8")
    if os.environ.get("UPDATE_GOLDEN") == "1":
        page = BLOCK.sub(lambda found: found[1] + printed + found[3], page)
        README.write_text(page, encoding="utf-8", newline="\n")
    shown = BLOCK.search(page)
    assert shown
    assert shown[2] == printed, "README.md shows an old output; run `make golden`"
