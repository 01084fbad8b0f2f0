"""What a target of the fuzzer is, and what several of them need: events to ask rules about, a folder, lines of a text.

A target's `run` raises nothing on any input. What the documentation allows (RuleError as an outcome, Mistake,
EvidenceError in a strict run) it handles itself, so every other exception, also a panic of a library, is a defect.
"""

from __future__ import annotations

import atexit
import functools
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from douse.errors import RuleError
from douse.model import Event, Source, Value
from fuzz.mutate import TEXT, Material, Mutator, mutated

TIME = datetime(2026, 11, 24, 9, tzinfo=UTC)
SYSMON = "Microsoft-Windows-Sysmon/Operational"
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - only for folders of random names
"""Where Linux keeps files that never reach a disk; None where there is no such place."""

_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line in YAML 1.1."""


def _nothing(_random: Random) -> bytes | None:
    return None


@dataclass(frozen=True, slots=True)
class Target:
    """One parser. `marks` are the places in a seed that matter; `fresh` makes an input that is no damaged seed."""

    seeds: Callable[[], Sequence[bytes]]
    tokens: Sequence[bytes]
    mutators: Sequence[Mutator]
    run: Callable[[bytes], None]
    marks: Callable[[bytes], Sequence[int]] = lambda seed: ()
    fresh: Callable[[Random], bytes | None] = _nothing

    def input(self, random: Random) -> bytes:
        """A seed after some changes, words of the format in any order, or something fresh."""
        chosen = self.seeds()
        at = random.randrange(len(chosen))
        if (made := self.fresh(random)) is not None:
            return made
        if random.random() < 0.3 and self.mutators is TEXT:
            return b" ".join(random.choice(self.tokens) for _ in range(random.randint(1, 12)))
        return mutated(chosen[at], self.mutators, random, Material(chosen, self.tokens, self.marks(chosen[at])))


@functools.cache
def folder() -> Path:
    """A folder of this process for parsers that open files themselves, in memory if possible; it goes with it."""
    made = tempfile.mkdtemp(prefix="douse-fuzz-", dir=os.environ.get("TMPDIR", MEMORY))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)


def text_of(data: bytes) -> str:
    """The bytes as text, whatever they are: also with lone surrogates, which no file can hold and a caller can."""
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("latin-1")
    return data.decode("utf-8", "surrogatepass" if data[-1:] == b"x" else "replace")


def check_error(error: RuleError, name: str, text: str) -> None:
    """An error names the file and a line that is in it, and says in one line what is wrong."""
    path, _, line = error.where.rpartition(":")
    assert path == name
    assert 1 <= int(line) <= len(_LINE_END.split(text)) + 1, error.where
    assert error.what
    assert "\n" not in error.what.strip(), error.what


def one_event(fields: Mapping[str, Value], channel: str = SYSMON, event_id: int = 1, number: int = 1) -> Event:
    """A record to ask rules about, so many seconds after the first one."""
    everything: dict[str, Value] = {"EventID": event_id, "Channel": channel, "Computer": "WS-01", **fields}
    return Event(channel=channel, event_id=event_id, time=TIME + timedelta(seconds=number - 1), host="WS-01",
                 provider="p", record_id=number, source=Source("fuzz"), decode=lambda: everything)


EVENTS = (
    one_event({"Image": "C:\\Windows\\System32\\cmd.exe", "CommandLine": "cmd /c powershell -enc aQBlAHgA 10.1.2.3",
               "ParentImage": "C:\\Users\\anna\\x.exe", "User": "CORP\\anna", "ProcessId": 4711, "Empty": "",
               "Null": None, "DestinationIp": "10.1.2.3", "Odd": "\udcff\x00İßK" * 30, "Hashes": "MD5=00"}),
    one_event({"NewProcessName": "C:\\x\\certutil.exe", "NewProcessId": "0x1f4", "Data": ["a", "", "b*c?\\"],
               "SubjectUserName": "anna", "Truth": True, "Float": 1.5}, "Security", 4688),
    one_event({"TargetFilename": "\\" * 2000, "QueryName": "a" * 3000, "ScriptBlockText": "x\n" * 500},
              event_id=11),
)
