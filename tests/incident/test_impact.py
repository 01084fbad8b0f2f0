"""What was taken: the impact clauses of the worked examples (3.6), and that each state is said only with reason."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

import builders as b
from builders import SECURITY
from douse.hunt.options import HuntOptions
from douse.hunt.run import hunt
from douse.incident import facts as facts_module
from douse.incident.correlate import correlate
from douse.incident.impact import NOT_KEPT
from douse.model import STORE_STATES, Event, Incident, StoreImpact
from incident.stories import (
    CHROME_STORE,
    EXODUS_STORE,
    FIREFOX_STORE,
    OPERA_STORE,
    POWERSHELL,
    Story,
    ids,
    lumma,
)
from incident.test_stores_seen import CHROME_EXE, web

FIREFOX_EXE = "C:\\Program Files\\Mozilla Firefox\\firefox.exe"
COOKIES = CHROME_STORE.replace("Login Data", "Network\\Cookies")
ALL_OF_CHROME = ("passwords", "sessions", "tokens", "key", "cards", "autofill", "history")
THIEF = b.process("C:\\Users\\anna\\AppData\\Roaming\\Chrome\\chrome.exe", 500, 0, b.explorer())


def started(image: str, user: b.User = b.ANNA, pid: int = 900) -> Event:
    return b.process_start(b.process(image, pid, -100, b.explorer(user=user)))


def states(incident: Incident) -> dict[str, str]:
    """Product and state; every product at most once."""
    assert len({(one.user, one.product) for one in incident.stores}) == len(incident.stores)
    return {one.product: one.state for one in incident.stores}


def of(incident: Incident, product: str) -> StoreImpact:
    return next(one for one in incident.stores if one.product == product)


def test_w1_logins_were_accessed_and_of_cookies_nothing_is_known() -> None:
    story = Story()
    for seconds, (path, store) in enumerate(
            ((CHROME_STORE, "chromium"), (FIREFOX_STORE, "gecko"), (OPERA_STORE, "chromium"))):
        story.read(THIEF, seconds, path, store)
    incident = story.incident()
    assert states(incident) == {"Chrome": "observed", "Firefox": "observed", "Opera": "observed"}
    for store in incident.stores:
        assert store.holds == ("passwords",)
        assert "sessions" in store.unseen
        assert (store.user, store.process) == (b.ANNA.name, "chrome.exe (500)")
        assert store.first_seen == store.last_seen is not None
        assert len(store.alert_ids) == 1
    assert of(incident, "Chrome").evidence == f"Security record {story.alerts[0].record_id}: Login Data"


def test_w4_a_backup_of_the_vault_takes_it() -> None:
    story = Story()
    story.alert(b.event(SECURITY, 5376, 1, {"SubjectUserSid": b.ANNA.sid, "SubjectUserName": "anna",
                                            "SubjectDomainName": "CORP"}), "C", "Vault backed up", store="vault")
    story.log(web(3, "https://login.live.com/"))
    (store,) = story.incident().stores
    assert (store.product, store.state, store.holds, store.user) == (
        "Windows Credential Manager", "observed", ("passwords", "tokens"), b.ANNA.name)
    assert store.unseen == ("key",)


def test_w5_what_was_read_is_told_and_what_lies_beside_it() -> None:
    story = lumma()
    story.log(started(CHROME_EXE), started(FIREFOX_EXE, pid=901))
    story.log(started("C:\\Program Files\\Mozilla Thunderbird\\thunderbird.exe", pid=902))
    incident = story.incident()
    assert states(incident) == {"Exodus": "observed", "Chrome": "observed", "Opera": "observed",
                                "Firefox": "observed", "Thunderbird": "presumed"}
    assert [one.state for one in incident.stores] == sorted((one.state for one in incident.stores),
                                                            key=STORE_STATES.index)
    assert incident.stores[0].product == "Exodus", "what cannot be called back is first"
    assert of(incident, "Exodus").process == "RegAsm.exe (5008)"
    thunderbird = of(incident, "Thunderbird")
    assert (thunderbird.alert_ids, thunderbird.first_seen, thunderbird.process) == ((), None, "")
    assert thunderbird.evidence.startswith("Sysmon record ")
    assert thunderbird.evidence.endswith(": thunderbird.exe started")


def test_w6_without_a_log_of_reads_what_is_there_counts_as_stolen() -> None:
    story = lumma(audit=False)
    story.log(started(CHROME_EXE), started(FIREFOX_EXE, pid=901))
    incident = story.incident()
    assert "S7" in ids(incident)
    assert states(incident) == {"Chrome": "presumed", "Firefox": "presumed"}
    chrome = of(incident, "Chrome")
    assert (chrome.holds, chrome.unseen, chrome.user) == (ALL_OF_CHROME, (), b.ANNA.name)


def test_without_a_theft_a_store_is_unknown_or_untouched_by_whether_its_own_reads_are_logged() -> None:
    shell = b.process("C:\\Windows\\System32\\cmd.exe", 400, 0, b.explorer())
    story = Story()
    mshta = b.process("C:\\Windows\\System32\\mshta.exe", 500, 1, shell)
    story.alert(b.process_start(mshta), "X", "Mshta with a URL", "high")
    story.alert(b.connection(mshta, 2, "203.0.113.44"), "R", "Mshta connected")
    story.log(b.store_read(b.process(CHROME_EXE, 900, -100, b.explorer()), 30, CHROME_STORE),
              started(FIREFOX_EXE, pid=901))
    incident = story.incident()
    assert ids(incident) == {"S2"}
    assert states(incident) == {"Firefox": "unknown", "Chrome": "untouched"}
    chrome = of(incident, "Chrome")
    assert (chrome.holds, "sessions" in chrome.unseen) == (("passwords",), True)
    assert incident.rotation == ()


def test_reads_of_one_store_that_are_logged_clear_no_other_and_bookmarks_clear_nothing() -> None:
    firefox = b.process(FIREFOX_EXE, 901, -50, b.explorer())
    chrome = b.process(CHROME_EXE, 900, -50, b.explorer())
    story = Story()
    power = b.process(POWERSHELL, 500, 0, b.explorer())
    story.alert(b.process_start(power), "X", "Run in an odd way")
    story.read(power, 5, EXODUS_STORE, "wallet")
    story.alert(b.connection(power, 9, "203.0.113.44"), "R", "Connected")
    story.log(b.store_read(firefox, 3, FIREFOX_STORE),
              b.store_read(chrome, 3, CHROME_STORE.replace("Login Data", "Bookmarks")))
    incident = story.incident()
    assert "S5" in ids(incident)
    assert states(incident) == {"Exodus": "observed", "Chrome": "presumed", "Firefox": "untouched"}


def test_what_is_logged_and_was_not_read_is_not_among_the_unseen() -> None:
    story = Story()
    chrome = b.process(CHROME_EXE, 900, -50, b.explorer())
    story.read(THIEF, 1, CHROME_STORE, "chromium")
    story.log(b.store_read(chrome, 5, COOKIES))
    chrome_store = of(story.incident(), "Chrome")
    assert chrome_store.holds == ("passwords",)
    assert chrome_store.unseen == ("tokens", "key", "cards", "autofill", "history")


def test_two_people_have_their_own_stores_each() -> None:
    story = lumma(audit=False).extend(lumma(audit=False, user=b.BEN, pid=7000, later=4000))
    story.log(started(CHROME_EXE), started(FIREFOX_EXE, b.BEN, 901))
    found = {incident.users: states(incident) for incident in story.incidents()}
    assert found == {(b.ANNA.name,): {"Chrome": "presumed"}, (b.BEN.name,): {"Firefox": "presumed"}}
    for incident in story.incidents():
        assert {user for change in incident.rotation for user in change.users} == set(incident.users)


def test_a_thief_with_the_rights_of_an_administrator_reads_everybodys() -> None:
    story = lumma(audit=False)
    story.log(started(CHROME_EXE), started(FIREFOX_EXE, b.BEN, 901))
    assert states(story.incident()) == {"Chrome": "presumed"}
    raised = b.process_start(b.process(POWERSHELL, 5004, 3.0))
    raised.fields["IntegrityLevel"] = "High"
    story.alert(raised, "X", "Started with all rights")
    found = {(one.user, one.product) for incident in story.incidents() for one in incident.stores}
    assert found == {(b.ANNA.name, "Chrome"), (b.BEN.name, "Firefox")}


def test_a_folder_a_sid_and_an_account_are_one_person() -> None:
    story = lumma(audit=False)
    key = f"\\REGISTRY\\USER\\{b.ANNA.sid}\\Software\\Martin Prikryl\\WinSCP 2\\Sessions\\x"
    winscp = b.process("C:\\Program Files\\WinSCP\\WinSCP.exe", 903, 1, b.explorer())
    touched = b.store_read(winscp, 5, key)
    touched.fields.update(ObjectType="Key", AccessMask="0x2")
    story.log(started(CHROME_EXE), touched, b.file_drop(b.process(CHROME_EXE, 900, -100), 4, COOKIES),
              b.process_start(b.process(CHROME_EXE, 900, -100, b.explorer()), "security"),
              b.file_drop(b.process(CHROME_EXE, 900, -100), 4, FIREFOX_STORE.replace("anna", "anna.CORP")))
    incident = story.incident()
    assert states(incident) == {"Chrome": "presumed", "Firefox": "presumed", "WinSCP": "presumed"}
    assert {one.user for one in incident.stores} == {b.ANNA.name}


def test_the_owner_and_an_importing_browser_access_nothing_and_an_injected_browser_does() -> None:
    firefox = b.process(FIREFOX_EXE, 901, 0, b.explorer())
    story = Story()
    story.read(firefox, 1, FIREFOX_STORE, "gecko")
    story.read(firefox, 2, CHROME_STORE, "chromium")
    assert not [one for incident in story.incidents() for one in incident.stores if one.state == "observed"]
    story.alert(b.injection(THIEF, firefox, 0.5), "I", "Thread from a stranger", "high")
    assert states(story.incident()) == {"Firefox": "observed", "Chrome": "observed"}


@pytest.mark.parametrize(("record", "family", "product", "holds", "process"), [
    (b.injection(THIEF, b.process(CHROME_EXE, 900, -9), 3, 10), "chromium", "Chrome", ("passwords", "sessions"),
     "chrome.exe (500)"),
    (b.process_start(b.process(CHROME_EXE, 901, 4, THIEF, "chrome.exe --remote-debugging-port=9222")), "chromium",
     "Chrome", ("sessions",), "chrome.exe (500)"),
    (b.event("Microsoft-Windows-Crypto-DPAPI/Debug", 16385, 4, {
        "OperationType": "SPCryptUnprotect", "DataDescription": "Google Chrome", "CallerProcessID": "500"}),
     "chromium", "Chrome", ("key",), "chrome.exe (500)"),
    (b.event("Microsoft-Windows-PowerShell/Operational", 4104, 4, {
        "ScriptBlockText": "cp \"$env:LOCALAPPDATA\\Google\\Chrome\\User Data\\Default\\Network\\Cookies\" x",
        "Execution_ProcessID": "500", "Security_UserID": b.ANNA.sid}), "chromium", "Chrome", ("sessions",),
     "chrome.exe (500)"),
    (b.process_start(b.process("C:\\Windows\\System32\\cmd.exe", 700, 4, THIEF,
                               "cmd /c copy %APPDATA%/Exodus/exodus.wallet/seed.seco D:\\")), "wallet", "Exodus", (),
     "cmd.exe (700)"),
    (b.process_start(b.process("C:\\Windows\\System32\\reg.exe", 700, 4, THIEF,
                               "reg query HKCU\\Software\\SimonTatham\\PuTTY\\Sessions /s")), "ftp", "PuTTY", (),
     "reg.exe (700)"),
    (b.file_drop(THIEF, 4, "C:\\Users\\anna\\AppData\\Local\\Temp\\9a\\Login Data"), "chromium", "a Chromium browser",
     ("passwords",), "chrome.exe (500)"),
    (b.event("Microsoft-Windows-Sysmon/Operational", 1, 4, {
        "Image": "C:\\x.exe", "CommandLine": "gh auth token", "ProcessId": "700", "User": b.ANNA.name}), "cloud",
     "a cloud or developer token", (), "x.exe (700)"),
    (b.process_start(b.process("C:\\x.exe", 700, 4, THIEF)), "", "a store that the record does not name", (),
     "x.exe (700)"),
])
def test_every_access_appears_with_what_is_known(record: Event, family: str, product: str, holds: tuple[str, ...],
                                                 process: str) -> None:
    story = Story()
    story.log(b.process_start(THIEF))
    story.alert(record, "C", "Access of some kind", store=family, fidelity=0.7)
    (incident,) = story.incidents()
    (store,) = [one for one in incident.stores if one.state == "observed"]
    assert (store.product, store.family, store.holds, store.process) == (product, family, holds, process)
    assert store.user == b.ANNA.name
    assert store.alert_ids == (story.alerts[0].alert_id,)
    assert set(store.holds).isdisjoint(store.unseen)


def test_a_rule_that_guesses_shows_no_access_unless_the_record_names_the_store() -> None:
    story = Story()
    story.log(b.process_start(THIEF))
    story.alert(b.process_start(b.process("C:\\x.exe", 700, 4, THIEF, "x \\Google\\Chrome\\User Data")), "C", "Perhaps",
                store="chromium", fidelity=0.4)
    assert states(story.incident()) == {"Chrome": "unknown"}
    story.read(THIEF, 9, CHROME_STORE, "chromium", fidelity=0.4)
    chrome = of(story.incident(), "Chrome")
    assert (chrome.state, chrome.holds, len(chrome.alert_ids)) == ("observed", ("passwords",), 2)


def test_weak_signs_without_any_access_say_nothing_of_stores() -> None:
    story = Story()
    story.alert(b.process_start(THIEF), "D", "Started from a download", "low")
    story.log(started(CHROME_EXE))
    assert story.incident().stores == ()


def test_hostile_paths_and_texts_are_told_or_left_out_and_stop_nothing() -> None:
    story = Story()
    story.log(b.process_start(THIEF))
    odd = "\ud800\x1b[31m\u202e<script>"
    for number, path in enumerate((
            f"C:\\Users\\{odd}\\AppData\\Local\\Google\\Chrome\\User Data\\{odd}\\Login Data",
            "C:\\Users\\anna\\x\\..\\AppData\\Roaming\\Exodus\\exodus.wallet\\" + odd, odd * 3_000, "\\\\", "")):
        story.read(THIEF, number, path, "chromium")
    story.alert(b.event("Microsoft-Windows-PowerShell/Operational", 4104, 6, {
        "ScriptBlockText": (odd + "\\Google\\Chrome\\User Data\\") * 500, "Execution_ProcessID": "500"}), "C", "Script",
        store="chromium")
    found = [one for incident in story.incidents() for one in incident.stores]
    assert {one.product for one in found} >= {"Chrome", "Exodus", "a Chromium browser"}
    assert all(len(one.evidence) <= 400 for one in found)
    assert sum(len(one.alert_ids) for one in found) == 6


def test_more_stores_than_are_kept_are_said_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(facts_module.LIMITS, "stores", 3)
    story = lumma(audit=False)
    chrome = b.process(CHROME_EXE, 900, -100)
    story.log(*(b.file_drop(chrome, n, CHROME_STORE.replace("anna", f"anna{n}")) for n in range(9)))
    assert of(story.incident(), NOT_KEPT).state == "presumed"


def test_order_and_copies_of_records_change_nothing() -> None:
    story = lumma()
    story.log(started(CHROME_EXE), started(FIREFOX_EXE, b.BEN, 901), web(14, "https://a.example/", pid=5008),  # type: ignore[arg-type] # a pid
              web(15, "https://b.example/", pid=5008))  # type: ignore[arg-type] # a pid
    expected = story.incidents()
    assert expected[0].rotation
    generator = random.Random(7)
    for _ in range(4):
        records, alerts = story.events * 2, story.alerts * 2
        generator.shuffle(records)
        generator.shuffle(alerts)
        left, right = b.facts_of(records[:40]), b.facts_of(records[40:])
        left.merge(right)
        found = correlate(alerts, left.host(b.HOST), b.coverage_of(story.events))
        assert [(one.stores, one.rotation) for one in found] == [(one.stores, one.rotation) for one in expected]


def demo(logs: Path) -> Incident:
    return hunt(HuntOptions(paths=(str(logs),))).incidents[0]


def test_the_demo_names_what_was_read(scenario: Callable[..., Path]) -> None:
    found = [(one.product, one.state, one.user, one.holds) for one in demo(scenario("lumma-clickfix")).stores]
    assert found == [
        ("Exodus", "observed", "CORP\\anna", ("seed",)), ("MetaMask", "observed", "CORP\\anna", ("seed",)),
        ("Chrome", "observed", "CORP\\anna", ("passwords", "sessions", "tokens", "key", "cards", "autofill")),
        ("Edge", "observed", "CORP\\anna", ("passwords", "key")),
        ("Firefox", "observed", "CORP\\anna", ("passwords", "sessions", "key"))]


def test_the_demo_without_auditing_presumes(scenario: Callable[..., Path]) -> None:
    incident = demo(scenario("lumma-clickfix-no-audit"))
    assert [(one.product, one.state, one.user, one.holds) for one in incident.stores] == [
        ("Chrome", "presumed", "CORP\\anna", ALL_OF_CHROME)]
    assert {one.basis for one in incident.rotation} == {"presumed"}
