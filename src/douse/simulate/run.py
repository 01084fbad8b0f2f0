"""A scenario's name to event log files: one file with all channels, or a folder with a file for each channel.

Records are numbered within each channel and written while they are made, so noise costs no memory. Every file is
written under a temporary name and renamed at the end: an interrupted run leaves no half of a log. Nothing that exists
is replaced without `force`. The counterpart is `hunt`, which reads what is written here.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import BinaryIO, Protocol, Self

from douse.content.scenarios import Scenario, load_scenario
from douse.errors import OutputError
from douse.simulate import operational, security, sysmon
from douse.simulate.evtx_writer import EvtxWriter
from douse.simulate.jsonl_writer import JsonlWriter
from douse.simulate.noise import noise as make_noise
from douse.simulate.play import Scene, play
from douse.simulate.record import Record, numbered

FORMATS = ("evtx", "jsonl")
_CHANNELS = (security.CHANNEL, sysmon.CHANNEL, operational.POWERSHELL_CHANNEL, operational.DEFENDER_CHANNEL)


class Writer(Protocol):
    """What both writers can do."""

    records: int

    def write(self, record: Record) -> None:
        """Append a record."""

    def close(self) -> None:
        """Complete the stream, without closing it."""


WRITERS: Mapping[str, Callable[[BinaryIO], Writer]] = {"evtx": EvtxWriter, "jsonl": JsonlWriter}


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One file that was written and how many records it holds."""

    path: Path
    records: int


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """What a simulation wrote: the files, in the order of their names, and the time the records span."""

    scenario: str
    title: str
    host: str
    format: str
    files: tuple[WrittenFile, ...]
    records: int
    first_seen: datetime
    last_seen: datetime


def scenario_records(scenario: Scenario, seed: int = 0, noise: int = 0) -> Iterator[Record]:
    """The records of a scenario and its noise in order of time, numbered within each channel."""
    scene = Scene(scenario, seed)
    told = play(scenario, scene)
    random = Random(seed)  # noqa: S311  chooses record ids, guards nothing
    first = {channel: random.randrange(2_000, 90_000) for channel in _CHANNELS}
    merged = heapq.merge(told, make_noise(scenario, scene, noise, seed), key=lambda record: record.time)
    return numbered(merged, first)


def simulate(scenario: str, output: Path,
             format: str | None = None,  # noqa: A002  the word of the command line, --format
             seed: int = 0, noise: int = 0, force: bool = False,
             progress: Callable[[int], None] | None = None) -> SimulationResult:
    """Write the scenario's records; `progress` is told the number of records every thousand.

    An output whose name ends in .evtx or .jsonl, or that has another suffix while a format is given, is one file;
    anything else is a folder.
    """
    loaded = load_scenario(scenario)
    single, chosen = _target(output, format)
    count, first_seen, last_seen = 0, loaded.start, loaded.start
    try:
        files = _files(output, single, chosen, force)
        with files:
            for count, record in enumerate(scenario_records(loaded, seed, noise), 1):
                first_seen = record.time if count == 1 else first_seen
                last_seen = record.time
                files.write(record)
                if progress and count % 1000 == 0:
                    progress(count)
    except OSError as error:
        raise OutputError(str(error.filename or output), f"cannot be written ({error.strerror}).",
                          "Choose another place with -o.") from None
    return SimulationResult(scenario, loaded.title, loaded.host, chosen, files.written, count, first_seen, last_seen)


def _target(output: Path, format_name: str | None) -> tuple[bool, str]:
    """Whether the output is one file, and the format to write."""
    if format_name is not None and format_name not in FORMATS:
        raise OutputError(str(output), f"unknown format {format_name!r}.", f"Known: {', '.join(FORMATS)}.")
    suffix = output.suffix.lower().removeprefix(".")
    if not suffix or output.is_dir():
        return False, format_name or "evtx"
    if format_name is None and suffix not in FORMATS:
        raise OutputError(str(output), f"the suffix .{suffix} names no format we write.",
                          "Use .evtx or .jsonl, give --format, or name a folder without a suffix.")
    return True, format_name or suffix


class _Files:
    """The files being written, each opened at its first record and under a temporary name until all is well."""

    def __init__(self, path_of: Callable[[Record], Path], format_name: str, force: bool) -> None:
        self._path_of, self._make, self._force = path_of, WRITERS[format_name], force
        self._open: dict[Path, tuple[BinaryIO, Writer]] = {}
        self.written: tuple[WrittenFile, ...] = ()

    def __enter__(self) -> Self:
        return self

    def write(self, record: Record) -> None:
        """Append a record to the file it belongs to."""
        path = self._path_of(record)
        if path not in self._open:
            self._start(path)
        self._open[path][1].write(record)

    def _start(self, path: Path) -> None:
        if path.exists() and not self._force:
            raise OutputError(str(path), "exists already.", "Use --force to replace it, or choose another place.")
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = _temporary(path).open("wb")
        self._open[path] = stream, self._make(stream)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            for stream, writer in self._open.values():
                with stream:
                    if kind is None:
                        writer.close()
            if kind is None:
                for path in self._open:
                    _temporary(path).replace(path)
                self.written = tuple(WrittenFile(path, self._open[path][1].records) for path in sorted(self._open))
        finally:
            for path in self._open:
                _temporary(path).unlink(missing_ok=True)


def _temporary(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _files(output: Path, single: bool, format_name: str, force: bool) -> _Files:
    """The files for an output; complains before anything is written where logs are there already."""
    if single:
        if output.exists() and not force:
            raise OutputError(str(output), "exists already.", "Use --force to replace it, or choose another name.")
        return _Files(lambda _: output, format_name, force)
    if output.exists() and not output.is_dir():
        raise OutputError(str(output), "is a file, not a folder.", "Choose another, or end it in .evtx or .jsonl.")
    logs = [path.name for path in output.glob("*") if path.suffix.lower().removeprefix(".") in FORMATS]
    if logs and not force:
        raise OutputError(str(output), f"holds event logs already ({min(logs)}).",
                          "Use --force to replace those of the same name, or choose another folder.")
    return _Files(lambda record: output / f"{record.channel.replace('/', '%4')}.{format_name}", format_name, force)
