"""Every document is accounted for once, also those of files with several, of links and of what refers to others."""

from __future__ import annotations

from pathlib import Path

import pytest

from detection.makers import rule_text
from douse.content.rules import rule_files
from douse.detection.account import account
from douse.detection.ruleset import load_rules
from douse.errors import RuleError

DETECTION = {"a": {"Image": "x"}, "condition": "a"}


def write(path: Path, *documents: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("---\n".join(documents), encoding="utf-8")


def rule(number: int, **more: object) -> str:
    return rule_text(DETECTION, **{"title": f"Rule {number}", "id": f"{number:08}-1111-4111-8111-111111111111", **more})


def test_every_kind_of_document_is_counted_once(tmp_path: Path) -> None:
    write(tmp_path / "one.yml", rule(1))
    write(tmp_path / "mixed.yaml", rule(2), "no: rule\n", rule(3, status="unsupported"), rule(4, level="extreme"))
    write(tmp_path / "idle.yml", rule(5, logsource={"product": "macos"}))
    write(tmp_path / "empty.yml", "")
    write(tmp_path / "again.yml", rule(1))
    write(tmp_path / "README.md", "text")
    (tmp_path / "link.yml").symlink_to(tmp_path / "one.yml")
    found = account([tmp_path])
    assert (found.files, found.others) == (6, 1)
    assert {one.title for one in found.loaded} == {"Rule 1", "Rule 2"}
    assert [one.reason for one in found.idle] == ["product macos is not Windows"]
    assert len(found.rejected) == 2
    assert sorted(Path(skip.path).name + ": " + skip.reason for skip in found.skipped) == [
        "empty.yml: no document", "mixed.yaml: no Sigma rule", "mixed.yaml: status unsupported",
        "one.yml: the same file as another"]
    assert found.documents == 2 + 1 + 2 + 4


def test_a_file_that_is_no_text_is_rejected_and_not_linted(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_bytes(b"title: \xff\n")
    found = account([tmp_path])
    assert [error.what for error in found.rejected] == ["not UTF-8."]
    assert (found.skipped, found.findings, found.documents) == ((), (), 1)


def test_correlations_and_filters_are_counted(tmp_path: Path) -> None:
    correlation = ("title: Many\nid: 00000099-1111-4111-8111-111111111111\nlevel: high\ncorrelation:\n"
                   "  type: event_count\n  rules: [00000001-1111-4111-8111-111111111111]\n  group-by: [User]\n"
                   "  timespan: 5m\n  condition: {gte: 3}\n")
    narrowing = ("title: Not Anna\nlogsource: {product: windows, category: process_creation}\nfilter:\n"
                 "  rules: [RULES]\n  anna: {User: anna}\n  condition: not anna\n")
    write(tmp_path / "rule.yml", rule(1))
    write(tmp_path / "many.yml", correlation)
    write(tmp_path / "filter.yml", narrowing.replace("RULES", "00000001-1111-4111-8111-111111111111"))
    found = account([tmp_path])
    assert {one.title for one in found.loaded} == {"Rule 1", "Many"}
    assert (found.filters, found.rejected, found.skipped, found.documents) == (1, (), (), 3)
    write(tmp_path / "filter.yml", narrowing.replace("RULES", "nobody, noone"))
    found = account([tmp_path])
    assert (found.filters, len(found.rejected), found.skipped, found.documents) == (0, 1, (), 3)


def test_what_refers_to_our_own_rules_is_whole(tmp_path: Path) -> None:
    """As in a hunt: our rules are there, and are no part of the account."""
    ours = next(rule for rule in load_rules([]).rules if rule.rule.logsource.category == "process_creation").rule
    write(tmp_path / "many.yml", "title: Many\nid: 00000099-1111-4111-8111-111111111111\nlevel: low\ncorrelation:\n"
          f"  type: event_count\n  rules: [{ours.rule_id}]\n  group-by: [User]\n  timespan: 5m\n"
          "  condition: {gte: 3}\n")
    write(tmp_path / "filter.yml", "title: Not Anna\nlogsource: {product: windows, category: process_creation}\n"
          f"filter:\n  rules: [{ours.rule_id}]\n  anna: {{User: anna}}\n  condition: not anna\n")
    found = account([tmp_path])
    assert (found.files, found.documents, found.filters, found.rejected, found.skipped) == (2, 2, 1, (), ())
    assert [one.title for one in found.loaded] == ["Many"]
    assert {one.name for one in found.findings} <= {"no-status", "no-description", "blind-group-field"}
    write(tmp_path / "double.yml", rule(1, id=ours.rule_id))
    assert [error.what for error in account([tmp_path]).rejected] == [
        f"the id {ours.rule_id} is already that of {ours.path}."]


def test_our_own_rules_can_be_checked_too() -> None:
    found = account([rule_files()[0].parent])
    assert {one.path for one in found.loaded} == {str(path) for path in rule_files()}
    assert (found.rejected, found.skipped) == ((), ())


def test_two_rules_of_one_title_are_found(tmp_path: Path) -> None:
    write(tmp_path / "a.yml", rule(1, title="Same"))
    write(tmp_path / "b.yml", rule(2, title="same"))
    (finding,) = [one for one in account([tmp_path]).findings if one.name == "duplicate-title"]
    assert finding.where == f"{tmp_path / 'b.yml'}:1"
    assert finding.message == f"the title 'same' is also that of {tmp_path / 'a.yml'}."


def test_two_files_of_one_name_are_found(tmp_path: Path) -> None:
    write(tmp_path / "a" / "one.yml", rule(1), rule(2))
    write(tmp_path / "b" / "One.yaml", rule(3))
    (finding,) = [one for one in account([tmp_path]).findings if one.name == "duplicate-file"]
    assert finding.where == f"{tmp_path / 'b' / 'One.yaml'}:1"
    assert finding.message == f"{tmp_path / 'a' / 'one.yml'} has the same name, by which rules and cases are found."


def test_a_document_that_is_rejected_is_not_linted(tmp_path: Path) -> None:
    write(tmp_path / "a.yml", rule(1, level="extreme"), rule(2, level="low", description="x"))
    found = account([tmp_path])
    assert (len(found.rejected), len(found.loaded), found.findings) == (1, 1, ())


def test_a_file_too_big_to_be_a_rule_is_not_read_whole(tmp_path: Path) -> None:
    """A rejected file is looked at again only where something skipped has to be found, and then in bounds."""
    with (tmp_path / "huge.yml").open("wb") as stream:
        stream.truncate(8 << 30)
    write(tmp_path / "list.yml", "[1]\n")
    write(tmp_path / "one.yml", rule(1))
    found = account([tmp_path])
    assert [error.what for error in found.rejected] == ["larger than 1048576 bytes."]
    assert [skip.reason for skip in found.skipped] == ["no Sigma rule"]


def test_rules_that_the_logs_have_nothing_for(tmp_path: Path) -> None:
    write(tmp_path / "a.yml", rule(1))
    write(tmp_path / "b.yml", rule(2, logsource={"product": "windows", "service": "security"}))
    write(tmp_path / "c.yml", rule(3, logsource={"product": "windows"}))
    assert account([tmp_path]).unread is None
    unread = account([tmp_path], {("security", 4624): frozenset({"LogonType"})}).unread
    assert [one.rule.title for one in unread or ()] == ["Rule 1"]


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="no such file or folder"):
        account([tmp_path / "nowhere"])


def test_links_are_followed_once(tmp_path: Path) -> None:
    write(tmp_path / "a" / "one.yml", rule(1))
    write(tmp_path / "a" / "note.txt", "text")
    (tmp_path / "a" / "loop").symlink_to(tmp_path / "a")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    found = account([tmp_path])
    assert (found.others, len(found.loaded), found.documents) == (1, 1, found.files)
