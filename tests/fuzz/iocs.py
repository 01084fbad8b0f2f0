"""Files of indicators (--ioc): read or refused with a place; what is read is its own spelling, and is seen where it is.

Every value that a file names is put into a record that carries such a value, and must be found there, among all others
of the file; and no record of others may break the look-ups.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from random import Random

from douse.errors import ContentError
from douse.indicators.known import TLP, TYPES, Known
from douse.indicators.read import IndicatorFiles, lines_of, read_files
from douse.indicators.values import value_of
from douse.indicators.watch import Watch
from douse.model import Event
from fuzz.mutate import TEXT
from fuzz.target import EVENTS, Target, folder, one_event

_ENDS_A_URL = frozenset("'|^`")
"""Signs that may stand in a URL, and that end one in a command line."""

MOST = 8
"""Indicators of a file that are looked for in records."""


def indicators(data: bytes) -> None:
    """Read an input as a file of indicators, and look for what it names."""
    found = files_of(data)
    if found is None:
        return
    assert all(skip.what and skip.next_step and str(folder()) in skip.where for skip in lines_of(found.skips, 5))
    watch = Watch(found.known)
    for known in islice(found.known, MOST):
        assert known.type in TYPES
        assert value_of(known.value, noted=True) == (known.type, known.value)
        assert all(origin.tlp in TLP for origin in known.origins)
        for event in _records(known):
            assert any(hit.known == known or _covers(hit.known, known) for hit in watch.match(event)), known
    for event in EVENTS:
        for hit in watch.match(event):
            assert hit.known in found.known
            assert hit.fields


def files_of(data: bytes) -> IndicatorFiles | None:
    """What an input is read as; None where it is refused."""
    path = folder() / "ioc.txt"
    path.write_bytes(data)
    try:
        return read_files([path])
    except ContentError as error:
        _check(error, str(path))
        return None


def _check(error: ContentError, path: str) -> None:
    """An error names the file, what is wrong and what to do."""
    assert error.where.startswith((path, "--ioc")), error.where
    assert error.what
    assert error.next_step


def _records(known: Known) -> list[Event]:
    value = known.value
    match known.type:
        case "domain-name":
            return [one_event({"QueryName": f"x.{value}".upper()}, event_id=22),
                one_event({"CommandLine": f"ping {value} -t"})]
        case "url":
            in_text = [one_event({"CommandLine": f"mshta {value} "})] if not _ENDS_A_URL & {*value} else []
            return [one_event({"c-uri": value}, "Proxy/access", 0), *in_text]
        case "file":
            kind = {32: "MD5", 40: "SHA1", 64: "SHA256"}[len(value)]
            return [one_event({"Hashes": f"{kind}={value.upper()},IMPHASH=00"})]
        case _:
            return [one_event({"DestinationIp": value.partition("/")[0]}, event_id=3)]


def _covers(hit: Known, known: Known) -> bool:
    """Whether a nearer indicator of the file is named instead: an address in the network, a name below the domain."""
    if known.type == "domain-name":
        return hit.value.endswith(f".{known.value}")
    return hit.type == known.type and "/" in known.value and known.type != "url"


SEEDS = (b"""\
# feed of the week
bad[.]example   # Lumma, C2
hxxps://files[.]bad[.]example/a/b.zip?x=1
203.0.113.7:443
203.0.113.0/24
2001:db8::1
0cc175b9c0f1b6a831c399e269772661
0.0.0.0 worse.example
10.1.2.3 # sinkhole
""", b"""\
# "first_seen_utc","ioc_value","malware","tlp"
"2026-11-01 08:00:00","http://bad.example/x","Lumma","amber"
"2026-11-01 08:00:00","86f7e437faa5a7fce15d1ddcb9eaeaea377667b8","",""
""", b"indicator;valid_until;note\nbad.example;2027-01-01;lure\n10.0.0.1;;ours\n", b"""\
{"type": "bundle", "id": "bundle--1", "objects": [
{"type": "indicator", "id": "indicator--1", "pattern_type": "stix", "name": "C2", "valid_until": "2027-01-01T00:00:00Z",
 "pattern": "[domain-name:value = 'bad.example'] OR [file:hashes.'SHA-1' = '86f7e437faa5a7fce15d1ddcb9eaeaea377667b8']",
 "created_by_ref": "identity--1", "object_marking_refs": ["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]},
{"type": "indicator", "id": "indicator--2", "pattern": "[url:value = 'http://bad.example/x']", "labels": ["a"]},
{"type": "url", "id": "url--1", "value": "http://worse.example/x"},
{"type": "file", "id": "file--1", "hashes": {"MD5": "0cc175b9c0f1b6a831c399e269772661"}},
{"type": "malware", "id": "malware--1", "name": "Lumma", "sample_refs": ["file--1"]},
{"type": "identity", "id": "identity--1", "name": "CERT"},
{"type": "relationship", "id": "relationship--1", "relationship_type": "indicates", "source_ref": "indicator--1",
 "target_ref": "malware--1"}]}
""")

_WORDS = (b"bad.example", b"hxxp://", b"[.]", b"(dot)", b"[:]//", b"\n", b" # ", b"#", b",", b";", b"\t", b'"', b"'",
          b"/", b"?", b"..", b"%2e", b"%", b":443", b"@", b"203.0.113.7", b"/24", b"::ffff:", b"[2001:db8::1]", b"\\",
          b"indicator", b"ioc_value", b"valid_until", b"2027-01-01", b"{", b"}", b"[", b"]", b" OR ", b" AND ",
          b" IN (",
          b" LIKE ", b" FOLLOWEDBY ", b"[url:value = '", b"']", b"null", b"true", b'"objects": ', b'"type": "bundle"',
          b"xn--", b"\xc3\xbc", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b"\xe2\x80\xae", b"*.", b"-", b"_", b"0" * 64)
_PARTS = ("bad", "xn--bcher-kva", "b\xfccher", "a_b", "0x7f", "example", "com", "co", "uk", "localhost", "exe", "1",
    "999",
          "-", "")


def _values(random: Random) -> bytes | None:
    """A list of values that are nearly right, each put together from parts."""
    if random.random() < 0.5:
        return None
    lines = []
    for _ in range(random.randint(1, 8)):
        host = random.choice((".", "[.]", "(dot)")).join(random.choices(_PARTS, k=random.randint(1, 4)))
        host = random.choice((host, host, "203.0.113.7", "2001:db8::7", "[2001:db8::7]", "203.0.113.0/28"))
        scheme = random.choice(("", "", "http://", "hxxps://", "ftp://", "hxxp[:]//", "file://"))
        port = random.choice(("", "", ":80", ":8443", ":"))
        path = random.choice(("", "/", "/a/../b", "/a%2fb?x=%41", "?q", "#f", "/\xfc", "\\a\\b", "/a,b;c",
            "/'\"")) * bool(scheme)
        start, note = random.choice(("", "", "u:p@", "*.")), random.choice(("", "  # note"))
        lines.append(f"{scheme}{start}{host}{port}{path}{note}")
    return "\n".join(lines).encode()


IOCS: Mapping[str, Target] = {"indicators": Target(lambda: SEEDS, _WORDS, TEXT, indicators, fresh=_values)}
