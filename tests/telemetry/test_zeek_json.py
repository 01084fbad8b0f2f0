"""Zeek's JSON logs give what the tab-separated ones give; which log a record is of; times; damage."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from douse.telemetry.damage import CUT_OFF, NOT_JSON
from douse.telemetry.zeek_json import NO_EVENT

from .conftest import ReadBytes
from .test_zeek import HTTP

FIVE = {"ts": 1795514712.5, "uid": "Cabc3", "id.orig_h": "10.1.2.3", "id.orig_p": 49713, "id.resp_h": "203.0.113.7",
        "id.resp_p": 8080}
REQUEST: dict[str, Any] = {
    **FIVE, "trans_depth": 1, "method": "POST", "host": "exfil.example", "uri": "/api?x=1", "user_agent": "curl/8",
    "request_body_len": 20480, "response_body_len": 12, "status_code": 200, "tags": [],
    "resp_mime_types": ["text/plain", "text/html"]}


def lines(*rows: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_the_same_as_from_tabs(read_bytes: ReadBytes) -> None:
    (event,), tally = read_bytes(lines(REQUEST), "export.json")
    (twin,), _ = read_bytes(HTTP.encode())
    assert (event.channel, event.host, event.time, tally.losses) == (twin.channel, twin.host, twin.time, [])
    assert event.source.format == "zeek_json"
    assert {name: event.text(name) for name in twin.fields if name != "ts"} == {
        name: twin.text(name) for name in twin.fields if name != "ts"}


@pytest.mark.parametrize("data", [
    lines(REQUEST, REQUEST), json.dumps([REQUEST, REQUEST]).encode(), json.dumps([REQUEST, REQUEST], indent=2).encode(),
    b"\xef\xbb\xbf" + lines(REQUEST, REQUEST), json.dumps([REQUEST, REQUEST]).encode("utf-16"),
])
def test_shapes(data: bytes, read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(data)
    assert ([event.channel for event in events], tally.losses) == (["Zeek/http"] * 2, [])


@pytest.mark.parametrize(("more", "name", "channel"), [
    ({"_path": "ssl"}, "", "Zeek/ssl"), ({"conn_state": "SF"}, "", "Zeek/conn"),
    ({"AA": False, "rejected": False}, "", "Zeek/dns"), ({"established": True, "resumed": False}, "", "Zeek/ssl"),
    ({"trans_depth": 1, "tls": False}, "", "Zeek/smtp"), ({}, "ntlm.log", "Zeek/ntlm"), ({}, "x.log", "Zeek/unknown"),
    ({"_path": "a/../b"}, "", "Zeek/unknown"), ({"certificate.serial": "8BB00EE"}, "", "Zeek/x509"),
])
def test_which_log_a_record_is_of(more: dict[str, Any], name: str, channel: str, read_bytes: ReadBytes) -> None:
    (event,), _ = read_bytes(lines({**FIVE, **more}), name or "input")
    assert event.channel == channel


@pytest.mark.parametrize("ts", [1795514712.5, 1795514712500, "2026-11-24T10:05:12.500000Z", "1795514712.5"])
def test_times(ts: object, read_bytes: ReadBytes) -> None:
    (event,), _ = read_bytes(lines({**FIVE, "ts": ts}))
    assert event.time == datetime(2026, 11, 24, 10, 5, 12, 500000, tzinfo=UTC)


def test_a_nested_id(read_bytes: ReadBytes) -> None:
    nested = {"ts": 1795514712.5, "uid": "C1", "_path": "conn", "id": {"orig_h": "10.1.2.3", "resp_h": "203.0.113.7"}}
    (event,), _ = read_bytes(lines(nested))
    assert (event.host, event.text("dst_ip")) == ("10.1.2.3", "203.0.113.7")


def test_damage_is_counted_and_the_rest_read(read_bytes: ReadBytes) -> None:
    whole = lines(REQUEST)
    events, tally = read_bytes(whole + whole[:90] + b"\n" + lines({"uid": "no time"}) + whole + whole[:90])
    assert len(events) == 2
    assert [(loss.reason, loss.records) for loss in tally.losses] == [(NOT_JSON, 1), (NO_EVENT, 1), (CUT_OFF, 1)]


def test_what_elastic_made_of_it_is_not_ours(read_bytes: ReadBytes) -> None:
    _, tally = read_bytes(lines({"@timestamp": "2026-11-24T10:05:12Z", **FIVE}), "filebeat.json")
    assert all(loss.source.format != "zeek_json" for loss in tally.losses)
    assert tally.losses
