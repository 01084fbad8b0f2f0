"""An indicator as a pattern of STIX's pattern language (STIX 2.1, part 9)."""

from __future__ import annotations

from typing import Final

from douse.report.observed import hash_kind
from douse.report.stix_objects import whole
from douse.report.stix_observables import full_key

_PATH_OF: Final = {"domain-name": "domain-name:value", "url": "url:value", "ipv4-addr": "ipv4-addr:value",
                   "ipv6-addr": "ipv6-addr:value", "registry-key": "windows-registry-key:key"}


def pattern(kind: str, value: str) -> str:
    """The STIX pattern that finds an indicator of Douse's types; the value is of its type's form."""
    if kind == "file":
        return f"[file:hashes.{literal(hash_kind(value))} = {literal(value.strip().lower())}]"
    if kind == "file-path":
        folder, _, name = value.rpartition("\\")
        parts = [f"file:name = {literal(name)}"]
        parts += [f"file:parent_directory_ref.path = {literal(folder)}"] if folder else []
        return f"[{' AND '.join(parts)}]"
    return f"[{_PATH_OF[kind]} = {literal(full_key(value) if kind == 'registry-key' else value)}]"


def literal(text: str) -> str:
    """A string of the pattern language (STIX 2.1, 9.2): in single quotes, backslash and quote escaped."""
    return "'" + whole(text).replace("\\", "\\\\").replace("'", "\\'") + "'"
