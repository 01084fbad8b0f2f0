"""Bytes in, Events out: Windows logs in every format they are exported in, network logs, archives of these.

With the Events comes an honest count of what was read and lost.

Start with readers.py (which reader for which bytes) and model.Event (what they yield). A reader is one function,
`read(stream, source, wanted, tally, limits) -> Iterator[Event]`; the next one is a module and a line in READERS.
Telemetry has never heard of a rule: `Wanted` says which records somebody asked for, `Tally` counts all of them.
"""

from douse.telemetry.chunks import ChunkRange
from douse.telemetry.coverage import Tally
from douse.telemetry.limits import Limits
from douse.telemetry.readers import parts, read_part, read_path, read_stream
from douse.telemetry.wanted import Wanted

__all__ = ["ChunkRange", "Limits", "Tally", "Wanted", "parts", "read_part", "read_path", "read_stream"]
