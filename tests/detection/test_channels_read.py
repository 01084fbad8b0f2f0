"""Which records beside Sysmon's our rules read, and that the names of stealers in them are those of the data."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from douse.content.cases import case_file, load_cases
from douse.content.families import families
from douse.content.rules import FOLDER, rule_files
from douse.detection.ruleset import RuleSet, load_rules
from douse.model import Event, Source, Value

DEFENDER = "microsoft-windows-windows defender/operational"
WANTED: dict[str, tuple[int, ...]] = {
    DEFENDER: (*range(1006, 1020), 1115, 1116, 1117, 1118, 1119, *range(1121, 1127), 5001, 5004, 5007, 5010, 5012,
               5013),
    "microsoft-windows-applocker/exe and dll": (8002, 8003, 8004),
    "microsoft-windows-applocker/msi and script": (8005, 8006, 8007, 8028, 8029),
    "microsoft-windows-codeintegrity/operational": (3076, 3077),
    "microsoft-windows-bits-client/operational": (3, 59, 60, 61, 16403),
    "microsoft-windows-taskscheduler/operational": (106, 129, 140, 200, 201),
    "microsoft-windows-wmi-activity/operational": (5857, 5858, 5859, 5860, 5861),
    "microsoft-windows-windows firewall with advanced security/firewall": (2004, 2071, 2097),
    "microsoft-windows-crypto-dpapi/debug": (16385,),
    "security": (4698, 4702, 5152, 5157, 5376, 5377, 5379, 5380, 5381, 5382),
    "zeek/http": (0,), "zeek/dns": (0,), "proxy/access": (0,),
}
WITHOUT_A_CASE = {
    (DEFENDER, 1011): "an item deleted from quarantine tells nothing new",
    (DEFENDER, 1012): "an item that could not be deleted from quarantine cannot run",
    (DEFENDER, 1014): "that the history could not be deleted tells nothing of a stealer",
    (DEFENDER, 1016): "neither the vendor's list nor a published manifest has it",
    (DEFENDER, 1017): "neither has it; the category antivirus reads it, as SigmaHQ's map does",
    (DEFENDER, 1018): "the same",
    (DEFENDER, 1019): "the same",
    (DEFENDER, 1115): "the same",
    (DEFENDER, 1123): "controlled folder access guards against writing, and a stealer reads",
    (DEFENDER, 1124): "the same, in audit mode",
    ("microsoft-windows-wmi-activity/operational", 5860): "temporary subscriptions are what monitoring programs have",
}
"""Why no rule of ours is proven to fire on a record (docs/sigma.md says it to users)."""


@pytest.fixture(scope="module")
def ours() -> RuleSet:
    return load_rules([])


def proven() -> set[tuple[str, int]]:
    """The records of all cases that fire a rule of ours."""
    return {(one.channel.lower(), one.event_id) for file in rule_files()
            for case in load_cases(case_file(file)).match for one in (case, *case.later)}


def test_each_record_is_in_a_case_that_fires_or_there_is_a_reason_why_not() -> None:
    wanted = {(channel, number) for channel, numbers in WANTED.items() for number in numbers}
    assert wanted - proven() == set(WITHOUT_A_CASE)


def test_a_rule_reads_it_where_a_case_says_so(ours: RuleSet) -> None:
    read: defaultdict[str, set[int | None]] = defaultdict(set)
    for rule in ours.rules:
        for route in rule.routes:
            read[route.channel].add(route.event_id)
    unread = [(channel, number) for channel, numbers in WANTED.items() for number in numbers
              if (channel, number) not in WITHOUT_A_CASE and not {number, None} & read[channel]]
    assert unread == []


def detected(threat: str) -> Event:
    fields: dict[str, Value] = {"EventID": 1116, "Channel": "Microsoft-Windows-Windows Defender/Operational",
                                "ThreatName": threat, "SeverityID": "5"}
    return Event(channel="Microsoft-Windows-Windows Defender/Operational", event_id=1116,
                 time=load_cases(case_file(FOLDER / "defender_stealer_named.yml")).match[0].time, host="WS-01",
                 provider="", record_id=1, source=Source("x"), decode=lambda: fields)


@pytest.mark.parametrize("shape", ["Trojan:Win32/{}.RPX!MTB", "PWS:MSIL/{}!MTB", "TrojanSpy:Win64/{}", "{}"])
def test_every_family_and_loader_is_found_by_each_of_its_names(ours: RuleSet, shape: str) -> None:
    titles = {"stealer": "Defender Named a Known Stealer", "loader": "Defender Named a Loader or a Lure"}
    known = (("stealer", families()), ("loader", families().loaders))
    names = [(kind, "".join(name.split())) for kind, some in known for one in some for name in one.names]
    silent = [(kind, name) for kind, name in names
              if titles[kind] not in {alert.title for alert in ours.match(detected(shape.format(name)))}]
    assert silent == []


def test_a_name_that_only_sounds_alike_is_not_found(ours: RuleSet) -> None:
    for threat in (
            "HackTool:Win32/Mimikatz!pz", "Trojan:Win32/Lummar.A", "Trojan:Win32/Acrobat.A", "Virus:W97M/Remusi"):
        assert not [alert.title for alert in ours.match(detected(threat)) if "Named" in alert.title], threat


def test_the_user_agents_of_families_are_those_of_the_rule() -> None:
    known = {value.strip("*") for family in families() for one in family.discriminators
             if one.sign.sees == "user-agent" for value in one.sign.any_of}
    text = (FOLDER / "http_stealer_agent.yml").read_text(encoding="utf-8")
    assert known
    assert [agent for agent in known if agent not in text] == []


def test_our_files_have_no_two_parts_of_one_name(ours: RuleSet) -> None:
    """A part is found by its name: first in its own file, and one day perhaps in another."""
    files: defaultdict[str, set[str]] = defaultdict(set)
    for rule in ours.rules:
        if rule.rule.name:
            files[rule.rule.name].add(Path(rule.rule.path).stem)
    assert {name: stems for name, stems in files.items() if len(stems) > 1} == {}
