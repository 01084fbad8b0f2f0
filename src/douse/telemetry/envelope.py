"""The answer of a search that holds its hits in an array: where the first hit begins, and what follows the last one.

Elasticsearch answers `{"took": 3, ..., "hits": {"total": ..., "hits": [HIT, HIT]}}`, Splunk `{"preview": false, ...,
"results": [HIT, HIT], "highlighted": {}}`, Defender `{"Schema": [...], "Results": [ROW, ROW]}`, and what Microsoft
streams to storage is `{"records": [EVENT, EVENT]}`. Such an answer is one JSON document of any size, so documents.py
goes past its beginning and reads the hits as if they stood alone; another answer may follow, as the pages of a scroll
do. A key that no such answer has shows that it is something else, and nothing is done. The beginning must lie in the
first MiB; else the answer is read as one document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

_KEYS: Final = frozenset({
    "took", "timed_out", "_shards", "_scroll_id", "pit_id", "num_reduce_phases", "terminated_early", "status",
    "total", "max_score", "is_partial", "is_running", "completion_time_in_millis", "expiration_time_in_millis",
    "start_time_in_millis", "id", "_clusters", "response",
    "preview", "init_offset", "post_process_count", "messages", "fields", "tags", "hits", "results",
    "@odata.context", "stats", "schema", "records",
})
"""What stands in front of the hits, in lower case: the search and async search API of Elasticsearch, the search results
API of Splunk, the advanced hunting API of Defender and of Microsoft Graph."""
_OBJECTS: Final = frozenset({"hits", "response"})
_ARRAYS: Final = frozenset({"hits", "results", "records"})
_KEY: Final = re.compile(r'\s*"([^"\\]{1,64})"\s*:\s*')
_FIRST_HIT: Final = re.compile(r"\[\s*(?=\{)")
_COMMA: Final = re.compile(r"\s*,")
_LEFT: Final = re.compile(r"[\s,}\]]*")
_scan = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode


def may_begin(text: str, start: int) -> bool:
    """Whether a document that begins at `start` has such an answer's first key, so that a closer look is worth it."""
    found = _KEY.match(text, start + 1)
    return found is not None and found[1].lower() in _KEYS


def contents(text: str, start: int) -> int | None:
    """Where the first hit of an answer that begins at `start` begins; None where it is no such answer."""
    at = start + 1
    while found := _KEY.match(text, at):
        key, at = found[1].lower(), found.end()
        first = _FIRST_HIT.match(text, at)
        if first and key in _ARRAYS:
            return first.end()
        if key not in _KEYS:
            return None
        if key in _OBJECTS and text.startswith("{", at):
            at += 1
            continue
        after = _after_value(text, at)
        comma = _COMMA.match(text, after) if after is not None else None
        if comma is None:
            return None
        at = comma.end()
    return None


def is_empty(document: Mapping[str, Any]) -> bool:
    """Whether a document is an answer without hits, such as the last page of a scroll."""
    inner = document.get("hits")
    found = {name.lower(): value for name, value in (inner if isinstance(inner, dict) else document).items()}
    return next(iter(document), "").lower() in _KEYS and any(found.get(name) == [] for name in _ARRAYS)


def rest(text: str, at: int) -> int:
    """How far what follows the last hit goes: closing brackets and further keys with their values."""
    while at < len(text):
        at = _LEFT.match(text, at).end()  # type: ignore[union-attr]  # it matches the empty text
        key = _KEY.match(text, at)
        after = _after_value(text, key.end()) if key else None
        if after is None:
            break
        at = after
    return at


def _after_value(text: str, at: int) -> int | None:
    """Where a JSON value ends; None where it is broken or goes on behind the text."""
    try:
        return _scan(text, at)[1]
    except (ValueError, RecursionError):
        return None
