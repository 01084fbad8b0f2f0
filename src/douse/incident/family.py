"""Which infostealer it was: a judged case in, the attribution out, open unless evidence names it.

The ladder (content/families/ladder.yml) says what kinds of evidence that agree amount to. A family is named from medium
on. Behaviour is shared, copied and sold: alone it names nobody, it only fits ("consistent with"), and it is asked at
all only where something was taken, sent or called malicious by a vendor. Above that only signs count that were looked
up (`verified`) and that are no other family's too. A loader is told apart from what it brings. Where two families have
equally good evidence, none is named. The counterpart, family_signs.py, finds what is weighed here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from douse.content.families import families
from douse.content.family_table import CONFIDENCES, Delivery, Discriminator, Family, contradicts
from douse.incident.case import Case
from douse.incident.family_signs import Naming, Observation, namings, observations
from douse.incident.verdict import listed
from douse.model import Attribution, FamilyEvidence

UNATTRIBUTED = "unattributed infostealer"

_NAMED_FROM: Final = CONFIDENCES.index("medium")
_THEFT: Final = frozenset("COV")
"""Classes of evidence of which one must be there before behaviour is taken for a stealer's."""
_SHARED_KINDS: Final = frozenset({"behaviour"})
_NAMINGS: Final = frozenset({"vendor", "ioc"})
_MOST_VALUES: Final = 3
_MOST_NAMES: Final = 6
_KIND_WORDS: Final = {
    "vendor": "an antivirus's name for it", "ioc": "an indicator that was published at the time",
    "protocol": "how it speaks to its server", "static": "what stands in the file"}


@dataclass(slots=True)
class _Gathered:
    """What was found for one family or loader: evidence by what it is, and the kinds that count on the ladder."""

    name: str
    shown: dict[str, FamilyEvidence] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)
    fitting: set[str] = field(default_factory=set)
    values: defaultdict[str, int] = field(default_factory=lambda: defaultdict(lambda: 1))

    @property
    def confidence(self) -> str:
        """What the evidence amounts to; shared and unverified signs are low at most."""
        return _amounts_to(frozenset(self.kinds)) or ("low" if self.fitting else "")

    @property
    def rank(self) -> int:
        """The confidence as a number."""
        return CONFIDENCES.index(self.confidence)

    def show(self, key: str, kind: str, text: str, alert_ids: tuple[str, ...], *, verified: bool) -> None:
        """Take in evidence; more of the same (`key`) adds its alerts."""
        known = self.shown.get(key)
        before = known.alert_ids if known else ()
        self.shown[key] = FamilyEvidence(self.name, kind, text, tuple(dict.fromkeys((*before, *alert_ids))), verified)


@cache
def _amounts_to(kinds: frozenset[str]) -> str:
    """The confidence that kinds of evidence give together; there are few of them."""
    return families().confidence(kinds)


def attribution_of(case: Case) -> Attribution:
    """The family and the loader, each with its confidence; open unless evidence names it."""
    seen = _values(observations(case))
    found, loaders = _named(namings(case))
    stolen = any(mark.letter in _THEFT for mark in case.marks)
    for (sees, value), alert_ids in seen.items():
        for family, sign in families().suggested(sees, value):
            if stolen or sign.evidence not in _SHARED_KINDS:
                _fits(found.setdefault(family.id, _Gathered(family.name)), sign, value, alert_ids)
    against = {known.id: _against(known, seen) for known in families() if known.id in found}
    for family_id, evidence in against.items():
        if found[family_id].rank < _NAMED_FROM and any(one.verified for one in evidence):
            del found[family_id]  # a name that an antivirus gave stays, with what speaks against it
    return _judged(found, loaders, against)


def _judged(found: Mapping[str, _Gathered], loaders: Mapping[str, _Gathered],
            against: Mapping[str, Sequence[FamilyEvidence]]) -> Attribution:
    """The best of the families, if it is one; a rival with as good a name is shown as a contradiction."""
    best = max((one.rank for one in found.values()), default=0)
    top = [family_id for family_id, one in found.items() if one.rank == best] if best >= _NAMED_FROM else []
    family = found[top[0]] if len(top) == 1 else None
    told = top or list(found)
    rivals = [evidence for one in found.values() if one is not family and one.rank >= _NAMED_FROM
              for evidence in one.shown.values() if evidence.kind in _NAMINGS]
    fitting = [] if family else [found[family_id] for family_id in told if top or found[family_id].fitting]
    fitting.sort(key=lambda one: (-len(one.fitting), one.name.lower()))
    loader = max((one for one in loaders.values() if one.rank >= _NAMED_FROM), key=lambda one: (one.rank, one.name),
                 default=None)
    evidence = [found[family_id].shown for family_id in told] + [one.shown for one in loaders.values()]
    return Attribution(
        family=family.name if family else UNATTRIBUTED,
        confidence=family.confidence if family else "low" if fitting else "",
        loader=loader.name if loader else "", loader_confidence=loader.confidence if loader else "",
        consistent_with=tuple(one.name for one in fitting),
        evidence=tuple(one for shown in evidence for one in shown.values()),
        contradictions=(*(one for family_id in told for one in against[family_id]), *rivals))


def _values(seen: Iterable[Observation]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Each value once, with all alerts that show it."""
    found: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for one in seen:
        found[one.sees, one.value].update(dict.fromkeys(one.alert_ids))
    return {key: tuple(alerts) for key, alerts in found.items()}


def _named(names: Iterable[Naming]) -> tuple[dict[str, _Gathered], dict[str, _Gathered]]:
    """Families and loaders that a vendor or an indicator names."""
    known: dict[str, _Gathered] = {}
    loaders: dict[str, _Gathered] = {}
    for one in names:
        for who in families().named(one.names):
            gathered = (loaders if isinstance(who, Delivery) else known).setdefault(who.id, _Gathered(who.name))
            text = f"{one.text}, {one.doubt}" if one.doubt else one.text
            gathered.show(f"{one.kind} {text}", one.kind, text, one.alert_ids, verified=True)
            if one.counts:
                gathered.kinds.add(one.kind)
    return known, loaders


def _fits(gathered: _Gathered, sign: Discriminator, value: str, alert_ids: tuple[str, ...]) -> None:
    """A sign of the family that a value fits. One that others share, or that nobody looked up, does not climb."""
    gathered.fitting.add(sign.id)
    if sign.verified and not sign.shared_with:
        gathered.kinds.add(sign.evidence)
    known = gathered.shown.get(sign.id)
    text = f"{sign.text}: {value}" if known is None else known.text
    if known is not None and (values := gathered.values[sign.id]) < _MOST_VALUES:
        text, gathered.values[sign.id] = f"{text}; {value}", values + 1
    gathered.show(sign.id, sign.evidence, text, alert_ids, verified=sign.verified)


def _against(family: Family, seen: Mapping[tuple[str, str], tuple[str, ...]]) -> tuple[FamilyEvidence, ...]:
    """What of the incident speaks against a family."""
    return tuple(FamilyEvidence(family.name, "contradiction", f"{one.text}: {value}", alert_ids, one.verified)
                 for one in family.contradictions for (sees, value), alert_ids in seen.items()
                 if contradicts(one, sees, value))


def in_words(attribution: Attribution) -> str:
    """One or two sentences on what is known of the family and why no more. Evidence text in it is raw."""
    parts = [_family(attribution)]
    if attribution.loader:
        parts.append(f"It was brought by the loader {attribution.loader} ({attribution.loader_confidence} confidence), "
                     "which delivers several families.")
    if attribution.contradictions and attribution.family != UNATTRIBUTED:
        first = attribution.contradictions[0]
        parts.append(f"Against it speaks: {first.text}{'' if first.verified else ' (not verified)'}.")
    return " ".join(parts)


def _family(attribution: Attribution) -> str:
    names = attribution.consistent_with
    if attribution.family != UNATTRIBUTED:
        return _confident(attribution)
    if any(one.kind in _NAMINGS and one.family in names for one in attribution.contradictions):
        return f"No family is named: the evidence names {listed(names)} alike."
    if names:
        unsure = not any(one.verified for one in attribution.evidence)
        return (f"No family is named, because behaviour alone is no attribution; it is consistent with "
                f"{', '.join(names[:_MOST_NAMES])} and others{' (by signs that are not verified)' if unsure else ''}.")
    if attribution.evidence and not attribution.loader:
        return f"No family is named; a hint does not suffice for an attribution: {attribution.evidence[0].text}."
    return "No family is named: nothing that was seen is enough for an attribution."


def _confident(attribution: Attribution) -> str:
    kinds = [_KIND_WORDS.get(kind, kind) for kind in dict.fromkeys(
        one.kind for one in attribution.evidence if one.family == attribution.family and one.kind not in _SHARED_KINDS)]
    alone = " alone; a second, independent sign was not seen" if attribution.confidence == "medium" else ""
    return f"{attribution.family}, {attribution.confidence} confidence: by {listed(kinds)}{alone}."
