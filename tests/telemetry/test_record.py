"""What a nested record's data give must be what all its fields give, name by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.model import Event, Source, may_be_elsewhere
from douse.simulate.evtx_writer import write_evtx
from douse.telemetry import Limits, Tally, Wanted, read_path, record
from douse.telemetry.record import NestedEvent, nested_event
from douse.telemetry.system import fields_of, head_of
from fuzz.seeds import records

SYSTEM = {"Provider": {"#attributes": {"Name": "Microsoft-Windows-Sysmon", "Guid": "5770385F"}}, "EventID": 1,
          "Version": 5, "Level": 4, "Task": 1, "Opcode": 0, "Keywords": "0x8000000000000000",
          "TimeCreated": {"#attributes": {"SystemTime": "2026-03-02T12:00:00.123456Z"}}, "EventRecordID": 9,
          "Correlation": None, "Execution": {"#attributes": {"ProcessID": 1, "ThreadID": 2}}, "Channel": "Security",
          "Computer": "PC1", "Security": {"#attributes": {"UserID": "S-1-5-18"}}}


def event_of(event: dict[str, Any], system: dict[str, Any] | None = None) -> Event:
    text = json.dumps({"Event": {"System": SYSTEM | (system or {}), **event}}, ensure_ascii=False)
    head = head_of(text)
    assert head is not None
    return nested_event(head, Source("x"), text)


SECTIONS: list[dict[str, Any]] = [
    {},
    {"EventData": None},
    {"EventData": {}},
    {"EventData": "just text"},
    {"EventData": {"Image": r"C:\x.exe", "ProcessId": 4, "Empty": "", "Null": None, "Yes": True}},
    {"EventData": {"Threat Name": "x", "ThreatName": "y", "Source Name": 5}},
    {"EventData": {"Data": {"#text": ["a", "b"]}, "Binary": None}},
    {"EventData": {"Data": "one", "Channel": "Application"}},
    {"EventData": {"#attributes": {"Name": "n"}, "A": "b"}},
    {"EventData": {"#attributes": "n", "A": "b"}},
    {"EventData": {"Deep": {"er": {"A": 1}}, "A": 2, "List": [1, "x", None]}},
    {"EventData": {"Number": 1.5}},
    {"EventData": {"Huge": 1 << 70}},
    {"EventData": {"level": "x", "Level": "y", "image": "a", "Image": "b", "IMAGE": "c"}},
    {"EventData": {"Hashes": "SHA256=AA,IMPHASH=BB", "md5": "given"}},
    {"UserData": {"LogFileCleared": {"#attributes": {"xmlns": "u"}, "Channel": "Security", "SubjectUserName": "a"}}},
    {"UserData": {"A": {"x": "1"}, "B": {"x": "2", "y": "3"}}},
    {"UserData": "text"},
]


@pytest.mark.parametrize("section", SECTIONS, ids=str)
def test_data_are_a_part_of_all_fields(section: dict[str, Any]) -> None:
    event = event_of(section)
    assert isinstance(event, NestedEvent)
    data = event.data
    assert data is not None
    assert list(event.fields.items()) == list(fields_of(event.text_as_read).items())
    assert {name: event.fields[name] for name in data} == data
    assert all(map(may_be_elsewhere, event.fields.keys() - data.keys()))


@pytest.mark.parametrize("section", [
    {"EventData": {"EventID": 5}},
    {"EventData": {"Provider_Name": "x"}},
    {"EventData": {"A": "1"}, "UserData": {"X": {"A": "2"}}},
], ids=str)
def test_data_that_system_may_overrule_are_not_told_alone(section: dict[str, Any]) -> None:
    assert event_of(section).data is None


@pytest.mark.parametrize(("section", "system"), [
    ({"RenderingInfo": {"Message": "hello"}, "EventData": {"A": "1"}}, {}),
    ({"EventData": {"A": "1"}}, {"CommandLine": "hidden in System"}),
], ids=str)
def test_a_record_of_another_shape_is_read_whole(section: dict[str, Any], system: dict[str, Any]) -> None:
    event = event_of(section, system)
    assert not isinstance(event, NestedEvent)
    assert event.data is None
    assert event.get("A") == "1"
    assert event.get("message") == ("hello" if "RenderingInfo" in section else None)
    assert event.get("commandline") == ("hidden in System" if system else None)


NAMES = st.sampled_from(["Image", "image", "EventID", "eventid", "Channel", "Level", "md5", "MD5", "Hashes", "Data",
                         "Execution_ProcessID", "execution_processid", "A B", "AB", "#text", "Provider_Name", "Nobody"])
VALUES = st.one_of(st.none(), st.booleans(), st.integers(-5, 1 << 66), st.text(max_size=5), st.just("MD5=AB"),
                   st.lists(st.text(max_size=3), max_size=2), st.dictionaries(NAMES, st.text(max_size=3), max_size=2))


@given(st.dictionaries(NAMES, VALUES, max_size=6), st.sampled_from(["EventData", "UserData"]))
def test_every_question_has_the_answer_of_the_whole_record(data: dict[str, Any], section: str) -> None:
    event = event_of({section: {"X": data} if section == "UserData" else data})
    text = event.text_as_read
    whole = Event(channel=event.channel, event_id=event.event_id, time=event.time, host=event.host,
                  provider=event.provider, record_id=event.record_id, source=event.source,
                  decode=lambda: fields_of(text))
    for name in (*NAMES.elements, "ab", "threatname", "IMAGE"):  # type: ignore[attr-defined]  # of sampled_from
        assert (event.name_of(name), event.get(name), event.text(name)) == (
            whole.name_of(name), whole.get(name), whole.text(name)), name


def test_every_text_of_a_real_record_stands_in_what_was_read(shared: Path) -> None:
    """Keywords are searched there first (detection/matching/automaton.py)."""
    count = 0
    for file in sorted((shared / "data" / "evtx").glob("*.evtx"))[::8]:
        for event in read_path(file, Wanted.everything(), Tally(), Limits(), named=True):
            for value in (event.data or {}).values():
                if isinstance(value, str):
                    count += 1
                    assert json.dumps(value, ensure_ascii=False)[1:-1] in event.text_as_read
    assert count > 1_000


def test_every_character_stands_in_what_was_read_as_json_must_escape_it(tmp_path: Path) -> None:
    """What the evtx library writes for each of them, hexadecimal digits apart; half a pair it leaves out."""
    first = records(1)[0]
    ours = [chr(code) for code in range(1, 0x10000) if not 0xD800 <= code <= 0xDFFF] + ["\U0001f600", "\U0010ffff"]
    texts = ["".join(f"[{each}]" for each in ours[at:at + 2_000]) for at in range(0, len(ours), 2_000)]
    path = tmp_path / "characters.evtx"
    write_evtx(path, [replace(first, data={"Text": text}, record_id=number) for number, text in enumerate(texts, 1)])
    read = list(read_path(path, Wanted.everything(), Tally(), Limits(), named=True))
    assert [event.get("Text") for event in read] == texts
    for event, text in zip(read, texts, strict=True):
        assert json.dumps(text, ensure_ascii=False)[1:-1].lower() in event.text_as_read.lower()
    halves = path.read_bytes().replace("[b]".encode("utf-16-le"), b"\x00\xd8b\x00\x00\xdc")
    path.write_bytes(halves)
    event = next(iter(read_path(path, Wanted.everything(), Tally(), Limits(), named=True)))
    assert event.get("Text") == texts[0].replace("[b]", "b")
    assert json.dumps(event.get("Text"), ensure_ascii=False)[1:-1].lower() in event.text_as_read.lower()


@pytest.mark.parametrize("value", ["1e999", "9" * 5_000, "-" + "9" * 30, "[" * 900 + "]" * 900,
                                   '{"a":' * 900 + "1" + "}" * 900], ids=lambda value: value[:6])
@pytest.mark.parametrize("place", ["data", "system"])
def test_what_a_head_passes_over_is_no_error_later_and_hides_nothing(value: str, place: str) -> None:
    text = json.dumps({"Event": {"System": SYSTEM | {"Version": "@V"}, "EventData": {"Image": "x", "A": "@A"}}})
    text = text.replace('"@A"', value if place == "data" else '"a"').replace(
        '"@V"', value if place == "system" else "5")
    head = head_of(text)
    assert head is not None
    event = nested_event(head, Source("x"), text)
    assert event.fields == fields_of(text)
    assert event.get("Image") == "x"
    assert event.has("A") is not (value.startswith("{") and place == "data"), "a structure is no value"


def test_names_that_only_fill_the_memory_are_not_remembered() -> None:
    record._known.clear()
    for number in range(100):
        event = event_of({"EventData": {f"{number} {'x' * 9_000}": "a", "Image": "b"}})
        assert event.get("image") == "b"
        many = event_of({"EventData": {f"F{number}.{place}": "a" for place in range(5_000)}})
        assert many.get(f"f{number}.17") == "a"
    assert len(record._known) == 0
    assert event_of({"EventData": {"Image": "b"}}).get("IMAGE") == "b"
    assert len(record._known) == 1
