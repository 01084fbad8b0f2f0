r"""One rule of Windows Firewall as the registry keeps it: text in, FirewallRule out, and back the same text.

    rule = parse(r"v2.26|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=80|RPort=443|App=%SystemRoot%\...|Name=...|")
    rule.remote_ports          ((80, 80), (443, 443))
    block_rule(program=r"%SystemRoot%\System32\mshta.exe", name="...", tcp=(80, 443)).text()

The grammar is [MS-GPFAS] 2.2.2.19: fields end with `|`, keys repeat (RPort, LPort, Profile, RA4, RA6, IFType), a value
may hold `=`. No `Profile` is all profiles, no `Protocol` is any, no `Active` is FALSE. Keys we do not know are kept and
written back; some of them can narrow a rule. What several rules do together: firewall_coverage.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from douse.errors import ContentError, EvidenceError

PROFILES = ("Domain", "Private", "Public")
TCP, UDP = 6, 17
VERSION = "v2.26"
"""What we write: the newest that Windows 10 1607 and Server 2016 know ([MS-GPFAS] appendix A note 1)."""

LAST_PORT = 65535
Ports = tuple[tuple[int, int], ...]
"""Ranges of ports, both ends included."""

REPEATED = frozenset({"Profile", "LPort", "LPort2_10", "LPort2_20", "LPort2_24", "RPort", "RPort2_10", "IF", "IFType",
                      "LA4", "LA6", "RA4", "RA6", "RA42", "RA62", "ICMP4", "ICMP6", "Platform", "TTK", "TTK2_22",
                      "TTK2_27", "TTK2_28"})
"""Keys that may stand in a rule more than once."""

HARMLESS = frozenset({"Action", "Active", "Dir", "Profile", "Protocol", "App", "Name", "Desc", "EmbedCtxt", "Edge",
                      "Defer", "LSM", "LOM", "PCross", "PCROSS", "AuthByPassOut", "RPort", "RPort2_10", "RA4", "RA6",
                      "RA42", "RA62"})
"""Keys whose meaning is read here, or that say nothing of which outbound traffic a rule is about. Every other key can
narrow a rule: to a user (LUAuth, LUOwn), a service (Svc), a package (AppPkgId), an interface (IF, IFType), secured
connections (Security, Security2, Security2_9), a version of Windows (Platform, SkipVer) and so on."""

_VERSION = re.compile(r"v\d{1,3}\.\d{1,3}")
_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_HOMES = re.compile(r"%(?:systemroot|windir)%|%systemdrive%\\windows|c:\\windows|\\systemroot", re.IGNORECASE)
_BARRED = re.compile(r"[|\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PLAIN_PATH = re.compile(r'[^|<>"*?\x00-\x1f]+')


@dataclass(frozen=True, slots=True)
class FirewallRule:
    """A rule as its fields in order: (key, value). `version` is the first token, "v2.26". Keys are told by their exact
    spelling, words among the values without case."""

    version: str
    fields: tuple[tuple[str, str], ...]

    def text(self) -> str:
        """The rule as the registry keeps it, with the last `|` that a reader may leave out."""
        return "|".join((self.version, *(f"{key}={value}" for key, value in self.fields), ""))

    def values(self, *keys: str) -> tuple[str, ...]:
        """The values of these keys, in order."""
        return tuple(value for key, value in self.fields if key in keys)

    def first(self, key: str) -> str:
        """The first value of a key, "" where there is none."""
        return next(iter(self.values(key)), "")

    @property
    def action(self) -> str:
        """`allow`, `block`, `bypass`, or what else stands there in lower case."""
        return self.first("Action").casefold()

    @property
    def direction(self) -> str:
        """`in`, `out`, or what else stands there in lower case."""
        return self.first("Dir").casefold()

    @property
    def active(self) -> bool:
        """Whether it is switched on."""
        return self.first("Active").casefold() == "true"

    @property
    def bypasses(self) -> bool:
        """Whether it lets authenticated traffic pass in spite of block rules, which is the one thing that outranks them
        ([MS-FASP] 2.2.34, 2.2.35)."""
        return self.action == "bypass" or (self.action == "allow" and self.first("AuthByPassOut").casefold() == "true")

    @property
    def protocol(self) -> int | None:
        """The IP protocol, None for any, -1 for what is none."""
        text = self.first("Protocol")
        if not self.values("Protocol") or text == "256":
            return None
        return int(text) if text.isdecimal() and len(text) <= 3 else -1

    @property
    def remote_ports(self) -> Ports | None:
        """The remote ports, None for all. A word instead of a number (`IPHTTPSOut`) is no port."""
        texts = self.values("RPort", "RPort2_10")
        return tuple(_ports(texts)) if texts else None

    @property
    def program(self) -> str:
        """The program's path as written, "" for every program."""
        return self.first("App")

    @property
    def name(self) -> str:
        """How it is called."""
        return self.first("Name")

    @property
    def profiles(self) -> frozenset[str]:
        """Which of PROFILES it is for; a word we do not know is kept in lower case."""
        known = {profile.casefold(): profile for profile in PROFILES}
        found = frozenset(known.get(text.casefold(), text.casefold()) for text in self.values("Profile"))
        return found or frozenset(PROFILES)

    @property
    def remote_addresses(self) -> tuple[str, ...]:
        """The remote addresses that it is restricted to, none for all."""
        return self.values("RA4", "RA6", "RA42", "RA62")

    @property
    def narrowing(self) -> tuple[str, ...]:
        """Its keys that can narrow it, and whose meaning is not judged here, each once."""
        return tuple(dict.fromkeys(key for key, _ in self.fields if key not in HARMLESS))

    @property
    def mistake(self) -> str:
        """What of it breaks the grammar, so that Windows may ignore the rule; "" where nothing does."""
        keys = [key for key, _ in self.fields]
        twice = next((key for key in keys if key not in REPEATED and key in HARMLESS and keys.count(key) > 1), "")
        if twice:
            return f"{twice} stands there twice"
        if self.values("App") and (not self.program or '"' in self.program or "/" in self.program):
            return f"App={self.program[:80]} is no path as Windows writes it"
        if self.protocol is not None and not 0 <= self.protocol <= 255:
            return f"Protocol={self.first('Protocol')} is no IP protocol"
        ports = [at for at, key in enumerate(keys) if key in ("RPort", "RPort2_10")]
        if ports and (self.protocol not in (TCP, UDP) or keys.index("Protocol") > ports[0]):
            return "ports stand there without Protocol=6 or 17 before them"
        return ""


def parse(text: str, where: str = "firewall rule") -> FirewallRule:
    """A rule from its text, which may lack the last `|`; EvidenceError where it is none, naming the field."""
    tokens = text.split("|")
    if tokens[-1] == "":
        tokens.pop()
    if not tokens or not _VERSION.fullmatch(tokens[0]):
        raise EvidenceError(where, "is no firewall rule: it does not begin with a version such as v2.26.",
                            "Look at the value's data; the rule was left out.")
    if len(tokens) == 1:
        raise EvidenceError(where, "is a firewall rule without any field.", "The rule was left out.")
    fields = []
    for number, token in enumerate(tokens[1:], 1):
        key, equals, value = token.partition("=")
        if not equals or not key:
            raise EvidenceError(where, f"field {number} of the firewall rule is no key=value: {token[:60]!r}.",
                                "The rule was left out.")
        fields.append((key, value))
    return FirewallRule(tokens[0], tuple(fields))


def _ports(texts: Iterable[str]) -> Iterable[tuple[int, int]]:
    for text in texts:
        for part in text.split(","):
            found = _PORT.fullmatch(part.strip())
            if found is not None and int(found[1]) <= int(found[2] or found[1]) <= LAST_PORT:
                yield int(found[1]), int(found[2] or found[1])


def folded_path(path: str) -> str:
    r"""A path for comparing: lower case, one kind of slash, no quotes, and one spelling of the Windows folder."""
    text = re.sub(r"(?<!^)\\+", r"\\", path.strip().strip('"').replace("/", "\\"))
    found = _HOMES.match(text)
    if found is not None and text[found.end():][:1] in ("", "\\"):
        text = "%systemroot%" + text[found.end():]
    return text.casefold()


def block_rule(*, program: str, name: str, description: str = "", tcp: Iterable[int] = (), udp: Iterable[int] = (),
               active: bool = True) -> FirewallRule:
    """An outbound block rule for all profiles: on these TCP or these UDP ports, or without ports for all traffic.

    ContentError where a text or port cannot stand in a rule, or both TCP and UDP ports are given, which takes two.
    """
    tcp, udp = tuple(tcp), tuple(udp)
    for what, text in (("name", name), ("description", description), ("program", program)):
        if _BARRED.search(text):
            raise ContentError(f"firewall rule {name!r}", f"{what} holds a character that ends a field or a line.",
                               "Take out | and control characters.")
    if not name.strip() or not _PLAIN_PATH.fullmatch(program):
        raise ContentError(f"firewall rule {name!r}", "needs a name and the path of one program.")
    if tcp and udp:
        raise ContentError(f"firewall rule {name!r}", "TCP and UDP ports do not fit into one rule.", "Make two rules.")
    wrong = [port for port in (*tcp, *udp) if not 0 < port <= LAST_PORT]
    if wrong:
        raise ContentError(f"firewall rule {name!r}", f"{wrong[0]} is no port.", f"Ports are 1 to {LAST_PORT}.")
    fields = [("Action", "Block"), ("Active", "TRUE" if active else "FALSE"), ("Dir", "Out")]
    if tcp or udp:
        fields.append(("Protocol", str(TCP if tcp else UDP)))
    fields += [("RPort", str(port)) for port in dict.fromkeys((*tcp, *udp))]
    fields += [("App", program), ("Name", name)]
    if description:
        fields.append(("Desc", description))
    return FirewallRule(VERSION, tuple(fields))
