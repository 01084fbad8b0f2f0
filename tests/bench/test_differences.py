"""Each reason for which two programs may count a rule differently is decided from a small table and its records."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import differences
import pytest
from differences import Difference, Facts, Reading, Reason, compare
from peer_table import Converted, Key, Table, alike, key_of

SYSMON, SECURITY = "Microsoft-Windows-Sysmon/Operational", "Security"
START = key_of(SYSMON, 1, 10, "PC")
AUDIT = key_of(SECURITY, 4688, 20, "PC")
ROWS: tuple[Mapping[str, object], ...] = (
    {"Channel": SYSMON, "EventID": 1, "EventRecordID": 10, "Computer": "PC", "Image": r"C:\a.exe", "Initiated": "1"},
    {"Channel": SECURITY, "EventID": 4688, "EventRecordID": 20, "Computer": "PC", "NewProcessName": r"C:\a.exe"},
    {"Channel": SYSMON, "EventID": 3, "EventRecordID": 30, "Computer": "PC", "DestinationIp": "10.999.1.1"},
    {"Channel": "Other", "EventID": 1, "EventRecordID": 40, "Computer": "PC", "Image": r"C:\a.exe"},
)


@pytest.fixture
def table(tmp_path: Path) -> Iterator[Table]:
    """The database as Zircolite writes it: one table of every field that it met, text without case."""
    names = list(dict.fromkeys(name for row in ROWS for name in row))
    base = sqlite3.connect(tmp_path / "kept.db")
    columns = ", ".join(f"'{n}' {'INTEGER' if n.startswith('Event') else 'TEXT COLLATE NOCASE'}" for n in names)
    base.execute(f"CREATE TABLE logs (row_id INTEGER, {columns}, PRIMARY KEY(row_id AUTOINCREMENT))")
    for row in ROWS:
        into = f"INSERT INTO logs ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"  # noqa: S608 - rows of ours
        base.execute(into, list(row.values()))
    base.commit()
    base.close()
    with closing(Table(tmp_path / "kept.db")) as opened:
        yield opened


@pytest.fixture
def reason(table: Table) -> Callable[..., Mapping[str, int]]:
    """The reasons for one rule, of which `query` is what follows WHERE."""

    def ask(query: str = "EventID=1", *more: str, ours: tuple[Key, ...] = (), its: tuple[Key, ...] = (),
            fields: Mapping[str, str] | None = None, before: tuple[Key, ...] = (), after: tuple[Key, ...] = (),
            early: tuple[Key, ...] = (), converted: bool = True, idle: str = "", reads: bool = True, denial: str = "",
            source: str = "") -> Mapping[str, int]:
        rule = Converted(tuple(f"SELECT * FROM logs WHERE {one}" for one in (query, *more)))  # noqa: S608 - as above
        facts = Facts({"r": rule} if converted else {}, table, Reading(Counter(before), Counter(after), Counter(early)),
                      {"r": idle} if idle else {}, lambda *_: reads, lambda *_: denial,
                      {("r", key): [fields or {}] for key in ours}, {"r": source})
        found = compare("r", "Rule", Counter(ours), Counter(its), facts)
        if found is None:
            return {}
        assert (found.ours, found.its) == (len(ours), len(its))
        assert sum(one.records for one in found.reasons) == len(ours) - len(its)
        return {one.text: one.records for one in found.reasons}

    return ask


def test_the_same_records_are_no_difference(reason) -> None:
    assert reason(ours=(START, AUDIT), its=(AUDIT, START)) == {}


def test_a_rule_that_was_not_converted(reason) -> None:
    assert reason(ours=(START,), converted=False) == {"the peer did not convert the rule": 1}


def test_a_column_without_a_value_in_any_record(reason) -> None:
    found = reason("Function LIKE 'x%'", ours=(START,), fields={"Function": "", "Image": "a"})
    assert [*found] == [("its query names the column Function, which has a value in no record it read,"
                        " so SQLite refuses it")]


def test_a_field_that_the_peer_calls_something_else(reason) -> None:
    found = reason("Data LIKE '%x%'", ours=(START,), fields={"data": "x"})
    assert found == {"its query names the column Data; its table keeps that field under another name": 1}


def test_a_query_that_is_no_selection_is_not_run(table: Table) -> None:
    assert table.refusal(["DELETE FROM logs"]) == "not a selection of whole records"
    assert len(table) == len(ROWS)


def test_records_behind_the_bad_one(reason) -> None:
    behind = key_of(SYSMON, 1, 99, "PC")
    found = reason(ours=(START, behind), its=(START,), before=(START,), after=(behind,))
    assert found == {"behind the bad record at which the peer stops reading the file": 1}


def test_records_behind_the_bad_one_have_no_part_in_a_refusal(reason) -> None:
    behind = key_of(SYSMON, 1, 99, "PC")
    found = reason("Data='x'", ours=(START, behind), before=(START,), after=(behind,), fields={"Data": ""})
    assert found == {"behind the bad record at which the peer stops reading the file": 1,
                     "its query names the column Data, which has a value in no record it read, so SQLite refuses it": 1}


def test_a_peer_that_reads_on_behind_the_bad_record(reason) -> None:
    found = reason("EventID=1 AND Initiated='true'", ours=(START,), after=(START,), fields={"Initiated": "true"})
    assert found == {"its table has another value in Initiated": 1}


def test_a_record_dated_before_1970(reason) -> None:
    lost = key_of(SYSMON, 1, 99, "PC")
    found = reason(ours=(lost, lost, START), its=(START,), before=(lost, lost, START), early=(lost,))
    assert found == {"not in its table: dated before 1970, which its default time filter leaves out": 1,
                     "not in its table": 1}


def test_copies_of_a_record_are_told_apart_by_their_values(table: Table) -> None:
    first, second = ({"Image": name, "Initiated": "true"} for name in ("one.exe", "two.exe"))
    rows = {1: {"Image": "two.exe", "Initiated": "1"}, 2: {"Image": "one.exe", "Initiated": "1"}}
    assert alike(rows[2], first) > alike(rows[1], first)
    table.values = rows.__getitem__  # type: ignore[method-assign] - the rows that the copies stand for
    assert dict(differences._pairs([1, 2], [first, second], table)) == {2: first, 1: second}


def test_a_record_that_could_not_be_inserted(reason) -> None:
    lost = key_of(SYSMON, 1, 99, "PC")
    assert reason(ours=(lost,), before=(lost,), fields={"Image": "a"}) == {"not in its table": 1}
    found = reason(ours=(lost,), before=(lost,), fields={"Image": "a", "x; DROP": "b", "Group": "c"})
    assert found == {"not in its table: a field's name is an SQL keyword": 1}


@pytest.mark.parametrize("query", ["EventID=1", "EventID IN (1, 4689)", f"Channel='{SYSMON}'",
                                   f"Channel IN ('{SYSMON}', 'Other') AND Image LIKE '%4688%'"])
def test_a_log_that_the_query_does_not_read(reason, query: str) -> None:
    assert reason(query, ours=(AUDIT,), before=(AUDIT,)) == {"log source: its query does not read security 4688": 1}


def test_a_value_that_the_peer_stores_differently(reason) -> None:
    found = reason("EventID=1 AND Initiated='true'", ours=(START,), before=(START,),
                   fields={"Initiated": "true", "Image": r"C:\a.exe"})
    assert found == {"its table has another value in Initiated": 1}


def test_two_values_that_only_together_explain_it(reason) -> None:
    found = reason("EventID=1 AND Initiated='true' AND Image LIKE '%b.exe'", ours=(START,), before=(START,),
                   fields={"Initiated": "true", "Image": "b.exe"})
    assert [*found] == ["its table has other values in Image, Initiated"]


def test_not_of_an_absent_field(reason) -> None:
    found = reason("EventID=1 AND NOT (DestinationIp LIKE '10.%')", ours=(START,), before=(START,))
    assert found == {"a field is absent, and SQL's NOT of an unknown is unknown": 1}


def test_a_network_asked_of_a_text_that_is_no_address(reason) -> None:
    key = key_of(SYSMON, 3, 30, "PC")
    found = reason("EventID=3 AND NOT DestinationIp LIKE '10.%'", ours=(key,), before=(key,),
                   fields={"DestinationIp": "10.999.1.1"}, source="DestinationIp|cidr: 10.0.0.0/8")
    assert found == {"DestinationIp|cidr of a value that is no address: its query compares the text": 1}


def test_a_record_that_the_query_finds_and_the_report_lacks(reason) -> None:
    found = reason("EventID=1", ours=(START,), before=(START,))
    assert found == {"its query finds the record, and its report leaves it out": 1}


def test_what_nothing_explains_stays_unexplained(reason) -> None:
    found = reason("EventID=1 AND Image='b'", ours=(START,), before=(START,), fields={"Image": r"C:\a.exe"})
    assert found == {differences.UNEXPLAINED: 1}


def test_what_the_peer_alone_reports(reason) -> None:
    other = key_of("Other", 1, 40, "PC")
    assert reason(its=(other,), idle="category x: not logged") == {"idle in Douse: category x: not logged": -1}
    assert reason(its=(other,), reads=False) == {"log source: the rule is not about other 1": -1}
    assert reason(its=(other,), denial="filter matches") == {"in Douse filter matches": -1}
    assert reason(its=(other,)) == {differences.UNEXPLAINED: -1}


def test_a_record_counted_once_for_each_condition(reason) -> None:
    found = reason("EventID=1", "Image LIKE '%a.exe'", ours=(START,), its=(START, START))
    assert found == {"it counts a record once for each condition of the rule": -1}


def test_equal_counts_of_other_records_are_a_difference_too(reason, table: Table) -> None:
    other = key_of("Other", 1, 40, "PC")
    facts = Facts({"r": Converted(("SELECT * FROM logs WHERE EventID=1 AND Channel='Other'",))}, table,
                  Reading(Counter([START, other]), Counter()), {}, lambda *_: True, lambda *_: "")
    found = compare("r", "Rule", Counter([START]), Counter([other]), facts)
    assert found is not None
    assert [one.records for one in found.reasons] == [1, -1]


def test_an_unknown_database_is_named(tmp_path: Path) -> None:
    base = sqlite3.connect(tmp_path / "other.db")
    base.execute("CREATE TABLE logs (a)")
    base.close()
    with pytest.raises(SystemExit, match="lacks the columns channel, computer, eventid, eventrecordid"):
        Table(tmp_path / "other.db")


def test_the_table_adds_up_and_is_safe_to_print() -> None:
    shown = [Difference("id-1", "One\x1b[2J", 5, 2, (Reason(4, "a", "evil\x1b]8;;x"), Reason(-1, "b", ""))),
             Difference("id-2", "Two", 0, 9, (Reason(-9, "b", ""),))]
    lines = list(differences.table(shown))
    assert not any("\x1b" in line for line in lines)
    assert [line.split() for line in lines[1:3]] == [["2", "10", "b"], ["1", "4", "a"]]
    assert [line.split()[:2] for line in lines if "(id-" in line] == [["0", "9"], ["5", "2"]]
    assert next(line for line in lines if "evil" in line).split()[:2] == ["+4", "a"]
