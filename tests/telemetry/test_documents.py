"""Finding JSON documents however they are strung together, and the next good one after a broken one."""

from __future__ import annotations

import io
import json

import pytest

from douse.telemetry import documents as documents_module
from douse.telemetry.damage import CUT_OFF, CUT_OFF_LIST, NOT_JSON, NOT_UTF8, TOO_LONG, ZEROS
from douse.telemetry.documents import Document, Documents

DOCUMENTS = [{"n": number, "text": 'a "quoted" } { [ ] \\ é\u2028 line', "deep": {"list": [{"x": 1}, {}]}}
             for number in range(7)]


def found(data: bytes, max_line: int = 1 << 20) -> list[Document]:
    """All documents of these bytes."""
    return list(Documents(io.BytesIO(data), max_line))


def numbers(data: bytes) -> list[object]:
    """The `n` of each good document, the reason for each broken one."""
    return [document.broken or json.loads(document.text).get("n") for document in found(data)]


LINES = "\n".join(json.dumps(document) for document in DOCUMENTS)
LAYOUTS = {
    "lines": LINES,
    "CRLF lines": LINES.replace("\n", "\r\n") + "\r\n",
    "lines with blanks between": LINES.replace("\n", "\n\n  \n"),
    "array on one line": json.dumps(DOCUMENTS),
    "pretty array": json.dumps(DOCUMENTS, indent=4),
    "array, one document a line": "[\n" + LINES.replace("\n", ",\n") + "\n]\n",
    "concatenated": LINES.replace("\n", ""),
    "pretty, one after the other": "\n".join(json.dumps(document, indent=2) for document in DOCUMENTS),
    "evtx_dump": "\n".join(f"Record {n}\n{json.dumps(document, indent=2)}" for n, document in enumerate(DOCUMENTS)),
    "an array a line": "\n".join(json.dumps([document]) for document in DOCUMENTS),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_in_every_encoding(layout: str, encoding: str) -> None:
    text = LAYOUTS[layout]
    if encoding in ("utf-16-le", "utf-16-be") and not text.startswith(("{", "[")):
        text = text.removeprefix("Record 0\n")  # without a byte order mark only `{` and `[` tell the encoding
    documents = found(text.encode(encoding))
    assert [json.loads(document.text) for document in documents] == DOCUMENTS
    assert not any(document.broken for document in documents)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_documents_longer_than_what_is_read_at_once(layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents_module, "MIB", 5)
    assert [json.loads(document.text) for document in found(LAYOUTS[layout].encode())] == DOCUMENTS


def test_lines_are_counted() -> None:
    assert [document.line for document in found(LAYOUTS["lines"].encode())] == [1, 2, 3, 4, 5, 6, 7]
    assert [document.line for document in found(b'\n\n{"n":\n1}\n\n{"n":2} {"n":3}')] == [3, 6, 6]


@pytest.mark.parametrize("broken", [b'{"n":', b'{"n":1,}', b'{"n" 1}', b"not json", b"null", b'"text"', b"12",
                                    b'{"n":"cut', b'{"n":1}}', b'{"a":{"b":1},{"c":2}', b"{'n':1}"])
def test_a_broken_line_costs_one_line(broken: bytes) -> None:
    result = numbers(b'{"n":0}\n' + broken + b'\n{"n":2}\n' + broken + b"\n" + broken + b'\n{"n":5}\n')
    good = [value for value in result if isinstance(value, int) and value in (0, 2, 5)]
    assert good == [0, 2, 5]
    assert result.count(NOT_JSON) == 3


def test_zero_bytes_between_documents_are_one_hole_of_unknown_extent() -> None:
    text = b'{"n":0}\n' + bytes(99) + b'\n{"n":2}\n{"n":3}\n' + bytes(3_000_000)
    broken = [(found.line, found.broken, found.records) for found in Documents(io.BytesIO(text), 1_000) if found.broken]
    assert broken == [(2, ZEROS, None), (5, ZEROS, None)]
    assert [value for value in numbers(text) if isinstance(value, int)] == [0, 2, 3]


@pytest.mark.parametrize("text", [
    b'[{"n":0},\n{"n":1},\n', b'[\n{"n":0}\n, {"n":1}', b'{"took":1,"hits":{"hits":[{"n":0},{"n":1},'])
def test_a_list_that_ends_between_two_documents_has_lost_nobody_knows_how_many(text: bytes) -> None:
    def losses(text: bytes) -> list[tuple[str, int | None]]:
        found = Documents(io.BytesIO(text), 1_000)
        broken = []
        for document in found:
            if document.broken:
                broken.append((document.broken, document.records))
            else:
                found.found_event()
        return broken

    assert losses(text) == [(CUT_OFF_LIST, None)]
    assert losses(text + b'{"n":2') == [(CUT_OFF, 1)]
    assert losses(text + (b'{"n":2}]}}' if b"took" in text else b"]")) == []


def test_a_broken_line_is_named() -> None:
    assert [(d.line, d.broken) for d in found(b'{"n":0}\n{"n":1,\n{"n":2}\noops\n{"n":4}')] == [
        (1, ""), (2, NOT_JSON), (3, ""), (4, NOT_JSON), (5, "")]


def test_invalid_utf8_costs_one_document() -> None:
    assert numbers(b'{"n":0}\n{"n":1,"t":"\xff\xfe"}\n{"n":2}') == [0, NOT_UTF8, 2]
    assert numbers(b'[{"n":0},{"n":1,"t":"\xff\xfe"},{"n":2}]') == [0, NOT_UTF8, 2]


@pytest.mark.parametrize("layout", ["pretty array", "evtx_dump", "array on one line", "pretty, one after the other"])
def test_after_a_broken_document_the_next_ones_are_found(layout: str) -> None:
    text = LAYOUTS[layout].replace('"n": 3,', '"n": 3 "oops":,')
    documents = found(text.encode())
    good = [json.loads(document.text) for document in documents if not document.broken and not document.fragment]
    events = [document for document in good if "n" in document]
    assert sum(bool(document.broken) for document in documents) == 1
    fragments = [json.loads(document.text) for document in documents if document.fragment]
    kept = [document["n"] for document in [*events, *(part for part in fragments if "n" in part)]]
    assert sorted(kept) == [0, 1, 2, 4, 5, 6]


def test_an_end_inside_a_document_is_told_from_a_broken_one() -> None:
    assert numbers(b'{"n":0}\n{"n":1,"t":"abc') == [0, CUT_OFF]
    assert numbers(b'{"n":0}\n{"n":1,"t":{') == [0, CUT_OFF]
    assert numbers(b'{"n":0}\n{"n":1,,}') == [0, NOT_JSON]


def test_a_document_over_the_limit_is_skipped_without_being_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents_module, "MIB", 100)
    long = b'{"n":1,"t":"' + b"x" * 100_000 + b'"}'
    for data in (b'{"n":0}\n' + long + b'\n{"n":2}', b'[{"n":0},' + long + b',{"n":2}]'):
        documents = Documents(io.BytesIO(data), 1_000)
        result = []
        for document in documents:
            result.append(document.broken or json.loads(document.text)["n"])
            assert len(documents._buffer) < 3_000
        assert result == [0, TOO_LONG, 2]


def test_nesting_without_end_is_one_broken_document() -> None:
    assert numbers(b'{"n":0}\n' + b'{"a":' * 100_000 + b'\n{"n":2}') == [0, NOT_JSON, 2]
    assert numbers(b"[" * 100_000 + b'{"n":1}') == [1]


def test_nothing_in_it() -> None:
    for data in (b"", b"\n \r\n", b"[]", b"\xef\xbb\xbf", b"\xff\xfe", b"[\n]"):
        assert found(data) == []


@pytest.mark.parametrize("data", [
    b'{"a":1 x' + b"\n" * 300_000,
    b'{"a":1 x' + b"\n " * 150_000 + b",",
    b'{"a":[1,\n' * 10_000,
    b'{"a":1\n' * 20_000,
    b"{} " * 100_000 + b"\n",
], ids=["blank lines", "blank columns", "nested starts", "cut lines", "many on a line"])
def test_hostile_layouts_come_to_an_end(data: bytes) -> None:
    """Each took time with the square of its length once: from ten seconds to hours."""
    assert sum(1 for _ in Documents(io.BytesIO(data), 1 << 20)) >= 1


def test_an_event_behind_hostile_nesting_is_still_found() -> None:
    assert found(b'{"a":[1,\n' * 3_000 + b"\n" + json.dumps(DOCUMENTS[3]).encode() + b"\n")[-1].text
