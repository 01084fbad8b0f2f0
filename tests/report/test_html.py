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
from douse.report.html import MAX_ALERTS, MAX_INCIDENTS, render
from douse.report.views import MAX_STEPS
from report import sample, whole

ROOM = Path(douse.report.__file__).parent
TEMPLATES = sorted((ROOM / "templates").glob("*.j2"))
APART = {"td", "th", "li", "p", "dt", "dd", "caption", "h2", "h3", "h4", "button", "br"}
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
        if tag in APART:
            self.words.append(" ")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, f"</{tag}> closes another tag, line {self.getpos()[0]}"
        if tag in APART:
            self.words.append(" ")

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
    "make", [sample.lumma, sample.empty, sample.weak, sample.hostile, lambda: sample.crowd(300), whole.whole,
             whole.hostile_whole, lambda: whole.fleet(3)],
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


@pytest.mark.parametrize(("make", "tame"), [(sample.hostile, sample.lumma), (whole.hostile_whole, whole.whole)])
def test_hostile_evidence_is_text_with_nothing_hidden(make, tame) -> None:
    text = render(document(make()))
    hidden = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")}
    assert hidden == {"\n"}
    report = Page(text)
    assert '<script>document.title="owned"</script>"><svg onload=' in report.text
    assert "\\x1b[31mred" in report.text
    assert "\\u202egpj.exe" in report.text
    assert "{{ 7*7 }}[bold]\\ud800" in report.text
    assert report.count("svg") == page(tame).count("svg")


def test_the_first_words_are_the_verdict_and_what_to_do() -> None:
    text = page().text
    order = [
        "critical", "2 incidents on 2 hosts", "Infostealer incident: pasted command",
        "Someone was led to paste a command", "What to do first", "Isolate WS-FIN-07 from the network now",
        sample.HOST, "unattributed infostealer", "What happened", "Delivery and first execution", "Timeline",
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
    for words in (sample.CHROME_LOGINS, "*\\Login Data", "event 4663 (object accessed), record 4410296",
                  "All 9 fields of the event",
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


def section(text: str, name: str) -> str:
    """The words of one part of the worst incident's chapter."""
    start = text.index(f'<section class="part part-{name}"')
    end = text.find('<section class="part', start + 1)
    return Page(text[start:text.rindex("</section>", start, end) + len("</section>")]).text


def test_the_first_screen_answers_how_sure_and_what_was_taken() -> None:
    first = page(whole.whole).text.partition("This report is partial")[0]
    for words in ("How sure are we? Very sure: 7 kinds of evidence agree, in 12 alerts.",
                  "6 questions stay open, for lack of logs.",
                  "opened Exodus, Chrome and Firefox, with passwords, wallet seeds and keys.",
                  "Counts as stolen too, as its reads are not logged: Outlook.",
                  "Not known, as its reads are not logged: OpenVPN and Edge.", "Possible exfiltration (bytes unknown).",
                  "All 7 steps, in order"):  # fmt: skip
        assert words in first
    assert not re.search(r"sigma|rule|T1\d{3}|\bS\d\b", first.partition("What happened")[0], re.IGNORECASE)


def test_what_was_taken_is_told_for_each_user_in_every_state() -> None:
    text = section(render(document(whole.whole())), "taken")
    assert "CORP\\m.keller access seen: 3, counts as stolen: 1, not known: 1, no access seen: 1" in text
    assert text.index(sample.USER) < text.index(whole.OTHER_USER), "who lost most comes first"
    assert "Chrome access seen passwords, keys also there, access not seen: signed-in sessions, payment" in text
    assert "Outlook counts as stolen passwords, mail" in text
    assert "path unverified" in text


def test_the_rotation_is_a_list_of_boxes_in_the_order_of_doing() -> None:
    text = render(document(whole.whole()))
    told = section(text, "change")
    order = ["Sessions", "Wallets", "Passwords", "To look through"]
    assert [told.index(word) for word in order] == sorted(told.index(word) for word in order)
    for entry in whole.LONG_ENTRIES:
        assert entry in told
    report = Page(text)
    boxes = [attrs["id"] for tag, attrs in report.tags if tag == "input" and attrs.get("type") == "checkbox"]
    assert set(boxes) <= set(report.values("for")), "every box has its label"
    assert len(boxes) == 6 + 3 + 7  # things to change, entries by name, steps of the plan


def test_the_same_words_are_said_once_for_several_products() -> None:
    base = whole.whole()
    first = base.incidents[0]
    twice = replace(first, rotation=(*first.rotation, replace(first.rotation[1], products=("Edge",), basis="presumed")))
    told = section(render(document(replace(base, incidents=(twice,)))), "change")
    assert told.count("Sign out everywhere") == 1
    assert "Chrome, Firefox CORP\\m.keller access seen Edge CORP\\m.keller counts as stolen" in told


def test_the_plan_names_steps_controls_and_lessons() -> None:
    text = render(document(whole.whole()))
    plan = section(text, "todo")
    phases = ("Now: contain", "Then: remove it", "Then: recover", "Afterwards: prevent")
    assert [plan.index(word) for word in phases] == sorted(plan.index(word) for word in phases)
    assert "Let nobody start mshta.exe. because of step 2 H01 H06" in plan
    assert "L99" not in plan, "a lesson that the incident does not have leads nowhere"
    controls = section(text, "controls")
    assert "step 2 H01 Keep mshta.exe off the network What to know of H01. stops it mshta.exe connected" in controls
    assert "makes it visible" in controls
    assert "For CORP\\m.keller, IT staff Sessions were within reach." in section(text, "lessons")


def test_indicators_are_defanged_for_eyes_and_raw_for_copying() -> None:
    text = render(document(whole.whole()))
    told = section(text, "indicators")
    assert "hxxps[:]//verify-human[.]example/s/7f3a.mp4" in told
    assert "t[.]me Copy dead drop RegAsm.exe (8456) do not block A public site" in told
    copied = Page(text).values("data-copy")
    assert copied == [row[1] for row in whole._INDICATORS]
    blocked = [attrs["data-copy"] for _, attrs in Page(text).tags if "data-block" in attrs]
    assert blocked == [row[1] for row in whole._INDICATORS if row[3]]


def test_the_family_stands_with_what_speaks_against_it() -> None:
    told = section(render(document(whole.whole())), "family")
    for words in ("LummaC2", "medium", "HijackLoader (low)", "Vidar and StealC", "What speaks for a family",
                  "(alert 3)", "unverified", "Vidar, LummaC2 behaviour t.me was asked",
                  "What speaks against one Vidar protocol It asks t.me too."):  # fmt: skip
        assert words in told


def test_attack_is_told_by_tactic_and_by_stage() -> None:
    told = section(render(document(whole.whole())), "attack")
    assert "Process Injection T1055 Thread Execution Hijacking .003 seen step 5" in told
    assert "Credential Access" in told
    assert "Execution TA0002 T1204.004 1 alert T1059.001 1 alert –" in told


def test_the_tree_says_what_was_seen_of_each_process_and_why_an_edge_is_odd() -> None:
    told = section(render(document(whole.whole())), "tree")
    assert "why started by a typed or pasted command" in told
    assert "high Browser password store read by a process that does not own it × 2" in told
    assert "start not seen" in told


def test_a_computer_without_usable_telemetry_is_never_called_clean() -> None:
    text = page(whole.whole).text
    assert "SRV-OLD.corp.example no usable telemetry – 0 0 – no record was read" in text
    assert "WS-IT-01.corp.example no finding" in text
    assert not re.search(r"\bclean\b(?!-up| device| computer| image)", text, re.IGNORECASE)


def test_several_incidents_share_one_line_of_time_and_can_be_filtered() -> None:
    report = page(lambda: whole.fleet(10))
    assert "All incidents in time" in report.text
    assert "incident-list" in report.values("data-filter")
    assert {f"#incident-{n}" for n in range(1, 11)} <= set(report.values("href"))


def test_a_document_without_the_later_keys_still_renders() -> None:
    text = Page(render(whole.old())).text
    assert "Infostealer incident: pasted command" in text
    assert "Password stores were accessed; the steps below name them." in text
    for part in ("What was taken What", "Indicators", "What to change", "Computers Worst first"):
        assert part not in text


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
