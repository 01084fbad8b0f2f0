"""What ordinary software does all day, each story on a host of its own: no alert of high, no incident above low.

Each record is a benign twin in content/cases as well; here a connection follows, because a rule that guesses turns a
program that reads something and then connects into a theft (sequence S5). The stories of thieves beside them do the
same things with intent and must stay high: otherwise the silence above would prove nothing. Those that access more
than one kind of store, or show more than the access, are critical.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import builders as b
from builders import Process
from douse.model import Event, Value, level_rank

USER = "C:\\Users\\anna"
LOCAL, ROAMING, TEMP = f"{USER}\\AppData\\Local", f"{USER}\\AppData\\Roaming", f"{USER}\\AppData\\Local\\Temp"
FILES = "C:\\Program Files"
CHROME = f"{FILES}\\Google\\Chrome\\Application\\chrome.exe"
POWERSHELL = "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"
OUTLOOK_KEY = ("\\REGISTRY\\USER\\S-1-5-21-1-1104\\Software\\Microsoft\\Office\\16.0\\Outlook\\Profiles\\Outlook"
               "\\9375CFF0413111d3B88A00104B2A6676\\00000002")
PUBLIC = "203.0.113.9"

Act = Callable[[Process], Event]


def reads(path: str) -> Act:
    return lambda ran: b.store_read(ran, 2, path)


def reads_key(path: str) -> Act:
    def act(ran: Process) -> Event:
        read = b.store_read(ran, 2, path)
        read.fields.update(ObjectType="Key", AccessList="%%4432")
        return read
    return act


def writes(path: str, seconds: float = 2) -> Act:
    return lambda ran: b.file_drop(ran, seconds, path)


def opens(target: str, rights: str) -> Act:
    def act(ran: Process) -> Event:
        opened = b.injection(ran, b.process(target, 7000), 3, 10)
        opened.fields["GrantedAccess"] = rights
        return opened
    return act


def starts(image: str, command: str) -> Act:
    return lambda ran: b.process_start(b.process(image, 7004, 2, ran, command))


def runs(script: str, path: str = "D:\\it\\job.ps1") -> Act:
    """A script block that PowerShell logged."""
    def act(ran: Process) -> Event:
        logged: dict[str, Value] = {"ScriptBlockText": script, "Path": path, "ExecutionProcessID": str(ran.pid)}
        return b.event("Microsoft-Windows-PowerShell/Operational", 4104, 2, logged)
    return act


ORDINARY: dict[str, tuple[str, list[Act]]] = {
    "inventory lists processes": (POWERSHELL, [opens(CHROME, "0x1410")]),
    "installer lists processes": (f"{TEMP}\\is-A1B2C.tmp\\setup.tmp", [
        opens(CHROME, "0x1410"), opens("C:\\Windows\\System32\\winlogon.exe", "0x1410")]),
    "npm of a version manager": (f"{ROAMING}\\nvm\\v20.11.0\\node.exe", [reads(f"{USER}\\.npmrc")]),
    "kubectl of Chocolatey": ("C:\\ProgramData\\chocolatey\\lib\\kubernetes-cli\\tools\\kubectl.exe",
                              [reads(f"{USER}\\.kube\\config")]),
    "panel of Photoshop": (f"{FILES}\\Adobe\\Adobe Photoshop 2026\\CEPHtmlEngine.exe", [
        writes(f"{TEMP}\\cep_cache\\PHXS_27\\Default\\Network\\Cookies"),
        writes(f"{TEMP}\\cep_cache\\PHXS_27\\Local State")]),
    "two tokens": ("C:\\Windows\\System32\\cmd.exe", [
        starts(f"{FILES}\\GitHub CLI\\gh.exe", "gh auth token"),
        starts(f"{FILES}\\Amazon\\AWSCLIV2\\aws.exe", "aws ecr get-login-password")]),
    "sign-in of an SDK": (f"{FILES}\\nodejs\\node.exe", [
        starts("C:\\Windows\\System32\\cmd.exe", 'cmd.exe /d /s /c "az account get-access-token -o json"')]),
    "profile names": (POWERSHELL, [runs(
        'Get-Content "$env:LOCALAPPDATA\\Google\\Chrome\\User Data\\Local State" -Raw | ConvertFrom-Json; '
        "Invoke-RestMethod https://inv.corp.example/api -Method Post -Body $names")]),
    "own password in the vault": (POWERSHELL, [runs(
        '[DllImport("advapi32.dll")] static extern bool CredEnumerate(string f, int x, out int c, out IntPtr p);')]),
    "portable office suite": (f"{USER}\\Downloads\\LibreOfficePortable.paf.exe", [
        writes(f"{USER}\\Downloads\\LibreOfficePortable\\App\\LibreOffice\\program\\{name}.dll")
        for name in ("nss3", "softokn3", "freebl3")]),
    "mail out of a program": (f"{FILES}\\Adobe\\Acrobat DC\\Acrobat\\Acrobat.exe", [reads_key(OUTLOOK_KEY)]),
    "git of GitHub Desktop": (f"{LOCAL}\\GitHubDesktop\\app-3.5.1\\resources\\app\\git\\usr\\bin\\ssh.exe",
                              [reads(f"{USER}\\.ssh\\id_ed25519")]),
    "synchronised vault": (f"{LOCAL}\\Microsoft\\OneDrive\\OneDrive.exe", [reads(f"{USER}\\OneDrive\\pw.kdbx")]),
    "synchronised documents": (f"{ROAMING}\\SyncTrayzor\\syncthing.exe",
                               [reads(f"{USER}\\Documents\\{number}.docx") for number in range(16)]),
    "wallet reads itself": (f"{FILES}\\Litecoin\\litecoin-qt.exe", [reads(f"{ROAMING}\\Litecoin\\wallet.dat")]),
    "cleaner walks through classes": (f"{FILES}\\CCleaner\\CCleaner64.exe", [reads_key(
        "\\REGISTRY\\MACHINE\\SOFTWARE\\Classes\\CLSID\\{708860E0-F641-4611-8895-7D867DD3675B}")]),
    "Chrome has a new helper": (f"{FILES}\\Google\\Chrome\\Application\\155.0.1\\chrome_helper.exe", []),
    "Chrome per user": (f"{LOCAL}\\Google\\Chrome\\Application\\chrome.exe", [
        lambda ran: b.image_replaced(ran, 1), lambda ran: b.dns_query(ran, 2, "pastebin.com")]),
    "sessions of a terminal are moved": (POWERSHELL, [starts(
        POWERSHELL, 'powershell -c "Get-ChildItem HKCU:\\Software\\SimonTatham\\PuTTY\\Sessions"')]),
}

THEFT: dict[str, tuple[str, list[Act]]] = {
    "copies": (f"{TEMP}\\setup_x64.exe", [writes(f"{TEMP}\\a1\\Login Data"), writes(f"{TEMP}\\a1\\logins.json")]),
    "hidden browser": (f"{TEMP}\\setup_x64.exe", [
        starts(CHROME, f'"{CHROME}" --headless=new --profile-directory=Default'), opens(CHROME, "0x1410")]),
    "script": (POWERSHELL, [runs(
        '$k = (gc "$env:LOCALAPPDATA\\Google\\Chrome\\User Data\\Local State" | ConvertFrom-Json).os_crypt; '
        'Copy-Item "$env:LOCALAPPDATA\\Google\\Chrome\\User Data\\Default\\Login Data" $d', "")]),
    "key": (f"{TEMP}\\setup_x64.exe", [reads(f"{USER}\\.ssh\\id_rsa")]),
    "wallet": (f"{TEMP}\\setup_x64.exe", [reads(f"{ROAMING}\\Litecoin\\wallet.dat")]),
}


def story(image: str, acts: list[Act]) -> list[Event]:
    ran = b.process(image, 5000, 0, b.explorer())
    return [b.process_start(ran), *(act(ran) for act in acts), b.connection(ran, 4, PUBLIC)]


def line(event: Event, host: str) -> str:
    pid = event.fields.pop("ExecutionProcessID", "4")
    return json.dumps({"Event": {
        "System": {"Provider": {"#attributes": {"Name": event.provider}}, "EventID": event.event_id,
                   "TimeCreated": {"#attributes": {"SystemTime": event.time.isoformat() if event.time else ""}},
                   "EventRecordID": event.record_id, "Execution": {"#attributes": {"ProcessID": pid}},
                   "Channel": event.channel, "Computer": host},
        "EventData": dict(event.fields)}})


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("everyday") / "all.jsonl"
    lines = [line(event, name) for name, (image, acts) in (ORDINARY | THEFT).items() for event in story(image, acts)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def worst(logs: Path, hunt_json: Callable[..., dict[str, Any]]) -> dict[str, list[tuple[str, str]]]:
    """Of each host the alerts of high or above and the incidents of medium or above: level, title."""
    found = defaultdict(list)
    document = hunt_json(logs)
    for one, least in [(a, "high") for a in document["alerts"]] + [(i, "medium") for i in document["incidents"]]:
        if level_rank(one["level"]) >= level_rank(least):
            found[one["host"]].append((one["level"], one["title"]))
    return found


def test_ordinary_software_is_no_theft(worst: dict[str, list[tuple[str, str]]]) -> None:
    assert not {name: found for name, found in worst.items() if name in ORDINARY}


def test_a_thief_who_does_the_same_is_seen(worst: dict[str, list[tuple[str, str]]]) -> None:
    assert {name for name, found in worst.items() if {"high", "critical"} & dict(found).keys()} == THEFT.keys()
    assert {name for name, found in worst.items() if "critical" in dict(found)} == {"copies", "hidden browser"}
