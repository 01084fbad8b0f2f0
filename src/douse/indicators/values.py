"""A text that names an indicator in, its type and its value in one spelling out; or why it is refused.

Defanged forms are understood (`hxxp`, `[.]`, `(dot)`, `[:]//`). What would match every machine or none is refused: the
whole internet, this host, a top-level domain, the hash of the empty file. Private addresses and names are refused
unless the entry carries a note, because then somebody meant it. The counterpart, spelling.py, writes the evidence's
side the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple

from douse.indicators import spelling

Ranges = dict[int, list[tuple[int, int]]]

LONGEST: Final = spelling.LONGEST_URL
WIDEST: Final = {4: 16, 6: 32}
"""The shortest prefix of a network that is taken, by version of IP: a wider one belongs to too many."""

_HASHES: Final = {32: "MD5", 40: "SHA-1", 64: "SHA-256"}
_OTHER_HASHES: Final = {56: "SHA-224", 96: "SHA-384", 128: "SHA-512"}
_EMPTY: Final = frozenset({
    "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"})

_DEFANGED: Final = re.compile(r"[\[({\\]|\bh(?!tt)[tx*_]{2}p|\bfxp", re.IGNORECASE)
"""Some sign of it: what has none is plain, as most of a feed is."""
_FANGS: Final = (
    (re.compile(r"\bh[tx*_]{2}p(s?)(?=\W)", re.IGNORECASE), r"http\1"),
    (re.compile(r"\bfxp(?=\W)", re.IGNORECASE), "ftp"),
    (re.compile(r"\s?[\[({]\s*(?:\.|dot)\s*[\])}]\s?", re.IGNORECASE), "."),
    (re.compile(r"\\\.|\[\.|\.\]"), "."),
    (re.compile(r"[\[(]://[\])]"), "://"),
    (re.compile(r"[\[(]:[\])]|\[:(?=//)"), ":"),
    (re.compile(r":\[//\]|:\[/\]\[/\]"), "://"),
    (re.compile(r"[\[(]/[\])]"), "/"),
    (re.compile(r"\s?[\[({]\s*(?:@|at)\s*[\])}]\s?", re.IGNORECASE), "@"),
)
_WRAPPED: Final = ("\"'", "<>", "``")
_NAMED_HASH: Final = re.compile(r"(?:md5|sha-?1|sha-?256)\s*[:=]\s*", re.IGNORECASE)
_HEX: Final = re.compile(r"[0-9a-fA-F]{24,}")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_NOT_IN_URLS: Final = re.compile(r'[<>"\x00-\x20\x7f]')
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LAST: Final = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}")
_PORT: Final = re.compile(r":\d{1,5}$")
_MAIL: Final = re.compile(r"[^\s/@]+@[^\s/@]+\.[^\s/@]+")

_OWN: Final = frozenset({"localhost", "local", "localdomain", "internal", "lan", "intranet", "corp", "home", "arpa"})
"""Last labels that no name of the internet has; below arpa lie addresses and home.arpa."""
_UNDER_COUNTRY: Final = frozenset({"co", "com", "net", "org", "gov", "edu", "ac"})
"""Second-level names below which most countries register, as in co.uk: not the whole of the Public Suffix List."""
_FILES: Final = frozenset({
    "exe", "dll", "sys", "bat", "cmd", "ps1", "psm1", "vbs", "vbe", "jse", "wsf", "hta", "lnk", "msi", "scr", "pif",
    "dat", "txt", "log", "tmp", "bin", "doc", "docx", "xls", "xlsx", "pdf", "rar", "iso", "img", "vhd", "jpg", "png",
    "gif", "html", "htm", "php", "asp", "aspx", "xml", "json", "csv", "ini", "cfg", "conf", "yml", "yaml"})
"""Endings of file names that are no top-level domain."""
_PRIVATE: Final = ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
_NEVER: Final = ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/127", "fe80::/10", "ff00::/8")

_KINDS: Final = "Write a domain, a URL, an IP address or network, or an MD5, SHA-1 or SHA-256."
_NOTE: Final = "If it is meant, add a note that says why (# at the end of the line, or the column note)."


class Value(NamedTuple):
    """What a text names: STIX's word for the type, and the value in one spelling."""

    type: str
    value: str


class Refused(Exception):
    """Why a text is no indicator, and what to do next."""

    def __init__(self, what: str, next_step: str = _KINDS) -> None:
        self.what, self.next_step = what, next_step
        super().__init__(what)


def refanged(text: str) -> str:
    """The text as it was before somebody made it harmless to click."""
    if _DEFANGED.search(text):
        for defanged, plain in _FANGS:
            text = defanged.sub(plain, text)
    return text


def value_of(text: str, *, noted: bool = False) -> Value:
    """What the text names. Raises Refused. `noted` says that the entry has a note, so that a private value is meant."""
    plain = _unwrapped(text.strip())
    if not plain:
        raise Refused("is empty")
    if len(plain) > LONGEST:
        raise Refused(f"is longer than {LONGEST:,} characters")
    digest = _NAMED_HASH.sub("", plain, count=1)
    if _HEX.fullmatch(digest):
        return _hash(digest.lower())
    plain = _unwrapped(refanged(plain))
    if plain.split() != [plain]:
        raise Refused("has a blank in it", "Write one value a line, and # before a note.")
    if scheme := _SCHEME.match(plain):
        return _url(plain, scheme[1].lower(), noted)
    if "/" in plain and (network := _network(plain)) is not None:
        return _of_network(network, noted)
    if found := spelling.address(plain):
        return _address(found, noted)
    if "/" in plain:
        return _url(f"http://{plain}", "http", noted)
    if _MAIL.fullmatch(plain):
        raise Refused("is an e-mail address, which the logs that are read do not name",
                      "Write its domain, if that is bad.")
    return Value("domain-name", _domain(plain, noted))


def _unwrapped(text: str) -> str:
    for first, last in _WRAPPED:
        if len(text) > 1 and text[0] == first and text[-1] == last:
            return text[1:-1].strip()
    return text.strip("\"'")


def _hash(digest: str) -> Value:
    if len(digest) not in _HASHES:
        named = _OTHER_HASHES.get(len(digest), f"a number of {len(digest)} hexadecimal digits")
        raise Refused(f"is {named}, which logs do not carry", "Write the file's MD5, SHA-1 or SHA-256.")
    if digest in _EMPTY:
        raise Refused(f"is the {_HASHES[len(digest)]} of the empty file", "Leave it out: every empty file has it.")
    if not digest.strip("0"):
        raise Refused("is a hash of nothing but zeros", "Leave it out: it stands for a hash that nobody made.")
    return Value("file", digest)


def _url(text: str, scheme: str, noted: bool) -> Value:
    if scheme not in ("http", "https", "ftp"):
        raise Refused(f"is a URL of {scheme}, which the logs that are read do not name", "Write its host as a domain.")
    host, compared = spelling.split(text)
    if not compared or _NOT_IN_URLS.search(text):
        raise Refused("is no URL")
    if "*" in host or compared.endswith("*"):
        raise Refused("is a URL with a wildcard, and a URL means exactly itself", "Write its host as a domain.")
    found = spelling.address(host)
    if found:
        _address(found, noted)
    elif _domain(host, noted) != host:
        raise Refused("is no URL")
    return Value("url", compared if scheme == "ftp" else f"{scheme}://{compared}")


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _of_network(network: IPv4Network | IPv6Network, noted: bool) -> Value:
    if network.num_addresses == 1:
        return _address(str(network.network_address), noted)
    if network.prefixlen < WIDEST[network.version]:
        raise Refused(f"is a network wider than /{WIDEST[network.version]}", "Name smaller networks, or addresses.")
    _check_range(network.version, int(network.network_address), int(network.broadcast_address), noted)
    return Value(f"ipv{network.version}-addr", str(network))


def _address(text: str, noted: bool) -> Value:
    parsed = ip_address(text)
    _check_range(parsed.version, int(parsed), int(parsed), noted)
    return Value(f"ipv{parsed.version}-addr", text)


def _check_range(version: int, first: int, last: int, noted: bool) -> None:
    never, private = (any(start <= last and first <= end for start, end in table[version]) for table in _ranges())
    if never:
        raise Refused("stands for this host or for many (loopback, link-local, multicast, unspecified)",
                      "Leave it out.")
    if private and not noted:
        raise Refused("is private, and means another computer in every network", _NOTE)


@cache
def _ranges() -> tuple[Ranges, Ranges]:
    """_NEVER and _PRIVATE as numbers: version of IP -> first and last address of each network."""
    return _numbers(_NEVER), _numbers(_PRIVATE)


def _numbers(networks: Iterable[str]) -> Ranges:
    found: Ranges = {4: [], 6: []}
    for network in map(ip_network, networks):
        found[network.version].append((int(network.network_address), int(network.broadcast_address)))
    return found


def _domain(text: str, noted: bool) -> str:
    found = spelling.name(_PORT.sub("", text.removeprefix("*").lstrip(".")))  # of *.bad.example:443 the middle
    labels = found.split(".")
    if not found or ":" in _PORT.sub("", text) or not _NAME.fullmatch(found):
        raise Refused("is no domain, URL, address or hash")
    if not noted and labels[-1] in _OWN:
        raise Refused("is a name of this host or of a private network", _NOTE)
    if len(labels) == 1:
        what = "is a whole top-level domain" if _LAST.fullmatch(found) else "is no domain, URL, address or hash"
        raise Refused(what, "Name a domain below it." if _LAST.fullmatch(found) else _KINDS)
    if labels[-1] in _FILES:
        raise Refused("is the name of a file", "Write the file's hash, or the URL it came from.")
    if not _LAST.fullmatch(labels[-1]):
        raise Refused("is no domain, URL, address or hash")
    if not noted and len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _UNDER_COUNTRY:
        raise Refused("is a suffix under which everybody registers", _NOTE)
    return found
