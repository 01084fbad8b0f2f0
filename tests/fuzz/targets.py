"""What is fuzzed: for each parser its seeds, its words, how to run it, and what must then be true.

`run` raises nothing on any input; what the documentation allows (RuleError as an outcome, Mistake, EvidenceError in a
strict run) is handled here, so every other exception, also a panic of a library, is a defect. Where a second, simple
definition exists, the answers are compared: chunk headers walked by hand, a glob matched by a table, a condition read
by Python, the quick test of a rule with its slow one.
"""

from __future__ import annotations

import fnmatch
import io
import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random

from douse.detection.language.condition import parse_condition
from douse.detection.language.documents import Mistake
from douse.detection.language.parse import CompiledRule, parse_rules
from douse.detection.language.patterns import Glob, glob_test
from douse.detection.language.regex import search
from douse.detection.logsource import alias_table
from douse.detection.reference import All, Any, Item, Not, Selection, Term
from douse.detection.ruleset import RuleSet
from douse.detection.view import View
from douse.errors import EvidenceError, RuleError
from douse.model import Event, Source, Value
from douse.telemetry import Limits, Tally, Wanted, read_stream
from douse.telemetry.chunks import MAX_RECORDS, expected_records
from douse.telemetry.limits import MIB
from fuzz import seeds
from fuzz.mutate import BINARY, TEXT, Material, Mutator, mutated

LIMITS = Limits(max_line=MIB, max_member=8 * MIB, max_unpacked=16 * MIB, ratio_from=MIB)
"""Small ones, so that they are met."""


@dataclass(frozen=True, slots=True)
class Target:
    """One parser."""

    seeds: Callable[[], Sequence[bytes]]
    tokens: Sequence[bytes]
    mutators: Sequence[Mutator]
    run: Callable[[bytes], None]
    marks: Callable[[bytes], Sequence[int]] = lambda seed: ()

    def input(self, random: Random) -> bytes:
        """A seed after some changes."""
        chosen = self.seeds()
        at = random.randrange(len(chosen))
        if random.random() < 0.3 and self.mutators is TEXT:
            return b" ".join(random.choice(self.tokens) for _ in range(random.randint(1, 12)))
        return mutated(chosen[at], self.mutators, random, Material(chosen, self.tokens, self.marks(chosen[at])))


def read(data: bytes, name: str) -> tuple[list[Event], Tally]:
    """Read bytes as a file the user named, decode every record, and check what is true of all input."""
    tally = Tally()
    events = []
    for event in read_stream(io.BytesIO(data), name, Wanted.everything(), tally, LIMITS):
        for key, value in event.fields.items():
            key.encode()
            for text in value if isinstance(value, list) else [value]:
                str(text).encode()
        assert event.time.tzinfo is UTC
        assert 0 <= event.event_id < 1 << 64
        events.append(event)
    assert len(events) == tally.records_read, "each record is counted once"
    assert tally.records_skipped == 0
    assert all(loss.records is None or loss.records >= 0 for loss in tally.losses), tally.losses
    assert tally.records_lost == sum(loss.records or 0 for loss in tally.losses)
    assert events or tally.losses or tally.ignored or tally.notes or not data.strip() or _says_nothing(data), "silent"
    _strict_agrees(data, name, bool(tally.losses))
    return events, tally


def _says_nothing(data: bytes) -> bool:
    """Sound input without a record: an empty array, evtx_dump's heading, an empty log, an archive of nothing."""
    return data[:8] == b"ElfFile\0" or data[:2] == b"PK" or not re.search(
        rb"[^\s,\[\]\x00\xff\xfe\xef\xbb\xbf]", re.sub(rb"Record \d+\s", b"", data))


def _strict_agrees(data: bytes, name: str, lost: bool) -> None:
    """A strict run raises EvidenceError exactly where the other counts a loss, and nothing else."""
    if len(data) > 200_000 or data[-1:] > b"\x40":  # on a part of the inputs, because it doubles the work
        return
    try:
        for _ in read_stream(io.BytesIO(data), name, Wanted.everything(), Tally(strict=True), LIMITS):
            pass
    except EvidenceError:
        assert lost, "strict raised for nothing"
    else:
        assert not lost, "strict let a loss pass"


def stated_by_hand(data: bytes) -> tuple[int, bool]:
    """What the sound chunk headers of an event log state, and whether any header is not sound; written apart from ours.

    MS-EVEN6 keeps first and last record number at 8 and 16, and the same as record ids at 24 and 32.
    """
    total, destroyed = 0, False
    for at in range(seeds.FILE_HEADER, len(data), seeds.CHUNK):
        header = data[at:at + 512]
        numbers = struct.unpack_from("<QQQQ", header, 8) if len(header) == 512 and header[:7] == b"ElfChnk" else ()
        for first, last in (numbers[:2], numbers[2:]) if numbers and header[7] == 0 else ():
            if first == (1 << 64) - 1 or last == first - 1 or first == last == 0:
                break
            if first <= last < first + MAX_RECORDS:
                total += last - first + 1
                break
        else:
            destroyed = True
    return total, destroyed


def evtx(data: bytes) -> None:
    """Read + lost is what the headers that survived state; only a destroyed one makes an extent unknown."""
    events, tally = read(data, "fuzz.evtx")
    if data[:8] != b"ElfFile\0" and data[4096:4104] != b"ElfChnk\0":
        return  # by its content this is another format, or none
    if len(data) < seeds.FILE_HEADER:
        assert not events
        return
    surplus = 0
    for note in tally.notes:
        if found := re.search(r"states (\d+) records and holds (\d+)", note):
            surplus += int(found[2]) - int(found[1])
    stated, destroyed = stated_by_hand(data)
    total = len(events) + tally.records_lost - surplus
    assert total == expected_records(io.BytesIO(data)), "not reconciled with the chunk headers"
    assert total >= stated, "less than the sound headers state"
    unknown = [loss for loss in tally.losses if loss.records is None]
    cut = "the file ends before it"
    assert not unknown or destroyed or all(cut in loss.reason for loss in unknown), "extent unknown without need"


def json_text(data: bytes) -> None:
    """Whatever JSON is strung together."""
    read(data, "fuzz.jsonl")


def archive(data: bytes) -> None:
    """Zip and gz, their members included."""
    read(data, "fuzz.zip" if data[:1] == b"P" else "fuzz.gz")


def one_event(fields: Mapping[str, Value], channel: str = "Microsoft-Windows-Sysmon/Operational",
              event_id: int = 1) -> Event:
    """A record to ask rules about."""
    everything: dict[str, Value] = {"EventID": event_id, "Channel": channel, "Computer": "WS-01", **fields}
    return Event(channel=channel, event_id=event_id, time=datetime(2026, 11, 24, 9, tzinfo=UTC), host="WS-01",
                 provider="p", record_id=1, source=Source("fuzz"), decode=lambda: everything)


EVENTS = (
    one_event({"Image": "C:\\Windows\\System32\\cmd.exe", "CommandLine": "cmd /c powershell -enc aQBlAHgA 10.1.2.3",
               "ParentImage": "C:\\Users\\anna\\x.exe", "User": "CORP\\anna", "ProcessId": 4711, "Empty": "",
               "Null": None, "DestinationIp": "10.1.2.3", "Odd": "\udcff\x00İßK" * 30, "Hashes": "MD5=00"}),
    one_event({"NewProcessName": "C:\\x\\certutil.exe", "NewProcessId": "0x1f4", "Data": ["a", "", "b*c?\\"],
               "SubjectUserName": "anna", "Truth": True, "Float": 1.5}, "Security", 4688),
    one_event({"TargetFilename": "\\" * 2000, "QueryName": "a" * 3000, "ScriptBlockText": "x\n" * 500},
              event_id=11),
)


def rules(data: bytes) -> None:
    """Every document ends as a rule, a reason or a RuleError with a line; a rule set answers as its rules do."""
    text = data.decode("utf-8", "surrogatepass" if data[-1:] == b"x" else "replace") if _decodes(data) else (
        data.decode("latin-1"))
    for outcome in parse_rules(text, "fuzz.yml"):
        if isinstance(outcome, RuleError):
            name, _, line = outcome.where.rpartition(":")
            assert name == "fuzz.yml"
            assert 1 <= int(line) <= len(re.split("\r\n|[\n\r\x85\u2028\u2029]", text)) + 1, outcome.where
            assert outcome.what
            assert "\n" not in outcome.what.strip(), outcome.what
        elif isinstance(outcome, CompiledRule) and outcome.term is not None:
            _ask(outcome)


def _decodes(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _items(term: object) -> Iterator[Item]:
    """The lines of a rule."""
    if isinstance(term, Item):
        yield term
    elif isinstance(term, All | Any):
        for each in term.terms:
            yield from _items(each)
    elif isinstance(term, Not | Selection):
        yield from _items(term.term)


def _ask(rule: CompiledRule) -> None:
    ruleset = RuleSet([rule])
    plain = [View(event) for event in EVENTS]
    for item in {id(item): item for item in _items(rule.term)}.values():
        for view in plain:
            assert item.holds(view) is item.holds_slowly(view), f"{item.field}: not what its definition says"
    for event in EVENTS:
        fired = [alert.rule_id for alert in ruleset.match(event)]
        expected = False
        for route in rule.routes:
            view = View(event, alias_table(route.aliases))
            if route.event_id in (None, event.event_id) and route.channel in ("*", event.channel.lower()) and (
                    route.admits(view)):
                assert rule.term is not None
                expected = expected or rule.term.holds(view)
        assert fired == ([rule.rule.rule_id] if expected else []), "the rule set and the rule disagree"


def _explains(mistake: Mistake) -> None:
    assert mistake.what


@dataclass(frozen=True, slots=True)
class Fixed:
    """A selection that is true or false."""

    value: bool

    def holds(self, view: View) -> bool:
        return self.value

    def why(self, view: View, selection: str) -> object:
        return iter(())

    def event_ids(self) -> None:
        return None


NAMES = ("selection", "selection_a", "selection_b", "filter_main", "filter_x", "_hidden", "notepad", "x1")
_OF = re.compile(r"\b(1|any|all)\s+of\s+([^\s()]+)")


def condition(data: bytes) -> None:
    """What we accept, Python reads the same way, once `1 of x*` is written out."""
    text = data.decode("utf-8", "replace")
    values = {name: bool(len(data) >> at & 1) for at, name in enumerate(NAMES)}
    selections: dict[str, Term] = {name: Fixed(value) for name, value in values.items()}  # type: ignore[dict-item]
    try:
        term = parse_condition(text, selections)
    except Mistake as mistake:
        _explains(mistake)
        return
    plain = _OF.sub(_written_out, text) if len(text) < 4000 else ""
    if re.fullmatch(r"[a-zA-Z0-9_() \t\n]+", plain) and plain == plain.lower():
        said = bool(eval("(" + " ".join(plain.split()) + ")", {"__builtins__": {}}, values))  # noqa: S307 - our words
        assert term.holds(View(EVENTS[0])) is said, text


def _written_out(found: re.Match[str]) -> str:
    pattern = "*" if found[2].lower() == "them" else found[2]
    names = [name for name in NAMES if fnmatch.fnmatchcase(name, pattern.replace("[", "[[]").replace("?", "[?]"))
             and (pattern.startswith("_") or not name.startswith("_"))]
    return "(" + (" or " if found[1] != "all" else " and ").join(names) + ")"


def glob(data: bytes) -> None:
    """A pattern and a text, between them a line feed: our test says what the definition says."""
    pattern, _, text = data.decode("utf-8", "surrogateescape").partition("\n")
    quick = glob_test([Glob.parse(pattern)])(text)
    if len(pattern) * len(text) < 20_000:
        assert quick is _matches(_pieces(pattern), text), (pattern, text)


def _pieces(pattern: str) -> list[str | None]:
    """The characters of a Sigma value, read one by one; None is a star, the empty text a question mark."""
    pieces: list[str | None] = []
    at = 0
    while at < len(pattern):
        escaped = pattern[at] == "\\" and pattern[at + 1:at + 2] in ("\\", "*", "?") and at + 1 < len(pattern)
        at += escaped
        pieces.append(pattern[at] if escaped else {"*": None, "?": ""}.get(pattern[at], pattern[at]))
        at += 1
    return pieces


def _matches(pieces: list[str | None], text: str) -> bool:
    """Whether the whole text matches, by a table over all pairs of places."""
    reached = [True] + [False] * len(text)
    for piece in pieces:
        if piece is None:
            for place in range(1, len(reached)):
                reached[place] = reached[place] or reached[place - 1]
        else:
            reached = [False, *(here and piece in ("", character) for here, character in
                                zip(reached, text, strict=False))]
    return reached[-1]


def expression(data: bytes) -> None:
    """A regular expression and a text, between them a line feed: refused, or answers in linear time."""
    pattern, _, text = data.decode("utf-8", "surrogateescape").partition("\n")
    flags = {flag for at, flag in enumerate("ims") if len(data) >> at & 1}
    try:
        test = search(pattern, flags, at_start=len(data) % 5 == 0, at_end=len(data) % 7 == 0)
    except Mistake as mistake:
        _explains(mistake)
        return
    assert test(text) in (True, False)
    test(text * 20)


def _marks_evtx(seed: bytes) -> Sequence[int]:
    """File header, chunk headers and the record headers in them."""
    found = [0, 24, 42, 120]
    for at in range(seeds.FILE_HEADER, len(seed), seeds.CHUNK):
        found += [at, at, at + 8, at + 24, at + 40, at + 128, at + 384]
    records = [match.start() for match in re.finditer(rb"\x2a\x2a\x00\x00", seed)]
    return found + records + [at + 24 for at in records]


def _marks_zip(seed: bytes) -> Sequence[int]:
    return [match.start() for match in re.finditer(rb"PK\x01\x02|PK\x03\x04|PK\x05\x06|\x1f\x8b\x08", seed)]


_EVTX = (b"\x2a\x2a\0\0", b"ElfChnk\0", b"ElfFile\0", b"\x0f\x01\x01\0", b"\x0c\x01", b"\x00")
_ARCHIVE = (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\0", b"../", b"\xff\xff")
_JSON = (b'{"Event":{', b'{"', b'"}', b"}", b"{", b"[", b"]", b"\n", b",", b'"', b'\\"', b"\\ud800", b"\\u0000",
         b"null", b"true", b"1e999", b"-1", b"NaN", b'"System":', b'"EventData":', b'"UserData":', b'"#text":',
         b'"#attributes":', b'"Data":', b'"EventID":', b'"Channel":', b'"TimeCreated":', b'"SystemTime":',
         b"Record 7\n", b"\xff", b"\x00", b"18446744073709551616", b'"2026-11-24T09:00:00Z"',
         b'"0001-01-01T00:00:00+23:59"', b'"EventTime":', b"[[[[[[")
_SIGMA = (b"|contains", b"|all", b"|re", b"|re|i", b"|cidr", b"|base64offset", b"|wide", b"|windash", b"|fieldref",
          b"|exists", b"|lt", b"|gte", b"|neq", b"|cased", b"|expand", b"|startswith", b"|endswith", b"|minute",
          b"condition: ", b"detection:\n", b"  selection:\n", b"    Image: x\n", b"    - ", b": ", b"\n", b"\n---\n",
          b"  ", b"&a ", b"*a", b"!!python/object ", b"'", b'"', b"|", b">", b"[", b"]", b"{", b"}", b"<<: ",
          b"null", b"true", b"0x14", b"1 of them", b"all of sel*", b" not ", b" and ", b" or ", b"(", b")", b"*",
          b"?", b"\\", b"%a%", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\t", b"# ", b"title: x\n", b"level: high\n",
          b"logsource: {category: dns}\n", b"correlation:", b"filter:", b"action: global\n", b"\xed\xa0\x80")
_CONDITION = (*(name.encode() for name in NAMES), b"and", b"or", b"not", b"(", b")", b"1 of", b"all of", b"any of",
              b"them", b"selection*", b"filter_*", b"_*", b"*", b"AND", b"Not", b"|", b"count()", b"\xff", b"of",
              b"1", b"[a]", b"?")
_GLOB = (b"*", b"?", b"\\", b"\\*", b"\\?", b"\\\\", b"a", b"b", b"aa", b"ab", b"\n", b"*a", b"a*", b"\xff",
         b"\xc3\x9f", b".", b"[", b"(", b"^", b"$", b"+")
_REGEX = (b"(", b")", b"(?:", b"(?=", b"(?i)", b"(?P<n>", b"*", b"+", b"?", b"{2,9}", b"{1000}", b"{1001}", b"[",
          b"]", b"^", b"$", b"|", b".", b"\\d", b"\\w+", b"\\1", b"\\Q", b"\\E", b"\\p{L}", b"\\x{10ffff}", b"\\",
          b"a", b"ab", b"\n", b"(a+)+$", b"(a|a)*", b".*.*.*", b"\xff", b"\xed\xa0\x80", b"[^\\]]", b"\\b",
          b"aaaaaaaaaaaaaaaaaaaaaaaa")


TARGETS: Mapping[str, Target] = {
    "evtx": Target(seeds.evtx_files, _EVTX, BINARY, evtx, _marks_evtx),
    "json": Target(seeds.json_files, _JSON, TEXT, json_text),
    "archive": Target(seeds.archives, _ARCHIVE, BINARY, archive, _marks_zip),
    "rules": Target(seeds.rule_texts, _SIGMA, TEXT, rules),
    "condition": Target(lambda: (b"selection and not 1 of filter_*", b"(selection_a or x1) and not (x1 or not notepad)",
                                 b"all of them", b"not not not selection and (1 of selection* or any of _*)"),
                        _CONDITION, TEXT, condition),
    "glob": Target(lambda: (b"*a?b*c\\*d\nxxaybzzc*d", b"C:\\Windows\\\\*\nC:\\Windows\\x", b"aa*aa*a\naaaaaa", b"\n"),
                   _GLOB, TEXT, glob),
    "regex": Target(lambda: (b"^c:\\\\(users|temp)\\\\.{2,9}\\.exe$\nc:\\temp\\ab.exe", b"(a+)+$\naaaaaaaaaaaaaaaab",
                             b"[a-z]{1,100}\\s*=\\s*\"?\\d+\nabc = 7"), _REGEX, TEXT, expression),
}
