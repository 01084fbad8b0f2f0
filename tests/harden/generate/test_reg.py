""".reg files: every value comes back through a strict reader, whatever is in it; an undo is the old value or none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from douse.content.settings import Data
from douse.harden.generate import plan, reg
from douse.harden.generate.policy import GenerateOptions, Policy, RegistryChange
from douse.harden.generate.undo import LEAVE, REMOVE, RESTORE, undone
from douse.harden.observed import Subject
from douse.harden.registry import RegistryValue
from douse.harden.seen import Source
from harden.generate.machine import read_reg

SOURCE = Source("hive", "SOFTWARE", "0" * 64)
BAD = "]\r\n[-HKEY_LOCAL_MACHINE\\SOFTWARE]\n\"x\"=-;|$(calc)`calc`\u2028\x85\x7f\x00end"


def values() -> st.SearchStrategy[RegistryValue]:
    """Values of every type with anything in them that the type can hold."""
    texts = st.text(st.characters(exclude_characters="\0"), max_size=60)
    return st.one_of(
        st.builds(RegistryValue, st.sampled_from(["REG_SZ", "REG_EXPAND_SZ"]), texts),
        st.builds(RegistryValue, st.just("REG_MULTI_SZ"), st.lists(texts.filter(bool), max_size=4).map(tuple)),
        st.builds(RegistryValue, st.just("REG_DWORD"), st.integers(0, 2**32 - 1)),
        st.builds(RegistryValue, st.just("REG_QWORD"), st.integers(0, 2**64 - 1)),
        st.builds(RegistryValue, st.sampled_from(["REG_BINARY", "REG_NONE"]), st.binary(max_size=80)))


def change(value: RegistryValue, key: str = "SOFTWARE\\Policies\\X", name: str = "Y") -> RegistryChange:
    """A change of a policy key."""
    return RegistryChange("H01", "H01/x", "HKLM", key, name, value, key.startswith("SOFTWARE\\Policies\\"))


def policy(*changes: RegistryChange, before: Subject | None = None) -> Policy:
    """A policy of these values alone."""
    found, _ = plan.planned(GenerateOptions(("H03",), ("reg",)))
    return replace(found, registry=changes, changes=(), firewall=(), before=before)


def host(*known: tuple[str, str, RegistryValue | None]) -> Subject:
    """A host of which these values are known."""
    subject = Subject("host", "PC-7")
    for key, name, value in known:
        subject.registry.add("HKLM", key, name, value, SOURCE)
    return subject


@given(values(), st.sampled_from(["", "Name", 'a "quoted" \\ name', "*", "]=;"]))
def test_a_value_comes_back_whatever_is_in_it(value: RegistryValue, name: str) -> None:
    data = reg.applied([change(value, name=name), change(RegistryValue("REG_DWORD", 7), name="Last")], "HKLM")
    assert list(read_reg(data)) == [("HKLM", "SOFTWARE\\Policies\\X", name, value),
                                    ("HKLM", "SOFTWARE\\Policies\\X", "Last", RegistryValue("REG_DWORD", 7))]


def test_a_long_value_comes_back() -> None:
    value = RegistryValue("REG_EXPAND_SZ", "x]" * 32_000)
    assert next(iter(read_reg(reg.applied([change(value)], "HKLM"))))[3] == value


def test_the_file_is_what_regedit_writes() -> None:
    data = reg.applied([change(RegistryValue("REG_DWORD", 10)), change(RegistryValue("REG_SZ", 'C:\\a "b"'), name="")],
                       "HKLM")
    assert data.decode("utf-16") == ("Windows Registry Editor Version 5.00\r\n\r\n"
                                     "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\X]\r\n"
                                     '"Y"=dword:0000000a\r\n@="C:\\\\a \\"b\\""\r\n\r\n')


@given(values())
def test_undo_puts_back_any_old_value(old: RegistryValue) -> None:
    one = change(RegistryValue("REG_DWORD", 1))
    data = reg.taken_back(undone(policy(one, before=host((one.key, one.name, old))), "HKLM"))
    assert list(read_reg(data)) == [("HKLM", one.key, one.name, old)]


def test_undo_removes_what_was_known_to_be_absent_and_policies_that_nobody_knows() -> None:
    tattoo = change(RegistryValue("REG_DWORD", 1), key="SYSTEM\\X")
    known = policy(tattoo, before=host(("SYSTEM\\X", "Y", None)))
    assert list(read_reg(reg.taken_back(undone(known, "HKLM")))) == [("HKLM", "SYSTEM\\X", "Y", None)]
    unknown = policy(tattoo, change(RegistryValue("REG_DWORD", 1)))
    assert [undo.action for undo in undone(unknown, "HKLM")] == [LEAVE, REMOVE]
    assert list(read_reg(reg.taken_back(undone(unknown, "HKLM")))) == [("HKLM", "SOFTWARE\\Policies\\X", "Y", None)]


def test_undo_leaves_alone_what_two_sources_tell_differently() -> None:
    subject = host(("SYSTEM\\X", "Y", RegistryValue("REG_DWORD", 0)))
    subject.registry.add("HKLM", "SYSTEM\\X", "Y", RegistryValue("REG_DWORD", 1), Source("collector", "a", "1" * 64))
    undo, = undone(policy(change(RegistryValue("REG_DWORD", 2), key="SYSTEM\\X"), before=subject), "HKLM")
    assert (undo.action, undo.old.known, undo.old.why) == (LEAVE, False, "the evidence has two values for it")


def test_undo_leaves_alone_what_cannot_be_written_back() -> None:
    data: list[tuple[str, Data]] = [("REG_SZ", "a\0b"), ("REG_DWORD", 1 << 40), ("REG_MULTI_SZ", ("a", "")),
                                    ("REG_DWORD", "text")]
    for type_, hostile in data:
        subject = host(("SYSTEM\\X", "Y", RegistryValue(type_, hostile)))
        undo, = undone(policy(change(RegistryValue("REG_DWORD", 2), key="SYSTEM\\X"), before=subject), "HKLM")
        assert undo.action == LEAVE
        assert "not of its type" in undo.old.why
    subject = host(("SYSTEM\\X", "Y", RegistryValue("REG_SZ", "fine")))
    undo, = undone(policy(change(RegistryValue("REG_DWORD", 2), key="SYSTEM\\X"), before=subject), "HKLM")
    assert undo.action == RESTORE


def test_the_key_of_a_rule_of_ours_goes_with_it() -> None:
    key = "SOFTWARE\\Policies\\Microsoft\\Windows\\SrpV2\\Exe\\921cc481-6e17-4653-8f75-050b80acca20"
    data = reg.taken_back(undone(policy(change(RegistryValue("REG_SZ", "<FilePathRule/>"), key=key)), "HKLM"))
    assert list(read_reg(data)) == [("HKLM", key, None, None)]


def test_each_profile_has_an_undo_of_its_own_and_no_file_is_named_by_evidence() -> None:
    subject = host()
    evil = "..\\..\\anna\r\n[-HKEY_LOCAL_MACHINE]"
    for user, number in ((evil, 1), ("bob", 0)):
        subject.registry.add("HKCU", "Software\\X", "Y", RegistryValue("REG_DWORD", number), SOURCE, profile=user)
    one = replace(change(RegistryValue("REG_DWORD", 2), key="Software\\X"), hive="HKCU")
    files = {str(file.path): file.data for file in reg.files(policy(one, before=subject))}
    assert set(files) == {"reg/apply-user.reg", "reg/undo-user-1.reg", "reg/undo-user-2.reg"}
    old = {next(iter(read_reg(files[f"reg/undo-user-{number}.reg"])))[3] for number in (1, 2)}
    assert old == {RegistryValue("REG_DWORD", 0), RegistryValue("REG_DWORD", 1)}
    without = {file.path for file in reg.files(policy(one))}
    assert without == {PurePosixPath("reg/apply-user.reg"), PurePosixPath("reg/undo-user.reg")}


def test_hostile_text_cannot_begin_a_line() -> None:
    old = RegistryValue("REG_SZ", BAD.replace("\0", ""))
    data = reg.taken_back(undone(policy(change(RegistryValue("REG_DWORD", 1)), before=host(
        ("SOFTWARE\\Policies\\X", "Y", old))), "HKLM"))
    assert list(read_reg(data)) == [("HKLM", "SOFTWARE\\Policies\\X", "Y", old)]
    assert data.decode("utf-16").count("[") == 1
