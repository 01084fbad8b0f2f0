"""Texts in every encoding that Windows and people write, and XML that is not safe."""

from __future__ import annotations

import pytest

from douse.errors import EvidenceError
from douse.harden.evidence import texts, xml
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence

TEXT = "[Registry Values]\r\nMACHINE\\Söftware\\X=1,\"ä €\"\r\n"


@pytest.mark.parametrize(("encoding", "mark", "name"), [
    ("utf-8", b"", "utf-8"), ("utf-8", b"\xef\xbb\xbf", "utf-8"), ("utf-16-le", b"", "utf-16-le"),
    ("utf-16-le", b"\xff\xfe", "utf-16-le"), ("utf-16-be", b"", "utf-16-be"), ("utf-16-be", b"\xfe\xff", "utf-16-be")])
def test_encodings_are_told_apart(encoding: str, mark: bytes, name: str) -> None:
    assert texts.decode(mark + TEXT.encode(encoding)) == texts.Text(TEXT, name)


def test_a_guess_is_noted() -> None:
    evidence = Evidence()
    assert texts.read(EvidenceFile("a.inf", "a.inf", TEXT.encode("cp1252")), evidence) == TEXT
    assert "Windows-1252" in evidence.notes[0].what


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\xfe\x00", b"\x00", b"\x00\xd8", b"a\x00b", b"\xfe\xff\xd8"])
def test_no_bytes_fail(data: bytes) -> None:
    assert isinstance(texts.decode(data).text, str)
    assert isinstance(texts.start_of(data), str)


def test_a_text_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "MAX_TEXT", 10)
    with pytest.raises(EvidenceError, match="11 bytes are more"):
        texts.read(EvidenceFile("a", "a", bytes(11)), Evidence())


@pytest.mark.parametrize("text", [
    '<!DOCTYPE a [<!ENTITY l "lol"><!ENTITY m "&l;&l;">]><a>&m;</a>', '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    '<!DOCTYPE a PUBLIC "x" "http://192.0.2.1/x.dtd"><a/>',
    '<!-- harmless --><!DOCTYPE a [<!ENTITY % p "x"> %p;]><a/>'])
def test_a_document_type_is_refused_before_it_says_anything(text: str) -> None:
    with pytest.raises(EvidenceError, match="document type or entities") as error:
        xml.parse_text("\n\n" + text, "r.xml")
    assert error.value.where == "r.xml:3"


def test_namespaces_and_types_do_not_matter() -> None:
    root = xml.parse_text('<?xml version="1.0" encoding="utf-16"?><a '
                          'xmlns:x="http://www.w3.org/2001/XMLSchema-instance" xmlns:q9="u">'
                          '<q9:b x:type="q9:T"><c> text </c></q9:b></a>', "r.xml")
    found = xml.child(root, "b")
    assert found is not None
    assert (xml.name_of(found), xml.type_of(found), xml.text(root, "b", "c"), xml.text(root, "no", "c")) == (
        "b", "T", "text", "")


def test_too_many_elements_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xml, "MAX_ELEMENTS", 100)
    assert xml.parse_text("<a>" + "<b/>" * 99 + "</a>", "r.xml") is not None
    with pytest.raises(EvidenceError, match="more than 100 elements"):
        xml.parse_text("<a>" + "<b/>" * 100 + "</a>", "r.xml")
