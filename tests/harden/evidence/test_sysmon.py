"""What `Sysmon64 -c` prints."""

from __future__ import annotations

import pytest

from douse.harden.evidence.sysmon import recorded
from harden.evidence.given import given, only, told

OUTPUT = """

System Monitor v15.15 - System activity monitor
By Mark Russinovich and Thomas Garnier

Current configuration:
 - Service name:                  Sysmon64
 - Driver name:                   SysmonDrv
 - Config file:                   C:\\Windows\\config.xml
 - Config hash:                   SHA256=6F5C1404DC97F2CFC72E17CCB5849C339B4AAD2D77FE36D123709219423B3E66

 - HashingAlgorithms:             SHA256,IMPHASH
 - Network connection:            enabled
 - DNS lookup:                    enabled

Rule configuration (version 4.90):
 - ProcessCreate                      onmatch: exclude   combine rules using 'Or'
\tImage                          filter: is           value: 'C:\\Windows\\x.exe'
 - FileCreateTime                     onmatch: include   combine rules using 'Or'
 - NetworkConnect                     onmatch: include   combine rules using 'Or'
\tImage                          filter: image        value: 'mshta.exe'
\tImage                          filter: image        value: 'a - ImageLoad onmatch: exclude'
 - RegistryEvent                      onmatch: include   combine rules using 'Or'
\tCompound Rule   filter: And   value: ''
 - WmiEvent                           onmatch: exclude   combine rules using 'Or'
 - Unknown                            onmatch: exclude
"""


@pytest.mark.parametrize("data", [OUTPUT, OUTPUT.replace("\n", "\r\n"), OUTPUT.encode("utf-16")])
def test_an_output(data) -> None:
    evidence = given("PC-7.txt", data, reader="sysmon")
    (seen,) = only(evidence).sysmon
    assert seen.value.running is None  # the configuration is there also while it is stopped
    assert seen.value.ids == {1, 3, 12, 13, 14, 19, 20, 21}
    assert seen.value.hashes == {"SHA256", "IMPHASH"}
    assert (only(evidence).name, told(evidence)) == ("PC-7", [])
    assert seen.raw == "events 1, 3, 12, 13, 14, 19, 20, 21; hashes SHA256,IMPHASH"


def test_without_rules_its_events_are_unknown() -> None:
    evidence = given("PC-7.txt", OUTPUT.partition("Rule configuration")[0] + "No rules installed\n", reader="sysmon")
    assert only(evidence).sysmon[0].value.ids is None
    assert "lists no rules" in evidence.notes[-1].what
    assert recorded("") is None


@pytest.mark.parametrize(("rules", "ids"), [
    (" - ProcessCreate onmatch: include\n\tA filter: is\n - ProcessCreate onmatch: exclude\n\tB filter: is\n", {1}),
    (" - ProcessCreate onmatch: include\n - ProcessCreate onmatch: exclude\n\tB filter: is\n", set()),
    (" - ProcessCreate onmatch: exclude\n", {1}), (" - PipeEvent onmatch: exclude\n", {17, 18}),
    ("\tA filter: is\n - ImageLoad onmatch: include\n", set())])
def test_include_and_exclude_of_one_event(rules, ids) -> None:
    assert recorded(rules) == ids


def test_a_star_is_every_hash() -> None:
    evidence = given("PC-7.txt", OUTPUT.replace("SHA256,IMPHASH", "*"), reader="sysmon")
    assert only(evidence).sysmon[0].value.hashes == {"SHA1", "MD5", "SHA256", "IMPHASH"}


def test_what_cannot_be_used() -> None:
    evidence = given("PC-7.txt", "System Monitor\nCurrent configuration:\n - Service name: x\n", reader="sysmon")
    assert told(evidence) == ["PC-7.txt: does not say Sysmon's hashes."]
    evidence = given("about.txt", OUTPUT, reader="sysmon")
    assert "nor does the file's name" in told(evidence)[0]
