"""The ladder of attribution: behaviour names nobody, a vendor's name does, and what speaks against it is shown."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

import builders as b
from douse.hunt.options import HuntOptions
from douse.hunt.run import hunt
from douse.incident.family import UNATTRIBUTED, in_words
from douse.model import Attribution, FamilyEvidence, Incident, Value
from incident.stories import CHROME_STORE, FIREFOX_STORE, MSHTA, REGASM, SERVER, Story, lumma

DEFENDER = "Microsoft-Windows-Windows Defender/Operational"
SETUP = "C:\\Users\\anna\\Downloads\\setup.exe"


def defender(threat: str, seconds: float = 0.0, role: str = "vendor-family", event_id: int = 1116) -> Story:
    """W8: Defender named a file in the downloads folder."""
    story = Story()
    fields: dict[str, Value] = {"ThreatName": threat, "Path": f"file:_{SETUP}", "DetectionID": "{A-1}"}
    story.alert(b.event(DEFENDER, event_id, seconds, fields), "V", "Defender Named a Known Stealer", "high", role=role)
    return story


def ran() -> Story:
    """The downloaded program was started, which joins what is said of it."""
    story = Story()
    story.alert(b.process_start(b.process(SETUP, 700, -1, b.explorer())), "X", "Started From Downloads")
    return story


def request(url: str, agent: str, seconds: float = 0.0) -> Story:
    """A proxy's record of a request by the host."""
    host, _, _ = url.partition("://")[2].partition("/")
    fields: dict[str, Value] = {"cs-method": "POST", "cs-host": host, "c-uri": f"{url}, /page", "c-useragent": agent,
                                "dst_ip": SERVER, "src_ip": "10.0.0.15", "dst_port": "80", "User": b.ANNA.name}
    story = Story()
    story.alert(b.event("Proxy/access", 0, seconds, fields), "R", "Request to a Server", "high")
    return story


def indicated(family: str, *, age: timedelta | None = timedelta(days=3), kind: str = "domain-name",
              value: str = "bad.example", until: timedelta | None = None) -> Story:
    """An indicator from outside was seen in a look-up."""
    fields = {"QueryName": value, "QueryResults": f"{SERVER};", "ProcessId": "700", "Image": REGASM,
              "IndicatorType": kind, "IndicatorValue": value, "IndicatorFamily": family,
              "IndicatorSource": "feed.txt:3", "IndicatorValidFrom": "", "IndicatorValidUntil": ""}
    if age is not None:
        fields["IndicatorValidFrom"] = f"{b.START - age:%Y-%m-%dT%H:%M:%SZ}"
    if until is not None:
        fields["IndicatorValidUntil"] = f"{b.START + until:%Y-%m-%dT%H:%M:%SZ}"
    story = Story()
    story.alert(b.event(b.SYSMON, 22, 0, {**fields}), "R", "Indicator seen", "high", role="ioc")
    return story


def of(incident: Incident) -> Attribution:
    assert incident.attribution is not None
    assert incident.family == incident.attribution.family
    return incident.attribution


def test_behaviour_alone_names_nobody() -> None:
    incident = lumma().incident()
    found = of(incident)
    assert (found.family, found.confidence) == (UNATTRIBUTED, "low")
    assert {"Lumma", "Vidar", "StealC"} <= set(found.consistent_with)
    assert "consistent with" in incident.family_detail
    assert "Lumma" in incident.family_detail
    assert "others" in incident.family_detail
    assert {e.kind for e in found.evidence} == {"behaviour"}
    assert all(set(e.alert_ids) <= set(incident.alert_ids) and e.alert_ids for e in found.evidence)


def test_a_dead_drop_fits_better_than_a_store_that_everybody_reads() -> None:
    names = of(lumma().incident()).consistent_with
    assert max(names.index(name) for name in ("ACR", "Lumma", "Vidar")) < names.index("StealC")


def test_what_speaks_against_a_family_takes_it_from_the_list() -> None:
    story = lumma()
    assert "Strela" not in of(story.incident()).consistent_with
    mail = Story()
    thief = b.process(SETUP, 700, 0, b.explorer())
    mail.read(thief, 1, "C:\\Users\\anna\\AppData\\Roaming\\Thunderbird\\Profiles\\x\\logins.json", "mail")
    assert "Strela" in of(mail.incident()).consistent_with
    mail.read(thief, 2, CHROME_STORE, "chromium")
    assert "Strela" not in of(mail.incident()).consistent_with


def test_without_a_theft_behaviour_says_nothing() -> None:
    story = Story()
    mshta = b.process(MSHTA, 500, 0, b.explorer(), "mshta https://verify.example/a")
    story.alert(b.process_start(mshta), "X", "Mshta", "high")
    story.alert(b.dns_query(mshta, 1, "t.me"), "R", "Dead drop", role="dead-drop")
    found = of(story.incident())
    assert found == Attribution(UNATTRIBUTED, "", "", "", (), (), ())
    assert "nothing that was seen is enough" in in_words(found)


def test_a_vendors_name_alone_is_medium() -> None:
    incident = defender("Trojan:Win32/LummaStealer.AB!MTB").incident()
    found = of(incident)
    assert (found.family, found.confidence, found.loader, found.consistent_with) == ("Lumma", "medium", "", ())
    assert "antivirus" in incident.family_detail
    assert "alone" in incident.family_detail
    assert found.evidence[0].kind == "vendor"


@pytest.mark.parametrize("threat", ["Trojan:Win32/Wacatac.B!ml", "PWS:Win32/PasswordStealer",
                                    "Trojan:Win32/Kepavll!rfn", "HackTool:Win32/Mimikatz.D", "Snake Keylogger", ""])
def test_a_generic_name_is_no_attribution(threat: str) -> None:
    found = of(defender(threat, role="vendor-stealer").incident())
    assert (found.family, found.confidence, found.evidence) == (UNATTRIBUTED, "", ())


def test_a_vendors_name_and_the_server_agree() -> None:
    story = ran().extend(defender("Trojan:Win32/LummaStealer!MTB"))
    incident = story.extend(request("http://bad.example/c2sock", "TeslaBrowser/5.5", 3)).incident()
    found = of(incident)
    assert (found.family, found.confidence) == ("Lumma", "high")
    assert "how it speaks to its server" in incident.family_detail


def test_a_sign_that_others_share_does_not_raise() -> None:
    story = ran().extend(defender("Trojan:Win32/Vidar!MTB"))
    found = of(story.extend(request("https://steamcommunity.com/profiles/7656", "Mozilla/5.0", 3)).incident())
    assert (found.family, found.confidence) == ("Vidar", "medium")
    assert {e.kind for e in found.evidence} == {"vendor", "protocol", "behaviour"}


def test_two_names_alike_name_nobody() -> None:
    story = ran().extend(defender("Trojan:Win32/LummaStealer!MTB")).extend(defender("Trojan:Win32/Vidar.PA!MTB", 4))
    incident = story.incident()
    found = of(incident)
    assert found.family == UNATTRIBUTED
    assert set(found.consistent_with) == {"Lumma", "Vidar"}
    assert {e.family for e in found.contradictions} == {"Lumma", "Vidar"}
    assert "alike" in incident.family_detail


def test_the_better_name_wins_and_the_other_is_shown() -> None:
    story = ran().extend(defender("Trojan:Win32/LummaStealer!MTB")).extend(defender("Trojan:Win32/Vidar.PA!MTB", 4))
    found = of(story.extend(request("http://bad.example/c2sock", "x", 6)).incident())
    assert (found.family, found.confidence) == ("Lumma", "high")
    assert [e.family for e in found.contradictions] == ["Vidar"]
    assert "Against it speaks: An antivirus calls it Trojan:Win32/Vidar" in in_words(found)


def test_a_loader_is_told_apart() -> None:
    incident = defender("Trojan:Win32/HijackLoader!MTB", role="vendor-loader").incident()
    found = of(incident)
    assert (found.family, found.confidence) == (UNATTRIBUTED, "")
    assert (found.loader, found.loader_confidence) == ("HijackLoader", "medium")
    assert "HijackLoader" in incident.family_detail
    both = ran().extend(defender("Trojan:Win32/HijackLoader!MTB")).extend(defender("Trojan:Win32/LummaStealer!MTB", 4))
    assert (of(both.incident()).family, of(both.incident()).loader) == ("Lumma", "HijackLoader")


@pytest.mark.parametrize(("story", "family"), [
    (indicated("Lumma Stealer"), "Lumma"),
    (indicated("Lumma, malicious-activity"), "Lumma"),
    (indicated("Lumma", age=timedelta(days=-5)), "Lumma"),
    (indicated("Lumma", age=timedelta(days=31)), UNATTRIBUTED),
    (indicated("Lumma", age=None), UNATTRIBUTED),
    (indicated("Lumma", until=timedelta(hours=-1)), UNATTRIBUTED),
    (indicated("Lumma", value="t.me"), UNATTRIBUTED),
    (indicated("Botnet"), UNATTRIBUTED),
])
def test_only_a_fresh_indicator_names_a_family(story: Story, family: str) -> None:
    found = of(story.incident())
    assert found.family == family
    assert found.confidence == ("medium" if family != UNATTRIBUTED else "")


def test_an_indicator_that_does_not_count_is_shown_with_the_reason() -> None:
    incident = indicated("Lumma", age=timedelta(days=40)).incident()
    (evidence,) = of(incident).evidence
    assert "more than 30 days" in evidence.text
    assert "a hint does not suffice" in incident.family_detail


def test_unverified_evidence_says_so() -> None:
    guess = FamilyEvidence("Meduza", "protocol", "Sends over TCP without HTTP: raw-tcp", ("a",), verified=False)
    open_ = Attribution(UNATTRIBUTED, "low", "", "", ("Meduza",), (guess,), ())
    assert "not verified" in in_words(open_)
    named = Attribution("Lumma", "medium", "", "", (), (), (guess,))
    assert "(not verified)" in in_words(named)


def test_mail_ports_speak_against_a_family_that_sends_by_http() -> None:
    story = ran().extend(defender("Trojan:Win32/LummaStealer!MTB"))
    story.alert(b.connection(b.process(SETUP, 700, -1, b.explorer()), 2, SERVER, 587), "R", "Connected")
    assert any("HTTP only" in e.text for e in of(story.incident()).contradictions)


def test_the_same_alerts_in_any_order_give_the_same() -> None:
    story = lumma().extend(defender("Trojan:Win32/Vidar.PA!MTB", 18))
    turned = Story(story.events, story.alerts[::-1])
    assert [i.attribution for i in story.incidents()] == [i.attribution for i in turned.incidents()]


def test_a_long_list_of_values_is_cut() -> None:
    story = Story()
    thief = b.process(SETUP, 700, 0, b.explorer())
    for number in range(9):
        other = b.process(f"C:\\Users\\anna\\AppData\\Local\\Temp\\{number}\\x{number}.pif", 800 + number, 1, thief)
        story.alert(b.process_start(other), "X", "Started")
        story.read(other, 2, FIREFOX_STORE, "gecko")
    (evidence,) = (e for e in of(story.incident()).evidence if e.family == "Lumma")
    assert evidence.text.count(".pif") == 3
    assert len(evidence.alert_ids) == 18


def test_real_logs_name_nobody(shared: Path) -> None:
    folder = shared / "data" / "evtx"
    result = hunt(HuntOptions(paths=tuple(sorted(map(str, folder.glob("sbousseaden__*"))))))
    assert len(result.incidents) > 5
    assert {incident.family for incident in result.incidents} == {UNATTRIBUTED}
    assert {of(incident).consistent_with for incident in result.incidents} == {()}
