from __future__ import annotations

import pytest

import builders as b
from incident.stories import CHROME_STORE, MSHTA, REGASM, Story, lumma

RAN = b.process(REGASM, 500, 0, b.explorer(), "RegAsm.exe")


def test_the_story_is_in_time_order_and_proves_every_step() -> None:
    incident = lumma().incident()
    assert [step.title for step in incident.steps[:2]] == [
        "Command Pasted Into the Run Dialog",
        "Pasted Command Started by Explorer",
    ]
    assert list(incident.steps[1:]) == sorted(incident.steps[1:], key=lambda step: step.time)
    assert all(step.alert_ids or step.evidence for step in incident.steps)
    proven = [alert_id for step in incident.steps for alert_id in step.alert_ids]
    assert sorted(proven) == sorted(incident.alert_ids)


def test_reads_of_one_kind_are_one_step_that_names_the_products() -> None:
    steps = [step for step in lumma().incident().steps if step.evidence_class == "C"]
    assert [len(step.alert_ids) for step in steps] == [2, 1, 1]
    assert steps[0].detail == "Chrome: Login Data; Opera: Login Data"
    assert [step.process for step in steps] == ["RegAsm.exe (5008)"] * 3


def test_more_files_of_one_product_are_named_only() -> None:
    story = Story()
    for number, name in enumerate(("Login Data", "Network\\Cookies", "Web Data")):
        story.read(RAN, number, CHROME_STORE.replace("Login Data", name), "chromium")
    (step,) = story.incident().steps
    assert step.detail == "Chrome: Login Data, Cookies, Web Data"


@pytest.mark.parametrize(
    ("path", "store", "name"),
    [
        ("C:\\Users\\a\\Local Extension Settings\\nkbihfbeogaeaoehlefnkodbefgpgknn\\3.log", "wallet", "MetaMask: "),
        ("C:\\Users\\a\\x.dat", "gecko", "a Firefox-type browser: "),
        ("C:\\Users\\a\\x.dat", "", "C:\\Users\\a\\x.dat"),
        ("", "vault", "the Windows vault"),
    ],
)
def test_stores_are_called_by_product_else_by_kind(path: str, store: str, name: str) -> None:
    story = Story()
    story.read(RAN, 0, path, store)
    assert story.incident().steps[0].detail.startswith(name)


def test_repeats_long_apart_are_two_steps() -> None:
    story = Story()
    for seconds in (0, 500, 1500):
        story.alert(b.connection(RAN, seconds, "203.0.113.9"), "R", "Connected")
    assert [len(step.alert_ids) for step in story.incident().steps if step.evidence_class == "R"] == [2, 1]


def test_two_channels_telling_of_one_start_are_one_step() -> None:
    story = Story()
    for shape in ("sysmon", "security"):
        story.alert(b.process_start(RAN, shape), "X", "Started")
    (step,) = story.incident().steps
    assert step.detail == "RegAsm.exe"
    assert len(step.alert_ids) == 2


def test_the_detail_is_the_evidence() -> None:
    story = Story()
    story.alert(b.dns_query(RAN, 1, "t.me"), "R", "Asked")
    story.alert(b.file_drop(RAN, 2, "C:\\Users\\a\\b.lnk"), "P", "Dropped")
    story.alert(b.registry_set(RAN, 3, "S-1-5-21-1-2-3-4\\Run\\x", "C:\\a.exe"), "P", "Run key")
    story.alert(b.injection(RAN, b.process(MSHTA, 900), 4, 10), "I", "Access")
    story.alert(
        b.event(
            "Microsoft-Windows-PowerShell/Operational",
            4104,
            5,
            {"ScriptBlockText": "iex $x", "Execution_ProcessID": "500"},
        ),
        "X",
        "Script",
    )
    story.alert(b.event("Other", 1, 6, {"ProcessGuid": RAN.guid}), "E", "Other")
    details = {step.title: step.detail for step in story.incident().steps}
    assert details == {
        "Asked": "t.me",
        "Dropped": "C:\\Users\\a\\b.lnk",
        "Run key": "Run\\x = C:\\a.exe",
        "Access": "RegAsm.exe (500) -> mshta.exe (900), access 0x1fffff",
        "Script": "iex $x",
        "Other": "Image = x",
    }


def test_stages_come_from_the_rule_else_from_the_class() -> None:
    incident = lumma().incident()
    assert [(stage.stage, stage.name) for stage in incident.stages] == [
        (1, "Lure and malicious file"),
        (2, "Look around and collect"),
        (3, "Hide, inject and unpack"),
    ]
    first, second, third = incident.stages
    assert first.techniques == ("T1204.004",)
    assert len(second.alert_ids) == 4
    assert third.last_seen == b.at(20)
    assert "T1041" in third.techniques
    story = Story()
    story.alert(b.process_start(RAN), "X", "Started", stage=3)
    assert [stage.stage for stage in story.incident().stages] == [3]
