"""The language of rules: a rule file, a condition, a glob, a regular expression.

Each is compared with a second, simple definition: a condition is read by Python, a glob matched by a table, the quick
test of a rule's line with its slow one, a set of rules with each rule asked by itself.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from douse.detection.language.condition import parse_condition
from douse.detection.language.documents import Mistake
from douse.detection.language.parse import CompiledRule, parse_rules
from douse.detection.language.patterns import Glob, glob_test
from douse.detection.language.regex import search
from douse.detection.lint.lint import lint_text
from douse.detection.logsource import alias_table
from douse.detection.reference import All, Any, Item, Not, Selection, Term
from douse.detection.ruleset import RuleSet
from douse.detection.view import View
from douse.errors import RuleError
from douse.model import Event, Match
from fuzz import documents, seeds
from fuzz.mutate import TEXT
from fuzz.target import EVENTS, Target, check_error, text_of


def rules(data: bytes) -> None:
    """Every document ends as a rule, a reason or a RuleError with a line; a rule set answers as its rules do."""
    text = text_of(data)
    for outcome in parse_rules(text, "fuzz.yml"):
        if isinstance(outcome, RuleError):
            check_error(outcome, "fuzz.yml", text)
        elif isinstance(outcome, CompiledRule) and outcome.term is not None:
            _ask(outcome)
    if len(data) % 8 == 0:  # on a part of the inputs, because it takes as long as all the rest
        linted(text, "fuzz.yml")


def linted(text: str, path: str) -> None:
    """The lints say something of a line that is there, or nothing."""
    for finding in lint_text(text, path, broken=True):
        assert finding.message
        assert 1 <= int(finding.where.rpartition(":")[2]) <= len(text.splitlines()) + 1


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
        assert fired == ([rule.rule.rule_id] if fires(rule, event) else []), "the rule set and the rule disagree"


def fires(rule: CompiledRule, event: Event, *more: Term) -> bool:
    """Whether a rule is true of an event, and with it all terms that filters add, by the definition."""
    for route in rule.routes:
        view = View(event, alias_table(route.aliases))
        reads = route.event_id in (None, event.event_id) and route.channel in ("*", event.channel.lower())
        if reads and route.admits(view) and rule.term is not None and all(t.holds(view) for t in (rule.term, *more)):
            return True
    return False


def _explains(mistake: Mistake) -> None:
    assert mistake.what


@dataclass(frozen=True, slots=True)
class Fixed:
    """A selection that is true or false."""

    value: bool

    def holds(self, view: View) -> bool:
        return self.value

    def why(self, view: View, selection: str) -> Iterator[Match]:
        return iter(())

    def event_ids(self) -> None:
        return None


NAMES = ("selection", "selection_a", "selection_b", "filter_main", "filter_x", "_hidden", "notepad", "x1")
_OF = re.compile(r"\b(1|any|all)\s+of\s+([^\s()]+)")


def condition(data: bytes) -> None:
    """What we accept, Python reads the same way, once `1 of x*` is written out."""
    text = data.decode("utf-8", "replace")
    values = {name: bool(len(data) >> at & 1) for at, name in enumerate(NAMES)}
    selections: dict[str, Term] = {name: Fixed(value) for name, value in values.items()}
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


SIGMA = (b"|contains", b"|all", b"|re", b"|re|i", b"|cidr", b"|base64offset", b"|wide", b"|windash", b"|fieldref",
          b"|exists", b"|lt", b"|gte", b"|neq", b"|cased", b"|expand", b"|startswith", b"|endswith", b"|minute",
          b"|hour", b"|week", b"|utf16", b"|ignorecase", b"|m|s",
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

LANGUAGE: Mapping[str, Target] = {
    "rules": Target(seeds.rule_texts, SIGMA, TEXT, rules, fresh=documents.rules),
    "condition": Target(lambda: (b"selection and not 1 of filter_*", b"(selection_a or x1) and not (x1 or not notepad)",
                                 b"all of them", b"not not not selection and (1 of selection* or any of _*)"),
                        _CONDITION, TEXT, condition),
    "glob": Target(lambda: (b"*a?b*c\\*d\nxxaybzzc*d", b"C:\\Windows\\\\*\nC:\\Windows\\x", b"aa*aa*a\naaaaaa", b"\n"),
                   _GLOB, TEXT, glob),
    "regex": Target(lambda: (b"^c:\\\\(users|temp)\\\\.{2,9}\\.exe$\nc:\\temp\\ab.exe", b"(a+)+$\naaaaaaaaaaaaaaaab",
                             b"[a-z]{1,100}\\s*=\\s*\"?\\d+\nabc = 7"), _REGEX, TEXT, expression),
}
