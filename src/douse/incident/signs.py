"""Which evidence of an incident fits a sign (content/signs.py): a judged case in, its pieces of evidence out.

A piece is what rules of one kind said of one program; repeats of it are one, with the number of the earliest step. An
attacker can make a host log as much as he likes, so only the earliest MOST pieces are looked at. Names that end up in a
sentence are quoted unless they are plainly one word, because an attacker chooses how his program is called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol, TypeVar

from douse.content.signs import Sign
from douse.incident.case import Case
from douse.incident.entities import command_text, image_name, object_of
from douse.incident.link import Links
from douse.incident.marks import Mark
from douse.incident.places import place, user_writable
from douse.incident.story import store_name
from douse.text import defang

MOST = 2_000
"""Pieces of evidence that are compared; real incidents have some dozens."""

MOST_MARKS = 50
"""Repeats of one piece whose records are read."""

UNNAMED = ("a program", "another program")
"""What stands for a program and a parent whose name no record has."""

_MAX_SAYS = 2_000
_MAX_NAME = 60
_PLAIN_NAME = re.compile(r"[\w.+~()\[\]:-]+")
_SYSTEM_FOLDERS = {"system32": "\\windows\\system32\\", "syswow64": "\\windows\\syswow64\\"}


class Signed(Protocol):
    """Something that has a sign: an entry of a control, an occasion for a lesson."""

    @property
    def sign(self) -> Sign:
        """Which evidence it is about."""


Fit = TypeVar("Fit", bound=Signed)


class Shape(NamedTuple):
    """What a sign asks of evidence but the words of a record: equal for most pieces of many incidents."""

    letter: str
    role: str
    store: str
    techniques: tuple[str, ...]
    program: str
    parent: str
    folder: str

    def fits(self, sign: Sign) -> bool:
        """Whether all that the sign asks of it is true."""
        return (_one_of(self.letter, sign.classes) and _one_of(self.role, sign.roles)
                and _one_of(self.store, sign.stores) and _one_of(self.program, sign.programs)
                and _one_of(self.parent, sign.parents) and (not sign.folder or self.folder == sign.folder)
                and (not sign.techniques or any(own == name or own.startswith(f"{name}.")
                                                for own in self.techniques for name in sign.techniques)))


@dataclass(slots=True)
class Piece:
    """Repeated evidence of one kind: the number of its first step, its first marks, and the program it is about."""

    step: int
    links: Links
    image: str
    parent: str
    marks: list[Mark] = field(default_factory=list)
    _texts: list[str] = field(default_factory=list)
    _words: dict[str, str] = field(default_factory=dict)

    @property
    def first(self) -> Mark:
        """The earliest mark."""
        return self.marks[0]

    @property
    def shape(self) -> Shape:
        """What signs ask of it."""
        mark = self.first
        techniques = mark.alert.techniques if mark.alert else ("T1041",)
        return Shape(mark.letter, mark.role, mark.store, techniques, image_name(self.image).lower(),
                     image_name(self.parent).lower(), _folder(self.image))

    def says(self, sign: Sign) -> bool:
        """Whether its records have the words that the sign asks for, and none of those that must not be there."""
        if not (sign.says or sign.unless):
            return True
        if not self._texts:  # of one piece many signs ask
            self._texts = [_text(mark, self.links) for mark in self.marks]
        return ((not sign.says or any(word in text for text in self._texts for word in sign.says))
                and not any(word in text for text in self._texts for word in sign.unless))

    def words(self) -> Mapping[str, str]:
        """What a sentence can name of it."""
        self._words = self._words or self._named()
        return self._words

    def _named(self) -> dict[str, str]:
        stores = list(dict.fromkeys(filter(None, map(store_name, self.marks))))
        return {"program": quoted(image_name(self.image)) or UNNAMED[0],
                "parent": quoted(image_name(self.parent)) or UNNAMED[1],
                "destination": _destination(self.first) or "the network",
                "store": " and ".join(stores[:2]) if stores and len(stores) < 3 else "several products" if stores
                else "a credential store"}


class Evidence:
    """The pieces of one incident, in the order of their steps."""

    def __init__(self, case: Case) -> None:
        self._case = case

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The pieces; weak signs ask for none."""
        return tuple(sorted(self._found(), key=lambda piece: piece.step))

    def fitting(self, signs: Callable[[Shape], Iterable[Fit]]) -> Iterator[tuple[Piece, Fit]]:
        """Each piece, earliest first, with everything whose sign fits it. `signs` gives what fits a shape and should
        remember it: a host may have thousands of incidents that are alike."""
        for piece in self.pieces:
            for one in signs(piece.shape):
                if piece.says(one.sign):
                    yield piece, one

    def step_of(self, mark: Mark) -> int:
        """The number of the step that the mark is a proof of, 0 if it is none."""
        if mark.alert is not None:
            return self._by_alert.get(mark.alert.alert_id, 0)
        numbers = self._case.numbers((mark,))
        return numbers[0] if numbers else 0

    @cached_property
    def _by_alert(self) -> Mapping[str, int]:
        return {alert_id: number for number, step in reversed(list(enumerate(self._case.steps, 1)))
                for alert_id in step.alert_ids}

    def _found(self) -> list[Piece]:
        pieces: dict[object, Piece] = {}
        for mark in self._case.marks:
            key = _kind(mark)
            piece = pieces.get(key)
            if piece is None and len(pieces) < MOST and (step := self.step_of(mark)):
                pieces[key] = Piece(step, self._case.links, *_images(mark, self._case.links), [mark])
            elif piece is not None and len(piece.marks) < MOST_MARKS:
                piece.marks.append(mark)
        return list(pieces.values())


def quoted(name: str) -> str:
    """A name that an attacker may have chosen: quoted unless it is plainly one word, cut where it is too long."""
    shown = name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME - 1]}…"
    return shown if not shown or _PLAIN_NAME.fullmatch(name) else f'"{shown}"'


def _kind(mark: Mark) -> object:
    """Equal for evidence that is told as one thing."""
    if mark.outbound:
        return "O", mark.process, mark.outbound.address
    return mark.alert and mark.alert.rule_id, mark.process, mark.store, None if mark.process else _actor_image(mark)


def _actor_image(mark: Mark) -> str:
    return mark.placed.actor.image if mark.placed else ""


def _images(mark: Mark, links: Links) -> tuple[str, str]:
    """The program that a mark is about, and its parent: full paths where they are known."""
    if mark.process is None:
        return _actor_image(mark), mark.placed.get("ParentImage") if mark.placed else ""
    process = links.table[mark.process]
    parent = links.table[process.parent].image if process.parent is not None else ""
    return process.image or _actor_image(mark), parent


def _text(mark: Mark, links: Links) -> str:
    """What the record says, in lower case: command line, what it is about, what the rule matched."""
    if mark.placed is None:
        return ""
    line = mark.placed.actor.command_line or (links.table[mark.process].command_line if mark.process is not None else
                                              "")
    matched = [match.value for match in mark.placed.alert.matched]
    said = (line, object_of(mark.placed.get), command_text(mark.placed.get), *matched)
    return "\n".join(text[:_MAX_SAYS] for text in said).lower()


def _destination(mark: Mark) -> str:
    if mark.outbound:
        return defang(mark.outbound.hostname or mark.outbound.address)
    to = mark.placed.destination if mark.placed else None
    return defang(quoted(to.hostname or next(iter(to.addresses), ""))) if to else ""


def _one_of(word: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or word in wanted


def _folder(image: str) -> str:
    """Where a program lies, in the words of a sign."""
    if not image:
        return ""
    if user_writable(image):
        return "user"
    path = place(image)
    return next((name for name, folder in _SYSTEM_FOLDERS.items() if path.startswith(folder)), "")
