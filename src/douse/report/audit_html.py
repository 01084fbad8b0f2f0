"""An audit becomes one HTML file, the page an administrator takes to a change board; made as html.py makes the report.

It begins with what is to be decided: what is missing, where and whose, what it costs, the way back, the next command;
the evidence follows. What is long is cut and says so: the page is for people, json and csv hold everything.
"""

from __future__ import annotations

from typing import Final

from douse.report import audit_story as story
from douse.report.audit_schema import AuditDocument
from douse.report.audit_views import FEW_SUBJECTS, subject_views
from douse.report.html import page

MAX_SUBJECTS: Final = 100
"""Subjects with their findings."""
MAX_OVERVIEW: Final = 500
"""Hosts of the first table, files and problems."""
MAX_FIRST: Final = 6


def render(document: AuditDocument) -> str:
    """The page of an audit."""
    hosts = [one for one in document["subjects"] if one["kind"] == "host"]
    others = [one for one in document["subjects"] if one["kind"] in ("tenant", "organisation")]
    columns = [*hosts, *others] if len(hosts) + len(others) <= FEW_SUBJECTS else []
    changes = story.to_change(document)
    return page(
        "audit.html.j2",
        "coverage.css",
        "audit.css",
        document=document,
        story=story,
        hosts=sorted(hosts, key=story.urgency)[:MAX_OVERVIEW],
        total_hosts=len(hosts),
        policies=[one for one in document["subjects"] if one["kind"] == "policy"][:MAX_OVERVIEW],
        columns=columns,
        states=[{row["control"]: row["state"] for row in one["findings"]} for one in columns],
        subjects=subject_views(document, MAX_SUBJECTS),
        few=len(document["subjects"]) <= FEW_SUBJECTS,
        changes=changes,
        changed={row["id"] for row in changes},
        command=story.command(changes, document["profile"]),
        unknown=story.to_collect(document),
        unverified=[row for row in document["controls"] if row["unverified"] or not row["verified"]],
        max_first=MAX_FIRST,
        most=MAX_OVERVIEW,
    )
