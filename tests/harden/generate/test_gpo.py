"""registry.pol and the GPO backup: read back by Samba, lxml and a parser of this test; structure like real backups'."""

from __future__ import annotations

import json
import re
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from lxml import etree

from conftest import missing
from douse.content.settings import AuditSetting, ServiceSetting
from douse.harden.generate import gpo, plan, pol
from douse.harden.generate.bundle import generate
from douse.harden.generate.policy import GenerateOptions, Policy
from douse.harden.pol import effects, read
from douse.harden.registry import RegistryValue
from douse.harden.registry_data import NUMBERS, encode
from harden.generate.go_files import TODAY, go_file, site_file
from harden.generate.machine import parse_pol_by_hand
from harden.generate.test_reg import change, values

BKP = "{http://www.microsoft.com/GroupPolicy/GPOOperations}"
MANIFEST = "{http://www.microsoft.com/GroupPolicy/GPOOperations/Manifest}"
SAMBA = """
import json, sys
from samba.dcerpc import preg
from samba.ndr import ndr_unpack
rows, file = [], ndr_unpack(preg.file, sys.stdin.buffer.read())  # the file is held, as its entries are its memory
for entry in file.entries:
    data = entry.data if isinstance(entry.data, (str, int)) else bytes(entry.data).hex()
    rows.append([entry.keyname, entry.valuename, entry.type, data])
print(json.dumps(rows))
"""


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """All controls, enforced, in the wider profile."""
    folder = tmp_path_factory.mktemp("gpo")
    found, _ = plan.planned(GenerateOptions(("all",), ("gpo",), "enforce", "recommended", go_file(folder),
                                            site_file(folder), today=TODAY))
    return found


def by_samba(data: bytes) -> list[list[object]]:
    """A registry.pol as Samba's own parser reads it."""
    python = Path("/usr/bin/python3")
    probe = [str(python), "-c", "import samba.dcerpc.preg"]
    if not python.exists() or subprocess.run(probe, capture_output=True, check=False).returncode:
        missing("python3-samba is not installed")
    done = subprocess.run([str(python), "-c", SAMBA], input=data, capture_output=True, check=True, timeout=60)
    rows: list[list[object]] = json.loads(done.stdout)
    return rows


@pytest.mark.parametrize("hive", ["HKLM", "HKCU"])
def test_samba_reads_every_value(everything: Policy, hive: str) -> None:
    changes = [one for one in everything.registry if one.hive == hive]
    assert changes
    rows = by_samba(pol.registry_pol(changes, hive))
    assert [row[:3] for row in rows] == [[one.key, one.name, NUMBERS[one.value.type]] for one in changes]
    for row, one in zip(rows, changes, strict=True):
        if isinstance(one.value.data, int):
            assert row[3] in (one.value.data, one.value.data.to_bytes(4, "little").hex())
        else:
            assert row[3] in (one.value.data, encode(one.value).hex())
    assert parse_pol_by_hand(pol.registry_pol(changes, hive)) == [
        (one.key, one.name, NUMBERS[one.value.type], encode(one.value)) for one in changes]


def test_samba_reads_the_undo(everything: Policy) -> None:
    files = {str(file.path): file.data for file in pol.files(everything)}
    rows = by_samba(files["pol/undo/Machine/registry.pol"])
    wanted = [one for one in everything.registry if one.hive == "HKLM" and one.is_policy]
    assert [row[:3] for row in rows if row[1] != "**DeleteKeys"] == [
        [one.key, f"**del.{one.name}", 1] for one in wanted]
    rules = {one.key.lower() for one in wanted if one.name == "Value" and "\\SrpV2\\" in one.key}
    entries = read(files["pol/undo/Machine/registry.pol"], "undo").entries
    gone = [effect for entry in entries for effect in effects(entry)]
    assert {effect.key.lower() for effect in gone if effect.kind == "prune"} == rules  # nothing but a rule's own key
    assert len(rules) == 6


@given(values())
def test_any_value_stands_in_a_pol_as_its_length_says(value: RegistryValue) -> None:
    data = pol.registry_pol([change(value, name="] ; ["), change(RegistryValue("REG_DWORD", 10))], "HKLM")
    assert parse_pol_by_hand(data) == [
        ("SOFTWARE\\Policies\\X", "] ; [", NUMBERS[value.type], encode(value)),
        ("SOFTWARE\\Policies\\X", "Y", 4, b"\n\0\0\0")]


def files_of(policy: Policy) -> dict[str, bytes]:
    """The backup's files by their path below its folder, and the manifest."""
    return {re.sub(r"^gpo/(\{[0-9A-F-]{36}\}/)?", "", str(file.path)): file.data for file in gpo.files(policy)}


def test_the_backup_has_what_a_real_one_has(everything: Policy) -> None:
    files = files_of(everything)
    assert set(files) >= {"manifest.xml", "bkupInfo.xml", "Backup.xml", "DomainSysvol/GPO/Machine/registry.pol",
                          "DomainSysvol/GPO/User/registry.pol",
                          "DomainSysvol/GPO/Machine/microsoft/windows nt/SecEdit/GptTmpl.inf",
                          "DomainSysvol/GPO/Machine/microsoft/windows nt/Audit/audit.csv"}
    info = etree.fromstring(files["bkupInfo.xml"])
    listed = etree.fromstring(files["manifest.xml"])
    names = ["GPOGuid", "GPODomain", "GPODomainGuid", "GPODomainController", "BackupTime", "ID", "Comment",
             "GPODisplayName"]
    assert info.tag == MANIFEST + "BackupInst"
    assert [child.tag for child in info] == [MANIFEST + name for name in names]
    assert listed.get(MANIFEST + "version") == "1.0"
    assert [(child.tag, child.text) for child in listed[0]] == [(child.tag, child.text) for child in info]
    assert info.findtext(MANIFEST + "GPODisplayName") == "Infostealer hardening"
    assert info.findtext(MANIFEST + "GPODomain") == "corp.example.com"
    folder, = {file.path.parts[1] for file in gpo.files(everything) if file.path.name == "Backup.xml"}
    assert info.findtext(MANIFEST + "ID") == folder
    core = etree.fromstring(files["Backup.xml"])[0].find(BKP + "GroupPolicyCoreSettings")
    assert core is not None
    assert [child.tag for child in core] == [BKP + name for name in (
        "ID", "Domain", "SecurityDescriptor", "DisplayName", "Options", "UserVersionNumber", "MachineVersionNumber",
        "MachineExtensionGuids", "UserExtensionGuids", "WMIFilter")]
    assert core.findtext(BKP + "ID") == info.findtext(MANIFEST + "GPOGuid")


def test_every_file_that_the_backup_names_is_there_and_the_other_way_round(everything: Policy) -> None:
    files = files_of(everything)
    root = etree.fromstring(files["Backup.xml"])
    named = {element.get(BKP + "Location", "").replace("\\", "/") for element in root.iter(BKP + "FSObjectFile")} - {""}
    assert named == {name for name in files if name.startswith("DomainSysvol/")}
    for element in root.iter(BKP + "FSObjectFile", BKP + "FSObjectDir"):
        source, location = element.get(BKP + "SourceExpandedPath", ""), element.get(BKP + "Location", "")
        assert source.startswith("\\\\dc.corp.example.com\\sysvol\\corp.example.com\\Policies\\{")
        assert source.endswith(location.removeprefix("DomainSysvol\\GPO"))


def test_extensions_are_those_of_the_values_in_the_order_of_their_guids(everything: Policy) -> None:
    text = gpo.machine_extensions(everything)
    groups = re.findall(r"\[((?:\{[0-9A-F-]{36}\})+)\]", text)
    assert "".join(f"[{group}]" for group in groups) == text
    assert groups == sorted(groups)
    split = [re.findall(r"\{[0-9A-F-]{36}\}", group) for group in groups]
    assert split == [[
        "{35378EAC-683F-11D2-A89A-00C04FBBCFA2}", "{62C1845D-C4A6-4ACB-BBB0-C895FD090385}",
        "{B05566AC-FE9C-4368-BE01-7A4CBB6CBA11}", "{D02B1F72-3407-48AE-BA88-E8213C6761F1}"],
        ["{827D319E-6EAC-11D2-A4EA-00C04F79F83A}", "{803E14A0-B4FB-11D0-A0D0-00A0C90F574B}"],
        ["{F312195E-3D9D-447A-A3F5-08DFFA24735E}", "{D02B1F72-3407-48AE-BA88-E8213C6761F1}"],
        ["{F3CCC681-B74C-4060-9F26-CD84525DCA2A}", "{0F3F3735-573D-9804-99E4-AB2A69BA5FD4}"]]


@pytest.mark.parametrize(("control", "expected"), [
    ("H03", "[{35378EAC-683F-11D2-A89A-00C04FBBCFA2}{B05566AC-FE9C-4368-BE01-7A4CBB6CBA11}]"),
    ("H07", "[{827D319E-6EAC-11D2-A4EA-00C04F79F83A}{803E14A0-B4FB-11D0-A0D0-00A0C90F574B}]"),
    ("H36", "[{35378EAC-683F-11D2-A89A-00C04FBBCFA2}{D02B1F72-3407-48AE-BA88-E8213C6761F1}]"),
    ("H11", "")])
def test_a_single_control_names_its_extension_alone(control: str, expected: str) -> None:
    policy, _ = plan.planned(GenerateOptions((control,), ("gpo",), "enforce"))
    core = etree.fromstring(files_of(policy)["Backup.xml"])[0].find(BKP + "GroupPolicyCoreSettings")
    assert core is not None
    assert (core.findtext(BKP + "MachineExtensionGuids") or "") == expected
    user = core.findtext(BKP + "UserExtensionGuids") or ""
    assert bool(user) == (control == "H11")
    versions = (core.findtext(BKP + "MachineVersionNumber"), core.findtext(BKP + "UserVersionNumber"))
    assert versions == (("0", "65537") if control == "H11" else ("65537", "0"))


def test_names_that_end_markup_change_no_structure(everything: Policy) -> None:
    evil = replace(everything, site=replace(everything.site, gpo_name="a]]><b>&amp;\" '", domain='x"><y'))
    files = files_of(evil)
    core = etree.fromstring(files["Backup.xml"])[0].find(BKP + "GroupPolicyCoreSettings")
    assert core is not None
    assert core.findtext(BKP + "DisplayName") == "a]]><b>&amp;\" '"
    assert etree.fromstring(files["bkupInfo.xml"]).findtext(MANIFEST + "GPODomain") == 'x"><y'
    assert len(etree.fromstring(files["manifest.xml"])) == 1


def test_services_and_audit_are_said_as_windows_reads_them(everything: Policy) -> None:
    files = files_of(everything)
    template = files["DomainSysvol/GPO/Machine/microsoft/windows nt/SecEdit/GptTmpl.inf"]
    assert template.decode("utf-16").splitlines() == [
        "[Unicode]", "Unicode=yes", "[Version]", 'signature="$CHICAGO$"', "Revision=1", "[Service General Setting]",
        *(f'"{one.setting.service}",2,""' for one in everything.of(ServiceSetting)
          if isinstance(one.setting, ServiceSetting))]
    rows = files["DomainSysvol/GPO/Machine/microsoft/windows nt/Audit/audit.csv"].decode().splitlines()
    assert not rows[0].startswith("\ufeff")
    guids = {row.split(",")[3].strip("{}").upper(): int(row.split(",")[6]) for row in rows[1:]}
    assert guids == {one.setting.guid: one.setting.success + 2 * one.setting.failure
                     for one in everything.of(AuditSetting) if isinstance(one.setting, AuditSetting)}


def test_the_descriptor_is_whole_and_names_no_domain() -> None:
    data = gpo._descriptor()
    revision, control, _, _, _, start = struct.unpack_from("<BxHIIII", data)
    assert (revision, control, start) == (1, 0x9C04, 20)
    acl, size, count = struct.unpack_from("<BxHH", data, start)
    assert (acl, start + size) == (4, len(data))
    sids = list(_sids(data[start + 8:]))
    assert len(sids) == count
    assert set(sids) == {"S-1-5-11", "S-1-5-9", "S-1-5-18", "S-1-3-0"}


def _sids(entries: bytes) -> Iterator[str]:
    """The SIDs of the entries of an access control list of ours: of one sub-authority each."""
    at = 0
    while at < len(entries):
        size, = struct.unpack_from("<H", entries, at + 2)
        sid = entries[at + size - 12:at + size]
        yield f"S-{sid[0]}-{int.from_bytes(sid[2:8], 'big')}-{int.from_bytes(sid[8:], 'little')}"
        at += size


def test_what_an_unlinked_gpo_leaves_has_an_undo_of_its_own(everything: Policy) -> None:
    files = files_of(everything)
    assert "gpo-undo/undo.reg" not in files  # nothing of it is known without evidence, so nothing can be taken back
    staying = [one for one in everything.registry if not one.is_policy]
    assert any(one.hive == "HKLM" for one in staying)
    readme = generate(GenerateOptions(("H09",), ("gpo",), "enforce")).files[0].data.decode()
    assert "These no undo file takes back" in readme
    assert "`HKLM\\SOFTWARE\\Classes\\htafile\\shell\\open\\command!(default)`" in readme
