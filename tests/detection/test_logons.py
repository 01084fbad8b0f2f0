"""Users and logon ids of the Security log, as Sysmon writes them: by hand, and on starts that both logs recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from douse.detection.logons import account, logon
from douse.detection.logsource import alias_table
from douse.hunt.plan import make
from douse.model import Event
from douse.telemetry import Limits, Tally, Wanted, read_path

SYSMON = "microsoft-windows-sysmon/operational"


@pytest.mark.parametrize(("texts", "user", "logon_id"), [
    (["0x5", "CORP", "anna", "0x3e7", "CORP", "WS$"], r"CORP\anna", "0x5"),
    (["0x0", "-", "-", "0x5", "CORP", "anna"], r"CORP\anna", "0x5"),
    (["0x0000000000000000", "-", "-", "0x3e7", "CORP", "WS$"], r"NT AUTHORITY\SYSTEM", "0x3e7"),
    (["", "", "", "0x3E5", "CORP", "WS$"], r"NT AUTHORITY\LOCAL SERVICE", "0x3E5"),
    (["0x3e4", "CORP", "WS$"], r"NT AUTHORITY\NETWORK SERVICE", "0x3e4"),
    (["-", "", "anna"], "anna", "-"),
    (["nonsense", "-", "-"], "-", "nonsense"),
])
def test_an_account_and_its_logon(texts: list[str], user: str, logon_id: str) -> None:
    assert account(texts) == user
    assert logon(texts[::3]) == logon_id


def twins(shared: Path) -> Iterator[tuple[Event, Event]]:
    """Process starts of the shared logs that Sysmon 1 and Security 4688 both have: same host, pid and image."""
    wanted = Wanted(frozenset({(SYSMON, 1), ("security", 4688)}))
    for unit in make((str(shared / "data" / "otrf"),)).units:
        sysmon: dict[tuple[str, str, str], Event] = {}
        security: list[Event] = []
        for event in read_path(Path(unit.path), wanted, Tally(), Limits(), named=False):
            if event.event_id == 4688:
                security.append(event)
            else:
                sysmon[event.host.lower(), event.text("ProcessId"), event.text("Image").lower()] = event
        for event in security:
            key = event.host.lower(), str(int(event.text("NewProcessId"), 0)), event.text("NewProcessName").lower()
            if key in sysmon:
                yield sysmon[key], event


def test_both_logs_name_the_same_user_integrity_and_parent_of_a_process(shared: Path) -> None:
    aliases = alias_table("process_creation_4688")
    pairs = list(twins(shared))
    assert len(pairs) > 50
    for sysmon, security in pairs:
        for name in ("User", "LogonId", "IntegrityLevel", "ParentImage", "ParentProcessId", "CommandLine"):
            alias = aliases.get(name.lower())
            value = security.get(name) if alias is None else alias.value(security)
            expected = sysmon.text(name).replace("AppContainer", "Low")  # a 4688 does not tell the two apart
            assert str(value).lower() == expected.lower(), name
