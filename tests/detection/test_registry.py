"""Registry paths and data of the Security log, as Sysmon writes them."""

from __future__ import annotations

import pytest

from douse.detection.registry import data, path


@pytest.mark.parametrize(("key", "value", "expected"), [
    (r"\REGISTRY\MACHINE\SOFTWARE\X", "a", r"HKLM\SOFTWARE\X\a"),
    (r"\Registry\User\S-1-5-21-1\Software", "a", r"HKU\S-1-5-21-1\Software\a"),
    (r"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\x", "Start", r"HKLM\System\CurrentControlSet\Services\x\Start"),
    (r"\REGISTRY\MACHINE\SYSTEM\ControlSet001x\a", "b", r"HKLM\SYSTEM\ControlSet001x\a\b"),
    (r"\REGISTRY\MACHINERY\X", "a", r"\REGISTRY\MACHINERY\X\a"),
    (r"\REGISTRY\A\{1}", "", r"\REGISTRY\A\{1}\(Default)"),
    (r"\REGISTRY\MACHINE", "-", r"HKLM\(Default)"),
    (r"\REGISTRY\MACHINE\SOFTWARE\Classes\ms-settings\shell\open\command", "",
     r"HKCR\ms-settings\shell\open\command\(Default)"),
    (r"\REGISTRY\MACHINE\SOFTWARE\ClassesX", "a", r"HKLM\SOFTWARE\ClassesX\a"),
    (r"\REGISTRY\USER\S-1-5-21-1_Classes\x", "a", r"HKU\S-1-5-21-1_Classes\x\a"),
])
def test_paths(key: str, value: str, expected: str) -> None:
    assert path(key, value) == expected


@pytest.mark.parametrize(("text", "kind", "expected"), [
    ("4", "%%1876", "DWORD (0x00000004)"),
    ("0xFFFFFFFF", "REG_DWORD", "DWORD (0xffffffff)"),
    ("4294967296", "%%1876", "4294967296"),
    ("-1", "%%1876", "-1"),
    ("4294967297", "%%1883", "QWORD (0x00000001-0x00000001)"),
    ("A0 B1", "%%1875", "Binary Data"),
    ("4", "%%1873", "4"),
    ("", "%%1873", "(Empty)"),
    ("-", "REG_EXPAND_SZ", "(Empty)"),
    ("-", "%%1876", "-"),
    ("", "", ""),
])
def test_data(text: str, kind: str, expected: str) -> None:
    assert data(text, kind) == expected
