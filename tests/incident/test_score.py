from __future__ import annotations

import pytest

import builders as b
from douse.content.incidents import scoring
from douse.incident.marks import Mark, PlacedAlert, mark_of
from douse.incident.score import band, class_scores, floor_of, level_of, points_of
from douse.model import SequenceHit
from incident.stories import Story, lumma

RAN = b.process("C:\\x.exe", 500)


def mark(letter: str, fidelity: float = 1.0, store: str = "", weak: bool = False, seconds: float = 0,
         level: str = "medium") -> Mark:
    alert = b.alert(b.process_end(RAN, seconds), letter, level=level, store=store, fidelity=fidelity)
    return mark_of(PlacedAlert(alert, lambda name: "", None, 0, 0), weak)  # type: ignore[arg-type] # no actor needed


def hit(name: str, level: str) -> SequenceHit:
    return SequenceHit(name, name, level, 0, b.at(0), b.at(1), "", ())


def level(points: float, classes: str, *hits: SequenceHit) -> str:
    return level_of(points, hits, class_scores([mark(letter) for letter in classes]))[0]


@pytest.mark.parametrize(("letter", "points"), scoring().weights.items())
def test_a_class_is_worth_its_weight_once(letter: str, points: float) -> None:
    assert points_of([mark(letter), mark(letter), mark(letter, 0.4)]) == points
    assert points_of([mark(letter, 0.4)]) == pytest.approx(points * 0.4)
    assert points_of([mark(letter, weak=True)]) == pytest.approx(points / 2)


@pytest.mark.parametrize(
    ("stores", "points"),
    [
        ((("chromium", 1.0),), 25),
        ((("chromium", 1.0), ("chromium", 1.0)), 25),
        ((("chromium", 1.0), ("gecko", 1.0)), 35),
        ((("chromium", 1.0), ("gecko", 0.7)), 32),
        ((("chromium", 1.0), ("gecko", 1.0), ("wallet", 1.0)), 45),
        ((("chromium", 1.0), ("gecko", 1.0), ("wallet", 1.0), ("mail", 1.0)), 45),
        ((("chromium", 1.0), ("", 1.0)), 25),
    ],
)
def test_further_kinds_of_store_add_up_to_a_cap(stores: tuple[tuple[str, float], ...], points: float) -> None:
    marks = [mark("C", fidelity, store, seconds=number) for number, (store, fidelity) in enumerate(stores)]
    assert points_of(marks) == points
    (score,) = class_scores(marks)
    assert len(score.alert_ids) == min(len(set(stores) - {("", 1.0)}), 4)
    assert ("at most 45" in score.reason) is (len(stores) == 4)


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        (0, "informational"),
        (19.9, "informational"),
        (20, "low"),
        (39.9, "low"),
        (40, "medium"),
        (60, "high"),
        (84.9, "high"),
        (85, "critical"),
        (200, "critical"),
    ],
)
def test_bands(points: float, expected: str) -> None:
    assert band(points) == expected


def test_the_stronger_of_band_and_sequence_counts() -> None:
    assert level(35, "CX", hit("S4", "high")) == "high"
    assert level(61, "CXR", hit("S1", "low")) == "high"
    assert level(10, "X") == "informational"


@pytest.mark.parametrize(
    ("classes", "hits", "expected"),
    [
        ("DXEIRO", (), "high"),
        ("DXEIROC", (), "critical"),
        ("DXEIROV", (), "critical"),
        ("CDP", (hit("S5", "critical"),), "high"),
        ("CX", (), "high"),
        ("CX", (hit("S6", "critical"),), "critical"),
        ("CO", (hit("S5", "critical"),), "critical"),
    ],
)
def test_caps_below_critical(classes: str, hits: tuple[SequenceHit, ...], expected: str) -> None:
    assert level(90, classes, *hits) == expected


def test_every_point_and_the_level_are_explained() -> None:
    incident = lumma().incident()
    assert incident.score == sum(c.points for c in incident.classes) + sum(h.bonus for h in incident.sequences)
    for score in incident.classes:
        assert score.reason
        assert score.alert_ids or score.evidence_class == "O"
    assert "Score" in incident.level_reason
    assert "S5, S6 give critical" in incident.level_reason


def test_the_reason_for_a_cap_is_said() -> None:
    _, reason = level_of(90, (), class_scores([mark("X"), mark("I"), mark("O")]))
    assert "Held at high: no credential-store access and no vendor verdict" in reason


def test_proof_does_not_depend_on_input_order() -> None:
    story = lumma()
    assert Story(story.events, story.alerts[::-1]).incident().classes == story.incident().classes


def test_a_reliable_high_alert_is_no_weak_sign() -> None:
    floor = floor_of([mark("X", level="high", fidelity=0.7)])
    assert floor is not None
    assert floor.gives == "medium"
    assert floor_of([mark("X", level="high", fidelity=0.4), mark("X", level="medium", fidelity=1.0)]) is None
    level, reason = level_of(15, (), class_scores([mark("X")]), floor)
    assert level == "medium"
    assert "a high alert of a reliable rule lifts it to medium" in reason
    assert level_of(70, (), class_scores([mark("X")]), floor) == ("high", "Score 70 gives high.")
