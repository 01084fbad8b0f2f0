"""What was taken: a judged case in, the state of every credential store of the people concerned out, worst first.

    observed    a record shows that somebody else than the owner accessed it
    presumed    it is there, its reads are not logged, and the incident is a theft (S5 to S8): it counts as stolen
    unknown     it is there, its reads are not logged, and nothing says that anything was stolen
    untouched   its reads are logged and there was none: only this clears a store

What is there is known from records (stores_seen.py); of a store that no record shows nothing is said. All is told for
each person: the stores of others count only where a program of the incident can read them (whose.py). What to change
therefore: rotation.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache

from douse.content.store_table import ROTATE
from douse.content.stores import stores
from douse.incident.accessed import VAULT, VAULT_ENTRIES, Access, accesses, in_order, kinds_of, log_name
from douse.incident.case import Case
from douse.incident.stores_seen import PROGRAM_DID, StoreSeen
from douse.incident.vault import NamedEntry, named_entries
from douse.incident.whose import Whose
from douse.model import STORE_STATES, StoreImpact, level_rank

OBSERVED, PRESUMED, UNKNOWN, UNTOUCHED = STORE_STATES

THEFTS = frozenset({"S5", "S6", "S7", "S8"})
"""The sequences that are a theft, whether or not a log shows the reads."""

NOT_KEPT = "further stores, more than are kept of one host"
SECRETS = frozenset({"passwords", "sessions", "tokens", "seed", "key", "codes", "cards", "mail", "documents"})
"""What a thief is after. That reads of bookmarks are logged clears no store."""

_MOST_PROGRAMS = 3
_Key = tuple[str, str, str, str]


def is_theft(case: Case) -> bool:
    """Whether unlogged reads are to be assumed."""
    return bool(THEFTS & case.sequences)


def stores_of(case: Case) -> tuple[StoreImpact, ...]:
    """The stores of the people concerned, worst first, in each state what is most urgent to change first. Empty for
    weak signs without any access."""
    whose, theft = Whose(case), is_theft(case)
    shown = [access for mark in case.marks for access in accesses(mark, case.links)]
    shown += [_of_entry(entry) for entry in named_entries(case, whose, suspected=False)]
    if not shown and not theft and level_rank(case.level) < level_rank("medium"):
        return ()
    there = _there(case.facts.stores, whose)
    accessed = _accessed(shown, there, whose, theft)
    victims = {store.user for store in accessed.values()}
    others = [_not_seen(seen, theft) for key, seen in there.items()
              if key not in accessed and (whose.is_concerned(seen.user) or seen.user in victims)]
    if case.facts.stores_trimmed:
        others.append(_beyond(theft))
    return tuple(sorted((*accessed.values(), *others), key=_urgency))


# ── what is there ─────────────────────────────────────────────────────────────────────────────────────────────────


def _there(seen: Iterable[StoreSeen], whose: Whose) -> dict[_Key, StoreSeen]:
    """The stores under their people's names: a folder, a SID and an account may be one person."""
    found: dict[_Key, StoreSeen] = {}
    for one in seen:
        named = replace(one, user=whose.name(one.user))
        key = (named.user, _family(one.store), one.store, one.product)
        found[key] = found[key].with_(named) if key in found else named
    return found


@cache
def _family(store: str) -> str:
    return next((one.family for one in stores() if one.id == store), "")


def _not_seen(seen: StoreSeen, theft: bool) -> StoreImpact:
    """A store that nobody was seen to access."""
    kinds = kinds_of(seen.store, seen.product)
    cleared = bool(SECRETS.intersection(seen.audited))
    state = UNTOUCHED if cleared else PRESUMED if theft else UNKNOWN
    holds = in_order(seen.audited) if cleared else kinds
    unseen = tuple(kind for kind in kinds if kind not in holds)
    return StoreImpact(seen.store, _family(seen.store), seen.product, state, seen.user, holds, unseen, "", None, None,
                       (), _evidence(seen), seen.verified)


def _evidence(seen: StoreSeen) -> str:
    who = seen.program or "a program"
    how = f"{who} {seen.how}" if seen.how in PROGRAM_DID else f"{seen.how} {who}"
    return f"{log_name(seen.channel)} record {seen.record_id}: {how}"


def _beyond(theft: bool) -> StoreImpact:
    return StoreImpact("", "", NOT_KEPT, PRESUMED if theft else UNKNOWN, "", (), (), "", None, None, (),
                       "the host has more credential stores or vault entries than are kept", True)


# ── what was accessed ─────────────────────────────────────────────────────────────────────────────────────────────


def _of_entry(entry: NamedEntry) -> Access:
    vault = next(one for one in stores() if one.family == VAULT)
    return Access(vault.id, VAULT, vault.products[0].name, entry.user, VAULT_ENTRIES, True, True, entry.read.time,
                  entry.process, (), entry.read.channel, entry.read.record_id, "an entry handed out")


def _accessed(shown: Sequence[Access], there: dict[_Key, StoreSeen], whose: Whose,
              theft: bool) -> dict[_Key, StoreImpact]:
    by_store: dict[_Key, list[Access]] = {}
    for access in shown:
        key = (whose.name(access.user), access.family, access.store, access.product)
        by_store.setdefault(key, []).append(access)
    return {key: _impact(key, several, there.get(key), theft) for key, several in by_store.items()}


def _impact(key: _Key, several: Sequence[Access], seen: StoreSeen | None, theft: bool) -> StoreImpact:
    """One store from all that shows an access to it; a rule that only guesses shows no more than a possibility."""
    user, family, store, product = key
    told = sorted(several, key=lambda one: (one.time, one.alert_ids, one.record_id))
    sure = [one for one in told if one.sure] or told
    state = OBSERVED if sure[0].sure else PRESUMED if theft else UNKNOWN
    kinds = kinds_of(store, product)
    holds = in_order(kind for one in sure for kind in one.holds)
    audited = seen.audited if seen is not None and state == OBSERVED else ()
    unseen = tuple(kind for kind in kinds if kind not in holds and kind not in audited)
    programs = list(dict.fromkeys(one.process for one in sure if one.process))
    first = sure[0]
    return StoreImpact(
        store, family, product, state, user, holds, unseen, ", ".join(programs[:_MOST_PROGRAMS]), first.time,
        sure[-1].time, tuple(dict.fromkeys(alert_id for one in told for alert_id in one.alert_ids)),
        f"{log_name(first.channel)} record {first.record_id}: {first.what}"[:400], any(one.verified for one in sure))


def _urgency(store: StoreImpact) -> tuple[object, ...]:
    """Worst first; among equals what cannot be called back, then what is to be changed first."""
    steps = next((one.rotate for one in stores() if one.id == store.store), ())
    first = ROTATE.index(steps[0].what) if steps else len(ROTATE)
    is_final = any(step.what == "seed" for step in steps)
    return (STORE_STATES.index(store.state), not is_final, first, store.user, store.store, store.product,
            store.family)
