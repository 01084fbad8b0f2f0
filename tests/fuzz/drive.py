"""Fuzz our parsers: so many executions of each, every crash and hang kept as a file that the tests replay.

    .venv/bin/python tests/fuzz/drive.py [--executions 100000] [--seed N] [--parser NAME]... [--seconds S] (`make fuzz`)

An input is a function of parser, seed and number, so a run can be repeated. Each parser runs in a process of its own
that a timer ends when one input takes longer than the deadline; the process leaves the number it is at in a
shared file, so that an input which hangs, exhausts memory or kills the interpreter is found as well. Crashes go to
tests/fuzz/crashes/PARSER/; once fixed, they stay there as test cases. Every parser's line says how many of the
executions that were asked for it had; fewer than that is a failure, as a run that stopped early has shown nothing.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import mmap
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from random import Random

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from fuzz.target import MEMORY  # noqa: E402 - the folder of the tests must be on the path first
from fuzz.targets import TARGETS  # noqa: E402 - the same

CRASHES = HERE / "crashes"
DEADLINE = 10.0
"""Seconds of the processor that one input may take; the slowest sound ones take a second and a half."""
PATIENCE = 12 * DEADLINE
"""Seconds by the clock, for an input that hangs without working; on a busy machine the two are far apart."""
MOST_BYTES = 2 << 30
"""Address space of a worker: an input that wants more has found a way to exhaust memory."""
MOST_CRASHES = 20
_AT = struct.Struct("<QQ")  # the number being run, and how many crashed


def input_of(parser: str, seed: int, number: int) -> bytes:
    """The input with this number."""
    return TARGETS[parser].input(Random(f"{parser} {seed} {number}"))


def keep(parser: str, data: bytes, kind: str) -> Path:
    """Write an input to the folder of crashes."""
    path = CRASHES / parser / f"{kind}-{hashlib.sha256(data).hexdigest()[:12]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def work(parser: str, seed: int, start: int, stop: int, board: Path) -> None:
    """Run inputs in this process; a defect is printed, kept and counted, and the run goes on."""
    _bound_memory()
    _bound_time()
    run = TARGETS[parser].run
    with board.open("r+b") as stream, mmap.mmap(stream.fileno(), _AT.size) as state:
        seen: set[str] = set()
        crashed = _AT.unpack_from(state)[1]
        for number in range(start, stop):
            _AT.pack_into(state, 0, number, crashed)
            data = input_of(parser, seed, number)
            _start_clocks(DEADLINE)
            try:
                run(data)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # a Rust panic is no Exception
                crashed += 1
                frames = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{type(error).__name__} {frames.filename}:{frames.lineno}"
                if where not in seen and len(seen) < MOST_CRASHES:
                    seen.add(where)
                    path = keep(parser, data, "crash")
                    print(f"  #{number}: {where}: {str(error)[:300]!r}\n    kept as {path}", flush=True)
            finally:
                _start_clocks(0)
        _AT.pack_into(state, 0, stop, crashed)


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


def _bound_time() -> None:
    """Let the processor's clock end this process with a traceback, where the system has one that can."""
    if hasattr(signal, "SIGPROF"):
        faulthandler.register(signal.SIGPROF, chain=True)


def _start_clocks(seconds: float) -> None:
    """Give the process so many seconds of work, or with 0 all the time it wants."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)
    if seconds:
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
    else:
        faulthandler.cancel_dump_traceback_later()


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of fuzzing one parser: how many inputs ran, how many of them failed, and how long it took."""

    parser: str
    executions: int
    failed: int
    seconds: float

    def line(self, asked: int) -> str:
        """The result as one line of the table."""
        said = "" if self.executions == asked else f"  STOPPED SHORT after {self.seconds:.0f} s: raise --seconds"
        per_second = self.executions / max(self.seconds, 0.001)
        return (f"{self.parser:<12} {self.executions:>9,} of {asked:,} executions  {self.failed:>4} failed"
                f"  {self.seconds:5.0f} s  {per_second:6.0f}/s{said}")


def fuzz(parser: str, seed: int, executions: int, seconds: float) -> Ran:
    """Fuzz one parser to its end or until its time is over, a new process after each that died."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="douse-fuzz-", dir=MEMORY) as folder:
        board, environment = Path(folder, "board"), {**os.environ, "TMPDIR": folder}
        board.write_bytes(_AT.pack(0, 0))
        start = 0
        while start < executions and (left := started + seconds - time.monotonic()) > 0:
            command = [sys.executable, __file__, "--work", parser, str(seed), str(start), str(executions), str(board)]
            try:
                code = subprocess.run(command, timeout=left, check=False, env=environment).returncode
            except subprocess.TimeoutExpired:
                break
            if code == 0:
                break
            at, crashed = _AT.unpack(board.read_bytes())
            kept = keep(parser, input_of(parser, seed, at), "hang")
            print(f"  #{at}: the process ended with {code} (hang, memory or a crash of Python)\n    kept as {kept}")
            board.write_bytes(_AT.pack(at + 1, crashed + 1))
            start = at + 1
        ran, failed = _AT.unpack(board.read_bytes())
    return Ran(parser, ran, failed, time.monotonic() - started)


def main() -> int:
    """Fuzz, and say what was done: 0 when every execution that was asked for ran and none failed."""
    parser = argparse.ArgumentParser(description="Fuzz the parsers.")
    parser.add_argument("--executions", type=int, default=100_000, help="of each parser")
    parser.add_argument("--seed", type=int, help="default: another one on every run; it is printed")
    parser.add_argument("--parser", action="append", choices=TARGETS, help="more than once; default all")
    parser.add_argument("--seconds", type=float, default=1e6, help="give up a parser after so long, which is a failure")
    parser.add_argument("--work", nargs=5, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        name, *numbers, board = asked.work
        work(name, int(numbers[0]), int(numbers[1]), int(numbers[2]), Path(board))
        return 0
    seed = asked.seed if asked.seed is not None else time.time_ns() % 1_000_000
    names = asked.parser or list(TARGETS)
    print(f"seed {seed}, {asked.executions:,} executions of each of {len(names)} parsers", flush=True)
    results = []
    for name in names:
        results.append(fuzz(name, seed, asked.executions, asked.seconds))
        print(results[-1].line(asked.executions), flush=True)
    short = [ran.parser for ran in results if ran.executions < asked.executions]
    failed = sum(ran.failed for ran in results)
    print(f"{sum(ran.executions for ran in results):,} executions, {failed} failed, {len(short)} parsers stopped short"
          + (f": {', '.join(short)}" if short else ""), flush=True)
    return 1 if failed or short else 0


if __name__ == "__main__":
    sys.exit(main())
