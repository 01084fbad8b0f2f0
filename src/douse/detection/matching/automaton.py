"""All searches of one field, asked at once of a text: which of them are true.

Every literal of every search is in one Aho-Corasick automaton, run over the folded text between two sentinels; what a
literal is and what its hit means is decided in search.py. A text that holds a sentinel itself is an attack on this
trick: its hits are then compared once more. The answer is kept for each distinct text, because logs repeat themselves
(Memory bounds that). The counterpart, matcher.py, makes rules of it; reference.py is what both must agree with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from sys import getsizeof
from typing import Final, TypeVar

from ahocorasick_rs import AhoCorasick, MatchKind

from douse.detection.language.documents import Mistake
from douse.detection.language.patterns import Test, number
from douse.detection.language.recipes import Like, Recipe, test_of
from douse.detection.language.texts import each
from douse.detection.matching.plan import Search, UnsoundPlan
from douse.detection.matching.search import END, START, stands
from douse.detection.view import as_texts
from douse.model import Event, Value

WINDOW: Final = 1 << 16
"""Characters searched at once: a literal of one character in a script of a megabyte would else be listed a million
times in memory."""

LONGEST_KEPT: Final = 2_048
Fired = frozenset[int]
"""The numbers of the searches that are true."""

_QUICK: Final = MatchKind.LeftmostFirst
"""Twice as fast where only whether counts: the library then looks for a few characters at once first."""

NOTHING: Final[Fired] = frozenset()
_BETWEEN: Final = END + START
_NUMBERS_START: Final = frozenset("-0123456789")
_K = TypeVar("_K")
_V = TypeVar("_V")


class Memory:
    """Bounds everything that is remembered about a log: at `limit` bytes, estimated, all of it is forgotten at once.

    Forgetting costs a little time and no result. 48 MiB hold about 200,000 distinct values.
    """

    LIMIT = 48 << 20
    ENTRY = 100  # a dict's slot

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit, self.used = limit, 0
        self._kept: list[Callable[[], None]] = []

    def watch(self, clear: Callable[[], None]) -> None:
        """Call this when the limit is reached."""
        self._kept.append(clear)

    def add(self, size: int) -> None:
        """Count something that will be remembered; forget what was, if that is too much."""
        self.used += self.ENTRY + size
        if self.used > self.limit:
            for clear in self._kept:
                clear()
            self.used = self.ENTRY + size


class _Check:
    """A search's test, made when a text is first asked. `folded`: it wants the folded text, else the text as it is."""

    __slots__ = ("_recipe", "_test", "folded", "index")

    def __init__(self, index: int, recipe: Recipe) -> None:
        self.index, self._recipe = index, recipe
        self.folded = isinstance(recipe, Like) and recipe.folded
        self._test: Test | None = None

    def passes(self, text: str) -> bool:
        """Whether the text passes. Raises UnsoundPlan where the test cannot be made."""
        if self._test is None:
            try:
                self._test = test_of(self._recipe)
            except Mistake as mistake:
                raise UnsoundPlan(str(mistake)) from None
        return self._test(text)


class Table:
    """The searches of one field, each with its number. `null` are those true of an absent field."""

    def __init__(self, searches: Iterable[tuple[int, Search]], memory: Memory) -> None:
        self.null: Fired = NOTHING
        self._memory = memory
        self._always: set[int] = set()
        self._numbers: dict[int | float, Sequence[int]] = {}
        self._proofs: dict[str, Sequence[int]] = {}
        self._hints: dict[str, Sequence[_Check]] = {}
        self._asked: list[_Check] = []
        for numbered in searches:
            self._add(*numbered)
        literals = list(self._proofs | self._hints)
        self._longest = max(map(len, literals), default=0)
        self._find = AhoCorasick(literals, store_patterns=True).find_matches_as_strings if literals else None
        self._may_be_read: Callable[[str], bool] | None = None
        self.known: dict[str, Fired] = {}
        self._same: dict[Fired, Fired] = {}
        memory.watch(self.known.clear)
        memory.watch(self._same.clear)

    def _add(self, index: int, search: Search) -> None:
        only = (index,)
        _add_to(self._proofs, search.proofs, only)
        _add_to(self._numbers, search.numbers, only)
        for asked in search.asked:
            check = _Check(index, asked.recipe)
            _add_to(self._hints, asked.needs, (check,))
            if not asked.needs:
                self._asked.append(check)
        if search.null:
            self.null |= {index}
        if search.always:
            self._always.add(index)

    def of(self, value: Value) -> Fired:
        """The searches that are true of a field's value; of a list, those true of any of its texts."""
        texts = as_texts(value)
        if texts is None:
            return self.null
        return self.of_text(texts) if isinstance(texts, str) else self._of_any(texts)

    def of_text(self, text: str) -> Fired:
        """The same, of one text; remembered."""
        fired = self.known.get(text)
        if fired is None:
            fired = self._one_of(self._search(text))
            if len(text) <= LONGEST_KEPT:
                self._memory.add(getsizeof(text))
                self.known[text] = fired
        return fired

    def of_record(self, event: Event) -> Fired:
        """The same, of all texts of a record, for keywords. Nearly no record holds one, so they are searched as one:
        in the JSON that was read, for what a literal reads like there, or else in the texts, joined."""
        if not self._asked and not self._always and not self._numbers:
            as_read = event.text_as_read
            if as_read:
                if self._may_be_read is None:
                    self._may_be_read = _finder_in_json(self._proofs.keys() | self._hints.keys())
                if not self._may_be_read(as_read):
                    return NOTHING
            elif not self._hits(_BETWEEN.join(_plain(value) for value in event.fields.values()).casefold())[0]:
                return NOTHING
        return self._of_any([text for value in event.fields.values() for text in each(as_texts(value))])

    def _of_any(self, texts: Iterable[str]) -> Fired:
        return self._one_of(NOTHING.union(*map(self.of_text, texts)))

    def _one_of(self, fired: Fired) -> Fired:
        """The same object for equal sets: one in memory, and quick to compare in a matcher's keys."""
        same = self._same.get(fired)
        if same is None:
            self._memory.add(64 * len(fired))
            same = self._same[fired] = fired
        return same

    def _search(self, text: str) -> Fired:
        folded = text.casefold()
        fired = set(self._always)
        if folded[:1] in _NUMBERS_START and self._numbers:
            fired.update(self._numbers.get(number(folded), ()))  # type: ignore[arg-type]  # None is no key of it
        hits, doubtful = self._hits(folded)
        checks = self._asked.copy()
        for literal in hits:
            if literal in self._hints:
                checks += self._hints[literal]
            if literal in self._proofs and (not doubtful or stands(literal, folded)):
                fired.update(self._proofs[literal])
        for check in checks:
            if check.index not in fired and check.passes(folded if check.folded else text):
                fired.add(check.index)
        return frozenset(fired)

    def _hits(self, folded: str) -> tuple[set[str], bool]:
        """The literals in a folded text, and whether there may be too many because it holds odd characters itself."""
        if self._find is None:
            return set(), False
        whole = START + folded + END
        try:
            return self._found(whole), START in folded or END in folded
        except UnicodeEncodeError:  # a lone surrogate, which no literal holds
            return self._found(whole.encode("utf-8", "replace").decode("utf-8")), True

    def _found(self, whole: str) -> set[str]:
        find = self._find
        hits: set[str] = set()
        if find is not None:
            for part in _windows(whole, self._longest):
                hits.update(find(part, overlapping=True))
        return hits


def _windows(text: str, overlap: int) -> Iterable[str]:
    """The text in parts of about WINDOW characters, which overlap so far that no literal is cut by all of them."""
    if len(text) <= WINDOW:
        return (text,)
    return (text[at:at + WINDOW + overlap] for at in range(0, len(text), WINDOW))


def _plain(value: Value) -> str:
    """A value's texts with sentinels between them, as one."""
    return value if isinstance(value, str) else _BETWEEN.join(each(as_texts(value)))


def _finder_in_json(literals: Iterable[str]) -> Callable[[str], bool]:
    """Says whether a JSON text may hold one of some folded literals in a value. Sentinels are left out: a value may
    end anywhere in it, so this only ever says "may"."""
    plain = [_in_json(literal.removeprefix(START).removesuffix(END)) for literal in literals]
    if not all(plain):
        return lambda _: True
    find = AhoCorasick(plain, store_patterns=False, matchkind=_QUICK).find_matches_as_indexes
    longest = max(map(len, plain), default=0)

    def may_hold(text: str) -> bool:
        try:
            return any(map(find, _windows(text.casefold(), longest)))
        except UnicodeEncodeError:  # half a character
            return True

    return may_hold


def _in_json(text: str) -> str:
    """A text as it stands in JSON that escapes only what it must: quotes, backslashes, control characters."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _add_to(table: dict[_K, Sequence[_V]], keys: Iterable[_K], only: tuple[_V]) -> None:
    """Add a value under some keys. Nearly every key has one value: a tuple, which all keys of the value share."""
    for key in keys:
        known = table.setdefault(key, only)
        if isinstance(known, list):
            known.append(only[0])
        elif known is not only:
            table[key] = [*known, *only]
