"""Worker processes that read units: units in, an Outcome for each out, in the order in which they become ready.

Every worker has a pipe of its own and gets one unit at a time, the largest first, so that it is known what a worker was
reading when it dies (out of memory, a crash in a library): that unit is a Loss, a new worker takes its place, and the
run goes on. Nothing is locked or shared, so a killed worker cannot block the others. Processes are spawned, not
forked: that works the same on every system and beside threads; the caller's main module must be guarded for it.

Through the pipe go, down: a Unit, or None to stop; up: the fingerprint of the rules once they are loaded, then amounts
for the progress, an Outcome, or the text of a bug. A worker ignores Ctrl-C; it stops when it is told to.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import TYPE_CHECKING, Final

from douse.detection.ruleset import RuleSet
from douse.errors import EvidenceError, RuleError
from douse.hunt.garbage import seldom_collecting
from douse.hunt.iocs import NONE, Iocs
from douse.hunt.options import HuntOptions
from douse.hunt.plan import Unit
from douse.hunt.result import Progress
from douse.hunt.work import Findings, Outcome, Worker, rules_of
from douse.model import Loss, Source
from douse.telemetry.chunks import WHOLE

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess
    from types import FrameType

    Handler = Callable[[int, FrameType | None], object] | int | signal.Handlers | None

_STOPPING_SECONDS: Final = 10
"""How long workers may take to hand over what they have after an interruption."""
_LOOK_UP_SECONDS: Final = 0.25
"""How long Ctrl-C may wait for the next message."""
_AGAIN: Final = "Run the file again with --jobs 1; if memory was short, fewer jobs need less of it."


class _Stopped(BaseException):
    """The pool told this worker to stop."""


def serve(line: Connection, options: HuntOptions, iocs: Iocs = NONE) -> None:
    """A worker's life: load the rules, then read units until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        ruleset = rules_of(options)
        worker = Worker(ruleset, options, _Reports(line), iocs)
        line.send(ruleset.fingerprint)
        with seldom_collecting():
            while (unit := line.recv()) is not None:
                line.send(_read(worker, unit))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the hunt is over, one way or the other
    except RuleError:
        sys.exit(1)  # the rules are not there any more; the pool has them, and reads what no worker reads
    except MemoryError:
        sys.exit(1)  # as a system that is out of memory would end it; the pool says so, a traceback would not help


def _read(worker: Worker, unit: Unit) -> Outcome | str:
    """The outcome of a unit, or the traceback of a bug."""
    try:
        worker.work(unit)
    except (EvidenceError, RuleError) as error:
        return Outcome(worker.take(), error=error)
    except _Stopped:
        return Outcome(worker.take(), complete=False)
    except MemoryError:
        raise
    except Exception:
        return traceback.format_exc()
    return Outcome(worker.take())


class _Reports:
    """A worker's progress: sends amounts up, and looks whether it is told to stop."""

    def __init__(self, line: Connection) -> None:
        self._line = line

    def start(self, total_bytes: int) -> None:
        """The parent has said it."""

    def advance(self, read_bytes: int, records: int, alerts: int, /) -> None:
        """Send the amounts. While a unit is read, nothing but the word to stop can come."""
        try:
            self._line.send((read_bytes, records, alerts))
            stop = self._line.poll()
        except OSError:
            stop = True  # nobody is there any more
        if stop:
            raise _Stopped

    def finish(self) -> None:
        """The parent says it."""


@dataclass(slots=True, eq=False)
class _Hand:
    """A worker as its pool knows it. `number` is of the unit it reads, -1 for none."""

    process: SpawnProcess
    line: Connection
    ready: bool = False
    number: int = -1


class Pool:
    """Some workers for one hunt; a context, so that none outlives it."""

    def __init__(self, options: HuntOptions, ruleset: RuleSet, workers: int, progress: Progress, iocs: Iocs = NONE
                 ) -> None:
        self._options, self._ruleset, self._workers, self._progress = options, ruleset, workers, progress
        self._iocs = iocs
        self._context = multiprocessing.get_context("spawn")
        self._hands: list[_Hand] = []
        self._waiting: list[int] = []
        self._units: Mapping[int, Unit] = {}
        self._interrupted = self._stopping = False

    def __enter__(self) -> Pool:
        with _without_interrupts():
            for _ in range(self._workers):
                self._hire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
                 ) -> None:
        for hand in self._hands:
            if error is not None or not hand.ready:
                hand.process.terminate()
            hand.line.close()  # an idle worker ends when it sees that
        for hand in self._hands:
            hand.process.join(_STOPPING_SECONDS)
            if hand.process.is_alive():
                hand.process.kill()
                hand.process.join()
            hand.process.close()

    def work(self, units: Mapping[int, Unit], ready: Callable[[int, Outcome], None]) -> None:
        """Have the units read; `ready` gets each one's number and outcome. What is left when no worker can start, the
        caller reads. On Ctrl-C workers hand over what they have, then KeyboardInterrupt is raised."""
        self._units = units
        self._waiting = sorted(units, key=lambda number: (-units[number].weight, number), reverse=True)
        try:
            with _handler(self._interrupt, instead_of=signal.default_int_handler):
                while self._hands and (self._waiting or self._busy()) and not self._interrupted:
                    self._listen(ready, _LOOK_UP_SECONDS)
            if self._interrupted:
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            self._stop(ready)
            raise

    def _interrupt(self, _number: int, _frame: object) -> None:
        """Ctrl-C takes effect between two messages, never within one; the second time at once."""
        if self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True

    def _busy(self) -> bool:
        return any(hand.number >= 0 for hand in self._hands)

    def _stop(self, ready: Callable[[int, Outcome], None]) -> None:
        """Tell the busy workers to stop, and take what they have in time."""
        self._waiting.clear()
        self._stopping = True
        for hand in self._hands:
            if hand.number >= 0:
                try:
                    hand.line.send(None)
                except OSError:
                    pass  # it died; _listen will see it
        until = time.monotonic() + _STOPPING_SECONDS
        while self._busy() and (left := until - time.monotonic()) > 0:
            self._listen(ready, left)

    def _listen(self, ready: Callable[[int, Outcome], None], timeout: float) -> None:
        """Handle one message of each worker that has one; a pipe that ended is a worker that died."""
        speaking = wait([hand.line for hand in self._hands], timeout)
        for hand in [hand for hand in self._hands if hand.line in speaking]:
            try:
                message = hand.line.recv()
            except (EOFError, OSError):
                self._bury(hand, ready)
            else:
                self._handle(hand, message, ready)

    def _handle(self, hand: _Hand, message: object, ready: Callable[[int, Outcome], None]) -> None:
        if isinstance(message, tuple):
            if not self._stopping:
                self._progress.advance(*message)
        elif isinstance(message, Outcome):
            number, hand.number = hand.number, -1
            if message.error is not None:  # only what comes before it can still matter
                self._waiting = [other for other in self._waiting if other < number]
            self._assign(hand)
            ready(number, message)
        elif hand.ready:
            raise _bug(str(message))
        elif message != self._ruleset.fingerprint:
            raise RuleError("--rules", "the rules changed while the run began.", "Run the command again.")
        else:
            hand.ready = True
            self._assign(hand)

    def _assign(self, hand: _Hand) -> None:
        """Give a worker its next unit."""
        if self._waiting:
            hand.number = self._waiting.pop()
            try:
                hand.line.send(self._units[hand.number])
            except OSError:
                pass  # it died; _listen will see it

    def _bury(self, hand: _Hand, ready: Callable[[int, Outcome], None]) -> None:
        """Note what a dead worker leaves unread, and replace it if it ever worked."""
        self._hands.remove(hand)
        hand.line.close()
        hand.process.join()
        code = hand.process.exitcode or 0
        hand.process.close()
        if hand.ready and self._waiting:
            with _without_interrupts():
                self._hire()
        if hand.number >= 0:
            ready(hand.number, self._lost(self._units[hand.number], code))

    def _lost(self, unit: Unit, code: int) -> Outcome:
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        where = "" if unit.part == WHOLE else str(unit.part)
        loss = Loss(Source(unit.path), where, f"the worker that read it died ({how})", None, _AGAIN)
        findings = Findings.empty(self._ruleset, self._options)
        try:
            findings.tally.lose(loss)
        except EvidenceError as error:
            return Outcome(findings, error=error)
        return Outcome(findings)

    def _hire(self) -> None:
        """Start a worker; where the system allows no further process, those there are do the work."""
        ours, theirs = self._context.Pipe()
        process = self._context.Process(target=serve, args=(theirs, self._options, self._iocs), daemon=True)
        try:
            process.start()
        except OSError:
            ours.close()
        else:
            self._hands.append(_Hand(process, ours))
        finally:
            theirs.close()


def _bug(trace: str) -> RuntimeError:
    """A worker's bug as an error of this process; `--debug` shows the worker's traceback with it."""
    error = RuntimeError(f"a worker failed: {trace.strip().splitlines()[-1]}")
    error.add_note(trace)
    return error


def _without_interrupts() -> AbstractContextManager[None]:
    """Processes that are started in here ignore Ctrl-C from their first moment."""
    return _handler(signal.SIG_IGN)


@contextmanager
def _handler(handler: Handler, instead_of: Handler | None = None) -> Iterator[None]:
    """What Ctrl-C does in here, unless the caller wants something else of it; only a main thread can say so."""
    before = signal.getsignal(signal.SIGINT)
    ours = threading.current_thread() is threading.main_thread() and instead_of in (None, before)
    if ours:
        signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGINT, before)
