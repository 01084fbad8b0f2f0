"""`douse rules list|show|explain|test|check`: each parses, makes one call to the api, shows the rows, chooses a code.

The table and the JSON are made of the same rows (report/rules.py). Rules that were rejected while listing are named on
standard error, because a list that silently lacks a rule would mislead. The group is imported by main.py when it is
used; what the verbs need is imported by the verbs, so that `douse rules check --help` loads no YAML.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from douse.cli import exits
from douse.model import LEVELS
from douse.text import clean

if TYPE_CHECKING:
    from douse.detection.ruleset import RuleSet
    from douse.report.rules import CheckRow

FORMATS = ("table", "json")
GROUPINGS = ("level", "tag")
SEVERITIES = ("note", "warning")
CASE_FAILED = {exits.FINDINGS: "a case failed"}
LINTED = {exits.FINDINGS: "a lint at or above --fail-on", exits.PARTIAL: "some rules were rejected",
          exits.NO_RULES: "no usable rule"}
FAILED = {exits.PARTIAL: "some rules were rejected", exits.NO_RULES: "no such rule, or no usable one"}

EXAMPLES = (
    "douse rules list --level high",
    "douse rules show run_dialog_paste",
    "douse rules explain run_dialog_paste event.json",
    "douse rules test",
    "douse rules check sigma/rules/windows --logs logs/",
)

_rules_option = click.option("--rules", "rules_", multiple=True, type=click.Path(path_type=Path), metavar="DIR|FILE",
                             help="Sigma rules besides our own; may be given again.")
_no_builtin_option = click.option("--no-builtin", is_flag=True, help="Without our own rules.")
_placeholders_option = click.option("--placeholders", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
                                    help="Lists for the placeholders of rules (YAML, name: [values]).")
_format_option = click.option("--format", "format_", type=click.Choice(FORMATS), default="table", show_default=True,
                              help="What to write.")
_color_option = click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto",
                             show_default=True, help="Colour in the table; auto means on a terminal.")
_Command = Callable[..., None]


def _shared(*options: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    """Several options as one decorator, in the order that --help lists them."""

    def decorate(command: _Command) -> _Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@click.group("rules", epilog=exits.epilog(*EXAMPLES))
def rules() -> None:
    """List, show, explain, test and check Sigma rules: our own and yours.

    RULE is a rule's id, the name of its file without .yml, or its title.
    """


@rules.command("list", epilog=exits.epilog(
    "douse rules list", "douse rules list --rules sigma/ --no-builtin --level high --by tag",
    "douse rules list --format json | jq -r '.[].id'",
    codes=(exits.DONE, exits.USAGE, exits.PARTIAL, exits.NO_RULES), own=FAILED))
@_shared(_rules_option, _placeholders_option, _no_builtin_option)
@click.option("--by", type=click.Choice(GROUPINGS), default="level", show_default=True,
              help="Group the table; under a tag a rule is listed once for each of its tags.")
@click.option("--level", type=click.Choice(LEVELS), default=LEVELS[0], show_default=True,
              help="Leave out weaker rules.")
@_shared(_format_option, _color_option)
@click.pass_context
def list_rules(ctx: click.Context, rules_: tuple[Path, ...], placeholders: tuple[Path, ...], no_builtin: bool,
               by: str, level: str, format_: str, color: str) -> None:
    """List rules, the strongest first; idle ones too, with the reason.

    JSON is an array with an object for each rule.
    """
    from douse.report.rules import rule_rows

    ruleset = _load(rules_, placeholders, no_builtin)
    known = rule_rows(ruleset)
    rows = [row for row in known if LEVELS.index(row["level"]) >= LEVELS.index(level)]
    _mention_rejected(ruleset)
    if format_ == "json":
        _write_json(rows)
    else:
        _write_table("rule_list", rows, color, by)
    if not rows:
        step = " Try: douse rules list" if known else " Name a folder with .yml rules, or drop --no-builtin."
        click.echo(f"douse: no rule is left after --level {level} ({len(known)} read).{step}", err=True)
    ctx.exit(exits.NO_RULES if not rows else exits.PARTIAL if ruleset.rejected else exits.DONE)


@rules.command("show", epilog=exits.epilog(
    "douse rules show run_dialog_paste", "douse rules show 'Command Pasted Into the Run Dialog' --format json",
    codes=(exits.DONE, exits.USAGE, exits.NO_RULES), own=FAILED))
@click.argument("rule", metavar="RULE")
@_shared(_rules_option, _placeholders_option, _no_builtin_option, _format_option, _color_option)
def show_rule(rule: str, rules_: tuple[Path, ...], placeholders: tuple[Path, ...], no_builtin: bool, format_: str,
              color: str) -> None:
    """Show everything about a rule: what it finds and misses, what it reads, its Sigma text.

    RULE is its id, the name of its file without .yml, or its title.
    """
    from douse import api
    from douse.report.rules import rule_page

    compiled = api.find_rule(_load(rules_, placeholders, no_builtin), rule)
    page = rule_page(compiled, Path(compiled.rule.path).read_text(encoding="utf-8-sig", errors="replace"))
    if format_ == "json":
        _write_json(page)
    else:
        _write_table("rule_page", page, color)


@rules.command("explain", epilog=exits.epilog(
    "douse rules explain run_dialog_paste event.json",
    "douse rules explain run_dialog_paste Sysmon.evtx --record-id 4711 --format json",
    codes=(exits.DONE, exits.USAGE, exits.UNREADABLE, exits.NO_RULES), own=FAILED))
@click.argument("rule", metavar="RULE")
@click.argument("event", metavar="EVENT", type=click.Path(path_type=Path))
@click.option("--record-id", type=click.IntRange(min=0), metavar="N",
              help="Which record of a log, by its EventRecordID; not needed where EVENT holds a single event.")
@_shared(_rules_option, _placeholders_option, _no_builtin_option, _format_option, _color_option)
def explain_rule(rule: str, event: Path, record_id: int | None, rules_: tuple[Path, ...],
                 placeholders: tuple[Path, ...], no_builtin: bool, format_: str, color: str) -> None:
    """Show which parts of a rule's condition an event meets, and which not.

    EVENT is a file: one event as JSON, nested or flat, or a log (EVTX, JSON Lines) with --record-id. An event that the
    rule does not read is explained too, with the reason.
    """
    from douse import api
    from douse.report.rules import explanation_row

    ruleset = _load(rules_, placeholders, no_builtin)
    row = explanation_row(api.explain_rule(ruleset, rule, event, record_id))
    if format_ == "json":
        _write_json(row)
    else:
        _write_table("explanation", row, color)


@rules.command("test", epilog=exits.epilog(
    "douse rules test", "douse rules test my/cases --rules my/rules",
    codes=(exits.DONE, exits.FINDINGS, exits.USAGE, exits.NO_RULES), own=CASE_FAILED))
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@_shared(_rules_option, _placeholders_option, _no_builtin_option, _format_option, _color_option)
@click.pass_context
def test_rules(ctx: click.Context, paths: tuple[Path, ...], rules_: tuple[Path, ...], placeholders: tuple[Path, ...],
               no_builtin: bool, format_: str, color: str) -> None:
    """Run the cases of rules: events that must fire a rule, and benign ones that must not.

    PATH is a file of cases or a folder of them, our own where none is given. A file of cases has the name of its rule's
    file; its format is in src/douse/content/cases/README.md.
    """
    from douse import api
    from douse.report.rules import proofs_row

    proofs = api.prove_rules(paths, rules_, builtin=not no_builtin,
                             placeholders=api.read_placeholders(*placeholders))
    row = proofs_row(proofs)
    if format_ == "json":
        _write_json(row)
    else:
        _write_table("proofs", row, color)
    if not row["proofs"]:
        click.echo("douse: no file of cases was found. Name one, or a folder with .yml files.", err=True)
        ctx.exit(exits.NO_RULES)
    ctx.exit(exits.DONE if proofs.passed else exits.FINDINGS)


@rules.command("check", epilog=exits.epilog(
    "douse rules check sigma/rules/windows", "douse rules check my/rules --logs C:\\Windows\\System32\\winevt\\Logs",
    "douse rules check my/rules --fail-on warning --format json | jq .findings",
    codes=(exits.DONE, exits.FINDINGS, exits.USAGE, exits.UNREADABLE, exits.PARTIAL, exits.NO_RULES), own=LINTED))
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--logs", multiple=True, metavar="PATH",
              help="Logs to compare with: which fields their records have, which rules read none of them.")
@click.option("--fail-on", type=click.Choice(SEVERITIES), help="Exit with 1 on a lint at or above this severity.")
@_shared(_placeholders_option, _format_option, _color_option)
@click.pass_context
def check_rules(ctx: click.Context, paths: tuple[Path, ...], logs: tuple[str, ...], fail_on: str | None,
                placeholders: tuple[Path, ...], format_: str, color: str) -> None:
    """Account for every file of rules: loaded, idle (why), rejected (where, why, what to do), skipped; then the lints.

    PATH is a rule file or a folder of them. A lint is no error: the rule loads, and probably does not do what its
    author meant. docs/rules.md lists them.
    """
    from douse import api
    from douse.report.rules import check_row

    row = check_row(api.check_rules(paths, logs, placeholders=api.read_placeholders(*placeholders)))
    if format_ == "json":
        _write_json(row)
    else:
        _write_table("check", row, color)
    ctx.exit(_check_code(row, fail_on))


def _check_code(row: CheckRow, fail_on: str | None) -> int:
    """The code for what became of the rules and, with --fail-on, for what the lints say."""
    summary, codes = row["summary"], {exits.DONE}
    if summary["rejected"]:
        codes.add(exits.PARTIAL)
    if not summary["loaded"]:
        codes.add(exits.NO_RULES)
    if fail_on and any(summary["findings"].get(word) for word in SEVERITIES[SEVERITIES.index(fail_on):]):
        codes.add(exits.FINDINGS)
    return exits.worst(codes)


def _load(paths: Sequence[Path], placeholders: Sequence[Path], no_builtin: bool) -> RuleSet:
    from douse import api

    return api.load_rules(paths, builtin=not no_builtin, placeholders=api.read_placeholders(*placeholders))


def _mention_rejected(ruleset: RuleSet) -> None:
    for error in ruleset.rejected[:3]:
        click.echo(f"douse: {clean(error)}", err=True)
    if len(ruleset.rejected) > 3:
        click.echo(f"douse: and {len(ruleset.rejected) - 3} more rejected; see: douse rules check PATH", err=True)


def _write_json(rows: Any) -> None:
    from douse.cli import output
    from douse.report.machine import json_document

    output.write(None, [json_document(rows)])


def _write_table(what: str, rows: Any, color: str, *more: str) -> None:
    from douse.cli import output, show_rules

    output.write(None, [show_rules.TABLES[what](rows, *more, color=color, stream=sys.stdout)])

