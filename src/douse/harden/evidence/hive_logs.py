"""What Windows had not yet written into a hive, from its transaction logs: a dirty hive's bytes in, the whole ones out.

A log (.LOG1, .LOG2) holds blocks ("HvLE") of pages, each with a sequence number. The blocks that count begin at the
hive's own number and go on without a gap, whichever file they are in; what else a log holds is left over from before.
regipy.recovery applies the left-over blocks too, and refuses a hive that grew, so this is done here. Logs of Windows 8
and older ("DIRT") are not applied. Nothing is written to disk, and a block's hashes are not checked.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from douse.harden.evidence.file import MAX_BYTES

_BINS = 4096
_FIRST = 512
"""Where a log's blocks begin."""
_BLOCK = struct.Struct("<4sIIIIIQQ")
_AHEAD = 1 << 31
"""Numbers wrap: one that is further ahead lies behind."""
MAX_PAGES = 200_000
"""Of a block; a log is at most some 64 MB of pages of 512 bytes."""


@dataclass(frozen=True, slots=True)
class _Block:
    sequence: int
    bins: int
    pages: tuple[tuple[int, bytes], ...] | None


@dataclass(frozen=True, slots=True)
class Recovered:
    """A hive's bytes after `blocks` blocks of its logs were applied; with 0 they are the hive's own. `whole` is false
    where the logs go on behind a gap or a damaged block: then newer changes are lost."""

    data: bytes
    blocks: int
    whole: bool = True


def recover(data: bytes, sequence: int, logs: Iterable[bytes]) -> Recovered:
    """Apply to a hive, whose second sequence number this is, what of its logs comes after it."""
    known: dict[int, _Block] = {}
    for log in logs:
        for block in _blocks(log):
            known.setdefault(block.sequence, block)
    hive, applied, first = bytearray(data), 0, sequence
    while sequence in known and _apply(known[sequence], hive):
        sequence, applied = (sequence + 1) & 0xFFFFFFFF, applied + 1
    if applied:
        struct.pack_into("<II", hive, 4, sequence, sequence)
    reached = sequence - first & 0xFFFFFFFF
    return Recovered(bytes(hive), applied, not any(reached <= one - first & 0xFFFFFFFF < _AHEAD for one in known))


def _blocks(log: bytes) -> Iterable[_Block]:
    """The blocks of a log, in its order. One that is damaged is the last, and has no pages."""
    at = _FIRST
    while at + _BLOCK.size <= len(log):
        mark, size, _, sequence, bins, count, _, _ = _BLOCK.unpack_from(log, at)
        end, data_at = at + size, at + _BLOCK.size + count * 8
        if mark != b"HvLE":
            return
        pages = list[tuple[int, bytes]]()
        sound = count <= MAX_PAGES and data_at <= end <= len(log)
        for target, length in struct.iter_unpack("<II", log[at + _BLOCK.size:data_at]) if sound else ():
            pages.append((target, log[data_at:data_at + length]))
            data_at += length
        sound = sound and data_at <= end
        yield _Block(sequence, bins, tuple(pages) if sound else None)
        if not sound:
            return
        at = end


def _apply(block: _Block, hive: bytearray) -> bool:
    """Write a block's pages; whether they lie inside the bins that it announces."""
    end = _BINS + block.bins
    if block.pages is None or end > MAX_BYTES or any(_BINS + at + len(page) > end for at, page in block.pages):
        return False
    hive.extend(bytes(max(0, end - len(hive))))
    for at, page in block.pages:
        hive[_BINS + at:_BINS + at + len(page)] = page
    struct.pack_into("<I", hive, 40, block.bins)
    return True
