"""The sentence: it names what was found, in words no stronger than the evidence."""

from __future__ import annotations

import builders as b
from douse.incident.verdict import listed
from incident.stories import CHROME_STORE, FIREFOX_STORE, LURE, MSHTA, REGASM, SERVER, Story, lumma


def test_the_whole_chain_is_one_sentence() -> None:
    incident = lumma().incident()
    assert incident.title == "Infostealer incident, possible exfiltration"
    assert incident.verdict == (
        "Infostealer incident: user anna ran a pasted command (mshta.exe); RegAsm.exe was injected and read the "
        "credential stores of Chrome, Opera, Firefox and Exodus; mshta.exe used the network; RegAsm.exe asked t.me, "
        f"where stealers look up their server; possible exfiltration (bytes unknown) to {SERVER}:443."
    )
    assert incident.users == (b.ANNA.name,)


def test_without_auditing_it_says_what_nobody_can_know() -> None:
    incident = lumma(audit=False).incident()
    assert incident.title == "Probable infostealer, theft cannot be excluded, possible exfiltration"
    assert "theft cannot be excluded: credential-store reads were not audited" in incident.verdict
    assert "credential store of" not in incident.verdict


def test_weaker_evidence_has_weaker_words() -> None:
    story = Story()
    host = b.process(REGASM, 500, 0, b.explorer())
    story.alert(b.process_start(host), "I", "Bare start", role="injected-host")
    handle = b.store_read(host, 5, CHROME_STORE)
    requested = b.event("Security", 4656, 5, dict(handle.fields))
    story.alert(requested, "C", "Handle requested", store="chromium")
    sentence = story.incident().verdict
    assert "RegAsm.exe shows signs of injection and accessed the credential store of Chrome" in sentence
    assert "was injected" not in sentence


def test_a_foreign_credential_rule_claims_no_store() -> None:
    story = Story()
    story.alert(b.process_start(b.process("C:\\x.exe", 500)), "C", "LSASS dumped", fidelity=0.4)
    assert "x.exe accessed credentials" in story.incident().verdict


def test_weak_signs_are_called_that_and_spread_no_alarm() -> None:
    story = Story()
    story.alert(b.process_start(b.process(MSHTA, 500, 0, b.explorer())), "D", "Opened an archive", "low", fidelity=0.7)
    incident = story.incident()
    assert incident.title == "Weak signs only"
    assert incident.verdict == "Weak signs only: Opened an archive."


def test_a_serious_alert_alone_is_not_called_weak_and_explorer_was_not_run() -> None:
    story = Story()
    story.alert(b.run_dialog(b.explorer(), 0, LURE), "X", "Command pasted", "high", role="run-dialog")
    incident = story.incident()
    assert incident.level == "medium"
    assert incident.verdict == ("Suspicious activity: Command pasted; theft cannot be excluded: credential-store reads "
                                "were not audited.")


def test_the_user_who_pasted_is_named_although_another_is_in_the_tree() -> None:
    story = lumma()
    other = b.process("C:\\Users\\ben\\x.exe", 9100, 20, b.process(MSHTA, 5000, 0.0, b.explorer(4173)), user=b.BEN)
    story.alert(b.process_start(other), "X", "Run as another user")
    incident = story.incident()
    assert incident.users == (b.ANNA.name, b.BEN.name)
    assert "user anna ran a pasted command (mshta.exe)" in incident.verdict


def test_a_file_name_cannot_speak_for_us() -> None:
    story = Story()
    liar = b.process("C:\\Users\\anna\\x.exe; this was a test by the administrator", 500, 0, b.explorer())
    story.alert(b.process_start(liar), "X", "Started")
    long = b.process(f"C:\\Users\\anna\\{'a' * 300}.exe", 600, 1, liar)
    story.alert(b.process_start(long), "X", "Started")
    verdict = story.incident().verdict
    assert '"x.exe; this was a test by the administrator" and aaa' in verdict
    assert len(verdict) < 300


def test_the_family_is_never_guessed() -> None:
    for incident in (lumma().incident(), lumma(audit=False).incident()):
        assert incident.family == "unattributed infostealer"
        assert "attribution" in incident.family_detail


def test_two_users_in_one_tree_are_both_named() -> None:
    story = Story()
    parent = b.process("C:\\Windows\\System32\\runas.exe", 400, 0, b.explorer())
    story.alert(b.process_start(parent), "X", "Runas")
    story.read(b.process("C:\\Users\\ben\\x.exe", 500, 5, parent, user=b.BEN), 9, FIREFOX_STORE, "gecko")
    story.log(b.process_start(b.process("C:\\Users\\ben\\x.exe", 500, 5, parent, user=b.BEN)))
    assert story.incident().users == (b.ANNA.name, b.BEN.name)


def test_lists_are_short_and_grammatical() -> None:
    assert [listed(list("abcdefgh"[:n])) for n in (0, 1, 2, 3, 7)] == [
        "",
        "a",
        "a and b",
        "a, b and c",
        "a, b, c, d, e and 2 more",
    ]


def test_an_indicator_that_was_given_is_named() -> None:
    story = Story()
    seen = b.connection(b.process("C:\\x.exe", 500), 3, SERVER)
    told = b.event(b.SYSMON, 3, 3, {**seen.fields, "IndicatorType": "ipv4-addr", "IndicatorValue": SERVER})
    story.alert(told, "R", "Indicator seen", "high", role="ioc")
    assert f"{SERVER} is a given indicator" in story.incident().verdict
