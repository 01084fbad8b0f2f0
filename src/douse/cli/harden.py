"""`douse harden`: a group whose verbs are listed in VERBS and imported when somebody runs or completes them.

A verb is one function in a module harden_*.py, which does as rules.py does: parse, one call to the api, show the rows,
choose a code.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from douse.cli import exits
from douse.cli.lazy import Entry, Listed

VERBS = (
    Entry("list", "douse.cli.harden_list:list_controls", "List the controls: what to set against infostealers."),
    Entry("show", "douse.cli.harden_list:show_controls", "Show all about a control: values, cost, undo, sources."),
    Entry("collect-script", "douse.cli.harden_audit:collect_script",
          "Print the script that collects evidence on a host."),
    Entry("audit", "douse.cli.harden_audit:audit", "Say which controls are in place, from evidence."),
    Entry("for", "douse.cli.harden_audit:for_incident", "Rank the controls that would have broken an incident."),
    Entry("preflight", "douse.cli.harden_preflight:preflight",
          "Find out whether a program can be kept off the network."),
    Entry("generate", "douse.cli.harden_generate:generate", "Write policies that set controls, with their undo."),
    Entry("verify", "douse.cli.harden_preflight:verify", "Say who was hit by a block after it was deployed."),
)

EXAMPLES = (
    "douse harden list",
    "douse harden list --seed FW --profile seed",
    "douse harden show H01",
    "douse harden show --format html -o controls.html",
    "douse harden collect-script > collect.ps1",
    "douse harden audit collected/ --inventory hosts.csv --format html -o audit.html",
    "douse harden for hunt.json --evidence PC-7.json",
    "douse harden generate --controls H01,H02 --as gpo -o bundle/",
)


class VerbGroup(Listed):
    """The verbs of VERBS."""

    def entries(self) -> Sequence[Entry]:
        """VERBS, in the order of the work."""
        return VERBS


@click.group("harden", cls=VerbGroup, epilog=exits.epilog(*EXAMPLES))
def harden() -> None:
    """Harden Windows against infostealers: what to set, what is set, and policies to set it.

    Nothing is changed on any computer: evidence is read, and files are written for those who deploy them.
    """
