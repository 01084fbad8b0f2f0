"""Loading rules from files and folders, and what a set says and does: interests, alerts, what became of the rest."""

from __future__ import annotations

from datetime import timedelta, timezone
from pathlib import Path

import pytest
import yaml

from detection.makers import SYSMON, TIME, compiled, event, fires, rule_text, ruleset
from douse.detection.alert import CUT, MAX_FIELDS, MAX_NAME, alert_id
from douse.detection.ruleset import MAX_BUCKETS, RuleSet, load_rules
from douse.errors import RuleError
from douse.model import Alert, Match

CMD = {"selection": {"Image|endswith": "\\cmd.exe"}, "condition": "selection"}
SECURITY = {"product": "windows", "service": "security"}


def write(folder: Path, name: str, rule_id: str, text: str = "", **more: object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text or rule_text(CMD, id=rule_id, **more), encoding="utf-8")
    return path


def test_a_folder_is_walked_for_yaml_of_either_suffix_and_links_are_followed_once(tmp_path: Path) -> None:
    write(tmp_path, "rules/a.yml", "a")
    write(tmp_path, "rules/deep/er/b.YAML", "b")
    write(tmp_path, "rules/c.txt", "c")
    write(tmp_path, "elsewhere/d.yml", "d")
    (tmp_path / "rules" / "loop").symlink_to(tmp_path / "rules", target_is_directory=True)
    (tmp_path / "rules" / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "rules" / "again.yml").symlink_to(tmp_path / "rules" / "a.yml")
    rules = load_rules([tmp_path / "rules"], builtin=False)
    assert sorted(rule.rule.rule_id for rule in rules.rules) == ["a", "b", "d"]
    assert not rules.rejected


def test_a_named_file_is_read_whatever_its_suffix(tmp_path: Path) -> None:
    assert len(load_rules([write(tmp_path, "c.txt", "c")], builtin=False).rules) == 1


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="no such file or folder"):
        load_rules([tmp_path / "nosuch"], builtin=False)


def test_a_broken_rule_names_file_and_line_and_the_others_load(tmp_path: Path) -> None:
    write(tmp_path, "a.yml", "a")
    detection = {"selection": {"Image|startwith": "x"}, "condition": "selection"}
    broken = write(tmp_path, "b.yml", "", text=rule_text(detection))
    (tmp_path / "c.yml").write_bytes(b"title: \xff\xfe\n")
    (tmp_path / "d.yml").write_bytes(b"# " + b"x" * (1 << 20))
    write(tmp_path, "e.yml", "e")
    rules = load_rules([tmp_path], builtin=False)
    assert [rule.rule.rule_id for rule in rules.rules] == ["a", "e"]
    line = broken.read_text().splitlines().index("    Image|startwith: x") + 1
    assert [str(error) for error in rules.rejected] == [
        f"{broken}:{line}: unknown modifier 'startwith' on Image. Did you mean 'startswith'?",
        f"{tmp_path / 'c.yml'}:1: not UTF-8. Save it as UTF-8 text.",
        f"{tmp_path / 'd.yml'}:1: larger than 1048576 bytes. Split it into several files.",
    ]


def test_an_unreadable_file_is_rejected_and_the_others_load(tmp_path: Path) -> None:
    (tmp_path / "a.yml").symlink_to(tmp_path / "gone.yml")
    write(tmp_path, "b.yml", "b")
    rules = load_rules([tmp_path], builtin=False)
    assert len(rules.rules) == 1
    assert "cannot be read" in str(rules.rejected[0])


def test_of_two_rules_with_one_id_the_first_is_used_and_both_files_are_named(tmp_path: Path) -> None:
    first = write(tmp_path, "a.yml", "same-id")
    second = write(tmp_path, "b.yml", "same-id", title="Another")
    rules = load_rules([tmp_path], builtin=False)
    assert [rule.rule.path for rule in rules.rules] == [str(first)]
    assert str(rules.rejected[0]).startswith(f"{second}:2: the id same-id is already that of {first}.")


def test_a_file_may_hold_several_rules(tmp_path: Path) -> None:
    texts = [rule_text(CMD, id="a"), "just: yaml\n", rule_text(CMD, id="b", level="loud"), rule_text(CMD, id="c"),
             rule_text(CMD, id="a")]
    rules = load_rules([write(tmp_path, "all.yml", "", text="---\n".join(texts))], builtin=False)
    assert [rule.rule.rule_id for rule in rules.rules] == ["a", "c"]
    assert [error.what.split()[:2] for error in rules.rejected] == [["unknown", "level"], ["the", "id"]]
    assert rules.skipped == {"no Sigma rule": 1}


def test_what_is_no_rule_or_withdrawn_is_counted_by_reason(tmp_path: Path) -> None:
    for number, status in enumerate(["stable", "test", "experimental", "deprecated", "unsupported", "unsupported"]):
        write(tmp_path, f"{number}.yml", str(number), status=status)
    write(tmp_path, "correlation.yml", "", text="title: x\nstatus: deprecated\ncorrelation: {type: event_count}\n")
    write(tmp_path, "filter.yml", "", text="title: x\nstatus: deprecated\nfilter: {rules: any}\n")
    write(tmp_path, "workflow.yml", "", text="on: push\njobs: {}\n")
    write(tmp_path, "list.yml", "", text="- a\n- b\n")
    write(tmp_path, "empty.yml", "", text="# nothing\n")
    rules = load_rules([tmp_path], builtin=False)
    assert [rule.rule.status for rule in rules.rules] == ["stable", "test", "experimental"]
    assert not rules.rejected
    assert rules.skipped == {"status deprecated": 3, "status unsupported": 2, "no Sigma rule": 2}


def test_a_rule_that_cannot_fire_here_is_idle_with_a_reason(tmp_path: Path) -> None:
    write(tmp_path, "linux.yml", "a", text=rule_text(CMD, {"product": "linux"}))
    write(tmp_path, "expand.yml", "b", text=rule_text(
        {"selection": {"User|expand": "%admins%"}, "condition": "selection"}, id="b"))
    write(tmp_path, "never.yml", "c", text=rule_text(
        {"selection": {"EventID": 4104}, "condition": "selection"}, id="c"))
    rules = load_rules([tmp_path], builtin=False)
    assert not rules.rules
    assert not rules.rejected
    assert sorted(idle.reason for idle in rules.idle) == [
        "expand: no list is known for the placeholder %admins%",
        "its event ids are never in the logsource windows/process_creation",
        "product linux is not Windows",
    ]


def test_a_rule_says_what_it_is(tmp_path: Path) -> None:
    text = rule_text(CMD, description="d", tags=["attack.t1059.003"], falsepositives="admins",
                     references=["https://example.org"], level="CRITICAL")
    rule = load_rules([write(tmp_path, "a.yml", "", text=text)], builtin=False).rules[0].rule
    assert (rule.title, rule.level, rule.status, str(rule.logsource)) == (
        "Test", "critical", "test", "windows/process_creation")
    assert (rule.techniques, rule.falsepositives, rule.references, rule.builtin) == (
        ("T1059.003",), ("admins",), ("https://example.org",), False)


def test_a_rule_without_id_and_level_gets_a_lasting_id_and_low() -> None:
    data = yaml.safe_load(rule_text(CMD))
    del data["id"], data["level"], data["status"]
    first, second = (compiled(yaml.safe_dump({**data, "title": title})).rule for title in ("one", "two"))
    assert first.level == "low"
    assert first.rule_id != second.rule_id
    assert first.rule_id == compiled(yaml.safe_dump({**data, "title": "one"})).rule.rule_id


def test_our_own_rules_come_first_unless_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yml", "mine")
    with_ours, without = load_rules([path]), load_rules([path], builtin=False)
    assert [rule.rule.rule_id for rule in without.rules] == ["mine"]
    assert with_ours.rules[-1].rule.rule_id == "mine"
    assert len(with_ours.rules) > 1
    assert with_ours.fingerprint != without.fingerprint


def test_interests_are_the_records_that_some_rule_reads() -> None:
    rules = RuleSet([
        compiled(rule_text(CMD)),
        compiled(rule_text({"a": {"EventID": [4624, "4625"]}, "b": {"LogonType": 3}, "condition": "a and not b"},
                           SECURITY, id="2")),
        compiled(rule_text({"k": ["mimikatz"], "condition": "k"}, {"product": "windows", "service": "system"}, id="3")),
    ])
    assert rules.interests() == {(SYSMON.lower(), 1), ("security", 4688), ("mde/deviceprocessevents", 1),
                                 ("security", 4624), ("security", 4625), ("system", None)}


def test_a_rule_on_all_of_windows_reads_no_network_log() -> None:
    everywhere = {"a": ["mimikatz"], "condition": "a"}
    rules = RuleSet([compiled(rule_text(everywhere, {"product": "windows"}, id="1")),
                     compiled(rule_text(everywhere, {"category": "proxy"}, id="2"))])
    for channel, found in (("Security", ["1"]), ("MDE/DeviceEvents", ["1"]), ("Proxy/access", ["2"])):
        assert [alert.rule_id for alert in rules.match(event({"x": "Mimikatz"}, channel, 0))] == found, channel


@pytest.mark.parametrize(("detection", "ids"), [
    ({"a": {"EventID": 1}, "b": {"EventID": 2}, "condition": "a or b"}, {1, 2}),
    ({"a": {"EventID": [1, 2]}, "b": {"EventID": [2, 3]}, "condition": "a and b"}, {2}),
    ({"a": {"EventID": 1}, "b": {"X": 2}, "condition": "a or b"}, {None}),
    ({"a": {"EventID": 1}, "b": {"EventID": 2}, "condition": "a and not b"}, {1}),
    ({"a": {"EventID|neq": 1}, "condition": "a"}, {None}),
    ({"a": {"EventID|contains": 1}, "condition": "a"}, {None}),
    ({"a": {"EventID": ["1*", 2]}, "condition": "a"}, {None}),
    ({"a": [{"EventID": 1, "X": 2}, {"eventid": "0x2"}], "condition": "a"}, {1, 2}),
    ({"a": {"EventID|all": [1, 2]}, "condition": "a"}, {None}),
])
def test_event_ids_are_narrowed_only_where_the_rule_is_certain(detection: dict[str, object],
                                                               ids: set[int | None]) -> None:
    assert {number for _, number in ruleset(rule_text(detection, SECURITY)).interests()} == ids


def test_an_alert_says_what_matched_and_keeps_the_event(tmp_path: Path) -> None:
    text = rule_text({
        "selection_image": {"Image|endswith": ["\\cmd.exe", "\\mshta.exe"]},
        "selection_line": [{"CommandLine|contains|all": ["http", "://"]}, {"CommandLine|re": "sc[r]ipt:"}],
        "keywords": ["anna"],
        "filter": {"ParentImage": None},
        "condition": "all of selection_* and keywords and not filter",
    }, tags=["attack.t1218.005", "douse.class.x", "douse.stage.1", "douse.role.paste-child", "douse.fidelity.exact"])
    record = event({"Image": "C:\\Windows\\mshta.exe", "CommandLine": "mshta HTTP://x", "User": "CORP\\Anna",
                    "ParentImage": "explorer.exe", "ProcessId": 42, "Hashes": None, "List": ["a", "b"]})
    (alert,) = ruleset(text).match(record)
    assert alert.matched == (
        Match("selection_image", "Image", "C:\\Windows\\mshta.exe", "*\\mshta.exe"),
        Match("selection_line", "CommandLine", "mshta HTTP://x", "*http*"),
        Match("selection_line", "CommandLine", "mshta HTTP://x", "*://*"),
        Match("keywords", "User", "CORP\\Anna", "*anna*"),
    )
    assert (alert.title, alert.level, alert.host, alert.channel, alert.event_id, alert.record_id) == (
        "Test", "high", record.host, SYSMON, 1, 7)
    assert (alert.techniques, alert.evidence_class, alert.stage, alert.role, alert.fidelity) == (
        ("T1218.005",), "X", 1, "paste-child", 1.0)
    assert alert.fields == {"EventID": "1", "Channel": SYSMON, "Computer": record.host,
                            "Image": "C:\\Windows\\mshta.exe", "CommandLine": "mshta HTTP://x", "User": "CORP\\Anna",
                            "ParentImage": "explorer.exe", "ProcessId": "42", "Hashes": "", "List": "a, b"}


def test_an_alert_of_4688_also_has_sysmons_names_but_never_over_the_records_own() -> None:
    record = event({"NewProcessName": "C:\\cmd.exe", "ParentProcessName": "C:\\a.exe", "NewProcessId": "0x20",
                    "ProcessId": "0x10"}, "Security", 4688)
    (alert,) = ruleset(rule_text(CMD)).match(record)
    assert alert.matched[0].field == "Image"
    assert {name: alert.fields[name] for name in ("Image", "NewProcessName", "ParentImage", "ParentProcessId",
                                                  "ProcessId", "NewProcessId")} == {
        "Image": "C:\\cmd.exe", "NewProcessName": "C:\\cmd.exe", "ParentImage": "C:\\a.exe", "ParentProcessId": "16",
        "ProcessId": "0x10", "NewProcessId": "0x20"}
    assert "NewProcessName" in record.fields
    assert "Image" not in record.fields, "a view never changes its event"


def test_an_alert_stays_bounded_whatever_the_event_holds() -> None:
    fields = {f"F{number}": "x" for number in range(1_000)}
    record = event({"Image": "\\cmd.exe", "CommandLine": "y" * 100_000, **fields})
    text = rule_text({"selection": {"CommandLine|contains": "y"}, "condition": "selection"})
    (alert,) = ruleset(text).match(record)
    assert len(alert.fields) == MAX_FIELDS
    assert len(alert.fields["CommandLine"]) == Alert.MAX_FIELD
    assert alert.fields["CommandLine"].endswith(CUT)
    assert alert.matched[0].value.endswith(CUT)


def test_so_do_the_names_of_its_fields() -> None:
    record = event({"Image": "\\cmd.exe", "n" * 100_000: "needle", "n" * MAX_NAME: "", "m" * 100_000: "other"})
    text = rule_text({"words": ["needle"], "condition": "words"}, {"product": "windows"})
    (alert,) = ruleset(text).match(record)
    assert max(map(len, alert.fields)) == len(alert.matched[0].field) == MAX_NAME
    assert alert.fields["m" * MAX_NAME] == "other"
    assert alert.fields["Image"] == "\\cmd.exe"


def test_the_alert_id_depends_on_the_record_and_the_rule_and_on_nothing_else() -> None:
    same = alert_id("r", event())
    assert alert_id("r", event({"other": "fields"}, channel=SYSMON.upper(), host="ws-01.CORP.example")) == same
    assert alert_id("r", event(time=TIME.astimezone(timezone(timedelta(hours=5))))) == same
    others = [alert_id("s", event()), alert_id("r", event(record_id=8)), alert_id("r", event(event_id=2)),
              alert_id("r", event(channel="Security")), alert_id("r", event(host="WS-02")),
              alert_id("r", event(time=TIME + timedelta(seconds=1)))]
    assert len({same, *others}) == 7


def test_a_record_with_a_number_has_one_alert_id_however_its_time_was_cut() -> None:
    whole, cut = TIME + timedelta(microseconds=487_440), TIME + timedelta(milliseconds=487)
    assert alert_id("r", event(time=whole)) == alert_id("r", event(time=cut)) == alert_id("r", event(time=TIME))
    assert alert_id("r", event(time=whole, record_id=0)) != alert_id("r", event(time=cut, record_id=0))


def test_a_log_with_endless_event_ids_does_not_fill_the_memory() -> None:
    rules = ruleset(rule_text({"k": ["needle"], "condition": "k"}, {"product": "windows"}))
    for number in range(MAX_BUCKETS + 10):
        assert not fires(rules, event({}, "Channel", number))
    assert len(rules._buckets) <= MAX_BUCKETS
