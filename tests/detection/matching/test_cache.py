"""Compiled rules from a file: the same rules and alerts, and nothing believed that is damaged, foreign or old."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detection.makers import PROCESS_CREATION, compiled, event, rule_text
from douse.detection import ruleset
from douse.detection.language import parse
from douse.detection.matching import cache
from douse.detection.matching.cache import RuleCache
from douse.detection.matching.deferred import Deferred
from douse.detection.ruleset import RuleSet, load_rules

RULES = {
    "one.yml": rule_text({"s": {"CommandLine|contains|windash": [" -enc ", "0x14"]}, "condition": "s"}),
    "two.yml": rule_text({"s": {"Image|endswith": "\\x.exe"}, "f": {"User": None}, "condition": "s and not f"},
                         id="22222222-2222-4222-8222-222222222222", tags=["attack.t1059.001"], references=["a"]),
    "idle.yml": rule_text({"s": {"a": 1}, "condition": "s"}, {"product": "linux", "category": "process_creation"},
                          id="33333333-3333-4333-8333-333333333333"),
    "broken.yml": rule_text({"s": {"a|startwith": 1}, "condition": "s"}, id="44444444-4444-4444-8444-444444444444"),
    "nothing.yml": "key: value\n",
}
FIRES = [event({"CommandLine": "powershell /enc x", "Image": "C:\\x.exe", "User": "anna"}),
         event({"Image": "c:\\X.EXE"}), event({"CommandLine": "0x14"}), event({})]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(cache.ENVIRONMENT, str(tmp_path / "cache"))
    rules = tmp_path / "rules"
    rules.mkdir()
    for name, text in RULES.items():
        (rules / name).write_text(text, encoding="utf-8")
    return rules


def load(folder: Path) -> RuleSet:
    return load_rules([folder], builtin=False, cached=True)


def cache_file(folder: Path) -> Path:
    (file,) = (folder.parent / "cache").glob("*.msgpack")
    return file


def assert_same(found: RuleSet, expected: RuleSet) -> None:
    assert [rule.rule for rule in found.rules] == [rule.rule for rule in expected.rules]
    assert [rule.routes for rule in found.rules] == [rule.routes for rule in expected.rules]
    assert found.idle == expected.idle
    assert [str(error) for error in found.rejected] == [str(error) for error in expected.rejected]
    assert (found.skipped, found.fingerprint) == (expected.skipped, expected.fingerprint)
    alerts = [list(expected.match_slowly(record)) for record in FIRES]
    assert [len(each) for each in alerts] == [2, 0, 1, 0]
    assert [list(found.match(record)) for record in FIRES] == alerts
    assert [list(found.match_slowly(record)) for record in FIRES] == alerts


def test_the_second_load_reads_nothing_but_what_was_wrong(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(folder)
    read: list[str] = []
    parse_rules = parse.parse_rules

    def spy(text: str, path: str, **options: Any) -> Iterator[parse.Outcome]:
        read.append(Path(path).name)
        return parse_rules(text, path, **options)

    monkeypatch.setattr(ruleset, "parse_rules", spy)
    assert len(load(folder).rules) == 2
    assert read == ["broken.yml"]


def test_all_rules_come_back_as_they_were(folder: Path) -> None:
    load(folder)
    assert_same(load(folder), load_rules([folder], builtin=False))


def test_the_first_load_takes_the_way_of_all_later_ones(folder: Path) -> None:
    first = load(folder)
    assert all(isinstance(rule.term, Deferred) for rule in first.rules)
    assert_same(first, load_rules([folder], builtin=False))


def test_a_mark_before_the_text_does_not_keep_a_rule_from_being_known(folder: Path) -> None:
    (folder / "two.yml").write_text(RULES["two.yml"], encoding="utf-8-sig")
    load(folder)
    assert_same(load(folder), load_rules([folder], builtin=False))


def test_rules_of_one_logsource_share_their_routes(folder: Path) -> None:
    load(folder)
    one, two = load(folder).rules
    assert one.routes is two.routes


def test_half_a_character_is_not_kept_and_no_error(tmp_path: Path) -> None:
    rules = RuleCache(tmp_path, (), {})
    rule = compiled(RULES["one.yml"])
    assert not rules.put("x", [replace(rule, rule=replace(rule.rule, title="\ud800"))], builtin=False)
    assert not rules.put("y", [replace(rule, detection={"s": "\ud800"})], builtin=False)
    assert rules.put("z", [rule], builtin=False)
    rules.save()
    again = RuleCache(tmp_path, (), {})
    assert [again.get(name, "", builtin=False) is not None for name in "xyz"] == [False, False, True]


def test_a_changed_rule_is_read_anew_and_the_others_are_not(folder: Path) -> None:
    load(folder)
    (folder / "two.yml").write_text(RULES["two.yml"].replace("x.exe", "y.exe"), encoding="utf-8")
    found = load(folder)
    assert list(found.match(event({"Image": "\\y.exe", "User": "u"})))
    assert not list(found.match(event({"Image": "\\x.exe", "User": "u"})))
    assert list(load(folder).match(event({"Image": "\\y.exe", "User": "u"})))


def test_a_moved_rule_has_its_new_path(folder: Path) -> None:
    load(folder)
    (folder / "two.yml").rename(folder / "zwei.yml")
    assert {Path(rule.rule.path).name for rule in load(folder).rules} == {"one.yml", "zwei.yml"}


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other", "no msgpack"])
def test_a_damaged_cache_is_ignored_and_written_anew(folder: Path, damage: str) -> None:
    expected = load_rules([folder], builtin=False)
    load(folder)
    file = cache_file(folder)
    good = file.read_bytes()
    middle = len(good) // 2
    file.write_bytes({"cut": good[:middle], "flipped": good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1:],
                      "empty": b"", "other": b"ElfFile\x00" * 99, "no msgpack": good[:32] + b"\xc1"}[damage])
    assert_same(load(folder), expected)
    assert_same(load(folder), expected)
    assert file.read_bytes() != b""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")
def test_a_cache_that_others_may_write_is_not_believed(folder: Path) -> None:
    load(folder)
    file = cache_file(folder)
    assert file.stat().st_mode & 0o777 == 0o600
    known = cache._load(file)
    assert known.texts
    file.chmod(0o666)
    assert cache._load(file).texts == {}


def test_a_cache_that_cannot_be_written_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder.parent / "file").write_text("")
    monkeypatch.setenv(cache.ENVIRONMENT, str(folder.parent / "file" / "below"))
    assert len(load(folder).rules) == 2


def test_an_empty_variable_means_no_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.ENVIRONMENT, "")
    assert cache.cache_folder() is None
    assert len(load(folder).rules) == 2
    assert not (folder.parent / "cache").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="the XDG folders are those of Linux and macOS")
def test_the_cache_is_where_the_system_keeps_such_things(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(cache.ENVIRONMENT, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / "douse"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / ".cache" / "douse"


def test_old_caches_go_and_new_ones_stay(folder: Path) -> None:
    load(folder)
    kept = cache_file(folder)
    for number in range(cache.MAX_FILES + 3):
        old = kept.with_name(f"rules-{number}.msgpack")
        old.write_bytes(b"")
        os.utime(old, (number, number))
    (folder / "more.yml").write_text(rule_text({"s": {"a": "b"}, "condition": "s"}, PROCESS_CREATION,
                                               id="55555555-5555-4555-8555-555555555555"), encoding="utf-8")
    load(folder)
    left = sorted(kept.parent.glob("*.msgpack"))
    assert kept in left
    assert len(left) == cache.MAX_FILES
