"""The verbs of Douse, for scripts, the console and the command line alike: each room's one call, and no logic.

    from douse import api
    result = api.hunt(api.HuntOptions(paths=("Security.evtx",)))

A name is imported when it is first used, so that `simulate` does not pay for the YAML, EVTX and template libraries
that `hunt` needs. The imports below TYPE_CHECKING say the same to type checkers; a test compares the two.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from douse.detection.language.placeholders import read_placeholders
    from douse.detection.proof import prove_rules
    from douse.detection.ruleset import load_rules
    from douse.harden.audit.run import audit
    from douse.harden.finding import AuditOptions, AuditResult
    from douse.harden.generate.bundle import generate
    from douse.harden.generate.policy import GenerateOptions
    from douse.harden.preflight.result import PreflightOptions, PreflightResult
    from douse.harden.preflight.run import preflight
    from douse.harden.verify import VerifyOptions, VerifyResult, verify
    from douse.hunt.coverage import coverage
    from douse.hunt.coverage_result import CoverageOptions, CoverageResult
    from douse.hunt.explain import explain_rule
    from douse.hunt.options import HuntOptions
    from douse.hunt.result import HuntResult, Progress
    from douse.hunt.rules import check_rules, find_rule
    from douse.hunt.run import hunt
    from douse.report.diff import compare, is_at_least
    from douse.report.document import document
    from douse.report.for_incident import for_incidents
    from douse.report.read import narrowed, read_document
    from douse.report.redact import redacted
    from douse.simulate.run import SimulationResult, simulate

__all__ = ["AuditOptions", "AuditResult", "CoverageOptions", "CoverageResult", "GenerateOptions", "HuntOptions",
           "HuntResult", "PreflightOptions", "PreflightResult", "Progress", "SimulationResult", "VerifyOptions",
           "VerifyResult", "audit", "check_rules", "compare", "coverage", "document", "explain_rule", "find_rule",
           "for_incidents", "generate", "hunt", "is_at_least", "load_rules", "narrowed", "preflight", "prove_rules",
           "read_document", "read_placeholders", "redacted", "simulate", "verify"]

_HOME = {
    "AuditOptions": "douse.harden.finding",
    "AuditResult": "douse.harden.finding",
    "CoverageOptions": "douse.hunt.coverage_result",
    "CoverageResult": "douse.hunt.coverage_result",
    "GenerateOptions": "douse.harden.generate.policy",
    "HuntOptions": "douse.hunt.options",
    "HuntResult": "douse.hunt.result",
    "PreflightOptions": "douse.harden.preflight.result",
    "PreflightResult": "douse.harden.preflight.result",
    "Progress": "douse.hunt.result",
    "SimulationResult": "douse.simulate.run",
    "VerifyOptions": "douse.harden.verify",
    "VerifyResult": "douse.harden.verify",
    "audit": "douse.harden.audit.run",
    "check_rules": "douse.hunt.rules",
    "compare": "douse.report.diff",
    "coverage": "douse.hunt.coverage",
    "document": "douse.report.document",
    "explain_rule": "douse.hunt.explain",
    "find_rule": "douse.hunt.rules",
    "for_incidents": "douse.report.for_incident",
    "generate": "douse.harden.generate.bundle",
    "hunt": "douse.hunt.run",
    "is_at_least": "douse.report.diff",
    "load_rules": "douse.detection.ruleset",
    "narrowed": "douse.report.read",
    "preflight": "douse.harden.preflight.run",
    "prove_rules": "douse.detection.proof",
    "read_document": "douse.report.read",
    "read_placeholders": "douse.detection.language.placeholders",
    "redacted": "douse.report.redact",
    "simulate": "douse.simulate.run",
    "verify": "douse.harden.verify",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
