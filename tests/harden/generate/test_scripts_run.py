"""The PowerShell scripts at work, on a model of a computer (ps_run.py): nothing without consent, and all of it back."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import FUZZ
from douse.harden.generate import auditpol, powershell
from douse.harden.generate.policy import Policy
from douse.harden.generate.realise import ASR_KEY
from harden.generate.policies import policy, with_value
from harden.generate.ps_run import PsError, Run, Thing, from_json
from harden.generate.ps_windows import ANNA, CONNECTIONS, PROFILES, SERVICES, USERS, Windows

STATE = r"C:\ProgramData\Douse\state.json"
SACL_STATE = r"C:\ProgramData\Douse\sacl.json"
LOGGING = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall\PublicProfile\Logging"
FIREWALL = r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall\PublicProfile"


@cache
def made(*controls: str, mode: str = "enforce") -> dict[str, bytes]:
    return files(policy(*controls, mode=mode))


def files(start: Policy) -> dict[str, bytes]:
    return {file.path.name: file.data for file in powershell.files(start)}


def computer(bundle: dict[str, bytes]) -> Windows:
    """A computer on which the bundle lies."""
    windows = Windows()
    put(windows, bundle)
    return windows


def put(windows: Windows, bundle: dict[str, bytes]) -> None:
    windows.folders.setdefault(windows.script_root, ("S-1-5-32-544", ()))
    for name, data in bundle.items():
        windows.files[f"{windows.script_root}\\{name}"] = data.decode()


def run(windows: Windows, bundle: dict[str, bytes], name: str, **parameters: Any) -> Run:
    return Run(windows).script(bundle[name], **parameters)


def results(ended: Run) -> Counter[str]:
    return Counter(row.get("Result") for row in ended.rows)


def detail(ended: Run, place: str) -> tuple[str, str]:
    [row] = [row for row in ended.rows if place in row.get("Place")]
    return row.get("Result"), row.get("Detail")


def detail_of(ended: Run, place: str) -> str:
    [row] = [row for row in ended.rows if place in row.get("Place")]
    return str(row.get("Result"))


EVERY_KIND = ("H01", "H02", "H05", "H06", "H07", "H09", "H11", "H33", "H39", "H40", "H41", "H44")
"""Values of computer and users, default values, lists, a value named `*`, firewall, AppLocker, service, feature, audit
and event logs."""


@pytest.mark.parametrize(("mode", "chosen"), [("audit", ("H01", "H06", "H13", "H44")), ("enforce", EVERY_KIND)])
def test_there_and_back(mode: str, chosen: tuple[str, ...]) -> None:
    bundle = made(*chosen, mode=mode)
    windows = computer(bundle)
    before, files_before = windows.snapshot(), dict(windows.files)

    dry = run(windows, bundle, "apply.ps1")
    assert windows.snapshot() == before
    assert windows.files == files_before
    assert dry.code == 0
    assert results(dry)["would be set"] > 20
    assert "Nothing was changed. Run it with -Execute to change this computer." in dry.said

    done = run(windows, bundle, "apply.ps1", Execute=True)
    assert (done.code, set(results(done))) == (0, {"set", "unchanged"})
    assert results(done)["set"] == results(dry)["would be set"]
    after = windows.snapshot()
    assert after != before

    checked = run(windows, bundle, "verify.ps1")
    assert (checked.code, set(results(checked))) == (0, {"pass"})

    again = run(windows, bundle, "apply.ps1", Execute=True)
    assert set(results(again)) == {"unchanged"}
    assert windows.snapshot() == after

    dry = run(windows, bundle, "undo.ps1")
    assert results(dry)["would be put back"] == results(done)["set"]
    assert windows.snapshot() == after

    back = run(windows, bundle, "undo.ps1", Execute=True)
    assert (back.code, set(results(back))) == (0, {"put back", "as before"})
    assert windows.snapshot() == before
    assert windows.files == files_before  # the state file went too


def test_undo_goes_backwards() -> None:
    """AppLocker's rules go before its service, and a key's last value before the key."""
    bundle = made("H03", "H06", "H07")
    windows = computer(bundle)
    done = run(windows, bundle, "apply.ps1", Execute=True)
    back = run(windows, bundle, "undo.ps1", Execute=True)
    assert [row.get("Place") for row in back.rows] == [row.get("Place") for row in reversed(done.rows)]


def test_what_if_beats_execute() -> None:
    windows = computer(made("H03", "H07"))
    before = windows.snapshot()
    ended = run(windows, made("H03", "H07"), "apply.ps1", Execute=True, WhatIf=True)
    assert windows.snapshot() == before
    assert STATE not in windows.files
    assert results(ended)["set"] == 0


def test_verify_says_what_is_missing() -> None:
    bundle = made("H03", "H41")
    windows = computer(bundle)
    before = windows.snapshot()
    ended = run(windows, bundle, "verify.ps1")
    assert ended.code == 1
    assert set(results(ended)) == {"fail"}
    assert windows.snapshot() == before
    assert not [path for path in windows.files if path.endswith(".csv")]  # auditpol's backup is cleared away


def test_verify_as_json() -> None:
    bundle = made("H03", "H44")
    windows = computer(bundle)
    [text] = run(windows, bundle, "verify.ps1", Json=True).rows
    document = from_json(text)
    assert (document.get("format"), document.get("computer")) == ("douse-verify-1", "PC-7")
    assert (document.get("profiles"), document.get("profiles_seen")) == (2, 1)
    assert {row.get("Result") for row in document.get("rows")} == {"fail", "pass"}


@pytest.mark.parametrize(("kind", "value", "kept"), [
    ("DWord", 32768, True), ("DWord", 16384, True), ("DWord", 1024, False), ("String", "32768", False),
    ("DWord", -1, True), ("QWord", 2**40, False), ("MultiString", ["a", ""], False), ("MultiString", [], False),
    ("Binary", [0, 255], False), ("Binary", [], False), ("ExpandString", "%x%'@\u2019$(y)", False),
    ("None", [1], False)])
def test_what_is_as_good_stays_and_all_else_comes_back(kind: str, value: Any, kept: bool) -> None:
    bundle = made("H05")
    windows = computer(bundle)
    windows.registry.put(LOGGING, "LogFileSize", kind, value)
    before = windows.snapshot()
    done = run(windows, bundle, "apply.ps1", Execute=True)
    assert detail(done, r"PublicProfile\Logging!LogFileSize")[0] == ("unchanged" if kept else "set")
    assert windows.registry[LOGGING]["LogFileSize"] == ((kind, value) if kept else ("DWord", 16384))
    assert run(windows, bundle, "undo.ps1", Execute=True).code == 0
    assert windows.snapshot() == before


@settings(max_examples=max(6, FUZZ))  # each runs two whole scripts
@given(st.text(), st.text(min_size=1).filter(lambda text: "|" not in text))
def test_any_text_comes_back(text: str, wanted: str) -> None:
    bundle = files(with_value(policy("H03"), "REG_SZ", wanted))
    windows = computer(bundle)
    windows.registry.put(r"HKLM\SOFTWARE\Policies\Odd", "Odd", "String", text)
    before = windows.snapshot()
    assert run(windows, bundle, "apply.ps1", Execute=True).code == 0
    assert windows.registry[r"HKLM\SOFTWARE\Policies\Odd"]["Odd"] in (("String", wanted), ("String", text))
    assert run(windows, bundle, "undo.ps1", Execute=True).code == 0
    assert windows.snapshot() == before


def test_what_somebody_changed_since_is_left_alone() -> None:
    bundle = made("H04")
    windows = computer(bundle)
    run(windows, bundle, "apply.ps1", Execute=True)
    windows.registry.put(FIREWALL, "AllowLocalPolicyMerge", "DWord", 7)
    ended = run(windows, bundle, "undo.ps1", Execute=True)
    assert ended.code == 1
    assert detail(ended, "AllowLocalPolicyMerge")[0] == "left alone"
    assert windows.registry[FIREWALL]["AllowLocalPolicyMerge"] == ("DWord", 7)
    assert run(windows, bundle, "undo.ps1", Execute=True, Force=True).code == 0
    assert FIREWALL not in windows.registry


def test_the_first_state_wins() -> None:
    """Audit, then enforce, then undo: what comes back is what was there before both."""
    audit, enforce = made("H01", "H02", "H06", "H13", mode="audit"), made("H01", "H02", "H06", "H13")
    windows = computer(audit)
    before = windows.snapshot()
    assert run(windows, audit, "apply.ps1", Execute=True).code == 0
    assert {rule.get("Enabled") for rule in windows.firewall["PersistentStore"].values()} == {"False"}
    assert 'EnforcementMode="AuditOnly"' in windows.applocker
    assert windows.audit[CONNECTIONS] == 3
    put(windows, enforce)
    assert run(windows, enforce, "apply.ps1", Execute=True).code == 0
    assert {rule.get("Enabled") for rule in windows.firewall["PersistentStore"].values()} == {"True"}
    assert 'EnforcementMode="Enabled"' in windows.applocker
    assert run(windows, enforce, "undo.ps1", Execute=True).code == 0
    assert windows.audit.pop(CONNECTIONS) == 3  # that was the audit bundle's
    put(windows, audit)
    assert {**windows.snapshot(), "audit": before["audit"]} == before


def test_a_bundle_that_watches_does_not_weaken_one_that_blocks() -> None:
    windows = computer(made("H13"))
    run(windows, made("H13"), "apply.ps1", Execute=True)
    ended = run(windows, made("H13", mode="audit"), "apply.ps1", Execute=True)
    rules = windows.registry["HKLM\\" + ASR_KEY + r"\Rules"]
    assert set(results(ended)) == {"unchanged"}
    assert Counter(value for _, value in rules.values())["1"] > 10


@pytest.mark.parametrize("folder", [("S-1-5-21-9-9-9-1001", ()), ("S-1-5-32-544", (USERS,))])
def test_a_state_file_that_a_user_could_write_is_refused(folder: tuple[str, tuple[str, ...]]) -> None:
    windows = computer(made("H04"))
    windows.folders[r"C:\ProgramData\Douse"] = folder
    before = windows.snapshot()
    with pytest.raises(PsError, match=r"Name another -StateFile\."):
        run(windows, made("H04"), "apply.ps1", Execute=True)
    windows.files[STATE] = '{"format": "douse-state-1", "items": []}'
    with pytest.raises(PsError, match=r"Name another -StateFile\."):
        run(windows, made("H04"), "undo.ps1", Execute=True)
    assert windows.snapshot() == before


def test_a_link_as_the_state_folder_is_refused() -> None:
    windows = computer(made("H04"))
    windows.folders[r"C:\ProgramData\Douse"] = ("S-1-5-32-544", ())
    windows.links.add(r"C:\ProgramData\Douse")
    with pytest.raises(PsError, match="is a link"):
        run(windows, made("H04"), "apply.ps1", Execute=True)


def test_a_foreign_state_file_is_refused() -> None:
    windows = computer(made("H04"))
    windows.folders[r"C:\ProgramData\Douse"] = ("S-1-5-32-544", ())
    windows.files[STATE] = '{"format": "something", "items": []}'
    with pytest.raises(PsError, match="no state file of this script"):
        run(windows, made("H04"), "undo.ps1")


def test_undo_touches_only_places_of_its_bundle() -> None:
    windows = computer(made("H04"))
    run(windows, made("H04"), "apply.ps1", Execute=True)
    evil = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run"
    text = windows.files[STATE].replace('"items": [', '"items": [{"id": "registry|HKLM|SOFTWARE\\\\Microsoft\\\\Windows'
                                        '\\\\CurrentVersion\\\\Run|x", "found": {"present": true, "type": "String", '
                                        '"data": "YQA=", "parent": "", "detail": null}}, ')
    assert text != windows.files[STATE]
    windows.files[STATE] = text
    run(windows, made("H04"), "undo.ps1", Execute=True, Force=True)
    assert evil not in windows.registry
    assert "CurrentVersion" in windows.files[STATE]  # what is not its own stays in the file


def test_people_who_are_not_signed_in_are_told() -> None:
    bundle = made("H11")
    windows = computer(bundle)
    before = windows.snapshot()
    run(windows, bundle, "apply.ps1", Execute=True)
    assert not [path for path in windows.registry.spelled() if "Policies" in path and ANNA not in path]
    hive = {key: value for key, value in windows.registry.data.items() if f"hku\\{ANNA.lower()}" in key}
    for key in hive:
        del windows.registry.data[key]
    away = run(windows, bundle, "undo.ps1", Execute=True)
    assert away.code == 1
    assert f"{ANNA} is not signed in" in away.said[0]
    windows.registry.data.update(hive)
    assert run(windows, bundle, "undo.ps1", Execute=True).code == 0
    assert windows.snapshot() == before


def test_what_does_not_hold_is_a_failure() -> None:
    windows = computer(made("H41"))
    windows.broken.add("0CCE922B-69AE-11D9-BED3-505054503030")
    ended = run(windows, made("H41"), "apply.ps1", Execute=True)
    assert ended.code == 1
    assert detail(ended, "Process Creation")[1].startswith("it was declined, or did not hold")


def test_one_failure_does_not_stop_the_others() -> None:
    bundle = made("H03", "H06", "H07")
    windows = computer(bundle)
    windows.files[rf"{windows.script_root}\applocker.xml"] += " "
    ended = run(windows, bundle, "apply.ps1", Execute=True)
    assert ended.code == 1
    assert results(ended)["failed"] == 1
    assert results(ended)["set"] >= 4
    assert detail(ended, "AppIDSvc")[0] == "set"
    assert "is not the file of this bundle" in detail(ended, "AppLocker")[1]


def test_other_peoples_applocker_rules_stay() -> None:
    other = ('<AppLockerPolicy Version="1"><RuleCollection Type="Exe" EnforcementMode="Enabled"><FilePathRule Id="a1" '
             'Name="theirs" Description="" UserOrGroupSid="S-1-1-0" Action="Allow"><Conditions /></FilePathRule>'
             '</RuleCollection></AppLockerPolicy>')
    bundle = made("H06")
    windows = computer(bundle)
    windows.applocker = other
    assert run(windows, bundle, "apply.ps1", Execute=True).code == 0
    assert "theirs" in windows.applocker
    assert "MSHTA.EXE" in windows.applocker
    assert run(windows, bundle, "undo.ps1", Execute=True).code == 0
    assert windows.applocker == other


def test_a_kept_enforcement_mode_is_told() -> None:
    """A merge keeps the old mode: our enforced rules would only watch, and nobody would know."""
    bundle = made("H06")
    windows = computer(bundle)
    windows.applocker = ('<AppLockerPolicy Version="1"><RuleCollection Type="Exe" EnforcementMode="AuditOnly">'
                         '<FilePathRule Id="a1" /></RuleCollection></AppLockerPolicy>')
    ended = run(windows, bundle, "apply.ps1", Execute=True)
    assert detail(ended, "AppLocker")[0] == "failed"


def test_firewall_rules_go_into_a_gpo() -> None:
    bundle = made("H01")
    windows = computer(bundle)
    before = windows.snapshot()
    run(windows, bundle, "apply.ps1", Execute=True, FirewallStore="corp.example\\GPO")
    [rule] = windows.firewall["corp.example\\GPO"].values()
    assert windows.firewall["PersistentStore"] == {}
    assert {name: rule.get(name) for name in ("Direction", "Action", "Enabled", "Profile", "Program")} == {
        "Direction": "Outbound", "Action": "Block", "Enabled": "True", "Profile": "Any",
        "Program": r"%SystemRoot%\System32\mshta.exe"}
    run(windows, bundle, "undo.ps1", Execute=True, FirewallStore="corp.example\\GPO")
    assert windows.snapshot() == before


def test_the_seeds_rule_has_its_ports() -> None:
    bundle = files(policy("H01", profile="seed"))
    windows = computer(bundle)
    run(windows, bundle, "apply.ps1", Execute=True)
    [rule] = windows.firewall["PersistentStore"].values()
    assert (rule.get("Protocol"), rule.get("RemotePort")) == ("TCP", ["80", "443", "3128"])
    assert run(windows, bundle, "verify.ps1").code == 0
    rule.properties["RemotePort"] = ["80"]
    assert run(windows, bundle, "verify.ps1").code == 1


@pytest.mark.parametrize(("name", "value"), [
    ("RemoteAddress", ["10.0.0.1", "10.0.0.2"]), ("LocalAddress", "10.0.0.9"), ("LocalPort", "1"), ("Service", "x"),
    ("InterfaceType", "Wireless"), ("LocalUser", "D:(A;;CC;;;BA)"), ("Package", "S-1-15-2-1")])
def test_a_rule_that_somebody_narrowed_is_not_set(name: str, value: Any) -> None:
    bundle = made("H01")
    windows = computer(bundle)
    run(windows, bundle, "apply.ps1", Execute=True)
    [rule] = windows.firewall["PersistentStore"].values()
    rule.properties[name] = value
    del windows.files[STATE]
    before = windows.snapshot()
    assert run(windows, bundle, "verify.ps1").code == 1
    assert results(run(windows, bundle, "apply.ps1", Execute=True))["set"] == 1
    assert run(windows, bundle, "verify.ps1").code == 0
    assert run(windows, bundle, "undo.ps1", Execute=True).code == 0
    after = windows.snapshot()
    assert after["firewall"]["PersistentStore"] == before["firewall"]["PersistentStore"]


def test_a_rule_that_a_policy_ignores_is_not_set() -> None:
    """H04 takes rules of the computer itself out of force on public networks, and apply.ps1 makes such rules."""
    bundle = made("H01", "H04")
    windows = computer(bundle)
    said = run(windows, bundle, "apply.ps1", Execute=True).said
    assert [line for line in said if "do not count on PublicProfile" in line]
    checked = run(windows, bundle, "verify.ps1")
    assert checked.code == 1
    assert results(checked)["fail"] == 1
    run(windows, bundle, "apply.ps1", Execute=True, FirewallStore="corp.example\\GPO")
    assert run(windows, bundle, "verify.ps1").code == 0  # the policy's rule counts, whatever the local one does


def test_what_cannot_be_read_does_not_pass() -> None:
    bundle = made("H40", "H44")
    windows = computer(bundle)
    windows.broken |= {"features", "Microsoft-Windows-Crypto-DPAPI/Debug"}
    assert results(run(windows, bundle, "verify.ps1"))["unknown"] == 3
    ended = run(windows, bundle, "apply.ps1", Execute=True)
    assert (ended.code, results(ended)["failed"], results(ended)["not here"]) == (1, 3, 0)
    alone = run(windows, made("H40"), "verify.ps1")
    assert (alone.code, set(results(alone))) == (1, {"unknown"})
    windows.broken.clear()
    windows.features = {"Other": "Enabled"}
    assert results(run(windows, bundle, "verify.ps1"))["pass"] >= 2  # a Windows without the feature has it removed


def test_the_32_bit_powershell_is_refused() -> None:
    windows = computer(made("H40"))
    windows.is_64_bit = False
    for name in ("apply.ps1", "verify.ps1", "undo.ps1"):
        with pytest.raises(PsError, match="Run it in the 64-bit one"):
            run(windows, made("H40"), name)


def test_what_is_audited_for_one_person_is_not_the_computers() -> None:
    bundle = made("H41")
    windows = computer(bundle)
    windows.audited_people = {"0CCE922B-69AE-11D9-BED3-505054503030": 1}
    assert detail_of(run(windows, bundle, "verify.ps1"), "Process Creation") == "fail"


def test_a_service_with_a_stale_delay_comes_back() -> None:
    windows = computer(made("H07"))
    windows.registry.put(rf"HKLM\{SERVICES}\AppIDSvc", "DelayedAutostart", "DWord", 1)  # and Start is 3, by hand
    windows.forgets_delay = True
    run(windows, made("H07"), "apply.ps1", Execute=True)
    assert run(windows, made("H07"), "undo.ps1", Execute=True).code == 0


def test_applocker_may_come_back_in_another_order() -> None:
    bundle = made("H06")
    windows = computer(bundle)
    rules = [f'<FilePathRule Id="a{number}" Name="theirs" Action="Allow" />' for number in (1, 2)]
    policy_of = ('<AppLockerPolicy Version="1"><RuleCollection Type="Exe" EnforcementMode="Enabled">{}'
                 "</RuleCollection>{}</AppLockerPolicy>")
    windows.applocker = policy_of.format("".join(rules), "")
    run(windows, bundle, "apply.ps1", Execute=True)
    windows.written_as = policy_of.format("".join(reversed(rules)),
                                          '<RuleCollection Type="Dll" EnforcementMode="NotConfigured" />')
    assert run(windows, bundle, "undo.ps1", Execute=True).code == 0
    assert STATE not in windows.files


def test_a_deleted_profile_does_not_keep_the_state_for_ever() -> None:
    bundle = made("H11")
    windows = computer(bundle)
    run(windows, bundle, "apply.ps1", Execute=True)
    for path in [path for path in windows.registry.data if ANNA.lower() in path]:
        del windows.registry.data[path]
    assert run(windows, bundle, "undo.ps1", Execute=True).code == 0
    assert STATE not in windows.files


@pytest.mark.parametrize("name", ["apply.ps1", "undo.ps1", "set-sacl.ps1", "undo-sacl.ps1"])
def test_a_state_file_is_named_in_full(name: str) -> None:
    """.NET and PowerShell do not agree on the current folder."""
    bundle = made("H43")
    with pytest.raises(PsError, match="with its whole path"):
        run(computer(bundle), bundle, name, StateFile="state.json")


def test_a_service_or_log_that_is_not_here() -> None:
    windows = computer(made("H07", "H44"))
    del windows.registry.data[rf"hklm\{SERVICES}\appidsvc".lower()]
    windows.channels.clear()
    ended = run(windows, made("H07", "H44"), "apply.ps1", Execute=True)
    assert ended.code == 0
    assert results(ended)["not here"] == 3


def test_constrained_language_mode_is_told() -> None:
    for name, data in made("H43").items():
        if name.endswith(".ps1"):
            windows = computer(made("H43"))
            windows.language_mode = "ConstrainedLanguage"
            with pytest.raises(PsError, match="Sign this script"):
                Run(windows).script(data)


def test_a_transcript_is_written_only_where_asked() -> None:
    windows = computer(made("H04"))
    run(windows, made("H04"), "apply.ps1", Transcript=r"C:\log.txt")
    assert r"C:\log.txt" in windows.files


def test_audited_stays_audited() -> None:
    bundle = made("H44")
    windows = computer(bundle)
    windows.audit = {"0CCE9235-69AE-11D9-BED3-505054503030": 2}
    run(windows, bundle, "apply.ps1", Execute=True)
    assert windows.audit["0CCE9235-69AE-11D9-BED3-505054503030"] == 3
    run(windows, bundle, "undo.ps1", Execute=True)
    assert windows.audit["0CCE9235-69AE-11D9-BED3-505054503030"] == 2


# ---- audit entries, and the switch of the pre-flight window

CHROME = r"C:\Users\anna\AppData\Local\Google\Chrome\User Data"
SSH = r"C:\Users\bob\.ssh"


def people() -> Windows:
    windows = computer(made("H43"))
    there = (r"C:\Users\anna", r"C:\Users\bob", CHROME, SSH, r"C:\Users\bob\.aws")
    windows.folders.update(dict.fromkeys(there, ("S-1-5-32-544", ())))
    return windows


def test_reads_of_stores_are_audited_in_every_profile() -> None:
    windows = people()
    before = windows.snapshot()
    dry = run(windows, made("H43"), "set-sacl.ps1")
    assert windows.snapshot() == before
    assert results(dry) == {"would be set": 3}
    assert results(run(windows, made("H43"), "set-sacl.ps1", Execute=True)) == {"set": 3}
    assert windows.sacls == {CHROME: {"S-1-1-0"}, SSH: {"S-1-1-0"}, r"C:\Users\bob\.aws": {"S-1-1-0"}}
    assert results(run(windows, made("H43"), "set-sacl.ps1", Execute=True)) == {"unchanged": 3}
    assert results(run(windows, made("H43"), "undo-sacl.ps1", Execute=True)) == {"removed": 3}
    assert windows.snapshot() == before
    assert SACL_STATE not in windows.files


def test_entries_of_others_stay() -> None:
    windows = people()
    windows.sacls = {CHROME: {"S-1-1-0"}, SSH: {"S-1-5-11"}}
    before = windows.snapshot()
    assert results(run(windows, made("H43"), "set-sacl.ps1", Execute=True)) == {"unchanged": 1, "set": 2}
    assert windows.sacls[SSH] == {"S-1-5-11", "S-1-1-0"}
    run(windows, made("H43"), "undo-sacl.ps1", Execute=True)
    assert windows.snapshot() == before


def test_links_inside_a_profile_are_skipped() -> None:
    """Whoever owns the profile could make the script audit a folder of Windows."""
    windows = people()
    windows.links.add(SSH)
    assert results(run(windows, made("H43"), "set-sacl.ps1", Execute=True)) == {"set": 2, "skipped": 1}
    assert SSH not in windows.sacls


def test_undo_of_entries_goes_nowhere_else() -> None:
    windows = people()
    run(windows, made("H43"), "set-sacl.ps1", Execute=True)
    windows.sacls[r"C:\Windows"] = {"S-1-1-0"}
    windows.files[SACL_STATE] = windows.files[SACL_STATE].replace('"folders": [', '"folders": ["C:\\\\Windows", ')
    ended = run(windows, made("H43"), "undo-sacl.ps1", Execute=True)
    assert results(ended) == {"removed": 3, "skipped": 1}
    assert windows.sacls[r"C:\Windows"] == {"S-1-1-0"}


def test_the_window_opens_and_closes() -> None:
    switch = {file.path.name: file.data for file in auditpol.files(policy("H03"))}
    windows = Windows()
    windows.audit = {CONNECTIONS: 2}
    Run(windows).script(switch["connections-on.ps1"])
    assert windows.audit == {CONNECTIONS: 2}
    assert Run(windows).script(switch["connections-on.ps1"], Execute=True).code == 0
    assert windows.audit == {CONNECTIONS: 3}
    assert Run(windows).script(switch["connections-off.ps1"], Execute=True).code == 0
    assert windows.audit == {CONNECTIONS: 2}  # what is blocked (5157) is audited as before


def test_the_model_keeps_to_profiles() -> None:
    """The tests above mean something only if the computer has a profile that is away, and ones that are no person's."""
    names = [path for path in Windows().registry.spelled() if PROFILES in path and path.count("-") > 2]
    assert len(names) == 3
    assert isinstance(Thing(a=1).get("A"), int)
