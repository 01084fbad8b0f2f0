r"""Read the settings of a control's file: entries in, Setting objects out (settings.py), each with an id of its own.

    for setting in read_settings(data, "H28"): ...      in the order of the file

The key of an entry that names its kind is in KINDS. An entry for several registry values or keys is one Setting for
each: `HKLM\SOFTWARE\Policies\Google\{Chrome,Chromium}` is two keys. The format is in controls/README.md; what breaks it
is a ContentError with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from douse.content.document import Section
from douse.content.questionnaire import question_ids
from douse.content.settings import (
    EVIDENCE,
    HIVES,
    MFA_CHECKS,
    PRODUCTS,
    PROFILES,
    REGISTRY_TYPES,
    STARTS,
    Accept,
    AppControlSetting,
    AppLockerSetting,
    AsrSetting,
    AuditSetting,
    ChannelSetting,
    Data,
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
    number_of,
)

if TYPE_CHECKING:
    from douse.content.controls import DefenderRule

_OPERATORS = ("=", "!=", ">=", "<=", "one-of", "contains", "present")
_ACCEPT = re.compile(rf"({'|'.join(_OPERATORS)})(?:\s+(.*))?", re.DOTALL)
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")


def read_settings(data: Section, control: str) -> tuple[Setting, ...]:
    """The settings of a control's file, each with an id of its own."""
    found: list[Setting] = []
    for entry in data.listed("settings"):
        kinds = [kind for kind in KINDS if kind in entry]
        if len(kinds) != 1:
            entry.fail(f"a setting has one of {', '.join(KINDS)}; here are {len(kinds)}.")
        found += KINDS[kinds[0]](entry, control)
        entry.end()
    seen: set[str] = set()
    for setting in found:
        if setting.id in seen:
            data.fail(f"two settings are called {setting.id}.", "Give one of them an id.", key="settings")
        seen.add(setting.id)
    return tuple(found)


def settings_of_rules(control: str, rules: Iterable[DefenderRule]) -> tuple[Setting, ...]:
    """A rule of attack surface reduction is one setting, wherever it is kept (policy, MDM, Defender's own)."""
    return tuple(AsrSetting(id=f"{control}/{rule.id}", guid=rule.guid.lower(), title=rule.title, start=rule.start,
                            note=rule.note) for rule in rules)


@dataclass(frozen=True, slots=True)
class _Common:
    """What an entry says of all its settings."""

    control: str
    id: str
    profile: str
    min_build: int
    product: str
    verified: bool
    note: str

    @classmethod
    def of(cls, entry: Section, control: str, outer: _Common | None = None) -> _Common:
        """Read the shared keys; what an inner entry does not say is the outer one's."""
        return cls(
            control, entry.text("id", ""), entry.choice("profile", ("", *PROFILES), outer.profile if outer else ""),
            entry.number("min_build", outer.min_build if outer else 0),
            entry.choice("product", ("", *PRODUCTS), outer.product if outer else ""),
            entry.truth("verified", outer.verified if outer else True),
            " ".join(entry.text("note", outer.note if outer else "").split()))

    def called(self, name: str) -> str:
        """The setting's id, from the entry's own `id` or the name of what it sets."""
        return f"{self.control}/{self.id or name}"


def _registry(entry: Section, control: str) -> Iterator[Setting]:
    outer = _Common.of(entry, control)
    keys = list(expanded(entry.text("registry")))
    values = entry.listed("values")
    if not values:
        entry.fail("values is missing.", "List the values of the key.", key="registry")
    for value in values:
        common = _Common.of(value, control, outer)
        types = value.texts_of("types", REGISTRY_TYPES) or (value.choice("type", REGISTRY_TYPES, "REG_DWORD"),)
        name, good = value.text("name"), _data(value, "good", types[0])
        accept = _accept(value, good)
        for key, word in keys:
            hive, _, rest = key.partition("\\")
            if hive not in HIVES or not rest:
                entry.fail(f"{key!r} begins with none of {', '.join(HIVES)}.", key="registry")
            called = common.id or name or "(default)"
            yield RegistrySetting(
                id=f"{control}/{word}/{called}" if word else f"{control}/{called}", profile=common.profile,
                min_build=common.min_build, product=common.product, verified=common.verified, note=common.note,
                hive=hive, key=rest, name=name, types=types, good=good, accept=accept,
                absent=value.choice("absent", ("fail", "pass"), "fail") == "pass",
                in_audit=good if value.text("audit", "") == "same" else _data(value, "audit", types[0]),
                effective=_state(value, "effective"), since=_since(value, accept))
        value.end()


def expanded(text: str, word: str = "") -> Iterator[tuple[str, str]]:
    """A text with `{a,b}` in it and the word that was taken, once for each; braces without a comma stay (class ids)."""
    found = _BRACES.search(text)
    if found is None:
        yield text, word
        return
    for one in map(str.strip, found[1].split(",")):
        yield from expanded(text[: found.start()] + one + text[found.end():], f"{word}/{one}" if word else one)


def _since(value: Section, accept: Accept) -> tuple[tuple[str, int], ...]:
    """`needs_build: {2: 22621}`: operands of accept and the first build that knows them."""
    inner = value.section("needs_build")
    if inner is None:
        return ()
    unknown = [operand for operand in inner if operand not in accept.operands]
    if unknown:
        inner.fail(f"needs_build names {unknown[0]!r}, which accept does not.", key=unknown[0])
    return tuple((operand, inner.number(operand)) for operand in inner.keys())  # noqa: SIM118 - a Section is no dict


def _data(value: Section, key: str, type_: str) -> Data | None:
    """The data under a key, None where there is none; it must be what its type can hold."""
    if key not in value or (key == "audit" and value.text(key) == "same"):
        return None
    if type_ in ("REG_DWORD", "REG_QWORD"):
        number, bits = value.number(key), 64 if type_ == "REG_QWORD" else 32
        if not 0 <= number < 1 << bits:
            value.fail(f"{key} must be from 0 to {(1 << bits) - 1} for a {type_}.", key=key)
        return number
    if type_ == "REG_MULTI_SZ":
        return value.texts(key)
    if type_ in ("REG_BINARY", "REG_NONE"):
        try:
            return bytes.fromhex(value.text(key))
        except ValueError:
            value.fail(f"{key} must be hexadecimal for a {type_}.", key=key)
    return value.text(key)


def _accept(value: Section, good: Data | None) -> Accept:
    text = value.text("accept", "")
    if text:
        found = read_accept(value, text)
        if good is not None and not found.fits(good):
            value.fail(f"good is {good!r}, which accept does not take.", key="accept")
        return found
    if good is None:
        value.fail("has neither good nor accept.")
    return Accept("=", good if isinstance(good, tuple) else (good.hex() if isinstance(good, bytes) else str(good),))


def read_accept(entry: Section, text: str) -> Accept:
    """`= 0`, `>= 16384`, `one-of 1, 2`, `contains x`, `present` as an Accept."""
    found = _ACCEPT.fullmatch(text.strip())
    if found is None:
        entry.fail(f"{text!r} begins with none of {', '.join(_OPERATORS)}.", key="accept")
    operator, operands = found[1], found[2] or ""
    words = tuple(word.strip() for word in operands.split(",")) if operator == "one-of" else (operands,)
    if operator != "present" and not operands:
        entry.fail(f"{operator} says with what to compare.", key="accept")
    if operator in (">=", "<=") and number_of(operands) is None:
        entry.fail(f"{operator} compares with a number, not {operands!r}.", key="accept")
    return Accept(operator, () if operator == "present" else words)


def _kind(make: Callable[[Section, _Common], Setting]) -> Callable[[Section, str], Iterator[Setting]]:
    def read(entry: Section, control: str) -> Iterator[Setting]:
        yield make(entry, _Common.of(entry, control))

    return read


def _shared(common: _Common, name: str) -> dict[str, Any]:
    """What all kinds share, as arguments of their classes."""
    return {"id": common.called(name), "profile": common.profile, "min_build": common.min_build,
            "product": common.product, "verified": common.verified, "note": common.note}


def _numbers(entry: Section, key: str, highest: int) -> tuple[int, ...]:
    """A list of whole numbers from 1 on."""
    found = entry.texts(key)
    wrong = [text for text in found if not (text.isascii() and text.isdecimal() and 0 < int(text) <= highest)]
    if wrong:
        entry.fail(f"{key} has {wrong[0]!r}, which is no number from 1 to {highest}.", key=key)
    return tuple(map(int, found))


def _state(entry: Section, key: str) -> str:
    """The name of an effective state, empty where the key is missing."""
    text = entry.text(key, "")
    if text and text.partition(".")[0] not in EVIDENCE:
        entry.fail(f"{text!r} begins with none of {', '.join(EVIDENCE)}.", key=key)
    return text


def _firewall(entry: Section, common: _Common) -> Setting:
    program = entry.text("firewall")
    return FirewallSetting(**_shared(common, "rule"), program=program, tcp=_numbers(entry, "tcp", 65535),
                           title=entry.text("title"))


def _applocker(entry: Section, common: _Common) -> Setting:
    return AppLockerSetting(**_shared(common, "deny"), binary=entry.text("applocker"),
                            publisher=entry.text("publisher"), product_name=entry.text("product_name"),
                            paths=entry.texts("paths"))


def _app_control(entry: Section, common: _Common) -> Setting:
    return AppControlSetting(**_shared(common, "deny"), file_name=entry.text("app_control"))


def _service(entry: Section, common: _Common) -> Setting:
    service = entry.text("service")
    return ServiceSetting(**_shared(common, service), service=service,
                          start=entry.choice("start", STARTS))


def _audit(entry: Section, common: _Common) -> Setting:
    title = entry.text("title")
    return AuditSetting(**_shared(common, title), guid=entry.guid("audit_policy").upper(),
                        title=title, success=entry.truth("success", False), failure=entry.truth("failure", False))


def _effective(entry: Section, common: _Common) -> Setting:
    state = _state(entry, "effective")
    return EffectiveSetting(**_shared(common, state.rpartition(".")[2]), state=state,
                            accept=read_accept(entry, entry.text("accept")))


def _feature(entry: Section, common: _Common) -> Setting:
    feature = entry.text("feature")
    return FeatureSetting(**_shared(common, feature), feature=feature,
                          state=entry.choice("state", ("disabled", "enabled")))


def _channel(entry: Section, common: _Common) -> Setting:
    channel = entry.text("channel")
    return ChannelSetting(**_shared(common, channel), channel=channel)


def _sysmon(entry: Section, common: _Common) -> Setting:
    return SysmonSetting(**_shared(common, "sysmon"), ids=_numbers(entry, "sysmon", 255),
                         hashes=entry.texts("hashes"))


def _sacl(entry: Section, common: _Common) -> Setting:
    entry.choice("sacl", ("credential-stores",))
    return SaclSetting(**_shared(common, "sacl"))


def _tenant(entry: Section, common: _Common) -> Setting:
    check = entry.choice("mfa", MFA_CHECKS)
    return TenantSetting(**_shared(common, check), check=check)


def _question(entry: Section, common: _Common) -> Setting:
    question = entry.choice("question", question_ids())
    return QuestionSetting(**_shared(common, question), question=question)


KINDS: Mapping[str, Callable[[Section, str], Iterator[Setting]]] = {
    "registry": _registry, "firewall": _kind(_firewall), "applocker": _kind(_applocker),
    "app_control": _kind(_app_control), "service": _kind(_service), "audit_policy": _kind(_audit),
    "effective": _kind(_effective), "feature": _kind(_feature), "channel": _kind(_channel), "sysmon": _kind(_sysmon),
    "sacl": _kind(_sacl), "mfa": _kind(_tenant), "question": _kind(_question)}
"""The key of an entry that says what kind of setting it is, and what reads it."""
