"""The page of a survey in a real browser: from a file, for everyone's eyes, and asking nobody."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from douse.hunt.coverage import coverage
from douse.hunt.coverage_result import CoverageOptions
from douse.report.coverage_formats import FORMATS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.e2e

HOSTILE = "\x1b[31mWS<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">" + "A" * 300


@pytest.fixture(scope="module")
def pages(scenario: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of the matrix, of a good host, and of many odd hosts with hostile names."""
    folder = tmp_path_factory.mktemp("coverage")
    lines = [json.dumps({"Channel": f"Security{HOSTILE}", "EventID": 4624, "Computer": f"{HOSTILE}{number}",
                         "EventRecordID": record * record, "TimeCreated": f"2026-11-{record:02}T09:00:00Z"})
             for number in range(2) for record in range(1, 10)]
    odd = folder / "odd.jsonl"
    odd.write_text("\n".join(lines), encoding="utf-8")
    found = {}
    for name, paths in (("matrix", ()), ("host", (scenario("lumma-clickfix-no-audit"),)),
                        ("odd", (odd, scenario("lumma-clickfix"), folder / "absent"))):
        found[name] = folder / f"{name}.html"
        result = coverage(CoverageOptions(paths=tuple(map(str, paths))))
        found[name].write_bytes(b"".join(FORMATS["html"](result)))
    return found


NAMES = pytest.mark.parametrize("name", ["matrix", "host", "odd"])


@NAMES
def test_it_opens_from_a_file_and_asks_for_nothing_else(name: str, open_page, pages: dict[str, Path]) -> None:
    page = open_page(pages[name])
    page.wait_for_load_state("networkidle")
    assert page.asked == [pages[name].as_uri(), "data:,"][: len(page.asked)]
    assert page.complaints == []
    assert page.title() != "owned"


@NAMES
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(name: str, scheme: str, width: int, open_page,
                                                        pages: dict[str, Path]) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(pages[name], color_scheme=scheme, viewport={"width": width, "height": 900})
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("() => document.documentElement.scrollWidth") == width


def test_a_gap_leads_to_its_setting(open_page, pages: dict[str, Path]) -> None:
    page = open_page(pages["host"], java_script_enabled=True)
    page.locator("ol.todo a").first.click()
    card = page.locator("#setting-security-store-read")
    assert card.is_visible()
    assert "0CCE921D-69AE-11D9-BED3-505054503030" in card.inner_text()
    assert "unverified" in card.inner_text()


def test_without_script_everything_is_there(open_page, pages: dict[str, Path], browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["host"].as_uri())
    assert page.get_by_text("Not logged: reads of credential stores.").first.is_visible()
    context.close()
