"""Judge a tenant's conditional access: an export of policies goes in, a Check comes out.

A policy that only reports stops nobody, and one whose conditions were not exported proves nothing. An export with a
next page cannot pass. Whether a tenant without policies has security defaults is not in such an export, so it is
unknown.
Entra's words are those of Microsoft Graph v1.0 (conditionalAccessPolicy).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from douse.content.settings import TenantSetting
from douse.harden.audit.tenant import changed, cited_first, folded
from douse.harden.audit.weigh import current, current_sources, join, shortened, unseen
from douse.harden.finding import Check, Cited
from douse.harden.observed import AccessPolicy, Subject
from douse.harden.seen import Seen

EMERGENCY = 2
"""How many single accounts a policy may leave out: Microsoft advises two for emergencies."""

GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"
"""The role that may do everything, by the id that it has in every tenant."""

LEGACY = frozenset({"exchangeactivesync", "other"})

EXPORT = "The Graph export identity/conditionalAccess/policies (all pages) would tell."

Policies = Sequence[Seen[AccessPolicy]]


def policies_of(subject: Subject) -> Policies:
    """All policies of the current exports."""
    return current(subject.access_policies, subject.access_policies_whole)[0]


def demanding_resistance(subject: Subject) -> tuple[Policies, Policies]:
    """The policies in force that let administrators in only with a factor that resists phishing: those that hold for
    every application and leave nobody out but emergency accounts, and those that hold for a part."""
    asking = [one for one in policies_of(subject) if one.value.state == "enabled" and one.value.complete
              and "phishing" in one.value.strength.casefold() and _demands(one.value) and _for_admins(one.value)]
    full = [one for one in asking if _everywhere(one.value) and not _leaves_out_many(one.value)]
    return full, [one for one in asking if one not in full]


def _for_admins(policy: AccessPolicy) -> bool:
    """Whether it is for everybody or for the role that may do everything; a lesser role alone protects little."""
    return _is_all(policy.includes) or any(
        _kind_of(entry) == "role" and _bare(entry) == GLOBAL_ADMINISTRATOR for entry in policy.includes)


def _demands(policy: AccessPolicy) -> bool:
    """Whether it lets nobody in without a second factor; one of several grants is enough only where all are needed."""
    grants = {folded(one) for one in policy.grants}
    if not policy.strength and "mfa" not in grants:
        return False
    return len(grants) + bool(policy.strength) == 1 or folded(policy.operator) == "and" or (
        grants == {"mfa"} and bool(policy.strength))


def _everywhere(policy: AccessPolicy) -> bool:
    return _is_all(policy.applications) and _all_clients(policy.clients)


def _for_all(policy: AccessPolicy) -> bool:
    """Whether it is for all users and all applications."""
    return _is_all(policy.includes) and _everywhere(policy)


def _all_clients(clients: Iterable[str]) -> bool:
    words = {folded(one) for one in clients}
    return not words or "all" in words or {"browser", "mobileappsanddesktopclients"} <= words


def _is_all(entries: Iterable[str]) -> bool:
    return any(_bare(entry) == "all" for entry in entries)


def policies_enforced(setting: TenantSetting, subject: Subject) -> Check:
    """A second factor is demanded of everybody, and not only reported."""
    expected = "an enabled policy demands a second factor of all users for all applications"
    demanding = [one for one in policies_of(subject) if _demands(one.value)]
    enabled = [one for one in demanding if one.value.state == "enabled"]
    report = [one for one in demanding if one.value.state == "report-only"]
    told = _names("Only reporting, and stopping nobody", report)
    if not subject.access_policies:
        return _no_policies(setting, subject, expected)
    full = [one for one in enabled if _for_all(one.value) and one.value.complete]
    kept = [one for one in full if not _leaves_out_many(one.value)]
    if full and not kept:
        left = " ".join(f"{one.value.name!r} demands it of all but {shortened(one.value.excludes)}." for one in full)
        return Check(setting, "partial", expected, "demanded of all but some", join(left, told), cited_first(full))
    if full:
        full = kept
        why = join(f"{full[0].value.name!r} demands it of all.", told)
        return _complete(subject, Check(setting, "pass", expected, f"demanded by {full[0].value.name}", why,
                                        cited_first(full + report)))
    if enabled:
        doubt = [one for one in enabled if not one.value.complete]
        why = join(f"Demanded of a part only: {shortened(one.value.name for one in enabled)}.", told,
                   _names("Conditions were not exported", doubt))
        return Check(setting, "partial", expected, "demanded of a part", why, cited_first(enabled + report))
    if any(one.value.state == "enabled" for one in policies_of(subject)) or report:
        why = join("No enabled policy demands a second factor.", told)
        return _fails_if_whole(subject, Check(setting, "fail", expected, "not demanded", why,
                                              cited_first(report or policies_of(subject))), bool(report))
    return Check(setting, "unknown", expected, "no enabled policy", "No policy is enabled; whether the tenant has "
                 "security defaults instead is not in this export.", cited_first(policies_of(subject)))


def legacy_blocked(setting: TenantSetting, subject: Subject) -> Check:
    """Sign-ins by old protocols, which know no second factor, are blocked."""
    expected = "an enabled policy blocks legacy authentication for all users"
    if not subject.access_policies:
        return _no_policies(setting, subject, expected)
    blocking = [one for one in policies_of(subject) if "block" in {folded(grant) for grant in one.value.grants}
                and {folded(client) for client in one.value.clients} >= LEGACY]
    enabled = [one for one in blocking if one.value.state == "enabled"]
    full = [one for one in enabled if _is_all(one.value.includes) and _is_all(one.value.applications)
            and one.value.complete and not _leaves_out_many(one.value)]
    if full:
        return _complete(subject, Check(setting, "pass", expected, f"blocked by {full[0].value.name}",
                                        f"{full[0].value.name!r} blocks it for all.", cited_first(full)))
    if enabled:
        left = shortened(dict.fromkeys(entry for one in enabled for entry in one.value.excludes))
        why = join(f"Blocked for a part only: {shortened(one.value.name for one in enabled)}.",
                   f"Left out: {left}." if left else "")
        return Check(setting, "partial", expected, "blocked for a part", why, cited_first(enabled))
    why = join("No enabled policy blocks it; such sign-ins know no second factor.",
               _names("Not in force", blocking))
    return _fails_if_whole(subject, Check(setting, "fail", expected, "not blocked", why,
                                          cited_first(blocking or policies_of(subject))), False)


def no_exclusions(setting: TenantSetting, subject: Subject) -> Check:
    """Nobody is left out but accounts for emergencies."""
    expected = f"no policy that demands a second factor leaves out more than {EMERGENCY} single accounts"
    if not subject.access_policies:
        return _no_policies(setting, subject, expected)
    asking = [one for one in policies_of(subject) if one.value.state == "enabled" and _demands(one.value)]
    if not asking:
        return Check(setting, "unknown", expected, "no such policy", "No enabled policy demands a second factor, so "
                     "that there is nothing to leave out.", cited_first(policies_of(subject)))
    wide = [one for one in asking if _leaves_out_many(one.value)]
    excluded = sum(len(one.value.excludes) for one in asking)
    actual = f"{excluded:,} exclusions in {len(asking):,} policies"
    if wide:
        why = " ".join(f"{one.value.name!r} leaves out {shortened(one.value.excludes)}." for one in wide)
        return Check(setting, "partial", expected, actual, why, cited_first(wide))
    doubt = [one for one in asking if not one.value.complete]
    if doubt:
        return Check(setting, "unknown", expected, actual, _names("Conditions were not exported", doubt),
                     cited_first(doubt))
    why = (f"At most {EMERGENCY} single accounts are left out; make sure that they are the emergency accounts."
           if excluded else "Nobody is left out.")
    return _complete(subject, Check(setting, "pass", expected, actual, why, cited_first(asking)))


def _leaves_out_many(policy: AccessPolicy) -> bool:
    """Whether it leaves out a group, a role, guests, or more accounts than those for emergencies."""
    return len(policy.excludes) > EMERGENCY or any(
        not _kind_of(entry).startswith("user") for entry in policy.excludes)


def _kind_of(entry: str) -> str:
    """What an entry of a policy names: `user`, `group`, `role`, `guests`; a bare id counts as a user's."""
    kind, colon, _ = entry.partition(":")
    if colon:
        return kind.strip().casefold()
    return "guests" if "guest" in entry.casefold() else "user"


def _bare(entry: str) -> str:
    return entry.rpartition(":")[2].strip().casefold()


def _no_policies(setting: TenantSetting, subject: Subject, expected: str) -> Check:
    whole = current_sources(subject.access_policies_whole)
    if not whole:
        return unseen(setting, expected, EXPORT)
    return Check(setting, "unknown", expected, "no policy", "The tenant has no conditional access policy; whether it "
                 "has security defaults instead is not in this export.",
                 tuple(Cited(one.kind, one.file, one.sha256, "policies", "none") for one in whole))


def _complete(subject: Subject, check: Check) -> Check:
    """A pass only from an export without a next page: a page that is missing may hold what undoes it."""
    if current_sources(subject.access_policies_whole):
        return check
    return changed(check, "unknown", f"The export is not complete. {EXPORT}")


def _fails_if_whole(subject: Subject, check: Check, certain: bool) -> Check:
    """What no seen policy does may be done by one that was not seen."""
    if certain and not current_sources(subject.access_policies_whole):
        return changed(check, "partial", "Policies that were not exported may demand it.")
    if not current_sources(subject.access_policies_whole):
        return changed(check, "unknown", f"The export is not complete. {EXPORT}")
    return check


def _names(what: str, policies: Policies) -> str:
    return f"{what}: {shortened(one.value.name for one in policies)}." if policies else ""
