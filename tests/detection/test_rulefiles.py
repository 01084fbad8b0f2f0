"""Rule files below a path, in one order whatever the disk's, and their bytes: never more than a rule file may have."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from douse.detection import rulefiles
from douse.detection.language.documents import MAX_BYTES
from douse.detection.rulefiles import read_bytes, rule_files_at, rule_paths_at, text_of
from douse.errors import RuleError


def test_files_of_a_folder_come_before_those_below_it_and_each_in_order_of_names(tmp_path: Path) -> None:
    for name in ("b.yml", "a.YAML", "c.txt", "z/1.yml", "y/2.yml", "y/x/3.yml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    found = [path.relative_to(tmp_path).as_posix() for path in rule_files_at(tmp_path)]
    assert found == ["a.YAML", "b.yml", "y/2.yml", "y/x/3.yml", "z/1.yml"]
    assert list(rule_paths_at(tmp_path)) == [str(tmp_path / name) for name in found]


def test_a_file_that_is_named_needs_no_suffix_and_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "rule").write_text("")
    assert list(rule_files_at(tmp_path / "rule")) == [tmp_path / "rule"]
    with pytest.raises(RuleError, match="no such file or folder"):
        list(rule_files_at(tmp_path / "missing"))
    with pytest.raises(RuleError, match="null"):
        list(rule_files_at(Path("a\0b")))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes among files")
def test_what_is_no_file_and_no_folder_is_an_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yml")
    with pytest.raises(RuleError, match="neither a file nor a folder"):
        list(rule_files_at(tmp_path / "pipe.yml"))


@pytest.mark.parametrize("size", [0, 1, 10_000, MAX_BYTES])
def test_a_file_is_read_whole(tmp_path: Path, size: int) -> None:
    (tmp_path / "r.yml").write_bytes(b"x" * size)
    data, identity = read_bytes(str(tmp_path / "r.yml"))
    assert data == b"x" * size
    status = (tmp_path / "r.yml").stat()
    assert identity == (status.st_dev, status.st_ino)


def test_a_file_larger_than_a_rule_may_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(RuleError, match="larger than"):
        read_bytes(str(tmp_path / "r.yml"))


def test_a_file_that_grew_since_its_size_was_asked_is_read_whole_or_refused(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.yml"
    path.write_bytes(b"x" * 100)
    before = os.stat_result([*path.stat()[:6], 10, *path.stat()[7:]])
    monkeypatch.setattr(rulefiles.os, "fstat", lambda _: before)
    assert read_bytes(str(path))[0] == b"x" * 100
    path.write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(RuleError, match="larger than"):
        read_bytes(str(path))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes among files")
def test_a_pipe_has_no_size_and_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "pipe.yml"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"x" * 100_000,))
    writer.start()
    assert read_bytes(str(path))[0] == b"x" * 100_000
    writer.join()


def test_a_mark_before_the_text_is_left_out_and_what_is_no_utf_8_is_an_error_with_its_line() -> None:
    assert text_of("\ufefftitle: ä".encode(), "r.yml") == "title: ä"
    with pytest.raises(RuleError, match="not UTF-8") as caught:
        text_of(b"a: 1\nb: \xff", "r.yml")
    assert caught.value.where == "r.yml:2"
