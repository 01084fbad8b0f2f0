"""Read logs inside zip, gz, bz2 and xz: an archive in, its members' Events out, each through READERS by its content.

A member's name is provenance and a hint for its format, never a path on disk: what needs seeking is spooled to a
nameless temporary file. Members that are no evidence are counted as ignored; encrypted, damaged or bomb-like ones are
Losses, and the others are still read. How deep, how many and how much: limits.py. The counterpart for tar is tar.py; a
tar.gz is a gz in which READERS finds a tar.
"""

from __future__ import annotations

import bz2
import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import BinaryIO, Final, cast

from douse.model import Event, Loss, Source
from douse.telemetry import readers
from douse.telemetry.coverage import Tally
from douse.telemetry.limits import Limits
from douse.telemetry.streams import UNPACKING_ERRORS, Unpacking, buffered
from douse.telemetry.wanted import Wanted
from douse.telemetry.xz import XzStream

_ENCRYPTED: Final = 0x1
_PACKED: Final = frozenset({"gz", "bz2", "xz"})
_PACKED_TAR: Final = frozenset({"tgz", "tbz", "tbz2", "txz"})
UNPACK_IT: Final = "Unpack it yourself, if you trust it, and hunt the unpacked file."


def read_zip(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of every member of a zip."""
    inner = one_level_down(source, tally, limits)
    if inner is None:
        return
    try:
        archive = zipfile.ZipFile(stream)
    except UNPACKING_ERRORS:
        tally.lose(Loss(source, "", "damaged zip: its list of members cannot be read", None,
                        "Fetch it again, or repair it with `zip -FF`."))
        return
    size = stream.seek(0, io.SEEK_END)
    with archive:
        for number, info in enumerate(archive.infolist()):
            member = member_of(source, info.filename)
            if number >= limits.max_members:
                tally.lose(Loss(source, f"member {number + 1} and later", f"more than {limits.max_members} members",
                                None, UNPACK_IT))
                return
            if is_resource_fork(info.filename):
                tally.ignored += 1
            elif not info.filename.endswith("/"):  # is_dir() fails on a member without a name
                packed = min(info.compress_size, size)
                yield from _read_zip_member(archive, info, packed, member, wanted, tally, inner)


def _read_zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, packed: int, member: Source, wanted: Wanted,
                     tally: Tally, limits: Limits) -> Iterator[Event]:
    if info.flag_bits & _ENCRYPTED:
        tally.lose(Loss(member, "", "encrypted archive member", None,
                        "Unpack it with its password and hunt the unpacked file."))
        return
    try:
        opened = cast("zipfile.ZipExtFile", archive.open(info))
    except UNPACKING_ERRORS as error:
        tally.lose(Loss(member, "", f"archive member cannot be opened: {error}", None, UNPACK_IT))
        return
    with opened:
        yield from read_member(Unpacking(opened.read1, lambda: packed, limits), member, wanted, tally, limits)


def read_gz(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of a gzipped file."""
    with gzip.GzipFile(fileobj=stream) as opened:
        yield from _read_packed(opened.read1, stream, source, wanted, tally, limits)


def read_bz2(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of a file packed with bzip2."""
    with bz2.BZ2File(stream) as opened:
        yield from _read_packed(opened.read1, stream, source, wanted, tally, limits)


def read_xz(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of a file packed with xz."""
    yield from _read_packed(XzStream(stream).read, stream, source, wanted, tally, limits)


def _read_packed(unpack: Callable[[int], bytes], stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally,
                 limits: Limits) -> Iterator[Event]:
    """What is in a file that packs one other file."""
    inner = one_level_down(source, tally, limits)
    if inner is not None:
        member = member_of(source, _unpacked_name(PurePosixPath(source.member or source.path).name.rpartition("!")[2]))
        yield from read_member(Unpacking(unpack, stream.tell, inner), member, wanted, tally, inner)


def _unpacked_name(name: str) -> str:
    """What a packed file is called unpacked: `a.tgz` is `a.tar`."""
    stem, _, suffix = name.rpartition(".")
    suffix = suffix.lower()
    if not stem:
        return name
    return stem if suffix in _PACKED else f"{stem}.tar" if suffix in _PACKED_TAR else name


def read_member(unpacking: Unpacking, member: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of a member, and a loss where it unpacks to too much or not to its end."""
    with buffered(unpacking) as stream:
        if stream.peek(1) or not (unpacking.failure or unpacking.over_limit):
            yield from readers.read_opened(cast("BinaryIO", stream), member, wanted, tally, limits, named=False)
        if unpacking.over_limit:
            tally.lose(Loss(member, "", unpacking.over_limit, None, UNPACK_IT))
        elif unpacking.failure:
            tally.lose(Loss(member, f"after {unpacking.unpacked} bytes", f"damaged archive: {unpacking.failure}", None,
                            "Fetch the archive again; what came before the damage was read."))


def one_level_down(source: Source, tally: Tally, limits: Limits) -> Limits | None:
    """The limits for what is inside an archive; None, and a loss, where it lies too deep inside others."""
    if limits.max_depth > 0:
        return replace(limits, max_depth=limits.max_depth - 1)
    tally.lose(Loss(source, "", "archives lie too deep inside each other", None, UNPACK_IT))
    return None


def member_of(source: Source, name: str) -> Source:
    """The provenance of an archive's member."""
    return replace(source, member=f"{source.member}!{name}" if source.member else name, format="")


def is_resource_fork(name: str) -> bool:
    """What macOS puts beside each file of a zip: it has the file's suffix and none of its content."""
    return PurePosixPath(name).name.startswith("._") or name.startswith("__MACOSX/")
