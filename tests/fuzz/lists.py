"""Files of placeholders, and rules under `expand` that use what is in them.

A file is read or refused with a line. A rule whose value is nothing but a placeholder must then say what the same rule
says with the list written into it, and a placeholder inside an expression must find each of its values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from random import Random

from douse.detection.language.decision import decision
from douse.detection.language.documents import Mistake, Node
from douse.detection.language.placeholders import MAX_VALUES, Lists, NoList, read_placeholders
from douse.detection.reference import Term
from douse.detection.view import View
from douse.errors import RuleError
from fuzz import documents
from fuzz.documents import BORDER
from fuzz.mutate import TEXT
from fuzz.target import EVENTS, Target, check_error, folder, one_event, text_of

MOST_NAMES, MOST_VALUES = 2, 4
"""How much of a file is tried in rules."""

_NAME = re.compile(r"[^%\\\s*?][^%\\*?]*")
"""What may stand between two percent signs of a value: no wildcard, at which the value falls into parts."""


def placeholders(data: bytes) -> None:
    """Read the files of an input, then use each of their lists."""
    lists = lists_of(data)
    for name, values in lists.items():
        assert type(name) is str
        assert type(values) is tuple
        assert all(type(value) is str for value in values)
    for name in list(lists)[:MOST_NAMES]:
        _use(name, lists)


def lists_of(data: bytes) -> Lists:
    """The lists of an input's files, none where one of them is refused."""
    pieces = data.split(BORDER, 2)
    paths = [folder() / f"lists{number}.yml" for number in range(len(pieces))]
    for path, piece in zip(paths, pieces, strict=True):
        path.write_bytes(piece)
    try:
        return read_placeholders(*paths)
    except RuleError as error:
        name = error.where.rpartition(":")[0]
        check_error(error, name, text_of(Path(name).read_bytes()))
        return {}


_OTHERS = (("User|re|i|expand", "a@.*"), ("CommandLine|expand|contains", "a@b*@"),
           ("CommandLine|windash|expand", "x -@"), ("DestinationIp|cidr|expand", "@"))
"""Other lines that a placeholder may stand in; that they are read or refused is all that is asked of them."""


def _use(name: str, lists: Lists) -> None:
    values = lists[name]
    made = [_term({line: pattern.replace("@", f"%{name}%")}, lists) for line, pattern in (
        ("User|expand", "@"), ("User|re|expand", "^(?:@)$"), _OTHERS[len(values) % len(_OTHERS)])]
    if not _NAME.fullmatch(name):
        return
    if not values or len(values) > MAX_VALUES:
        assert made[0] is None
        return
    assert made[0] is not None, "a list that is there is not found"
    written_out = _term({"User": list(values)}, {})
    assert written_out is not None
    known = [view for value in values[:MOST_VALUES] for view in (_user(value), _user(value.upper() + "x"))]
    for view in (*(View(event) for event in EVENTS), *known):
        assert made[0].holds(view) is written_out.holds(view), (name, view.raw["User"])
    if made[1] is not None:
        for value in values[:MOST_VALUES]:
            assert made[1].holds(_user(value)), f"an expression does not find {value!r}"


def _term(lines: Mapping[str, Node], lists: Lists) -> Term | None:
    try:
        return decision("detection", {"s": dict(lines), "condition": "s"}, lists)
    except (NoList, Mistake):
        return None


def _user(text: str) -> View:
    return View(one_event({"User": text}))


SEEDS = (b"""\
# Who may do it
admins: [anna, 'CORP\\adm_*', 'b?b']
'%ports%': [80, 443, 0x50]
networks:
  - 10.0.0.0/8
  - fe80::/10
one: alone
""", b"""\
flags: [true, false, 1.5]
---
admins: ['a.b(c)*', '\\*', '%admins%', '', '-x']
empty: []
""", b"servers: [a]\n" + BORDER + b"servers: [b]\nServers: [c]\n")

_WORDS = (b"admins", b"%admins%", b"%", b"%%", b": ", b"[", b"]", b"- ", b"\n", b"\n---\n", b"null", b"true", b"0x10",
          b"1.5", b"*", b"?", b"\\", b"\\\\", b"\\*", b"'", b'"', b"&a ", b"*a", b"!!str ", b"{", b"}", b"# ", b"  ",
          b"\xef\xbb\xbf", b"\xff", b"10.0.0.0/8", b"(", b")", b"|", b"<<: ", BORDER, b"[[a]]", b"\xe2\x80\xa8",
          b"\xc3\x9f", b"\x00", b"\xed\xa0\x80")
_VALUES = ("anna", "CORP\\adm_*", "b?b", "", "-", "%b%", "%admins%", "10.0.0.0/8", "80", "0x50", "(", "a|b", "\\",
           "\\*", "\u1e9e", "\u0130", "x" * 300, "a\nb", "\U0001f600", "-x", "/y", "\u2028", 80, 1.5, True,
           "^", "\x00", "$")


def _lists(random: Random) -> bytes | None:
    if random.random() < 0.4:
        return None
    names = ("admins", "%b%", "Admins", "a b", "", "%", "nets", "\u1e9e", "0")
    texts = []
    for _ in range(random.choice((1, 2))):
        made = {random.choice(names): documents.maybe(random, random.choices(_VALUES, k=random.randint(0, 5)))
                for _ in range(3)}
        texts.append(documents.as_text([made]))
    return BORDER.join(text.encode("utf-8", "surrogatepass") for text in texts)


LISTS: Mapping[str, Target] = {
    "placeholders": Target(lambda: SEEDS, _WORDS, TEXT, placeholders, fresh=_lists),
}
