"""Run our PowerShell scripts without Windows: the part of the language that they use, on a computer that a test made.

    run = Run(windows).script(data, Execute=True)      run.rows, run.code, run.said

Modelled because our scripts lean on it: case does not matter, output is unrolled by one level, functions see their
callers' variables, `Set-StrictMode` makes a missing property an error, ShouldProcess asks $WhatIfPreference. What is
not modelled raises Unknown, which no `catch` of a script sees, so a script that grows must grow the model.

Its limits. It is no PowerShell: what runs here does what its author meant, if Windows' tools answer as ps_windows.py
says. That is read from documentation, not from a Windows. Not seen here: parameter sets of cmdlets, the .NET overload
that is chosen, objects wrapped on their way through a pipeline, 32-bit views, access that is denied, locales but for
auditpol's, encodings of files, time, $ConfirmPreference, and that a SACL is handed down. It is worth its size while it
finds errors: what is changed in a script to its harm must fail a test (an inverted test, a lost guard, a state that is
not kept, an error that is swallowed).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from harden.generate.ps_tree import Script


class Unknown(Exception):
    """Something that this model does not know: never a script's business."""


class PsError(Exception):
    """A terminating error, with its category and the .NET type of its exception."""

    def __init__(self, text: str, category: str = "", kind: str = "") -> None:
        super().__init__(text)
        self.kind = kind
        self.members = Folded([("CategoryInfo", Thing(Category=category)),
                               ("Exception", Thing(GetBaseException=lambda: self))])


class Return(Exception):
    """`return`: what it returned was written to the output already."""


class Continue(Exception):
    """`continue`."""


class Exit(Exception):
    """`exit`, with its code."""


class Folded:
    """Names without case, in their order."""

    def __init__(self, pairs: Iterable[tuple[str, Any]] = ()) -> None:
        self.pairs: dict[str, tuple[str, Any]] = {}
        for name, value in pairs:
            self[name] = value

    def __setitem__(self, name: str, value: Any) -> None:
        self.pairs[name.lower()] = (self.pairs.get(name.lower(), (name,))[0], value)

    def __getitem__(self, name: str) -> Any:
        return self.pairs[name.lower()][1]

    def __contains__(self, name: object) -> bool:
        return str(name).lower() in self.pairs

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self.pairs.values())

    def __len__(self) -> int:
        return len(self.pairs)

    def __eq__(self, other: object) -> bool:
        return dict(self.items()) == (dict(other.items()) if isinstance(other, Folded) else other)

    def get(self, name: str, default: Any = None) -> Any:
        return self.pairs.get(name.lower(), (name, default))[1]

    def items(self) -> Iterable[tuple[str, Any]]:
        return list(self.pairs.values())

    def values(self) -> list[Any]:
        return [value for _, value in self.pairs.values()]

    def pop(self, name: str) -> None:
        self.pairs.pop(name.lower(), None)


class Thing:
    """A PSCustomObject, or an object of ours with properties and methods."""

    def __init__(self, **properties: Any) -> None:
        self.properties = Folded(properties.items())

    def get(self, name: str) -> Any:
        if name in self.properties:
            return self.properties[name]
        found = next((one for one in dir(self) if one.lower() == name.lower() and not one.startswith("_")), None)
        if found is None:
            raise PsError(f"the property '{name}' cannot be found on this object")
        return getattr(self, found)


def text_of(value: Any) -> str:
    """What a value is inside a string."""
    if value is None:
        return ""
    return " ".join(map(text_of, value)) if isinstance(value, list) else str(value)


def truth(value: Any) -> bool:
    if isinstance(value, list):
        return truth(value[0]) if len(value) == 1 else bool(value)
    return bool(value)


def listed(value: Any) -> list[Any]:
    """What @() makes of a value: nothing stays one thing, as in PowerShell."""
    return value if isinstance(value, list) else [value]


def same(left: Any, right: Any) -> bool:
    if isinstance(left, str) or isinstance(right, str):
        return text_of(left).lower() == text_of(right).lower() if None not in (left, right) else left is right
    return bool(left == right)


class Node:
    """A node of the tree as plain attributes: the parser's own make a list each time that somebody asks."""

    __slots__ = ("cache", "child_count", "children", "deeper", "end_byte", "is_named", "named_child_count",
                 "named_children", "start_byte", "text", "type")

    def __init__(self, node: Any, data: bytes) -> None:
        self.type, self.is_named = node.type, node.is_named
        self.cache: Any = None
        self.start_byte, self.end_byte = node.start_byte, node.end_byte
        self.text = data[node.start_byte:node.end_byte].decode()
        self.children = [Node(child, data) for child in node.children]
        self.named_children = [child for child in self.children if child.is_named]
        self.child_count, self.named_child_count = len(self.children), len(self.named_children)
        self.deeper: Node = self
        while self.deeper.type.endswith("expression") and self.deeper.child_count == 1 \
                and self.deeper.children[0].is_named:
            self.deeper = self.deeper.children[0]


class Tree:
    """A script without its document."""

    def __init__(self, data: bytes) -> None:
        script = Script(data)
        assert script.damage == []
        self.data, self.root = data, Node(script.root, data)

    @staticmethod
    def text(node: Node) -> str:
        return node.text


parsed = lru_cache(maxsize=32)(Tree)


def without_document(data: bytes) -> tuple[bytes, str]:
    """The code of a script, which is the same for all, and its document: that this is one string to PowerShell is for
    test_powershell.py to see."""
    before, begin, rest = data.partition(b"$Document = @'\r\n")
    body, end, after = rest.partition(b"\r\n'@\r\n")
    return before + begin + (b"{}" if end else b"") + end + after, body.decode().replace("\r\n", "\n")


class Scope:
    """Variables; a name that is not here is looked for where the function was called."""

    def __init__(self, above: Scope | None = None) -> None:
        self.above, self.names = above, Folded()

    def find(self, name: str) -> Any:
        scope: Scope | None = self
        low = name.lower()
        while scope is not None:
            if low in scope.names.pairs:
                return scope.names.pairs[low][1]
            scope = scope.above
        raise PsError(f"the variable '${name}' cannot be retrieved because it has not been set")


class Cmdlet(Thing):
    """$PSCmdlet of one function."""

    def __init__(self, run: Run, scope: Scope) -> None:
        super().__init__()
        self._run, self._scope = run, scope

    def ShouldProcess(self, target: str, action: str) -> bool:  # noqa: N802 -- PowerShell's name
        wanted = not truth(self._scope.find("WhatIfPreference"))
        self._run.asked.append((target, action, wanted))
        return wanted


class Run:
    """One run of a script on a computer. `windows` has commands, types, programs and $env."""

    def __init__(self, windows: Any) -> None:
        self.windows = windows
        self.said: list[str] = []
        self.asked: list[tuple[str, str, bool]] = []
        self.rows: list[Any] = []
        self.code = 0
        self.functions: dict[str, Any] = {}
        self._known: dict[str, Any] = {}
        self.top = Scope()

    def script(self, data: bytes, **parameters: Any) -> Run:
        """Run it with these parameters; `rows` are its output, `code` its exit code, `said` its warnings."""
        code, self.document = without_document(data)
        self.tree = parsed(code)
        what_if = parameters.pop("WhatIf", False)
        for name, value in {"true": True, "false": False, "null": None, "WhatIfPreference": what_if, "LASTEXITCODE": 0,
                            "PSScriptRoot": self.windows.script_root,
                            "ErrorActionPreference": "Continue"}.items():
            self.top.names[name] = value
        self.top.names["ExecutionContext"] = Thing(SessionState=Thing(LanguageMode=self.windows.language_mode))
        self.top.names["PSCmdlet"] = Cmdlet(self, self.top)
        for node in self.tree.root.children:
            if node.type == "param_block":
                self._bind(node, [], parameters, self.top)
        try:
            for node in self.tree.root.children:
                if node.type == "statement_list":
                    self._statements(node, self.top, self.rows)
        except Exit as ended:
            self.code = ended.args[0]
        return self

    def _handler(self, prefix: str, type_: str) -> Any:
        found = self._known.get(prefix + type_, False)
        if found is False:
            found = self._known[prefix + type_] = getattr(self, prefix + type_, None)
        return found

    # ---- statements: each writes what it gives into `out`

    def _statements(self, node: Any, scope: Scope, out: list[Any]) -> None:
        for child in node.children:
            if child.is_named and child.type != "comment":
                self._statement(child, scope, out)

    def _statement(self, node: Any, scope: Scope, out: list[Any]) -> None:
        handler = self._handler("_do_", node.type)
        if handler is not None:
            handler(node, scope, out)
        elif node.type in ("statement_list", "statement_block", "script_block_body", "script_block"):
            self._statements(node, scope, out)
        elif node.type not in ("empty_statement", "comment", "param_block"):
            out.extend(self._unrolled(node, scope))

    def _do_function_statement(self, node: Any, scope: Scope, out: list[Any]) -> None:
        self.functions[self.tree.text(node.children[1]).lower()] = node

    def _do_pipeline(self, node: Any, scope: Scope, out: list[Any]) -> None:
        [inner] = [child for child in node.children if child.is_named]
        if inner.type == "assignment_expression":
            self._assign(inner, scope)
        else:
            out.extend(self._chain(inner, scope))

    def _do_if_statement(self, node: Any, scope: Scope, out: list[Any]) -> None:
        condition, branches = None, []
        for child in node.children:
            if child.type in ("pipeline", "statement_block"):
                condition = child if child.type == "pipeline" else condition
                if child.type == "statement_block":
                    branches.append((condition, child))
            elif child.type == "elseif_clauses":
                branches += [tuple(one for one in clause.children if one.type in ("pipeline", "statement_block"))
                             for clause in child.children]
            elif child.type == "else_clause":
                branches.append((None, child.children[-1]))
        for asked, block in branches:
            if asked is None or truth(self._value(asked, scope)):
                self._statement(block, scope, out)
                return

    def _do_foreach_statement(self, node: Any, scope: Scope, out: list[Any]) -> None:
        named = [child for child in node.children if child.is_named and child.type not in ("foreach", "in")]
        name = self.tree.text(named[0])[1:]
        value = self._value(named[1], scope)
        for one in [] if value is None else listed(value):
            scope.names[name] = one
            try:
                self._statement(named[-1], scope, out)
            except Continue:
                pass

    def _do_for_statement(self, node: Any, scope: Scope, out: list[Any]) -> None:
        parts = {child.type: child for child in node.children}
        self._statements(parts["for_initializer"], scope, [])
        while truth(self._value(parts["for_condition"], scope)):
            self._statement(parts["statement_block"], scope, out)
            self._statements(parts["for_iterator"], scope, [])

    def _do_while_statement(self, node: Any, scope: Scope, out: list[Any]) -> None:
        parts = {child.type: child for child in node.children}
        while truth(self._value(parts["while_condition"], scope)):
            self._statement(parts["statement_block"], scope, out)

    def _do_switch_statement(self, node: Any, scope: Scope, out: list[Any]) -> None:
        parts = {child.type: child for child in node.children}
        value, fitted = self._value(parts["switch_condition"], scope), False
        for clause in parts["switch_body"].children[1].children:
            condition, block = clause.children
            is_default = self.tree.text(condition).lower() == "default"
            if (is_default and not fitted) or (not is_default and same(self._value(condition, scope), value)):
                fitted = True
                self._statement(block, scope, out)

    def _do_try_statement(self, node: Any, scope: Scope, out: list[Any]) -> None:
        parts = {child.type: child for child in node.children}
        try:
            self._statement(parts["statement_block"], scope, out)
        except PsError as error:
            if "catch_clauses" not in parts:
                raise
            scope.names["_"] = error
            self._statement(parts["catch_clauses"].children[0].children[-1], scope, out)
        finally:
            if "finally_clause" in parts:
                self._statement(parts["finally_clause"].children[-1], scope, [])

    def _do_flow_control_statement(self, node: Any, scope: Scope, out: list[Any]) -> None:
        word = self.tree.text(node.children[0]).lower()
        given: list[Any] = []
        for child in node.children[1:]:
            self._statement(child, scope, given)
        if word == "throw":
            raise given[0] if given and isinstance(given[0], PsError) else \
                scope.find("_") if not given else PsError(text_of(given[0]))
        if word == "exit":
            raise Exit(given[0])
        if word == "continue":
            raise Continue
        out.extend(given)
        raise Return

    def _assign(self, node: Any, scope: Scope) -> None:
        target, operator, source = [child for child in node.children if child.is_named]
        only = self._expression_only(source)
        if only is not None:
            value = self._value(only, scope)
        else:
            given: list[Any] = []
            self._statement(source, scope, given)
            value = self._collapsed(given)
        place = target
        while place.type not in ("variable", "element_access", "member_access"):
            [place] = [child for child in place.children if child.is_named]
        if self.tree.text(operator) == "+=":
            old = self._value(place, scope)
            value = [*old, *listed(value)] if isinstance(old, list) else old + value
        if place.type == "variable":
            name = self.tree.text(place)[1:]
            (self.top if name.lower().startswith("script:") else scope).names[name.split(":")[-1]] = value
        elif place.type == "element_access":
            owner, index = [self._value(child, scope) for child in place.children if child.is_named]
            owner[index if not isinstance(owner, Folded) else text_of(index)] = value
        else:
            self._value(place.children[0], scope)[self.tree.text(place.children[-1])] = value

    @staticmethod
    def _collapsed(given: list[Any]) -> Any:
        """What a variable gets of an output: nothing, the one thing, or an array."""
        return None if not given else given[0] if len(given) == 1 else list(given)

    # ---- pipelines and commands

    def _chain(self, node: Any, scope: Scope) -> list[Any]:
        given: list[Any] = []
        first = True
        for child in node.children:
            if not child.is_named:
                continue
            if child.type == "command":
                given = self._command(child, scope, given)
            else:
                assert first
                given = self._unrolled(child, scope)
            first = False
        return given

    def _unrolled(self, node: Any, scope: Scope) -> list[Any]:
        """What an expression gives as output: an array its elements, a method without a result nothing."""
        value = self._value(node, scope)
        if value is None and self._core(node).type == "invokation_expression":
            return []
        return list(value) if isinstance(value, list) else [value]

    def _command(self, node: Any, scope: Scope, given: list[Any]) -> list[Any]:
        name, positional, named = "", [], Folded()
        waiting: str | None = None
        is_program = False
        for child in node.children:
            if child.type == "command_invokation_operator":
                is_program = True
            elif child.type == "command_name":
                name = self.tree.text(child).lower()
            elif child.type == "command_name_expr":
                name = text_of(self._value(child.children[0], scope))
            elif child.type == "command_elements":
                for part in child.children:
                    if part.type == "command_argument_sep":
                        continue
                    if part.type == "command_parameter":
                        if waiting is not None:
                            named[waiting] = True
                        waiting = self.tree.text(part).lstrip("-").rstrip(":")
                    elif self.tree.text(part).startswith("@") and self._core(part).type == "variable":
                        for key, value in scope.find(self.tree.text(part)[1:]).items():
                            named[key] = value
                    elif waiting is not None and not self._is_switch(name, waiting, part):
                        named[waiting], waiting = self._argument(part, scope), None
                    else:
                        if waiting is not None:
                            named[waiting], waiting = True, None
                        positional.append(self._argument(part, scope))
        if waiting is not None:
            named[waiting] = True
        if is_program:
            return self._program(name, positional)
        return self._call(name, positional, named, given, scope)

    def _core(self, node: Any) -> Any:
        while node.named_child_count == 1 and node.type not in ("variable", "invokation_expression"):
            node = node.named_children[0]
        return node

    def _is_switch(self, command: str, parameter: str, part: Any) -> bool:
        """A switch takes a value only with a colon."""
        switches = self.windows.switches.get(command, ())
        before = self.tree.data[part.start_byte - 1:part.start_byte]
        return parameter.lower() in switches and before != b":"

    def _argument(self, node: Any, scope: Scope) -> Any:
        return self.tree.text(node) if node.type == "generic_token" else self._value(node, scope)

    def _program(self, path: str, arguments: list[Any]) -> list[Any]:
        flat = [text_of(one) for argument in arguments for one in listed(argument)]
        code, lines = self.windows.program(path, flat)
        self.top.names["LASTEXITCODE"] = code
        return list(lines)

    def _call(self, name: str, positional: list[Any], named: Folded, given: list[Any], scope: Scope) -> list[Any]:
        if name in self.functions:
            return self._function(self.functions[name], positional, named, scope)
        if name == "where-object":
            return self._where(positional[0], given, scope)
        if name == "write-warning":
            self.said.append(text_of(positional[0]))
            return []
        command = self.windows.commands.get(name)
        if command is None:
            raise Unknown(f"no command {name}")
        found = command(self, positional, named, given)
        return found if isinstance(found, list) else [] if found is None else [found]

    def _where(self, block: Any, given: list[Any], scope: Scope) -> list[Any]:
        kept = []
        for one in given:
            inner = Scope(scope)
            inner.names["_"] = one
            out: list[Any] = []
            self._statements(block, inner, out)
            if truth(out):
                kept.append(one)
        return kept

    def _function(self, node: Any, positional: list[Any], named: Folded, scope: Scope) -> list[Any]:
        inner, out = Scope(scope), []  # type: Scope, list[Any]
        if "SupportsShouldProcess" in self.tree.text(node):
            inner.names["PSCmdlet"] = Cmdlet(self, inner)
        body = next(child for child in node.children if child.type == "script_block")
        block = next((child for child in body.children if child.type == "param_block"), None)
        self._bind(block, positional, named, inner)
        try:
            self._statement(body, inner, out)
        except Return:
            pass
        return out

    def _bind(self, block: Any, positional: Iterable[Any], named: Mapping[str, Any], scope: Scope) -> None:
        left, folded, declared = list(positional), Folded(named.items()), set()
        for name, kind, default in self._parameters(block):
            if name in folded:
                value = folded[name]
            elif left and kind != "switch":
                value = left.pop(0)
            else:
                value = self._value(default, scope) if default is not None else None
            declared.add(name.lower())
            scope.names[name] = self._cast(kind, value) if kind else value
        if left or {key.lower() for key in folded} - declared:
            raise Unknown(f"arguments that nobody declared: {left} {list(folded)}")

    @staticmethod
    def _parameters(block: Any) -> list[tuple[str, str, Any]]:
        """Name, type in lower case and default of each parameter."""
        if block is None:
            return []
        if block.cache is None:
            block.cache = []
            for node in block.named_children:
                for one in node.children if node.type == "parameter_list" else ():
                    if one.type == "script_parameter":
                        name = next(child.text[1:] for child in one.children if child.type == "variable")
                        kind = re.match(r"\[(\w+)\]", one.text)
                        given = [child for child in one.children if child.type == "script_parameter_default"]
                        block.cache.append((name, kind[1].lower() if kind else "",
                                            given[0].children[-1] if given else None))
        found: list[tuple[str, str, Any]] = block.cache
        return found

    # ---- expressions

    def _value(self, node: Any, scope: Scope) -> Any:
        node = node.deeper
        type_ = node.type
        handler = self._known.get(type_, False)
        if handler is False:
            word = type_.replace("_argument_expression", "_expression")
            handler = self._known[type_] = getattr(self, f"_get_{word}", None)
        if handler is not None:
            return handler(node, scope)
        if type_ == "pipeline" and (only := self._expression_only(node)) is not None:
            return self._value(only, scope)  # an expression is not unrolled: an empty array stays one
        if node.type in ("pipeline", "if_statement", "foreach_statement", "for_statement", "switch_statement",
                         "statement_list"):
            out: list[Any] = []
            self._statement(node, scope, out)
            return self._collapsed(out)
        if node.type == "pipeline_chain":
            return self._collapsed(self._chain(node, scope))
        named = [child for child in node.children if child.is_named]
        if len(named) == 1:
            return self._value(named[0], scope)
        if not named and node.type.endswith("token"):
            return self.tree.text(node)
        raise Unknown(f"{node.type}: {self.tree.text(node)[:60]}")

    def _expression_only(self, node: Any) -> Any:
        """The expression of a pipeline that is nothing else, None where there is a command or an assignment."""
        chain = node.named_children[0] if node.named_child_count == 1 else None
        if chain is None or chain.type != "pipeline_chain" or chain.named_child_count != 1:
            return None
        return None if chain.named_children[0].type == "command" else chain.named_children[0]

    def _get_variable(self, node: Any, scope: Scope) -> Any:
        if node.cache is None:
            drive, _, name = node.text[1:].lower().rpartition(":")
            node.cache = drive, name
        drive, name = node.cache
        if drive == "env":
            return self.windows.env[name]
        return (self.top if drive == "script" else scope).find(name)

    def _get_verbatim_string_characters(self, node: Any, scope: Scope) -> str:
        return self.tree.text(node)[1:-1].replace("''", "'")

    def _get_verbatim_here_string_characters(self, node: Any, scope: Scope) -> str:
        return self.document

    def _get_expandable_string_literal(self, node: Any, scope: Scope) -> str:
        at, parts = node.start_byte + 1, []
        for child in node.children:
            parts += [self.tree.data[at:child.start_byte].decode(), text_of(self._value(child, scope))]
            at = child.end_byte
        return "".join((*parts, self.tree.data[at:node.end_byte - 1].decode()))

    def _get_decimal_integer_literal(self, node: Any, scope: Scope) -> int:
        return int(self.tree.text(node))

    def _get_real_literal(self, node: Any, scope: Scope) -> float:
        return float(self.tree.text(node))

    def _get_hexadecimal_integer_literal(self, node: Any, scope: Scope) -> int:
        return int(self.tree.text(node), 16)

    def _get_script_block_expression(self, node: Any, scope: Scope) -> Any:
        return next(child for child in node.children if child.is_named)

    def _get_type_literal(self, node: Any, scope: Scope) -> str:
        return self.tree.text(node)[1:-1].lower().removeprefix("system.")

    def _get_array_expression(self, node: Any, scope: Scope) -> list[Any]:
        out: list[Any] = []
        for child in node.children:
            if child.is_named:
                self._statement(child, scope, out)
        return out

    def _get_sub_expression(self, node: Any, scope: Scope) -> Any:
        out = self._get_array_expression(node, scope)
        return None if not out else out[0] if len(out) == 1 else out

    def _get_hash_literal_expression(self, node: Any, scope: Scope) -> Folded:
        made = Folded()
        for body in node.named_children:
            for entry in body.children:
                if entry.type == "hash_entry":
                    key, value = entry.named_children[0], entry.named_children[-1]
                    word = self.tree.text(key).strip("'\"")
                    made[word] = self._value(value, scope)
        return made

    def _get_member_access(self, node: Any, scope: Scope) -> Any:
        owner, name = self._value(node.children[0], scope), self.tree.text(node.children[-1])
        if self.tree.text(node.children[1]) == "::":
            return self.windows.static(owner, name)
        return self._member(owner, name)

    def _member(self, owner: Any, name: str) -> Any:
        low = name.lower()
        if isinstance(owner, list):
            if low in ("count", "length"):
                return len(owner)
            raise Unknown(f".{name} of an array")
        if isinstance(owner, str) and low == "length":
            return len(owner)
        if isinstance(owner, Folded):
            if low in ("keys", "count"):
                return list(owner) if low == "keys" else len(owner)
            if name not in owner:
                raise PsError(f"the property '{name}' cannot be found on this object")
            return owner[name]
        if isinstance(owner, PsError) and name in owner.members:
            return owner.members[name]
        if isinstance(owner, Thing):
            return owner.get(name)
        raise PsError(f"the property '{name}' cannot be found on {type(owner).__name__}")

    def _get_invokation_expression(self, node: Any, scope: Scope) -> Any:
        owner = self._value(node.children[0], scope)
        name = self.tree.text(node.children[2])
        arguments = [self._value(child, scope) for part in node.children if part.type == "argument_list"
                     for inner in part.children if inner.type == "argument_expression_list"
                     for child in inner.children if child.is_named]
        if self.tree.text(node.children[1]) == "::":
            return self.windows.static(owner, name, arguments)
        if isinstance(owner, str):
            return _of_string(owner, name.lower(), arguments)
        if isinstance(owner, Folded):
            return _of_table(owner, name.lower(), arguments)
        if not isinstance(owner, Thing):
            raise PsError(f"you cannot call a method on {type(owner).__name__}")
        return owner.get(name)(*arguments)

    def _get_element_access(self, node: Any, scope: Scope) -> Any:
        owner, index = [self._value(child, scope) for child in node.children if child.is_named]
        if isinstance(owner, Folded):
            return owner.get(text_of(index))
        if isinstance(owner, list):
            return owner[index] if index < len(owner) else None
        raise PsError(f"unable to index into {type(owner).__name__}")

    def _get_cast_expression(self, node: Any, scope: Scope) -> Any:
        kind = self._get_type_literal(node.children[0], scope)
        return self._cast(kind, self._value(node.children[1], scope))

    def _cast(self, kind: str, value: Any) -> Any:
        kind = kind.lower().removeprefix("system.")
        if kind in ("bool", "switch"):
            return truth(value)
        if kind == "string":
            return text_of(value)
        if kind in _NUMBERS:
            low, high = _NUMBERS[kind]
            number = int(value or 0)
            if not low <= number <= high:
                raise PsError(f"cannot convert {value} to {kind}")
            return number
        if kind == "pscustomobject":
            made = Thing()
            made.properties = value
            return made
        if kind in ("string[]", "byte[]", "char[]"):
            if value is None or (kind == "byte[]" and None in listed(value)):
                raise PsError(f"cannot convert nothing to {kind}")
            return [text_of(one) if kind != "byte[]" else int(one) for one in listed(value)]
        if kind == "hashtable" and isinstance(value, Folded):
            return value
        return self.windows.cast(kind, value)

    def _get_expression_with_unary_operator(self, node: Any, scope: Scope) -> Any:
        if node.child_count == 1:
            return self._value(node.children[0], scope)
        operator, value = self.tree.text(node.children[0]).lower(), self._value(node.children[-1], scope)
        if operator == ",":
            return [value]
        if operator in ("-not", "!"):
            return not truth(value)
        raise Unknown(f"the operator {operator}")

    def _binary(self, node: Any, scope: Scope) -> Any:
        if node.named_child_count == 1:
            return self._value(node.named_children[0], scope)
        if node.cache is None:
            words = [not child.is_named or child.type.endswith("operator") for child in node.children]
            node.cache = ([child.text.lower() for child, word in zip(node.children, words, strict=True) if word],
                          [child for child, word in zip(node.children, words, strict=True) if not word])
        operators, operands = node.cache
        value = self._value(operands[0], scope)
        for operator, operand in zip(operators, operands[1:], strict=True):
            if operator in ("-and", "-or"):
                value = truth(value)
                if value == (operator == "-and"):
                    value = truth(self._value(operand, scope))
                continue
            value = self._apply(operator, value, self._value(operand, scope), scope)
        return value

    _get_logical_expression = _get_bitwise_expression = _get_comparison_expression = _binary
    _get_additive_expression = _get_multiplicative_expression = _get_format_expression = _binary

    def _get_array_literal_expression(self, node: Any, scope: Scope) -> Any:
        values = [self._value(child, scope) for child in node.named_children]
        return values if len(values) > 1 else values[0]

    def _apply(self, operator: str, left: Any, right: Any, scope: Scope) -> Any:
        if operator in ("-match", "-notmatch"):
            found = re.search(right, text_of(left), re.IGNORECASE)
            if found and operator == "-match":
                scope.names["Matches"] = [found[0], *found.groups()]
            return bool(found) == (operator == "-match")
        if operator == "+" and isinstance(left, list):
            return [*left, *listed(right)]
        if operator in _OPERATORS:
            return _OPERATORS[operator](left, right)
        raise Unknown(f"the operator {operator}")


_NUMBERS = {"int": (-2**31, 2**31 - 1), "uint32": (0, 2**32 - 1), "long": (-2**63, 2**63 - 1),
            "uint64": (0, 2**64 - 1), "decimal": (-2**95, 2**95)}


def _formatted(pattern: Any, values: Any) -> str:
    return re.sub(r"\{(\d+)\}", lambda found: text_of(listed(values)[int(found[1])]), text_of(pattern))


def _replaced(text: Any, pair: Any) -> str:
    pattern, value = listed(pair)
    return re.sub(pattern, lambda _: text_of(value), text_of(text), flags=re.IGNORECASE)


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, PsError):
        return value.kind == kind
    if kind != "string":
        raise Unknown(f"-is [{kind}]")
    return isinstance(value, str)


def _like(value: Any, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text_of(value), re.IGNORECASE) is not None


_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "-eq": same, "-ne": lambda left, right: not same(left, right),
    "-gt": lambda left, right: left > right, "-ge": lambda left, right: left >= right,
    "-lt": lambda left, right: left < right, "-le": lambda left, right: left <= right,
    "-band": lambda left, right: left & right, "-bor": lambda left, right: left | right,
    "-contains": lambda left, right: any(same(one, right) for one in listed(left)),
    "-notcontains": lambda left, right: not any(same(one, right) for one in listed(left)),
    "-join": lambda left, right: right.join(map(text_of, listed(left))),
    "-f": _formatted, "-replace": _replaced, "-is": _is, "-isnot": lambda value, kind: not _is(value, kind),
    "-like": _like, "+": lambda left, right: text_of(left) + text_of(right) if isinstance(left, str) else left + right,
    "*": lambda left, right: left * right}


def _of_string(text: str, name: str, given: list[Any]) -> Any:
    match name, given:
        case "substring", [start]:
            return text[start:]
        case "substring", [start, length]:
            return text[start:start + length]
        case "split", [separators]:
            return text.split(separators)
        case "split", [separators, "RemoveEmptyEntries"]:
            return [part for part in re.split("[" + re.escape("".join(separators)) + "]", text) if part]
        case "trim", []:
            return text.strip()
        case "trim", [signs]:
            return text.strip(signs)
        case "tolowerinvariant", []:
            return text.lower()
        case "tostring", []:
            return text
        case "contains", [part]:
            return part in text
        case "endswith", [part]:
            return text.endswith(part)
        case "lastindexof", [part]:
            return text.rfind(part)
        case "indexof", [part]:
            return text.find(part)
        case "indexof", [part, "OrdinalIgnoreCase"]:
            return text.lower().find(part.lower())
    raise Unknown(f"a string's {name} of {given}")


def _of_table(table: Folded, name: str, given: list[Any]) -> Any:
    match name, given:
        case "containskey", [key]:
            return key in table
        case "remove", [key]:
            table.pop(key)
            return []
    raise Unknown(f"a hashtable's {name} of {given}")


def from_json(text: str) -> Any:
    """ConvertFrom-Json."""
    def made(pairs: list[tuple[str, Any]]) -> Thing:
        thing = Thing()
        thing.properties = Folded(pairs)
        return thing

    return json.loads(text, object_pairs_hook=made)


def to_json(value: Any, depth: int) -> str:
    """ConvertTo-Json; what lies deeper than -Depth it would have written as a text, which is an error here."""
    return json.dumps(_plain(value, depth))


def _plain(value: Any, depth: int) -> Any:
    if isinstance(value, Thing | Folded | list) and depth < 0:
        raise Unknown("ConvertTo-Json would cut this off: a greater -Depth is needed")
    if isinstance(value, Thing):
        return {name: _plain(one, depth - 1) for name, one in value.properties.items()}
    if isinstance(value, list):
        return [_plain(one, depth - 1) for one in value]
    return value
