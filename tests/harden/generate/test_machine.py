"""The generated files, applied to a model of a computer: enforced they pass the audit, undone nothing is left of them.

What is applied are the files' own bytes, and what judges is the audit, which knows nothing of how they were made.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from douse.content.controls import Control, controls
from douse.content.settings import AsrSetting, QuestionSetting, Setting, TenantSetting
from douse.harden import pol
from douse.harden.audit.findings import findings
from douse.harden.evidence import walk
from douse.harden.evidence.derive import derive
from douse.harden.finding import Check, Finding
from douse.harden.firewall_rule import parse
from douse.harden.gathered import Evidence
from douse.harden.generate.bundle import Bundle, generate
from douse.harden.generate.formats import FORMATS, realised_settings
from douse.harden.generate.policy import BundleFile, GenerateOptions
from douse.harden.generate.script import embedded
from douse.harden.registry import RegistryValue
from douse.harden.stores_folders import profile_store_folders
from harden.collected import collected
from harden.generate.go_files import TODAY, go_file, site_file
from harden.generate.machine import Machine, as_on_any_day, read_reg

Apply = Callable[[Machine, Mapping[str, bytes]], None]
REGISTRY = ("H01", "H03", "H06", "H09", "H11", "H12", "H28", "H35")
"""Controls of every kind that is kept in the registry."""


def by_reg(machine: Machine, files: Mapping[str, bytes]) -> None:
    """Import the .reg files."""
    machine.import_reg(files["reg/apply.reg"])
    for user in machine.users:
        machine.import_reg(files["reg/apply-user.reg"], user)


def by_pol(machine: Machine, files: Mapping[str, bytes]) -> None:
    """Give both registry.pol to LGPO.exe."""
    machine.import_pol(files["pol/Machine/registry.pol"], "HKLM")
    machine.import_pol(files["pol/User/registry.pol"], "HKCU")


def by_gpo(machine: Machine, files: Mapping[str, bytes]) -> None:
    """Import and link the GPO."""
    machine.set_gpo((name, data) for name, data in files.items() if name.startswith("gpo/"))


def by_powershell(machine: Machine, files: Mapping[str, bytes]) -> None:
    """Run apply.ps1 and set-sacl.ps1."""
    machine.run_apply(files["powershell/apply.ps1"], files.get("powershell/applocker.xml", b""))
    sacl = embedded(files["powershell/set-sacl.ps1"])
    machine.sacls = sacl["folders"] == list(profile_store_folders())


def by_wdac(machine: Machine, files: Mapping[str, bytes]) -> None:
    """Convert and deploy the App Control policy."""
    machine.app_control = files["wdac/policy.xml"]


def by_sysmon(machine: Machine, files: Mapping[str, bytes]) -> None:
    """Give Sysmon its configuration."""
    machine.set_sysmon(files["sysmon/sysmon.xml"])


def by_applocker(machine: Machine, files: Mapping[str, bytes]) -> None:
    """Set-AppLockerPolicy on the computer, where its service runs already."""
    machine.set_applocker(files["applocker/applocker.xml"])


def by_intune(machine: Machine, files: Mapping[str, bytes]) -> None:
    """Assign every profile."""
    for name, data in files.items():
        if name.startswith("intune/") and name.endswith(".json"):
            machine.set_profile(data)


def by_auditpol(machine: Machine, files: Mapping[str, bytes]) -> None:
    """Run the scripts of the audit policy."""
    machine.run_apply(files["auditpol/apply.ps1"])
    machine.sacls = embedded(files["auditpol/set-sacl.ps1"])["folders"] == list(profile_store_folders())


WAYS: Mapping[str, Apply] = {
    "reg": by_reg, "pol": by_pol, "gpo": by_gpo, "powershell": by_powershell, "applocker": by_applocker,
    "wdac": by_wdac, "intune": by_intune, "sysmon": by_sysmon, "auditpol": by_auditpol}
"""Every format for Windows; the browsers' files are for other systems."""


def bundle(folder: Path, *names: str, mode: str = "enforce", profile: str = "seed") -> Bundle:
    """A bundle in every format."""
    return generate(GenerateOptions(names or ("all",), tuple(FORMATS), mode, profile, go_file(folder),
                                    site_file(folder), today=TODAY))


def files_of(made: Bundle) -> dict[str, bytes]:
    """The files by path."""
    return {str(file.path): file.data for file in made.files}


def audited(machine: Machine, profile: str, those: Iterable[Control] = ()) -> dict[str, Finding]:
    """What the audit says of a machine, by control; of all controls unless it is told which."""
    evidence = machine.evidence()
    derive(evidence)
    host, = evidence.of("host")
    return {one.control.id: one for one in findings(host, tuple(those) or controls(), profile, TODAY)}


def failed(machine: Machine, made: Bundle, words: Iterable[str]) -> list[str]:
    """The settings that some of these formats say and that the audit does not pass, but rules that begin in audit."""
    said = {setting.id for _, setting in realised_settings(made.policy)
            if any(FORMATS[word].can_say(setting) for word in words)}
    checks = [check for finding in audited(machine, made.policy.profile, made.policy.controls).values()
              for check in finding.checks]
    seen = {check.setting.id for check in checks}
    assert said - seen <= {f"{control.id}/connections" for control in made.policy.controls}
    return [f"{check.setting.id}: {check.state}, {check.why}" for check in checks
            if check.setting.id in said and not _passes(check)]


def _passes(check: Check) -> bool:
    begins = isinstance(check.setting, AsrSetting) and check.setting.start == "audit"
    return check.state == ("partial" if begins else "pass")


def test_every_format_for_windows_is_tried() -> None:
    assert set(FORMATS) - set(WAYS) == {"browser"}


@pytest.mark.parametrize("profile", ["seed", "recommended"])
@pytest.mark.parametrize("way", WAYS)
def test_what_a_format_enforces_passes_the_audit(tmp_path: Path, way: str, profile: str) -> None:
    made, machine = bundle(tmp_path, profile=profile), as_on_any_day()
    assert failed(machine, made, (way,))
    WAYS[way](machine, files_of(made))
    local = ["H01/", "H02/"] if way == "powershell" else []  # a local rule is worth half, as its store is the computer
    left = [one for one in failed(machine, made, (way,)) if not one.startswith(tuple(local) or ("-",))]
    assert left == []
    for name in local:
        assert all(check.state == "partial" for check in audited(machine, profile)[name[:3]].checks)


@pytest.mark.parametrize("profile", ["seed", "recommended"])
def test_every_control_that_files_can_set_passes(tmp_path: Path, profile: str) -> None:
    made, machine = bundle(tmp_path, profile=profile), as_on_any_day()
    for apply in (by_powershell, by_gpo, by_wdac, by_sysmon):
        apply(machine, files_of(made))
    states = {name: finding.state for name, finding in audited(machine, profile).items()}
    by_hand = {"H18": "a switch of Defender's console, which no file sets"}
    assert states.pop("H13") == "partial"  # its noisy rules begin in audit mode
    assert {name: state for name, state in states.items() if state != "pass" and name not in by_hand} == {}
    asked = {control.id for control in controls() if any(_is_of_a_host(one) for one in control.settings_of(profile))}
    assert set(states) | {"H13"} == asked


def _is_of_a_host(setting: Setting) -> bool:
    return not isinstance(setting, TenantSetting | QuestionSetting)


@pytest.mark.parametrize("way", ["reg", "pol", "gpo"])
@pytest.mark.parametrize("mode", ["audit", "enforce"])
def test_undone_the_machine_is_what_it_was(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, mode: str) -> None:
    machine = as_on_any_day()
    evidence = machine.evidence()
    monkeypatch.setattr(walk, "gather", lambda paths: evidence)
    made = generate(GenerateOptions(("all",), tuple(FORMATS), mode, "recommended", go_file(tmp_path),
                                    site_file(tmp_path), before=("evidence",), today=TODAY))
    files, was = files_of(made), machine.snapshot()
    if mode == "audit":
        files.setdefault("reg/apply-user.reg", b"")
    settings = dict(machine.services), dict(machine.audit)
    _apply(way, machine, files)
    assert machine.snapshot() != was
    _undo(way, machine, files)
    machine.services, machine.audit = settings  # no registry values: the README says so, undo.ps1 puts them back
    assert json.loads(machine.snapshot()) == json.loads(was)
    assert machine.snapshot() == was


def _apply(way: str, machine: Machine, files: Mapping[str, bytes]) -> None:
    if way == "reg":
        machine.import_reg(files["reg/apply.reg"])
        for user in machine.users if files["reg/apply-user.reg"] else ():
            machine.import_reg(files["reg/apply-user.reg"], user)
    elif way == "pol":
        machine.import_pol(files["pol/Machine/registry.pol"], "HKLM")
        if "pol/User/registry.pol" in files:
            machine.import_pol(files["pol/User/registry.pol"], "HKCU")
    else:
        by_gpo(machine, files)


def _undo(way: str, machine: Machine, files: Mapping[str, bytes]) -> None:
    folder = {"reg": "reg/", "gpo": "gpo-undo/", "pol": "gpo-undo/"}[way]
    if way == "pol":
        machine.import_pol(files["pol/undo/Machine/registry.pol"], "HKLM")
        if "pol/undo/User/registry.pol" in files:  # of the user of whom nothing is known; each one's own by .reg
            machine.import_pol(files["pol/undo/User/registry.pol"], "HKCU")
        folder = "reg/"
    elif way == "gpo":
        machine.unlink_gpo()
    if f"{folder}undo.reg" in files:
        machine.import_reg(files[f"{folder}undo.reg"])
    for number, user in enumerate(machine.users, start=1):
        if f"{folder}undo-user-{number}.reg" in files:
            machine.import_reg(files[f"{folder}undo-user-{number}.reg"], user)


def test_audit_refuses_nothing(tmp_path: Path) -> None:
    for profile in ("seed", "recommended"):
        made, machine = bundle(tmp_path, mode="audit", profile=profile), Machine()
        files = files_of(made)
        assert "reg/apply-user.reg" not in files
        machine.import_reg(files["reg/apply.reg"])
        by_gpo(machine, files)
        by_powershell(machine, files)
        by_intune(machine, files)
        machine.app_control = files["wdac/policy.xml"]
        assert b'EnforcementMode="AuditOnly"' in machine.mdm_applocker
        mdm, = (value.data for (_, _, name, _), (_, _, value) in machine.registry.items() if name == "asrrules")
        assert {rule.partition("=")[2] for rule in str(mdm).split("|")} == {"2"}
        rules = [parse(str(value.data)) for (_, key, _, _), (_, _, value) in machine.registry.items()
                 if key.endswith("windowsfirewall\\firewallrules")]
        rules += [*machine.local_rules.values(), *machine.mdm_rules.values()]
        assert rules
        assert not any(rule.active for rule in rules)
        found = audited(machine, profile)
        for control in ("H01", "H02", "H06", "H08", "H10", "H28"):
            assert found[control].state != "pass", found[control]
        modes = {name: value.data for (_, _, name, _), (_, _, value) in machine.registry.items()
                 if name == "enforcementmode"}
        assert modes == {"enforcementmode": 0}
        asr = {value.data for (_, key, _, _), (_, _, value) in machine.registry.items() if key.endswith("asr\\rules")}
        assert asr == {"2"}
        assert b"Enabled:Audit Mode" in machine.app_control
        assert b"Disabled:Script Enforcement" in machine.app_control
        assert set(machine.features.values()) == {"Enabled"}


@pytest.mark.parametrize("control", REGISTRY)
def test_a_value_that_is_forgotten_is_noticed(tmp_path: Path, control: str) -> None:
    """The tests above are only as good as this: without any one of a control's values the audit does not pass."""
    made = bundle(tmp_path, control, "H07")
    sides = {name: pol.read(data, name).entries for name, data in files_of(made).items()
             if name in ("pol/Machine/registry.pol", "pol/User/registry.pol")}
    noticed = 0
    for side, entries in sides.items():
        for number, dropped in enumerate(entries):
            if dropped.name == "PolicyVersion" or "SrpV2" in dropped.key:
                continue  # the first says nothing by itself; of AppLocker's rules several say the same
            machine = Machine(services={"AppIDSvc": "automatic"})
            for name, whole in sides.items():
                kept = [one for at, one in enumerate(whole) if name != side or at != number]
                machine.import_pol(pol.write(kept), "HKLM" if "Machine" in name else "HKCU")
            assert failed(machine, made, ("pol",)), dropped
            noticed += 1
    assert noticed or control == "H06"


def test_applocker_without_its_deny_rules_is_noticed(tmp_path: Path) -> None:
    made = bundle(tmp_path, "H06", "H07")
    entries = pol.read(files_of(made)["pol/Machine/registry.pol"], "pol").entries
    kept = [one for one in entries if b'Action="Deny"'.decode().encode("utf-16-le") not in one.data]
    assert len(kept) < len(entries)
    machine = Machine(services={"AppIDSvc": "automatic"})
    machine.import_pol(pol.write(kept), "HKLM")
    assert failed(machine, made, ("pol",))


def test_a_row_that_is_forgotten_is_noticed(tmp_path: Path) -> None:
    """The same for the parts of a GPO that are no registry values."""
    made = bundle(tmp_path, "H07", "H41", "H43", "H44", profile="recommended")
    files = {name: data for name, data in files_of(made).items() if name.startswith("gpo/")}
    audit, template = (next(name for name in files if name.endswith(end)) for end in ("audit.csv", "GptTmpl.inf"))
    rows = files[audit].splitlines(keepends=True)
    assert len(rows) == 5
    broken = [{**files, audit: b"".join(rows[:at] + rows[at + 1:])} for at in range(1, len(rows))]
    broken.append({**files, template: files[template].replace('"AppIDSvc",2'.encode("utf-16-le"),
                                                              '"AppIDSvc",3'.encode("utf-16-le"))})
    machine = Machine()
    by_gpo(machine, files)
    assert failed(machine, made, ("gpo",)) == []
    for one in broken:
        machine = Machine()
        by_gpo(machine, one)
        assert len(failed(machine, made, ("gpo",))) == 1


MUTANTS = ("H01", "H07", "H06", "H08", "H12", "H13", "H28", "H41", "H43", "H44")
"""Controls of every kind that some format says."""


def of_lines(files: Mapping[str, bytes], name: str, pattern: str) -> Iterator[dict[str, bytes]]:
    """The files once for each line of one of them that fits, without it; .reg files are UTF-16."""
    encoding = "utf-16-le" if files[name].startswith(b"\xff\xfe") else "utf-8"
    lines = files[name].decode(encoding).splitlines(keepends=True)
    for at, line in enumerate(lines):
        if re.search(pattern, line):
            yield {**files, name: "".join(lines[:at] + lines[at + 1:]).encode(encoding)}


def of_rows(files: Mapping[str, bytes]) -> Iterator[dict[str, bytes]]:
    """Intune's profiles once for each node, without it. A rule's name decides nothing, OUT is what it is by default,
    and without ports it blocks more."""
    for name in (name for name in files if name.startswith("intune/") and name.endswith(".json")):
        rows = json.loads(files[name])
        for row in rows["omaSettings"]:
            if not row["omaUri"].endswith(("/Name", "/App/FilePath", "/Direction", "/RemotePortRanges")):
                kept = [one for one in rows["omaSettings"] if one is not row]
                yield {**files, name: json.dumps({**rows, "omaSettings": kept}).encode()}


def of_backup(files: Mapping[str, bytes]) -> Iterator[dict[str, bytes]]:
    """The backup without an extension in its lists, and without a file in its own."""
    name = next(name for name in files if name.endswith("/Backup.xml"))
    text = files[name].decode()
    for part in (*re.findall(r"\[\{[0-9A-F-]{36}\}(?:\{[0-9A-F-]{36}\})+\]", text),
                 *re.findall(r"<FSObjectFile [^>]*bkp:Location[^>]*/>", text)):
        if "F312195E" not in part:  # Device Guard's, which no control here needs
            yield {**files, name: text.replace(part, "").encode()}


def replaced(files: Mapping[str, bytes], name: str, old: str, new: str) -> Iterator[dict[str, bytes]]:
    """The files with a text of one of them exchanged."""
    changed = files[name].decode().replace(old, new).encode()
    assert changed != files[name]
    yield {**files, name: changed}


BROKEN: Mapping[str, Callable[[dict[str, bytes]], Iterable[dict[str, bytes]]]] = {
    "reg": lambda files: [*of_lines(files, "reg/apply.reg", r"(?<!PolicyVersion)(?<!EnforcementMode)\"=(dword|\"[^<])"),
                          *of_lines(files, "reg/apply-user.reg", r"=")],
    "gpo": of_backup,
    "applocker": lambda files: replaced(files, "applocker/applocker.xml", 'Action="Deny"', 'Action="Allow"'),
    "wdac": lambda files: replaced(files, "wdac/policy.xml", 'FileName="mshta.exe"', 'FileName="other.exe"'),
    "intune": of_rows,
    "sysmon": lambda files: of_lines(files, "sysmon/sysmon.xml",
                                     r"<(?!ProcessTerminate|WmiEvent)\w+ onmatch=\"exclude\" ?/>")}
"""For each format, its files broken in every way that must be noticed: a rule without a mode is enforced, and nobody
asks for the two events of Sysmon that stay out."""


@pytest.mark.parametrize("way", BROKEN)
def test_a_part_of_any_format_that_is_lost_is_noticed(tmp_path: Path, way: str) -> None:
    made = bundle(tmp_path, *MUTANTS)
    files, noticed = files_of(made), 0

    def machine(of: Mapping[str, bytes]) -> Machine:
        one = Machine()
        one.services["AppIDSvc"] = "manual" if way == "gpo" else "automatic"
        WAYS[way](one, of)
        return one

    assert failed(machine(files), made, (way,)) == []
    for broken in BROKEN[way](files):
        changed = next(name for name in files if broken[name] != files[name])
        assert failed(machine(broken), made, (way,)), changed
        noticed += 1
    assert noticed


@pytest.mark.parametrize(("way", "script"), [
    ("powershell", "powershell/apply.ps1"), ("auditpol", "auditpol/apply.ps1")])
def test_a_row_of_a_script_that_is_lost_is_noticed(tmp_path: Path, way: str, script: str) -> None:
    made = bundle(tmp_path, *MUTANTS)
    files = files_of(made)
    whole: dict[str, Any] = embedded(files[script])
    noticed = 0
    for kind in ("registry", "services", "audit", "channels", "features"):
        for row in whole[kind]:
            if row.get("name") == "PolicyVersion":
                continue
            machine = Machine()
            machine.sacls = True
            machine.run_document({**whole, kind: [one for one in whole[kind] if one is not row]},
                                 files["powershell/applocker.xml"] if way == "powershell" else b"")
            found = [one for one in failed(machine, made, (way,)) if not one.startswith("H01/")]
            assert found, row
            noticed += 1
    assert noticed >= 5


def test_our_own_readers_read_the_bundle_back(tmp_path: Path) -> None:
    """The backup's folder, given to the audit as evidence, is a policy that sets what the bundle says."""
    made = bundle(tmp_path, profile="recommended")
    folder = tmp_path / "written"
    for file in made.files:
        if file.path.parts[0] == "gpo":
            (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / file.path).write_bytes(file.data)
    evidence = walk.gather([folder])
    assert [problem.what for problem in evidence.problems] == []
    policy, = evidence.of("policy")
    for change in made.policy.registry:
        seen = policy.registry.look(change.hive, change.key, change.name)
        assert change.value in [one.value for one in seen], change
    assert _named(policy.name, made)
    found = {one.control.id: one.state for one in findings(policy, controls(), "recommended", TODAY)}
    assert found["H01"] == found["H06"] == found["H28"] == found["H03"] == "pass"


def _named(name: str, made: Bundle) -> bool:
    return made.policy.site.gpo_name in name


def test_a_bundle_of_one_file_forgets_nothing(tmp_path: Path) -> None:
    """Files of a format that is asked for alone are those of the whole bundle."""
    whole = {file.path: file for file in bundle(tmp_path).files}
    for word in ("gpo", "pol", "reg"):
        alone = generate(GenerateOptions(("all",), (word,), "enforce", "seed", go_file(tmp_path), site_file(tmp_path),
                                         today=TODAY))
        mine: list[BundleFile] = [file for file in alone.files if file.path.parts[0].startswith(word)]
        assert mine == [replace(whole[file.path]) for file in mine]


def test_the_model_is_judged_as_a_bare_windows(tmp_path: Path) -> None:
    evidence: Evidence = Machine().evidence()
    assert [subject.kind for subject in evidence.subjects] == ["host"]
    states = {name: finding.state for name, finding in audited(Machine(), "seed").items()}
    assert sum(state == "pass" for state in states.values()) < 8
    assert {name for name, state in states.items() if state == "unknown"} <= {"H14", "H18"}  # what Defender itself says


def test_reg_files_are_evidence_to_our_own_reader(tmp_path: Path) -> None:
    made = bundle(tmp_path, profile="recommended")
    file = tmp_path / "apply.reg"
    file.write_bytes(files_of(made)["reg/apply.reg"])
    evidence = walk.gather([file])
    assert evidence.problems == []
    subject, = evidence.subjects
    wanted = [one for one in made.policy.registry if one.hive == "HKLM"]
    for change in wanted:
        assert [one.value for one in subject.registry.look("HKLM", change.key, change.name)] == [change.value], change
    assert len(subject.registry) == len(wanted)


def test_old_values_come_from_what_the_collector_saw(tmp_path: Path) -> None:
    """From the JSON of a real collector to an undo file: what was there, what was not, and each user's own."""
    chrome = r"SOFTWARE\Policies\Google\Chrome"
    advanced = r"Software\Microsoft\Windows\CurrentVersion\Explorer\Advanced"
    evidence = tmp_path / "PC-7.json"
    evidence.write_bytes(collected(
        "PC-7", registry={f"HKLM\\{chrome}!PasswordManagerEnabled": 1},
        users={"anna": {f"{advanced}!DisabledHotkeys": "E"}, "bob": {}}))
    made = generate(GenerateOptions(("H12", "H28", "H35"), ("reg",), "enforce", before=(str(evidence),)))
    assert made.problems == ()
    files = files_of(made)
    machine = {(key, name): value for _, key, name, value in read_reg(files["reg/undo.reg"])}
    assert machine[chrome, "PasswordManagerEnabled"] == RegistryValue("REG_DWORD", 1)
    assert machine[chrome, "ImportSavedPasswords"] is None
    assert machine[r"SYSTEM\CurrentControlSet\Control\Lsa", "DisableDomainCreds"] is None
    users = [next(iter(read_reg(files[f"reg/undo-user-{number}.reg"])))[3] for number in (1, 2)]
    assert users == [RegistryValue("REG_SZ", "E"), None]
    rows = json.loads(files["changes.json"])
    told = [(row["file"], row["old"]["known"]) for row in rows["registry"] if row["hive"] == "HKCU"]
    assert told == [("undo-user-1.reg", True), ("undo-user-2.reg", True)]
    assert rows["host"] == "PC-7"
