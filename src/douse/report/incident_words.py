"""An incident's lists as text, for formats that have one field where a report has a page; and what it may be called."""

from __future__ import annotations

from collections.abc import Iterator

from douse.incident.family import UNATTRIBUTED
from douse.model import level_rank
from douse.report.schema import IncidentRow


def is_infostealer(incident: IncidentRow) -> bool:
    """Whether the incident may be passed on as an infostealer's: from level high on, or where evidence names a family.

    A reader of an export sees a label and no doubt, so that weaker incidents carry their techniques alone.
    """
    said = incident["attribution"]
    named = said is not None and said["family"] not in ("", UNATTRIBUTED)
    return named or level_rank(incident["level"]) >= level_rank("high")


def plan_text(incident: IncidentRow) -> str:
    """The plan, a line for each step under its phase."""
    phase, lines = "", []
    for number, step in enumerate(incident["plan"], 1):
        if step["phase"] != phase:
            phase = step["phase"]
            lines.append(f"{phase.capitalize()}:")
        lines.append(f"{number}. {step['text']}")
    return "\n".join(lines)


def stolen_text(incident: IncidentRow) -> str:
    """Each store with what is known of it, then what to change."""
    return "\n".join((*_stores(incident), *(f"Change: {change['text']}" for change in incident["rotation"])))


def _stores(incident: IncidentRow) -> Iterator[str]:
    for store in incident["stores"]:
        holds = f": {', '.join(store['holds'])}" if store["holds"] else ""
        user = f" of {store['user']}" if store["user"] else ""
        yield f"{store['product']}{user}, {store['state']}{holds}"


def unseen_text(incident: IncidentRow) -> str:
    """The blind spots: what was missing, what it hides, how to enable it."""
    return "\n".join(f"{spot['title']} ({spot['events']}): {spot['cannot_judge']} {spot['enable']}"
                     for spot in incident["blind_spots"])
