"""Whose store is it: a profile's folder, a SID or an account in, the name by which an incident calls that person out.

Paths name the folder (`C:\\Users\\anna`), registry keys the SID, programs the account; one person's stores must not be
counted three times, nor two people's once. A folder is that of the account with this name, or with this name and domain
(`anna.CORP`); where two accounts fit, it stays a folder. Which people an incident can have robbed is decided here too.
"""

from __future__ import annotations

from collections import defaultdict

from douse.incident.case import Case
from douse.incident.people import is_sid, is_system

_ELEVATED = frozenset({"high", "system", "s-1-16-12288", "s-1-16-16384"})
"""Integrity as Sysmon and as 4688 write it: such a program reads every profile of the computer."""


class Whose:
    """The people of a host, as one incident knows them."""

    def __init__(self, case: Case) -> None:
        self._people = case.links.people
        self._own = frozenset(case.users)
        self._nameless = any(is_sid(user) for user in case.users)
        self._everybody = not case.users or _is_elevated(case)
        self._by_folder: defaultdict[str, set[str]] = defaultdict(set)
        named = {self._people.display(self._people.key(sid, name)) for sid, name in case.facts.accounts}
        for name in {*named, *case.users} - {""}:
            domain, _, account = name.rpartition("\\")
            self._by_folder[account.lower()].add(name)
            self._by_folder[f"{account}.{domain}".lower()].add(name)
        self._known: dict[str, str] = {}

    def name(self, user: str) -> str:
        """The person's name, the text itself where nobody is known by it."""
        if user not in self._known:
            self._known[user] = self._resolved(user)
        return self._known[user]

    def is_concerned(self, user: str) -> bool:
        """Whether the incident's programs can read what belongs to this person (a name of `name`)."""
        if self._everybody or user in self._own or not user:
            return True
        return self._nameless and "\\" not in user and not is_sid(user)

    def _resolved(self, user: str) -> str:
        if is_sid(user):
            return self._people.display(self._people.key(user.upper(), ""))
        if "\\" in user:
            return self._people.display(self._people.key("", user)) or user
        fits = self._by_folder.get(user.lower(), set())
        return next(iter(fits)) if len(fits) == 1 else user


def _is_elevated(case: Case) -> bool:
    """Whether one of the incident's programs ran with an administrator's rights, or as Windows."""
    for mark in case.marks:
        if mark.placed is None or mark.process is None or mark.letter not in "XIC":
            continue
        process = case.links.table[mark.process]
        if case.links.cuts(mark.process, mark.time):
            continue
        if is_system(process.user_sid, process.user_name):
            return True
        if {mark.placed.get("IntegrityLevel").lower(), mark.placed.get("MandatoryLabel").lower()} & _ELEVATED:
            return True
    return False
