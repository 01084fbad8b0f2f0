"""`make setup` on poor machines, played with Pythons that are shell scripts: it says what is wrong and what to type."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent

pytestmark = pytest.mark.skipif(os.name == "nt", reason="scripts/setup.sh is for POSIX shells")

BROKEN = "exit 127"  # a pyenv shim without a version selected
OLD = 'case "$*" in *version_info*) echo 3.10 ;; *) exit 1 ;; esac'
BARE = 'case "$*" in *version_info*) echo 3.12 ;; *) exit 1 ;; esac'  # neither venv nor pip


@pytest.fixture
def setup(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run scripts/setup.sh in a copy of the repository whose path has a blank, with only the given Pythons."""
    copy = tmp_path / "a copy"
    (copy / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "setup.sh", copy / "scripts")
    for lock in ROOT.glob("requirements*.lock"):
        shutil.copy(lock, copy)

    def run(pythons: dict[str, str], **environment: str) -> subprocess.CompletedProcess[str]:
        programs = tmp_path / "bin"
        programs.mkdir()
        for name in ("dirname", "rm", "mktemp", "id", "cat", "mkdir", "cksum"):
            (programs / name).symlink_to(str(shutil.which(name)))
        all_names = ("python3.14", "python3.13", "python3.12", "python3.11", "python3", "python")
        for name in all_names:
            (programs / name).write_text(f"#!/bin/sh\n{pythons.get(name, BROKEN)}\n")
            (programs / name).chmod(0o755)
        for name, body in pythons.items():
            if name not in all_names:
                (programs / name).write_text(f"#!/bin/sh\n{body}\n")
                (programs / name).chmod(0o755)
        return subprocess.run(
            ["/bin/sh", "scripts/setup.sh"],
            cwd=copy,
            env={"PATH": str(programs), **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


def test_no_python_at_all(setup) -> None:
    done = setup({})
    assert done.returncode == 1
    assert "needs Python 3.11 to 3.14 and found none" in done.stderr


def test_too_old_a_python_is_named(setup) -> None:
    done = setup({"python3": OLD})
    assert done.returncode == 1
    assert "python3 is 3.10" in done.stderr
    assert "PYTHON=" in done.stderr


def test_shims_that_fail_are_passed_over(setup) -> None:
    done = setup({"python3.12": BARE, "python3": OLD})
    assert "Building .venv with Python 3.12 (python3.12)" in done.stdout


@pytest.mark.parametrize(
    ("manager", "line"),
    [("apt-get", "apt-get install -y python3.12-venv"), ("dnf", "dnf install -y python3.12 python3-pip")],
)
def test_without_venv_and_pip_it_prints_the_line_that_installs_them(setup, manager: str, line: str) -> None:
    done = setup({"python3.12": BARE, manager: "exit 0"})
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith(line)


def test_a_python_named_by_the_user_is_checked(setup) -> None:
    done = setup({"mine": OLD, "python3.12": BARE}, PYTHON="mine")
    assert done.returncode == 1
    assert "PYTHON=mine is 3.10" in done.stderr
