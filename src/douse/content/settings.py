"""What a control sets: one Setting for each value, rule or state that can be checked, and that most formats can write.

One truth serves two rooms: harden/audit compares evidence with `accept`, harden/generate writes `good`. A kind of
setting is a class. setting_entries.py reads them from the files of controls/.
"""

from __future__ import annotations

from dataclasses import dataclass

PROFILES = ("seed", "recommended")
"""`seed` is the mission's advice to the letter; `recommended` adds what closes the ways around it."""

REGISTRY_TYPES = ("REG_DWORD", "REG_SZ", "REG_EXPAND_SZ", "REG_MULTI_SZ", "REG_BINARY", "REG_QWORD", "REG_NONE")
HIVES = ("HKLM", "HKCU")

Data = int | str | bytes | tuple[str, ...]
"""A registry value's data: numbers for DWORD and QWORD, a tuple for MULTI_SZ, bytes for BINARY and for what has no type
of its own."""

PRODUCTS = ("chrome", "edge", "firefox", "office", "powershell-core")
EVIDENCE = ("MpPreference", "MpComputerStatus", "FirewallProfile", "DeviceGuard")
"""What the names of effective states begin with."""


@dataclass(frozen=True, slots=True)
class Accept:
    """What a value may be: an operator and its operands. Numbers compare as numbers, texts without case. A list of
    texts (REG_MULTI_SZ) is equal to the operands as a whole; `contains` asks whether any of them has the word."""

    operator: str
    operands: tuple[str, ...] = ()

    def fits(self, value: Data | bool) -> bool:
        """Whether a value that is there is one of the good ones. An absent value is not asked about here."""
        if self.operator == "present":
            return True
        texts = [folded(item) for item in value] if isinstance(value, tuple) else [folded(value)]
        wanted = [folded(operand) for operand in self.operands]
        if self.operator == "contains":
            return any(wanted[0] in text for text in texts)
        if self.operator in (">=", "<="):
            return len(texts) == 1 and _compares(texts[0], self.operator, wanted[0])
        if self.operator == "one-of":
            return len(texts) == 1 and any(_same(texts[0], one) for one in wanted)
        equal = len(texts) == len(wanted) and all(map(_same, texts, wanted))
        return not equal if self.operator == "!=" else equal

    def __str__(self) -> str:
        return " ".join((self.operator, ", ".join(self.operands))).strip()


def folded(value: object) -> str:
    """A value as the text that is compared: bytes as hexadecimal, case and outer space gone."""
    if isinstance(value, bytes):
        return value.hex()
    return str(value).strip().casefold()


def number_of(text: str) -> int | None:
    """The number that a folded text means, decimal or 0x..., true and false; None for any other text."""
    try:
        return int(text, 0)
    except ValueError:
        return {"true": 1, "false": 0}.get(text)


def _same(text: str, wanted: str) -> bool:
    left, right = number_of(text), number_of(wanted)
    return left == right if left is not None and right is not None else text == wanted


def _compares(text: str, operator: str, wanted: str) -> bool:
    left, right = number_of(text), number_of(wanted)
    if left is None or right is None:
        return False
    return left >= right if operator == ">=" else left <= right


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What all kinds share.

    `id` is the control's id and what tells the setting from its others, `H28/PasswordManagerEnabled`. `profile` is
    empty, or the only one that asks for it. `min_build` is the first Windows build that knows it (0 for all), `product`
    the program without which it means nothing. `verified` is false where nobody read a source for it. `note` is what an
    administrator should know of this one.
    """

    id: str
    profile: str = ""
    min_build: int = 0
    product: str = ""
    verified: bool = True
    note: str = ""

    def is_in(self, profile: str) -> bool:
        """Whether a profile asks for it."""
        return self.profile in ("", profile)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySetting(Setting):
    """One registry value. `types[0]` is what is written; the others are read as well.

    `good` is what is written, None where there is nothing to write. `absent` says that a value known to be absent is
    good. `in_audit` is what `--mode audit` writes, None where the value has no audit mode. `effective` names the state
    (Subject.effective) that Windows derives from it; where evidence has both, they must agree. A key under HKCU is one
    of every user profile. The value's `name` is empty for the key's default. `since` are operands of `accept` that an
    older build does not understand, with the first build that does; ask `accept_on`.
    """

    hive: str
    key: str
    name: str
    types: tuple[str, ...]
    good: Data | None
    accept: Accept
    absent: bool = False
    in_audit: Data | None = None
    effective: str = ""
    since: tuple[tuple[str, int], ...] = ()

    def accept_on(self, build: int) -> Accept:
        """What is good on a Windows of this build, 0 where the build is not known."""
        young = {operand for operand, first in self.since if build < first}
        return Accept(self.accept.operator, tuple(one for one in self.accept.operands if one not in young))

    @property
    def is_policy(self) -> bool:
        """Whether the key is one of those that Group Policy removes again when its policy goes."""
        folded = self.key.lower()
        return folded.startswith(("software\\policies\\", "software\\microsoft\\windows\\currentversion\\policies\\"))

    @property
    def path(self) -> str:
        r"""The whole name for people, `HKLM\SOFTWARE\...!Name`."""
        return f"{self.hive}\\{self.key}!{self.name or '(default)'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirewallSetting(Setting):
    r"""An outbound block rule. `program` is a path with `%SystemRoot%`; `tcp` are the ports that must be blocked, none
    for all traffic. Several stores may hold it; a local rule alone is partial, as a local administrator removes it."""

    program: str
    tcp: tuple[int, ...]
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AppLockerSetting(Setting):
    """Nobody may start a program: a publisher rule (any version) and path rules for its copies."""

    publisher: str
    product_name: str
    binary: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppControlSetting(Setting):
    """App Control denies a file by its original name."""

    file_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSetting(Setting):
    """A Windows service and how it starts: `automatic`, `manual` or `disabled`."""

    service: str
    start: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSetting(Setting):
    """An audit subcategory by GUID (upper case, no braces); `success` and `failure` say what must be audited."""

    guid: str
    title: str
    success: bool = False
    failure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveSetting(Setting):
    """A state that no policy file can show or set, by its name in Subject.effective: `MpComputerStatus.X`."""

    state: str
    accept: Accept


@dataclass(frozen=True, slots=True, kw_only=True)
class AsrSetting(Setting):
    """One attack surface reduction rule: Microsoft's GUID (lower case) and how to begin with it, `block` or `audit`."""

    guid: str
    title: str
    start: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSetting(Setting):
    """A Windows optional feature and its state, `disabled` or `enabled`."""

    feature: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSetting(Setting):
    """An event log that is off by default and must be on."""

    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SysmonSetting(Setting):
    """Sysmon runs and records these event ids with these hashes."""

    ids: tuple[int, ...]
    hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaclSetting(Setting):
    """Reads of credential stores in every user profile are audited: an inheritable entry on the stores' folders, which
    are those of content/stores that lie in a profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSetting(Setting):
    """Something about accounts and sign-in policies of the tenant; `check` names the question (harden/audit/mfa.py)."""

    check: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionSetting(Setting):
    """A question of the vendor-neutral questionnaire, by its id (content/questionnaire.yml)."""

    question: str


MFA_CHECKS = ("admins-registered", "users-registered", "admins-phishing-resistant", "no-sms-only", "policies-enforced",
              "no-exclusions", "legacy-blocked")
STARTS = ("automatic", "manual", "disabled")
