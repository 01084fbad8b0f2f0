r"""What can be wrong in an AppLocker policy.

    for lint in applocker_lints(subject): ...
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from douse.harden.applocker_decision import (
    ADMINISTRATORS,
    EVERYBODY,
    Program,
    any_version,
    decide,
    glob,
    places_of,
    unknown_variable,
)
from douse.harden.applocker_policy import AppLockerPolicy, AppLockerRule, Condition, RuleCollection
from douse.harden.audit.weigh import cite_source, current, is_policy, seen_of
from douse.harden.audit.wrong import Found, Wrong
from douse.harden.finding import Lint
from douse.harden.observed import StoredAppLocker, Subject
from douse.harden.seen import Seen
from douse.harden.writable_folders import BELOW_WINDOWS

APPLOCKER: Mapping[str, tuple[str, str]] = {
    "applocker-deny-only": ("error", "an enforced collection has only deny rules, so that nothing starts"),
    "applocker-windows-blocked": ("error", "an enforced Exe collection does not let Windows' own programs start"),
    "applocker-audit-only": ("note", "a collection with rules only records"),
    "applocker-version-pin": ("warning", "a deny rule is about certain versions, and an update walks around it"),
    "applocker-hash-deny": ("warning", "a deny rule goes by hash, and an update or one changed byte walks around it"),
    "applocker-path-deny": ("note", "a program is denied by its path only, so that a copy elsewhere starts"),
    "applocker-writable-allow": ("warning", "an allow rule holds folders that ordinary users can write to"),
    "applocker-allow-everything": ("warning", "an allow rule lets everybody start every file"),
    "applocker-unknown-variable": ("warning", "a path begins with a variable that AppLocker does not know"),
    "applocker-duplicate": ("note", "a rule is there twice"),
    "applocker-not-understood": ("warning", "a part of the policy was not understood"),
    "applocker-no-script-rules": ("note", "programs are governed, scripts are not"),
    "applocker-no-dll-rules": ("note", "programs are governed, libraries are not"),
    "applocker-service": ("error", "AppLocker rules are there, and the service that enforces them does not start"),
}
"""Codes: severity and what they are about."""

WRITABLE = tuple(rf"c:\windows\{name}".casefold() for name in BELOW_WINDOWS)
_OPEN = (r"c:\users\public", r"c:\programdata", r"c:\users\somebody\downloads", r"c:\temp")
"""Places outside Windows to which users write, as examples for what a path allows."""

_WINDOWS = Program((r"c:\windows\explorer.exe",), "O=MICROSOFT CORPORATION, L=REDMOND, S=WASHINGTON, C=US",
                   "MICROSOFT\u00ae WINDOWS\u00ae OPERATING SYSTEM", "EXPLORER.EXE")
_FEW = frozenset({ADMINISTRATORS, "S-1-5-18", "S-1-5-19", "S-1-5-20"})
"""Administrators and the accounts of services: where nobody else may start a program, people cannot work."""

_MANY = 4


def applocker_lints(subject: Subject) -> Iterator[Lint]:
    """What is wrong in each policy of a subject, and whether the service that enforces them starts."""
    seen, _ = current(subject.applocker)
    for one in seen:
        for collection in one.value.policy.collections:
            by_id = {rule.id: rule for rule in collection.rules}
            for check in _CHECKS:
                for wrong in check(collection):
                    yield _lint(one, collection, wrong, by_id.get(wrong.place) if wrong.place else None)
        yield from _missing(one)
    if any(collection.rules for one in seen for collection in one.value.policy.collections):
        yield from _service(subject)


def _lint(seen: Seen[StoredAppLocker], collection: RuleCollection, wrong: Wrong, rule: AppLockerRule | None) -> Lint:
    where = " ".join(filter(None, (seen.where, collection.type, wrong.place)))
    raw = _shown(rule) if rule is not None else f"{collection.mode}, {len(collection.rules)} rules"
    return Lint(wrong.code, APPLOCKER[wrong.code][0], f"{collection.type}: {wrong.what}", wrong.next_step,
                cite_source(seen.source, where, raw))


def _shown(rule: AppLockerRule) -> str:
    about = "; ".join(_about(condition) for condition in rule.conditions)
    return f"{rule.action} {rule.sid} {about}"


def _about(condition: Condition) -> str:
    if condition.kind == "publisher":
        return f"{condition.product}\\{condition.binary} {condition.low}-{condition.high}"
    return condition.path or condition.kind


def _bricks(collection: RuleCollection) -> Found:
    allows = [rule for rule in collection.rules if rule.action == "Allow"]
    if not collection.enforced:
        return
    if not allows:
        yield Wrong(
            "applocker-deny-only", "the collection is enforced and has only deny rules: what no rule allows is "
            "refused, so that nothing starts.", "Add the default allow rules before it is applied anywhere.")
    elif collection.type == "Exe" and not collection.left_out:
        found = decide(AppLockerPolicy((collection,)), _WINDOWS)
        if found.state == "denied" or (found.state == "groups" and set(found.groups) <= _FEW):
            yield Wrong(
                "applocker-windows-blocked", r"no rule lets people start C:\Windows\explorer.exe: nobody "
                "could work.", "Add the default rule that allows the Windows folder.")


def _modes(collection: RuleCollection) -> Found:
    if collection.rules and collection.mode == "AuditOnly":
        yield Wrong(
            "applocker-audit-only", "the rules only record what they would refuse.",
            "Look at events 8003 and 8006, then enforce; or note until when it stays so.")
    for left in collection.left_out:
        yield Wrong("applocker-not-understood", f"a part was not understood: {left}", "Look at the policy by hand.")


def _denies(collection: RuleCollection) -> Found:
    rules = [rule for rule in collection.rules if rule.action == "Deny"]
    named = {condition.binary.casefold() for rule in rules for condition in rule.conditions if condition.binary}
    for rule in rules:
        for condition in rule.conditions:
            if condition.kind == "publisher" and not any_version(condition.low, condition.high):
                yield Wrong(
                    "applocker-version-pin", f"the deny rule {rule.name!r} is about versions {condition.low} to "
                    f"{condition.high} only; Windows Update brings another.",
                    'Write LowSection="*" and HighSection="*".', rule.id)
            file_name = condition.path.casefold().rpartition("\\")[2]
            if condition.kind == "path" and file_name.endswith(".exe") and file_name not in named:
                yield Wrong(
                    "applocker-path-deny", f"the deny rule {rule.name!r} goes by path only; a copy in another "
                    "folder starts (Windows keeps one in WinSxS).",
                    "Add a publisher rule for the same program.", rule.id)
        if all(condition.kind == "hash" for condition in rule.conditions):
            yield Wrong(
                "applocker-hash-deny", f"the deny rule {rule.name!r} goes by hash only.",
                "Add a publisher rule for any version.", rule.id)


def _allows(collection: RuleCollection) -> Found:
    for rule in collection.rules:
        if rule.action != "Allow" or rule.sid.upper() not in EVERYBODY:
            continue
        everything = [one for one in rule.conditions if one.kind == "path" and one.path.strip() in ("*", "*.*")]
        if everything and not rule.exceptions:
            yield Wrong(
                "applocker-allow-everything", f"the rule {rule.name!r} lets everybody start every file, so that "
                "only deny rules restrict anything.", r"Allow %WINDIR%\* and %PROGRAMFILES%\* instead.", rule.id)
            continue
        open_ = [place for place in (*WRITABLE, *_OPEN) if _lets_start(rule, place)]
        if open_ and not everything:
            more = f" and {len(open_) - _MANY} more" if len(open_) > _MANY else ""
            yield Wrong(
                "applocker-writable-allow", f"the rule {rule.name!r} allows folders that ordinary users can write "
                f"to: {', '.join(open_[:_MANY])}{more}.", "Except these folders from the rule.", rule.id)


def _lets_start(rule: AppLockerRule, folder: str) -> bool:
    """Whether a path rule lets a file start that somebody put into a folder."""
    file = folder + "\\dropped.exe"
    return (any(_holds(one, file) for one in rule.conditions)
            and not any(_holds(one, file) for one in rule.exceptions))


def _holds(condition: Condition, file: str) -> bool:
    return condition.kind == "path" and not unknown_variable(condition.path) and any(
        glob(place, file) for place in places_of(condition.path))


def _variables(collection: RuleCollection) -> Found:
    for rule in collection.rules:
        for condition in (*rule.conditions, *rule.exceptions):
            variable = unknown_variable(condition.path) if condition.kind == "path" else ""
            if variable:
                yield Wrong(
                    "applocker-unknown-variable", f"the rule {rule.name!r} names {condition.path}; AppLocker has "
                    "variables of its own and does not know this one, so that it may fit no file.",
                    "Use %WINDIR%, %SYSTEM32%, %PROGRAMFILES%, %OSDRIVE%, %REMOVABLE% or %HOT%.", rule.id)


def _duplicates(collection: RuleCollection) -> Found:
    counts = Counter((rule.sid.upper(), rule.action, rule.conditions, rule.exceptions) for rule in collection.rules)
    told = set()
    for rule in collection.rules:
        key = (rule.sid.upper(), rule.action, rule.conditions, rule.exceptions)
        if counts[key] > 1 and key not in told:
            told.add(key)
            yield Wrong(
                "applocker-duplicate", f"the rule {rule.name!r} is there {counts[key]} times.", "Keep one.", rule.id)


_CHECKS: tuple[Callable[[RuleCollection], Found], ...] = (_bricks, _modes, _denies, _allows, _variables, _duplicates)


def _missing(seen: Seen[StoredAppLocker]) -> Iterator[Lint]:
    """Kinds of files that a policy which governs programs leaves open."""
    policy = seen.value.policy
    exe = policy.collection("Exe")
    if exe is None or not exe.rules:
        return
    for type_, code, what in (("Script", "applocker-no-script-rules", "scripts (.ps1, .vbs, .js, .bat, .cmd)"),
                              ("Dll", "applocker-no-dll-rules", "libraries, which rundll32 and regsvr32 load,")):
        held = policy.collection(type_)
        if held is None or not held.rules:
            yield Lint(code, APPLOCKER[code][0], f"{type_}: programs are governed, but {what} are not.",
                       f"Add {type_} rules, in audit mode first.", cite_source(seen.source, seen.where, "no rules"))


def _service(subject: Subject) -> Iterator[Lint]:
    """On a host, the service that all of it rests on."""
    if is_policy(subject):
        return
    for one in current(seen_of(subject.services, "AppIDSvc"))[0]:
        start = one.value.start if one.value is not None else "not installed"
        state = one.value.state if one.value is not None else ""
        if state == "running" or start in ("automatic", ""):
            continue
        severity = APPLOCKER["applocker-service"][0] if start != "manual" or state == "stopped" else "warning"
        yield Lint("applocker-service", severity, f"AppLocker rules are there, but the service AppIDSvc is {start}"
                   f"{f' and {state}' if state else ''}.", "Make it start automatically (H07).",
                   cite_source(one.source, one.where, one.raw or f"{start} {state}".strip()))
