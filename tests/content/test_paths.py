"""Paths of logs in every spelling, and patterns: what fits, what only looks like it, and that it stays quick."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.content.paths import PathTable, PatternError, expanded
from douse.content.places import HKCU, HKLM, USER, place_of

GUID = "{708860E0-F641-4611-8895-7D867DD3675B}"


@pytest.mark.parametrize(("path", "names", "user", "drive"), [
    ("C:\\Users\\Anna\\a.txt", (USER, "a.txt"), "Anna", "c"),
    ("d:/users/Anna/b/a.txt", (USER, "b", "a.txt"), "Anna", "d"),
    ("\\\\?\\C:\\Users\\Anna\\a.txt", (USER, "a.txt"), "Anna", "c"),
    ("\\??\\C:\\Users\\Anna\\a.txt", (USER, "a.txt"), "Anna", "c"),
    ("\\Device\\HarddiskVolume12\\Users\\Anna\\a.txt", (USER, "a.txt"), "Anna", ""),
    ("\\Device\\HarddiskVolumeShadowCopy3\\Users\\Anna\\a.txt", (USER, "a.txt"), "Anna", ""),
    ("\\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy3\\Users\\Anna\\a.txt", (USER, "a.txt"), "Anna", ""),
    ("\\\\WS-1\\C$\\Users\\Anna\\a.txt", (USER, "a.txt"), "Anna", "\\\\"),
    ("\\\\?\\UNC\\WS-1\\C$\\Users\\Anna\\a.txt", (USER, "a.txt"), "Anna", "\\\\"),
    ("\\Device\\Mup\\WS-1\\C$\\Users\\Anna\\a.txt", (USER, "a.txt"), "Anna", "\\\\"),
    ("\\\\server\\share\\a.txt", ("server", "share", "a.txt"), "", ""),
    ("C:\\Users\\Anna\\x\\..\\.\\a.txt::$DATA", (USER, "a.txt"), "Anna", "c"),
    ("C:\\Users\\Anna\\a.txt. ", (USER, "a.txt"), "Anna", "c"),
    ("\"C:\\Users\\Anna\\a.txt\"", (USER, "a.txt"), "Anna", "c"),
    ("C:\\Windows\\System32\\config\\systemprofile\\AppData\\a", (USER, "AppData", "a"), "SYSTEM", "c"),
    ("C:\\Windows\\ServiceProfiles\\LocalService\\AppData\\a", (USER, "AppData", "a"), "LOCAL SERVICE", "c"),
    ("C:\\Program Files\\x.exe", ("Program Files", "x.exe"), "", "c"),
    ("HKU\\S-1-5-21-1\\Software\\X", (HKCU, "Software", "X"), "S-1-5-21-1", ""),
    ("\\REGISTRY\\USER\\S-1-5-21-1\\Software\\X", (HKCU, "Software", "X"), "S-1-5-21-1", ""),
    ("HKU\\S-1-5-21-1_Classes\\CLSID\\{A}", (HKCU, "Software", "Classes", "CLSID", "{A}"), "S-1-5-21-1", ""),
    ("HKCU\\Software\\WOW6432Node\\X", (HKCU, "Software", "X"), "", ""),
    ("\\REGISTRY\\MACHINE\\SOFTWARE\\X", (HKLM, "SOFTWARE", "X"), "", ""),
    ("HKCR\\CLSID\\{A}", (HKLM, "Software", "Classes", "CLSID", "{A}"), "", ""),
    ("\0user\\appdata", ("user", "appdata"), "", ""),
    ("", (), "", ""),
])
def test_a_place_is_one_in_every_spelling(path: str, names: tuple[str, ...], user: str, drive: str) -> None:
    place = place_of(path)
    assert place is not None
    assert (place.names, place.user, place.drive) == (names, user, drive)


def test_what_is_longer_than_any_path_is_none() -> None:
    assert place_of("C:\\" + "a\\" * 20_000) is None


def found(pattern: str, path: str) -> list[dict[str, str]]:
    table: PathTable[str] = PathTable()
    table.add(pattern, "x")
    return [dict(hit.named) for hit in table.hits(path)]


@pytest.mark.parametrize(("pattern", "path"), [
    ("%LOCALAPPDATA%\\A\\b.db", "C:\\Users\\u\\AppData\\Local\\a\\B.DB"),
    ("%PROGRAMFILES%\\A\\b.exe", "C:\\Program Files (x86)\\A\\b.exe"),
    ("%APPDATA%\\A\\**", "C:\\Users\\u\\AppData\\Roaming\\A"),
    ("%APPDATA%\\A\\**", "C:\\Users\\u\\AppData\\Roaming\\A\\b\\c"),
    ("%APPDATA%\\A\\**\\c", "C:\\Users\\u\\AppData\\Roaming\\A\\c"),
    ("%APPDATA%\\A\\**\\c", "C:\\Users\\u\\AppData\\Roaming\\A\\b\\b\\c"),
    ("%APPDATA%\\A*\\b", "C:\\Users\\u\\AppData\\Roaming\\A\\b"),
    ("%APPDATA%\\A*z\\b", "C:\\Users\\u\\AppData\\Roaming\\Abcz\\b"),
    ("**\\A\\b", "E:\\x\\y\\A\\b"),
    ("**\\A\\b", "C:\\Users\\u\\A\\b"),
    ("%USERPROFILE%\\**\\*.kdbx", "C:\\Users\\u\\a\\b\\my.pass.KDBX"),
    ("%APPDATA%\\{A,B}\\{,x\\}c", "C:\\Users\\u\\AppData\\Roaming\\B\\x\\c"),
    ("%APPDATA%\\A\\b", "C:\\Users\\u\\AppData\\Local\\Packages\\P_1\\LocalCache\\Roaming\\A\\b"),
    ("%LOCALAPPDATA%\\Packages\\P_*\\LocalCache\\Local\\A",
     "C:\\Users\\u\\AppData\\Local\\Packages\\P_1\\LocalCache\\Local\\A"),
    ("HKCU\\Software\\A\\**", "\\REGISTRY\\USER\\S-1-5-21-1\\SOFTWARE\\A\\b"),
    (f"HKLM\\Software\\Classes\\CLSID\\{GUID}\\**", f"HKCR\\CLSID\\{GUID.lower()}"),
])
def test_a_path_that_fits(pattern: str, path: str) -> None:
    assert found(pattern, path)


@pytest.mark.parametrize(("pattern", "path"), [
    ("%LOCALAPPDATA%\\A\\b.db", "C:\\Users\\u\\AppData\\Local\\A\\b.db.bak"),
    ("%LOCALAPPDATA%\\A\\b.db", "C:\\Users\\u\\AppData\\Local\\A\\x\\b.db"),
    ("%LOCALAPPDATA%\\A\\b.db", "C:\\Users\\u\\AppData\\Roaming\\A\\b.db"),
    ("%LOCALAPPDATA%\\A\\b.db", "C:\\AppData\\Local\\A\\b.db"),
    ("%LOCALAPPDATA%\\A\\b.db", "C:\\Users\\u\\AppData\\Local\\A\\b.db:secret"),
    ("%PROGRAMFILES%\\A\\b.exe", "C:\\Users\\u\\Program Files\\A\\b.exe"),
    ("%APPDATA%\\A\\**", "C:\\Users\\u\\AppData\\Roaming\\AB\\c"),
    ("%APPDATA%\\A*z\\b", "C:\\Users\\u\\AppData\\Roaming\\A\\z\\b"),
    ("%USERPROFILE%\\**\\*.kdbx", "C:\\Users\\u\\a.kdbx\\readme.txt"),
    ("%USERPROFILE%\\a\\*.txt", "C:\\Users\\u\\a\\" + "n" * 300 + "x"),
    ("HKCU\\Software\\A\\**", "HKLM\\Software\\A\\b"),
    ("**\\A\\b", "E:\\x\\A\\y\\b"),
])
def test_a_path_that_only_looks_like_it(pattern: str, path: str) -> None:
    assert not found(pattern, path)


def test_names_are_reported_as_written() -> None:
    pattern, extension = "%LOCALAPPDATA%\\C\\User Data\\<profile>\\Ext\\<extension>\\**", "abcdefghijklmnop" * 2
    path = f"C:\\Users\\Anna\\AppData\\Local\\C\\User Data\\Profile 2\\Ext\\{extension}\\1.log"
    assert found(pattern, path) == [{"profile": "Profile 2", "extension": extension}]
    assert not found(pattern, path.replace("mnop", "mnoq"))


def test_the_pattern_with_more_letters_ranks_higher_and_the_first_of_equals() -> None:
    table: PathTable[str] = PathTable()
    for pattern, value in (("**\\User Data\\<profile>\\Login", "any"),
                           ("%LOCALAPPDATA%\\C\\User Data\\*\\Login", "ours"),
                           ("%LOCALAPPDATA%\\C\\User Data\\<profile>\\Login", "later")):
        table.add(pattern, value)
    hits = sorted(table.hits("C:\\Users\\u\\AppData\\Local\\C\\User Data\\p\\Login"), key=lambda hit: hit.rank)
    assert [hit.value for hit in hits] == ["any", "later", "ours"]


def test_a_pattern_added_later_is_found_too() -> None:
    table: PathTable[str] = PathTable()
    table.add("%APPDATA%\\A\\b", "x")
    assert not list(table.hits("C:\\Users\\u\\AppData\\Roaming\\B\\c"))
    table.add("%APPDATA%\\B\\c", "y")
    assert [hit.value for hit in table.hits("C:\\Users\\u\\AppData\\Roaming\\B\\c")] == ["y"]


@pytest.mark.parametrize(("pattern", "says"), [
    ("%NOSUCH%\\a", "begins with none of %USERPROFILE%"),
    ("a\\b", "begins with none of"),
    ("%APPDATA%", "has an empty component"),
    ("%APPDATA%\\\\a", "has an empty component"),
    ("%APPDATA%\\{a,b", "a brace that is not closed"),
    ("%APPDATA%\\a}", "closes a brace that is not open"),
    ("%APPDATA%\\{a,{b,c}}", "a brace that is not closed"),
])
def test_a_pattern_that_is_none_is_refused(pattern: str, says: str) -> None:
    with pytest.raises(PatternError, match=says):
        PathTable[None]().add(pattern, None)


def test_braces_are_multiplied_and_a_guid_keeps_its_own() -> None:
    assert expanded("{a,b}\\x{,y}") == ["a\\x", "a\\xy", "b\\x", "b\\xy"]
    assert expanded(f"k\\{GUID}\\**") == [f"k\\{GUID}\\**"]


@given(st.text(alphabet="aAbß\\/:.*?$ \0\"{}\ud800ıΣ%-", max_size=40))
def test_any_text_is_read_and_nothing_raises(path: str) -> None:
    table: PathTable[int] = PathTable()
    for number, pattern in enumerate(("**\\a\\<x>\\**\\b", "%USERPROFILE%\\**\\*.a", "**\\*", "%PROGRAMDATA%\\a*b")):
        table.add(pattern, number)
    place = place_of(path)
    assert place is not None
    names = place.names
    assert {hit.value for hit in table.hits(path)} >= ({2} if names and len(names[-1]) <= 255 else set())


def test_a_hostile_path_costs_no_more_than_its_length() -> None:
    table: PathTable[int] = PathTable()
    for number, pattern in enumerate(("**\\a\\**\\a\\**\\a\\**\\b", "**\\*a*a*a*b", "%USERPROFILE%\\**\\<x>a\\**\\b")):
        table.add(pattern, number)
    started = time.process_time()
    assert not list(table.hits("C:\\Users\\u\\" + "a\\" * 16_000 + "c\\b\\c"))
    assert not list(table.hits("C:\\Users\\u\\" + "a" * 250 + "\\b\\" + "a" * 30_000))
    assert time.process_time() - started < 3
