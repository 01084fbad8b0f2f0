"""The fast matcher says what the reference says: on real logs, and on rules and events made to collide."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.generated import DETECTIONS, NESTED, RECORDS, rules_of
from detection.makers import PROCESS_CREATION, SYSMON, compiled, event, rule_text
from douse.content.logsources import log_sources
from douse.detection.language.parse import CompiledRule
from douse.detection.logsource import Route
from douse.detection.matching.automaton import Memory
from douse.detection.matching.bucket import Bucket, Entry
from douse.detection.matching.deferred import Deferred
from douse.detection.matching.planner import plan_of
from douse.detection.matching.probes import Probes
from douse.detection.matching.search import END, START
from douse.detection.reference import All
from douse.detection.ruleset import RuleSet, load_rules
from douse.hunt.plan import make
from douse.model import Event, Source, Value, may_be_elsewhere
from douse.telemetry import Limits, Tally, Wanted, read_path
from douse.telemetry.record import nested_event
from douse.telemetry.system import fields_of, head_of


@given(st.lists(DETECTIONS, min_size=1, max_size=4), st.lists(RECORDS, min_size=1, max_size=6))
def test_generated_rules_on_generated_events(detections: list[dict[str, Any]], records: list[dict[str, Value]]) -> None:
    rules = RuleSet(rules_of(detections))
    for _ in range(2):  # the second time from memory
        for fields in records:
            for record in (event(fields), event(fields, "Security", 4688)):
                assert list(rules.match(record)) == list(rules.match_slowly(record)), fields


@given(st.lists(DETECTIONS, min_size=1, max_size=4), DETECTIONS, st.lists(RECORDS, min_size=1, max_size=4))
def test_generated_rules_from_a_cache_also_where_a_filter_narrows_them(
        detections: list[dict[str, Any]], narrowing: dict[str, Any], records: list[dict[str, Value]]) -> None:
    fresh = rules_of(detections)
    narrow = [rule.term for rule in rules_of([narrowing]) if rule.term is not None]
    rules = [replace(rule, term=All((deferred(rule), *narrow)) if narrow and number % 2 else deferred(rule))
             for number, rule in enumerate(fresh)]
    expected = RuleSet([replace(rule, term=All((rule.term, *narrow)) if narrow and number % 2 else rule.term)
                        for number, rule in enumerate(fresh) if rule.term is not None])
    kept = RuleSet(rules)
    for fields in records:
        assert list(kept.match(event(fields))) == list(expected.match_slowly(event(fields))), fields


def nested(record: dict[str, Any], shout: bool) -> tuple[Event, Event]:
    """A record whose data are read alone where they can be, and one that is read whole. The library for event logs
    writes the hexadecimal digits of an escape as capitals, Python does not."""
    text = json.dumps({"Event": record}, ensure_ascii=False)
    if shout:
        text = re.sub(r"\\u00[01][0-9a-f]", lambda found: f"\\u{found[0][2:].upper()}", text)
    head = head_of(text)
    assert head is not None
    read = nested_event(head, Source("x"), text)
    return read, Event(channel=read.channel, event_id=read.event_id, time=read.time, host=read.host,
                       provider=read.provider, record_id=read.record_id, source=read.source,
                       decode=lambda: fields_of(text))


@given(st.lists(DETECTIONS, min_size=1, max_size=3), st.lists(st.tuples(NESTED, st.booleans()), min_size=1, max_size=4))
def test_a_record_whose_data_are_read_alone_is_matched_as_the_whole_one(
        detections: list[dict[str, Any]], records: list[tuple[dict[str, Any], bool]]) -> None:
    sources = ({"product": "windows"}, {"product": "windows", "service": "security"}, PROCESS_CREATION)
    rules = RuleSet([rule for logsource in sources for rule in rules_of(detections, logsource)])
    for _ in range(2):
        for record in records:
            read, whole = nested(*record)
            expected = list(rules.match_slowly(whole))
            assert list(rules.match(read)) == expected, record
            assert list(rules.match(whole)) == expected, record
            assert list(rules.match_slowly(nested(*record)[0])) == expected, record


def deferred(rule: CompiledRule) -> Deferred:
    """The rule's term as the cache keeps it."""
    assert rule.term is not None
    parts = [msgspec.Raw(msgspec.msgpack.encode(part)) for part in (rule.detection, plan_of(rule.term))]
    return Deferred(*parts, {}, "")


@given(st.lists(DETECTIONS, min_size=1, max_size=3), RECORDS)
def test_forgetting_everything_at_every_step_changes_nothing(detections: list[dict[str, Any]],
                                                             fields: dict[str, Value]) -> None:
    entries = [Entry(Route("", None), rule.rule, rule.term) for rule in rules_of(detections) if rule.term is not None]
    bucket = Bucket(entries, Probes(Memory(limit=1)))
    for _ in range(2):
        assert list(bucket.match(event(fields))) == list(bucket.match_slowly(event(fields)))


def real_events(shared: Path, rules: RuleSet, every: int) -> Iterator[Event]:
    """Each Nth record of every log we have that some rule reads."""
    folders = tuple(str(shared / "data" / name) for name in ("evtx", "sigma_regression", "otrf"))
    for number, unit in enumerate(make(folders).units):
        read = read_path(Path(unit.path), Wanted(rules.interests()), Tally(), Limits(), named=False)
        yield from islice(read, number % every, 6_000, every)


def test_real_logs_with_all_rules_of_sigmahq_and_ours(shared: Path, sigmahq: RuleSet) -> None:
    rules = RuleSet([*load_rules([]).rules, *sigmahq.rules])
    records = alerts = 0
    for record in real_events(shared, rules, 61):
        fast = list(rules.match(record))
        assert fast == list(rules.match_slowly(record)), record
        records, alerts = records + 1, alerts + len(fast)
    assert records > 600
    assert alerts > 50


HOSTILE = {
    "one character again and again": "a" * 1_000_000,
    "every literal of a short rule at every place": "ab" * 500_000,
    "NUL": "\x00" * 1_000_000,
    "sentinels": (START + "ab" + END) * 250_000,
    "half characters": "\ud800ab" * 100_000,
    "long lines": ("x" * 999 + "\n") * 1_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_value_is_matched_exactly_in_seconds_and_not_kept(text: str) -> None:
    rules = RuleSet(rules_of([
        {"s": {"CommandLine|contains": ["a", "b", "ab", "aba", "\x00", "?b"]}, "condition": "s"},
        {"s": {"CommandLine|re": "(a+)+$"}, "condition": "s"},
        {"s": {"CommandLine|startswith": "ab", "CommandLine|endswith": "ab"}, "condition": "s"},
        {"s": {"CommandLine": "*a*b*a*c*"}, "condition": "not s"},
        {"s": ["abx", "xb"], "condition": "s"},
    ]))
    record = event({"CommandLine": text})
    start = time.process_time()
    fast = list(rules.match(record))
    assert time.process_time() - start < 5
    assert fast == list(rules.match_slowly(record))
    assert rules._memory.used < 100_000, "a megabyte must not be remembered"


def test_what_is_remembered_stays_below_its_limit() -> None:
    memory = Memory(limit=100_000)
    rule = compiled(rule_text({"s": {"CommandLine|contains": "needle"}, "condition": "s"}))
    assert rule.term is not None
    bucket = Bucket([Entry(Route("", None), rule.rule, rule.term)], Probes(memory))
    for number in range(5_000):
        found = list(bucket.match(event({"CommandLine": f"{number} needle" if number % 7 == 0 else f"{number}"})))
        assert len(found) == (number % 7 == 0)
        assert memory.used <= 100_000 + 10_000


def test_alerts_come_in_the_order_of_the_rules() -> None:
    every = {"s": {"CommandLine|contains": "a"}, "condition": "s"}
    always = {"s": {"CommandLine|contains": "b"}, "condition": "not s"}
    asked = {"s": {"CommandLine|exists": True}, "condition": "s"}
    rules = RuleSet(rules_of([always, every, asked, every, always]))
    found = [alert.rule_id[-1] for alert in rules.match(event({"CommandLine": "a"}))]
    assert found == ["0", "1", "2", "3", "4"]


def test_channels_with_the_same_rules_share_what_was_learned() -> None:
    rules = RuleSet([compiled(rule_text({"words": ["mimikatz"], "condition": "words"}, {"product": "windows"}))])
    for number in range(200):
        assert not list(rules.match(event({"Data": "x"}, f"Channel {number}", number)))
    assert list(rules.match(event({"Data": "a MimiKatz b"}, SYSMON, 99)))
    assert len(rules._alike) == 1


def test_names_and_channels_that_only_fill_the_memory_are_not_remembered() -> None:
    rules = RuleSet(rules_of([{"s": {"CommandLine|contains": "needle"}, "condition": "s"}], {"product": "windows"}))
    assert list(rules.match(event({"CommandLine": "needle"})))
    used = rules._memory.used
    for number in range(40):
        many = {f"F{number}.{place}": "" for place in range(2_000)}
        assert list(rules.match(event({**many, "CommandLine": "needle"})))
        assert list(rules.match(event({f"{number}{'x' * 300_000}": "", "CommandLine": "needle"})))
        assert list(rules.match(event({"CommandLine": "needle"}, f"{number}{'x' * 300}")))
    (matcher,) = rules._buckets[SYSMON, 1]._matchers
    assert len(matcher._layouts) == len(rules._buckets) == 1
    assert rules._memory.used == used


def test_layouts_count_as_memory() -> None:
    memory = Memory(limit=200_000)
    rule = compiled(rule_text({"s": {"CommandLine|contains": "needle"}, "condition": "s"}))
    assert rule.term is not None
    bucket = Bucket([Entry(Route("", None), rule.rule, rule.term)], Probes(memory))
    (matcher,) = bucket._matchers
    for number in range(400):
        fields = {f"F{number}.{place}": "" for place in range(50)}
        assert list(bucket.match(event({**fields, "CommandLine": "a needle"})))
        assert memory.used <= memory.limit
        assert 0 < len(matcher._layouts) < 30


def test_no_alias_of_data_is_made_of_what_lies_elsewhere() -> None:
    """A layout is known by the names of the data alone, so these must decide whether an alias is present."""
    for table in log_sources().aliases.values():
        for field, source in table.items():
            assert not any(map(may_be_elsewhere, (field, *source.fields))), field
