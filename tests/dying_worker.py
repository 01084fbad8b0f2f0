"""Workers that fail in the middle of a unit, for tests/hunt/test_spread.py: killed, broken, or unable to start.

A worker process imports what it runs by name, so this cannot be a function inside a test.
"""

from __future__ import annotations

import os
import signal
from multiprocessing.connection import Connection

from douse.errors import RuleError
from douse.hunt import pool, work
from douse.hunt.iocs import Iocs
from douse.hunt.options import HuntOptions
from douse.hunt.plan import Unit

VICTIM = "victim"


class _Killed(work.Worker):
    def work(self, unit: Unit) -> None:
        super().work(unit)
        if VICTIM in unit.path and unit.part.first == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class _Broken(work.Worker):
    def work(self, unit: Unit) -> None:
        raise ZeroDivisionError("a bug of ours")


class _Refused(work.Worker):
    def work(self, unit: Unit) -> None:
        if VICTIM in unit.path:
            raise RuleError("cache", "holds a rule that Douse did not write there.", "Delete the file.")
        super().work(unit)


class _OutOfMemory(work.Worker):
    def work(self, unit: Unit) -> None:
        if VICTIM in unit.path:
            raise MemoryError
        super().work(unit)


def _served(kind: type[work.Worker], line: Connection, options: HuntOptions) -> None:
    pool.Worker = kind  # type: ignore[misc]
    pool.serve(line, options)


def killed(line: Connection, options: HuntOptions, iocs: Iocs) -> None:
    """Dies by a signal, as when the system has no memory left."""
    _served(_Killed, line, options)


def broken(line: Connection, options: HuntOptions, iocs: Iocs) -> None:
    """Meets a bug."""
    _served(_Broken, line, options)


def refused(line: Connection, options: HuntOptions, iocs: Iocs) -> None:
    """Meets a rule that cannot be made."""
    _served(_Refused, line, options)


def out_of_memory(line: Connection, options: HuntOptions, iocs: Iocs) -> None:
    """Gets no memory for the victim."""
    _served(_OutOfMemory, line, options)


def never_starts(line: Connection, options: HuntOptions, iocs: Iocs) -> None:
    """Ends before it is ready."""
    os._exit(7)
