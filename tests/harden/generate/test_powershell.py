"""The PowerShell scripts: a foreign grammar reads them, nothing changes without consent, and no value becomes code."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.harden.generate import auditpol, powershell
from douse.harden.generate.policy import Policy
from douse.harden.generate.powershell import embedded, netsh
from douse.harden.generate.script import BEGIN, END, assembled, script_data
from harden.generate.policies import policy, with_value
from harden.generate.ps_tree import Script

READS = {"set-strictmode", "convertfrom-json", "convertto-json", "new-object", "out-null", "write-warning", "join-path",
         "split-path", "test-path", "get-item", "get-filehash", "where-object", "sort-object", "get-netfirewallrule",
         "get-netfirewallportfilter", "get-netfirewallapplicationfilter", "get-netfirewalladdressfilter",
         "get-netfirewallservicefilter", "get-netfirewallinterfacetypefilter", "get-netfirewallsecurityfilter",
         "get-applockerpolicy", "get-windowsoptionalfeature"}
CHANGES = {"new-netfirewallrule", "remove-netfirewallrule", "set-applockerpolicy", "disable-windowsoptionalfeature",
           "enable-windowsoptionalfeature", "sc.exe", "wevtutil.exe", "auditpol.exe"}
TRANSCRIPT = {"start-transcript", "stop-transcript"}
CHANGING_METHODS = {"setvalue", "deletevalue", "createsubkey", "deletesubkey", "deletesubkeytree", "writealltext",
                    "move", "delete", "createdirectory", "setaccesscontrol", "addauditrule", "removeauditrule",
                    "writealllines", "writeallbytes", "copy", "copyto", "start", "create", "invoke", "setowner",
                    "openremotebasekey"}
SCRIPTS = ("apply.ps1", "verify.ps1", "undo.ps1", "set-sacl.ps1", "undo-sacl.ps1", "audit-switch.ps1")
ALLOWED = {"verify.ps1": READS | {"auditpol.exe"}, "set-sacl.ps1": READS, "undo-sacl.ps1": READS,
           "audit-switch.ps1": READS | {"auditpol.exe"}}
"""What each script may call beside its own functions; the others may do all of CHANGES."""


@cache
def script(name: str) -> Script:
    return Script(assembled(name, script_data({"registry": [], "audit": []})))


@cache
def whole(mode: str = "enforce") -> Policy:
    return policy(mode=mode)


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_is_powershell(name: str) -> None:
    assert script(name).damage == []
    assert not script(name).root.has_error
    assert len(script(name).nodes) > 300  # the grammar saw a program, not one long comment


@pytest.mark.parametrize("name", SCRIPTS)
def test_get_help_finds_the_help(name: str) -> None:
    """PowerShell joins comments without an empty line between them, and help that begins with #Requires is none."""
    head = script(name).data.decode().split("\r\n<#\r\n.SYNOPSIS")[0]
    assert head.startswith("#Requires")
    assert head.endswith("\r\n")
    assert "<#" not in head


@pytest.mark.parametrize("name", SCRIPTS)
def test_it_calls_only_what_is_allowed(name: str) -> None:
    parsed = script(name)
    called = {one.name for one in parsed.commands()} - parsed.functions.keys()
    assert called <= ALLOWED.get(name, READS | CHANGES | TRANSCRIPT)
    assert called  # the walk finds commands


@pytest.mark.parametrize("name", SCRIPTS)
def test_programs_are_called_by_their_whole_path(name: str) -> None:
    for node in script(name).of("command_invokation_operator"):
        command = script(name).text(node.parent).split("'")[0]
        assert command.startswith('& "$env:SystemRoot\\System32\\'), command


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_change_asks_first(name: str) -> None:
    parsed, asked = script(name), 0
    for one in parsed.commands():
        if one.name in CHANGES and one.words[:1] != ("'/backup'",):
            assert parsed.is_guarded(one.node), f"{one.name} in {parsed.inside(one.node)}"
            asked += 1
    for one in parsed.methods():
        if one.name in CHANGING_METHODS or (one.name == "replace" and one.words[0] == "[IO.File]"):
            own = parsed.inside(one.node) == "Get-AuditLine" and parsed.text(one.node) == "[IO.File]::Delete($file)"
            assert own or parsed.is_guarded(one.node), parsed.text(one.node)
            asked += not own
    assert asked == 0 if name == "verify.ps1" else asked > 0


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_change_is_a_dry_run_unless_told(name: str) -> None:
    text = script(name).data.decode()
    if name == "verify.ps1":
        assert "ShouldProcess" not in text
        return
    assert "\r\nif (-not $Execute) { $WhatIfPreference = $true }\r\n" in text
    assert text.index("\r\nif (-not $Execute)") < text.index("ShouldProcess(") or name != "audit-switch.ps1"
    for function in script(name).functions.values():
        body = script(name).text(function)
        assert ("$PSCmdlet.ShouldProcess(" in body) == ("SupportsShouldProcess" in body), body[:60]


@pytest.mark.parametrize("name", SCRIPTS)
def test_names_are_spelled_as_they_are_defined(name: str) -> None:
    parsed = script(name)
    assert parsed.unknown_variables() == set()
    for one in parsed.commands():
        if one.name in parsed.functions:
            known = parsed.parameters(parsed.functions[one.name])
            named = [word[1:].split(":")[0].lower() for word in one.words if word.startswith("-")]
            assert set(named) <= set(known), (one.name, named)
            assert named or len(one.words) <= len(known) + sum(word.startswith(("(", "[")) for word in one.words)


def test_the_guard_of_the_tests_is_seen() -> None:
    """The walk above is only as good as is_guarded."""
    parsed = Script(b"if ($PSCmdlet.ShouldProcess($a, 'b') -and $Execute) { sc.exe } else { sc.exe }\n"
                    b"if ($PSCmdlet.ShouldProcess($a, 'b')) { sc.exe }\nif (-not $Execute) { sc.exe }\nsc.exe")
    assert [parsed.is_guarded(one.node) for one in parsed.commands() if one.name == "sc.exe"] == [
        True, False, False, False, False]


@pytest.mark.parametrize("mode", ["audit", "enforce"])
def test_all_three_hold_the_same_data(mode: str) -> None:
    made = {file.path.name: file.data for file in powershell.files(whole(mode))}
    assert set(made) == {"apply.ps1", "verify.ps1", "undo.ps1", "applocker.xml", "netsh.txt", "set-sacl.ps1",
                         "undo-sacl.ps1"}
    documents = [embedded(made[name]) for name in ("apply.ps1", "verify.ps1", "undo.ps1")]
    assert documents[0] == documents[1] == documents[2]
    assert all(documents[0][word] for word in ("registry", "firewall", "services", "audit", "channels"))
    assert bool(documents[0]["features"]) == (mode == "enforce")
    assert {rule["active"] for rule in documents[0]["firewall"]} == {mode == "enforce"}
    assert documents[0]["applocker"][0]["sha256"] == hashlib.sha256(made["applocker.xml"]).hexdigest().upper()
    word = "enabled" if mode == "enforce" else "auditonly"
    assert all(rule.endswith(f"={word}") for rule in documents[0]["applocker"][0]["rules"])


def test_what_has_a_cmdlet_is_no_bare_value() -> None:
    keys = [value["key"].lower() for value in powershell.document(whole())["registry"]]
    assert keys
    assert not [key for key in keys if key.endswith(r"\firewallrules") or "srpv2" in key]
    assert [key for key in keys if key.endswith(r"windowsfirewall\publicprofile")]  # only rules have one


def test_a_value_as_good_as_wanted_may_stay() -> None:
    values = {value["setting"]: value["accept"] for value in powershell.document(whole())["registry"]}
    assert values["H05/DomainProfile/LogFileSize"] == {"operator": ">=", "operands": ["16384"], "types": ["DWord"]}
    assert values["H33/chrome-allowlist"] is None  # whatever else is on the list, the site's own extension must be
    watching = {value["setting"]: value for value in powershell.document(whole("audit"))["registry"]}
    assert watching["H13/lsass"]["data"] == "2"
    assert "1" in watching["H13/lsass"]["accept"]["operands"]  # a rule that blocks already goes on blocking


@pytest.mark.parametrize(("type_", "data", "seen"), [
    ("REG_DWORD", 4294967295, 4294967295), ("REG_BINARY", b"\x00\xff", "00ff"), ("REG_MULTI_SZ", ("a", ""), ["a", ""]),
    ("REG_QWORD", 2**64 - 1, 2**64 - 1), ("REG_MULTI_SZ", (), []), ("REG_SZ", "", "")])
def test_data_of_every_type(type_: str, data: int | bytes | tuple[str, ...], seen: object) -> None:
    value = powershell.document(with_value(whole(), type_, data))["registry"][-1]
    assert (value["type"], value["data"]) == (type_, seen)


HOSTILE = st.text(st.one_of(st.sampled_from("'@\r\n`$(){}\"\u2018\u2019\u201a\u201b\u201c\u201d\x00\u2028\ud800;|&#"),
                            st.characters()))


@given(HOSTILE, HOSTILE)
def test_no_value_becomes_code(name: str, text: str) -> None:
    start = policy("H03")
    made = next(powershell.files(with_value(start, "REG_SZ", text, name or "x"))).data
    plain = next(powershell.files(with_value(start, "REG_SZ", "plain", "x"))).data
    value = embedded(made)["registry"][-1]
    assert (value["name"], value["data"]) == (name or "x", text)
    assert outside(made) == outside(plain)  # whatever the value, the code is the same


@pytest.mark.parametrize("text", ["'@\n$(calc)", "’@\r\n calc #", "`'@`n", "\n'@", "'@ | iex"])
def test_powershell_sees_one_string(text: str) -> None:
    made = Script(next(powershell.files(with_value(policy("H03"), "REG_SZ", text))).data)
    assert made.damage == []
    strings = list(made.of("verbatim_here_string_characters"))
    assert len(strings) == 1
    assert "\\u0027\\u0040" in made.text(strings[0]) or "\\u2019\\u0040" in made.text(strings[0])
    assert not [one for one in made.commands() if one.name in ("calc", "iex")]


def outside(data: bytes) -> tuple[str, str]:
    """A script without its document."""
    text = data.decode("ascii").replace("\r\n", "\n")
    before, _, rest = text.partition(BEGIN)
    body, _, after = rest.partition(END)
    assert "'" not in body
    assert "@" not in body
    return before, after


def test_a_foreign_script_holds_no_document() -> None:
    with pytest.raises(ValueError, match="no document of ours"):
        embedded(b"Get-Item x")
    with pytest.raises(ValueError, match="no document of ours"):
        embedded(assembled("verify.ps1", "[]"))


def test_netsh_lines() -> None:
    lines = [netsh(rule) for rule in whole().firewall]
    assert len(lines) == 2
    for add, delete in lines:
        assert add.count('"') == 4
        assert "dir=out action=block" in add
        assert "enable=yes" in add
        assert add.split('"')[1] == delete.split('"')[1]
        assert not set(add + delete) & set("|&<>^\n")
    [text] = [file.data for file in powershell.files(whole()) if file.path.name == "netsh.txt"]
    assert text.decode().splitlines()[2:4] == [add for add, _ in lines]


@given(HOSTILE)
def test_a_name_ends_no_line_of_netsh(name: str) -> None:
    rule = replace(policy("H01").firewall[0], name=name)
    for line in netsh(rule):
        assert line.isascii()
        assert len(line.splitlines()) == 1
        assert not set(line) & set("|&<>^`$'")


def test_the_switch_of_the_window_leaves_the_other_half() -> None:
    made = {file.path.name: file.data for file in auditpol.files(policy("H03"))}
    assert set(made) == {"connections-on.ps1", "connections-off.ps1"}
    for word, state in (("on", "enable"), ("off", "disable")):
        wanted = {**auditpol.CONNECTIONS, "success": state, "failure": ""}
        assert embedded(made[f"connections-{word}.ps1"]) == {"audit": [wanted]}


def test_commands_of_modules_are_told_to_stop() -> None:
    """They do not see the script's own $ErrorActionPreference: without it a failure would pass for success."""
    parsed = script("apply.ps1")
    of_modules = [one for one in parsed.commands() if one.name not in parsed.functions
                  and ("-net" in one.name or "applocker" in one.name or "windowsoptionalfeature" in one.name)]
    assert len(of_modules) >= 10
    assert [one.words for one in of_modules if one.words[-2:] != ("-ErrorAction", "Stop")] == []
