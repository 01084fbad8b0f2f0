r"""A probe of a rule in, the Search that a Table asks out: which literals prove it, which tests need which literals.

A Table searches folded texts between two sentinels, \x02 and \x03. `startswith: a` is the literal "\x02a", `endswith`
"a\x03" and equality both, so most globs are decided by the hit alone. An expression or a glob of several parts has its
longest literal there and is only asked when that is hit; what has no literal is asked of every text.
"""

from __future__ import annotations

from typing import Final

from douse.detection.language.patterns import Glob, Wild, number
from douse.detection.language.probe import Probe
from douse.detection.language.recipes import Like, Recipe, SameNumber
from douse.detection.matching.plan import Asked, Search

START: Final = "\x02"
END: Final = "\x03"
_ANYTHING: Final = (Wild.ANY,)


def search_of(probe: Probe) -> Search:
    """The probe, digested."""
    proofs: dict[str, None] = {}
    numbers: list[int | float] = []
    asked: list[Asked] = []
    for glob in probe.globs:
        literal = _literal(glob)
        if glob.text is not None and (value := number(glob.text)) is not None:
            numbers.append(value)
        if probe.fold and literal and _decides(glob):
            proofs[literal] = None
        elif glob.parts != _ANYTHING:
            asked.append(_asked(Like.of(glob, probe.fold), (literal.casefold(),) if literal else ()))
    if not probe.fold:  # a Table looks for numbers in folded texts, and 0XF is not 0xf under `cased`, but both are 15
        asked += [Asked(SameNumber(value)) for value in numbers]
        numbers = []
    asked += [_asked(raw.recipe, raw.needs) for raw in probe.tests]
    always = any(glob.parts == _ANYTHING for glob in probe.globs)
    return Search(probe.field, _rarity(probe), tuple(proofs), tuple(asked), tuple(numbers), probe.null, always)


def _asked(recipe: Recipe, needs: tuple[str, ...]) -> Asked:
    unclear = any(_odd(need.removeprefix(START).removesuffix(END)) for need in needs)
    return Asked(recipe, () if unclear else needs)


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


def _rarity(probe: Probe) -> float:
    """How seldom we guess a probe to be true: its shortest literal, less when there are many."""
    if probe.null or probe.tests or not probe.globs:
        return 1
    shortest = min(len("".join(glob.literals)) for glob in probe.globs)
    return shortest / (1 + len(probe.globs) / 8)


def stands(literal: str, folded: str) -> bool:
    """Whether a literal that was hit is really where its sentinels say, in a text that holds sentinels of its own."""
    inner = literal.removeprefix(START).removesuffix(END)
    if literal.startswith(START):
        return folded == inner if literal.endswith(END) else folded.startswith(inner)
    return folded.endswith(inner) if literal.endswith(END) else inner in folded
