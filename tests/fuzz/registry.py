"""Evidence of the registry's world: registry.pol, hives and their logs, templates, reports, .reg files; and zips.

Whatever the bytes, a reader adds what it can, tells what it cannot, and leaves. What comes out must be of the right
types, and where a value is given and its absence claimed at once, something is wrong.
"""

from __future__ import annotations

import functools
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence

from douse.errors import EvidenceError
from douse.harden import pol
from douse.harden.evidence import derive, walk, zipped
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence
from douse.harden.registry import RegistryValue
from fuzz.mutate import BINARY, TEXT, Mutator
from fuzz.target import Target
from harden.hives import Key, changed, hive, log

SAID = RegistryValue("REG_SZ", r"v2.26|Action=Block|Active=TRUE|Dir=Out|App=%SystemRoot%\System32\mshta.exe|Name=];|")
BORDER = b"\n====hive====\n"
_FIREWALL = r"Software\Policies\Microsoft\WindowsFirewall\FirewallRules"


def _read(name: str) -> Callable[[bytes], None]:
    """Read an input under a name, as if it were in a folder of its host."""

    def run(data: bytes) -> None:
        first, _, beside = data.partition(BORDER) if name.endswith("SOFTWARE") else (data, b"", b"")
        evidence = Evidence()
        siblings = {"software.log1": EvidenceFile(f"{name}.LOG1", f"{name}.LOG1", beside)} if beside else {}
        walk.read(EvidenceFile(f"PC-1/{name}", name, first, siblings=siblings), evidence)
        derive.derive(evidence)
        _check(evidence)

    return run


def _unzip(data: bytes) -> None:
    """Read an input as an archive of evidence."""
    evidence, refused = Evidence(), "a.zip"
    try:
        for member in zipped.members(io.BytesIO(data), "a.zip", evidence, lambda one: walk.reader_of(one) is not None):
            walk.read(member, evidence)
    except EvidenceError as error:
        refused = error.where
    assert refused.startswith("a.zip")
    derive.derive(evidence)
    _check(evidence)


@functools.cache
def _zips() -> Sequence[bytes]:
    made = []
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            archive.writestr("PC-1/SOFTWARE", _hives()[0])
            archive.writestr("Machine/registry.pol", _pols()[0])
            archive.writestr("inner.zip", made[0] if made else b"PK\x03\x04")
        made.append(stream.getvalue())
    return tuple(made)


def _check(evidence: Evidence) -> None:
    for problem in (*evidence.problems, *evidence.notes):
        assert problem.where
        assert problem.what
    for subject in evidence.subjects:
        assert subject.name
        for hive_, key, name, profile, seen in subject.registry:
            assert hive_ in ("HKLM", "HKCU")
            assert isinstance(seen.raw, str)
            assert seen.value is None or isinstance(seen.value.data, int | str | bytes | tuple)
            told = [one for one in subject.registry.look(hive_, key, name, profile) if one.source == seen.source]
            assert seen in told
            assert len(told) == 1 or all(one.raw != "absent" for one in told)
        for rule in subject.firewall:
            assert rule.value.rule.fields


@functools.cache
def _pols() -> Sequence[bytes]:
    blank = RegistryValue("REG_SZ", " ")
    entries = [pol.PolEntry.of(_FIREWALL, "**delvals.", blank), pol.PolEntry.of(_FIREWALL, "{a}", SAID),
               pol.PolEntry.of(r"Software\X", "ten", RegistryValue("REG_DWORD", 10)),
               pol.PolEntry.of(r"Software\X", "**del.old", blank), pol.PolEntry("K", "m", 7, b"a\0\0\0\0\0"),
               pol.PolEntry.of("K", "**DeleteKeys", RegistryValue("REG_SZ", "a;b")),
               pol.PolEntry.of("K", "**soft.x", blank), pol.PolEntry.of("K", "q", RegistryValue("REG_QWORD", 1))]
    return pol.write(entries), pol.write(entries[2:3]), pol.write(entries * 20)


@functools.cache
def _hives() -> Sequence[bytes]:
    root = Key().set(r"Policies\Google\Chrome", "PasswordManagerEnabled", 0).set("Classes\\htafile", "", "x")
    root.set(r"Microsoft\Windows NT\CurrentVersion", "CurrentBuild", "26100")
    root.set(r"Policies\Microsoft\WindowsFirewall\FirewallRules", "{a}", str(SAID.data))
    root.set("Policies\\Big", "b", b"x" * 20_000).set("Policies\\Many", "m", ("a", "b"))
    for number in range(8):
        root.set(rf"Policies\Some\{number}", "n", number)
    profile = Key().set(r"Software\Policies\X", "a", 1).set("Control Panel\\X", "b", 2)
    machine = Key().set("Select", "Current", 1).set(r"ControlSet001\Services\AppIDSvc", "Start", 2)
    machine.set(r"ControlSet001\Control\ComputerName\ComputerName", "ComputerName", "PC-1")
    old = hive(root, sequences=(3, 2))
    new = hive(root.set(r"Policies\Google\Chrome", "PasswordManagerEnabled", 1), sequences=(3, 2))
    return hive(root), hive(profile), hive(machine), old + BORDER + log(old, changed(old, new), 2)


def _places(seed: bytes) -> Sequence[int]:
    """Where a hive keeps offsets and counts: its header, and the start of each key, list and value."""
    found = [4, 28, 36, 40]
    for mark in (b"nk", b"vk", b"lf", b"db", b"HvLE"):
        at = seed.find(mark)
        while at >= 0:
            found.append(at)
            at = seed.find(mark, at + 2)
    return found


_REPORT = """<?xml version="1.0" encoding="utf-16"?><Rsop xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
xmlns="http://www.microsoft.com/GroupPolicy/Rsop"><ReadTime>2026-11-20T08:00:00.1234567Z</ReadTime><ComputerResults>
<Name>CORP\\PC-7$</Name><ExtensionData><Extension xmlns:q1="http://www.microsoft.com/GroupPolicy/Settings/Registry"
xsi:type="q1:RegistrySettings"><q1:Policy><q1:Name>x</q1:Name></q1:Policy><q1:RegistrySetting><q1:KeyPath>Software\\X
</q1:KeyPath><q1:Value><q1:Name>a</q1:Name><q1:Number>1</q1:Number></q1:Value></q1:RegistrySetting>
<q1:SystemServices><q1:Name>AppIDSvc</q1:Name><q1:StartupMode>Automatic</q1:StartupMode></q1:SystemServices>
<q1:AuditSetting><q1:SubcategoryGuid>{0cce922b-69ae-11d9-bed3-505054503030}</q1:SubcategoryGuid><q1:SettingValue>3
</q1:SettingValue></q1:AuditSetting><q1:OutboundFirewallRules><q1:Version>2.26</q1:Version><q1:Action>Block</q1:Action>
<q1:Active>true</q1:Active><q1:Dir>Out</q1:Dir></q1:OutboundFirewallRules><q1:RuleCollection Type="Exe">
<q1:EnforcementMode><q1:Mode>Enabled</q1:Mode></q1:EnforcementMode></q1:RuleCollection><q1:SecurityOptions><q1:KeyName>
MACHINE\\A\\B</q1:KeyName><q1:SettingNumber>1</q1:SettingNumber></q1:SecurityOptions></Extension></ExtensionData>
</ComputerResults></Rsop>"""
_GPO = """<GPO xmlns="http://www.microsoft.com/GroupPolicy/Settings"><Name>P</Name><User><Enabled>true</Enabled></User>
<Computer><Enabled>false</Enabled></Computer></GPO>"""
_PREFERENCES = """<RegistrySettings clsid="{A}"><Registry clsid="{9}" name="a"><Properties action="U" name="a"
hive="HKEY_LOCAL_MACHINE" key="SOFTWARE\\X" type="REG_DWORD" value="0000000A"/></Registry><Collection><Registry>
<Properties action="D" hive="HKEY_CURRENT_USER" key="Software\\Y" name=""/></Registry></Collection>
</RegistrySettings>"""
_TEMPLATE = """[System Access]
MinimumPasswordLength = 14
[Registry Values]
MACHINE\\System\\X\\a=4,1
MACHINE\\System\\X\\b=7,one,"two, three"
MACHINE\\System\\X\\c=3,1,2
[Service General Setting]
"AppIDSvc",2,""
"""
_EXPORT = """Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\\SOFTWARE\\X]
"a"=dword:0000000a
"b"="C:\\\\x \\"y\\""
@="d"
"m"=hex(7):61,00,00,00,\\
  00,00
"gone"=-
[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Y]
"""
_XML_WORDS = (b"<", b">", b"</", b"/>", b"<!DOCTYPE a [", b"<!ENTITY x 'y'>", b"]>", b"&x;", b"<![CDATA[", b"]]>",
              b"xmlns=", b"<Rsop GroupPolicy/>", b"<q1:Value>", b"<Number>", b"99999999999", b"-1", b"\x00",
              b"&#xD800;", b"<a>" * 250)
_LINE_WORDS = (b"[", b"]", b"=", b",", b'"', b"\\", b"\r\n", b"hex(7):", b"dword:", b"-", b"@", b";", b"MACHINE\\",
               b"4,", b"[Registry Values]", b"REGEDIT4\n", b"\xff\xfe", b"\x00",
               b"HKEY_USERS\\S-1-5-21-1\\", b"99999999999999")


def _both(*texts: str) -> Callable[[], Sequence[bytes]]:
    """The texts in UTF-8, and the first in UTF-16."""
    made = (*(text.encode() for text in texts), texts[0].encode("utf-16"))
    return lambda: made


def _text(name: str, words: Sequence[bytes], *texts: str) -> Target:
    mutators: Sequence[Mutator] = TEXT
    return Target(_both(*texts), words, mutators, _read(name))


_BACKUP = "Machine/Microsoft/Windows NT/SecEdit/GptTmpl.inf"
REGISTRY: Mapping[str, Target] = {
    "registry_pol": Target(_pols, (b"PReg", b"[\0", b"]\0", b";\0", b"\0\0"), BINARY, _read("Machine/registry.pol"),
                           lambda seed: range(0, len(seed), 16)),
    "hive": Target(_hives, (b"nk", b"vk", b"lf", b"ri", b"db", b"HvLE", BORDER), BINARY, _read("PC-1/SOFTWARE"),
                   _places),
    "evidence_zip": Target(_zips, (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"), BINARY, _unzip),
    "gpttmpl": _text(_BACKUP, _LINE_WORDS, _TEMPLATE),
    "gpresult": _text("r.xml", _XML_WORDS, _REPORT, _GPO),
    "preferences": _text("Machine/Preferences/Registry/Registry.xml", _XML_WORDS, _PREFERENCES),
    "regfile": _text("x.reg", _LINE_WORDS, _EXPORT, "REGEDIT4" + _EXPORT.partition("5.00")[2]),
}
