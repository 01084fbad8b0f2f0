"""One web request, from whatever log, as the fields that Sigma's proxy and webserver rules ask for.

Rules differ in what they call the URI: some mean the whole URL (`://host/path`), some the path alone
(`/path?query`), and `cs-uri-query` of web server rules is often the path with its query. So c-uri, cs-uri and
cs-uri-query hold both, as a list of which any may match; nothing is decoded, a URL stays as the log has it.
A log that keeps user agents and has none for a request says that none was sent: that is an empty field, which a rule
asks for, and not an absent one. Bytes: `cs-bytes` is what the client sent, `sc-bytes` what it got.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from douse.telemetry.fields import Fields

PROXY: Final = "Proxy/access"
WEB_SERVER: Final = "WebServer/access"
FIREWALL: Final = "Firewall/traffic"

_ABSOLUTE: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,20})://([^/?#]*)")
_MAX_EXTENSION: Final = 16
ABSENT: Final = frozenset({"", "-"})


@dataclass(slots=True)
class WebRequest:
    """What a log says about one request; empty where it says nothing. `url` is absolute, a path, or host:port; `agent`
    is None where the log does not keep user agents."""

    client: str = ""
    client_port: str = ""
    server: str = ""
    server_port: str = ""
    method: str = ""
    url: str = ""
    host: str = ""
    version: str = ""
    status: str = ""
    agent: str | None = None
    referrer: str = ""
    cookie: str = ""
    user: str = ""
    sent: str = ""
    received: str = ""
    milliseconds: str = ""
    action: str = ""
    content_type: str = ""

    def fields(self) -> Fields:
        """The fields under Sigma's names, without those the log says nothing about."""
        host, stem, query = split_url(self.url, connect=self.method.upper() == "CONNECT")
        host = without_port(self.host) if self.host not in ABSENT else host
        path = f"{stem}?{query}" if query else stem
        uri = [self.url, path] if stem and path != self.url else self.url
        told: Fields = {
            "c-uri": uri, "cs-uri": uri, "c-uri-stem": stem, "cs-uri-stem": stem, "c-uri-query": query,
            "cs-uri-query": [query, path] if query else path, "c-uri-extension": extension(stem),
            "cs-host": host, "r-dns": host, "cs-method": self.method, "cs-version": self.version,
            "sc-status": self.status, "c-useragent": self.agent, "cs-user-agent": self.agent,
            "cs-referrer": self.referrer, "cs-referer": self.referrer, "cs-cookie": self.cookie,
            "cs-username": self.user, "User": self.user, "cs-bytes": self.sent, "sc-bytes": self.received,
            "time-taken": self.milliseconds, "s-action": self.action, "cs-mime-type": self.content_type,
            "src_ip": self.client, "c-ip": self.client, "src_port": self.client_port, "dst_ip": self.server,
            "dst_port": self.server_port,
        }
        named: Fields = {name: value for name, value in told.items() if value not in ("", "-", None)}
        if self.agent in ABSENT and self.method not in ("", "CONNECT"):
            named["c-useragent"] = named["cs-user-agent"] = ""
        return named


def is_absolute(url: str) -> bool:
    """Whether a URL names its host, as what a client asks a proxy for does."""
    return _ABSOLUTE.match(url) is not None


def split_url(url: str, *, connect: bool = False) -> tuple[str, str, str]:
    """Host, path and query of a URL as it is written; of a tunnel (`host:443`) the host alone."""
    found = _ABSOLUTE.match(url)
    if found is None and connect:
        return without_port(url), "", ""
    rest = url[found.end():] if found else url
    path, _, query = rest.partition("#")[0].partition("?")
    host = without_port(found[2].rpartition("@")[2]) if found else ""
    return host, path or ("/" if found else ""), query


def without_port(host: str) -> str:
    """`example.com` of `example.com:443`, `2001:db8::1` of `[2001:db8::1]:443`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() and ":" not in name else host


def extension(path: str) -> str:
    """What follows the last full stop of a path's last part, empty where that is no extension."""
    stem, dot, last = path[path.rfind("/") + 1:].rpartition(".")
    return last if dot and stem and len(last) <= _MAX_EXTENSION else ""
