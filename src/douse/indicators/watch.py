"""Watch for indicators: an event in, which of them it names and in which fields, out.

Nothing is searched for: what a field holds is looked up. A name is looked up with each of its parents, so a domain
means its subdomains too; a URL means exactly itself (spelling.py); a network is one look-up for each length of prefix.
In free text every word with a dot is a candidate, found by one expression that passes over the text once, so that no
text is slow. Values are remembered within bounds, as logs repeat themselves.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Final

from douse.indicators import spelling
from douse.indicators.known import Known
from douse.indicators.places import Fields, fields_of, interests
from douse.model import Event, Interest, Value

Found = tuple[tuple[Known, str], ...]
"""Indicators, each with the text that names it."""

_NOTHING: Final[Found] = ()
_REMEMBERED: Final = 20_000
"""Values of each way whose answer is kept; one takes 1 KB at the most."""
_LONGEST_REMEMBERED: Final = 1_024
_MOST_PLANS: Final = 4_096
_WORDS: Final = re.compile(r"[\w.-]+|\[[0-9A-Fa-f:.]{2,45}\]")
_REST: Final = re.compile(r"""(?::\d{1,5})?(?:[/\\?][^\s"'<>|^`]{0,2048})?""")
_URL_HOST: Final = re.compile(
    r"(?:[a-z]{3,5}:[/\\]{2})?(?:[^/?#@\\]{0,256}@)?(\[[0-9a-f:.]{2,45}\]|[^/?#:@\\\s]{1,255})", re.IGNORECASE)
_CLOSING: Final = ".,;:!)]}'\""
_MARKS: Final = str.maketrans("", "", "^`")  # what a shell lets somebody put between the letters of a name
_HASH_KINDS: Final = frozenset({"MD5", "SHA1", "SHA256"})
_ANSWER: Final = re.compile(r"type:\s*\d+\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hit:
    """An indicator that an event names, and where: fields with the text that names it."""

    known: Known
    fields: tuple[tuple[str, str], ...]


class Watch:
    """All indicators of a run, ready for look-ups. It can be sent to another process, where it is built anew."""

    def __init__(self, known: Iterable[Known] = ()) -> None:
        self.known = tuple(known)
        self._types = frozenset(one.type for one in self.known)
        self._names: dict[str, Known] = {}
        self._hashes: dict[str, Known] = {}
        self._addresses: dict[str, Known] = {}
        self._networks: defaultdict[tuple[int, int], dict[int, Known]] = defaultdict(dict)
        self._urls: defaultdict[str, list[Known]] = defaultdict(list)
        self._url_hosts: set[str] = set()
        for one in self.known:
            self._add(one)
        self._plans: dict[tuple[str, int], Fields] = {}
        self._ways: dict[str, Callable[[str], Found]] = {
            "name": self._name, "address": self._address, "answers": self._answers, "hashes": self._listed,
            "digest": self._digest, "url": self._url, "text": self._text}
        self._remembered = self._ways | {
            way: lru_cache(_REMEMBERED)(self._ways[way]) for way in ("name", "address", "answers", "text")}

    def __reduce__(self) -> tuple[type[Watch], tuple[tuple[Known, ...]]]:
        return type(self), (self.known,)

    def __bool__(self) -> bool:
        return bool(self.known)

    def interests(self) -> frozenset[Interest]:
        """The records that can carry one of the indicators."""
        return interests(self._types)

    def match(self, event: Event) -> Sequence[Hit]:
        """The indicators that an event names, in the order in which its fields name them."""
        plan = self._plans.get((event.channel, event.event_id))
        if plan is None:
            plan = self._plan(event.channel, event.event_id)
        found: dict[int, tuple[Known, list[tuple[str, str]]]] | None = None
        for name, way in plan:
            value = event.get(name)
            for known, text in self._look(way, value) if value else ():
                found = {} if found is None else found
                found.setdefault(id(known), (known, []))[1].append((name, text))
        return () if found is None else [Hit(known, tuple(dict.fromkeys(places))) for known, places in found.values()]

    # ── building ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _add(self, one: Known) -> None:
        match one.type:
            case "file":
                self._hashes[one.value] = one
            case "domain-name":
                self._names[one.value] = one
            case "url":
                host, compared = spelling.split(one.value)
                self._urls[compared].append(one)  # http and https of one URL are two indicators
                self._url_hosts.add(host)
            case _ if "/" in one.value:
                network = ip_network(one.value)
                self._networks[network.version, network.prefixlen][int(network.network_address)] = one
            case _:
                self._addresses[one.value] = one

    def _plan(self, channel: str, event_id: int) -> Fields:
        if len(self._plans) >= _MOST_PLANS:
            self._plans.clear()
        plan = self._plans[channel, event_id] = fields_of(channel, event_id, self._types)
        return plan

    # ── looking up ────────────────────────────────────────────────────────────────────────────────────────────────

    def _look(self, way: str, value: Value) -> Iterable[tuple[Known, str]]:
        if value.__class__ is str:
            return (self._remembered if len(value) <= _LONGEST_REMEMBERED else self._ways)[way](value)
        if isinstance(value, list):
            return [pair for item in value for pair in self._look(way, item)]
        return _NOTHING

    def _name(self, text: str) -> Found:
        """A host name with its parents, or an address."""
        return self._host(spelling.address(text) or spelling.name(text))

    def _host(self, host: str) -> Found:
        """A host as spelling.py writes it: a name, or an address."""
        return self._known_address(host) if spelling.address(host) else self._parents(host)

    def _parents(self, name: str) -> Found:
        known, names = name, self._names
        while known:
            if known in names:
                return ((names[known], name),)
            known = known.partition(".")[2]
        return _NOTHING

    def _address(self, text: str) -> Found:
        found = spelling.address(text)
        return self._known_address(found) if found else _NOTHING

    def _known_address(self, address: str) -> Found:
        if address in self._addresses:
            return ((self._addresses[address], address),)
        if self._networks:
            parsed = ip_address(address)
            whole = parsed.max_prefixlen
            for (version, length), networks in self._networks.items():
                if version == parsed.version:
                    known = networks.get(int(parsed) >> (whole - length) << (whole - length))
                    if known is not None:
                        return ((known, address),)
        return _NOTHING

    def _answers(self, text: str) -> Found:
        """What a name server answered: addresses and names, `type:  5 other.example;::ffff:203.0.113.7;`."""
        parts = (_ANSWER.sub("", part.strip(), count=1) for part in text.split(";"))
        return tuple(pair for part in parts if part for pair in self._name(part))

    def _listed(self, text: str) -> Found:
        """Hashes as Sysmon lists them, `SHA256=...,IMPHASH=...`; an IMPHASH looks like an MD5 and is none."""
        pairs = (part.partition("=") for part in text.split(","))
        return tuple(pair for kind, _, digest in pairs if kind.strip().upper() in _HASH_KINDS
                     for pair in self._digest(digest))

    def _digest(self, text: str) -> Found:
        known = self._hashes.get(text.strip().lower())
        return _NOTHING if known is None else ((known, text.strip().lower()),)

    def _url(self, text: str) -> Found:
        """A URL, or a host with or without a port; a path alone names nobody. The host is looked up first, because
        nearly every URL of a log is another one and few hosts are known."""
        found = _URL_HOST.match(text)
        if found is None:
            return _NOTHING
        hits = self._remembered["name"](found[1])
        host = spelling.address(found[1]) or spelling.name(found[1])
        if host in self._url_hosts and ("/" in text or "\\" in text):
            return (*((known, text) for known in self._urls.get(spelling.url(text), ())), *hits)
        return hits

    def _text(self, text: str) -> Found:
        """Names, addresses and URLs in the midst of other text."""
        if "." not in text and ":" not in text:
            return _NOTHING
        plain = text.translate(_MARKS) if "^" in text or "`" in text else text
        return tuple(dict.fromkeys(pair for found in _WORDS.finditer(plain) for pair in self._word(plain, found)))

    def _word(self, text: str, found: re.Match[str]) -> Iterator[tuple[Known, str]]:
        word = found[0]
        if "." not in word and word[0] != "[":
            return
        host = spelling.address(word) or spelling.name(word[-spelling.LONGEST_NAME:].strip(".-"))
        if host in self._url_hosts:
            yield from self._url_at(text, found.start(), found.end(), word)
        yield from self._host(host)

    def _url_at(self, text: str, start: int, end: int, host: str) -> Iterator[tuple[Known, str]]:
        """The URL whose host stands there: as far as it goes, and without the signs that may close what holds it."""
        before = text[max(0, start - 6):start].lower().replace("\\", "/")
        found = _REST.match(text, end)
        rest = found[0] if found else ""
        begins = before.endswith(("//", "@"))
        if not begins and (before.endswith("/") or not ("/" in rest or "\\" in rest)):
            return  # a part of another URL's path, or a host alone
        written = f"{before if before == 'ftp://' else ''}{host}{rest}"
        for candidate in dict.fromkeys((written, written.rstrip(_CLOSING))):
            for known in self._urls.get(spelling.url(candidate), ()):
                yield known, candidate
