"""Zeek's tab-separated logs: header, types, Sigma's names, logs strung together, damage, hostile text."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.telemetry.textlog import Record
from douse.telemetry.zeek import NO_FIELDS, NO_TIME, UNKNOWN, WRONG_COUNT, _Parser, path_of_name

from .conftest import ReadBytes


def log(path: str, columns: dict[str, str], *rows: str) -> str:
    """A Zeek log: column -> type, and rows whose values are separated by blanks."""
    return (f"#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\t{path}\n"
            f"#open\t2026-11-24-10-00-00\n#fields\t" + "\t".join(columns) + "\n#types\t" + "\t".join(columns.values())
            + "\n" + "".join("\t".join(row.split(" ")) + "\n" for row in rows) + "#close\t2026-11-24-11-00-00\n")


FIVE = {"ts": "time", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port", "id.resp_h": "addr",
        "id.resp_p": "port"}
CONN = log("conn", {**FIVE, "proto": "enum", "duration": "interval", "orig_bytes": "count", "resp_bytes": "count",
                    "conn_state": "string", "local_orig": "bool"},
           "1795514712.123456 Cabc1 10.1.2.3 49712 203.0.113.7 443 tcp 1.5 20480 507 SF T",
           "1795514713.5 Cabc2 198.51.100.9 1025 10.0.0.5 443 tcp - - - S0 -")
HTTP = log("http", {**FIVE, "trans_depth": "count", "method": "string", "host": "string", "uri": "string",
                    "user_agent": "string", "request_body_len": "count", "response_body_len": "count",
                    "status_code": "count", "tags": "set[enum]", "resp_mime_types": "vector[string]"},
           "1795514712.5 Cabc3 10.1.2.3 49713 203.0.113.7 8080 1 POST exfil.example /api?x=1 curl/8 20480 12 200 "
           "(empty) text/plain,text/html")
DNS = log("dns", {**FIVE, "query": "string", "qtype_name": "string", "answers": "vector[string]", "rejected": "bool"},
          "1795514712.5 Cabc4 10.1.2.3 5353 10.0.0.1 53 t.me A 203.0.113.9,203.0.113.10 F")


def test_a_connection_and_whose_it_is(read_bytes: ReadBytes) -> None:
    (out, came), tally = read_bytes(CONN.encode(), "conn.log")
    assert tally.losses == []
    assert (out.channel, out.event_id, out.host, out.source.format) == ("Zeek/conn", 0, "10.1.2.3", "zeek")
    assert out.time == datetime(2026, 11, 24, 10, 5, 12, 123456, tzinfo=UTC)
    assert (out.get("local_orig"), out.text("orig_bytes"), out.text("dst_ip")) == (True, "20480", "203.0.113.7")
    assert (came.host, came.has("orig_bytes"), came.has("local_orig")) == ("10.0.0.5", False, False)


def test_a_request_has_the_names_of_a_proxy_too(read_bytes: ReadBytes) -> None:
    (event,), _ = read_bytes(HTTP.encode(), "http.log")
    assert event.get("c-uri") == ["http://exfil.example:8080/api?x=1", "/api?x=1"]
    expected = {"cs-method": "POST", "cs-host": "exfil.example", "c-useragent": "curl/8", "cs-bytes": "20480",
                "sc-status": "200", "src_ip": "10.1.2.3", "host": "exfil.example", "uri": "/api?x=1"}
    assert {name: event.text(name) for name in expected} == expected
    assert (event.get("tags"), event.get("resp_mime_types")) == ([], ["text/plain", "text/html"])


def test_a_query_has_the_names_of_a_name_server_too(read_bytes: ReadBytes) -> None:
    (event,), _ = read_bytes(DNS.encode(), "dns.log")
    assert (event.get("answer"), event.get("record_type"), event.get("rejected")) == (
        ["203.0.113.9", "203.0.113.10"], "A", False)


def test_logs_strung_together_and_packed(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(gzip.compress((CONN + HTTP + DNS).encode()), "all.log.gz")
    assert [event.channel for event in events] == ["Zeek/conn", "Zeek/conn", "Zeek/http", "Zeek/dns"]
    assert tally.losses == []


def test_another_separator(read_bytes: ReadBytes) -> None:
    (event, _), _ = read_bytes(CONN.replace("\t", "|").replace("\\x09", "\\x7c").encode())
    assert event.text("id.resp_h") == "203.0.113.7"


@pytest.mark.parametrize(("line", "reason"), [
    ("1795514712.5\tC\t10.1.2.3", WRONG_COUNT), ("\t".join("x" * 12), NO_TIME), ("x\0y", WRONG_COUNT),
])
def test_each_damaged_line_is_one_loss(line: str, reason: str, read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(CONN.replace("#close", f"{line}\n#close").encode())
    assert len(events) == 2
    assert [(loss.where, loss.reason, loss.records) for loss in tally.losses] == [("line 11", reason, 1)]


def test_rows_without_their_header_are_lost(read_bytes: ReadBytes) -> None:
    cut = CONN.replace("#fields", "#f").replace("#types", "#t")
    events, tally = read_bytes(cut.encode())
    assert (events, [loss.reason for loss in tally.losses], tally.records_lost) == ([], [NO_FIELDS] * 2, 2)


def test_a_damaged_first_line_hides_no_log(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(b"\xff\x00tor \\x09\n" + CONN.encode().partition(b"\n")[2], "conn.log")
    assert len(events) == 2
    assert tally.records_lost == 1


def test_a_log_without_times_is_passed_over_with_a_note(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(log("loaded_scripts", {"name": "string"}, "/a.zeek", "/b.zeek").encode())
    assert (events, tally.losses, tally.records_read) == ([], [], 0)
    assert tally.notes == ["input: 2 lines of a Zeek log without times were passed over"]


def test_a_header_and_nothing_else_is_noted(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(log("conn", FIVE).encode())
    assert (events, tally.losses, tally.notes) == ([], [], ["input: a header and no record"])


def test_a_hostile_path_makes_no_channel(read_bytes: ReadBytes) -> None:
    events, _ = read_bytes(CONN.replace("#path\tconn", "#path\t../security\x1b[31m").encode())
    assert {event.channel for event in events} == {f"Zeek/{UNKNOWN}"}


@pytest.mark.parametrize(("name", "path"), [
    ("conn.log", "conn"), ("2026-11-24/http.10:00:00-11:00:00.log.gz", "http"),
    ("a.zip!logs\\smb_files.log", "smb_files"), ("dns_20261124.json", "dns"), ("SSL.log", "ssl"),
    ("evidence.json", UNKNOWN), ("-", UNKNOWN), ("", UNKNOWN),
])
def test_what_a_files_name_says(name: str, path: str) -> None:
    assert path_of_name(name) == path


@given(st.text(max_size=200))
def test_a_hostile_agent_changes_no_other_field(agent: str) -> None:
    parser = _Parser("http")
    *head, row, _, _ = HTTP.split("\n")
    for line in head:
        assert parser.parse(line) is None
    parsed = parser.parse(row.replace("curl/8", agent.replace("\t", "\\x09").replace("\n", "\\x0a")))
    assert isinstance(parsed, Record)
    assert (parsed.decode()["id.orig_h"], parsed.decode()["cs-host"]) == ("10.1.2.3", "exfil.example")
