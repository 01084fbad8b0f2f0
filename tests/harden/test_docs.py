"""docs/harden.md: each command of the walk runs on the sample fleet, in the page's order, and ends as the page says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from douse.cli.main import main
from harden.fleet import build
from harden.preflight import fleet_logs

PAGE = Path(__file__).resolve().parents[2] / "docs" / "harden.md"
COMMANDS = re.findall(r"^\$ (douse .+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
DAMAGED = 4
"""The sample fleet holds evidence that cannot be used, and so every audit of it is partial."""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all that the page takes for granted: evidence, an inventory, logs of 30 quiet days, site.yml."""
    fleet = build(tmp_path)
    (tmp_path / "logs").mkdir()
    hosts = [row.partition(",")[0] for row in fleet.inventory.read_text(encoding="utf-8").splitlines()[1:]]
    fleet_logs.write(tmp_path / "logs" / "fleet.jsonl",
                     [event for host in hosts for event in fleet_logs.days_of(host)])
    site = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert site is not None
    (tmp_path / "site.yml").write_text(site[1], encoding="utf-8")
    (tmp_path / "preflight.json").unlink(missing_ok=True)  # the fleet's own
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_of_the_page_runs(desk: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert len(COMMANDS) >= 12
    for command in COMMANDS:
        arguments = shlex.split(command)[1:]
        if arguments[:1] == ["hunt"]:  # the quiet logs have no incident to tell of
            assert main(["simulate", "lumma-clickfix", "-o", "attacked"]) == 0
            arguments = ["attacked" if word == "logs/" else word for word in arguments]
        code = main(arguments)
        reads_fleet = "collected/" in arguments
        assert code == (DAMAGED if reads_fleet else 0), (command, capsysbinary.readouterr().err.decode())
    record = json.loads((desk / "preflight.json").read_text(encoding="utf-8"))
    assert record["verdict"] == "GO"
    for bundle, active in (("bundle-audit", "FALSE"), ("bundle-enforce", "TRUE")):
        readme = (desk / bundle / "README.md").read_text(encoding="utf-8")
        changes = (desk / bundle / "changes.json").read_text(encoding="utf-8")
        assert f"|Active={active}|" in changes
        assert "was ever run on Windows" in readme
    assert (desk / "bundle-enforce" / "preflight.json").read_bytes() == (desk / "preflight.json").read_bytes()


def test_every_state_and_verdict_is_explained() -> None:
    from douse.harden.finding import STATES
    from douse.harden.generate.policy import WORDS
    from douse.harden.preflight.result import VERDICTS

    page = PAGE.read_text(encoding="utf-8")
    for word in (*STATES, *VERDICTS, *WORDS):
        assert f"`{word}`" in page, word
