"""The `douse` command: a group that loads a command when it is used, and the one place errors become exit codes.

COMMANDS holds enough to print `douse --help` without importing any command, because rich, jinja2, evtx and yaml cost
more start-up time than everything else together. Click runs with standalone_mode off, so that its errors pass here
too. What the codes mean: exits.py. A command ends with `ctx.exit(code)`; returning None is success.
"""

from __future__ import annotations

import atexit
import errno
import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from typing import Any

import click

from douse import __version__
from douse.cli import exits
from douse.cli.lazy import Entry, Listed
from douse.errors import DouseError
from douse.hunt.garbage import seldom_collecting
from douse.text import clean

COMMANDS = (
    Entry("hunt", "douse.cli.hunt:hunt", "Find infostealers in Windows logs and explain each incident."),
    Entry("report", "douse.cli.report:report", "Write a saved hunt in another format."),
    Entry("diff", "douse.cli.diff:diff", "Say what changed between two saved hunts."),
    Entry("coverage", "douse.cli.coverage:coverage", "Show what logs can show: gaps, blind spots, how to close them."),
    Entry("rules", "douse.cli.rules:rules", "List, show, explain, test and check Sigma rules."),
    Entry("harden", "douse.cli.harden:harden", "Harden Windows against infostealers: what to set, what is set."),
    Entry("simulate", "douse.cli.simulate:simulate", "Write the log records of an intrusion, for tests and training."),
    Entry("completion", "douse.cli.completion:completion", "Print the completion script for a shell."),
)

EXAMPLES = (
    "douse hunt C:\\Windows\\System32\\winevt\\Logs",
    "douse hunt triage.zip --format html -o report.html",
    "douse hunt logs/ --format jsonl --fail-on high | jq .title",
    "douse simulate lumma-clickfix -o demo/logs && douse hunt demo/logs",
)


@dataclass(slots=True)
class Session:
    """What the group's own options say to `main`, which outlives click's context."""

    debug: bool = False


class LazyGroup(Listed):
    """The commands of COMMANDS, which end with a code of ours where the reader of the output went away."""

    def entries(self) -> Sequence[Entry]:
        """COMMANDS."""
        return COMMANDS

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """As click's; --help writes here already."""
        with _closed_pipe_as_exit():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """As click's, with an exit code of its own for a closed pipe: click's would be 1, our "findings"."""
        with _closed_pipe_as_exit():
            return super().invoke(ctx)


@contextmanager
def _closed_pipe_as_exit() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        _drop_output()
        raise click.exceptions.Exit(exits.PIPE_CLOSED) from None


def _remember_debug(ctx: click.Context, _param: click.Parameter, debug: bool) -> None:
    """Keep --debug as soon as it is parsed: importing the command may be what fails."""
    if isinstance(ctx.obj, Session):
        ctx.obj.debug = debug


@click.group(cls=LazyGroup, epilog=exits.epilog(*EXAMPLES), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="douse", message="%(prog)s %(version)s")
@click.option(
    "--debug",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    envvar="DOUSE_DEBUG",
    callback=_remember_debug,
    help="On an internal error show the traceback (or set DOUSE_DEBUG=1).",
)
def cli() -> None:
    """Find infostealer malware in Windows logs, explain the incident, and help put it out.

    Results go to standard output, everything else to standard error. Times are UTC.
    """


def main(args: Sequence[str] | None = None) -> int:
    """Run one command line (`sys.argv` by default) and return its exit code; prints errors, raises none."""
    session = Session()
    _make_printable()
    atexit.register(gc.freeze)  # at the end nothing is searched for garbage once more: a twelfth of a short hunt
    try:
        with seldom_collecting():  # also while the command's modules are imported: a twentieth of a short hunt
            code = cli.main(args, prog_name="douse", standalone_mode=False, obj=session)
        if sys.stdout is not None:  # closed by whoever started us
            sys.stdout.flush()
    except BrokenPipeError:  # at the last flush
        _drop_output()
        return exits.PIPE_CLOSED
    except (Exception, KeyboardInterrupt) as error:
        return _report(error, session.debug)
    return code if isinstance(code, int) else exits.DONE


def _report(error: BaseException, debug: bool) -> int:
    """Say on standard error what went wrong and return the exit code for it."""
    match error:
        case click.Abort() | KeyboardInterrupt():  # the first is click's word for Ctrl-C
            click.echo("douse: interrupted", err=True)
            return exits.INTERRUPTED
        case click.ClickException():
            error.show()
            return exits.USAGE
        case DouseError():
            click.echo(f"douse: {clean(_masked(error))}", err=True)
            return exits.of_error(error)
        case OSError(errno=errno.ENOSPC):
            click.echo(f"douse: standard output cannot be written: {error.strerror}", err=True)
            return exits.USAGE
    if debug:
        import traceback

        traceback.print_exception(error)
    hint = "" if debug else " Please report it with the output of `douse --debug ...`."
    click.echo(f"douse: internal error: {type(error).__name__}: {clean(_masked(error))}.{hint}", err=True)
    return exits.INTERNAL


def _masked(error: BaseException) -> str:
    """What an error says, without the secrets of a text that it quotes: standard error ends in job logs."""
    from douse.masking import mask

    return mask(str(error))


def _make_printable() -> None:
    """Let no character stop the output: UTF-8 on a Windows console, escapes for what cannot be encoded."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8" if os.name == "nt" else None, errors="backslashreplace")


def _drop_output() -> None:
    """Point standard output at nothing, so that Python's last flush does not complain about the closed pipe."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
