"""Make hostile text safe to show. Every string that came out of evidence passes here at the last step.

Log text is chosen by the attacker: it may carry ANSI or OSC-8 sequences (terminal), bidi overrides (reader's eye) or
markup (HTML). `clean` leaves text readable and makes every such character visible;
HTML is escaped on top of that by the template engine, which has autoescape on.
"""

from __future__ import annotations

import re
import unicodedata

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_ELLIPSIS = "…"
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_KEEP_MULTILINE = frozenset("\n\t")


def _visible(char: str) -> str:
    code = ord(char)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def defang(indicator: str) -> str:
    """A domain, address or URL that nobody can click by mistake: `hxxps[:]//bad[.]example/x`, `203[.]0[.]113[.]41`,
    `2001[:]db8[:][:]7`. Who reads indicators in undoes it (indicators/values.refanged)."""
    found = _SCHEME.match(indicator)
    if found is None:
        plain = indicator.replace(".", "[.]")
        return plain.replace(":", "[:]") if plain.count(":") > 1 else plain  # IPv6; one colon is before a port
    scheme, (authority, slash, path) = found[1], indicator[found.end():].partition("/")
    if scheme.lower().startswith("http"):
        scheme = scheme.replace("t", "x").replace("T", "X")
    return f"{scheme}[:]//{authority.replace('.', '[.]')}{slash}{path}"


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


_FORMULA = frozenset("=+-@\uff1d\uff0b\uff0d\uff20|%")
_LONGEST_CELL = 32_000


def cell(value: object) -> str:
    """A text as a cell of a CSV file: clean, and never a formula to a spreadsheet, which would run one (OWASP, CSV
    injection): such a text begins with an apostrophe. Cut to what a cell of Excel holds (32,767 characters)."""
    text = clean(value, _LONGEST_CELL)
    return f"'{text}" if text.lstrip()[:1] in _FORMULA and text.strip() else text


_REFERENCES = r"[@#!~%&$^]+(?=\w)|@+|\b(?:www|gh)(?=[.-])"
_MARKS = re.compile(rf"(?P<reference>{_REFERENCES})|(?P<address>://)|[\\`*_{{}}\[\]<>|~&$#^]", re.IGNORECASE)
_BEGINS = re.compile(r"(\d{1,9}(?=[.)])|)([-+=/.):])")


def markdown(text: object, limit: int = 0) -> str:
    """The text as one line of Markdown that shows itself: no markup, link, image, mention, reference or command.

    A backslash stops Markdown, but not what GitHub and GitLab do to the text afterwards (@someone, #1, www.…); there a
    code span does. An address is defanged, because its reader could click on it.
    """
    escaped = _MARKS.sub(_inert, clean(text, limit).strip())
    return _BEGINS.sub(r"\1\\\2", escaped, count=1) if _BEGINS.match(escaped) else escaped


def _inert(found: re.Match[str]) -> str:
    if found["reference"]:
        return f"`{found[0]}`"
    return r"\[:\]//" if found["address"] else f"\\{found[0]}"


def code(text: object, limit: int = 0) -> str:
    """The text as a code span of Markdown, in which nothing acts; a bar stands outside of it, as it would end a cell of
    a table. Empty for an empty text."""
    return "&#124;".join(_span(part) for part in clean(text, limit).split("|"))


def _span(text: str) -> str:
    if not text.strip():
        return text
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence, pad = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{pad}{text}{pad}{fence}"
