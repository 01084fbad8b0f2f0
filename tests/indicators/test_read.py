"""Files of indicators: told apart by content, every entry used or named with its place, one value named once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.errors import ContentError
from douse.indicators import grammar, patterns, read
from douse.indicators.known import Known, Origin, merged
from douse.indicators.read import IndicatorFiles, lines_of, read_files

Write = Callable[..., Path]
SHA256 = "ca97" * 16
MALWARE, OTHER, MAKER = "malware--1", "malware--2", "identity--1"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of indicators."""

    def written(content: str | bytes | dict[str, Any] | list[Any], name: str = "ioc.txt") -> Path:
        path = tmp_path / name
        if isinstance(content, dict | list):
            content = json.dumps(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


def values(found: IndicatorFiles) -> list[tuple[str, str]]:
    return [(one.type, one.value) for one in found.known]


def places(found: IndicatorFiles) -> list[str]:
    return [skip.where.rpartition("ioc.txt")[2] for skip in found.skips]


# --- one value a line -------------------------------------------------------------------------------------------------


def test_a_list_with_notes_comments_and_bad_lines(write: Write) -> None:
    path = write("# feed\n; old\n// older\n\nbad[.]example   # Lumma, C2\nhttp://bad.example/x#frag\n"
                 "0.0.0.0 worse.example\n127.0.0.1\tworst.example # sink\n10.1.2.3\n10.1.2.4 # our honeypot\n???\n")
    found = read_files([path])
    assert values(found) == [
        ("domain-name", "bad.example"), ("url", "http://bad.example/x"), ("domain-name", "worse.example"),
        ("domain-name", "worst.example"), ("ipv4-addr", "10.1.2.4")]
    assert found.known[0].origins == (Origin(f"{path}:5", "Lumma, C2"),)
    assert str(found.known[0].origins[0]) == f"{path}:5 ('Lumma, C2')"
    assert places(found) == [":9", ":11"]
    assert "is private" in found.skips[0].what
    assert "'???'" in found.skips[1].what
    (file,) = found.files
    assert (file.path, file.size, file.skipped) == (str(path), path.stat().st_size, 2)
    assert file.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert file.summary == f"{path}: 5 indicators (3 domains, 1 URL, 1 address); 2 could not be used"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_windows_writes(write: Write, encoding: str, end: str) -> None:
    found = read_files([write(f"bad.example{end}203.0.113.7{end}".encode(encoding))])
    assert values(found) == [("domain-name", "bad.example"), ("ipv4-addr", "203.0.113.7")]
    assert found.known[1].origins[0].where.endswith(":2")


@pytest.mark.parametrize(("content", "place", "said"), [
    (b"", "", "names no indicator"), (b"# nothing\n\n", "", "names no indicator"),
    (b"bad.example\n\xff\xfe\x00", ":2", "neither UTF-8 nor UTF-16"),
    (b"what is this\nand this\n", ":1", "nothing else"),
    (b"ElfFile\x00\x00\x01", ":1", "no domain"), (b"{\n", "", "begins as JSON"), (b'{"a": 1}', "", "no STIX"),
    (b"[1, 2]", "", "no STIX"), (b"[[[[", "", "begins as JSON"), (b'{"type": "bundle"}', "", "no STIX"),
    (b"[" * 100_000, "", "begins as JSON"),
])
def test_a_file_of_no_use_is_an_error_with_its_place(write: Write, content: bytes, place: str, said: str) -> None:
    path = write(content)
    with pytest.raises(ContentError) as error:
        read_files([path])
    assert error.value.where == f"{path}{place}"
    assert said in error.value.what
    assert error.value.next_step


def test_files_that_cannot_be_read(tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ContentError, match=r"none\.txt: cannot be read \(No such file"):
        read_files([tmp_path / "none.txt"])
    with pytest.raises(ContentError, match="cannot be read"):
        read_files([tmp_path])
    monkeypatch.setattr(read, "MAX_BYTES", 8)
    with pytest.raises(ContentError, match="larger than"):
        read_files([write("bad.example\n")])
    monkeypatch.undo()
    monkeypatch.setattr(read, "MOST", 1)
    with pytest.raises(ContentError, match="more than 1 indicators"):
        read_files([write("bad.example\nworse.example\n")])


def test_a_defanged_value_is_not_taken_for_json(write: Write) -> None:
    assert values(read_files([write("[2001:db8::1]:443\n")])) == [("ipv6-addr", "2001:db8::1")]


def test_many_bad_entries_are_listed_in_part_and_counted(write: Write) -> None:
    found = read_files([write("bad.example\n" + "?\n" * 50)])
    listed = list(lines_of(found.skips, 20))
    assert len(listed) == 21
    assert "this and 29 more entries" in listed[-1].what
    assert list(lines_of(found.skips, 50)) == list(found.skips)


# --- tables -----------------------------------------------------------------------------------------------------------


def test_a_table_by_the_names_of_its_columns(write: Write) -> None:
    path = write("type;indicator;family;source;first_seen;expires;note;tags;tlp\n"
                 "domain;bad.example;Lumma;CERT;2026-11-01 08:00:00;2026-12-01;lure;c2, clickfix;TLP:AMBER\n"
                 "\n# comment\nip;10.0.0.1;;;;;;;\nip;10.0.0.2;;;;;our sinkhole;;\nurl;bad.example/x;;;;tomorrow;;;\n"
                 "domain;few.example\n\"open;worse.example;;;;;;;\n")
    found = read_files([path])
    assert values(found) == [("domain-name", "bad.example"), ("ipv4-addr", "10.0.0.2")]
    (one, _) = found.known
    assert one.families == ("Lumma",)
    assert one.labels == ("c2", "clickfix")
    assert one.origins == (Origin(f"{path}:2", "lure", "CERT", "amber"),)
    assert (one.valid_from, one.valid_until) == (datetime(2026, 11, 1, 8, tzinfo=UTC),
        datetime(2026, 12, 1, tzinfo=UTC))
    assert places(found) == [":5", ":7", ":8", ":9"]
    assert "its end 'tomorrow' is no time" in found.skips[1].what
    assert "has 2 cells" in found.skips[2].what


def test_exports_of_feeds(write: Write) -> None:
    threatfox = read_files([write(
        '################\n# ThreatFox\n# "first_seen_utc","ioc_id","ioc_value","ioc_type","malware_printable"\n'
        '"2026-11-01 08:00:00", "1", "203.0.113.7:443", "ip:port", "Lumma Stealer"\n'
        '"2026-11-01 09:00:00", "2", "http://bad.example/a,b", "url", "None"\n')])
    assert values(threatfox) == [("ipv4-addr", "203.0.113.7"), ("url", "http://bad.example/a,b")]
    assert [one.families for one in threatfox.known] == [("Lumma Stealer",), ()]
    urlhaus = read_files([write("# id,dateadded,url,url_status\n#\n1,2026-11-01 08:00:00,http://bad.example/x,online\n",
                                "b.csv")])
    assert values(urlhaus) == [("url", "http://bad.example/x")]
    defender = read_files([write(
        "IndicatorType,IndicatorValue,ExpirationTime,Action,Severity,Title,Description\n"
        f"FileSha256,{SHA256},2027-01-01T00:00:00.0Z,Block,High,Bad,Found\n"
        "DomainName,ours.example,,Allowed,,Ours,\n", "c.csv")])
    assert values(defender) == [("file", SHA256)]
    assert defender.known[0].valid_until == datetime(2027, 1, 1, tzinfo=UTC)
    assert defender.files[0].summary.endswith(
        "1 indicator (1 file hash); 1 left out: allowed by their own table (action Allowed)")


def test_a_list_with_a_heading_keeps_its_commas(write: Write) -> None:
    assert values(read_files([write("url\nhttp://bad.example/a,b;c\n")])) == [("url", "http://bad.example/a,b;c")]


def test_a_remark_about_domains_is_no_header(write: Write) -> None:
    assert values(read_files([write("# url, domain\nbad.example\n")])) == [("domain-name", "bad.example")]


# --- STIX -------------------------------------------------------------------------------------------------------------


def bundle(*objects: dict[str, Any]) -> dict[str, Any]:
    return {"type": "bundle", "id": "bundle--1", "objects": list(objects)}


def indicator(number: int, pattern: str, **more: Any) -> dict[str, Any]:
    return {"type": "indicator", "spec_version": "2.1", "id": f"indicator--{number}", "pattern": pattern,
            "pattern_type": "stix", "valid_from": "2026-11-01T00:00:00Z", **more}


def relation(source: str, kind: str, target: str) -> dict[str, Any]:
    return {"type": "relationship", "id": f"relationship--{source}{target}", "relationship_type": kind,
            "source_ref": source, "target_ref": target}


def test_a_bundle_with_everything_around(write: Write) -> None:
    path = write(bundle(
        indicator(1, "[domain-name:value = 'bad.example']", name="Lure", valid_until="2026-12-01T00:00:00.000Z",
                  labels=["malicious-activity"], created_by_ref=MAKER,
                  object_marking_refs=["marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"]),
        indicator(2, "[file:hashes.'SHA-256' = '" + SHA256 + "' OR file:hashes.MD5 = '" + "ab" * 16 + "']",
                  object_marking_refs=["marking-definition--ours",
                      "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]),
        indicator(3, "[url:value = 'http://gone.example/']", revoked=True),
        indicator(4, "[ipv4-addr:value = '203.0.113.0/24'] OR [ipv6-addr:value = '2001:db8::1']"),
        {"type": "malware", "id": MALWARE, "name": "Lumma"}, {"type": "malware", "id": OTHER, "name": "Amadey"},
        {"type": "identity", "id": MAKER, "name": "CERT Example"},
        {"type": "marking-definition", "id": "marking-definition--ours", "definition_type": "tlp", "name": "TLP:RED"},
        relation("indicator--1", "indicates", MALWARE), relation("indicator--1", "indicates", OTHER),
        relation("indicator--2", "indicates", "campaign--1")))
    found = read_files([path])
    assert values(found) == [
        ("domain-name", "bad.example"), ("file", SHA256), ("file", "ab" * 16), ("ipv4-addr", "203.0.113.0/24"),
        ("ipv6-addr", "2001:db8::1")]
    first, second = found.known[:2]
    assert first == Known(
        "domain-name", "bad.example", (Origin(f"{path}: indicator--1", "Lure", "CERT Example", "amber"),),
        ("Lumma", "Amadey"), ("malicious-activity",), datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 12, 1, tzinfo=UTC))
    assert str(first.origins[0]) == f"{path}: indicator--1 ('Lure', by CERT Example)"
    assert second.tlp == "red"
    assert found.files[0].left_out == {"revoked by their author": 1}
    assert found.skips == ()


def test_observables_unless_they_are_only_what_a_victim_had(write: Write) -> None:
    found = read_files([write(bundle(
        {"type": "domain-name", "id": "domain-name--1", "value": "bad.example"},
        {"type": "domain-name", "id": "domain-name--2", "value": "victim.example"},
        {"type": "url", "id": "url--1", "value": "http://based.example/x"},
        {"type": "file", "id": "file--1", "hashes": {"SHA-256": SHA256, "MD5": "ab" * 16, "SSDEEP": "3:a"}},
        {"type": "file", "id": "file--2", "name": "a.exe"}, {"type": "ipv4-addr", "id": "ipv4-addr--1"},
        {"type": "observed-data", "id": "observed-data--1", "object_refs": ["domain-name--2", "url--1"]},
        {"type": "malware", "id": MALWARE, "name": "Lumma", "sample_refs": ["file--1"]},
        relation(MALWARE, "communicates-with", "domain-name--1"), relation("indicator--9", "based-on", "url--1")))])
    assert values(found) == [("domain-name", "bad.example"), ("url", "http://based.example/x"), ("file", SHA256),
                             ("file", "ab" * 16)]
    assert [one.families for one in found.known] == [("Lumma",), (), ("Lumma",), ("Lumma",)]
    assert found.files[0].left_out == {
        "observables that were only observed (observed-data)": 1, "files without an MD5, SHA-1 or SHA-256": 1}
    assert places(found) == [": ipv4-addr--1"]


@pytest.mark.parametrize("wrap", [
    lambda one: bundle(one), lambda one: {"more": False, "objects": [one]}, lambda one: [one], lambda one: one])
def test_bundles_envelopes_lists_and_single_objects(write: Write, wrap: Callable[[object], Any]) -> None:
    found = read_files([write(wrap(indicator(1, "[domain-name:value = 'bad.example']")))])
    assert values(found) == [("domain-name", "bad.example")]


@pytest.mark.parametrize(("more", "said"), [
    ({"pattern_type": "sigma"}, "of the type sigma"), ({"pattern_type": "yara"}, "of the type yara"),
    ({"pattern": None}, "has no pattern"), ({"pattern": 7}, "has no pattern"),
    ({"valid_until": "soon"}, "valid_until 'soon' is no time"),
    ({"pattern": "[domain-name:value = 'com']"}, "'com' is a"),
    ({"pattern": "[domain-name:value"}, "no STIX pattern"), ({"pattern": "[" + "(" * 5_000}, "not convertible"),
    ({"pattern": "x" * (patterns.LONGEST + 1)}, "longer than"),
])
def test_indicators_that_cannot_be_used_are_named(write: Write, more: dict[str, Any], said: str) -> None:
    path = write(bundle(indicator(1, "[domain-name:value = 'bad.example']"),
                        {**indicator(2, "[domain-name:value = 'worse.example']"), **more}, {"no": "type"}))
    found = read_files([path])
    assert values(found) == [("domain-name", "bad.example")]
    assert places(found) == [": indicator--2", ": object 3"]
    assert said in found.skips[0].what
    assert all(skip.next_step for skip in found.skips)


@pytest.mark.parametrize(("pattern", "found", "said"), [
    ("[domain-name:value = 'a.example' OR url:value = 'http://b.example/']", ["a.example", "http://b.example/"], []),
    ("[domain-name:value = 'a.example'] OR ([url:value = 'http://b.example/'])", ["a.example", "http://b.example/"],
        []),
    ("[domain-name:value IN ('a.example', 'b.example')]", ["a.example", "b.example"], []),
    ("[file:hashes.MD5 = 'x' OR file:hashes.'sha-1' = 'y' OR file:hashes.\"SHA-256\" = 'z']", [], ["no STIX pattern"]),
    ("[file:hashes.MD5 = 'x' OR file:hashes.'sha-1' = 'y']", ["x", "y"], []),
    ("[network-traffic:dst_ref.value = '203.0.113.7']", ["203.0.113.7"], []),
    ("[url:value = 'http://a.example/it\\'s\\\\']", ["http://a.example/it's\\"], []),
    ("[domain-name:value = 'a.example' AND file:name = 'x']", [], ["(AND)"]),
    ("[domain-name:value = 'a.example'] AND [url:value = 'x']", [], ["(AND)"]),
    ("[domain-name:value = 'a.example'] FOLLOWEDBY [url:value = 'x']", [], ["(FOLLOWEDBY)"]),
    ("[domain-name:value = 'a.example'] WITHIN 5 SECONDS", [], ["(WITHIN, START, REPEATS)"]),
    ("[domain-name:value = 'a.example'] REPEATS 5 TIMES", [], ["(WITHIN, START, REPEATS)"]),
    ("[domain-name:value != 'a.example']", [], ["(NOT, !=)"]),
    ("[domain-name:value NOT IN ('a.example')]", [], ["(NOT, !=)"]),
    ("[domain-name:value LIKE '%.example' OR url:value = 'x']", ["x"], ["otherwise than for equality (LIKE)"]),
    ("[url:value MATCHES 'a.*']", [], ["(REGEX)"]), ("[ipv4-addr:value ISSUBSET '203.0.113.0/24']", [], ["(ISSUBSET)"]),
    ("[file:size > 7]", [], ["(ORDER)"]), ("[file:size = 7]", [], ["something that is no text"]),
    ("[EXISTS file:name]", [], ["(EXISTS)"]), ("[file:name = 'x.exe']", [], ["compares file:name"]),
    ("[file:hashes.'SHA-512' = 'x']", [], ["compares file:hashes.'SHA-512'"]),
    ("[process:command_line = 'x' OR file:hashes.MD5 = 'y']", ["y"], ["compares process:command_line"]),
    ("", [], ["no STIX pattern"]), ("[]", [], ["no STIX pattern"]), ("[a:b = 'x' ", [], ["no STIX pattern"]),
])
def test_patterns(pattern: str, found: list[str], said: list[str]) -> None:
    result = patterns.read_pattern(pattern)
    assert list(result.values) == found
    assert len(result.rest) == len(said)
    assert all(word in reason for word, reason in zip(said, result.rest, strict=True)), result.rest


@given(st.sampled_from(["domain-name:value", "url:value", "file:hashes.'SHA-256'", "file:hashes.MD5", "file:name",
                        "x-ours:a.b"]), st.text(max_size=20))
def test_the_expression_for_plain_patterns_reads_them_as_the_grammar_does(path: str, value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    for pattern in (f"[{path} = '{escaped}']", f" [ {path}='{escaped}' ] "):
        quick, slow = patterns.read_pattern(pattern), grammar.compared(pattern)
        assert quick.values == slow.values
        assert len(quick.rest) == len(slow.rest)


def test_without_the_library_a_pattern_that_needs_it_says_what_to_do(write: Write, monkeypatch: pytest.MonkeyPatch
                                                                    ) -> None:
    monkeypatch.setitem(__import__("sys").modules, "douse.indicators.grammar", None)
    assert values(read_files([write(indicator(1, "[domain-name:value = 'bad.example']"))]))
    with pytest.raises(ContentError, match=r"stix2-patterns.*pip install stix2-patterns"):
        read_files([write(indicator(1, "[domain-name:value = 'bad.example'] OR [url:value = 'x']"))])


# --- together ---------------------------------------------------------------------------------------------------------


def test_one_value_of_several_files_is_one_indicator(write: Write) -> None:
    one = write("bad.example # ours\nbad[.]example\n", "a.txt")
    other = write(bundle(indicator(1, "[domain-name:value = 'BAD.example']", valid_until="2026-12-01T00:00:00Z")),
        "b.json")
    found = read_files([one, other, one])
    assert values(found) == [("domain-name", "bad.example")]
    assert [origin.where for origin in found.known[0].origins] == [f"{one}:1", f"{one}:2", f"{other}: indicator--1"]
    assert found.known[0].valid_until is None  # one of them says nothing of an end
    assert [file.path for file in found.files] == [str(one), str(other)]


def test_the_widest_time_and_the_strictest_word_count() -> None:
    early, late = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    (one,) = merged([
        Known("file", SHA256, (Origin("a", tlp="green"),), ("Lumma",), (), late, early),
        Known("file", SHA256, (Origin("b", tlp="amber+strict"), Origin("a", tlp="green")), ("Vidar", "Lumma"), (),
            early, late)])
    assert (one.valid_from, one.valid_until, one.families, one.tlp) == (early, late, ("Lumma", "Vidar"), "amber+strict")
    assert len(one.origins) == 2
    assert one.expired(late)
    assert not one.expired(early)


def test_ids_depend_on_type_and_value_alone() -> None:
    one, other = (Known("file", SHA256, (Origin(where),)) for where in ("a", "b"))
    assert one.indicator_id == other.indicator_id == "a08abf5a-51ee-5147-b361-b377950ad540"
    assert one.title == f"Indicator seen: file hash {SHA256}"
    long = Known("url", "http://bad.example/" + "x" * 1_000, ())
    assert len(long.title) < 160
    assert long.title.endswith("x…")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_with_a_place(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.bin"
    path.write_bytes(data)
    refused = ""
    try:
        found = read_files([path])
    except ContentError as error:
        refused = error.where
    else:
        assert found.known or found.files[0].left_out
    assert not refused or refused.startswith(str(path))
