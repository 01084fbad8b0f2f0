r"""All probes of one field, asked at once of a text: which of them are true.

Every literal of every glob is in one Aho-Corasick automaton, run over the folded text between two sentinels, \x02 and
\x03. `startswith: a` is the literal "\x02a", `endswith` "a\x03" and equality both, so most globs are decided by the hit
alone. An expression or a glob of several parts has its longest literal there and is only asked when that is hit; what
has no literal is asked of every text. A text that holds a sentinel itself is an attack on this trick: its hits are then
compared once more. The answer is kept for each distinct text, because logs repeat themselves (Memory bounds that).
The counterpart, matcher.py, makes alerts of it; reference.py is what both must agree with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Final

from ahocorasick_rs import AhoCorasick, MatchKind

from douse.detection.language.patterns import Glob, Test, Wild, glob_test, number
from douse.detection.language.probe import Probe
from douse.detection.language.texts import each
from douse.detection.view import as_texts
from douse.model import Event, Value

START: Final = "\x02"
END: Final = "\x03"
WINDOW: Final = 1 << 16
"""Characters searched at once: a literal of one character in a script of a megabyte would else be listed a million
times in memory."""

LONGEST_KEPT: Final = 2_048
Fired = frozenset[int]
"""The numbers of the probes that are true."""

_QUICK: Final = MatchKind.LeftmostFirst
"""Twice as fast where only whether counts: the library then looks for a few characters at once first."""

NOTHING: Final[Fired] = frozenset()
_BETWEEN: Final = END + START
_NUMBERS_START: Final = frozenset("-0123456789")
_Check = tuple[int, Test, bool]
"""A probe, a test that makes it true, and whether that wants the folded text (else the text as it is)."""


class Memory:
    """Bounds everything that is remembered about a log: at `limit` bytes, estimated, all of it is forgotten at once.

    Forgetting costs a little time and no result. 48 MiB hold about 200,000 distinct values.
    """

    LIMIT = 48 << 20
    ENTRY = 120  # a dict's slot, a str's header

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


class Table:
    """The probes of one field, each with its number. `null` are those true of an absent field."""

    def __init__(self, probes: Iterable[tuple[int, Probe]], memory: Memory) -> None:
        self.null: Fired = NOTHING
        self._memory = memory
        self._always: set[int] = set()
        self._numbers: dict[int | float, list[int]] = {}
        self._proofs: dict[str, list[int]] = {}
        self._hints: dict[str, list[_Check]] = {}
        self._asked: list[_Check] = []
        for index, probe in probes:
            self._add(index, probe)
        literals = list(self._proofs | self._hints)
        self._longest = max(map(len, literals), default=0)
        self._find = AhoCorasick(literals, store_patterns=True).find_matches_as_strings if literals else None
        self._may_be_read: Callable[[str], bool] | None = None
        self.known: dict[str, Fired] = {}
        self._same: dict[Fired, Fired] = {}
        memory.watch(self.known.clear)
        memory.watch(self._same.clear)

    def _add(self, index: int, probe: Probe) -> None:
        if probe.null:
            self.null |= {index}
        for glob in probe.globs:
            if glob.parts == (Wild.ANY,):
                self._always.add(index)
            else:
                self._add_glob(index, glob, probe.fold)
        for raw in probe.tests:
            self._hint(raw.needs, (index, raw.test, False))

    def _add_glob(self, index: int, glob: Glob, fold: bool) -> None:
        value = None if glob.text is None else number(glob.text)
        if value is not None:
            self._add_number(index, value, fold)
        literal = _literal(glob)
        if fold and literal and _decides(glob):
            self._proofs.setdefault(literal, []).append(index)
        else:
            self._hint([literal.casefold()] if literal else [], (index, glob_test([glob]), fold))

    def _add_number(self, index: int, value: int | float, fold: bool) -> None:
        if fold:
            self._numbers.setdefault(value, []).append(index)
        else:
            self._asked.append((index, lambda text: number(text) == value, False))

    def _hint(self, literals: Iterable[str], check: _Check) -> None:
        needs = list(literals)
        if not needs or any(_odd(literal.removeprefix(START).removesuffix(END)) for literal in needs):
            self._asked.append(check)
        else:
            for literal in needs:
                self._hints.setdefault(literal, []).append(check)

    def of(self, value: Value) -> Fired:
        """The probes that are true of a field's value; of a list, those true of any of its texts."""
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
                self._memory.add(len(text))
                self.known[text] = fired
        return fired

    def of_record(self, event: Event) -> Fired:
        """The same, of all texts of a record, for keywords. Nearly no record holds one, so they are searched as one:
        in the JSON that was read, for what a literal reads like there, or else in the texts, joined."""
        if not self._asked and not self._always:
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
            if literal in self._proofs and (not doubtful or _stands(literal, folded)):
                fired.update(self._proofs[literal])
        for probe, test, of_folded in checks:
            if probe not in fired and test(folded if of_folded else text):
                fired.add(probe)
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
        if find is None or len(whole) <= WINDOW:
            return set() if find is None else set(find(whole, overlapping=True))
        hits: set[str] = set()
        for at in range(0, len(whole), WINDOW):
            hits.update(find(whole[at:at + WINDOW + self._longest], overlapping=True))
        return hits


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

    def may_hold(text: str) -> bool:
        try:
            return bool(find(text.casefold()))
        except UnicodeEncodeError:  # half a character
            return True

    return may_hold


def _in_json(text: str) -> str:
    """A text as it stands in JSON that escapes only what it must: quotes, backslashes, control characters."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _literal(glob: Glob) -> str:
    """The longest literal of a glob, between sentinels where its place is fixed; empty where it cannot be searched."""
    if not glob.parts:
        return START + END
    last = len(glob.parts) - 1
    texts = [(START if at == 0 else "") + part + (END if at == last else "")
             for at, part in enumerate(glob.parts) if isinstance(part, str) and not _odd(part)]
    return max(texts, key=len, default="")


def _decides(glob: Glob) -> bool:
    """Whether the literal's hit is the glob's match: it has one text, and beside it only room for anything."""
    return len(glob.literals) <= 1 and Wild.ONE not in glob.parts


def _odd(text: str) -> bool:
    """Whether a literal holds what the automaton cannot tell from its own marks: a sentinel, half a character."""
    return START in text or END in text or (not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text))


def _stands(literal: str, folded: str) -> bool:
    """Whether a literal that was hit is really where its sentinels say, in a text that holds sentinels of its own."""
    inner = literal.removeprefix(START).removesuffix(END)
    if literal.startswith(START):
        return folded == inner if literal.endswith(END) else folded.startswith(inner)
    return folded.endswith(inner) if literal.endswith(END) else inner in folded
