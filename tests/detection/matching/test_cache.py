"""Compiled rules from a file: the same rules and alerts, and nothing believed that is damaged, foreign or old."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detection.makers import compiled, event, rule_text
from douse.detection import ruleset
from douse.detection.language import parse
from douse.detection.matching import cache, cachefile
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
    monkeypatch.setenv(cachefile.ENVIRONMENT, str(tmp_path / "cache"))
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


def test_a_cache_that_cannot_be_written_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder.parent / "file").write_text("")
    monkeypatch.setenv(cachefile.ENVIRONMENT, str(folder.parent / "file" / "below"))
    assert len(load(folder).rules) == 2


def test_an_empty_variable_means_no_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cachefile.ENVIRONMENT, "")
    assert len(load(folder).rules) == 2
    assert not (folder.parent / "cache").exists()


def test_all_data_of_our_content_count_as_what_compiled_rules_depend_on(monkeypatch: pytest.MonkeyPatch,
                                                                       tmp_path: Path) -> None:
    house = tmp_path / "douse"
    for name in ("__init__.py", "model.py", "detection/rule.py", "content/sources.yml", "content/words.tsv"):
        (house / name).parent.mkdir(parents=True, exist_ok=True)
        (house / name).write_text("x")
    monkeypatch.setattr(cache.douse, "__file__", str(house / "__init__.py"))
    engine = cache._engine.__wrapped__
    states = {engine()}
    for name in ("model.py", "detection/rule.py", "content/sources.yml", "content/words.tsv"):
        (house / name).write_text("changed")
        states.add(engine())
    assert len(states) == 5
    (house / "content" / "README.md").write_text("changed")
    assert engine() in states
