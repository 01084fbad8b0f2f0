"""What could be judged: sequences as chains of logs, techniques by what shows them."""

from __future__ import annotations

import pytest

import builders as b
from builders import HOST, SYSMON
from douse.content.techniques import Sight
from douse.content.telemetry import Records
from douse.detection.techniques import TechniqueRow, technique_rows
from douse.incident.judged import JudgedSequence, Logs, judged_sequences, judged_techniques, usable
from douse.incident.prerequisites import standings
from douse.incident.quality import Quality
from douse.model import Coverage, Event
from incident.stories import CHROME_STORE

RAN = b.process("C:\\Users\\anna\\x.exe", 500, 1)
POWERSHELL = "Microsoft-Windows-PowerShell/Operational"


def logs_of(*events: Event, network: Coverage = Coverage("", ())) -> Logs:  # noqa: B008  frozen
    quality = Quality()
    for one in events:
        quality.observe(one)
    covered = b.coverage_of(events)
    return Logs(covered, standings(covered, quality.host(HOST)), network)


def judge(*events: Event) -> dict[str, JudgedSequence]:
    return {one.sequence_id: one for one in judged_sequences(logs_of(*events))}


def typed() -> Event:
    return b.run_dialog(b.explorer(), 2, "mshta")


def start() -> Event:
    event = b.process_start(RAN)
    event.fields["Hashes"] = "SHA256=A,IMPHASH=B"
    return event


def everything() -> list[Event]:
    return [typed(), start(), b.injection(RAN, RAN, 4), b.connection(RAN, 5, "203.0.113.1"),
            b.dns_query(RAN, 6, "t.me"), b.store_read(RAN, 2, CHROME_STORE), b.store_read(RAN, 7, CHROME_STORE)]


def states(found: dict[str, JudgedSequence]) -> str:
    return " ".join(f"{name}:{one.state}" for name, one in found.items() if one.hunted)


def test_all_logs_judge_all_sequences() -> None:
    found = judge(*everything())
    assert states(found) == "S1:yes S2:yes S3:yes S4:yes S5:yes S6:yes S7:not needed S8:no S9:no"
    assert usable(found.values()) == "yes"
    assert (found["S5"].since, found["S5"].until) == (b.at(2), b.at(6))


def test_without_an_audit_of_stores_theft_is_not_judged_and_its_substitute_is() -> None:
    found = judge(*everything()[:-2])
    assert states(found) == "S1:yes S2:yes S3:yes S4:no S5:no S6:no S7:yes S8:no S9:no"
    assert usable(found.values()) == "partly"
    assert found["S4"].lacking == ("reads of credential stores",)
    assert "security-store-read" in found["S4"].missing[0]
    assert found["S4"].since is None


def test_an_audit_of_other_files_is_no_audit_of_stores() -> None:
    found = judge(*everything()[:-2], b.store_read(RAN, 2, "C:\\data\\x.docx"))
    assert (found["S4"].state, found["S7"].state) == ("no", "yes")


def test_incomplete_logs_judge_in_part() -> None:
    bare = b.process_start(RAN, "security")
    bare.fields["CommandLine"] = ""
    found = judge(typed(), bare)
    assert (found["S1"].state, found["S1"].reason) == ("partly", "Incomplete: process starts.")
    other_keys = judge(b.registry_set(RAN, 2, "S-1-5-21-1\\Software\\x", "x"), start())
    assert (other_keys["S1"].state, other_keys["S1"].reason) == ("partly", "Incomplete: the command that was typed.")


def test_hashes_are_no_part_of_a_sequence() -> None:
    found = judge(typed(), b.process_start(RAN))
    assert found["S1"].state == "yes"


def test_logs_of_different_weeks_judge_nothing_together() -> None:
    later = b.store_read(RAN, 9_000, CHROME_STORE)
    found = judge(start(), b.connection(RAN, 5, "203.0.113.1"), later)
    assert (found["S5"].state, found["S5"].reason) == ("no", "The logs it needs have no time in common.")
    assert found["S5"].lacking == ()
    assert found["S4"].state == "yes"


def test_no_logs_judge_nothing() -> None:
    found = judge()
    assert states(found) == "S1:no S2:no S3:no S4:no S5:no S6:no S7:no S8:no S9:no"
    assert usable(found.values()) == "no"
    assert found["S3"].reason == "Not logged: process starts, injection, network use by process."


def test_a_verdict_alone_makes_no_host_usable() -> None:
    found = judge(b.event("Microsoft-Windows-Windows Defender/Operational", 1150, 0, {}))
    assert (found["S8"].state, found["S8"].hunted) == ("yes", True)
    assert usable(found.values()) == "no", "it shows what was found, never how a host was robbed"


# --- techniques -------------------------------------------------------------------------------------------------------


def row(*sights: Sight, needs_file: str = "", rules: tuple[str, ...] = ("a", "b")) -> TechniqueRow:
    return TechniqueRow("T1000", "A technique", 2, (), sights, rules, needs_file, "", "", True)


def sight(channel: str, *ids: int) -> Sight:
    return Sight((Records(channel, frozenset(ids) or None),), "", "", "", True)


SEEN, UNSEEN = sight(SYSMON, 1), sight(SYSMON, 7)


@pytest.mark.parametrize(("technique", "state"), [
    (row(SEEN), "yes"), (row(SEEN, UNSEEN), "partly"), (row(UNSEEN), "no"), (row(sight(SYSMON)), "yes"),
    (row(needs_file="capa"), "file"), (row(), "blind")])
def test_a_technique_is_seen_by_all_some_or_none_of_its_records(technique: TechniqueRow, state: str) -> None:
    [found] = judged_techniques([technique], logs_of(start()))
    assert (found.state, found.rules) == (state, 2)


def test_what_a_sensor_shows_counts_in_part() -> None:
    network = Coverage("(network)", b.coverage_of([b.event("Zeek/http", 0, 0, {})]).counts)
    [found] = judged_techniques([row(sight("Zeek/http"))], logs_of(start(), network=network))
    assert found.state == "partly"


def test_records_that_lack_what_matters_count_for_less() -> None:
    bare = b.process_start(RAN, "security")
    bare.fields["CommandLine"] = ""
    on_start, on_read = row(sight("Security", 4688)), row(sight("Security", 4656, 4663))
    other = b.store_read(RAN, 0, "C:\\data\\x.docx")
    [started, read] = judged_techniques([on_start, on_read], logs_of(bare, other))
    assert (started.state, read.state) == ("partly", "no")
    [read] = judged_techniques([on_read], logs_of(b.store_read(RAN, 0, CHROME_STORE)))
    assert read.state == "yes"


def test_every_technique_of_the_matrix_is_judged() -> None:
    rows = technique_rows([])
    found = judged_techniques(rows, logs_of(*everything()))
    assert [one.technique for one in found] == [one.id for one in rows]
    assert {one.state for one in found} <= {"yes", "partly", "no", "file", "blind"}
    nothing = judged_techniques(rows, logs_of())
    assert {one.state for one in nothing} == {"no", "file", "blind"}
