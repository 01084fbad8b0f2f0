"""Joins by user and time only: COM/WMI children, and alerts that belong to no process that could join them."""

from __future__ import annotations

import pytest

import builders as b
from incident.stories import CHROME_STORE, MSHTA, POWERSHELL, REGASM, Story, letters, lumma

TEMP = "C:\\Users\\anna\\AppData\\Local\\Temp\\"
WMI = "C:\\Windows\\System32\\wbem\\WmiPrvSE.exe"


def by_wmi(seconds: float, user: b.User = b.ANNA) -> Story:
    """PowerShell at second 0 asks WMI to start something, which reads a store much later."""
    story = Story()
    power = b.process(POWERSHELL, 400, 0, b.explorer())
    story.alert(b.process_start(power, "security"), "X", "PowerShell")
    asked = b.process(TEMP + "a.exe", 500, seconds, b.process(WMI, 300, -9000, user=b.SYSTEM), user=user)
    story.log(b.process_start(asked, "security"))
    story.read(asked, 5000, CHROME_STORE, "chromium")
    return story


def test_a_wmi_child_joins_the_group_of_its_user_in_the_minute_before() -> None:
    incident = by_wmi(30).incident()
    points = {score.evidence_class: score.points for score in incident.classes}
    assert points == {"X": 7.5, "C": 25}
    assert "halved for a weak link" in incident.classes[0].reason


@pytest.mark.parametrize(
    "story",
    [by_wmi(90), by_wmi(-30), by_wmi(30, b.BEN), by_wmi(30, b.SYSTEM)],
    ids=["too late", "before it", "another user", "Windows itself"],
)
def test_a_wmi_child_of_another_time_or_user_stays_alone(story: Story) -> None:
    assert len(story.incidents()) == 2


def task_alert(seconds: float, user: b.User = b.ANNA, logon: int = 0) -> b.Event:
    domain, _, name = user.name.partition("\\")
    return b.event(
        b.SECURITY,
        4698,
        seconds,
        {
            "SubjectUserSid": user.sid,
            "SubjectUserName": name,
            "SubjectDomainName": domain,
            "SubjectLogonId": hex(logon),
            "TaskName": "\\upd",
            "TaskContent": "<Task/>",
        },
    )


@pytest.mark.parametrize("seconds", [-1500, 1500])
def test_an_alert_without_process_joins_its_user_within_half_an_hour(seconds: float) -> None:
    story = lumma()
    story.alert(task_alert(seconds), "P", "Task")
    incident = story.incident()
    assert {score.evidence_class: score.points for score in incident.classes}["P"] == 2.5


@pytest.mark.parametrize(("seconds", "user"), [(1900, b.ANNA), (60, b.BEN), (60, b.SYSTEM)])
def test_an_alert_without_process_of_another_time_or_user_stays_alone(seconds: float, user: b.User) -> None:
    story = lumma()
    story.alert(task_alert(seconds, user), "P", "Task")
    assert [letters(i) for i in story.incidents()] == ["XEICRO", "P"]


def test_a_logon_session_joins_before_a_user_does() -> None:
    story = Story()
    for pid, logon in ((400, 0x111), (500, 0x222)):
        user = b.User(b.ANNA.name, b.ANNA.sid, logon)
        ran = b.process(POWERSHELL, pid, pid, b.explorer(pid + 1, user))
        story.alert(b.process_start(ran, "security"), "X", f"Session {logon:x}")
    story.alert(task_alert(501, logon=0x111), "P", "Task")
    joined = next(i for i in story.incidents() if len(i.alert_ids) == 2)
    assert [step.title for step in joined.steps] == ["Session 111", "Task"]


def test_what_explorer_did_is_only_weakly_the_users_incident() -> None:
    story = lumma()
    story.alert(
        b.event(
            b.SECURITY,
            5379,
            -40,
            {
                "ClientProcessId": str(b.explorer(4120 + 5000 % 97).pid),
                "SubjectUserSid": b.ANNA.sid,
                "SubjectUserName": "anna",
                "SubjectDomainName": "CORP",
                "TargetName": "ZipFolder",
            },
        ),
        "D",
        "Zip",
    )
    incident = story.incident()
    assert incident.steps[0].title == "Zip"
    assert incident.classes[0].points == 2.5


def test_loose_alerts_join_each_other_but_never_two_groups() -> None:
    story = Story()
    for minutes in (0, 25, 50):
        story.alert(task_alert(minutes * 60), "P", f"Task {minutes}")
    assert len(story.incident().alert_ids) == 3
    for pid, seconds in ((400, -1700), (500, 4700)):
        story.alert(b.process_start(b.process(REGASM, pid, seconds, b.explorer()), "security"), "I", f"Run {pid}")
    assert len(story.incidents()) == 2


def test_a_weak_link_never_takes_points_from_strong_evidence() -> None:
    alone = lumma().incident()
    story = lumma()
    story.alert(
        b.process_start(b.process(MSHTA, 9000, -20, b.process(WMI, 300, -9000, user=b.SYSTEM), user=b.ANNA)),
        "X",
        "Earlier, weaker",
        fidelity=0.4,
    )
    story.alert(task_alert(-30), "P", "Task")
    assert max(incident.score for incident in story.incidents()) >= alone.score
