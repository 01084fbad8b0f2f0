"""JSON that any reader takes: whole, UTF-8, and inert where somebody looks at the bytes."""

from __future__ import annotations

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from douse.report.document import document, rows
from douse.report.formats import FORMATS
from douse.report.machine import json_document, json_lines
from report import sample

ANY_TEXT = st.text(st.characters(min_codepoint=0, exclude_categories=()))


def whole(text: str) -> str:
    """The text as a JSON reader gets it: surrogates, which are no characters, written out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def test_a_line_is_an_object_with_its_kind() -> None:
    lines = b"".join(FORMATS["jsonl"].render(document(sample.lumma()))).splitlines(keepends=True)
    assert all(line.endswith(b"\n") for line in lines)
    kinds = [json.loads(line)["kind"] for line in lines]
    assert set(kinds) == {"alert", "incident", "coverage", "error", "summary"}
    assert kinds[-1] == "summary"


def test_the_document_is_one_json_text() -> None:
    assert json.loads(b"".join(FORMATS["json"].render(document(sample.lumma())))) == document(sample.lumma())


def test_line_and_document_agree() -> None:
    lines = [json.loads(line) for line in json_lines(rows(document(sample.lumma())))]
    whole_document = json.loads(json_document(document(sample.lumma())))
    assert [line for line in lines if line["kind"] == "incident"] == whole_document["incidents"]


def test_hostile_evidence_stays_one_object_a_line_and_shows_nothing_hidden() -> None:
    for line in json_lines(rows(document(sample.hostile()))):
        assert line.count(b"\n") == 1
        text = line.decode("utf-8").rstrip("\n")
        assert not [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]
        json.loads(text)


def test_hostile_evidence_comes_back_as_it_was() -> None:
    alert = json.loads(next(iter(json_lines(rows(document(sample.hostile()))))))
    assert alert["title"] == whole("Command with lure text in the Run dialog's history" + sample.HOSTILE)
    assert "\x1b[31m" in alert["title"]
    assert "\u202e" in alert["title"]
    assert alert["title"].endswith("\\ud800")


@given(ANY_TEXT)
def test_any_text_survives(text: str) -> None:
    (line,) = json_lines([{"kind": "alert", "fields": {text: [text]}}])
    assert json.loads(line.decode("utf-8"))["fields"] == {whole(text): [whole(text)]}
    shown = line.decode("utf-8").rstrip("\n")
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert not set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f") & set(shown)
