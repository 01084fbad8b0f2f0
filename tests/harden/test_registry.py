"""Registry values of one subject: what is known to be absent, and what lies below a key."""

from __future__ import annotations

from douse.harden.registry import Registry, RegistryValue
from douse.harden.seen import Source

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


def test_what_lies_below_a_key_is_not_what_is_called_alike() -> None:
    registry = Registry()
    for key in (r"SOFTWARE\A", r"SOFTWARE\A\Deep", r"SOFTWARE\AB"):
        registry.add("HKLM", key, "x", DWORD, ONE)
    registry.add("HKCU", r"SOFTWARE\A", "x", DWORD, ONE, profile="anna")
    other = Registry()
    other.absorb(registry)
    for one in (registry, other):
        assert [(place, name) for place, name, _ in one.below("hklm", r"software\a")] == [("", "x"), ("Deep", "x")]
        assert len(list(one.below("HKCU", r"SOFTWARE\A", "ANNA"))) == 1


def test_sources_that_disagree_are_both_kept() -> None:
    registry = Registry()
    registry.add("HKLM", "A", "x", DWORD, TWO)
    registry.complete("HKLM", "", ONE)
    assert [(seen.value, seen.source) for seen in registry.look("HKLM", "A", "x")] == [(DWORD, TWO), (None, ONE)]
