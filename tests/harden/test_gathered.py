"""All subjects of a run: which names are one computer, and what evidence cannot be."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime

import pytest

from douse.harden.gathered import Evidence
from douse.harden.registry import RegistryValue
from douse.harden.seen import Source

ONE = Source("hive", "SOFTWARE", "aa")
DWORD = RegistryValue("REG_DWORD", 1)


@pytest.mark.parametrize(("first", "second", "same"), [
    ("PC-7", "pc-7.corp.example", True), ("PC-7.corp.example", "PC-7", True),
    ("PC-7.a.example", "PC-7.b.example", False),
    ("PC-7", "PC-70", False), ("PC-7.", "PC-7", True)])
def test_hosts_are_found_with_and_without_their_domain(first: str, second: str, same: bool) -> None:
    for names in ((first, second), (second, first)):
        evidence = Evidence()
        for name in names:
            evidence.host(name).registry.add("HKLM", "A", name, DWORD, ONE)
        evidence.join_hosts()
        assert (len(evidence.of("host")) == 1) is same
        assert (evidence.host(first) is evidence.host(second)) is same
        assert sum(len(host.registry) for host in evidence.of("host")) == len({first, second})


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_two_computers_of_one_name_are_never_made_one(order) -> None:
    """Whatever file comes first: PC1 of two domains stay two, and what names no domain is neither's."""
    evidence = Evidence()
    said = [("pc1.a.example", ""), ("PC1", "b.example"), ("pc1", ""), ("PC1", "CORP-A")]
    for at in order:
        evidence.host(*said[at]).registry.add("HKLM", "A", str(at), DWORD, ONE)
    evidence.join_hosts()
    held = {host.name.casefold(): {name for _, _, name, *_ in host.registry} for host in evidence.of("host")}
    assert held == {"pc1.a.example": {"0"}, "pc1.b.example": {"1"}, "pc1": {"2"}, r"corp-a\pc1": {"3"}}
    assert any("without its domain" in note.what for note in evidence.notes)


def test_a_netbios_domain_belongs_to_the_dns_domain_that_begins_so() -> None:
    evidence = Evidence()
    for at, said in enumerate((("PC1.corp-a.example", ""), ("PC1.corp-b.example", ""), ("PC1", "CORP-B"))):
        evidence.host(*said).registry.add("HKLM", "A", str(at), DWORD, ONE)
    evidence.join_hosts()
    assert {host.name: len(host.registry) for host in evidence.of("host")} == {
        "PC1.corp-a.example": 1, "PC1.corp-b.example": 2}


def test_a_time_ahead_is_none() -> None:
    evidence = Evidence(date(2026, 11, 24))
    now, ahead = datetime(2026, 11, 25, 9, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)
    assert evidence.not_future(now, "x") == now
    assert not evidence.notes
    assert evidence.not_future(ahead, "x") is None
    assert "2099-01-01" in evidence.notes[0].what


def test_policies_of_one_name_are_told_apart_by_their_ids() -> None:
    evidence = Evidence()
    first, unknown, second = evidence.policy("P", "{A}"), evidence.policy("P"), evidence.policy("P", "{B}")
    assert first is unknown
    assert (first.name, first.id, second.name, second.id) == ("P", "{a}", "P {B}", "{b}")
    assert evidence.policy("P", "{b}") is second
