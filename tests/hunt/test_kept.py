"""Packed alerts are equal to what they were made of, also from disk, in another process and with hostile text."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.report.sample import lumma

from douse.hunt import kept as module
from douse.hunt.kept import KeptFields, kept
from douse.model import Alert, Match

HOSTILE = {"CommandLine": "x\ud800\x00\x1b[31m", "": "", "Ünï": "ß" * 4096}


def _alerts() -> list[Alert]:
    shared = {"Image": r"C:\x.exe", "CommandLine": "x.exe -y"}
    first = replace(lumma().alerts[0], fields=shared, matched=(Match("selection", "Image", r"C:\x.exe", r"*\x.exe"),))
    return [first, replace(first, alert_id="second"), replace(first, alert_id="third", fields=HOSTILE, matched=())]


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[module._Shelf]:
    """A shelf of the test's own."""
    own = module._Shelf()
    monkeypatch.setattr(module, "_SHELF", own)
    yield own
    own.close()


@pytest.mark.parametrize("memory", [64 << 20, 0], ids=["in memory", "on disk"])
def test_packed_alerts_are_equal_to_the_alerts(memory: int, shelf: module._Shelf,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEMORY", memory)
    made = _alerts()
    packed = list(kept(made))
    assert [one.alert_id for one in packed] == [one.alert_id for one in made]
    for one, other in zip(packed, made, strict=True):
        assert dict(one.fields) == dict(other.fields)
        assert list(one.fields) == list(other.fields)
        assert one.matched == other.matched
        assert tuple(one.matched) == tuple(other.matched)
        assert len(one.fields) == len(other.fields)
    assert packed[0].fields is packed[1].fields
    assert packed[0].fields.get("image") is None
    assert pickle.loads(pickle.dumps(packed)) == packed
    assert (shelf.in_memory > 0) == (memory > 0)


def test_beyond_the_limit_values_lie_in_a_file(shelf: module._Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEMORY", 1000)
    fields = [KeptFields.of({"n": str(number), "pad": "x" * 100}) for number in range(100)]
    assert shelf.in_memory <= 1000
    assert shelf._end > 5000
    assert [one["n"] for one in fields] == [str(number) for number in range(100)]


def test_records_of_one_kind_share_their_names() -> None:
    one, other = KeptFields.of({"a": "1", "b": "2"}), KeptFields.of({"a": "3", "b": "4"})
    assert one._names is other._names
