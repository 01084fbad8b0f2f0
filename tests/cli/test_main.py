"""The command line as a user meets it: help, suggestions, and one line and one code for everything that goes wrong."""

from __future__ import annotations

import errno
import gc
import os
import signal
import subprocess
import sys
import time

import click
import pytest

from douse import __version__, errors
from douse.cli import exits
from douse.cli import main as module
from douse.cli.main import COMMANDS, Entry, main


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch):
    """Make `douse fail` raise what the test gives."""

    def arrange(error: BaseException) -> None:
        @click.command(name="fail")
        def fail() -> None:
            raise error

        monkeypatch.setattr(module, "fail_for_test", fail, raising=False)
        entry = Entry("fail", "douse.cli.main:fail_for_test", "Fail.")
        monkeypatch.setattr(module, "COMMANDS", (*COMMANDS, entry))

    return arrange


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == exits.DONE
    assert capsys.readouterr().out == f"douse {__version__}\n"


def test_help_lists_commands_examples_and_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == exits.DONE
    out = capsys.readouterr().out
    for entry in COMMANDS:
        assert f"  {entry.name}" in out
        assert entry.summary in out
    assert "$ douse hunt" in out
    for code, meaning in exits.MEANING.items():
        assert f"{code:>3}  {meaning}" in out


def test_unknown_command_suggests_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hnut"]) == exits.USAGE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Did you mean 'hunt'?" in captured.err


def test_unknown_option_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--colour"]) == exits.USAGE
    assert "--colour" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.EvidenceError("a.evtx", "chunk 3 is damaged.", "Drop --strict to go on."), exits.UNREADABLE),
        (errors.RuleError("rule.yml:4", "unknown modifier 'startwith'."), exits.NO_RULES),
        (errors.OutputError("out.html", "it exists.", "Use --force to replace it."), exits.USAGE),
        (KeyboardInterrupt(), exits.INTERRUPTED),
        (click.exceptions.Exit(12), 12),
    ],
)
def test_errors_become_one_line_and_a_code(failing, capsys, error: BaseException, code: int) -> None:
    failing(error)
    assert main(["fail"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    if isinstance(error, errors.DouseError):
        assert captured.err == f"douse: {error}\n"


def test_error_text_cannot_drive_the_terminal(failing, capsys: pytest.CaptureFixture[str]) -> None:
    failing(errors.EvidenceError("a\x1b]0;owned\x07.evtx", "is empty."))
    main(["fail"])
    assert "\x1b" not in capsys.readouterr().err


def test_a_bug_is_one_line_and_its_traceback_under_debug(failing, capsys, monkeypatch) -> None:
    monkeypatch.delenv("DOUSE_DEBUG", raising=False)
    failing(ZeroDivisionError("division by zero"))
    assert main(["fail"]) == exits.INTERNAL
    err = capsys.readouterr().err
    assert err.startswith("douse: internal error: ZeroDivisionError: division by zero.")
    assert "Traceback" not in err
    assert main(["--debug", "fail"]) == exits.INTERNAL
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.setenv("DOUSE_DEBUG", "1")
    main(["fail"])
    assert "Traceback" in capsys.readouterr().err


def test_a_command_that_cannot_be_imported_is_an_internal_error(capsys, monkeypatch) -> None:
    monkeypatch.setattr(module, "COMMANDS", (Entry("gone", "douse.cli.gone:gone", "Gone."),))
    assert main(["gone"]) == exits.INTERNAL
    assert "douse.cli.gone" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX pipes")
def test_a_closed_pipe_is_quiet() -> None:
    program = "import sys\nfrom douse.cli.main import main\nsys.stdin.readline()\nsys.exit(main(['--help']))"
    run = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert run.stdin is not None
    assert run.stdout is not None
    run.stdout.close()
    run.stdin.write(b"\n")
    run.stdin.close()
    assert run.stderr is not None
    error = run.stderr.read()
    run.stderr.close()
    assert run.wait(timeout=30) == exits.PIPE_CLOSED
    assert error == b""


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
def test_ctrl_c_ends_with_130(tmp_path) -> None:
    program = (
        "import sys, time, click\n"
        "from douse.cli import main as m\n"
        "@click.command()\n"
        "def wait():\n"
        "    print('ready', flush=True); time.sleep(30)\n"
        "m.wait = wait\n"
        "m.COMMANDS = (m.Entry('wait', 'douse.cli.main:wait', 'Wait.'),)\n"
        "sys.exit(m.main(['wait']))"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == b"ready\n"
        run.send_signal(signal.SIGINT)
        _, error = run.communicate(timeout=30)
    assert run.returncode == exits.INTERRUPTED
    assert b"interrupted" in error
    assert b"Traceback" not in error


@pytest.mark.skipif(sys.platform == "win32", reason="needs os.times of a child")
def test_help_answers_at_once() -> None:
    """The budget is 120 ms of CPU with warm bytecode; the test allows for a slower, busier machine."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "douse", "--help"]
    used = []
    for _ in range(4):
        before = os.times()
        subprocess.run(command, check=True, capture_output=True, env=environment, timeout=30)
        after = os.times()
        used.append(after.children_user + after.children_system - before.children_user - before.children_system)
        time.sleep(0)
    assert min(used) < 0.24, f"CPU seconds: {used}"


def test_a_full_disk_is_no_bug_of_ours(failing, capsys: pytest.CaptureFixture[str]) -> None:
    failing(OSError(errno.ENOSPC, "No space left on device"))
    assert main(["fail"]) == exits.USAGE
    assert capsys.readouterr().err == "douse: standard output cannot be written: No space left on device\n"


def test_the_collector_is_as_it_was_when_a_command_has_ended(failing) -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    assert main(["--version"]) == 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
    failing(ZeroDivisionError("a bug"))
    main(["fail"])
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
