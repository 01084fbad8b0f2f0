"""`douse rules list|show|explain|test|check`: each parses, makes one call to the api, shows the rows, chooses a code.

The table and the JSON are made of the same rows (report/rules.py). Rules that were rejected while listing are named on
standard error, because a list that silently lacks a rule would mislead. The group is imported by main.py when it is
used; what the verbs need is imported by the verbs, so that `douse rules check --help` loads no YAML.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from douse.cli import exits
from douse.cli.rules_options import Result, placeholders_option, result_options, rule_options
from douse.model import LEVELS
from douse.text import clean

if TYPE_CHECKING:
    from douse.detection.ruleset import RuleSet
    from douse.report.rules_schema import CheckRow, LossRow

GROUPINGS = ("level", "tag")
SEVERITIES = ("note", "warning")
CASE_FAILED = {exits.FINDINGS: "a case failed"}
LINTED = {exits.FINDINGS: "a lint at or above --fail-on", exits.NO_RULES: "no usable rule",
          exits.PARTIAL: "some rules were rejected, or some of the logs could not be read"}
FAILED = {exits.PARTIAL: "some rules were rejected", exits.NO_RULES: "no such rule, or no usable one"}
EXPLAINED = {**FAILED, exits.UNREADABLE: "no such event, or nothing of the log could be read",
             exits.PARTIAL: "some of the log could not be read"}

EXAMPLES = (
    "douse rules list --level high",
    "douse rules show run_dialog_paste",
    "douse rules explain my/rule.yml Sysmon.evtx",
    "douse rules test",
    "douse rules check sigma/rules/windows --logs logs/",
)


@click.group("rules", epilog=exits.epilog(*EXAMPLES))
def rules() -> None:
    """List, show, explain, test and check Sigma rules: our own and yours.

    RULE is a rule's id, the name of its file without .yml, its title, or the path of its file.
    """


@rules.command("list", epilog=exits.epilog(
    "douse rules list", "douse rules list --rules sigma/ --no-builtin --level high --by tag",
    "douse rules list --format json | jq -r '.[].id'",
    codes=(exits.DONE, exits.USAGE, exits.PARTIAL, exits.NO_RULES), own=FAILED))
@rule_options
@click.option("--by", type=click.Choice(GROUPINGS), default="level", show_default=True,
              help="Group the table; under a tag a rule is listed once for each of its tags.")
@click.option("--level", type=click.Choice(LEVELS), default=LEVELS[0], show_default=True,
              help="Leave out weaker rules.")
@result_options()
def list_rules(rules_: tuple[Path, ...], placeholders: tuple[Path, ...], no_builtin: bool, by: str, level: str,
               result: Result) -> None:
    """List rules, the strongest first; idle ones too, with the reason.

    JSON is an array with an object for each rule.
    """
    from douse.report.rules import rule_rows

    ruleset = _load(rules_, placeholders, no_builtin)
    known = rule_rows(ruleset)
    rows = [row for row in known if LEVELS.index(row["level"]) >= LEVELS.index(level)]
    _mention_rejected(ruleset)
    result.write("rule_list", rows, by)
    if not known:
        click.echo("douse: no rule was found. Name a folder with .yml rules, or drop --no-builtin.", err=True)
    elif not rows:
        click.echo(f"douse: no rule is left after --level {level} ({len(known)} read). Try: douse rules list", err=True)
    _exit(exits.NO_RULES if not rows else exits.PARTIAL if ruleset.rejected else exits.DONE)


@rules.command("show", epilog=exits.epilog(
    "douse rules show run_dialog_paste", "douse rules show 'Command Pasted Into the Run Dialog' --format json",
    "douse rules show my/rule.yml",
    codes=(exits.DONE, exits.USAGE, exits.NO_RULES), own=FAILED))
@click.argument("rule", metavar="RULE")
@rule_options
@result_options()
def show_rule(rule: str, rules_: tuple[Path, ...], placeholders: tuple[Path, ...], no_builtin: bool,
              result: Result) -> None:
    """Show everything about a rule: what it finds and misses, what it reads, its Sigma text.

    RULE is its id, the name of its file without .yml, its title, or the path of its file.
    """
    from douse import api
    from douse.report.rules import rule_page

    ruleset = _load(rules_, placeholders, no_builtin, rule)
    found = api.find_rule(ruleset, rule)
    text = Path(found.rule.path).read_text(encoding="utf-8-sig", errors="replace")
    result.write("rule_page", rule_page(found, ruleset, text))


@rules.command("explain", epilog=exits.epilog(
    "douse rules explain run_dialog_paste event.json", "douse rules explain my/rule.yml Sysmon.evtx",
    "douse rules explain run_dialog_paste Sysmon.evtx --record-id 4711 --format json",
    "douse rules explain many_failed_logons logs/ --rules my/rules",
    codes=(exits.DONE, exits.USAGE, exits.UNREADABLE, exits.PARTIAL, exits.NO_RULES), own=EXPLAINED))
@click.argument("rule", metavar="RULE")
@click.argument("event", metavar="EVENT", type=click.Path(allow_dash=True))
@click.option("--record-id", type=click.IntRange(min=0), metavar="N",
              help="Which event of a log, by its EventRecordID.")
@click.option("--number", type=click.IntRange(min=1), metavar="N",
              help="Which event of a log, counted from 1 in the order of reading.")
@rule_options
@result_options("event")
def explain_rule(rule: str, event: str, record_id: int | None, number: int | None, rules_: tuple[Path, ...],
                 placeholders: tuple[Path, ...], no_builtin: bool, result: Result) -> None:
    """Show which parts of a rule's condition an event meets, and which not.

    EVENT is a file with one event as JSON, nested or flat; a log (all formats that hunt reads); a folder of them; or -
    for standard input. Of several events the first on which the rule fires is explained, else the one that comes
    nearest. An event that the rule does not read is explained too, with the reason.

    A correlation is explained over the whole log: how often its rules matched, and how near each group came.
    """
    from douse import api
    from douse.report.rules import explained_row
    from douse.report.rules_schema import CORRELATION

    if record_id is not None and number is not None:
        raise click.UsageError("--record-id and --number both choose the event. Give one of them.")
    ruleset = _load(rules_, placeholders, no_builtin, rule)
    row = explained_row(api.explain_rule(ruleset, rule, event, record_id, number))
    result.write("correlation" if row["rule"]["kind"] == CORRELATION else "explanation", row)
    _mention_losses(row["survey"]["losses"])
    _exit(exits.PARTIAL if row["survey"]["losses"] else exits.DONE)


@rules.command("test", epilog=exits.epilog(
    "douse rules test", "douse rules test my/cases --rules my/rules",
    codes=(exits.DONE, exits.FINDINGS, exits.USAGE, exits.NO_RULES), own=CASE_FAILED))
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@rule_options
@result_options()
def test_rules(paths: tuple[Path, ...], rules_: tuple[Path, ...], placeholders: tuple[Path, ...], no_builtin: bool,
               result: Result) -> None:
    """Run the cases of rules: events that must fire a rule, and benign ones that must not.

    PATH is a file of cases or a folder of them, our own where none is given. A file of cases has the name of its rule's
    file; its format is in src/douse/content/cases/README.md.
    """
    from douse import api
    from douse.report.rules import proofs_row

    proofs = api.prove_rules(paths, rules_, builtin=not no_builtin,
                             placeholders=api.read_placeholders(*placeholders))
    result.write("proofs", proofs_row(proofs))
    if not proofs.proofs:
        click.echo("douse: no file of cases was found. Name one, or a folder with .yml files.", err=True)
        _exit(exits.NO_RULES)
    _exit(exits.DONE if proofs.passed else exits.FINDINGS)


@rules.command("check", epilog=exits.epilog(
    "douse rules check sigma/rules/windows", "douse rules check my/rules --logs C:\\Windows\\System32\\winevt\\Logs",
    "douse rules check my/rules --fail-on warning --format json | jq .findings",
    codes=(exits.DONE, exits.FINDINGS, exits.USAGE, exits.UNREADABLE, exits.PARTIAL, exits.NO_RULES), own=LINTED))
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--logs", multiple=True, metavar="PATH",
              help="Logs to compare with: which fields their records have, which rules read none of them.")
@click.option("--fail-on", type=click.Choice(SEVERITIES), help="Exit with 1 on a lint at or above this severity.")
@placeholders_option
@result_options("logs")
def check_rules(paths: tuple[Path, ...], logs: tuple[str, ...], fail_on: str | None, placeholders: tuple[Path, ...],
                result: Result) -> None:
    """Account for every file of rules: loaded, idle (why), rejected (where, why, what to do), skipped; then the lints.

    PATH is a rule file or a folder of them. A lint is no error: the rule loads, and probably does not do what its
    author meant. docs/rules.md lists them.
    """
    from douse import api
    from douse.report.rules import check_row

    row = check_row(api.check_rules(paths, logs, placeholders=api.read_placeholders(*placeholders)))
    result.write("check", row)
    if not row["summary"]["files"]:
        click.echo("douse: there is no rule file (.yml, .yaml) in what was named.", err=True)
    _mention_losses(row["logs"]["losses"] if row["logs"] else [])
    _exit(_check_code(row, fail_on))


def _check_code(row: CheckRow, fail_on: str | None) -> int:
    """The code for what became of the rules and, with --fail-on, for what the lints say."""
    summary, codes = row["summary"], {exits.DONE}
    if summary["rejected"] or (row["logs"] and row["logs"]["losses"]):
        codes.add(exits.PARTIAL)
    if not summary["loaded"]:
        codes.add(exits.NO_RULES)
    if fail_on and any(summary["findings"].get(word) for word in SEVERITIES[SEVERITIES.index(fail_on):]):
        codes.add(exits.FINDINGS)
    return exits.worst(codes)


def _load(paths: Sequence[Path], placeholders: Sequence[Path], no_builtin: bool, rule: str = "") -> RuleSet:
    """The rules to look among; a rule named by its file is one of them, wherever that lies."""
    from douse import api

    file = rule.lower().endswith((".yml", ".yaml")) and os.path.isfile(rule)  # noqa: PTH113  of Path, a long name raises
    named = [Path(rule)] if file else []
    return api.load_rules([*named, *paths], builtin=not no_builtin, placeholders=api.read_placeholders(*placeholders))


def _mention_rejected(ruleset: RuleSet) -> None:
    for error in ruleset.rejected[:3]:
        click.echo(f"douse: {clean(error)}", err=True)
    if len(ruleset.rejected) > 3:
        click.echo(f"douse: and {len(ruleset.rejected) - 3:,} more rejected; see: douse rules check PATH", err=True)


def _mention_losses(losses: Sequence[LossRow]) -> None:
    """Say what of a log could not be read, so that its silence is not taken for an answer."""
    for loss in losses[:3]:
        where = loss["source"] if loss["where"] in ("", loss["source"]) else f"{loss['source']} {loss['where']}"
        said = f"{where}: {loss['reason']}. {loss['next_step']}"
        click.echo(f"douse: {clean(said.rstrip())}", err=True)
    if len(losses) > 3:
        click.echo(f"douse: and {len(losses) - 3:,} more losses; --format json has all", err=True)


def _exit(code: int) -> None:
    click.get_current_context().exit(code)
