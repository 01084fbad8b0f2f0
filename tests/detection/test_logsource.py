"""The table of log sources against SigmaHQ's map; what single sources mean is in cases/logsources.yml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from detection.makers import event
from douse.content.logsources import log_sources
from douse.detection.logsource import Nowhere, Route, alias_table, is_elsewhere, narrowed, routes, sigma_fields
from douse.model import LogSource


def upstream(shared: Path) -> dict[str, dict[str, Any]]:
    loaded: dict[str, Any] = yaml.safe_load((shared / "data" / "sigma" / "thor.yml").read_text(encoding="utf-8"))
    sources: dict[str, dict[str, Any]] = loaded["logsources"]
    return sources


def channels_of(source: dict[str, Any], services: dict[str, list[str]]) -> list[str]:
    named = source.get("sources") or services.get(source["rewrite"]["service"], [])
    return [name.removeprefix("WinEventLog:").lower() for name in named]


def narrows_and_names_alike(source: dict[str, Any], route: Route) -> int:
    """Checks the conditions beside the event id and the field names of a source; how many names there were."""
    where = dict(route.where)
    for field, value in source.get("conditions", {}).items():
        assert field == "EventID" or str(value).casefold() in where[field]
    names = source.get("fieldmappings", {})
    for field, own in names.items():
        assert alias_table(route.aliases)[field.lower()].value(event({own: "x"})) == "x"
    return len(names)


def test_every_windows_source_of_sigmahqs_map_is_in_ours(shared: Path) -> None:
    sources = upstream(shared)
    services = {source["service"]: source["sources"] for source in sources.values()
                if source.get("product") == "windows" and "sources" in source}
    checked = mapped = 0
    for name, source in sources.items():
        if source.get("product") != "windows" and source.get("rewrite", {}).get("product") != "windows":
            continue
        found = routes(LogSource("windows", source.get("category", ""), source.get("service", "")))
        assert not isinstance(found, Nowhere), name
        ids = source.get("conditions", {}).get("EventID")
        wanted = {(channel, number) for channel in channels_of(source, services)
                  for number in (ids if isinstance(ids, list) else [ids])}
        assert wanted <= {(route.channel, route.event_id) for route in found}, name
        for route in found:
            if (route.channel, route.event_id) in wanted:
                mapped += narrows_and_names_alike(source, route)
        checked += 1
    assert checked > 80
    assert mapped >= 4


def test_a_category_never_reaches_a_record_by_two_routes() -> None:
    for category in log_sources().categories:
        found = routes(LogSource("windows", category))
        assert not isinstance(found, Nowhere)
        pairs = [(route.channel, route.event_id) for route in found]
        assert len(pairs) == len(set(pairs)), category


@pytest.mark.parametrize(("source", "reason"), [
    (LogSource("linux", "process_creation"), "product linux is not Windows"),
    (LogSource("", "nosuch"), "no Windows event log is known for category nosuch"),
    (LogSource("", "database"), "category database: database servers write it, and Douse does not read their logs"),
    (LogSource("zeek", "", "nosuch"), "zeek has no log nosuch that we know"),
    (LogSource("zeek", "", "htp"), "zeek has no log htp that we know; did you mean 'http'?"),
    (LogSource("zeek", "process_creation"), "no log of zeek is known for category process_creation"),
    (LogSource("windows", "", "nosuch"), "no Windows event log is known for service nosuch"),
    (LogSource("windows", "process_creaton"),
     "no Windows event log is known for category process_creaton; did you mean 'process_creation'?"),
    (LogSource("windows", "", "windefender"),
     "no Windows event log is known for service windefender; did you mean 'windefend'?"),
    (LogSource("windows", "dns_query", "security"), "category dns_query is not in the channels of service security"),
])
def test_what_maps_nowhere_says_why(source: LogSource, reason: str) -> None:
    assert routes(source) == Nowhere(reason)


def test_a_source_without_product_is_windows_when_we_know_it() -> None:
    assert routes(LogSource("", "process_creation")) == routes(LogSource("Windows", "Process_Creation"))


@pytest.mark.parametrize(("source", "channels"), [
    (LogSource("", "proxy"), ["proxy/access", "zeek/http"]), (LogSource("", "dns"), ["zeek/dns"]),
    (LogSource("", "webserver"), ["webserver/access"]), (LogSource("", "firewall"), ["firewall/traffic", "zeek/conn"]),
    (LogSource("Zeek", "", "HTTP"), ["zeek/http"]), (LogSource("zeek", "proxy"), ["zeek/http"]),
    (LogSource("zeek", "proxy", "dns"), []), (LogSource("windows", "file_rename"), ["mde/devicefileevents"]),
])
def test_logs_that_windows_does_not_write(source: LogSource, channels: list[str]) -> None:
    found = routes(source)
    assert [route.channel for route in (() if isinstance(found, Nowhere) else found)] == channels


def test_a_product_without_a_service_reads_all_its_logs() -> None:
    found = routes(LogSource("zeek"))
    assert not isinstance(found, Nowhere)
    assert {("zeek/conn", None), ("zeek/x509", None)} <= {(route.channel, route.event_id) for route in found}


def test_all_of_windows_is_what_windows_computers_write() -> None:
    assert [is_elsewhere(channel) for channel in ("Zeek/http", "Proxy/access", "CEF/event")] == [True] * 3
    assert [is_elsewhere(channel) for channel in ("Security", "MDE/DeviceEvents", "ZeekX")] == [False] * 3


def test_routes_are_narrowed_to_the_event_ids_a_rule_can_match() -> None:
    security = routes(LogSource("windows", "", "security"))
    assert not isinstance(security, Nowhere)
    assert narrowed(security, None) == (Route("security", None),)
    assert narrowed(security, frozenset({4624, 4625})) == (Route("security", 4624), Route("security", 4625))
    registry = routes(LogSource("windows", "registry_event"))
    assert not isinstance(registry, Nowhere)
    assert [route.event_id for route in narrowed(registry, frozenset({13, 4657, 4688}))] == [13, 4657, 13]


def test_every_alias_can_be_used() -> None:
    for name in log_sources().aliases:
        assert alias_table(name)
    assert alias_table("") == {}


def test_fields_of_sigma_never_hide_the_records_own() -> None:
    record = event({"NewProcessName": "C:\\a.exe", "ProcessId": "0x10", "NewProcessId": "0x20"}, "Security", 4688)
    assert sigma_fields(record) == {"Image": "C:\\a.exe", "ParentProcessId": "16"}
    assert sigma_fields(event({"Image": "C:\\a.exe"})) == {}
