"""Which files a run reads: in a fixed order, each once, with a loss for what cannot be listed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from douse.hunt.plan import make

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs pipes, devices and long paths as POSIX has them")


def names(paths: tuple[str, ...], root: Path) -> list[str]:
    return [str(Path(unit.path).relative_to(root)) for unit in make(paths).units]


def tree(root: Path) -> None:
    for name in ("b/two.evtx", "a/one.evtx", "a/zz.json", "top.jsonl"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x" * len(name))


def test_a_folder_is_walked_by_name(tmp_path: Path) -> None:
    tree(tmp_path)
    assert names((str(tmp_path),), tmp_path) == ["a/one.evtx", "a/zz.json", "b/two.evtx", "top.jsonl"]


def test_what_is_named_twice_is_read_once(tmp_path: Path) -> None:
    tree(tmp_path)
    paths = (str(tmp_path / "b"), str(tmp_path), str(tmp_path / "b" / "two.evtx"))
    assert names(paths, tmp_path) == ["b/two.evtx", "a/one.evtx", "a/zz.json", "top.jsonl"]


def test_links_are_followed_once_and_a_loop_ends(tmp_path: Path) -> None:
    tree(tmp_path)
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(tmp_path / "b")
    plan = make((str(tmp_path),))
    assert sorted(Path(unit.path).name for unit in plan.units) == ["one.evtx", "top.jsonl", "two.evtx", "zz.json"]
    assert not plan.losses


def test_a_dangling_link_in_a_folder_hides_no_evidence(tmp_path: Path) -> None:
    (tmp_path / "gone.evtx").symlink_to(tmp_path / "nowhere")
    assert not make((str(tmp_path),)).losses


def test_a_path_that_does_not_exist_is_a_loss_with_a_next_step(tmp_path: Path) -> None:
    tree(tmp_path)
    plan = make((str(tmp_path / "missing.evtx"), str(tmp_path / "b")))
    assert [unit.named for unit in plan.units] == [False]
    [loss] = plan.losses
    assert (loss.reason, loss.records) == ("no such file or folder", None)
    assert loss.next_step


def test_a_named_file_is_marked_as_such(tmp_path: Path) -> None:
    tree(tmp_path)
    plan = make((str(tmp_path / "top.jsonl"),))
    assert plan.units[0].named
    assert plan.total_bytes == len("top.jsonl")


@POSIX
def test_a_named_pipe_is_read_and_one_in_a_folder_is_left_to_be_ignored(tmp_path: Path) -> None:
    """Named as in `douse hunt <(zcat logs.gz)`; it can be read only once, so it is no regular file."""
    os.mkfifo(tmp_path / "pipe.jsonl")
    plan = make((str(tmp_path / "pipe.jsonl"),))
    assert [(unit.named, unit.regular) for unit in plan.units] == [(True, False)]
    assert plan.total_bytes == 0
    (tmp_path / "x.jsonl").write_bytes(b"four")
    plan = make((str(tmp_path),))
    assert [(unit.named, unit.regular) for unit in plan.units] == [(False, False), (False, True)]
    assert plan.total_bytes == 4


@POSIX
def test_a_named_device_is_a_loss() -> None:
    [loss] = make(("/dev/null",)).losses
    assert "neither a file" in loss.reason


@POSIX
def test_a_tree_deeper_than_the_recursion_limit(tmp_path: Path) -> None:
    folder = tmp_path
    depth = 0
    while len(str(folder)) < 3_500:  # close to the longest path a system takes
        folder = folder / "d"
        folder.mkdir()
        depth += 1
    (folder / "deep.evtx").write_bytes(b"x")
    assert depth > sys.getrecursionlimit()
    plan = make((str(tmp_path),))
    assert [Path(unit.path).name for unit in plan.units] == ["deep.evtx"]
    for _ in range(depth):  # pytest would remove it recursively
        (folder / "deep.evtx").unlink(missing_ok=True)
        folder.rmdir()
        folder = folder.parent


def test_standard_input_has_no_known_size() -> None:
    plan = make(("-", "-"))
    assert [unit.is_stdin for unit in plan.units] == [True]
    assert plan.total_bytes == 0
