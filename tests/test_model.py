"""The shared nouns: lazy fields, lookups without case, levels, coverage counts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from douse.model import ChannelCount, Coverage, Event, Source, Value, level_rank

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def event(fields: dict[str, Value], calls: list[int] | None = None) -> Event:
    def decode() -> dict[str, Value]:
        if calls is not None:
            calls.append(1)
        return fields

    return Event(channel="Security", event_id=4663, time=NOON, host="ws", provider="p", record_id=7,
                 source=Source("a.evtx"), decode=decode)


def test_fields_are_decoded_once_and_only_when_asked_for() -> None:
    calls: list[int] = []
    record = event({"Image": "a.exe"}, calls)
    assert not calls
    assert (record.get("Image"), record.get("Image"), record.fields["Image"]) == ("a.exe", "a.exe", "a.exe")
    assert calls == [1]


def test_a_field_is_found_without_its_case() -> None:
    record = event({"SourceProcessGUID": "{1}", "image": "lower", "Image": "exact"})
    assert record.get("SourceProcessGuid") == "{1}"
    assert record.get("Image") == "exact"


def test_missing_null_and_empty_are_three_things() -> None:
    record = event({"null": None, "empty": ""})
    assert (record.has("null"), record.has("empty"), record.has("missing")) == (True, True, False)
    assert (record.get("null"), record.get("empty"), record.get("missing")) == (None, "", None)
    assert (record.text("null"), record.text("missing")) == ("", "")


def test_a_source_names_the_member_of_an_archive() -> None:
    assert str(Source("triage.zip", "logs/Security.evtx", "evtx")) == "triage.zip!logs/Security.evtx"
    assert str(Source("Security.evtx")) == "Security.evtx"


def test_levels_have_sigmas_order() -> None:
    assert level_rank("critical") > level_rank("high") > level_rank("medium") > level_rank("informational")
    with pytest.raises(ValueError, match="not in tuple"):
        level_rank("severe")


def test_coverage_counts_a_channel_without_case() -> None:
    coverage = Coverage("ws", (ChannelCount("Security", 4663, 3, NOON, NOON),
                               ChannelCount("security", 4688, 2, NOON, NOON)))
    assert coverage.records("SECURITY") == 5
    assert coverage.records("Security", frozenset({4663})) == 3
    assert coverage.records("System") == 0
