"""What a hunt costs, beside the bare EVTX parser on the same bytes.

    .venv/bin/python bench/hunt.py [--records 60000] [--seed 7] [--repeat 3] [PATH...]        (`make bench`)

The corpus is simulated from the seed, so the same version gives the same bytes on every machine; its hash is printed.
Real logs are measured too: the PATHs given, else the shared data if it is there. Each figure is the best of the
repeats in CPU seconds of a fresh process (start-up included), because wall time tells about the machine's other work.
Needs a system with wait4 (Linux, macOS).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from douse import __version__, api

ROOT = Path(__file__).resolve().parent.parent

RAW = """
import sys
from evtx import PyEvtxParser
count = 0
for path in sys.argv[1:]:
    records = PyEvtxParser(path).records_json()
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


@dataclass(frozen=True, slots=True)
class Cost:
    """One measured process: records it read, CPU seconds, peak resident memory in bytes."""

    records: int
    seconds: float
    memory: int

    @property
    def rate(self) -> float:
        """Records per CPU-second."""
        return self.records / self.seconds


def measured(command: list[str], output: Path) -> tuple[float, int]:
    """Run a command with its output in a file; its CPU seconds and peak memory. Raises SystemExit where it fails."""
    with output.open("wb") as stream:
        redirect = [(os.POSIX_SPAWN_DUP2, stream.fileno(), 1)]
        pid = os.posix_spawn(command[0], command, os.environ, file_actions=redirect)
        _, status, usage = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 4):  # 4 is a partial hunt: real logs hold damaged chunks
        raise SystemExit(f"bench: exit code {code} of {' '.join(command)}")
    unit = 1 if sys.platform == "darwin" else 1024
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit


def raw(files: list[Path], scratch: Path) -> Cost:
    """The evtx library alone, every record to JSON text that nobody reads."""
    output = scratch / "raw.txt"
    seconds, memory = measured([sys.executable, "-c", RAW, *map(str, files)], output)
    return Cost(int(output.read_text()), seconds, memory)


def hunted(folder: Path, scratch: Path) -> tuple[Cost, dict[str, int]]:
    """A whole `douse hunt` to JSON Lines, and the summary it ended with."""
    output = scratch / "hunt.jsonl"
    command = [sys.executable, "-m", "douse", "hunt", str(folder), "--format", "jsonl", "--quiet"]
    seconds, memory = measured(command, output)
    summary = json.loads(output.read_bytes().splitlines()[-1])
    return Cost(summary["records_read"], seconds, memory), summary


def digest(files: list[Path]) -> str:
    """One hash over the bytes of all files, in the order of their names."""
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as stream:
            whole.update(hashlib.file_digest(stream, "sha256").digest())
    return whole.hexdigest()[:16]


def compare(title: str, folder: Path, repeat: int, scratch: Path) -> None:
    """Measure one corpus and print its figures."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".evtx")
    if not files:
        print(f"\n{title}: no EVTX file in {folder}")
        return
    size = sum(path.stat().st_size for path in files)
    print(f"\n{title}: {len(files)} files, {size / 1e6:.1f} MB, sha256 {digest(files)}")
    bare = min((raw(files, scratch) for _ in range(repeat)), key=lambda cost: cost.seconds)
    cost, summary = min((hunted(folder, scratch) for _ in range(repeat)), key=lambda both: both[0].seconds)
    for name, each in (("evtx parser", bare), ("douse hunt", cost)):
        print(
            f"  {name:<12} {each.records:>9,} records  {each.seconds:7.2f} CPU s  {each.rate:>9,.0f} records/CPU s"
            f"  {each.memory / 1e6:6.0f} MB peak"
        )
    print(
        f"  ratio {cost.seconds / bare.seconds:.2f}; {summary['alerts']:,} alerts, {summary['incidents']:,} incidents,"
        f" {summary['rules_loaded']:,} rules, {summary['records_lost']:,} records lost"
    )


def main() -> None:
    """Measure the simulated corpus, then the real ones."""
    parser = argparse.ArgumentParser(description="What a hunt costs, beside the bare EVTX parser.")
    parser.add_argument("--records", type=int, default=60_000, help="everyday records in the simulated corpus")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--repeat", type=int, default=3, help="the best of so many runs counts")
    parser.add_argument("paths", nargs="*", type=Path, help="folders of real EVTX files; default the shared data")
    asked = parser.parse_args()
    shared = Path(os.environ.get("DOUSE_SHARED") or ROOT.parent / "shared") / "data" / "evtx"
    print(f"douse {__version__}, Python {platform.python_version()}, {os.cpu_count()} cores, best of {asked.repeat}")
    with tempfile.TemporaryDirectory() as scratch_name:
        scratch = Path(scratch_name)
        corpus = scratch / "corpus"
        api.simulate("lumma-clickfix", corpus, "evtx", seed=asked.seed, noise=asked.records)
        compare(f"simulated lumma-clickfix, seed {asked.seed}", corpus, asked.repeat, scratch)
        for path in asked.paths or ([shared] if shared.is_dir() else []):
            compare(str(path), path, asked.repeat, scratch)


if __name__ == "__main__":
    main()
