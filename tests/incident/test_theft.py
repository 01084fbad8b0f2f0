"""When an access and a connection are a theft, and when ordinary software does the same (S4 and S5)."""

from __future__ import annotations

import pytest

import builders as b
from incident.stories import CHROME_STORE, FIREFOX_STORE, MSHTA, SERVER, Story, ids

SHELL = b.explorer()
SERVICES = b.process("C:\\Windows\\System32\\services.exe", 700, -9000, user=b.SYSTEM)
KEEPASS = b.process("C:\\Users\\anna\\Downloads\\KeePass-2.57\\KeePass.exe", 500, 0, SHELL)
VAULT_FILE = "C:\\Users\\anna\\Documents\\pw.kdbx"


def read_and_connect(store: str = "pwmgr", path: str = VAULT_FILE) -> Story:
    story = Story()
    story.log(b.process_start(KEEPASS), b.connection(KEEPASS, 30, SERVER))
    story.read(KEEPASS, 10, path, store)
    return story


def level(story: Story) -> str:
    return story.incident().level


def test_a_portable_password_manager_is_no_critical_incident() -> None:
    incident = read_and_connect().incident()
    assert (incident.level, ids(incident)) == ("high", {"S5"})
    assert incident.title.startswith("Possible theft of credentials")


def test_a_second_kind_of_store_makes_it_a_theft() -> None:
    story = read_and_connect()
    story.read(KEEPASS, 200, CHROME_STORE, "chromium")
    assert level(story) == "high", "it came after the connection"
    story.log(b.connection(KEEPASS, 210, SERVER, 8443))
    assert level(story) == "critical"


@pytest.mark.parametrize(("letter", "strength", "fidelity", "expected"), [
    ("E", "medium", 1.0, "critical"), ("D", "medium", 0.7, "critical"), ("R", "high", 1.0, "critical"),
    ("X", "low", 1.0, "high"), ("E", "medium", 0.4, "high"), ("P", "medium", 1.0, "high"),
])
def test_reliable_evidence_beside_it_makes_it_a_theft(letter: str, strength: str, fidelity: float,
                                                      expected: str) -> None:
    story = read_and_connect()
    story.alert(b.registry_set(KEEPASS, 5, f"{b.ANNA.sid}\\Software\\x", "y"), letter, "Beside it", strength,
                fidelity=fidelity)
    assert level(story) == expected


def test_what_precedes_counts_as_well_as_what_follows() -> None:
    story = read_and_connect()
    story.alert(b.registry_set(KEEPASS, 400, f"{b.ANNA.sid}\\Software\\x", "y"), "E", "Afterwards")
    assert level(story) == "critical"


def test_the_vault_alone_is_never_critical() -> None:
    story = read_and_connect("vault", "C:\\Users\\anna\\AppData\\Local\\Microsoft\\Vault\\a.vcrd")
    assert level(story) == "high"
    story.alert(b.process_start(b.process(MSHTA, 510, 5, KEEPASS)), "X", "Mshta")
    incident = story.incident()
    assert {h.sequence_id: h.level for h in incident.sequences} == {"S5": "high"}
    assert "ordinary programs ask the Windows vault too" in incident.sequences[0].reason
    assert incident.level == "high"


@pytest.mark.parametrize(("image", "parent", "user", "expected"), [
    ("C:\\Program Files\\Other Antivirus\\scan.exe", SERVICES, b.SYSTEM, set()),
    ("C:\\Program Files\\Other Antivirus\\scan.exe", SHELL, b.ANNA, {"S4"}),
    ("C:\\ProgramData\\scan.exe", SERVICES, b.SYSTEM, {"S4"}),
])
def test_an_unlisted_antivirus_service_that_scans_all_stores_is_no_theft(
        image: str, parent: b.Process, user: b.User, expected: set[str]) -> None:
    scan = b.process(image, 600, 0, parent, user=user)
    story = Story()
    story.log(b.process_start(scan))
    story.read(scan, 1, CHROME_STORE, "chromium")
    story.read(scan, 2, FIREFOX_STORE, "gecko")
    assert ids(story.incident()) == expected
    story.alert(b.process_start(b.process(MSHTA, 610, 3, scan)), "X", "Mshta started by it")
    assert "S4" in ids(story.incident())
