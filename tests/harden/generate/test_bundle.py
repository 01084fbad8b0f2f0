"""A whole bundle: the same bytes each time, sums that fit, a README that tells all, no evidence in it."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from conftest import FUZZ
from douse.content.controls import controls
from douse.errors import EvidenceError, OutputError
from douse.harden.evidence import walk
from douse.harden.gathered import Evidence
from douse.harden.generate import plan
from douse.harden.generate.bundle import Bundle, generate
from douse.harden.generate.changes import changes_json
from douse.harden.generate.formats import FORMATS, realised_settings, unsaid
from douse.harden.generate.policy import WORDS, BundleFile, GenerateOptions, Policy
from douse.harden.generate.readme import readme
from douse.harden.observed import Subject
from douse.harden.registry import RegistryValue
from douse.harden.seen import Source
from harden.generate.go_files import GROUP, TODAY, go_file, site_file
from harden.generate.machine import read_reg

ALL = tuple(FORMATS)
SOURCE = Source("collector", "PC-7.json", "0" * 64)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Everything, enforced, in every format."""
    folder = tmp_path_factory.mktemp("bundle")
    return generate(GenerateOptions(("all",), ALL, "enforce", "recommended", go_file(folder), site_file(folder),
                                    today=TODAY))


def text_of(made: Bundle, name: str) -> str:
    """A file of a bundle as text."""
    return next(file.data for file in made.files if str(file.path) == name).decode()


def test_the_table_has_every_word_and_its_modules() -> None:
    assert set(FORMATS) <= set(WORDS)
    assert [word for word in WORDS if word in FORMATS] == list(FORMATS)
    for word, one in FORMATS.items():
        assert one.word == word
        assert callable(one.load())
        assert one.deploy
        assert one.undo.endswith(".")


def test_paths_are_relative_different_without_case_and_named_by_us(made: Bundle) -> None:
    paths = [str(file.path) for file in made.files]
    assert len({path.casefold() for path in paths}) == len(paths)
    for file in made.files:
        assert not file.path.is_absolute()
        assert ".." not in file.path.parts
        assert re.fullmatch(r"[A-Za-z0-9 {}./_-]+", str(file.path))
        assert file.about
    assert paths[:2] == ["README.md", "changes.json"]
    assert paths[-1] == "SHA256SUMS"
    assert {"preflight.json"} <= set(paths)


def test_the_same_options_give_the_same_bytes(made: Bundle, tmp_path: Path) -> None:
    again = generate(GenerateOptions(("all",), tuple(reversed(ALL)), "enforce", "recommended", go_file(tmp_path),
                                     site_file(tmp_path), today=TODAY))
    assert again.files == made.files


def test_sums_fit(made: Bundle, tmp_path: Path, tool: Callable[[str], Path]) -> None:
    for file in made.files:
        place = tmp_path / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.data)
    checked = subprocess.run([tool("sha256sum"), "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True,
                             check=True)
    assert checked.stdout.count(": OK\n") == len(made.files) - 1
    (tmp_path / "changes.json").write_bytes(b"{}")
    assert subprocess.run([tool("sha256sum"), "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True,
                          check=False).returncode == 1


def test_the_readme_says_what_an_administrator_needs(made: Bundle, tmp_path: Path) -> None:
    text = text_of(made, "README.md")
    for part in ("ever run on Windows", "sha256sum -c SHA256SUMS", "## In which order",
                 "**Kill switch**", "## Taking it back", "| 1 | the IT department | 3 days |",
                 "| 2 | 5 % of the computers, from every department | 7 days |", "## What nobody has verified",
                 "## What it does not set", "- Verdict: **GO**, on 2026-11-20",
                 "- Watched: 3 of the inventory's 3 computers, for 30 days to 2026-11-19; 100 % had to be",
                 r"Example \& Sons"):
        assert part in text, part
    assert hashlib.sha256(go_file(tmp_path).read_bytes()).hexdigest() in text
    does = {one.control for one in made.policy.registry} | {one.control for one in made.policy.changes}
    for control in controls():
        assert (f"### {control.id} " in text) == (control.id in does)
        assert f"{control.id}" in text
    for file in made.files:
        assert file.path.name in text
    assert text.isascii() or set(text) - set(map(chr, range(128))) <= {"—"}


def test_the_readme_warns_of_what_hurts(made: Bundle) -> None:
    """What an allow list stops, what stays when a GPO goes, what a GPO's audit policy replaces, and what to stop."""
    text = text_of(made, "README.md")
    for part in ("for **all** programs", "lies outside Program Files and Windows would not start", "they *tattoo*",
                 "- service: AppIDSvc: automatic", "may lose those that no GPO sets", "is **enforced** by Windows",
                 "unlink the GPO, then `gpupdate /force`; remove the assignment"):
        assert part in text, part
    stays = text.partition("(they *tattoo*):")[2].partition("\n\nThese")[0]
    assert "!RunAsPPL`" in stays
    assert "Policies" not in stays
    heads = re.findall("^## (.+)$", text, re.MULTILINE)
    assert heads[:4] == ["In which order", "The pre-flight", "Deploying it", "Taking it back"]
    assert len(text) < 60_000
    only = text_of(generate(GenerateOptions(("H13", "H16", "H17"), ("reg",))), "README.md")
    assert "attack surface reduction, PUAProtection, EnableNetworkProtection" in only
    assert "**Kill switch**: `reg import reg\\undo.reg`." in only
    assert "GPO, then" not in only


def test_every_left_setting_is_in_the_readme_and_in_changes(made: Bundle) -> None:
    text, rows = text_of(made, "README.md"), json.loads(text_of(made, "changes.json"))
    assert {row["setting"] for row in rows["left"]} == {one.setting.id for one in made.policy.left}
    for one in made.policy.left:
        assert one.setting.id.partition("/")[2].replace("_", "\\_").replace("*", "\\*") in text


def test_all_that_a_bundle_sets_is_in_its_changes(made: Bundle) -> None:
    rows = json.loads(text_of(made, "changes.json"))
    assert rows["format"] == "douse.changes/1"
    assert {row["setting"] for row in (*rows["registry"], *rows["other"])} == {
        setting.id for _, setting in realised_settings(made.policy)}
    assert all(row["old"] == {"known": False, "why": "no evidence was given (--before)"} for row in rows["registry"])
    assert {row["undo"] for row in rows["registry"]} == {"remove", "leave"}


def test_a_setting_that_no_format_says_is_named() -> None:
    made = generate(GenerateOptions(("H07", "H44"), ("gpo",)))
    assert ("H44", "H44/Microsoft-Windows-Crypto-DPAPI/Debug") in made.unsaid
    assert "None of the formats chosen says it. Add --as powershell." in text_of(made, "README.md")
    assert not list(unsaid(made.policy, ("gpo", "powershell")))


def test_each_format_says_what_its_table_says(made: Bundle) -> None:
    """A format writes something exactly where the table says that it has a word for something of the policy."""
    for word, one in FORMATS.items():
        for control in ("H07", "H08", "H13", "H28", "H43"):
            policy, _ = plan.planned(GenerateOptions((control,), (word,), "audit"))
            policy = replace(made.policy, controls=policy.controls, left=(), registry=tuple(
                change for change in made.policy.registry if change.control == control), changes=tuple(
                change for change in made.policy.changes if change.control == control), firewall=())
            said = any(one.can_say(setting) for _, setting in realised_settings(policy))
            files = [file for file in one.load()(policy) if not file.path.name.startswith((
                "connections-", "APPLY", "manifest", "bkupInfo", "Backup"))]
            if word != "powershell":  # its scripts are there whatever they set
                assert bool(files) == said, (word, control, files)


def test_exceptions_are_told_as_people_do_them(tmp_path: Path) -> None:
    record = go_file(tmp_path, verdict="GO WITH EXCEPTIONS", groups=(GROUP,))
    text = text_of(generate(GenerateOptions(("H01", "H06"), ("gpo",), "enforce", preflight=record, today=TODAY)),
                   "README.md")
    assert f"- `{GROUP[0]}` (`{GROUP[1]}`)" in text
    assert "deny *Apply group policy*" in text
    assert "**computer** accounts" in text


def test_rules_that_begin_in_audit_are_told(made: Bundle) -> None:
    text = text_of(made, "README.md")
    assert "`5beb7efe-fd9a-4556-801d-275e5ffc04cc`" in text
    assert "Set them to 1 when event 1122" in text


def test_a_bundle_without_anything_is_an_error() -> None:
    with pytest.raises(OutputError, match="would be empty: all 1 settings of these controls are left, the first"):
        generate(GenerateOptions(("H25",), ("reg",)))
    with pytest.raises(OutputError, match="says nothing of what these controls set"):
        generate(GenerateOptions(("H07",), ("reg",)))


def host_of(evidence: Evidence, name: str, text: str) -> Subject:
    """A host with a hostile text in every place that a bundle could look at."""
    host = evidence.host(name)
    for control in controls():
        for setting in control.settings:
            hive, key, value = (getattr(setting, one, "") for one in ("hive", "key", "name"))
            if hive:
                host.registry.add(hive, key, value, RegistryValue("REG_SZ", text), SOURCE, where=text, raw=text,
                                  profile=text if hive == "HKCU" else "")
    return host


HOSTILE = "CANARY]\r\n;\"'`$(calc)|&<>\u2019\u2028\x1b[31m#{}"


@settings(max_examples=FUZZ or 15)  # each makes every format
@given(st.text(max_size=40).map(lambda text: HOSTILE + text.replace("\0", "")))
def test_no_text_of_evidence_comes_into_a_script_or_the_readme(text: str) -> None:
    evidence = Evidence()
    host = host_of(evidence, text, text)
    policy, _ = plan.planned(GenerateOptions(("H05", "H09", "H12", "H22", "H28", "H41"), ALL, "enforce"))
    policy = replace(policy, before=host)
    files = [file for word in ALL for file in FORMATS[word].load()(policy)]
    seen = set()
    for file in (*files, *_front(policy, files)):
        found = b"CANARY" in file.data or "CANARY".encode("utf-16-le") in file.data
        name = str(file.path)
        seen |= {name} if found else set()
        assert not found or name == "changes.json" or re.fullmatch(
            r"(reg|gpo-undo)/undo(-user-\d+)?\.reg|pol/undo/(Machine|User)/registry\.pol", name), name
        if name.endswith(".reg"):
            list(read_reg(file.data))
        if name.endswith(".xml"):
            etree.fromstring(file.data)
        if name.endswith(".json"):
            json.loads(file.data)
        if name == "reg/undo.reg":
            assert any(value == RegistryValue("REG_SZ", text) for *_, value in read_reg(file.data))
    assert {"changes.json", "pol/undo/Machine/registry.pol"} <= seen


def _front(policy: Policy, files: list[BundleFile]) -> Iterator[BundleFile]:
    yield BundleFile(PurePosixPath("README.md"), readme(policy, ALL, files).encode(), "x")
    yield BundleFile(PurePosixPath("changes.json"), changes_json(policy), "x")


@pytest.mark.parametrize(("hosts", "said"), [((), "holds nothing that a computer had"), (("A", "B"), "2 computers")])
def test_before_is_of_one_computer(monkeypatch: pytest.MonkeyPatch, hosts: tuple[str, ...], said: str) -> None:
    evidence = Evidence()
    for name in hosts:
        host_of(evidence, name, "x")
    monkeypatch.setattr(walk, "gather", lambda paths: evidence)
    with pytest.raises(EvidenceError, match=said):
        generate(GenerateOptions(("H03",), ("reg",), "enforce", before=("evidence",)))


def test_before_tells_old_values_and_what_could_not_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = Evidence()
    host = evidence.host("PC-7")
    key = r"SOFTWARE\Policies\Microsoft\WindowsFirewall\PublicProfile"
    host.registry.add("HKLM", key, "EnableFirewall", RegistryValue("REG_DWORD", 0), SOURCE, where="line 7")
    evidence.lost("broken.pol", "is cut off.")
    monkeypatch.setattr(walk, "gather", lambda paths: evidence)
    made = generate(GenerateOptions(("H03",), ("reg",), "enforce", before=("evidence",)))
    assert [problem.where for problem in made.problems] == ["broken.pol"]
    row = next(row for row in json.loads(text_of(made, "changes.json"))["registry"] if row["key"] == key)
    assert row["old"] == {"known": True, "value": {"type": "REG_DWORD", "data": 0}, "source": "PC-7.json (line 7)"}
    assert row["undo"] == "restore"


def test_what_is_good_already_is_told_before_it_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = Evidence()
    add = evidence.host("PC-7").registry.add
    asr = r"SOFTWARE\Policies\Microsoft\Windows Defender\Windows Defender Exploit Guard\ASR\Rules"
    add("HKLM", r"SOFTWARE\Policies\Microsoft\WindowsFirewall\DomainProfile\Logging", "LogFileSize",
        RegistryValue("REG_DWORD", 32_767), SOURCE)
    add("HKLM", r"SOFTWARE\Policies\Microsoft\WindowsFirewall\PublicProfile\Logging", "LogFileSize",
        RegistryValue("REG_DWORD", 4_096), SOURCE)
    for guid, state in (("be9ba2d9-53ea-4cdc-84e5-9b1eeee46550", "1"), ("d3e037e1-3eb8-44c8-a917-57927947596d", "0")):
        add("HKLM", asr, guid, RegistryValue("REG_SZ", state), SOURCE)
    monkeypatch.setattr(walk, "gather", lambda paths: evidence)
    made = generate(GenerateOptions(("H05", "H13"), ("reg",), before=("evidence",)))
    assert made.replaced == ("H05/DomainProfile/LogFileSize", "H13/mail-executables")
    text = text_of(made, "README.md")
    for name in made.replaced:
        assert name in text
    assert "let that one win (link order)" in text


def test_markdown_is_well_formed_for_a_reader(made: Bundle) -> None:
    """Every table row has as many cells as its heading, and every link names a file of the bundle."""
    text, paths = text_of(made, "README.md"), {str(file.path) for file in made.files}
    width = 0
    for line in text.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert cells in (0, width) or not width, line
        width = cells
    links = [unquote(link) for link in re.findall(r"\]\(([^)]+)\)", text)]
    assert links
    assert set(links) <= paths

