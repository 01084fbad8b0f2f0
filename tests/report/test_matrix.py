"""ATT&CK for one incident: what was seen, seen elsewhere, not seen and not visible, each technique in one column."""

from __future__ import annotations

import pytest

from douse.content.attack import attack
from douse.report import matrix, story
from douse.report.document import document
from douse.report.schema import ChannelRow, IncidentRow
from report import sample, whole


def incident() -> IncidentRow:
    return document(whole.whole())["incidents"][0]


def channel(name: str, event_id: int, records: int = 1) -> ChannelRow:
    return {"channel": name, "event_id": event_id, "records": records, "first_seen": None, "last_seen": None}


def cells(*channels: ChannelRow, elsewhere: tuple[str, ...] = ()) -> dict[str, matrix.Cell]:
    row = incident()
    columns = matrix.matrix(row, story.told(row, {}), elsewhere, channels)
    return {cell.id: cell for column in columns for cell in column.cells}


def test_it_is_small_and_every_technique_stands_once() -> None:
    row = incident()
    columns = matrix.matrix(row, story.told(row, {}), (), ())
    ids = [cell.id for column in columns for cell in column.cells]
    assert len(ids) == len(set(ids))
    assert 40 <= len(ids) <= 60
    order = [tactic.id for tactic in attack().tactics.values()]
    assert [column.id for column in columns] == [name for name in order if name in {c.id for c in columns}]


def test_a_technique_that_was_seen_names_parts_and_steps() -> None:
    cell = cells()["T1055"]
    assert (cell.state, cell.parts, cell.steps) == (matrix.SEEN, ("T1055.003",), (5,))


@pytest.mark.parametrize(("channels", "state"), [
    ((), matrix.NOT_VISIBLE),
    ((channel("Security", 4624),), matrix.NOT_VISIBLE),
    ((channel("security", 4698),), matrix.NOT_SEEN),
    ((channel("Security", 4698, 0),), matrix.NOT_VISIBLE),
])
def test_without_a_record_that_could_show_it_a_technique_is_not_visible(channels, state: str) -> None:
    assert cells(*channels)["T1053"].state == state


def test_what_another_incident_showed_is_seen_elsewhere_also_by_an_old_id() -> None:
    assert cells(elsewhere=("T1053.005",))["T1053"].state == matrix.ELSEWHERE
    assert cells(elsewhere=("T1562.001",))["T1685"].state == matrix.ELSEWHERE


def test_what_nobody_has_a_page_on_is_told_when_it_was_seen() -> None:
    assert "T1003" not in cells()
    assert cells(elsewhere=("T1003.001", "T9999", "not an id"))["T1003"].state == matrix.ELSEWHERE


def test_tactics_and_stages_share_techniques_and_alerts() -> None:
    rows = {row.name: row.stages for row in matrix.tactics_in_stages(incident(), story.STAGES)}
    assert rows["Credential Access"] == (((), 0), ((), 0), (("T1555.003",), 2))
    assert rows["Execution"][0] == (("T1204.004",), 1)
    assert matrix.tactics_in_stages(document(sample.lumma())["incidents"][0], story.STAGES) == ()
