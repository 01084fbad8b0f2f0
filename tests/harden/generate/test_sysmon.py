"""Sysmon's configuration: our schema accepts it, and a model of its filter records every event that a rule needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from conftest import missing
from douse.content.cases import FOLDER, Case, load_cases
from douse.content.controls import controls
from douse.content.settings import SysmonSetting
from douse.content.telemetry import requirements
from douse.errors import ContentError
from douse.harden.generate.policy import Policy
from douse.harden.generate.sysmon import files
from douse.harden.generate.sysmon_filters import ALSO, SILENT, filters
from harden.generate.policies import policy
from harden.generate.sysmon_model import TAGS, Recorder

SCHEMA = Path(__file__).parent.parent / "schemas" / "sysmon.xsd"
SYSMON = "Microsoft-Windows-Sysmon/Operational"
FIREFOX = r"C:\Program Files\Mozilla Firefox\firefox.exe"
CHROME = r"C:\Program Files\Google\Chrome\Application\chrome.exe"
USER = r"C:\Users\anna\AppData\Local"


@cache
def xml() -> bytes:
    return next(files(policy("H41"))).data


@cache
def recorder() -> Recorder:
    return Recorder(xml())


@cache
def asked() -> SysmonSetting:
    [found] = [setting for control in controls() for setting in control.settings if isinstance(setting, SysmonSetting)]
    return found


@pytest.fixture(scope="module")
def schema():
    try:
        from lxml import etree
    except ImportError:
        missing("lxml is not installed; run `make setup`")
    return etree.XMLSchema(etree.parse(str(SCHEMA)))


def test_the_schema_accepts_it(schema) -> None:
    from lxml import etree

    schema.assertValid(etree.fromstring(xml()))


@pytest.mark.parametrize(("old", "new"), [
    (b"<TargetImage ", b"<TargetFile "), (b'condition="end with"', b'condition="ends with"'),
    (b'onmatch="exclude"', b'onmatch="without"'), (b"SHA256,IMPHASH", b"SHA256;IMPHASH"),
    (b'groupRelation="and"', b'groupRelation="nor"'), (b'schemaversion="4.82"', b'schemaversion="15.1"')])
def test_the_schema_refuses_what_sysmon_would(schema, old: bytes, new: bytes) -> None:
    from lxml import etree

    changed = xml().replace(old, new)
    if new.startswith(b"<"):
        changed = changed.replace(b"</TargetImage>", b"</TargetFile>")
    assert changed != xml()
    assert not schema.validate(etree.fromstring(changed))


def test_every_event_of_the_control_has_a_filter_that_records() -> None:
    for event_id in (*asked().ids, *ALSO):
        tag = TAGS[event_id]
        included = recorder().filters.get((tag, "include"))
        assert (tag, "exclude") in recorder().filters if included is None else any(len(one) for one in included), tag
    assert recorder().root.findtext("HashAlgorithms") == ",".join(asked().hashes) == "SHA256,IMPHASH"


def test_what_nobody_asked_for_is_off() -> None:
    for tag in SILENT:
        [only] = recorder().filters[tag, "include"]
        assert len(only) == 0
        assert (tag, "exclude") not in recorder().filters
    assert not recorder().records(24, {"Image": CHROME})  # what people copy is not recorded


def test_every_gap_that_sysmon_closes_is_closed() -> None:
    wanted = {id_ for one in requirements() for records in one.any_of if records.channel == SYSMON
              for id_ in records.event_ids or ()}
    assert wanted
    assert wanted <= {*asked().ids, *ALSO}


def proof() -> Iterator[tuple[str, Case]]:
    for path in sorted(FOLDER.glob("*.yml")):
        for case in load_cases(path).match:
            yield from ((path.stem, one) for one in (case, *case.later) if one.channel == SYSMON)


def test_every_event_that_fires_a_rule_is_recorded() -> None:
    lost = [f"{rule}: {case.name}" for rule, case in proof() if not recorder().records(case.event_id, case.fields)]
    assert lost == []
    seen = Counter(case.event_id for _, case in proof())
    assert {1, 3, 7, 8, 10, 11, 12, 13, 22, 25} <= seen.keys()  # so the loop above looked at something of each


@pytest.mark.parametrize(("event_id", "fields", "recorded"), [
    (3, {"Image": CHROME, "DestinationIp": "8.8.8.8"}, False),
    (3, {"Image": USER + r"\Google\Chrome\Application\chrome.exe"}, True),  # anybody can put a program there
    (3, {"Image": r"C:\Program Files\Opera\96.0\opera.exe"}, False),
    (3, {"Image": r"C:\Windows\System32\mshta.exe"}, True),
    (7, {"Image": FIREFOX, "ImageLoaded": r"C:\Program Files\Mozilla Firefox\nss3.dll", "Signed": "true"}, False),
    (7, {"Image": USER + r"\Temp\a.exe", "ImageLoaded": r"C:\Program Files\Mozilla Firefox\nss3.dll"}, True),
    (7, {"Image": r"C:\Windows\notepad.exe", "ImageLoaded": r"C:\Windows\System32\ntdll.dll", "Signed": "true"}, False),
    (10, {"SourceImage": r"C:\Windows\System32\svchost.exe", "TargetImage": CHROME, "GrantedAccess": "0x1000"}, False),
    (10, {"SourceImage": CHROME, "TargetImage": CHROME, "GrantedAccess": "0x1fffff"}, False),
    (10, {"SourceImage": r"C:\Windows\Temp\x.exe", "TargetImage": CHROME, "GrantedAccess": "0x10"}, True),
    (10, {"SourceImage": r"C:\Windows\System32\x.exe", "TargetImage": r"C:\Windows\System32\lsass.exe",
          "GrantedAccess": "0x1010"}, True),
    (11, {"Image": CHROME, "TargetFilename": USER + r"\Google\Chrome\User Data\Default\Login Data"}, False),
    (11, {"Image": CHROME, "TargetFilename": r"C:\Users\anna\Downloads\setup.exe"}, True),  # a download is evidence
    (11, {"Image": r"C:\Windows\Temp\a.exe", "TargetFilename": r"C:\ProgramData\A1B2C3D4E5F6G7H8I9J0K1L2M\x"}, True),
    (11, {"Image": r"C:\Windows\notepad.exe", "TargetFilename": r"C:\Users\anna\Documents\letter.docx"}, False),
    (11, {"Image": r"C:\Windows\WinSxS\t.exe", "TargetFilename": r"C:\Windows\WinSxS\a.dll"}, False),
    (13, {"TargetObject": r"HKLM\SOFTWARE\Microsoft\Windows Defender\Signature Updates\LastUpdated"}, False),
    (13, {"TargetObject": r"HKU\S-1-5-21-1-2-3-1001\Software\Vendor\Setting"}, False),
    (7, {"Image": FIREFOX, "ImageLoaded": USER + r"\Temp\a.dll", "Signed": "false"}, True),  # put into the browser
    (7, {"Image": FIREFOX, "ImageLoaded": r"C:\Windows\System32\spool\drivers\color\a.dll", "Signed": "false"}, True),
    (7, {"Image": FIREFOX, "ImageLoaded": r"C:\Windows\System32\vaultcli.dll", "Signed": "true"}, False),
    (10, {"SourceImage": CHROME, "TargetImage": r"C:\Windows\System32\lsass.exe", "GrantedAccess": "0x1410"}, True),
    (11, {"Image": r"C:\Windows\Temp\a.exe", "TargetFilename": r"C:\Windows\servicing\Sessions\a.exe"}, True),
    (13, {"TargetObject": r"HKU\S-1-5-21-1-2-3-1001\Software\Microsoft\Windows\CurrentVersion\Run"
                          r"\x\Windows Defender\Signature Updates"}, True),  # a value may have any name
    (26, {"Image": r"C:\Windows\Temp\a.exe", "TargetFilename": r"C:\Users\anna\AppData\Local\Temp\a.ps1"}, True),
    (26, {"Image": r"C:\Windows\explorer.exe", "TargetFilename": r"C:\Users\anna\Documents\letter.docx"}, False)])
def test_noise_is_left_out_and_evidence_is_not(event_id: int, fields: dict[str, str], recorded: bool) -> None:
    assert recorder().records(event_id, fields) is recorded


def test_nothing_left_out_lies_where_a_user_can_write() -> None:
    folders = ("c:\\program files\\", "c:\\program files (x86)\\", "c:\\windows\\winsxs\\",
               "c:\\windows\\softwaredistribution\\", "c:\\windows\\assembly\\nativeimages_", "c:\\windows\\system32\\",
               "c:\\programdata\\microsoft\\windows defender\\platform\\",
               "hklm\\software\\microsoft\\windows defender\\")
    checked = 0
    for (_, onmatch), events in recorder().filters.items():
        for event in events if onmatch == "exclude" else ():
            for rule in event:
                conditions = list(rule) if rule.tag == "Rule" else [rule]
                starts = [(one.text or "").lower() for one in conditions
                          if one.attrib["condition"] in ("is", "begin with")]
                assert starts, [one.text for one in conditions]
                assert all(text.startswith(folders) for text in starts), [one.text for one in conditions]
                checked += 1
    assert checked > 20


def asking_for(start: Policy, ids: tuple[int, ...]) -> Policy:
    changes = [replace(change, setting=replace(change.setting, ids=ids)) for change in start.changes
               if isinstance(change.setting, SysmonSetting)]
    return replace(start, changes=tuple(changes))


def test_fewer_events_leave_the_others_off() -> None:
    few = Recorder(next(files(asking_for(policy("H41"), (1, 13)))).data)
    assert few.records(1, {})
    assert few.records(13, {"TargetObject": r"HKU\S-1\...\Explorer\RunMRU\a"})
    assert not few.records(22, {"QueryName": "example.com"})
    assert not few.records(3, {"Image": r"C:\Windows\Temp\a.exe"})


def test_an_event_without_a_filter_is_told() -> None:
    with pytest.raises(ContentError, match="no filter is written for event 29"):
        list(files(asking_for(policy("H41"), (1, 29))))


def test_tags_are_those_of_the_page() -> None:
    assert {id_: one.tag for id_, one in filters().items()} == {id_: TAGS[id_] for id_ in filters()}


def test_both_files_or_none() -> None:
    assert [str(file.path) for file in files(policy("H41"))] == ["sysmon/sysmon.xml", "sysmon/APPLY.txt"]
    assert list(files(policy("H03"))) == []
    assert xml() == next(files(policy("H41"))).data
