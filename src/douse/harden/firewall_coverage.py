r"""What the firewall rules of one store do to a program: whether they keep it off the network, judged by meaning.

    coverage(rules, r"%SystemRoot%\System32\mshta.exe", (80, 443)).state     "yes", "no" or "unknown"
    coverage(rules, r"%SystemRoot%\System32\mshta.exe").state                all TCP and UDP

Two rules that block a port each are as good as one, and so is one for every program. A rule counts where it certainly
applies; one that may be narrowed by a key we do not judge makes the answer unknown, never yes. Block beats allow in
Windows Firewall; only authenticated bypass outranks it, which is told apart. Whether the firewall is on is not asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from douse.harden.firewall_rule import LAST_PORT, PROFILES, TCP, UDP, FirewallRule, Ports, folded_path

STATES = ("yes", "no", "unknown")
_MOST_REASONS = 4
_ALL: Ports = ((1, LAST_PORT),)
_NAMES = {TCP: "TCP", UDP: "UDP"}


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whether outbound traffic of a program is blocked: one of STATES and a sentence.

    `used` are the positions of the rules that block it (for unknown, of those that may), `left_out` those of rules
    about the program that do not count, each with its reason, `bypass` those of rules that outrank a block.
    """

    state: str
    why: str
    used: tuple[int, ...]
    left_out: tuple[tuple[int, str], ...]
    bypass: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Judged:
    """A rule: `certain` or perhaps; its reason where it is not certain; the profiles and ports it blocks."""

    at: int
    reason: str
    certain: bool
    profiles: frozenset[str] = frozenset()
    tcp: Ports = ()
    udp: Ports = ()

    @property
    def counts(self) -> bool:
        """Whether it can block anything."""
        return bool(self.profiles)


def coverage(rules: Sequence[FirewallRule], program: str, tcp: Iterable[int] = ()) -> Coverage:
    """Whether these rules, all of one store, block what a program sends: on these TCP ports, or all TCP and UDP."""
    wanted = {TCP: tuple((port, port) for port in tcp) or _ALL, UDP: ()}
    if wanted[TCP] == _ALL:
        wanted[UDP] = _ALL
    judged = [_judge(at, rule, program) for at, rule in enumerate(rules) if _concerns(rule, program)]
    bypass = tuple(at for at, rule in enumerate(rules) if outranks(rule, program))
    out = tuple((one.at, one.reason) for one in judged if one.reason)
    certain = [one for one in judged if one.counts and one.certain]
    missing = _missing(certain, wanted)
    if not missing:
        used = tuple(one.at for one in certain)
        return Coverage("yes", _yes(wanted, used, bypass), used, out, bypass)
    possible = [one for one in judged if one.counts]
    doubt = _some(one.reason for one in possible if not one.certain)
    if not _missing(possible, wanted):
        return Coverage("unknown", f"It may be blocked, but {doubt}.", tuple(one.at for one in possible), out, bypass)
    reasons = _some(one.reason for one in judged if one.reason)
    why = f"Not blocked: {', '.join(missing)}." if certain else "No rule blocks it."
    return Coverage("no", why + (f" {reasons[0].upper()}{reasons[1:]}." if reasons else ""),
                    tuple(one.at for one in certain), out, bypass)


def _some(reasons: Iterable[str]) -> str:
    """Reasons as one phrase; of many the first ones, and how many more."""
    every = list(dict.fromkeys(reasons))
    more = f"; and {len(every) - _MOST_REASONS} more" if len(every) > _MOST_REASONS else ""
    return "; ".join(every[:_MOST_REASONS]) + more


def _concerns(rule: FirewallRule, program: str) -> bool:
    """Whether a rule is meant for the program: it names a file of that name, or blocks outbound traffic of them all."""
    if not rule.program:
        return not _against(rule, program) and rule.protocol in (None, TCP, UDP)
    return folded_path(rule.program).rpartition("\\")[2] == folded_path(program).rpartition("\\")[2]


def outranks(rule: FirewallRule, program: str) -> bool:
    """Whether a rule of any store lets the program pass in spite of every block."""
    return (rule.active and rule.direction == "out" and rule.bypasses
            and (not rule.program or folded_path(rule.program) == folded_path(program)))


def _judge(at: int, rule: FirewallRule, program: str) -> _Judged:
    """What one rule does to the program."""
    called = f"the rule {rule.name!r}" if rule.name else "a rule without a name"
    against = _against(rule, program)
    if against:
        return _Judged(at, f"{called} {against}", False)
    doubt = _doubt(rule)
    profiles = rule.profiles if rule.profiles <= set(PROFILES) else frozenset(PROFILES)
    ports = rule.remote_ports if rule.remote_ports is not None else _ALL
    tcp = ports if rule.protocol in (None, TCP) else ()
    udp = ports if rule.protocol in (None, UDP) else ()
    if not tcp and not udp:
        named = rule.protocol in (TCP, UDP)
        return _Judged(at, f"{called} {'names no port' if named else f'is about protocol {rule.protocol}'}", False)
    reason = f"{called} {doubt}" if doubt else ""
    if not reason and profiles != set(PROFILES):
        reason = f"{called} is only for the profile {' and '.join(sorted(profiles))}"
    return _Judged(at, reason, not doubt, profiles, tcp, udp)


def _against(rule: FirewallRule, program: str) -> str:
    """Why a rule certainly does not block the program, "" where nothing speaks against it."""
    if rule.direction != "out":
        return "is for inbound traffic" if rule.direction == "in" else "has no direction"
    if rule.action != "block":
        return f"does not block (Action={rule.first('Action') or 'none'})"
    if not rule.active:
        return "is switched off (Active=FALSE)" if rule.values("Active") else "is switched off (no Active)"
    if rule.program and folded_path(rule.program) != folded_path(program):
        return f"is for another copy of the program, {rule.program}"
    if rule.remote_addresses:
        return f"is only for the remote addresses {', '.join(rule.remote_addresses[:4])}"
    return ""


def _doubt(rule: FirewallRule) -> str:
    """Why it is not certain that a rule applies, "" where it is."""
    if rule.mistake:
        return f"may be ignored by Windows, as {rule.mistake}"
    if rule.narrowing:
        return f"may be narrowed by {', '.join(rule.narrowing[:6])}"
    odd = sorted(rule.profiles - set(PROFILES))
    return f"names a profile that is not known, {odd[0]!r}" if odd else ""


def _missing(judged: Iterable[_Judged], wanted: dict[int, Ports]) -> list[str]:
    """What is not blocked, in words for people: ports, and profiles where it is not all three."""
    judged = list(judged)
    open_by: dict[str, list[str]] = {}
    for profile in PROFILES:
        for protocol, ranges in wanted.items():
            held = [span for one in judged if profile in one.profiles
                    for span in (one.tcp if protocol == TCP else one.udp)]
            for wide in ranges:
                if not _holds(held, wide):
                    open_by.setdefault(_shown(protocol, wide), []).append(profile)
    return [what if len(profiles) == len(PROFILES) else f"{what} on the profile {' and '.join(profiles)}"
            for what, profiles in open_by.items()]


def _holds(held: Iterable[tuple[int, int]], wide: tuple[int, int]) -> bool:
    """Whether ranges together hold a whole range."""
    at = wide[0]
    for begin, end in sorted(held):
        if begin > at:
            return False
        at = max(at, end + 1)
        if at > wide[1]:
            return True
    return False


def _shown(protocol: int, wide: tuple[int, int]) -> str:
    if wide == _ALL[0]:
        return f"all {_NAMES[protocol]}"
    return f"{_NAMES[protocol]} {wide[0]}"


def _yes(wanted: dict[int, Ports], used: Sequence[int], bypass: Sequence[int]) -> str:
    what = ", ".join(_shown(protocol, wide) for protocol, ranges in wanted.items() for wide in ranges)
    count = "one rule" if len(used) == 1 else f"{len(used)} rules"
    told = " A bypass rule lets authenticated connections pass all the same." if bypass else ""
    return f"Blocked on all profiles by {count}: {what}.{told}"
