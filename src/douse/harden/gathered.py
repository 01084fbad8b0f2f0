"""All that a run has read: the subjects by kind and name, what was lost, and what a reader of the result should know.

    evidence = Evidence()
    host = evidence.host("PC-7")                    or with its domain, where the evidence has that

Files come in any order and name a host in several ways; which names are one computer is decided when all is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from douse.harden.observed import SUBJECTS, Subject
from douse.harden.seen import Source


@dataclass(frozen=True, slots=True)
class Problem:
    """Evidence, or a part of one, that could not be used: where, what is wrong, what to do next."""

    where: str
    what: str
    next_step: str = ""


def _longer(one: str, other: str) -> str:
    """The name that says more; of two that say the same always the same one, whatever file came first."""
    return max(one, other, key=lambda name: (len(name), name))


class Evidence:
    """All subjects of a run, found by kind and name.

    Two files of one host may call it with its domain and without: `join_hosts` makes them one when all is read, where
    that can be told. `problems` are what was lost, `notes` what was read and should be known (a host named by its
    folder), `files` what was understood, `ignored` how many files that the user did not name are no evidence.
    `host_names` is what names.py found out of a tree of files. `today` is the day that no evidence can be younger than.
    """

    def __init__(self, today: date | None = None) -> None:
        self._subjects: dict[tuple[str, str], Subject] = {}
        self._latest = datetime.combine(today or datetime.now(UTC).date(), time.max, UTC) + timedelta(days=1)
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []
        self.files: list[Source] = []
        self.ignored = 0
        self.host_names: dict[str, str] = {}
        self._joined: dict[str, tuple[str, str]] = {}

    def subject(self, kind: str, name: str) -> Subject:
        """The subject of that name, a new one where there is none."""
        if kind == "host":
            return self.host(name)
        spelled = name.strip().rstrip(".")
        return self._subjects.setdefault((kind, spelled.casefold()), Subject(kind, spelled))

    def host(self, name: str, domain: str = "") -> Subject:
        """A computer. `domain` is its DNS or NetBIOS domain where the evidence has that apart from a short name. After
        `join_hosts` the one computer of a short name is found by any of its names."""
        spelled = name.strip().rstrip(".")
        short, dot, own = spelled.partition(".")
        belongs = (own if dot else domain.strip(" .")).casefold()
        key = ("host", f"{short.casefold()}\\{belongs}".rstrip("\\"))
        if key not in self._subjects and self._joined.get(short.casefold(), key) in self._subjects:
            key = self._joined.get(short.casefold(), key)
        found = self._subjects.setdefault(key, Subject("host", spelled, domain=belongs))
        found.name = _longer(found.name, spelled)
        return found

    def join_hosts(self) -> None:
        """Make one of a host that some evidence names with its domain and some without.

        A short name stands for a whole one only where one computer of that name is known: of PC1 in two domains, what
        says PC1 alone belongs to nobody knows which, so it stays apart and the notes say so. The same holds for a
        NetBIOS domain, unless it is how one of the DNS domains begins.
        """
        alike: dict[str, list[tuple[str, str]]] = {}
        for key in self._subjects:
            if key[0] == "host":
                alike.setdefault(key[1].partition("\\")[0], []).append(key)
        for short, keys in alike.items():
            left = self._join(sorted(keys))
            if len(left) == 1:
                self._joined[short] = left[0]

    def _join(self, keys: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Hosts of one short name: those that must be one computer become one, the others are told apart. Gives the
        keys that are left."""
        whole = [key for key in keys if "." in self._subjects[key].domain]
        short = [key for key in keys if self._subjects[key].domain and key not in whole]
        bare = [key for key in keys if not self._subjects[key].domain]
        one_computer = len(whole) <= 1 and len(short) <= 1
        for key in list(short):
            begins = [one for one in whole
                      if self._subjects[one].domain.partition(".")[0] == self._subjects[key].domain]
            into = whole if one_computer else begins
            if len(into) == 1:
                self._absorb(into[0], key)
                short.remove(key)
        left = [*whole, *short]
        if len(left) == 1 and bare:
            self._absorb(left[0], bare.pop())
        if len(left) > 1:
            self._tell_apart([self._subjects[key] for key in left], [self._subjects[key] for key in bare])
        return [*left, *bare]

    def _absorb(self, into: tuple[str, str], key: tuple[str, str]) -> None:
        one, other = self._subjects[into], self._subjects.pop(key)
        one.absorb(other)
        one.name = _longer(one.name, other.name)

    def _tell_apart(self, whole: Sequence[Subject], bare: Sequence[Subject]) -> None:
        """Computers of one name in several domains are shown by their whole names."""
        for one in whole:
            one.name = one.full_name
        names = ", ".join(sorted(one.name for one in whole))
        for one in bare:
            for source in one.sources():
                self.note(source.file, f"speaks of {one.name} without its domain, and there are {names}: it is kept "
                          "apart, as nobody can tell whose it is.", "Name the file's host with its domain.")

    def not_future(self, taken: datetime | None, where: str) -> datetime | None:
        """A time at which evidence says it was taken; None, and a note, where it lies ahead: it would replace all that
        is true."""
        if taken is None or (taken if taken.tzinfo else taken.replace(tzinfo=UTC)) <= self._latest:
            return taken
        self.note(where, f"says that it was collected on {taken:%Y-%m-%d}, which lies ahead; its time is left out.",
                  "Correct the clock of that computer and collect again.")
        return None

    def lost(self, where: str, what: str, next_step: str = "") -> None:
        """Something could not be used; the run goes on."""
        self.problems.append(Problem(where, what, next_step))

    def note(self, where: str, what: str, next_step: str = "") -> None:
        """Nothing was lost, but the reader of the result should know it."""
        self.notes.append(Problem(where, what, next_step))

    def policy(self, name: str, identity: str = "") -> Subject:
        """A policy by its name; a second one of that name that has another id is told apart by it."""
        found = self.subject("policy", name)
        if identity and found.id and found.id != identity.lower():
            found = self.subject("policy", f"{name} {identity}")
        found.id = found.id or identity.lower()
        return found

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """All of them: hosts first, then policies, tenants and organisations, each by name."""
        return tuple(sorted(self._subjects.values(), key=lambda one: (SUBJECTS.index(one.kind), one.name.casefold())))

    def of(self, kind: str) -> tuple[Subject, ...]:
        """The subjects of one kind."""
        return tuple(one for one in self.subjects if one.kind == kind)
