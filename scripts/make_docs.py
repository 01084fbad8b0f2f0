"""Write docs/reference/ from the program itself.

    cli.md      the --help of every command and of the verbs below it
    output.md   the rows of a result, from the types and docstrings of report/schema.py
    harden.md   the rows of an audit, the catalogue, a pre-flight, a verify and `harden for`, from their modules' types
    controls.md our controls, from the catalogue
    rules.md    our own rules, from their Sigma files

    .venv/bin/python scripts/make_docs.py           write (`make docs`)
    .venv/bin/python scripts/make_docs.py --check   only say what is out of date, exit 1 if anything is

tests/scripts/test_make_docs.py runs the check, so a changed option and its page land in one commit.
"""

from __future__ import annotations

import re
import sys
from inspect import getdoc
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import is_typeddict

import click

from douse.cli.main import COMMANDS, cli
from douse.content.controls import controls
from douse.detection.ruleset import load_rules
from douse.model import EVIDENCE_CLASSES
from douse.report import audit_schema, controls_markdown, controls_schema, for_incident, preflight_schema, schema
from douse.report.controls import control_rows

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
WIDTH = 100

INTRODUCTION = """# Command line

Written by `make docs` from the `--help` of each command; change the command, not this page.

"""

OUTPUT = """# What a result holds

Written by `make docs` from `src/douse/report/schema.py`. `--format json` writes one `Document`; `--format jsonl` writes
one row a line, told apart by `kind`, and the `SummaryRow` comes last.

"""

HARDEN = """# What harden writes

Written by `make docs` from the modules named below. `harden list` and `harden show` write an array of `ControlRow`,
`harden audit` an `AuditDocument`, `harden for` an array of `ForIncidentRow`, `harden preflight` a `PreflightDocument`,
`harden verify` a `VerifyDocument`, each with `--format json`.

"""

CONTROLS = """# Our controls

Written by `make docs` from the catalogue in `src/douse/content/controls`; `douse harden show ID` says the same.

"""

RULES = """# Our own rules

Written by `make docs` from the Sigma files in `src/douse/content/sigma`. Each is proven by a matching event and a
benign twin in `src/douse/content/cases`.

"""


def help_text(command: click.Command, name: str, parent: click.Context | None) -> str:
    """A command's --help as a terminal of WIDTH columns shows it."""
    context = click.Context(command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH)
    context.help_option_names = ["-h", "--help"]
    return command.get_help(context).rstrip()


def cli_page() -> str:
    """The page of all commands, the group first."""
    root = click.Context(cli, info_name="douse")
    pages = [("douse", help_text(cli, "douse", None))]
    for entry in COMMANDS:
        command = cli.get_command(root, entry.name)
        if command is None:
            raise SystemExit(f"make_docs: COMMANDS lists {entry.name}, which cannot be loaded")
        pages.append((f"douse {entry.name}", help_text(command, entry.name, root)))
        if isinstance(command, click.Group):
            group = click.Context(command, info_name=entry.name, parent=root)
            pages += [(f"douse {entry.name} {verb}", help_text(found, verb, group))
                      for verb in command.list_commands(group) if (found := command.get_command(group, verb))]
    return INTRODUCTION + "\n\n".join(f"## {title}\n\n```text\n{text}\n```" for title, text in pages) + "\n"


def output_page() -> str:
    """The page of the objects in json and jsonl."""
    rows = [value for value in vars(schema).values() if is_typeddict(value)]
    return OUTPUT + _paragraph(schema) + "\n" + "\n".join(_row(row) for row in rows)


def harden_page() -> str:
    """The page of the objects in the JSON of `douse harden`: a part for each module that describes some."""
    modules = (audit_schema, controls_schema, for_incident, preflight_schema)
    return HARDEN + "\n".join(f"## {module.__name__}\n\n{_paragraph(module)}\n{_rows_of(module)}" for module in modules)


def _rows_of(module: ModuleType) -> str:
    own = [value for value in vars(module).values() if is_typeddict(value) and value.__module__ == module.__name__]
    return "\n".join(_row(row).replace("## ", "### ", 1) for row in own)


def controls_page() -> str:
    """The page of our controls: a table, then each with its settings, one level of heading further down."""
    rows = control_rows(controls())
    pieces = (*controls_markdown.render_list(rows), b"\n", *controls_markdown.render_pages(rows))
    text = b"".join(pieces).decode("utf-8")
    return CONTROLS + "".join(f"#{line}" if line.startswith("#") else line for line in text.splitlines(keepends=True))


def _row(row: type) -> str:
    fields = "\n".join(f"| `{name}` | `{_type(kind)}` |" for name, kind in row.__annotations__.items())
    return f"## {row.__name__}\n\n{_paragraph(row)}\n| field | type |\n|---|---|\n{fields}\n"


def _type(kind: object) -> str:
    """A type as it stands in the source; a bar would end the cell of a table."""
    text = getattr(kind, "__forward_arg__", kind.__name__ if type(kind) is type else str(kind))
    return str(text).replace("|", "or")


def _paragraph(thing: type | ModuleType) -> str:
    """What a docstring says; its indented lines, which are code, in a fence."""
    return re.sub(r"^(?: {4}.*\n)+", lambda code: f"```text\n{dedent(code[0])}```\n", f"{getdoc(thing)}\n",
                  flags=re.MULTILINE)


def rules_page() -> str:
    """The page of our own rules."""
    loaded = load_rules([])
    rules = sorted((one.rule for one in loaded.rules), key=lambda rule: rule.title)
    if loaded.rejected or loaded.idle:
        raise SystemExit("make_docs: a rule of ours does not load")
    sections = []
    for rule in rules:
        kind = EVIDENCE_CLASSES.get(rule.evidence_class, "none: shown, scores nothing")
        sections.append(
            f"## {rule.title}\n\n{rule.description.strip()}\n\n"
            f"- level {rule.level}, evidence: {kind}, stage {rule.stage}, reads {rule.logsource}\n"
            f"- {', '.join(rule.techniques)}\n"
            f"- expect false positives from: {'; '.join(rule.falsepositives)}\n"
            f"- `{Path(rule.path).name}`, id `{rule.rule_id}`\n"
        )
    return RULES + "\n".join(sections)


PAGES = {"cli.md": cli_page, "output.md": output_page, "harden.md": harden_page,
         "controls.md": controls_page, "rules.md": rules_page}


def stale() -> list[str]:
    """The pages whose file differs from what the program would write now."""
    return [
        name
        for name, page in PAGES.items()
        if not (REFERENCE / name).is_file() or (REFERENCE / name).read_text(encoding="utf-8") != page()
    ]


def main(arguments: list[str]) -> int:
    """Write the pages, or with --check compare them."""
    if arguments == ["--check"]:
        for name in (old := stale()):
            print(f"docs/reference/{name} is out of date; run `make docs`", file=sys.stderr)
        return 1 if old else 0
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8", newline="\n")
        print(f"docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
