"""What several sources say of one thing becomes one Check: they agree, they disagree, or nobody spoke.

    seen, old = current(subject.services["appidsvc"])
    return settled(setting, "starts automatically", [Opinion(...) for one in seen], replaced=old)

Each check turns what a source saw into an Opinion, a state with its reason; this module decides between opinions. Two
that saw different things are a conflict, unless both mean the same bad news: then it is bad whichever is true. Newer
evidence replaces older of the same kind, and the check says so. No opinion is `unknown`, never anything better.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from douse.content.settings import Setting
from douse.harden.finding import Check, Cited
from douse.harden.observed import Service, Subject
from douse.harden.seen import Seen, Source

T = TypeVar("T")

MAX_NAMED = 6
"""How many names a sentence lists before it only counts."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one source makes of a setting. `actual` is what it saw, in words; two sources with the same words agree."""

    state: str
    actual: str
    why: str
    cited: Cited


def current(seen: Iterable[Seen[T]], whole: Iterable[Source] = ()) -> tuple[list[Seen[T]], list[Seen[T]]]:
    """What counts, and what newer evidence of the same kind replaced; each once, in an order that no input changes.

    `whole` are sources that hold all there is: a newer one of them replaces older evidence of its kind even where it
    has nothing of the sort any more.
    """
    found, held = list(seen), tuple(whole)
    if not found or (len(found) == 1 and not held):  # nine of ten
        return found, []
    unique = {(one.source.kind, one.source.sha256, one.where, one.raw, repr(one.value)): one
              for one in sorted(found, key=_place, reverse=True)}
    newest: dict[str, datetime] = {}
    for source in (*(one.source for one in unique.values()), *held):
        taken = _utc(source.taken)
        if taken is not None:
            newest[source.kind] = max(taken, newest.get(source.kind, taken))
    kept, old = list[Seen[T]](), list[Seen[T]]()
    for one in sorted(unique.values(), key=_place):
        taken = _utc(one.source.taken)
        (old if taken is not None and taken < newest[one.source.kind] else kept).append(one)
    return kept, old


def current_sources(sources: Iterable[Source]) -> list[Source]:
    """The sources that no newer one of their kind replaces; of copies of one file the first."""
    kept, _ = current(Seen("", source, "") for source in sources)
    return [one.source for one in kept]


def cite(seen: Seen[T], value: str = "") -> Cited:
    """What was seen as a piece of evidence; `value` where the source has no text of its own."""
    return cite_source(seen.source, seen.where, seen.raw or value)


def cite_source(source: Source, where: str, value: str) -> Cited:
    """A place in a source as a piece of evidence."""
    return Cited(source.kind, source.file, source.sha256, where, value)


def settled(setting: Setting, expected: str, opinions: Sequence[Opinion], *, missing: str, profile: str = "",
            replaced: Iterable[Seen[T]] = ()) -> Check:
    """One check from all opinions; `missing` says what evidence would tell where there are none."""
    known = [one for one in opinions if one.state != "unknown"]
    cited = unique_citations(one.cited for one in opinions)
    older = replaced_words(replaced)
    if not known:
        why = listed_sentences(one.why for one in opinions) or f"No evidence tells. {missing}".rstrip()
        actual = "; ".join(dict.fromkeys(one.actual for one in opinions)) or "not seen"
        return Check(setting, "unknown", expected, actual, join(why, older), cited, profile)
    state, why = _verdict(known)
    return Check(setting, state, expected, "; ".join(dict.fromkeys(one.actual for one in known)), join(why, older),
                 cited, profile)


def _verdict(known: Sequence[Opinion]) -> tuple[str, str]:
    """The state that opinions lead to, and why."""
    said = listed_sentences(one.why for one in known)
    if len({one.actual.casefold() for one in known}) == 1 and len({one.state for one in known}) == 1:
        return known[0].state, known[0].why
    if len({one.state for one in known}) == 1 and known[0].state != "pass":
        return known[0].state, join("Sources differ, and none has it as it should be.", said)
    told = "; ".join(dict.fromkeys(f"{one.cited.kind} {one.cited.file} says {one.actual}" for one in known))
    return "conflict", join(f"Sources contradict each other: {told}.",
                            "Collect both again at one time, or leave out the one that is not true any more.")


def unseen(setting: Setting, expected: str, missing: str, profile: str = "") -> Check:
    """The check of something that nobody spoke of."""
    return settled(setting, expected, (), missing=missing, profile=profile)


def not_applicable(setting: Setting, expected: str, why: str, cited: Iterable[Cited] = (), profile: str = "") -> Check:
    """The check of something that means nothing here."""
    return Check(setting, "not-applicable", expected, "does not apply", why, tuple(cited), profile)


def unique_citations(cited: Iterable[Cited]) -> tuple[Cited, ...]:
    """Each piece of evidence once, by file and place."""
    return tuple(dict.fromkeys(sorted(cited, key=lambda one: (one.kind, one.file, one.where, one.value))))


def replaced_words(old: Iterable[Seen[T]]) -> str:
    """A sentence on evidence that newer evidence replaced."""
    files = dict.fromkeys(f"{one.source.file} ({_day(one.source)})" for one in old)
    return f"Older evidence was replaced by newer: {shortened(files)}." if files else ""


def shortened(names: Iterable[str], most: int = MAX_NAMED) -> str:
    """Names with commas between them; of many the first ones and how many more."""
    every = list(names)
    more = f" and {len(every) - most:,} more" if len(every) > most else ""
    return ", ".join(every[:most]) + more


def listed_sentences(sentences: Iterable[str]) -> str:
    """Sentences one after the other, each once."""
    return " ".join(dict.fromkeys(one for one in sentences if one))


def join(*sentences: str) -> str:
    """Sentences that are not empty, with blanks between them."""
    return " ".join(filter(None, sentences))


def seen_of(named: dict[str, list[Seen[T]]], name: str) -> list[Seen[T]]:
    """What was seen under a name, whatever its case."""
    folded = name.casefold()
    return [one for key, several in named.items() if key.casefold() == folded for one in several]


def only_value(named: dict[str, list[Seen[T]]], name: str) -> T | None:
    """The one value that all current sources agree on; None where nobody spoke, or they disagree."""
    kept, _ = current(seen_of(named, name))
    return kept[0].value if kept and all(one.value == kept[0].value for one in kept) else None


def stopped_service(subject: Subject, name: str) -> list[Seen[Service | None]]:
    """What says that a service does not run, or will not; nothing where nobody says so, or some say otherwise."""
    seen, _ = current(seen_of(subject.services, name))
    dead = [one for one in seen if one.value is None or one.value.start == "disabled" or one.value.state == "stopped"]
    return dead if len(dead) == len(seen) else [one for one in dead if one.value and one.value.state]


def is_policy(subject: Subject) -> bool:
    """Whether it is a file that would set something, and no computer."""
    return subject.kind == "policy"


def _place(seen: Seen[T]) -> tuple[str, str, str, str, str, str]:
    source = seen.source
    return source.kind, source.file, source.sha256, seen.where, seen.raw, repr(seen.value)


def _utc(taken: datetime | None) -> datetime | None:
    return taken.replace(tzinfo=UTC) if taken is not None and taken.tzinfo is None else taken


def _day(source: Source) -> str:
    return f"{source.taken:%Y-%m-%d}" if source.taken else "undated"
