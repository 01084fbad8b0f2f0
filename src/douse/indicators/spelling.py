"""Host names, addresses and URLs in the one spelling in which indicators and evidence are compared.

Names are lower case, without the last dot, and A-labels (xn--) where they are not ASCII. Addresses are as Python's
ipaddress writes them, IPv4 where it is only wrapped in IPv6. Of a URL the user and the fragment are left out, dots
in the path are resolved, and percent signs that hide plain letters are undone; http and https with their ports 80 and
443 are one, because a log often knows only one of them. What is none of these is an empty text. Texts of a log are
hostile: every step is linear, and what is longer than it can be is not looked at.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from typing import Final

LONGEST_NAME: Final = 253
LONGEST_ADDRESS: Final = 45
LONGEST_URL: Final = 2_048

_URL: Final = re.compile(
    r"(?:(?P<scheme>https?|ftp)://)?(?:[^/?#@]*@)?(?P<host>\[[0-9a-f:.%]+\]|[^/?#:\[\]@]+)(?::(?P<port>\d{0,5})(?!//))?"
    r"(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?:#.*)?", re.IGNORECASE | re.DOTALL)
_WEB_PORTS: Final = ("", "80", "443")
_FTP_PORTS: Final = ("", "21")
_PERCENT: Final = re.compile(r"%([0-9a-f]{2})", re.IGNORECASE)
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]+")
_PLAIN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_LOOKS_LIKE_ADDRESS: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*", re.IGNORECASE)


def name(text: str) -> str:
    """A host name, whatever it may be called; a port behind it is left out."""
    plain = text.strip().partition(":")[0].rstrip(".").lower()
    if plain.isascii():
        return plain if len(plain) <= LONGEST_NAME else ""
    return a_labels(plain)


def a_labels(text: str) -> str:
    """An international name as DNS has it, by the older of the two standards (IDNA 2003), which Python brings."""
    if len(text) > LONGEST_NAME:
        return ""
    try:
        found = text.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""
    return found if len(found) <= LONGEST_NAME else ""


def address(text: str) -> str:
    """An IP address, without brackets, zone or port; empty where the text is none."""
    plain = text.strip()
    if plain[:1] == "[":
        plain = plain[1:].partition("]")[0]
    elif plain.count(":") == 1:
        plain = plain.partition(":")[0]
    plain = plain.partition("%")[0]
    if len(plain) > LONGEST_ADDRESS or _LOOKS_LIKE_ADDRESS.fullmatch(plain) is None:
        return ""
    try:
        found = ip_address(plain)
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


def url(text: str) -> str:
    """A URL as it is compared: `host[:port]/path?query`, with `ftp://` before it where it is one of FTP."""
    return split(text)[1]


def split(text: str) -> tuple[str, str]:
    """The host of a URL, and the URL as it is compared; both empty where the text is none. The scheme may be absent."""
    found = _URL.fullmatch(text.strip().replace("\\", "/")) if len(text) <= LONGEST_URL else None
    if found is None:
        return "", ""
    host = address(found["host"]) or name(found["host"])
    if not host:
        return "", ""
    scheme, port = (found["scheme"] or "").lower(), found["port"] or ""
    shown = f"[{host}]" if ":" in host else host
    shown += f":{port}" if port not in (_FTP_PORTS if scheme == "ftp" else _WEB_PORTS) else ""
    path = _resolved(_escaped(found["path"] or "/"))
    query = _escaped(found["query"] or "")
    return host, f"{'ftp://' if scheme == 'ftp' else ''}{shown}{path}{query}"


def _escaped(text: str) -> str:
    """A path or a query with what is not ASCII escaped, and with nothing escaped that need not be."""
    if not text.isascii():
        text = _BEYOND_ASCII.sub(_as_bytes, text)
    return _PERCENT.sub(_undone, text) if "%" in text else text


def _as_bytes(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode("utf-8", "replace"))


def _undone(found: re.Match[str]) -> str:
    sign = chr(int(found[1], 16))
    return sign if sign in _PLAIN else found[0].upper()


def _resolved(path: str) -> str:
    """The path without `.` and `..`."""
    if "/." not in path:
        return path
    parts: list[str] = []
    pieces = path.split("/")[1:]
    for piece in pieces:
        if piece == "..":
            del parts[-1:]
        elif piece != ".":
            parts.append(piece)
    if pieces[-1] in (".", ".."):
        parts.append("")
    return "/" + "/".join(parts)
