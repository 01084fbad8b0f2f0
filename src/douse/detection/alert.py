"""A compiled rule that holds for an event in, its Alert out.

The id is a UUIDv5 of the record and the rule, never of the file: the same record read from EVTX, from JSON or twice
gives the same alert. `fields` keeps what correlation will see of the event: every field under the record's own name,
and under Sysmon's where the record uses another (Image of a Security 4688), but never over a name that the record has
itself. So `ProcessId` of a 4688 alert is the creator's, in hex, as in the record; its own is `NewProcessId`.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from datetime import UTC
from itertools import islice

from douse.detection.logsource import sigma_fields
from douse.detection.reference import Term
from douse.detection.view import View, one_text
from douse.model import Alert, Event, Match, Rule

MAX_FIELDS = 256
"""A record with more fields than this (no Windows event has them) is kept in part, so that an alert stays bounded."""

MAX_NAME = 256
"""Characters kept of a field's name; Windows' own have 60 at the most."""

MAX_MATCHES = 64
CUT = "…"
_WHOLE = Alert.MAX_FIELD
_NAMESPACE = uuid.UUID("0f2ae2c0-7ab1-5f56-8f53-4b1f3ad3a0c4")
_VARIANT = {f"{digit:x}": f"{digit & 3 | 8:x}" for digit in range(16)}


def make_alert(rule: Rule, term: Term, view: View, fields: Mapping[str, str] | None = None) -> Alert:
    """The alert of a rule whose term holds for the view's event; its `kept_fields`, where the caller has them."""
    event = view.event
    return Alert(
        alert_id=alert_id(rule.rule_id, event),
        rule_id=rule.rule_id,
        title=rule.title,
        level=rule.level,
        time=event.time,
        host=event.host,
        channel=event.channel,
        provider=event.provider,
        event_id=event.event_id,
        record_id=event.record_id,
        source=event.source,
        techniques=rule.techniques,
        evidence_class=rule.evidence_class,
        store=rule.store,
        fidelity=rule.fidelity,
        stage=rule.stage,
        role=rule.role,
        matched=tuple(_shortened(match) for match in islice(term.why(view, ""), MAX_MATCHES)),
        fields=kept_fields(event) if fields is None else fields,
    )


def alert_id(rule_id: str, event: Event) -> str:
    """The same for the same record and rule, whatever file or format the record was read from.

    Shippers cut times to milliseconds or seconds, so of a record with a number only the second counts.
    """
    stated = event.time.astimezone(UTC).isoformat(timespec="seconds" if event.record_id else "microseconds")
    name = (f"{event.host.lower()}\x1f{event.channel.lower()}\x1f{event.event_id}\x1f{event.record_id}\x1f"
            f"{stated}\x1f{rule_id}")
    digest = hashlib.sha1(_NAMESPACE.bytes + name.encode(), usedforsecurity=False).hexdigest()
    return (f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-"  # what uuid5 does, without its detours
            f"{_VARIANT[digest[16]]}{digest[17:20]}-{digest[20:32]}")


def kept_fields(event: Event) -> dict[str, str]:
    """What an alert keeps of its event; all alerts of one event may share it."""
    fields = event.fields if len(event.fields) <= MAX_FIELDS else dict(islice(event.fields.items(), MAX_FIELDS))
    if len(max(fields, key=len, default="")) > MAX_NAME:
        fields = {name[:MAX_NAME]: value for name, value in fields.items()}
    if named := sigma_fields(event):
        fields = fields | named
    return {name: value if value.__class__ is str and len(value) <= _WHOLE else _cut(one_text(value))
            for name, value in fields.items()}


def _shortened(match: Match) -> Match:
    if len(match.value) <= _WHOLE and len(match.pattern) <= _WHOLE and len(match.field) <= MAX_NAME:
        return match
    return Match(match.selection, match.field[:MAX_NAME], _cut(match.value), _cut(match.pattern))


def _cut(text: str) -> str:
    """The text cut to what an alert may keep, with a mark where it was cut."""
    return text if len(text) <= Alert.MAX_FIELD else text[: Alert.MAX_FIELD - len(CUT)] + CUT
