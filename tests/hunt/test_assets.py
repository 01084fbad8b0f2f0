"""Inventories: whose a computer is, by name or address, and which impact that makes it possible to name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import builders as b
from douse import api
from douse.errors import ContentError
from douse.hunt.allow import read_allow
from douse.hunt.assets import OT_BEGINNINGS, OT_WORDS, Assets, read_assets, with_asset
from douse.hunt.options import HuntOptions
from douse.incident.network_facts import NetworkFacts
from douse.model import Incident

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tuning.md"
HEADER = "host,ip,role,owner,criticality\n"
HOST = "WS-042.corp.example"


def assets(tmp_path: Path, *lines: str, header: str = HEADER) -> Assets:
    path = tmp_path / "assets.csv"
    path.write_text(header + "\n".join(lines) + "\n", encoding="utf-8")
    return read_assets([path])


@pytest.mark.parametrize(("line", "host", "known"), [
    ("ws-042,,r,o,c", HOST, True),
    ("WS-042.CORP.example.,,r,o,c", "ws-042.corp.EXAMPLE", True),
    ("ws-042.corp.example,,r,o,c", "WS-042", True),
    ("ws-042.lab.example,,r,o,c", HOST, False),
    ("ws-04,,r,o,c", HOST, False),
    (",10.1.1.1,r,o,c", "10.1.1.1", True),
    ("x,10.1.1.1 10.1.1.2,r,o,c", "10.1.1.2", True),
    (",2001:db8::1,r,o,c", "2001:DB8:0::1", True),
    (",10.1.1.1,r,o,c", HOST, False),
    ("10,,r,o,c", "10.1.1.1", False),
])
def test_hosts_are_found_by_name_or_address(line: str, host: str, known: bool, tmp_path: Path) -> None:
    found = assets(tmp_path, line).of(host)
    assert (found is not None) is known
    if found:
        assert (found.role, found.owner, found.criticality) == ("r", "o", "c")
        assert found.where == f"{tmp_path / 'assets.csv'}:2"


def test_a_short_name_of_two_computers_is_neither(tmp_path: Path) -> None:
    both = assets(tmp_path, "ws-1.a.example,,r,o,c", "ws-1.b.example,,r,o,c")
    assert both.of("ws-1") is None
    assert both.of("ws-1.a.example") is not None


def test_a_line_without_a_name_is_found_by_the_addresses_of_the_hosts_own_records(tmp_path: Path) -> None:
    network = NetworkFacts()
    network.observe(b.connection(b.process(r"C:\x.exe", 7), 0, "203.0.113.41"))
    ((own,),) = [{socket.source for socket in network.sockets(b.HOST)}]
    for lines, known in (([f",{own},r,o,c"], True), ([f"other,{own},r,o,c"], False), ([",10.99.9.9,r,o,c"], False),
                         ([f",{own},r,o,c", f"{b.HOST},,named,o,c"], True)):
        found = assets(tmp_path, *lines).of_hosts([b.HOST], network)
        assert (b.HOST in found) is known, lines
    assert found[b.HOST].role == "named"


@pytest.mark.parametrize(("lines", "line", "what", "next_step"), [
    ([",,r,o,c"], 2, "neither host nor ip", "at least one"),
    (["x,10.0.0.300,r,o,c"], 2, "'10.0.0.300' is no address", "10.9.0.5"),
    (["x,127.0.0.1,r,o,c"], 2, "'127.0.0.1' is no address", ""),
    (["10.0.0.1,,r,o,c"], 2, "host '10.0.0.1' is an address", "under ip"),
    (["x,,r,o,c", "", "X,,r,o,high"], 4, "something else of 'x' than", "one line for one computer"),
    (["x,10.0.0.1,r,o,c", "y,10.0.0.1,r,o,c"], 3, "something else of '10.0.0.1' than", ""),
    (["x,10.0.0.1"], 2, "has 2 cells", "separator"),
])
def test_bad_lines(lines: list[str], line: int, what: str, next_step: str, tmp_path: Path) -> None:
    with pytest.raises(ContentError) as caught:
        assets(tmp_path, *lines)
    assert caught.value.where == f"{tmp_path / 'assets.csv'}:{line}"
    assert what in caught.value.what
    assert next_step in caught.value.next_step


def test_a_computer_may_have_several_equal_lines_and_a_table_fewer_columns(tmp_path: Path) -> None:
    found = assets(tmp_path, "x,10.0.0.1,r", "x,10.0.0.2,r", header="host,ip,role\n")
    assert found.of("10.0.0.2") is not None
    assert found.of("x") is not None


@pytest.mark.parametrize(("role", "criticality", "marked"), [
    ("engineering workstation", "", "role 'engineering workstation'"),
    ("Engineering_Workstation", "", "role 'Engineering_Workstation'"),
    ("OT", "high", "role 'OT'"),
    ("OT server", "", "role 'OT server'"),
    ("jump host", "OT/high", "criticality 'OT'"),
    ("server; HMI", "SCADA", "role 'HMI', criticality 'SCADA'"),
    ("software engineering laptop", "high", ""),
    ("Otto's laptop", "", ""),
    ("office", "critical", ""),
    ("historians' archive", "", ""),
    ("", "", ""),
])
def test_the_words_that_mark_a_computer_as_industrial(role: str, criticality: str, marked: str, tmp_path: Path) -> None:
    found = assets(tmp_path, f"x,,{role},o,{criticality}").of("x")
    assert found is not None
    assert found.marked == marked


@pytest.fixture(scope="module")
def incidents(scenario: Callable[..., Path]) -> dict[str, Incident]:
    """Real incidents: one with a theft and a transfer, one whose log shows no read of a store."""
    return {name: api.hunt(HuntOptions(paths=(str(scenario(name)),))).incidents[0]
            for name in ("lumma-clickfix", "lumma-clickfix-no-audit")}


def test_t0882_needs_the_mark_a_store_and_a_transfer(incidents: dict[str, Incident], tmp_path: Path) -> None:
    marked = assets(tmp_path, "x,,EWS,Plant 2,high").of("x")
    plain = assets(tmp_path, "x,,laptop,Plant 2,high").of("x")
    theft, unseen = incidents["lumma-clickfix"], incidents["lumma-clickfix-no-audit"]
    named = with_asset(theft, marked)
    assert named.impact == ("T0882",)
    for words in (f"{tmp_path / 'assets.csv'}:2", "role 'EWS'",
                  "Possible exfiltration (bytes unknown)", "203.0.113.41:443", "No log says"):
        assert words in named.impact_reason
    assert (named.level, named.score, named.stages) == (theft.level, theft.score, theft.stages)
    assert {score.evidence_class for score in unseen.classes} >= {"O"}
    assert "C" not in {score.evidence_class for score in unseen.classes}
    kept = tuple(score for score in theft.classes if score.evidence_class != "O")
    for incident, asset in ((theft, plain), (unseen, marked), (replace(theft, classes=kept), marked)):
        with_it = with_asset(incident, asset)
        assert (with_it.impact, with_it.impact_reason, with_it.asset) == ((), "", asset)
    assert with_asset(theft, None) is theft


def test_a_hunt_carries_the_assets_and_says_where_no_host_is_known(
        scenario: Callable[..., Path], tmp_path: Path) -> None:
    path = tmp_path / "assets.csv"
    path.write_text(HEADER + "ws-042,,HMI,Plant 2,high\nother,,HMI,,\n", encoding="utf-8")
    logs = str(scenario("lumma-clickfix")), str(scenario("benign-day"))
    result = api.hunt(HuntOptions(paths=logs, assets=(path,)))
    assert set(result.assets) == {HOST}
    assert {incident.host: incident.impact for incident in result.incidents if incident.asset} == {HOST: ("T0882",)}
    assert not any("assets.csv" in note for note in result.notes)
    path.write_text(HEADER + "other,,HMI,,\n", encoding="utf-8")
    result = api.hunt(HuntOptions(paths=logs, assets=(path,)))
    assert f"{path}: no host of this run is among its 1 line(s)" in result.notes
    assert not any(incident.impact or incident.asset for incident in result.incidents)


def test_the_page_shows_lists_that_load_and_all_words(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    allow, inventory = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)
    for name, text in (("allow.csv", allow), ("assets.csv", inventory)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    entries, _ = read_allow([tmp_path / "allow.csv"])
    assert [len(entry.remarks) for entry in entries] == [0, 1]
    known = read_assets([tmp_path / "assets.csv"])
    marks = {host: bool(asset.marked) for host in ("ews-01", "ws-042", "10.9.0.20") if (asset := known.of(host))}
    assert marks == {"ews-01": True, "ws-042": False, "10.9.0.20": True}
    words, beginnings = " ".join(page.split()).partition("or brackets:")[2].split("or the part must begin")
    assert set(re.findall(r"`([a-z ]+)`", words)) == OT_WORDS
    assert set(re.findall(r"`([a-z]+)`", beginnings)) == OT_BEGINNINGS
