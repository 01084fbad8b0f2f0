"""The rows of a pre-flight and of a verify as other programs read them: plain dicts.

`douse harden preflight ... --format json` writes one PreflightDocument, which is also the record that lets a block be
enforced (harden/preflight/record.py); `douse harden verify --format json` one VerifyDocument. A change that breaks a
reader of these rows needs a new number in the schema; a further key does not. Times are RFC 3339 in UTC with `Z`, dates
ISO 8601. Texts of evidence are without their secrets.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from douse.report.schema import ErrorRow

VERIFY_SCHEMA = "douse.verify/1"


class PreflightHostRow(TypedDict):
    """How well one host of the inventory was watched; `network` and `process` name the kinds of records it had."""

    host: str
    owner: str
    network: list[str]
    process: list[str]
    network_days: int
    process_days: int
    first_seen: str | None
    last_seen: str | None
    covered: bool
    why: str


class DecisionRow(TypedDict):
    """What somebody signed for; empty where the file says nothing yet."""

    use_case: str
    decision: str
    owner: str
    signed: str
    expires: str
    ticket: str
    reason: str
    group: str
    sid: str
    where: str


UseCaseRow = TypedDict("UseCaseRow", {
    "id": str, "class": str, "why": str, "basis": str, "destination": str, "port": int, "protocol": str, "parent": str,
    "command": str, "hosts": list[str], "users": list[str], "first_seen": str, "last_seen": str, "days": int,
    "times": int, "evidence": list[str], "decision": DecisionRow | None, "open": str})
UseCaseRow.__doc__ = """One use case. `class` is suspect, unknown or business candidate, `basis` connected, possible or
started. `open` is why it blocks the verdict, empty where it does not. `times` counts runs of the program."""


class ListFileRow(TypedDict):
    """A file of the user's: inventory, decisions, indicators."""

    path: str
    sha256: str


class PreflightDocument(TypedDict):
    """A whole pre-flight. `digest` is the SHA-256 of all the rest (record.digest), by which a change is noticed."""

    kind: Literal["preflight"]
    schema: str
    program: str
    verdict: str
    reason: str
    since: str
    until: str
    days: int
    need: int
    coverage: dict[str, int]
    hosts: list[PreflightHostRow]
    unlisted: list[str]
    use_cases: list[UseCaseRow]
    decisions: list[DecisionRow]
    notes: list[str]
    not_seen: list[str]
    errors: list[ErrorRow]
    records: int
    files: list[ListFileRow]
    version: str
    command_line: str
    started: str
    finished: str
    digest: str


class HitRow(TypedDict):
    """Somebody who was refused, or would have been. `state` is known, alike or new, by the pre-flight; `use_case` its
    id there."""

    program: str
    host: str
    user: str
    event: str
    outcome: str
    destination: str
    port: int
    parent: str
    command: str
    first_seen: str
    last_seen: str
    times: int
    state: str
    use_case: str
    decision: str
    evidence: list[str]


class VerifyHostRow(TypedDict):
    """What one host could have told: the kinds of records that it had at all, and whether that is enough to say that
    nobody was hit."""

    host: str
    owner: str
    seen: list[str]
    can_say: bool
    why: str


class VerifyDocument(TypedDict):
    """A whole verify."""

    kind: Literal["verify"]
    schema: str
    programs: list[str]
    since: str | None
    until: str | None
    preflight: dict[str, str] | None
    hits: list[HitRow]
    hosts: list[VerifyHostRow]
    unlisted: list[str]
    notes: list[str]
    errors: list[ErrorRow]
    records: int
    version: str
    command_line: str
    started: str
    finished: str
