"""The rows, words, page and layer of a survey."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from douse.hunt.coverage import coverage
from douse.hunt.coverage_result import CoverageOptions, CoverageResult
from douse.hunt.result import Problem
from douse.incident.quality import Cleared, ClockSkew
from douse.report import coverage_schema as schema
from douse.report import coverage_story as story
from douse.report.coverage import survey_document
from douse.report.coverage_formats import FORMATS
from douse.report.coverage_html import render
from douse.report.coverage_navigator import layer
from douse.report.coverage_schema import SurveyDocument
from douse.telemetry.continuity import MissingRecords, Silence

ROOT = Path(__file__).resolve().parents[2]
MOMENT = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
HOSTILE = "\x1b[31mred\u202e<script>alert(1)</script>{{7*7}}"


@pytest.fixture(scope="module")
def no_audit(scenario: Callable[..., Path]) -> CoverageResult:
    return coverage(CoverageOptions(paths=(str(scenario("lumma-clickfix-no-audit")),)))


@pytest.fixture(scope="module")
def odd(no_audit: CoverageResult) -> CoverageResult:
    """The same with everything that can be odd about a host, a problem and a note; its texts hostile."""
    [host] = no_audit.hosts
    channel = replace(host.channels[0], channel=f"Odd{HOSTILE}", missing=12, first_id=1, last_id=40, gap_count=2, gaps=(
        MissingRecords(5, 14, MOMENT, MOMENT + timedelta(hours=1)), MissingRecords(20, 21, MOMENT, MOMENT)),
        silence_count=1, silences=(Silence(MOMENT, MOMENT + timedelta(hours=8), timedelta(hours=7), 120.4),))
    lost = replace(host.channels[1], missing=7, ids_known=False, gap_count=0, gaps=())
    changed = replace(
        host, host=f"WS{HOSTILE}", channels=(channel, lost),
        counts=tuple(replace(c, channel=channel.channel) if c.channel == host.channels[0].channel else c
                     for c in host.counts),
        cleared=tuple(Cleared(MOMENT + timedelta(hours=n), "Security", HOSTILE, "Security", 1102, n) for n in range(7)),
        skew=ClockSkew(8, 1081, MOMENT, MOMENT, timedelta(hours=-9), timedelta(days=1)), silence_count=3,
        silences=(Silence(MOMENT, MOMENT + timedelta(hours=9), timedelta(), 0.0),))
    return replace(no_audit, hosts=(changed, replace(host, usable="no")), notes=(HOSTILE,),
                   problems=(Problem("loss", HOSTILE, HOSTILE, 3, "Look again."),),
                   summary=replace(no_audit.summary, partial=True, hosts=2, hosts_unusable=1))


# --- rows -------------------------------------------------------------------------------------------------------------


def check(value: Any, kind: Any, where: str) -> None:
    """Complain where a value is not what the schema says."""
    if is_typeddict(kind):
        hints = get_type_hints(kind)
        assert set(value) == set(hints), where
        for name, inner in hints.items():
            check(value[name], inner, f"{where}.{name}")
    elif get_origin(kind) is list:
        assert isinstance(value, list), where
        for number, item in enumerate(value):
            check(item, get_args(kind)[0], f"{where}[{number}]")
    elif get_args(kind) and get_origin(kind) is not None and not isinstance(get_args(kind)[0], str):
        assert any(fits(value, one) for one in get_args(kind)), f"{where}: {value!r} is no {kind}"
    elif get_args(kind):
        assert value in get_args(kind), where
    else:
        assert fits(value, kind), f"{where}: {value!r} is no {kind}"


def fits(value: Any, kind: Any) -> bool:
    if is_typeddict(kind):
        if not isinstance(value, dict):
            return False
        check(value, kind, kind.__name__)
        return True
    return isinstance(value, (int, float)) if kind is float else isinstance(value, kind)


@pytest.mark.parametrize("name", ["no_audit", "odd"])
def test_rows_are_what_the_schema_says(name: str, request: pytest.FixtureRequest) -> None:
    document = survey_document(request.getfixturevalue(name))
    check(document, SurveyDocument, "document")
    assert json.loads(json.dumps(document)) == document


def test_every_field_is_in_the_handbook() -> None:
    page = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", page))
    fields = {name for row in vars(schema).values() if is_typeddict(row) and row.__module__ == schema.__name__
              for name in row.__annotations__}
    assert fields - named == set()


def test_settings_stand_once_and_hosts_point_to_them(no_audit: CoverageResult) -> None:
    document = survey_document(no_audit)
    known = {row["id"]: row for row in document["prerequisites"]}
    [host] = document["hosts"]
    assert {row["id"] for row in host["prerequisites"]} <= known.keys()
    store = known["security-store-read"]
    assert (store["present"], store["partial"], store["absent"]) == (0, 0, 1)
    assert any("0CCE921D" in setting["do"] for setting in store["settings"])
    assert {setting["verified"] for setting in store["settings"]} == {True, False}
    advice = {row["what"]: row for row in host["advice"]}
    assert {what: row["sequences"] for what, row in advice.items()} == {
        "reads of credential stores": ["S4", "S5", "S6"], "antivirus verdicts": ["S8"], "logons": ["S9"]}
    assert advice["reads of credential stores"]["any_of"][0] == "security-store-read"


# --- words ------------------------------------------------------------------------------------------------------------


def test_the_headline_never_calls_a_host_clean(no_audit: CoverageResult, odd: CoverageResult) -> None:
    assert story.headline(survey_document(no_audit)) == "WS-042.corp.example can be judged in part"
    document = survey_document(odd)
    assert story.headline(document) == "2 hosts: 1 can be judged in part, 1 cannot be judged"
    assert "means nothing" in story.lead(document)
    good = replace(no_audit, hosts=tuple(replace(no_audit.hosts[0], host=name, usable="yes") for name in "ab"))
    assert story.headline(survey_document(good)) == "All 2 hosts can be judged"
    assert "does not say that nothing happened" in story.lead(survey_document(good))
    nothing = survey_document(replace(no_audit, hosts=()))
    assert story.headline(nothing) == "No log of a computer was read"
    assert "mean nothing" in story.lead(nothing)


def test_what_is_odd_is_told_with_its_place(odd: CoverageResult) -> None:
    told = story.remarks(survey_document(odd)["hosts"][0])
    text = "\n".join(told)
    assert "The log Security was cleared on 2026-11-18 09:00:00 UTC by" in told[0]
    assert "Logs were cleared 2 more times, the last on 2026-11-18 15:00:00 UTC." in told
    assert "12 of the record ids 1 to 40 are missing, in 2 gaps; the largest is 5 to 14, between 2026-11-18" in text
    assert "at least 7 of the record ids" in text
    assert "silent for 8 h from 2026-11-18 09:00:00 to 2026-11-18 17:00:00 UTC, while other logs" in text
    assert "went on for 7 h; by its average that would have been about 120 records." in text
    assert "8 of 1,081 Sysmon records were logged 9 h before to 1 d after their own UtcTime" in text
    assert "3 spans without any record of the host" in text


def test_what_to_switch_on_names_hosts_and_the_setting(no_audit: CoverageResult) -> None:
    document = survey_document(no_audit)
    todo = story.todo(document)
    assert story.task(todo[0]) == "Reads of credential stores, for S4, S5, S6"
    assert todo[0].hosts == ["WS-042.corp.example"]
    incomplete = [one for one in todo if one.incomplete]
    assert [one.options[0]["id"] for one in incomplete] == ["powershell-script-block"]
    assert story.task(incomplete[0]).startswith("PowerShell script blocks: only script blocks of level Warning")
    others = {row["id"] for row in story.others(document)}
    assert "dpapi" in others
    assert not others & {"security-store-read", "sysmon-clipboard", "network-flow"}


# --- html -------------------------------------------------------------------------------------------------------------


def test_hostile_text_is_inert_in_the_page(odd: CoverageResult) -> None:
    text = render(survey_document(odd))
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "{{7*7}}" in text


def test_the_page_asks_nobody_and_allows_only_its_own_script(odd: CoverageResult) -> None:
    text = render(survey_document(odd))
    assert "default-src 'none'" in html.unescape(text)
    assert len(re.findall(r"<script", text)) == 1
    assert not re.search(r"""(?:src|href)=["']https?:""", text)
    assert not re.search(r"<[^>]* style=", text), "the policy allows no style attribute"


def test_every_link_has_its_target(odd: CoverageResult, no_audit: CoverageResult) -> None:
    for result in (odd, no_audit, coverage(CoverageOptions())):
        text = render(survey_document(result))
        ids = re.findall(r'\bid="([^"]+)"', text)
        assert len(ids) == len(set(ids))
        assert set(re.findall(r'href="#([^"]+)"', text)) <= set(ids)


def test_the_page_has_settings_gaps_and_losses(odd: CoverageResult) -> None:
    text = render(survey_document(odd))
    for words in ("How to switch it on", "unverified", "0CCE921D-69AE-11D9-BED3-505054503030", "2 gaps",
                  "lost evidence", "This page is partial.", "at least 7 missing", "What is odd about these logs"):
        assert words in text, words


# --- navigator --------------------------------------------------------------------------------------------------------


def valid(layer: Mapping[str, Any]) -> None:
    """The rules of LAYERFORMATv4_5.md that concern what we write."""
    assert layer["name"]
    assert layer["domain"] == "enterprise-attack"
    assert layer["versions"]["layer"] == "4.5"
    assert tuple(map(int, layer["versions"]["navigator"].split("."))) >= (4, 9, 0)
    assert layer["versions"]["attack"].isdecimal()
    assert layer["gradient"]["minValue"] < layer["gradient"]["maxValue"]
    assert len(layer["gradient"]["colors"]) >= 2
    for item in layer["legendItems"]:
        assert set(item) == {"label", "color"}
    for pair in layer["metadata"]:
        assert set(pair) == {"name", "value"}
    for technique in layer["techniques"]:
        assert re.fullmatch(r"T[1-9]\d{3}(?:\.\d{3})?", technique["techniqueID"])
        assert 0 <= technique["score"] <= 100
        assert isinstance(technique["comment"], str)
        assert all(set(pair) == {"name", "value"} and isinstance(pair["value"], str) and pair["value"]
                   for pair in technique["metadata"])


def test_a_layer_of_logs_scores_what_the_hosts_can_see(no_audit: CoverageResult) -> None:
    document = survey_document(no_audit)
    made = layer(document)
    valid(made)
    scores = {one["techniqueID"]: one["score"] for one in made["techniques"]}
    worth = {"yes": 100, "partly": 50}
    for one in document["hosts"][0]["techniques"]:
        if one["id"] in scores:
            assert scores[one["id"]] == worth.get(one["state"], 0)
    assert len(set(scores.values())) == 3
    comment = next(one["comment"] for one in made["techniques"] if one["score"] == 100)
    assert comment == "seen: WS-042.corp.example"


def test_a_layer_averages_over_hosts(no_audit: CoverageResult) -> None:
    [host] = no_audit.hosts
    blind = replace(host, host="blind", techniques=tuple(replace(one, state="no") for one in host.techniques))
    one, two = layer(survey_document(no_audit)), layer(survey_document(replace(no_audit, hosts=(host, blind))))
    for alone, shared in zip(one["techniques"], two["techniques"], strict=True):
        assert shared["score"] == alone["score"] / 2


def test_the_layer_of_the_matrix_leaves_out_what_enterprise_does_not_have() -> None:
    document = survey_document(coverage(CoverageOptions()))
    made = layer(document)
    valid(made)
    ids = {one["techniqueID"] for one in made["techniques"]}
    assert "T1204.004" in ids
    assert not [name for name in ids if name.startswith(("T0", "S"))]
    assert "T0882" in made["description"]
    scored = {one["techniqueID"]: one["score"] for one in made["techniques"]}
    assert scored["T1218.005"] == 100
    rows = {row["id"]: row for row in document["techniques"]}
    assert all(scored[name] == 0 for name in ids if not rows[name]["visible_in"])


# --- formats ----------------------------------------------------------------------------------------------------------


def test_json_is_an_array_of_techniques_without_logs_and_a_document_with_them(no_audit: CoverageResult) -> None:
    rows = json.loads(b"".join(FORMATS["json"](coverage(CoverageOptions()))))
    assert {"id", "name", "stage", "visible_in", "rules", "needs_file", "blind", "note"} <= rows[0].keys()
    document = json.loads(b"".join(FORMATS["json"](no_audit)))
    assert (document["kind"], document["schema"], document["surveyed"]) == ("coverage", "douse.coverage/1", True)


def test_json_of_hostile_names_is_byte_pure(odd: CoverageResult) -> None:
    for format_ in ("json", "navigator"):
        text = b"".join(FORMATS[format_](odd))
        assert b"\x1b" not in text
        assert "\u202e" not in text.decode()
        json.loads(text)
