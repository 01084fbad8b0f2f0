"""The tables of docs/detection-quality.md: what quality_runs.py measured in, Markdown out, put between marks.

A table stands between `<!-- table NAME -->` and `<!-- end -->`; all else on the page is written by hand and stays.
Each kind of logs has its own column, and no cell adds two of them up. Rates are for 10,000 records that were read, also
those that no rule asks for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from quality_ledgers import CLASSES, LISTS, OURS, THEIRS, read_list
from quality_runs import CORPORA, JUDGED, KINDS, SYNTHETIC, Difference, Measured, Side, differences, records_of

from douse.model import LEVELS, level_rank

PAGE = LISTS.parent / "detection-quality.md"
STRONGEST_FIRST = tuple(reversed(LEVELS))
UNREAD = "unread"

Tables = dict[str, str]


def filled(page: str, tables: Mapping[str, str]) -> str:
    """The page with its tables replaced. Raises ValueError where page and tables do not name the same ones."""
    named = re.findall(r"<!-- table (\S+) -->", page)
    if sorted(named) != sorted(tables):
        raise ValueError(f"{PAGE.name} has the tables {sorted(named)}, measured were {sorted(tables)}")
    return _filled(page, tables)


def _filled(page: str, tables: Mapping[str, str]) -> str:
    def put(found: re.Match[str]) -> str:
        return f"<!-- table {found[1]} -->\n\n{tables[found[1]]}\n<!-- end -->" if found[1] in tables else found[0]

    return re.sub(r"<!-- table (\S+) -->\n.*?<!-- end -->", put, page, flags=re.DOTALL)


def current(page: str, tables: Mapping[str, str]) -> bool:
    """Whether those tables stand in the page as they are now."""
    return _filled(page, tables) == page


def sections(measured: Measured) -> Tables:
    """Every table of the page, by name."""
    return {**own_tables(measured.ours), "days": days(measured), "rules": rules(measured), "unread": unread(measured),
            "attacks": attacks(measured), "beside": beside(measured), "classes": classes(measured),
            "theirs": theirs(measured), "ours": ours(measured)}


def own_tables(sides: Mapping[str, Side]) -> Tables:
    """The tables about our rules alone."""
    return {"logs": logs(sides), "alerts": alerts(sides), "read": read_by_hand(sides), "false": false_alerts(),
            "counts": counts(sides)}


def _table(head: Sequence[str], rows: Iterable[Sequence[object]], numbers: int = 0) -> str:
    """A Markdown table; the last `numbers` columns are aligned to the right."""
    ruler = ["---"] * (len(head) - numbers) + ["---:"] * numbers
    lines = [list(head), ruler, *([_cell(value) for value in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|").replace("\n", " ")


def _rate(number: int, records: int) -> str:
    """A count, and for 10,000 records."""
    return f"{number:,} ({number / records * 10_000:.2f})" if records else f"{number:,}"


def logs(sides: Mapping[str, Side]) -> str:
    """What was read: files, records, hosts, times, and of which channels."""
    rows = []
    for kind, side in sides.items():
        channels: Counter[str] = Counter()
        for count in side.counts:
            channels[count.channel.rpartition("Windows-")[2].partition("/")[0] or count.channel] += count.records
        most = ", ".join(f"{name} {number:,}" for name, number in channels.most_common(4))
        rows.append((kind, most, side.files, side.records, side.lost, len(side.hosts)))
    return _table(("logs", "most records are of", "files", "records", "lost", "hosts"), rows, 4)


def alerts(sides: Mapping[str, Side]) -> str:
    """Alerts of our rules by level, and incidents."""
    rows: list[Sequence[object]] = []
    for level in STRONGEST_FIRST:
        numbers = [sum(alert.level == level for alert in side.alerts) for side in sides.values()]
        rows.append((f"alerts, {level}", *map(_rate, numbers, [side.records for side in sides.values()])))
    rows += [(f"incidents, {level}", *(side.incidents[level] for side in sides.values())) for level in STRONGEST_FIRST]
    return _table(("our rules", *sides), rows, len(sides))


def read_by_hand(sides: Mapping[str, Side]) -> str:
    """How many of our alerts were read, and how many of these are true, by kind and level."""
    rows: list[Sequence[object]] = []
    for corpus in CORPORA:
        ledger = read_list(corpus.ledger)
        for level in STRONGEST_FIRST:
            verdicts = Counter(row["verdict"] for row in ledger if row["level"] == level)
            raised = sum(alert.level == level for alert in sides[corpus.kind].alerts)
            if raised:
                rows.append((corpus.kind, level, raised, verdicts.total(), verdicts["true"], verdicts["false"]))
    return _table(("logs", "level", "alerts", "read", "true", "false"), rows, 4)


def false_alerts() -> str:
    """The alerts that were found false, and why."""
    rows = [(corpus.kind, f"{row['rule']} ({row['level']})", row["field"], row["value"], row["why"])
            for corpus in CORPORA for row in read_list(corpus.ledger) if row["verdict"] == "false"]
    return _table(("logs", "false alert", "field that decided", "value", "why"), rows) if rows else "None was false.\n"


def counts(sides: Mapping[str, Side]) -> str:
    """Every rule of ours that fired, with its alerts by kind, and in how many files where that is not as many."""
    found: dict[tuple[str, str], dict[str, Counter[str]]] = {}
    for kind, side in sides.items():
        for alert in side.alerts:
            found.setdefault((alert.level, alert.title), {}).setdefault(kind, Counter())[alert.source.path] += 1
    order = sorted(found, key=lambda key: (-level_rank(key[0]), key[1]))
    rows = [(level, title, *(_in_files(found[level, title].get(kind, Counter())) for kind in sides))
            for level, title in order]
    return _table(("level", "rule", *sides), rows, len(sides))


def _in_files(of_file: Counter[str]) -> str:
    """Alerts, and the files they are in where these are fewer."""
    files, alerts = len(of_file), of_file.total()
    return f"{alerts:,} in {files:,}" if files < alerts else f"{alerts:,}" if alerts else ""


def days(measured: Measured) -> str:
    """What ordinary days raise, for our rules and SigmaHQ's: alerts by level and for 10,000 records, incidents."""
    sides = {"Douse": measured.ours[SYNTHETIC], "SigmaHQ": measured.theirs[SYNTHETIC]}
    rows = [(name, side.files, side.records,
             *(_rate(sum(a.level == level for a in side.alerts), side.records) for level in STRONGEST_FIRST))
            for name, side in sides.items()]
    return _table(("rules", "days", "records", *STRONGEST_FIRST), rows, 2 + len(LEVELS))


def rules(measured: Measured) -> str:
    """How many of our rules fired on each kind of logs at all."""
    rows = [(kind, len({alert.rule_id for alert in side.alerts}), len(measured.rules))
            for kind, side in measured.ours.items()]
    told = {alert.rule_id for side in measured.attacks.values() for alert in side.alerts}
    rows.append(("synthetic: attacks", len(told), len(measured.rules)))
    return _table(("logs", "rules that fired", "of"), rows, 2)


def unread(measured: Measured) -> str:
    """Our rules that nothing in others' logs could have fired, by the log that is missing."""
    by_source: dict[str, list[str]] = {}
    for rule in measured.unread:
        by_source.setdefault(str(rule.logsource), []).append(rule.title)
    rows = [(source, len(titles), "; ".join(sorted(titles))) for source, titles in sorted(by_source.items())]
    return _table(("log source", "rules", "titles"), rows)


def attacks(measured: Measured) -> str:
    """What our rules make of the simulator's attacks."""
    rows = [(name, side.records, *(sum(a.level == level for a in side.alerts) for level in STRONGEST_FIRST),
             max(side.incidents, key=level_rank, default="none")) for name, side in measured.attacks.items()]
    return _table(("scenario", "records", *STRONGEST_FIRST, "worst incident"), rows, 1 + len(LEVELS) + 1)


def beside(measured: Measured) -> str:
    """Both sets of rules on the same records."""
    rows: list[Sequence[object]] = []
    for kind in KINDS:
        for name, mine, other in (("Douse", measured.ours[kind], measured.theirs[kind]),
                                  ("SigmaHQ", measured.theirs[kind], measured.ours[kind])):
            strong, known = records_of(mine.at_least(JUDGED)), records_of(other.alerts)
            rows.append((kind, name, mine.rules, _rate(len(mine.alerts), mine.records),
                         _rate(len(mine.at_least(JUDGED)), mine.records), len(strong), len(strong & known)))
    head = ("logs", "rules", "loaded", "alerts", "high or above", "records of those", "the other side alerts there too")
    return _table(head, rows, 5)


def classes(measured: Measured) -> str:
    """How many rules of SigmaHQ's, and alerts, fall into each class of reasons."""
    found = differences(measured.theirs, measured.ours, JUDGED)
    rows: list[Sequence[object]] = []
    for word in CLASSES:
        of_class = [found[row["rule_id"]] for row in read_list(THEIRS)
                    if row["class"] == word and row["rule_id"] in found]
        rows.append((word, len(of_class), *(sum(one.alone[kind] for one in of_class) for kind in KINDS)))
    return _table(("class", "rules", *(f"alerts, {kind}" for kind in KINDS)), rows, 1 + len(KINDS))


def theirs(measured: Measured) -> str:
    """Every rule of SigmaHQ's of high or above with records on which we are silent, by the reason."""
    reasons = {row["rule_id"]: (row["class"], row["why"]) for row in read_list(THEIRS)}
    groups: dict[tuple[str, str], list[Difference]] = {}
    for one in differences(measured.theirs, measured.ours, JUDGED).values():
        if one.alone:
            groups.setdefault(reasons.get(one.rule_id, (UNREAD, "")), []).append(one)
    order = sorted(groups, key=lambda key: ((*CLASSES, UNREAD).index(key[0]), -len(groups[key]), key[1]))
    rows = [(f"**{key[0]}** {key[1]}", "; ".join(sorted(one.rule for one in groups[key])), *_alone(groups[key]))
            for key in order]
    return _table(("why we are silent", "rules of SigmaHQ", *KINDS), rows, len(KINDS))


def ours(measured: Measured) -> str:
    """Every rule of ours with records on which SigmaHQ is silent at every level, and why."""
    reasons = {row["rule_id"]: row["why"] for row in read_list(OURS)}
    found = [one for one in differences(measured.ours, measured.theirs, LEVELS[0]).values() if one.alone]
    found.sort(key=lambda one: (-level_rank(one.level), one.rule))
    rows = [(f"{one.rule} ({one.level})", reasons.get(one.rule_id, UNREAD), *_alone([one])) for one in found]
    return _table(("rule of ours", "why SigmaHQ is silent", *KINDS), rows, len(KINDS))


def _alone(found: Iterable[Difference]) -> list[object]:
    """For each kind of logs the alerts of these rules on records of which the other side says nothing."""
    numbers = [sum(numbers) for numbers in zip(*([one.alone[kind] for kind in KINDS] for one in found), strict=True)]
    return [number or "" for number in numbers]
