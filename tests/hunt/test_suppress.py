"""Lists of what is expected, held against alerts: what fits, what an alert's program is, what became of an entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import builders as b
from douse.detection.ruleset import RuleSet, load_rules
from douse.errors import ContentError
from douse.hunt import suppress
from douse.hunt.allow import Entry
from douse.hunt.suppress import AllowList, allow_notes
from douse.incident.facts import Facts
from douse.model import Alert, Source

TODAY = date(2026, 11, 24)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
AGENT = r"C:\Program Files\Backup\agent.exe"
RULES = """
title: Store read
id: 0b1f7a52-6b8e-4a5b-9d0c-0a4e6f0d7a10
name: store_read
logsource: {product: windows, service: security}
detection: {selection: {EventID: 4663}, condition: selection}
---
title: Twin
id: 0b1f7a52-6b8e-4a5b-9d0c-0a4e6f0d7a11
logsource: {product: windows, service: security}
detection: {selection: {EventID: 4625}, condition: selection}
---
title: twin
id: 0b1f7a52-6b8e-4a5b-9d0c-0a4e6f0d7a12
logsource: {product: windows, service: security}
detection: {selection: {EventID: 4624}, condition: selection}
---
title: Many reads
id: 0b1f7a52-6b8e-4a5b-9d0c-0a4e6f0d7a13
correlation: {type: event_count, rules: [store_read], group-by: [Image], timespan: 5m, condition: {gte: 3}}
"""
STORE_READ, MANY = "0b1f7a52-6b8e-4a5b-9d0c-0a4e6f0d7a10", "0b1f7a52-6b8e-4a5b-9d0c-0a4e6f0d7a13"


@pytest.fixture(scope="module")
def ruleset(tmp_path_factory: pytest.TempPathFactory) -> RuleSet:
    path = tmp_path_factory.mktemp("rules") / "ours.yml"
    path.write_text(RULES, encoding="utf-8")
    return load_rules([path], builtin=False)


def entry(line: int = 2, *, rule: str = "store_read", host: str = "*", process: str = AGENT,
          expires: date = TODAY, **more: str) -> Entry:
    return Entry("allow.csv", line, rule, host, process, "CHG-1", expires, **more)


def alert(fields: Mapping[str, str], *, rule_id: str = STORE_READ, host: str = "WS-1.corp.example",
          channel: str = "Security", event_id: int = 4663, record_id: int = 1) -> Alert:
    return Alert(f"id-{record_id}", rule_id, "t", "medium", NOON, host, channel, "p", event_id, record_id,
                 Source("a.evtx"), (), "C", "chromium", 1.0, 2, "", (), fields)


def suppressed(ruleset: RuleSet, one: Entry, found: Alert, facts: Facts | None = None) -> bool:
    kept, left_out = AllowList([one], ruleset, TODAY).split([found], facts or Facts())
    assert len(kept) + len(left_out) == 1
    return bool(left_out)


@pytest.mark.parametrize(("image", "fits"), [
    (AGENT, True), (AGENT.upper(), True), (AGENT.replace("\\", "/"), True), (f'"{AGENT}"', True),
    (rf"\\?\{AGENT}", True), (rf"\??\{AGENT}", True),
    (r"C:\Users\anna\agent.exe", False), ("agent.exe", False), ("", False), ("-", False),
    (r"D:\Program Files\Backup\agent.exe", False), (AGENT + " ", True), (AGENT + "x", False),
    (r"C:\Program Files \Backup\agent.exe", False),
    (r"C:\Users\anna\..\..\Program Files\Backup\agent.exe", False),
    (r"\Device\HarddiskVolume3\Program Files\Backup\agent.exe", False),
])
def test_the_program_is_the_records_full_path(image: str, fits: bool, ruleset: RuleSet) -> None:
    assert suppressed(ruleset, entry(), alert({"ProcessName": image})) is fits


def test_a_folder_that_leads_elsewhere_fits_no_wildcard(ruleset: RuleSet) -> None:
    wide = entry(process=r"C:\Program Files\*")
    assert suppressed(ruleset, wide, alert({"ProcessName": AGENT}))
    for path in (r"C:\Program Files\..\Users\anna\agent.exe", r"C:\Program Files\.\agent.exe",
                 r"C:\Program Files\\..\agent.exe"):
        assert not suppressed(ruleset, wide, alert({"ProcessName": path}))


def test_a_device_path_or_a_mere_pid_is_looked_up_among_the_processes(ruleset: RuleSet) -> None:
    ran = b.process(AGENT, 6000, command_line=f'"{AGENT}" --backup', user=b.BEN)
    facts = b.facts_of([b.process_start(ran, "security")])
    device = b.alert(b.event("Security", 5156, 1, {
        "Application": r"\device\harddiskvolume3\program files\backup\agent.exe", "ProcessID": "6000"}), "R")
    pid_alone = b.alert(b.event("Microsoft-Windows-PowerShell/Operational", 4104, 1, {
        "Execution_ProcessID": "6000", "ScriptBlockText": "Get-Item"}), "X")
    for found in (replace(device, rule_id=STORE_READ), replace(pid_alone, rule_id=STORE_READ)):
        assert suppressed(ruleset, entry(), found, facts)
        assert suppressed(ruleset, entry(command="--BACKUP", user="ben"), found, facts)
        assert not suppressed(ruleset, entry(command="--restore"), found, facts)
        assert not suppressed(ruleset, entry(user="anna"), found, facts)
        assert not suppressed(ruleset, entry(), found)  # nobody knows the process
        assert not suppressed(ruleset, entry(), replace(found, time=b.at(-60)), facts)  # the pid was another's
    other = {**device.fields, "Application": r"\device\harddiskvolume3\users\anna\other.exe"}
    assert not suppressed(ruleset, entry(), replace(device, rule_id=STORE_READ, fields=other), facts)


def test_user_and_command_narrow_an_entry(ruleset: RuleSet) -> None:
    found = alert({"ProcessName": AGENT, "SubjectUserName": "svc", "SubjectDomainName": "CORP",
                   "SubjectUserSid": "S-1-5-21-1-2-3-1001", "CommandLine": "agent.exe --Backup all"})
    for user in ("svc", r"corp\SVC", r"CORP\*", "S-1-5-21-1-2-3-1001"):
        assert suppressed(ruleset, entry(user=user), found), user
    for user in ("sv", "anna", r"LAB\svc"):
        assert not suppressed(ruleset, entry(user=user), found), user
    script = alert({"ScriptBlockText": "Get-Clipboard | Out-File"}, event_id=4104,
                   channel="Microsoft-Windows-PowerShell/Operational")
    assert suppressed(ruleset, entry(process="*", command="get-clipboard"), script)
    assert not suppressed(ruleset, entry(process="*", command="set-clipboard"), script)
    assert not suppressed(ruleset, entry(process="*", user="svc"), script)


def test_other_rules_and_hosts_are_not_meant(ruleset: RuleSet) -> None:
    found = alert({"ProcessName": AGENT})
    assert suppressed(ruleset, entry(host="ws-1"), found)
    assert not suppressed(ruleset, entry(host="ws-2"), found)
    assert not suppressed(ruleset, entry(), alert({"ProcessName": AGENT}, rule_id=MANY))


def test_a_correlation_has_the_program_of_its_group_and_all_of_its_hosts(ruleset: RuleSet) -> None:
    def joined(hosts: str, image: str = AGENT) -> Alert:
        return alert({"Image": image, "correlation.hosts": hosts}, rule_id=MANY)

    assert suppressed(ruleset, entry(rule="Many reads", host="ws-*"), joined("ws-1.corp.example, ws-2.corp.example"))
    assert not suppressed(ruleset, entry(rule="Many reads", host="ws-*"), joined("dc-1.corp.example, ws-1.corp"))
    assert not suppressed(ruleset, entry(rule="Many reads"), joined("ws-1.corp.example", r"C:\Users\anna\agent.exe"))
    many = ", ".join(f"ws-{number}" for number in range(100))
    assert not suppressed(ruleset, entry(rule="Many reads", host="ws-*"), joined(many))  # who knows the others
    assert suppressed(ruleset, entry(rule="Many reads", host="*"), joined(many))
    single = alert({"ProcessName": AGENT, "correlation.hosts": "dc-1, dc-2"})  # a log may have such a field
    assert suppressed(ruleset, entry(host="ws-1"), single)


def test_a_correlation_that_groups_by_a_process_has_that_ones_program(ruleset: RuleSet) -> None:
    ran = b.process(AGENT, 6000)
    joined = b.alert(b.event("Microsoft-Windows-Sysmon/Operational", 3, 1, {"ProcessGuid": ran.guid}), "R")
    joined = replace(joined, rule_id=MANY)
    assert suppressed(ruleset, entry(rule="Many reads"), joined, b.facts_of([b.process_start(ran)]))
    assert not suppressed(ruleset, entry(rule="Many reads"), joined)


def test_the_first_line_that_fits_counts_and_an_expired_one_only_where_no_other_does(ruleset: RuleSet) -> None:
    lines = [entry(2, expires=date(2026, 11, 23), process="*"), entry(3, host="ws-*"), entry(4), entry(5, host="dc-*")]
    allowed = AllowList(lines, ruleset, TODAY)
    others = [alert({"ProcessName": r"C:\x.exe"}, record_id=2), alert({"ProcessName": AGENT}, host="dc-1", record_id=3)]
    kept, left_out = allowed.split([alert({"ProcessName": AGENT}), *others], Facts())
    assert kept == others[:1]
    assert [(one.alert.record_id, one.by.line) for one in left_out] == [(1, 3), (3, 4)]
    found = allowed.outcome(lambda _: False)
    assert [(one.entry.line, one.state, one.alerts) for one in found] == [
        (2, "expired", 1), (3, "used", 1), (4, "used", 1), (5, "unused", 0)]
    assert allow_notes(found) == (
        "allow.csv: expired and suppresses nothing: line 2 (2026-11-23, 1 alert(s) of this run fit it)",
        "allow.csv: unused, no alert fits it: line 5")


def test_the_last_day_still_counts(ruleset: RuleSet) -> None:
    found = alert({"ProcessName": AGENT})
    assert suppressed(ruleset, entry(expires=TODAY), found)
    assert not suppressed(ruleset, entry(expires=date(2026, 11, 23)), found)


@pytest.mark.parametrize("rule", [STORE_READ, STORE_READ.upper(), "store_read", "Store Read"])
def test_a_rule_has_several_names(rule: str, ruleset: RuleSet) -> None:
    assert suppressed(ruleset, entry(rule=rule), alert({"ProcessName": AGENT}))


def test_a_name_of_several_rules_is_an_error_with_their_ids(ruleset: RuleSet) -> None:
    with pytest.raises(ContentError, match=r"allow\.csv:7: rule 'twin' names 2 rules\. Use an id: .*d7a11 .*d7a12 "):
        AllowList([entry(7, rule="twin")], ruleset, TODAY)


def test_a_name_of_no_rule_is_told_with_the_nearest_for_the_first_few(
        ruleset: RuleSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suppress, "MAX_HINTS", 1)
    found = AllowList([entry(2, rule="stor_read"), entry(3, rule="stor_read")], ruleset, TODAY).outcome(lambda _: True)
    assert [one.state for one in found] == ["no rule", "no rule"]
    assert "Did you mean 'store_read'?" in found[0].about
    assert found[1].about == "no rule of this run is called so"


def test_a_part_of_correlations_is_told_to_be_one(ruleset: RuleSet) -> None:
    (found,) = AllowList([entry()], ruleset, TODAY).outcome({STORE_READ}.__contains__)
    assert (found.state, found.rule_id) == ("unused", STORE_READ)
    assert "only a part of correlations" in found.about


def test_notes_are_short_whatever_the_list(ruleset: RuleSet) -> None:
    lines = [entry(number, process="*", remarks=("any program fits",)) for number in range(2, 102)]
    notes = allow_notes(AllowList(lines, ruleset, TODAY).outcome(lambda _: False))
    assert len(notes) == 2
    assert all(note.endswith("; and 92 more") for note in notes)


def test_a_rules_file_names_it(tmp_path: Path) -> None:
    path = tmp_path / "my_rule.yml"
    path.write_text(RULES.split("---")[0], encoding="utf-8")
    rules = load_rules([path], builtin=False)
    for rule in ("my_rule", "my_rule.yml", str(path)):
        assert suppressed(rules, entry(rule=rule), alert({"ProcessName": AGENT})), rule
