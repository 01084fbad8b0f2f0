"""The cache's file: whole or not there, from this user or not believed, and never waited for."""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from douse.detection.matching import cachefile
from douse.detection.matching.cachefile import cache_folder, cache_path, read_cache, write_cache

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits and no pipes in folders")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that was written."""
    made = cache_path(tmp_path / "cache", "stamp")
    write_cache(made, b"what was compiled")
    return made


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_what_was_written_is_read_and_what_was_changed_is_not(path: Path) -> None:
    assert bytes(read_cache(path)) == b"what was compiled"
    path.write_bytes(path.read_bytes()[:-1])
    assert bytes(read_cache(path)) == b""
    assert bytes(read_cache(path.with_name("none"))) == b""
    assert cache_path(path.parent, "another stamp") != path


@POSIX
def test_a_file_that_others_may_write_is_not_believed(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(0o644)
    assert read_cache(path)
    for mode in (0o620, 0o602, 0o666):
        path.chmod(mode)
        assert not read_cache(path)


@POSIX
@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root may give files away")
def test_the_file_of_another_user_is_not_believed(path: Path) -> None:
    os.chown(path, 4_321, 4_321)
    assert not read_cache(path)


@POSIX
def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    pipe = cache_path(tmp_path, "stamp")
    os.mkfifo(pipe, 0o600)
    reader = threading.Thread(target=read_cache, args=(pipe,), daemon=True)
    reader.start()
    reader.join(5)
    assert not reader.is_alive()
    assert not read_cache(pipe)
    write_cache(pipe, b"x")
    assert bytes(read_cache(pipe)) == b"x"


def test_a_full_disk_leaves_the_old_file_and_no_other(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int, _mode: str) -> object:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(cachefile.os, "fdopen", full)
    write_cache(path, b"new")
    assert names(path.parent) == [path.name]
    assert bytes(read_cache(path)) == b"what was compiled"


def test_who_reads_while_others_write_has_one_of_their_files(path: Path) -> None:
    texts = [bytes([letter]) * 100_000 for letter in b"abcd"]
    writers = [threading.Thread(target=lambda text=text: [write_cache(path, text) for _ in range(10)])
               for text in texts]
    for writer in writers:
        writer.start()
    seen = {bytes(read_cache(path)) for _ in range(100)}
    for writer in writers:
        writer.join()
    assert seen <= {b"what was compiled", *texts}
    assert bytes(read_cache(path)) in texts
    assert names(path.parent) == [path.name]


def test_the_files_not_used_for_longest_go(path: Path) -> None:
    for number in range(cachefile.MAX_FILES + 3):
        old = path.with_name(f"rules-{number}.msgpack")
        old.write_bytes(b"")
        os.utime(old, (1_000 + number, 1_000 + number))
    os.utime(path, (1, 1))
    assert read_cache(path), "it is the oldest, and is used now"
    write_cache(path.with_name("rules-new.msgpack"), b"new")
    left = names(path.parent)
    assert len(left) == cachefile.MAX_FILES
    assert {path.name, "rules-new.msgpack", "rules-10.msgpack"} <= set(left)
    assert "rules-4.msgpack" not in left


def test_what_a_run_left_that_was_ended_in_the_middle_goes_after_a_day(path: Path) -> None:
    for name, age in ((".rules-old", 2 * 86_400), (".rules-young", 60)):
        path.with_name(name).write_bytes(b"half")
        os.utime(path.with_name(name), (time.time() - age,) * 2)
    write_cache(path, b"new")
    assert names(path.parent) == [".rules-young", path.name]


def test_an_empty_variable_means_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cachefile.ENVIRONMENT, "")
    assert cache_folder() is None


@pytest.mark.skipif(sys.platform == "win32", reason="the XDG folders are those of Linux and macOS")
def test_it_is_where_the_system_keeps_such_things(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(cachefile.ENVIRONMENT, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "douse"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "douse"
