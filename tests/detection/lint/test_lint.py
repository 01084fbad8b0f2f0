"""Each lint on the rule that it is about, on its nearest neighbour that is right, and on SigmaHQ's rules."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from detection.makers import PROCESS_CREATION
from douse.content.rules import rule_files
from douse.detection.lint.lint import LINTS, SEVERITIES, Finding, lint_names, lint_text
from douse.detection.lint.subject import Surroundings

SYSMON_3 = {"product": "windows", "category": "network_connection"}
PS = {"product": "windows", "category": "ps_script"}


def rule(selection: Any, condition: str = "selection", logsource: dict[str, str] = PS, **more: Any) -> str:
    data = {"title": "Test", "id": "11111111-1111-4111-8111-111111111111", "status": "test", "level": "high",
            "description": "A test.", "date": "2026-11-24", "tags": ["attack.execution"], "logsource": logsource,
            "detection": {"selection": selection, **more.pop("detection", {}), "condition": condition}}
    data.update(more)
    return yaml.safe_dump({key: value for key, value in data.items() if value is not None}, sort_keys=False)


def narrowing(part: dict[str, Any], **more: Any) -> str:
    """A filter of PowerShell rules."""
    data = {"title": "Test", "description": "A test.", "logsource": PS, "filter": {"rules": "any", **part}, **more}
    return yaml.safe_dump(data, sort_keys=False)


def joining(more: dict[str, Any] | None = None, top: dict[str, Any] | None = None, **part: Any) -> str:
    """A correlation; what is None is left out."""
    asked = {"type": "event_count", "rules": ["a"], "group-by": ["User"], "timespan": "5m", "condition": {"gte": 3},
             **part, **(more or {})}
    data = {"title": "Test", "id": "11111111-1111-4111-8111-111111111111", "status": "test", "level": "high",
            "description": "A test.", **(top or {}),
            "correlation": {key: value for key, value in asked.items() if value is not None}}
    return yaml.safe_dump({key: value for key, value in data.items() if value is not None}, sort_keys=False)


def found(text: str, carried: Any = None) -> list[Finding]:
    return list(lint_text(text, "rules/test.yml", Surroundings(carried or {})))


def names(text: str) -> list[str]:
    return [finding.name for finding in found(text)]


GOOD = {"ScriptBlockText|contains": "x"}
TWO = {"type": "temporal", "rules": ["a", "b"], "condition": None}
GROUPED = {"group-by": ["who"]}

BAD_AND_GOOD = [
    ("no-id", rule(GOOD, id=None), rule(GOOD)),
    ("no-id", rule(GOOD, id="my-rule-7"), rule(GOOD, id="5a0a5f5e-6f0f-5c43-9a5c-2f1d5d0f7a11")),
    ("no-level", rule(GOOD, level=None), rule(GOOD, level="low")),
    ("no-status", rule(GOOD, status=None), rule(GOOD, status="stable")),
    ("no-description", rule(GOOD, description=None), rule(GOOD, description="x")),
    ("date", rule(GOOD, date="last week"), rule(GOOD, date="2026/11/24")),
    ("date", rule(GOOD, date="2026-02-30"), rule(GOOD, modified="2026-11-24")),
    ("date", rule(GOOD, modified="2020-01-01"), rule(GOOD, modified="2027-01-01")),
    ("tag", rule(GOOD, tags=["attack.t1555", "attack.T1555"]), rule(GOOD, tags=["attack.t1555", "attack.t1555.003"])),
    ("tag", rule(GOOD, tags=["attack.t155"]), rule(GOOD, tags=["cve.2026-1234"])),
    ("tag", rule(GOOD, tags=["Execution"]), rule(GOOD, tags=["attack.credential-access"])),
    ("tag", rule(GOOD, tags=["atack.t1555"]), rule(GOOD, tags=["mine.t1555"])),
    ("tag", rule(GOOD, tags=["attack.credential-acess"]), rule(GOOD, tags=["attack.some-later-tactic"])),
    ("tag", rule(GOOD, tags=["attack.t1562.001"]), rule(GOOD, tags=["attack.t1685"])),
    ("tag", rule(GOOD, tags=["attack.t1999"]), rule(GOOD, tags=["attack.s1213"])),
    ("tag", rule(GOOD, tags=["attack.defense-evasion"]), rule(GOOD, tags=["attack.stealth"])),
    ("tag", rule(GOOD, tags=["cve.log4shell"]), rule(GOOD, tags=["cve.2021.44228", "tlp.amber-strict", "stp.3u"])),
    ("tag", rule(GOOD, tags=["detection.threat_hunting"]), rule(GOOD, tags=["detection.threat-hunting"])),
    ("tag", narrowing({"f": GOOD, "condition": "not f"}, tags=["Execution"]),
     narrowing({"f": GOOD, "condition": "not f"}, tags=["attack.execution"])),
    ("misspelt-key", rule(GOOD, logsource={"product": "windows", "catagory": "ps_script"}),
     rule(GOOD, logsource={**PS, "definition": "x", "owner": "y"})),
    ("misspelt-key", joining(top={"falsepositive": "x"}), joining(top={"falsepositives": ["x"]})),
    ("misplaced-key", joining(top={"generate": True}), joining(generate=True)),
    ("misplaced-key", joining(top={"detection": {"a": GOOD, "condition": "a"}}), rule(GOOD)),
    ("misplaced-key", narrowing({"f": GOOD, "condition": "not f"}, detection={"a": GOOD, "condition": "a"}),
     narrowing({"f": GOOD, "condition": "not f"})),
    ("ignored-timeframe", rule(GOOD, detection={"timeframe": "5m"}), rule(GOOD)),
    ("them-of-one", rule(GOOD, "1 of them"), rule(GOOD, "1 of selection*")),
    ("them-of-one", rule(GOOD, "all of them"), rule(GOOD, "all of them", detection={"b": GOOD})),
    ("misspelt-key", rule(GOOD, falsepositive=["x"]), rule(GOOD, falsepositives=["x"], custom="y")),
    ("unused-selection", rule(GOOD, detection={"other": GOOD}), rule(GOOD, "1 of *", detection={"other": GOOD})),
    ("unused-selection", narrowing({"f": GOOD, "g": GOOD, "condition": "not f"}),
     narrowing({"f": GOOD, "g": GOOD, "condition": "not 1 of *"})),
    ("unknown-field", narrowing({"f": {"ScriptBlokText": "x"}, "condition": "not f"}),
     narrowing({"f": {"scriptblocktext": "x"}, "condition": "not f"})),
    ("filter-keeps", narrowing({"f": GOOD, "condition": "f"}), narrowing({"f": GOOD, "condition": "not f"})),
    ("unknown-field", rule({"ScriptBlokText": "x"}), rule({"scriptblocktext": "x"})),
    ("unknown-field", rule({"Image": "x"}, logsource=PS), rule({"Image": "x"}, logsource=SYSMON_3)),
    ("unknown-field", rule({"Path|fieldref": "Elsewhere"}), rule({"Path|fieldref": "ScriptBlockText"})),
    ("blind-filter", rule({"Image": "x"}, "selection and not f", PROCESS_CREATION, detection={"f": {"Company": "y"}}),
     rule({"Image": "x"}, "selection and not f", PROCESS_CREATION, detection={"f": {"ParentImage": "y"}})),
    ("blind-filter", rule({"Image": "x"}, "selection and not f", PROCESS_CREATION, detection={"f": {"Company": "y"}}),
     rule({"Image": "x"}, "selection and not (not f)", PROCESS_CREATION, detection={"f": {"Company": "y"}})),
    ("use-category", rule({"EventID": 1, "Image": "x"}, logsource={"product": "windows", "service": "sysmon"}),
     rule({"EventID": 4624}, logsource={"product": "windows", "service": "security"})),
    ("escaped-wildcard", rule({"Path": "C:\\Users\\*\\x.ps1"}), rule({"Path": "C:\\Users\\\\*\\x.ps1"})),
    ("escaped-wildcard", rule({"Path": "C:\\Temp\\*"}), rule({"ScriptBlockText|contains": "-Filter \\*"})),
    ("escaped-wildcard", rule({"Path|endswith": "\\a\\*"}), rule({"ScriptBlockText|contains": "\\*virus\\*"})),
    ("needless-wildcard", rule({"Path|contains": "*x"}), rule({"Path|contains": "a*x"})),
    ("needless-wildcard", rule({"Path|endswith": "*x"}), rule({"Path|endswith": "x*"})),
    ("needless-wildcard", rule({"Path|re": ".*x"}), rule({"Path|re": "a.*x"})),
    ("needless-wildcard", rule({"Path|re": "x.*"}), rule({"Path|re": "x\\.*"})),
    ("wildcard-for-modifier", rule({"Path": "*\\x"}), rule({"Path|endswith": "\\x"})),
    ("wildcard-for-modifier", rule({"Path": "x*"}), rule({"Path": "a*x"})),
    ("empty-value", rule({"Path|contains": ""}), rule({"Path": ""})),
    ("all-of-one", rule({"Path|contains|all": ["x"]}), rule({"Path|contains|all": ["x", "y"]})),
    ("same-value", rule({"Path": ["x", "X"]}), rule({"Path|cased": ["x", "X"]})),
    ("same-value", rule({"Path|re": ["x", "x"]}), rule({"Path|base64offset|contains": ["iex", "IEX"]})),
    ("all-without-contains", rule({"Path|all": ["x", "y"]}), rule({"Path|contains|all": ["x", "y"]})),
    ("all-without-contains", rule({"Path|all": ["x", "y"]}), rule({"Path|all": ["*x*", "*y*"]})),
    ("all-without-contains", rule({"Path|all": ["x", "y"]}), rule({"Path|re|all": ["x", "y"]})),
    ("all-without-contains", rule({"Path|all": ["x", "y"]}), rule({"|all": ["x", "y"]})),
    ("base64-without-contains", rule({"Path|base64offset": "http"}), rule({"Path|base64offset|contains": "http"})),
    ("repeated-modifier", rule({"Path|contains|contains": "x"}), rule({"Path|base64|base64": "x"})),
    ("double-wildcard", rule({"Path": "a**b"}), rule({"Path": "a\\**b"})),
    ("double-wildcard", rule({"Path": "a**b"}), rule({"Path|re": "a**"})),
    ("no-group-by", joining({"group-by": None}), joining()),
    ("unused-alias", joining(aliases={"who": {"a": "User"}}), joining(GROUPED, aliases={"who": {"a": "User"}})),
    ("half-alias", joining({**TWO, **GROUPED}, aliases={"who": {"a": "User"}}),
     joining({**TWO, **GROUPED}, aliases={"who": {"a": "User", "b": "TargetUser"}})),
    ("long-timespan", joining(timespan="31d"), joining(timespan="30d")),
    ("never-met", joining(condition={"lt": 1}), joining(condition={"lte": 1})),
    ("never-met", joining(condition={"gt": 5, "lt": 3}), joining(condition={"gt": 3, "lt": 5})),
    ("never-met", joining({**TWO, "condition": {"gte": 3}}), joining({**TWO, "condition": {"gte": 2}})),
    ("always-met", joining(condition={"gte": 1}), joining(condition={"gt": 1})),
    ("always-met", joining({**TWO, "rules": ["a"]}), joining(TWO)),
    ("always-met", joining(condition={"gte": 0}), joining(type="value_sum", condition={"field": "Size", "gte": 0})),
    ("counts-its-group", joining(type="value_count", condition={"field": "User", "gte": 3}),
     joining(type="value_count", condition={"field": "Image", "gte": 3})),
    ("unquoted-number", rule({"Path|contains": 4}), rule({"Path|contains": "4"})),
    ("hidden-character", rule({"Path": "a\u200bb"}), rule({"Path": "\U0001f469\u200d\U0001f4bb"})),
]


@pytest.mark.parametrize(("name", "bad", "good"), BAD_AND_GOOD)
def test_a_lint_tells_right_from_wrong(name: str, bad: str, good: str) -> None:
    assert name in names(bad)
    assert name not in names(good)


@pytest.mark.parametrize(("value", "kind"), [
    ("0755", "int"), ("12:30", "int"), ("yes", "bool"), ("2026-11-24", "timestamp"), ("1_000", "int"), ("0x14", "int"),
])
def test_a_value_that_yaml_readers_dispute(value: str, kind: str) -> None:
    text = rule({"Path": ["QQ"]}).replace("QQ", value)
    (finding,) = found(text)
    assert finding.name == "ambiguous-scalar"
    assert f"a value of type {kind} to other tools" in finding.message
    assert names(rule({"Path": ["QQ"]}).replace("QQ", f"'{value}'")) == []


@pytest.mark.parametrize("value", ["x", "'0755'", "true", "4", "null"])
def test_a_value_that_they_do_not(value: str) -> None:
    assert "ambiguous-scalar" not in names(rule({"Path": ["QQ"]}).replace("QQ", value))


def test_every_lint_is_proven_above_and_has_a_severity() -> None:
    proven = {name for name, _, _ in BAD_AND_GOOD} | {"ambiguous-scalar"}
    proven |= {"duplicate-title", "duplicate-file", "filter-of-nothing", "unknown-group-field", "blind-group-field",
               "hides-stronger"}  # test_account.py and test_beside.py
    assert proven == set(lint_names())
    assert all(lint.severity in SEVERITIES and lint.says for lint in LINTS)


def test_a_finding_says_where_what_and_what_to_do() -> None:
    text = rule({"Path|contains|all": "x"})
    (finding,) = found(text)
    line = text.splitlines().index("    Path|contains|all: x") + 1
    assert finding == Finding("all-of-one", "warning", f"rules/test.yml:{line}", "11111111-1111-4111-8111-111111111111",
                              "Test", "'all' stands with a single value.", "Remove 'all', or add the other values.")


def test_the_line_of_one_value_in_a_list_of_maps() -> None:
    text = rule([{"Path": "a"}, {"Path|contains": ["b", "*c"]}])
    (finding,) = found(text)
    assert text.splitlines()[int(finding.where.rpartition(":")[2]) - 1].strip() == "- '*c'"


def test_a_misspelt_field_gets_the_usual_spelling() -> None:
    (finding,) = found(rule({"scriptblocktxt": "x"}))
    assert finding.message == "no record of windows/ps_script has a field scriptblocktxt."
    assert finding.next_step == "Did you mean 'ScriptBlockText'?"


def test_fields_that_the_logs_carry_are_known() -> None:
    text = rule({"ContextInfo2": "x"}, logsource={"product": "windows", "service": "windefend"},
                detection={"selection": {"EventID": 1116, "ContextInfo2": "x"}})
    assert names(text) == ["unknown-field"]
    channel = "microsoft-windows-windows defender/operational"
    assert found(text, {(channel, 1116): frozenset({"ContextInfo2"})}) == []


def test_nothing_is_said_about_records_that_we_do_not_know() -> None:
    whole_channel = rule({"Whatever": "x"}, logsource={"product": "windows", "service": "security"})
    unknown_id = rule({"EventID": 64999, "Whatever": "x"}, logsource={"product": "windows", "service": "security"})
    assert names(whole_channel) == names(unknown_id) == []


def test_hashes_and_aliases_are_fields() -> None:
    assert names(rule({"Imphash": "x", "md5": "y"}, logsource=PROCESS_CREATION)) == []
    assert names(rule({"Filename": "x", "Signature": "y"}, logsource={"category": "antivirus"})) == []


@pytest.mark.parametrize("text", [
    "- 1\n", "a: [", "title: x\n", "title: x\nlogsource: y\ndetection: {condition: z}\n",
    rule(GOOD, logsource={"product": "linux"}), rule(GOOD, status="deprecated", id=None),
    "action: strange\ntitle: x\n---\n" + "action: reset\n", narrowing({"condition": 7}, logsource={"product": "linux"}),
    joining(type="nothing"), joining(top={"status": "unsupported"}),
])
def test_what_is_no_rule_that_runs_is_not_linted(text: str) -> None:
    assert found(text) == []


def test_rules_of_an_action_are_linted_where_their_parts_stand() -> None:
    """What two rules have in common is told about once, in the global document; the rest in each rule's own."""
    shared = {"action": "global", "title": "Test", "id": "11111111-1111-4111-8111-111111111111", "status": "test",
              "level": "high", "logsource": PS, "detection": {"common": {"Path|contains": "*x"}}}
    own = [{"detection": {"selection": {"Path|contains": value}, "condition": "common and selection"}}
           for value in ("y", "*z")]
    text = "---\n".join(yaml.safe_dump(data, sort_keys=False) for data in (shared, *own))
    findings = found(text)
    assert [one.name for one in findings] == ["no-description", "needless-wildcard", "no-description",
                                              "needless-wildcard"]
    lines = [text.splitlines()[int(one.where.rpartition(":")[2]) - 1].strip() for one in findings
             if one.name == "needless-wildcard"]
    assert lines == ["Path|contains: '*x'", "Path|contains: '*z'"]


def test_where_a_global_document_wins_it_stands_there() -> None:
    shared = ("action: global\nstatus: test\nlevel: low\ndescription: x\nlogsource: {category: ps_script}\n"
              "tags: [Execution]\n---\n")
    rules = [f"title: {title}\nid: {number}1111111-1111-4111-8111-111111111111\n{more}"
             "detection: {a: {Path: x}, condition: a}\n"
             for number, (title, more) in enumerate([("One", "tags: [attack.execution]\n"), ("Two", "")], 1)]
    assert [(one.name, one.title, one.where) for one in found(shared + "---\n".join(rules))] == [
        ("tag", "One", "rules/test.yml:6")], "the global tags win, and are told about once"


def test_a_part_is_never_looked_for_in_another_rule() -> None:
    shared = "action: global\nstatus: test\nlevel: low\nlogsource: {category: ps_script}\ntags: [Execution]\n---\n"
    rules = [f"title: {title}\nid: {number}1111111-1111-4111-8111-111111111111\ndescription: x\n"
             f"detection: {{a: {{Path: x}}, condition: a}}\n{more}---\n" for number, (title, more) in enumerate(
                 [("One", ""), ("Two", "date: x\n"), ("Three", "date: y\n")], 1)]
    between = "action: repeat\ntitle: Again\ndate: z\n---\naction: reset\n---\n"
    last = ("title: Last\nid: 91111111-1111-4111-8111-111111111111\nlevel: low\nstatus: test\ndescription: x\n"
            "logsource: {category: ps_script}\ndetection: {a: {Path: x}, condition: a}\ntags: [Last]\n")
    text = shared + "".join(rules) + between + last
    lines = text.splitlines()
    assert [(one.title, lines[int(one.where.rpartition(":")[2]) - 1]) for one in found(text)] == [
        ("One", "tags: [Execution]"), ("Two", "date: x"), ("Three", "date: y"), ("Again", "date: z"),
        ("Last", "tags: [Last]")]


def test_the_part_of_a_repeated_rule_stands_in_that() -> None:
    text = ("title: One\nid: 11111111-1111-4111-8111-111111111111\nstatus: test\nlevel: low\ndescription: x\n"
            "logsource: {category: ps_script}\ndetection:\n  a: {Path|contains: '*x'}\n  condition: a\n---\n"
            "action: repeat\ntitle: Two\n")
    assert [(one.name, one.where) for one in found(text)] == [("needless-wildcard", "rules/test.yml:8")]


def test_a_scalar_of_a_global_document_is_disputed_where_it_stands() -> None:
    text = ("action: global\ntitle: Test\nid: 11111111-1111-4111-8111-111111111111\nstatus: test\nlevel: low\n"
            "description: x\nlogsource: {category: ps_script}\ndetection:\n  a:\n    Path: 0755\n---\n"
            "detection:\n  condition: a\n")
    assert [(one.name, one.where) for one in found(text)] == [("ambiguous-scalar", "rules/test.yml:10")]


def test_a_document_that_does_not_load_is_not_linted_when_that_is_known() -> None:
    text = rule(GOOD, "selection and", id=None) + "---\n" + rule(GOOD, level=None)
    findings = list(lint_text(text, "rules/test.yml", broken=True))
    assert [one.name for one in findings] == ["no-level"]


def test_a_condition_that_is_broken_hides_no_other_finding() -> None:
    assert names(rule({"Path|contains|all": "x"}, "selection and", id=None)) == ["no-id", "all-of-one"]


def test_each_document_of_a_file_is_linted() -> None:
    text = rule(GOOD) + "---\n" + rule(GOOD, id=None)
    (finding,) = found(text)
    assert int(finding.where.rpartition(":")[2]) > rule(GOOD).count("\n")


def test_our_own_rules_have_no_warning() -> None:
    texts = [(path, path.read_text(encoding="utf-8")) for path in rule_files()]
    assert [finding for path, text in texts for finding in lint_text(text, str(path))
            if finding.severity == "warning"] == []


def test_a_published_rule_is_rarely_warned_about(shared: Path) -> None:
    """SigmaHQ lints its rules too, so what we say about many of them would be noise."""
    files = sorted((shared / "data" / "sigma" / "rules" / "windows").rglob("*.yml"))
    findings = [finding for path in files for finding in lint_text(path.read_text(encoding="utf-8"), str(path))]
    warned = Counter(finding.name for finding in findings if finding.severity == "warning")
    assert sum(warned.values()) < len(files) / 20, warned


WORDS = st.text(max_size=12) | st.sampled_from([
    "*", "\\*\\", "a\\*", "\u200b", "", "0755", ".*", "EventID", "%x%"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS
KEYS = st.sampled_from(["Image", "EventID|contains", "X|re", "|all", "", "Path|all|contains", "condition", "a b|cased"])
NODES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
                     max_leaves=12)


@given(st.dictionaries(st.sampled_from(["a", "b", "_c", "condition"]), NODES, max_size=4), NODES,
       st.sampled_from(["a and not b", "1 of *", "not (", "", "all of them", "a | count() > 3"]))
def test_no_rule_however_shaped_stops_the_lints(detection: dict[str, Any], tags: Any, condition: str) -> None:
    text = yaml.safe_dump({"title": "x", "logsource": PROCESS_CREATION, "tags": tags, "id": tags, "date": condition,
                           "detection": {"condition": condition, **detection}})
    for finding in found(text):
        assert 1 <= int(finding.where.rpartition(":")[2]) <= text.count("\n") + 1
        assert finding.message.endswith(".")


@given(st.text(max_size=200))
def test_no_text_stops_the_lints(text: str) -> None:
    assert isinstance(found(text), list)


def test_a_rule_made_to_be_told_about_is_told_about_in_bounds() -> None:
    text = rule({f"Field{number}": "x" for number in range(5_000)})
    assert len(found(text)) == 100
