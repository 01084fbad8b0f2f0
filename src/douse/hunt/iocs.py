"""Indicators of others in a hunt (--ioc): files in; alerts of an event, and what to say of the files, out.

An indicator that is seen is an alert like that of a rule: class V for a file's hash, which is exact, R for a domain,
URL or address, of which a log shows only that it was named. Its rule is the indicator itself, so that it can be allowed
by title, value or id. `fields` are the event's own, so that the alert finds its process, and besides them who names the
indicator. No technique is claimed: a name in a log may be delivery as well as command and control. One that had expired
when the event happened gives medium and says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from douse.detection.alert import alert_id, kept_fields
from douse.hunt.result import InputFile, Problem
from douse.indicators.known import Known
from douse.indicators.places import interests
from douse.indicators.read import IndicatorFiles, lines_of, read_files
from douse.indicators.watch import Hit, Watch
from douse.model import Alert, Coverage, Event, Interest, LogSource, Match, Rule

ROLE: Final = "ioc"
LEVEL: Final = "high"
LEVEL_EXPIRED: Final = "medium"
MAX_PROBLEMS: Final = 20
"""Entries that cannot be used and are listed one by one; the others are counted."""

_MAX_ORIGINS: Final = 5
_SEEN_IN: Final = {
    "domain-name": "names hosts", "url": "names URLs", "ipv4-addr": "names addresses", "ipv6-addr": "names addresses",
    "file": "carries hashes"}


class Iocs:
    """The indicators of a run and the files they come from. It can be sent to another process."""

    def __init__(self, read: IndicatorFiles | None = None) -> None:
        self._read = read or IndicatorFiles()
        self.watch = Watch(self._read.known)

    @classmethod
    def of(cls, paths: Iterable[Path]) -> Iocs:
        """Read the files. Raises ContentError where one cannot be used at all."""
        return cls(read_files(paths))

    def __reduce__(self) -> tuple[Callable[[IndicatorFiles], Iocs], tuple[IndicatorFiles]]:
        return _sent, (IndicatorFiles(self._read.known),)

    def alerts(self, event: Event) -> Sequence[Alert]:
        """One alert for each indicator that the event names; nearly always none."""
        hits = self.watch.match(event)
        if not hits:
            return ()
        fields = kept_fields(event)
        return [_alert(hit, event, fields) for hit in hits]

    def rules(self) -> Iterator[Rule]:
        """The indicators as rules, for whoever asks what the rule of an alert is."""
        return map(rule_of, self._read.known)

    @property
    def files(self) -> tuple[InputFile, ...]:
        """The files, for the provenance."""
        return tuple(InputFile(file.path, file.size, file.sha256) for file in self._read.files)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """The entries that could not be used."""
        return tuple(Problem("ioc", skip.where, skip.what.rstrip("."), None, skip.next_step)
                     for skip in lines_of(self._read.skips, MAX_PROBLEMS))

    def notes(self, coverage: Iterable[Coverage]) -> tuple[str, ...]:
        """What was read of each file, and which indicators no record of the evidence could have shown."""
        present: set[Interest] = set()
        for count in (count for host in coverage for count in host.counts):
            present |= {(count.channel.lower(), count.event_id), (count.channel.lower(), None)}
        unseen = Counter[str]()
        for kind, named in Counter(known.type for known in self._read.known).items():
            if present and not present & interests([kind]):
                unseen[_SEEN_IN[kind]] += named
        return (*(file.summary for file in self._read.files),
                *(f"no record was read that {what}, so {count:,} indicator(s) could not be seen"
                  for what, count in unseen.items()))


NONE: Final = Iocs()
"""Those of a run without --ioc."""


def _sent(read: IndicatorFiles) -> Iocs:
    return Iocs(read)


def rule_of(known: Known) -> Rule:
    """An indicator as the rule of its alerts."""
    exact = known.type == "file"
    return Rule(
        rule_id=known.indicator_id, title=known.title, level=LEVEL, status="", logsource=LogSource(),
        path="", description=_sources(known), evidence_class="V" if exact else "R", fidelity=1.0 if exact else 0.7,
        role=ROLE, name=known.value)


def _alert(hit: Hit, event: Event, fields: dict[str, str]) -> Alert:
    known, rule = hit.known, rule_of(hit.known)
    expired = known.expired(event.time)
    title = rule.title
    if expired and known.valid_until:
        title = title.replace("seen:", f"seen, expired {known.valid_until:%Y-%m-%d}:", 1)
    return Alert(
        alert_id=alert_id(rule.rule_id, event), rule_id=rule.rule_id, title=title,
        level=LEVEL_EXPIRED if expired else LEVEL, time=event.time, host=event.host, channel=event.channel,
        provider=event.provider, event_id=event.event_id, record_id=event.record_id, source=event.source, techniques=(),
        evidence_class=rule.evidence_class, store="", fidelity=rule.fidelity, stage=0, role=ROLE,
        matched=tuple(Match("indicator", field, text[:Alert.MAX_FIELD], known.value) for field, text in hit.fields),
        fields=fields | _said(known))


def _said(known: Known) -> dict[str, str]:
    """What is known of an indicator, as fields of its alert."""
    said = {
        "IndicatorType": known.type, "IndicatorValue": known.value, "IndicatorSource": _sources(known),
        "IndicatorFamily": ", ".join(known.families), "IndicatorLabels": ", ".join(known.labels),
        "IndicatorTlp": known.tlp.upper(), "IndicatorValidFrom": _day(known.valid_from),
        "IndicatorValidUntil": _day(known.valid_until)}
    return {name: text[:Alert.MAX_FIELD] for name, text in said.items() if text}


def _sources(known: Known) -> str:
    listed = [str(origin) for origin in known.origins[:_MAX_ORIGINS]]
    more = len(known.origins) - len(listed)
    return "; ".join((*listed, f"and {more:,} more") if more else listed)


def _day(time: datetime | None) -> str:
    return "" if time is None else time.strftime("%Y-%m-%dT%H:%M:%SZ")
