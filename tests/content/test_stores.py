"""The stores of the threat model, section 4: every path of its table is known, what only looks like one is not.

The paths are written out in stores.yml, as a log has them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from douse.content import stores as loader
from douse.content.cases import load_cases
from douse.content.rules import FOLDER as RULES
from douse.content.store_table import EVIDENCE, HOLDS, OWNER, ROTATE, STRANGER, UNVERIFIED
from douse.content.stores import stores
from douse.detection.language.documents import read_documents
from douse.detection.language.meaning import STORES
from douse.errors import ContentError

U = "C:\\Users\\anna"
L, R = f"{U}\\AppData\\Local", f"{U}\\AppData\\Roaming"
HKCU, HKLM = "HKU\\S-1-5-21-1-2-3-1104", "HKLM"
FOX = f"{R}\\Mozilla\\Firefox\\Profiles\\q3k1.default-release"
CHROME = f"{L}\\Google\\Chrome\\User Data"
CHROME_EXE = "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe"

METAMASK = "Default\\Local Extension Settings\\nkbihfbeogaeaoehlefnkodbefgpgknn\\000003.log"
TABLE = yaml.safe_load(Path(__file__).with_name("stores.yml").read_text(encoding="utf-8"))
LOOK_ALIKES = TABLE.pop("look-alikes")
PATHS = [(store, product, path) for store, products in TABLE.items() for product, paths in products.items()
         for path in paths]

@pytest.mark.parametrize(("store", "product", "path"), PATHS, ids=[f"{s}-{i}" for i, (s, _, _) in enumerate(PATHS)])
def test_every_path_of_the_threat_model_is_recognised(store: str, product: str, path: str) -> None:
    found = stores().match(path)
    assert found is not None, path
    assert (found.store.id, found.product) == (store, product)
    hive = path.startswith((HKCU, "\\REGISTRY\\USER\\"))
    assert found.user == ("S-1-5-21-1-2-3-1104" if hive else "anna" if path.startswith(U) else "")


@pytest.mark.parametrize("path", LOOK_ALIKES)
def test_what_only_looks_like_a_store_is_none(path: str) -> None:
    assert stores().match(path) is None


def test_every_store_of_the_folder_is_in_the_table() -> None:
    assert {store.id for store in stores()} == set(TABLE)


def test_a_match_says_profile_user_and_what_the_file_holds() -> None:
    found = stores().match(f"{CHROME}\\Profile 7\\Network\\Cookies".replace("C:", "\\Device\\HarddiskVolume3"))
    assert found is not None
    assert (found.profile, found.user, found.holds, found.host) == ("Profile 7", "anna", ("sessions",), "")
    assert found.verified
    found = stores().match(f"{L}\\Microsoft\\Edge\\User Data\\Default\\IndexedDB\\"
                           "chrome-extension_nkbihfbeogaeaoehlefnkodbefgpgknn_0.indexeddb.leveldb")
    assert found is not None
    assert (found.product, found.host, found.profile, found.holds) == ("MetaMask", "Edge", "Default", ("seed",))
    assert stores().match(f"{CHROME}\\Local State").profile == ""  # type: ignore[union-attr] # it is one of the table


def test_a_copy_of_a_profile_is_the_profile_of_some_browser() -> None:
    """A thief copies a profile to open it elsewhere: the names are the same, the folder is not."""
    found = stores().match("C:\\ProgramData\\upd\\User Data\\Default\\Login Data")
    assert found is not None
    assert (found.product, found.user, found.holds) == ("another Chromium browser", "", ("passwords",))


def test_what_nobody_looked_up_says_so() -> None:
    unverified = {path: stores().match(path) for path in (
        f"{R}\\librewolf\\Profiles\\a.b\\logins.json", "C:\\Steam\\ssfn123", f"{FOX}\\signons.sqlite",
        f"{CHROME}\\Default\\Local Storage\\leveldb\\1.log", f"{U}\\Desktop\\x.rdp",
        f"{CHROME}\\Default\\Local Extension Settings\\aholpfdialjgjfhomihkjbmgjidlcdno\\1.log")}
    assert [path for path, found in unverified.items() if found is None or found.verified] == []


# ── owners ────────────────────────────────────────────────────────────────────────────────────────────────────────


def verdict(path: str, image: str, signer: str | None = None) -> tuple[str, bool]:
    found = stores().match(path)
    assert found is not None
    ownership = stores().ownership(found, image, signer)
    return ownership.verdict, ownership.admin_only


LOGIN = f"{CHROME}\\Default\\Login Data"
OPERA = f"{R}\\Opera Software\\Opera Stable\\Login Data"
EXODUS = f"{R}\\Exodus\\exodus.wallet\\seed.seco"
WINSCP = "C:\\Program Files (x86)\\WinSCP\\WinSCP.exe"


@pytest.mark.parametrize(("path", "image", "signer", "expected"), [
    (LOGIN, CHROME_EXE, "Google LLC", (OWNER, True)),
    (LOGIN, CHROME_EXE, None, (UNVERIFIED, True)),
    (LOGIN, CHROME_EXE.upper(), None, (UNVERIFIED, True)),
    (LOGIN, CHROME_EXE.replace("C:", "\\Device\\HarddiskVolume3"), None, (UNVERIFIED, True)),
    (LOGIN, CHROME_EXE, "Contoso Ltd", (STRANGER, False)),
    (LOGIN, CHROME_EXE, "Google LLC (revoked)", (STRANGER, False)),
    (LOGIN, CHROME_EXE.replace("C:", "D:"), None, (UNVERIFIED, False)),
    (LOGIN, "\\\\WS-1\\C$" + CHROME_EXE[2:], "Google LLC", (STRANGER, False)),
    (LOGIN, "C:\\Program Files\\Google\\Chrome\\Application\\130.0.1\\elevation_service.exe", None, (UNVERIFIED, True)),
    (LOGIN, f"{L}\\Temp\\chrome.exe", None, (STRANGER, False)),
    (LOGIN, f"{L}\\Temp\\Google\\Chrome\\Application\\chrome.exe", "Google LLC", (STRANGER, False)),
    (LOGIN, "chrome.exe", None, (STRANGER, False)),
    (LOGIN, "C:\\Windows\\Microsoft.NET\\Framework\\v4.0.30319\\RegAsm.exe", None, (STRANGER, False)),
    (LOGIN, "C:\\Windows\\BitLockerDiscoveryVolumeContents\\BitLockerToGo.exe", None, (STRANGER, False)),
    (LOGIN, "C:\\Program Files\\Mozilla Firefox\\firefox.exe", "Mozilla Corporation", (STRANGER, False)),
    (LOGIN, "C:\\Program Files\\Vendor\\tool.exe", None, (STRANGER, False)),
    (f"{FOX}\\key4.db", "C:\\Program Files\\Mozilla Firefox\\firefox.exe", "Mozilla Corporation", (OWNER, True)),
    (f"{FOX}\\key4.db", CHROME_EXE, None, (STRANGER, False)),
    (OPERA, f"{L}\\Programs\\Opera\\opera.exe", None, (UNVERIFIED, False)),
    (OPERA, f"{L}\\Programs\\Opera\\opera.exe", "Opera Norway AS", (OWNER, False)),
    (f"{CHROME}\\{METAMASK}", CHROME_EXE, None, (UNVERIFIED, True)),
    (f"{L}\\Vivaldi\\User Data\\{METAMASK}", CHROME_EXE, None, (STRANGER, False)),
    (EXODUS, f"{L}\\exodus\\app-25.1.1\\Exodus.exe", "Exodus Movement, Inc.", (OWNER, False)),
    (f"{HKCU}\\Software\\Martin Prikryl\\WinSCP 2\\Sessions\\x", WINSCP, "Martin Prikryl", (OWNER, True)),
    (f"{U}\\.ssh\\id_rsa", "C:\\Windows\\System32\\OpenSSH\\ssh.exe", None, (UNVERIFIED, True)),
    (f"{U}\\Documents\\passwords.txt", "C:\\Windows\\System32\\notepad.exe", None, (STRANGER, False)),
])
def test_an_owner_is_a_full_path_and_a_signer(path: str, image: str, signer: str | None,
                                              expected: tuple[str, bool]) -> None:
    assert verdict(path, image, signer) == expected


@pytest.mark.parametrize("image", [
    "C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18.25100.9-0\\MsMpEng.exe",
    "C:\\Program Files\\Windows Defender Advanced Threat Protection\\MsSense.exe",
    "C:\\Windows\\System32\\SearchProtocolHost.exe",
    "C:\\Program Files\\Veeam\\Endpoint Backup\\Veeam.EndPoint.Service.exe",
])
@pytest.mark.parametrize("path", [LOGIN, f"{FOX}\\logins.json", EXODUS])
def test_protection_indexing_and_backup_read_everything(path: str, image: str) -> None:
    found = stores().match(path)
    assert found is not None
    ownership = stores().ownership(found, image)
    assert (ownership.verdict, ownership.admin_only) == (UNVERIFIED, True)
    assert ownership.reader
    assert stores().ownership(found, image.replace("C:\\", f"{U}\\")).verdict == STRANGER


def test_the_rules_and_the_stores_agree_on_owners() -> None:
    """What a rule of ours lets pass as an owner reads that store by right here too, and its thieves here do not."""
    for name, path in (("chromium_store_read", LOGIN), ("gecko_store_read", f"{FOX}\\logins.json")):
        cases = load_cases(RULES.parent / "cases" / f"{name}.yml")
        for case in cases.match:
            found = stores().match(str(case.fields["ObjectName"]))
            assert found is not None, case.where
            assert stores().ownership(found, str(case.fields["ProcessName"])).verdict == STRANGER, case.where
        own = {"chromium_store_read": "filter_main_chrome", "gecko_store_read": "filter_main_firefox"}[name]
        (document,) = read_documents((RULES / f"{name}.yml").read_text(encoding="utf-8"), name)
        programs = document.data["detection"][own]["ProcessName"]  # type: ignore[index,call-overload] # a rule of ours
        for program in programs:
            image = str(program).replace("\\\\*", "\\130.0.1").replace("_*", "_1")
            assert verdict(path, image) == (UNVERIFIED, True), program


# ── the folder ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_store_says_what_is_lost_and_what_to_do_in_order() -> None:
    for store in stores():
        assert store.lost
        assert all(step.text.endswith(".") for step in store.rotate), store.id
        order = [ROTATE.index(step.what) for step in store.rotate]
        assert order == sorted(order)
        if store.id in ("wallet", "wallet-extension"):
            assert store.rotate[0].what == "seed"
            assert "Changing the password is useless" in store.rotate[0].text
        elif store.id not in ("files", "ftp", "ssh", "remote-admin", "source-tokens", "hardware-wallet"):
            assert store.rotate[0].what == "sessions", f"{store.id}: a stolen session works while passwords are changed"


def test_a_new_seed_is_asked_for_only_where_a_seed_or_key_lies() -> None:
    for store in stores():
        if any(step.what == "seed" for step in store.rotate):
            for product in store.products:
                holds = {word for one in (*product.contents, *store.shared) for word in one.holds}
                assert holds & {"seed", "key"}, (store.id, product.name)


def test_a_program_shows_its_own_stores_and_a_helper_none() -> None:
    def shown(image: str) -> list[str]:
        return [product.name for _, product in stores().of_program(image)]

    assert shown(CHROME_EXE) == ["Chrome"]
    assert shown(CHROME_EXE.replace("Program Files", "Users\\anna\\Program Files")) == []
    for helper in ("C:\\Windows\\System32\\svchost.exe", "C:\\Windows\\System32\\lsass.exe",
                   "C:\\Program Files\\Google\\Chrome\\Application\\130.0.1\\elevation_service.exe",
                   "C:\\Program Files\\Windows Defender\\MsMpEng.exe"):
        assert shown(helper) == [], helper


def test_a_path_that_ends_like_a_store_may_be_a_copy() -> None:
    copy = stores().match("C:\\Users\\anna\\AppData\\Local\\Temp\\x\\User Data\\Default\\Login Data")
    real = stores().match(f"{CHROME}\\Default\\Login Data")
    assert copy is not None
    assert real is not None
    assert (copy.anywhere, real.anywhere) == (True, False)


def test_the_words_are_those_of_rules_and_readme() -> None:
    readme = (loader.FOLDER / "README.md").read_text(encoding="utf-8")
    assert set(stores().families) >= STORES
    assert {store.family for store in stores()} <= set(stores().families)
    for words in (EVIDENCE, HOLDS, ROTATE):
        assert [word for word in words if f"`{word}`" not in readme and f" {word}" not in readme] == []


def test_each_path_costs_little() -> None:
    paths = [path for _, _, path in PATHS] + LOOK_ALIKES
    known = stores()
    started = time.process_time()
    for _ in range(5):
        for path in paths:
            known.match(path)
    assert (time.process_time() - started) / (5 * len(paths)) < 0.000_5
    assert known.match("C:\\Users\\anna\\" + "User Data\\" * 3_000) is None


GOOD = """id: one
title: One
family: chromium
evidence: [F]
lost: [passwords]
rotate:
  - {what: sessions, do: Sign out.}
  - {what: passwords, do: Change them.}
places:
  - {at: ['<profile>\\Login'], holds: [passwords]}
products:
  - name: Thing
    folders: ['%LOCALAPPDATA%\\Thing']
    places: [{at: ['HKCU\\Software\\Thing\\**'], holds: [key], verified: false}]
    owners: [{at: ['%PROGRAMFILES%\\Thing\\thing.exe', '%APPDATA%\\Thing\\thing.exe'], signer: Thing Ltd}]
    sources: [page]
    verified: true
sources:
  - {id: page, text: A page., verified: true}
"""


def load(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, other: str = "") -> loader.Stores:
    (folder / "one.yml").write_text(text, encoding="utf-8")
    if other:
        (folder / "two.yml").write_text(other, encoding="utf-8")
    (folder / "sub_families.yml").write_text("chromium: a browser\next: an extension\n", encoding="utf-8")
    reader = "readers:\n  - {name: AV, kind: protection, at: ['%SYSTEMROOT%\\av.exe']}\n"
    (folder / "readers.yml").write_text(reader, encoding="utf-8")
    monkeypatch.setattr(loader, "FOLDER", folder)
    return loader.stores.__wrapped__()


def test_a_store_is_read_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = load(tmp_path, monkeypatch, GOOD)
    found = known.match(f"{L}\\Thing\\p1\\Login")
    assert found is not None
    assert (found.store.id, found.product, found.profile, found.verified) == ("one", "Thing", "p1", True)
    assert [(owner.at[:6], owner.admin_only, owner.verified) for owner in found.owners] == [
        ("%PROGR", True, False), ("%APPDA", False, False)]
    key = known.match(f"{HKCU}\\Software\\Thing\\x")
    assert key is not None
    assert (key.holds, key.verified, key.user) == (("key",), False, "S-1-5-21-1-2-3-1104")
    assert known.ownership(found, "C:\\Windows\\av.exe").reader == "AV"


EXTENSION = """id: two
title: Two
family: ext
evidence: [F]
lost: [a seed]
rotate: [{what: seed, do: Move.}]
extensions_of: one
places: [{at: ['<profile>\\Ext\\<extension>\\**'], holds: [seed]}]
products: [{name: Purse, extensions: [abcdefghijklmnopabcdefghijklmnop], sources: [page], verified: false}]
sources: [{id: page, text: A page., verified: false}]
"""


def test_extensions_lie_in_every_browser_of_another_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = load(tmp_path, monkeypatch, GOOD, EXTENSION)
    found = known.match(f"{L}\\Thing\\p1\\Ext\\abcdefghijklmnopabcdefghijklmnop\\1")
    assert found is not None
    assert (found.product, found.host, found.profile, len(found.owners)) == ("Purse", "Thing", "p1", 2)


@pytest.mark.parametrize(("old", "new", "says"), [
    ("id: one", "id: other", r"one\.yml:1: id must be the file's name"),
    ("family: chromium", "family: browser", r"one\.yml:3: family must be one of chromium"),
    ("evidence: [F]", "evidence: [Z]", r"one\.yml:4: evidence has 'Z'"),
    ("lost: [passwords]", "lost: []", r"one\.yml:1: lost has no entry"),
    ("holds: [passwords]", "holds: [gold]", r"one\.yml:10: holds has 'gold'"),
    ("what: sessions", "what: tokens", r"one\.yml:8: passwords comes before tokens"),
    ("{what: passwords", "{what: passwort", r"one\.yml:8: what must be one of"),
    ("'%LOCALAPPDATA%\\Thing'", "'%LOCAL%\\Thing'", r"one\.yml:13: '%LOCAL%\\\\Thing' begins with none"),
    ("'%APPDATA%\\Thing\\thing.exe'", "'thing.exe'", r"one\.yml:15: 'thing.exe' begins with none"),
    ("    folders: ['%LOCALAPPDATA%\\Thing']\n    places: [{at: ['HKCU\\Software\\Thing\\**']",
     "    places: [{at: ['Thing']", r"one\.yml:13: at is relative"),
    ("sources: [page]", "sources: [pages]", r"one\.yml:16: sources has 'pages'"),
    ("    verified: true\nsources", "sources", r"one\.yml:12: verified is missing"),
    ("text: A page., verified: true", "text: A page., verified: false", r"one\.yml:12: Thing is verified without a "),
    ("signer: Thing Ltd", "singer: Thing Ltd", r"one\.yml:15: unknown key 'singer'\. Did you mean 'signer'"),
    ("title: One", "title: One\nextensions_of: none", r"one\.yml:3: extensions_of names 'none'"),
])
def test_a_wrong_file_is_named_with_its_line(old: str, new: str, says: str, tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    assert old in GOOD
    with pytest.raises(ContentError, match=says):
        load(tmp_path, monkeypatch, GOOD.replace(old, new, 1))


@pytest.mark.parametrize("change", [
    lambda text: text.replace("abcdefghijklmnopabcdefghijklmnop", "abcz"),
    lambda text: text.replace("Purse, extensions: [abcdefghijklmnopabcdefghijklmnop], ", "P, "),
])
def test_an_extension_needs_its_id(change: Callable[[str], str], tmp_path: Path,
                                   monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ContentError, match=r"two\.yml:\d+: ('abcz' is no id|P has no places)"):
        load(tmp_path, monkeypatch, GOOD, change(EXTENSION))
