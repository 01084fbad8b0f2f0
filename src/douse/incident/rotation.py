"""What to change after a theft: a case and its stores in, one line for each thing to do out, in the order of doing.

Sessions first, because a stolen one works while passwords are being changed; then seeds, because money cannot be called
back; then the rest (content/store_table.ROTATE). The texts are the stores' own (content/stores): an authenticator in
a browser is not told to move funds. One line is for the products and people for whom it holds, each of them. What was
seen to be taken and what is only assumed are lines of their own; entries that a record names stand by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from douse.content.store_table import ROTATE, RotateStep
from douse.content.stores import stores
from douse.incident.accessed import VAULT, kinds_of
from douse.incident.case import Case
from douse.incident.impact import OBSERVED, PRESUMED, UNKNOWN, is_theft
from douse.incident.vault import NamedEntry, named_entries
from douse.incident.whose import Whose
from douse.model import Rotation, StoreImpact, level_rank

NAMED = "named"
_BASES = (NAMED, OBSERVED, PRESUMED, UNKNOWN)

_KINDS: Mapping[str, frozenset[str]] = {
    "seed": frozenset({"seed", "key"}), "sessions": frozenset({"sessions", "tokens"}),
    "passwords": frozenset({"passwords"}), "tokens": frozenset({"tokens"}), "keys": frozenset({"key"}),
    "codes": frozenset({"codes"}), "cards": frozenset({"cards"}),
}
"""What a store must hold that a step of this kind is about."""

_ALWAYS = frozenset({"sessions", "passwords", "review"})  # a thief with one of a store's secrets makes himself the next

OWN_ENTRIES = "Change the passwords of these entries, which a program of this incident had Windows hand out."
NEAR_ENTRIES = ("Change the passwords of these entries, which Windows handed out near this incident to a program that "
                "the log does not know.")
FIND_OUT = "Find out what was read, from the evidence, and change what it holds."


@dataclass(slots=True)
class _Line:
    """One thing to do, with the products of each person and the alerts behind it."""

    what: str
    text: str
    basis: str
    products: dict[str, dict[str, None]] = field(default_factory=dict)
    alert_ids: dict[str, dict[str, None]] = field(default_factory=dict)


def rotation_of(case: Case, impacts: tuple[StoreImpact, ...]) -> tuple[Rotation, ...]:
    """What to change, in the order of doing; nothing for stores of which nothing is known or that nobody touched, and
    nothing for an incident that is only informational: a backup agent reads stores too."""
    if level_rank(case.level) < level_rank("low"):
        return ()
    lines: dict[tuple[str, str, str], _Line] = {}
    for store in impacts:
        if store.state in (OBSERVED, PRESUMED):
            for step, basis in _steps(store, is_theft(case)):
                _add(lines.setdefault((step.what, step.text, basis), _Line(step.what, step.text, basis)), store)
    told = [rotation for line in lines.values() for rotation in _by_people(line)]
    suspected = is_theft(case) or any(store.family == VAULT and store.alert_ids for store in impacts)
    told += _named(named_entries(case, Whose(case), suspected))
    return tuple(sorted(told, key=lambda one: (ROTATE.index(one.what), _BASES.index(one.basis))))


def _steps(store: StoreImpact, theft: bool) -> Iterator[tuple[RotateStep, str]]:
    """The store's own steps that concern what it holds, each with how sure the loss is."""
    own = next((one.rotate for one in stores() if one.id == store.store), None)
    kinds = kinds_of(store.store, store.product)
    for step in own if own is not None else (RotateStep("review", FIND_OUT),):
        basis = _basis(step.what, store, kinds, theft)
        if basis:
            yield step, basis


def _basis(what: str, store: StoreImpact, kinds: Sequence[str], theft: bool) -> str:
    """How sure it is that this must be changed; empty where it need not be.

    In a store that was accessed, what lies beside the files that were seen counts as stolen or is unknown, as any other
    store; it need not be changed where reads of it are logged and there was none.
    """
    about = _KINDS.get(what, frozenset()).intersection(kinds)
    if store.state != OBSERVED or "documents" in kinds or not about or about.intersection(store.holds):
        return store.state
    if about.intersection(store.unseen):
        return PRESUMED if theft else UNKNOWN
    return OBSERVED if what in _ALWAYS else ""


def _add(line: _Line, store: StoreImpact) -> None:
    line.products.setdefault(store.user, {})[store.product] = None
    line.alert_ids.setdefault(store.user, {}).update(dict.fromkeys(store.alert_ids))


def _by_people(line: _Line) -> Iterator[Rotation]:
    """One line for all people with the same products, so that it is true of each of them."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for user, products in line.products.items():
        alike.setdefault(tuple(products), []).append(user)
    for shared, users in alike.items():
        ids = dict.fromkeys(alert_id for user in users for alert_id in line.alert_ids[user])
        yield Rotation(line.what, line.text, shared, tuple(filter(None, users)), line.basis, (), tuple(ids))


def _named(entries: Iterable[NamedEntry]) -> list[Rotation]:
    """The entries of each person by name."""
    vault = next(one for one in stores() if one.family == VAULT)
    of: dict[tuple[str, bool], dict[str, None]] = {}
    for entry in entries:
        of.setdefault((entry.user, entry.own), {})[entry.name] = None
    return [Rotation("passwords", OWN_ENTRIES if own else NEAR_ENTRIES, (vault.products[0].name,),
                     (user,) if user else (), NAMED, tuple(names), ()) for (user, own), names in of.items()]
