"""Sound inputs to start from, made by our own writers: event logs, JSON in every shape, archives, rules, conditions.

All of it is the same on every machine and every run: a crash is named by parser, seed and number, and found again.
"""

from __future__ import annotations

import bz2
import functools
import gzip
import io
import json
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from douse.content.rules import rule_files
from douse.content.scenarios import load_scenario
from douse.simulate.evtx_writer import write_evtx
from douse.simulate.jsonl_writer import JsonlWriter
from douse.simulate.record import Record
from douse.simulate.run import scenario_records

FILE_HEADER, CHUNK = 4096, 65536


@functools.cache
def records(seed: int, noise: int = 300) -> tuple[Record, ...]:
    """The records of an intrusion in its noise, all numbered in one run from 1 on."""
    told = scenario_records(load_scenario("lumma-clickfix"), seed, noise)
    return tuple(replace(record, record_id=number) for number, record in enumerate(told, 1))


def evtx_of(chosen: Iterable[Record]) -> bytes:
    """Records as an event log file."""
    stream = io.BytesIO()
    write_evtx(stream, chosen)
    return stream.getvalue()


def file_header(chunks: int, next_record: int) -> bytes:
    """A sound file header that counts these chunks."""
    fields = struct.pack("<8sQQQIHHHH76xI", b"ElfFile\0", 0, max(chunks - 1, 0), next_record, 128, 1, 3, FILE_HEADER,
                         chunks, 0)
    return (fields + struct.pack("<I", zlib.crc32(fields[:120]))).ljust(FILE_HEADER, b"\0")


def small_chunks(chosen: Sequence[Record], each: int) -> bytes:
    """An event log of chunks with few records, which are as telling as full ones and parsed faster."""
    parts = [evtx_of(chosen[at:at + each])[FILE_HEADER:] for at in range(0, len(chosen), each)]
    return file_header(len(parts), chosen[-1].record_id + 1) + b"".join(parts)


@functools.cache
def evtx_files() -> tuple[bytes, ...]:
    """Event logs of one to four chunks."""
    told = records(1)
    return (evtx_of(told[:5]), evtx_of(told[40:60]), small_chunks(told[:16], 8), small_chunks(told[100:116], 4))


def json_lines(chosen: Iterable[Record]) -> bytes:
    """Records as JSON Lines in evtx_dump's shape."""
    stream = io.BytesIO()
    writer = JsonlWriter(stream)
    for record in chosen:
        writer.write(record)
    writer.close()
    return stream.getvalue()


def flattened(chosen: Iterable[Record]) -> list[dict[str, object]]:
    """Records as log shippers flatten them."""
    return [{"Channel": record.channel, "EventID": record.event_id, "Computer": record.computer,
             "EventTime": f"{record.time:%Y-%m-%d %H:%M:%S}", "@timestamp": record.time.isoformat(),
             "SourceName": record.provider, "RecordNumber": record.record_id,
             **{name: value if isinstance(value, str | int) else str(value) for name, value in record.data.items()}}
            for record in chosen]


@functools.cache
def json_files() -> tuple[bytes, ...]:
    """JSON Lines, arrays, documents in a row, evtx_dump's own output, flattened, and in UTF-16."""
    told = records(2)
    lines = json_lines(told[:6])
    documents = [json.loads(line) for line in lines.splitlines()]
    flat = flattened(told[20:26])
    flat_lines = b"\n".join(json.dumps(record).encode() for record in flat)
    return (lines, json.dumps(documents).encode(), json.dumps(documents[:3], indent=2).encode(),
            b"".join(lines.splitlines()[:3]), flat_lines, json.dumps(flat, indent=1).encode(),
            b"\n".join(b"Record %d\n%s" % (at, json.dumps(each, indent=2).encode()) for at, each in
                       enumerate(documents[:3], 1)),
            lines.decode().encode("utf-16"), b"\xef\xbb\xbf" + lines[:4000])


@functools.cache
def archives() -> tuple[bytes, ...]:
    """Zips (packed and stored), gz, bz2, xz, tar, and archives inside archives."""
    log, lines = evtx_files()[0], json_files()[0]
    few = b"\n".join(lines.splitlines()[:2])
    zipped, stored, outer = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("logs/Security.evtx", log)
        archive.writestr("logs/sysmon.jsonl", lines)
        archive.writestr("readme.txt", "nothing")
    with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("a.jsonl", few)
        archive.writestr("b.jsonl.gz", gzip.compress(lines, mtime=0))
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("inner.zip", zipped.getvalue())
    with zipfile.ZipFile(outer, "a", zipfile.ZIP_LZMA) as archive:
        archive.writestr("x.jsonl", few)
    tape = tape_of({"logs/Security.evtx": log, "a.jsonl": few, "b.gz": gzip.compress(lines, mtime=0)})
    return (zipped.getvalue(), stored.getvalue(), outer.getvalue(), gzip.compress(log, mtime=0),
            gzip.compress(lines, mtime=0) + gzip.compress(lines, mtime=0), tape, gzip.compress(tape, mtime=0),
            bz2.compress(lines), bz2.compress(tape), lzma.compress(lines), lzma.compress(few) + lzma.compress(few))


def tape_of(members: Mapping[str, bytes]) -> bytes:
    """A tar of some files, one behind a long name and one beside a link."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tape:
        for name, data in members.items():
            member = tarfile.TarInfo("x" * 120 + "/" + name if name.endswith("gz") else name)
            member.size = len(data)
            tape.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "a.jsonl"
        tape.addfile(link)
    return stream.getvalue()


EVERY_MODIFIER = """\
title: Every modifier
id: 5f0c2a3e-0000-4000-8000-000000000001
status: test
level: high
logsource: {product: windows, category: process_creation}
detection:
  words: [mimikatz, 'a*b?c', 4624]
  pipes: {CommandLine|contains|all: [-enc, ' -w ', 'C:\\\\Users\\\\*\\\\x?']}
  expression: {Image|re|i: '^c:\\\\(users|temp)\\\\.{2,9}\\.exe$', ParentImage|re: '\\\\[a-z]+\\.exe'}
  nets: {DestinationIp|cidr: [10.0.0.0/8, 'fe80::/10']}
  coded: {CommandLine|utf16le|base64offset|contains: Invoke-, CommandLine|wide|base64: x, User|windash|contains: -x}
  numbers: {EventID: 1, ProcessId|gte: 4, ParentProcessId|lt: 0x100, IntegrityLevel|neq: High}
  fields: {Image|fieldref: ParentImage, Image|fieldref|endswith: OriginalFileName, Hashes|exists: true}
  list:
    - Image|endswith: ['\\cmd.exe', '\\powershell.exe']
      User|cased|startswith: NT
    - CommandLine: null
    - CommandLine: ''
  filter_main: {ParentImage|contains: Program}
  condition: (1 of list or all of pipes and not filter_main) or words or not (nets and 1 of them)
---
title: Second
logsource: {product: windows, service: security}
detection: {sel: {EventID: [4688, 4624], SubjectUserName|expand: '%admins%'}, condition: sel}
tags: [attack.t1059.001, attack.execution, douse.class.x, douse.fidelity.exact]
falsepositives: [none]
references: &refs [https://example.com]
"""


MORE_KINDS = """\
title: Many
correlation: {type: event_count, rules: [a], group-by: [Computer], timespan: 5m, condition: {gte: 3}}
---
action: global
title: Base
logsource: {category: dns_query, product: windows}
---
detection: {a: {QueryName|endswith: .example}, condition: a}
---
title: Filter
logsource: {product: windows, category: process_creation}
filter: {rules: any, selection: {User|startswith: adm}, condition: not selection}
"""


@functools.cache
def rule_texts() -> tuple[bytes, ...]:
    """A dozen of our own rules, and one that uses every modifier."""
    ours = sorted(rule_files())
    some = ours[::max(len(ours) // 12, 1)]
    return (EVERY_MODIFIER.encode(), MORE_KINDS.encode(), *(path.read_bytes() for path in some))
