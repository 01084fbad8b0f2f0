"""Controls become values: which, in which mode, and what is left with a reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path

import pytest

from douse.content.controls import controls
from douse.content.settings import (
    AppLockerSetting,
    AuditSetting,
    FeatureSetting,
    FirewallSetting,
    QuestionSetting,
    RegistrySetting,
    ServiceSetting,
    Setting,
    TenantSetting,
)
from douse.errors import ContentError, OutputError
from douse.harden.firewall_rule import parse
from douse.harden.generate import plan, realise
from douse.harden.generate.choose import chosen
from douse.harden.generate.formats import realised_settings
from douse.harden.generate.policy import GenerateOptions, Policy, RegistryChange, guid_for
from douse.harden.registry import RegistryValue
from douse.report.preflight import preflight_document
from douse.report.preflight_formats import FORMATS as EXPORTERS
from harden.generate.go_files import GROUP, TODAY, go_file, site_file
from harden.preflight.fleet_logs import HOSTS, days_of, run


def planned(*names: str, **options: object) -> Policy:
    """The policy of these controls."""
    found, problems = plan.planned(GenerateOptions(names, ("reg",), today=TODAY, **options))  # type: ignore[arg-type]
    assert problems == ()
    return found


def value(policy: Policy, name: str) -> RegistryValue:
    """The one registry value of that name."""
    found, = (change.value for change in policy.registry if change.name == name)
    return found


def test_controls_are_named_by_id_slug_tag_or_all() -> None:
    assert [one.id for one in chosen(("h02,H01",))] == ["H01", "H02"]
    assert [one.id for one in chosen(("firewall-on", "applocker-service"))] == ["H03", "H07"]
    assert [one.id for one in chosen(("fw",))] == [one.id for one in controls() if "FW" in one.seed]
    assert chosen(("all",)) == controls()


@pytest.mark.parametrize(("word", "said"), [
    ("H99", "'H99' is no control"), ("firewal-on", "Did you mean 'firewall-on'?"), (",", "names no control"),
    ("", "names no control"), ("\x1b[31m", "is no control")])
def test_a_word_that_names_none_is_an_error_with_the_nearest(word: str, said: str) -> None:
    with pytest.raises(ContentError, match="--controls") as raised:
        chosen((word,))
    assert said in str(raised.value)


def test_every_kind_of_setting_is_realised_or_left() -> None:
    known = {type(setting) for control in controls() for setting in control.settings}
    assert known <= set(realise.REALISED)
    assert {kind.__name__ for kind in realise.REALISED} == {kind.__name__ for kind in Setting.__subclasses__()}


def test_audit_writes_a_rule_that_waits_and_records_connections() -> None:
    policy = planned("H01")
    rule, = policy.firewall
    assert (rule.active, parse(rule.text).active) == (False, False)
    assert value(policy, rule.id).data == rule.text
    assert value(policy, "PolicyVersion") == RegistryValue("REG_DWORD", 0x21A)
    connections, = (change.setting for change in policy.of(AuditSetting))
    assert isinstance(connections, AuditSetting)
    assert connections.guid == "0CCE9226-69AE-11D9-BED3-505054503030"
    assert (connections.success, connections.failure) == (True, True)


@pytest.mark.parametrize(("profile", "protocol", "ports"), [
    ("seed", 6, ((80, 80), (443, 443))), ("recommended", None, None)])
def test_enforce_writes_the_active_rule(tmp_path: Path, profile: str, protocol: int | None, ports: object) -> None:
    policy = planned("H01", "H02", mode="enforce", profile=profile, preflight=go_file(tmp_path))
    for change, folder in zip(policy.firewall, ("System32", "SysWOW64"), strict=True):
        rule = parse(change.text)
        assert rule.active
        assert (rule.action, rule.direction, rule.protocol, rule.remote_ports) == ("block", "out", protocol, ports)
        assert rule.program == rf"%SystemRoot%\{folder}\mshta.exe"
        assert change.id == guid_for(change.setting.id)
    assert not policy.of(AuditSetting)
    assert policy.go is not None


def test_a_firewall_policy_says_its_version_with_or_without_a_rule() -> None:
    assert value(planned("H03", mode="enforce"), "PolicyVersion") == RegistryValue("REG_DWORD", 0x21A)
    assert value(planned("H01", "H05"), "PolicyVersion") == RegistryValue("REG_DWORD", 0x21A)
    assert not [one for one in planned("H36", mode="enforce").registry if one.name == "PolicyVersion"]


def test_ports_of_the_proxy_join_those_of_the_web(tmp_path: Path) -> None:
    site = site_file(tmp_path)
    assert planned("H01", site=site).firewall[0].tcp == (80, 443, 3128, 8080)
    assert planned("H01", site=site, profile="recommended").firewall[0].tcp == ()


@pytest.mark.parametrize(("made", "said"), [
    (None, "only with the record of a pre-flight"),
    ({"verdict": "NO-GO"}, "ended in NO-GO"),
    ({"verdict": "INSUFFICIENT"}, "ended in INSUFFICIENT"),
    ({"program": "wscript.exe"}, "one of another program"),
    ({"finished": "2026-10-24T23:00:00+00:00"}, "ends 31 days ago"),
    ({"until": "2025-11-24T00:00:00Z"}, "ends 365 days ago"),
    ({"finished": "2026-11-27T00:00:00+00:00"}, "in the future"),
    ({"groups": (GROUP,), "verdict": "GO WITH EXCEPTIONS", "expires": "2026-11-23"}, "ran out on 2026-11-23"),
    ({"groups": (("a'; calc", GROUP[1]),), "verdict": "GO WITH EXCEPTIONS"}, "none that a policy can name"),
    ({"groups": ((GROUP[0], "S-1-1-0"),), "verdict": "GO WITH EXCEPTIONS"}, "none that a policy can name")])
def test_mshta_is_blocked_only_after_proof(tmp_path: Path, made: dict[str, object] | None, said: str) -> None:
    file = None if made is None else go_file(tmp_path, **made)  # type: ignore[arg-type]
    for control in ("H01", "H02", "H06", "H08"):
        with pytest.raises(OutputError) as raised:
            planned(control, mode="enforce", preflight=file)
        assert said in str(raised.value)
        if "policy can name" not in said:
            assert "douse harden preflight mshta.exe" in raised.value.next_step
            assert control in raised.value.where


def test_a_record_that_somebody_changed_lets_nothing_through(tmp_path: Path) -> None:
    file = go_file(tmp_path, verdict="NO-GO")
    file.write_text(file.read_text(encoding="utf-8").replace("NO-GO", "GO"), encoding="utf-8")
    with pytest.raises(ContentError, match="digest does not fit"):
        planned("H01", mode="enforce", preflight=file)


@pytest.mark.parametrize("until", ["soon", 7, [], {}])
def test_a_record_whose_end_is_no_time_lets_nothing_through(tmp_path: Path, until: object) -> None:
    with pytest.raises(ContentError, match="its until is no time"):
        planned("H01", mode="enforce", preflight=go_file(tmp_path, until=until))


def test_a_record_of_thirty_days_is_new_enough(tmp_path: Path) -> None:
    assert planned("H01", mode="enforce", preflight=go_file(tmp_path, finished="2026-10-25T00:30:00+00:00")).firewall


def test_what_only_refuses_is_left_in_audit() -> None:
    policy = planned("all")
    for left in policy.left:
        assert len(left.why) > 20
    refusing = {change.setting for change in policy.registry}
    assert not [name for name in refusing if name.startswith(("H10/", "H28/", "H35/"))]
    assert not policy.of(FeatureSetting)
    assert {change.setting.start for change in policy.of(ServiceSetting)  # type: ignore[union-attr]
            } <= {"automatic"}
    modes = {change.value.data for change in policy.registry if change.name == "EnforcementMode"}
    assert modes == {0}
    assert {change.value.data for change in policy.registry if "\\ASR\\Rules" in change.key} == {"2"}


@pytest.mark.parametrize("profile", ["seed", "recommended"])
def test_each_setting_is_set_or_left_once(tmp_path: Path, profile: str) -> None:
    policy = planned("all", mode="enforce", profile=profile, preflight=go_file(tmp_path), site=site_file(tmp_path))
    done = Counter([setting.id for _, setting in realised_settings(policy)] + [one.setting.id for one in policy.left])
    assert set(done.values()) == {1}
    # the AppLocker setting is a Change, and its SrpV2 values carry its id
    assert set(done) == {setting.id for control in controls() for setting in control.settings_of(profile)}
    assert not [one for one in policy.left if isinstance(one.setting, RegistrySetting | FirewallSetting)
                and not isinstance(one.setting, TenantSetting | QuestionSetting)
                and not (isinstance(one.setting, RegistrySetting) and one.setting.good is None)]
    places = Counter((change.hive, change.key.lower(), change.name.lower()) for change in policy.registry)
    assert set(places.values()) == {1}


def test_extensions_are_those_of_the_site(tmp_path: Path) -> None:
    without = planned("H33", mode="enforce")
    assert without.registry == ()
    assert all("which extensions people need" in one.why for one in without.left)
    with_site = planned("H33", mode="enforce", site=site_file(tmp_path))
    listed = [(change.key.rpartition("\\")[2], change.name, change.value.data) for change in with_site.registry]
    assert listed.count(("ExtensionInstallBlocklist", "1", "*")) == 2
    assert sum(name == "ExtensionInstallAllowlist" for name, *_ in listed) == 2
    nobody = planned("H33", mode="enforce", site=site_file(tmp_path, text="extensions: {chrome: []}\n"))
    assert [change.value.data for change in nobody.registry] == ["*"]


def test_a_group_may_go_on_using_mshta(tmp_path: Path) -> None:
    record = go_file(tmp_path, verdict="GO WITH EXCEPTIONS", groups=(GROUP,))
    policy = planned("H06", mode="enforce", preflight=record)
    assert policy.of(AppLockerSetting)
    assert any(GROUP[1] in str(change.value.data) for change in policy.registry)
    app_control = planned("H08", mode="enforce", preflight=record)
    assert app_control.changes == ()
    assert "knows no groups" in app_control.left[0].why
    assert planned("H08", mode="enforce", preflight=go_file(tmp_path)).changes


def test_two_controls_that_contradict_each_other_stop() -> None:
    def change(control: str, data: int) -> RegistryChange:
        return RegistryChange(control, control, "HKLM", "Software\\X", "Y", RegistryValue("REG_DWORD", data), False)

    assert len(list(plan._merged([change("H1", 1), change("H2", 1)]))) == 1
    with pytest.raises(ContentError, match="H2 and H1: want different data"):
        list(plan._merged([change("H1", 1), change("H2", 2)]))


def test_one_subcategory_is_audited_for_all_that_ask() -> None:
    policy = planned("H01", "H44")
    both = [change.setting for change in policy.of(AuditSetting)
            if isinstance(change.setting, AuditSetting) and change.setting.guid.startswith("0CCE9226")]
    assert [(one.success, one.failure) for one in both] == [(True, True)]


def test_from_logs_to_an_enforced_rule(tmp_path: Path) -> None:
    """The record that a pre-flight of real logs writes is the one that is read here."""
    result = replace(run(tmp_path, chain.from_iterable(map(days_of, HOSTS))),
                     finished=datetime(2026, 12, 18, 9, tzinfo=UTC))
    assert result.verdict == "GO"
    record = tmp_path / "preflight.json"
    record.write_bytes(b"".join(EXPORTERS["json"](preflight_document(result))))
    options = GenerateOptions(("H01",), ("reg",), "enforce", preflight=record, today=date(2026, 12, 20))
    policy, _ = plan.planned(options)
    assert policy.firewall[0].active
    assert policy.go is not None
    assert (policy.go.days, policy.go.need, policy.go.until) == (30, 100, result.until)
    with pytest.raises(OutputError, match="ends 35 days ago"):
        plan.planned(replace(options, today=date(2027, 1, 21)))
