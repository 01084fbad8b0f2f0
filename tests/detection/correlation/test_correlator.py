"""Correlations end to end: rule files and hand-written timelines in, alerts out, whatever order the events come in."""

from __future__ import annotations

import pickle
import random
import tracemalloc
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from detection.makers import TIME, event, loaded
from douse.detection.correlation import correlator as module
from douse.detection.correlation import records
from douse.detection.correlation.correlator import Correlator
from douse.detection.ruleset import RuleSet, load_rules
from douse.model import Alert, Event, Source

BASE = """
title: Failed logon
name: failed
id: f0000000-0000-4000-8000-000000000000
level: low
logsource: {product: windows, service: security}
detection: {selection: {EventID: 4625}, condition: selection}
---
title: Logon
name: logon
level: informational
logsource: {product: windows, service: security}
detection: {selection: {EventID: 4624}, condition: selection}
---
title: Start
name: start
level: medium
logsource: {product: windows, category: process_creation}
detection: {selection: {Image|endswith: .exe}, condition: selection}
---
"""


def many(what: str, more: str = "") -> str:
    return f"title: Many\nid: c\nlevel: high\ncorrelation: {{{what}}}\n{more}"


def logon(second: float, event_id: int = 4625, host: str = "WS-01", **fields: str) -> Event:
    return event({**fields}, "Security", event_id, record_id=int(second * 10) + event_id, host=host,
                 time=TIME + timedelta(seconds=second))


def start(second: float, host: str = "WS-01", **fields: str) -> Event:
    return event({"Image": "C:\\a.exe", **fields}, record_id=int(second * 10), host=host,
                 time=TIME + timedelta(seconds=second))


def run(rules: RuleSet, events: Iterable[Event]) -> list[Alert]:
    """All alerts: those of single events in order, then those of the correlations."""
    assert not rules.rejected
    correlator = Correlator(rules)
    visible = [alert for one in events for alert in correlator.observe(rules.match(one))]
    return [*visible, *correlator.finish()]


COUNT = many("type: event_count, rules: [failed], group-by: [TargetUserName], timespan: 1m, condition: {gte: 3}")


def test_an_alert_says_what_was_counted_for_whom_and_from_what(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + many(
        "type: event_count, rules: [failed], group-by: [TargetUserName], timespan: 1m, condition: {gte: 3}",
        "tags: [attack.t1110.001, attack.credential-access]\n"))
    (alert,) = run(rules, [logon(0, TargetUserName="Anna"), logon(1, TargetUserName="bert"),
                           logon(2, TargetUserName="anna"), logon(3, TargetUserName="ANNA", host="ws-02")])
    assert (alert.title, alert.level, alert.rule_id) == ("Many", "high", "c")
    assert (alert.time, alert.host, alert.channel, alert.event_id) == (
        TIME + timedelta(seconds=3), "ws-02", "Security", 4625)
    assert alert.record_id == 4655
    assert (alert.techniques, alert.fidelity) == (("T1110.001",), 0.4)
    asked, group, rule = alert.matched
    assert (asked.value, asked.pattern) == ("3", "event_count gte 3 within 1m")
    assert (group.field, group.value) == ("TargetUserName", "ANNA")
    assert (rule.field, rule.value) == ("failed", "3 match(es)")
    assert alert.fields["TargetUserName"] == "ANNA"
    assert alert.fields["correlation.hosts"] == "ws-01, ws-02"
    assert alert.fields["correlation.first_seen"] == "2026-11-24T09:00:00+00:00"
    contributing = alert.fields["correlation.alert_ids"].split(", ")
    assert len(set(contributing)) == 3
    assert contributing[0] == next(iter(rules.match(logon(0, TargetUserName="Anna")))).alert_id


def test_the_id_stays_when_more_of_the_same_burst_is_read(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + COUNT)
    events = [logon(n, TargetUserName="a") for n in range(5)]
    (few,), (more,) = run(rules, events[:3]), run(rules, events)
    assert few.alert_id == more.alert_id
    assert (few.matched[0].value, more.matched[0].value) == ("3", "5")


ALL_KINDS = BASE + """
title: K1
id: k1
correlation: {type: event_count, rules: [failed], group-by: [TargetUserName], timespan: 20s, condition: {gte: 4}}
---
title: K2
id: k2
correlation:
  {type: value_count, rules: [failed], group-by: [Computer], timespan: 20s, condition: {field: TargetUserName, gte: 3}}
---
title: K3
id: k3
correlation: {type: temporal_ordered, rules: [k1, logon], group-by: [TargetUserName], timespan: 60s}
---
title: K4
id: k4
correlation: {type: value_avg, rules: [failed], group-by: [Computer], timespan: 20s, generate: true,
              condition: {field: Tries, gt: 3}}
"""


def test_any_order_of_reading_and_any_number_of_workers_give_the_same(tmp_path: Path) -> None:
    rules = loaded(tmp_path, ALL_KINDS)
    rolling = random.Random(5)
    events = [logon(n, rolling.choice([4625, 4625, 4625, 4624]), host=rolling.choice(["A", "a", "B"]),
                    TargetUserName=rolling.choice("xyz"), Tries=str(rolling.randrange(6))) for n in range(200)]
    expected = sorted((alert.rule_id, alert.alert_id, alert.time, str(alert.matched)) for alert in run(rules, events))
    assert {rule_id for rule_id, *_ in expected} >= {"k2", "k3", "k4"}
    for _ in range(3):
        rolling.shuffle(events)
        workers = [Correlator(rules) for _ in range(3)]
        found: list[Alert] = []
        for number, one in enumerate(events):
            found += workers[number % 3].observe(rules.match(one))
        whole: Correlator = pickle.loads(pickle.dumps(workers[0]))
        for other in workers[1:]:
            whole.merge(pickle.loads(pickle.dumps(other)))
        found += whole.finish()
        assert sorted((a.rule_id, a.alert_id, a.time, str(a.matched)) for a in found) == expected


def test_a_record_that_is_read_twice_counts_once(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + COUNT)
    twice = [logon(n, TargetUserName="a") for n in (0, 1)] * 2
    assert run(rules, twice) == []


def test_records_without_a_number_are_told_apart_by_what_they_say(tmp_path: Path) -> None:
    """An export may number no records, and write times to the second."""
    rules = loaded(tmp_path, BASE + COUNT)
    ports = [event({"TargetUserName": "a", "IpPort": str(port)}, "Security", 4625, record_id=0) for port in range(3)]
    (alert,) = run(rules, ports)
    assert (alert.fields["correlation.value"], alert.fields["correlation.events"]) == ("3", "3")
    assert run(rules, [ports[0]] * 3) == [], "the same record again"


def test_of_a_record_in_two_files_the_same_one_is_named_in_any_order(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + COUNT)
    copies = [logon(n, TargetUserName="a") for n in range(3) for _ in range(2)]
    for number, one in enumerate(copies):
        one.source = Source(f"{number % 2}.evtx")
    assert {alert.source.path for order in (copies, copies[::-1]) for alert in run(rules, order)} == {"0.evtx"}


def test_temporal_never_joins_different_groups(tmp_path: Path) -> None:
    """Another tool joined matches whose group-by values differed."""
    rules = loaded(tmp_path, BASE + many(
        "type: temporal, rules: [failed, logon], group-by: [TargetUserName, Computer], timespan: 1m"))
    assert run(rules, [logon(0, TargetUserName="a"), logon(1, 4624, TargetUserName="b")]) == []
    assert run(rules, [logon(0, TargetUserName="a"), logon(1, 4624, "WS-02", TargetUserName="a")]) == []
    assert len(run(rules, [logon(0, TargetUserName="a"), logon(1, 4624, "ws-01", TargetUserName="A")])) == 1


def test_a_match_without_a_group_by_field_is_left_out_and_counted(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + COUNT)
    correlator = Correlator(rules)
    for one in (logon(0), logon(1, TargetUserName=""), logon(2), logon(3, TargetUserName="-")):
        assert not list(correlator.observe(rules.match(one)))
    assert not correlator.finish()
    assert correlator.notes() == (
        "correlation 'Many': 3 match(es) left out, because they lack a field of group-by",)


def test_without_group_by_all_matches_are_one_group(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + many("type: event_count, rules: [failed], timespan: 1m, condition: {gte: 2}"))
    assert len(run(rules, [logon(0, host="A"), logon(1, host="B")])) == 1


def test_a_host_is_a_group_by_field_under_either_name(tmp_path: Path) -> None:
    for name in ("Computer", "ComputerName"):
        rules = loaded(tmp_path, BASE + many(
            f"type: event_count, rules: [failed], group-by: {name}, timespan: 1m, condition: {{gte: 2}}"))
        assert run(rules, [logon(0, host="A"), logon(1, host="B")]) == []
        assert len(run(rules, [logon(0, host="A"), logon(1, host="a")])) == 1


def test_values_are_those_the_rule_sees_under_its_logsource(tmp_path: Path) -> None:
    """On a Security 4688 the field ProcessId is the parent's; a process_creation rule means the new process."""
    rules = loaded(tmp_path, BASE + many(
        "type: value_count, rules: [start], group-by: [ProcessId], timespan: 1m, condition: {field: Image, gte: 2}"))
    created = event({"NewProcessName": "C:\\b.exe", "NewProcessId": "0x10", "ProcessId": "0x99"}, "Security", 4688, 5)
    assert len(run(rules, [start(0, ProcessId="16"), created])) == 1
    assert run(rules, [start(0, ProcessId="153"), created]) == []


def test_a_value_that_is_no_number_is_left_out_and_counted(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + many(
        "type: value_sum, rules: [failed], timespan: 1m, condition: {field: Size, gt: 20}"))
    correlator = Correlator(rules)
    for one in (logon(0, Size="0x10"), logon(1, Size="many"), logon(2, Size="5.5"), logon(3)):
        assert not list(correlator.observe(rules.match(one)))
    (alert,) = correlator.finish()
    assert (alert.matched[0].field, alert.matched[0].value) == ("Size", "21.5")
    assert correlator.notes() == ("correlation 'Many': 2 match(es) left out, because they have no number in Size",)
    assert correlator.finish() == (alert,), "asking again changes nothing"


def test_value_count_may_count_pairs_of_fields(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + many(
        "type: value_count, rules: [failed], timespan: 1m, condition: {field: [A, B], gte: 3}"))
    assert run(rules, [logon(0, A="1", B="1"), logon(1, A="1", B="2"), logon(2, A="1", B="2")]) == []
    assert len(run(rules, [logon(0, A="1", B="1"), logon(1, A="1", B="2"), logon(2, A="2", B="2")])) == 1


ALIASES = """type: temporal, rules: [failed, start], group-by: [who], timespan: 1m,
  aliases: {who: {failed: TargetUserName, start: User}}"""


def test_an_alias_joins_fields_of_different_names(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + many(ALIASES))
    (alert,) = run(rules, [logon(0, TargetUserName="anna", User="bert"), start(1, User="Anna", TargetUserName="bert")])
    assert alert.fields["who"] == "Anna"
    other = start(1, User="bert", TargetUserName="anna")
    assert run(rules, [logon(0, TargetUserName="anna", User="bert"), other]) == []


def test_an_alias_may_be_what_is_counted(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + many("""type: value_count, rules: [failed, start], timespan: 1m,
      condition: {field: who, gte: 2}, aliases: {who: {failed: TargetUserName, start: User}}"""))
    assert run(rules, [logon(0, TargetUserName="anna", User="x"), start(1, User="Anna", TargetUserName="y")]) == []
    assert len(run(rules, [logon(0, TargetUserName="anna"), start(1, User="bert")])) == 1


CHAIN = """
title: Guessed
id: outer
level: critical
correlation: {type: temporal_ordered, rules: [guessing, logon], group-by: [TargetUserName], timespan: 10m}
---
title: Guessing
name: guessing
correlation: {type: event_count, rules: [failed], group-by: [%s], timespan: 1m, condition: {gte: 3}}
"""


@pytest.mark.parametrize("inner", ["TargetUserName", "Computer"])
def test_correlations_of_correlations(tmp_path: Path, inner: str) -> None:
    """The outer one groups by its own field, also when the inner one groups by another."""
    rules = loaded(tmp_path, BASE + CHAIN % inner)
    guesses = [logon(n, TargetUserName="anna") for n in range(3)]
    (alert,) = run(rules, [*guesses, logon(30, 4624, TargetUserName="Anna")])
    assert (alert.rule_id, alert.level, alert.fields["TargetUserName"]) == ("outer", "critical", "Anna")
    assert run(rules, [*guesses, logon(30, 4624, TargetUserName="bert")]) == []
    assert run(rules, [logon(0.5, 4624, TargetUserName="anna"), *guesses]) == [], "it came before the third guess"
    assert run(rules, [*guesses[:2], logon(30, 4624, TargetUserName="anna")]) == []


def test_a_logon_amid_guesses_that_go_on_comes_after_enough_of_them(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + CHAIN % "TargetUserName")
    on_and_on = [logon(n, TargetUserName="anna") for n in range(50)]
    (alert,) = run(rules, [*on_and_on, logon(10.5, 4624, TargetUserName="anna")])
    assert [match.value for match in alert.matched if match.selection == "rules"] == ["1 match(es)", "1 match(es)"]
    (later,) = run(rules, [*on_and_on, logon(600, 4624, TargetUserName="anna")])
    assert later.rule_id == "outer"
    assert run(rules, [*on_and_on, logon(1.5, 4624, TargetUserName="anna")]) == []


def test_the_parts_of_a_correlation_are_shown_only_if_it_says_so(tmp_path: Path) -> None:
    events = [logon(n, TargetUserName="a") for n in range(3)]
    hidden = loaded(tmp_path, BASE + COUNT)
    assert [alert.title for alert in run(hidden, events)] == ["Many"]
    shown = loaded(tmp_path, BASE + COUNT.replace("{type", "{generate: true, type"))
    assert [alert.title for alert in run(shown, events)] == ["Failed logon"] * 3 + ["Many"]
    others = COUNT.replace("{type", "{generate: true, type").replace("id: c", "id: d")
    both = loaded(tmp_path, BASE + COUNT + "---\n" + others)
    assert [alert.title for alert in run(both, events)].count("Failed logon") == 3, "one that shows them is enough"


def test_of_our_own_parts_those_with_an_evidence_class_stay_visible(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part of ours that says nothing alone, such as one query of many, is no alert."""
    events = [logon(n, TargetUserName="a") for n in range(3)]
    file = tmp_path / "ours.yml"
    for tags, shown in (("", []), ("tags: [douse.class.c]\n", ["Failed logon"] * 3)):
        file.write_text(BASE.replace("level: low\n", f"level: low\n{tags}") + COUNT, encoding="utf-8")
        monkeypatch.setattr("douse.detection.ruleset.rule_files", lambda: [file])
        assert [alert.title for alert in run(load_rules([]), events)] == [*shown, "Many"]


def test_a_rule_that_no_correlation_uses_is_shown(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + COUNT)
    assert [alert.title for alert in run(rules, [start(0), logon(1, 4624)])] == ["Start", "Logon"]


def test_memory_is_bounded_and_the_newest_are_kept_in_any_order(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RECORDS", 8)
    rules = loaded(tmp_path, BASE + many("type: event_count, rules: [failed], timespan: 1d, condition: {gte: 2}"))
    events = [logon(n) for n in range(40)]
    results = set()
    for seed in range(4):
        random.Random(seed).shuffle(events)
        correlator = Correlator(rules)
        for one in events:
            assert not list(correlator.observe(rules.match(one)))
        assert max(map(len, correlator._records.values())) <= 10
        (alert,) = correlator.finish()
        results.add((alert.matched[0].value, alert.fields["correlation.first_seen"], *correlator.notes()))
    note = "correlation 'Many': 32 match(es) left out, because they were the oldest of more than 8 and dropped"
    assert results == {("8", "2026-11-24T09:00:32+00:00", note)}


def test_a_stream_of_ever_new_groups_is_bounded_and_what_is_dropped_is_told(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RECORDS", 200)
    rules = loaded(tmp_path, BASE + COUNT)
    monkeypatch.setattr(records, "_MAX_SHARED", 200)
    correlator, sizes = Correlator(rules), []
    tracemalloc.start()
    try:
        for number in range(1_500):
            name = f"{number}" + chr(0x4E00 + number) * 4_000
            assert not list(correlator.observe(rules.match(logon(number, TargetUserName=name))))
            rules._memory.add(rules._memory.limit)  # what the matcher remembers is bounded elsewhere
            if number % 500 == 499:
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert not correlator.finish()
    assert sizes[2] < 1.2 * sizes[0], "it does not grow with what is read"
    assert sizes[2] / 250 < 3_000, "a quarter over the limit; the values are 8 KB each in the log"
    assert correlator.notes() == (
        "correlation 'Many': 1,300 match(es) left out, because they were the oldest of more than 200 and dropped",)


def test_many_correlations_share_what_is_kept_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TOTAL", 40)
    monkeypatch.setattr(module, "LEAST_RECORDS", 2)
    text = "---\n".join(f"title: M{n}\nid: m{n}\ncorrelation: {{type: event_count, rules: [failed], timespan: 1d, "
                        f"condition: {{gte: 2}}}}\n" for n in range(4))
    found = run(loaded(tmp_path, BASE + text), [logon(n) for n in range(60)])
    assert [alert.matched[0].value for alert in found] == ["10"] * 4


def test_merging_many_small_units_does_not_sort_all_of_it_again_for_each(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RECORDS", 400)
    rules = loaded(tmp_path, BASE + many("type: event_count, rules: [failed], timespan: 1d, condition: {gte: 2}"))
    sorted_ = []
    monkeypatch.setattr(module.heapq, "nsmallest", lambda n, of, key: sorted_.append(n) or sorted(of, key=key)[:n])
    whole = Correlator(rules)
    for unit in range(100):
        one = Correlator(rules)
        for number in range(10):
            assert not list(one.observe(rules.match(logon(unit * 10 + number))))
        whole.merge(one)
    (alert,) = whole.finish()
    assert alert.matched[0].value == "400"
    assert sum(sorted_) == 600
    assert len(sorted_) <= 7


def test_long_values_are_one_group_when_all_of_them_is_equal_without_case(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + many(
        "type: event_count, rules: [failed], group-by: [A], timespan: 1m, condition: {gte: 2}"))
    long = "Straße" * 200
    (alert,) = run(rules, [logon(0, A=long + "x"), logon(1, A=long.upper() + "X")])
    assert alert.fields["A"].startswith("strassestrasse")
    assert len(alert.fields["A"]) == 256
    assert run(rules, [logon(0, A=long + "x"), logon(1, A=long + "y")]) == []


def test_an_outer_correlation_may_group_by_an_alias_of_the_inner_one(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + """
title: Outer
id: outer
correlation: {type: event_count, rules: [inner], group-by: [who], timespan: 10m, condition: {gte: 1}}
---
title: Inner
name: inner
correlation: {type: temporal, rules: [failed, start], group-by: [Computer], timespan: 1m,
              aliases: {who: {failed: TargetUserName, start: User}}}
""")
    (alert,) = run(rules, [logon(0, TargetUserName="anna"), start(1, User="bert")])
    assert alert.fields["who"] == "bert", "that of its last event"


def test_an_alert_lists_a_hundred_of_its_parts(tmp_path: Path) -> None:
    rules = loaded(tmp_path, BASE + many("type: event_count, rules: [failed], timespan: 1d, condition: {gte: 2}"))
    (alert,) = run(rules, [logon(n) for n in range(150)])
    assert alert.fields["correlation.alert_ids"].endswith(" and 50 more")
    assert alert.fields["correlation.events"] == "150"
