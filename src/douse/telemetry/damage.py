"""Why a part of a text log could not be read, and what to do next: a reason, its line and how many records it was in,
a Loss on the tally out.

The reasons that several readers share stand here with their next steps; a reason that is one format's own stands in
its reader. `records` is None where nobody can know how many there were.
"""

from __future__ import annotations

from typing import Final

from douse.model import Loss, Source
from douse.telemetry.coverage import Tally

TOO_LONG: Final = "longer than --max-line allows"
NOT_UTF8: Final = "invalid UTF-8"
NOT_JSON: Final = "broken JSON"
NO_EVENT: Final = "no Windows event (no channel, event id or time in it)"
CUT_OFF: Final = "the file ends inside this document"
CUT_OFF_LIST: Final = "the file ends before the list of its records does"
ZEROS: Final = "zero bytes, as a crash leaves them where records were"
CARRIAGES: Final = "carriage returns alone where lines should end"

_OTHER_COPY: Final = "Look for another copy of the log."
_COMPLETE_COPY: Final = "Look for a complete copy of the file."
_NEXT_STEPS: Final = {
    TOO_LONG: "Raise --max-line to read it.",
    CUT_OFF: _COMPLETE_COPY,
    CUT_OFF_LIST: _COMPLETE_COPY,
    CARRIAGES: "Save it with line feeds and read it again.",
}


def lose(reason: str, line: int, source: Source, tally: Tally, records: int | None = 1, next_step: str = "") -> None:
    """Count what a line held as lost. Without a next step of its own, all one can do is to look for a better copy."""
    tally.lose(Loss(source, f"line {line}", reason, records, next_step or _NEXT_STEPS.get(reason, _OTHER_COPY)))
