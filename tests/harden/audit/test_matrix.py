"""Every setting of every control, by each kind of evidence that tells it: good passes, bad fails, silence is unknown.

A key, a name or an operator that no good value can satisfy, or that a bad one can, shows here.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from douse.content.controls import controls
from douse.content.settings import (
    AppControlSetting,
    AppLockerSetting,
    AsrSetting,
    AuditSetting,
    ChannelSetting,
    Data,
    EffectiveSetting,
    FeatureSetting,
    FirewallSetting,
    QuestionSetting,
    RegistrySetting,
    SaclSetting,
    ServiceSetting,
    Setting,
    SysmonSetting,
    TenantSetting,
)
from douse.harden.audit.checks import ABOUT, check
from douse.harden.audit.defender import RULE_KEYS
from harden import makers as m
from harden.audit.test_applications import ALLOWS, DENIES, ENFORCED
from harden.audit.test_properties import TODAY

Case = tuple[str, list[m.Add], str]
"""A kind of evidence, what it says, and the state that follows."""

SETTINGS = [setting for control in controls() for setting in control.settings]
HOST = (m.COLLECTOR, m.HIVE, m.GPRESULT)
DATA: tuple[Data, ...] = (0, 1, 2, 3, 4, 255, "", "*", "x", "Block", "off", "R")


def bad_data(setting: RegistrySetting) -> Data | None:
    """A value of the right type that is not good; None where every value is."""
    wanted = int if setting.types[0] == "REG_DWORD" else str
    return next((data for data in DATA if isinstance(data, wanted) and not setting.accept.fits(data)), None)


def good_data(setting: RegistrySetting) -> Data:
    """A good value."""
    if setting.good is not None:
        return setting.good
    wanted = int if setting.types[0] == "REG_DWORD" else str
    return next(data for data in DATA if isinstance(data, wanted) and setting.accept.fits(data))


def registry(setting: RegistrySetting) -> Iterator[Case]:
    user = "anna" if setting.hive == "HKCU" else ""
    every = [m.all_profiles()]

    def said(data: Data | None, of=m.COLLECTOR, type_: str = setting.types[0]) -> list[m.Add]:
        return [*every, m.reg(setting.hive, setting.key, setting.name, data, type_, of=of, profile=user)]

    for of in HOST:
        yield f"good {of.kind}", said(good_data(setting), of), "pass"
        bad = bad_data(setting)
        if bad is not None:
            yield f"bad {of.kind}", said(bad, of), "fail"
        absent = "fail" if not setting.absent else "unknown" if setting.effective else "pass"
        yield f"absent {of.kind}", said(None, of), absent
        yield f"whole key {of.kind}", [*every, m.whole_key(setting.hive, setting.key, of=of, profile=user)], absent
    yield "wrong type", said(b"\x01", type_="REG_BINARY"), "fail"
    if user:
        yield "one profile of many", [*said(good_data(setting)), m.profile("bert")], "unknown"
    if setting.effective:
        off = m.effective(setting.effective, bad_data(setting) or 0)
        yield "stored and not in force", [*said(good_data(setting)), off], "conflict"
        yield "in force", [m.effective(setting.effective, good_data(setting))], "pass"
    yield "sources that differ", [*said(good_data(setting)), *said(b"\x01", m.HIVE, "REG_BINARY")], "conflict"


def cases(setting: Setting) -> Iterator[Case]:
    """What each kind of evidence may say of a setting."""
    if isinstance(setting, RegistrySetting):
        yield from registry(setting)
    elif isinstance(setting, FirewallSetting):
        ports = "".join(f"RPort={port}|" for port in setting.tcp)
        text = (f"v2.26|Action=Block|Active=TRUE|Dir=Out|{'Protocol=6|' if ports else ''}{ports}"
                f"App={setting.program}|Name=b|")
        for store, state in (("gpo", "pass"), ("mdm", "pass"), ("local", "partial")):
            yield store, [m.rule(store, text)], state
        yield "no rule", [m.store_whole("gpo", "mdm", "local")], "fail"
        yield "two stores of three", [m.store_whole("gpo", "local")], "unknown"
        yield "the firewall's own word", [m.effective("FirewallActive.mshta.exe", True)], "unknown"
    elif isinstance(setting, AppLockerSetting):
        yield "denied", [m.applocker("effective", DENIES)], "pass"
        yield "allowed", [m.applocker("effective", ALLOWS)], "fail"
    elif isinstance(setting, AppControlSetting):
        yield "active", [m.app_control("{1}", True, ENFORCED)], "pass"
        yield "only a file", [m.app_control("{1}", None, ENFORCED)], "unknown"
        yield "only its name", [m.app_control("{1}", True, None)], "unknown"
        yield "not active", [m.app_control("{1}", False, ENFORCED), m.app_control_whole()], "fail"
        yield "contradiction", [m.app_control("{1}", True, ENFORCED), m.effective(
            "DeviceGuard.UsermodeCodeIntegrityPolicyEnforcementStatus", 0)], "conflict"
    elif isinstance(setting, AsrSetting):
        for where in (f"HKLM\\{RULE_KEYS[0]}", f"HKLM\\{RULE_KEYS[1]}", f"HKLM\\{RULE_KEYS[2]}", ""):
            for state, word in ((0, "fail"), (1, "pass"), (2, "partial"), (5, "fail"), (6, "partial")):
                yield f"{where} {state}", [m.asr(setting.guid, state, where=where)], word
        yield "absent", [m.whole_key("HKLM", key) for key in RULE_KEYS], "fail"
    elif isinstance(setting, QuestionSetting):
        for word, state in (("yes", "pass"), ("no", "fail"), ("partial", "partial"), ("unknown", "unknown")):
            yield word, [m.answer(setting.question, word)], state
    else:
        yield from states(setting)


def states(setting: Setting) -> Iterator[Case]:
    """The kinds that have one state."""
    if isinstance(setting, ServiceSetting):
        yield "good", [m.service(setting.service, setting.start, "running")], "pass"
        for start, state in (("manual", "fail"), (None, "fail"), ("", "unknown")):
            yield f"start {start}", [m.service(setting.service, start)], state
    elif isinstance(setting, AuditSetting):
        yield "good", [m.audited(setting.guid, setting.success, setting.failure)], "pass"
        yield "bad", [m.audited(setting.guid, False, False)], "fail"
    elif isinstance(setting, EffectiveSetting):
        yield "good", [m.effective(setting.state, True)], "pass"
        yield "bad", [m.effective(setting.state, False)], "fail"
    elif isinstance(setting, FeatureSetting):
        yield "good", [m.feature(setting.feature, setting.state)], "pass"
        yield "bad", [m.feature(setting.feature, "enabled")], "fail"
    elif isinstance(setting, ChannelSetting):
        yield "good", [m.channel(setting.channel, True)], "pass"
        yield "bad", [m.channel(setting.channel, False)], "fail"
    elif isinstance(setting, SysmonSetting):
        yield "good", [m.sysmon(True, setting.ids, setting.hashes)], "pass"
        yield "no configuration", [m.sysmon(True)], "unknown"
        yield "bad", [m.sysmon(False)], "fail"
    elif isinstance(setting, SaclSetting):
        yield "good", [m.sacl("anna", "A"), m.sacls_whole()], "pass"
        yield "not whole", [m.sacl("anna", "A")], "unknown"
        yield "bad", [m.sacl("anna", "A", reads=False), m.sacls_whole()], "fail"
    else:
        yield from tenant(setting)


def tenant(setting: Setting) -> Iterator[Case]:
    assert isinstance(setting, TenantSetting), "a kind of setting without a row here"
    good = [m.account("a@x", True, True, "fido2SecurityKey"), m.accounts_whole(), m.policies_whole(),
            m.access_policy("All", strength="Phishing-resistant MFA", grants=()),
            m.access_policy("Old", grants=("block",), clients=("exchangeActiveSync", "other"))]
    bad = [m.account("a@x", True, True, "mobilePhone") if setting.check in ("no-sms-only", "admins-phishing-resistant")
           else m.account("a@x", True, False), m.accounts_whole(), m.policies_whole(),
           m.access_policy("Pilot", "enabled" if setting.check == "no-exclusions" else "report-only",
                           excludes=("group:1",))]
    yield "good", good, "pass"
    yield "bad", bad, "partial" if setting.check == "no-exclusions" else "fail"
    yield "next page", [add for at, add in enumerate(good) if at not in (1, 2)], "unknown"


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda one: one.id)
def test_each_kind_of_evidence(setting: Setting) -> None:
    kind = next(word for word, kinds in ABOUT.items() if type(setting) in kinds)
    profile = setting.profile or "seed"
    expected = [("nothing", [], "unknown"), *cases(setting)]
    assert {"pass", "fail"} <= {state for *_, state in expected} or setting.id.startswith("H42/no-exclusions")
    for what, adds, state in expected:
        found = {one.state for one in check(setting, m.subject(*adds, kind=kind), profile, TODAY)}
        assert max(found, key=("pass", "unknown", "partial", "fail", "conflict").index) == state, what
