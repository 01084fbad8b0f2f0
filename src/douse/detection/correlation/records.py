"""A match as correlations keep it: when, in which group, with which value, and which alert it was.

The values are those the rule saw: its event under its logsource's aliases, so that ProcessId on a Security 4688 is the
new process. A match that lacks a field of `group-by`, or the field that is counted, has no record, and is counted as
left out. A record's size is bounded: of a text longer than MAX_TEXT its beginning is kept and a digest of it all, so
that two are equal when the whole texts are. correlator.py collects records, windows.py judges them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from douse.detection.correlation.document import Correlation
from douse.detection.correlation.windows import Hit
from douse.detection.language.patterns import number
from douse.detection.logsource import alias_table
from douse.detection.view import View, shown
from douse.model import Alert, Event, Source

MAX_TEXT = 256
"""Characters that a record keeps of one value."""

_MAX_SHARED = 4_000
_shared_texts: dict[str, str] = {}
_HOST = frozenset({"computer", "computername"})
_NUMERIC = frozenset({"value_sum", "value_avg", "value_percentile", "value_median"})


class Origin(NamedTuple):
    """The alert a record stands for, as far as the correlation's own alert repeats it."""

    alert_id: str
    host: str
    channel: str
    provider: str
    event_id: int
    record_id: int
    source: Source


class Record(NamedTuple):
    """One match of a correlation's rule: a Hit, its group as written, fields for outer correlations, its origin."""

    hit: Hit
    group: tuple[str, ...]
    carried: tuple[str, ...]
    origin: Origin


Records = dict[tuple[str, int], Record]
LeftOut = Counter[tuple[str, str]]
"""(correlation's id, reason) -> how many matches could not be used."""


def origin_of(alert: Alert) -> Origin:
    """What is kept of an alert; its names are shared by all records that have them."""
    return Origin(alert.alert_id, _shared(alert.host), _shared(alert.channel), _shared(alert.provider),
                  alert.event_id, alert.record_id, alert.source)


def key_of(alert: Alert) -> str:
    """What tells a match from others: its alert's id. Where a log numbers no records, as exports in JSON or CSV may
    not, what the record says counts too, or all failed logons of a second would be one."""
    if alert.record_id:
        return alert.alert_id
    said = repr(sorted(alert.fields.items())).encode("utf-8", "surrogatepass")
    return f"{alert.alert_id}#{hashlib.blake2b(said, digest_size=8).hexdigest()}"


def _shared(text: str) -> str:
    """The same object for equal texts, most of the time. Not sys.intern: Python 3.12 keeps interned text for ever, and
    the log's author chooses these."""
    known = _shared_texts.get(text)
    if known is None:
        if len(_shared_texts) >= _MAX_SHARED:
            _shared_texts.clear()
        known = _shared_texts[text] = text
    return known


def bounded(text: str) -> str:
    """A text as a record keeps it: a long one folded, its beginning and a digest, equal where the whole is equal
    without case."""
    if len(text) <= MAX_TEXT:
        return text
    folded = text.casefold()
    digest = hashlib.blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return f"{folded[:MAX_TEXT - len(digest) - 1]}…{digest}"


def view_of(time: datetime, origin: Origin, fields: Mapping[str, str], aliases: str = "") -> View:
    """A match's fields as its rule sees them."""
    return View(Event(channel=origin.channel, event_id=origin.event_id, time=time, host=origin.host,
                      provider=origin.provider, record_id=origin.record_id, source=origin.source,
                      decode=lambda: {**fields}), alias_table(aliases))


def outer_view(correlation: Correlation, moment: Record) -> View:
    """What those made of a correlation see of it at one of its matches: its group, and what that match has."""
    names = (*correlation.group_by, *correlation.carried)
    return view_of(moment.hit.time, moment.origin, dict(zip(names, (*moment.group, *moment.carried), strict=True)))


def _field(view: View, name: str) -> str:
    """The field's text, empty where it is missing, null or empty. A host's name is known without a field."""
    text = shown(view.raw["".join(name.split())])
    return _shared(bounded(view.event.host if not text and name.lower() in _HOST else text))


def record_of(correlation: Correlation, place: int, view: View, origin: Origin, key: str,
              left_out: LeftOut) -> Record | None:
    """The record of a match, None where it lacks what the correlation asks for; then it is counted."""
    member, rule_id = correlation.members[place], correlation.rule.rule_id
    group = tuple(_field(view, correlation.source_field(name, member)) for name in correlation.group_by)
    if "" in group:
        left_out[rule_id, "lack a field of group-by"] += 1
        return None
    value = _value(correlation, [_field(view, correlation.source_field(name, member)) for name in correlation.fields])
    if value is None:
        what = "have no number in" if correlation.kind in _NUMERIC else "lack"
        left_out[rule_id, f"{what} {', '.join(correlation.fields)}"] += 1
        return None
    carried = tuple(_field(view, correlation.source_field(name, member)) for name in correlation.carried)
    return Record(Hit(view.event.time, place, key, value), group, carried, origin)


def _value(correlation: Correlation, texts: Sequence[str]) -> str | int | float | None:
    """What a window reckons with; None where the field has none."""
    if not texts:
        return 0
    if correlation.kind in _NUMERIC:
        return number(texts[0].strip())
    return None if "" in texts else "\x1f".join(text.casefold() for text in texts)
