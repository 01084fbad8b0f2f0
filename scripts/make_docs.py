"""Write docs/reference/ from the program itself: cli.md from the --help of every command.

    .venv/bin/python scripts/make_docs.py           write (`make docs`)
    .venv/bin/python scripts/make_docs.py --check   only say what is out of date, exit 1 if anything is

tests/scripts/test_make_docs.py runs the check, so a changed option and its page land in one commit.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from douse.cli.main import COMMANDS, cli

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
WIDTH = 100

INTRODUCTION = """# Command line

Written by `make docs` from the `--help` of each command; change the command, not this page.

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
    return INTRODUCTION + "\n\n".join(f"## {title}\n\n```text\n{text}\n```" for title, text in pages) + "\n"


PAGES = {"cli.md": cli_page}


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
