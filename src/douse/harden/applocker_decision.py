r"""What an AppLocker policy means for a program: who may start it.

    decide(policy, Program(paths=(...), publisher=..., product=..., binary=...)).state

Deny wins over allow; what no rule allows is refused as soon as the collection has a rule; a collection without rules
refuses nothing; `NotConfigured` with rules is enforced. A program that lies in several places is judged in each, and
the loosest place counts. What cannot be known (a hash, a version range that the program's version decides, a part of
the policy that was not understood) is tried both ways; where the two differ the state is `unknown`, never the better.

Path variables are AppLocker's own, not the environment's: %SYSTEM32% is System32 and SysWOW64, %PROGRAMFILES% both
program folders, %OSDRIVE% the system drive (Microsoft, "Understanding the path rule condition in AppLocker").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

from douse.content.settings import AppLockerSetting
from douse.harden.applocker_policy import UNKNOWN_MODE, AppLockerPolicy, AppLockerRule, Condition, RuleCollection
from douse.harden.firewall_rule import folded_path

STATES = ("denied", "groups", "allowed", "audit", "ungoverned", "unknown")
"""Nobody may start it; members of some groups only; everybody, or all but some groups; the policy only records what it
would refuse; no rule governs programs; it depends on what is not known."""

_LOOSENESS = ("denied", "groups", "allowed")

EVERYBODY = frozenset({"S-1-1-0", "S-1-5-11", "S-1-5-32-545"})
"""Everyone; and Authenticated Users and Users, to one of which everybody belongs who signs in with a password."""

ADMINISTRATORS = "S-1-5-32-544"
WELL_KNOWN = {"S-1-1-0": "Everyone", "S-1-5-11": "Authenticated Users", "S-1-5-32-545": "Users",
              ADMINISTRATORS: "Administrators", "S-1-5-18": "SYSTEM", "S-1-5-4": "Interactive"}

_FOLDERS = {"%windir%": (r"c:\windows",), "%system32%": (r"c:\windows\system32", r"c:\windows\syswow64"),
            "%osdrive%": ("c:",), "%programfiles%": (r"c:\program files", r"c:\program files (x86)"),
            "%removable%": (), "%hot%": ()}
_VARIABLE = re.compile(r"%[^%\\]*%")
_VERSION = re.compile(r"\d{1,5}(?:\.\d{1,5}){0,3}")
_MOST_DOUBTS = 4
"""How many of the rules that an answer depends on are named."""

_FIRST, _LAST = (0, 0, 0, 0), (65535, 65535, 65535, 65535)

Fit = bool | None
"""Whether a rule is about a program; None is: it depends on what is not known."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program as AppLocker tells it: where it lies, and the fields of its signature and version resource. `version`
    is "" where not known."""

    paths: tuple[str, ...]
    publisher: str
    product: str
    binary: str
    version: str = ""


def program_of(setting: AppLockerSetting) -> Program:
    """The program that a control's setting is about, in each place that the setting's rules name."""
    places = dict.fromkeys(place for path in setting.paths for place in places_of(path))
    return Program(tuple(places), setting.publisher, setting.product_name, setting.binary)


@dataclass(frozen=True, slots=True)
class Decision:
    """Who may start a program: one of STATES and a sentence. `groups` are the SIDs that may (for `groups`), `refused`
    those that may not although others may; `rules` the ids of the rules that decide. `would` is, for `audit`, the state
    if the policy were enforced. `copies` says that a copy elsewhere below the Windows folder starts for more people."""

    state: str
    why: str
    groups: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    would: str = ""
    copies: bool = False


def decide(policy: AppLockerPolicy, program: Program, collection: str = "Exe") -> Decision:
    """Who may start the program under a policy."""
    held = policy.collection(collection)
    if held is None or not held.rules:
        if held is not None and held.left_out:
            return Decision("unknown", f"Parts of the {collection} rules were not understood: {held.left_out[0]}")
        return Decision("ungoverned", f"The policy has no {collection} rules, so AppLocker refuses no program.")
    found = _known(held, program)
    if held.mode == UNKNOWN_MODE and held.rules:
        return Decision("unknown", f"Whether the {collection} rules are enforced is not known: {held.left_out[0]}."
                        if held.left_out else f"Whether the {collection} rules are enforced is not known.")
    if held.mode != "AuditOnly":
        return found
    return Decision("audit", f"The policy only records (AuditOnly). Enforced it would mean: {found.why}", found.groups,
                    found.refused, found.rules, would=found.state)


def decide_for(policy: AppLockerPolicy, program: Program, sids: Iterable[str]) -> bool | None:
    """Whether somebody with these SIDs in the token may start it, if the policy is enforced; None is not known."""
    held = policy.collection("Exe")
    if held is None or not held.rules:
        return True
    if held.mode == UNKNOWN_MODE:
        return None
    token = frozenset(sids) | {"S-1-1-0"}
    said = {_may(held.rules, program, path, token, loose) for path in program.paths for loose in (True, False)}
    return said.pop() if len(said) == 1 else None


def _may(rules: Sequence[AppLockerRule], program: Program, path: str, token: frozenset[str], loose: bool) -> bool:
    denies, allows = _sides(rules, program, path, loose)
    return not denies & token and bool(allows & token)


def _known(held: RuleCollection, program: Program) -> Decision:
    """The decision where it is the same for all that is not known."""
    strict = _decide(held, program, loose=False)
    loose = _decide(held, program, loose=True)
    if (strict.state, strict.groups, strict.refused) != (loose.state, loose.groups, loose.refused):
        doubt = "; ".join(islice(_doubts(held.rules, program), _MOST_DOUBTS)) or "a rule"
        return Decision("unknown", f"It depends on what is not known here: {doubt}.", loose.groups, (), loose.rules)
    deciding = set(strict.rules)
    certain_deny = strict.state == "denied" and any(
        one.action == "Deny" and one.id in deciding for one in held.rules)
    if held.left_out and not certain_deny:
        return Decision("unknown", f"Parts of the rules were not understood: {held.left_out[0]}")
    return replace(strict, copies=_copy_starts(held, program, strict.state))


def _copy_starts(held: RuleCollection, program: Program, state: str) -> bool:
    """Whether the rules go by path so that a copy in WinSxS, where Windows itself keeps one, starts for more people."""
    copy = replace(program, paths=tuple(dict.fromkeys(
        rf"c:\windows\winsxs\copy\{path.rpartition(chr(92))[2]}" for path in program.paths)))
    return _LOOSENESS.index(_decide(held, copy, loose=True).state) > _LOOSENESS.index(state)


def _decide(held: RuleCollection, program: Program, loose: bool) -> Decision:
    """The decision when everything that is not known is taken one way; the loosest place counts."""
    found = [_decide_at(held.rules, program, path, loose) for path in program.paths]
    return max(found, key=lambda one: (_LOOSENESS.index(one.state), len(one.groups), -len(one.refused)))


def _decide_at(rules: Sequence[AppLockerRule], program: Program, path: str, loose: bool) -> Decision:
    """Who may start the program at one place."""
    denies, allows = _sides(rules, program, path, loose)
    fitting = [rule for rule in rules if _fits(rule, program, path, rule.action == "Allow", loose)]
    used = tuple(rule.id for rule in fitting)
    refusing = tuple(rule.id for rule in fitting if rule.action == "Deny")
    if denies & EVERYBODY:
        return Decision("denied", f"A rule denies it to {_people(denies & EVERYBODY)}.", rules=refusing)
    if not allows - denies:
        return Decision("denied", "No rule allows it, and what no rule allows is refused.", rules=used)
    if allows & EVERYBODY:
        but = f" but {_people(denies)}" if denies else ""
        return Decision("allowed", f"A rule allows it to {_people(allows & EVERYBODY)}{but}.",
                        refused=tuple(sorted(denies)), rules=used)
    groups = tuple(sorted(allows - denies))
    return Decision("groups", f"Only {_people(groups)} may start it.", groups, rules=used)


def _sides(rules: Sequence[AppLockerRule], program: Program, path: str, loose: bool
           ) -> tuple[frozenset[str], frozenset[str]]:
    """The SIDs that are denied and those that are allowed."""
    denies = frozenset(rule.sid.upper() for rule in rules
                       if rule.action == "Deny" and _fits(rule, program, path, False, loose))
    allows = frozenset(rule.sid.upper() for rule in rules
                       if rule.action == "Allow" and _fits(rule, program, path, True, loose))
    return denies, allows


def _fits(rule: AppLockerRule, program: Program, path: str, allows: bool, loose: bool) -> bool:
    """Whether a rule applies when what is not known is taken so that more (`loose`) or less may run."""
    fit = fits(rule, program, path)
    return (allows == loose) if fit is None else fit


def fits(rule: AppLockerRule, program: Program, path: str) -> Fit:
    """Whether a rule is about a program at a place, its exceptions taken off."""
    about = _any(condition_fits(one, program, path) for one in rule.conditions)
    if about is False:
        return False
    excepted = _any(condition_fits(one, program, path) for one in rule.exceptions)
    if excepted is None:
        return None
    return False if excepted else about


def _any(fits_: Iterable[Fit]) -> Fit:
    found = list(fits_)
    return True if True in found else None if None in found else False


def condition_fits(condition: Condition, program: Program, path: str) -> Fit:
    """Whether a condition is true of a program at a place."""
    if condition.kind == "path":
        return _path_fits(condition.path, path)
    if condition.kind != "publisher":
        return None if condition.kind != "hash" or condition.hashes else False
    pairs = ((condition.publisher, program.publisher), (condition.product, program.product),
             (condition.binary, program.binary))
    if any(wanted != "*" and wanted.casefold() != has.casefold() for wanted, has in pairs):
        return False
    return _version_fits(condition.low, condition.high, program.version)


def any_version(low: str, high: str) -> bool:
    """Whether a version range holds every version."""
    return _number(low, _FIRST) == _FIRST and _number(high, _LAST) == _LAST


def _version_fits(low: str, high: str, version: str) -> Fit:
    begin, end = _number(low, _FIRST), _number(high, _LAST)
    if begin is None or end is None:
        return None
    if (begin, end) == (_FIRST, _LAST):
        return True
    at = _number(version, _FIRST) if version else None
    return None if at is None else begin <= at <= end


def _number(text: str, open_end: tuple[int, ...]) -> tuple[int, ...] | None:
    if text in ("*", ""):
        return open_end
    if not _VERSION.fullmatch(text):
        return None
    parts = tuple(map(int, text.split(".")))
    return parts + (0,) * (4 - len(parts))


@lru_cache(maxsize=4_000)  # a fleet has the same few policies
def _path_fits(pattern: str, path: str) -> Fit:
    if unknown_variable(pattern):
        return None
    wanted = _on_drive(folded_path(path))
    return any(glob(place, wanted) for place in places_of(pattern))


def unknown_variable(pattern: str) -> str:
    """The variable at the beginning of a rule's path that is none of AppLocker's, so that nobody knows a place it
    stands for; "" where there is none."""
    found = _VARIABLE.match(pattern.strip().casefold())
    return found[0] if found is not None and found[0] not in _FOLDERS else ""


def places_of(pattern: str) -> Iterator[str]:
    """A rule's path with AppLocker's variables put in, in lower case, Windows on C; none for a removable drive."""
    text = pattern.strip().casefold().replace("/", "\\")
    found = _VARIABLE.match(text)
    if found is None or found[0] not in _FOLDERS:
        yield text
        return
    for folder in _FOLDERS[found[0]]:
        yield folder + text[found.end():]


def _on_drive(path: str) -> str:
    return re.sub(r"^%systemroot%", r"c:\\windows", path)


def glob(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern with `*` and `?`; linear in the pattern but for one step back at each `*`."""
    at = mark = 0
    star = -1
    position = 0
    while position < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, mark = at, position
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[position]):
            at += 1
            position += 1
        elif star >= 0:
            mark += 1
            at, position = star + 1, mark
        else:
            return False
    return all(letter == "*" for letter in pattern[at:])


def _doubts(rules: Iterable[AppLockerRule], program: Program) -> Iterator[str]:
    """What the decision depends on, a phrase for each rule that may or may not be about the program."""
    for rule in rules:
        doubtful = [one for path in program.paths for one in (*rule.conditions, *rule.exceptions)
                    if condition_fits(one, program, path) is None]
        if doubtful:
            yield f"the {rule.action.lower()} rule {rule.name or rule.id!r} is about {_phrase(doubtful[0])}"


def _phrase(condition: Condition) -> str:
    if condition.kind == "publisher":
        return f"versions {condition.low} to {condition.high}"
    if condition.kind == "path":
        return f"{condition.path}, whose variable AppLocker does not know"
    return "certain hashes" if condition.kind == "hash" else f"a {condition.kind[:40]}"


def _people(sids: Iterable[str]) -> str:
    return " and ".join(f"{WELL_KNOWN[sid]} ({sid})" if sid in WELL_KNOWN else sid for sid in sorted(sids))
