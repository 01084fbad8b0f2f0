"""One field's probes asked at once: literals over windows, sentinels inside values, and the memory that is bounded."""

from __future__ import annotations

import tracemalloc

import msgspec
import pytest

from douse.detection.language.patterns import Glob
from douse.detection.language.probe import Probe, RawTest
from douse.detection.language.recipes import Expression
from douse.detection.matching import automaton
from douse.detection.matching.automaton import LONGEST_KEPT, WINDOW, Memory, Table
from douse.detection.matching.search import END, START, search_of
from douse.model import Event, Source
from douse.telemetry.record import nested_event
from douse.telemetry.system import head_of


def table(*probes: Probe) -> Table:
    return Table(enumerate(map(search_of, probes)), Memory())


def glob(text: str) -> Probe:
    return Probe("F", (Glob.parse(text).folded(),))


@pytest.mark.parametrize("at", [WINDOW - 8, WINDOW - 3, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW - 4])
def test_a_literal_is_found_where_two_windows_meet(at: int) -> None:
    text = "." * at + "needle" + "." * 100
    assert table(glob("*needle*")).of_text(text) == {0}
    assert table(glob("*needle*")).of_text(text.replace("needle", "noodle")) == set()


def test_the_end_of_a_long_text_is_its_end() -> None:
    ends = table(glob("*end"), glob("end*"), glob("end"))
    assert ends.of_text("x" * (WINDOW - 4) + "end") == {0}
    assert ends.of_text("x" * WINDOW + "end") == {0}
    assert ends.of_text("end" + "x" * WINDOW) == {1}


def test_sentinels_in_a_value_are_no_ends() -> None:
    probes = table(glob("a*"), glob("*a"), glob("a"), glob("*a*"))
    assert probes.of_text(f"x{START}a{END}y") == {3}
    assert probes.of_text("a") == {0, 1, 2, 3}


def test_a_literal_with_sentinels_is_compared_as_it_is() -> None:
    probes = table(glob(f"*{START}a*"), glob(f"{START}"), glob(f"*{END}"))
    assert probes.of_text("a") == set()
    assert probes.of_text(f"x{START}a") == {0}
    assert probes.of_text(START) == {1}
    assert probes.of_text(f"x{END}") == {2}


def test_a_list_fires_what_any_of_its_texts_fires_and_null_only_what_asks_for_it() -> None:
    probes = table(glob("a"), glob("b"), Probe("F", null=True))
    assert probes.of(["a", "b"]) == {0, 1}
    assert probes.of([]) == {2}
    assert probes.of(None) == {2}
    assert probes.of("") == set()


def test_numbers_are_equal_however_they_are_written() -> None:
    probes = table(glob("16"))
    assert [text for text in ("16", "0x10", "0X10", "16.0", "016", "1 6") if probes.of_text(text)] == ["16", "0x10",
                                                                                                    "0X10", "16.0"]
    assert probes.of(16) == {0}
    assert probes.of(True) == set()


def test_a_test_runs_only_where_one_of_its_needs_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(automaton, "test_of", lambda _recipe: lambda text: asked.append(text) is None)
    probes = table(Probe("F", tests=(RawTest(Expression("anything"), ("ab", "cd")),)))
    assert probes.of_text("xABx") == {0}
    assert probes.of_text("xyz") == set()
    assert asked == ["xABx"]


def test_only_short_values_are_kept_and_equal_answers_are_one_object() -> None:
    probes = table(glob("*a*"))
    assert probes.of_text("a1") is probes.of_text("a2")
    probes.of_text("a" * (LONGEST_KEPT + 1))
    assert set(probes.known) == {"a1", "a2"}


def test_memory_forgets_everything_at_its_limit() -> None:
    memory = Memory(limit=10_000)
    kept: dict[int, str] = {}
    memory.watch(kept.clear)
    for number in range(1_000):
        memory.add(100)
        kept[number] = "x"
        assert memory.used <= 10_000
    assert 0 < len(kept) < 100


def keyword(*words: str) -> Table:
    return table(*(Probe("", (Glob.parse(f"*{word}*").folded(),)) for word in words))


def as_read(text: str) -> Event:
    """An event of which only the text that was read matters, and its one field."""
    document = msgspec.json.encode({"Event": {"System": {
        "Provider": {"#attributes": {"Name": "P"}}, "EventID": 1, "Channel": "C", "Computer": "PC", "EventRecordID": 1,
        "TimeCreated": {"#attributes": {"SystemTime": "2026-03-02T12:00:00Z"}}}, "EventData": {"F": text}}}).decode()
    head = head_of(document)
    assert head is not None
    return nested_event(head, Source("x"), document)


@pytest.mark.parametrize("at", [WINDOW - 200, *range(WINDOW - 176, WINDOW - 160), WINDOW, 2 * WINDOW - 165])
def test_a_keyword_is_found_where_two_windows_meet(at: int) -> None:
    probes = keyword("needle")
    assert probes.of_record(as_read("." * at + "NeeDle" + "." * 100)) == {0}
    assert probes.of_record(as_read("." * at + "noodle" + "." * 100)) == set()


@pytest.mark.parametrize(("word", "text"), [
    ("a\\\\b", "A\\B"), ('say "x"', 'Say "X"'), ("a\nb", "A\nB"), ("\x1f\x0b", "\x1f\x0b"), ("strasse", "STRAßE"),
    ("ß", "SS"), ("i\u0307", "İ"), ("k", "\u212a"), ("\u2028", "\u2028"), ("\x7f", "\x7f"),
    ("\U0001f600", "\U0001f600"), ("/", "/"), ("é", "É"),
], ids=ascii)
def test_a_keyword_is_found_as_it_stands_in_json(word: str, text: str) -> None:
    assert keyword(word).of_record(as_read(f"x{text}y")) == {0}
    assert keyword(word).of_record(as_read("xy")) == set()


def test_a_short_keyword_in_a_long_record_is_not_listed_a_million_times() -> None:
    record = as_read("ab" * 500_000)
    tracemalloc.start()
    try:
        assert keyword("ab").of_record(record) == {0}
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
