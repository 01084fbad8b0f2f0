"""The form of evidence: what is known to be absent and what is only not known, and whose evidence is whose."""

from __future__ import annotations

import pytest

from douse.harden.observed import Evidence, Registry, RegistryValue, Source

ONE, TWO = Source("hive", "SOFTWARE", "aa"), Source("regfile", "x.reg", "bb")
DWORD = RegistryValue("REG_DWORD", 1)


def test_absent_is_what_a_whole_key_lacks() -> None:
    registry = Registry()
    registry.add("HKLM", r"SOFTWARE\A", "there", DWORD, ONE)
    assert registry.look("HKLM", r"SOFTWARE\A", "other") == []
    registry.complete("HKLM", r"software\a", ONE)
    assert [seen.value for seen in registry.look("hklm", r"SOFTWARE\A\Deep", "other")] == [None]
    assert [seen.value for seen in registry.look("HKLM", r"SOFTWARE\A", "THERE")] == [DWORD]
    assert registry.look("HKLM", r"SOFTWARE\AB", "other") == []
    assert registry.look("HKCU", r"SOFTWARE\A", "other", "anna") == []


def test_a_key_can_be_whole_without_what_lies_below() -> None:
    registry = Registry()
    registry.complete("HKLM", r"SOFTWARE\A", ONE, below=False)
    assert len(registry.look("HKLM", r"SOFTWARE\A", "x")) == 1
    assert registry.look("HKLM", r"SOFTWARE\A\Deep", "x") == []
    assert registry.knows_all_of("HKLM", r"SOFTWARE\A") == [ONE]
    assert registry.knows_all_of("HKLM", r"SOFTWARE\A\Deep") == []


def test_sources_that_disagree_are_both_kept() -> None:
    registry = Registry()
    registry.add("HKLM", "A", "x", DWORD, TWO)
    registry.complete("HKLM", "", ONE)
    assert [(seen.value, seen.source) for seen in registry.look("HKLM", "A", "x")] == [(DWORD, TWO), (None, ONE)]


@pytest.mark.parametrize(("first", "second", "same"), [
    ("PC-7", "pc-7.corp.example", True), ("PC-7.corp.example", "PC-7", True),
    ("PC-7.a.example", "PC-7.b.example", False),
    ("PC-7", "PC-70", False), ("PC-7.", "PC-7", True)])
def test_hosts_are_found_with_and_without_their_domain(first: str, second: str, same: bool) -> None:
    evidence = Evidence()
    assert (evidence.host(first) is evidence.host(second)) is same


def test_policies_of_one_name_are_told_apart_by_their_ids() -> None:
    evidence = Evidence()
    first, unknown, second = evidence.policy("P", "{A}"), evidence.policy("P"), evidence.policy("P", "{B}")
    assert first is unknown
    assert (first.name, first.id, second.name, second.id) == ("P", "{a}", "P {B}", "{b}")
    assert evidence.policy("P", "{b}") is second
