"""Readers of AppLocker and App Control XML: what becomes a policy, what is told as lost, and what is refused."""

from __future__ import annotations

import pytest

from douse.content.controls import controls
from douse.content.settings import AppLockerSetting
from douse.errors import EvidenceError
from douse.harden.applocker_policy import write
from douse.harden.audit.mshta import answer
from douse.harden.evidence import app_control, applocker
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence
from douse.harden.generate.applocker import made_policy
from douse.harden.generate.wdac import policy_for, xml_of

SETTINGS = [one for control in controls() for one in control.settings if isinstance(one, AppLockerSetting)]
APPLOCKER = write(made_policy(SETTINGS, "enforce", None)).decode()
WDAC = xml_of(policy_for(["mshta.exe"], "enforce")).decode()
WIDE = APPLOCKER.replace("utf-8", "utf-16")


def file(data: bytes, name: str = "policy.xml") -> EvidenceFile:
    return EvidenceFile(f"evidence/{name}", name, data)


@pytest.mark.parametrize("data", [
    APPLOCKER.encode(), b"\xef\xbb\xbf" + APPLOCKER.encode(), WIDE.encode("utf-16"), WIDE.encode("utf-16-le"),
    WIDE.encode("utf-16-be"), APPLOCKER.encode("utf-16"), WIDE.encode(),  # a declaration that is not true of the bytes
    APPLOCKER.partition("?>\n")[2].encode(),
])
def test_an_applocker_policy_in_any_encoding(data: bytes) -> None:
    evidence = Evidence()
    assert applocker.looks(file(data))
    applocker.read(file(data), evidence)
    (subject,) = evidence.subjects
    assert (subject.kind, subject.name) == ("policy", "policy.xml")
    found = answer(subject)
    assert found is not None
    assert found.answer == "denied"
    assert found.cited[0].value == "Exe Enabled, 6 rules"
    assert not evidence.problems


def test_an_app_control_policy() -> None:
    evidence = Evidence()
    app_control.read(file(WDAC.encode()), evidence)
    (subject,) = evidence.subjects
    found = answer(subject)
    assert found is not None
    assert found.answer == "dead"
    (seen,) = subject.app_control
    assert (seen.value.id, seen.value.active) == (policy_for(["mshta.exe"], "enforce").id, None)
    assert "Enabled:UMCI" in seen.raw


def test_two_files_of_one_name_are_two_policies() -> None:
    evidence = Evidence()
    applocker.read(file(APPLOCKER.encode()), evidence)
    applocker.read(file(WIDE.encode("utf-16")), evidence)
    assert len(evidence.of("policy")) == 2


def test_what_is_not_understood_is_told_and_the_rest_kept() -> None:
    evidence = Evidence()
    applocker.read(file(APPLOCKER.replace("</RuleCollection>", "<Odd/></RuleCollection>").encode()), evidence)
    app_control.read(file(WDAC.replace("</FileRules>", "<Odd/></FileRules>").encode(), "w.xml"), evidence)
    assert [problem.where for problem in evidence.problems] == ["evidence/policy.xml", "evidence/w.xml"]
    assert len(evidence.subjects) == 2


@pytest.mark.parametrize("data", [
    b"", b"<AppLockerPolicy", APPLOCKER.encode()[:-40],
    b'<!DOCTYPE x [<!ENTITY a "b">]><AppLockerPolicy>&a;</AppLockerPolicy>',
    b"\xff\xfe", b"<SiPolicy/>",
])
def test_what_is_no_policy_is_an_error_with_the_file(data: bytes) -> None:
    evidence = Evidence()
    with pytest.raises(EvidenceError, match=r"evidence/policy\.xml"):
        applocker.read(file(data), evidence)
    assert evidence.subjects == ()


@pytest.mark.parametrize("data", [b"", b"{}", b'{"applocker": "<AppLockerPolicy/>"}', WDAC.encode(), b"<Rsop/>"])
def test_what_looks_like_something_else_is_left_alone(data: bytes) -> None:
    assert not applocker.looks(file(data))


def test_looks_of_app_control() -> None:
    assert app_control.looks(file(WDAC.encode()))
    assert not app_control.looks(file(APPLOCKER.encode()))
