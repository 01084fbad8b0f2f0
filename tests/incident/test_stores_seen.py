"""Which stores a host has, for whom and whether their reads are logged, from single records."""

from __future__ import annotations

import json
import pickle
import random
import zipfile
from pathlib import Path

import pytest

import builders as b
from builders import HOST, SECURITY
from douse.incident import facts as module
from douse.incident.facts import HostFacts
from douse.incident.newest import MAX_TEXT
from douse.incident.stores_seen import StoreSeen
from douse.model import Event, Value
from incident.stories import CHROME_STORE, EXODUS_STORE, FIREFOX_STORE

CHROME_EXE = "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe"
CHROME = b.process(CHROME_EXE, 900, 5, b.explorer())
THIEF = b.process("C:\\Users\\anna\\AppData\\Local\\Temp\\x.exe", 500, 1, b.explorer())
COOKIES = CHROME_STORE.replace("Login Data", "Network\\Cookies")
COPY = "C:\\Users\\anna\\AppData\\Local\\Temp\\q\\User Data\\Default\\Login Data"


def observed(*events: Event) -> HostFacts:
    return b.facts_of(events).host(HOST)


def vault(event_id: int, seconds: float, pid: int = 500, user: b.User = b.ANNA, **more: Value) -> Event:
    """A record of the vault as Windows writes it; 5379 has a TargetName, 5382 Resource and Identity."""
    domain, _, name = user.name.partition("\\")
    created = b.at(1).isoformat().replace("+00:00", "000Z")
    return b.event(SECURITY, event_id, seconds, {
        "SubjectUserSid": user.sid, "SubjectUserName": name, "SubjectDomainName": domain, "SubjectLogonId": "0x4a1b2",
        "ReturnCode": "0", "ProcessCreationTime": created, "ClientProcessId": str(pid), **more})


def web(seconds: float, resource: str, identity: str = "anna@example.com", **more: Value) -> Event:
    return vault(5382, seconds, **{"SchemaFriendlyName": "Windows Web Password Credential", "Resource": resource,
                                   "Identity": identity, "PackageSid": "-", **more})  # type: ignore[arg-type] # keywords


def told(facts: HostFacts) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [(one.user, one.product, one.how, one.audited) for one in facts.stores]


def test_a_read_by_the_owner_shows_the_store_and_that_its_reads_are_logged() -> None:
    facts = observed(b.store_read(CHROME, 7, CHROME_STORE), b.store_read(CHROME, 6, COOKIES))
    assert told(facts) == [("anna", "Chrome", "read by", ("passwords", "sessions"))]
    (store,) = facts.stores
    assert (store.time, store.program, store.verified) == (b.at(6), "chrome.exe", True)
    assert facts.stores_audited


@pytest.mark.parametrize("shape", ["sysmon", "security"])
def test_a_program_that_a_person_runs_shows_its_store_but_not_that_reads_are_logged(shape: str) -> None:
    facts = observed(b.process_start(CHROME, shape))
    assert told(facts) == [("CORP\\anna", "Chrome", "started", ())]
    assert not facts.stores_audited
    for later in (b.process_end(CHROME, 9), b.connection(CHROME, 9, "10.0.0.8")):
        assert [product for _, product, _, _ in told(observed(later))] == ["Chrome"], later


def test_neither_a_namesake_nor_windows_itself_nor_a_helper_shows_a_store() -> None:
    system = b.process(CHROME_EXE, 901, 1, user=b.SYSTEM)
    namesake = b.process("C:\\Users\\anna\\AppData\\Roaming\\chrome.exe", 902, 1)
    helper = b.process("C:\\Program Files\\Google\\Chrome\\Application\\130.0.1\\elevation_service.exe", 903, 1)
    assert observed(*map(b.process_start, (system, namesake, helper))).stores == ()


def test_a_file_that_is_written_in_a_store_shows_it() -> None:
    metamask = CHROME_STORE.replace("Login Data",
                                    "Local Extension Settings\\nkbihfbeogaeaoehlefnkodbefgpgknn\\000003.log")
    facts = observed(b.file_drop(CHROME, 6, metamask), b.file_drop(CHROME, 6, COOKIES.replace("Cookies", "a.tmp")),
                     b.event("MDE/DeviceFileEvents", 11, 7, {"TargetFilename": EXODUS_STORE, "Image": "C:\\x.exe"}))
    assert [(product, how) for _, product, how, _ in told(facts)] == [("Exodus", "written by"),
                                                                      ("MetaMask", "written by")]
    assert not facts.stores_audited


def test_a_copy_is_no_store_unless_its_own_program_uses_it_there() -> None:
    assert observed(b.file_drop(THIEF, 2, COPY), b.store_read(THIEF, 3, COPY)).stores == ()
    webview = b.process("C:\\Program Files (x86)\\Microsoft\\EdgeWebView\\Application\\130.0\\msedgewebview2.exe", 7, 1)
    inside = "C:\\Users\\anna\\AppData\\Local\\App\\EBWebView\\Default\\Network\\Cookies"
    assert [one.user for one in observed(b.file_drop(webview, 2, inside)).stores] == ["anna"]


@pytest.mark.parametrize(("fields", "audited"), [
    ({"AccessMask": "0x1"}, True), ({"AccessMask": "0x120089"}, True), ({"AccessMask": "0x2"}, False),
    ({"AccessMask": "0x20000"}, False), ({"AccessMask": ""}, True), ({"AccessMask": "0x8", "ObjectType": "Key"}, True),
])
def test_only_a_read_of_content_shows_that_reads_are_logged(fields: dict[str, str], audited: bool) -> None:
    record = b.store_read(CHROME, 2, CHROME_STORE)
    changed = b.event(SECURITY, 4663, 2, {**record.fields, **fields})
    facts = observed(changed)
    assert (facts.stores_audited, bool(facts.stores[0].audited)) == (audited, audited)


def test_entries_are_kept_by_name_and_what_windows_asks_for_all_day_is_not() -> None:
    facts = observed(
        web(1, "https://login.live.com/"), vault(5379, 2, TargetName="Domain:target=fs01.corp.example"),
        vault(5379, 3, TargetName=None), vault(5379, 3, TargetName="*"), vault(5379, 3, TargetName="MyApp:*"),
        vault(5379, 3, TargetName="Microsoft_Windows_Shell_ZipFolder:filename=C:\\a.zip"),
        vault(5379, 3, TargetName="MicrosoftAccount:target=SSO_POP_Device"),
        vault(5379, 3, TargetName="WindowsLive:target=virtualapp/didlogical"),
        vault(5379, 3, TargetName="Domain:target=none", ReturnCode="3221226021"),
        vault(5379, 3, TargetName="Domain:target=none", CountOfCredentialsReturned="0"),
        web(4, "SnapshotEncryptionKey", "MicrosoftStore-Installs"), web(4, "https://x.example", user=b.SYSTEM),  # type: ignore[arg-type] # keyword of vault()
        vault(5381, 5, CountOfCredentialsReturned="2"))
    assert [(one.target, one.identity, one.pid, one.user_name) for one in facts.entries] == [
        ("https://login.live.com/", "anna@example.com", 500, "CORP\\anna"),
        ("Domain:target=fs01.corp.example", "", 500, "CORP\\anna")]
    assert told(facts) == [("CORP\\anna", "Windows Credential Manager", "handed out an entry", ())]


def events() -> list[Event]:
    """Three people, several products, each store shown by several records."""
    found = []
    for number, name in enumerate(("anna", "ben", "eve")):
        for path in (CHROME_STORE, COOKIES, FIREFOX_STORE, EXODUS_STORE):
            found += [b.store_read(CHROME, 50 - number, path.replace("anna", name)),
                      b.file_drop(CHROME, 60 - number, path.replace("anna", name.upper()))]
    found += [b.process_start(CHROME), b.process_end(CHROME, 90), b.connection(CHROME, 4, "203.0.113.9")]
    return found + [web(n, f"https://{n}.example/") for n in range(12)]


def test_merging_shuffling_and_repeating_change_nothing() -> None:
    records = events()
    whole = observed(*records)
    assert len(whole.stores) == 3 * 3 + 2
    generator = random.Random(5)
    for _ in range(6):
        generator.shuffle(records)
        left, right = b.facts_of(records[:20]), b.facts_of(records[14:])
        left.merge(pickle.loads(pickle.dumps(right)))
        assert left.host(HOST) == whole


def test_over_the_limit_the_same_are_kept_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.LIMITS, "stores", 8)
    monkeypatch.setitem(module.LIMITS, "entries", 5)
    records = [b.store_read(CHROME, n, CHROME_STORE.replace("anna", f"user{n}")) for n in range(40)]
    records += [web(n, f"https://{n}.example/") for n in range(30)]
    kept = observed(*records)
    assert (len(kept.stores), len(kept.entries), kept.stores_trimmed) == (8, 5, True)
    assert not kept.trimmed, "that is about processes"
    random.Random(2).shuffle(records)
    left, right = b.facts_of(records[:33]), b.facts_of(records[33:])
    left.merge(right)
    assert left.host(HOST) == kept
    assert not observed(*records[:4]).stores_trimmed


def test_texts_of_any_length_and_kind_are_kept_in_part() -> None:
    odd = "\ud800\x1b]0;x\x07" + "n" * 100_000
    facts = observed(
        web(1, "https://" + odd, odd), b.store_read(CHROME, 2, CHROME_STORE.replace("anna", odd[:200])),
        b.store_read(b.process("C:\\" + odd + ".exe", 3, 1), 2, FIREFOX_STORE),
        b.process_start(b.process(CHROME_EXE, 4, 1, user=b.User("CORP\\" + odd, "S-1-5-21-1", 7))))
    texts = [value for one in (*facts.stores, *facts.entries) for value in map(one.__getattribute__, one.__slots__)
             if isinstance(value, str)]
    assert max(map(len, texts)) == MAX_TEXT
    assert len(facts.stores) == 4


def test_the_earliest_record_is_the_evidence() -> None:
    def seen(seconds: float, record: int, audited: tuple[str, ...] = ()) -> StoreSeen:
        return StoreSeen("anna", "chromium", "Chrome", b.at(seconds), SECURITY, record, "read by", "x.exe", True,
                         audited)

    assert seen(2, 7, ("passwords",)).with_(seen(1, 9)) == seen(1, 9, ("passwords",))
    assert seen(1, 9).with_(seen(2, 7, ("passwords",))) == seen(1, 9, ("passwords",))


def test_a_real_enumeration_that_returned_nothing_names_no_entry(shared: Path) -> None:
    log = shared / "data" / "otrf" / "credential_access__host__psh_input_capture_promptforcreds.zip"
    with zipfile.ZipFile(log) as archive:
        lines = [line for name in archive.namelist() for line in archive.read(name).splitlines() if b"5379" in line]
    records = [fields for line in lines if (fields := json.loads(line)).get("EventID") == 5379]
    assert len(records) == 1
    assert observed(*(b.event(SECURITY, 5379, 0, fields) for fields in records)).entries == ()
