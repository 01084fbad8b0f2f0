"""A window that met a correlation's condition in, its Alert out.

Time, host and record are those of the last match. `fields` has the group and, under names that begin with
`correlation.`, what was found and which alerts it is made of. The id is made of the correlation, the group and the
first match, so it stays the same when more of a burst is read.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from douse.detection.correlation.document import Correlation
from douse.detection.correlation.records import Record
from douse.detection.correlation.windows import Window
from douse.model import Alert, Match

MAX_LISTED = 100
"""Contributing alerts, and hosts, that an alert lists."""

_NAMESPACE = uuid.UUID("b1c1a8b2-56f0-5a6e-8d52-7a9d1c7b6f20")


def correlation_alert(correlation: Correlation, group: tuple[str, ...], window: Window,
                      records: Sequence[Record]) -> Alert:
    """The alert of a window with its records in order of time; `group` is folded, the fields show it as written."""
    rule, last = correlation.rule, records[-1]
    origin = last.origin
    return Alert(
        alert_id=_alert_id(rule.rule_id, group, records[0]),
        rule_id=rule.rule_id,
        title=rule.title,
        level=rule.level,
        time=last.hit.time,
        host=origin.host,
        channel=origin.channel,
        provider=origin.provider,
        event_id=origin.event_id,
        record_id=origin.record_id,
        source=origin.source,
        techniques=rule.techniques,
        evidence_class=rule.evidence_class,
        store=rule.store,
        fidelity=rule.fidelity,
        stage=rule.stage,
        role=rule.role,
        matched=_matched(correlation, window, records),
        fields=_fields(correlation, window, records),
    )


def _alert_id(rule_id: str, group: tuple[str, ...], first: Record) -> str:
    """The same for the same first match and group; what happened later does not change it."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join((rule_id, *group, first.origin.alert_id))))


def later_id(alert: Alert, first: datetime) -> str:
    """The id of a window that begins with the same match as an earlier one, at another moment of it."""
    return str(uuid.uuid5(_NAMESPACE, f"{alert.alert_id}\x1f{first.isoformat()}"))


def _matched(correlation: Correlation, window: Window, records: Sequence[Record]) -> tuple[Match, ...]:
    """What was asked and found, the group, and how often each rule matched."""
    counts = Counter(member for member, _ in {(record.hit.member, record.hit.key) for record in records})
    group = [Match("group-by", name, text, "") for name, text in zip(correlation.group_by, records[-1].group,
                                                                     strict=True)]
    rules = [Match("rules", name, f"{counts[place]} match(es)", "")
             for place, name in enumerate(correlation.references) if counts[place]]
    return (Match("correlation", ", ".join(correlation.fields), _text(window.value), correlation.asks), *group, *rules)


def _fields(correlation: Correlation, window: Window, records: Sequence[Record]) -> dict[str, str]:
    ids = dict.fromkeys(record.origin.alert_id for record in records)
    listed = list(ids)[:MAX_LISTED]
    more = f" and {len(ids) - len(listed)} more" if len(ids) > len(listed) else ""
    return {
        **dict(zip(correlation.group_by, records[-1].group, strict=True)),
        "correlation.type": correlation.kind,
        "correlation.value": _text(window.value),
        "correlation.events": str(len({record.hit.key for record in records})),
        "correlation.first_seen": records[0].hit.time.astimezone(UTC).isoformat(),
        "correlation.last_seen": records[-1].hit.time.astimezone(UTC).isoformat(),
        "correlation.hosts": ", ".join(sorted({record.origin.host.lower() for record in records})[:MAX_LISTED]),
        "correlation.alert_ids": ", ".join(listed) + more,
    }


def _text(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.6g}"
