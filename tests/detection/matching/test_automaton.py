"""One field's probes asked at once: literals over windows, sentinels inside values, and the memory that is bounded."""

from __future__ import annotations

import pytest

from douse.detection.language.patterns import Glob
from douse.detection.language.probe import Probe, RawTest
from douse.detection.language.recipes import Expression
from douse.detection.matching import automaton
from douse.detection.matching.automaton import LONGEST_KEPT, WINDOW, Memory, Table
from douse.detection.matching.search import END, START, search_of


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
