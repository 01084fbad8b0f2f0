"""Zircolite's command line: rule files and event logs in, its ruleset, results, table and cost out.

The options it is given are those that its own --help lists, because they differ between versions (2.30 and later have
what is needed). It is started in a folder of its own, because it leaves files where it is started.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

from corpora import Corpus
from peer_table import Converted, Key, Table, key_of

PIPELINES = ("sysmon", "windows-logsources")
"""pySigma's pipelines for its queries: those that its help names, less the one for the audit log in place of Sysmon."""


class Cost(Protocol):
    """What hunt.py measures of a process: CPU and wall seconds, and the most bytes that it held."""

    @property
    def seconds(self) -> float: ...
    @property
    def wall(self) -> float: ...
    @property
    def memory(self) -> int: ...


Measure = Callable[..., Cost]


@dataclass(frozen=True, slots=True)
class Found:
    """A program's results: cost, the records of each rule that fired, and the rules' titles."""

    cost: Cost
    records: Mapping[str, Counter[Key]]
    titles: Mapping[str, str]


class Zircolite:
    """The peer's command line. It writes into a folder of its own, in which its settings are linked."""

    def __init__(self, home: Path, scratch: Path, measured: Measure) -> None:
        program = home.resolve() / "zircolite.py"
        if not program.is_file():
            raise SystemExit(f"bench: BENCH_ZIRCOLITE={home} holds no zircolite.py")
        python = home.resolve() / ".venv" / "bin" / "python"
        self.command = [str(python if python.is_file() else sys.executable), str(program)]
        self.folder, self._measured = scratch / "zircolite", measured
        self.folder.mkdir(exist_ok=True)
        for entry in home.resolve().iterdir():  # it looks for config/ and bin/ where it is started
            if entry.is_dir() and not entry.name.startswith((".", "_")) and not (self.folder / entry.name).exists():
                (self.folder / entry.name).symlink_to(entry)

    @cached_property
    def version(self) -> str:
        """What it says of itself."""
        said = re.search(r"(\d+\.\d+(?:\.\d+)?)", self._say("--version"))
        return said[1] if said else "of unknown version"

    @cached_property
    def options(self) -> frozenset[str]:
        """The options of this version."""
        return frozenset(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", self._say("--help")))

    def _say(self, option: str) -> str:
        done = subprocess.run([*self.command, option], capture_output=True, text=True, cwd=self.folder, check=False,
                              env={**os.environ, "COLUMNS": "200"})
        if done.returncode:
            raise SystemExit(f"bench: {' '.join(self.command)} {option} ends with {done.returncode}:"
                             f" {done.stderr.strip()[-500:]}")
        return done.stdout + done.stderr

    def _offered(self, *options: str) -> list[str]:
        return [option for option in options if option in self.options]

    def convert(self, rules: Path, log: Path) -> Path:
        """The peer's own ruleset, made by the peer from a folder of rules; `log` is any small event log."""
        self._run(["-e", str(log), "-r", str(rules), "-p", *PIPELINES, "--save-ruleset", "-o", "converted.json"])
        saved = sorted(self.folder.glob("ruleset-*.json"))
        if len(saved) != 1:
            raise SystemExit(f"bench: Zircolite saved {len(saved)} rulesets in place of one; see {self.folder}/errors")
        return saved[0]

    def _run(self, arguments: list[str]) -> Cost:
        external = any((self.folder / "bin").glob("evtx_dump*"))  # without it, 2.x must be told to use the library
        options = [*self._offered("--no-parallel"), *([] if external else self._offered("--noexternal"))]
        return self._measured([*self.command, *arguments, *options], self.folder / "said", {}, folder=self.folder,
                              errors=self.folder / "errors")

    def hunt(self, corpus: Corpus, ruleset: Path, repeat: int) -> Found:
        """Run all rules over a corpus; of the repeats the cheapest counts."""
        output = self.folder / "found.json"
        costs = [self._hunt(corpus, ruleset, output) for _ in range(repeat)]
        return Found(min(costs, key=lambda cost: cost.seconds), *_results(output))

    def _hunt(self, corpus: Corpus, ruleset: Path, output: Path, *more: str) -> Cost:
        output.unlink(missing_ok=True)
        return self._run(["-e", str(_place(corpus)), "-r", str(ruleset), "-o", str(output), *more])

    def keep(self, corpus: Corpus, ruleset: Path) -> Table:
        """The table it makes of a corpus, from a run that is not counted."""
        for old in self.folder.glob("kept*"):
            old.unlink()
        self._hunt(corpus, ruleset, self.folder / "kept.json", "-d", str(self.folder / "kept.db"),
                   *self._offered("--unified-db", "--no-event-filter"))
        found = sorted(self.folder.glob("kept*.db"))
        if len(found) != 1:
            raise SystemExit(f"bench: Zircolite kept {len(found)} databases in place of one; see {self.folder}/errors")
        return Table(found[0])


def _place(corpus: Corpus) -> Path:
    """The one path to give to a program that takes one: the file, or the folder of all files."""
    return corpus.files[0] if len(corpus.files) == 1 else Path(os.path.commonpath(corpus.files))


def _results(output: Path) -> tuple[dict[str, Counter[Key]], dict[str, str]]:
    """Its result file: the records of each rule, and the titles. A rule may stand there once for each file."""
    try:
        listed = json.loads(output.read_bytes())
    except (OSError, ValueError) as error:
        raise SystemExit(f"bench: {output} is not the result of a Zircolite run: {error}") from None
    records: dict[str, Counter[Key]] = {}
    for rule in listed:
        records.setdefault(rule["id"], Counter()).update(
            key_of(row.get("Channel"), row.get("EventID"), row.get("EventRecordID"), row.get("Computer"))
            for row in rule["matches"])
    return records, {rule["id"]: rule["title"] for rule in listed}


def converted(ruleset: Path) -> dict[str, Converted]:
    """The peer's ruleset by the rules' ids."""
    return {rule["id"]: Converted(tuple(rule["rule"])) for rule in json.loads(ruleset.read_bytes()) if rule.get("rule")}
