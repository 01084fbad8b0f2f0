"""Who is a person, who is Windows, and when a SID and a name are one."""

from __future__ import annotations

import pytest

import builders as b
from douse.incident import people
from douse.incident.people import People, is_sid, is_system


def test_what_is_a_sid_and_what_is_too_long_to_be_one_or_to_be_remembered() -> None:
    assert is_sid("S-1-5-18")
    assert is_sid("S-1-5-21-" + "-".join(["4294967295"] * 14))
    assert not any(map(is_sid, ("", "anna", "S-1", "S-1-5-x", "CORP\\S-1-5-18")))
    known = people._is_sid.cache_info().currsize
    assert not is_sid("S-1-5-21-" + "1" * 1_000_000)
    assert people._is_sid.cache_info().currsize == known


def test_people_are_one_under_name_and_sid_and_windows_is_nobody() -> None:
    known = People([(b.ANNA.sid, b.ANNA.name), ("", b.BEN.name), ("S-1-5-18", "WORKGROUP\\WS-01$")])
    assert known.key("", "corp\\ANNA") == known.key(b.ANNA.sid, "") == b.ANNA.sid
    assert known.key("", b.BEN.name) != known.key("", b.ANNA.name)
    assert known.key("S-1-5-18", "") == known.key("", "NT AUTHORITY\\SYSTEM") == known.key("", "") == ""
    assert known.display(b.ANNA.sid) == b.ANNA.name
    assert known.display(known.key("", b.BEN.name.upper())) == b.BEN.name
    assert known.display(b.BEN.sid) == b.BEN.sid


def test_people_do_not_depend_on_order() -> None:
    pairs = [(b.ANNA.sid, "CORP\\anna"), (b.ANNA.sid, "CORP\\Anna.M"), (b.BEN.sid, "CORP\\anna")]
    assert People(pairs).key("", "CORP\\anna") == People(reversed(pairs)).key("", "CORP\\anna")
    assert People(pairs).display(b.ANNA.sid) == People(reversed(pairs)).display(b.ANNA.sid)


@pytest.mark.parametrize(
    "name", ["NT AUTHORITY\\SYSTEM", "NT-AUTORITÄT\\SYSTEM", "WORKGROUP\\WS-01$", "Window Manager\\DWM-1"]
)
def test_windows_own_accounts(name: str) -> None:
    assert is_system("", name)
    assert not is_system("", "CORP\\system.admin")


def test_a_name_and_a_sid_may_be_one_only_while_neither_is_known_to_be_another() -> None:
    people = People([("S-1-5-21-1-2-3-1104", "CORP\\anna")])
    anna = people.key("", "CORP\\anna")
    assert people.may_be_one(anna, "S-1-5-21-1-2-3-1104")
    assert people.may_be_one("", anna)
    assert not people.may_be_one(anna, people.key("", "CORP\\ben")), "anna's name is known, and it is another"
    assert people.may_be_one("S-1-5-21-1-2-3-1199", people.key("", "CORP\\ben"))
    assert not people.may_be_one("corp\\ben", "corp\\carl")
