"""What a hunt costs, beside the bare EVTX parser on the same bytes, and how that grows.

    .venv/bin/python bench/hunt.py [--records 60000] [--seed 7] [--repeat 3] [--only PART]... [PATH...]   (`make bench`)

Corpora are made from the seed (corpora.py): a simulated day, and real attack logs joined into one big file if the
shared data is there. Figures are CPU seconds of a whole fresh process with its children, start-up included, because
wall time tells about the machine's other work; the load is printed all the same. Of the repeats the one with the least
CPU counts. *Cold* is a process that finds no compiled rules, *warm* one that does. Needs wait4 (Linux, macOS).
With BENCH_ZIRCOLITE=DIR the part `peer` runs Zircolite from that folder beside Douse (peer.py).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import corpora
import peer

from douse import __version__

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("DOUSE_SHARED") or ROOT.parent / "shared") / "data"

RAW = """
import sys
from evtx import PyEvtxParser
count = 0
for path in sys.argv[1:]:
    records = PyEvtxParser(path, number_of_threads=1).records_json()
    while True:
        try:
            next(records)
        except StopIteration:
            break
        except Exception:
            continue
        count += 1
print(count)
"""


LAUNCH = """
import json, os, sys, time
output, *command = sys.argv[1:]
started = time.monotonic()
with open(output, "wb") as stream:
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, stream.fileno(), 1)])
    _, status, usage = os.wait4(pid, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, time.monotonic() - started,
                  usage.ru_maxrss]))
"""
"""A small process between us and the measured one, whose peak memory would else be at least ours (Linux counts what
a process had before it became another program)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One measured process: CPU and wall seconds, peak resident memory of its largest process, its records."""

    seconds: float
    wall: float
    memory: int
    records: int = 0
    summary: Mapping[str, int] = field(default_factory=dict)

    def line(self, name: str, size: int, bare: Cost | None = None) -> str:
        """One row of the table. The ratio is this process's share of the bare parser's speed."""
        ratio = f"  {bare.seconds / self.seconds * self.records / bare.records:5.2f} of raw" if bare else ""
        return (f"  {name:<28} {self.records:>9,} records {self.seconds:8.2f} CPU s {self.wall:8.2f} s wall"
                f" {self.records / self.seconds:>9,.0f} records/CPU s {size / 1e6 / self.seconds:7.1f} MB/CPU s"
                f" {self.memory / 1e6:6.0f} MB{ratio}")


def measured(command: list[str], output: Path, environment: Mapping[str, str], *, folder: Path | None = None,
             errors: Path | None = None) -> Cost:
    """Run a command, in a folder, with its output in a file, and its errors too. Raises SystemExit where it fails."""
    with errors.open("wb") if errors else nullcontext() as said:
        launched = subprocess.run([sys.executable, "-c", LAUNCH, str(output), *command], stdout=subprocess.PIPE,
                                  stderr=said, cwd=folder, check=True, env={**os.environ, **environment})
    code, seconds, wall, memory = json.loads(launched.stdout)
    if code not in (0, 4):  # 4 is a partial hunt: real logs hold damaged chunks
        where = f"; see {errors}" if errors else ""
        raise SystemExit(f"bench: exit code {code} of {' '.join(command)}{where}")
    return Cost(seconds, wall, memory * (1 if sys.platform == "darwin" else 1024))


class Bench:
    """Where to write, how often to repeat, and what this Douse can do."""

    def __init__(self, scratch: Path, repeat: int) -> None:
        self.scratch, self.repeat = scratch, repeat
        self.cache = scratch / "cache"
        shown = subprocess.run([sys.executable, "-m", "douse", "hunt", "--help"], capture_output=True, text=True,
                               check=True, env={**os.environ, "COLUMNS": "200"}).stdout
        self.has_jobs = "--jobs" in shown

    def raw(self, corpus: corpora.Corpus) -> Cost:
        """The evtx library alone, every record to JSON text that nobody reads."""
        return min((self._raw(corpus) for _ in range(self.repeat)), key=lambda cost: cost.seconds)

    def _raw(self, corpus: corpora.Corpus) -> Cost:
        output = self.scratch / "raw.txt"
        cost = measured([sys.executable, "-c", RAW, *map(str, corpus.files)], output, {})
        return Cost(cost.seconds, cost.wall, cost.memory, int(output.read_text()))

    def hunt(self, corpus: corpora.Corpus, *, rules: Path | None = None, jobs: int = 1, warm: bool = True,
             once: bool = False) -> Cost:
        """A whole `douse hunt` to JSON Lines; `rules` replaces our own."""
        options = [*(["--rules", str(rules), "--no-builtin"] if rules else []),
                   *(["--jobs", str(jobs)] if self.has_jobs else [])]
        command = [sys.executable, "-m", "douse", "hunt", *map(str, corpus.files), "--format", "jsonl", "--quiet",
                   *options]
        if warm:
            self._hunt([*command[:4], str(corpora.tiny(self.scratch)), *command[4 + len(corpus.files):]])
        return min((self._hunt(command, warm) for _ in range(1 if once else self.repeat)),
                   key=lambda cost: cost.seconds)

    def _hunt(self, command: list[str], warm: bool = True) -> Cost:
        if not warm:
            shutil.rmtree(self.cache, ignore_errors=True)
        output = self.scratch / "hunt.jsonl"
        cost = measured(command, output, {"DOUSE_CACHE_DIR": str(self.cache)})
        with output.open("rb") as stream:
            *_, last = stream
        summary = json.loads(last)
        return Cost(cost.seconds, cost.wall, cost.memory, summary["records_read"], summary)


def state_of_the_machine() -> str:
    """How busy the machine is now."""
    return f"load {', '.join(f'{load:.1f}' for load in os.getloadavg())}"


def compare(bench: Bench, corpus: corpora.Corpus, rules: Path | None) -> None:
    """One corpus: the bare parser, cold, warm, and two jobs."""
    print(f"\n{corpus}; {state_of_the_machine()}", flush=True)
    bare = bench.raw(corpus)
    print(bare.line("evtx parser", corpus.size), flush=True)
    named = "SigmaHQ" if rules else "our rules"
    cold = bench.hunt(corpus, rules=rules, warm=False, once=True)
    print(cold.line(f"{named}, cold", corpus.size, bare), flush=True)
    warm = bench.hunt(corpus, rules=rules)
    print(warm.line(f"{named}, warm", corpus.size, bare), flush=True)
    if bench.has_jobs:
        two = bench.hunt(corpus, rules=rules, jobs=2)
        print(two.line(f"{named}, warm, 2 jobs", corpus.size, bare))
        print(f"  2 jobs: {two.seconds / warm.seconds:.2f} of the CPU, {two.wall / warm.wall:.2f} of the wall time;"
              f" {state_of_the_machine()}")
        if two.summary["alerts"] != warm.summary["alerts"]:
            raise SystemExit("bench: two jobs found other alerts than one")
    said = warm.summary
    print(f"  {said['alerts']:,} alerts, {said['incidents']:,} incidents, {said['rules_loaded']:,} rules,"
          f" {said['records_lost']:,} records lost", flush=True)


def start_up(bench: Bench, rules: Path | None) -> None:
    """From start to end on a log of a few records."""
    corpus = corpora.Corpus("one small log", (corpora.tiny(bench.scratch),))
    print(f"\nstart to end, {corpus}; {state_of_the_machine()}")
    for name, folder in (("our rules", None), ("SigmaHQ", rules)):
        if name == "our rules" or folder:
            for warm in (False, True):
                cost = bench.hunt(corpus, rules=folder, warm=warm)
                print(f"  {name + (', warm' if warm else ', cold'):<28} {cost.seconds:8.2f} CPU s {cost.wall:8.2f} s"
                      f" wall {cost.memory / 1e6:6.0f} MB", flush=True)


def growth(bench: Bench, seed: int, records: int, rules: Path | None) -> None:
    """With ten and a hundred times the events, and with more rules."""
    print(f"\ngrowth with events (our rules, warm, 1 job); {state_of_the_machine()}")
    for factor in (1, 10, 100):
        corpus = corpora.simulated(bench.scratch, seed, records * factor)
        bare = bench.raw(corpus)
        print(bench.hunt(corpus, once=factor == 100).line(f"x{factor}", corpus.size, bare), flush=True)
    corpus = corpora.simulated(bench.scratch, seed, records * 10)
    bare = bench.raw(corpus)
    print(f"\ngrowth with rules ({corpus}, warm, 1 job); {state_of_the_machine()}")
    for count in (100, 1_000, 3_000):
        folder = corpora.rule_folder(bench.scratch, rules, count, seed)
        cost = bench.hunt(corpus, rules=folder)
        print(cost.line(f"{cost.summary['rules_loaded']:,} of {count:,} rules", corpus.size, bare), flush=True)


def beside_zircolite(bench: Bench, home: Path, rules: Path | None, found: list[corpora.Corpus]) -> None:
    """Zircolite on the same corpora with the same rules: cost, ratio, and the rules whose counts differ."""
    if rules is None:
        raise SystemExit("bench: BENCH_ZIRCOLITE needs SigmaHQ's rules in the shared data")
    comparison = peer.Comparison(home, bench.scratch, measured, rules, corpora.tiny(bench.scratch))
    for corpus in found:
        print(f"\n{corpus}; {state_of_the_machine()}", flush=True)
        warm = bench.hunt(corpus, rules=comparison.folder)
        comparison.beside(corpus, warm, bench.scratch / "hunt.jsonl", warm.records, bench.repeat)


PARTS = ("simulated", "dense", "start", "growth", "peer")


def main() -> None:
    """Measure, part by part."""
    parser = argparse.ArgumentParser(description="What a hunt costs, beside the bare EVTX parser.")
    parser.add_argument("--records", type=int, default=60_000, help="everyday records in the simulated corpus")
    parser.add_argument("--growth", type=int, default=2_000, help="everyday records that growth begins with")
    parser.add_argument("--dense", type=int, default=100, metavar="MB", help="size of the joined real logs")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--repeat", type=int, default=3, help="the best of so many runs counts")
    parser.add_argument("--only", action="append", choices=PARTS, help="more than once; default all parts")
    parser.add_argument("paths", nargs="*", type=Path, help="folders of EVTX files to measure as they are")
    asked = parser.parse_args()
    parts = asked.only or PARTS
    rules = SHARED / "sigma" if (SHARED / "sigma").is_dir() else None
    print(f"douse {__version__}, Python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} cores,"
          f" {state_of_the_machine()}, best of {asked.repeat}, seed {asked.seed}")
    if rules is None:
        print(f"no shared data at {SHARED}: no real logs, and made rules in place of SigmaHQ's")
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), asked.repeat)
        if "simulated" in parts:
            compare(bench, corpora.simulated(bench.scratch, asked.seed, asked.records), None)
            if rules:
                compare(bench, corpora.simulated(bench.scratch, asked.seed, asked.records), rules)
        if "dense" in parts and (SHARED / "evtx").is_dir():
            compare(bench, corpora.dense(bench.scratch, SHARED / "evtx", asked.seed, asked.dense * 1_000_000), rules)
        for path in asked.paths:
            compare(bench, corpora.found(path), rules)
        home = os.environ.get("BENCH_ZIRCOLITE")
        if "peer" in parts and home:
            logs = [corpora.simulated(bench.scratch, asked.seed, asked.records)]
            if (SHARED / "evtx").is_dir():
                size = asked.dense * 1_000_000
                logs.append(corpora.dense(bench.scratch, SHARED / "evtx", asked.seed, size))
            beside_zircolite(bench, Path(home), rules, logs)
        elif asked.only and "peer" in parts:
            raise SystemExit("bench: the part `peer` needs BENCH_ZIRCOLITE=DIR, a folder with zircolite.py")
        if "start" in parts:
            start_up(bench, rules)
        if "growth" in parts:
            growth(bench, asked.seed, asked.growth, rules)


if __name__ == "__main__":
    main()
