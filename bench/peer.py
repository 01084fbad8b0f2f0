"""Zircolite beside Douse on the same files, with the same rules, one job each: cost, ratio, and why counts differ.

    BENCH_ZIRCOLITE=DIR .venv/bin/python bench/hunt.py --only peer          (part of `make bench`)

DIR holds zircolite.py, and its own .venv if it has one. The rules are those of SigmaHQ whose product is Windows; the
peer converts them once, which is not counted. A further run, not counted either, keeps its database, in which
differences.py looks for reasons.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any

import differences
from corpora import Corpus
from differences import Facts, Reading
from evtx import PyEvtxParser
from peer_table import Key, Table, alike, key_of
from zircolite import Cost, Found, Measure, Zircolite, converted

from douse.detection.explain import explain, reasons
from douse.detection.language.parse import CompiledRule
from douse.detection.ruleset import RuleSet, load_rules
from douse.model import Event
from douse.telemetry import Limits, Tally, Wanted, read_path


def alerts(output: Path) -> tuple[dict[str, Counter[Key]], dict[tuple[str, Key], list[dict[str, str]]], dict[str, str]]:
    """The alerts in Douse's JSON Lines: the records of each rule, the fields of each alert, and the titles."""
    records: dict[str, Counter[Key]] = {}
    fields: dict[tuple[str, Key], list[dict[str, str]]] = {}
    titles: dict[str, str] = {}
    with output.open(encoding="utf-8") as lines:
        for line in lines:
            said = json.loads(line)
            if said["kind"] == "alert":
                key = key_of(said["channel"], said["event_id"], said["record_id"], said["host"])
                records.setdefault(said["rule_id"], Counter())[key] += 1
                fields.setdefault((said["rule_id"], key), []).append(said["fields"])
                titles[said["rule_id"]] = said["title"]
    return records, fields, titles


def walk(corpus: Corpus) -> Reading:
    """Which records a program gets that reads each file up to its first bad record, and which it then does not."""
    read = Reading(Counter(), Counter(), Counter())
    for path in corpus.files:
        intact = True
        for system in _systems(path):
            if system is None:
                intact = False
                continue
            number = system["EventID"]
            key = key_of(system.get("Channel"), number["#text"] if isinstance(number, dict) else number,
                         system.get("EventRecordID"), system.get("Computer"))
            (read.before if intact else read.after)[key] += 1
            if intact and system["TimeCreated"]["#attributes"]["SystemTime"] < "1970":
                read.early[key] += 1
    return read


def _systems(path: Path) -> Iterator[dict[str, Any] | None]:
    """The System part of each record, and None for a record that the library cannot read."""
    records = iter(PyEvtxParser(str(path), number_of_threads=1).records_json())
    while True:
        try:
            record = next(records)
        except StopIteration:
            return
        except RuntimeError:
            yield None
        else:
            if record is not None:
                yield json.loads(record["data"])["Event"]["System"]


class OurRules:
    """What Douse's rules have to say about records that only the peer reports."""

    def __init__(self, rules: RuleSet, corpus: Corpus) -> None:
        self._rules, self._corpus = {one.rule.rule_id: one for one in rules.rules}, corpus
        self._set = rules

    def reads(self, rule_id: str, key: Key) -> bool:
        """Whether the rule's log source is the record's log."""
        rule = self._rules.get(rule_id)
        return rule is not None and any(route.channel in ("*", key[0]) and route.event_id in (None, key[1])
                                        for route in rule.routes)

    @cached_property
    def _events(self) -> dict[Key, list[Event]]:
        """The records of the corpus that some rule reads."""
        found: dict[Key, list[Event]] = {}
        for path in self._corpus.files:
            for event in read_path(path, Wanted(self._set.interests()), Tally(), Limits(), named=True):
                found.setdefault(key_of(event.channel, event.event_id, event.record_id, event.host), []).append(event)
        return found

    def denial(self, rule_id: str, key: Key, row: Mapping[str, object]) -> str:
        """Why the rule does not fire on the record, of its copies the one most like a row; empty where it fires."""
        copies = self._events.get(key, ())
        if not copies:
            return ""
        return _denial(self._rules[rule_id], max(copies, key=lambda event: alike(row, event.fields)))


def _denial(rule: CompiledRule, event: Event) -> str:
    said = explain(rule, event)
    if said.fires:
        return ""
    return ", ".join([*said.unread, *(reasons(said.condition) if said.condition else ())])


def _windows_rules(rules: RuleSet) -> list[Path]:
    """The files of the rules that name Windows as their product, also of those that Douse keeps idle."""
    every = [*(one.rule for one in rules.rules), *(one.rule for one in rules.idle)]
    return sorted({Path(rule.path) for rule in every if rule.logsource.product.lower() == "windows"})


class Comparison:
    """The peer with its ruleset, ready to be run on one corpus after the other. `folder` has the rules of both."""

    def __init__(self, home: Path, scratch: Path, measured: Measure, rules: Path, log: Path) -> None:
        self.zircolite = Zircolite(home, scratch, measured)
        self.folder = scratch / "windows-rules"
        self.folder.mkdir()
        files = _windows_rules(load_rules([rules], builtin=False))
        for number, path in enumerate(files):
            shutil.copyfile(path, self.folder / f"{number}-{path.name}")
        self.rules = load_rules([self.folder], builtin=False)
        self.ruleset = self.zircolite.convert(self.folder, log)
        self.converted = converted(self.ruleset)
        print(f"\nZircolite {self.zircolite.version} converted {len(self.converted):,} of {len(files):,} Windows rules"
              f" (not counted); Douse runs {len(self.rules.rules):,}", flush=True)

    def beside(self, corpus: Corpus, ours: Cost, output: Path, records: int, repeat: int) -> None:
        """Run the peer on a corpus that Douse has hunted into `output`, and print both."""
        its = self.zircolite.hunt(corpus, self.ruleset, repeat)
        with closing(self.zircolite.keep(corpus, self.ruleset)) as kept:
            self._compare(corpus, ours, output, records, its, kept)

    def _compare(self, corpus: Corpus, ours: Cost, output: Path, records: int, its: Found,
                 kept: Table) -> None:
        for name, cost, read in (("Douse, warm, 1 job", ours, records),
                                 (f"Zircolite {self.zircolite.version}", its.cost, len(kept))):
            print(f"  {name:<28} {read:>9,} records {cost.seconds:8.2f} CPU s {cost.wall:8.2f} s wall"
                  f" {read / cost.seconds:>9,.0f} records/CPU s {cost.memory / 1e6:6.0f} MB")
        each = records / ours.seconds * its.cost.seconds / max(len(kept), 1)
        print(f"  ratio: Zircolite takes {its.cost.seconds / ours.seconds:.1f} times the CPU, for each record that it"
              f" reads {each:.1f} times", flush=True)
        self._explain(corpus, output, its, kept)

    def _explain(self, corpus: Corpus, output: Path, its: Found, kept: Table) -> None:
        found, fields, titles = alerts(output)
        asker = OurRules(self.rules, corpus)
        sources = {one.rule.rule_id: Path(one.rule.path).read_text(encoding="utf-8") for one in self.rules.rules}
        facts = Facts(self.converted, kept, walk(corpus), {one.rule.rule_id: one.reason for one in self.rules.idle},
                      asker.reads, asker.denial, fields, sources)
        read = facts.reading
        lacking = read.before.total() + read.after.total() - len(kept)
        if lacking:
            print(f"  {lacking:,} records are not in its table; {read.after.total():,} stand behind the first bad"
                  f" record of their file, {read.early.total():,} are dated before 1970, and its default time filter"
                  " leaves those out")
        fired = sorted(found.keys() | its.records.keys())
        nothing: Counter[Key] = Counter()
        named = {**its.titles, **titles}
        differ = [one for rule in fired if (one := differences.compare(
            rule, named[rule], found.get(rule, nothing), its.records.get(rule, nothing), facts))]
        print(f"  {len(fired):,} rules fired in either, {len(fired) - len(differ):,} on the same records in both")
        if differ:
            print("\n".join(differences.table(differ)), flush=True)
