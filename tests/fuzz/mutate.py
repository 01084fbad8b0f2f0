"""Damage bytes the way disks, transfers and attackers do: a seed's bytes in, changed bytes out, by a given Random.

One input gets a few changes in a row, each from MUTATORS. Places are chosen by chance, or from `marks`, the offsets
where a format keeps its lengths, counts and magics, because most random places hit text that nobody parses.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

NUMBERS = (0, 1, 7, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF,
           1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
"""What lengths and counts go wrong at."""
MOST_BYTES = 1 << 20
"""No input grows beyond this, or a thousand executions would measure memory."""


@dataclass(frozen=True, slots=True)
class Material:
    """What a mutator may use: other seeds to splice from, words of the format, places that matter in this seed."""

    seeds: Sequence[bytes]
    tokens: Sequence[bytes] = ()
    marks: Sequence[int] = ()


def _place(data: bytearray, random: Random, material: Material) -> int:
    if material.marks and random.random() < 0.6:
        return min(random.choice(material.marks) + random.randrange(32), max(len(data) - 1, 0))
    return random.randrange(len(data) + 1) if data else 0


def _run(data: bytearray, random: Random, material: Material) -> tuple[int, int]:
    """A stretch of the data, short more often than long."""
    start = _place(data, random, material)
    longest = random.choice((4, 16, 64, 512, 4096, 65536))
    return start, min(start + random.randint(1, longest), len(data))


def flip_bits(data: bytearray, random: Random, material: Material) -> None:
    """One to eight bits, near each other or not."""
    for _ in range(random.choice((1, 1, 2, 8))):
        if data:
            data[min(_place(data, random, material), len(data) - 1)] ^= 1 << random.randrange(8)


def set_number(data: bytearray, random: Random, material: Material) -> None:
    """A number that lengths go wrong at, or one beside the number that is there."""
    size, code = random.choice(((1, "<B"), (2, "<H"), (4, "<I"), (8, "<Q")))
    at = _place(data, random, material) // size * size if random.random() < 0.8 else _place(data, random, material)
    if at + size > len(data):
        return
    number = struct.unpack_from(code, data, at)[0] + random.randint(-16, 16) if random.random() < 0.4 else (
        random.choice(NUMBERS))
    struct.pack_into(code, data, at, number % (1 << 8 * size))


def truncate(data: bytearray, random: Random, material: Material) -> None:
    """The rest is gone."""
    del data[_place(data, random, material):]


def cut_out(data: bytearray, random: Random, material: Material) -> None:
    """A stretch is gone and the rest moved up."""
    start, end = _run(data, random, material)
    del data[start:end]


def wipe(data: bytearray, random: Random, material: Material) -> None:
    """A stretch of one byte, as a wiper or a failed disk leaves it."""
    start, end = _run(data, random, material)
    data[start:end] = bytes([random.choice((0, 0, 0xFF, 0x41))]) * (end - start)


def noise(data: bytearray, random: Random, material: Material) -> None:
    """A stretch of random bytes."""
    start, end = _run(data, random, material)
    data[start:end] = random.randbytes(end - start)


def repeat(data: bytearray, random: Random, material: Material) -> None:
    """A stretch again, a few times."""
    start, end = _run(data, random, material)
    data[start:start] = data[start:end] * random.choice((1, 1, 2, 50))


def splice(data: bytearray, random: Random, material: Material) -> None:
    """A stretch of another seed, in place of what is there or between it."""
    other = random.choice(material.seeds)
    start, end = _run(bytearray(other), random, material)
    at = _place(data, random, material)
    piece = other[start:end]
    data[at:at + (len(piece) if random.random() < 0.5 else 0)] = piece


def move(data: bytearray, random: Random, material: Material) -> None:
    """A stretch somewhere else."""
    start, end = _run(data, random, material)
    piece = bytes(data[start:end])
    del data[start:end]
    at = _place(data, random, material)
    data[at:at] = piece


def insert_token(data: bytearray, random: Random, material: Material) -> None:
    """A word of the format where it may not belong, once or (rarely) very often."""
    if material.tokens:
        at = _place(data, random, material)
        data[at:at] = random.choice(material.tokens) * random.choice((1, 1, 1, 1, 2, 300))


def swap_token(data: bytearray, random: Random, material: Material) -> None:
    """A word of the format in place of another one."""
    if len(material.tokens) > 1:
        here, there = random.sample(list(material.tokens), 2)
        found = data.find(here, _place(data, random, material))
        if found >= 0:
            data[found:found + len(here)] = there


def swap_lines(data: bytearray, random: Random, material: Material) -> None:
    """Lines in another order, with another indentation, or joined."""
    lines = bytes(data).split(b"\n")
    one, two = random.randrange(len(lines)), random.randrange(len(lines))
    lines[one], lines[two] = lines[two], b" " * random.choice((0, 0, 1, 4)) + lines[one].lstrip()
    data[:] = random.choice((b"\n", b"\n", b"\n", b"\r\n", b"")).join(lines)


Mutator = Callable[[bytearray, Random, Material], None]
BINARY: tuple[Mutator, ...] = (flip_bits, flip_bits, set_number, set_number, set_number, truncate, cut_out, wipe,
                               noise, repeat, splice, move, insert_token)
TEXT: tuple[Mutator, ...] = (flip_bits, truncate, cut_out, repeat, splice, move, insert_token, insert_token,
                             insert_token, swap_token, swap_token, swap_token, swap_lines, swap_lines)


def mutated(seed: bytes, mutators: Sequence[Mutator], random: Random, material: Material) -> bytes:
    """The seed after one to five changes."""
    data = bytearray(seed)
    for _ in range(random.choice((1, 1, 2, 3, 5))):
        random.choice(mutators)(data, random, material)
        del data[MOST_BYTES:]
    return bytes(data)
