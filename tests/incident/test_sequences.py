"""S1 to S7: each at its window's edges, and with the step that makes it missing."""

from __future__ import annotations

import pytest

import builders as b
from incident.stories import (
    CHROME_STORE,
    EXODUS_STORE,
    FIREFOX_STORE,
    LURE,
    MSHTA,
    OPERA_STORE,
    POWERSHELL,
    REGASM,
    SERVER,
    Story,
    ids,
    lumma,
)

SHELL = b.explorer()
STRANGER = "C:\\Users\\anna\\AppData\\Roaming\\x\\x.exe"


def found(story: Story) -> set[str]:
    return {name for incident in story.incidents() for name in ids(incident)}


def test_the_table_is_in_order_and_has_windows_that_the_chain_meets() -> None:
    incident = lumma().incident()
    assert [hit.sequence_id for hit in incident.sequences] == ["S1", "S2", "S3", "S4", "S5", "S6"]
    for hit in incident.sequences:
        assert hit.first_seen <= hit.last_seen
        assert set(hit.alert_ids) <= set(incident.alert_ids)
        assert hit.alert_ids
        assert hit.reason


def pasted(child_image: str = MSHTA, role: str = "paste-child", letter: str = "X") -> Story:
    story = Story()
    child = b.process(child_image, 500, 100.2, SHELL)
    story.alert(b.run_dialog(SHELL, 100, f"{child_image} http://x"), "X", "Typed", role="run-dialog")
    story.alert(b.process_start(child), letter, "Started", role=role)
    return story


def test_s1_needs_a_launcher_or_a_rule_that_knows_the_child() -> None:
    assert found(pasted()) == {"S1"}
    assert found(pasted(role="")) == {"S1"}, "mshta is a launcher"
    assert found(pasted("C:\\Windows\\System32\\notepad.exe")) == {"S1"}, "a rule says so"
    assert found(pasted("C:\\Windows\\System32\\notepad.exe", role="")) == set()


def test_s1_needs_no_alert_on_the_child() -> None:
    story = Story()
    story.log(b.process_start(b.process(MSHTA, 500, 100.2, SHELL)))
    story.alert(b.run_dialog(SHELL, 100, LURE), "X", "Typed", role="run-dialog")
    assert found(story) == {"S1"}


@pytest.mark.parametrize(("seconds", "expected"), [(119, {"S1", "S2"}), (125, {"S1"})])
def test_s2_takes_any_connection_of_a_pasted_commands_tree_within_two_minutes(
    seconds: float, expected: set[str]
) -> None:
    story = pasted()
    curl = b.process("C:\\Windows\\System32\\curl.exe", 600, 101, b.process(MSHTA, 500, 100.2, SHELL))
    story.log(b.process_start(curl), b.connection(curl, 100.2 + seconds, SERVER))
    assert found(story) == expected


@pytest.mark.parametrize(
    ("x_level", "r_level", "fidelity", "letter", "expected"),
    [
        ("high", "medium", 1.0, "R", {"S2"}),
        ("low", "medium", 1.0, "R", set()),
        ("high", "low", 1.0, "R", set()),
        ("high", "medium", 0.4, "R", set()),
        ("high", "medium", 1.0, "E", set()),
    ],
)
def test_s2_without_a_paste_needs_two_alerts_that_do_not_guess(
    x_level: str, r_level: str, fidelity: float, letter: str, expected: set[str]
) -> None:
    story = Story()
    mshta = b.process(MSHTA, 500, 100, SHELL)
    story.alert(b.process_start(mshta), "X", "Mshta with a URL", x_level, fidelity=fidelity)
    story.alert(b.connection(mshta, 101, SERVER), letter, "Mshta connected", r_level, fidelity=fidelity)
    assert found(story) == expected


@pytest.mark.parametrize(
    ("first", "injected", "used", "expected"),
    [(0, 10, 890, {"S3"}), (0, 10, 910, set()), (20, 10, 30, set()), (0, 10, 5, set())],
)
def test_s3_is_execution_then_injection_then_network_in_a_quarter_of_an_hour(
    first: float, injected: float, used: float, expected: set[str]
) -> None:
    power, host = b.process(POWERSHELL, 400, first, SHELL), b.process(REGASM, 500, -50, SHELL)
    story = Story()
    story.alert(b.process_start(power), "X", "Script")
    story.alert(b.injection(power, host, injected), "I", "Injected")
    story.log(b.connection(host, used, SERVER))
    assert found(story) == expected


def test_s3_is_about_the_injected_process() -> None:
    power, host = b.process(POWERSHELL, 400, 0, SHELL), b.process(REGASM, 500, -50, SHELL)
    story = Story()
    story.alert(b.process_start(power), "X", "Script")
    story.alert(b.injection(power, host, 10), "I", "Injected")
    story.log(b.connection(power, 20, SERVER))
    assert found(story) == set()


def reads(*accesses: tuple[float, str, str], by: b.Process | None = None) -> Story:
    story = Story()
    for seconds, path, store in accesses:
        story.read(by or b.process(STRANGER, 500, 0, SHELL), seconds, path, store)
    return story


@pytest.mark.parametrize(
    ("accesses", "expected"),
    [
        ([(0, CHROME_STORE, "chromium"), (59, FIREFOX_STORE, "gecko")], {"S4"}),
        ([(0, CHROME_STORE, "chromium"), (61, FIREFOX_STORE, "gecko")], set()),
        ([(0, CHROME_STORE, "chromium"), (1, OPERA_STORE, "chromium")], set()),
        ([(0, CHROME_STORE, ""), (1, FIREFOX_STORE, "gecko")], set()),
    ],
)
def test_s4_is_two_kinds_of_store_by_one_process_in_a_minute(
    accesses: list[tuple[float, str, str]], expected: set[str]
) -> None:
    assert found(reads(*accesses)) == expected


def test_s4_needs_one_process() -> None:
    parent = b.process(POWERSHELL, 400, 0, SHELL)
    story = Story()
    for pid, path, store in ((500, CHROME_STORE, "chromium"), (600, FIREFOX_STORE, "gecko")):
        child = b.process(STRANGER, pid, 1, parent)
        story.log(b.process_start(child))
        story.read(child, 10, path, store)
    assert "S4" not in ids(story.incident())


def test_s5_is_reads_and_an_outbound_connection() -> None:
    thief = b.process(STRANGER, 500, 0, SHELL)
    story = reads((100, CHROME_STORE, "chromium"), by=thief)
    story.log(b.connection(thief, 130, SERVER))
    incident = story.incident()
    assert ids(incident) == {"S5"}
    assert (incident.level, incident.sequences[0].bonus) == ("high", 0), "a portable program reads its own file so"
    assert "bytes unknown" in incident.sequences[0].reason
    assert "nothing else speaks against the program" in incident.sequences[0].reason
    assert not incident.title.startswith("Infostealer incident")


@pytest.mark.parametrize(("fidelity", "is_theft"), [(1.0, True), (0.7, True), (0.4, False)])
def test_a_rule_that_guesses_proves_no_theft(fidelity: float, is_theft: bool) -> None:
    thief = b.process(STRANGER, 500, 0, SHELL)
    story = Story()
    story.read(thief, 100, CHROME_STORE, "chromium", fidelity)
    story.log(b.connection(thief, 130, SERVER))
    assert ("S5" in ids(story.incident())) == is_theft


@pytest.mark.parametrize(
    ("level", "seconds", "image", "store", "expected"),
    [
        ("medium", 1799, STRANGER, "chromium", {"S6"}),
        ("medium", 1810, STRANGER, "chromium", set()),
        ("medium", -10, STRANGER, "chromium", set()),
        ("low", 60, STRANGER, "chromium", set()),
        ("medium", 60, REGASM, "chromium", set()),
        ("medium", 60, STRANGER, "vault", set()),
    ],
)
def test_s6_is_intrusion_then_one_store_by_a_program_in_a_users_folder(
    level: str, seconds: float, image: str, store: str, expected: set[str]
) -> None:
    power = b.process(POWERSHELL, 400, 0, SHELL)
    thief = b.process(image, 500, -20, power)
    story = Story()
    story.log(b.process_start(thief))
    story.alert(b.process_start(power), "X", "Script", level)
    story.read(thief, seconds, CHROME_STORE, store)
    assert found(story) == expected


def test_s6_takes_two_kinds_of_store_from_any_folder() -> None:
    power = b.process(POWERSHELL, 400, 0, SHELL)
    thief = b.process(REGASM, 500, 5, power)
    story = Story()
    story.log(b.process_start(thief))
    story.alert(b.process_start(power), "X", "Script")
    story.read(thief, 10, CHROME_STORE, "chromium")
    assert ids(story.incident()) == set()
    story.read(thief, 900, EXODUS_STORE, "wallet")
    assert ids(story.incident()) == {"S6"}


def test_s7_needs_every_step_in_order_and_blindness() -> None:
    story = lumma(audit=False)
    assert "S7" in ids(story.incident())
    backup = b.process("C:\\Program Files\\Backup\\x.exe", 9, 0)
    story.log(b.store_read(backup, 0, "C:\\Users\\anna\\Documents\\other.txt"))
    assert "S7" in ids(story.incident()), "some files are audited here, but no credential store"
    story.log(b.store_read(backup, 0, CHROME_STORE))
    assert "S7" not in ids(story.incident()), "stores are audited here, so their absence says something"


@pytest.mark.parametrize("without", ["D", "X", "I", "R", "sent"])
def test_s7_without_a_step(without: str) -> None:
    story = lumma(audit=False)
    if without == "sent":
        events = [e for e in story.events if e.get("DestinationIp") != SERVER]
        story = Story(events, [a for a in story.alerts if a.fields.get("DestinationIp") != SERVER])
    else:
        gone = {"I": "IE"}.get(without, without)
        story.alerts = [a for a in story.alerts if a.evidence_class not in gone]
    assert ("S7" in found(story)) is (without == "D")


def test_bonuses_are_paid_once_per_kind() -> None:
    bonuses = {hit.sequence_id: hit.bonus for hit in lumma().incident().sequences}
    assert bonuses == {"S1": 0, "S2": 10, "S3": 0, "S4": 0, "S5": 25, "S6": 0}


def test_s2_counts_from_the_launch_because_the_registry_entry_may_come_after_the_connection() -> None:
    child = b.process(MSHTA, 500, 88, SHELL)
    story = Story()
    story.log(b.process_start(child), b.connection(child, 89, SERVER))
    story.alert(b.run_dialog(SHELL, 100, LURE), "X", "Typed", role="run-dialog")
    assert found(story) == {"S1", "S2"}


SERVICES = b.process("C:\\Windows\\System32\\services.exe", 700, -9000, user=b.SYSTEM)
BACKUP = "C:\\Program Files\\Foo Backup\\agent.exe"


@pytest.mark.parametrize(
    ("image", "parent", "user", "is_theft"),
    [
        (BACKUP, SERVICES, b.SYSTEM, False),
        (BACKUP, SERVICES, b.ANNA, True),
        (BACKUP, SHELL, b.SYSTEM, True),
        ("C:\\Windows\\System32\\dllhost.exe", SERVICES, b.SYSTEM, True),
        ("C:\\ProgramData\\x\\agent.exe", SERVICES, b.SYSTEM, True),
    ],
)
def test_s5_needs_more_against_an_installed_service(
    image: str, parent: b.Process, user: b.User, is_theft: bool
) -> None:
    story = Story()
    agent = b.process(image, 600, 0, parent, user=user)
    story.log(b.process_start(agent), b.connection(agent, 9, SERVER))
    story.read(agent, 5, CHROME_STORE, "chromium")
    incident = story.incident()
    assert ("S5" in ids(incident)) == is_theft
    assert [c.evidence_class for c in incident.classes] == ["C", "O"]  # what it did counts all the same
    story.alert(b.process_start(b.process(MSHTA, 800, 1, agent)), "X", "Mshta started by it")
    assert "S5" in ids(story.incident())
