"""The table of fields against the real logs: a field that a record has and the table lacks would be called unknown."""

from __future__ import annotations

from pathlib import Path

from douse.content.fields import field_table
from douse.content.logsources import log_sources
from douse.hunt.rules import carried_fields
from douse.telemetry.fields import HASH_NAMES

OF_SHIPPERS = {"@timestamp", "AccountName", "AccountType", "Domain", "ERROR_EVT_UNRESOLVED", "Binary", "ProcessId"}
"""What exports and shippers add to a record; no rule asks for it."""


def test_every_sysmon_category_is_listed() -> None:
    for places in log_sources().categories.values():
        for place in places:
            if "Sysmon" in place.channel:
                assert all((place.channel.lower(), number) in field_table().records for number in place.ids)


def test_fields_that_aliases_are_made_of_exist() -> None:
    for places in log_sources().categories.values():
        for place in places:
            sources = log_sources().aliases.get(place.aliases, {}).values()
            for number in place.ids:
                listed = field_table().records.get((place.channel.lower(), number))
                if listed is not None:
                    assert {name for source in sources for name in source.fields} <= {*listed, *field_table().system}


def test_records_of_real_logs_have_only_listed_fields(shared: Path) -> None:
    table, carried = field_table(), carried_fields([str(shared / "data" / part) for part in ("evtx", "otrf")])[0]
    common = {name.lower() for name in (*table.system, *HASH_NAMES.values(), *OF_SHIPPERS)}
    missing = {key: {name.lower() for name in names} - common - {name.lower() for name in table.records[key]}
               for key, names in carried.items() if key in table.records}
    assert {key: names for key, names in missing.items() if names} == {}
    assert len(missing) > 60, "the logs should cover most of the table"
