"""The lints that look at other documents too: a filter and its rules, a correlation and its rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from douse.detection.account import account
from douse.detection.lint.lint import Finding

SECURITY = {"product": "windows", "service": "security"}
START = {"product": "windows", "category": "process_creation"}

Check = Callable[..., list[Finding]]


def rule(name: str, detection: dict[str, Any], logsource: dict[str, str], **more: Any) -> dict[str, Any]:
    number = f"{sum(name.encode()):08}"
    return {"title": f"Rule {name}", "name": name, "id": f"{number}-1111-4111-8111-111111111111", "status": "test",
            "level": "low", "description": "x", "logsource": logsource,
            "detection": {"selection": detection, "condition": "selection"}, **more}


def joining(name: str, rules: list[str], level: str = "high", top: dict[str, Any] | None = None,
            **part: Any) -> dict[str, Any]:
    number = f"{sum(name.encode()):08}"
    return {"title": f"Joined {name}", "name": name, "id": f"{number}-2222-4222-8222-222222222222", "status": "test",
            "level": level, "description": "x", **(top or {}),
            "correlation": {"type": "temporal", "rules": rules, "timespan": "5m", **part}}


def narrowing(rules: object, logsource: dict[str, str], **part: Any) -> dict[str, Any]:
    return {"title": "Filter", "description": "x", "logsource": logsource,
            "filter": {"rules": rules, **(part or {"f": {"Image|endswith": "\\x"}, "condition": "not f"})}}


LOGON = rule("logon", {"EventID": 4624, "LogonType": 3}, SECURITY)
FAILED = rule("failed", {"EventID": 4625, "LogonType": 3}, SECURITY)
STARTED = rule("start", {"Image|endswith": "\\x.exe"}, START)
WRITTEN = rule("written", {"EventID": 4663, "ObjectName|endswith": "\\x.exe"}, SECURITY)


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """What the lints say of some documents in one file, less what is said of the rules in them."""

    def checked(*documents: dict[str, Any], carried: Any = None) -> list[Finding]:
        file = tmp_path / "rules.yml"
        file.write_text(yaml.safe_dump_all(documents, sort_keys=False), encoding="utf-8")
        found = account([file], carried)
        assert not found.rejected, found.rejected
        return list(found.findings)

    return checked


def test_a_group_field_that_no_record_of_a_rule_has(check: Check) -> None:
    (finding,) = check(LOGON, WRITTEN, joining("x", ["logon", "written"], **{"group-by": ["Computer", "IpAddress"]}))
    assert finding.name == "unknown-group-field"
    assert finding.message == ("no record that 'Rule written' reads has a field IpAddress, so each of its matches is "
                               "left out.")
    assert check(LOGON, FAILED, joining("x", ["logon", "failed"], **{"group-by": ["Computer", "TargetUserName"]})) == []


def test_the_field_of_an_alias_is_what_is_looked_for(check: Check) -> None:
    alias = {"logon": "TargetUserName", "written": "SubjectUserName"}
    who: dict[str, Any] = {"group-by": ["who"], "aliases": {"who": alias}}
    assert check(LOGON, WRITTEN, joining("x", ["logon", "written"], **who)) == []
    alias["written"] = "IpAddress"
    (finding,) = check(LOGON, WRITTEN, joining("x", ["logon", "written"], **who))
    assert finding.name == "unknown-group-field"
    del alias["written"]
    assert [one.name for one in check(LOGON, WRITTEN, joining("x", ["logon", "written"], **who))] == ["half-alias"]


def test_a_counted_field_is_looked_for_too(check: Check) -> None:
    counting: dict[str, Any] = {"type": "value_count", "group-by": ["TargetUserName"]}
    wrong = joining("x", ["failed"], **counting, condition={"field": "Image", "gte": 3})
    assert [one.name for one in check(FAILED, wrong)] == ["unknown-group-field"]
    assert check(FAILED, joining("x", ["failed"], **counting, condition={"field": "IpAddress", "gte": 3})) == []


def test_a_group_field_that_some_records_lack(check: Check) -> None:
    (finding,) = check(STARTED, joining("x", ["start"], type="event_count", condition={"gte": 3},
                                        **{"group-by": ["ParentProcessGuid"]}))
    assert finding.name == "blind-group-field"
    assert "have no ParentProcessGuid, so matches of 'Rule start' on them are left out." in finding.message


def test_a_field_that_the_logs_carry_is_known(check: Check) -> None:
    mine = rule("mine", {"EventID": 4625}, SECURITY)
    counting = joining("x", ["mine"], type="event_count", condition={"gte": 3}, **{"group-by": ["Own Field"]})
    assert [one.name for one in check(mine, counting)] == ["unknown-group-field"]
    assert check(mine, counting, carried={("security", 4625): frozenset({"OwnField"})}) == []


def test_a_chained_correlation_has_the_fields_of_its_rules(check: Check) -> None:
    inner = joining("inner", ["failed"], type="event_count", condition={"gte": 3}, **{"group-by": ["IpAddress"]})
    outer = joining("outer", ["inner", "logon"], **{"group-by": ["TargetUserName"]})
    assert check(LOGON, FAILED, inner, outer) == []
    outer["correlation"]["group-by"] = ["Image"]
    assert [one.name for one in check(LOGON, FAILED, inner, outer)] == ["unknown-group-field"] * 2


@pytest.mark.parametrize(("level", "generate", "names"), [
    ("medium", False, ["hides-stronger"]), ("medium", True, []), ("high", False, []),
])
def test_a_correlation_that_hides_a_stronger_rule(check: Check, level: str, generate: bool, names: list[str]) -> None:
    loud = {**FAILED, "level": "high"}
    outer = joining("x", ["failed"], level, type="event_count", condition={"gte": 3}, generate=generate,
                    **{"group-by": ["TargetUserName"]})
    assert [one.name for one in check(loud, outer)] == names


def test_a_rule_that_another_correlation_shows_is_not_hidden(check: Check) -> None:
    loud = {**FAILED, "level": "high"}
    part: dict[str, Any] = {"type": "event_count", "condition": {"gte": 3}, "group-by": ["TargetUserName"]}
    shown = joining("y", ["failed"], **part, generate=True)
    assert check(loud, joining("x", ["failed"], "medium", **part), shown) == []


@pytest.mark.parametrize(("narrow", "names"), [
    (narrowing(["start"], START), []),
    (narrowing("any", START), []),
    (narrowing("any", {"product": "windows", "category": "sysmon_error"}), ["filter-of-nothing"]),
])
def test_a_filter_that_narrows_nothing(check: Check, narrow: dict[str, Any], names: list[str]) -> None:
    assert [one.name for one in check(STARTED, narrow) if one.name != "unknown-field"] == names


def test_a_file_with_nothing_but_a_filter_is_linted(check: Check) -> None:
    (finding,) = check(narrowing("any", START, f={"Image": "x"}, condition="f"))
    assert finding.name == "filter-keeps"


def test_where_it_stands(tmp_path: Path) -> None:
    text = ("title: A\nid: 00000001-1111-4111-8111-111111111111\nname: a\nstatus: test\nlevel: low\ndescription: x\n"
            "logsource: {product: windows, service: security}\ndetection: {s: {EventID: 4625}, condition: s}\n---\n"
            "title: B\nid: 00000002-1111-4111-8111-111111111111\nstatus: test\nlevel: low\ndescription: x\n"
            "correlation:\n  type: event_count\n  rules: [a]\n  group-by:\n    - TargetUserName\n    - Imag\n"
            "  timespan: 60d\n  condition: {gte: 0}\n")
    (tmp_path / "x.yml").write_text(text, encoding="utf-8")
    found = {one.name: int(one.where.rpartition(":")[2]) for one in account([tmp_path]).findings}
    assert {name: text.splitlines()[line - 1].strip() for name, line in found.items()} == {
        "unknown-group-field": "- Imag", "long-timespan": "timespan: 60d", "always-met": "condition: {gte: 0}"}
