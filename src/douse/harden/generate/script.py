r"""Put data into a PowerShell script of ours, and get it out again: constant code, and one JSON document of data.

    assembled("apply.ps1", script_data({...})) -> bytes        embedded(script) -> {...}

The code is that of scripts/*.ps1, the same for everybody; a line `#DOCUMENT` or `#READING` stands for what comes there.
The data stand in a single-quoted here-string, in which PowerShell expands nothing and which only `'@` at the start of a
line ends. In the JSON `'`, `@` and all that is not ASCII are escaped (PowerShell takes U+2018 to U+201B for quotes as
well), so no value can end it. The scripts are for Windows PowerShell 5.1 with nothing but Windows' own modules.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).with_name("scripts")
BEGIN, END = "$Document = @'\n", "\n'@\n"
PARTS = {"#READING": "reading.ps1", "#WRITING": "writing.ps1", "#SHARED": "sacl_shared.ps1",
         "#PROTECTED": "protected.ps1"}


def script_data(wanted: Mapping[str, object]) -> str:
    """A document as text that can stand in a single-quoted here-string, whatever is in it."""
    text = json.dumps(wanted, ensure_ascii=True, indent=1)
    return text.replace("'", "\\u0027").replace("@", "\\u0040")


def assembled(name: str, data: str) -> bytes:
    """A script of the folder with the document and the shared parts in their places; ASCII, lines end as on Windows."""
    lines = [_in_place_of(line, data) for line in _part(name).split("\n")]
    return ("\n".join(lines) + "\n").replace("\n", "\r\n").encode("ascii")


def _in_place_of(line: str, data: str) -> str:
    if line == "#DOCUMENT":
        return (BEGIN + data + END).rstrip("\n")
    return "\n".join(_in_place_of(one, data) for one in _part(PARTS[line]).split("\n")) if line in PARTS else line


@cache
def _part(name: str) -> str:
    return (FOLDER / name).read_text(encoding="ascii").rstrip("\n")


def embedded(script: bytes) -> dict[str, object]:
    """The document inside a script of ours. Raises ValueError where there is none."""
    _, _, rest = script.decode("ascii").replace("\r\n", "\n").partition(BEGIN)
    body, end, _ = rest.partition(END)
    found = json.loads(body) if end else None
    if not isinstance(found, dict):
        raise ValueError("this script holds no document of ours")
    return found
