"""The audit policy's files and the SACL scripts: by GUID, in auditpol's own columns, and only for what is asked."""

from __future__ import annotations

import csv
import io
import re
from functools import cache

from douse.content.settings import AuditSetting
from douse.harden.generate import auditpol, powershell
from douse.harden.generate.powershell import embedded
from douse.harden.generate.sacl import EVERYONE
from douse.harden.stores_folders import profile_store_folders
from harden.generate.policies import policy
from harden.generate.ps_tree import Script


@cache
def made(*controls: str, mode: str = "audit") -> dict[str, bytes]:
    return {file.path.name: file.data for file in auditpol.files(policy(*controls, mode=mode))}


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("ascii"), newline="")))


def test_the_columns_are_those_that_auditpol_writes() -> None:
    first = made("H41", "H43", "H44")["audit.csv"].split(b"\r\n")[0]
    assert first == (b"Machine Name,Policy Target,Subcategory,Subcategory GUID,Inclusion Setting,Exclusion Setting,"
                     b"Setting Value")


def test_each_subcategory_once_by_guid() -> None:
    found = rows(made("H41", "H43", "H44")["audit.csv"])
    asked = {change.setting.guid for change in policy("H41", "H43", "H44").of(AuditSetting)}
    assert [row["Subcategory GUID"] for row in found] == [f"{{{row['Subcategory GUID'][1:-1]}}}" for row in found]
    assert sorted(row["Subcategory GUID"][1:-1] for row in found) == sorted(asked)
    assert len(found) == 4
    for row in found:
        assert row["Policy Target"] == "System"
        assert row["Inclusion Setting"] == auditpol.WORDS[int(row["Setting Value"])]


def test_connections_are_audited_while_the_rule_waits() -> None:
    [row] = rows(made("H01")["audit.csv"])
    assert (row["Subcategory GUID"], row["Setting Value"]) == ("{0CCE9226-69AE-11D9-BED3-505054503030}", "3")
    assert "audit.csv" not in made("H01", mode="enforce")


def test_its_scripts_touch_nothing_else() -> None:
    data = embedded(made("H41", "H43", "H44")["apply.ps1"])
    assert data == embedded(made("H41", "H43", "H44")["undo.ps1"])
    assert [data[word] for word in ("registry", "firewall", "services", "features", "applocker")] == [[]] * 5
    assert [entry["channel"] for entry in data["channels"]] == [
        "Microsoft-Windows-Crypto-DPAPI/Debug", "Microsoft-Windows-TaskScheduler/Operational"]
    assert all(re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", entry["guid"]) for entry in data["audit"])


def test_no_script_names_a_subcategory_to_auditpol() -> None:
    """Names are translated; only GUIDs work on every Windows."""
    for name, data in made("H41", "H43", "H44").items():
        script = Script(data) if name.endswith(".ps1") else None
        for one in script.commands() if script else ():
            if one.name == "auditpol.exe":
                assert one.words[0] in ("'/backup'", "'/set'")
                assert len(one.words) <= 2


def test_sacl_scripts_name_the_stores_and_everyone() -> None:
    for name in ("set-sacl.ps1", "undo-sacl.ps1"):
        data = embedded(made("H43")[name])
        assert data["sid"] == EVERYONE == "S-1-1-0"
        assert tuple(data["folders"]) == profile_store_folders()
    assert "set-sacl.ps1" not in made("H41")
    both = {file.path.name: file.data for file in powershell.files(policy("H43"))}
    assert both["set-sacl.ps1"] == made("H43")["set-sacl.ps1"]


def test_sacl_adds_and_removes_the_same_entry() -> None:
    make = [re.search(r"function New-AuditEntry \{.*?\n\}", made("H43")[name].decode(), re.DOTALL)
            for name in ("set-sacl.ps1", "undo-sacl.ps1")]
    assert make[0] is not None
    assert make[1] is not None
    assert make[0][0] == make[1][0]
    for word in ("FileSystemRights]::ReadData", "'ContainerInherit, ObjectInherit'", "PropagationFlags]::None",
                 "AuditFlags]::Success"):
        assert word in make[0][0]


def test_the_same_policy_makes_the_same_bytes() -> None:
    again = {file.path.name: file.data for file in auditpol.files(policy("H43", mode="audit"))}
    assert again == made("H43")
    assert all(data.isascii() and b"\n" not in data.replace(b"\r\n", b"") for data in again.values())
