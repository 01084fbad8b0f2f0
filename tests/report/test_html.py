"""The report as a file: well formed, bound by its policy, navigable, and inert whatever the evidence says."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import douse.report
from douse.report.document import document
from douse.report.html import MAX_ALERTS, MAX_INCIDENTS, MAX_STEPS, render
from report import sample

ROOM = Path(douse.report.__file__).parent
TEMPLATES = sorted((ROOM / "templates").glob("*.j2"))
VOID = {"meta", "link", "br", "input", "path", "rect", "circle", "col"}


class Page(HTMLParser):
    """Reads a page and remembers what the tests ask about; complains about tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"an attribute twice on <{tag}>"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, f"</{tag}> closes another tag, line {self.getpos()[0]}"

    def handle_data(self, data: str) -> None:
        if not {"script", "style"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.words))

    def values(self, attribute: str) -> list[str]:
        return [attrs[attribute] or "" for _, attrs in self.tags if attribute in attrs]

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


def page(make=sample.lumma) -> Page:
    return Page(render(document(make())))


ALL = pytest.mark.parametrize(
    "make", [sample.lumma, sample.empty, sample.weak, sample.hostile, lambda: sample.crowd(300)]
)


@ALL
def test_ids_are_unique_and_every_reference_has_its_target(make) -> None:
    report = page(make)
    ids = report.values("id")
    assert len(ids) == len(set(ids))
    targets = {href[1:] for href in report.values("href") if href.startswith("#")}
    labels = {name for value in report.values("aria-labelledby") for name in value.split()}
    assert targets | labels | set(report.values("for")) <= set(ids)


@ALL
def test_headings_are_in_order(make) -> None:
    levels = [int(tag[1]) for tag, _ in page(make).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))


@ALL
def test_nothing_is_fetched_and_nothing_is_inline(make) -> None:
    report = page(make)
    assert set(report.values("href")) - {"data:,"} == {href for href in report.values("href") if href[0] == "#"}
    for attribute in ("src", "style", "srcset", "action", "background", "data"):
        assert report.values(attribute) == []
    assert not [name for _, attrs in report.tags for name in attrs if name.startswith("on")]
    assert report.count("script") == report.count("style") == 1
    assert not {"img", "iframe", "object", "embed", "base"} & {tag for tag, _ in report.tags}


@ALL
def test_the_policy_names_style_and_script_by_hash(make) -> None:
    text = render(document(make()))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].replace("&#39;", "'").split(";"))
    for element, rule in (("style", "style-src"), ("script", "script-src")):
        content = re.search(f"<{element}>(.*?)</{element}>", text, re.DOTALL)
        assert content
        digest = base64.b64encode(hashlib.sha256(content[1].encode()).digest()).decode()
        assert rules.pop(rule) == f"'sha256-{digest}'"
    assert rules == {"default-src": "'none'", "img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}
    assert text.index("Content-Security-Policy") < text.index("<style>") < text.index("<script>")


def test_hostile_evidence_is_text_with_nothing_hidden() -> None:
    text = render(document(sample.hostile()))
    hidden = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")}
    assert hidden == {"\n"}
    report = Page(text)
    assert '<script>document.title="owned"</script>"><svg onload=' in report.text
    assert "\\x1b[31mred" in report.text
    assert "\\u202egpj.exe" in report.text
    assert "{{ 7*7 }}[bold]\\ud800" in report.text
    assert report.count("svg") == page().count("svg")


def test_the_first_words_are_the_verdict_and_what_to_do() -> None:
    text = page().text
    order = [
        "critical", "2 incidents on 2 hosts", "Infostealer incident: pasted command",
        "Someone was led to paste a command", sample.HOST, "unattributed infostealer", "What to do first",
        "Isolate WS-FIN-07 from the network now", "What happened", "Delivery and first execution", "Timeline",
        "Processes",
        "How the level was reached", "What could not be seen", "Further incidents", "Telemetry read", "All alerts",
        "Losses and rejected rules", "Provenance", "Glossary",
    ]  # fmt: skip
    places = [
        text.index(words, text.index("Skip to the report")) for words in order if words not in ("Timeline", "Processes")
    ]
    assert places[:9] == sorted(places[:9])
    assert all(words in text for words in order)


def test_a_step_holds_its_evidence() -> None:
    text = render(document(sample.lumma()))
    step = text[text.index('id="incident-1-step-7"') : text.index('id="incident-1-step-8"')]
    told = Page(f"<main><ol><li {step.removesuffix('<li ')}</ol></main>").text
    for words in (sample.CHROME_LOGINS, "*\\Login Data", "event 4663 (object accessed), record 4410296", "AccessMask",
                  sample.EVTX, "fidelity 1.0", "T1555.003 Credentials from Web Browsers"):  # fmt: skip
        assert words in told


def test_an_inferred_step_names_its_record() -> None:
    assert (
        "inferred No rule fired; the proof is Microsoft-Windows-Sysmon/Operational event 3, record 88331."
        in page().text
    )


def test_a_step_whose_alerts_are_left_out_says_so() -> None:
    base = sample.lumma()
    strong = replace(base, alerts=tuple(alert for alert in base.alerts if alert.level == "high"))
    assert "Proven by 1 alert weaker than the level that this result was limited to." in page(lambda: strong).text


def test_the_report_says_how_it_was_made_and_what_it_missed() -> None:
    text = page().text
    for words in ("This report is partial.", "41 records could not be read", "rules/local/store_read.yml:14",
                  "douse hunt case-0412 --format html -o report.html", "sha256:77d1c6e0", "9f2c4b1de0a7c9e2",
                  "not computed", "unverified: not compared with the vendor's documentation",
                  "S5 Theft with outbound transfer", "177.5"):  # fmt: skip
        assert words in text


def test_finding_nothing_is_never_called_clean() -> None:
    text = page(sample.empty).text
    assert "No incident found in the telemetry read" in text
    assert "What could not be judged" in text
    assert "Whether passwords in the Credential Manager were read." in text
    assert not re.search(r"\bclean\b(?!-up)", text, re.IGNORECASE)


def test_weak_signs_alone_open_the_report_without_alarm() -> None:
    report = page(sample.weak)
    first = report.text.partition("Weak signs What could")[0].partition("Not judged")[0]
    assert "Only weak signs in the telemetry read" in first
    assert "One thing in them is worth a look; nothing adds up to an intrusion. This is no proof" in first
    assert "Ask j.ortiz what was installed." in first
    assert "7zFM.exe started setup.exe from its temporary folder" in report.text
    assert "unattributed infostealer" not in report.text
    assert "first nothing" in report.values("class")


def test_a_family_is_named_only_from_medium_on() -> None:
    low = replace(sample.lumma().incidents[0], level="low")
    assert "unattributed infostealer" in page().text
    assert "unattributed infostealer" not in page(lambda: replace(sample.lumma(), incidents=(low,))).text


def test_alerts_without_an_incident_are_mentioned() -> None:
    lonely = replace(sample.lumma(), incidents=())
    assert "13 single alerts below belong to none" in page(lambda: lonely).text


def test_no_telemetry_at_all_is_said() -> None:
    nothing = replace(sample.empty(), coverage=(), blind_spots={})
    assert "No telemetry was read, so nothing could be judged." in page(lambda: nothing).text


def test_long_lists_are_cut_and_say_so() -> None:
    base = sample.crowd(MAX_ALERTS)
    many = replace(base, incidents=base.incidents * (MAX_INCIDENTS // 2 + 1))
    text = render(document(many))
    assert f"Only the first {MAX_ALERTS:,} are listed here" in text
    assert "And 2 further incidents; the JSON output has all." in text
    assert text.count('<li data-level="') == MAX_ALERTS


def test_a_long_story_is_cut_and_says_so() -> None:
    base = sample.lumma()
    long = replace(base.incidents[0], steps=base.incidents[0].steps * 40)
    text = render(document(replace(base, incidents=(long,))))
    assert text.count('id="incident-1-step-') == MAX_STEPS
    assert "And 140 weaker or later steps; the JSON output has all." in text


def test_many_steps_to_take_leave_the_first_screen_short() -> None:
    base = sample.lumma()
    many = replace(base.incidents[0], next_steps=tuple(f"Do thing {n}." for n in range(1, 12)))
    report = page(lambda: replace(base, incidents=(many,)))
    assert "All 11 steps, in order" in report.text
    assert report.text.count("Do thing 5.") == 2
    assert report.text.count("Do thing 6.") == 1


def test_alert_lists_stay_small_enough_to_open_at_once() -> None:
    assert len(render(document(sample.crowd(500)))) < 2_000_000


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_never_switch_escaping_off(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"\|\s*safe\b|autoescape|Markup", text)
    assert not re.search(r"""\s(on\w+|style)\s*=""", text)
    for value in re.findall(r"=(\S*\{\{)", text):
        assert value.startswith(('"', "'")) or "data-print" in value, "an attribute's value must be quoted"


def test_only_our_two_files_and_the_block_filter_make_markup() -> None:
    made = [
        (path.name, line.strip())
        for path in sorted(ROOM.rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r"\b(Markup|escape)\(", line)
    ]
    assert [name for name, _ in made] == ["html.py"] * 3
    assert [line.split("#")[0].strip() for _, line in made] == [
        "style=Markup(style),",
        "script=Markup(script),",
        'return escape(clean(text.replace("\\r\\n", "\\n"), multiline=True))',
    ]
