"""A saved hunt is read back the same, an old one too; a damaged or foreign one is told with its place."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from douse.errors import DouseError, EvidenceError
from douse.report.document import document, rows
from douse.report.formats import FORMATS
from douse.report.machine import json_document, json_lines
from douse.report.read import narrowed, parse, read_document
from report import exported, sample

RICH = exported.rich()
NEW_KEYS = ("tactics", "stores", "rotation", "attribution", "indicators", "plan", "controls", "lessons", "asset",
            "impact", "impact_reason")


@pytest.mark.parametrize("name", exported.EVERY)
def test_a_saved_hunt_comes_back_from_json_and_lines(name: str) -> None:
    made = exported.EVERY[name]()
    assert json.loads(json_document(parse(json_document(made), "x.json"))) == json.loads(json_document(made))
    lines = b"".join(json_lines(rows(made)))
    assert json.loads(json_document(parse(lines, "x.jsonl"))) == json.loads(json_document(made))


def test_a_compact_document_on_one_line_is_a_document() -> None:
    assert parse(json.dumps(RICH).encode(), "x") == RICH


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_powershell_writes_is_read(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "hunt.json"
    path.write_bytes(json.dumps(RICH).encode(encoding))
    assert read_document(str(path)) == RICH


def test_an_old_document_gets_the_new_keys_empty() -> None:
    old = copy.deepcopy(RICH)
    for key in ("hosts", "suppressed", "allowances"):
        del old[key]
    for incident in old["incidents"]:
        for key in NEW_KEYS:
            del incident[key]
    made = parse(json.dumps(old).encode(), "old.json")
    assert made["hosts"] == made["incidents"][0]["stores"] == []
    assert made["incidents"][0]["attribution"] is None
    for exporter in FORMATS.values():
        assert isinstance(b"".join(exporter.render(made)), bytes)


@pytest.mark.parametrize(("change", "said"), [
    (lambda d: d.update(schema="douse.hunt/9"), r"has schema douse\.hunt/9.*reads douse\.hunt/1.*version"),
    (lambda d: d.update(schema="douse.coverage/1"), "which is no hunt"),
    (lambda d: d.pop("schema"), "is no saved hunt"),
    (lambda d: d.pop("alerts"), "lacks alerts"),
    (lambda d: d.pop("provenance"), "lacks provenance"),
    (lambda d: d["alerts"][3].update(title=4), r"x\.json: alerts\[3\]: .*Expected `str`, got `int`.*title"),
    (lambda d: d["alerts"][2].update(level="loud"), r"alerts\[2\]\.level: is no level: 'loud'.*Known"),
    (lambda d: d["incidents"][0]["steps"][1].update(time="noon"), r"incidents\[0\]\.steps\[1\]\.time: is no time"),
    (lambda d: d["incidents"][0].pop("title"), r"incidents\[0\].*missing required field `title`"),
    (lambda d: d["summary"]["alerts_by_level"].pop("low"), "has not the levels"),
])
def test_what_is_wrong_is_told_with_its_place(change: Any, said: str) -> None:
    made = copy.deepcopy(RICH)
    change(made)
    with pytest.raises(EvidenceError, match=said):
        parse(json.dumps(made).encode(), "x.json")


@pytest.mark.parametrize("parents", [[99], [-1], [0], [1, 0]])
def test_a_tree_of_processes_without_a_root_is_told_with_its_place(parents: list[int]) -> None:
    changed = copy.deepcopy(RICH)
    for row, parent in zip(changed["incidents"][0]["processes"], parents, strict=False):
        row["parent"] = parent
    with pytest.raises(EvidenceError, match=r"incidents\[0\]\.processes\[0\]\.parent"):
        parse(json.dumps(changed).encode(), "x.json")


def test_lines_that_were_cut_off_are_no_hunt() -> None:
    lines = list(json_lines(rows(document(sample.lumma()))))
    with pytest.raises(EvidenceError, match="ends without the summary"):
        parse(b"".join(lines[:-1]), "x.jsonl")
    with pytest.raises(EvidenceError, match=r"x\.jsonl:3: is no JSON"):
        parse(b"".join((*lines[:2], lines[2][:50], b"\n", *lines[3:])), "x.jsonl")
    with pytest.raises(EvidenceError, match="stands behind the summary"):
        parse(b"".join((*lines, lines[0])), "x.jsonl")


@pytest.mark.parametrize("data", [b"", b"\n", b"<html>", b"[]", b"null", b"{}", b'{"kind":"hunt"}', b"\xff\xfe\x00",
                                  b"[" * 100_000, b'{"a":' * 100_000, b'{"kind":"alert"}', b'"x"', b"\x00"])
def test_what_is_no_hunt_is_our_error(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(EvidenceError):
        read_document(str(tmp_path / "x"))


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="No such file"):
        read_document(str(tmp_path / "none.json"))


def _places(value: Any) -> list[tuple[Any, Any]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(value, key) for key, _ in inside] + [place for _, one in inside for place in _places(one)]


@settings(max_examples=150)
@given(st.data())
def test_damage_is_our_error_or_renders_everywhere(data: st.DataObject) -> None:
    made = copy.deepcopy(RICH)
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = data.draw(st.sampled_from(_places(made)))
        new = data.draw(st.sampled_from([None, "", "x", -1, 1 << 80, 1.5, True, [], {}, [[]], {"a": 1}, "\u202e",
                                         "lost"]))
        if key in holder if isinstance(holder, dict) else key < len(holder):
            if new == "lost":
                del holder[key]
            else:
                holder[key] = new
    try:
        read = parse(json.dumps(made).encode(), "x.json")
    except DouseError:
        return
    for exporter in FORMATS.values():
        assert isinstance(b"".join(exporter.render(read)), bytes)


@settings(max_examples=100)
@given(st.integers(0, 1 << 20), st.binary(max_size=4))
def test_changed_bytes_are_our_error_or_a_document(place: int, new: bytes) -> None:
    whole = json_document(RICH)
    place %= len(whole)
    try:
        made = parse(whole[:place] + new + whole[place + 2 :], "x.json")
    except DouseError as error:
        made, said = None, str(error)
    assert made["kind"] == "hunt" if made else said.startswith("x.json")


def test_one_incident_has_its_alerts_and_its_host() -> None:
    made = parse(json_document(RICH), "x.json")
    wanted = RICH["incidents"][0]
    one = narrowed(made, wanted["incident_id"][:8].upper())
    assert one["incidents"] == [wanted]
    assert {alert["alert_id"] for alert in one["alerts"]} == set(wanted["alerts"])
    assert one["summary"]["alerts"] == len(one["alerts"]) == sum(one["summary"]["alerts_by_level"].values())
    assert {row["host"] for row in one["coverage"]} == {wanted["host"]}
    assert one["errors"] == made["errors"]
    assert "one of 2 incidents" in one["notes"][-1]


def test_an_incident_must_be_named_clearly() -> None:
    made = parse(json_document(RICH), "x.json")
    with pytest.raises(EvidenceError, match=r"is no incident of this hunt\. Known: "):
        narrowed(made, "zz")
    twin = {**RICH, "incidents": [RICH["incidents"][0]] * 2}
    with pytest.raises(EvidenceError, match="begins 2 incidents"):
        narrowed(parse(json_document(twin), "x.json"), RICH["incidents"][0]["incident_id"][:4])
