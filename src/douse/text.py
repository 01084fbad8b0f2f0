"""Make hostile text safe to show. Every string that came out of evidence passes here at the last step.

Log text is chosen by the attacker: it may carry ANSI or OSC-8 sequences (terminal), bidi overrides (reader's eye) or
markup (HTML). `clean` leaves text readable and makes every such character visible;
HTML is escaped on top of that by the template engine, which has autoescape on.
"""

from __future__ import annotations

import unicodedata

_ELLIPSIS = "…"
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_KEEP_MULTILINE = frozenset("\n\t")


def _visible(char: str) -> str:
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def clean(text: object, limit: int = 0, *, multiline: bool = False) -> str:
    """The text with control, bidi, zero-width and private characters written out (`\\x1b`), cut to `limit` characters.

    `multiline` keeps line feeds and tabs, for script blocks shown in a box. A limit of 0 does not cut.
    """
    raw = text if isinstance(text, str) else str(text)
    shortened = limit > 0 and len(raw) > limit
    if shortened:
        raw = raw[: max(limit - 1, 1)]
    if not (raw.isascii() and raw.isprintable()):
        keep = _KEEP_MULTILINE if multiline else frozenset()
        raw = "".join(
            _visible(c) if c not in keep and unicodedata.category(c) in _HIDDEN_CATEGORIES else c for c in raw
        )
    return raw + _ELLIPSIS if shortened else raw
