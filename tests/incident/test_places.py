from __future__ import annotations

import pytest

from douse.incident.places import cuts_tree, is_browser, place, user_writable


@pytest.mark.parametrize(
    "image",
    [
        "C:\\Windows\\explorer.exe",
        "c:\\windows\\system32\\svchost.exe",
        "explorer.exe",
        "WmiPrvSE.exe",
        "C:\\Windows\\System32\\wbem\\WmiPrvSE.exe",
        "\\device\\harddiskvolume3\\windows\\explorer.exe",
        "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
        "D:\\Program Files\\Mozilla Firefox\\firefox.exe",
        "C:\\Users\\anna\\AppData\\Local\\Google\\Chrome\\Application\\chrome.exe",
        "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
    ],
)
def test_starters_of_everything_cut_the_tree(image: str) -> None:
    assert cuts_tree(image)


@pytest.mark.parametrize(
    "image",
    [
        "C:\\Users\\anna\\AppData\\Local\\Temp\\explorer.exe",
        "C:\\ProgramData\\svchost.exe",
        "C:\\Windows\\SysWOW64\\svchost.exe",
        "C:\\Users\\anna\\AppData\\Local\\Temp\\chrome.exe",
        "C:\\Users\\anna\\Downloads\\firefox.exe",
        "C:\\Windows\\System32\\cmd.exe",
        "cmd.exe",
        "",
        "C:\\Users\\google\\chrome\\application\\chrome.exe",
    ],
)
def test_an_impostor_or_a_shell_cuts_nothing(image: str) -> None:
    assert not cuts_tree(image)
    assert not is_browser(image)


@pytest.mark.parametrize(
    "image",
    [
        "C:\\Users\\anna\\AppData\\Local\\Temp\\a.exe",
        "C:\\Users\\Public\\a.exe",
        "C:\\ProgramData\\x\\a.exe",
        "C:\\Windows\\Temp\\a.exe",
        "\\\\files@SSL\\share\\a.exe",
        "E:\\setup.exe",
        "\\Device\\HarddiskVolume3\\Users\\a.exe",
        "\\\\?\\C:\\Users\\a\\b.exe",
    ],
)
def test_places_that_users_can_write_to(image: str) -> None:
    assert user_writable(image)


@pytest.mark.parametrize(
    "image",
    [
        "C:\\Windows\\System32\\cmd.exe",
        "C:\\Program Files\\x\\a.exe",
        "a.exe",
        "",
        "D:\\Program Files\\x\\a.exe",
        "C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18\\MsMpEng.exe",
        "C:\\Windows\\Microsoft.NET\\Framework\\v4.0.30319\\RegAsm.exe",
    ],
)
def test_places_that_only_administrators_can_write_to(image: str) -> None:
    assert not user_writable(image)


def test_one_place_has_one_spelling() -> None:
    spellings = (
        "C:\\Windows\\X.exe",
        "c:/windows/x.exe",
        "\\Device\\HarddiskVolume12\\Windows\\x.exe",
        "\\\\?\\C:\\Windows\\x.exe",
        '"C:\\Windows\\x.exe"',
    )
    assert {place(path) for path in spellings} == {"\\windows\\x.exe"}
