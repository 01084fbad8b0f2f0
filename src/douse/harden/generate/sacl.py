r"""The audit entries that make reads of credential stores visible (event 4663), as a start-up script with its undo.

A policy file cannot name a folder of *each* user profile, so a script goes through the profiles: one inheritable entry
(Everyone by SID, successful reads of data) for each folder of stores_folders.py that is there. The folders and the SID
are its data; its code is constant, like that of all scripts (script.py). It was never run on Windows.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from douse.content.settings import SaclSetting
from douse.harden.generate.policy import BundleFile, Policy
from douse.harden.generate.script import assembled, script_data
from douse.harden.stores_folders import profile_store_folders

EVERYONE = "S-1-1-0"
ABOUT = {
    "set-sacl.ps1": "Start-up script: audits reads of credential stores in every user profile; only says what it would "
                    "do, until it is run with -Execute. Needs the audit subcategory File System.",
    "undo-sacl.ps1": "Removes exactly the audit entries that set-sacl.ps1 added.",
}


def sacl_scripts(policy: Policy, folder: PurePosixPath) -> Iterator[BundleFile]:
    """The two scripts in a folder of the bundle, where a control asks for audit entries."""
    if not policy.of(SaclSetting):
        return
    data = script_data({"format": "douse-sacl-1", "version": policy.version, "sid": EVERYONE,
                        "folders": list(profile_store_folders())})
    for name, about in ABOUT.items():
        yield BundleFile(folder / name, assembled(name, data), about)
