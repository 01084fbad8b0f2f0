"""An audit becomes one HTML file, the page an administrator takes to a change board; made as html.py makes the report.

What is long is cut and says so: the page is for people, json holds everything.
"""

from __future__ import annotations

from douse.content.controls import controls
from douse.content.settings import EffectiveSetting, QuestionSetting, TenantSetting
from douse.report import audit_story as story
from douse.report.audit_schema import AuditDocument
from douse.report.html import page

_ASKED = (EffectiveSetting, QuestionSetting, TenantSetting)
"""What no policy file sets."""

MAX_COLUMNS = 12
"""Hosts with a column of their own in the table of controls; beyond that it counts."""
MAX_SUBJECTS = 100
"""Subjects in full."""
MAX_OVERVIEW = 2_000
MAX_FIRST = 6
MAX_CITED = 4
"""Pieces of evidence that a check cites on the page."""


def render(document: AuditDocument) -> str:
    """The page of an audit."""
    hosts = [one for one in document["subjects"] if one["kind"] == "host"]
    others = [one for one in document["subjects"] if one["kind"] in ("tenant", "organisation")]
    return page(
        "audit.html.j2",
        "coverage.css",
        "audit.css",
        document=document,
        story=story,
        hosts=hosts[:MAX_OVERVIEW],
        columns=[*hosts, *others] if len(hosts) + len(others) <= MAX_COLUMNS else [],
        states={one["name"] + "\0" + one["kind"]: {row["control"]: row["state"] for row in one["findings"]}
                for one in document["subjects"]},
        subjects=document["subjects"][:MAX_SUBJECTS],
        titles={row["id"]: row["title"] for row in document["controls"]},
        changes=story.to_change(document),
        deployed={control.id for control in controls() if any(not isinstance(one, _ASKED) for one in control.settings)},
        unknown=story.to_collect(document),
        unverified=[row for row in document["controls"] if not row["verified"]],
        max_first=MAX_FIRST,
        max_cited=MAX_CITED,
    )
