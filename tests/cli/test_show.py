"""The screen of a hunt: what it says, that evidence cannot act in a terminal, and when there is colour."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import unicodedata
from dataclasses import replace

import pytest
from rich.cells import cell_len

from douse.cli.show import hunt_table, hunt_table_bytes
from douse.hunt.fleet import HostView
from douse.hunt.result import HuntResult
from douse.model import AssignedLesson, BreakingControl, Indicator, Rotation, StoreImpact
from douse.report.document import document
from report import sample

SGR = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _neutral(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def screen(make=sample.lumma, width: int = 80, color: str = "auto", stream: io.StringIO | None = None) -> str:
    target = io.StringIO() if stream is None else stream
    hunt_table(document(make()), target, color=color, width=width)
    return target.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_screen_of_an_incident(golden, width: int) -> None:
    golden(f"show_lumma_{width}.txt", screen(width=width))


def test_the_screen_of_nothing_found(golden) -> None:
    golden("show_empty_80.txt", screen(sample.empty))


def test_the_screen_in_ascii(golden) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", errors="strict", newline="\n")
    hunt_table(document(sample.lumma()), stream, width=80)
    stream.flush()
    golden("show_lumma_80_ascii.txt", raw.getvalue().decode("ascii"))


def test_verdict_first_steps_story_tree_and_gaps_come_in_this_order() -> None:
    text = screen(width=120)
    parts = ["CRITICAL", "Someone was led to paste", "What to do first", "Stage 1  Delivery", "Stage 2  Script",
             "Stage 3  Injection", "Possible exfiltration (bytes unknown)", "Processes", "Why critical",
             "What could not be seen", "Other incidents", "Summary", "This result is partial"]  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_the_screen_holds_the_evidence() -> None:
    text = screen(width=120)
    for words in (sample.EXODUS_SEED, "203.0.113.44:443",
                  "RegAsm.exe 8456, injected by powershell.exe [5-9]",
                  "8,353 read, 2,410 asked for by no rule, 41 lost", "13: 9 high, 3 medium, 1 low", "1.8 s",
                  "unknown modifier 'startwith' on Image. Did you mean 'startswith'?"):  # fmt: skip
        assert words in text


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("make", [sample.lumma, sample.hostile, sample.empty])
def test_no_line_is_wider_than_asked(make, width: int) -> None:
    assert max(cell_len(line) for line in screen(make, width).split("\n")) <= width


@pytest.mark.parametrize("color", ["auto", "never", "always"])
def test_hostile_evidence_is_inert(color: str) -> None:
    text = screen(sample.hostile, color=color)
    if color == "always":
        assert SGR.search(text)
        text = SGR.sub("", text)
    hidden = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")}
    assert hidden == {"\n"}
    joined = re.sub(r"\s+", "", text)
    assert "\\x1b[31mred\\x1b]8;;http://192.0.2.1/" in joined
    assert "\\u202egpj.exe" in joined
    assert "[bold]\\ud800" in joined, "rich markup in evidence must be shown, not obeyed"


def test_evidence_that_the_encoding_cannot_say_is_written_out() -> None:
    alert = replace(sample.lumma().incidents[0], title="Müller → 世界")
    stream = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", errors="strict")
    hunt_table(document(replace(sample.lumma(), incidents=(alert,))), stream, width=80)
    stream.flush()
    raw = stream.buffer.getvalue().decode("cp1252")
    assert "Müller \\u2192 \\u4e16\\u754c" in raw


def test_colour_only_on_a_terminal() -> None:
    assert "\x1b" not in screen()
    assert "\x1b[" in screen(stream=Terminal())
    assert "\x1b" not in screen(stream=Terminal(), color="never")
    assert "\x1b[" in screen(color="always")


@pytest.mark.parametrize(
    ("name", "value", "colorful"),
    [("NO_COLOR", "1", False), ("NO_COLOR", "", True), ("TERM", "dumb", False), ("FORCE_COLOR", "1", True)],
)
def test_the_environment_decides_about_colour(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, colorful: bool
) -> None:
    monkeypatch.setenv(name, value)
    assert ("\x1b" in screen(stream=Terminal())) is colorful
    assert ("\x1b" in screen()) is (name == "FORCE_COLOR")


def test_no_color_wins_over_force_color_and_the_option_over_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in screen(stream=Terminal())
    assert "\x1b" in screen(stream=Terminal(), color="always")


def test_colour_changes_no_word() -> None:
    plain, colored = screen(), SGR.sub("", screen(color="always"))
    assert [line.rstrip() for line in colored.split("\n")] == plain.split("\n")


def test_a_file_gets_utf8_of_one_width_without_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    text = b"".join(hunt_table_bytes(document(sample.lumma()), to_file=True)).decode("utf-8")
    assert text == screen(width=120)


def test_standard_output_gets_its_own_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="cp437"))
    raw = b"".join(hunt_table_bytes(document(sample.lumma())))
    assert "`- RegAsm.exe 8456, injected by powershell.exe [5-9]" in raw.decode("cp437")


def test_the_width_comes_from_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    stream = io.StringIO()
    hunt_table(document(sample.lumma()), stream)
    assert "─" * 72 + "\n" in stream.getvalue()
    assert "─" * 73 not in stream.getvalue()


def test_long_lists_are_cut_and_say_so() -> None:
    base = sample.lumma()
    first = base.incidents[0]
    many = replace(
        base,
        incidents=(
            replace(first, processes=first.processes * 9, next_steps=first.next_steps * 2, steps=first.steps * 4),
            *(base.incidents[1:] * 14),
        ),
        problems=base.problems * 6,
    )
    text = screen(lambda: many)
    assert "and 42 more processes; --format html has all" in text
    assert "and 34 more steps; --format html has all" in text
    assert "and 3 more gaps; --format html has all" in text
    assert "and 4 more incidents; --format json has all" in text
    assert "and 5 more steps; --format html has all" in text
    assert "and 4 more problems; --format json has all" in text


def test_remarks_on_the_evidence_are_shown() -> None:
    noted = replace(sample.lumma(), notes=("times were corrected by \x1b[31m+8 h",))
    assert "times were corrected by \\x1b[31m+8 h" in screen(lambda: noted)


def test_weak_signs_alone_open_the_screen_without_alarm(golden) -> None:
    text = screen(sample.weak)
    golden("show_weak_80.txt", text)
    assert text.startswith(" WEAK SIGNS  Only weak signs in the telemetry read")
    assert "infostealer" not in text


def test_a_family_is_named_only_from_medium_on() -> None:
    low = replace(sample.lumma().incidents[0], level="low")
    assert "Family" in screen()
    assert "Family" not in screen(lambda: replace(sample.lumma(), incidents=(low,)))


def test_single_alerts_are_listed_when_there_is_no_incident() -> None:
    text = " ".join(screen(lambda: replace(sample.lumma(), incidents=())).split())
    assert "No incident found in the telemetry read" in text
    assert "13 single alerts below" in text
    assert "Wallet file read by a process that does not own it" in text


def test_finding_nothing_is_never_called_clean() -> None:
    assert not re.search(r"\bclean\b", screen(sample.empty), re.IGNORECASE)


def test_importing_the_screen_does_not_import_rich() -> None:
    program = "import json, sys; import douse.cli.show; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert not {"rich", "jinja2", "msgspec"} & set(json.loads(done.stdout))


# ── what is answered about an incident, and the fleet ──────────────────────────────────────────────────


def answered() -> HuntResult:
    """The lumma result with everything that is answered about its incident, and a fleet."""
    base = sample.lumma()
    first = base.incidents[0]
    user, when = first.users[0], first.first_seen

    def store(product: str, state: str, holds: tuple[str, ...], who: str = user) -> StoreImpact:
        return StoreImpact("x", "chromium", product, state, who, holds, ("history",), "RegAsm.exe", None, None, (), "",
                           True)

    def change(what: str, product: str, basis: str = "observed", entries: tuple[str, ...] = ()) -> Rotation:
        return Rotation(what, "Change it.", (product,), (user,), basis, entries, ())

    def control(number: str, title: str, effect: str, step: int) -> BreakingControl:
        return BreakingControl(number, title, "A takeaway.", effect, step, f"Why {number} acts.", (), True)

    def indicator(kind: str, value: str, block: bool) -> Indicator:
        return Indicator(kind, value, "c2", block, "", when, when, "RegAsm.exe", ())

    def host(name: str, state: str, level: str = "", missing: tuple[str, ...] = (), records: int = 9) -> HostView:
        ids = (first.incident_id,) if state == "incident" else ()
        return HostView(name, state, level, ids, {}, records, when, when, missing)

    incident = replace(
        first,
        stores=(store("Exodus", "observed", ("seed",)), store("Chrome", "observed", ("passwords", "sessions")),
                store("Firefox", "presumed", ("passwords",)), store("Edge", "untouched", ("passwords",), "CORP\\ben")),
        rotation=(change("seed", "Exodus"), change("sessions", "Chrome"), change("sessions", "Firefox", "presumed"),
                  change("passwords", "Chrome"), change("passwords", "Vault", "named", ("https://mail.example/",))),
        controls=(*(control(f"H0{n}", f"Control {n}", "limits", 1) for n in range(1, 6)),
                  control("H11", "No Run dialog for standard users", "stops", 1),
                  control("H06", "Let nobody start mshta.exe", "stops", 2),
                  control("H43", "Log reads of credential stores", "shows", 4)),
        lessons=(AssignedLesson("L04", "Pages that tell you to paste", "Close it.", (user,), "A paste.", (1,)),),
        indicators=(indicator("url", "https://verify-human.example/a", True),
                    indicator("domain-name", "t.me", False)))
    hosts = (host("WS-FIN-07", "incident", "critical"), host("WS-HR-02", "weak signs", "low"),
             *(host(f"WS-{n:02}", "no finding", missing=("Process starts", "DNS", "Registry")) for n in range(20)),
             *(host(f"SRV-{n}", "no usable telemetry", records=0) for n in range(6)))
    return replace(base, incidents=(incident, *base.incidents[1:]), hosts=hosts)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_screen_of_an_incident_with_its_answers(golden, width: int) -> None:
    text = screen(answered, width)
    golden(f"show_answered_{width}.txt", text)
    assert max(cell_len(line) for line in text.split("\n")) <= width


def test_what_to_do_and_what_was_taken_come_before_the_story() -> None:
    text = screen(answered)
    parts = ["What to do first", "What was taken", "What to change, in this order", "What happened", "Processes",
             "What would have broken it", "Who should learn what", "What to block", "What could not be seen",
             "Other incidents", "Hosts:", "Summary"]  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert text.index("What was taken") < text.index("\n" * 2 + "What happened")
    assert len(text[: text.index("What was taken")].split("\n")) <= 40, "the first screen"


def test_how_sure_it_is_that_something_was_taken_is_said() -> None:
    text = " ".join(screen(answered, 120).split())
    assert "accessed CORP\\m.keller: Exodus (seed); Chrome (passwords, sessions)" in text
    assert "presumed CORP\\m.keller: Firefox (passwords)" in text
    assert "untouched CORP\\ben: Edge (passwords)" in text
    assert "Presumed: reads were not logged, count it as stolen; untouched: reads were logged" in text
    assert "unknown:" not in text
    assert "[ ] sign out everywhere Chrome and Firefox (presumed)" in text
    assert "[ ] passwords by name: https://mail.example/" in text


def test_nobody_can_click_on_an_address_to_block() -> None:
    block = screen(answered).partition("What to block")[2].partition("What could not be seen")[0]
    assert "hxxps[:]//verify-human[.]example/a" in block
    assert not re.search(r"https://|t\.me", block)
    assert "and 1 more indicator; --format html has all" in block


def test_controls_that_stop_it_are_not_crowded_out() -> None:
    broken = screen(answered).partition("What would have broken it")[2].partition("Who should")[0]
    assert "1 stops  H11 No Run dialog" in broken
    assert "2 stops  H06" in broken
    assert "and 2 more controls" in broken
    assert "Whether one was in force is not in the logs." in broken


def test_hosts_that_could_not_be_judged_are_always_among_those_shown() -> None:
    fleet = screen(answered).partition("Hosts:")[2].partition("Summary")[0]
    said = " 1 with an incident, 1 with weak signs, 20 without a finding, 6 without usable telemetry"
    assert " ".join(fleet.split()).startswith(said.strip())
    assert fleet.index("critical incident") < fleet.index("weak signs  ") < fleet.index("no usable telemetry")
    assert "SRV-0  no record" in fleet
    assert "and 16 more hosts" in fleet
    assert "No usable telemetry is no good news" in " ".join(fleet.split())


def test_a_single_host_that_could_be_judged_needs_no_table() -> None:
    base = answered()
    one = replace(base, hosts=base.hosts[:1])
    assert "Hosts:" not in screen(lambda: one)
    assert "Hosts:" in screen(lambda: replace(base, hosts=base.hosts[-1:]))


def test_the_theft_is_told_even_where_there_is_no_room_for_all() -> None:
    base = sample.lumma()
    first = base.incidents[0]
    lead, theft = replace(first.steps[0], level="medium"), replace(first.steps[6], level="medium", evidence_class="C")
    many = replace(base, incidents=(replace(first, steps=(lead,) * 30 + (theft,)),))
    assert "Chrome's saved passwords were read" in screen(lambda: many)


def test_a_document_of_an_older_version_is_shown_without_its_answers() -> None:
    old = document(answered())
    for row in old["incidents"]:
        for key in ("stores", "rotation", "controls", "lessons", "indicators", "plan"):
            del row[key]  # type: ignore[misc] # as it was before they existed
    del old["hosts"]  # type: ignore[misc] # the same
    stream = io.StringIO()
    hunt_table(old, stream, width=80)
    assert "What to do first" in stream.getvalue()
    assert "What was taken" not in stream.getvalue()


def test_hostile_answers_are_inert() -> None:
    poisoned = sample._poison(answered())
    text = screen(lambda: poisoned)
    assert {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")} == {"\n"}
    assert max(cell_len(line) for line in text.split("\n")) <= 80
