"""What all our ATT&CK Navigator layers have in common: format 4.5, versions, domain, layout, and what fits in a matrix.

Format: mitre-attack/attack-navigator, layers/LAYERFORMATv4_5.md. A layer is of one domain, ours of Enterprise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

LAYER_VERSION: Final = "4.5"
NAVIGATOR_VERSION: Final = "5.1.0"
"""The format asks for at least 4.9.0; the Navigator upgrades a layer of an older one by itself."""
_ENTERPRISE: Final = re.compile(r"T[1-9]\d{3}(?:\.\d{3})?")


def in_matrix(technique: str) -> bool:
    """Whether an id can be in the Enterprise matrix; ids of ICS begin with T0, and a stealer as a whole has none."""
    return _ENTERPRISE.fullmatch(technique) is not None


def frame(name: str, description: str, provenance: Mapping[str, Any], techniques: Sequence[Mapping[str, Any]],
          colors: Sequence[str], legend: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A layer with these techniques, their scores from 0 to 100 in `colors`; `legend` is (label, color)."""
    return {
        "name": name,
        "versions": {"attack": provenance["attack_version"].partition(".")[0], "navigator": NAVIGATOR_VERSION,
                     "layer": LAYER_VERSION},
        "domain": "enterprise-attack",
        "description": description,
        "filters": {"platforms": ["Windows"]},
        "sorting": 0,
        "layout": {"layout": "side", "showID": True, "showName": True, "expandedSubtechniques": "annotated"},
        "hideDisabled": False,
        "techniques": list(techniques),
        "gradient": {"colors": list(colors), "minValue": 0, "maxValue": 100},
        "legendItems": [{"label": label, "color": color} for label, color in legend],
        "metadata": [{"name": "made by", "value": f"Douse {provenance['version']}"},
                     {"name": "ATT&CK", "value": provenance["attack_version"]}],
    }


def technique(identity: str, score: float, comment: str, facts: Iterable[tuple[str, str]],
              tactic: str = "") -> dict[str, Any]:
    """A technique's entry, of one tactic or of all; facts without a value are left out."""
    return {
        "techniqueID": identity,
        **({"tactic": tactic} if tactic else {}),
        "score": round(score, 1),
        "comment": comment,
        "enabled": True,
        "metadata": [{"name": name, "value": value} for name, value in facts if value],
        "showSubtechniques": "." not in identity,
    }
