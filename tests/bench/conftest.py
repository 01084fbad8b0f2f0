"""The benchmarks are scripts beside the package: their folder goes on the path, as it is when one is run.

Zircolite is played by a small program that takes its options and writes its formats.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from douse.simulate.run import simulate

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

PROGRAM = '''
import argparse, json, pathlib, sqlite3, sys
parser = argparse.ArgumentParser()
for names in (["-e"], ["-o"], ["-d"]):
    parser.add_argument(*names)
parser.add_argument("-r", "--ruleset")
parser.add_argument("-p", "--pipeline", nargs="+")
for names in (["-v", "--version"], ["-sr", "--save-ruleset"], ["-P", "--no-parallel"], ["--noexternal"]):
    parser.add_argument(*names, action="store_true")
asked = parser.parse_args()
with open("calls", "a") as calls:
    print(json.dumps(sys.argv[1:]), file=calls)
if asked.version:
    print("Zircolite - v9.8.7")
    sys.exit()
print("progress", file=sys.stderr)
assert pathlib.Path("config/fields.json").is_file()
if asked.save_ruleset:
    rules = [{"title": path.name, "id": path.read_text(), "rule": ["SELECT * FROM logs WHERE EventID=1"]}
             for path in sorted(pathlib.Path(asked.ruleset).iterdir()) if "broken" not in path.name]
    pathlib.Path("ruleset-rules-asked-X.json").write_text(json.dumps(rules))
row = {"Channel": "Security", "EventID": 1, "EventRecordID": 7, "Computer": "PC"}
found = {"title": "A rule", "id": "id-a", "count": 1, "matches": [row]}
pathlib.Path(asked.o).write_text(json.dumps([found, found]))
if asked.d:
    base = sqlite3.connect(asked.d)
    base.execute("CREATE TABLE logs (row_id INTEGER, Channel TEXT, EventID INTEGER, EventRecordID, Computer TEXT)")
    base.execute("INSERT INTO logs VALUES (1, 'Security', 1, 7, 'PC')")
    base.commit()
'''


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of a peer."""
    folder = tmp_path / "home"
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "fields.json").write_text("{}")
    (folder / "zircolite.py").write_text(PROGRAM)
    return folder


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where a benchmark may write."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """An intrusion without noise."""
    path = tmp_path / "tiny.evtx"
    simulate("lumma-clickfix", path, "evtx", seed=1)
    return path
