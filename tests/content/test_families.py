"""Families as data: names, signs and the ladder, and that no sign claims more than its kind of evidence gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.content import families as loader
from douse.content.families import families
from douse.content.family_table import CONFIDENCES, EVIDENCE, OBSERVABLES, contradicts
from douse.content.stores import stores
from douse.errors import ContentError

FAMILIES = {"lumma", "vidar", "stealc", "raccoon", "redline", "rhadamanthys", "acr", "meduza", "darkcloud",
            "agent-tesla", "katz", "remus", "strela"}


def test_the_families_of_the_threat_model_are_there() -> None:
    assert {family.id for family in families()} == FAMILIES
    assert {loader.id for loader in families().loaders} >= {"hijackloader", "castleloader", "amadey"}


def test_behaviour_is_low_at_most_and_a_vendor_alone_is_medium() -> None:
    for family in families():
        for one in family.discriminators:
            most = families().confidence({one.evidence})
            assert CONFIDENCES.index(one.confidence) <= CONFIDENCES.index(most), f"{family.id}: {one.id}"
            if one.evidence in ("behaviour", "protocol", "static"):
                assert one.confidence == "low", f"{family.id}: {one.id}"


@pytest.mark.parametrize(("evidence", "level"), [
    (set(), ""), ({"behaviour"}, "low"), ({"behaviour", "protocol", "static"}, "low"), ({"vendor"}, "medium"),
    ({"vendor", "behaviour"}, "medium"), ({"yara"}, "medium"), ({"sandbox"}, "medium"), ({"ioc"}, "medium"),
    ({"vendor", "protocol"}, "high"), ({"vendor", "yara", "behaviour"}, "high"), ({"yara", "ioc"}, "medium"),
    ({"memory-yara", "protocol"}, "confirmed"), ({"config", "ioc", "vendor"}, "confirmed"),
    ({"yara", "protocol"}, "medium"),
])
def test_the_ladder(evidence: set[str], level: str) -> None:
    assert families().confidence(evidence) == level


@pytest.mark.parametrize(("text", "names"), [
    ("Trojan:Win32/LummaStealer.AB!MTB", ["Lumma"]), ("Win32/Spy.LummaStealer.B", ["Lumma"]),
    ("LummaC2 Stealer", ["Lumma"]), ("lummac2", ["Lumma"]), ("Trojan:Win32/Vidar.PA!MTB", ["Vidar"]),
    ("RecordBreaker", ["Raccoon"]),
    ("PWS:MSIL/RedLine.GG!MTB", ["RedLine"]), ("Agent Tesla v3", ["Agent Tesla"]), ("Amatera Stealer", ["ACR"]),
    ("ACR Stealer", ["ACR"]), ("IDAT Loader", ["HijackLoader"]), ("GHOSTPULSE", ["HijackLoader"]),
    ("HackTool:Win32/Mimikatz.D", []), ("HEUR:Trojan-PSW.MSIL.Agent.gen", []), ("Trojan:Win32/Wacatac.B!ml", []),
    ("Snake Keylogger", []), ("Ransom:Win32/Medusa", []), ("", []),
])
def test_a_name_means_a_family_or_nothing(text: str, names: list[str]) -> None:
    assert [one.name for one in families().named(text)] == names


@pytest.mark.parametrize(("sees", "value", "who"), [
    ("domain", "steamcommunity.com", {"lumma", "vidar", "acr"}),
    ("domain", "T.ME", {"lumma", "vidar", "acr"}),
    ("domain", "evil.steamcommunity.com.example", set()),
    ("domain", "api.telegram.org", {"agent-tesla", "darkcloud"}),
    ("network-image", "C:\\Windows\\BitLockerDiscoveryVolumeContents\\BitLockerToGo.exe", {"lumma"}),
    ("network-image", "C:\\Windows\\System32\\dialer.exe", {"rhadamanthys"}),
    ("start", "more.com > vbc.exe", {"lumma"}),
    ("url", "http://203.0.113.4/0123456789abcdef.php", {"stealc"}),
    ("url", "http://203.0.113.4/0123456789abcdeg.php", set()),
    ("url", "https://steamcommunity.com/profiles/76561199000000000", {"vidar"}),
    ("user-agent", "record", {"raccoon"}),
    ("user-agent", "my record player", set()),
    ("user-agent", "Mozilla/5.0 katz-ontop", {"katz"}),
    ("module", "C:\\Users\\a\\AppData\\Local\\Temp\\received_dll.dll", {"katz"}),
    ("body", "access_token=abc&debug=0", {"remus"}),
    ("protocol", "smtp", {"agent-tesla", "darkcloud"}),
    ("string", "", set()),
])
def test_a_value_suggests_all_families_that_it_fits(sees: str, value: str, who: set[str]) -> None:
    assert {family.id for family, _ in families().suggested(sees, value)} == who


def test_what_speaks_against_a_family() -> None:
    known = {family.id: family for family in families()}
    assert any(contradicts(one, "store", "chromium") for one in known["strela"].contradictions)
    assert not any(contradicts(one, "store", "mail") for one in known["strela"].contradictions)
    assert any(contradicts(one, "protocol", "SMTP") for one in known["lumma"].contradictions)
    assert not any(contradicts(one, "domain", "smtp") for one in known["lumma"].contradictions)


def test_no_sign_of_a_family_speaks_against_it_and_shared_ones_are_shared() -> None:
    for family in families():
        for one in family.discriminators:
            assert one.sign.sees in ("", *OBSERVABLES)
            for against in family.contradictions:
                assert not set(one.sign.any_of) & set(against.sign.any_of) or one.sign.sees != against.sign.sees
            for pattern in one.sign.any_of:
                if not set(pattern) & set("*#"):
                    others = {other.id for other, _ in families().suggested(one.sign.sees, pattern)} - {family.id}
                    assert others <= set(one.shared_with), f"{family.id}: {one.id} {pattern} is also of {others}"


def test_stores_that_are_named_exist() -> None:
    known = {store.id for store in stores()}
    named = {pattern for family in families() for one in (*family.discriminators, *family.contradictions)
             if one.sign.sees == "store" for pattern in one.sign.any_of}
    assert named <= known


def test_the_readme_names_every_word() -> None:
    readme = (loader.FOLDER / "README.md").read_text(encoding="utf-8")
    assert [word for word in (*EVIDENCE, *OBSERVABLES) if f"`{word}`" not in readme] == []


@given(st.sampled_from(OBSERVABLES), st.text(max_size=60))
def test_any_value_may_be_asked(sees: str, value: str) -> None:
    for family, one in families().suggested(sees, value):
        assert one in family.discriminators


GOOD = """id: one
name: One
aliases: [Uno]
discriminators:
  - {id: a, text: A sign, evidence: behaviour, confidence: low, sees: domain, any_of: [a.example], sources: [p], \
verified: true}
contradictions: [{text: No, verified: false}]
sources: [{id: p, text: A page., verified: true}]
"""
LADDER = "levels: [{level: medium, any_of: [vendor]}, {level: low, any_of: [behaviour]}]\n"
LOADERS = "loaders: [{id: l, name: L, aliases: [], delivers: [one], verified: true, source: A page.}]\n"


def load(folder: Path, monkeypatch: pytest.MonkeyPatch, family: str = GOOD, ladder: str = LADDER,
         loaders: str = LOADERS) -> loader.Families:
    for name, text in (("one.yml", family), ("ladder.yml", ladder), ("loaders.yml", loaders)):
        (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(loader, "FOLDER", folder)
    return loader.families.__wrapped__()


def test_a_family_is_read_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = load(tmp_path, monkeypatch)
    assert [one.name for one in known.named("Trojan.Uno")] == ["One"]
    assert [(family.id, one.id) for family, one in known.suggested("domain", "a.example")] == [("one", "a")]


@pytest.mark.parametrize(("old", "new", "says"), [
    ("id: one", "id: two", r"one\.yml:1: id must be the file's name"),
    ("confidence: low", "confidence: medium", r"one\.yml:5: behaviour alone is low at most, not medium"),
    ("evidence: behaviour", "evidence: config", r"one\.yml:5: config alone is nothing at most"),
    ("evidence: behaviour", "evidence: gut", r"one\.yml:5: evidence must be one of"),
    ("sees: domain, ", "", r"one\.yml:5: sees and any_of go together"),
    ("any_of: [a.example], ", "", r"one\.yml:5: sees and any_of go together"),
    ("any_of: [a.example]", "any_of: ['*']", r"one\.yml:5: any_of has a pattern that every text would fit"),
    ("sees: domain", "sees: dreams", r"one\.yml:5: sees must be one of"),
    ("sources: [p], ", "sources: [], ", r"one\.yml:5: a is verified without a source"),
    ("sources: [p]", "sources: [q]", r"one\.yml:5: sources has 'q'"),
    ("confidence: low, ", "confidence: low, shared_with: [three], ", r"one\.yml:5: shared_with has 'three'"),
    ("verified: false", "verified: no", r"one\.yml:6: verified must be one of"),
    ("aliases", "alias", r"one\.yml:3: unknown key 'alias'\. Did you mean 'aliases'"),
    ("[Uno]", "[L]", r"'l' means one and l"),
])
def test_a_wrong_file_is_named_with_its_line(old: str, new: str, says: str, tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    assert old in GOOD
    with pytest.raises(ContentError, match=says):
        load(tmp_path, monkeypatch, GOOD.replace(old, new, 1))


@pytest.mark.parametrize(("ladder", "loaders", "says"), [
    ("levels: [{level: low, any_of: [gut]}]\n", LOADERS, r"ladder\.yml:1: any_of has 'gut'"),
    ("levels: [{level: sure, any_of: [vendor]}]\n", LOADERS, r"ladder\.yml:1: level must be one of"),
    (LADDER, LOADERS.replace("[one]", "[two]"), r"loaders\.yml:1: delivers has 'two'"),
])
def test_a_wrong_ladder_or_loader_is_named(ladder: str, loaders: str, says: str, tmp_path: Path,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ContentError, match=says):
        load(tmp_path, monkeypatch, ladder=ladder, loaders=loaders)
