"""Zircolite gets the options that it offers, and its files are understood, or the run stops with the reason."""

from __future__ import annotations

import os
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from corpora import Corpus
from peer_table import key_of
from zircolite import Zircolite, converted

import hunt

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the benchmark measures with wait4")

@pytest.fixture
def zircolite(home: Path, scratch: Path) -> Zircolite:
    return Zircolite(home, scratch, hunt.measured)


def calls(zircolite: Zircolite) -> str:
    return (zircolite.folder / "calls").read_text()


def test_it_is_converted_run_and_kept(zircolite: Zircolite, tmp_path: Path, log: Path) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    for name in ("a.yml", "broken.yml"):
        (rules / name).write_text("id-a")
    ruleset = zircolite.convert(rules, log)
    assert converted(ruleset)["id-a"].queries == ("SELECT * FROM logs WHERE EventID=1",)
    assert len(converted(ruleset)) == 1
    assert '"-p", "sysmon", "windows-logsources"' in calls(zircolite)

    found = zircolite.hunt(Corpus("one", (log,)), ruleset, 2)
    assert found.records == {"id-a": Counter({key_of("Security", 1, 7, "PC"): 2})}, "it lists a rule for each file"
    assert found.titles == {"id-a": "A rule"}
    assert found.cost.seconds > 0
    assert found.cost.memory > 1_000_000

    with closing(zircolite.keep(Corpus("one", (log,)), ruleset)) as kept:
        assert len(kept) == 1
    assert (zircolite.folder / "errors").read_text() == "progress\n"


def test_it_gets_only_options_that_it_offers(zircolite: Zircolite, tmp_path: Path, log: Path) -> None:
    assert zircolite.version == "9.8.7"
    assert {"--no-parallel", "--noexternal"} <= zircolite.options
    assert "--unified-db" not in zircolite.options
    zircolite.keep(Corpus("one", (log,)), tmp_path / "any.json").close()
    assert '"--no-parallel", "--noexternal"' in calls(zircolite)
    assert "--unified-db" not in calls(zircolite)


def test_many_files_are_given_as_their_folder(zircolite: Zircolite, tmp_path: Path) -> None:
    zircolite.hunt(Corpus("two", (tmp_path / "logs" / "a.evtx", tmp_path / "logs" / "b.evtx")), tmp_path / "r.json", 1)
    assert f'"-e", "{tmp_path / "logs"}"' in calls(zircolite)


def test_its_own_python_is_used(tmp_path: Path) -> None:
    (tmp_path / "zircolite.py").touch()
    assert Zircolite(tmp_path, tmp_path, hunt.measured).command[0] == sys.executable
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert Zircolite(tmp_path, tmp_path, hunt.measured).command[0] == str(python)


def test_a_folder_without_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"BENCH_ZIRCOLITE=.* holds no zircolite\.py"):
        Zircolite(tmp_path, tmp_path, hunt.measured)


def test_a_run_that_leaves_no_result_is_an_error(home: Path, tmp_path: Path) -> None:
    (home / "zircolite.py").write_text("import sys\nif '--help' not in sys.argv: print('no rule', file=sys.stderr)\n")
    zircolite = Zircolite(home, tmp_path, hunt.measured)
    with pytest.raises(SystemExit, match="is not the result of a Zircolite run"):
        zircolite.hunt(Corpus("none", (tmp_path / "x.evtx",)), tmp_path / "r.json", 1)
    with pytest.raises(SystemExit, match="saved 0 rulesets in place of one"):
        zircolite.convert(tmp_path, tmp_path / "x.evtx")


def test_a_crash_is_named_with_the_place_of_its_words(home: Path, tmp_path: Path) -> None:
    (home / "zircolite.py").write_text("import sys\nsys.exit(0 if '--help' in sys.argv else 3)\n")
    with pytest.raises(SystemExit, match=r"exit code 3 of .*; see .*errors"):
        Zircolite(home, tmp_path, hunt.measured).hunt(Corpus("x", (tmp_path / "x.evtx",)), tmp_path / "r", 1)
