"""Rules and records that hypothesis makes, out of texts that are easily confused with each other.

NESTED are records as an event log has them, and FIELDS_OF_SYSTEM names that may be found in their System part or in
their data, in any case: what is read of the data alone must be what the whole record says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zlib import crc32

from hypothesis import strategies as st

from detection.makers import PROCESS_CREATION, rule_text
from douse.detection.language.parse import CompiledRule, parse_rules

FIELDS = ("CommandLine", "commandline", "Image", "User", "Data")
PIECES = st.sampled_from(["a", "ab", "aB", "ß", "ss", "é", "É", "ſ", "K", "k", "İ", "ı", "\x02", "\x03", "\x02a",
                          "a\x03", "1", "0x1", "01", "-1", "1.0", " ", "\n", "\x00", "\\", "/a", "-a", "."])
TEXTS = st.lists(PIECES, max_size=4).map("".join)
PATTERNS = st.lists(st.one_of(PIECES, st.sampled_from(["*", "?", "\\*", "\\?", "\\\\", "**"])), max_size=5).map("".join)
EXPRESSIONS = st.sampled_from(["a", "^a", "a$", "(?:ab|ss)", "a+b?", "[ab]{2}", "a.b", "ab*", "x|", "\\x61", "(a|b)1",
                               "k", "\\.", "^$", "a|ß", "\x02a", "[^a]", "\\d", "s", "a{2}", "(?i)AB", "\\Bb"])
VALUES = st.one_of(TEXTS, st.none(), st.booleans(), st.integers(-2, 3), st.just(1.0), st.lists(TEXTS, max_size=3))


FIELDS_OF_SYSTEM = ("EventID", "eventid", "Channel", "channel", "Computer", "Provider_Name", "provider_name", "Level",
                    "level", "Version", "Execution_ProcessID", "EventRecordID", "md5", "MD5", "Hashes", "A B", "AB")


def scalars() -> st.SearchStrategy[Any]:
    return st.one_of(PATTERNS, st.none(), st.booleans(), st.integers(-2, 3))


@st.composite
def lines(draw: st.DrawFn) -> tuple[str, Any]:
    """One line of a selection: a field, its modifiers, its values."""
    field = draw(st.sampled_from((*FIELDS, *FIELDS, *FIELDS_OF_SYSTEM)))
    kind = draw(st.sampled_from(["plain", "open", "open", "re", "exists", "fieldref", "compare", "cidr", "null"]))
    words = draw(st.sampled_from(["", "|all", "|neq", "|all|neq"]))
    if kind == "open":
        opened = draw(st.sampled_from(["|contains", "|startswith", "|endswith", "|contains|windash"]))
        cased = draw(st.sampled_from(["", "|cased"]))
        return f"{field}{opened}{cased}{words}", draw(st.lists(PATTERNS, min_size=1, max_size=3))
    if kind == "re":
        flag = draw(st.sampled_from(["", "|i"]))
        return f"{field}|re{flag}{words}", draw(st.lists(EXPRESSIONS, min_size=1, max_size=3))
    if kind == "exists":
        return f"{field}|exists", draw(st.booleans())
    if kind == "fieldref":
        return f"{field}|fieldref{draw(st.sampled_from(['', '|contains']))}", draw(st.sampled_from(FIELDS))
    if kind == "compare":
        return f"{field}|{draw(st.sampled_from(['lt', 'gte']))}", draw(st.integers(-1, 2))
    if kind == "cidr":
        return f"{field}|cidr", ["10.0.0.0/8", "::1/128"]
    if kind == "null":
        return field, None
    cased = draw(st.sampled_from(["", "|cased"]))
    return f"{field}{cased}{words}", draw(st.lists(scalars(), min_size=1, max_size=3))


def maps() -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(lines(), min_size=1, max_size=3).map(dict)


SELECTIONS = st.one_of(maps(), st.lists(maps(), min_size=1, max_size=2),
                       st.lists(PATTERNS.filter(lambda text: text.strip("*?\\") != ""), min_size=1, max_size=2))
CONDITIONS = st.sampled_from(["s1", "not s1", "s1 and s2", "s1 or s2", "s1 and not s2", "not (s1 or s2)", "all of them",
                              "1 of s*", "not 1 of s*", "s1 and not (s2 and not s1)"])
DETECTIONS = st.builds(lambda one, two, condition: {"s1": one, "s2": two, "condition": condition},
                       SELECTIONS, SELECTIONS, CONDITIONS)
RECORDS = st.dictionaries(st.sampled_from([*FIELDS, "Other"]), VALUES, max_size=5)


_DATA = st.dictionaries(
    st.sampled_from((*FIELDS, *FIELDS_OF_SYSTEM, "NewProcessName", "SubjectUserName")),
    st.one_of(VALUES, st.sampled_from(["MD5=1,IMPHASH=ab", 4688, "Security"]),
              st.dictionaries(st.sampled_from(FIELDS), TEXTS, max_size=2)), max_size=5)
_SYSTEM = st.fixed_dictionaries({
    "EventID": st.sampled_from([4688, "4688", 4688.0, {"#attributes": {"Qualifiers": 1}, "#text": 4688}]),
    "Provider": st.sampled_from([{"#attributes": {"Name": "a"}}, {"#attributes": {"Name": ""}}, {"#attributes": {}}]),
    "Computer": st.sampled_from(["a", "PC", ""]), "Channel": st.just("Security"), "EventRecordID": st.just(9),
    "TimeCreated": st.just({"#attributes": {"SystemTime": "2026-03-02T12:00:00.123456Z"}}),
}, optional={"Level": VALUES, "Version": st.integers(0, 2), "Execution": st.just({"#attributes": {"ProcessID": 1}}),
             "Other": TEXTS})
NESTED = st.one_of(
    st.builds(lambda system, data: {"System": system, "EventData": data}, _SYSTEM, _DATA),
    st.builds(lambda system, data: {"System": system, "EventData": data}, _SYSTEM, TEXTS),
    st.builds(lambda system, data: {"System": system, "UserData": {"X": data}}, _SYSTEM, _DATA),
    st.builds(lambda system, one, two: {"System": system, "EventData": one, "UserData": {"X": two}}, _SYSTEM, _DATA,
              _DATA),
    st.builds(lambda system, data: {"System": system, "EventData": data, "RenderingInfo": {"Message": "ab"}}, _SYSTEM,
              _DATA))


def rules_of(detections: list[dict[str, Any]], logsource: Mapping[str, str] = PROCESS_CREATION) -> list[CompiledRule]:
    """Those of the generated rules that are Sigma, each with its own id."""
    rules = []
    for number, detection in enumerate(detections):
        text = rule_text(detection, logsource, id=f"{crc32(repr(logsource).encode()):08x}-1111-4111-8111-{number:012}")
        rules += [rule for rule in parse_rules(text, f"{number}.yml") if isinstance(rule, CompiledRule)]
    return rules
