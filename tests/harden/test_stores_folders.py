"""The folders whose reads are audited: those of the credential stores, and of nothing that everybody works in."""

from __future__ import annotations

import re

from douse.content.paths import expanded
from douse.content.stores import stores
from douse.harden.stores_folders import SHARED, profile_store_folders

PROFILE = r"C:\Users\anna"


def test_the_stores_that_stealers_take_first_are_covered() -> None:
    folders = profile_store_folders()
    for path in (r"AppData\Local\Google\Chrome\User Data\Default\Login Data", r".ssh\id_ed25519",
                 r"AppData\Local\Microsoft\Edge\User Data\Default\Network\Cookies",
                 r"AppData\Roaming\Mozilla\Firefox\Profiles\a.default\logins.json",
                 r"AppData\Roaming\Exodus\exodus.wallet\seed.seco", r"AppData\Roaming\Microsoft\Credentials\A"):
        assert any(path.startswith(folder + "\\") for folder in folders), path
        assert stores().match(f"{PROFILE}\\{path}") is not None, path


def test_they_are_plain_folders_below_a_profile() -> None:
    for folder in profile_store_folders():
        assert not set(folder) & set('*<>{}"?|/:')
        assert folder == folder.strip("\\ ")
        assert ".." not in folder.split("\\")
        assert folder.lower() not in SHARED


def test_none_lies_below_another_and_the_order_is_fixed() -> None:
    folders = [folder.lower() for folder in profile_store_folders()]
    assert folders == sorted(set(folders))
    assert [(one, other) for one in folders for other in folders if one.startswith(other + "\\")] == []


def test_each_lies_where_a_store_is() -> None:
    """A folder that the table of stores knows nothing of would be audited for nothing."""
    patterns = {at for store in stores() for contents in store.contents for at in contents.at}
    patterns |= {folder for store in stores() for product in store.products for folder in product.folders}
    known = {one.lower().partition("\\")[2] for at in patterns for one in expanded(at)}
    for folder in profile_store_folders():
        rest = re.sub(r"^appdata\\(local|roaming)\\", "", folder.lower())
        assert any(path == rest or path.startswith(rest + "\\") for path in known), folder
    assert len(profile_store_folders()) > 100
