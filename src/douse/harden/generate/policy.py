"""What a bundle is made of: a Policy says which values are to be set, by control; each format writes it down its way.

    policy = planned(options)                   plan.py
    FORMATS["reg"](policy) -> BundleFile...     formats.py

A format sees no evidence but `before`, the values found earlier, which only data files (an undo.reg, changes.json) may
repeat: no text of evidence comes into a script. Mode `audit` sets what can be watched without refusing anything: values
with an audit mode, logging, firewall rules with Active=FALSE; all else is in `left` with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from uuid import UUID, uuid5

from douse.content.controls import Control
from douse.content.settings import (
    AppControlSetting,
    AppLockerSetting,
    AsrSetting,
    AuditSetting,
    ChannelSetting,
    FeatureSetting,
    FirewallSetting,
    RegistrySetting,
    SaclSetting,
    ServiceSetting,
    Setting,
    SysmonSetting,
)
from douse.harden.observed import Subject
from douse.harden.registry import RegistryValue

MODES = ("audit", "enforce")
WORDS = ("gpo", "pol", "reg", "powershell", "applocker", "wdac", "intune", "browser", "sysmon", "auditpol")
"""The formats, by the word of `--as`."""

NAMESPACE = UUID("d3b8a9a4-5c1e-5b4e-9d55-6d1f0f6f3a10")
"""Of every GUID that we make: importing a bundle again replaces what the last one wrote."""


def guid_for(name: str) -> str:
    """The GUID of something of ours, the same in every bundle: `{8-4-4-4-12}`, upper case."""
    return "{" + str(uuid5(NAMESPACE, name)).upper() + "}"


@dataclass(frozen=True, slots=True)
class Site:
    """What only the organisation knows (site.py reads it). Ports of its proxies; ids of browser extensions that people
    need, by browser; the group that may go on using mshta, with its SID; the name of the GPO."""

    organisation: str = ""
    proxy_ports: tuple[int, ...] = ()
    extensions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mshta_group: str = ""
    mshta_sid: str = ""
    gpo_name: str = "Douse infostealer hardening"
    domain: str = ""


@dataclass(frozen=True, slots=True)
class GoRecord:
    """A pre-flight that lets a block be enforced: what it says, and the SHA-256 of its file. `groups` are exceptions
    as (group, SID)."""

    program: str
    verdict: str
    finished: datetime
    sha256: str
    groups: tuple[tuple[str, str], ...]
    data: bytes
    expires: date | None = None
    """The last day on which all decisions that it rests on are valid."""
    until: datetime | None = None
    """The end of the days that were watched."""
    days: int = 0
    need: int = 0
    """How many days, and the share of the hosts, in percent, that had to be covered; 0 where it does not say."""
    hosts: int = 0
    covered: int = 0
    """How many computers the inventory had, and how many of them were watched."""
    reason: str = ""
    """Its own words, with what the verdict does not cover."""
    undecided: tuple[str, ...] = ()
    """Use cases that nobody decided about: those that only started."""


@dataclass(frozen=True, slots=True)
class RegistryChange:
    """One registry value that is to be set, wherever it comes from: a control's own value, a firewall rule, an
    AppLocker rule, an ASR rule. `is_policy` keys are removed by Group Policy again; others stay until undone."""

    control: str
    setting: str
    hive: str
    key: str
    name: str
    value: RegistryValue
    is_policy: bool


@dataclass(frozen=True, slots=True)
class FirewallChange:
    """A firewall rule that is to be there: `id` is a GUID in braces, `text` the rule as the registry keeps it."""

    control: str
    setting: FirewallSetting
    id: str
    name: str
    description: str
    active: bool
    tcp: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """Another setting that is to be set, by its kind: Service, Audit, Channel, Feature, Sysmon, Sacl, AppLocker, App
    Control, Asr. `state` is what an ASR rule gets (1 block, 2 audit, 6 warn)."""

    control: str
    setting: (ServiceSetting | AuditSetting | ChannelSetting | FeatureSetting | SysmonSetting | SaclSetting
              | AppLockerSetting | AppControlSetting | AsrSetting | RegistrySetting)
    state: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    """A setting that this bundle does not set, and why."""

    control: str
    setting: Setting
    why: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What is to be set. `registry` holds every registry value, those of firewall, AppLocker and ASR too, so that
    pol and reg need nothing else; `firewall` and `changes` say the same by kind for formats that have a word for it."""

    mode: str
    profile: str
    controls: tuple[Control, ...]
    site: Site
    registry: tuple[RegistryChange, ...]
    firewall: tuple[FirewallChange, ...]
    changes: tuple[Change, ...]
    left: tuple[Left, ...]
    go: GoRecord | None
    before: Subject | None
    version: str

    def of(self, *kinds: type) -> tuple[Change, ...]:
        """The changes whose setting is of one of these kinds."""
        return tuple(change for change in self.changes if isinstance(change.setting, kinds))


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """What a user can ask of a bundle: ids of controls, formats by word, mode and profile. `before` is evidence of one
    host, from which undo files and changes.json take the values found."""

    controls: tuple[str, ...]
    formats: tuple[str, ...]
    mode: str = "audit"
    profile: str = "seed"
    preflight: Path | None = None
    site: Path | None = None
    before: tuple[str, ...] = ()
    today: date | None = None
    command_line: str = ""


@dataclass(frozen=True, slots=True)
class BundleFile:
    """A file of a bundle: its path in it, its bytes, and what it is for in one sentence. Nothing in it is a time or a
    machine's path, so the same options give the same bytes."""

    path: PurePosixPath
    data: bytes
    about: str


Maker = Callable[[Policy], Iterator[BundleFile]]
"""What a format is."""
