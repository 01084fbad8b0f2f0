"""A rule's logsource in, the records it reads out: routes of channel, event id, conditions and field aliases.

The facts are in content/logsources.yml; here are the decisions. A logsource without product counts as Windows when its
category or service is one we know; proxy and dns logs have no product either. Windows alone means every channel that
Windows writes. What maps nowhere (another product, a log that nobody keeps) gives a reason instead: the rule stays
idle, which is not the same as broken. Aliases belong to a category's route only: a `service: security` rule asks for
the Security log's own field names.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from douse.content.logsources import FieldSource, Place, log_sources
from douse.detection import logons, registry
from douse.detection.language.patterns import number
from douse.detection.view import NO_ALIASES, Alias, Aliases, View, one_text
from douse.model import Event, LogSource, Value

EVERY_CHANNEL = "*"


@dataclass(frozen=True, slots=True)
class Route:
    """Records a rule reads: a channel in lower case ("*": all), an event id (None: all), conditions, alias table."""

    channel: str
    event_id: int | None
    where: tuple[tuple[str, frozenset[str]], ...] = ()
    aliases: str = ""

    def admits(self, view: View) -> bool:
        """Whether an event of the channel and id meets the conditions, such as EventType = CreateKey."""
        return all(one_text(view.event.get(field)).casefold() in values for field, values in self.where)


@dataclass(frozen=True, slots=True)
class Nowhere:
    """A logsource that no Windows event log has, and why."""

    reason: str


def routes(source: LogSource) -> tuple[Route, ...] | Nowhere:
    """The routes of a logsource, or why there is none."""
    table = log_sources()
    category, service = source.category.lower(), source.service.lower()
    if source.product.lower() not in ("", "windows"):
        return _of_product(source)
    if category in table.unavailable:
        return Nowhere(f"category {category}: {table.unavailable[category]}")
    if category and category not in table.categories:
        return Nowhere(f"no Windows event log is known for category {category}{_near(category, table.categories)}")
    if service and service not in table.services:
        return Nowhere(f"no Windows event log is known for service {service}{_near(service, table.services)}")
    if category:
        channels = {channel.lower() for channel in table.services.get(service, ())}
        found = tuple(route for place in table.categories[category] for route in _of_place(place)
                      if not service or route.channel in channels)
        return found or Nowhere(f"category {category} is not in the channels of service {service}")
    if service:
        return tuple(Route(channel.lower(), None) for channel in table.services[service])
    return (Route(EVERY_CHANNEL, None),)


def _of_product(source: LogSource) -> tuple[Route, ...] | Nowhere:
    """The routes of a product other than Windows: the service's channels, the category's routes in the product's."""
    table = log_sources()
    services = table.products.get(source.product.lower())
    if services is None:
        return Nowhere(f"product {source.product} is not Windows")
    service, category = source.service.lower(), source.category.lower()
    if service and service not in services:
        return Nowhere(f"{source.product} has no log {service} that we know{_near(service, services)}")
    channels = [channel.lower() for name, found in services.items() if service in ("", name) for channel in found]
    if not category:
        return tuple(Route(channel, None) for channel in channels)
    places = table.categories.get(category, ())
    routed = tuple(route for place in places for route in _of_place(place) if route.channel in channels)
    return routed or Nowhere(f"no log of {source.product} is known for category {category}")


def is_elsewhere(channel: str) -> bool:
    """Whether a channel is no Windows log, so that a rule on all of Windows does not read it."""
    return channel.lower().startswith(log_sources().elsewhere)


def _near(word: str, known: Iterable[str]) -> str:
    """A question, where a misspelt word makes a rule idle that its author believes to be on watch."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.8)
    return f"; did you mean '{found[0]}'?" if found else ""


def _of_place(place: Place) -> list[Route]:
    where = tuple((field, frozenset(value.casefold() for value in values)) for field, values in place.where.items())
    return [Route(place.channel.lower(), number, where, place.aliases) for number in place.ids]


def narrowed(found: tuple[Route, ...], event_ids: frozenset[int] | None) -> tuple[Route, ...]:
    """The routes less those event ids of which the rule's own detection can never be true."""
    if event_ids is None:
        return found
    narrow: dict[Route, None] = {}
    for route in found:
        ids = sorted(event_ids) if route.event_id is None else sorted({route.event_id} & event_ids)
        for event_id in ids:
            narrow[Route(route.channel, event_id, route.where, route.aliases)] = None
    return tuple(narrow)


@dataclass(frozen=True, slots=True)
class FieldAlias:
    """A field of Sigma made from what another log keeps."""

    source: FieldSource

    def present(self, event: Event) -> bool:
        """Whether the record has the field the alias is made of, whatever its value."""
        return event.has(self.source.fields[0 if self.source.how in registry.WORDS else -1])

    def value(self, event: Event) -> Value:
        """The value as Sysmon would write it."""
        source = self.source
        if source.how in logons.WORDS:
            texts = [event.text(field) for field in source.fields]
            return logons.WORDS[source.how](texts) or event.get(source.fields[-1])  # null stays null
        if source.how in registry.WORDS:
            return registry.WORDS[source.how](*(event.text(field) for field in source.fields))
        value = event.get(source.fields[-1])
        if source.how == "decimal":
            plain = number(one_text(value).strip())
            return value if plain is None else str(plain)
        if source.how == "map" and source.to is not None:
            return source.to.get(one_text(value), value)
        return value


@cache
def alias_table(name: str) -> Aliases:
    """The aliases of a route; the empty name has none."""
    if not name:
        return NO_ALIASES
    return {field.lower(): FieldAlias(source) for field, source in log_sources().aliases[name].items()}


@cache
def _tables_by_record() -> Mapping[tuple[str, int], Mapping[str, Alias]]:
    """Which fields of Sigma a record has under other names, whoever asks: (channel, id) -> Sigma field -> alias."""
    found: dict[tuple[str, int], Mapping[str, Alias]] = {}
    table = log_sources()
    for places in table.categories.values():
        for place in places:
            if place.aliases:
                fields = {field: FieldAlias(source) for field, source in table.aliases[place.aliases].items()}
                found.update(((place.channel.lower(), number), fields) for number in place.ids)
    return found


def sigma_fields(event: Event) -> dict[str, Value]:
    """The fields of Sigma that an event has under other names only, such as `Image` of a Security 4688.

    Where the record uses the name itself, the record's own field stays: `ProcessId` of a 4688 is the creator's there.
    """
    aliases = _tables_by_record().get((event.channel.lower(), event.event_id), {})
    return {name: alias.value(event) for name, alias in aliases.items()
            if not event.has(name) and alias.present(event)}
