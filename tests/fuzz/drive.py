"""Fuzz our parsers: so many executions of each, every crash and hang kept as a file that the tests replay.

    .venv/bin/python tests/fuzz/drive.py [--executions 100000] [--seed N] [--parser NAME]... [--seconds S] (`make fuzz`)

An input is a function of parser, seed and number, so a run can be repeated. Each parser runs in a process of its own
that a watchdog thread ends when one input takes longer than the deadline; the process leaves the number it is at in a
shared file, so that an input which hangs, exhausts memory or kills the interpreter is found as well. Crashes go to
tests/fuzz/crashes/PARSER/; once fixed, they stay there as test cases.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import mmap
import struct
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from random import Random

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from fuzz.targets import TARGETS  # noqa: E402 - the folder of the tests must be on the path first

CRASHES = HERE / "crashes"
DEADLINE = 10.0
"""Seconds one input may take; the slowest sound ones take a few hundredths on a busy machine."""
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
    run = TARGETS[parser].run
    with board.open("r+b") as stream, mmap.mmap(stream.fileno(), _AT.size) as state:
        seen: set[str] = set()
        crashed = _AT.unpack_from(state)[1]
        for number in range(start, stop):
            _AT.pack_into(state, 0, number, crashed)
            data = input_of(parser, seed, number)
            faulthandler.dump_traceback_later(DEADLINE, exit=True)
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
                faulthandler.cancel_dump_traceback_later()
        _AT.pack_into(state, 0, stop, crashed)


def _bound_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))


def fuzz(parser: str, seed: int, executions: int, seconds: float) -> tuple[int, int]:
    """Fuzz one parser to its end, a new process after each that died; how many ran, and how many of them failed."""
    ends = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        board = Path(folder, "board")
        board.write_bytes(_AT.pack(0, 0))
        start = 0
        while start < executions and time.monotonic() < ends:
            command = [sys.executable, __file__, "--work", parser, str(seed), str(start), str(executions), str(board)]
            try:
                code = subprocess.run(command, timeout=max(ends - time.monotonic(), 1), check=False).returncode
            except subprocess.TimeoutExpired:
                break
            at, crashed = _AT.unpack(board.read_bytes())
            if code == 0:
                break
            kept = keep(parser, input_of(parser, seed, at), "hang")
            print(f"  #{at}: the process ended with {code} (hang, memory or a crash of Python)\n    kept as {kept}")
            board.write_bytes(_AT.pack(at + 1, crashed + 1))
            start = at + 1
        return _AT.unpack(board.read_bytes())


def main() -> int:
    """Fuzz, and say what was done."""
    parser = argparse.ArgumentParser(description="Fuzz the parsers.")
    parser.add_argument("--executions", type=int, default=100_000, help="of each parser")
    parser.add_argument("--seed", type=int, help="default: another one on every run; it is printed")
    parser.add_argument("--parser", action="append", choices=TARGETS, help="more than once; default all")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="give up a parser after so long")
    parser.add_argument("--work", nargs=5, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        name, *numbers, board = asked.work
        work(name, int(numbers[0]), int(numbers[1]), int(numbers[2]), Path(board))
        return 0
    seed = asked.seed if asked.seed is not None else time.time_ns() % 1_000_000
    print(f"seed {seed}, {asked.executions:,} executions of each parser", flush=True)
    failed = 0
    for name in asked.parser or TARGETS:
        started = time.monotonic()
        ran, crashed = fuzz(name, seed, asked.executions, min(asked.seconds, 1e6))
        failed += crashed
        print(f"{name:<10} {ran:>9,} executions  {crashed:>4} failed  {time.monotonic() - started:7.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
