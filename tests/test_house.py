"""The house as a test: which way the arrows point, what start-up may load, and that every part describes itself.

The lines are those of the design (docs/why.md): a room imports only what lies on lines below its own. Imports inside
functions, under TYPE_CHECKING and in tables of the form "douse.room.module:name" count like any other.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from douse.cli.main import COMMANDS, cli

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src" / "douse"
MODULES = sorted(SRC.rglob("*.py"))

LINES = (
    ("__main__",),
    ("cli",),
    ("server",),
    ("api",),
    ("report", "scale"),
    ("harden", "train"),
    ("hunt",),
    ("incident", "mail"),
    ("detection", "files"),
    ("telemetry", "indicators", "simulate"),
    ("content", "storage"),
    ("model", "errors", "text", "masking"),
    ("__init__",),
)
RANK = {room: rank for rank, line in enumerate(LINES) for room in line}

HEAVY = {"evtx", "jinja2", "msgspec", "re2", "rich", "yaml"}
"""What costs more start-up time than all of click; loaded by the room that needs it, never for --help."""


def name_of(path: Path) -> str:
    """The dotted name of a module of ours."""
    parts = path.relative_to(SRC.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(name: str) -> str:
    """The room a dotted name lies in; the package itself is `__init__`."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything of ours that a module imports, wherever it does so."""
    package = path.parent.relative_to(SRC.parent).parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names if alias.name.split(".")[0] == "douse")
            case ast.ImportFrom(module=module, names=names, level=level):
                base = ".".join((*package[: len(package) - level + 1], *filter(None, [module]))) if level else module
                if base == "douse":  # `from douse import text` reaches the room, `... import __version__` does not
                    yield from ((node.lineno, f"douse.{a.name}" if a.name in RANK else "douse") for a in names)
                elif base and base.startswith("douse."):
                    yield node.lineno, base
            case ast.Constant(value=str(text)) if re.fullmatch(r"douse(\.\w+)+(:\w+)?", text):
                if room_of(text.split(":")[0]) in RANK:  # else it is a rule's tag, such as douse.class.c
                    yield node.lineno, text.split(":")[0]


def loaded_after(statement: str) -> set[str]:
    """The modules a fresh interpreter holds after a statement."""
    program = f"import json, sys\n{statement}\nprint('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_arrows(path: Path) -> None:
    room = room_of(name_of(path)) if path.parent != SRC else path.stem
    assert room in RANK, f"{room} has no line yet; give it one in LINES and in docs/why.md"
    for line, target in imports_of(path):
        other = room_of(target)
        assert other == room or RANK[other] > RANK[room], f"{path}:{line}: {room} may not know {other} ({target})"


def test_arrows_see_every_kind_of_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above is only as good as imports_of."""
    monkeypatch.setattr(sys.modules[__name__], "SRC", tmp_path / "douse")
    module = tmp_path / "douse" / "detection" / "parse.py"
    module.parent.mkdir(parents=True)
    module.write_text(
        "import douse.cli.main\n"
        "from douse import text, __version__\n"
        "from . import condition\n"
        "from ..telemetry import evtx\n"
        "def later():\n"
        "    from douse.hunt import plan\n"
        "TABLE = ['douse.report.html:render', 'douse.class.c']\n"
    )
    assert {target for _, target in imports_of(module)} == {
        "douse.cli.main",
        "douse.text",
        "douse",
        "douse.detection",
        "douse.telemetry",
        "douse.hunt",
        "douse.report.html",
    }


def test_the_lines_are_those_of_the_handbook() -> None:
    page = (ROOT / "docs" / "why.md").read_text(encoding="utf-8")
    drawn = re.search(r"## The arrows.*?```text\n(.*?)```", page, re.DOTALL)
    assert drawn
    assert tuple(tuple(re.split(r" \| |, ", line)) for line in drawn[1].splitlines()) == LINES[1:-1]


def test_importing_the_package_does_no_work() -> None:
    before = loaded_after("pass")
    assert loaded_after("import douse") - before <= {"douse", "__future__"}


@pytest.mark.parametrize("command", ["", *(entry.name for entry in COMMANDS)])
def test_help_loads_nothing_heavy(command: str) -> None:
    arguments = [*command.split(), "--help"]
    loaded = loaded_after(f"from douse.cli.main import main\nassert main({arguments!r}) == 0")
    assert not loaded & HEAVY
    if not command:
        assert not {name for name in loaded if room_of(name) in RANK and name.count(".") > 1} - {
            "douse.cli.exits",
            "douse.cli.lazy",
            "douse.cli.main",
            "douse.hunt.garbage",
        }


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_describes_itself(entry) -> None:
    with click.Context(cli) as context:
        command = cli.get_command(context, entry.name)
        assert command is not None
        text = command.get_help(click.Context(command, info_name=entry.name, parent=context))
    assert command.name == entry.name
    examples = text.partition("Examples:")[2]
    assert f"douse {entry.name}" in examples, f"douse {entry.name} --help ends without a worked example"
    assert "Exit codes:" in text
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help, f"--{option.name} of {entry.name} has no help"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_describe_themselves(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstring = ast.get_docstring(tree) or ""
    assert len(docstring) > 20, f"{path} does not say what comes in and what goes out"
    assert path.stem not in {"utils", "helpers", "common", "misc"}, f"{path}: name it for what it holds"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_exports_are_sorted_and_exist(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            names = ast.literal_eval(node.value)
            assert names == sorted(names, key=str)
            module = __import__(name_of(path), fromlist=names)
            assert [name for name in names if not hasattr(module, name)] == []


def test_api_tells_type_checkers_and_python_the_same() -> None:
    from douse import api

    tree = ast.parse((SRC / "api.py").read_text(encoding="utf-8"))
    block = next(n for n in tree.body if isinstance(n, ast.If))
    typed = {alias.name: node.module for node in ast.walk(block) if isinstance(node, ast.ImportFrom)
             for alias in node.names}  # fmt: skip
    assert typed == api._HOME
    assert sorted(typed) == api.__all__ == dir(api)
    with pytest.raises(AttributeError, match="no attribute 'hnut'"):
        api.hnut  # noqa: B018 -- the look-up is the test


def test_every_folder_of_content_defines_its_format() -> None:
    folders = [p for p in (SRC / "content").iterdir() if p.is_dir() and not p.name.startswith("__")]
    assert folders
    assert [folder.name for folder in folders if not (folder / "README.md").is_file()] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_stubs_no_machine_paths_no_bare_exceptions_to_lints(path: Path) -> None:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        where = f"{path}:{number}"
        assert not re.search(r"\b(TODO|FIXME|XXX|raise NotImplementedError)\b", line), f"{where}: unfinished"
        assert not re.search(r"(?<![\w.*])/(root|work|home|tmp|opt)/", line), f"{where}: a path of one machine"
        assert not re.search(r"# (noqa|type: ignore)(:[ A-Z0-9,]+|\[[\w, -]+\])?\s*$", line), f"{where}: say why"


def test_locks_pin_by_hash_and_name_no_registry() -> None:
    locks = sorted(ROOT.glob("requirements*.lock"))
    assert [lock.name for lock in locks] == [
        "requirements-bootstrap.lock",
        "requirements-dev.lock",
        "requirements-e2e.lock",
        "requirements-validators.lock",
        "requirements.lock",
    ]
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        pins = re.findall(r"^\w\S*==\S+(?: ;.*?)? \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
        assert len(pins) == len(re.findall(r"^\w", text, re.MULTILINE)) > 0


def test_runtime_lock_covers_the_dependencies_declared() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {re.split(r"[<>=;\s]", requirement)[0] for requirement in project["dependencies"]}
    pinned = set(re.findall(r"^(\w[\w.-]*)==", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE))
    assert declared <= pinned
