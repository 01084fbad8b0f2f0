"""A hunt as Markdown for a ticket: a document in, text out, with what is to be done as a list of boxes to tick.

A ticket is read on GitHub, GitLab, Jira and the like, which make links, images and mentions of text. So a sentence
passes text.markdown and evidence stands in code spans (text.code). Indicators are defanged. What is long is cut and
says so: the file of `--format json` holds everything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from douse.model import PHASES
from douse.report import story
from douse.report.schema import Document, IncidentRow
from douse.text import code, markdown

MAX_INCIDENTS = 10
MAX_STEPS = 60
MAX_LISTED = 50
MAX_TEXT = 300
_ALL_SEEN = "All telemetry that our rules ask for was there."


def render(document: Document) -> Iterator[bytes]:
    """The ticket: the worst incident first, then what could not be seen, and where it all comes from."""
    for line in _lines(document):
        yield f"{line}\n".encode()


def _lines(document: Document) -> Iterator[str]:
    incidents = story.worst_first(document)
    if not incidents:
        yield from _nothing(document)
    for number, incident in enumerate(incidents[:MAX_INCIDENTS]):
        yield from _incident(incident, "#" if number == 0 else "---\n\n#")
    if len(incidents) > MAX_INCIDENTS:
        yield f"\n*{len(incidents) - MAX_INCIDENTS} further incidents are in the JSON.*"
    yield from _unseen(document)
    yield from _provenance(document)


def _nothing(document: Document) -> Iterator[str]:
    said = story.nothing(document)
    yield f"# {markdown(said.title)}\n\n{markdown(said.lead)}"
    yield from _section("What to do next", (f"- [ ] {markdown(step)}" for step in said.steps))


def _incident(row: IncidentRow, heading: str) -> Iterator[str]:
    yield f"{heading} {row['level'].upper()}: {markdown(row['title'], MAX_TEXT)}"
    yield f"\n{markdown(row['verdict'])}\n"
    yield f"- Host: {code(row['host'], MAX_TEXT)}"
    yield f"- Users: {', '.join(code(user, MAX_TEXT) for user in row['users']) or 'unknown'}"
    yield f"- Seen: {story.moment(row['first_seen'])} to {story.moment(row['last_seen'])} UTC"
    yield f"- Family: {markdown(row['family_detail'] or row['family'])}"
    yield f"- Why {row['level']}: {markdown(row['level_reason'])}"
    yield f"- Incident: {code(row['incident_id'])}"
    yield from _steps(row)
    yield from _section("What was taken", _stores(row))
    yield from _section("What to change, in this order", _rotation(row))
    yield from _section("What happened (UTC)", _timeline(row))
    yield from _section("Indicators (defanged)", _indicators(row))
    yield from _section("What would have stopped it", _controls(row))
    yield from _section("Whom to teach what", _lessons(row))


def _steps(row: IncidentRow) -> Iterator[str]:
    """What to do, each step once: by phase, or as one list where a document has no plan."""
    if not row["plan"]:
        yield from _section("First steps", (f"- [ ] {markdown(step)}" for step in row["next_steps"]))
    for phase in PHASES:
        steps = [step for step in row["plan"] if step["phase"] == phase]
        yield from _section(f"What to do: {phase}", (f"- [ ] {markdown(step['text'])}" for step in steps))


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    """A heading and its lines; nothing where there are none."""
    listed = list(lines)
    if listed:
        yield f"\n## {title}\n"
        yield from listed


def _table(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        yield f"| {' | '.join(names)} |"
        yield f"|{' --- |' * len(names)}"
        yield from (f"| {' | '.join(row)} |" for row in rows[:MAX_LISTED])
    if len(rows) > MAX_LISTED:
        yield f"\n*and {len(rows) - MAX_LISTED} more*"


def _stores(row: IncidentRow) -> Iterator[str]:
    listed = [(markdown(one["state"]), markdown(one["product"]), code(one["user"], MAX_TEXT),
               markdown(", ".join(one["holds"])), markdown(", ".join(one["unseen"])), code(one["process"], MAX_TEXT))
              for one in row["stores"]]
    yield from _table(("state", "store", "user", "holds", "also there, access not seen", "read by"), listed)
    outcome = story.impact_words(row)
    if outcome:
        yield f"\n{markdown(outcome)}"


def _rotation(row: IncidentRow) -> Iterator[str]:
    for one in row["rotation"]:
        entries = one["entries"][:MAX_LISTED]
        more = f" and {len(one['entries']) - len(entries)} more" if len(entries) < len(one["entries"]) else ""
        named = f" ({', '.join(code(entry, MAX_TEXT) for entry in entries)}{more})" if entries else ""
        users = f" For {', '.join(code(user, MAX_TEXT) for user in one['users'])}." if one["users"] else ""
        of = f" Of {markdown(', '.join(one['products']))}." if one["products"] else ""
        presumed = " Presumed stolen." if one["basis"] == "presumed" else ""
        yield f"- [ ] {markdown(one['text'])}{of}{users}{named}{presumed}"


def _timeline(row: IncidentRow) -> Iterator[str]:
    told = story.told(row, {})
    shown = story.most_telling(told, MAX_STEPS)
    if shown:
        yield "| # | time | level | what | evidence |"
        yield "| --- | --- | --- | --- | --- |"
    for step in shown:
        one = step.row
        proof = "; ".join(filter(None, (one["process"], one["detail"] or one["evidence"])))
        yield (f"| {step.number} | {story.moment(one['time'])} | {one['level']} | {markdown(one['title'], MAX_TEXT)} | "
               f"{code(proof, MAX_TEXT)} |")
    if len(shown) < len(told):
        yield f"\n*and {len(told) - len(shown)} weaker steps*"


def _indicators(row: IncidentRow) -> Iterator[str]:
    listed = [("block" if one["block"] else "do not block", markdown(one["type"]), code(one["defanged"], MAX_TEXT),
               markdown(one["role"]), markdown(one["reason"], MAX_TEXT)) for one in row["indicators"]]
    return _table(("advice", "type", "value", "was", "why"), listed)


def _controls(row: IncidentRow) -> Iterator[str]:
    for one in row["controls"]:
        unverified = "" if one["verified"] else " (unverified)"
        yield (f"- {markdown(one['control_id'])} {markdown(one['title'])}: {markdown(one['effect'])} step "
               f"{one['step']}{unverified}. {markdown(one['takeaway'])}")


def _lessons(row: IncidentRow) -> Iterator[str]:
    for one in row["lessons"]:
        users = f", for {', '.join(code(user, MAX_TEXT) for user in one['users'])}" if one["users"] else ""
        yield f"- {markdown(one['lesson_id'])} {markdown(one['title'])}{users}. {markdown(one['takeaway'])}"


def _unseen(document: Document) -> Iterator[str]:
    spots = {spot["requirement"]: spot for host in document["coverage"] for spot in host["blind_spots"]}
    gaps = [f"- {markdown(spot['cannot_judge'])} It needs {markdown(spot['events'])}. {markdown(spot['enable'])}"
            f"{'' if spot['verified'] else ' (unverified)'}" for spot in spots.values()]
    blind = [f"- {code(host['host'], MAX_TEXT)}: no usable telemetry" for host in document["hosts"]
             if host["state"] == "no usable telemetry"]
    lost = [f"- {code(one['where'], MAX_TEXT)}: {markdown(one['what'], MAX_TEXT)} {markdown(one['next_step'])}".rstrip()
            for one in document["errors"][:MAX_LISTED]]
    if len(document["errors"]) > MAX_LISTED:
        lost.append(f"- and {len(document['errors']) - MAX_LISTED} more")
    yield from _section("What could not be seen", [*gaps, *blind] or [_ALL_SEEN])
    yield from _section("What could not be read", lost)


def _provenance(document: Document) -> Iterator[str]:
    run, summary = document["provenance"], document["summary"]
    inputs = [f"- {code(one['path'], MAX_TEXT)}, {one['size']:,} bytes, SHA-256 {code(one['sha256']) or 'not made'}"
              for one in run["inputs"][:MAX_LISTED]]
    if len(run["inputs"]) > MAX_LISTED:
        inputs.append(f"- and {len(run['inputs']) - MAX_LISTED} more")
    partial = "; the result is partial" if summary["partial"] else ""
    attack = markdown(run["attack_version"]) or "unknown"
    lines = [
        f"- Douse {markdown(run['version'])}, rules {code(run['rules_hash']) or 'unknown'}, ATT\\&CK {attack}",
        f"- Command: {code(run['command_line'], 1000) or 'not recorded'}",
        f"- Run: {story.moment(run['started'])} to {story.moment(run['finished'])} UTC",
        f"- Records: {summary['records_read']:,} read, {summary['records_lost']:,} lost{partial}",
        *(f"- {markdown(note)}" for note in document["notes"][:MAX_LISTED]),
    ]
    yield from _section("Where this comes from", [*lines, *inputs])
