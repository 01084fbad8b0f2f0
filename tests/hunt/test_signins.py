"""S9 from files: an intrusion on one host, sign-ins in the log of another, for any order and any number of workers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from douse import api
from douse.hunt import spread
from douse.hunt.options import HuntOptions
from douse.model import Incident


def sign_in(time: str, source: str, record_id: int) -> str:
    """4624 on a server: Anna of the demo through Remote Desktop."""
    return json.dumps({"Event": {
        "System": {"Provider": {"#attributes": {"Name": "Microsoft-Windows-Security-Auditing"}}, "EventID": 4624,
                   "TimeCreated": {"#attributes": {"SystemTime": time}}, "EventRecordID": record_id,
                   "Channel": "Security", "Computer": "SRV-1.corp.example"},
        "EventData": {"TargetUserName": "anna", "TargetDomainName": "CORP.EXAMPLE", "LogonType": 10,
                      "TargetUserSid": "S-1-5-21-1004336348-1177238915-682003330-1104", "IpAddress": source}}})


@pytest.fixture
def worst(scenario: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Incident]:
    monkeypatch.setattr(spread, "BYTES_A_WORKER", 1)

    def run(*signins: str, jobs: int = 1) -> Incident:
        (tmp_path / "srv.jsonl").write_text("".join(f"{line}\n" for line in signins), encoding="utf-8")
        paths = (str(tmp_path / "srv.jsonl"), str(scenario("lumma-clickfix", "jsonl")))
        return api.hunt(HuntOptions(paths=paths, jobs=jobs)).incidents[0]

    return run


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_stolen_password_is_used_on_another_host(worst: Callable[..., Incident], jobs: int) -> None:
    usual, abuse = "2026-11-01T08:00:00Z", "2026-11-05T03:12:00Z"
    quiet = worst(sign_in(usual, "10.0.0.15", 1), sign_in(abuse, "10.0.0.15", 2), jobs=jobs)
    assert "S9" not in {hit.sequence_id for hit in quiet.sequences}
    used = worst(sign_in(abuse, "203.0.113.200", 2), sign_in(usual, "10.0.0.15", 1), jobs=jobs)
    assert used.incident_id == quiet.incident_id
    assert used.title.endswith(", possible credential abuse")
    assert "203[.]0[.]113[.]200" in used.next_steps[0]
    assert "Security record 2 on SRV-1.corp.example" in used.sequences[-1].reason
