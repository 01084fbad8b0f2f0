"""The hosts of a hunt on the terminal, worst first: how each stands, and which could not have shown an intrusion.

Left out where there is one host and it could be judged, because then the rest of the screen says it all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from douse.cli.hunt_page import HuntPage
from douse.cli.screen import LEVEL_STYLES, Grid, plain
from douse.hunt.fleet import STATES
from douse.report import story
from douse.report.schema import HostRow

MAX_HOSTS = 12
MAX_UNUSABLE = 4
MAX_MISSING = 2

INCIDENT, WEAK, NOTHING, UNUSABLE = STATES
COUNTED = {INCIDENT: "with an incident", WEAK: "with weak signs", NOTHING: "without a finding",
           UNUSABLE: "without usable telemetry"}


def fleet(page: HuntPage, hosts: Sequence[HostRow]) -> None:
    """Draw the table of hosts."""
    if len(hosts) < 2 and all(host["state"] != UNUSABLE for host in hosts):
        return
    states = Counter(host["state"] for host in hosts)
    page.title(f"Hosts: {', '.join(f'{states[state]:,} {words}' for state, words in COUNTED.items() if states[state])}")
    grid = Grid((1, 19))
    shown = list(_most_telling(hosts))
    for host in shown:
        said = plain(page.middle(story.one_line(host["host"]), page.width - 24), "bold")
        said.append_text(plain(f"  {_about(host)}", "dim"))
        grid.add_row("", plain(_state(host), LEVEL_STYLES.get(host["level"], "") if host["state"] == INCIDENT else
                                "yellow" if host["state"] == UNUSABLE else ""), said)
    page.show(grid)
    page.more(len(hosts) - len(shown), "host")
    if states[UNUSABLE]:
        page.remark("No usable telemetry is no good news: such a host could not have shown an intrusion.")


def _most_telling(hosts: Sequence[HostRow]) -> Iterator[HostRow]:
    """The worst ones, and always some of those that could not be judged, whatever stands before them."""
    unusable = [host for host in hosts if host["state"] == UNUSABLE]
    judged = [host for host in hosts if host["state"] != UNUSABLE]
    kept = min(len(unusable), max(MAX_UNUSABLE, MAX_HOSTS - len(judged)))
    yield from judged[:MAX_HOSTS - kept]
    yield from unusable[:kept]


def _state(host: HostRow) -> str:
    return f"{host['level']} {INCIDENT}".strip() if host["state"] == INCIDENT else host["state"]


def _about(host: HostRow) -> str:
    """What else is to be said of a host, in a line."""
    asset = story.asset_words(host.get("asset"))
    said = [asset, story.count(len(host["incidents"]), "incident") if len(host["incidents"]) > 1 else "",
            "no record" if not host["records"] else "", _lacks(host["missing"]) if host["state"] != INCIDENT else ""]
    return "; ".join(filter(None, said))


def _lacks(missing: Sequence[str]) -> str:
    return f"not logged: {story.listed(missing, MAX_MISSING)}" if missing else ""
