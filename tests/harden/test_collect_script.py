"""The collector's script only reads: everything it could do is on a list here, and a change that writes is found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from conftest import missing
from douse.content.controls import controls
from douse.content.settings import FeatureSetting, RegistrySetting, ServiceSetting
from douse.errors import ContentError
from douse.harden.collect import PROGRAMS, TEMPLATE, Asked, asked, constants, quoted, script

if TYPE_CHECKING:
    from tree_sitter import Node

CMDLETS = {
    "Get-CimInstance": {"-ClassName", "-Namespace", "-OperationTimeoutSec"},
    "Get-Date": set(),
    "Get-FileHash": {"-LiteralPath", "-Algorithm"},
    "Get-Item": {"-LiteralPath"},
    "Get-MpPreference": set(),
    "Get-MpComputerStatus": set(),
    "Get-NetFirewallProfile": {"-PolicyStore"},
    "Get-NetFirewallApplicationFilter": {"-PolicyStore"},
    "Get-NetFirewallRule": {"-AssociatedNetFirewallApplicationFilter"},
    "Get-NetFirewallPortFilter": {"-AssociatedNetFirewallRule"},
    "Get-AppLockerPolicy": {"-Effective", "-Xml"},
    "Get-Acl": {"-LiteralPath", "-Audit"},
    "Test-Path": {"-LiteralPath"},
    "Where-Object": set(),
    "ForEach-Object": set(),
    "ConvertTo-Json": {"-InputObject", "-Depth", "-Compress"},
    "Write-Output": set(),
}
"""Cmdlets that cannot write, with the parameters they may have here."""

PROGRAM_CALLS = {
    r'& "$system32\whoami.exe" /groups',
    r'& "$system32\auditpol.exe" /get ' + "'/category:*' /r",
    r'& "$system32\CiTool.exe" -lp -json',
    r'& "$system32\reg.exe" query "$($key.Name)" /ve /reg:64',
    r'& "$system32\reg.exe" query "$($key.Name)" /v "$Name" /reg:64',
    r'& "$system32\reg.exe" query "$($key.Name)" /s /reg:64',
}
"""Programs, each call word for word."""

MEMBERS = {
    "OpenBaseKey": 2, "OpenSubKey": 1, "GetValueKind": 1, "GetValue": 3, "GetValueNames": 0, "GetSubKeyNames": 0,
    "ToUniversalTime": 0, "ToString": 1, "TrimEnd": 1, "TrimStart": 1, "Substring": 1, "Replace": 2, "Matches": 2}
"""Methods and with how many arguments: OpenSubKey with two can open for writing."""

STATIC = {"Microsoft.Win32.RegistryKey", "System.BitConverter", "regex"}
"""Types whose static members are used."""

TYPES = STATIC | {"bool", "byte", "byte[]", "char", "int", "int[]", "long", "string", "string[]", "uint16", "uint32"}
"""All types that are named: a cast to another one can open a file or start a program."""

BLOCKS = {"Where-Object", "ForEach-Object"}
"""Cmdlets that take a block, which is looked into; a bare word after them could call a method by its name."""


def parsed(text: str) -> Node:
    try:
        import tree_sitter_powershell
        from tree_sitter import Language, Parser
    except ImportError:
        missing("tree-sitter-powershell is not installed")
    return Parser(Language(tree_sitter_powershell.language())).parse(text.encode()).root_node


def walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def shown(node: Node) -> str:
    assert node.text is not None
    return re.sub(r"\s+", " ", node.text.decode())


def named(node: Node, kind: str) -> str:
    found = next((one for one in walk(node) if one.type == kind), None)
    return shown(found) if found else ""


def complaints(text: str) -> list[str]:
    """Everything in a script that is not known to be harmless."""
    root = parsed(text)
    if root.has_error:
        return ["does not parse"]
    own = {named(node, "function_name") for node in walk(root) if node.type == "function_statement"}
    found = []
    for node in walk(root):
        match node.type:
            case "command":
                found += command(node, own)
            case "redirection" | "file_redirection_operator" | "merging_redirection_operator":
                found.append(f"redirection {shown(node)}")
            case "invokation_expression":
                found += method(node)
            case "assignment_expression":
                found += target(node)
            case "type_literal" if shown(node)[1:-1] not in TYPES:
                found.append(f"type {shown(node)}")
            case "type_literal" if node.parent is not None and node.parent.type in (
                    "invokation_expression", "member_access") and shown(node)[1:-1] not in STATIC:
                found.append(f"static member of {shown(node)}")
            case "member_access" if node.children and node.children[0].type == "type_literal":
                found.append(f"static property {shown(node)}")
            case "script_block_expression" if node.parent is not None and "invokation" in node.parent.type:
                found.append(f"script block invoked {shown(node)[:40]}")
            case "pre_increment_expression" | "post_increment_expression" if "." in shown(node):
                found.append(f"changes a member: {shown(node)}")
            case kind if kind in ("class_statement", "workflow_statement", "trap_statement", "data_statement",
                                  "inlinescript_statement", "parallel_statement"):
                found.append(f"{kind} is not wanted here")
    return found


def command(node: Node, own: set[str]) -> Iterator[str]:
    text = shown(node).strip()
    if node.children and node.children[0].type == "command_invokation_operator":
        if text not in PROGRAM_CALLS:
            yield f"call {text}"
        return
    name = named(node, "command_name")
    if name in own:
        return
    if name not in CMDLETS:
        yield f"command {name or text}"
        return
    parameters = {shown(one) for one in walk(node) if one.type == "command_parameter" and inside(one, node)}
    for parameter in parameters - CMDLETS[name]:
        yield f"parameter {parameter} of {name}"
    arguments = [shown(one) for one in walk(node) if one.type == "command_elements" and inside(one, node)]
    if any(re.search(r"(?:^|\s)@[A-Za-z]", argument) for argument in arguments):
        yield f"splatted arguments of {name}"
    if name in BLOCKS and not re.fullmatch(r"\{.*\}", " ".join(arguments).strip()):
        yield f"{name} without a block"


def inside(node: Node, command_node: Node) -> bool:
    """Whether a parameter is this command's own and not that of one within its arguments."""
    above = node.parent
    while above is not None and above.type != "command":
        above = above.parent
    return above == command_node


def method(node: Node) -> Iterator[str]:
    name = next((shown(child) for child in node.children if child.type == "member_name"), "?")
    arguments = [one for child in node.children if child.type == "argument_list" for one in walk(child)
                 if one.type == "argument_expression" and owner(one) == node]
    if MEMBERS.get(name) != len(arguments):
        yield f"method {name} with {len(arguments)} arguments"


def owner(node: Node) -> Node | None:
    above = node.parent
    while above is not None and above.type != "invokation_expression":
        above = above.parent
    return above


def target(node: Node) -> Iterator[str]:
    left = shown(node.children[0]).strip()
    plain = r"\$[A-Za-z]\w*"
    if "]." in left or not re.fullmatch(rf"{plain}(?:\[.+\])?|{plain}(?:, {plain})+", left):
        yield f"assignment to {left}"


# ── what is shipped ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_script_only_reads() -> None:
    assert complaints(script()) == []
    assert complaints(TEMPLATE.read_text(encoding="utf-8")) == []
    assert complaints(script().replace("\n", "\r\n")) == []


WRITES = [
    ("Set-ItemProperty -Path 'HKLM:\\x' -Name a -Value 1", "command Set-ItemProperty"),
    ("New-Item -Path C:\\x", "command New-Item"),
    ("$json | Out-File C:\\x.json", "command Out-File"),
    ("Write-Output $json > C:\\x.json", "redirection"),
    ("Write-Output $json 2> C:\\x.json", "redirection"),
    ("Write-Output $json >> C:\\x.json", "redirection"),
    ("Invoke-Expression $json", "command Invoke-Expression"),
    ("iex $json", "command iex"),
    ("& $json", "call & $json"),
    (". $json", "call . $json"),
    ("& { Get-Date }", "call"),
    ("& \"$system32\\reg.exe\" add HKLM\\x", "call"),
    ("& \"$system32\\auditpol.exe\" /set /category:*", "call"),
    ("& \"$system32\\CiTool.exe\" -up x", "call"),
    ("reg.exe add HKLM\\x", "command reg.exe"),
    ("cmd /c del x", "command cmd"),
    ("[System.IO.File]::WriteAllText('a', 'b')", "method WriteAllText"),
    ("[System.IO.File]::Delete('a')", "method Delete"),
    ("$key.SetValue('a', 1)", "method SetValue"),
    ("$key.DeleteSubKeyTree('a')", "method DeleteSubKeyTree"),
    ("$base.OpenSubKey('a', $true)", "method OpenSubKey with 2"),
    ("$full.Prop = 1", "assignment to $full.Prop"),
    ("$env:PATH = 'x'", "assignment to $env:PATH"),
    ("[Console]::OutputEncoding = 1", "assignment to [Console]::OutputEncoding"),
    ("$x = [System.Diagnostics.Process]::Start('a')", "method Start"),
    ("$x = [System.Environment]::MachineName", "static"),
    ("Get-CimInstance -ClassName x -MethodName y", "parameter -MethodName"),
    ("Invoke-CimMethod -ClassName x -MethodName y", "command Invoke-CimMethod"),
    ("Get-Item -Path x", "parameter -Path of Get-Item"),
    ("$x = New-Object System.Net.WebClient", "command New-Object"),
    ("Invoke-WebRequest https://example.com", "command Invoke-WebRequest"),
    ("Start-Process x", "command Start-Process"),
    ("Import-Module x", "command Import-Module"),
    ("class Thing { [int]$x }", "class_statement"),
    ("$x = \"$(Remove-Item C:\\x)\"", "command Remove-Item"),
    ("$x = @(foreach ($a in $b) { Set-Content C:\\x 1 })", "command Set-Content"),
    ("Get-Item -LiteralPath (Move-Item C:\\x C:\\y)", "command Move-Item"),
    ("try { Clear-Content C:\\x }\ncatch { Stop-Service x }", "command Stop-Service"),
    ("function Get-X {\n    param($a)\n    Rename-Item C:\\x y\n}", "command Rename-Item"),
    ("Where-Object { Add-Content C:\\x 1 }", "command Add-Content"),
    ("$x = { Remove-ItemProperty C:\\x y }", "command Remove-ItemProperty"),
    ("switch (1) { 1 { Restart-Computer } }", "command Restart-Computer"),
    ("$x = [System.IO.StreamWriter]'C:\\x'", "type [System.IO.StreamWriter]"),
    ("$x = 'C:\\x' -as [System.IO.StreamWriter]", "type [System.IO.StreamWriter]"),
    ("$x = [wmi]'win32_process'", "type [wmi]"),
    ("[scriptblock]::Create($json)", "method Create"),
    ("Get-Item -LiteralPath x | ForEach-Object Delete", "ForEach-Object without a block"),
    ("Get-Item -LiteralPath x | ForEach-Object -MemberName Delete", "parameter -MemberName"),
    ("$x = @{ OutVariable = 'y' }\nGet-Date @x", "splatted arguments of Get-Date"),
    ("Get-Item -LiteralPath x -OutVariable y", "parameter -OutVariable of Get-Item"),
    ("Get-Item -LiteralPath x -ov global:y", "parameter -ov of Get-Item"),
    ("Get-Item -LiteralPath x -PipelineVariable y", "parameter -PipelineVariable"),
    ("Get-Item -LiteralPath x | Tee-Object C:\\x", "command Tee-Object"),
    ("Get-Item -LiteralPath x | % { $_.Delete() }", "command %"),
    ("$x = { $_.Delete() }", "method Delete"),
    ("$key.$name('a')", "method $name"),
    ("$key.'Delete'()", "method 'Delete'"),
    ("$ExecutionContext.InvokeCommand.InvokeScript('x')", "method InvokeScript"),
    ("& (Get-Item -LiteralPath x)", "call &"),
    (". C:\\x.ps1", "call . C:\\x.ps1"),
    ("C:\\x.exe", "command C:\\x.exe"),
    ("$x = @\"\n$(Remove-Item C:\\x)\n\"@", "command Remove-Item"),
    ("${env:PATH} = 'x'", "assignment to ${env:PATH}"),
    ("$global:x = 1", "assignment to $global:x"),
    ("(Get-Item -LiteralPath x).Attributes = 1", "assignment to (Get-Item"),
    ("$x, $key.Name = 1, 2", "assignment to $x, $key.Name"),
    ("sal x Remove-Item", "command sal"),
    ("using module C:\\x.psm1", "using"),
]


@pytest.mark.parametrize(("line", "complaint"), WRITES)
def test_a_line_that_could_write_is_found(line: str, complaint: str) -> None:
    assert any(complaint in one for one in complaints(line)), complaints(line)


def test_they_are_found_in_the_whole_script_too() -> None:
    found = complaints("\n".join((script(), *(line for line, _ in WRITES))))
    assert [complaint for _, complaint in WRITES if not any(complaint in one for one in found)] == []
    assert complaints(f"{script()}\nfunction Get-X {{\n") == ["does not parse"]


def test_a_function_cannot_take_the_name_of_what_writes() -> None:
    text = script() + "\nfunction Set-Item {\n param($x)\n $x\n}\nSet-Item 1\n"
    own = {named(node, "function_name") for node in walk(parsed(text)) if node.type == "function_statement"}
    assert {name for name in own if not name.startswith("Get-")} == {"Set-Item"}
    shipped = {named(node, "function_name") for node in walk(parsed(script())) if node.type == "function_statement"}
    assert shipped
    assert all(name.startswith("Get-") for name in shipped)


def test_it_asks_for_what_the_catalogue_checks() -> None:
    text = script()
    for control in controls():
        for setting in control.settings:
            match setting:
                case RegistrySetting():
                    assert re.search(re.escape(f"'{setting.hive}|{setting.key}|{setting.name}'"), text, re.IGNORECASE)
                case ServiceSetting():
                    assert f"'{setting.service}'" in text
                case FeatureSetting():
                    assert f"'{setting.feature}'" in text
    assert "'mshta.exe'" in text
    products = {setting.product for control in controls() for setting in control.settings if setting.product}
    assert products <= set(PROGRAMS)


def test_nothing_but_the_document_is_printed_and_nothing_waits_without_end() -> None:
    root = parsed(script())
    printing = [shown(node) for node in walk(root) if node.type == "command" and named(node, "command_name") in (
        "Write-Output", "Write-Warning", "Write-Host")]
    assert printing == ["Write-Output $json"]
    for name in ("ErrorActionPreference = 'Stop'", "ProgressPreference = 'SilentlyContinue'",
                 "WarningPreference = 'SilentlyContinue'"):
        assert f"${name}\n" in script()
    asked_wmi = [shown(node) for node in walk(root) if named(node, "command_name") == "Get-CimInstance"
                 and node.type == "command"]
    assert len(asked_wmi) == 7
    assert all("-OperationTimeoutSec $patience" in call for call in asked_wmi)


def test_every_part_is_read_where_its_failure_is_caught() -> None:
    """Whatever could throw stands in a try, at the top of the script, so that no part can cost the others."""
    outside = [node for node in walk(parsed(script())) if node.type == "command" and not caught(node)]
    assert {named(node, "command_name") for node in outside} <= {"Get-Failure", "Get-Date", "ConvertTo-Json",
                                                                 "Where-Object", "ForEach-Object", "Write-Output"}


def caught(node: Node) -> bool:
    """Whether it lies in a try, or in a function, whose callers do."""
    above = node.parent
    while above is not None and above.type not in ("try_statement", "function_statement"):
        above = above.parent
    return above is not None


def test_it_is_plain_ascii_and_the_same_every_time() -> None:
    assert script().isascii()
    assert script() == script()
    assert "\r" not in script()
    assert max(map(len, script().splitlines())) < 200


def test_constants_cannot_end_their_quotes() -> None:
    assert quoted("it's") == "'it''s'"
    for bad in ("ü", "a\nb", "\u2019); Remove-Item x", "a\x1b"):
        with pytest.raises(ContentError, match="plain ASCII"):
            quoted(bad)
    hostile = "a'; Remove-Item x; '$(y)`\""
    made = constants(Asked((("HKLM", hostile, "n"),), (), (hostile,), (), (), (), (), (), (), ()))
    root = parsed(made)
    assert not root.has_error
    assert [node for node in walk(root) if node.type in ("command", "variable") and "Remove" in shown(node)] == []
    with pytest.raises(ContentError, match="separates"):
        constants(Asked((("HKLM", "a|b", "n"),), (), (), (), (), (), (), (), (), ()))


def test_every_name_is_asked_for_once() -> None:
    folded = [tuple(part.casefold() for part in value) for value in asked().values]
    assert len(folded) == len(set(folded)) > 100
