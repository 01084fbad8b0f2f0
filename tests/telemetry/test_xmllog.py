"""Windows events from XML in every wrapping, and what of damaged XML is read, lost and counted."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import pytest

from douse.model import Event
from douse.telemetry import Limits, Tally, Wanted, read_stream
from douse.telemetry.damage import TOO_LONG
from douse.telemetry.xmllog import DEFINITION, GARBAGE, NO_END, NO_START, NOT_XML

from .conftest import ReadBytes
from .exported import NAMESPACE

DECLARATION = '<?xml version="1.0" encoding="utf-8" standalone="yes"?>\r\n'


def record(number: int, data: str = "", event_id: int = 1) -> str:
    """A Sysmon record as wevtutil writes it, on one line."""
    return (f"<Event xmlns='{NAMESPACE}'><System><Provider Name='Microsoft-Windows-Sysmon'/>"
            f"<EventID>{event_id}</EventID><TimeCreated SystemTime='2026-03-02T12:00:{number % 60:02}.5000000Z'/>"
            f"<EventRecordID>{number}</EventRecordID><Channel>Microsoft-Windows-Sysmon/Operational</Channel><Computer>PC1</Computer></System>"
            f"<EventData><Data Name='Image'>C:\\a.exe</Data>{data}</EventData></Event>")


def numbers(events: list[Event]) -> list[int]:
    return [event.record_id for event in events]


def test_a_record(read_bytes: ReadBytes) -> None:
    (event,), tally = read_bytes(record(7, "<Data Name='CommandLine'>a &lt;b&gt; &amp; &quot;c&quot;</Data>").encode())
    assert (event.channel, event.event_id, event.host, event.provider, event.record_id) == (
        "Microsoft-Windows-Sysmon/Operational", 1, "PC1", "Microsoft-Windows-Sysmon", 7)
    assert event.time == datetime(2026, 3, 2, 12, 0, 7, 500_000, tzinfo=UTC)
    assert event.source.format == "xml"
    assert (event.get("Image"), event.get("CommandLine")) == ("C:\\a.exe", 'a <b> & "c"')
    assert (tally.records_read, tally.losses) == (1, [])


ROWS = "".join(record(n) for n in range(1, 4))


@pytest.mark.parametrize("text", [
    ROWS,
    DECLARATION + f"<Events>{ROWS}</Events>",
    DECLARATION + f"<Events>\r\n  {record(1)}\r\n  {record(2)},\r\n{record(3)}\r\n</Events>\r\n",
    "\n".join(DECLARATION + record(n) for n in range(1, 4)),  # as evtx_dump and the evtx library write
    f"<!-- made by a tool -->\n<?xml-stylesheet href='x'?><ns:Events xmlns:ns='x'>{ROWS}</ns:Events>",
    f"<QueryResult Version='1'><Log>{ROWS}</Log></QueryResult>",
    re.sub(r"<(/?)(\w)", r"<\1e:\2", ROWS).replace("xmlns=", "xmlns:e="),
    ROWS.replace("</Event>", "</Event >"),
    ROWS.replace("><", ">\r\n\t<").replace("<Event xmlns", "<Event\r\n xmlns"),
])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_every_wrapping_and_encoding(text: str, encoding: str, read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(text.encode(encoding), "log.xml")
    assert (numbers(events), tally.losses) == ([1, 2, 3], [])
    assert {event.text("Image") for event in events} == {"C:\\a.exe"}


def test_a_declared_encoding_is_believed_where_it_can_be_true(read_bytes: ReadBytes) -> None:
    text = "<?xml version='1.0' encoding='{}'?>" + record(1, "<Data Name='User'>CORP\\Jürgen</Data>")
    for declared, written in (("windows-1252", "cp1252"), ("ISO-8859-1", "latin-1"), ("utf-16", "utf-8"),
                              ("UTF-8", "utf-8"), ("cp850", "cp850")):
        (event,), _ = read_bytes(text.format(declared).encode(written))
        assert event.text("User") == "CORP\\Jürgen"
    for unknown in ("nonsense-8859", "rot13", "windows-9999"):
        assert len(read_bytes(text.format(unknown).encode())[0]) == 1


def test_a_byte_that_is_no_utf_8_stays_visible(read_bytes: ReadBytes) -> None:
    (event,), tally = read_bytes(record(1, "<Data Name='User'>J\udcfcrgen</Data>").encode("utf-8", "surrogateescape"))
    assert (event.text("User"), tally.losses) == ("J\\xfcrgen", [])


def test_what_nobody_wants_is_counted_and_not_yielded(read_bytes: ReadBytes) -> None:
    wanted = Wanted([("microsoft-windows-sysmon/operational", 3)])
    events, tally = read_bytes((record(1) + record(2, event_id=3)).encode(), wanted=wanted)
    assert (numbers(events), tally.records_read, tally.records_skipped) == ([2], 2, 1)


def lost(data: str | bytes, read_bytes: ReadBytes, limits: Limits | None = None) -> tuple[list[int], Tally]:
    events, tally = read_bytes(data if isinstance(data, bytes) else data.encode(), "log.xml", limits=limits)
    return numbers(events), tally


FIVE = [record(n) for n in range(1, 6)]


@pytest.mark.parametrize(("third", "reason", "records"), [
    (FIVE[2][:200], NO_END, 1),
    (FIVE[2][200:], NO_START, 1),
    (FIVE[2].replace("</System>", ""), NOT_XML, 1),
    (FIVE[2].replace("C:\\a.exe", "C:\\a<b.exe"), NOT_XML, 1),
    (FIVE[2].replace("C:\\a.exe", "&nothing;"), NOT_XML, 1),
    (FIVE[2].replace("Channel", "Chan"), "no Windows event (no channel, event id or time in it)", 1),
    (FIVE[2][:-8] + "\0" * 600 + FIVE[2][40:], NOT_XML, 2),  # an end and a start were overwritten
    (FIVE[2] + "\0" * 5_000, GARBAGE, None),
    (FIVE[2][:-60] + "\0" * 5_000, NO_END, 1),
    (FIVE[2].replace("<Data", "\0\0\0<Data"), NOT_XML, 1),
])
def test_damage_in_the_middle_costs_what_it_hits(third: str, reason: str, records: int | None,
                                                 read_bytes: ReadBytes) -> None:
    found, tally = lost("<Events>\n" + "\n".join((*FIVE[:2], third, *FIVE[3:])) + "\n</Events>", read_bytes)
    assert [n for n in found if n != 3] == [1, 2, 4, 5]
    first = tally.losses[0]
    assert (first.reason, first.records) == (reason, records)
    assert first.where.startswith(("line 4", "line 5"))
    assert tally.records_read + tally.records_lost == 5 + (records == 2)


def test_a_file_that_ends_inside_an_event(read_bytes: ReadBytes) -> None:
    for cut in (20, 100, 300, 5):
        found, tally = lost("".join(FIVE)[:-cut], read_bytes)
        assert (found, tally.records_lost) == ([1, 2, 3, 4], 1)
        assert tally.losses[-1].next_step


def test_every_cut_of_a_file_loses_at_most_the_event_it_cuts(read_bytes: ReadBytes) -> None:
    text = "\n".join(FIVE)
    for end in range(0, len(text), 37):
        found, tally = lost(text[:end], read_bytes)
        begun = text[:end].count("<Event xmlns")
        assert len(found) + tally.records_lost == begun
        assert found == list(range(1, text[:end].count("</Event>") + 1))


def test_the_records_of_a_damaged_megabyte_are_reconciled(read_bytes: ReadBytes) -> None:
    text = "\n".join(record(n) for n in range(3_000))
    data = bytearray(text.encode())
    hit = [text.index(record(n)) + 150 for n in range(10, 3_000, 100)]
    for at in hit:
        data[at:at + 40] = b"\xff" * 40
    found, tally = lost(bytes(data), read_bytes)
    assert (len(found), tally.records_lost) == (3_000 - len(hit), len(hit))


def test_an_event_over_the_limit_says_which_option_lifts_it(read_bytes: ReadBytes) -> None:
    long = record(2, f"<Data Name='Text'>{'x' * 3_000_000}</Data>")
    for limit in (50_000, 2_000_000):  # within what is read at once, and beyond
        found, tally = lost(record(1) + long + record(3), read_bytes, Limits(max_line=limit))
        assert (found, [loss.reason for loss in tally.losses]) == ([1, 3], [TOO_LONG])
        assert "--max-line" in tally.losses[0].next_step
    assert lost(record(1) + long + record(3), read_bytes)[0] == [1, 2, 3]


BOMB = "<!DOCTYPE x [<!ENTITY a '" + "b" * 100 + "'>" + "".join(
    f"<!ENTITY a{n} '{f'&a{n - 1 or chr(0)[:0]};' * 10}'>" for n in range(1, 10)) + "]>"


@pytest.mark.parametrize("definition", [
    BOMB, "<!DOCTYPE Events SYSTEM 'http://203.0.113.7/x.dtd'>", "<!DOCTYPE e [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>",
    "<!DOCTYPE e [<!ENTITY x \"" + record(9).replace("'", "&apos;") + "\">]>",
])
def test_a_document_type_definition_is_refused_and_counted(definition: str, read_bytes: ReadBytes) -> None:
    entity = record(2, "<Data Name='V'>&a9;&x;</Data>")
    found, tally = lost(f"<?xml version='1.0'?>{definition}<Events>{record(1)}{entity}{record(3)}</Events>", read_bytes)
    assert found == [1, 3]
    assert [(loss.reason, loss.records) for loss in tally.losses] == [(DEFINITION, None), (NOT_XML, 1)]


def test_a_file_without_any_event(read_bytes: ReadBytes) -> None:
    _, tally = lost("<Events></Events>", read_bytes)
    assert [loss.reason for loss in tally.losses] == ["no <Event> in this file"]


@pytest.mark.parametrize("hostile", [
    "<Event " * 15_000, "<Event>" * 15_000 + "</Event>", "</Event>" * 15_000, "<Event><![CDATA[" * 8_000,
    "<!--" * 100_000, "<!DOCTYPE a [" * 8_000, "<a " * 100_000, "\0" * 400_000, "\r" * 400_000, "</Event " * 10_000,
    "<" * 300_000,
])
def test_hostile_text_is_passed_over_in_linear_time(hostile: str, read_bytes: ReadBytes) -> None:
    found, tally = lost(record(1) + hostile + record(2), read_bytes)
    assert found[0] == 1
    assert len(tally.losses) <= 303


def test_events_are_yielded_while_the_file_is_still_being_read() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            return record(1).encode()[:size]

    stream = read_stream(Endless(), "-", Wanted.everything(), Tally(), Limits())  # type: ignore[arg-type]  # a pipe
    assert {next(stream).event_id for _ in range(2_500)} == {1}
