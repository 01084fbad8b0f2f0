"""A result that is a folder with subfolders, or the same as a .zip: it is there whole or not at all.

A new folder is written beside its place and moved there. One that is there is replaced with --force, and only where it
holds nothing but an older bundle (every file is listed in its SHA256SUMS): files of two bundles in one folder would be
deployed together, and files of somebody's own are never deleted.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath

from douse.cli import output as out
from douse.errors import OutputError

SUMS = "SHA256SUMS"
_CHECK = "Check your rights and the free space."
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)

Files = Iterable[tuple[PurePosixPath, bytes]]
"""Paths below the folder, and their bytes."""


def is_zip(place: Path) -> bool:
    """Whether the name asks for one file in place of a folder."""
    return place.suffix.lower() == ".zip"


def target(place: Path, *, force: bool, evidence: Iterable[str] = ()) -> Path:
    """The folder or .zip to write. Raises OutputError for a place that must not be written."""
    if str(place) == "-":
        raise OutputError("-o -", "a bundle is many files and cannot go to standard output.",
                          "Name a folder, or a file that ends in .zip.")
    evidence = tuple(evidence)
    if is_zip(place):
        found = out.target(place, force=force, evidence=evidence)
        return found or place
    try:
        _check(place, force=force, evidence=evidence)
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        what = f"cannot be written: {error.strerror or error}."
        raise OutputError(str(place), what, "Name another folder.") from error
    return place


def _check(place: Path, *, force: bool, evidence: Iterable[str]) -> None:
    where = str(place)
    out.refuse_evidence(place, evidence)
    if place.exists() and not place.is_dir():
        raise OutputError(where, "is no folder.", "Name a folder, or a file that ends in .zip.")
    if not place.resolve().parent.is_dir():
        raise OutputError(where, "its parent folder does not exist.", f"Make it first: mkdir {place.parent}")
    if not place.is_dir() or not any(place.iterdir()):
        return
    if not force:
        raise OutputError(where, "is not empty.", "Name a new folder, or add --force to replace an older bundle.")
    stray = next(_not_of_a_bundle(place), None)
    if stray is not None:
        raise OutputError(where, f"holds {stray}, which is no file of a bundle; --force would delete it.",
                          "Name a new folder.")


def _not_of_a_bundle(folder: Path) -> Iterator[str]:
    """What lies in a folder and is not listed in its SHA256SUMS; all of it where it has none."""
    sums = folder / SUMS
    listed = {SUMS}
    if sums.is_file() and sums.stat().st_size < 4 << 20:
        lines = sums.read_text(encoding="utf-8", errors="replace").splitlines()
        listed |= {line[66:] for line in lines}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or (not path.is_dir() and name not in listed):
            yield name


def write(place: Path, files: Files) -> None:
    """Write the files; they appear when all are complete."""
    if is_zip(place):
        out.write(place, [zipped(files)])
        return
    fresh = place.resolve().with_name(f".douse-{os.getpid()}-{os.urandom(4).hex()}.partial")
    try:
        for path, data in files:
            whole = fresh / path
            whole.parent.mkdir(parents=True, exist_ok=True)
            whole.write_bytes(data)
        _replace(place.resolve(), fresh)
    except OSError as error:
        raise OutputError(str(place), f"cannot be written: {error.strerror or error}.", _CHECK) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _replace(place: Path, fresh: Path) -> None:
    """Put the new folder in the place of the old one, which comes back if that fails."""
    if not place.is_dir():
        fresh.rename(place)
        return
    old = fresh.with_suffix(".old")
    place.rename(old)
    try:
        fresh.rename(place)
    except OSError:
        old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def zipped(files: Files) -> bytes:
    """The files as a .zip, the same bytes each time."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in files:
            entry = zipfile.ZipInfo(str(path), _ZIP_TIME)
            entry.create_system, entry.external_attr = 3, 0o644 << 16  # as on Unix, wherever this runs
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
