r"""What only the organisation knows: its site.yml in, a Site out.

    organisation: Example Ltd
    domain: corp.example.com                  DNS name of the domain that the GPO goes to
    gpo_name: Infostealer hardening
    proxy_ports: [3128, 8080]                 where its browsers reach the web through a proxy
    extensions: {chrome: [nngceckbapebfimnlniiiahkandclblb], firefox: ['{446900e4-71c2-419f-a6a7-df9c091e268b}']}
    mshta_group: CORP\HTA users               who goes on using mshta, and the group's SID
    mshta_sid: S-1-5-21-1004336348-1177238915-682003330-1603

All keys may be missing. Its texts come into policies and instructions, so a name holds letters, digits and a few signs:
no quotes (PowerShell takes the typographic ones for quotes too), no `$`, no `|`, which ends a field of a firewall rule.
What does not follow this is a ContentError with file and line.
"""

from __future__ import annotations

import re
from pathlib import Path

from douse.content import document
from douse.content.document import Section
from douse.harden.generate.policy import Site

BROWSERS = ("chrome", "edge", "firefox")
_CHROMIUM_ID = re.compile(r"[a-p]{32}")
_FIREFOX_ID = re.compile(r"\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}|[A-Za-z0-9._-]*@[A-Za-z0-9._-]+")
"""A GUID in braces, or something like an address: the two forms of ids of Firefox."""

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})+")
_GROUP_SID = re.compile(r"S-1-5-21-\d{1,10}-\d{1,10}-\d{1,10}-\d{1,10}")
_SIGNS = frozenset(" _.,()&+#@-")
LONGEST_NAME = 100


def read_site(path: Path) -> Site:
    """The site's file as a Site."""
    data = document.read(path)
    found = Site(
        organisation=_name(data, "organisation"), proxy_ports=_ports(data), extensions=_extensions(data),
        mshta_group=_name(data, "mshta_group", also="\\"), mshta_sid=_sid(data),
        gpo_name=_name(data, "gpo_name") or Site().gpo_name, domain=_domain(data))
    if bool(found.mshta_group) != bool(found.mshta_sid):
        data.fail("mshta_group and mshta_sid go together: the one is for people, the other for the policy.",
                  "Write both or none.", key="mshta_group" if found.mshta_group else "mshta_sid")
    data.end()
    return found


def is_name(text: str, also: str = "") -> bool:
    """Whether a text is a name that can stand in every file of a bundle: letters, digits, some signs and those of
    `also`; not too long, and no blank at its ends."""
    return 0 < len(text) <= LONGEST_NAME and text == text.strip() and all(
        sign.isalnum() or sign in _SIGNS or sign in also for sign in text)


def is_group_sid(text: str) -> bool:
    """Whether a text is the SID of a group or account of a domain or computer. Well-known groups (Everyone, Users) are
    not: an exception for all is none."""
    return bool(_GROUP_SID.fullmatch(text)) and all(int(part) < 1 << 32 for part in text.split("-")[4:])


def _name(data: Section, key: str, also: str = "") -> str:
    text = data.text(key, "")
    if text and not is_name(text, also):
        data.fail(f"{key} may have letters, digits, blanks and {''.join(sorted(_SIGNS - {' '}))}{also}, "
                  f"at most {LONGEST_NAME}.", "Name it so, also where it is defined.", key=key)
    return text


def _domain(data: Section) -> str:
    text = data.text("domain", "")
    if text and not _DOMAIN.fullmatch(text):
        data.fail("domain is no DNS name of a domain.", "Write it like corp.example.com.", key="domain")
    return text


def _sid(data: Section) -> str:
    text = data.text("mshta_sid", "")
    if text and not is_group_sid(text):
        data.fail("mshta_sid is no SID of a group of yours (S-1-5-21-...); well-known groups would let everybody in.",
                  "PowerShell shows it: (Get-ADGroup 'HTA users').SID.Value", key="mshta_sid")
    return text


def _ports(data: Section) -> tuple[int, ...]:
    found = []
    for text in data.texts("proxy_ports"):
        if not text.isascii() or not text.isdigit() or not 0 < int(text) < 1 << 16:
            data.fail("proxy_ports has something that is no port (1 to 65535).", key="proxy_ports")
        found.append(int(text))
    return tuple(sorted(set(found)))


def _extensions(data: Section) -> dict[str, tuple[str, ...]]:
    inner = data.section("extensions")
    if inner is None:
        return {}
    found = {}
    for browser in BROWSERS:
        if browser not in inner:
            continue
        pattern, like = (_FIREFOX_ID, "name@vendor or {GUID}") if browser == "firefox" else (
            _CHROMIUM_ID, "32 letters from a to p")
        ids = inner.texts(browser)
        if any(not pattern.fullmatch(one) for one in ids):
            inner.fail(f"{browser} has something that is no id of an extension ({like}).",
                       "The browser's page of extensions shows it.", key=browser)
        found[browser] = tuple(dict.fromkeys(ids))
    inner.expect(*BROWSERS)
    inner.end()
    return found
