"""A saved hunt (`--format json` or `jsonl`) becomes a Document again, checked as a stranger's file is: it may be one.

    read_document("case-42/hunt.json")      the same Document that wrote it

Each row must be as schema.py says, with the words and times of ours; an error names the file and the place in it.
Documents of versions that did not know a key get it empty. Alerts stay bytes and become rows when they are asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import msgspec

from douse.errors import EvidenceError
from douse.model import LEVELS
from douse.report.on_demand import Rows
from douse.report.schema import (
    SCHEMA,
    AlertRow,
    AllowanceRow,
    CoverageRow,
    Document,
    ErrorRow,
    HostRow,
    IncidentRow,
    ProcessRow,
    ProvenanceRow,
    SummaryRow,
    SuppressedRow,
)

T = TypeVar("T")
Raws = list[msgspec.Raw]

_LISTS: Final[Mapping[str, tuple[str, Any]]] = {
    "alert": ("alerts", AlertRow), "incident": ("incidents", IncidentRow), "host": ("hosts", HostRow),
    "suppressed": ("suppressed", SuppressedRow), "allowance": ("allowances", AllowanceRow),
    "coverage": ("coverage", CoverageRow), "error": ("errors", ErrorRow)}
"""The kind of a row -> the list of the document that it stands in, and its type."""
_ADDED: Final[Mapping[Any, Mapping[str, Any]]] = {
    IncidentRow: {"asset": None, "impact": [], "impact_reason": "", "tactics": [], "stores": [], "rotation": [],
                  "attribution": None, "indicators": [], "plan": [], "controls": [], "lessons": []},
    CoverageRow: {"asset": None},
    SummaryRow: {"alerts_suppressed": 0, "rules_skipped": 0, "interrupted": False, "highest_level": ""},
    ProvenanceRow: {"attack_version": "", "lists": []}}
"""Keys that came after the first documents of the schema, and what they are where a document has none."""
_ADDED_LISTS: Final = frozenset({"hosts", "suppressed", "allowances"})
_TIMES: Final = frozenset({"time", "first_seen", "last_seen", "started", "finished", "first_event", "last_event"})
_LEVELS: Final = frozenset(LEVELS)
_NO_HUNT: Final = "is no saved hunt."
_SAVE: Final = "Give a file that `douse hunt --format json` or jsonl wrote."


def read_document(path: str) -> Document:
    """The document of a file, of standard input for "-". Raises EvidenceError where it cannot be read as one."""
    where = "standard input" if path == "-" else path
    try:
        data = _utf8(sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its text is no Unicode"
        raise EvidenceError(where, f"cannot be read: {reason}.", _SAVE) from error
    return parse(data, where)


def parse(data: bytes, where: str) -> Document:
    """The document of the bytes of a JSON or JSON Lines file."""
    lines = data.split(b"\n", 1)
    try:
        first = _object(lines[0], f"{where}:1")
    except EvidenceError:
        first = {}  # a document over several lines
    if first and first.get("kind") != msgspec.Raw(b'"hunt"') and "incidents" not in first:
        return _of_lines(data, where)
    top = _object(data, where)
    _refuse_foreign(top, where)
    lists = {}
    for name, _ in _LISTS.values():
        if name not in top and name not in _ADDED_LISTS:
            raise EvidenceError(where, f"lacks {name}.", _SAVE)
        raws = _typed(top.get(name, msgspec.Raw(b"[]")), Raws, f"{where}: {name}")
        lists[name] = [(f"{where}: {name}[{number}]", raw) for number, raw in enumerate(raws)]
    return _document(lists, top, where)


def _of_lines(data: bytes, where: str) -> Document:
    lists: dict[str, list[tuple[str, msgspec.Raw]]] = {name: [] for name, _ in _LISTS.values()}
    last: dict[str, msgspec.Raw] | None = None
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        place = f"{where}:{number}"
        row = _object(line, place)
        kind = _typed(row.get("kind", msgspec.Raw(b'""')), str, f"{place}: kind")
        if last is not None:
            raise EvidenceError(place, "stands behind the summary, which is the last row.", "Give one hunt a file.")
        if kind == "summary":
            last = {**row, "summary": msgspec.Raw(line), "kind": msgspec.Raw(b'"hunt"')}
        elif kind in _LISTS:
            lists[_LISTS[kind][0]].append((place, msgspec.Raw(line)))
        else:
            raise EvidenceError(place, f"is no row of a hunt (kind {kind[:40]!r}).", _SAVE)
    if last is None:
        raise EvidenceError(where, "ends without the summary: it was cut off, or is no saved hunt.", _SAVE)
    _refuse_foreign(last, where)
    return _document(lists, last, where)


def _document(lists: Mapping[str, list[tuple[str, msgspec.Raw]]], top: Mapping[str, msgspec.Raw],
              where: str) -> Document:
    made: dict[str, Any] = {"kind": "hunt", "schema": SCHEMA}
    for name, kind in _LISTS.values():
        found = lists[name]
        for place, raw in found:
            _row(raw, kind, place)
        rows = Rows([raw for _, raw in found], partial(_row, kind=kind, where=where))
        made[name] = rows if name in ("alerts", "suppressed") else list(rows)
    for name, kind in (("summary", SummaryRow), ("provenance", ProvenanceRow)):
        if name not in top:
            raise EvidenceError(where, f"lacks {name}.", _SAVE)
        made[name] = _row(top[name], kind, f"{where}: {name}")
    made["notes"] = _typed(top.get("notes", msgspec.Raw(b"[]")), list[str], f"{where}: notes")
    return cast("Document", {key: made[key] for key in Document.__annotations__})


def _refuse_foreign(top: Mapping[str, msgspec.Raw], where: str) -> None:
    schema = _typed(top.get("schema", msgspec.Raw(b'""')), str, f"{where}: schema")
    kind = _typed(top.get("kind", msgspec.Raw(b'""')), str, f"{where}: kind")
    if schema == SCHEMA and kind == "hunt":
        return
    if schema.startswith("douse.hunt/"):
        raise EvidenceError(where, f"has schema {schema[:40]}; this version of Douse reads {SCHEMA}.",
                            "Render it with the version that wrote it, or hunt again.")
    raise EvidenceError(where, _NO_HUNT if not schema else f"has schema {schema[:40]}, which is no hunt.", _SAVE)


def _row(raw: msgspec.Raw, kind: Any, where: str) -> Any:
    """A row of a type, with the keys it may lack; times and levels must be ours."""
    values = _object(raw, where)
    for name, value in _ADDED.get(kind, {}).items():
        values.setdefault(name, msgspec.Raw(msgspec.json.encode(value)))
    row = _typed(msgspec.Raw(msgspec.json.encode(values)) if kind in _ADDED else raw, kind, where)
    _check(row, where)
    if kind is IncidentRow:
        _check_tree(row["processes"], f"{where}.processes")
    return row


def _check_tree(rows: Sequence[ProcessRow], where: str) -> None:
    """Raise where a process has a parent that is not in the list, or is its own ancestor."""
    known: set[int | None] = {None}
    for number in range(len(rows)):
        path: dict[int, None] = {}
        at: int | None = number
        while at is not None and at not in known:
            if at in path or not 0 <= at < len(rows):
                raise EvidenceError(f"{where}[{number}].parent", "leads to no process at the root.", _SAVE)
            path[at] = None
            at = rows[at]["parent"]
        known.update(path)


def _check(value: Any, where: str) -> None:
    """Raise where a time is none, or a level no word of ours. What an event has in its fields is not ours."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            _check(item, f"{where}[{number}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in _TIMES and item is not None:
                _check_time(item, f"{where}.{name}")
            elif name in ("level", "highest_level") and item not in _LEVELS and (
                    item or (name == "level" and value.get("kind") != "host")):
                raise EvidenceError(f"{where}.{name}", f"is no level: {item[:40]!r}.", f"Known: {', '.join(LEVELS)}.")
            elif name == "alerts_by_level":
                _check_levels(item, f"{where}.{name}")
            elif name != "fields":
                _check(item, f"{where}.{name}")


def _check_levels(counts: Mapping[str, int], where: str) -> None:
    if set(counts) != _LEVELS:
        raise EvidenceError(where, "has not the levels of ours.", f"Known: {', '.join(LEVELS)}.")


def _check_time(text: str, where: str) -> None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or not text.endswith("Z"):
        raise EvidenceError(where, f"is no time in UTC: {text[:40]!r}.", "It must read like 2026-11-18T09:14:02Z.")


def _object(data: bytes | msgspec.Raw, where: str) -> dict[str, msgspec.Raw]:
    return _guarded(lambda: msgspec.json.decode(data, type=dict[str, msgspec.Raw]), where)


def _typed(raw: msgspec.Raw, kind: type[T], where: str) -> T:
    return _guarded(lambda: msgspec.json.decode(raw, type=kind), where)


def _guarded(decode: Callable[[], T], where: str) -> T:
    try:
        return decode()
    except msgspec.ValidationError as error:
        raise EvidenceError(where, f"is not as a saved hunt has it: {error}.", _SAVE) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, OverflowError) as error:
        raise EvidenceError(where, f"is no JSON, or was cut off: {error}.", _SAVE) from error


def _utf8(data: bytes) -> bytes:
    """The bytes without a byte order mark; PowerShell 5 redirects in UTF-16."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16").encode("utf-8")
    return data.removeprefix(b"\xef\xbb\xbf")


def narrowed(document: Document, wanted: str) -> Document:
    """The document with one incident, its alerts and its host; `wanted` is its id, or a beginning that only it has.

    Raises EvidenceError where none or several begin so. Losses, notes and provenance stay, as they are of the run.
    """
    found = [one for one in document["incidents"] if one["incident_id"].startswith(wanted.lower())] if wanted else []
    if len(found) != 1:
        known = ", ".join(one["incident_id"] for one in (found or document["incidents"])[:10])
        what = f"begins {len(found)} incidents." if found else "is no incident of this hunt."
        raise EvidenceError(f"--incident {wanted[:60]}", what, f"Known: {known}." if known else "It has none.")
    incident = found[0]
    ids = frozenset(incident["alerts"])
    alerts = _of_ids(document["alerts"], ids)
    by_level = dict.fromkeys(LEVELS, 0)
    for alert in alerts:
        by_level[alert["level"]] += 1
    summary = {**document["summary"], "incidents": 1, "alerts": len(alerts), "alerts_by_level": by_level,
               "alerts_suppressed": 0}
    note = f"This is one of {len(document['incidents'])} incidents of the hunt; what is not of it was left out."
    return cast("Document", {
        **document, "summary": summary, "incidents": found, "alerts": alerts, "suppressed": [], "allowances": [],
        "hosts": _of_host(document["hosts"], incident["host"]),
        "coverage": _of_host(document["coverage"], incident["host"]),
        "notes": [*document["notes"], note]})


def _of_host(rows: Iterable[Any], host: str) -> list[Any]:
    return [row for row in rows if row["host"].lower() == host.lower()]


def _of_ids(alerts: Sequence[AlertRow], ids: frozenset[str]) -> Sequence[AlertRow]:
    positions = [number for number, alert in enumerate(alerts) if alert["alert_id"] in ids]
    return alerts.chosen(positions) if isinstance(alerts, Rows) else [alerts[number] for number in positions]
