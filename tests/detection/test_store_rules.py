"""Our rules on reads of credential stores, held against the table of stores: what it lists is seen, its owners are not.

Of each place in content/stores one path is written as a 4663 record has it. A program from Temp must fire a rule of
that store's sub-family and of no other, because two sub-families by one process are a sequence; the owners of the
place, and the programs that read everything, must fire none. A product added to the table needs its line in a rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

import pytest

from douse.content.cases import HOST, TIME, Case
from douse.content.paths import expanded
from douse.content.store_table import Contents, Store
from douse.content.stores import stores
from douse.detection.ruleset import RuleSet, load_rules

STRANGER = r"C:\Users\anna\AppData\Local\Temp\setup_x64.exe"
ROOTS = {
    "%USERPROFILE%": r"C:\Users\anna",
    "%LOCALAPPDATA%": r"C:\Users\anna\AppData\Local",
    "%APPDATA%": r"C:\Users\anna\AppData\Roaming",
    "%PROGRAMDATA%": r"C:\ProgramData",
    "%PROGRAMFILES%": r"C:\Program Files",
    "%SYSTEMROOT%": r"C:\Windows",
    "HKCU": r"\REGISTRY\USER\S-1-5-21-1004336348-1177238915-682003330-1131",
    "HKLM": r"\REGISTRY\MACHINE",
    "**": r"D:\Data",
}
NO_SECRET = frozenset({"settings", "history", "documents"})
"""A place that holds nothing else may be read by anybody."""

LEFT_OUT = {
    "files": "everybody opens such files: the rule asks who reads, and does not take every name of the table",
}
"""Stores whose rule cannot be held to the table, and why."""

TOO_COMMON = (
    r"\Local Storage\leveldb",  # of every site and Electron program; Telegram, Discord and wallets are listed by name
    r"\Session Storage",
    r"\storage\default",
    r"\sessionstore",
    r"\autofill-profiles.json",
)
"""Places in a browser's profile that no rule looks for: what they hold is no saved secret, or not known to be taken."""

SIBLINGS = re.compile(r"-(?:journal|wal|shm)$")
"""What SQLite keeps beside a file; whoever steals opens the file itself first."""

SERVICES = re.compile(r"\\(?:elevation_service|setup|updater|MicrosoftEdgeUpdate)\.exe$")
"""Parts of a browser that have no business with its extensions, although the browser's files are theirs."""

FAMILIES = {"wallet-extension": "wallet"}
"""The sub-family of the rule where it is not the store's: a wallet in a browser is counted as a wallet."""


@cache
def rules() -> RuleSet:
    return load_rules([])


def seen(path: str, program: str) -> set[str]:
    """The sub-families of which a rule of ours says that the program read one."""
    is_key = path.startswith("\\REGISTRY\\")
    fields = {"ObjectType": "Key" if is_key else "File", "ObjectName": path, "ProcessName": program,
              "AccessList": "%%4432" if is_key else "%%4416"}
    case = Case("", "", "Security", 4663, HOST, "", TIME, fields)
    return {alert.store for alert in rules().match(case.event()) if alert.evidence_class == "C"}


def written(pattern: str, extension: str = "") -> Iterator[str]:
    """A path for each that a pattern of the table stands for."""
    for one in expanded(pattern):
        root, *names = one.split("\\")
        path = "\\".join([ROOTS[root], *("a\\b" if name == "**" else name for name in names)])
        path = path.replace("<profile>", "Default").replace("<extension>", extension)
        yield re.sub(r"\*", "x1", path)


def places(store: Store) -> Iterator[tuple[Contents, str]]:
    for contents in store.contents:
        shared = contents in store.shared
        for extension in {id_ for product in store.products for id_ in product.extensions} if shared else {""}:
            for pattern in contents.at:
                yield from ((contents, path) for path in written(pattern, extension))


def secrets(store: Store) -> list[tuple[Contents, str]]:
    return [(contents, path) for contents, path in places(store)
            if not NO_SECRET.issuperset(contents.holds) and not SIBLINGS.search(path)
            and not any(part in path for part in TOO_COMMON)]


def readers(contents: Contents, path: str) -> Sequence[str]:
    """One path for each program that may read there; of those that read everything, which no user can replace."""
    everywhere = [] if path.startswith("\\REGISTRY\\") else [reader.owner for reader in stores().readers]
    owners = (*contents.owners, *(owner for owner in everywhere if owner.admin_only))
    programs = dict.fromkeys(program for owner in owners for program in written(owner.at))
    return [program for program in programs if not (contents.host and SERVICES.search(program))]


HELD = [pytest.param(store, id=store.id) for store in stores() if store.id not in LEFT_OUT]


@pytest.mark.parametrize("store", HELD)
def test_a_stranger_is_seen_in_every_place_and_as_one_sub_family(store: Store) -> None:
    wanted = {FAMILIES.get(store.id, store.family)}
    wrong = {path: found for _, path in secrets(store) if (found := seen(path, STRANGER)) != wanted}
    assert not wrong


@pytest.mark.parametrize("store", HELD)
def test_owners_are_not_seen(store: Store) -> None:
    wrong = {(path, program) for contents, path in secrets(store) for program in readers(contents, path)
             if seen(path, program)}
    assert not wrong


def test_what_is_left_out_is_in_the_table() -> None:
    known = {store.id for store in stores()}
    assert known >= {*LEFT_OUT, *FAMILIES}
    everything = [path for store in stores() for _, path in places(store)]
    assert all(any(part in path for path in everything) for part in TOO_COMMON)
