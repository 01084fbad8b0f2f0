"""The Head that routes a record, and that nothing inside the data can pass for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from douse.telemetry.system import decode_document, fields_of, head_of, in_utc, parse_time

TIME = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)


def record(data: object = None, **system: object) -> dict[str, Any]:
    """A nested record as evtx_dump writes it; a system key of None is left out."""
    full = {"Provider": {"#attributes": {"Name": "Microsoft-Windows-Eventlog"}}, "EventID": 104,
            "TimeCreated": {"#attributes": {"SystemTime": "2026-03-02T12:00:00.123456Z"}}, "EventRecordID": 9,
            "Channel": "System", "Computer": "PC1", **system}
    return {"Event": {"System": {key: value for key, value in full.items() if value is not None}, "EventData": data}}


def test_a_head_is_read_without_the_data() -> None:
    head = head_of(json.dumps(record({"x": "y"})))
    assert head is not None
    assert head[:6] == ("System", 104, "PC1", "Microsoft-Windows-Eventlog", 9, TIME)
    assert head.event_data is not None
    assert bytes(head.event_data) == b'{"x": "y"}'


@pytest.mark.parametrize("event_id", [4624, "4624", {"#attributes": {"Qualifiers": 0}, "#text": 4624},
                                      {"#attributes": {"Qualifiers": "0"}, "#text": "4624"}])
def test_every_way_to_write_an_event_id(event_id: object) -> None:
    head = head_of(json.dumps(record(EventID=event_id, EventRecordID="12")))
    assert head is not None
    assert (head.event_id, head.record_id) == (4624, 12)


@pytest.mark.parametrize("data", [
    {"Channel": "Security", "EventID": 1, "Computer": "VICTIM", "System": {"EventID": 1, "Channel": "x"}},
    {"CommandLine": 'echo "EventID":1,"Channel":"Security","Computer":"VICTIM"'},
    {'a"EventID': 1, '","Channel":"Security': "x", "Event": {"System": {"EventID": 2}}},
    {"": '\\","EventID":1,"Channel":"Security'},
])
@pytest.mark.parametrize("data_first", [False, True])
def test_data_cannot_pass_for_the_system_part(data: dict[str, Any], data_first: bool) -> None:
    document = record(data)
    if data_first:
        document["Event"] = dict(reversed(document["Event"].items()))
    text = json.dumps(document)
    head = head_of(text)
    assert head is not None
    assert (head.channel, head.event_id, head.host) == ("System", 104, "PC1")
    assert fields_of(text)["EventID"] == 104


def test_old_and_odd_shapes_are_read_the_tolerant_way() -> None:
    old = record(TimeCreated={"#attributes": {"SystemTime": "2026-03-02 12:00:00.123456 UTC"}})
    assert head_of(json.dumps(old)) == ("System", 104, "PC1", "Microsoft-Windows-Eventlog", 9, TIME, None, None)
    separate = record(TimeCreated=None, Provider=None, Computer=None,
                      TimeCreated_attributes={"SystemTime": "2026-03-02T14:00:00.1234560+02:00"})
    assert head_of(json.dumps(separate)) == ("System", 104, "", "", 9, TIME, None, None)


@pytest.mark.parametrize("stated", [
    "2026-03-02T12:00:00.1234569Z", "2026-03-02T12:00:00.123456999Z", "2026-03-02T14:00:00.1234569+02:00",
    "2026-03-02 12:00:00.1234569 UTC", 1772452800.123456])
def test_one_record_has_one_time_in_all_formats(stated: object) -> None:
    """Windows counts 100 ns; the EVTX library cuts that to microseconds, and so must whoever reads text."""
    head = head_of(json.dumps(record(TimeCreated={"#attributes": {"SystemTime": stated}})))
    assert head is not None
    assert head.time == TIME
    assert head_of(json.dumps(record(TimeCreated={"#attributes": {"SystemTime": "20260302"}}))) is None
    assert head_of(json.dumps(record(TimeCreated={"#attributes": {"SystemTime": 1e20}}))) is None


@pytest.mark.parametrize("missing", [{"Channel": None}, {"EventID": None}, {"TimeCreated": None}, {"EventID": "x"},
                                     {"TimeCreated": {"#attributes": {"SystemTime": "yesterday"}}}])
def test_what_has_no_channel_id_or_time_is_no_record(missing: dict[str, Any]) -> None:
    assert head_of(json.dumps(record(**missing))) is None


def test_text_that_is_no_record() -> None:
    for text in ("", "{", "[]", "5", '{"Event":5}', '{"Event":{"System":[]}}', '{"a":' * 5_000):
        assert head_of(text) is None


def test_unpaired_surrogates_and_nan_are_decoded_to_text_that_can_be_encoded() -> None:
    text = json.dumps(record({"a": "x\ud800y", "b": float("nan"), "c": 1}))
    text = text.replace('"c": 1', '"c": 1e999')
    assert head_of(text) is not None
    fields = fields_of(text)
    assert (fields["a"], fields["b"], fields["c"]) == ("x?y", "NaN", "1e999")
    assert decode_document("[1]") is None


def test_times_become_utc() -> None:
    assert in_utc(TIME.astimezone(timezone(timedelta(hours=5, minutes=45)))) == TIME
    assert in_utc(datetime(2026, 1, 1)) == datetime(2026, 1, 1, tzinfo=UTC)  # noqa: DTZ001 - that is the case
    assert in_utc(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9)))).tzinfo is UTC
    assert in_utc(datetime(1601, 1, 1, tzinfo=UTC)) == datetime(1601, 1, 1, tzinfo=UTC)
    assert parse_time("2026-03-02T12:00:00.1234569Z") == TIME
    assert parse_time(5) is None
    assert parse_time("12 o'clock") is None


@pytest.mark.parametrize("stated", ["0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z",
                                    "9999-12-31T23:59:59-09:00"])
def test_days_can_be_reckoned_from_every_time(stated: str) -> None:
    head = head_of(json.dumps(record({"a": "b"}, TimeCreated={"#attributes": {"SystemTime": stated}})))
    assert head is not None
    assert head.time - timedelta(days=30) < head.time < head.time + timedelta(days=30)
