"""What is told and not read: a log without its data is a loss anywhere, an archive of a foreign kind only if named."""

from __future__ import annotations

from pathlib import Path

import pytest

from douse.telemetry import Tally

from .test_readers import reader_of

TEXT = "Event[0]:\r\n  Log Name: Security\r\n  Source: Microsoft-Windows-Security-Auditing\r\n  Event ID: 4688\r\n"


def refused(data: bytes, name: str, tmp_path: Path, *, named: bool = False) -> Tally:
    formats, tally = reader_of(data, name, tmp_path, named=named)
    assert formats == set()
    return tally


@pytest.mark.parametrize(("data", "advice"), [
    (TEXT.encode(), "/f:xml"), (TEXT.replace("]:", "]").encode("utf-8-sig"), "/f:xml"),
    (TEXT.encode("utf-16"), "/f:xml"),
    (b"\x30\x00\x00\x00LfLe\x01\x00\x00\x00" + bytes(40), "EVTX"),
])
@pytest.mark.parametrize("named", [False, True])
def test_a_log_without_its_data_is_a_loss_wherever_it_lies(data: bytes, advice: str, named: bool,
                                                           tmp_path: Path) -> None:
    tally = refused(data, "log.txt", tmp_path, named=named)
    assert ([loss.records for loss in tally.losses], tally.ignored) == ([None], 0)
    assert advice in tally.losses[0].next_step


@pytest.mark.parametrize("mark", [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\x01\x00", b"\x28\xb5\x2f\xfd",
                                  b"\x04\x22\x4d\x18", b"MSCF\x00\x00\x00\x00"])
def test_an_archive_that_is_not_read_is_a_note_in_a_folder_and_a_loss_where_it_was_named(mark: bytes,
                                                                                         tmp_path: Path) -> None:
    tally = refused(mark + bytes(99), "logs", tmp_path)
    assert (tally.losses, tally.ignored, len(tally.notes)) == ([], 1, 1)
    assert "which is not read" in tally.notes[0]
    tally = refused(mark + bytes(99), "logs", tmp_path, named=True)
    assert [loss.next_step for loss in tally.losses] == ["Unpack it and hunt what is in it."]
    assert "which is not read" in tally.losses[0].reason
