"""The table of an audit on narrow and wide terminals, without colours, and with more hosts than it has columns for."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import UTC, date, datetime

import pytest

from douse.cli.main import main
from douse.cli.show_audit import MAX_COLUMNS, audit_table
from douse.content.controls import controls
from douse.harden.audit.inventory import Inventory
from douse.harden.audit.run import judged
from douse.harden.finding import AuditOptions, AuditResult
from douse.harden.gathered import Evidence
from douse.harden.observed import Subject
from harden import makers as m

EDGE = r"SOFTWARE\Policies\Microsoft\Edge"
SOME = [control for control in controls() if control.id in ("H03", "H29", "H32")]


def result(hosts: int) -> AuditResult:
    """Hosts of which one value is known; the last has it as it should be."""
    evidence = Evidence()
    for number in range(hosts):
        host: Subject = evidence.host(f"PC-{number:03}")
        m.reg("HKLM", EDGE, "SmartScreenEnabled", int(number == hosts - 1))(host)
    return judged(evidence, SOME, Inventory(), AuditOptions(("x",), today=date(2026, 11, 24)),
                  datetime(2026, 11, 24, tzinfo=UTC))


def shown(hosts: int, width: int | None = None, encoding: str = "utf-8") -> str:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    return audit_table(result(hosts), color="never", stream=stream, width=width).decode(encoding)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal_but_a_command(width: int) -> None:
    for line in shown(3, width).splitlines():
        assert len(line) <= width or line.startswith("douse harden ")


def test_of_many_hosts_the_worst_have_a_column_and_the_rest_is_counted() -> None:
    text = shown(MAX_COLUMNS + 12)
    assert "and 12 more hosts" in text
    assert f"PC-{MAX_COLUMNS + 11:03}" not in text.split("Controls")[1].split("H03")[0]  # the best of them
    assert "x" * MAX_COLUMNS in text


def test_in_a_file_every_host_that_has_no_column_is_still_told() -> None:
    text = shown(MAX_COLUMNS + 12, 120)
    assert f"Host PC-{MAX_COLUMNS + 10:03}" in text


def test_plain_ascii_where_the_terminal_has_nothing_else() -> None:
    assert shown(2, 80, "ascii").isascii()


@pytest.mark.parametrize("verb", ["collect-script", "audit", "for"])
def test_help_has_examples_and_codes_and_loads_nothing_heavy(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["harden", verb, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"douse harden {verb}" in text.partition("Examples:")[2]
    assert "Exit codes:" in text
    program = (f"import sys\nfrom douse.cli.main import main\nmain(['harden', '{verb}', '--help'])\n"
               "print(sorted({'yaml', 'rich', 'jinja2', 'evtx', 'msgspec'} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def test_hosts_of_which_the_same_is_to_be_said_share_a_line() -> None:
    asked = shown(60, 100).split("Controls")[0]
    assert asked.count("PC-000") == 1
    assert asked.count("Not known") + asked.count("unknown") < 10, asked
    assert "PC-059" in asked  # in a file every host is named
    assert "PC-059" not in shown(60).split("Controls")[0]
    assert "and 55 more" in shown(60)
