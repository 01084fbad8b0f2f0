"""A saved pre-flight: what it says, and that a change by hand is noticed."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from builders import process_start
from douse.errors import ContentError
from douse.harden.preflight.record import digest, read_record
from douse.report.preflight import preflight_document
from douse.report.preflight_decisions import skeleton
from douse.report.preflight_formats import FORMATS
from harden.preflight.fleet_logs import DAY, HOSTS, MSHTA, days_of, form, hta, inventory, on, run

TODAY = date(2026, 12, 20)
GROUP = ("CORP\\HTA users", "S-1-5-21-1-2-3-1604")


def saved(folder: Path, **options: object) -> Path:
    """A pre-flight of a host with a business application and a name full of hidden signs."""
    inventory(folder, HOSTS[:1])
    strange = hta(9 * DAY, f'"{MSHTA}" "C:\\\u202e\x1b[31m\ud800 --password hunter2secret.hta"')
    events = days_of(HOSTS[0]) + form(HOSTS[0], range(2, 9)) + on(HOSTS[0], [process_start(strange)])
    document = preflight_document(run(folder, events, today=TODAY, **options))
    file = folder / "preflight.json"
    file.write_bytes(b"".join(FORMATS["json"](document)))
    (folder / "todo.yml").write_bytes(skeleton(document))
    return file


def test_a_record_says_what_was_decided(tmp_path: Path) -> None:
    open_ = read_record(saved(tmp_path))
    assert (open_.program, open_.verdict, open_.is_go, open_.groups, open_.expires) == (
        "mshta.exe", "NO-GO", False, (), None)
    filled = (tmp_path / "todo.yml").read_text(encoding="utf-8")
    for name, value in {"decision": "except", "owner": "Ben", "signed": "2026-12-01", "expires": "2027-02-28",
                        "ticket": "CHG-7", "reason": "payroll", "group": GROUP[0].replace("\\", "\\\\"),
                        "sid": GROUP[1]}.items():
        filled = filled.replace(f'    {name}: ""', f'    {name}: "{value}"')
    (tmp_path / "decisions.yml").write_text(filled, encoding="utf-8")
    go = read_record(saved(tmp_path, decisions=tmp_path / "decisions.yml"))
    assert (go.verdict, go.is_go, go.groups, go.expires) == ("GO WITH EXCEPTIONS", True, (GROUP,), date(2027, 2, 28))
    assert (tmp_path / "todo.yml").read_text(encoding="utf-8").count("use_case:") == 2  # decided ones stay
    assert ([use.decision for use in go.uses], go.undecided) == (["except", "except"], ())
    start = next(part for part in filled.split("  - use_case: ") if "Not open" in part)
    (tmp_path / "decisions.yml").write_text(filled.replace(start, start.replace('"except"', '""')), encoding="utf-8")
    partly = read_record(saved(tmp_path, decisions=tmp_path / "decisions.yml"))
    assert (partly.verdict, partly.undecided) == ("GO WITH EXCEPTIONS", (start[1:15],))


def test_secrets_are_left_out_and_hidden_signs_change_no_digest(tmp_path: Path) -> None:
    data = saved(tmp_path).read_bytes()
    assert b"hunter2secret" not in data
    assert b"\x1b" not in data
    document = json.loads(data)
    assert document["digest"] == digest(document)


@pytest.mark.parametrize("change", [
    lambda row: row | {"verdict": "GO"}, lambda row: row | {"more": 1}, lambda row: {**row, "use_cases": []},
    lambda row: row | {"digest": ""}, lambda row: {key: value for key, value in row.items() if key != "digest"},
    lambda row: row | {"schema": "douse.preflight/2"}, lambda row: row | {"kind": "hunt"}, lambda row: [row],
])
def test_a_change_is_noticed(tmp_path: Path, change) -> None:
    file = saved(tmp_path)
    file.write_text(json.dumps(change(json.loads(file.read_bytes()))), encoding="utf-8")
    with pytest.raises(ContentError, match=r"preflight\.json"):
        read_record(file)


def test_another_layout_of_the_same_json_is_no_change(tmp_path: Path) -> None:
    file = saved(tmp_path)
    before = read_record(file)
    file.write_text(json.dumps(json.loads(file.read_bytes()), sort_keys=True), encoding="utf-8")
    assert read_record(file).uses == before.uses


@pytest.mark.parametrize("data", [
    b"", b"[", b"{}", b"\xff\xfe\x00", b'{"kind": "preflight", "kind": "preflight"}', b"[" * 100_000, b"null",
    b'{"kind":"preflight","schema":"douse.preflight/1","x":NaN,"digest":"0"}'])
def test_what_is_no_record(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "preflight.json"
    file.write_bytes(data)
    with pytest.raises(ContentError, match=r"preflight\.json"):
        read_record(file)
    with pytest.raises(ContentError, match="nowhere"):
        read_record(tmp_path / "nowhere")


def test_a_digest_that_fits_does_not_make_a_record_whole(tmp_path: Path) -> None:
    """Somebody who computes the digest himself still has to write what a pre-flight writes."""
    document = json.loads(saved(tmp_path).read_bytes())
    for change in ({"verdict": "YES"}, {"program": 7}, {"finished": "yesterday"}, {"use_cases": [{}]}):
        broken = {**document, **change}
        (tmp_path / "preflight.json").write_text(json.dumps({**broken, "digest": digest(broken)}), encoding="utf-8")
        with pytest.raises(ContentError, match="no whole pre-flight"):
            read_record(tmp_path / "preflight.json")
