from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from douse.content import incidents
from douse.errors import ContentError
from douse.model import EVIDENCE_CLASSES, LEVELS, PHASES

LOADERS: tuple[tuple[str, Callable[[], object]], ...] = (
    ("scoring.yml", incidents.scoring),
    ("stages.yml", incidents.stages),
    ("advice.yml", incidents.advice),
)


def test_the_numbers_are_those_of_the_threat_model() -> None:
    numbers = incidents.scoring()
    assert numbers.weights == {"D": 5, "X": 15, "E": 10, "I": 20, "C": 25, "R": 10, "O": 20, "P": 5, "V": 30}
    assert (numbers.further_store, numbers.store_cap) == (10, 45)
    assert list(numbers.bands) == list(LEVELS)
    assert sorted(numbers.bands.values()) == list(numbers.bands.values())


def test_every_class_has_a_stage() -> None:
    classes = [letter for stage in incidents.stages() for letter in stage.classes]
    assert sorted(classes) == sorted(EVIDENCE_CLASSES)
    assert [stage.stage for stage in incidents.stages()] == [1, 2, 3]


def test_the_plan_has_all_phases_and_a_step_for_every_kind_of_change() -> None:
    steps = incidents.advice()
    assert list(dict.fromkeys(step.phase for step in steps)) == list(PHASES)
    assert {step.rotation for step in steps} - {""} == set(incidents.ROTATIONS)
    assert all("{products}" in step.text for step in steps if step.rotation not in ("", incidents.NAMED))
    assert all(step.needs or step.level != LEVELS[0] or step.without or step.classes or step.techniques
               for step in steps), "a step that every incident gets says nothing"


@pytest.mark.parametrize(("name", "load"), LOADERS)
@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "\nunknown_key: 1\n",
        lambda text: "- a list\n",
        lambda text: "",
        lambda text: text.replace("[", "{"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(
    name: str, load: Callable[[], object], change: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (incidents.FOLDER / name).read_text(encoding="utf-8")
    (tmp_path / name).write_text(change(text), encoding="utf-8")
    monkeypatch.setattr(incidents, "FOLDER", tmp_path)
    with pytest.raises(ContentError, match=re.escape(name)):
        load.__wrapped__()  # type: ignore[attr-defined] # without the cache


@pytest.mark.parametrize(
    "wrong",
    ["classes: [Z]", "needs: [money]", "level: worst", "phase: later", "rotation: houses", "sequences: [S99]",
     "text: 'Lock {door}.'", "text: 'Lock {users}.'", "text: 'Change {products}.'", "controls: [helps]"],
)
def test_unknown_letters_and_words_are_refused(wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incidents, "FOLDER", tmp_path)
    entry = dict([("id", "a"), ("phase", "contain"), ("text", "b"), tuple(wrong.split(": ", 1))])
    text = ", ".join(f"{key}: {value}" for key, value in entry.items())
    (tmp_path / "advice.yml").write_text(f"steps:\n  - {{{text}}}\n", encoding="utf-8")
    with pytest.raises(ContentError, match=r"advice.yml:2"):
        incidents.advice.__wrapped__()


def test_the_file_is_in_the_order_of_doing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incidents, "FOLDER", tmp_path)
    steps = "steps:\n  - {id: a, phase: recover, text: b}\n  - {id: c, phase: contain, text: d}\n"
    (tmp_path / "advice.yml").write_text(steps, encoding="utf-8")
    with pytest.raises(ContentError, match=r"advice.yml:3: phase contain stands below recover"):
        incidents.advice.__wrapped__()
    (tmp_path / "advice.yml").write_text(steps.replace("recover", "contain").replace("id: c", "id: a"), "utf-8")
    with pytest.raises(ContentError, match=r"id 'a' is there twice"):
        incidents.advice.__wrapped__()
