from __future__ import annotations

import builders as b
from incident.stories import MSHTA, POWERSHELL, Story, lumma


def test_the_tree_goes_up_to_the_cut_and_children_follow_parents() -> None:
    nodes = lumma().incident().processes
    assert [node.image.rpartition("\\")[2] for node in nodes] == [
        "explorer.exe",
        "mshta.exe",
        "powershell.exe",
        "RegAsm.exe",
    ]
    assert [node.parent for node in nodes] == [None, 0, 1, 2]
    assert nodes[1].link == "child; started by a typed or pasted command"
    assert nodes[3].link == "child; injected by powershell.exe (5004)"
    assert {node.user for node in nodes} == {b.ANNA.name}


def test_every_alert_of_a_process_is_on_its_node() -> None:
    incident = lumma().incident()
    on_nodes = [alert_id for node in incident.processes for alert_id in node.alert_ids]
    assert sorted(on_nodes) == sorted(incident.alert_ids)


def test_harmless_ancestors_are_shown_and_harmless_siblings_are_not() -> None:
    shell = b.explorer()
    middle = b.process("C:\\Windows\\System32\\cmd.exe", 300, 1, shell)
    bad, good = b.process(MSHTA, 400, 2, middle), b.process(POWERSHELL, 500, 3, middle)
    above = b.process("C:\\Windows\\System32\\userinit.exe", 200, -9000)
    story = Story()
    story.log(
        b.process_start(middle),
        b.process_start(good),
        b.process_start(b.process(shell.image, shell.pid, shell.seconds, above)),
    )
    story.alert(b.process_start(bad), "X", "Bad")
    assert [node.pid for node in story.incident().processes] == [shell.pid, 300, 400]


def test_two_incidents_under_one_explorer_each_show_it_with_their_own_alerts() -> None:
    story = lumma().extend(lumma(pid=5000 + 97, later=9000))
    one, two = story.incidents()
    assert one.processes[0].pid == two.processes[0].pid
    assert set(one.processes[0].alert_ids).isdisjoint(two.processes[0].alert_ids)


def test_a_process_that_only_user_and_time_connect_says_so() -> None:
    broker = b.process("C:\\Windows\\System32\\wbem\\WmiPrvSE.exe", 300, -9000, user=b.SYSTEM)
    asked = b.process("C:\\Users\\anna\\AppData\\Local\\Temp\\a.exe", 500, 30, broker, user=b.ANNA)
    story = lumma()
    story.alert(b.process_start(asked), "X", "Started by WMI")
    links = {node.pid: node.link for node in story.incident().processes}
    assert links[500] == "child; linked only by user and time"
    assert "only" not in links[5000]
