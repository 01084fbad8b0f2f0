from __future__ import annotations

import pytest

import builders as b
from douse.content.incidents import advice
from douse.model import Incident
from incident.stories import CHROME_STORE, MSHTA, SERVER, TELEGRAM, Story, lumma


def which(incident: Incident) -> list[str]:
    """The ids of the steps, recognised by how their texts begin."""
    found = []
    for step in incident.next_steps:
        found += [known.id for known in advice() if step.startswith(known.text.replace("{host}", b.HOST).split("{")[0])]
    return found


def test_the_whole_chain_is_put_out_in_order() -> None:
    incident = lumma().incident()
    assert which(incident) == [
        "isolate",
        "sessions",
        "rotate-seen",
        "wallets",
        "block",
        "evidence",
        "stop",
        "rebuild",
        "same-lure",
        "telemetry",
    ]
    text = dict(zip(which(incident), incident.next_steps, strict=True))
    assert "Chrome, Opera and Firefox," in text["rotate-seen"]
    assert "the funds of Exodus to" in text["wallets"]
    assert SERVER in text["block"]
    assert TELEGRAM not in text["block"], "a public site that others need"
    assert "t.me" not in text["block"]
    assert "RegAsm.exe (5008)" in text["evidence"]
    assert "explorer.exe" not in text["stop"]
    assert not any("{" in step for step in incident.next_steps)


def test_without_auditing_everything_is_presumed_stolen() -> None:
    incident = lumma(audit=False).incident()
    assert "rotate-presumed" in which(incident)
    assert "rotate-seen" not in which(incident)
    assert "Security 4663" in incident.next_steps[-1]


def test_weak_signs_isolate_nobody() -> None:
    story = Story()
    story.alert(b.process_start(b.process(MSHTA, 500, 0, b.explorer())), "X", "Started")
    assert not {"isolate", "sessions", "rebuild"} & set(which(story.incident()))


@pytest.mark.parametrize(
    ("store", "expected"),
    [
        ("wallet", "wallets"),
        ("vault", "vault"),
        ("ftp", "keys"),
        ("mail", "mail"),
        ("messenger", "messengers"),
        ("pwmgr", "password-manager"),
    ],
)
def test_each_kind_of_store_has_its_own_step(store: str, expected: str) -> None:
    story = lumma()
    assert expected == "wallets" or expected not in which(story.incident())
    story.read(b.process(MSHTA, 5000, 0, b.explorer(4120 + 5000 % 97)), 18, CHROME_STORE, store)
    assert expected in which(story.incident())


def test_braces_in_evidence_stay_as_they_are() -> None:
    story = Story()
    mshta = b.process("C:\\{host}.exe", 500, 0, b.explorer())
    story.alert(b.process_start(mshta), "X", "Started", "high")
    story.alert(b.connection(mshta, 1, SERVER), "R", "Connected")
    assert any("{host}.exe (500)" in step for step in story.incident().next_steps)
