"""Rows without the secrets in their texts; a row of whatever kind in, an equal one with masked texts out."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from douse.masking import mask, mask_named
from douse.report.on_demand import Rows

T = TypeVar("T")


def redacted(row: T) -> T:
    """A row with every text in it masked, keys excepted; what is no text stays the same object."""
    return cast("T", _redacted(row))


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: mask_named(_name(value, key), item) if isinstance(item, str) else _redacted(item)
                for key, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item) for item in value]
    if isinstance(value, Rows):
        return value.mapped(_redacted)
    return value


def _name(row: dict[str, Any], key: str) -> str:
    """What a text is the value of: its key, or the field that the row is about (schema.MatchRow)."""
    return str(row.get("field", key)) if key == "value" else key
