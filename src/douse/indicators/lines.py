"""Read a list of indicators: a text file with one value a line in, entries out.

    bad.example            # Lumma, C2
    hxxps://files[.]bad[.]example/setup.zip
    127.0.0.1  bad.example                        a hosts file says it this way

A line that begins with `#`, `;` or `//` is a comment. What follows ` #` is a note: it becomes the indicator's name, and
it says of a private address that it is meant. A bad line is a Skip with its number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from douse.indicators.entries import Entries
from douse.indicators.known import Origin

COMMENTS = ("#", ";", "//")
_NOTE = re.compile(r"\s+#+\s*")
_HOSTS = re.compile(r"(?:0\.0\.0\.0|127\.0\.0\.1|::1?)[ \t]+(?=[^ \t])")
"""How a line of a hosts file begins that sends a name nowhere."""

MAX_NAME = 200
"""Characters of a note that are kept."""


def read_lines(file: str, lines: Iterable[tuple[int, str]], creator: str = "") -> Entries:
    """The entries of numbered lines; `file` is how the user names it."""
    entries = Entries()
    for number, raw in lines:
        line = raw.strip()
        if not line or line.startswith(COMMENTS):
            continue
        value, *note = _NOTE.split(line, maxsplit=1) if "#" in line else (line,)
        name = note[0].strip()[:MAX_NAME] if note else ""
        origin = Origin(f"{file}:{number}", name, creator)
        entries.name(_HOSTS.sub("", value, count=1), origin, noted=bool(name))
    return entries
