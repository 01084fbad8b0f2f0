"""What was taken, for whom, and what to change: an incident's stores and rotation in the order of reading.

Rows come in, the same rows in groups go out, with our words for their states. A store whose reads nobody logged is
never told as safe: "presumed" counts as stolen, "unknown" stays open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from douse.content.store_table import HOLDS, ROTATE
from douse.model import STORE_STATES
from douse.report.schema import IncidentRow, RotationRow, StoreRow

STATE_WORDS = {
    "observed": "access seen",
    "presumed": "counts as stolen",
    "unknown": "not known",
    "untouched": "no access seen",
}
STATE_MEANS = {
    "observed": "A program that does not own it opened it.",
    "presumed": "It is there, its reads are not logged, and everything else speaks of a theft.",
    "unknown": "It is there, and its reads are not logged: nobody can say.",
    "untouched": "Its reads are logged, and only its own programs read it.",
}
BASIS_WORDS = {**STATE_WORDS, "named": "named in a record"}

HOLDS_WORDS = {
    "passwords": "passwords", "sessions": "signed-in sessions", "tokens": "access tokens", "seed": "wallet seeds",
    "key": "keys", "codes": "one-time codes", "cards": "payment cards", "autofill": "form entries",
    "history": "browsing history", "mail": "mail", "settings": "settings", "documents": "documents",
}
CHANGE_WORDS = {
    "seed": "Wallets", "sessions": "Sessions", "passwords": "Passwords", "tokens": "Access tokens", "keys": "Keys",
    "codes": "One-time codes", "cards": "Payment cards", "review": "To look through",
}


@dataclass(frozen=True, slots=True)
class UserStores:
    """The stores of one user, worst state first, with how many are in each state that occurs."""

    user: str
    stores: tuple[StoreRow, ...]
    states: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to do, in its words, and for what: a row for each group of products that it concerns."""

    text: str
    rows: tuple[RotationRow, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of thing to change (a word of content/store_table.ROTATE) and what to do about it, in order."""

    what: str
    title: str
    items: tuple[Item, ...]


def by_user(incident: IncidentRow) -> tuple[UserStores, ...]:
    """The stores of each user: who lost most comes first."""
    users: dict[str, list[StoreRow]] = {}
    for row in incident["stores"]:
        users.setdefault(row["user"], []).append(row)
    found = [_of_user(user, rows) for user, rows in users.items()]
    return tuple(sorted(found, key=lambda one: [(_rank(state), -number) for state, number in one.states]))


def changes(incident: IncidentRow) -> tuple[Change, ...]:
    """What to change, in the order of doing; rows of one kind stand together, and the same words are said once."""
    kinds: dict[str, list[RotationRow]] = {}
    for row in incident["rotation"]:
        kinds.setdefault(row["what"], []).append(row)
    order = sorted(kinds, key=lambda what: ROTATE.index(what) if what in ROTATE else len(ROTATE))
    return tuple(Change(what, CHANGE_WORDS.get(what, what), _items(kinds[what])) for what in order)


def _items(rows: Iterable[RotationRow]) -> tuple[Item, ...]:
    texts: dict[str, list[RotationRow]] = {}
    for row in rows:
        texts.setdefault(row["text"], []).append(row)
    return tuple(Item(text, tuple(same)) for text, same in texts.items())


def in_state(stores: Iterable[StoreRow], state: str) -> list[StoreRow]:
    """The stores in a state, in their order."""
    return [row for row in stores if row["state"] == state]


def products(stores: Iterable[StoreRow]) -> list[str]:
    """The names of the products, each once."""
    return list(dict.fromkeys(row["product"] or row["store"] for row in stores))


def holds(words: Iterable[str]) -> list[str]:
    """What stores hold, each thing once, the most valuable first and in plain words."""
    found = set(words)
    known = [HOLDS_WORDS[word] for word in HOLDS if word in found]
    return known + sorted(found - set(HOLDS))


def _of_user(user: str, rows: Sequence[StoreRow]) -> UserStores:
    ordered = sorted(rows, key=lambda row: _rank(row["state"]))
    counts = [(state, len(in_state(rows, state))) for state in STORE_STATES]
    return UserStores(user, tuple(ordered), tuple((state, number) for state, number in counts if number))


def _rank(state: str) -> int:
    """0 for the worst state; a word that is none of ours is taken as not known."""
    return STORE_STATES.index(state if state in STORE_STATES else "unknown")
