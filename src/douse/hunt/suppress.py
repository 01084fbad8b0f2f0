r"""Hold allow-lists against the alerts of a run: alerts and process facts in, kept and suppressed alerts out.

A suppressed alert takes no part in incidents, and no correlation rule counts it; it is listed with the entry that
suppressed it. All of that is decided when everything is read, by what an alert's record says and the facts of its host
say, so the result does not depend on who read what. What an entry is compared with:

    host      the alert's host; of a correlation's alert every host that it joins
    process   who acted, by the record's full path, else by the process table (a device path, a record with only a pid);
              of a correlation's alert the program that its group names, else none
    user      that account, as DOMAIN\name, name or SID
    command   command line, script block or stored command, of the record or of the process

What is not known fits only `*`. The first line that fits is the one that counts. A line whose rule this run does not
have is no error, because one list serves runs with different rules; a name of several rules is one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from itertools import groupby
from pathlib import Path

from douse.detection.correlation.alert import MAX_LISTED
from douse.detection.ruleset import RuleSet
from douse.errors import ContentError, RuleError
from douse.hunt.allow import ANY, Entry
from douse.hunt.names import HostName, Wildcard
from douse.hunt.result import Allowance, Suppressed
from douse.incident.entities import actor_of, command_text, getter
from douse.incident.facts import Facts
from douse.incident.processes import Process, ProcessTable
from douse.model import Alert, Rule

MAX_HINTS = 10
"""Lines with an unknown rule that are told what it may have meant: to look among thousands of names takes a while."""

MAX_LINES = 8
"""Lines that a note names; the result's own list has all."""

_KINDS = {"expired": "expired and suppresses nothing", "no rule": "names no rule of this run",
          "unused": "unused, no alert fits it"}
"""States of an entry that a note is about."""

_PART = "the rule is only a part of correlations and has no alerts of its own; allow those"
_FULL = re.compile(r"[a-z]:\\|\\\\[^\\]", re.IGNORECASE)
_VERBATIM = re.compile(r"^(?:\\\\\?|\\\?\?)\\(?=[a-z]:\\)", re.IGNORECASE)


class AllowList:
    """The entries of a run, bound to its rules. It counts what it suppresses."""

    def __init__(self, entries: Iterable[Entry], ruleset: RuleSet, today: date,
                 more: Callable[[], Iterable[Rule]] = tuple) -> None:
        """`today` is the day in UTC, `more` gives what else has alerts: indicators. Raises ContentError where an
        entry's rule is a name of several rules."""
        self._correlations = frozenset(each.rule.rule_id for each in ruleset.correlations)
        names = _Names(ruleset, more)
        self._all = [_Bound(entry, *names.rule_of(entry), today) for entry in entries]
        self._by_rule: defaultdict[str, list[_Bound]] = defaultdict(list)
        for bound in sorted(self._all, key=lambda bound: bound.expired):  # an expired line only where no other fits
            if bound.rule_id:
                self._by_rule[bound.rule_id].append(bound)

    def split(self, alerts: Iterable[Alert], facts: Facts) -> tuple[list[Alert], list[Suppressed]]:
        """The alerts that stay and those that an entry suppresses, each in the order given."""
        ordered = list(alerts)
        asked = [place for place, alert in enumerate(ordered) if alert.rule_id in self._by_rule]
        asked.sort(key=lambda place: ordered[place].host.lower())
        found: dict[int, Entry] = {}
        for host, places in groupby(asked, key=lambda place: ordered[place].host.lower()):
            table, known = _Lazy(facts, host), dict[tuple[str, ...], list[_Bound]]()
            for place in places:
                subject = _Subject(ordered[place], table, ordered[place].rule_id in self._correlations)
                bound = self._first(subject, known)
                if bound is not None and not bound.expired:
                    found[place] = bound.entry
        return ([alert for place, alert in enumerate(ordered) if place not in found],
                [Suppressed(ordered[place], found[place]) for place in sorted(found)])

    def _first(self, subject: _Subject, known: dict[tuple[str, ...], list[_Bound]]) -> _Bound | None:
        """The first entry that an alert fits, which counts it. `known` keeps which entries are for which hosts: a list
        may have one for each of a thousand."""
        key = (subject.alert.rule_id, *subject.hosts)
        if key not in known:
            known[key] = [bound for bound in self._by_rule[subject.alert.rule_id] if bound.is_for(subject.hosts)]
        bound = next((bound for bound in known[key] if bound.fits(subject)), None)
        if bound is not None:
            bound.alerts += 1
        return bound

    def outcome(self, hides: Callable[[str], bool]) -> tuple[Allowance, ...]:
        """What became of every entry, in the order of the files; `hides` says of a rule that it is a part of
        correlations only, so that there are no alerts of it."""
        return tuple(bound.outcome(bound.rule_id != "" and hides(bound.rule_id)) for bound in self._all)


class _Bound:
    """An entry with its rule, "" where the run has none, and how many alerts fitted it; `about` says why there is none.
    """

    def __init__(self, entry: Entry, rule_id: str, about: str, today: date) -> None:
        self.entry, self.rule_id, self._about = entry, rule_id, about
        self.expired = entry.expires < today
        self.alerts = 0
        self._host = HostName(entry.host)
        self._process = None if entry.process == ANY else Wildcard(entry.process)
        self._user = Wildcard(entry.user) if entry.user else None
        self._command = entry.command.lower()

    def is_for(self, hosts: Iterable[str]) -> bool:
        """Whether all of these hosts are meant."""
        return all(map(self._host.fits, hosts))

    def fits(self, subject: _Subject) -> bool:
        """Whether an alert of its rule, on its hosts, is what it expects."""
        return ((self._process is None or self._process.fits(subject.image))
                and (self._user is None or any(map(self._user.fits, subject.users)))
                and (not self._command or any(self._command in text for text in subject.commands)))

    def outcome(self, hidden: bool) -> Allowance:
        """What became of it."""
        if not self.rule_id:
            return Allowance(self.entry, "no rule", "", 0, self._about)
        state = "expired" if self.expired else "used" if self.alerts else "unused"
        return Allowance(self.entry, state, self.rule_id, self.alerts, _PART if hidden else "")


class _Lazy:
    """The processes of one host, made when first asked for: most alerts say all that an entry asks."""

    def __init__(self, facts: Facts, host: str) -> None:
        self._facts, self._host = facts, host

    @cached_property
    def table(self) -> ProcessTable:
        """The table."""
        return ProcessTable(self._facts.host(self._host))


class _Subject:
    """What entries ask of one alert."""

    def __init__(self, alert: Alert, lazy: _Lazy, correlated: bool) -> None:
        self.alert, self._lazy, self._correlated = alert, lazy, correlated
        self._get = getter(alert.fields)
        self._actor = actor_of(alert.channel, alert.event_id, self._get)

    @cached_property
    def hosts(self) -> Sequence[str]:
        """The hosts that it is about; an empty one where there are more than it lists."""
        listed = self.alert.fields.get("correlation.hosts", "").split(", ") if self._correlated else []
        if len(listed) < 2:
            return [self.alert.host]
        return [*listed, ""] if len(listed) >= MAX_LISTED else listed

    @cached_property
    def _process(self) -> Process | None:
        index = self._lazy.table.find(self._actor, self.alert.time)
        return None if index is None else self._lazy.table[index]

    @cached_property
    def image(self) -> str:
        """The full path of who acted; "" where nobody knows it or it is no plain path."""
        own = self._actor.image or (self._get("Image") if self._correlated else "")
        if not _FULL.match(own) and self._process is not None:
            own = self._process.image or own
        return _plain(own)

    @cached_property
    def users(self) -> tuple[str, ...]:
        """All ways to name the account of who acted."""
        name, sid = self._actor.user_name, self._actor.user_sid
        if not (name or sid) and self._process is not None:
            name, sid = self._process.user_name, self._process.user_sid
        return tuple(filter(None, dict.fromkeys((name, name.rpartition("\\")[2], sid))))

    @cached_property
    def commands(self) -> tuple[str, ...]:
        """What was run, as far as it is known, in lower case."""
        process = self._process.command_line if self._process is not None else ""
        texts = self._actor.command_line, process, self._get("ScriptBlockText"), command_text(self._get)
        return tuple(text.lower() for text in texts if text)


def _plain(path: str) -> str:
    """A path as entries write it; "" for one that leads elsewhere than it reads."""
    plain = _VERBATIM.sub("", path.strip('"').replace("/", "\\"))
    return "" if {"", ".", ".."} & set(plain[2:].split("\\")[1:]) else plain


class _Names:
    """The rules of a run by what a person calls them: id, name, file, title."""

    def __init__(self, ruleset: RuleSet, more: Callable[[], Iterable[Rule]]) -> None:
        self._ruleset, self._more = ruleset, more
        self._misses = 0

    @cached_property
    def _ids(self) -> Mapping[str, set[str]]:
        """The ids of the rules that are called so; made when the first entry asks, as most runs have none."""
        ids: defaultdict[str, set[str]] = defaultdict(set)
        ruleset = self._ruleset
        for rule in (*(one.rule for one in ruleset.rules), *(one.rule for one in ruleset.correlations),
                     *(one.rule for one in ruleset.idle), *self._more()):
            for name in filter(None, (rule.rule_id, rule.name, Path(rule.path).stem, rule.title)):
                ids[name.casefold()].add(rule.rule_id)
        return ids

    def rule_of(self, entry: Entry) -> tuple[str, str]:
        """The id of an entry's rule; "" and why where the run has none. Raises ContentError where it has several."""
        word = entry.rule.casefold()
        found = self._ids.get(word, set()) | self._ids.get(word.removesuffix(".yml").removesuffix(".yaml"), set())
        if len(found) == 1:
            return found.copy().pop(), ""
        if not found and self._misses >= MAX_HINTS:
            return "", "no rule of this run is called so"
        self._misses += not found
        return self._looked_up(entry, ambiguous=bool(found))

    def _looked_up(self, entry: Entry, *, ambiguous: bool) -> tuple[str, str]:
        from douse.hunt.rules import find_rule  # seldom needed, and it brings all that checks rules

        try:
            return find_rule(self._ruleset, entry.rule).rule.rule_id, ""
        except RuleError as error:
            if ambiguous:
                raise ContentError(entry.where, f"rule '{entry.rule}' {error.what}", error.next_step) from None
            return "", f"{error.what} {error.next_step.partition('Try:')[0]}".strip()


def allow_notes(allowances: Sequence[Allowance]) -> tuple[str, ...]:
    """What a person should look after in the lists, a line for each file and kind: what is over, what does nothing,
    what allows much."""
    told: dict[str, defaultdict[str, list[str]]] = {kind: defaultdict(list) for kind in _KINDS.values()}
    for one in allowances:
        file, line, about = one.entry.file, f"line {one.entry.line}", one.about
        if one.state == "expired":
            fitting = f", {one.alerts:,} alert(s) of this run fit it" if one.alerts else ""
            about = f"{one.entry.expires}{fitting}"
        if one.state in _KINDS:
            told[_KINDS[one.state]][file].append(f"{line} ({about})" if about else line)
        for remark in one.entry.remarks if one.state in ("used", "unused") else ():
            told.setdefault(remark, defaultdict(list))[file].append(line)
    return tuple(f"{file}: {what}: {_listed(lines)}" for what, files in told.items() for file, lines in files.items())


def _listed(lines: Sequence[str]) -> str:
    more = len(lines) - MAX_LINES
    return "; ".join(lines[:MAX_LINES]) + (f"; and {more:,} more" if more > 0 else "")
