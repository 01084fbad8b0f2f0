r"""What a command line says: its template, the hosts that its URLs name, and what about it is odd.

    template(r'"C:\Windows\System32\mshta.exe" C:\Users\anna\x.hta {1E46...}')      mshta.exe <profile>\x.hta <guid>

Two uses are one where their templates are equal, so what differs from person to person and from run to run is taken
out: GUIDs, numbers, long hexadecimal words, the values in a URL's query, user profiles and Windows' own folder. `odd`
looks at the whole text, also at what padding has pushed out of sight; nobody's expressions are searched, ours are
linear in a text that is cut at LONGEST.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from douse.content.lexicons import placeholder_lists
from douse.telemetry.webrequest import split_url

LONGEST: Final = 32_768
"""Characters of a command line that are looked at, as many as Windows allows."""
KEPT: Final = 1_024
"""Characters of a template or a shown command."""
MAX_HOSTS: Final = 8

_URL: Final = re.compile(r"(?i)\b(https?|ftp)[:/\\]{2,4}[^\s\"'<>|^`(){}]{1,2048}")
_WEBDAV: Final = re.compile(r"(?i)\\\\([a-z0-9][a-z0-9.-]{0,252})(?:@ssl)?(?:@(\d{1,5}))?(?:\\davwwwroot)?\\")
_INLINE: Final = re.compile(r"(?i)\b(?:java|vb|j)script:|\babout:\s*<|<script\b")
_SCRIPTLET: Final = re.compile(r"(?i)[/-]i:\s?[\"']?(?:https?|ftp):|\bscript:\s?[\"']?(?:https?|ftp):")
_MEDIA: Final = frozenset({
    "aac", "avi", "bmp", "css", "flac", "flv", "gif", "ico", "jpeg", "jpg", "m4a", "m4v", "mov", "mp3", "mp4", "ogg",
    "otf", "pdf", "png", "svg", "ttf", "wav", "webm", "webp", "woff"})
_COMMENT: Final = re.compile(r"(?i)(?:\s#|\brem\s|//\s|✅|☑|✔)")
_BLANKS: Final = re.compile(r"\s{2,}")
_PADDED: Final = re.compile(r"\s{60}")
_OWN: Final = re.compile(r"^\s*(?:\"[^\"]{0,512}?([^\"\\/]{1,64})\"|([^\s\"]{0,512}))\s*")
_STEPS: Final = tuple((re.compile(expression), instead) for expression, instead in (
    (r"\{?\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b\}?", "<guid>"),
    (r"\bs-1-\d{1,2}(?:-\d{1,10}){1,14}", "<sid>"),
    (r"(?:[a-z]:|%systemdrive%)\\(?:users|documents and settings)\\[^\\\"]{1,64}|%userprofile%", "<profile>"),
    (r"%(?:local)?appdata%", lambda found: rf"<profile>\\appdata\\{'local' if 'local' in found[0] else 'roaming'}"),
    (r"%te?mp%", r"<profile>\\appdata\\local\\temp"),
    (r"(?:[a-z]:\\windows|%(?:systemroot|windir)%)(?=\\|\s|$)", "<windows>"),
    (r"([?&][^=&\s\"']{1,64})=[^&\s\"'#]{1,1024}", r"\1=<value>"),
    (r"\b(?=[a-z]{0,64}\d)[0-9a-f]{12,128}\b", "<hex>"),
    (r"(?<![a-z0-9.])\d{1,32}(?![a-z0-9.])", "<n>"),
    (r"\d{5,32}", "<n>"),
))


def template(command: str) -> str:
    """The command with all that differs taken out, in small letters; empty for an empty one."""
    text = _BLANKS.sub(" ", command[:LONGEST].strip()).lower()
    own = _OWN.match(text)
    if own and own[0]:
        name = own[1] or own[2]
        name = name[name.rfind(chr(92)) + 1:]
        text = f"{name if '.' in name else name + '.exe'} {text[own.end():]}"
    for expression, instead in _STEPS:
        text = expression.sub(instead, text)
    return text.strip()[:KEPT]


def shown(command: str) -> str:
    """The command as it is shown, padding shortened."""
    return _BLANKS.sub(" ", command[:LONGEST].strip())[:KEPT]


def urls(command: str) -> Iterator[tuple[str, str, int]]:
    """Host, path and port of each URL that a command names, also of a file that is fetched by WebDAV."""
    for number, found in enumerate(_URL.finditer(command[:LONGEST])):
        if number == MAX_HOSTS:
            return
        scheme = found[1].lower()
        rest = found[0][len(scheme):].lstrip(":/\\").replace("\\", "/")
        url = f"{scheme}://{rest}"
        host, path, _ = split_url(url)
        yield host.lower(), path, _port(rest, scheme)
    for found in _WEBDAV.finditer(command[:LONGEST]):
        text = found[0].lower()
        if "@" in text or "davwwwroot" in text:
            yield found[1].lower(), "", int(found[2] or (443 if "@ssl" in text else 80))
            return


def _port(rest: str, scheme: str) -> int:
    port = rest.partition("/")[0].rpartition(":")[2]
    if port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) < 1 << 16:
        return int(port)
    return {"https": 443, "ftp": 21}.get(scheme, 80)


def odd(command: str, *, runs_scripts: bool) -> tuple[str, ...]:
    """What in a command nobody's business application needs, as ends of a sentence that begins "its command"."""
    text = command[:LONGEST].strip()
    found = []
    if runs_scripts and _INLINE.search(text):
        found.append("holds a script itself (javascript:, vbscript:)")
    if runs_scripts and _SCRIPTLET.search(text):
        found.append("fetches a scriptlet (/i:http, script:http)")
    if runs_scripts:
        ending = next((end for _, path, _ in urls(text) if (end := _ending(path)) in _MEDIA), "")
        if ending:
            found.append(f"runs a file that calls itself .{ending}")
    if _lures(text):
        found.append("speaks to the person who pasted it")
    if _PADDED.search(text):
        found.append("is padded with blanks, so that its end is out of sight")
    return tuple(found)


def _ending(path: str) -> str:
    return path.rpartition("/")[2].rpartition(".")[2].lower() if "." in path else ""


def _lures(text: str) -> bool:
    """Whether there are words to a reader: those that no command has, or others behind a comment sign."""
    folded = text.casefold()
    if any(word in folded for word in _words("clickfix_lures")):
        return True
    comment = _COMMENT.search(folded)
    return comment is not None and any(word in folded[comment.start():] for word in _words("clickfix_lure_words"))


@cache
def _words(name: str) -> tuple[str, ...]:
    return tuple(word.casefold() for word in placeholder_lists()[name])
