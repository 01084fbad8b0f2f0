"""The validators that judge the exports object to what is wrong; else a green test would say nothing."""

from __future__ import annotations

import json

import pytest

from report import exported


def test_the_stix_validator_objects() -> None:
    bad = {"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000", "objects": [
        {"type": "indicator", "spec_version": "2.1", "id": "indicator--00000000-0000-4000-8000-000000000000",
         "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "pattern": "[file:name = ",
         "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z"}]}
    assert exported.stix_problems(json.dumps(bad).encode())


@pytest.mark.parametrize("layer", [{"domain": "enterprise-attack"}, {"name": "x", "domain": "moon"},
                                   {"name": "x", "domain": "enterprise-attack", "versions": {"layer": "9.9"}}])
def test_the_navigator_validator_objects(layer: dict[str, object]) -> None:
    assert exported.navigator_problems({"techniques": [], **layer})


def test_the_sarif_schema_is_there_and_objects() -> None:
    log = {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "Douse"}}, "results": []}]}
    assert exported.sarif_problems(log) == []
    assert exported.sarif_problems({**log, "version": "1.0"})
    assert exported.sarif_problems({"version": "2.1.0", "runs": [{"results": [{"message": {}}]}]})
