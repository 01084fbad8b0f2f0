"""One rule's text: exact round trip, what its fields say, errors that name the field, and the rules that we write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.errors import ContentError, EvidenceError
from douse.harden.firewall_rule import FirewallRule, block_rule, folded_path, parse

MSHTA = r"%SystemRoot%\System32\mshta.exe"
KEYS = st.sampled_from(["Action", "Active", "Dir", "Protocol", "RPort", "RPort2_10", "Profile", "App", "RA4", "Name",
                        "LUAuth", "Platform", "Svc", "Future2_40"]) | st.text(
    st.characters(exclude_characters="|=", exclude_categories=["Cs"]), min_size=1, max_size=8)
VALUES = st.text(st.characters(exclude_characters="|", exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["Block", "TRUE", "Out", "6", "80", "1-1024", "Domain", MSHTA, "@FirewallAPI.dll,-25000", "a=b=c", ""])
FIELDS = st.lists(st.tuples(KEYS, VALUES), min_size=1, max_size=12).map(tuple)
VERSIONS = st.tuples(st.integers(0, 255), st.integers(0, 255)).map(lambda pair: f"v{pair[0]}.{pair[1]}")


@given(VERSIONS, FIELDS)
def test_a_rule_survives_its_text(version: str, fields: tuple[tuple[str, str], ...]) -> None:
    rule = FirewallRule(version, fields)
    assert parse(rule.text()) == rule
    assert parse(rule.text()[:-1]) == rule  # the last | may be missing
    assert parse(rule.text()).text() == rule.text()


@given(st.text(max_size=200))
def test_any_text_is_a_rule_or_an_error_with_its_place(text: str) -> None:
    try:
        rule = parse(text, "here")
    except EvidenceError:
        with pytest.raises(EvidenceError, match=r"^here: .*firewall rule"):
            parse(text, "here")
        return
    assert rule.text() in (text, text + "|")
    assert isinstance(rule.remote_ports, tuple | None)
    assert rule.profiles


@pytest.mark.parametrize(("text", "says"), [
    ("", "does not begin with a version"), ("Action=Block|", "does not begin with a version"),
    ("v2|Action=Block|", "does not begin with a version"), ("v2.26|", "without any field"),
    ("v2.26|Action=Block|Active|", "field 2"), ("v2.26||Action=Block|", "field 1"), ("v2.26|=x|", "field 1"),
])
def test_errors_name_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(EvidenceError, match=says):
        parse(text)


def test_what_fields_say() -> None:
    rule = parse("v2.31|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=80|RPort2_10=1000-2000|RPort=8080,8443|"
                 r"Profile=Domain|Profile=public|App=C:\Windows\System32\mshta.exe|RA4=LocalSubnet|Name=a=b|LUAuth=x|"
                 "Platform=2:6:1|Platform=2:6:2|")
    assert (rule.action, rule.direction, rule.active, rule.protocol, rule.name) == ("block", "out", True, 6, "a=b")
    assert rule.remote_ports == ((80, 80), (1000, 2000), (8080, 8080), (8443, 8443))
    assert rule.profiles == {"Domain", "Public"}
    assert rule.remote_addresses == ("LocalSubnet",)
    assert rule.narrowing == ("LUAuth", "Platform")
    assert not rule.mistake


def test_what_is_no_port_is_left_out() -> None:
    assert parse("v2.26|Protocol=6|RPort=99999|RPort2_10=80-65536|RPort2_10=9-8|RPort=x|RPort=|").remote_ports == ()
    assert parse("v2.26|Protocol=6|RPort2_10=80-65535|").remote_ports == ((80, 65535),)


def test_what_is_left_out_means_something() -> None:
    rule = parse("v2.0|Name=x|")
    assert not rule.active
    assert rule.protocol is None
    assert rule.remote_ports is None
    assert rule.profiles == {"Domain", "Private", "Public"}


@pytest.mark.parametrize(("text", "says"), [
    ("v2.26|RPort=80|Protocol=6|", "without Protocol"), ("v2.26|RPort=80|", "without Protocol"),
    ("v2.26|Protocol=1|RPort=80|", "without Protocol"), ("v2.26|App=a|App=b|", "App stands there twice"),
    ("v2.26|Protocol=999|", "no IP protocol"), ("v2.26|Protocol=tcp|", "no IP protocol"),
])
def test_mistakes_against_the_grammar(text: str, says: str) -> None:
    assert says in parse(text).mistake


@pytest.mark.parametrize(("text", "bypasses"), [
    ("v2.26|Action=ByPass|Dir=Out|", True), ("v2.26|Action=Allow|AuthByPassOut=TRUE|", True),
    ("v2.26|Action=Allow|", False), ("v2.26|Action=Block|AuthByPassOut=TRUE|", False),
])
def test_what_outranks_a_block(text: str, bypasses: bool) -> None:
    assert parse(text).bypasses is bypasses


@pytest.mark.parametrize("path", [
    r"%SystemRoot%\System32\mshta.exe", r"%windir%\system32\MSHTA.EXE", r"C:\Windows\System32\mshta.exe",
    r"c:/windows//system32/mshta.exe", '"C:\\WINDOWS\\system32\\mshta.exe"',
    r"%SystemDrive%\Windows\System32\mshta.exe",
])
def test_one_path_has_many_spellings(path: str) -> None:
    assert folded_path(path) == r"%systemroot%\system32\mshta.exe"


@pytest.mark.parametrize("path", [r"C:\Windows2\System32\mshta.exe", r"D:\Windows\System32\mshta.exe",
                                  r"%SystemRoot%\SysWOW64\mshta.exe", r"C:\Users\a\mshta.exe"])
def test_other_places_stay_other_places(path: str) -> None:
    assert folded_path(path) != r"%systemroot%\system32\mshta.exe"


def test_the_rule_that_is_written() -> None:
    rule = block_rule(program=MSHTA, name="Douse: x", description="why", tcp=(80, 443, 80))
    assert rule.text() == ("v2.26|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=80|RPort=443|"
                           f"App={MSHTA}|Name=Douse: x|Desc=why|")
    assert block_rule(program=MSHTA, name="x", active=False).text() == (
        f"v2.26|Action=Block|Active=FALSE|Dir=Out|App={MSHTA}|Name=x|")
    assert "Protocol=17|RPort=443" in block_rule(program=MSHTA, name="x", udp=(443,)).text()


@pytest.mark.parametrize("wrong", [
    {"name": "a|b"}, {"name": "a\nb"}, {"name": " "}, {"description": "x|Active=FALSE"}, {"description": "a\u2028b"},
    {"program": "a|App=b"}, {"program": ""}, {"program": "*"}, {"tcp": (0,)}, {"tcp": (65536,)},
    {"tcp": (80,), "udp": (443,)},
])
def test_what_cannot_stand_in_a_rule_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ContentError):
        block_rule(**{"program": MSHTA, "name": "x", **wrong})  # type: ignore[arg-type]  # on purpose of many kinds


@given(st.text(max_size=40), st.text(max_size=40), st.lists(st.integers(1, 65535), max_size=5))
def test_nothing_in_a_name_changes_the_rule(name: str, description: str, ports: list[int]) -> None:
    try:
        rule = block_rule(program=MSHTA, name=name, description=description, tcp=ports)
    except ContentError:
        return
    again = parse(rule.text())
    assert (again.action, again.active, again.program, again.name) == ("block", True, MSHTA, name)
    assert again.remote_ports == (tuple((port, port) for port in dict.fromkeys(ports)) or None)
