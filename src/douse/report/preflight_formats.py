"""The formats a pre-flight can be written in: word -> what makes its bytes of the document. `table` is drawn by
cli/show_preflight.py.

CSV has a row for each use case, then one for each host, told apart by the first column, so that one file goes to the
change board; every cell passes text.cell. HTML is one page, made as the hunt's report is (html.py).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any, Final

from douse.report.preflight_schema import PreflightDocument, PreflightHostRow, UseCaseRow
from douse.text import cell

COLUMNS: Final = (
    "row", "id", "class", "open", "decision", "decided_by", "expires", "ticket", "basis", "destination", "port",
    "parent", "command", "hosts", "users", "first_seen", "last_seen", "days", "times", "why", "network", "process",
    "network_days", "process_days", "covered", "owner", "evidence")
MAX_USES: Final = 200
MAX_HOSTS: Final = 500
MAX_NAMED: Final = 6
MAX_ERRORS: Final = 100
"""How much of each list the page shows; JSON and CSV have all."""


def _json(document: PreflightDocument) -> Iterator[bytes]:
    from douse.report.machine import json_document

    yield json_document(document)


def _csv(document: PreflightDocument) -> Iterator[bytes]:
    yield _line(COLUMNS)
    for use in document["use_cases"]:
        yield _row(_use_cells(use))
    for host in document["hosts"]:
        yield _row(_host_cells(host))
    for name in document["unlisted"]:
        yield _row({"row": "unlisted host", "hosts": name, "why": "not in the inventory"})


def _use_cells(use: UseCaseRow) -> dict[str, Any]:
    decision = use["decision"]
    signed = {"decision": decision["decision"], "decided_by": decision["owner"], "expires": decision["expires"],
              "ticket": decision["ticket"]} if decision else {}
    own = {name: value for name, value in use.items() if name in COLUMNS and name != "decision"}
    lists = {name: "; ".join(use[name]) for name in ("hosts", "users", "evidence")}
    return {"row": "use case", **own, **lists, **signed}


def _host_cells(host: PreflightHostRow) -> dict[str, Any]:
    return {**{name: value for name, value in host.items() if name in COLUMNS}, "row": "host", "hosts": host["host"],
            "network": "; ".join(host["network"]), "process": "; ".join(host["process"]),
            "covered": "yes" if host["covered"] else "no"}


def _row(values: dict[str, Any]) -> bytes:
    return _line(tuple(values.get(name, "") if values.get(name) is not None else "" for name in COLUMNS))


def _line(values: tuple[object, ...]) -> bytes:
    text = StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(map(cell, values))
    return text.getvalue().encode("utf-8")


def _html(document: PreflightDocument) -> Iterator[bytes]:
    from douse.report.html import page

    hosts = sorted(document["hosts"], key=lambda host: (host["covered"], host["host"].lower()))
    yield page(
        "preflight.html.j2", "preflight.css",
        document=document,
        uses=document["use_cases"][:MAX_USES],
        hosts=hosts[:MAX_HOSTS],
        open_uses=[use for use in document["use_cases"] if use["open"]],
        most=MAX_NAMED,
        most_errors=MAX_ERRORS,
        share=_share(document),
        means=MEANS[document["verdict"]],
        steps=NEXT[document["verdict"]],
    ).encode("utf-8", "backslashreplace")


MEANS: Final = {
    "GO": "The block can be deployed.",
    "GO WITH EXCEPTIONS": "The block can be deployed, if the groups named below are kept out of it.",
    "NO-GO": "Do not deploy the block yet: somebody may need it, or somebody has to look at an incident first.",
    "INSUFFICIENT": "Nobody can tell yet: what was read could not have shown every use.",
}
"""What a verdict means to who reads it."""


NEXT: Final = {
    "GO": ("Generate the block in audit mode and then in enforce mode, with --preflight and this record.",
           "Deploy it ring by ring, and run `douse harden verify` over the logs of each."),
    "GO WITH EXCEPTIONS": (
        "Generate the block with --preflight and this record: the groups below are kept out of it.",
        "Deploy it ring by ring, and run `douse harden verify` over the logs of each.",
        "Run the pre-flight again before the first decision expires."),
    "NO-GO": ("Hunt every suspect use case: `douse hunt` over the same logs. It is an incident until somebody says no.",
              "Let --write-decisions make a file with the open use cases, and have their owners sign it.",
              "Run the pre-flight again with --decisions."),
    "INSUFFICIENT": ("Switch on what hosts lack: Sysmon 3 or Security 5156 (connections), Sysmon 1 or Security 4688.",
                     "Wait until the window is full, and run the pre-flight again.",
                     "Leave a host out of the inventory only if the block is not deployed there."),
}
"""What to do next, for whoever holds the page."""


def _share(document: PreflightDocument) -> int:
    """How many percent of the inventory's hosts were covered, rounded down, so that 100 means all."""
    coverage = document["coverage"]
    return 100 * coverage["covered"] // coverage["hosts"] if coverage["hosts"] else 0


FORMATS: Final[dict[str, Callable[[PreflightDocument], Iterator[bytes]]]] = {"json": _json, "csv": _csv, "html": _html}
