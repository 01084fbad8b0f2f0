"""App Control policies that we write: sound XML, what they mean, and refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from douse.errors import ContentError, OutputError
from douse.harden.app_control_effect import effect
from douse.harden.app_control_policy import KERNEL, USER, parse
from douse.harden.generate.policy import Site
from douse.harden.generate.wdac import policy_for, refuse_bricks, wdac, xml_of
from harden.generate.policies import GO, policy

SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parent.parent / "schemas" / "sipolicy.xsd"))
BASE_OPTIONS = {"Enabled:UMCI", "Enabled:Unsigned System Integrity Policy", "Enabled:Update Policy No Reboot",
                "Enabled:Allow Supplemental Policies"}


@pytest.mark.parametrize("mode", ["audit", "enforce"])
def test_the_xml_follows_the_schema_and_survives_reading(mode: str) -> None:
    made = {str(one.path): one for one in wdac(policy("H08", mode=mode))}
    data = made["wdac/policy.xml"].data
    SCHEMA.assertValid(etree.fromstring(data))
    assert parse(data) == policy_for(["mshta.exe"], mode)
    assert made["wdac/policy.xml"].about


def test_the_schema_refuses_what_is_wrong() -> None:
    data = xml_of(policy_for(["mshta.exe"], "enforce"))
    for old, new in ((b'RuleID="ID_DENY_MSHTA"', b'RuleID="ID_DENY_X"'), (b"Enabled:UMCI", b"Enabled:UMC"),
                     (b'Value="12"', b'Value="13"'), (b"65535.65535.65535.65535", b"65535"), (b"<EKUs />", b"")):
        assert old in data
        assert not SCHEMA.validate(etree.fromstring(data.replace(old, new)))


def test_an_enforced_policy_denies_the_program_in_every_version() -> None:
    made = policy_for(["mshta.exe"], "enforce")
    found = effect(made, "MSHTA.EXE")
    assert (found.denied, found.audit, found.scripts_dead) == (True, False, True)
    assert effect(made, "explorer.exe").denied is False
    assert made.options == BASE_OPTIONS
    (deny,) = [rule for rule in made.rules if rule.kind == "Deny"]
    assert (deny.id, deny.file_name, deny.minimum, deny.maximum) == (
        "ID_DENY_MSHTA", "mshta.exe", "65535.65535.65535.65535", "")  # Microsoft's published form


def test_an_audit_policy_stops_nothing_not_even_html_applications() -> None:
    made = policy_for(["mshta.exe"], "audit")
    found = effect(made, "mshta.exe")
    assert (found.denied, found.audit, found.scripts_dead) == (True, True, False)
    assert made.options == BASE_OPTIONS | {"Enabled:Audit Mode", "Disabled:Script Enforcement"}


def test_ids_are_stable_and_the_policy_is_a_base() -> None:
    made = policy_for(["mshta.exe"], "enforce")
    assert made.id == made.base_id == policy_for(["mshta.exe"], "audit").id
    assert made.id == made.id.upper()
    assert made.type == "Base Policy"
    assert [one.data for one in wdac(policy("H08"))] == [one.data for one in wdac(policy("H08"))]


def test_commands_name_the_policy_and_no_binary_is_made() -> None:
    made = list(wdac(policy("H08")))
    text = made[1].data.decode()
    id_ = policy_for(["mshta.exe"], "enforce").id
    assert f"ConvertFrom-CIPolicy -XmlFilePath .\\policy.xml -BinaryFilePath '.\\{id_}.cip'" in text
    assert f"CiTool.exe --update-policy '.\\{id_}.cip'" in text
    assert f"CiTool.exe --remove-policy '{id_}'" in text
    assert "HTML applications" in text
    assert {one.path.suffix for one in made} == {".xml", ".txt"}


def test_nothing_is_made_where_no_control_asks() -> None:
    assert list(wdac(policy("H03"))) == []


def test_a_policy_that_blocks_everything_is_refused() -> None:
    made = policy_for(["mshta.exe"], "enforce")
    for scenarios in (((KERNEL, ()), made.scenarios[1]), (made.scenarios[0], (USER, ("ID_DENY_MSHTA",))), ()):
        with pytest.raises(OutputError, match="block the whole computer"):
            refuse_bricks(replace(made, scenarios=scenarios))


def test_a_group_that_keeps_the_program_is_not_stopped_by_an_enforced_policy() -> None:
    site = Site(mshta_group="HTA users", mshta_sid="S-1-5-21-1-2-3-1603")
    with pytest.raises(OutputError, match="knows no groups"):
        list(wdac(replace(policy("H08"), site=site)))
    assert list(wdac(policy("H08", site=site, mode="audit")))
    excepted = replace(policy("H08"), go=replace(GO, groups=(("HTA users", "S-1-5-21-1-2-3-1603"),)))
    with pytest.raises(OutputError, match="HTA users"):
        list(wdac(excepted))


@pytest.mark.parametrize("name", ["", "*", "a/b.exe", 'a"b', "a b.exe", "<x>"])
def test_a_file_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ContentError, match="original file name"):
        policy_for([name], "enforce")


def test_names_that_are_alike_get_ids_of_their_own() -> None:
    made = policy_for(["a-b.exe", "a_b.exe", "a-b.exe"], "enforce")
    assert len({rule.id for rule in made.rules}) == len(made.rules) == 4


def test_ids_begin_with_a_letter_as_the_schema_wants() -> None:
    SCHEMA.assertValid(etree.fromstring(xml_of(policy_for(["7z.exe", "_a.exe", "mshta.exe"], "enforce"))))


def test_the_maker_itself_refuses_a_policy_that_blocks_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("douse.harden.generate.wdac.allows_all", lambda made, scenario: scenario == KERNEL)
    with pytest.raises(OutputError, match="allows no programs"):
        policy_for(["mshta.exe"], "audit")
