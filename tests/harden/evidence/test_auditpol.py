"""auditpol's CSV in every form and language: subcategories by GUID, settings by number or by English word."""

from __future__ import annotations

import pytest

from douse.harden.evidence import auditpol
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence
from douse.harden.observed import AuditState, Subject
from harden.evidence.given import given, only, told

PROCESS, FILES, FILTER = (f"0CCE92{part}-69AE-11D9-BED3-505054503030" for part in ("2B", "1D", "26"))
GET = ("Machine Name,Policy Target,Subcategory,Subcategory GUID,Inclusion Setting,Exclusion Setting\r\n\r\n"
       f"PC-7,System,Process Creation,{{{PROCESS}}},Success,\r\n"
       f"PC-7,System,File System,{{{FILES.lower()}}},Success and Failure,\r\n"
       f"PC-7,System,Filtering Platform Connection,{{{FILTER}}},No Auditing,\r\n")
GERMAN = ("Computername,Richtlinienziel,Unterkategorie,Unterkategorie-GUID,Aufnahmeeinstellung,Ausschlusseinstellung"
          f"\r\nPC-7,System,Prozesserstellung,{{{PROCESS}}},Erfolg und Fehler,\r\n"
          f"PC-7,System,Dateisystem,{{{FILES}}},Keine Überwachung,\r\n")
BACKUP = ("Computername,Richtlinienziel,Unterkategorie,Unterkategorie-GUID,Aufnahmeeinstellung,Ausschlusseinstellung,"
          "Einstellungswert\r\n"
          f"PC-7,System,Prozesserstellung,{{{PROCESS}}},Erfolg und Fehler,,3\r\n"
          f"PC-7,System,Dateisystem,{{{FILES}}},Fehler,,2\r\n"
          f"PC-7,System,Filter,{{{FILTER}}},Keine Überwachung,,0\r\n"
          f"PC-7,S-1-5-21-1-2-3-1001,Filter,{{{FILTER}}},Erfolg,,1\r\n"
          "PC-7,,Option:CrashOnAuditFail,,Deaktiviert,,0\r\nPC-7,,FileGlobalSacl,,,,\r\n")


def states(subject: Subject) -> dict[str, list[tuple[bool, bool]]]:
    return {guid: [(seen.value.success, seen.value.failure) for seen in found] for guid, found in subject.audit.items()}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_get(encoding) -> None:
    evidence = given("anything.csv", GET.encode(encoding), reader="auditpol")
    assert only(evidence).name == "PC-7"
    assert states(only(evidence)) == {PROCESS: [(True, False)], FILES: [(True, True)], FILTER: [(False, False)]}
    assert told(evidence) == []
    seen = only(evidence).audit[PROCESS][0]
    assert (seen.where, seen.raw, seen.source.kind) == ("line 3", "Success", "auditpol")


def test_words_of_another_language_stay_unknown() -> None:
    evidence = given("PC-7.csv", GERMAN, reader="auditpol")
    assert evidence.subjects[0].audit == {}
    (line,) = told(evidence)
    assert "2 of 2 subcategories have a setting in words that are not English ('Erfolg und Fehler')" in line
    assert "/backup" in evidence.problems[0].next_step


def test_backup_has_a_number_in_every_language() -> None:
    evidence = given("backup.csv", BACKUP.encode("cp1252"), reader="auditpol")
    assert states(only(evidence)) == {PROCESS: [(True, True)], FILES: [(False, True)], FILTER: [(False, False)]}
    assert told(evidence) == []
    assert "Windows-1252" in evidence.notes[0].what


def test_a_policy_leaves_at_zero_what_it_does_not_set() -> None:
    evidence, policy = Evidence(), Subject("policy", "GPO")
    rows = BACKUP.replace("PC-7,", ",").replace(",,3", ",,4")
    auditpol.add(rows, policy, EvidenceFile("audit.csv", "audit.csv", b"").source("gpo_audit"), evidence, "audit.csv")
    assert states(policy) == {PROCESS: [(False, False)], FILES: [(False, True)]}
    assert evidence.problems == []


def test_rows_without_a_machine_are_of_the_files_host() -> None:
    rows = GET.replace("PC-7,", ",")
    evidence = given("SRV-1_auditpol.csv", rows, reader="auditpol")
    assert only(evidence).name == "SRV-1"
    assert "does not name its machine; it is taken as that of SRV-1" in evidence.notes[0].what
    evidence = given("auditpol.csv", rows, reader="auditpol")
    assert evidence.subjects == ()
    assert "nor does the file's name" in told(evidence)[0]
    evidence = given("auditpol/audit.csv", rows, reader="auditpol")  # as a bundle has it
    assert (only(evidence).kind, told(evidence)) == ("policy", [])


def test_damaged_rows_are_counted() -> None:
    evidence = given("x.csv", GET + 'PC-7,"System,never closed\r\nPC-7,System\r\nPC-7,System,x,nothing,Success,\r\n',
                     reader="auditpol")
    assert len(only(evidence).audit) == 3
    assert told(evidence) == ["x.csv:6: 3 lines are no rows of an audit policy."]


def test_nothing_in_it() -> None:
    evidence = given("PC-7.csv", GET.partition("PC-7")[0], reader="auditpol")
    assert told(evidence) == ["PC-7.csv: has no row of an audit policy."]


def test_a_hostile_name_of_a_machine_is_only_a_name() -> None:
    evidence = given("x.csv", GET.replace("PC-7", "\x1b[31m../../evil"), reader="auditpol")
    assert only(evidence).name == "\x1b[31m../../evil"
    assert only(evidence).audit[PROCESS][0].value == AuditState(True, False)


def test_other_tables_are_not_for_this_reader() -> None:
    for text in ("a,b,c,d,e\n1,2,3,4,5\n", "ID,Name,GUID\n", "", "Machine Name\n"):
        assert not auditpol.looks(EvidenceFile("x.csv", "x.csv", text.encode()))
