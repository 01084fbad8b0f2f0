"""What the benchmarks read: a seed in, event logs and rules in a scratch folder out, the same on every machine.

`dense` joins real attack logs, chunk by chunk and in shuffled order, into one file, again and again until it is big
enough. Its digits are changed each time, so that no memory of values wins just because files are copies.
"""

from __future__ import annotations

import hashlib
import re
import struct
import uuid
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from douse import api

FILE_HEADER, CHUNK = 4096, 65536
_DIGITS = re.compile(rb"(?:[0-9]\x00){3,}")


@dataclass(frozen=True, slots=True)
class Corpus:
    """Event log files under a title."""

    title: str
    files: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.files)

    def __str__(self) -> str:
        whole = hashlib.sha256()
        for path in self.files:
            with path.open("rb") as stream:
                whole.update(hashlib.file_digest(stream, "sha256").digest())
        return f"{self.title}: {len(self.files)} files, {self.size / 1e6:.1f} MB, sha256 {whole.hexdigest()[:16]}"


def found(folder: Path) -> Corpus:
    """The event logs in a folder, as they are."""
    return Corpus(str(folder), tuple(sorted(p for p in folder.rglob("*") if p.suffix.lower() == ".evtx")))


def simulated(scratch: Path, seed: int, noise: int) -> Corpus:
    """An intrusion in so many everyday records."""
    folder = scratch / f"simulated-{seed}-{noise}"
    if not folder.is_dir():
        api.simulate("lumma-clickfix", folder, "evtx", seed=seed, noise=noise)
    return Corpus(f"simulated lumma-clickfix, {noise:,} everyday records", found(folder).files)


def tiny(scratch: Path) -> Path:
    """An intrusion without noise, in one file."""
    path = scratch / "tiny.evtx"
    if not path.is_file():
        api.simulate("lumma-clickfix", path, "evtx", seed=1)
    return path


def dense(scratch: Path, folder: Path, seed: int, size: int) -> Corpus:
    """Real logs as one big file."""
    path = scratch / f"dense-{seed}-{size}.evtx"
    random = Random(seed)  # noqa: S311 - chooses test data
    chunks = [chunk for log in found(folder).files for chunk in _chunks(log.read_bytes())]
    count = max(-(-size // CHUNK), 1)
    with path.open("wb") as stream:
        stream.write(_header(count))
        for at in range(count):
            if at % len(chunks) == 0:
                random.shuffle(chunks)
            stream.write(_with_other_digits(chunks[at % len(chunks)], random))
    return Corpus("real attack logs, joined, digits changed", (path,))


def _chunks(data: bytes) -> Iterator[bytes]:
    for at in range(FILE_HEADER, len(data) - CHUNK + 1, CHUNK):
        if data[at:at + 8] == b"ElfChnk\0":
            yield data[at:at + CHUNK]


def _with_other_digits(chunk: bytes, random: Random) -> bytes:
    turned = [bytes.maketrans(b"0123456789", b"0123456789"[by:] + b"0123456789"[:by]) for by in range(10)]
    return chunk[:512] + _DIGITS.sub(lambda run: run[0].translate(turned[random.randrange(10)]), chunk[512:])


def _header(chunks: int) -> bytes:
    fields = struct.pack("<8sQQQIHHHH76xI", b"ElfFile\0", 0, chunks - 1, 1, 128, 1, 3, FILE_HEADER, chunks, 0)
    return (fields + struct.pack("<I", zlib.crc32(fields[:120]))).ljust(FILE_HEADER, b"\0")


def rule_folder(scratch: Path, rules: Path | None, count: int, seed: int) -> Path:
    """So many rules: a sample of those given, spread over them, or made ones."""
    folder = scratch / f"rules-{count}"
    folder.mkdir(exist_ok=True)
    if rules is None:
        for number in range(count):
            (folder / f"{number}.yml").write_text(_made_rule(Random(f"{seed} {number}")), encoding="utf-8")  # noqa: S311 - chooses test data
        return folder
    files = [path for path in sorted(rules.rglob("*.yml")) if b"\ndetection:" in path.read_bytes()]
    for number in range(min(count, len(files))):
        source = files[number * len(files) // min(count, len(files))]
        (folder / f"{number}-{source.name}").write_bytes(source.read_bytes())
    return folder


def _made_rule(random: Random) -> str:
    """A rule on process starts in the shape that most rules have."""
    words = ["".join(random.choices("abcdefghijklmnopqrstuvwxyz-/ ", k=random.randint(4, 14))) for _ in range(4)]
    category = random.choice(("process_creation", "file_event", "network_connection", "dns_query", "image_load"))
    return (f"title: Made {words[0]!r}\nid: {uuid.UUID(int=random.getrandbits(128), version=4)}\nlevel: low\n"
            f"logsource: {{product: windows, category: {category}}}\n"
            f"detection:\n  image:\n    Image|endswith: '\\{words[1].strip()}.exe'\n"
            f"  line:\n    CommandLine|contains: ['{words[2]}', '{words[3]}']\n  condition: image or line\n")
