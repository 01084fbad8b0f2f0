"""What rules of one store do to a program together: yes, no with the reason, or unknown, and never yes by accident."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.harden.firewall_coverage import coverage
from douse.harden.firewall_rule import FirewallRule, parse

MSHTA = r"%SystemRoot%\System32\mshta.exe"
WEB = (80, 443)
BLOCK = "v2.26|Action=Block|Active=TRUE|Dir=Out|"
APP = f"App={MSHTA}|"


def rules(*texts: str) -> list[FirewallRule]:
    return [parse(text) for text in texts]


@pytest.mark.parametrize("texts", [
    [f"{BLOCK}Protocol=6|RPort=80|RPort=443|{APP}"],
    [f"{BLOCK}{APP}"],  # no protocol: all of them
    [f"{BLOCK}Protocol=6|{APP}"],  # no ports: all of them
    [f"{BLOCK}Protocol=6|RPort2_10=1-1024|{APP}"],
    [f"{BLOCK}Protocol=6|RPort2_10=1-79|RPort=80|RPort2_10=81-65535|{APP}"],
    [f"{BLOCK}Protocol=6|RPort=80,443|{APP}"],
    [f"{BLOCK}Protocol=6|RPort=80|{APP}", f"{BLOCK}Protocol=6|RPort=443|{APP}"],  # one port each
    [f"{BLOCK}Profile=Domain|Profile=Private|Profile=Public|{APP}"],
    [f"{BLOCK}Profile=Domain|{APP}", f"{BLOCK}Profile=Private|Profile=Public|{APP}"],
    [f"{BLOCK}Profile={profile}|{APP}" for profile in ("Domain", "Private", "Public")],
    [f"{BLOCK}Name=every program|"],  # no App: every program
    [f"{BLOCK}App=c:\\WINDOWS\\system32\\MSHTA.EXE|"],
    [f"{BLOCK}App=%windir%\\System32\\mshta.exe|"],
    [f"{BLOCK}App=%SystemDrive%\\Windows\\System32\\mshta.exe|"],
    [f"v2.33|Action=block|Active=True|Dir=OUT|Protocol=6|RPort=80|RPort=443|{APP}Name=@x.dll,-1|EmbedCtxt=@x.dll,-2|"],
    [f"{BLOCK}{APP}EmbedCtxt=group|Edge=TRUE|Desc=a=b|"],
    [f"{BLOCK}{APP}", "v2.26|Action=Allow|Active=TRUE|Dir=Out|App=C:\\Windows\\System32\\mshta.exe|"],  # block wins
    ["v2.26|Action=Block|Active=FALSE|Dir=Out|" + APP, f"{BLOCK}{APP}"],
])
def test_blocked(texts: list[str]) -> None:
    found = coverage(rules(*texts), MSHTA, WEB)
    assert found.state == "yes", found.why
    assert found.used
    assert "TCP 80, TCP 443" in found.why


@pytest.mark.parametrize(("texts", "says"), [
    ([], "No rule blocks it."),
    ([f"v2.26|Action=Block|Active=FALSE|Dir=Out|{APP}"], "switched off (Active=FALSE)"),
    ([f"v2.26|Action=Block|Dir=Out|{APP}"], "switched off (no Active)"),
    ([f"{BLOCK}Profile=Domain|{APP}"], "only for the profile Domain"),
    ([f"{BLOCK}Profile=Domain|Profile=Private|{APP}"], "on the profile Public"),
    ([f"{BLOCK}RA4=10.0.0.0-10.255.255.255|{APP}"], "only for the remote addresses 10.0.0.0-10.255.255.255"),
    ([f"{BLOCK}RA6=LocalSubnet|{APP}"], "remote addresses LocalSubnet"),
    ([f"{BLOCK}App=%SystemRoot%\\SysWOW64\\mshta.exe|"], "another copy of the program"),
    ([f"{BLOCK}App=System|"], "No rule blocks it."),
    ([f"{BLOCK}App={MSHTA}.|"], "No rule blocks it."),  # whether it fits was not tried
    ([f"{BLOCK}App=%SystemRoot%\\Sysnative\\mshta.exe|"], "another copy"),
    ([f"{BLOCK}App=C:\\Windows\\SYSTEM~1\\mshta.exe|"], "another copy"),
    ([f"{BLOCK}RA42=IntErnet|{APP}"], "remote addresses IntErnet"),
    ([f"{BLOCK}App=C:\\Tools\\mshta.exe|"], "another copy of the program, C:\\Tools\\mshta.exe"),
    ([f"v2.26|Action=Block|Active=TRUE|Dir=In|{APP}"], "inbound"),
    ([f"v2.26|Action=Block|Active=TRUE|{APP}"], "has no direction"),
    ([f"v2.26|Action=Allow|Active=TRUE|Dir=Out|{APP}"], "does not block (Action=Allow)"),
    ([f"{BLOCK}Protocol=6|RPort=80|{APP}"], "TCP 443"),
    ([f"{BLOCK}Protocol=6|RPort2_10=81-65535|{APP}"], "TCP 80"),
    ([f"{BLOCK}Protocol=17|{APP}"], "TCP 80, TCP 443"),
    ([f"{BLOCK}Protocol=1|{APP}"], "about protocol 1"),
    ([f"{BLOCK}Protocol=6|RPort=IPHTTPSOut|{APP}"], "names no port"),
    ([f"{BLOCK}Protocol=6|RPort=80|{APP}", f"{BLOCK}Protocol=6|RPort=443|Profile=Domain|{APP}"],
     "TCP 443 on the profile Private and Public"),
])
def test_not_blocked_and_why(texts: list[str], says: str) -> None:
    found = coverage(rules(*texts), MSHTA, WEB)
    assert found.state == "no"
    assert says in found.why


@pytest.mark.parametrize("key", [
    "LUAuth=O:LSD:(A;;CC;;;S-1-5-21-1)", "LUOwn=S-1-5-21-1", "Svc=*", "AppPkgId=S-1-15-2-1", "Security2_9=NoEncap",
    "Security=Authenticate", "Platform=2:10:0", "Platform2=GTEQ", "TTK=Proximity", "TTK2_28=WFDCDPSvc", "IF={1}",
    "IFType=Wireless", "LA4=10.0.0.1", "LPort=5000", "SkipVer=2.30", "NNm=x", "RMauth=x", "RUAuth=x", "Future9=1",
    "profile=Domain",
])
def test_a_key_that_may_narrow_makes_it_unknown(key: str) -> None:
    found = coverage(rules(f"{BLOCK}Protocol=6|RPort=80|RPort=443|{APP}{key}|"), MSHTA, WEB)
    assert found.state == "unknown"
    assert key.partition("=")[0] in found.why


@pytest.mark.parametrize("text", [
    f"{BLOCK}RPort=80|RPort=443|Protocol=6|{APP}", f"{BLOCK}Protocol=6|Protocol=6|RPort=80|RPort=443|{APP}",
    f"{BLOCK}Profile=Home|{APP}", f"{BLOCK}App=|", f'{BLOCK}App="{MSHTA}"|', f"{BLOCK}App=%windir%/System32/mshta.exe|",
])
def test_a_rule_that_windows_may_ignore_is_unknown(text: str) -> None:
    assert coverage(rules(text), MSHTA, WEB).state == "unknown"


def test_a_certain_rule_beside_a_doubtful_one_is_enough() -> None:
    found = coverage(rules(f"{BLOCK}{APP}LUAuth=x|", f"{BLOCK}{APP}"), MSHTA, WEB)
    assert (found.state, found.used) == ("yes", (1,))
    assert found.left_out[0][0] == 0


def test_of_many_reasons_some_are_told() -> None:
    found = coverage(rules(*(f"{BLOCK}{APP}Svc=x|Name={at}|" for at in range(9))), MSHTA, WEB)
    assert found.why.endswith("the rule '3' may be narrowed by Svc; and 5 more.")


def test_all_traffic_is_more_than_two_ports() -> None:
    assert coverage(rules(f"{BLOCK}Protocol=6|RPort=80|RPort=443|{APP}"), MSHTA).state == "no"
    assert coverage(rules(f"{BLOCK}Protocol=6|{APP}"), MSHTA).state == "no"
    assert coverage(rules(f"{BLOCK}{APP}"), MSHTA).state == "yes"
    assert coverage(rules(f"{BLOCK}Protocol=6|{APP}", f"{BLOCK}Protocol=17|{APP}"), MSHTA).state == "yes"


@pytest.mark.parametrize("text", [
    "v2.26|Action=ByPass|Active=TRUE|Dir=Out|", f"v2.26|Action=Allow|AuthByPassOut=TRUE|Active=TRUE|Dir=Out|{APP}",
])
def test_what_outranks_a_block_is_told(text: str) -> None:
    found = coverage(rules(f"{BLOCK}{APP}", text), MSHTA, WEB)
    assert (found.state, found.bypass) == ("yes", (1,))
    assert "bypass" in found.why


@pytest.mark.parametrize("text", [
    "v2.26|Action=ByPass|Dir=Out|", "v2.26|Action=ByPass|Active=TRUE|Dir=In|",
    r"v2.26|Action=ByPass|Active=TRUE|Dir=Out|App=C:\a.exe|",
])
def test_a_bypass_that_lets_nothing_of_the_program_pass_is_not_told(text: str) -> None:
    assert coverage(rules(f"{BLOCK}{APP}", text), MSHTA, WEB).bypass == ()


def test_rules_of_other_programs_are_not_spoken_of() -> None:
    found = coverage(rules("v2.26|Action=Allow|Active=TRUE|Dir=Out|App=C:\\a.exe|",
                           "v2.26|Action=Block|Active=FALSE|Dir=Out|"), MSHTA, WEB)
    assert (found.why, found.left_out) == ("No rule blocks it.", ())


SPANS = st.lists(st.tuples(st.integers(1, 65535), st.integers(1, 65535)).map(lambda pair: tuple(sorted(pair))),
                 min_size=1, max_size=4)
PROFILES = st.sets(st.sampled_from(["Domain", "Private", "Public"]), min_size=1)


@given(st.lists(st.tuples(SPANS, PROFILES, st.booleans()), max_size=5),
       st.sets(st.integers(1, 65535), min_size=1, max_size=3))
def test_yes_is_said_exactly_where_each_port_is_blocked_on_each_profile(
        made: list[tuple[list[tuple[int, int]], set[str], bool]], ports: set[int]) -> None:
    texts = ["v2.26|Action=Block|Active=" + ("TRUE" if active else "FALSE") + "|Dir=Out|Protocol=6|"
             + "".join(f"RPort2_10={low}-{high}|" for low, high in spans)
             + "".join(f"Profile={profile}|" for profile in sorted(profiles)) + APP for spans, profiles, active in made]
    blocked = all(any(active and profile in profiles and any(low <= port <= high for low, high in spans)
                      for spans, profiles, active in made)
                  for port in ports for profile in ("Domain", "Private", "Public"))
    assert (coverage(rules(*texts), MSHTA, sorted(ports)).state == "yes") is blocked
