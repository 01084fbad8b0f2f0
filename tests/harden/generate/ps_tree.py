"""PowerShell as a tree (tree-sitter), and the questions about it: which commands and methods, what guards them.

    script = parsed(data)      script.commands()      script.methods()      script.is_guarded(node)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from conftest import missing

if TYPE_CHECKING:
    from tree_sitter import Node

AUTOMATIC = {"_", "null", "true", "false", "pscmdlet", "executioncontext", "lastexitcode", "matches", "psscriptroot",
             "erroractionpreference", "whatifpreference", "env:systemroot", "env:programdata", "env:computername"}


@dataclass(frozen=True)
class Called:
    """A command or method: its name in lower case, the words after it as written, and its node."""

    name: str
    words: tuple[str, ...]
    node: Node


class Script:
    """A parsed script."""

    def __init__(self, data: bytes) -> None:
        try:
            import tree_sitter
            import tree_sitter_powershell
        except ImportError:
            missing("tree-sitter with its PowerShell grammar is not installed; run `make setup`")
        language = tree_sitter.Language(tree_sitter_powershell.language())
        self.data = data
        self.root = tree_sitter.Parser(language).parse(data).root_node

    def text(self, node: Node) -> str:
        return self.data[node.start_byte:node.end_byte].decode("ascii")

    @cached_property
    def nodes(self) -> list[Node]:
        found, waiting = [], [self.root]
        while waiting:
            node = waiting.pop()
            found.append(node)
            waiting += reversed(node.children)
        return found

    def of(self, *types: str) -> Iterator[Node]:
        return (node for node in self.nodes if node.type in types)

    @property
    def damage(self) -> list[str]:
        """Every place that is no PowerShell."""
        return [f"{node.start_point}: {self.text(node)[:60]!r}" for node in self.nodes
                if node.type == "ERROR" or node.is_missing]

    @cached_property
    def functions(self) -> dict[str, Node]:
        """The functions of the script, by name in lower case."""
        return {self.text(node.children[1]).lower(): node for node in self.of("function_statement")}

    def parameters(self, function: Node) -> list[str]:
        """The names of a function's parameters."""
        block = next((node for node in _below(function) if node.type == "param_block"), None)
        if block is None:
            return []
        return [self.text(next(child for child in node.children if child.type == "variable"))[1:].lower()
                for node in _below(block) if node.type == "script_parameter"]

    def commands(self) -> Iterator[Called]:
        """Every command. A program that is called by its path has the file's name."""
        for node in self.of("command"):
            name = next(child for child in node.children if child.type in ("command_name", "command_name_expr"))
            words = [self.text(part) for child in node.children if child.type == "command_elements"
                     for part in child.children if part.type != "command_argument_sep"]
            yield Called(self.text(name).strip('"\'').rpartition("\\")[2].lower(), tuple(words), node)

    def methods(self) -> Iterator[Called]:
        """Every method: the words are what it is called on and its arguments."""
        for node in self.of("invokation_expression"):
            parts = [child for child in node.children if child.type not in (".", "::")]
            name = next(part for part in parts if part.type == "member_name")
            yield Called(self.text(name).lower(), tuple(self.text(part) for part in parts if part is not name), node)

    def is_guarded(self, node: Node) -> bool:
        """Whether it only runs where ShouldProcess agreed and -Execute was given: in the block of such an `if`."""
        child, parent = node, node.parent
        while parent is not None:
            if parent.type == "if_statement" and child.type == "statement_block":
                condition = parent.child_by_field_name("condition")
                assert condition is not None
                text = " ".join(self.text(condition).split())
                if text.startswith("$PSCmdlet.ShouldProcess(") and text.endswith(") -and $Execute"):
                    return True
            child, parent = parent, parent.parent
        return False

    def inside(self, node: Node) -> str:
        """The function it stands in, "" for none."""
        above = node.parent
        while above is not None and above.type != "function_statement":
            above = above.parent
        return self.text(above.children[1]) if above is not None else ""

    def unknown_variables(self) -> set[str]:
        """Variables that are read and never set: a misspelled name is an error only when Windows gets there."""
        used = {self.text(node).lstrip("$@").lower().removeprefix("script:") for node in self.of("variable")}
        set_: set[str] = set()
        for node in self.of("left_assignment_expression", "foreach_statement", "script_parameter"):
            set_ |= {self.text(one).lstrip("$").lower().removeprefix("script:") for one in _below(node)
                     if one.type == "variable"} if node.type != "foreach_statement" else {
                         self.text(next(one for one in node.children if one.type == "variable"))[1:].lower()}
        return used - set_ - AUTOMATIC


def _below(node: Node) -> Iterator[Node]:
    waiting = list(node.children)
    while waiting:
        one = waiting.pop(0)
        yield one
        waiting[:0] = one.children
