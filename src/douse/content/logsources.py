"""The table of Sigma log sources (logsources.yml) as typed data: which records and which field names each one means.

The format is explained at the top of the file. detection/logsource.py decides from it what a rule reads; nothing here
knows a rule.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from douse.content import document
from douse.content.document import Section

FILE = Path(__file__).with_name("logsources.yml")


@dataclass(frozen=True, slots=True)
class Place:
    """Records a category means: a channel, event ids, fields that must have one of some values, a table of aliases."""

    channel: str
    ids: tuple[int, ...]
    where: Mapping[str, tuple[str, ...]]
    aliases: str


@dataclass(frozen=True, slots=True)
class FieldSource:
    """Where a log keeps a field of Sigma: the log's own field(s), and how to write it as Sysmon would (`how`)."""

    how: str
    fields: tuple[str, ...]
    to: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class LogSources:
    """The whole table; see logsources.yml for what each part is."""

    categories: Mapping[str, tuple[Place, ...]]
    services: Mapping[str, tuple[str, ...]]
    products: Mapping[str, Mapping[str, tuple[str, ...]]]
    elsewhere: tuple[str, ...]
    unavailable: Mapping[str, str]
    aliases: Mapping[str, Mapping[str, FieldSource]]


@cache
def log_sources() -> LogSources:
    """The table, read once. Raises ContentError where it does not follow its format."""
    top = document.read(FILE, FILE.name)
    aliases = {name: _aliases(section) for name, section in top.named("aliases").items()}
    table = LogSources(
        categories=_categories(_required(top, "categories"), aliases),
        services=_services(_required(top, "services")),
        products={name: _services(section) for name, section in top.named("products").items()},
        elsewhere=tuple(prefix.lower() for prefix in top.texts("elsewhere")),
        unavailable=_texts(_required(top, "unavailable")),
        aliases=aliases,
    )
    top.end()
    return table


def _required(top: Section, key: str) -> Section:
    section = top.section(key)
    return section if section is not None else top.fail(f"{key} is missing.")


def _categories(section: Section, aliases: Mapping[str, object]) -> dict[str, tuple[Place, ...]]:
    return {name: tuple(_place(place, aliases) for place in section.listed(name)) for name in section}


def _place(section: Section, aliases: Mapping[str, object]) -> Place:
    where = section.section("where")
    table = section.text("aliases", "")
    if table and table not in aliases:
        section.fail(f"no table of aliases is called {table!r}.", key="aliases")
    ids = section.texts("ids")
    if not ids or not all(number.isdecimal() for number in ids):
        section.fail("ids must be a list of event ids.")
    place = Place(
        channel=section.text("channel"),
        ids=tuple(int(number) for number in ids),
        where={} if where is None else {name: where.texts(name) for name in where},
        aliases=table,
    )
    section.end()
    return place


def _services(section: Section) -> dict[str, tuple[str, ...]]:
    return {name: section.texts(name) for name in section}


def _texts(section: Section) -> dict[str, str]:
    return {name: section.text(name) for name in section}


def _aliases(section: Section) -> dict[str, FieldSource]:
    return {name: _field_source(source) for name in section if (source := section.section(name)) is not None}


def _field_source(section: Section) -> FieldSource:
    if "account" in section:
        source = FieldSource("account", _account(section.texts("account")))
    elif "logon" in section:
        source = FieldSource("logon", tuple(f"{who}LogonId" for who in section.texts("logon")))
    elif "map" in section:
        to = section.section("to")
        source = FieldSource("map", (section.text("map"),), to={} if to is None else _texts(to))
    elif "registry" in section:
        source = FieldSource("registry", _pair(section, "registry"))
    elif "registry_data" in section:
        source = FieldSource("registry_data", _pair(section, "registry_data"))
    elif "decimal" in section:
        source = FieldSource("decimal", (section.text("decimal"),))
    else:
        source = FieldSource("field", (section.text("field"),))
    section.end()
    return source


def _account(starts: Sequence[str]) -> tuple[str, ...]:
    """Of each account its three fields: logon id, domain, name."""
    return tuple(f"{who}{what}" for who in starts for what in ("LogonId", "DomainName", "UserName"))


def _pair(section: Section, key: str) -> tuple[str, ...]:
    names = section.texts(key)
    return names if len(names) == 2 else section.fail(f"{key} needs two fields.", key=key)
