"""Write docs/report-desktop.png, -mobile.png and -print.png of the demo's report, and docs/audit-*.png of the sample
fleet's audit: `python tests/e2e/screenshots.py`.

The demo's records are made and hunted anew, and the fleet of the tests is audited, so the pictures show what a user
gets. Only the top of the page is taken,
so that the files stay small. Needs chromium and playwright, and pdftoppm for the print. Look at what it wrote before
you commit it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from douse import api
from douse.report.audit_formats import FORMATS as AUDIT_FORMATS
from douse.report.document import document
from douse.report.formats import FORMATS

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from harden import fleet  # the tests' own

DOCS = Path(__file__).resolve().parents[2] / "docs"
WIDTHS = {"desktop": 1280, "mobile": 390}
HEIGHT = 1750
MAX_BYTES = 400_000


def main() -> None:
    """Take the pictures of both pages into docs/, or into the folder given."""
    folder = (Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        os.chdir(scratch)  # the report names its inputs as they were given: as `make demo` does
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for word, page in (("report", _report(Path(scratch))), ("audit", _audit(Path(scratch)))):
            for name, width in WIDTHS.items():
                _picture(_open(browser, page, width), folder / f"{word}-{name}.png", width)
            _print(_open(browser, page, WIDTHS["desktop"]), page.with_suffix(".pdf"), folder / f"{word}-print.png")
        browser.close()


def _report(folder: Path) -> Path:
    """The report that `make demo` leaves."""
    api.simulate("lumma-clickfix", folder / "demo" / "logs")
    result = api.hunt(api.HuntOptions(paths=("demo/logs",), command_line="douse hunt demo/logs --format html"))
    path = folder / "report.html"
    path.write_bytes(b"".join(FORMATS["html"].render(document(result))))
    return path


def _audit(folder: Path) -> Path:
    """The audit of the sample fleet."""
    fleet.build(folder)
    result = api.audit(api.AuditOptions(("collected",), inventory=Path("hosts.csv"), today=fleet.TODAY, command_line=(
        "douse harden audit collected --inventory hosts.csv --format html")))
    path = folder / "audit.html"
    path.write_bytes(b"".join(AUDIT_FORMATS["html"](result)))
    return path


def _open(browser: Browser, report: Path, width: int) -> Page:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(report.as_uri())
    return page


def _picture(page: Page, target: Path, width: int) -> None:
    page.screenshot(path=target, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": HEIGHT})
    _check(target)


def _print(page: Page, pdf: Path, target: Path) -> None:
    """All pages side by side are too small to read; the first one is what gets judged."""
    page.pdf(path=pdf, format="A4", prefer_css_page_size=True)
    subprocess.run(
        ["pdftoppm", "-png", "-r", "80", "-f", "1", "-l", "1", "-singlefile", pdf, target.with_suffix("")], check=True
    )
    _check(target)


def _check(picture: Path) -> None:
    if picture.stat().st_size > MAX_BYTES:
        sys.exit(f"{picture}: larger than {MAX_BYTES:,} bytes. Take a smaller part of the page (HEIGHT).")


if __name__ == "__main__":
    main()
