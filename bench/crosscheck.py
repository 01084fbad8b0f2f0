"""Whether the fast matcher and its reference agree on real logs: the same alerts, in the same order, to the last word.

    .venv/bin/python bench/crosscheck.py [--rules PATH]... [--every N] [PATH...]

Default: all logs of the shared data with SigmaHQ's rules and ours. `--every N` takes each Nth record of a file. Ends
with exit code 1, and shows the first differences, when they do not agree. The test of the room does the same by sample.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from douse.detection.ruleset import RuleSet, load_rules
from douse.hunt import plan
from douse.model import Event
from douse.telemetry import Limits, Tally, Wanted, read_path

DATA = Path(os.environ.get("DOUSE_SHARED") or Path(__file__).resolve().parents[2] / "shared") / "data"
SHOWN = 10


def events(paths: list[Path], rules: RuleSet, every: int) -> Iterator[Event]:
    """Each Nth record, of every file, that some rule reads."""
    for unit in plan.make(tuple(map(str, paths))).units:
        read = read_path(Path(unit.path), Wanted(rules.interests()), Tally(), Limits(), named=False)
        yield from islice(read, 0, None, every)


def main() -> int:
    """Compare, and say what came out."""
    parser = argparse.ArgumentParser(description="Whether the fast matcher and its reference agree.")
    parser.add_argument("--rules", action="append", type=Path, help="more than once; default SigmaHQ's")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("paths", nargs="*", type=Path)
    asked = parser.parse_args()
    rules = load_rules(asked.rules or [DATA / "sigma"])
    paths = asked.paths or [DATA / "evtx", DATA / "sigma_regression", DATA / "otrf"]
    seconds, records, alerts, different = [0.0, 0.0], 0, 0, 0
    for event in events(paths, rules, asked.every):
        event.fields  # noqa: B018 - decoded before the clock starts, because both need it
        start = time.process_time()
        fast = list(rules.match(event))
        middle = time.process_time()
        slow = list(rules.match_slowly(event))
        seconds[0] += middle - start
        seconds[1] += time.process_time() - middle
        records, alerts = records + 1, alerts + len(slow)
        if fast != slow:
            different += 1
            if different <= SHOWN:
                print(f"{event}: fast {[a.title for a in fast]}, reference {[a.title for a in slow]}", file=sys.stderr)
    print(f"{len(rules.rules):,} rules, {records:,} records, {alerts:,} alerts, {different} records differ; "
          f"matching took {seconds[0]:.1f} CPU s, the reference {seconds[1]:.1f}")
    return 1 if different or not alerts else 0


if __name__ == "__main__":
    sys.exit(main())
