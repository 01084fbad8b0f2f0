"""Events and rules for the tests of this room: a plausible record per call, and a rule from the part under test."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from douse.detection.language.parse import CompiledRule, parse_rules
from douse.detection.ruleset import RuleSet, load_rules
from douse.errors import RuleError
from douse.model import Event, Source, Value

SYSMON = "Microsoft-Windows-Sysmon/Operational"
TIME = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PROCESS_CREATION = {"product": "windows", "category": "process_creation"}


def event(fields: Mapping[str, Value] | None = None, channel: str = SYSMON, event_id: int = 1, record_id: int = 7,
          host: str = "WS-01.corp.example", time: datetime = TIME) -> Event:
    system: dict[str, Value] = {"EventID": event_id, "Channel": channel, "Computer": host}
    everything = {**system, **(fields or {})}
    return Event(channel=channel, event_id=event_id, time=time, host=host, provider=channel.partition("/")[0],
                 record_id=record_id, source=Source("test.evtx", format="evtx"), decode=lambda: everything)


def rule_text(detection: Mapping[str, Any], logsource: Mapping[str, Any] = PROCESS_CREATION, **more: Any) -> str:
    rule = {"title": "Test", "id": "11111111-1111-4111-8111-111111111111", "status": "test", "level": "high",
            "logsource": dict(logsource), "detection": dict(detection), **more}
    return yaml.safe_dump(rule, sort_keys=False, allow_unicode=True)


def outcome(text: str, *, builtin: bool = False) -> object:
    """What the only document of a rule file turns out to be."""
    (only,) = parse_rules(text, "rules/test.yml", builtin=builtin)
    return only


def compiled(text: str, *, builtin: bool = False) -> CompiledRule:
    """The rule of a file that must load."""
    made = outcome(text, builtin=builtin)
    assert isinstance(made, CompiledRule), made
    return made


def refusal(text: str) -> RuleError:
    """The error of a file that must not load."""
    made = outcome(text)
    assert isinstance(made, RuleError), made
    return made


def ruleset(text: str, *, builtin: bool = False) -> RuleSet:
    """A set of one rule."""
    return RuleSet([compiled(text, builtin=builtin)])


def loaded(folder: Path, text: str, **lists: tuple[str, ...]) -> RuleSet:
    """The set of a file whose documents may refer to each other."""
    file = folder / "rules.yml"
    file.write_text(text, encoding="utf-8")
    return load_rules([file], builtin=False, placeholders=lists)


def fires(rules: RuleSet, record: Event) -> bool:
    """Whether any rule of the set matches."""
    return any(True for _ in rules.match(record))
