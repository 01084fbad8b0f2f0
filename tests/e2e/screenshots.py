"""Write docs/report-desktop.png, -mobile.png and -print.png of the sample report: `python tests/e2e/screenshots.py`.

Needs chromium and playwright, and pdftoppm for the print. Look at what it wrote before you commit it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402 - after the path is set

from douse.report.document import document  # noqa: E402 - after the path is set
from douse.report.html import render  # noqa: E402 - after the path is set
from report import sample  # noqa: E402 - after the path is set

DOCS = TESTS.parent / "docs"


def main() -> None:
    """Take the pictures of the Lumma sample into docs/, or into the folder given."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        report = Path(scratch) / "report.html"
        report.write_text(render(document(sample.lumma())), encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        _picture(_open(browser, report, 1280), folder / "report-desktop.png")
        _picture(_open(browser, report, 390), folder / "report-mobile.png")
        _print(_open(browser, report, 1280), Path(scratch) / "report.pdf", folder / "report-print.png")
        browser.close()


def _open(browser: Browser, report: Path, width: int) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(report.as_uri())
    page.locator(".story details").first.evaluate("details => { details.open = true }")
    return page


def _picture(page: Page, target: Path) -> None:
    page.screenshot(path=target, full_page=True)


def _print(page: Page, pdf: Path, target: Path) -> None:
    """The first three printed pages side by side is too small to read; the first one is what gets judged."""
    page.pdf(path=pdf, format="A4", prefer_css_page_size=True)
    subprocess.run(
        ["pdftoppm", "-png", "-r", "80", "-f", "1", "-l", "1", "-singlefile", pdf, target.with_suffix("")], check=True
    )


if __name__ == "__main__":
    main()
