"""Rows without the secrets in their texts; a row of whatever kind in, an equal one with masked texts out."""

from __future__ import annotations

from typing import Any, TypeVar, cast

from douse.masking import mask
from douse.report.on_demand import Rows

T = TypeVar("T")


def redacted(row: T) -> T:
    """A row with every text in it masked, keys excepted; what is no text stays the same object."""
    return cast("T", _redacted(row))


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {key: _redacted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item) for item in value]
    if isinstance(value, Rows):
        return value.mapped(_redacted)
    return value
