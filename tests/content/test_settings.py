"""The settings of controls/: each is well-formed, no two are one, and a wrong entry is named with its line."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from pathlib import Path

import pytest

from douse.content import document
from douse.content.controls import controls
from douse.content.questionnaire import question_ids
from douse.content.setting_entries import KINDS, expanded, read_settings
from douse.content.settings import (
    MFA_CHECKS,
    Accept,
    AppLockerSetting,
    AsrSetting,
    AuditSetting,
    ChannelSetting,
    EffectiveSetting,
    FirewallSetting,
    QuestionSetting,
    RegistrySetting,
    Setting,
    SysmonSetting,
    TenantSetting,
)
from douse.errors import ContentError

ALL = [(one, setting) for one in controls() for setting in one.settings]
VALUES = [setting for _, setting in ALL if isinstance(setting, RegistrySetting)]


def of(kind: type[Setting]) -> list[Setting]:
    return [setting for _, setting in ALL if isinstance(setting, kind)]


def test_ids_are_unique_and_begin_with_their_control() -> None:
    counts = Counter(setting.id for _, setting in ALL)
    assert [name for name, number in counts.items() if number > 1] == []
    assert [setting.id for one, setting in ALL if not setting.id.startswith(f"{one.id}/")] == []
    assert len(counts) > 170


def test_every_kind_is_used() -> None:
    used = {type(setting) for _, setting in ALL}
    assert len(used) == len(KINDS) + 1  # attack surface reduction has no entry of its own
    assert {setting.check for setting in of(TenantSetting)} == set(MFA_CHECKS)  # type: ignore[attr-defined]  # by kind


@pytest.mark.parametrize("one", VALUES, ids=lambda one: one.id)
def test_a_registry_value_is_one_that_windows_can_hold(one: RegistrySetting) -> None:
    assert re.fullmatch(r"(SOFTWARE|SYSTEM)\\[^\\].*[^\\]", one.key, re.IGNORECASE)
    assert not re.search(r"\\\\|[{}\x00-\x1f/]", one.key), "braces must be expanded, separators single"
    assert "\\" not in one.name
    assert one.good is not None or one.accept.operator in ("!=", "=")
    assert one.good is None or isinstance(one.good, int) == (one.types[0] in ("REG_DWORD", "REG_QWORD"))
    assert one.good is None or one.accept.fits(one.good)
    assert one.in_audit is None or isinstance(one.in_audit, type(one.good))
    for _, first in one.since:
        assert 10240 < first < 30000


def test_one_value_is_asked_for_once_in_a_profile() -> None:
    """Two settings that write the same value would let the last one win."""
    for profile in ("seed", "recommended"):
        places = Counter((one.hive, one.key.lower(), one.name.lower()) for one in VALUES if one.is_in(profile))
        assert [place for place, number in places.items() if number > 1] == []


def test_one_subcategory_is_asked_for_once_in_a_profile() -> None:
    for profile in ("seed", "recommended"):
        found = [one for one in of(AuditSetting) if one.is_in(profile)]
        assert len({one.guid for one in found}) == len(found)  # type: ignore[attr-defined]  # by kind


def test_guids_are_spelled_as_promised() -> None:
    for one in of(AuditSetting):
        assert isinstance(one, AuditSetting)
        assert str(uuid.UUID(one.guid)).upper() == one.guid
        assert one.guid.endswith("-69AE-11D9-BED3-505054503030"), "that is the family of audit subcategories"
        assert one.success or one.failure
    for one in of(AsrSetting):
        assert isinstance(one, AsrSetting)
        assert str(uuid.UUID(one.guid)) == one.guid
    assert len({one.guid for one in of(AsrSetting)}) == 18  # type: ignore[attr-defined]  # by kind


def test_mshta_is_denied_in_both_folders_and_profiles() -> None:
    rules = {(one.program.rpartition("%")[2], one.profile, one.tcp) for one in of(FirewallSetting)
             if isinstance(one, FirewallSetting)}
    assert rules == {(f"\\{folder}\\mshta.exe", *more) for folder in ("System32", "SysWOW64")
                     for more in (("seed", (80, 443)), ("recommended", ()))}
    [deny] = of(AppLockerSetting)
    assert isinstance(deny, AppLockerSetting)
    assert deny.binary == "MSHTA.EXE"
    assert {path.lower().rpartition("\\")[0] for path in deny.paths} == {"%system32%", "%windir%\\syswow64"}
    for one in of(FirewallSetting):  # what a firewall rule's name may not hold
        assert isinstance(one, FirewallSetting)
        assert not set(one.title) & set("|/")


def test_what_has_an_audit_mode() -> None:
    """A value whose good state refuses nothing is written in audit mode as it is; Defender's two have a mode for it."""
    found = {one.id: one.in_audit for one in VALUES if one.in_audit is not None}
    assert found["H16/PUAProtection"] == found["H17/EnableNetworkProtection"] == 2
    same = {name.partition("/")[0] for name in found} - {"H16", "H17"}
    assert same == {"H05", "H13", "H20", "H39", "H41"}
    assert all(one.in_audit == one.good for one in VALUES if one.id in found and one.id[:3] in same)


def test_what_is_good_when_absent() -> None:
    absent = {one.id for one in VALUES if one.absent}
    assert {"H14/DisableRealtimeMonitoring", "H37/UseLogonCredential", "H26/AlwaysInstallElevated"} <= absent
    assert not absent & {"H28/PasswordManagerEnabled", "H39/EnableScriptBlockLogging", "H03/Domain", "H11/NoRun"}


def test_corrected_facts_stay_corrected() -> None:
    by_id = {setting.id: setting for _, setting in ALL}
    hotkeys = by_id["H12/DisabledHotkeys"]
    assert isinstance(hotkeys, RegistrySetting)
    assert set(hotkeys.types) == {"REG_SZ", "REG_EXPAND_SZ"}
    downloads = by_id["H32/DownloadRestrictions"]
    assert isinstance(downloads, RegistrySetting)
    assert [downloads.accept.fits(number) for number in range(5)] == [False, True, True, False, True]
    assert isinstance(by_id["H34/firefox-Locked"], RegistrySetting)
    lsa = by_id["H37/RunAsPPL"]
    assert isinstance(lsa, RegistrySetting)
    assert lsa.accept_on(19045).operands == ("1",)
    assert lsa.accept_on(22621).operands == ("1", "2")
    onenote = by_id["H24/DisableEmbeddedFiles"]
    assert isinstance(onenote, RegistrySetting)
    assert "policies" in onenote.key.lower()
    sysmon = by_id["H41/sysmon"]
    assert isinstance(sysmon, SysmonSetting)
    assert {1, 3, 22} <= set(sysmon.ids)
    assert by_id["H20/ServiceEnabled"].min_build == 0  # the control's 22621 is enough
    assert isinstance(by_id["H18/IsTamperProtected"], EffectiveSetting)
    assert {setting.channel for setting in of(ChannelSetting)} == {  # type: ignore[attr-defined]  # by kind
        "Microsoft-Windows-Crypto-DPAPI/Debug", "Microsoft-Windows-TaskScheduler/Operational"}


def test_every_question_is_asked_by_a_control() -> None:
    asked = {setting.question for _, setting in ALL if isinstance(setting, QuestionSetting)}
    assert asked == set(question_ids())


@pytest.mark.parametrize(("accept", "good", "bad"), [
    (Accept("=", ("0",)), (0, "0", "0x0", False), (1, "", "00x", True, ("0", "1"))),
    (Accept("=", ("Block",)), ("block", " BLOCK "), ("Warn", 1)),
    (Accept("=", ("a", "b")), (("a", "B"),), (("a",), ("b", "a"), "a")),
    (Accept("!=", ("1",)), (0, "2", "x"), (1, "1", True)),
    (Accept(">=", ("3",)), (3, 4, "0x10"), (2, "x", -1)),
    (Accept("<=", ("30",)), (30, 0, "7"), (31, "x")),
    (Accept("one-of", ("4", "1", "2")), (4, "1", 2), (3, 0, "41")),
    (Accept("contains", ("notepad.exe",)), ('%SystemRoot%\\NOTEPAD.EXE "%1"', ("a", "notepad.exe")), ("wscript.exe",)),
    (Accept("present",), ("", 0, b""), ()),
    (Accept("=", ("0a00",)), (b"\x0a\x00",), (b"\x0a",)),
])
def test_what_a_value_may_be(accept: Accept, good: tuple[str | int, ...], bad: tuple[str | int, ...]) -> None:
    assert [value for value in good if not accept.fits(value)] == []
    assert [value for value in bad if accept.fits(value)] == []


def test_braces_with_a_comma_are_alternatives() -> None:
    assert list(expanded(r"a\{b,c}\{d, e}")) == [
        (r"a\b\d", "b/d"), (r"a\b\e", "b/e"), (r"a\c\d", "c/d"), (r"a\c\e", "c/e")]
    assert list(expanded(r"CLSID\{708860E0}")) == [(r"CLSID\{708860E0}", "")]


def read(text: str, folder: Path) -> tuple[Setting, ...]:
    path = folder / "H99.yml"
    path.write_text(f"settings:\n{text}\n", encoding="utf-8")
    return read_settings(document.read(path), "H99")


def test_an_inner_entry_inherits_and_overrules(tmp_path: Path) -> None:
    found = read(r"""  - registry: HKLM\SOFTWARE\{A,B}
    product: edge
    profile: seed
    min_build: 17763
    note: outer
    verified: false
    values:
      - {name: X, good: 1}
      - {name: Y, id: why, type: REG_SZ, good: '', accept: present, note: in, profile: recommended, verified: true}""",
                 tmp_path)
    assert [one.id for one in found] == ["H99/A/X", "H99/B/X", "H99/A/why", "H99/B/why"]
    first, _, third, _ = found
    assert (first.product, first.profile, first.min_build, first.note, first.verified) == (
        "edge", "seed", 17763, "outer", False)
    assert (third.product, third.profile, third.note, third.verified) == ("edge", "recommended", "in", True)
    assert isinstance(first, RegistrySetting)
    assert first.path == r"HKLM\SOFTWARE\A!X"
    assert not first.is_policy


VALUE = r"  - {registry: HKLM\SOFTWARE\A, values: [{name: X, %s}]}"


@pytest.mark.parametrize(("text", "said"), [
    ("  - {service: a, start: maybe}", "start must be one of automatic, manual, disabled"),
    ("  - {service: a, feature: b, start: manual}", r"a setting has one of .*; here are 2"),
    ("  - {note: nothing}", r"a setting has one of .*; here are 0"),
    ("  - {service: a, start: manual, strat: x}", r"H99.yml:2: unknown key 'strat'"),
    ("  - {service: a, start: manual}\n  - {service: a, start: manual}", r"H99.yml:2: two settings are called H99/a"),
    ("  - {service: a, start: manual, profile: mine}", "profile must be one of"),
    ("  - {service: a, start: manual, product: word}", "product must be one of"),
    (r"  - {registry: HKLM\SOFTWARE\A}", "values is missing"),
    (r"  - {registry: HKEY_LOCAL_MACHINE\A, values: [{name: X, good: 1}]}", "begins with none of HKLM, HKCU"),
    (r"  - {registry: HKLM, values: [{name: X, good: 1}]}", "begins with none of HKLM, HKCU"),
    (VALUE % "type: DWORD, good: 1", "type must be one of REG_DWORD"),
    (VALUE % "types: [REG_DWORD, DWORD], good: 1", "types has 'DWORD'"),
    (VALUE % "good: yes", "good must be a whole number"),
    (VALUE % "good: 4294967296", r"good must be from 0 to 4294967295"),
    (VALUE % "good: -1", r"good must be from 0"),
    (VALUE % "type: REG_BINARY, good: xyz", "good must be hexadecimal"),
    (VALUE % "type: REG_SZ", "has neither good nor accept"),
    (VALUE % "good: 1, accept: about 1", "begins with none of ="),
    (VALUE % "good: 1, accept: '>='", ">= says with what"),
    (VALUE % "good: 1, accept: '>= many'", ">= compares with a number"),
    (VALUE % "good: 1, accept: '>= 3'", "good is 1, which accept does not take"),
    (VALUE % "good: 1, absent: maybe", "absent must be one of fail, pass"),
    (VALUE % "good: 1, effective: Defender.X", "'Defender.X' begins with none of MpPreference"),
    (VALUE % "good: 1, needs_build: {2: 22621}", "needs_build names '2', which accept does not"),
    (VALUE % "good: 1, acept: x", "unknown key 'acept'. Did you mean 'accept'"),
    ("  - {firewall: a, title: b, tcp: [80, 65536]}", "tcp has '65536', which is no number from 1 to 65535"),
    ("  - {firewall: a, title: b, tcp: [http]}", "tcp has 'http'"),
    ("  - {sysmon: [1, 999], hashes: []}", "sysmon has '999'"),
    ("  - {audit_policy: 0CCE922B, title: a, success: true}", "'0CCE922B' is no GUID"),
    ("  - {audit_policy: 0CCE922B-69AE-11D9-BED3-505054503030, title: a, success: on}", "success must be true or f"),
    ("  - {effective: IsTamperProtected, accept: '= 1'}", "begins with none of MpPreference"),
    ("  - {effective: MpPreference.X}", "accept is missing"),
    ("  - {mfa: everybody}", "mfa must be one of"),
    ("  - {question: nobody-asks}", "question must be one of"),
    ("  - {sacl: everything}", "sacl must be one of credential-stores"),
])
def test_a_wrong_setting_is_named_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"H99\.yml:\d+: ") as raised:
        read(text, tmp_path)
    assert re.search(said, str(raised.value)), raised.value
