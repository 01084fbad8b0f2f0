"""What to change: in the order of doing, in each store's own words, for whom it holds, and how sure it is."""

from __future__ import annotations

import pytest

import builders as b
from builders import SECURITY
from douse.content.store_table import ROTATE
from douse.content.stores import stores
from douse.incident.rotation import FIND_OUT, NEAR_ENTRIES, OWN_ENTRIES
from douse.model import Incident, Rotation
from incident.stories import CHROME_STORE, EXODUS_STORE, FIREFOX_STORE, OPERA_STORE, Story, lumma
from incident.test_impact import FIREFOX_EXE, THIEF, started
from incident.test_stores_seen import CHROME_EXE, vault, web

EXTENSION = CHROME_STORE.replace("Login Data", "Local Extension Settings\\{}\\000003.log")
BITWARDEN, METAMASK = "nngceckbapebfimnlniiiahkandclblb", "nkbihfbeogaeaoehlefnkodbefgpgknn"
AUTHENTICATOR = "bhghoamapcdpbohphigoooaddinpkbai"
BASES = ["named", "observed", "presumed", "unknown"]


def steps(store: str) -> list[tuple[str, str]]:
    """What a store's own file says."""
    return [(step.what, step.text) for one in stores() if one.id == store for step in one.rotate]


def lines(incident: Incident, what: str = "") -> list[tuple[str, tuple[str, ...], str]]:
    """Kind, products and basis, in order."""
    return [(one.what, one.products, one.basis) for one in incident.rotation if what in ("", one.what)]


def reads(*paths: str, store: str = "chromium") -> Story:
    story = Story()
    story.log(b.process_start(THIEF))
    for seconds, path in enumerate(paths):
        story.read(THIEF, seconds, path, store)
    return story


def named(incident: Incident) -> list[Rotation]:
    return [one for one in incident.rotation if one.basis == "named"]


def test_sessions_come_first_then_seeds_and_each_line_stands_once() -> None:
    incident = lumma().incident()
    order = [ROTATE.index(one.what) for one in incident.rotation]
    assert order == sorted(order)
    assert incident.rotation[0].what == "sessions"
    assert ("seed", ("Exodus",), "observed") in lines(incident)
    assert [one.what for one in incident.rotation].index("seed") < [one.what for one in incident.rotation].index(
        "passwords")
    keys = [(one.what, one.text, one.basis, one.users) for one in incident.rotation]
    assert len(keys) == len(set(keys))
    (passwords,) = [one for one in incident.rotation if "Chrome" in one.products and one.what == "passwords"]
    assert (passwords.products, passwords.users) == (("Chrome", "Opera"), (b.ANNA.name,))
    read = {alert_id for one in incident.stores if one.product in passwords.products for alert_id in one.alert_ids}
    assert set(passwords.alert_ids) == read


def test_w1_passwords_were_accessed_and_sessions_are_unknown() -> None:
    incident = reads(CHROME_STORE, OPERA_STORE).incident()
    assert lines(incident, "passwords") == [("passwords", ("Chrome", "Opera"), "observed")]
    assert {basis for _, _, basis in lines(incident, "sessions")} == {"unknown"}


def test_w6_all_is_presumed_and_told_apart_from_what_was_seen() -> None:
    story = lumma(audit=False)
    story.log(started(CHROME_EXE))
    assert {basis for _, _, basis in lines(story.incident())} == {"presumed"}
    seen = lumma()
    seen.log(started("C:\\Program Files\\Waterfox\\waterfox.exe"))
    found = lines(seen.incident(), "passwords")
    assert found[0] == ("passwords", ("Chrome", "Opera"), "observed")
    assert ("passwords", ("Waterfox",), "presumed") in found
    bases = [BASES.index(basis) for what, _, basis in found]
    assert bases == sorted(bases), "what was seen is before what is presumed"


def test_what_is_logged_and_was_not_read_need_not_be_changed_but_sessions_always() -> None:
    story = reads(CHROME_STORE)
    chrome = b.process(CHROME_EXE, 900, -50, b.explorer())
    for name in ("Web Data", "Network\\Cookies"):
        story.log(b.store_read(chrome, 9, CHROME_STORE.replace("Login Data", name)))
    incident = story.incident()
    assert lines(incident, "cards") == []
    assert ("sessions", ("Chrome",), "observed") in lines(incident, "sessions")


def test_stores_that_nobody_touched_or_knows_of_ask_for_nothing() -> None:
    story = reads(CHROME_STORE)
    story.log(started(FIREFOX_EXE, pid=901))
    assert not [one for one in story.incident().rotation if "Firefox" in one.products]


def test_a_backup_agent_makes_nobody_change_a_password() -> None:
    services = b.process("C:\\Windows\\System32\\services.exe", 700, -9000, user=b.SYSTEM)
    agent = b.process("C:\\Program Files\\Backup\\agent.exe", 600, 0, services)
    story = Story()
    story.log(b.process_start(agent))
    story.read(agent, 1, FIREFOX_STORE, "gecko", fidelity=0.7)
    incident = story.incident()
    assert (incident.level, incident.rotation) == ("informational", ())
    assert [(one.product, one.state) for one in incident.stores] == [("Firefox", "observed")]


@pytest.mark.parametrize(("extension", "store", "product"), [
    (METAMASK, "wallet-extension", "MetaMask"), (BITWARDEN, "password-manager-extension", "Bitwarden"),
    (AUTHENTICATOR, "authenticator-extension", "Authenticator extension")])
def test_an_extension_is_told_what_its_own_store_says(extension: str, store: str, product: str) -> None:
    incident = reads(EXTENSION.format(extension), store="ext").incident()
    assert [(one.what, one.text) for one in incident.rotation] == steps(store)
    assert {one.products for one in incident.rotation} == {(product,)}
    assert any("funds" in one.text for one in incident.rotation) == (store == "wallet-extension")


def test_a_hardware_wallet_needs_no_new_seed() -> None:
    ledger = EXODUS_STORE.replace("Exodus\\exodus.wallet\\seed.seco", "Ledger Live\\app.json")
    incident = reads(ledger, store="wallet").incident()
    assert {one.what for one in incident.rotation} == {"review"}


def test_an_unknown_store_is_to_be_found_out() -> None:
    story = Story()
    story.alert(b.process_start(b.process("C:\\x.exe", 700, 4, THIEF)), "C", "Something read", store="ext")
    (change,) = story.incident().rotation
    assert (change.what, change.text, change.products) == ("review", FIND_OUT, ("a browser extension",))


def test_people_with_other_products_have_other_lines_and_those_with_the_same_share_one() -> None:
    story = reads(CHROME_STORE, CHROME_STORE.replace("anna", "ben"), FIREFOX_STORE)
    first, second = [one for one in story.incident().rotation if one.text.startswith("Sign out everywhere")]
    assert {(first.products, first.users), (second.products, second.users)} == {
        (("Chrome", "Firefox"), (b.ANNA.name,)), (("Chrome",), ("ben",))}
    alike = reads(CHROME_STORE, CHROME_STORE.replace("anna", "ben")).incident()
    (passwords,) = [one for one in alike.rotation if one.what == "passwords"]
    assert (passwords.products, passwords.users) == (("Chrome",), (b.ANNA.name, "ben"))


# ── the vault's entries by name ───────────────────────────────────────────────────────────────────────────────────


def test_entries_that_the_thief_had_handed_out_are_the_exact_list() -> None:
    story = reads(CHROME_STORE)
    story.log(web(2, "https://login.live.com/"), web(2.2, "https://shop.example.net/", ""),
              vault(5379, 3, TargetName="Domain:target=fs01"), web(3, "https://other.example/", pid=4),  # type: ignore[arg-type] # a pid
              web(4, "https://login.live.com/"))
    story.log(b.process_start(b.process("C:\\Windows\\System32\\OneDrive.exe", 4, 1, b.explorer())))
    # the thief started at second 0, the records say at 1: one start
    (change,) = named(story.incident())
    assert (change.text, change.users, change.products) == (OWN_ENTRIES, (b.ANNA.name,), (
        "Windows Credential Manager",))
    assert change.entries == ("https://login.live.com/ (anna@example.com)", "https://shop.example.net/",
                              "Domain:target=fs01")
    store = next(one for one in story.incident().stores if one.family == "vault")
    assert (store.state, store.process) == ("observed", "chrome.exe (500)")


def test_a_pid_that_lived_at_another_time_is_not_the_thief() -> None:
    story = reads(CHROME_STORE)
    story.log(web(5, "https://a.example/", ProcessCreationTime="2026-11-18T06:00:00.0000000Z"))
    assert named(story.incident()) == []


def backup() -> Story:
    story = Story()
    story.alert(b.event(SECURITY, 5376, 1, {"SubjectUserSid": b.ANNA.sid, "SubjectUserName": "anna",
                                            "SubjectDomainName": "CORP"}), "C", "Vault backed up", store="vault")
    return story


def test_w4_entries_near_a_theft_from_the_vault_by_nobody_known_are_named_too() -> None:
    story = backup()
    story.log(web(3, "https://login.live.com/"), web(4, "https://ben.example/", user=b.BEN),  # type: ignore[arg-type] # keyword of vault()
              web(5, "https://app.example/", PackageSid="S-1-15-2-1"), web(9_000, "https://later.example/"),
              vault(5379, 6, TargetName="MicrosoftAccount:target=SSO_POP_Device"))
    (change,) = named(story.incident())
    assert (change.text, change.entries) == (NEAR_ENTRIES, ("https://login.live.com/ (anna@example.com)",))
    assert change.what == "passwords"


def test_entries_of_another_known_program_and_without_a_suspected_theft_are_not_named() -> None:
    story = backup()
    story.log(b.process_start(b.process("C:\\Program Files\\Office\\outlook.exe", 500, 1, b.explorer())),
              web(3, "https://login.live.com/"))
    assert named(story.incident()) == []
    quiet = reads(CHROME_STORE)
    quiet.log(web(3, "https://login.live.com/", pid=77))  # type: ignore[arg-type] # a pid
    assert named(quiet.incident()) == []


def test_lsass_as_the_client_may_be_anybody() -> None:
    story = backup()
    lsass = b.process("C:\\Windows\\System32\\lsass.exe", 500, 1, user=b.SYSTEM)
    story.log(b.process_start(lsass), web(3, "https://login.live.com/"))
    assert [one.text for one in named(story.incident())] == [NEAR_ENTRIES]


def test_hostile_entries_are_kept_short_and_named_once() -> None:
    story = reads(CHROME_STORE)
    story.log(*(web(2 + n, "https://\ud800\x1b]0;" + "x" * 5_000, "id" * 900) for n in range(3)))
    (change,) = named(story.incident())
    (entry,) = change.entries
    assert len(entry) == 300
