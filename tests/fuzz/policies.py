"""Policies of hardening: a firewall rule, AppLocker's XML, App Control's XML.

Each is read or refused with its place. What was read must survive being written and read again, and every question that
an audit asks of it must have one of its answers: any damage may make an answer unknown, none may make it fail.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import TypeVar

from douse.errors import ContentError, EvidenceError
from douse.harden import app_control_policy, applocker_policy, firewall_rule
from douse.harden.app_control_effect import effect, versions_of
from douse.harden.applocker_decision import STATES, Program, decide, decide_for
from douse.harden.audit.lints import CODES, lints
from douse.harden.audit.mshta import answer
from douse.harden.finding import ANSWERS
from douse.harden.firewall_coverage import STATES as COVERED
from douse.harden.firewall_coverage import coverage
from douse.harden.observed import StoredAppControl, StoredAppLocker, StoredRule, Subject
from douse.harden.seen import Seen, Source
from fuzz.mutate import TEXT
from fuzz.target import Target, text_of

T = TypeVar("T")
SOURCE = Source("fuzz", "fuzz", "0" * 64)
MSHTA = r"%SystemRoot%\System32\mshta.exe"
PROGRAM = Program((r"c:\windows\system32\mshta.exe", r"c:\windows\syswow64\mshta.exe"), "O=M", "IE", "MSHTA.EXE")


def firewall(data: bytes) -> None:
    """One rule in each line; those that are rules are judged together."""
    rules = []
    for line in text_of(data).split("\n"):
        try:
            rule = firewall_rule.parse(line, "value")
        except EvidenceError as error:
            _check(error, "value")
            continue
        assert rule.text() in (line, line + "|")
        assert firewall_rule.parse(rule.text()) == rule
        rules.append(rule)
    found = coverage(rules, MSHTA, (80, 443))
    assert found.state in COVERED
    assert all(0 <= at < len(rules) for at in (*found.used, *found.bypass, *(at for at, _ in found.left_out)))
    subject = Subject("host", "PC-7")
    subject.firewall = [Seen(StoredRule("gpo", str(at), rule), SOURCE, str(at)) for at, rule in enumerate(rules)]
    _ask(subject)


def applocker(data: bytes) -> None:
    """A policy, or one rule."""
    rule = _read(applocker_policy.parse_rule, data)
    if rule is not None and _writes(lambda: applocker_policy.rule_text(rule)):
        assert applocker_policy.parse_rule(applocker_policy.rule_text(rule)) == rule
    policy = _read(applocker_policy.parse, data)
    if policy is None:
        return
    assert decide(policy, PROGRAM).state in STATES
    assert decide_for(policy, PROGRAM, ["S-1-5-32-544"]) in (True, False, None)
    subject = Subject("host", "PC-7")
    subject.applocker.append(Seen(StoredAppLocker("effective", policy), SOURCE, "policy"))
    _ask(subject)


def app_control(data: bytes) -> None:
    """A policy."""
    policy = _read(app_control_policy.parse, data)
    if policy is None:
        return
    found = effect(policy, "mshta.exe", PROGRAM.paths)
    assert found.denied in (True, False, None)
    assert all(versions_of(rule) in ("all", "some", "none") for rule in policy.rules)
    if _writes(lambda: app_control_policy.write(policy, sorted(policy.options), "{P}")):
        again = app_control_policy.parse(app_control_policy.write(policy, sorted(policy.options), "{P}"))
        assert [rule.id for rule in again.rules] == [rule.id for rule in policy.rules]
    subject = Subject("host", "PC-7")
    subject.app_control.append(Seen(StoredAppControl(policy.id, policy.name, True, policy), SOURCE, "policy"))
    _ask(subject)


def _read(parse: Callable[[bytes | str, str], T], data: bytes) -> T | None:
    """What the bytes are, and the text of them; an error must have its place and one line."""
    found = None
    for form in (text_of(data), data):
        try:
            found = parse(form, "policy.xml")
        except EvidenceError as error:
            _check(error, "policy.xml")
    return found


def _check(error: EvidenceError, where: str) -> None:
    assert error.where.startswith(where)
    assert error.what
    assert error.next_step


def _writes(write: Callable[[], object]) -> bool:
    """Whether it can be written: a kind that we do not know, or a sign that XML cannot hold, cannot."""
    try:
        write()
    except ContentError:
        return False
    return True


def _ask(subject: Subject) -> None:
    found = answer(subject)
    assert found is not None
    assert found.answer in ANSWERS
    assert all(lint.code in CODES for lint in lints(subject))


def _fresh(seeds: tuple[bytes, ...], values: tuple[bytes, ...]) -> Callable[[Random], bytes | None]:
    """Half of the inputs stay sound XML: values of attributes are exchanged, elements doubled or taken out."""

    def make(random: Random) -> bytes | None:
        if random.random() < 0.5:
            return None
        text = random.choice(seeds)
        for _ in range(random.randint(1, 5)):
            found = random.choice(list(_ATTRIBUTE.finditer(text)) or [None])
            if found is not None:
                text = text[:found.start(1)] + random.choice(values) + text[found.end(1):]
            element = random.choice(list(_EMPTY.finditer(text)) or [None])
            if element is not None and random.random() < 0.4:
                text = text[:element.start()] + element[0] * random.choice((0, 2)) + text[element.end():]
        return text

    return make


_ATTRIBUTE = re.compile(rb'(?<!xmlns)="([^"<]*)"')
_EMPTY = re.compile(rb"<[A-Za-z]+(?: [^<>]*)?/>")
RULES = (
    rb"v2.26|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=80|RPort=443|App=%SystemRoot%\System32\mshta.exe|Name=a|",
    (rb"v2.31|Action=Block|Active=TRUE|Dir=Out|Protocol=17|RPort2_10=1-65535|App=C:\Windows\System32\mshta.exe|"
     rb"Profile=Domain|Profile=Public|RA4=LocalSubnet|LUAuth=O:LSD:(A;;CC;;;S-1-5-21)|Desc=@a.dll,-1|"),
    b"v2.10|Action=ByPass|Dir=Out|Active=TRUE|\nv2.0|Action=Allow|Active=TRUE|Dir=In|LPort=RPC|Svc=*|\nv2.26|Dir=Out|")
APPLOCKER = (
    b"""<AppLockerPolicy Version="1"><RuleCollection Type="Exe" EnforcementMode="Enabled">
<FilePathRule Id="1" Name="w" Description="" UserOrGroupSid="S-1-1-0" Action="Allow"><Conditions>
<FilePathCondition Path="%WINDIR%\\*"/></Conditions><Exceptions><FilePathCondition Path="%SYSTEM32%\\mshta.exe"/>
</Exceptions></FilePathRule>
<FilePublisherRule Id="2" Name="d" UserOrGroupSid="S-1-5-21-1-2-3-1603" Action="Deny"><Conditions>
<FilePublisherCondition PublisherName="O=M" ProductName="IE" BinaryName="MSHTA.EXE"><BinaryVersionRange LowSection="*"
 HighSection="11.0.0.0"/></FilePublisherCondition></Conditions></FilePublisherRule>
<FileHashRule Id="3" Name="h" UserOrGroupSid="S-1-1-0" Action="Deny"><Conditions><FileHashCondition>
<FileHash Type="SHA256" Data="0xAB"/></FileHashCondition></Conditions></FileHashRule>
<RuleCollectionExtensions/></RuleCollection></AppLockerPolicy>""",
    (b'<FilePathRule Id="1" Name="x" Description="" UserOrGroupSid="S-1-1-0" Action="Deny"><Conditions>'
     b'<FilePathCondition Path="*\\mshta.exe"/></Conditions></FilePathRule>'))
APP_CONTROL = (
    b"""<?xml version="1.0"?><SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy" PolicyType="Base Policy">
<VersionEx>10.0.0.0</VersionEx><Rules><Rule><Option>Enabled:UMCI</Option></Rule>
<Rule><Option>Enabled:Audit Mode</Option></Rule></Rules><FileRules><Allow ID="ID_ALLOW_A_1" FileName="*"/>
<Deny ID="ID_DENY_MSHTA" FriendlyName="mshta.exe" FileName="mshta.exe" MinimumFileVersion="65535.65535.65535.65535"/>
<FileAttrib ID="ID_F" FileName="mshta.exe"/></FileRules>
<Signers><Signer ID="S" Name="M"><FileAttribRef RuleID="ID_F"/></Signer></Signers><SigningScenarios>
<SigningScenario Value="12" ID="U"><ProductSigners><DeniedSigners><DeniedSigner SignerId="S"/></DeniedSigners>
<FileRulesRef><FileRuleRef RuleID="ID_ALLOW_A_1"/><FileRuleRef RuleID="ID_DENY_MSHTA"/></FileRulesRef></ProductSigners>
</SigningScenario></SigningScenarios><Settings><Setting ValueName="Name"><Value><String>n</String></Value></Setting>
</Settings><PolicyID>{A}</PolicyID></SiPolicy>""",)

_XML = (b"<", b">", b"/>", b"</", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;",
        b"&#0;", b"&#13;", b"&lt;", b' xmlns="urn:x"', b"q1:", b'"', b"'", b"\x00", b"\xef\xbb\xbf", b"\xff\xfe",
        b"\xed\xa0\x80", b'<?xml version="1.0" encoding="utf-16"?>', b'encoding="utf-7"')
_FIREWALL = (b"|", b"=", b"\n", b"v2.26|", b"Action=Block|", b"Active=FALSE|", b"Dir=Out|", b"Protocol=6|", b"RPort=",
             b"RPort2_10=", b"80-", b"99999", b"Profile=Domain|", b"App=", rb"C:\Windows\System32\mshta.exe|", b"RA4=",
             b"%windir%", b"LUAuth=", b"\x00", b"\xe2\x80\xa8", b"-1", b"\xd9\xa3")
_VALUES = (b"", b"*", b"?", b"0.0.0.0", b"65535.65535.65535.65535", b"9" * 40, b"Allow", b"Deny", b"Exe", b"Script",
           b"Enabled", b"AuditOnly", b"NotConfigured", b"S-1-1-0", b"s-1-5-32-544", b"%SYSTEM32%\\*", b"%OSDRIVE%\\*",
           b"%SystemRoot%\\System32\\mshta.exe", b"%%%", b"MSHTA.EXE", b"12", b"131", b"-1", b"\xd9\xa3", b"ID_F",
           b"ID_DENY_MSHTA", b"Supplemental Policy", b"Base Policy", b"&#10;&#13;&#9;", b"\xe2\x80\xae")
POLICIES = {
    "firewall rule": Target(lambda: RULES, _FIREWALL, TEXT, firewall),
    "AppLocker policy": Target(lambda: APPLOCKER, (*_XML, *_VALUES), TEXT, applocker,
                               fresh=_fresh(APPLOCKER, _VALUES)),
    "App Control policy": Target(lambda: APP_CONTROL, (*_XML, *_VALUES), TEXT, app_control,
                                 fresh=_fresh(APP_CONTROL, _VALUES)),
}
