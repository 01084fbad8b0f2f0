"""The formats a hunt can be written in: word -> what makes its bytes from a Document, piece by piece.

`table` is not here: it is drawn on a terminal, by cli/show.py. What makes the bytes is imported when asked for, so
that a command may list the words without paying for jinja2 and msgspec. Every format is made from the same document,
so one hunt can be written in several, and a saved one again in any.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from douse.report.schema import Document


@dataclass(frozen=True, slots=True)
class Exporter:
    """A format: the name of its file among several, what it is, and where it is made (`module:function`, which gives
    a text or pieces of bytes)."""

    file: str
    about: str
    target: str

    def render(self, document: Document) -> Iterator[bytes]:
        """The document in this format."""
        module, _, function = self.target.partition(":")
        made: str | Iterator[bytes] = getattr(import_module(module), function)(document)
        return iter((made.encode("utf-8"),)) if isinstance(made, str) else made


FORMATS: dict[str, Exporter] = {
    "json": Exporter("hunt.json", "everything, as one JSON document", "douse.report.machine:json_pieces"),
    "jsonl": Exporter("hunt.jsonl", "everything, one JSON object a line", "douse.report.machine:document_lines"),
    "html": Exporter("report.html", "the report for people, in one file", "douse.report.html:render"),
    "csv": Exporter("alerts.csv", "the alerts, a row each, with their incident", "douse.report.csv_:render"),
    "timesketch": Exporter("timesketch.jsonl", "a Timesketch timeline", "douse.report.timesketch:render"),
    "sarif": Exporter("sarif.json", "SARIF 2.1.0, for views of findings", "douse.report.sarif:render"),
    "markdown": Exporter("ticket.md", "the incident for a ticket", "douse.report.markdown:render"),
    "navigator": Exporter("navigator.json", "a layer for the ATT&CK Navigator", "douse.report.navigator:render"),
    "stix": Exporter("stix.json", "a STIX 2.1 bundle with sightings", "douse.report.stix:render"),
    "attack_flow": Exporter("attack_flow.json", "the worst incident as an Attack Flow 2.0",
                            "douse.report.attack_flow:render"),
    "ocsf": Exporter("ocsf.jsonl", "OCSF Detection Findings, one a line", "douse.report.ocsf:render"),
}
