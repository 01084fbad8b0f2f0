"""A real Chromium for the report's tests: Debian's, driven by playwright, no browser download.

Without either a test is skipped with the reason; with CI=true it fails, as everywhere (tests/conftest.py).
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from douse.hunt.result import HuntResult


@pytest.fixture(scope="session")
def browser(tool: Callable[[str], Path]) -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    for module in ("playwright", "axe_playwright_python"):
        if importlib.util.find_spec(module) is None:
            reason = f"{module} is not installed; run `make setup-e2e`"
            pytest.fail(reason, pytrace=False) if os.environ.get("CI") == "true" else pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium's own sandbox does not start for root, which is who runs CI
        chromium = playwright.chromium.launch(executable_path=tool("chromium"), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page with all its details open; what it asks for and complains about is kept beside it."""
    contexts = []

    def make(path: Path, **options: object) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.asked, page.complaints = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.goto(path.as_uri())
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
        return page

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def write_report(tmp_path: Path) -> Callable[[HuntResult], Path]:
    """Write the HTML report of a result into a file of its own; get the path."""
    from douse.report.document import document
    from douse.report.formats import FORMATS

    def write(result: HuntResult) -> Path:
        path = tmp_path / "report.html"
        path.write_bytes(b"".join(FORMATS["html"].render(document(result))))
        return path

    return write
