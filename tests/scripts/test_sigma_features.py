"""The table of features in docs/sigma.md: its numbers are those of the shared rules; what it calls supported loads."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

from douse.detection.correlation.document import TYPES
from douse.detection.language.modifiers import MODIFIERS
from douse.detection.language.parse import parse_rules
from douse.errors import RuleError

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "sigma.md"

FEATURES = {
    "`contains` / `endswith` / `startswith`": ("contains", "endswith", "startswith"),
    "`all`": ("all",),
    "`windash`": ("windash",),
    "`re`; with `i`, `m`, `s`": ("re", "i", "m", "s"),
    "`cidr`": ("cidr",),
    "`base64offset` / `base64`": ("base64offset", "base64"),
    "`wide` (`utf16le`) / `utf16` / `utf16be`": ("wide", "utf16", "utf16be"),
    "`fieldref`, also with `startswith` `endswith` `contains`": ("fieldref",),
    "`expand`": ("expand",),
    "`exists` `cased` `neq` `lt` `lte` `gt` `gte`": ("lt lte gt gte",),
    "`minute` `hour` `day` `week` `month` `year`, also compared: `hour|gte`": ("a part of a time",),
    "lists of maps": ("list of maps",),
    "keywords / `'|all'` keywords": ("keywords", "keywords with all"),
    "wildcards in values": ("wildcards",),
    "numbers / true and false / null / the empty text": ("numbers", "true or false", "null", "empty"),
    "`1 of x*` / `all of x*` / `not 1 of x*`": ("1 of", "all of", "not 1 of"),
    "`and` / `or` / `not` / parentheses": ("and", "or", "not", "parentheses"),
    "`them` / a list of conditions": ("of them", "list of conditions"),
    "several documents in one file": ("several documents",),
    "`action: global`, `reset`, `repeat` (Sigma 1)": ("action",),
    "filters": ("filter",),
    "correlations `event_count` `value_count` `temporal` `temporal_ordered`": ("correlation",),
}
"""Row of the table -> what scripts/sigma_features.py calls it. The rows that are left are about what no rule has."""

REFUSED = {
    "an expression as the condition of a temporal correlation":
        "title: x\ncorrelation: {type: temporal, rules: [a, b], timespan: 5m, condition: a and b}\n",
    "`count()` and `near` after a bar (Sigma 1)":
        "title: x\nlogsource: {category: process_creation}\n"
        "detection: {a: {Image: x}, condition: a | count() by User > 3}\n",
}


def table() -> dict[str, tuple[str, str]]:
    """Feature -> the numbers and the state, as the page has them."""
    text = PAGE.read_text(encoding="utf-8").partition("| feature | rules | state |\n")[2].partition("\n\n")[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines()[1:]]
    return {name.strip().replace("\\|", "|"): (numbers.strip(), state.strip()) for name, numbers, state in rows}


def test_every_number_is_that_of_the_shared_rules(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    rules, counts = import_module("sigma_features").count(shared / "data" / "sigma")
    sys.modules.pop("sigma_features")
    rows = table()
    assert {name for name in FEATURES if name not in rows} == set()
    for name, (numbers, _state) in rows.items():
        shown = [int(number.replace(",", "")) for number in re.findall(r"[\d,]*\d", numbers)]
        assert shown == [counts[feature] for feature in FEATURES.get(name, ("no rule has this",))], name
    assert f"{rules:,} rules for Windows" in PAGE.read_text(encoding="utf-8")
    assert counts["unknown modifiers"] == 0


def test_every_modifier_and_type_of_correlation_is_in_the_table() -> None:
    supported = " ".join(f"{name} {state}" for name, (_numbers, state) in table().items() if state.startswith("yes"))
    assert {word for word in (*MODIFIERS, *TYPES) if f"`{word}`" not in supported} == set()


def test_what_the_table_says_no_to_is_rejected() -> None:
    assert {name for name, (_numbers, state) in table().items() if not state.startswith("yes")} == set(REFUSED)
    for name, text in REFUSED.items():
        assert table()[name][1].startswith("no: rejected")
        (outcome,) = parse_rules(text, "x.yml")
        assert isinstance(outcome, RuleError), name
        assert outcome.next_step
