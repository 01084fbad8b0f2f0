"""The rows of `douse harden for`: complete, typed, and harmless where a ticket shows them."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from douse.errors import EvidenceError
from douse.harden.for_incident import Broken, Chain, ForIncident, measures
from douse.report.for_incident import FORMATS, SAID, ForIncidentRow, for_incidents, for_rows

HOSTILE = "x`](http://evil.example) <img src=x> @here \x1b[31m \u202e\n# heading"


def found(text: str = "Infostealer incident") -> tuple[ForIncident, ...]:
    return measures([Chain("5ad6", text, text, "critical", "2026-11-03T08:14:00Z", (text, text), (
        Broken("H06", "stops", 2, f"{text} was started"), Broken("H42", "limits", 1, text)))])


def test_the_json_is_what_its_types_say() -> None:
    data = b"".join(FORMATS["json"](found()))
    (row,) = msgspec.json.decode(data, type=list[ForIncidentRow])
    assert row == json.loads(data)[0]
    assert [one["control_id"] for one in row["measures"]] == ["H06", "H42"]
    assert row["measures"][0]["settings"][0]["kind"] == "applocker"
    assert row["measures"][1]["formats"] == []
    assert row["measures"][1]["by_hand"]
    assert row["needed"] == ["H07"]


def test_a_ticket_holds_no_link_no_image_no_mention_and_no_hidden_sign() -> None:
    text = b"".join(FORMATS["markdown"](found(HOSTILE))).decode()
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\n# heading" not in text
    outside = re.sub(r"(?<!\\)(`+)(?!`).+?(?<!`)\1(?!`)", "", text)  # what stands in a code span is inert
    assert "evil.example" in outside
    assert "](http://evil.example)" not in outside
    assert not re.search(r"(?<!\\)<img", outside)
    assert "@here" not in outside


def test_json_keeps_what_stood_there() -> None:
    assert for_rows(found(HOSTILE))[0]["title"] == HOSTILE


def test_every_state_has_words() -> None:
    from douse.harden.finding import STATES

    assert set(SAID) == {*STATES, ""}


def test_a_hunt_without_a_chain() -> None:
    empty = {"incidents": []}
    with pytest.raises(EvidenceError, match="names a control"):
        for_incidents(empty)  # type: ignore[arg-type]  # only its incidents are looked at
