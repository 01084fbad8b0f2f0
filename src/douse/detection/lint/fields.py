"""Lints about the fields of a rule, against what the records of its log source carry (content/fields.yml and logs).

Only records whose fields are all known are judged: of a channel or event id that is in neither, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from douse.content.fields import field_table
from douse.content.logsources import log_sources
from douse.detection.explain import channel_name
from douse.detection.lint.subject import Carried, Remark, Subject
from douse.detection.logsource import Nowhere, Route, narrowed, routes
from douse.detection.needs import fields_of
from douse.telemetry.fields import HASH_NAMES


def _routes(rule: Subject) -> tuple[Route, ...]:
    """What the rule reads; of a whole channel, the event ids that it names."""
    found = routes(rule.source)
    if isinstance(found, Nowhere):
        return ()
    ids = rule.event_ids()
    return narrowed(found, ids) if ids and any(route.event_id is None for route in found) else found


def _spellings(found: Iterable[Route], carried: Carried) -> dict[str, str]:
    """Lower case -> the usual spelling, of every field of the routes."""
    names: set[str] = set(HASH_NAMES.values()) | set(field_table().system)
    for route in found:
        key = route.channel, route.event_id or 0
        names |= {*field_table().records.get(key, ()), *carried.get(key, ())}
        names |= set(log_sources().aliases.get(route.aliases, {}))
    return {name.lower(): name for name in names}


def unknown_field(rule: Subject) -> Iterator[Remark]:
    """A field that no record of the log source has: the line never matches, or as a filter never filters."""
    found = _routes(rule)
    known = [fields_of(route, rule.around.carried) for route in found]
    if not known or None in known:
        return
    legal = frozenset().union(*(names for names in known if names is not None))
    spellings = _spellings(found, rule.around.carried)
    for line in rule.lines():
        asked = [(line.field, line.path)] if line.field else []
        if "fieldref" in line.words:
            asked += [("".join(value.split()), line.place(index)) for index, value in enumerate(line.values)
                      if isinstance(value, str)]
        for name, path in asked:
            if name.lower() not in legal:
                near = get_close_matches(name.lower(), sorted(legal), n=1, cutoff=0.7)
                hint = f"Did you mean '{spellings.get(near[0], near[0])}'?" if near else (
                    "Check the log source, or use --logs to show which fields your records carry.")
                yield Remark(f"no record of {rule.source} has a field {name}", hint, path)


def blind_filter(rule: Subject) -> Iterator[Remark]:
    """A filter on a field that only some of the records carry: on the others it silently stops filtering."""
    told: set[tuple[str, str]] = set()
    found = [(route, fields_of(route, rule.around.carried)) for route in _routes(rule)]
    for line in rule.lines():
        if not line.field or line.selection not in rule.negated:
            continue
        lacking = [route for route, names in found if names is not None and line.field.lower() not in names]
        if not lacking or len(lacking) == len(found):
            continue  # on all of them it is unknown-field's
        for route in lacking:
            where = f"{channel_name(route.channel)} {route.event_id}"
            if (line.field.lower(), where) not in told:
                told.add((line.field.lower(), where))
                yield Remark(f"records of {where} have no {line.field}, so '{line.selection}' does not filter there",
                             "Expect more false alarms from them, or filter on a field that both have.", line.path)


def use_category(rule: Subject) -> Iterator[Remark]:
    """`service: sysmon` with `EventID: 1`: the category says it, and covers the other logs that record the same. A
    category of some of the records only, such as 4663 of files, is no other word for the event id."""
    if rule.source.category or rule.source.service.lower() not in ("sysmon", "security"):
        return
    ids = rule.event_ids()
    channels = {channel.lower() for channel in log_sources().services.get(rule.source.service.lower(), ())}
    for category, places in log_sources().categories.items():
        pairs = {(place.channel.lower(), number) for place in places if not place.where for number in place.ids}
        if ids and len(places) > 1 and all(any((channel, number) in pairs for channel in channels) for number in ids):
            listed = ", ".join(map(str, sorted(ids)))
            yield Remark(f"{rule.source} with EventID {listed} is what category {category} stands for",
                         f"Write 'category: {category}', and other logs that record the same are read too.",
                         ("logsource",))
            return
