"""A file of decisions to be filled in: a pre-flight's document in, YAML out, with an entry for each use case.

What is known of a use case stands in `about` as a quoted text, never as YAML of its own, and `read_decisions`
(harden/preflight/decisions.py) passes over it. What somebody decided already is carried over.
"""

from __future__ import annotations

from typing import Final

from douse.report.preflight_schema import PreflightDocument, UseCaseRow
from douse.text import clean

_LONGEST: Final = 600
_NAMED: Final = 5
_FIELDS: Final = ("decision", "owner", "signed", "expires", "ticket", "reason", "group", "sid")
_HEAD: Final = """\
# Decisions about the use cases of {program} that a pre-flight found.
# Those that are not open only started: a block of connections does not meet them, AppLocker and App Control do.
# decision: migrate (it goes away first), except (a group keeps it: group and sid) or block (it may break).
# A suspect use case can only be blocked, with the ticket of its incident. Dates as 2027-02-28.
# An entry with an empty value is not signed, and stays open. Then run the pre-flight again with --decisions.
"""


def skeleton(document: PreflightDocument) -> bytes:
    """The file, UTF-8."""
    listed = document["use_cases"]
    lines = [_HEAD.format(program=clean(document["program"])), f"program: {quoted(document['program'])}",
             "decisions:" if listed else "decisions: []"]
    for use in listed:
        lines += _entry(use)
    return ("\n".join(lines) + "\n").encode("utf-8")


def _entry(use: UseCaseRow) -> list[str]:
    signed = use["decision"]
    values = {name: str(signed[name]) if signed else "" for name in _FIELDS}
    return [f"  - use_case: {quoted(use['id'])}", f"    about: {quoted(_about(use))}",
            *(f"    {name}: {quoted(values[name]) if values[name] else chr(34) * 2}" for name in _FIELDS)]


def _about(use: UseCaseRow) -> str:
    where = f"{use['destination']}:{use['port']}" if use["destination"] else "no connection"
    who = ", ".join([*use["hosts"][:_NAMED], *use["users"][:_NAMED]])
    what = f"by {use['parent'] or 'unknown'}; {use['command'] or 'no command'}"
    return (f"{use['class']}; {use['basis']}; {where}; {what}; {who}; "
            f"{use['first_seen']} to {use['last_seen']}; {use['why']} "
            f"{'Open: ' + use['open'] if use['open'] else 'Not open'}")


def quoted(text: str) -> str:
    """A text as a double-quoted scalar of YAML in one line: hidden characters written out, nothing of it is syntax."""
    return '"' + "".join(map(_sign, clean(text, _LONGEST))) + '"'


def _sign(sign: str) -> str:
    if sign in '"\\':
        return f"\\{sign}"
    if sign.isprintable() and sign not in "\u0085\ufeff":
        return sign
    code = ord(sign)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
