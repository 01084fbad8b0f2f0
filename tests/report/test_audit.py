"""The rows, words, page, table and layer of an audit: of a sample fleet, of one computer, of many, of none."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from douse.content.mission import mission
from douse.harden.audit.run import audit
from douse.harden.finding import STATES, Asset, AuditOptions, AuditResult, SubjectResult
from douse.harden.gathered import Problem
from douse.report import audit_story as story
from douse.report.audit import audit_document
from douse.report.audit_formats import FORMATS
from douse.report.audit_html import MAX_SUBJECTS, render
from douse.report.audit_navigator import layer
from douse.report.audit_schema import AuditDocument
from harden import fleet
from report.test_coverage import valid

CANARY = "Xq7-canary-Zr9"


def written(result: AuditResult, word: str) -> str:
    """A format's text."""
    return b"".join(FORMATS[word](result)).decode("utf-8")


def rows_of(result: AuditResult) -> list[dict[str, str]]:
    """The CSV, read back."""
    return list(csv.DictReader(io.StringIO(written(result, "csv"), newline="")))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> AuditResult:
    """The sample fleet."""
    built = fleet.build(tmp_path_factory.mktemp("fleet"))
    return audit(AuditOptions((str(built.evidence),), inventory=built.inventory, today=fleet.TODAY))


def only(result: AuditResult, keep: Callable[[SubjectResult], bool]) -> AuditResult:
    """The same audit about fewer subjects."""
    return replace(result, subjects=tuple(filter(keep, result.subjects)))


def many(result: AuditResult, number: int) -> AuditResult:
    """The same with so many hosts, all like PC-B."""
    host = next(one for one in result.hosts if one.name.startswith("PC-B"))
    hosts = tuple(replace(host, name=f"PC-{n:04}", asset=Asset(f"PC-{n:04}", owner=f"Owner {n % 3}"))
                  for n in range(number))
    return replace(result, subjects=(*hosts, *(one for one in result.subjects if one.kind != "host")))


# --- rows -------------------------------------------------------------------------------------------------------------


def conforms(value: Any, kind: Any, where: str) -> None:
    """Whether a value is what a TypedDict says, all the way down; a key more or less fails too."""
    if is_typeddict(kind):
        hints = get_type_hints(kind)
        assert set(value) == set(hints), where
        for name, inner in hints.items():
            conforms(value[name], inner, f"{where}.{name}")
    elif get_origin(kind) is list:
        assert type(value) is list, where
        for number, item in enumerate(value):
            conforms(item, get_args(kind)[0], f"{where}[{number}]")
    elif get_origin(kind) is dict:
        assert all(type(name) is str and type(item) is int for name, item in value.items()), where
    elif type(None) in get_args(kind):
        if value is not None:
            conforms(value, get_args(kind)[0], where)
    elif get_args(kind):
        assert value in get_args(kind), where
    else:
        assert type(value) is kind, f"{where}: {value!r}"


def test_rows_are_what_the_schema_says(made: AuditResult) -> None:
    document = audit_document(made)
    conforms(document, AuditDocument, "document")
    assert json.loads(written(made, "json")) == json.loads(json.dumps(document))
    assert {one["kind"] for one in document["subjects"]} == {"host", "policy", "tenant", "organisation"}


def test_the_same_audit_gives_the_same_bytes(made: AuditResult) -> None:
    for word, make in FORMATS.items():
        assert b"".join(make(made)) == b"".join(make(made)), word


def test_json_comes_in_pieces(made: AuditResult) -> None:
    pieces = list(FORMATS["json"](made))
    assert len(pieces) > len(made.subjects) + len(made.controls)
    assert max(map(len, pieces)) < sum(map(len, pieces)) / 4


def test_sentences_of_the_advice_stand_with_their_controls_and_counts(made: AuditResult) -> None:
    rows = audit_document(made)["mission"]
    assert [row["text"] for row in rows] == [one.text for one in mission()]
    for row in rows:
        findings = [finding.state for one in made.subjects if one.kind != "policy" for finding in one.findings
                    if finding.control.id in row["controls"]]
        assert row["counts"] == {state: findings.count(state) for state in STATES}
        assert findings


def test_a_policy_counts_for_no_state(made: AuditResult) -> None:
    without = only(made, lambda one: one.kind != "policy")
    assert audit_document(made)["summary"]["counts"] == audit_document(without)["summary"]["counts"]


def test_a_secret_in_evidence_is_in_no_format(made: AuditResult) -> None:
    """A password in a registry value, a firewall rule's description, a note and a problem."""
    said = f"net use \\\\srv\\c$ /user:anna {CANARY}"
    host = made.hosts[0]
    number, finding = next((n, one) for n, one in enumerate(host.findings) if one.checks and one.checks[0].cited)
    check = finding.checks[0]
    dirty = replace(check, actual=said, why=said, cited=(replace(
        check.cited[0], value=f"v2.26|Action=Block|Desc=password={CANARY}|", where=said),))
    findings = list(host.findings)
    findings[number] = replace(finding, checks=(dirty,), why=said, notes=(said,))
    changed = replace(made, subjects=(replace(host, findings=tuple(findings), notes=(said,)), *made.subjects[1:]),
                      problems=(Problem("x", said, said),), notes=(Problem("x", said, said),), command_line=said)
    for word in FORMATS:
        text = written(changed, word)
        assert CANARY not in text, word
    assert "[redacted]" in written(changed, "csv")


# --- csv --------------------------------------------------------------------------------------------------------------


def test_csv_has_a_row_for_each_check_and_for_a_finding_without_one(made: AuditResult) -> None:
    bare = replace(made.hosts[0], findings=(replace(made.hosts[0].findings[0], checks=(), state="unknown"),))
    changed = replace(made, subjects=(bare, *made.subjects[1:]))
    rows = rows_of(changed)
    assert len(rows) == sum(max(1, len(finding.checks)) for one in changed.subjects for finding in one.findings)
    assert (rows[0]["setting"], rows[0]["state"]) == ("", "unknown")
    assert rows[0]["why"]


def test_csv_names_source_place_and_raw_value(made: AuditResult) -> None:
    row = next(row for row in rows_of(made) if (row["subject"], row["setting"], row["state"]) == (
        "SRV-C", "H28/PasswordManagerEnabled", "conflict"))
    assert row["where"] == r"HKLM\SOFTWARE\Policies\Google\Chrome!PasswordManagerEnabled"
    assert "SRV-C.json" in row["source"]
    assert "config/SOFTWARE" in row["source"]
    assert set(row["raw_value"].split("; ")) == {"0", "1"}
    assert re.fullmatch(r"[0-9a-f]{64}(; [0-9a-f]{64})+", row["source_sha256"])
    assert (row["owner"], row["criticality"], row["verified"]) == ("IT", "high", "yes")


# --- hostile text -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hostile(made: AuditResult) -> AuditResult:
    """The fleet with a stranger's text wherever one can stand."""
    bad = fleet.HOSTILE
    host = made.hosts[1]
    asset = Asset(bad, bad, f"={bad}", bad)
    lints = tuple(replace(one, what=bad, cited=replace(one.cited, where=bad)) for one in host.lints)
    changed = replace(host, name=f"={bad}", system=bad, asset=asset, notes=(bad,), lints=lints)
    return replace(made, subjects=(changed, *made.subjects[2:]), problems=(Problem(bad, bad, bad),),
                   notes=(Problem(bad, bad, bad),), command_line=bad)


def test_hostile_text_is_inert_in_the_page(hostile: AuditResult) -> None:
    text = written(hostile, "html")
    assert text.count("<script>") == 1
    assert "&lt;script&gt;alert(1)" in text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", text)
    assert not re.search(r"<[^>]* (?:style|on\w+)=", text.split("<body>")[1])
    assert "default-src 'none'" in html.unescape(text)


def test_hostile_text_is_no_formula_and_no_control_character(hostile: AuditResult) -> None:
    for row in rows_of(hostile):
        for name, value in row.items():
            assert value.lstrip()[:1] not in set("=+-@"), (name, value)
    for word in ("csv", "json", "navigator"):
        assert "\x1b" not in written(hostile, word), word
        assert "\u202e" not in written(hostile, word), word
    # a program gets what was there
    assert json.loads(written(hostile, "json"))["subjects"][0]["system"] == fleet.HOSTILE


# --- words ------------------------------------------------------------------------------------------------------------


def test_the_headline_answers_the_question_first(made: AuditResult) -> None:
    document = audit_document(made)
    assert story.headline(document) == "mshta.exe is restricted on 1 of 5 hosts, on 1 nobody can tell"
    assert "1 host of the inventory gave no evidence" in story.lead(document)
    one = audit_document(only(made, lambda one: one.name == "PC-A"))
    assert story.headline(one) == "mshta.exe is dead on PC-A"
    unseen = audit_document(only(made, lambda one: one.name == "PC-D"))
    assert story.headline(unseen) == "No evidence of a computer, a policy or a tenant was read"
    assert story.headline(audit_document(only(made, lambda one: False))).startswith("No evidence")


def test_without_a_computer_nothing_is_said_of_one(made: AuditResult) -> None:
    policies = audit_document(only(made, lambda one: one.kind == "policy"))
    assert story.headline(policies) == "2 subjects would set 7 controls of 44"
    assert "of no computer that it is so" in story.lead(policies)
    tenant = audit_document(only(made, lambda one: one.kind == "tenant"))
    assert story.headline(tenant) == "Entra ID has 0 controls of 44, and 1 in part"
    for document in (policies, tenant):
        page = render(document)
        assert "mshta.exe is" not in page.partition("</h1>")[0]


def test_the_next_commands_are_ours_and_name_every_format_needed(made: AuditResult) -> None:
    document = audit_document(made)
    changes = story.to_change(document)
    command = story.command(changes, "recommended")
    assert re.fullmatch(r"douse harden generate --controls H\d\d(,H\d\d)* --as [a-z,]+ --mode audit "
                        r"--profile recommended -o bundle/", command)
    assert "H42" not in command  # nothing of it can be written into a file
    assert story.deployed_by(next(row for row in changes if row["id"] == "H42"), "seed").startswith("no file")
    assert story.command([row for row in changes if row["id"] == "H42"]) == ""
    assert story.preflights(changes) == ["mshta.exe"]
    assert story.preflight_command("mshta.exe").startswith("douse harden preflight mshta --logs ")


def test_owners_are_counted(made: AuditResult) -> None:
    document = audit_document(made)
    assert story.owners(["PC-B", "SRV-C", "SRV-X", "Example"], document) == (
        "IT (1), Sales (1) and nobody named (1)")
    assert story.owners(["SRV-X", "Example"], document) == ""


# --- html -------------------------------------------------------------------------------------------------------------


def every(made: AuditResult) -> dict[str, AuditResult]:
    """All kinds of audits that a page is made of."""
    return {"fleet": made, "many": many(made, 130), "none": only(made, lambda one: False),
            "one": only(made, lambda one: one.name.startswith("PC-B")),
            "unseen": only(made, lambda one: one.name == "PC-D"),
            "policy": only(made, lambda one: one.kind == "policy"),
            "tenant": only(made, lambda one: one.kind == "tenant")}


def test_every_link_has_its_target_and_windows_was_never_asked(made: AuditResult) -> None:
    for name, result in every(made).items():
        text = written(result, "html")
        ids = re.findall(r'\bid="([^"]+)"', text)
        assert len(ids) == len(set(ids)), name
        assert set(re.findall(r'href="#([^"]+)"', text)) <= set(ids), name
        assert text.count("Nothing here was ever run on Windows") == 2, name
        assert not re.search(r"""(?:src|href)=["']https?:""", text)
    assert json.loads(written(made, "json"))["provenance"]["ran_on_windows"] is False


def test_the_page_has_what_a_decision_needs(made: AuditResult) -> None:
    text = html.unescape(re.sub(r"<[^>]+>", "|", written(made, "html")))
    document = audit_document(made)
    for row in document["controls"]:
        assert row["unverified"] in text, row["id"]
        if row["missing_on"]:
            for words in (row["cost"], row["misses"], row["undo"]):
                assert words in text, row["id"]
    assert "IT (1), Sales (1) and nobody named (1)" in text
    assert "unverified in part" in text
    assert "douse harden generate --controls H01" in text
    assert "Nothing was collected of this host" in text
    assert "The inventory does not have it." in text  # SRV-X


def test_evidence_is_on_the_page_by_value_and_file(made: AuditResult) -> None:
    text = html.unescape(re.sub(r"<[^>]+>", "", written(made, "html")))
    assert "v2.26|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=80|App=%SystemRoot%\\System32\\mshta.exe" in text
    assert re.search(r"\[1\] \S*SRV-C\.json \(collector, 2026-11-20 07:00:00 UTC\)", text)
    assert "HardeningKitty 2315" in text


def test_a_fleet_is_counted_not_listed_and_what_is_left_out_is_said(made: AuditResult) -> None:
    text = written(many(made, 130), "html")
    assert "How each control stands over the fleet" in text
    assert len(re.findall(r'<details class="host-page"', text)) == MAX_SUBJECTS
    assert f"And {130 + 4 - MAX_SUBJECTS} more subjects that are no worse" in text
    assert "<strong>Entra ID</strong>" in text  # what is no host is never left out
    assert "data-print" not in text.partition('<main id="main"')[2].partition("<script>")[0]
    assert len(text) < 3_000_000


def test_many_hosts_cost_little(made: AuditResult) -> None:
    few, more = (len(written(many(made, number), "html")) for number in (100, 300))
    assert more - few < 200 * 1_000  # a line in the first table, not a chapter


# --- navigator --------------------------------------------------------------------------------------------------------


def test_the_layer_is_valid_and_scores_what_passes(made: AuditResult) -> None:
    document = audit_document(made)
    drawn = layer(document)
    valid(drawn)
    by_id = {one["techniqueID"]: one for one in drawn["techniques"]}
    for name, one in by_id.items():
        counts = [row["counts"] for row in document["controls"] if name in row["techniques"]]
        whole = sum(sum(found.values()) - found["not-applicable"] for found in counts)
        assert one["score"] == pytest.approx(100 * sum(found["pass"] for found in counts) / whole, abs=0.1)
    assert "missing on PC-B" in by_id["T1218.005"]["comment"]
    assert "unknown on" in by_id["T1218.005"]["comment"]


def test_the_layer_of_a_policy_scores_nothing(made: AuditResult) -> None:
    drawn = layer(audit_document(only(made, lambda one: one.kind == "policy")))
    valid(drawn)
    assert drawn["techniques"] == []


def test_a_layer_of_many_hosts_names_few(made: AuditResult) -> None:
    drawn = layer(audit_document(many(made, 130)))
    assert max(len(one["comment"]) for one in drawn["techniques"]) < 12_000
    assert any(" and 110 more" in one["comment"] for one in drawn["techniques"])


def test_every_format_is_there(tmp_path: Path, made: AuditResult) -> None:
    for word in FORMATS:
        file = tmp_path / word
        file.write_bytes(b"".join(FORMATS[word](made)))
        assert file.stat().st_size > 1_000, word
