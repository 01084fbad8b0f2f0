"""Which controls a user means: ids, slugs, tags of the mission's advice, or `all`."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from douse.content.controls import Control, controls
from douse.content.signs import TAGS
from douse.errors import ContentError

ALL = "all"


def chosen(words: Iterable[str], option: str = "--controls") -> tuple[Control, ...]:
    """The controls that the words name, each once, in their own order. ContentError for a word that names none."""
    wanted: set[str] = set()
    for word in (part.strip() for text in words for part in text.split(",")):
        if word:
            wanted.update(_named(word, option))
    if not wanted:
        raise ContentError(option, "names no control.", "Write ids (H01,H02), tags (FW) or all.")
    return tuple(control for control in controls() if control.id in wanted)


def _named(word: str, option: str) -> list[str]:
    folded = word.casefold()
    if folded == ALL:
        return [control.id for control in controls()]
    found = [control.id for control in controls() if folded in (control.id.casefold(), control.slug.casefold())]
    found = found or [control.id for control in controls() if folded in {tag.casefold() for tag in control.seed}]
    if found:
        return found
    known = [name for control in controls() for name in (control.id, control.slug)] + [*TAGS, ALL]
    near = get_close_matches(folded, [name.casefold() for name in known], 1, 0.5)
    spelled = next((name for name in known if near and name.casefold() == near[0]), "")
    if word.upper() in TAGS:
        raise ContentError(option, f"no control has the tag {word.upper()}.", "See: douse harden list")
    raise ContentError(option, f"{word[:60]!r} is no control.",
                       f"Did you mean {spelled!r}?" if spelled else "See: douse harden list")
