r"""One setting in, what realises it out: registry values, a firewall rule, another change, or a reason to leave it.

    for one in realised(setting, Wish(control, "audit", site, go)): ...

REALISED has one function for each kind of setting. In mode `audit` nothing may refuse anything: a firewall rule is
written with Active=FALSE and connections are audited instead, as Windows Firewall has no mode that only watches.
AppLocker's registry values are made for all rules together (applocker.py, by plan.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from douse.content.controls import Control
from douse.content.settings import (
    AppControlSetting,
    AppLockerSetting,
    AsrSetting,
    AuditSetting,
    ChannelSetting,
    EffectiveSetting,
    FeatureSetting,
    FirewallSetting,
    QuestionSetting,
    RegistrySetting,
    SaclSetting,
    ServiceSetting,
    Setting,
    SysmonSetting,
    TenantSetting,
)
from douse.harden.firewall_rule import block_rule
from douse.harden.generate.applocker import group_of
from douse.harden.generate.policy import (
    Change,
    FirewallChange,
    GoRecord,
    Left,
    RegistryChange,
    Site,
    guid_for,
)
from douse.harden.registry import RegistryValue

Realised = RegistryChange | FirewallChange | Change | Left
S = TypeVar("S", bound=Setting)

FIREWALL_KEY = r"SOFTWARE\Policies\Microsoft\WindowsFirewall"
POLICY_VERSION = 0x21A
"""Of the firewall policy: 2.26, what Windows 10 1607 and Server 2016 know ([MS-GPFAS] appendix A note 1)."""

ASR_KEY = r"SOFTWARE\Policies\Microsoft\Windows Defender\Windows Defender Exploit Guard\ASR"
ASR_STATES = {"block": 1, "audit": 2}
ALLOW_LIST = "\\extensioninstallallowlist"
BLOCK_LIST = "\\extensioninstallblocklist"

CONNECTIONS = AuditSetting(id="connections", guid="0CCE9226-69AE-11D9-BED3-505054503030",
                           title="Filtering Platform Connection", success=True, failure=True,
                           note="What the rule would have refused is told by 5156, as the rule itself only waits.")


@dataclass(frozen=True, slots=True)
class Wish:
    """What decides how a setting is realised."""

    control: Control
    mode: str
    site: Site
    go: GoRecord | None

    @property
    def enforces(self) -> bool:
        """Whether things may be refused."""
        return self.mode == "enforce"


Realise = Callable[[Setting, Wish], Iterator[Realised]]
"""What makes a setting's changes."""


def realised(setting: Setting, wish: Wish) -> Iterator[Realised]:
    """What one setting comes to."""
    return REALISED[type(setting)](setting, wish)


def _registry(setting: RegistrySetting, wish: Wish) -> Iterator[Realised]:
    found = list(_value(setting, wish))
    yield from found
    of_firewall = setting.key.casefold().startswith(FIREWALL_KEY.casefold())
    if of_firewall and any(isinstance(one, RegistryChange) for one in found):
        yield _version(wish, f"{wish.control.id}/PolicyVersion")


def _version(wish: Wish, setting: str) -> RegistryChange:
    """The version in which a firewall policy is written; the editor of Windows writes it into each."""
    return RegistryChange(wish.control.id, setting, "HKLM", FIREWALL_KEY, "PolicyVersion",
                          RegistryValue("REG_DWORD", POLICY_VERSION), True)


def _value(setting: RegistrySetting, wish: Wish) -> Iterator[Realised]:
    folded = setting.key.casefold()
    if folded.endswith((ALLOW_LIST, BLOCK_LIST)) and wish.site.extensions.get(setting.product) is None:
        yield _left(setting, wish, f"site.yml does not say which extensions people need in {setting.product}; write "
                    f"extensions: {{{setting.product}: [id, ...]}}, the password manager's first.")
    elif folded.endswith(ALLOW_LIST):
        for number, name in enumerate(wish.site.extensions[setting.product], start=1):
            yield _change(setting, wish, str(number), RegistryValue("REG_SZ", name))
    elif setting.good is None:
        yield _left(setting, wish, "There is no value to write: a value that is wrong has to go.")
    elif wish.enforces:
        yield _change(setting, wish, setting.name, RegistryValue(setting.types[0], setting.good))
    elif setting.in_audit is not None:
        yield _change(setting, wish, setting.name, RegistryValue(setting.types[0], setting.in_audit))
    else:
        yield _no_audit(setting, wish)


def _change(setting: RegistrySetting, wish: Wish, name: str, value: RegistryValue) -> RegistryChange:
    return RegistryChange(wish.control.id, setting.id, setting.hive, setting.key, name, value, setting.is_policy)


def _policy_value(setting: Setting, wish: Wish, key: str, name: str, value: RegistryValue) -> RegistryChange:
    return RegistryChange(wish.control.id, setting.id, "HKLM", key, name, value, True)


def _firewall(setting: FirewallSetting, wish: Wish) -> Iterator[Realised]:
    tcp = (*setting.tcp, *(port for port in wish.site.proxy_ports if port not in setting.tcp)) if setting.tcp else ()
    name = f"Douse: {setting.title}"
    about = f"{wish.control.id}. Made by Douse; the bundle's README.md says why and how to take it back."
    rule = block_rule(program=setting.program, name=name, description=about, tcp=tcp, active=wish.enforces)
    guid = guid_for(setting.id)
    yield FirewallChange(wish.control.id, setting, guid, name, about, wish.enforces, tcp, rule.text())
    yield _version(wish, setting.id)
    yield _policy_value(setting, wish, FIREWALL_KEY + r"\FirewallRules", guid, RegistryValue("REG_SZ", rule.text()))
    if not wish.enforces:
        yield Change(wish.control.id, replace(CONNECTIONS, id=f"{wish.control.id}/connections"))


def _asr(setting: AsrSetting, wish: Wish) -> Iterator[Realised]:
    state = ASR_STATES[setting.start] if wish.enforces else ASR_STATES["audit"]
    yield Change(wish.control.id, setting, state)
    yield _policy_value(setting, wish, ASR_KEY, "ExploitGuard_ASR_Rules", RegistryValue("REG_DWORD", 1))
    yield _policy_value(setting, wish, ASR_KEY + r"\Rules", setting.guid, RegistryValue("REG_SZ", str(state)))


def _service(setting: ServiceSetting, wish: Wish) -> Iterator[Realised]:
    if wish.enforces or setting.start == "automatic":
        yield Change(wish.control.id, setting)
    else:
        yield _no_audit(setting, wish)


def _feature(setting: FeatureSetting, wish: Wish) -> Iterator[Realised]:
    yield Change(wish.control.id, setting) if wish.enforces else _no_audit(setting, wish)


def _app_control(setting: AppControlSetting, wish: Wish) -> Iterator[Realised]:
    group = group_of(wish.site, wish.go) if wish.enforces else None
    if group is None:
        yield Change(wish.control.id, setting)
    else:
        yield _left(setting, wish, f"App Control knows no groups, and would stop the program for {group[0]} too.")


AsItIs = AuditSetting | ChannelSetting | SysmonSetting | SaclSetting | AppLockerSetting


def _as_it_is(setting: AsItIs, wish: Wish) -> Iterator[Realised]:
    """What only records, so that both modes have it; and AppLocker, whose own format knows what auditing is."""
    yield Change(wish.control.id, setting)


def _elsewhere(why: str) -> Realise:
    def leave(setting: Setting, wish: Wish) -> Iterator[Realised]:
        yield _left(setting, wish, why)

    return leave


def _left(setting: Setting, wish: Wish, why: str) -> Left:
    return Left(wish.control.id, setting, f"{why} {setting.note}".strip())


def _no_audit(setting: Setting, wish: Wish) -> Left:
    return Left(wish.control.id, setting, "It has no audit mode: it either refuses or it is not there. Pilot it with "
                "--mode enforce on a few computers.")


def _kind(kind: type[S], make: Callable[[S, Wish], Iterator[Realised]]) -> tuple[type[Setting], Realise]:
    """A line of REALISED."""
    def realise(setting: Setting, wish: Wish) -> Iterator[Realised]:
        assert isinstance(setting, kind)  # noqa: S101  the table's own key
        return make(setting, wish)

    return kind, realise


REALISED: Mapping[type[Setting], Realise] = dict((
    _kind(RegistrySetting, _registry), _kind(FirewallSetting, _firewall), _kind(AsrSetting, _asr),
    _kind(ServiceSetting, _service), _kind(FeatureSetting, _feature), _kind(AuditSetting, _as_it_is),
    _kind(ChannelSetting, _as_it_is), _kind(SysmonSetting, _as_it_is), _kind(SaclSetting, _as_it_is),
    _kind(AppLockerSetting, _as_it_is), _kind(AppControlSetting, _app_control),
    (EffectiveSetting, _elsewhere("No policy file can set it; switch it on in the product's own console.")),
    (TenantSetting, _elsewhere("It is the tenant's: set it in the identity provider, then audit its export.")),
    (QuestionSetting, _elsewhere("It is a measure of the organisation: answer it in the questionnaire."))))
"""A kind of setting and what realises it."""
