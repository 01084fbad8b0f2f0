from __future__ import annotations

import builders as b
from builders import HOST, at
from douse.incident.entities import Actor
from douse.incident.processes import ProcessTable

SHELL = b.explorer()
IMAGE = "C:\\Users\\anna\\a.exe"


def table_of(*events) -> ProcessTable:
    return ProcessTable(b.facts_of(events).host(HOST))


def names(table: ProcessTable) -> list[str]:
    return [process.name for process in table.processes]


def test_sysmon_and_security_tell_of_one_process() -> None:
    ran = b.process(IMAGE, 500, 10, SHELL)
    for events in (
        [b.process_start(ran), b.process_start(ran, "security", 0.8)],
        [b.process_start(ran, "sysmon", 0.8), b.process_start(ran, "security")],
    ):
        table = table_of(*events)
        assert sorted(names(table)) == ["a.exe (500)", "explorer.exe (4120)"]
        found = table[table.find(Actor(pid=500), at(11)) or 0]
        assert found.guid
        assert (found.user_sid, found.user_name) == (b.ANNA.sid, b.ANNA.name)
        assert found.parent is not None
        assert table[found.parent].image == SHELL.image


def test_two_quick_starts_of_one_pid_are_two_processes() -> None:
    first, second = b.process(IMAGE, 500, 10, SHELL), b.process(IMAGE, 500, 13, SHELL)
    for shape in ("sysmon", "security"):
        assert names(table_of(b.process_start(first, shape), b.process_start(second, shape))).count("a.exe (500)") == 2


def test_a_reused_pid_means_whoever_lived_then() -> None:
    old, new = b.process(IMAGE, 500, 10, SHELL), b.process("C:\\Windows\\notepad.exe", 500, 100, SHELL)
    table = table_of(
        b.process_start(old, "security"), b.process_end(old, 50, "security"), b.process_start(new, "security")
    )

    def image_at(seconds: float, image: str = "") -> str:
        found = table.find(Actor(pid=500, image=image), at(seconds))
        return "" if found is None else table[found].image

    assert image_at(20) == image_at(51) == IMAGE
    assert image_at(70) == ""
    assert image_at(120) == image_at(99) == new.image
    assert image_at(120, IMAGE) == ""
    assert image_at(5) == ""


def test_a_start_ends_the_life_of_the_pid_even_without_an_end() -> None:
    old, new = b.process(IMAGE, 500, 10, SHELL), b.process(IMAGE, 500, 100, SHELL)
    table = table_of(b.process_start(old, "security"), b.process_start(new, "security"))
    first, second = (table.find(Actor(pid=500), at(seconds)) for seconds in (50, 150))
    assert first != second
    assert table[first or 0].until == at(100)


def test_device_paths_and_bare_names_are_the_same_image() -> None:
    table = table_of(b.process_start(b.process(IMAGE, 500, 10, SHELL)))
    for image in ("\\device\\harddiskvolume3\\users\\anna\\A.EXE", "a.exe", ""):
        assert table.find(Actor(pid=500, image=image), at(20)) is not None


def test_a_process_whose_start_was_not_logged_is_one_by_guid_pid_and_image() -> None:
    table = table_of()
    by_pid = table.place(Actor(pid=500, image=IMAGE), at(0))
    by_guid = table.place(Actor(guid="g1", pid=500, image=IMAGE), at(1))
    assert by_pid == by_guid == table.find(Actor(guid="g1"), at(99)) == table.find(Actor(pid=500), at(2))
    assert table.place(Actor(guid="g2", pid=500, image=IMAGE), at(3)) != by_pid
    assert table.place(Actor(pid=500, image="C:\\b.exe"), at(3)) != by_pid
    assert table.place(Actor(pid=500, image=IMAGE), at(3 * 24 * 3600)) != by_pid
    assert table.place(Actor(image=IMAGE), at(0)) is None


def test_an_unseen_process_is_not_the_one_started_later_with_its_pid() -> None:
    table = table_of(b.process_start(b.process(IMAGE, 500, 100, SHELL), "security"))
    before = table.place(Actor(pid=500, image=IMAGE), at(50))
    assert before is not None
    assert table[before].started is None
    assert table.place(Actor(pid=500, image=IMAGE), at(120)) != before


def test_a_guid_is_learnt_by_a_process_known_from_4688() -> None:
    table = table_of(b.process_start(b.process(IMAGE, 500, 10, SHELL), "security"))
    found = table.place(Actor(guid="g1", pid=500, image=IMAGE), at(20))
    assert found is not None
    assert table[found].started == at(10)
    assert table.find(Actor(guid="g1"), at(9999)) == found


def test_siblings_share_a_parent_whose_start_was_not_logged() -> None:
    parent = b.process("C:\\Windows\\System32\\cmd.exe", 300, -50)
    for shape in ("sysmon", "security"):
        table = table_of(*(b.process_start(b.process(IMAGE, pid, pid, parent), shape) for pid in (500, 600)))
        parents = {process.parent for process in table.processes if process.started}
        assert len(parents) == 1
        assert None not in parents


def test_forged_parents_make_no_circle() -> None:
    one = b.event(
        b.SYSMON,
        1,
        1,
        {"ProcessGuid": "{1-1}", "ProcessId": "1", "Image": "a", "ParentProcessGuid": "{1-2}", "ParentProcessId": "2"},
    )
    two = b.event(
        b.SYSMON,
        1,
        2,
        {"ProcessGuid": "{1-2}", "ProcessId": "2", "Image": "b", "ParentProcessGuid": "{1-1}", "ParentProcessId": "1"},
    )
    own = b.event(
        b.SYSMON,
        1,
        3,
        {"ProcessGuid": "{1-3}", "ProcessId": "3", "Image": "c", "ParentProcessGuid": "{1-3}", "ParentProcessId": "3"},
    )
    for process in table_of(one, two, own).processes:
        steps, at_process = 0, process
        while at_process.parent is not None:
            at_process, steps = table_of(one, two, own)[at_process.parent], steps + 1
            assert steps < 5


def test_a_pid_used_again_and_again_means_its_latest_holder() -> None:
    names = [f"C:\\Users\\a{number}.exe" for number in range(40)]
    table = table_of(*(b.process_start(b.process(name, 500, n * 0.01, SHELL)) for n, name in enumerate(names)))
    found = table.find(Actor(pid=500), at(1))
    assert found is not None
    assert table[found].image == names[-1]
    unseen = table_of()
    placed = [unseen.place(Actor(pid=500, image=name), at(n)) for n, name in enumerate(names)]
    assert len(set(placed)) == 40
    assert unseen.place(Actor(pid=500, image=names[-1]), at(41)) == placed[-1]
