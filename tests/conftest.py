"""What every test may ask for: shared data, a tool, a golden file, a scenario's logs; how much hypothesis tries.

Data and tools that are absent skip a test with the reason, so that a stranger's `make test` passes. With CI=true the
same absence fails, so that CI cannot go green by testing less.

    DOUSE_SHARED=DIR    where the shared data is (default ../shared beside the repository)
    UPDATE_GOLDEN=1     rewrite the golden files instead of comparing (`make golden`)
    DOUSE_FUZZ=N        N random examples for each property, different ones on every run (`make fuzz`)
    DOUSE_FUZZ_SECONDS  start no further test after so many seconds: what is left fails, as nothing tried it
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest
from hypothesis import HealthCheck, settings

from douse import api
from douse.cli.main import main

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
IN_CI = os.environ.get("CI") == "true"
FUZZ = int(os.environ.get("DOUSE_FUZZ", "0"))
FUZZ_SECONDS = float(os.environ.get("DOUSE_FUZZ_SECONDS", "inf"))
STARTED = time.monotonic()

settings.register_profile("test", derandomize=True, deadline=None, max_examples=60, print_blob=True)
settings.register_profile(
    "fuzz",
    deadline=None,
    max_examples=max(FUZZ, 1),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # big inputs are what a fuzz run is for
)
settings.load_profile("fuzz" if FUZZ else "test")


def missing(reason: str) -> NoReturn:
    """Skip the test with a reason; in CI fail it, because there everything must be present."""
    if IN_CI:
        pytest.fail(f"{reason} (with CI=true this is a failure, not a skip)", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep compiled rules where this run's other files are, never in the user's cache."""
    os.environ["DOUSE_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared test data: DOUSE_SHARED, or `shared` beside the repository."""
    folder = Path(os.environ.get("DOUSE_SHARED") or ROOT.parent / "shared").resolve()
    if not (folder / "data").is_dir():
        missing(f"no shared test data at {folder}; set DOUSE_SHARED")
    return folder


@pytest.fixture(scope="session")
def tool() -> Callable[[str], Path]:
    """Ask for a program of the machine by name, as in `tool("evtxexport")`; get its path."""

    def find(name: str) -> Path:
        found = shutil.which(name)
        return Path(found) if found else missing(f"the tool {name} is not installed")

    return find


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare a text with tests/golden/NAME: `golden("hunt_help.txt", text)`. `make golden` rewrites the file."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("UPDATE_GOLDEN") == "1":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.is_file(), f"{path} does not exist; run `make golden` and review it"
        assert text == path.read_text(encoding="utf-8"), f"{name} differs; if that is meant, run `make golden`"

    return compare


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
def hunt_json(capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., dict[str, Any]]:
    """Run `douse hunt ... --format json` and give its document, after checking the exit code."""

    def run(*args: str | Path, code: int = 0) -> dict[str, Any]:
        capsysbinary.readouterr()
        ended = main(["hunt", *map(str, args), "--format", "json", "--quiet"])
        out, err = capsysbinary.readouterr()
        assert ended == code, err.decode()
        document: dict[str, Any] = json.loads(out)
        return document

    return run


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that uses a golden file, so that `make golden` runs just those."""
    for item in items:
        if "golden" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.golden)


def pytest_runtest_setup() -> None:
    """End a fuzz run in time: what has not started by then fails and says so, because a skip would look like a pass."""
    if time.monotonic() - STARTED > FUZZ_SECONDS:
        pytest.fail(f"not run: the fuzz run's {timedelta(seconds=FUZZ_SECONDS)} are over; raise FUZZ_SECONDS",
                    pytrace=False)
