"""Our own placeholder lists: every rule may name them, a user's list replaces or adds, the cache notices a change."""

from __future__ import annotations

from pathlib import Path

import pytest

from detection.makers import event, rule_text
from douse.content.lexicons import placeholder_lists
from douse.detection.language import placeholders
from douse.detection.language.placeholders import read_placeholders, with_ours
from douse.detection.matching import cachefile
from douse.detection.ruleset import RuleSet, load_rules

TRANSFER = rule_text({"s": {"CommandLine|contains|expand": "%clickfix_transfer%"}, "condition": "s"})


def rules(folder: Path, lists: str = "", *, cached: bool = False) -> RuleSet:
    """The rule above as a user's own, with a file of lists."""
    below = folder / "rules"
    below.mkdir(exist_ok=True)
    (below / "rule.yml").write_text(TRANSFER, encoding="utf-8")
    files = []
    if lists:
        files.append(folder / "lists.yml")
        files[0].write_text(lists, encoding="utf-8")
    return load_rules([below], builtin=False, placeholders=read_placeholders(*files), cached=cached)


def fires(found: RuleSet, line: str) -> bool:
    assert not found.idle
    return any(True for _ in found.match(event({"CommandLine": line})))


def test_a_users_rule_may_name_our_lists_without_any_option(tmp_path: Path) -> None:
    found = rules(tmp_path)
    assert fires(found, "x HTTPS://a.example")
    assert not fires(found, "x ourtool")


def test_a_list_of_that_name_replaces_ours(tmp_path: Path) -> None:
    found = rules(tmp_path, "Clickfix_Transfer: [ourtool]\n")
    assert fires(found, "x ourtool")
    assert not fires(found, "x https://a.example")


def test_an_item_that_is_the_name_stands_for_ours(tmp_path: Path) -> None:
    found = rules(tmp_path, "clickfix_transfer: ['%clickfix_transfer%', ourtool]\n")
    assert fires(found, "x ourtool")
    assert fires(found, "x https://a.example")


def test_of_several_files_the_later_may_add_to_the_earlier(tmp_path: Path) -> None:
    for name, text in (("1.yml", "mine: [a]\nclickfix_lures: ['%clickfix_lures%', b]\n"),
                       ("2.yml", "mine: ['%mine%', c, '%MINE%']\nclickfix_lures: ['%clickfix_lures%', d]\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    lists = with_ours(read_placeholders(tmp_path / "1.yml", tmp_path / "2.yml"))
    assert lists["mine"] == ("a", "c")
    assert lists["clickfix_lures"] == (*placeholder_lists()["clickfix_lures"], "b", "d")


def test_only_its_own_name_is_replaced_in_a_list() -> None:
    lists = with_ours({"mine": ("%clickfix_lures%", "%comspec%", "%mine%"), "clickfix_lures": ("x %clickfix_lures%",)})
    assert lists["mine"] == ("%clickfix_lures%", "%comspec%", "%mine%")
    assert lists["clickfix_lures"] == ("x %clickfix_lures%",)
    assert "%comspec%" in lists["clickfix_launchers"]


def test_a_list_that_changed_is_not_taken_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cachefile.ENVIRONMENT, str(tmp_path / "cache"))
    first = rules(tmp_path, cached=True)
    again = rules(tmp_path, cached=True)
    assert first.fingerprint == again.fingerprint
    assert fires(again, "x https://a.example")
    changed = {**placeholder_lists(), "clickfix_transfer": ("ourtool",)}
    monkeypatch.setattr(placeholders, "placeholder_lists", lambda: changed)
    other = rules(tmp_path, cached=True)
    assert fires(other, "x ourtool")
    assert not fires(other, "x https://a.example")
    assert other.fingerprint != first.fingerprint
    assert len(list((tmp_path / "cache").glob("*.msgpack"))) == 2
