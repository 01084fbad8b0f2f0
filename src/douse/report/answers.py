"""The first screen's answers about an incident, for somebody who never heard of rules: how sure, what was taken.

A row comes in, a few sentences go out. They claim no more than the rows do: what was not logged is told as not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from douse.report import taken
from douse.report.phrases import count, listed
from douse.report.schema import IncidentRow

MAX_PRODUCTS = 8
"""Products that one sentence names."""

_SURE = {
    "critical": "Very sure",
    "high": "Probable",
    "medium": "Possible",
    "low": "A weak sign",
    "informational": "A remark, no finding",
}
_TRANSFER, _STORES = "O", "C"


@dataclass(frozen=True, slots=True)
class Answer:
    """A question that everybody asks, and the answer in sentences."""

    question: str
    sentences: tuple[str, ...]


def answers(incident: IncidentRow) -> tuple[Answer, ...]:
    """How sure we are and what was taken."""
    return (Answer("How sure are we?", tuple(_sure(incident))), Answer("What was taken?", tuple(_taken(incident))))


def _sure(incident: IncidentRow) -> Iterator[str]:
    word = _SURE.get(incident["level"], incident["level"])
    kinds = sum(score["points"] > 0 for score in incident["classes"])
    agree = f"{count(kinds, 'kind')} of evidence {'agree' if kinds != 1 else 'speaks for it'}"
    yield f"{word}: {agree}, in {count(len(incident['alerts']), 'alert')}."
    if incident["blind_spots"]:
        spots = len(incident["blind_spots"])
        yield f"{count(spots, 'question')} {'stay' if spots != 1 else 'stays'} open, for lack of logs."


def _taken(incident: IncidentRow) -> Iterator[str]:
    stores = incident["stores"]
    observed, presumed = taken.in_state(stores, "observed"), taken.in_state(stores, "presumed")
    unknown = taken.in_state(stores, "unknown")
    if observed:
        held = taken.holds(word for row in observed for word in row["holds"])
        what = f", with {listed(held)}" if held else ""
        yield f"A program that does not own them opened {listed(taken.products(observed), MAX_PRODUCTS)}{what}."
    if presumed:
        yield f"Counts as stolen too, as its reads are not logged: {listed(taken.products(presumed), MAX_PRODUCTS)}."
    if unknown:
        yield f"Not known, as its reads are not logged: {listed(taken.products(unknown), MAX_PRODUCTS)}."
    if not (observed or presumed or unknown):
        yield _nothing_seen(incident)
    yield from _sent(incident)


def _nothing_seen(incident: IncidentRow) -> str:
    if any(score["evidence_class"] == _STORES for score in incident["classes"]):
        return "Password stores were accessed; the steps below name them."
    if any(_STORES in spot["classes"] for spot in incident["blind_spots"]):
        return "Not known: who reads passwords is not logged, or not completely, on this computer."
    return "No access to stored passwords was seen, in logs that would show it."


def _sent(incident: IncidentRow) -> Iterator[str]:
    """Whether data left the computer: a step of ours says how far that is known."""
    sent = next((step["title"] for step in incident["steps"] if step["evidence_class"] == _TRANSFER), "")
    if sent:
        yield f"{sent}."
