r"""Controls in, a Policy out: what realises each setting, by realise.py, joined over all controls.

    policy, problems = planned(options)

What two controls ask for becomes one value; two that contradict each other are a mistake of the catalogue and stop. A
subcategory that several want audited is audited for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from douse import __version__
from douse.content.controls import Control
from douse.content.settings import AuditSetting
from douse.errors import ContentError
from douse.harden.gathered import Problem
from douse.harden.generate.applocker import srp_values
from douse.harden.generate.before import read_before
from douse.harden.generate.choose import chosen
from douse.harden.generate.go import checked_go
from douse.harden.generate.policy import (
    Change,
    FirewallChange,
    GenerateOptions,
    GoRecord,
    Left,
    Policy,
    RegistryChange,
    Site,
)
from douse.harden.generate.realise import Wish, realised
from douse.harden.generate.site import read_site
from douse.harden.observed import Subject


def planned(options: GenerateOptions) -> tuple[Policy, tuple[Problem, ...]]:
    """The policy that the options ask for, and what of the evidence of `before` could not be used.

    Raises ContentError for an unknown control or a wrong site.yml, OutputError where enforcing asks for a pre-flight,
    EvidenceError where `before` is not about one host.
    """
    controls = chosen(options.controls)
    site = read_site(options.site) if options.site else Site()
    go = checked_go(controls, options.mode, options.preflight, options.today)
    before, problems = read_before(options.before)
    return policy_for(controls, options.mode, options.profile, site, go, before), problems


def policy_for(controls: Iterable[Control], mode: str, profile: str, site: Site, go: GoRecord | None,
               before: Subject | None) -> Policy:
    """The policy of these controls, everything it depends on being read. Whether `go` suffices is not asked here."""
    those = tuple(controls)
    found = [one for control in those for setting in control.settings_of(profile)
             for one in realised(setting, Wish(control, mode, site, go))]
    policy = Policy(
        mode=mode, profile=profile, controls=those, site=site,
        registry=tuple(_merged(one for one in found if isinstance(one, RegistryChange))),
        firewall=tuple(one for one in found if isinstance(one, FirewallChange)),
        changes=tuple(_audited_once(one for one in found if isinstance(one, Change))),
        left=tuple(one for one in found if isinstance(one, Left)), go=go, before=before, version=__version__)
    return replace(policy, registry=tuple(_merged((*policy.registry, *srp_values(policy)))))


def _merged(changes: Iterable[RegistryChange]) -> Iterator[RegistryChange]:
    """Each value once. ContentError where two controls want different data for it."""
    seen: dict[tuple[str, str, str], RegistryChange] = {}
    for change in changes:
        place = (change.hive, change.key.casefold(), change.name.casefold())
        other = seen.setdefault(place, change)
        if other is change:
            yield change
        elif other.value != change.value:
            raise ContentError(f"{change.control} and {other.control}", f"want different data for {change.hive}\\"
                               f"{change.key}!{change.name}.", "Generate a bundle for each.")


def _audited_once(changes: Iterable[Change]) -> Iterator[Change]:
    """The changes, those of one audit subcategory joined: what any of them wants audited, is."""
    found: dict[str, Change] = {}
    for number, change in enumerate(changes):
        setting = change.setting
        place = setting.guid if isinstance(setting, AuditSetting) else str(number)
        other = found.setdefault(place, change)
        if isinstance(setting, AuditSetting) and isinstance(other.setting, AuditSetting):
            both = replace(other.setting, success=other.setting.success or setting.success,
                           failure=other.setting.failure or setting.failure)
            found[place] = replace(other, setting=both)
    yield from found.values()
