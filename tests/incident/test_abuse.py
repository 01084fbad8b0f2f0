"""S9: sign-ins from new places after an incident, on whatever host; and how they are kept (signins.py)."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders as b
from douse.incident.abuse import escalate
from douse.incident.signins import SignIns, person_of
from douse.model import Event, Incident
from incident.stories import CHROME_STORE, FIREFOX_STORE, MSHTA, Story, lumma

DAY = 86_400
OUTSIDE, OFFICE, NEXT_LEASE = "203.0.113.9", "10.0.0.15", "10.0.0.77"


def sign_in(seconds: float, source: str, kind: int = 10, user: b.User = b.ANNA, host: str = "srv-1.corp.example",
            **more: str) -> Event:
    domain, _, name = user.name.rpartition("\\")
    return b.event(b.SECURITY, 4624, seconds, {
        "TargetUserSid": user.sid, "TargetUserName": name, "TargetDomainName": domain, "LogonType": str(kind),
        "IpAddress": source, **more}, host=host)


def kept(*events: Event) -> SignIns:
    signins = SignIns()
    for one in events:
        signins.observe(one)
    return signins


def thief(*more: str) -> Incident:
    """High: two kinds of store, and an execution."""
    story = Story()
    ran = b.process(MSHTA, 500, 0, b.explorer())
    story.read(ran, 10, CHROME_STORE, "chromium")
    story.read(ran, 11, FIREFOX_STORE, "gecko")
    for letter in more:
        story.alert(b.registry_set(ran, 5, f"{b.ANNA.sid}\\Software\\x", "y"), letter, f"Of class {letter}", "low")
    return story.incident()


BEFORE = sign_in(-DAY, OFFICE, 3)


@pytest.mark.parametrize("event", [sign_in(3600, OUTSIDE), sign_in(6 * DAY, OUTSIDE, 3), sign_in(3600, NEXT_LEASE)])
def test_a_sign_in_from_a_new_place_escalates_a_theft(event: Event) -> None:
    before = thief("R", "E")
    assert before.level == "high"
    (after,) = escalate([before], kept(BEFORE, event))
    assert (after.incident_id, after.level) == (before.incident_id, "critical")
    assert after.title.endswith(", possible credential abuse")
    assert f"record {event.record_id} on srv-1.corp.example" in after.sequences[-1].reason
    assert "Sequence S9 raises it to critical." in after.level_reason
    assert after.plan[0].phase == "contain"
    assert "CORP\\anna" in after.next_steps[0]
    assert (after.alert_ids, after.steps, after.score) == (before.alert_ids, before.steps, before.score)


def test_the_caps_hold_against_it() -> None:
    (after,) = escalate([thief()], kept(BEFORE, sign_in(3600, OUTSIDE)))
    assert after.level == "high"
    assert "would raise it to critical. Held at high: credential-store access alone" in after.level_reason


def test_what_is_no_theft_becomes_high_at_most() -> None:
    story = Story()
    story.alert(b.process_start(b.process(MSHTA, 500, 0, b.explorer())), "X", "Pasted", "high")
    story.log(b.process_start(b.process(MSHTA, 501, -1, b.explorer()), "security"))
    (after,) = escalate(story.incidents(), kept(BEFORE, sign_in(3600, OUTSIDE)))
    assert (after.level, after.title.rpartition(", ")[2]) == ("high", "possible credential abuse")


@pytest.mark.parametrize(
    "events",
    [
        [BEFORE, sign_in(8 * DAY, OUTSIDE)],
        [BEFORE, sign_in(-60, OUTSIDE)],
        [BEFORE, sign_in(-DAY, OUTSIDE), sign_in(3600, OUTSIDE)],
        [BEFORE, sign_in(3600, OUTSIDE, user=b.BEN)],
        [BEFORE, sign_in(3600, OUTSIDE, kind=2)],
        [BEFORE, sign_in(3600, "127.0.0.1")],
        [BEFORE, sign_in(3600, "-")],
        [sign_in(3600, NEXT_LEASE)],
    ],
    ids=["too late", "before", "known", "somebody else", "at the keyboard", "itself", "no address",
         "nothing to compare"],
)
def test_other_sign_ins_change_nothing(events: list[Event]) -> None:
    before = thief("R", "E")
    assert escalate([before], kept(*events)) == (before,)


def test_a_new_lease_of_the_own_host_is_no_new_place() -> None:
    before = thief("R", "E")
    signins = kept(BEFORE, sign_in(3600, NEXT_LEASE))
    assert escalate([before], signins, lambda address, _: b.HOST.lower() if address == NEXT_LEASE else "") == (before,)


def test_within_a_network_it_is_told_and_raises_nothing() -> None:
    before = thief("R", "E")
    (after,) = escalate([before], kept(BEFORE, sign_in(3600, NEXT_LEASE, 3)))
    assert (after.level, after.sequences[-1].sequence_id) == ("high", "S9")
    assert "Sequence S9 does not raise it." in after.level_reason


def test_without_an_earlier_sign_in_only_the_internet_is_new() -> None:
    (after,) = escalate([thief("R", "E")], kept(sign_in(3600, OUTSIDE)))
    assert after.level == "critical"


def test_weak_signs_are_not_escalated() -> None:
    story = Story()
    story.alert(b.process_start(b.process(MSHTA, 500, 0, b.explorer())), "X", "Weak", "low")
    found = story.incidents()
    assert escalate(found, kept(BEFORE, sign_in(3600, OUTSIDE))) == found


def test_many_are_counted_and_the_worst_named_first() -> None:
    more = [sign_in(3600 + n, f"10.0.1.{n}", 3) for n in range(1, 9)]
    (after,) = escalate([lumma().incident()], kept(BEFORE, *more, sign_in(9000, OUTSIDE)))
    reason = after.sequences[-1].reason
    assert reason.index(OUTSIDE) < reason.index("10.0.1.1")
    assert reason.endswith("and 6 more such sign-ins")


@pytest.mark.parametrize(("name", "person"), [
    ("CORP\\Anna", "corp\\anna"), ("CORP.EXAMPLE\\anna", "corp\\anna"), ("anna@corp.example", "corp\\anna"),
    ("anna", "\\anna"), ("", ""), ("CORP\\", ""),
])
def test_an_account_has_several_spellings(name: str, person: str) -> None:
    assert person_of(name) == person


@pytest.mark.parametrize("account", [
    b.SYSTEM, b.User("CORP\\WS-01$", "S-1-5-21-1-2-3-1000", 1), b.User("NT AUTHORITY\\ANONYMOUS LOGON", "S-1-5-7", 1)])
def test_windows_itself_is_no_person(account: b.User) -> None:
    assert kept(sign_in(0, OUTSIDE, user=account)).by_person() == {}


@given(seed=st.integers(0, 1_000), workers=st.integers(1, 4))
def test_order_splitting_and_a_small_limit_change_nothing(seed: int, workers: int) -> None:
    events = [sign_in(n, f"198.51.{n % 40}.{n % 9}", user=(b.ANNA, b.BEN)[n % 2]) for n in range(200)]
    whole = SignIns(limit=20)
    for one in events:
        whole.observe(one)
    random.Random(seed).shuffle(events)
    merged = SignIns(limit=20)
    for number in range(workers):
        part = SignIns(limit=20)
        for one in events[number::workers]:
            part.observe(one)
        merged.merge(part)
    assert merged.by_person() == whole.by_person()
    assert whole.thinned
    assert 0 < len({one for several in whole.by_person().values() for one in several}) <= 20
