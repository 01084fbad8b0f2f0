"""The lists of docs/quality that a person wrote, compared with a run: what nobody has read yet, what is gone.

A ledger has a row for each alert of our rules: the record, the field that decided, its value, the verdict and why. The
other two lists explain rules that only one side has. The formats are in
docs/quality/README.md. Problems come out as sentences that say where, what, and what to do.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from quality_runs import ROOT, Corpus, Difference

from douse.model import Alert, Match, level_rank
from douse.text import clean

LISTS = ROOT / "docs" / "quality"
THEIRS, OURS = "sigmahq-only.csv", "douse-only.csv"

LEDGER_FIELDS = ("file", "host", "channel", "record_id", "rule", "level", "field", "value", "verdict", "why")

READ = "low"
"""From this level on, a person must have read every alert of our rules."""

CUT = 200
"""Characters of a deciding value that a ledger keeps."""

CLASSES = ("gap", "narrower", "another record", "weak", "wrong", "out of scope")
"""Why SigmaHQ alerts where we do not, what teaches most first."""

Key = tuple[str, str, str, int, str]
"""An alert: file, host, channel and id of its record, title of its rule. Records without an id share the id 0, so that
a key stands for as many alerts as there are."""


def read_list(name: str) -> list[dict[str, str]]:
    """The rows of one of the lists."""
    with (LISTS / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def key_of(row: Mapping[str, str]) -> Key:
    """The alert that a row of a ledger is about."""
    return row["file"], row["host"], row["channel"], int(row["record_id"]), row["rule"]


def alert_key(alert: Alert) -> Key:
    """The key of an alert, as a row would have it."""
    return Path(alert.source.path).name, alert.host, alert.channel, alert.record_id, alert.title


def shown(value: str) -> str:
    """A value of evidence as a ledger keeps it: cut, with control and direction characters written out."""
    return clean(value[:CUT])


def ledger_problems(corpus: Corpus, alerts: Sequence[Alert], rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """What is wrong between a ledger and a run: alerts that nobody read, rows of alerts that are gone or changed."""
    raised: defaultdict[Key, list[Alert]] = defaultdict(list)
    for alert in alerts:
        raised[alert_key(alert)].append(alert)
    listed = Counter(map(key_of, rows))
    for row in rows:
        for problem in _row_problems(row, raised.get(key_of(row), []), listed[key_of(row)]):
            yield (f"docs/quality/{corpus.ledger}, '{row['rule']}' on record {row['record_id']} of {row['file']}: "
                   f"{problem}")
    for key, found in raised.items():
        if listed[key] < len(found) and level_rank(found[0].level) >= level_rank(READ):
            yield (f"docs/quality/{corpus.ledger}: nobody has read the {found[0].level} alert '{found[0].title}' on "
                   f"record {found[0].record_id} of {key[0]}. Read the record and add a row with your verdict; "
                   "scripts/quality.py --unread drafts it.")


def _row_problems(row: Mapping[str, str], alerts: Sequence[Alert], times: int) -> Iterator[str]:
    """What is wrong with one row of a ledger, given the alerts that it may be about."""
    if not alerts:
        yield "there is no such alert any more. Delete the row."
        return
    if times > len(alerts):
        yield f"has {times} rows and {len(alerts)} alerts. Delete a row."
    if row["level"] != alerts[0].level:
        yield f"is {alerts[0].level} now, not {row['level']}. Judge it again at that level."
    decided = [match for alert in alerts for match in alert.matched if match.field == row["field"]]
    if row["value"] not in map(shown, (match.value for match in decided)):
        yield f"{row['field']} did not decide with this value. Read the record again."
    if row["verdict"] not in ("true", "false"):
        yield f"the verdict is {row['verdict']!r}. Say true or false."
    if not row["why"].strip():
        yield "the verdict has no reason. Say in a sentence what the record shows."


def drafts(alerts: Iterable[Alert], rows: Iterable[Mapping[str, str]]) -> Iterator[dict[str, str]]:
    """Rows without a verdict for alerts that the rows of a ledger lack."""
    left = Counter(map(key_of, rows))
    for alert in alerts:
        if left[alert_key(alert)] > 0:
            left[alert_key(alert)] -= 1
            continue
        decisive = max(alert.matched, key=lambda match: len(match.pattern), default=Match("", "", "", ""))
        cells = (*map(str, alert_key(alert)), alert.level, decisive.field, shown(decisive.value), "", "")
        yield dict(zip(LEDGER_FIELDS, cells, strict=True))


def difference_problems(name: str, found: Mapping[str, Difference], rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """What is wrong with a list of differences: a rule without a reason, a reason without a rule."""
    wanted = {rule_id for rule_id, one in found.items() if one.alone}
    listed = Counter(row["rule_id"] for row in rows)
    for rule_id in sorted(wanted - set(listed)):
        yield (f"docs/quality/{name}: '{found[rule_id].rule}' ({rule_id}) alerts on records of which the other side "
               "says nothing. Say why in a row.")
    for row in rows:
        where = f"docs/quality/{name}, '{row['rule']}' ({row['rule_id']})"
        if row["rule_id"] not in wanted or listed[row["rule_id"]] > 1:
            yield f"{where}: has no such record any more, or stands here twice. Delete the row."
        if not row["why"].strip() or row.get("class", CLASSES[0]) not in CLASSES:
            yield f"{where}: lacks a reason, or its class is none of: {', '.join(CLASSES)}."


