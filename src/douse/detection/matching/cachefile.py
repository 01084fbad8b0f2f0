"""The file of a cache: bytes in, the same bytes out of it later, or nothing where anybody else can have written them.

Whoever writes the cache decides what is found, so a file is believed only when its owner is this user or the
administrator, nobody else may write it, and its checksum is right. It is replaced as a whole. Cannot be written: no
cache, no complaint. DOUSE_CACHE_DIR says where; set but empty it means nowhere. A folder that may only be read serves
as it is.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

ENVIRONMENT: Final = "DOUSE_CACHE_DIR"
MAX_FILES: Final = 8
"""Files kept in a folder; the one not used for longest goes first."""

_PREFIX: Final = "rules-"
_SUFFIX: Final = ".msgpack"
_UNFINISHED: Final = ".rules-"
_DAY: Final = 86_400
_DIGEST: Final = hashlib.sha256().digest_size


def cache_folder() -> Path | None:
    """Where caches of this user belong; None when he wants none."""
    named = os.environ.get(ENVIRONMENT)
    if named is not None:
        return Path(named) if named else None
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return Path(base) / "douse" / "cache" if base else None
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache") / "douse"
    except RuntimeError:  # no home
        return None


def cache_path(folder: Path, stamp: str) -> Path:
    """The file for bytes that depend on what the stamp says."""
    return folder / f"{_PREFIX}{hashlib.sha256(stamp.encode()).hexdigest()[:24]}{_SUFFIX}"


def read_cache(path: Path) -> memoryview:
    """What was written there; empty where it is not exactly that."""
    try:
        with open(path, "rb", opener=_at_once) as stream:
            if not _trusted(os.fstat(stream.fileno())):
                return memoryview(b"")
            data = stream.read()
    except OSError:
        return memoryview(b"")
    body = memoryview(data)[_DIGEST:]
    if hashlib.sha256(body).digest() != data[:_DIGEST]:
        return memoryview(b"")
    with suppress(OSError):
        os.utime(path)  # used just now, which _forget_old goes by
    return body


def write_cache(path: Path, body: bytes) -> None:
    """Put the bytes there, whole or not at all: who reads meanwhile has the old file or the new one."""
    import tempfile  # seldom needed, and it brings some more

    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(hashlib.sha256(body).digest() + body)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
        _forget_old(path.parent)


def _at_once(name: str, flags: int) -> int:
    """Open without waiting, should somebody have put a pipe there."""
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def _trusted(status: os.stat_result) -> bool:
    """Whether it is a file that only this user or the administrator can have written. Windows guards the user's folder
    itself."""
    if not stat.S_ISREG(status.st_mode):
        return False
    if sys.platform == "win32":
        return True
    return status.st_uid in (0, os.geteuid()) and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _forget_old(folder: Path) -> None:
    """Remove what was not used for longest, and what runs that were ended in the middle of writing left behind."""
    files = sorted(folder.glob(f"{_PREFIX}*{_SUFFIX}"), key=lambda file: file.stat().st_mtime, reverse=True)
    left = [file for file in folder.glob(f"{_UNFINISHED}*") if file.stat().st_mtime < time.time() - _DAY]
    for file in (*files[MAX_FILES:], *left):
        file.unlink(missing_ok=True)
