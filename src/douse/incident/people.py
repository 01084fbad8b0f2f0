"""Accounts: is it a person or Windows itself, and are a SID and a name one and the same? Of records: entities.py."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_LONGEST_SID = 200  # fifteen numbers of ten digits; what is longer need not be remembered
_SYSTEM_SIDS = frozenset({"S-1-5-18", "S-1-5-19", "S-1-5-20"})
_SYSTEM_DOMAINS = ("nt authority\\", "nt-autorität\\", "autorite nt\\", "nt service\\", "window manager\\",
                   "font driver host\\")
_SID = re.compile(r"S-1-\d+(?:-\d+)+", re.IGNORECASE)


def is_sid(key: str) -> bool:
    """Whether a person's key is a SID; a name and a SID that nothing connects cannot be compared."""
    return len(key) <= _LONGEST_SID and _is_sid(key)


@lru_cache(maxsize=10_000)
def _is_sid(key: str) -> bool:
    return _SID.fullmatch(key) is not None


def is_system(sid: str, name: str) -> bool:
    """Whether the account is Windows itself: such alerts are never joined because of their user."""
    lowered = name.lower()
    return sid in _SYSTEM_SIDS or lowered.endswith("$") or lowered.startswith(_SYSTEM_DOMAINS)


class People:
    """Which SID and which account name are the same person; Sysmon writes names, Security writes both.

    Learned from records that carry both. Two names for one SID, or two SIDs for one name, keep the first in sort order,
    so that the order of the records does not matter.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._sid_of: dict[str, str] = {}
        self._name_of: dict[str, str] = {}
        for sid, name in sorted({(s, n) for s, n in pairs if n and not is_system(s, n)}):
            self._name_of.setdefault(name.lower(), name)
            if sid:
                self._sid_of.setdefault(name.lower(), sid)
                self._name_of.setdefault(sid, name)

    def key(self, sid: str, name: str) -> str:
        """One word per person, equal for equal people; "" for nobody and for Windows' own accounts."""
        if is_system(sid, name) or not (sid or name):
            return ""
        return sid or self._sid_of.get(name.lower(), name.lower())

    def may_be_one(self, key: str, other: str) -> bool:
        """Whether two keys may be the same person: equal, or nobody, or a name and a SID that no record ties to any."""
        if not key or not other or key == other:
            return True
        return is_sid(key) != is_sid(other) and not any(is_sid(k) and k in self._name_of for k in (key, other))

    def display(self, key: str) -> str:
        """The account as an analyst knows it: its name as the log spells it, else the SID."""
        return self._name_of.get(key, key)
