"""A rule and an event in, which parts of the condition hold out, as a tree, and whether the rule reads the event.

The tree is the rule's own term (reference.py), asked part by part, so it cannot disagree with the slow matcher. Also an
event that the rule never looks at is asked, because that is what the author wants to know next: `read` says that no
alert would come of it, and `unread` why. Values and patterns are whole; renderers cut them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from douse.content.logsources import log_sources
from douse.detection.language.filters import Filter
from douse.detection.language.parse import CompiledRule
from douse.detection.logsource import EVERY_CHANNEL, Route, alias_table, is_elsewhere
from douse.detection.matching.deferred import Deferred
from douse.detection.reference import All, Any, Item, Not, Selection, Term
from douse.detection.view import View, one_text, shown
from douse.model import Event, Rule


@dataclass(frozen=True, slots=True)
class Tried:
    """One value of a line: how the rule writes it, and whether the event has it."""

    pattern: str
    found: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the condition. `kind` is all, any, not, selection, item, filter, or other for a term without parts.

    An item has `field` (empty for keywords), `value` (None where the event lacks the field), `tried`, and `every` and
    `negated` as in reference.Item. `name` is a selection's, or a filter's title.
    """

    kind: str
    holds: bool
    name: str = ""
    field: str = ""
    value: str | None = None
    tried: tuple[Tried, ...] = ()
    every: bool = False
    negated: bool = False
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a rule makes of an event. It fires when `read` and `condition` holds; an idle rule has no condition."""

    rule: Rule
    event: Event
    read: bool
    unread: tuple[str, ...]
    condition: Part | None
    idle: str = ""

    @property
    def fires(self) -> bool:
        """Whether the rule makes an alert of the event."""
        return self.read and self.condition is not None and self.condition.holds


def reasons(part: Part) -> Iterator[str]:
    """Why a condition does not hold: the selections that do not match, and those below a `not` that do."""
    if part.holds:
        return
    if part.kind == "selection":
        yield f"{part.name} does not match"
    elif part.kind == "filter":
        yield f"the filter '{part.name}' leaves it out: {', '.join(reasons(part.parts[0]))}"
    elif part.kind == "not":
        yield from (f"{name} matches" for name in _holding(part.parts[0]))
    elif part.kind == "any" and len(part.parts) > 1 and all(one.kind == "selection" for one in part.parts):
        yield f"none of {', '.join(one.name for one in part.parts)} matches"
    else:
        for one in part.parts:
            yield from reasons(one)


def _holding(part: Part) -> Iterator[str]:
    """The selections that hold, below a part that holds."""
    if part.kind == "selection":
        yield part.name
        return
    for one in part.parts:
        if one.holds:
            yield from _holding(one)


def filters_of(compiled: CompiledRule, filters: Sequence[Filter]) -> tuple[Filter, ...]:
    """Those filters of a set that narrow a rule, in the order in which they were added."""
    return _peeled(compiled.term, filters)[1]


def _peeled(term: Term | None, filters: Sequence[Filter]) -> tuple[Term | None, tuple[Filter, ...]]:
    """A rule's own term, and the filters that linking.py has added around it, the first one first."""
    known = {id(one.term): one for one in filters}
    if isinstance(term, All) and len(term.terms) > 1 and all(id(added) in known for added in term.terms[1:]):
        return term.terms[0], tuple(known[id(added)] for added in term.terms[1:])
    return term, ()


def seen_as(compiled: CompiledRule, event: Event) -> View | None:
    """An event as the rule sees it, None where the rule does not read it."""
    route = _admitting(compiled, event)
    return None if route is None else View(event, alias_table(route.aliases))


def nearness(term: Term, view: View) -> float:
    """How much of a condition an event meets, from 0 to 1, to find the event that nearly fires a rule."""
    match term:
        case Selection(term=inner):
            return nearness(inner, view)
        case All(terms=terms) if terms:
            return sum(nearness(one, view) for one in terms) / len(terms)
        case Any(terms=terms) if terms:
            return max(nearness(one, view) for one in terms)
        case Deferred():
            return nearness(term.made(), view)
    return float(term.holds(view))


def explain(compiled: CompiledRule, event: Event, filters: Sequence[Filter] = ()) -> Explanation:
    """Ask a rule about an event, part by part; `filters` are those of the set it was loaded with."""
    route = _admitting(compiled, event)
    nearest = route or next((one for one in compiled.routes if _same_record(compiled, one, event)), None)
    view = View(event, alias_table(nearest.aliases if nearest else ""))
    unread = () if route else tuple(_why_unread(compiled, view))
    term, narrowing = _peeled(compiled.term, filters)
    condition = None if term is None else _part(term, view)
    if condition is not None and narrowing:
        parts = (condition, *(_of_filter(one, view) for one in narrowing))
        condition = Part("all", all(part.holds for part in parts), parts=parts)
    return Explanation(compiled.rule, event, route is not None, unread, condition, compiled.idle)


def _same_record(compiled: CompiledRule, route: Route, event: Event) -> bool:
    """Whether a route leads to records of the event's channel and id, as the rule set's buckets see it."""
    return route.event_id in (None, event.event_id) and _same_channel(compiled, route, event)


def _same_channel(compiled: CompiledRule, route: Route, event: Event) -> bool:
    if route.channel != EVERY_CHANNEL:
        return route.channel == event.channel.lower()
    return not (is_elsewhere(event.channel) and compiled.rule.logsource.product.lower() == "windows")


def _admitting(compiled: CompiledRule, event: Event) -> Route | None:
    """The first route that reads the event."""
    return next((route for route in compiled.routes if _same_record(compiled, route, event)
                 and route.admits(View(event, alias_table(route.aliases)))), None)


def _why_unread(compiled: CompiledRule, view: View) -> Iterator[str]:
    """One sentence for each thing that keeps the rule from looking at the event."""
    event, routes = view.event, compiled.routes
    if compiled.idle:
        yield f"the rule is idle: {compiled.idle}"
        return
    near = [route for route in routes if _same_record(compiled, route, event)]
    for route in near:
        for field, values in route.where:
            if one_text(event.get(field)).casefold() not in values:
                yield (f"{compiled.rule.logsource} needs {field} to be {' or '.join(sorted(values))}, "
                       f"and it is '{one_text(event.get(field))}'")
    if near:
        return
    same_channel = [route for route in routes if _same_channel(compiled, route, event)]
    if same_channel:
        ids = sorted({route.event_id for route in same_channel if route.event_id is not None})
        yield f"of {event.channel} it reads event id {', '.join(map(str, ids))}, and this is {event.event_id}"
    elif any(route.channel == EVERY_CHANNEL for route in routes):
        yield f"it reads every log of Windows, and {event.channel} is none"
    else:
        yield f"it reads {reads(routes)}, and this is {event.channel} {event.event_id}"


@cache
def _channels() -> dict[str, str]:
    """Channel in lower case -> as Windows writes it."""
    table = log_sources()
    names = [place.channel for places in table.categories.values() for place in places]
    names += [channel for services in (table.services, *table.products.values())
              for channels in services.values() for channel in channels]
    return {EVERY_CHANNEL: "every channel", **{name.lower(): name for name in names}}


def channel_name(channel: str) -> str:
    """The channel of a route as Windows writes it."""
    return _channels().get(channel, channel)


def reads(routes: Iterable[Route]) -> str:
    """The records of some routes in an analyst's words: `Microsoft-Windows-Sysmon/Operational 1; Security 4688`. What
    is no Windows log has no event ids, and the 0 that stands for that says nothing."""
    ids: dict[str, list[int]] = {}
    for route in routes:
        known = ids.setdefault(route.channel, [])
        if route.event_id and route.event_id not in known:
            known.append(route.event_id)
    return "; ".join(f"{channel_name(channel)} {', '.join(map(str, found))}".rstrip()
                     for channel, found in ids.items()) or "nothing"


def _of_filter(one: Filter, view: View) -> Part:
    part = _part(one.term, view)
    return Part("filter", part.holds, name=one.title, parts=(part,))


def _part(term: Term, view: View) -> Part:
    holds = term.holds(view)
    match term:
        case Selection(name=name, term=inner):
            return Part("selection", holds, name=name, parts=(_part(inner, view),))
        case All(terms=terms):
            return Part("all", holds, parts=tuple(_part(one, view) for one in terms))
        case Any(terms=terms):
            return Part("any", holds, parts=tuple(_part(one, view) for one in terms))
        case Not(term=inner):
            return Part("not", holds, parts=(_part(inner, view),))
        case Item():
            return _item(term, view, holds)
        case Deferred():
            return _part(term.made(), view)
    return Part("other", holds, name=type(term).__name__)


def _item(item: Item, view: View, holds: bool) -> Part:
    """One line: each value of the rule with whether it is there, its alternatives (windash, base64offset) as one."""
    tried: list[Tried] = []
    value = shown(view.raw[item.field]) if item.field and view.has(item.field) else None
    for group in item.groups:
        found = next(((pattern, hit) for pattern in group if (hit := pattern.find(view)) is not None), None)
        if found is not None and not item.field:
            value = found[1][1]
        tried.append(Tried(found[0].text if found else group[0].text, found is not None))
    return Part("item", holds, field=item.field, value=value, tried=tuple(tried), every=item.every,
                negated=item.negated)
