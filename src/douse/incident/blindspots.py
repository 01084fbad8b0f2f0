"""What could not be judged on a host: its coverage in, the telemetry that was missing or limited out.

The requirements are data (content/telemetry/). "Missing" means that no record was seen, which is also so where a
setting is on and nothing happened; the texts say so where that is likely. Coverage counts also what no rule wanted.
"""

from __future__ import annotations

from functools import lru_cache

from douse.content.telemetry import Requirement, requirements
from douse.incident.entities import DPAPI
from douse.incident.facts import HostFacts
from douse.model import BlindSpot, Coverage

_TRIMMED = BlindSpot(
    requirement="facts-limit", title="The oldest process records of this host", events="Sysmon 1, 3, 5, 11 or Security "
    "4688, 4689, 5156", classes=("X", "I", "O"), cannot_judge="How the earliest events belong together: the host has "
    "more process records than are kept, and the oldest were forgotten.", enable="Hunt a shorter span with --since and "
    "--until.", verified=True)


def blind_spots(coverage: Coverage, facts: HostFacts) -> tuple[BlindSpot, ...]:
    """All blind spots of a host, the most decisive first: forgotten records concern every verdict about it."""
    spots = [_spot(requirement) for requirement in requirements() if _is_blind(requirement, coverage, facts)]
    return (*((_TRIMMED,) if facts.trimmed else ()), *spots)


def reads_audited(coverage: Coverage, facts: HostFacts) -> bool:
    """Whether any telemetry of credential-store reads is there: an audited store, or DPAPI's debug log.

    A host may audit other files; then 4663 is there and says nothing about stores. Where stores are audited their own
    programs are seen reading them all day, so a log without any such record comes from a host that does not."""
    return facts.stores_audited or coverage.records(DPAPI, frozenset({16385})) > 0


@lru_cache(maxsize=64)  # hosts lack the same things, and each incident is told so
def is_gap(spot: BlindSpot) -> bool:
    """Whether a blind spot can be closed by switching something on that is off."""
    return spot is not _TRIMMED and any(r.id == spot.requirement and r.show != "store-audit" for r in requirements())


def _is_blind(requirement: Requirement, coverage: Coverage, facts: HostFacts) -> bool:
    seen = any(coverage.records(records.channel, records.event_ids) for records in requirement.any_of)
    match requirement.show:
        case "no-command-line":
            return bool(seen and facts.starts) and not any(start.command_line for start in facts.starts)
        case "no-store-audit":
            return not facts.stores_audited
        case "store-audit":
            return facts.stores_audited
    return not seen


def _spot(requirement: Requirement) -> BlindSpot:
    return BlindSpot(requirement.id, requirement.title, requirement.events, requirement.classes,
                     requirement.cannot_judge, requirement.enable, requirement.verified)
