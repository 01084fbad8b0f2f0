"""One <Event> element: the values of the log it was made from, whatever is in them; no entity, depth or size hurts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from douse.model import Event
from douse.telemetry import Limits, Tally, Wanted, read_path
from douse.telemetry.event_xml import parse_event
from douse.telemetry.fields import nested_fields
from douse.telemetry.system import head_of_system

from .exported import NAMESPACE, shown, xml_of


def element(data: str = "", system: str = "", more: str = "") -> str:
    """A Security record as wevtutil writes it."""
    return (f"<Event xmlns='{NAMESPACE}'><System><Provider Name='P' Guid='{{a}}'/>"
            "<EventID Qualifiers='7'>4688</EventID><TimeCreated SystemTime='2026-03-02T12:00:00.1234567Z'/>"
            "<EventRecordID>5</EventRecordID><Correlation/>"
            f"<Execution ProcessID='4' ThreadID='8'/><Channel>Security</Channel><Computer>PC1</Computer><Security/>"
            f"{system}</System><EventData>{data}</EventData>{more}</Event>")


def fields(text: str) -> dict[str, Any]:
    sections = parse_event(text)
    assert sections is not None
    return nested_fields(sections)


def test_a_record_as_windows_writes_it() -> None:
    text = element("<Data Name='Threat Name'>x</Data><Data Name='Empty'></Data><Data Name='Null'/>")
    assert fields(text) == {
        "Provider_Name": "P", "Provider_Guid": "{a}", "EventID": 4688, "EventID_Qualifiers": "7", "Channel": "Security",
        "TimeCreated_SystemTime": "2026-03-02T12:00:00.1234567Z", "EventRecordID": 5, "Execution_ProcessID": "4",
        "Execution_ThreadID": "8", "Computer": "PC1", "ThreatName": "x", "Empty": "", "Null": ""}


def test_unnamed_data_are_a_list_and_repeated_names_are_numbered() -> None:
    found = fields(element("<Data>a</Data><Data></Data><Binary>00ff</Binary>"
                           "<Data Name='N'>1</Data><Data Name='N'>2</Data>"))
    assert (found["Data"], found["Binary"], found["N"], found["N_1"]) == (["a", ""], "00ff", "1", "2")


def test_user_data_and_rendering_info() -> None:
    text = element(more="<UserData><LogFileCleared xmlns='x'><SubjectUserName>anna</SubjectUserName><Deep><Leaf a='1'>v"
                   "</Leaf></Deep></LogFileCleared></UserData><RenderingInfo Culture='en-US'><Message>The log was "
                   "cleared.</Message><Level>Information</Level></RenderingInfo>")
    found = fields(text)
    assert (found["SubjectUserName"], found["Leaf"], found["Message"]) == ("anna", "v", "The log was cleared.")
    assert "Level" not in found


@pytest.mark.parametrize("value", [
    "%%1538\r\n\t\t\t\t%%4416\r\n\t\t\t\t", "line\nline\rline\r\n", "\x00\x01\x0b\x1b[31m\ufffe\uffff\x7f\x85\u2028",
    "\x1b\ue000\uf000 private", "  blanks  ", "\n", "\u202ereversed", "😀", "&#27; &amp; &lt;Event&gt; ]]>",
    "".join(map(chr, range(0xE000, 0xE000 + 30, 3))) + "\x07",
])
def test_every_character_of_a_value_is_kept(value: str) -> None:
    written = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert fields(element(f"<Data Name='V'>{written}</Data>"))["V"] == value
    assert fields(element(f"<Data Name='V'>{written}</Data>").replace("><", ">\r\n  <"))["V"] == value


def test_forbidden_characters_written_as_references() -> None:
    found = fields(element("<Data Name='V'>a&#27;b&#x1B;&#0;&#xD800;&#65;</Data>"))
    assert found["V"] == "a\x1bb\x1b\x00?A"
    assert fields(element("<Data Name='V'>half \ud800 a pair</Data>"))["V"] == "half ? a pair"


def test_character_data_sections_and_prefixes() -> None:
    assert fields(element("<Data Name='V'><![CDATA[a <b>\r\n& c]]></Data>"))["V"] == "a <b>\n& c"
    prefixed = element("<Data Name='V'>1</Data>").replace("<", "<e:").replace("<e:/", "</e:")
    assert fields(prefixed.replace("xmlns=", "xmlns:e="))["V"] == "1"


def test_the_librarys_indentation_of_an_empty_element_is_no_value() -> None:
    assert fields(element("<Data Name='V'>\n    </Data>"))["V"] == ""


@pytest.mark.parametrize("text", [
    "", "<Event", "<Event>", "<Event></Event><Event/>", "<Event><System></Event>", "<Event a='1' a='2'/>",
    "<Event>&undefined;</Event>", "<Event>&#99999999;</Event>", "<Event>&#xFFFFFF;</Event>",
    "<!DOCTYPE Event [<!ENTITY a 'x'>]><Event", "text",
])
def test_what_is_no_such_element(text: str) -> None:
    assert parse_event(text) is None


def test_text_that_holds_every_private_character_cannot_be_disguised() -> None:
    everything = "".join(map(chr, range(0xE000, 0xF900)))
    assert parse_event(element(f"<Data Name='V'>{everything}</Data>")) is not None
    assert parse_event(element(f"<Data Name='V'>{everything}\x01</Data>")) is None


def test_depth_is_bounded_and_no_value_is_too_long() -> None:
    deep = element(more="<UserData>" + "<a>" * 100_000 + "</a>" * 100_000 + "</UserData>")
    assert "EventID" in fields(deep)
    assert len(fields(element(f"<Data Name='V'>{'x' * 10_000_000}</Data>"))["V"]) == 10_000_000


def test_a_time_is_cut_to_microseconds_not_rounded() -> None:
    sections = parse_event(element())
    assert sections is not None
    head = head_of_system(sections["System"])
    assert head is not None
    assert head.time.microsecond == 123_456


def test_real_records_say_the_same_as_xml(shared: Path) -> None:
    """Every record of every other small log, from the EVTX reader and from the library's XML of the same record."""
    compared = 0
    for log in sorted((shared / "data" / "evtx").glob("*.evtx"))[::2]:
        if log.stat().st_size > 70_000:
            continue
        events = list(read_path(log, Wanted.everything(), Tally(), Limits(), named=True))
        for event, text in zip(events, xml_of(log), strict=True):
            assert_equal(event, text)
            compared += 1
    assert compared > 500


def assert_equal(event: Event, text: str) -> None:
    sections = parse_event(text)
    assert sections is not None
    found = nested_fields(sections)
    assert found.keys() == event.fields.keys() | {name for name, value in found.items() if value == ""}
    for name, value in event.fields.items():
        expected = [shown(item) for item in value] if isinstance(value, list) else shown(value)
        same = shown(found[name]) if not isinstance(found[name], list) else found[name]
        assert same == expected, (event, name)
    head = head_of_system(sections["System"])
    assert head is not None
    assert head[:5] == (event.channel, event.event_id, event.host, event.provider, event.record_id)
    assert head.time == event.time, "also where a forwarded log states nanoseconds"
