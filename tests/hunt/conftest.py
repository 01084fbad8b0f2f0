"""Scenarios written once per session, and a hunt over them as the command line would do it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from douse import api
from douse.cli.main import main

Document = dict[str, Any]
Hunt = Callable[..., Document]


@pytest.fixture(scope="session")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Write a scenario and give the folder or file: `scenario("benign-day", "evtx", noise=100)`."""
    written: dict[tuple[str, str, int, str], Path] = {}

    def write(name: str, format_: str = "evtx", noise: int = 0, file: str = "logs") -> Path:
        key = (name, format_, noise, file)
        if key not in written:
            output = tmp_path_factory.mktemp(name) / file
            api.simulate(name, output, format=format_, seed=1, noise=noise, force=False)
            written[key] = output
        return written[key]

    return write


@pytest.fixture
def hunt_json(capsysbinary: pytest.CaptureFixture[bytes]) -> Hunt:
    """Run `douse hunt ... --format json` and give its document, after checking the exit code."""

    def run(*args: str | Path, code: int = 0) -> Document:
        capsysbinary.readouterr()
        ended = main(["hunt", *map(str, args), "--format", "json", "--quiet"])
        out, err = capsysbinary.readouterr()
        assert ended == code, err.decode()
        document: Document = json.loads(out)
        return document

    return run
