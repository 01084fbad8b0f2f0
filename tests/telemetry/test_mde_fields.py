"""Microsoft's columns under Sysmon's names: paths, accounts, hashes, registry, and what AdditionalFields holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.telemetry.mde_fields import additional, hashes, hostname, joined, registry_data, registry_path, user

SID = "S-1-5-21-1-2-3-1001"


@pytest.mark.parametrize(("folder", "name", "path"), [
    ("C:\\Windows\\System32\\cmd.exe", "cmd.exe", "C:\\Windows\\System32\\cmd.exe"),
    ("c:\\windows\\system32\\CMD.EXE", "cmd.exe", "c:\\windows\\system32\\CMD.EXE"),
    ("C:\\Windows\\System32", "cmd.exe", "C:\\Windows\\System32\\cmd.exe"), ("C:\\", "a.exe", "C:\\a.exe"),
    ("/usr/bin", "bash", "/usr/bin/bash"), ("", "a.exe", "a.exe"), ("C:\\x", "", "C:\\x"), ("", "", ""),
    ("C:\\cmd.exe\\", "cmd.exe", "C:\\cmd.exe\\cmd.exe"),
])
def test_a_folder_and_a_name(folder: str, name: str, path: str) -> None:
    assert joined(folder, name) == path


@pytest.mark.parametrize(("key", "sid", "path"), [
    ("HKEY_LOCAL_MACHINE\\SOFTWARE\\x", "", "HKLM\\SOFTWARE\\x"), ("HKEY_LOCAL_MACHINE", "", "HKLM"),
    ("HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Services\\x", "", "HKLM\\System\\CurrentControlSet\\Services\\x"),
    (f"HKEY_CURRENT_USER\\{SID}\\Software\\x", "", f"HKU\\{SID}\\Software\\x"),
    ("HKEY_CURRENT_USER\\Software\\x", SID, f"HKU\\{SID}\\Software\\x"),
    ("HKEY_CURRENT_USER\\Software\\x", "", "HKCU\\Software\\x"), (f"HKEY_USERS\\{SID}\\x", "", f"HKU\\{SID}\\x"),
    ("HKEY_LOCAL_MACHINEX\\a", "", "HKEY_LOCAL_MACHINEX\\a"), ("", SID, ""),
])
def test_root_keys_are_short(key: str, sid: str, path: str) -> None:
    assert registry_path(key, sid) == path


@pytest.mark.parametrize(("text", "kind", "data"), [
    ("1", "Dword", "DWORD (0x00000001)"), ("4294967296", "Dword", "4294967296"), ("x", "Dword", "x"),
    ("4294967297", "Qword", "QWORD (0x00000001-0x00000001)"), ("01 02", "Binary", "Binary Data"),
    ("C:\\x.exe", "String", "C:\\x.exe"), ("9" * 5000, "Qword", "9" * 5000),
])
def test_data_as_sysmon_writes_it(text: str, kind: str, data: str) -> None:
    assert registry_data(text, kind) == data


@pytest.mark.parametrize(("value", "found"), [
    ('{"DnsQueryString": "t.me", "DnsQueryResult": [{"Result": "1.2.3.4"}, {"Result": "1.2.3.5"}, {}]}',
     {"DnsQueryString": "t.me", "DnsQueryResult": "1.2.3.4;1.2.3.5"}),
    ({"PipeName": "\\Device\\NamedPipe\\x", "deep": {"a": 1}, "none": None, "n": 3}, {
        "PipeName": "\\Device\\NamedPipe\\x", "n": 3}),
    ('{"broken', {}), ("text", {}), (None, {}), ("[1]", {}), (7, {}),
])
def test_additional_fields(value: object, found: dict[str, object]) -> None:
    assert additional(value) == found


def test_accounts_hashes_and_hosts() -> None:
    assert user({"AccountDomain": "corp", "AccountName": "anna"}, "") == "corp\\anna"
    assert user({"InitiatingProcessAccountName": "system"}, "InitiatingProcess") == "system"
    assert hashes({"SHA256": "bb", "SHA1": "aa"}) == "SHA1=aa,SHA256=bb"
    assert [hostname(url) for url in ("https://c2.example:8443/x", "c2.example/x", "c2.example:443", "")] == [
        "c2.example", "c2.example", "c2.example", ""]


@given(st.text(max_size=100), st.text(max_size=50))
def test_any_text_is_joined_and_shortened(one: str, other: str) -> None:
    assert one in joined(one, other) or one.rstrip("\\/") in joined(one, other)
    assert isinstance(registry_path(one, other), str)
    assert isinstance(registry_data(one, other), str)
    assert isinstance(additional("{" + one), dict)
