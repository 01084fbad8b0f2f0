"""What both programs found is read, and what Douse's rules say of a record that only the peer reports."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path

import peer
import pytest
from corpora import Corpus
from peer_table import key_of

import hunt
from douse.detection.ruleset import load_rules

RULE = """\
title: A start without mshta
id: 3b3f2f0e-1f0c-4b5e-9a51-3f1c8a2e7d11
level: low
logsource: {product: windows, category: process_creation}
detection:
  start: {Image|contains: '\\'}
  filter: {Image|endswith: '\\mshta.exe'}
  condition: start and not filter
"""


def test_records_behind_a_bad_one_are_told_apart(tmp_path: Path, log: Path) -> None:
    whole = peer.walk(Corpus("whole", (log,)))
    assert not whole.after
    data = bytearray(log.read_bytes())
    chunks = range(4096, len(data), 65536)
    assert len(chunks) > 1, "the log must have chunks behind the damaged one"
    data[chunks[0]:chunks[0] + 8] = b"damaged!"
    damaged = tmp_path / "damaged.evtx"
    damaged.write_bytes(data)
    read = peer.walk(Corpus("damaged", (damaged,)))
    assert not read.before
    assert read.after
    assert read.after < whole.before


def test_our_rules_say_why_they_do_not_fire(tmp_path: Path, log: Path) -> None:
    (tmp_path / "rule.yml").write_text(RULE)
    rules = load_rules([tmp_path / "rule.yml"], builtin=False)
    rule = rules.rules[0].rule.rule_id
    asker = peer.OurRules(rules, Corpus("one", (log,)))
    said = {asker.denial(rule, key, {}) for key in peer.walk(Corpus("one", (log,))).before if asker.reads(rule, key)}
    assert said == {"", "filter matches"}
    assert not asker.reads(rule, key_of("System", 7045, 1, "PC"))
    assert not asker.reads("no such rule", key_of("Security", 4688, 1, "PC"))


def test_alerts_are_read_with_their_fields(tmp_path: Path) -> None:
    lines = tmp_path / "hunt.jsonl"
    alert = ('{"kind":"alert","rule_id":"r","title":"T","channel":"Security","event_id":4688,"record_id":3,'
             '"host":"PC","fields":{"Image":"x"}}\n')
    lines.write_text(alert + alert + '{"kind":"summary"}\n')
    key = key_of("security", 4688, 3, "pc")
    assert peer.alerts(lines) == ({"r": Counter({key: 2})}, {("r", key): [{"Image": "x"}] * 2}, {"r": "T"})


@pytest.mark.skipif(os.name == "nt", reason="the benchmark measures with wait4")
def test_both_stand_side_by_side(home: Path, scratch: Path, log: Path, tmp_path: Path, capsys) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "windows.yml").write_text(RULE)
    (rules / "linux.yml").write_text(RULE.replace("windows", "linux").replace("3b3f", "3b4f"))
    comparison = peer.Comparison(home, scratch, hunt.measured, rules, log)
    assert "converted 1 of 1 Windows rules (not counted); Douse runs 1" in capsys.readouterr().out

    lines = tmp_path / "hunt.jsonl"
    lines.write_text('{"kind":"alert","rule_id":"3b3f2f0e-1f0c-4b5e-9a51-3f1c8a2e7d11","title":"A start","channel":'
                     '"Security","event_id":4688,"record_id":3,"host":"PC","fields":{"Image":"x"}}\n')
    comparison.beside(Corpus("one", (log,)), hunt.Cost(0.001, 0.001, 1), lines, 66, 1)
    said = capsys.readouterr().out
    assert re.search(r"ratio: Zircolite takes \d+\.\d times the CPU, for each record that it reads \d", said)
    assert "2 rules fired in either, 0 on the same records in both" in said
    assert "the peer did not convert the rule" in said
    assert "A rule (id-a)" in said
