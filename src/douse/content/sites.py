"""Load sites.yml: public sites that are not to be blocked because an incident names them, each with the reason.

    site_of("cdn.discordapp.com") -> Site("cdn.discordapp.com", "sharing", "a public site where ...", True)

The format is explained at the top of the file; what does not follow it is a ContentError with file and line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from douse.content import document

FILE = Path(__file__).with_name("sites.yml")
KINDS = ("dead-drop", "sharing", "storage", "tenant", "lookup", "resolver", "vendor", "names")


@dataclass(frozen=True, slots=True)
class Site:
    """A public site by its name. `kind` is a word of KINDS, `says` the reason for a report; `verified` is false where
    nobody looked it up."""

    name: str
    kind: str
    says: str
    verified: bool


@cache
def sites() -> Mapping[str, Site]:
    """All sites by name. Raises ContentError where the file does not follow its format."""
    top = document.read(FILE, FILE.name)
    found: dict[str, Site] = {}
    for kind, entry in top.named("kinds").items():
        if kind not in KINDS:
            entry.fail(f"{kind!r} is no kind of site.", f"Known: {', '.join(KINDS)}.")
        says, verified = entry.text("says"), entry.truth("verified", default=False)
        for name in entry.texts("hosts"):
            if name != name.lower() or not {".", ":"} & set(name):
                entry.fail(f"{name!r} is no host name or address in small letters.", key="hosts")
            if name in found:
                entry.fail(f"{name} is {found[name].kind} already.", "Keep it in one kind.", key="hosts")
            found[name] = Site(name, kind, says, verified)
        entry.end()
    top.end()
    return found


def site_of(host: str) -> Site | None:
    """The site that a host name belongs to, by the most exact name that is listed; None for all others."""
    known, name = sites(), host.lower().rstrip(".")
    while name:
        if name in known:
            return known[name]
        name = name.partition(".")[2]
    return None
