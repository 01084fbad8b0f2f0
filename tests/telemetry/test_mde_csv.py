"""Advanced hunting as CSV: quoted line feeds, broken quotes, rows that do not fit, and what may not be made of them."""

from __future__ import annotations

import csv
import io
from typing import Any, BinaryIO, cast

import pytest

from douse.model import Source
from douse.telemetry import Limits, Tally, Wanted
from douse.telemetry.mde_csv import NO_HEADER, read
from douse.telemetry.mde_rows import NO_TIME
from douse.telemetry.streams import Filled, buffered

from .conftest import ReadBytes
from .test_mde_rows import CONNECTION, PROCESS

ROWS: list[dict[str, Any]] = [PROCESS, CONNECTION, {**PROCESS, "ReportId": 30780}]


def export(rows: list[dict[str, Any]], quoting: Any = csv.QUOTE_ALL) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, quoting=quoting)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


EXPORT = export(ROWS)


@pytest.mark.parametrize("text", [
    EXPORT, export(ROWS, csv.QUOTE_MINIMAL), "\ufeff" + EXPORT, EXPORT.replace("\r\n", "\n"), EXPORT.rstrip(),
    EXPORT + EXPORT.partition("\r\n")[0] + "\r\n"])
def test_an_export(text: str, read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(text.encode(), "New query.csv")
    assert tally.losses == []
    assert [(event.channel, event.event_id, event.record_id) for event in events] == [
        ("MDE/DeviceProcessEvents", 1, 30779), ("MDE/DeviceNetworkEvents", 3, 30779),
        ("MDE/DeviceProcessEvents", 1, 30780)]
    assert (events[0].host, events[0].source.format) == ("ws-042.corp.example", "mde_csv")
    assert (events[0].text("Image"), events[1].text("DestinationPort")) == ("C:\\Windows\\System32\\mshta.exe", "443")
    assert not events[0].has("MD5"), "an empty column is an absent field"


def test_another_delimiter_as_a_spreadsheet_saves_it(read_bytes: ReadBytes) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerows(csv.reader(io.StringIO(EXPORT)))
    events, tally = read_bytes(out.getvalue().encode(), "New query.csv")
    assert ({event.source.format for event in events}, len(events), tally.losses) == ({"mde_csv"}, 3, [])


def test_utf16_as_powershell_writes_it(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(EXPORT.encode("utf-16"))
    assert (len(events), tally.losses) == (3, [])


def test_a_command_line_of_several_lines(read_bytes: ReadBytes) -> None:
    command = 'powershell -c "\nline 2\n\n2026-11-24T10:11:12Z,evil,"'
    events, tally = read_bytes(export([{**PROCESS, "ProcessCommandLine": command}, CONNECTION]).encode())
    assert (len(events), tally.losses) == (2, [])
    assert events[0].text("CommandLine") == command


def test_a_line_feed_in_a_command_line_makes_no_row_of_its_own(read_bytes: ReadBytes) -> None:
    fake = EXPORT.split("\r\n")[2].replace("ws-042", "victim").replace('"', '""')
    events, tally = read_bytes(export([{**PROCESS, "ProcessCommandLine": f"x\n{fake}\ny"}, CONNECTION]).encode())
    assert ({event.host for event in events}, tally.losses) == ({"ws-042.corp.example"}, [])


@pytest.mark.parametrize("broken", [
    lambda line: line[:-30], lambda line: line + ',"more"', lambda line: '"' + line, lambda line: "garbage",
    lambda line: line.replace('"', "", 1),
])
@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_broken_row_costs_itself(broken: Any, place: int, read_bytes: ReadBytes) -> None:
    lines = EXPORT.rstrip().split("\r\n")
    lines[place] = broken(lines[place])
    events, tally = read_bytes("\r\n".join(lines).encode())
    assert len(events) == 2
    assert [(loss.where, loss.records) for loss in tally.losses] == [(f"line {place + 1}", 1)]
    assert tally.losses[0].reason.startswith("broken row") or tally.losses[0].reason == NO_TIME


def test_an_export_of_no_rows_is_noted(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(EXPORT.partition("\r\n")[0].encode())
    assert (events, tally.losses, tally.notes) == ([], [], ["input: a header and no record"])


def test_an_export_without_its_header(read_bytes: ReadBytes) -> None:
    tally = Tally()
    stream = cast("BinaryIO", buffered(Filled(io.BytesIO(b"a,b\n1,2\n").read)))
    assert not list(read(stream, Source("x"), Wanted.everything(), tally, Limits()))
    assert [(loss.reason, loss.records) for loss in tally.losses] == [(NO_HEADER, None)]


def test_many_open_quotes_cost_no_time(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes((EXPORT + 'x,"open\n' + "x\n" * 10_000 + 'x,"open\n' + "x\n" * 10_000).encode())
    assert (len(events), tally.records_lost) == (3, 1), "what is no row behind a lost one was part of it"
