"""The ticket: what is in it, and that no text of an attacker becomes markup, link, image, mention or command."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from douse.report.markdown import render
from douse.text import code, markdown
from report import exported

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = (
    "[click](https://evil.example)", "![x](https://evil.example/p.png)", "<script>alert(1)</script>",
    "<https://evil.example>", "**bold** _it_ ~~no~~", "`` ` `` <b>", "# heading", "- item", "1. item", "/close",
    "| a | b |", "a\\|b", "\\", "[x]: https://evil.example", "&lt;b&gt; &#60;", "line\n\n# next", "$x^2$", "---",
    "+ plus", "> quote", "`", "``` js", "* star", "@team please", "see #12, !3, GH-4 and www.evil.example",
)  # fmt: skip
PLAIN = frozenset({"text", "code_inline", "text_special", "softbreak"})


def inline(text: str) -> list[Token]:
    return [child for token in READER.parse(text) for child in token.children or []]


def shown(text: str) -> str:
    return "".join(child.content for child in inline(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_shows_itself_and_nothing_else(text: str) -> None:
    for made in (markdown(text), code(text)):
        for place in (made, f"- [ ] {made}", f"# {made}"):
            assert {child.type for child in inline(place)} <= PLAIN
        blocks = [token.type for token in READER.parse(markdown(text))]
        assert blocks in (["paragraph_open", "inline", "paragraph_close"], [])


@given(st.text(max_size=40))
def test_any_text_stays_text_in_a_cell_of_a_table(text: str) -> None:
    for made in (markdown(text), code(text)):
        tokens = READER.parse(f"| a | b |\n| --- | --- |\n| {made} | end |\n")
        cells = [token for token in tokens if token.type == "inline"]
        assert len(cells) == 4
        assert cells[3].content == "end"
        assert {child.type for child in cells[2].children or []} <= PLAIN


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_nothing_is_lost(text: str) -> None:
    assert shown(markdown(text)) == text.strip().replace("://", "[:]//")


@pytest.mark.parametrize(("text", "never"), [
    ("ask @team", r"(?<!`)@"), ("see #12", r"(?<!`)#\d"), ("www.evil.example", r"www\."), ("a://b", "://"),
    ("GH-12", "GH-")])
def test_what_sites_make_of_a_text_is_stopped_too(text: str, never: str) -> None:
    """They look at texts after Markdown is done, but not inside of code."""
    for child in inline(markdown(text)):
        assert child.type == "code_inline" or not re.search(never, child.content)


@pytest.mark.parametrize("name", exported.EVERY)
def test_a_ticket_has_no_link_image_or_markup_of_evidence(name: str) -> None:
    text = b"".join(render(exported.EVERY[name]())).decode()
    types = {child.type for child in inline(text)} | {token.type for token in READER.parse(text)}
    assert not types & {"link_open", "image", "html_inline", "html_block", "fence", "code_block", "strong_open"}
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_ticket_says_what_to_do_and_what_could_not_be_seen() -> None:
    text = b"".join(render(exported.rich())).decode()
    parts = ["# CRITICAL", "## What to do: contain", "- [ ] Isolate it", "## What was taken", "## What to change",
             "Sign out everywhere", "## What happened", "## Indicators", "203[.]0[.]113[.]41",
             "## What would have stopped it", "H01", "## Whom to teach what", "L01", "## What could not be seen",
             "## Where this comes from"]  # fmt: skip
    places = [text.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)


def test_a_ticket_names_each_step_once_and_what_is_only_presumed() -> None:
    document = exported.rich()
    first = document["incidents"][0]
    first["plan"] = [{**first["plan"][0], "text": text} for text in first["next_steps"]]
    first["rotation"] = [{**first["rotation"][0], "basis": "presumed"}]
    first["stores"] = [{**first["stores"][0], "unseen": ["cards"]}]
    text = b"".join(render(document)).decode()
    assert [text.count(markdown(step)) for step in first["next_steps"]] == [1] * len(first["next_steps"])
    assert "Presumed stolen." in text
    assert "| cards |" in text


def test_a_document_without_a_plan_has_its_first_steps() -> None:
    document = exported.rich()
    document["incidents"][0]["plan"] = []
    assert "## First steps" in b"".join(render(document)).decode()


def test_a_ticket_of_nothing_does_not_say_that_all_is_well() -> None:
    text = b"".join(render(exported.empty())).decode()
    assert "no proof that nothing happened" in text
