"""Every rule of ours is proven: each matching case fires it, and no benign twin does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from douse.content.cases import FOLDER, case_file, load_cases
from douse.content.rules import rule_files
from douse.detection.correlation.document import Correlation
from douse.detection.language.documents import Node, read_documents
from douse.detection.language.parse import CompiledRule, parse_rules
from douse.detection.language.patterns import Glob
from douse.detection.language.placeholders import with_ours
from douse.detection.proof import Proof, prove_rules
from douse.detection.reference import All, Any, Not, Selection, Term
from douse.detection.ruleset import load_rules
from douse.errors import ContentError

RULES = [pytest.param(path, id=path.stem) for path in rule_files()]


def documents_of(path: Path) -> list[CompiledRule | Correlation]:
    """The rule of a file; of one with a correlation also that and the rules it joins."""
    found = list(parse_rules(path.read_text(encoding="utf-8"), str(path), builtin=True, lists=with_ours({})))
    assert all(isinstance(one, CompiledRule | Correlation) for one in found), found
    return [one for one in found if isinstance(one, CompiledRule | Correlation)]


def rules_of(path: Path) -> list[CompiledRule]:
    return [one for one in documents_of(path) if isinstance(one, CompiledRule)]


def parts_of(path: Path) -> set[str]:
    """The names of the rules that are there for a correlation of their file."""
    return {name for one in documents_of(path) if isinstance(one, Correlation) for name in one.references}


@pytest.fixture(scope="module")
def proofs() -> dict[str, Proof]:
    """What `douse rules test` says of each of our rule files."""
    return {Path(proof.cases_path).stem: proof for proof in prove_rules().proofs}


@pytest.mark.parametrize("path", RULES)
def test_a_rule_fires_on_its_cases_and_not_on_their_benign_twins(path: Path, proofs: dict[str, Proof]) -> None:
    assert case_file(path).is_file(), f"{path.name} is not proven: write cases/{case_file(path).name}"
    proof = proofs[path.stem]
    assert not proof.problem
    silent = [f"{one.where} {one.name}" for one in proof.results if one.must_fire and not one.fired]
    wrong = [f"{one.where} {one.name}" for one in proof.results if one.fired and not one.must_fire]
    assert not silent, f"does not fire on {silent}"
    assert not wrong, f"fires on the benign {wrong}"


@pytest.mark.parametrize("path", RULES)
def test_a_rule_of_ours_says_what_it_means(path: Path) -> None:
    parts = parts_of(path)
    for rule in (one.rule for one in documents_of(path) if one.rule.name not in parts):
        kinds = {tag.split(".")[1] for tag in rule.tags if tag.startswith("douse.")}
        assert kinds >= {"stage", "fidelity"}, "a douse.stage or douse.fidelity tag is missing"
        assert "class" in kinds or rule.level == "informational", "a rule without an evidence class only informs"
        assert ("store" in kinds) is (rule.evidence_class == "C"), "a store is what a rule of class c saw read"
        assert rule.techniques, "an ATT&CK technique is missing"
        assert all((rule.description, rule.falsepositives, rule.references, rule.level, rule.status))
        assert "Misses: " in rule.description, "the description says what the rule misses"


@pytest.mark.parametrize("path", RULES)
def test_a_part_of_a_correlation_of_ours_says_nothing_alone(path: Path) -> None:
    parts = parts_of(path)
    for rule in (one.rule for one in rules_of(path) if one.rule.name in parts):
        assert (rule.level, rule.evidence_class) == ("informational", ""), "it would be an alert for each record"
        assert rule.description


@pytest.mark.parametrize("path", RULES)
def test_a_rule_of_ours_is_not_idle(path: Path) -> None:
    assert rules_of(path)
    assert not [one.idle for one in rules_of(path) if one.idle]


@pytest.mark.parametrize("path", RULES)
def test_no_wildcard_of_ours_is_a_plain_star_by_mistake(path: Path) -> None:
    r"""Nothing we look for has a star in it; where `\*` stands for `\\*`, a filter never filters."""
    assert plain_stars(path.read_text(encoding="utf-8")) == []


def plain_stars(text: str) -> list[str]:
    return [value for document in read_documents(text, "a rule") if isinstance(document.data, dict)
            for key, value in texts_of(document.data.get("detection")) if "|re" not in key
            and any("*" in part or "?" in part for part in Glob.parse(value).literals)]


def texts_of(node: Node, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text below a node, with the key it stands under."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from texts_of(value, name)
    elif isinstance(node, list):
        for value in node:
            yield from texts_of(value, key)
    elif isinstance(node, str) and key != "condition":
        yield key, node


def test_a_plain_star_is_noticed() -> None:
    rule = "detection: {a: {Image: ['C:\\A\\*\\b.exe', 'C:\\A\\\\*\\b.exe', 'c?d'], B|re: 'a\\*'}, condition: 1 of a*}"
    assert plain_stars(rule) == ["C:\\A\\*\\b.exe"]


@pytest.mark.parametrize("path", RULES)
def test_the_condition_of_a_rule_uses_every_selection(path: Path) -> None:
    written = [document.data["detection"] for document in read_documents(path.read_text(encoding="utf-8"), path.name)
               if isinstance(document.data, dict) and "detection" in document.data]
    for detection, rule in zip(written, rules_of(path), strict=True):
        assert isinstance(detection, dict)
        assert rule.term is not None
        assert set(selections(rule.term)) == detection.keys() - {"condition"}


def selections(term: Term) -> Iterator[str]:
    match term:
        case Selection(name):
            yield name
        case Not(inner):
            yield from selections(inner)
        case All(terms) | Any(terms):
            for each in terms:
                yield from selections(each)


@pytest.mark.parametrize("path", RULES)
def test_a_benign_twin_is_a_record_that_the_rule_reads(path: Path) -> None:
    read = {(route.channel, route.event_id) for rule in rules_of(path) for route in rule.routes}
    beside = [one.where for case in load_cases(case_file(path)).benign for one in (case, *case.later)
              if not {(one.channel.lower(), one.event_id), (one.channel.lower(), None)} & read]
    assert not beside, f"proves nothing, as the rule never looks at such a record: {beside}"


def test_all_our_rules_load_together() -> None:
    rules = load_rules([])
    assert not rules.rejected
    assert not rules.idle
    assert not rules.skipped
    assert {one.rule.path for one in rules.rules} == {str(path) for path in rule_files()}
    assert len(rules.rules) == sum(len(rules_of(path)) for path in rule_files())
    assert all(rule.builtin for rule in (*(one.rule for one in rules.rules), *(one.rule for one in rules.correlations)))


def test_no_case_file_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.yml")} == {path.stem for path in rule_files()}


def test_a_case_may_say_when_and_where(tmp_path: Path) -> None:
    file = tmp_path / "x.yml"
    one = "  - {{name: a, channel: Security, event_id: 4688, {more}fields: {{A: b, C: [d, e], F: null, G: ''}}}}\n"
    file.write_text("match:\n" + one.format(more="host: PC-1, time: 2026-01-02T03:04:05, provider: P, ")
                    + "benign:\n" + one.format(more=""), encoding="utf-8")
    cases = load_cases(file)
    event = cases.match[0].event()
    assert (event.host, event.provider, event.time.isoformat()) == ("PC-1", "P", "2026-01-02T03:04:05+00:00")
    assert event.get("EventID") == 4688
    assert event.fields["C"] == ["d", "e"]
    assert event.has("F")
    assert event.get("F") is None
    assert event.get("G") == ""
    assert cases.benign[0].event().provider == "Microsoft-Windows-Security-Auditing"


@pytest.mark.parametrize(("text", "says"), [
    ("match: []\nbenign: []\n", "no event is listed under match"),
    ("match:\n  - {name: a, channel: c, event_id: 1, fields: {A: b}}\n", "no event is listed under benign"),
    ("match:\n  - {name: a, channel: c, event_id: 1, field: {A: b}}\n", "fields is missing"),
    ("match:\n  - {name: a, channel: c, event_id: 1, fields: {A: b}, time: noon}\n", "'noon' is no time"),
    ("mach: []\n", "unknown key 'mach'. Did you mean 'match'?"),
])
def test_a_case_file_that_proves_nothing_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "x.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match=says.replace("?", r"\?")):
        load_cases(file)
