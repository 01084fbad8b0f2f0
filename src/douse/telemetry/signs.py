"""How the start of a file tells what log or export it is: the first bytes in, yes or no out.

These formats have no magic bytes and often no suffix of their own (`access.log` says nothing), so their first lines
must show what they are; but for JSON and EVENT_ID, each sign is one that no other format has. A few damaged lines may
come first. Only names are asked for that the writer of the log chose, never values, which an attacker may choose.
Called by readers.py on ASCII bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from douse.telemetry.columns import DELIMITERS, PREAMBLE, are_known

_HEAD_LINES: Final = 16
_FEW: Final = 4
_FAR: Final = 32_768
_BOM: Final = b"\xef\xbb\xbf"
_ZEEK: Final = re.compile(  # a header, or a record of conn.log and the like whose header is lost
    rb"#separator \\x|#set_separator\t|#unset_field\t|#fields\tts\t"
    rb"|\d{9,10}\.\d{6}\t[CF][0-9A-Za-z]{9,24}\t[0-9a-f.:]{2,45}\t\d{1,5}\t[0-9a-f.:]{2,45}\t\d{1,5}\t")
_W3C: Final = re.compile(rb"#fields:[^\n]*\s(?:date|time|gmttime|localtime|c-ip|cs-method|cs-uri\S*|sc-status)\b", re.I)
_ADDRESS: Final = rb"[0-9A-Za-z_.:%-]{1,100}"
_SQUID: Final = re.compile(rb"\d{9,10}\.\d{3}\s+-?\d+ " + _ADDRESS + rb" [A-Z][A-Z_]*/(?:\d{3}|-) (?:\d+|-) ")
_ACCESS: Final = re.compile(
    rb"(?:" + _ADDRESS + rb":\d+ )?" + _ADDRESS + rb" \S{1,100} [^\[\"\n]{1,500} "
    rb"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] \"")
_CEF: Final = re.compile(rb"(?:(?:<\d{1,3}>|[A-Z][a-z]{2} |\d{4}-)[^\n{|\"]{0,300}?|[\w.:-]{1,100} )?"
                         rb"CEF: ?\d+\|(?:[^\n|]{0,300}\|){6}")
_JSON: Final = re.compile(rb"[\s\[]{0,200}\{")
_ZEEK_KEY: Final = re.compile(rb'"(?:id\.orig_h|uid|fuid|_path|certificate\.serial|note|orig_h)"\s?:')
_ZEEK_TS: Final = re.compile(rb'"ts"\s?:\s?["\d]')
_STREAMED: Final = re.compile(rb'"category"\s?:\s?"AdvancedHunting-')
_ANSWER: Final = re.compile(rb'"schema"\s?:\s?\[.*?"results"\s?:\s?\[', re.I | re.DOTALL)
_KEY: Final = re.compile(rb'"([A-Za-z]{1,60})"\s?:')
_DELIMITER: Final = re.compile(rb"[,;\t|]")
_CSV: Final = re.compile(
    rb"""(?:\xef\xbb\xbf)?(?:sep=.\s+)?(?:[^\r\n]{0,8000}[,;\t|])?["']?"""
    rb"""(?:Event_?ID|EventCode|event\.code|winlog\.event_id|_raw|Event\ ID)["']?(?:[,;\t|\r\n]|$)""", re.IGNORECASE)
_TIME: Final = frozenset({b"Timestamp", b"TimeGenerated"})
_OF_A_DEVICE: Final = frozenset({b"DeviceName", b"DeviceId", b"AlertId"})
_OF_A_ROW: Final = frozenset({b"ActionType", b"InitiatingProcessFileName", b"EntityType", b"DetectionSource"})


@dataclass(frozen=True, slots=True)
class Sign:
    """What a line of READERS asks, in the words of a regular expression."""

    tells: Callable[[bytes], bool]

    def search(self, start: bytes) -> bool | None:
        """The same as `match`: a sign looks where it must."""
        return self.match(start)

    def match(self, start: bytes) -> bool | None:
        """True where the start of a file shows the format, None where it does not."""
        return self.tells(start) or None


def is_zeek(start: bytes) -> bool:
    """A header of Zeek's tab-separated logs, or a line with the columns that most of them begin with."""
    return any(_ZEEK.match(line) for line in _lines(start, _HEAD_LINES))


def is_w3c(start: bytes) -> bool:
    """A `#Fields:` line that names columns of the W3C format."""
    return any(_W3C.match(line) for line in _lines(start, _HEAD_LINES))


def is_squid(start: bytes) -> bool:
    """A line of Squid's own access.log."""
    return any(_SQUID.match(line) for line in _lines(start, _FEW))


def is_access(start: bytes) -> bool:
    """A line of the common or combined log format."""
    return any(_ACCESS.match(line) for line in _lines(start, _FEW))


def is_cef(start: bytes) -> bool:
    """A CEF record, alone or behind a syslog header."""
    return any(_CEF.match(line) for line in _lines(start, _FEW))


def is_zeek_json(start: bytes) -> bool:
    """A JSON object with Zeek's time and one of its keys; what was shipped on as ECS has other keys."""
    return any(_ZEEK_TS.search(head) and _ZEEK_KEY.search(head) and b'"@timestamp"' not in head
               for head in _json_heads(start))


def is_mde(start: bytes) -> bool:
    """Rows of advanced hunting as JSON, an answer of its API, or its events as they are streamed."""
    return any(_STREAMED.search(head) or _ANSWER.search(head) or _has_columns(_KEY.findall(head))
               for head in _json_heads(start))


def is_mde_csv(start: bytes) -> bool:
    """The header of an export of advanced hunting."""
    header = next(iter(_lines(start, 1)), b"")
    return b"{" not in header and _has_columns(name.strip(b'" \r') for name in _DELIMITER.split(header))


def is_event_csv(start: bytes) -> bool:
    """The header of a table of Windows events, or of one that is known to lack their data."""
    lines = (line.decode("utf-8", "replace") for line in _lines(start, _HEAD_LINES))
    header = next((line for line in lines if line.strip() and not PREAMBLE.fullmatch(line)), "")
    return any(are_known(name.strip("\"' \r") for name in header.split(delimiter)) for delimiter in DELIMITERS)


def is_csv(start: bytes) -> bool:
    """What may be such a header: it has a column for the event id at least."""
    return _CSV.match(start) is not None or is_event_csv(start)


def _lines(start: bytes, most: int) -> list[bytes]:
    return start.removeprefix(_BOM).split(b"\n", most)[:most]


def _json_heads(start: bytes) -> list[bytes]:
    """The first lines that begin a JSON object, each with what follows it."""
    heads: list[bytes] = []
    at = len(_BOM) if start.startswith(_BOM) else 0
    for _ in range(_FEW):
        if _JSON.match(start, at):
            heads.append(start[at:at + _FAR])
        at = start.find(b"\n", at) + 1
        if not at:
            break
    return heads


def _has_columns(names: Iterable[bytes]) -> bool:
    found = frozenset(names)
    return bool(found & _TIME and found & _OF_A_DEVICE and found & _OF_A_ROW)


ZEEK: Final = Sign(is_zeek)
ZEEK_JSON: Final = Sign(is_zeek_json)
MDE_CSV: Final = Sign(is_mde_csv)
MDE: Final = Sign(is_mde)
W3C: Final = Sign(is_w3c)
SQUID: Final = Sign(is_squid)
ACCESS: Final = Sign(is_access)
CEF: Final = Sign(is_cef)
EVENT_CSV: Final = Sign(is_event_csv)
CSV: Final = Sign(is_csv)
JSON: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*(?:Record \d+\s+)?(?:\[\s*)?(?:\{\s*["}]|\[\s*\])')
EXPORT: Final = re.compile(
    rb'(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{(?s:.)*?'
    rb'"(?:(?:winlog|_source|event_data|result|fields)"\s*:\s*\{\s*"|winlog\.\w+"\s*:|_raw"\s*:\s*"'
    rb'|sourcetype"\s*:|Payload"\s*:\s*"\{\\"|(?:event|message|System)"\s*:\s*"<Event'
    rb'|(?:StringInserts|EventData)"\s*:\s*\[)')
EVENT_ID: Final = re.compile(
    rb'"(?:winlog\.)?event_?id"|<EventID\b|\bEventCode=\d|"EventCode"|"LogName"\s*:', re.IGNORECASE)
"""What nearly every Windows event says, and hardly anything else that is JSON."""
XML: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*<(?s:.)*?(?:schemas\.microsoft\.com/win/2004/08/events/event\b|<EventID\b)")
SPLUNK: Final = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*\d\d?/\d\d?/\d{4} \d\d?:\d\d:\d\d(?:\.\d+)? [AP]M\s+(?:\w+=[^\n]*\n){0,5}LogName=")
