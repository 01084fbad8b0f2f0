from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from douse.content import incidents
from douse.content.stores import stores
from douse.errors import ContentError
from douse.model import EVIDENCE_CLASSES, LEVELS

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


def test_advice_uses_only_words_that_it_needs() -> None:
    steps = incidents.advice()
    assert len({step.id for step in steps}) == len(steps)
    for step in steps:
        assert set(re.findall(r"\{(\w+)\}", step.text)) <= {"host", *step.needs}, step.id
        assert set(step.stores) <= set(stores().families)


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


def test_unknown_letters_and_words_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incidents, "FOLDER", tmp_path)
    for wrong in ("classes: [Z]", "needs: [money]", "level: worst"):
        (tmp_path / "advice.yml").write_text(f"steps:\n  - {{id: a, text: b, {wrong}}}\n", encoding="utf-8")
        with pytest.raises(ContentError, match=r"advice.yml:2"):
            incidents.advice.__wrapped__()
