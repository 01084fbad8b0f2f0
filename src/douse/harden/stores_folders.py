r"""The folders of a user profile whose reads are worth auditing: those that hold credential stores (content/stores).

    profile_store_folders() -> ("...", r"AppData\Local\Google\Chrome\User Data", ...)    relative to C:\Users\<name>

An audit entry is put on a folder and inherited, never on a single file: programs replace their files, and the entry
would go with the old one. So what a path of a store says beyond its first wildcard is dropped, and a folder below
another one of the list is left out. Folders that hold everybody's work (the desktop, AppData itself) are left out too:
the files of a store that lie in them cannot be told apart by an entry on a folder. The generated script that sets the
entries and the collector that looks for them both use this list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from douse.content.paths import expanded
from douse.content.stores import stores

ROOTS = {"%USERPROFILE%": (), "%LOCALAPPDATA%": ("AppData", "Local"), "%APPDATA%": ("AppData", "Roaming")}
"""Where a profile keeps the folders that a store's path may begin with."""

SHARED = frozenset({
    "", "appdata", "appdata\\local", "appdata\\locallow", "appdata\\roaming", "appdata\\local\\packages",
    "appdata\\local\\microsoft", "appdata\\roaming\\microsoft", "desktop", "documents", "downloads"})
"""Folders that belong to no program, in lower case."""


@cache
def profile_store_folders() -> tuple[str, ...]:
    """Every such folder, relative to the profile, without wildcard, sorted; none lies below another."""
    found: dict[str, str] = {}
    for folder in _folders():
        if folder.lower() not in SHARED:
            found.setdefault(folder.lower(), folder)
    return tuple(found[key] for key in sorted(found) if not _is_below_any(key, found))


def _folders() -> Iterator[str]:
    """The fixed part of each product's folders, and that of the folder of each of its files."""
    for store in stores():
        for product in store.products:
            yield from _fixed(product.folders)
        for contents in store.contents:
            yield from _fixed(at.rpartition("\\")[0] for pattern in contents.at for at in expanded(pattern))


def _fixed(patterns: Iterable[str]) -> Iterator[str]:
    for pattern in patterns:
        for one in expanded(pattern):
            root, *names = one.split("\\")
            start = ROOTS.get(root.upper())
            if start is not None:
                kept = next((at for at, name in enumerate(names) if "*" in name or "<" in name), len(names))
                yield "\\".join((*start, *names[:kept]))


def _is_below_any(folder: str, folders: Iterable[str]) -> bool:
    return any(folder.startswith(other + "\\") for other in folders)
