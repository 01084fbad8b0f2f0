"""What the HTML page and the terminal both say about a survey: the headline, what is odd, what to switch on first.

Rows come in (coverage_schema.py), sentences go out; nothing is cleaned or drawn here. No sentence calls a host clean:
a survey knows what could be seen, never what happened.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from douse.report.coverage_schema import (
    ClearedRow,
    ClockRow,
    HostRow,
    PrerequisiteRow,
    SilenceRow,
    SurveyChannelRow,
    SurveyDocument,
)
from douse.report.story import count, duration, moment, span, when

MAX_NAMED = 5
"""Cleared logs, gaps and silences of one host that are told one by one."""

USABLE = {"yes": "can be judged", "partly": "can be judged in part", "no": "cannot be judged"}
STATES = {"yes": "seen", "partly": "seen in part", "no": "not seen", "file": "needs a file", "blind": "blind"}
"""What a technique's states mean."""
GAPS_MEAN = ("A missing record was filtered out on export, lost to damage, lies in a file that is not here, or was "
             "removed. Windows goes on counting after a log is cleared.")


@dataclass(slots=True)
class Todo:
    """Something to switch on: what it would show, for which sequences, on which hosts, and the prerequisites of which
    one is enough. `incomplete` is true where records are there and lack something."""

    what: str
    sequences: list[str]
    options: list[PrerequisiteRow]
    incomplete: bool = False
    hosts: list[str] = field(default_factory=list)


def headline(document: SurveyDocument) -> str:
    """What the survey comes to, in one line."""
    hosts = document["hosts"]
    if not document["surveyed"]:
        return "What can be seen of an infostealer, and where"
    if not hosts:
        return "No log of a computer was read"
    if len(hosts) == 1:
        return f"{label(hosts[0]['host'])} {USABLE[hosts[0]['usable']]}"
    found = Counter(host["usable"] for host in hosts)
    if found["yes"] == len(hosts):
        return f"All {count(len(hosts), 'host')} can be judged"
    words = [f"{found[word]:,} {USABLE[word]}" for word in USABLE if found[word]]
    return f"{count(len(hosts), 'host')}: {', '.join(words)}"


def lead(document: SurveyDocument) -> str:
    """What that means, in a sentence or two."""
    if not document["surveyed"]:
        return ("Each technique with the records that show it, the rules that look for it, and what only a file shows, "
                "or nothing. Name logs to learn how much of it yours can show.")
    if not document["hosts"]:
        return "Without logs nothing can be judged, so a hunt that finds nothing would mean nothing."
    if document["summary"]["hosts_unusable"]:
        return ("Of a host that cannot be judged, a hunt that finds nothing means nothing: what a stealer does leaves "
                "no record there.")
    if any(host["usable"] != "yes" for host in document["hosts"]):
        return "What is missing is named below for each host, with the setting that provides it."
    return "That says what would be seen. It does not say that nothing happened: hunt these logs."


def label(host: str) -> str:
    """A host's name, also of records that name none."""
    return host or "(no name)"


def judged(host: HostRow, *states: str) -> list[str]:
    """The sequences in one of these states that a hunt looks for."""
    return [one["id"] for one in host["sequences"] if one["state"] in states and one["hunted"]]


def techniques(host: HostRow) -> dict[str, list[str]]:
    """State in words -> the techniques of which that is true, in the order of STATES."""
    found = {words: [one["id"] for one in host["techniques"] if one["state"] == state]
             for state, words in STATES.items()}
    return {words: ids for words, ids in found.items() if ids}


def remarks(host: HostRow) -> list[str]:
    """What is odd about a host's logs: cleared, gaps, silences, clocks; the most telling first."""
    return [*_of_cleared(host["cleared"]), *_of_gaps(host["channels"]), *_of_silences(host["channels"]),
            *_of_clock(host["clock"]), *_of_nothing(host["silence_count"], host["silences"])]


def todo(document: SurveyDocument) -> list[Todo]:
    """What to switch on over all hosts: what most sequences wait for first, then what is incomplete."""
    known = {row["id"]: row for row in document["prerequisites"]}
    found: dict[tuple[str, tuple[str, ...]], Todo] = {}
    for host in document["hosts"]:
        for row in host["advice"]:
            options = [known[name] for name in row["any_of"] if name in known]
            one = found.setdefault((row["what"], tuple(row["any_of"])), Todo(row["what"], [], options))
            one.sequences = sorted({*one.sequences, *row["sequences"]})
            one.hosts.append(host["host"])
    lacking = sorted(found.values(), key=lambda one: (-len(one.sequences), one.what))
    return lacking + list(_incomplete(document, known))


def task(one: Todo) -> str:
    """What there is to switch on or to complete, as a heading."""
    if one.incomplete:
        return f"{one.options[0]['title']}: {one.what[:1].lower()}{one.what[1:].rstrip('.')}"
    return f"{one.what[:1].upper()}{one.what[1:]}, for {', '.join(one.sequences)}"


def others(document: SurveyDocument) -> list[PrerequisiteRow]:
    """What else is absent somewhere and would add evidence; what is optional is left to whoever asks for it."""
    told = {option["id"] for one in todo(document) for option in one.options}
    return [row for row in document["prerequisites"]
            if row["absent"] and not row["sensor"] and row["need"] != "optional" and row["id"] not in told]


def _incomplete(document: SurveyDocument, known: dict[str, PrerequisiteRow]) -> Iterator[Todo]:
    hosts: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for host in document["hosts"]:
        for row in host["prerequisites"]:
            if row["state"] == "partial":
                hosts[row["id"], row["reason"]].append(host["host"])
    for (name, reason), names in hosts.items():
        yield Todo(reason, [], [known[name]], incomplete=True, hosts=names)


def length(seconds: float) -> str:
    """A length of time in words."""
    return duration(timedelta(seconds=seconds))


def _of_cleared(rows: Iterable[ClearedRow]) -> Iterator[str]:
    rows = list(rows)
    for row in rows[:MAX_NAMED]:
        by = f" by {row['user']}" if row["user"] else ""
        yield (f"The log {row['log'] or 'of an unknown name'} was cleared on {moment(row['time'])} UTC{by} "
               f"({row['channel']} {row['event_id']}, record {row['record_id']}).")
    if len(rows) > MAX_NAMED:
        more = count(len(rows) - MAX_NAMED, "more time")
        yield f"Logs were cleared {more}, the last on {moment(rows[-1]['time'])} UTC."


def _of_gaps(channels: Iterable[SurveyChannelRow]) -> Iterator[str]:
    lacking = sorted((row for row in channels if row["missing"]), key=lambda row: -(row["missing"] or 0))
    for row in lacking[:MAX_NAMED]:
        first, last = row["first_id"] or 0, row["last_id"] or 0
        share = f"{row['missing'] or 0:,} of the record ids {first} to {last} are missing"
        if not row["ids_known"]:
            yield f"{row['channel']}: at least {share}, in more gaps than can be kept. The log was probably filtered."
            continue
        largest = max(row["gaps"], key=lambda gap: gap["records"])
        where = f"between {moment(largest['after'])} and {moment(largest['before'])} UTC"
        yield (f"{row['channel']}: {share}, in {count(row['gap_count'], 'gap')}; the largest is {largest['first']} to "
               f"{largest['last']}, {where}.")
    if len(lacking) > MAX_NAMED:
        yield f"Record ids are missing in {count(len(lacking) - MAX_NAMED, 'more log')}."


def _of_silences(channels: Iterable[SurveyChannelRow]) -> Iterator[str]:
    odd = sorted(((row, one) for row in channels for one in row["silences"] if one["odd"]),
                 key=lambda pair: -pair[1]["expected"])
    for row, one in odd[:MAX_NAMED]:
        time = f"for {span(one['start'], one['end'])} from {moment(one['start'])} to {moment(one['end'])} UTC"
        yield (f"{row['channel']}: silent {time}, while other logs of the host went on for "
               f"{length(one['active_seconds'])}; by its average that would have been about {one['expected']:,.0f} "
               "records.")
    if len(odd) > MAX_NAMED:
        yield f"There are {count(len(odd) - MAX_NAMED, 'more silence')} of this kind."


def _of_clock(row: ClockRow | None) -> Iterator[str]:
    if row is not None:
        least, greatest = (_offset(row[key]) for key in ("least_seconds", "greatest_seconds"))
        off = least if least == greatest else f"{least} to {greatest}"
        yield (f"Clock: {row['records']:,} of {count(row['checked'], 'Sysmon record')} were logged {off} their own "
               f"UtcTime, between {moment(row['first_seen'])} and {moment(row['last_seen'])} UTC. Times of other logs "
               "may be wrong by as much.")


def _offset(seconds: float) -> str:
    return f"{duration(timedelta(seconds=seconds))} {'after' if seconds >= 0 else 'before'}"


def _of_nothing(number: int, rows: list[SilenceRow]) -> Iterator[str]:
    if rows:
        longest = max(rows, key=_seconds)
        yield (f"{count(number, 'span')} without any record of the host (off, or not collected); the longest is "
               f"{span(longest['start'], longest['end'])} from {moment(longest['start'])} UTC.")


def _seconds(row: SilenceRow) -> float:
    return (when(row["end"]) - when(row["start"])).total_seconds()
