"""Turn a record into Sigma field names: a decoded System/EventData/UserData document in, a dict out.

Decisions (each has its test):
- System attributes join with "_" (Provider_Name, Execution_ProcessID, Security_UserID); EventID is an int without its
  Qualifiers, which become EventID_Qualifiers; namespaces (xmlns) are dropped; an empty <Security/> gives no field.
- EventData names lose their blanks ("Threat Name" is ThreatName). Unnamed <Data> become one list, `Data`.
  UserData lies one level deeper and is flattened; a deeper structure gives its leaf names, the first of a name wins.
- Data wins over System on the same name, except EventID and Provider_Name. So in event 104 the field `Channel` is the
  log that was cleared, while Event.channel stays System's.
- Values stay as the log has them: pids decimal or hex, GUIDs with or without braces, numbers as text or not, null as
  None. How they compare is detection's affair. Only EventID and EventRecordID are made ints.
- Sysmon's `Hashes` (event 15: `Hash`) stays, and Imphash, md5, sha1, sha256 are added from it, for rules that ask so.
- Of RenderingInfo (forwarded logs) only the Message is kept.
The counterpart for JSON without System and EventData is flattened.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from douse.model import Value

Fields = dict[str, Value]

SYSTEM_WINS: Final = frozenset({"EventID", "Provider_Name"})
HASH_FIELDS: Final = ("Hashes", "Hash")
HASH_NAMES: Final = {"IMPHASH": "Imphash", "MD5": "md5", "SHA1": "sha1", "SHA256": "sha256"}
ATTRIBUTES: Final = "#attributes"
_TEXT: Final = "#text"
_SEPARATE: Final = "_attributes"  # evtx_dump --separate-json-attributes writes Provider_attributes beside Provider
NO_NAMES: Final = ("Data", _TEXT)
_MAX_DEPTH: Final = 50
_WIDEST: Final = 64


def nested_fields(event: Mapping[str, Any]) -> Fields:
    """The fields of a decoded record: what lies under its key `Event`."""
    fields: Fields = {}
    _add_system(event.get("System"), fields)
    for name, section in event.items():
        if name == "EventData":
            _add_data(section, fields)
        elif name == "UserData":
            _add_user_data(section, fields)
    rendering = event.get("RenderingInfo")
    if isinstance(rendering, dict) and isinstance(rendering.get("Message"), str):
        fields.setdefault("Message", rendering["Message"])
    add_hashes(fields)
    return fields


def system_fields(system: object) -> Fields:
    """The fields of a record's System part."""
    fields: Fields = {}
    _add_system(system, fields)
    return fields


def data_fields(event_data: object, user_data: object) -> Fields:
    """The fields of a record that are not System's: those of its EventData, of its UserData."""
    fields: Fields = {}
    _add_data(event_data, fields)
    _add_user_data(user_data, fields)
    return fields


def integer(value: object, otherwise: int = 0) -> int:
    """A number that a log may have written as a number, as text, or with a fraction of nothing (4688.0, as tables do);
    one beyond 64 bits is none of Windows."""
    if isinstance(value, int):
        number = int(value)
    elif isinstance(value, str | float):
        try:
            number = int(value) if isinstance(value, str) else _whole(value, otherwise)
        except ValueError:
            number = _whole(value, otherwise)
    else:
        return otherwise
    return number if number.bit_length() <= _WIDEST else otherwise


def _whole(value: str | float, otherwise: int) -> int:
    try:
        number = float(value)
    except ValueError:
        return otherwise
    return int(number) if number.is_integer() else otherwise


def scalar(value: object) -> Value:
    """A JSON value as a field's value: an element becomes its text, a list becomes texts, a structure stays out."""
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return hex(value) if value.bit_length() > _WIDEST else value  # Python refuses to write out thousands of digits
    if value is None or isinstance(value, float):
        return value
    if isinstance(value, dict):
        text = value.get(_TEXT)
        return None if isinstance(text, dict) else scalar(text)
    if isinstance(value, list):
        return _texts(value)
    return str(value)


def _texts(items: list[Any]) -> list[str]:
    """The texts of a list and of all lists in it, in their order, whose nesting a log may choose: hence no recursion,
    and no text made of a list, which would double with each level."""
    texts: list[str] = []
    waiting = items[::-1]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            item = item.get(_TEXT)
        if isinstance(item, list):
            waiting += reversed(item)
        else:
            texts.append(_text(item))
    return texts


def add_hashes(fields: Fields) -> None:
    """Add Imphash, md5, sha1 and sha256 from Sysmon's `SHA256=...,IMPHASH=...`, where the record has no such field."""
    for source in HASH_FIELDS:
        listed = fields.get(source)
        if isinstance(listed, str) and "=" in listed:
            for entry in listed.split(","):
                kind, _, digest = entry.partition("=")
                name = HASH_NAMES.get(kind.strip().upper())
                if name and digest:
                    fields.setdefault(name, digest.strip())


def _text(item: object) -> str:
    """What is no list as a text; a structure is an empty one."""
    value = None if isinstance(item, dict) else scalar(item)
    return "" if value is None else value if isinstance(value, str) else str(value)


def _elements(section: dict[str, Any]) -> dict[str, Any]:
    """What of a section is elements, not attributes; nearly always all of it."""
    if dict not in map(type, section.values()):
        return section if ATTRIBUTES not in section else {k: v for k, v in section.items() if k != ATTRIBUTES}
    return {name: value for name, value in section.items()
            if name != ATTRIBUTES and not (name.endswith(_SEPARATE) and isinstance(value, dict))}


def _add_system(system: object, fields: Fields) -> None:
    if not isinstance(system, dict):
        return
    for name, value in system.items():  # spelled out for plain text: this runs for every record that a rule reads
        if value.__class__ is str:
            fields[name] = value
        elif isinstance(value, dict):
            attributes = value.get(ATTRIBUTES, {} if _TEXT in value else value)
            if isinstance(attributes, dict):
                _add_attributes(name.removesuffix(_SEPARATE), attributes, fields)
            if _TEXT in value:
                fields[name] = scalar(value)
        elif value is not None:
            fields[name] = scalar(value)
    for name in ("EventID", "EventRecordID"):
        value = fields.get(name)
        if value.__class__ is not int and name in fields:
            fields[name] = integer(value)


def _add_attributes(element: str, attributes: dict[str, Any], fields: Fields) -> None:
    for name, value in attributes.items():
        if name[:5] != "xmlns":
            fields[f"{element}_{name}"] = value if value.__class__ is str else scalar(value)


def _add_data(section: object, fields: Fields) -> None:
    """Add EventData, or the element inside UserData."""
    unnamed: list[str] = []
    added: set[str] = set()
    if isinstance(section, dict):
        _add_elements(section, fields, added, unnamed, 0)
    elif section is not None:
        _add_unnamed(section, fields, added, unnamed)
    if unnamed:
        fields["Data"] = unnamed


def _add_user_data(section: object, fields: Fields) -> None:
    if isinstance(section, dict):
        for inner in _elements(section).values():
            _add_data(inner, fields)


def _add_elements(section: dict[str, Any], fields: Fields, added: set[str], unnamed: list[str], depth: int) -> None:
    for name, value in _elements(section).items():
        if value.__class__ is str and name not in NO_NAMES and name not in added and " " not in name:
            if name not in SYSTEM_WINS or name not in fields:
                added.add(name)
                fields[name] = value
        elif name in NO_NAMES:
            _add_unnamed(value, fields, added, unnamed)
        elif isinstance(value, dict) and _TEXT not in value:
            if depth < _MAX_DEPTH:
                _add_elements(value, fields, added, unnamed, depth + 1)
        else:
            _set(name, value, fields, added)


def _add_unnamed(value: object, fields: Fields, added: set[str], unnamed: list[str]) -> None:
    """Add <Data>: one or many, without a name, or with one where a converter kept the XML's shape."""
    if isinstance(value, dict) and _TEXT in value and isinstance(value[_TEXT], list):
        value = value[_TEXT]
    items: Iterable[object] = value if isinstance(value, list) else [value]
    for item in items:
        name = _name_of(item)
        if name:
            _set(name, item, fields, added)
        elif item is not None:
            unnamed += _texts([item])


def _name_of(item: object) -> str:
    if not isinstance(item, dict):
        return ""
    attributes = item.get(ATTRIBUTES, item)
    name = attributes.get("Name", item.get("@Name")) if isinstance(attributes, dict) else None
    return name if isinstance(name, str) else ""


def _set(name: str, value: object, fields: Fields, added: set[str]) -> None:
    if " " in name:
        name = name.replace(" ", "")
    if name in added or (name in SYSTEM_WINS and name in fields):
        return
    added.add(name)
    fields[name] = scalar(value)
