"""Tables that people keep: what spreadsheets write is read, what cannot be meant is refused with its line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.errors import ContentError
from douse.hunt import tables
from douse.hunt.tables import Columns, read_table

COLUMNS = Columns(("host", "reason"), ("note",))


CELLS = st.text(alphabet='ab",;\t\r\n#\x00\x1b\u2028\ufeff ', max_size=12)


def table(tmp_path: Path, content: bytes | str) -> tables.Table:
    path = tmp_path / "list.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, COLUMNS)


@pytest.mark.parametrize("content", [
    "host,reason\na,b",
    "\ufeffHost , REASON\r\na , b \r\n",
    "# who: me, \"them\n\nhost;reason\n;;\n# more\na;b\n",
    "host\treason\rnone\tnone\r".replace("none\tnone", "a\tb"),
    'host,reason,note\n"a","b",\n',
    "host,reason\na,b,,\n",
])
def test_what_spreadsheets_and_people_write(content: str, tmp_path: Path) -> None:
    (line,) = table(tmp_path, content).lines
    assert (line["host"], line["reason"], line["note"]) == ("a", "b", "")


def test_a_line_keeps_its_number_and_its_cells(tmp_path: Path) -> None:
    found = table(tmp_path, 'host,reason\n\n# x\nws-1,"a, ""b""\x1b[31m"\n\u2028,c\n')
    assert [(line.where.rpartition(":")[2], line["host"], line["reason"]) for line in found.lines] == [
        ("4", "ws-1", 'a, "b"\x1b[31m'), ("5", "", "c")]
    assert found.sha256 == hashlib.sha256(Path(found.file).read_bytes()).hexdigest()
    assert found.size == Path(found.file).stat().st_size


@pytest.mark.parametrize(("content", "line", "what", "next_step"), [
    ("", 1, "no header", "Begin it with: host,reason"),
    ("host\n", 1, "'reason' is missing", "host,reason"),
    ("host,reson\n", 1, "no column 'reson'", "Did you mean 'reason'? The columns are: host, reason, note."),
    ("host,reason,,\n", 1, "no column ''", "host, reason, note"),
    ("host,reason,host\n", 1, "'host' is there twice", "Keep one"),
    ("host,reason\n\na\n", 3, "has 1 cells, and the header names 2", "write its separator"),
    ("host,reason\na,b,c\n", 2, "has 3 cells, and the header names 2", "quotes"),
    ('host,reason\na,"b\nc"\n', 2, "is no CSV", "one line"),
    ('host,reason\na,"b"c\n', 2, "is no CSV", '""'),
    (b"host,reason\na,b\nc,\xff\n", 3, "not UTF-8", "CSV UTF-8"),
    (b"\xff\xfeh\0o\0s\0t\0", 1, "not UTF-8", "CSV UTF-8"),
    ("host,reason\na," + "b" * 200_000, 2, "is no CSV", ""),
])
def test_what_cannot_be_meant(content: bytes | str, line: int, what: str, next_step: str, tmp_path: Path) -> None:
    with pytest.raises(ContentError) as caught:
        table(tmp_path, content)
    assert caught.value.where == f"{tmp_path / 'list.csv'}:{line}"
    assert what in caught.value.what
    assert next_step in caught.value.next_step


def test_no_file_a_folder_and_one_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(ContentError, match="cannot be read") as caught:
            read_table(path, COLUMNS)
        assert caught.value.where == str(path)
    monkeypatch.setattr(tables, "MAX_BYTES", 10)
    with pytest.raises(ContentError, match="larger than"):
        table(tmp_path, "host,reason\n")


def test_an_error_repeats_only_the_beginning_of_a_long_cell(tmp_path: Path) -> None:
    with pytest.raises(ContentError) as caught:
        table(tmp_path, "host,reason," + "x" * 5_000 + "\n")
    assert len(caught.value.what) < 150


@given(st.one_of(st.binary(max_size=60), st.lists(CELLS, max_size=6).map(lambda c: "host,reason\n" + "\n".join(c))))
def test_any_bytes_are_a_table_or_an_error_with_a_place(tmp_path_factory: pytest.TempPathFactory,
                                                        content: bytes | str) -> None:
    folder = tmp_path_factory.getbasetemp()
    where, lines = "", ()
    try:
        lines = table(folder, content).lines
    except ContentError as error:
        where = error.where
    assert where == "" or where.startswith(str(folder / "list.csv"))
    assert all(set(line.cells) == {"host", "reason"} and line.number > 1 for line in lines)
