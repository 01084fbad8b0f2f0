"""Rule files whose documents refer to each other: filters narrow rules, correlations join them.

What the loader makes of them is compared with the same read off the definition, one reference after the other: which
filter applies to which rule, which correlation fires, stays idle or is refused, and how many errors there are. Then
events are matched, and the correlations must find the same in any order of the alerts and however they are spread.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random

from douse.detection.account import account
from douse.detection.correlation.correlator import Correlator
from douse.detection.correlation.document import Correlation
from douse.detection.language.parse import CompiledRule, parse_rules
from douse.detection.language.placeholders import NO_LISTS, with_ours
from douse.detection.linking import MAX_CHAIN
from douse.detection.ruleset import RuleSet, load_rules
from douse.model import LEVELS, Event, Rule, Value
from fuzz import documents
from fuzz.by_hand import ByHand
from fuzz.documents import BORDER, IDS
from fuzz.language import SIGMA, fires, linted
from fuzz.mutate import TEXT
from fuzz.target import EVENTS, Target, check_error, folder, one_event, text_of

MOST_FILES = 4
MOST_BY_HAND = 300
"""Among more correlations than this their references are not followed by hand, which recurses."""


def _moments() -> tuple[Event, ...]:
    """The events of a busy minute."""
    made: list[Event] = []
    for number in range(1, 5):
        for event in EVENTS[:2]:
            fields: dict[str, Value] = {**event.fields, "ProcessId": number % 3, "User": f"CORP\\anna{number % 2}"}
            made.append(one_event(fields, event.channel, event.event_id, number * number))
    return tuple(made)


MOMENTS = _moments()


def linked(data: bytes) -> None:
    """Read and link the documents of an input, and hold what came of it to the definition."""
    texts, hand = _texts(data), by_hand(data)
    rules = hand.linked()
    for error in rules.rejected:
        check_error(error, path := error.where.rpartition(":")[0], texts[path])
    if sum(isinstance(one, Correlation) for one in hand.accepted.values()) < MOST_BY_HAND:
        _as_by_hand(hand, rules)
    if rules.correlations and len(data) % 2 == 0:
        _any_order_finds_the_same(rules)
    if len(data) % 32 == 0:  # on a part of the inputs, because it takes as long as all the rest
        for path, text in texts.items():
            linted(text, path)
    if len(data) % 32 == 1:
        _from_files(data, rules, hand.doubles)


def by_hand(data: bytes) -> ByHand:
    """The documents of all files of an input."""
    hand = ByHand()
    for path, text in _texts(data).items():
        for outcome in parse_rules(text, path, lists=with_ours(NO_LISTS)):
            hand.take(outcome)
    return hand


def _texts(data: bytes) -> dict[str, str]:
    return {f"{number}.yml": _text(piece) for number, piece in enumerate(data.split(BORDER, MOST_FILES - 1))}


def _text(piece: bytes) -> str:
    """A file as text, line ends as a file has them."""
    return text_of(piece.removeprefix(b"\xef\xbb\xbf"))


def _from_files(data: bytes, rules: RuleSet, doubles: int) -> None:
    """Loaded from files it is the same, and `douse rules check` can account for it."""
    place = folder() / "rules"
    place.mkdir(exist_ok=True)
    paths = []
    for number, piece in enumerate(data.split(BORDER, MOST_FILES - 1)):
        paths.append(place / f"{number}.yml")
        paths[-1].write_bytes(piece)
    loaded = load_rules(paths, builtin=False)
    for error in loaded.rejected:
        path = error.where.rpartition(":")[0]
        check_error(error, path, text_of(Path(path).read_bytes()))
    if all(_is_utf8(piece) for piece in data.split(BORDER, MOST_FILES - 1)):
        assert [_identity(one.rule) for one in loaded.rules] == [_identity(one.rule) for one in rules.rules]
        assert [_identity(one.rule) for one in loaded.correlations] == [
            _identity(one.rule) for one in rules.correlations]
        assert len(loaded.rejected) == len(rules.rejected) + doubles
    if len(data) % 4096 == 1:  # it loads our own rules as well, which takes hundreds of times as long
        told = account(paths)
        assert told.files == len(paths)
        assert told.documents >= len(told.loaded)


def _identity(rule: Rule) -> tuple[str, str, str]:
    return rule.rule_id, rule.title, rule.level


def _is_utf8(piece: bytes) -> bool:
    try:
        return bool(piece.decode()) or True
    except UnicodeDecodeError:
        return False


def _as_by_hand(hand: ByHand, rules: RuleSet) -> None:
    _same_correlations(hand, rules)
    states = [state for state, _ in hand.settled.values()]
    errors = len(hand.errors) + hand.filter_errors() + states.count("refused") + states.count("deep")
    assert len(rules.rejected) == errors, [str(error) for error in rules.rejected]
    event = MOMENTS[len(hand.accepted) % 2]  # one of them, because a set's first match costs as much as its loading
    expected = {rule_id for rule_id, one in hand.accepted.items() if isinstance(one, CompiledRule)
                and fires(one, event, *(each.term for each in hand.applied(one.rule)))}
    assert {alert.rule_id for alert in rules.match(event)} == expected, "a filter narrows other rules"


def _same_correlations(hand: ByHand, rules: RuleSet) -> None:
    correlations = {rule_id: one for rule_id, one in hand.accepted.items() if isinstance(one, Correlation)}
    for rule_id in correlations:
        hand.settle(rule_id)
    loaded = {each.rule.rule_id: each for each in rules.correlations}
    assert set(loaded) == {rule_id for rule_id, (state, _) in hand.settled.items() if state == "loaded"}
    idle = {each.rule.rule_id for each in rules.idle} & set(correlations)
    assert idle == {rule_id for rule_id, (state, _) in hand.settled.items() if state == "idle"}
    before = {rule_id for rule_id, one in hand.accepted.items() if isinstance(one, CompiledRule)} | idle
    for rule_id, each in loaded.items():
        assert list(each.members) == hand.members(correlations[rule_id])
        assert all(member in before or hand.settled[member][0] == "deep" for member in each.members), "out of order"
        assert each.rule.level in LEVELS
        before.add(rule_id)


def _any_order_finds_the_same(rules: RuleSet) -> None:
    """Forward in one, or backwards and spread over two that are merged: the same alerts and notes."""
    alerts = [list(rules.match(event)) for event in MOMENTS]
    one = Correlator(rules)
    for each in alerts:
        shown = list(one.observe(each))
        assert all(alert in each for alert in shown)
    found = one.finish()
    assert len({alert.alert_id for alert in found}) == len(found)
    two, three = Correlator(rules), Correlator(rules)
    for number, each in enumerate(reversed(alerts)):
        list((two if number % 2 else three).observe(each))
    two.merge(three)
    assert two.finish() == found == one.finish()
    assert two.notes() == one.notes()


SEEDS = ("""\
title: Start
id: a0000000-0000-4000-8000-000000000000
name: start
level: medium
logsource: {product: windows, category: process_creation}
detection: {selection: {Image|endswith: '\\cmd.exe'}, condition: selection}
---
title: Logon
name: logon
logsource: {product: windows, service: security}
detection: {selection: {EventID: 4688}, filter: {User: x}, condition: selection and not filter}
---
""", """\
title: Only without the backup agent
logsource: {product: windows, category: process_creation}
filter:
  rules: [start, a0000000-0000-4000-8000-000000000000]
  selection: {User|contains: backup, ParentImage|endswith: '\\x.exe'}
  condition: not selection
---
title: No test machines
logsource: {product: windows}
filter: {rules: any, hosts: {Computer|startswith: [TEST-, WS-9]}, condition: not hosts}
""", """\
title: Burst
name: burst
correlation:
  type: event_count
  rules: [start]
  group-by: [Computer, User]
  timespan: 5m
  condition: {gte: 2, lt: 100}
---
title: Chain
level: high
correlation:
  type: temporal_ordered
  rules: [burst, logon]
  group-by: [host]
  aliases: {host: {burst: Computer, logon: Computer}}
  timespan: 1d
  generate: true
---
title: Sum
correlation: {type: value_sum, rules: [logon], timespan: 1h, condition: {field: ProcessId, gt: 3.5}}
---
title: Median
correlation:
  {type: value_percentile, rules: [logon, start], timespan: 30s, condition: {field: ProcessId, percentile: 50, lte: 2}}
""")

_CHAIN = SEEDS[0] + "---\n".join(
    f"title: c{number}\nname: c{number}\ncorrelation: {{type: event_count, timespan: 1m, condition: {{gte: 1}}, "
    f"rules: [{f'c{number - 1}' if number else 'start'}]}}\n" for number in range(MAX_CHAIN + 2))


def _files(random: Random) -> bytes | None:
    """Filters, correlations or both, with rules that they refer to."""
    if random.random() < 0.4:
        return None
    makers = random.choice(((documents.rule, documents.filter_), (documents.rule, documents.correlation),
                            (documents.filter_, documents.correlation)))
    return documents.files(random, makers, 3)


_WORDS = (*(word.encode() for word in (*documents.NAMES, *IDS)), b"rules: any", b"rules: [", b"filter:\n", b"filter: {",
          b"correlation:\n", b"correlation: {", b"type: temporal\n", b"type: value_count\n", b"temporal_ordered",
          b"event_count", b"value_sum", b"value_avg", b"value_percentile", b"value_median", b"group-by: ",
          b"timespan: ", b"5m", b"99y", b"0s", b"1M", b"aliases: ", b"generate: true\n", b"gte: ", b"lt: ", b"eq: 1",
          b"field: User", b"percentile: ", b"name: start\n", b"name: burst\n", b"rules: [burst]", BORDER, b"any", b"-1",
          b"1.5")

LINKED: Mapping[str, Target] = {
    "linked": Target(lambda: (*(SEEDS[0].encode() + border + (SEEDS[at] + "---\n" + SEEDS[3 - at]).encode()
                                for border in (b"", BORDER) for at in (1, 2) for _ in range(4)), _CHAIN.encode()),
                     (*SIGMA, *_WORDS), TEXT, linked, fresh=_files),
}
