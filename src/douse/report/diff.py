"""Two hunts in, what changed between them out: incidents, indicators, stores, alerts by rule, and telemetry lost.

An incident is the same in both where its id is, where one supersedes the other, or where they share an alert. What is
no longer found is told with the reason that can be known: a host that sends no records any more is not a clean host.
Schema douse.diff/1, pure: nothing is read, cleaned or drawn here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, TypedDict

from douse.model import LEVELS, level_rank
from douse.report.schema import Document, IncidentRow

SCHEMA = "douse.diff/1"


class IncidentChange(TypedDict):
    """An incident that is new, gone, changed or the same. `before` are the ids it had; what follows are things that
    only the newer hunt has of it. `remark` says why a gone one may be gone."""

    state: Literal["new", "gone", "changed", "same"]
    incident_id: str
    before: list[str]
    host: str
    title: str
    level: str
    level_before: str
    new_alerts: int
    gone_alerts: int
    new_users: list[str]
    new_indicators: list[str]
    new_stores: list[str]
    remark: str


class RuleChange(TypedDict):
    """How many alerts of a rule are new and gone."""

    rule_id: str
    title: str
    level: str
    new: int
    gone: int


class HostChange(TypedDict):
    """A host that is new, that no longer reports, or that reports less; `lost` are channels without records now."""

    host: str
    state: Literal["new", "no longer reports", "reports less"]
    lost: list[str]


class Difference(TypedDict):
    """What changed from the older hunt to the newer. `notes` say what makes the two hard to compare."""

    kind: Literal["diff"]
    schema: str
    before: str
    after: str
    highest_new: str
    incidents: list[IncidentChange]
    rules: list[RuleChange]
    hosts: list[HostChange]
    notes: list[str]


def compare(before: Document, after: Document) -> Difference:
    """What changed; `highest_new` is the strongest level among new alerts, new incidents and those that rose to it."""
    hosts = _hosts(before, after)
    incidents = _incidents(before["incidents"], after["incidents"], {one["host"].lower(): one for one in hosts})
    rules = _rules(before, after)
    new = [one["level"] for one in rules if one["new"]]
    new += [one["level"] for one in incidents if one["state"] == "new" or _rose(one)]
    return {"kind": "diff", "schema": SCHEMA, "before": before["provenance"]["finished"],
            "after": after["provenance"]["finished"], "highest_new": max(new, key=level_rank, default=""),
            "incidents": incidents, "rules": rules, "hosts": hosts, "notes": list(_notes(before, after))}


def _rose(one: IncidentChange) -> bool:
    return bool(one["level_before"]) and one["state"] != "gone" and level_rank(one["level"]) > level_rank(
        one["level_before"])


def _incidents(before: list[IncidentRow], after: list[IncidentRow],
               hosts: Mapping[str, HostChange]) -> list[IncidentChange]:
    by_id = {one["incident_id"]: number for number, one in enumerate(before)}
    by_alert: dict[str, list[int]] = {}
    superseded: dict[str, list[int]] = {}
    for number, one in enumerate(before):
        for alert in one["alerts"]:
            by_alert.setdefault(alert, []).append(number)
        for name in one["supersedes"]:
            superseded.setdefault(name, []).append(number)
    changes, met = [], set[int]()
    for row in after:
        names = (row["incident_id"], *row["supersedes"])
        old = {by_id[name] for name in names if name in by_id} | set(superseded.get(row["incident_id"], ()))
        old |= {number for alert in row["alerts"] for number in by_alert.get(alert, ())}
        met |= old
        changes.append(_change(row, [before[number] for number in sorted(old)]))
    gone = [_gone(one, hosts.get(one["host"].lower())) for number, one in enumerate(before) if number not in met]
    order = {"new": 0, "changed": 1, "gone": 2, "same": 3}
    return sorted([*changes, *gone], key=lambda one: (order[one["state"]], -level_rank(one["level"]), one["host"]))


def _change(row: IncidentRow, old: list[IncidentRow]) -> IncidentChange:
    alerts = set(row["alerts"])
    known = {alert for one in old for alert in one["alerts"]}
    level = max((one["level"] for one in old), key=level_rank, default="")
    change: IncidentChange = {
        "state": "new", "incident_id": row["incident_id"], "before": [one["incident_id"] for one in old],
        "host": row["host"], "title": row["title"], "level": row["level"], "level_before": level,
        "new_alerts": len(alerts - known), "gone_alerts": len(known - alerts),
        "new_users": _more(row["users"], (one["users"] for one in old)),
        "new_indicators": _more(_indicators(row), map(_indicators, old)),
        "new_stores": _more(_stores(row), map(_stores, old)),
        "remark": f"{len(old)} incidents became one." if len(old) > 1 else ""}
    if old:
        grew = (change["new_alerts"] or change["gone_alerts"] or change["new_users"] or change["new_indicators"]
                or change["new_stores"] or change["remark"])
        change["state"] = "changed" if grew or level != row["level"] else "same"
    return change


def _gone(row: IncidentRow, host: HostChange | None) -> IncidentChange:
    remark = ""
    if host and host["state"] == "no longer reports":
        remark = "Its host no longer reports, so nothing can be said of it."
    elif host and host["lost"]:
        remark = f"Its host no longer sends {', '.join(host['lost'])}."
    return {"state": "gone", "incident_id": row["incident_id"], "before": [row["incident_id"]], "host": row["host"],
            "title": row["title"], "level": row["level"], "level_before": row["level"], "new_alerts": 0,
            "gone_alerts": len(row["alerts"]), "new_users": [], "new_indicators": [], "new_stores": [],
            "remark": remark}


def _more(now: list[str], then: Iterable[list[str]]) -> list[str]:
    known = {one for each in then for one in each}
    return [one for one in dict.fromkeys(now) if one not in known]


def _indicators(row: IncidentRow) -> list[str]:
    return [one["defanged"] for one in row["indicators"]]


def _stores(row: IncidentRow) -> list[str]:
    return [" ".join(filter(None, (one["product"], one["state"], one["user"] and f"({one['user']})")))
            for one in row["stores"] if one["state"] in ("observed", "presumed")]


def _rules(before: Document, after: Document) -> list[RuleChange]:
    """Only ids and names are kept of the alerts."""
    rules: dict[str, tuple[str, str]] = {}
    counts = []
    ids = [{alert["alert_id"] for alert in one["alerts"]} for one in (before, after)]
    for document, others in ((before, ids[1]), (after, ids[0])):
        counted: Counter[str] = Counter()
        for alert in document["alerts"]:
            if alert["alert_id"] not in others:
                counted[alert["rule_id"]] += 1
                rules[alert["rule_id"]] = (alert["title"], alert["level"])
        counts.append(counted)
    changes: list[RuleChange] = [
        {"rule_id": rule, "title": title, "level": level, "new": counts[1][rule], "gone": counts[0][rule]}
        for rule, (title, level) in rules.items()]
    return sorted(changes, key=lambda one: (-level_rank(one["level"]), -one["new"], one["title"], one["rule_id"]))


def _hosts(before: Document, after: Document) -> list[HostChange]:
    then, now = _channels(before), _channels(after)
    changes: list[HostChange] = []
    for key, (host, channels) in then.items():
        lost = sorted(channels - now[key][1] if key in now else channels)
        if lost or key not in now:
            changes.append({"host": host, "state": "reports less" if key in now else "no longer reports", "lost": lost})
    changes += [{"host": host, "state": "new", "lost": []} for key, (host, _) in now.items() if key not in then]
    return changes


def _channels(document: Document) -> dict[str, tuple[str, set[str]]]:
    """By host in lower case: its name, and the channels that gave records."""
    found: dict[str, tuple[str, set[str]]] = {}
    for row in document["coverage"]:
        channels = {one["channel"] for one in row["channels"] if one["records"]}
        if channels:
            found.setdefault(row["host"].lower(), (row["host"], set()))[1].update(channels)
    return found


def _notes(before: Document, after: Document) -> Iterable[str]:
    old, new = before["provenance"], after["provenance"]
    if (old["version"], old["rules_hash"]) != (new["version"], new["rules_hash"]):
        yield "The two hunts used different rules or versions: an alert may be new because its rule is."
    if old["finished"] > new["finished"]:
        yield "The first hunt is the later one; were they meant the other way round?"
    began, begins = before["summary"]["first_event"], after["summary"]["first_event"]
    if began and begins and begins > began:
        yield f"The second hunt's events begin later ({begins}): what was before then is not gone, it was not read."
    for word, document in (("first", before), ("second", after)):
        if document["summary"]["partial"]:
            yield f"The {word} hunt is partial: something may only look new or gone."


def is_at_least(level: str, least: str) -> bool:
    """Whether a level, which may be empty, is at or above another."""
    return bool(level) and LEVELS.index(level) >= LEVELS.index(least)
