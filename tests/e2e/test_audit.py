"""The pages of an audit and of the catalogue in a real browser: from a file, for everyone's eyes, asking nobody."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from douse.content.controls import controls
from douse.harden.audit.run import audit
from douse.harden.finding import Asset, AuditOptions, AuditResult
from douse.harden.gathered import Problem
from douse.report import controls_html
from douse.report.audit_formats import FORMATS
from douse.report.controls import control_rows
from harden import fleet

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.e2e

HOSTILE = "\x1b[31mWS<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">" + "A" * 300


def odd(made: AuditResult) -> AuditResult:
    """The fleet with a stranger's long text in names, owners, notes, values and problems."""
    host = made.hosts[1]
    checks = tuple(replace(one, actual=HOSTILE, why=HOSTILE, cited=tuple(
        replace(cited, value=HOSTILE, where=HOSTILE) for cited in one.cited)) for one in host.findings[0].checks)
    first = replace(host.findings[0], why=HOSTILE, notes=(HOSTILE,), checks=checks)
    changed = replace(host, name=HOSTILE, system=HOSTILE, asset=Asset(HOSTILE, HOSTILE, HOSTILE, HOSTILE),
                      notes=(HOSTILE,), findings=(first, *host.findings[1:]))
    return replace(made, subjects=(changed, *made.subjects), problems=(Problem(HOSTILE, HOSTILE, HOSTILE),),
                   notes=(Problem(HOSTILE, HOSTILE),), command_line=HOSTILE)


def many(made: AuditResult) -> AuditResult:
    """Thirty hosts: counts instead of columns."""
    return replace(made, subjects=(*(replace(made.hosts[n % 4], name=f"PC-{n:04}") for n in range(30)),
                                   *(one for one in made.subjects if one.kind != "host")))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sample fleet, the same with hostile text, a larger one, policies alone, nothing, and the catalogue."""
    folder = tmp_path_factory.mktemp("audit")
    built = fleet.build(folder)
    made = audit(AuditOptions((str(built.evidence),), inventory=built.inventory, today=fleet.TODAY))
    results = {"fleet": made, "odd": odd(made), "many": many(made), "nothing": replace(made, subjects=(), files=()),
               "policy": replace(made, subjects=tuple(one for one in made.subjects if one.kind == "policy"))}
    found = {name: folder / f"{name}.html" for name in (*results, "catalogue")}
    for name, result in results.items():
        found[name].write_bytes(b"".join(FORMATS["html"](result)))
    rows = control_rows(controls())
    rows[0] = {**rows[0], "title": HOSTILE, "cost": HOSTILE, "unverified": HOSTILE}
    found["catalogue"].write_text(controls_html.render(rows), encoding="utf-8")
    return found


NAMES = pytest.mark.parametrize("name", ["fleet", "odd", "many", "nothing", "policy", "catalogue"])


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
    assert page.evaluate("() => document.documentElement.scrollWidth") == width
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []


def test_a_step_leads_to_its_decision_and_a_sentence_to_its_control(open_page, pages: dict[str, Path]) -> None:
    page = open_page(pages["fleet"])
    page.locator("ol.todo a").first.click()
    card = page.locator("#change-H01")
    assert card.is_visible()
    for words in ("missing on", "whose", "costs and breaks", "way back", "enforced only after a pre-flight"):
        assert words in card.inner_text(), words
    page.locator('a[href="#control-H42"]').first.click()
    assert page.locator("#control-H42").is_visible()


def test_print_holds_the_decisions_and_the_evidence_and_fills_its_pages(open_page, pages: dict[str, Path],
                                                                       tmp_path: Path, tool) -> None:
    """No page of the paper is nearly empty but the last, and no setting in place takes room."""
    page = open_page(pages["fleet"], viewport={"width": 1280, "height": 900})
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = false })")
    page.pdf(path=tmp_path / "audit.pdf", format="A4", prefer_css_page_size=True)
    text = subprocess.run([tool("pdftotext"), "-layout", tmp_path / "audit.pdf", "-"], capture_output=True, text=True,
                          check=True, timeout=60).stdout
    sheets = [sum(bool(line.strip()) for line in sheet.splitlines()) for sheet in text.split("\f")[:-1]]
    assert min(sheets[:-1]) >= 25, sheets
    assert len(sheets) < 70
    for words in ("What to decide", "way back", "v2.26|Action=Block", "Nothing here was ever run on Windows"):
        assert words in text, words


def test_without_script_everything_is_there(pages: dict[str, Path], browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["fleet"].as_uri())
    assert page.get_by_text("What to decide").first.is_visible()
    context.close()
