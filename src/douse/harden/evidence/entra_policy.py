"""One conditional access policy of Entra: its JSON in, AccessPolicy out.

A policy that only holds at some places, on some devices or at some risk is not one for everything: such a condition
stands in its applications, so that "All" is there only where it means all. Whom it is for is told by kind (`user:`,
`group:`, `role:`, `guests:`). A part that was not exported makes it incomplete, and such a policy passes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from douse.harden.evidence.json_tree import Json, listed, mapping, text
from douse.harden.observed import AccessPolicy, Subject
from douse.harden.seen import Seen, Source

STATES = {"enabled": "enabled", "disabled": "disabled", "enabledforreportingbutnotenforced": "report-only"}
STRENGTHS = {
    "00000000-0000-0000-0000-000000000002": "Multifactor authentication",
    "00000000-0000-0000-0000-000000000003": "Passwordless MFA",
    "00000000-0000-0000-0000-000000000004": "Phishing-resistant MFA"}
"""The authentication strengths that every tenant has, by id."""

_RISKS = ("signinrisklevels", "userrisklevels", "serviceprincipalrisklevels", "insiderrisklevels")
_OBJECTS = ("locations", "platforms", "devices", "devicestates", "authenticationflows", "clientapplications")
_NEEDED = ("users", "applications", "clientapptypes")


def add(entry: dict[str, Json], tenant: Subject, source: Source) -> bool:
    """Keep a policy (its names in lower case); False where it has no name or state."""
    policy = policy_of(entry)
    if policy is None:
        return False
    tenant.access_policies.append(Seen(policy, source, f"policy {policy.name}", json.dumps(entry)[:2000]))
    return True


def policy_of(entry: dict[str, Json]) -> AccessPolicy | None:
    """The policy of an entry; None where it has no name or a state that is not known."""
    name = text(entry.get("displayname")) or text(entry.get("id"))
    state = STATES.get(text(entry.get("state")).casefold())
    if not name or state is None:
        return None
    conditions, grant = _low(entry.get("conditions")), _low(entry.get("grantcontrols"))
    users, applications = _low(conditions.get("users")), _low(conditions.get("applications"))
    complete = bool(users) and bool(applications) and all(part in conditions for part in _NEEDED) and (
        bool(grant) or "sessioncontrols" in entry) and not _cut_off(conditions, users, applications, grant)
    strength = _low(grant.get("authenticationstrength"))
    return AccessPolicy(
        name, state, _texts(grant.get("builtincontrols")),
        text(strength.get("displayname")) or STRENGTHS.get(text(strength.get("id")), text(strength.get("id"))),
        text(grant.get("operator")).upper(), tuple(_people(users, "include")), tuple(_people(users, "exclude")),
        _texts(conditions.get("clientapptypes")), _applications(applications, conditions), complete)


def _cut_off(conditions: dict[str, Json], users: dict[str, Json], applications: dict[str, Json],
             grant: dict[str, Json]) -> bool:
    """Whether a part is a text that should be an object: ConvertTo-Json writes the name of its type below -Depth."""
    parts = [conditions.get(what) for what in _OBJECTS]
    parts += [users.get("includeguestsorexternalusers"), users.get("excludeguestsorexternalusers"),
              applications.get("applicationfilter"), grant.get("authenticationstrength")]
    parts += [held for what in _OBJECTS for held in _low(conditions.get(what)).values()
              if isinstance(held, str) and held.startswith(("Microsoft.", "System.", "@{"))]
    return any(isinstance(part, str) and bool(part) for part in parts)


def _low(value: Json) -> dict[str, Json]:
    return {name.casefold(): held for name, held in mapping(value).items()}


def _texts(value: Json) -> tuple[str, ...]:
    """Ids or words of Entra, none of which has a blank; below its -Depth ConvertTo-Json joins a list with blanks."""
    return tuple(part for one in listed(value) for part in text(one).split())


def _people(users: dict[str, Json], how: str) -> Iterator[str]:
    for kind in ("user", "group", "role"):
        for one in _texts(users.get(f"{how}{kind}s")):
            yield "guests:everyone" if one == "GuestsOrExternalUsers" else f"{kind}:{one}"
    if mapping(users.get(f"{how}guestsorexternalusers")):
        yield "guests:some"


def _applications(applications: dict[str, Json], conditions: dict[str, Json]) -> tuple[str, ...]:
    """The applications, or what narrows the policy where "All" would say too much."""
    included = [*_texts(applications.get("includeapplications")),
                *(f"action {one}" for one in _texts(applications.get("includeuseractions")))]
    filtered = ["only filtered ones"] if _holds(applications.get("applicationfilter")) else []
    narrowed = [*filtered, *(f"without {one}" for one in _texts(applications.get("excludeapplications"))),
                *_narrowing(conditions)]
    if not narrowed:
        return tuple(included)
    return tuple(f"{one} ({', '.join(narrowed)})" for one in included)


def _narrowing(conditions: dict[str, Json]) -> Iterator[str]:
    for risk in _RISKS:
        if levels := _texts(conditions.get(risk)):
            yield f"only {risk.removesuffix('levels')} {'/'.join(levels)}"
    for what in _OBJECTS[:2]:
        part = _low(conditions.get(what))
        included = {one.casefold() for one in _texts(part.get(f"include{what}"))}
        if included and "all" not in included:
            yield f"only some {what}"
        elif _texts(part.get(f"exclude{what}")):
            yield f"without some {what}"
    for what in _OBJECTS[2:]:
        if any(_holds(held) for held in _low(conditions.get(what)).values()):
            yield f"only some {what}"


def _holds(value: Json) -> bool:
    """Whether a condition says anything; Graph writes empty lists and nulls for those that do not."""
    if isinstance(value, dict):
        return any(_holds(held) for held in value.values())
    return bool(value)
