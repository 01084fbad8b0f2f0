"""The wheel holds everything the program reads, and works where the source tree is not."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from douse import __version__

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built offline with the pinned hatchling and unpacked as an installer would."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_every_file_of_the_package(unpacked: Path) -> None:
    source = ROOT / "src"
    files = {
        path.relative_to(source).as_posix()
        for path in (source / "douse").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    packed = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert files <= packed
    assert {name.split("/")[0] for name in packed - files} == {f"douse-{__version__}.dist-info"}


def test_the_wheel_hunts_what_it_simulates(unpacked: Path, tmp_path: Path) -> None:
    def douse(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(unpacked)}
        return subprocess.run(
            [sys.executable, "-m", "douse", *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=120,
        )  # fmt: skip

    where = "import douse; print(douse.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", where], env=os.environ | {"PYTHONPATH": str(unpacked)}, capture_output=True, text=True
    )
    assert Path(found.stdout.strip()).is_relative_to(unpacked), "this test must not run the source tree"
    assert douse("--version").stdout == f"douse {__version__}\n"
    written = douse("simulate", "lumma-clickfix", "-o", "logs")
    assert written.returncode == 0, written.stderr
    hunted = douse("hunt", "logs", "--format", "html", "-o", "report.html")
    assert hunted.returncode == 0, hunted.stderr
    assert "critical" in (tmp_path / "report.html").read_text(encoding="utf-8").lower()
