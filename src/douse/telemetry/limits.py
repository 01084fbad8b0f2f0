"""How much hostile input may cost: longest line, most decompressed bytes, deepest archive.

The defaults let real logs through (the Sysmon log of a busy day unpacks to some 20 times its zip) and stop a bomb
early. What a limit stops is a Loss with the option that lifts it, never an error, and the run goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MIB = 1 << 20
GIB = 1 << 30


@dataclass(slots=True)
class Budget:
    """The decompressed bytes one file on disk has cost so far, over all its members at all depths."""

    unpacked: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one input file may cost. Sizes are bytes, except `max_line`, which counts characters of decoded text.

    A member is taken for a bomb when it unpacks to more than `max_ratio` times its packed size; that is judged only
    beyond `ratio_from` bytes, because a nearly empty EVTX is mostly zeros and packs a thousandfold. `max_depth` is
    how many archives may lie inside each other: 3 reads a log in a gz in a zip in a zip.
    """

    max_line: int = 64 * MIB
    max_member: int = 16 * GIB
    max_unpacked: int = 64 * GIB
    max_ratio: int = 200
    ratio_from: int = 64 * MIB
    max_depth: int = 3
    max_members: int = 100_000
    budget: Budget = field(default_factory=Budget, compare=False, repr=False)
