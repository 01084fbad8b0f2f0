"""One setting of a control is judged on one subject: which module does it, for whom it means something, and when it
does not apply.

    check(setting, subject, "seed") -> (Check, ...)       one; of a value of every user, one for each profile

A host is asked about everything but sign-in policies and questions. A policy is asked what it would set: what it does
not mention is no failure of it, so that such a setting is `not-applicable`, and states that no policy sets are left
out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TypeVar

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
from douse.harden.audit.app_control import check_app_control
from douse.harden.audit.applocker import check_applocker
from douse.harden.audit.defender import check_asr, without_defender
from douse.harden.audit.firewall import SERVICE, check_firewall
from douse.harden.audit.mfa import check_tenant
from douse.harden.audit.questions import check_question
from douse.harden.audit.registry import check_registry
from douse.harden.audit.states import (
    check_audit,
    check_channel,
    check_effective,
    check_feature,
    check_sacl,
    check_service,
    check_sysmon,
)
from douse.harden.audit.weigh import (
    cite,
    current,
    only_value,
    seen_of,
    stopped_service,
    unique_citations,
)
from douse.harden.finding import Check, Cited
from douse.harden.observed import Subject

S = TypeVar("S", bound=Setting)
Judge = Callable[[Setting, Subject, date], tuple[Check, ...]]

NOT_SET = "This policy does not set it."


def check(setting: Setting, subject: Subject, profile: str, today: date | None = None) -> tuple[Check, ...]:
    """The checks of a setting; none where the profile does not ask for it, or it is not about such a subject."""
    if not setting.is_in(profile) or type(setting) not in ABOUT[subject.kind]:
        return ()
    checks = KINDS[type(setting)](setting, subject, today or datetime.now(UTC).date())
    if subject.kind == "policy":
        return tuple(_not_set(one) for one in checks)
    if subject.kind == "host":
        return _where_it_means_something(checks, setting, subject)
    return checks


def _not_set(check_: Check) -> Check:
    """The check of a policy that does not mention the setting is none of its failures."""
    if check_.state != "unknown" or check_.cited:
        return check_
    return replace(check_, state="not-applicable", actual="not set", why=NOT_SET)


def _where_it_means_something(checks: tuple[Check, ...], setting: Setting, subject: Subject) -> tuple[Check, ...]:
    """The checks, or one `not-applicable` where Windows is too old, the program is not there, or Defender rests."""
    why, cited = _reason_against(setting, subject)
    if why:
        return (replace(checks[0], state="not-applicable", actual="does not apply", why=why, cited=cited, profile=""),)
    dead = _dead_firewall(setting, subject)
    if dead:
        why = f"Its service ({SERVICE}) does not run, so that the setting does nothing."
        return tuple(replace(one, state="fail", why=why, cited=unique_citations((*one.cited, *dead)))
                     if one.state in ("pass", "partial", "unknown") else one for one in checks)
    if _is_defenders(setting):
        other = without_defender(setting, subject, checks[0].expected)
        if other is not None:
            return (other,)
    return checks


def _reason_against(setting: Setting, subject: Subject) -> tuple[str, tuple[Cited, ...]]:
    """Why a setting means nothing on a host, and where that was seen; nothing where it may mean something."""
    machines = [one for one in current(subject.machine)[0] if one.value.build]
    if machines and all(one.value.build < setting.min_build for one in machines):
        build = max(one.value.build for one in machines)
        return (f"Windows knows it from build {setting.min_build:,} on; this is build {build:,}.",
                unique_citations(cite(one, f"build {one.value.build}") for one in machines))
    if setting.product and only_value(subject.products, setting.product) is False:
        seen = current(seen_of(subject.products, setting.product))[0]
        return (f"{setting.product} is not installed.",
                unique_citations(cite(one, "not installed") for one in seen))
    return "", ()


def _dead_firewall(setting: Setting, subject: Subject) -> tuple[Cited, ...]:
    """Where it was seen that the firewall's service rests, for a setting of the firewall."""
    if not isinstance(setting, RegistrySetting) or "\\windowsfirewall\\" not in f"{setting.key.casefold()}\\":
        return ()
    return tuple(cite(one, "does not run") for one in stopped_service(subject, SERVICE))


def _is_defenders(setting: Setting) -> bool:
    """Whether only Defender does what a setting asks for."""
    if isinstance(setting, RegistrySetting):
        return "\\windows defender\\" in f"{setting.key.casefold()}\\"
    if isinstance(setting, EffectiveSetting):
        return setting.state.startswith(("MpPreference.", "MpComputerStatus."))
    return isinstance(setting, AsrSetting)


def _kind(kind: type[S], judge: Callable[[S, Subject], tuple[Check, ...]]) -> tuple[type[Setting], Judge]:
    """A line of KINDS."""
    def judged(setting: Setting, subject: Subject, _today: date) -> tuple[Check, ...]:
        assert isinstance(setting, kind)  # noqa: S101  the table's own key
        return judge(setting, subject)

    return kind, judged


def _question(setting: Setting, subject: Subject, today: date) -> tuple[Check, ...]:
    assert isinstance(setting, QuestionSetting)  # noqa: S101  the table's own key
    return check_question(setting, subject, today)


KINDS: Mapping[type[Setting], Judge] = dict((
    _kind(RegistrySetting, check_registry), _kind(FirewallSetting, check_firewall),
    _kind(AppLockerSetting, check_applocker), _kind(AppControlSetting, check_app_control),
    _kind(ServiceSetting, check_service), _kind(AuditSetting, check_audit), _kind(EffectiveSetting, check_effective),
    _kind(AsrSetting, check_asr), _kind(FeatureSetting, check_feature), _kind(ChannelSetting, check_channel),
    _kind(SysmonSetting, check_sysmon), _kind(SaclSetting, check_sacl), _kind(TenantSetting, check_tenant),
    (QuestionSetting, _question)))
"""A kind of setting and what judges it."""

ABOUT: Mapping[str, frozenset[type[Setting]]] = {
    "host": frozenset(kind for kind in KINDS if kind not in (TenantSetting, QuestionSetting)),
    "policy": frozenset({RegistrySetting, FirewallSetting, AppLockerSetting, AppControlSetting, ServiceSetting,
                         AuditSetting, AsrSetting}),
    "tenant": frozenset({TenantSetting}), "organisation": frozenset({QuestionSetting})}
"""Which kinds of setting are asked of which kind of subject."""
