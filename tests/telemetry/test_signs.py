"""Telling formats by their first lines: each reader takes its own, under any name, and nothing that is none of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.telemetry import Limits, Tally, Wanted, read_path, signs
from douse.telemetry.readers import choose

from . import test_access, test_cef, test_mde, test_mde_csv, test_squid, test_w3c, test_zeek, test_zeek_json
from .conftest import ReadBytes
from .test_archive import event_line

OWN = {
    "zeek": test_zeek.CONN.encode(), "zeek_json": test_zeek_json.lines(test_zeek_json.REQUEST),
    "squid": test_squid.GET.encode(), "access": test_access.PROXY.encode(), "w3c": test_w3c.PROXY.encode(),
    "cef": test_cef.WEB.encode(), "mde": json.dumps(test_mde.ANSWER).encode(), "mde_csv": test_mde_csv.EXPORT.encode(),
}
SIGNS = {"zeek": signs.ZEEK, "zeek_json": signs.ZEEK_JSON, "squid": signs.SQUID, "access": signs.ACCESS,
         "w3c": signs.W3C, "cef": signs.CEF, "mde": signs.MDE, "mde_csv": signs.MDE_CSV}


@pytest.mark.parametrize("format_", OWN)
def test_each_format_has_one_sign(format_: str) -> None:
    assert [name for name, sign in SIGNS.items() if sign.match(OWN[format_])] == [format_]


@pytest.mark.parametrize("format_", OWN)
@pytest.mark.parametrize("name", ["no name says it", "x.log", "x.txt", "x.json", "x.csv"])
def test_a_walk_finds_it_under_any_name(format_: str, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(OWN[format_])
    tally = Tally()
    events = list(read_path(path, Wanted.everything(), tally, Limits(), named=False))
    assert {event.source.format for event in events} == {format_}
    assert (tally.losses, tally.ignored) == ([], 0)


@pytest.mark.parametrize("format_", ["squid", "access", "cef", "zeek", "w3c"])
def test_a_few_damaged_lines_come_before_it(format_: str) -> None:
    chosen = choose(b"\x01 torn line\n" * 3 + OWN[format_], "x", named=False)
    assert chosen is not None
    assert chosen.name == format_


def test_a_record_of_zeek_whose_header_is_lost_is_told_and_lost(read_bytes: ReadBytes) -> None:
    line = b"1795514712.123456\tCHhAvvGS1DHFjwGM9\t10.1.2.3\t49712\t203.0.113.7\t443\ttcp\tssl\t1.5\t20480\t507\tSF"
    assert signs.ZEEK.match(line)
    assert not signs.ZEEK.match(line.replace(b"\t", b" "))
    events, tally = read_bytes(line * 2 + b"\n" + line)
    assert (events, tally.records_lost) == ([], 2)
    assert "header" in tally.losses[0].next_step


@pytest.mark.parametrize("header", ["fw1 ", "10.0.0.1 ", "fe80::1 ", "Nov 24 10:05:12 fw1 ",
                                    "<134>1 2026-11-24T10:05:12Z a - "])
def test_cef_behind_any_header(header: str) -> None:
    assert signs.CEF.match(header.encode() + OWN["cef"])


@pytest.mark.parametrize("data", [
    event_line(1), b'{"ts": 1}', b'{"Timestamp": "x", "DeviceName": "y"}', b"# separator\n#fields\n",
    b"#Fields: a b c\n", b"10.1.2.3 - - [today] \"GET / HTTP/1.1\"\n", b"1795514712.123 x y\n", b"see CEF:0|A|B|\n",
    b"Timestamp,Name\n1,2\n", b'{"a": "\\"Timestamp\\": \\"ActionType\\": \\"DeviceId\\":"}',
    b'{"log": "CEF:0|A|B|1|2|3|4|"}', b"", b"\x00" * 100,
])
def test_what_is_none_of_them(data: bytes) -> None:
    assert [name for name, sign in SIGNS.items() if sign.match(data)] == []


@given(st.binary(max_size=2_000))
def test_any_bytes_are_told_without_an_error(data: bytes) -> None:
    for sign in SIGNS.values():
        assert sign.match(data) in (True, None)
