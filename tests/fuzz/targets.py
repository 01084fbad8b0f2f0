"""What is fuzzed: the table of parsers. A target has its seeds, its words, how to run it and what must then be true."""

from __future__ import annotations

from collections.abc import Mapping

from fuzz.evidence import EVIDENCE
from fuzz.exports import EXPORTS
from fuzz.iocs import IOCS
from fuzz.kept import KEPT
from fuzz.language import LANGUAGE
from fuzz.linked import LINKED
from fuzz.lists import LISTS
from fuzz.logs import LOGS
from fuzz.policies import POLICIES
from fuzz.registry import REGISTRY
from fuzz.spread import SPREAD
from fuzz.target import Target

TARGETS: Mapping[str, Target] = {
    **EVIDENCE, **LOGS, **LANGUAGE, **LINKED, **SPREAD, **LISTS, **KEPT, **IOCS, **POLICIES, **EXPORTS,
    **REGISTRY}
