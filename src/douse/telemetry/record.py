"""A nested record whose parts are decoded when they are asked for: first its data, all its fields only if that is not
enough.

Nearly every question about a record is about its EventData, which costs 1 µs to decode; System with all its attributes
under Sigma's names costs 10. So `data` has what EventData and UserData give, and a name that System may give too
(model.may_be_elsewhere) is looked up in all `fields`. Both agree: data is a part of fields, names and values alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Final, NamedTuple

import msgspec

from douse.model import Event, Source, Value, may_be_elsewhere
from douse.telemetry.fields import ATTRIBUTES, NO_NAMES, SYSTEM_WINS, Fields, add_hashes, data_fields
from douse.telemetry.system import NOTHING, Head, fields_beside_data, fields_of

_MAX_KNOWN: Final = 1_000
"""Sets of field names that are remembered; logs have a handful for each event id."""

_MAX_CHARACTERS: Final = 8_192
"""Characters that names may have together to be remembered; those of Windows' longest record have some 2,000."""

_Int = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
_decode_plain = msgspec.json.Decoder(dict[str, str | _Int | bool | None]).decode


class NestedEvent(Event):
    """An Event of a record's JSON text, of which EventData and UserData are still undecoded JSON."""

    __slots__ = ("_asked", "_data", "_event_data", "_text", "_user_data")

    def __init__(self, head: Head, event_data: msgspec.Raw, user_data: msgspec.Raw, source: Source,
                 text: str) -> None:
        self.channel, self.event_id, self.host, self.provider, self.record_id, self.time, _, _ = head
        self._event_data, self._user_data, self.source, self._text = event_data, user_data, source, text
        self._fields: Fields | None = None
        self._folded: dict[str, str] | None = None
        self._data: Fields | None = None
        self._asked = False

    @property
    def fields(self) -> Fields:
        if self._fields is None:
            data = self.data
            if data is None:
                self._fields = fields_of(self._text)
            else:
                self._fields = fields_beside_data(self._text) | data
                add_hashes(self._fields)
        return self._fields

    @property
    def data(self) -> Fields | None:
        if not self._asked:
            self._asked = True
            self._data = _data_of(self._event_data, self._user_data)
        return self._data

    @property
    def text_as_read(self) -> str:
        return self._text

    def name_of(self, name: str) -> str | None:
        data = self.data
        if data is None:
            return super().name_of(name)
        if name in data:
            return name
        return super().name_of(name) if may_be_elsewhere(name) else _names(data).folded.get(name.lower())

    def get(self, name: str) -> Value:
        data = self.data
        if data is not None:
            if name in data:
                return data[name]
            if not may_be_elsewhere(name):
                spelled = _names(data).folded.get(name.lower())
                return None if spelled is None else data[spelled]
        return super().get(name)


def nested_event(head: Head, source: Source, text: str) -> Event:
    """The event of a record's text and its Head."""
    if head.event_data is not None and head.user_data is not None:
        return NestedEvent(head, head.event_data, head.user_data, source, text)
    return Event(channel=head.channel, event_id=head.event_id, time=head.time, host=head.host, provider=head.provider,
                 record_id=head.record_id, source=source, decode=partial(fields_of, text))


def _data_of(event_data: msgspec.Raw, user_data: msgspec.Raw) -> Fields | None:
    """What a record's data give; None where that cannot be told without its System part, or not in this quick way."""
    if event_data is not NOTHING and user_data is not NOTHING:
        return None
    data = _plain(event_data)
    if data is None:
        try:
            data = data_fields(msgspec.json.decode(event_data), msgspec.json.decode(user_data))
        except (msgspec.DecodeError, RecursionError):  # such as a number beyond all bounds, which a Head passes over
            return None
    return None if SYSTEM_WINS & data.keys() else data


def _plain(event_data: msgspec.Raw) -> Fields | None:
    """The data as they stand, which most are: texts and numbers under names that are fields' names already."""
    try:
        data = _decode_plain(event_data)
    except (msgspec.DecodeError, RecursionError):
        return None
    return data if _names(data).plain else None  # type: ignore[return-value]  # a dict of fewer kinds of value


class _Names(NamedTuple):
    """Whether names are what fields are called, with no work to do, and each by its lower case."""

    plain: bool
    folded: dict[str, str]


def _names(data: Mapping[str, object]) -> _Names:
    """What there is to know of the names of data; remembered, because records of one kind have the same ones."""
    names = tuple(data)
    known = _known.get(names)
    if known is None:
        plain = not any(name in NO_NAMES or name == ATTRIBUTES or " " in name for name in names)
        known = _Names(plain, {name.lower(): name for name in names})
        if len(names) + sum(map(len, names)) <= _MAX_CHARACTERS:
            if len(_known) >= _MAX_KNOWN:
                _known.clear()
            _known[names] = known
    return known


_known: dict[tuple[str, ...], _Names] = {}
