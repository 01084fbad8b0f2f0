"""Services, audit policy, features, logs, states in force, Sysmon and audit entries: every state of each kind."""

from __future__ import annotations

import pytest

from douse.content.settings import (
    Accept,
    AuditSetting,
    ChannelSetting,
    EffectiveSetting,
    FeatureSetting,
    SaclSetting,
    ServiceSetting,
    SysmonSetting,
)
from douse.harden.audit.checks import check
from harden import makers as m

AUTO = ServiceSetting(id="H99/AppIDSvc", service="AppIDSvc", start="automatic")
GUID = "0CCE922B-69AE-11D9-BED3-505054503030"
BOTH = AuditSetting(id="H99/audit", guid=GUID, title="Process Creation", success=True, failure=True)
SUCCESS = AuditSetting(id="H99/audit", guid=GUID, title="Process Creation", success=True)
OFF = FeatureSetting(id="H99/feature", feature="PowerShellV2", state="disabled")
LOG = ChannelSetting(id="H99/log", channel="Microsoft-Windows-Crypto-DPAPI/Debug")
TAMPER = EffectiveSetting(id="H99/tamper", state="DeviceGuard.X", accept=Accept("=", ("true",)))
SYSMON = SysmonSetting(id="H99/sysmon", ids=(1, 3, 11), hashes=("SHA256", "IMPHASH"))
SACL = SaclSetting(id="H99/sacl")
HIVE = m.HIVE

CASES = [
    (AUTO, [], "unknown"),
    (AUTO, [m.service("AppIDSvc", "automatic", "running")], "pass"),
    (AUTO, [m.service("appidsvc", "automatic")], "pass"),
    (AUTO, [m.service("AppIDSvc", "automatic", "stopped")], "partial"),
    (AUTO, [m.service("AppIDSvc", "manual", "running")], "fail"),
    (AUTO, [m.service("AppIDSvc", "disabled")], "fail"),
    (AUTO, [m.service("AppIDSvc", None)], "fail"),
    (AUTO, [m.service("AppIDSvc", "", "running")], "unknown"),
    (AUTO, [m.service("AppIDSvc", "", "running"), m.service("AppIDSvc", "automatic", of=HIVE)], "pass"),
    (AUTO, [m.service("AppIDSvc", "manual"), m.service("AppIDSvc", "automatic", of=HIVE)], "conflict"),
    (AUTO, [m.service("AppIDSvc", "manual"), m.service("AppIDSvc", "disabled", of=HIVE)], "fail"),
    (AUTO, [m.service("OtherSvc", "automatic")], "unknown"),
    (ServiceSetting(id="H99/x", service="X", start="disabled"), [m.service("X", None)], "pass"),
    (SUCCESS, [], "unknown"),
    (SUCCESS, [m.audited(GUID, True, False)], "pass"),
    (SUCCESS, [m.audited(GUID.lower(), True, True)], "pass"),
    (SUCCESS, [m.audited(GUID, False, True)], "fail"),
    (BOTH, [m.audited(GUID, True, False)], "partial"),
    (BOTH, [m.audited(GUID, False, False)], "fail"),
    (BOTH, [m.audited(GUID, True, True), m.audited(GUID, True, False, of=HIVE)], "conflict"),
    (OFF, [], "unknown"),
    (OFF, [m.feature("PowerShellV2", "Disabled")], "pass"),
    (OFF, [m.feature("PowerShellV2", "DisabledWithPayloadRemoved")], "pass"),
    (OFF, [m.feature("PowerShellV2", "absent")], "pass"),
    (OFF, [m.feature("PowerShellV2", "enabled")], "fail"),
    (OFF, [m.feature("PowerShellV2", "who knows")], "unknown"),
    (OFF, [m.feature("PowerShellV2", "enabled"), m.feature("PowerShellV2", "disabled", of=HIVE)], "conflict"),
    (LOG, [], "unknown"),
    (LOG, [m.channel(LOG.channel, True)], "pass"),
    (LOG, [m.channel(LOG.channel.upper(), False)], "fail"),
    (LOG, [m.channel(LOG.channel, True), m.channel(LOG.channel, False, of=HIVE)], "conflict"),
    (TAMPER, [], "unknown"),
    (TAMPER, [m.effective("DeviceGuard.X", True)], "pass"),
    (TAMPER, [m.effective("DeviceGuard.X", "True")], "pass"),
    (TAMPER, [m.effective("DeviceGuard.X", False)], "fail"),
    (TAMPER, [m.effective("DeviceGuard.X", True), m.effective("DeviceGuard.X", False, of=HIVE)], "conflict"),
    (SYSMON, [], "unknown"),
    (SYSMON, [m.sysmon(False)], "fail"),
    (SYSMON, [m.sysmon(True)], "unknown"),
    (SYSMON, [m.sysmon(True, (1, 3, 11, 22), ("SHA256", "IMPHASH"))], "pass"),
    (SYSMON, [m.sysmon(True, (1, 3, 11), ("*",))], "pass"),
    (SYSMON, [m.sysmon(True, (1, 3), ("SHA256", "IMPHASH"))], "partial"),
    (SYSMON, [m.sysmon(True, (1, 3, 11), ("SHA256",))], "partial"),
    (SYSMON, [m.sysmon(True), m.sysmon(True, (1, 3, 11), ("SHA256", "IMPHASH"), of=HIVE)], "pass"),
    (SYSMON, [m.sysmon(None, (1, 3, 11), ("SHA256", "IMPHASH"))], "unknown"),
    (SYSMON, [m.sysmon(None, (1, 3), ("SHA256", "IMPHASH"))], "partial"),
    (SYSMON, [m.sysmon(True), m.sysmon(None, (1, 3, 11), ("SHA256", "IMPHASH"), of=HIVE)], "pass"),
    (SYSMON, [m.sysmon(False), m.sysmon(None, (1, 3, 11), ("SHA256", "IMPHASH"), of=HIVE)], "fail"),
    (SYSMON, [m.sysmon(False), m.sysmon(True, (1, 3, 11), ("SHA256", "IMPHASH"), of=HIVE)], "conflict"),
    (SACL, [], "unknown"),
    (SACL, [m.profile("anna")], "unknown"),
    (SACL, [m.profile("anna"), m.sacls_whole()], "not-applicable"),
    (SACL, [m.sacl("anna", "Chrome")], "unknown"),
    (SACL, [m.sacl("anna", "Chrome"), m.sacls_whole()], "pass"),
    (SACL, [m.sacl("anna", "Chrome", reads=False), m.sacls_whole()], "fail"),
    (SACL, [m.sacl("anna", "Chrome", inheritable=False), m.sacls_whole()], "partial"),
    (SACL, [m.sacl("anna", "Chrome"), m.sacl("anna", "Edge", reads=False), m.sacls_whole()], "partial"),
    (SACL, [m.sacl("anna", "Chrome"), m.sacl("anna", "Edge", reads=False)], "partial"),
    (SACL, [m.sacl("anna", "Chrome"), m.sacl("anna", "chrome", reads=False, of=HIVE), m.sacls_whole()], "conflict"),
]


@pytest.mark.parametrize(("setting", "adds", "state"), CASES, ids=lambda value: getattr(value, "id", str(value)[:30]))
def test_states(setting, adds, state) -> None:
    for order in (adds, list(reversed(adds))):
        (found,) = check(setting, m.subject(*order), "seed")
        assert found.state == state, found.why
        assert found.why
        assert (found.cited or state in ("unknown", "not-applicable"))


def test_a_host_is_not_asked_what_only_a_computer_shows_of_a_policy() -> None:
    for setting in (TAMPER, OFF, LOG, SYSMON, SACL):
        assert check(setting, m.subject(kind="policy"), "seed") == ()
    (found,) = check(AUTO, m.subject(kind="policy"), "seed")
    assert found.state == "not-applicable"
    (found,) = check(AUTO, m.subject(m.service("AppIDSvc", "automatic"), kind="policy"), "seed")
    assert found.state == "pass"


def test_each_profile_has_its_own_audit_entries() -> None:
    host = m.subject(m.sacl("anna", "Chrome"), m.sacl("Bert", "Chrome", reads=False), m.profile("carl"),
                     m.sacls_whole())
    found = check(SACL, host, "seed")
    assert [(one.profile, one.state) for one in found] == [
        ("anna", "pass"), ("Bert", "fail"), ("carl", "not-applicable")]


def test_what_sysmon_lacks_is_named() -> None:
    (found,) = check(SYSMON, m.subject(m.sysmon(True, (1,), ("SHA256",))), "seed")
    assert "3, 11" in found.why
    assert "IMPHASH" in found.why
