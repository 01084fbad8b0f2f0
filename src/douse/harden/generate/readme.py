"""README.md of a bundle: for the administrator who was not there when it was made. A Policy in, Markdown out.

What is in it, in which order it goes out, how to stop it and take it back, what was never tried, what is not set and
why, and what each control costs and misses. Nothing of it comes from evidence: values found before stand in
changes.json and in undo files alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import quote

from douse.content.controls import Control
from douse.content.settings import (
    AppControlSetting,
    AppLockerSetting,
    AsrSetting,
    AuditSetting,
    ChannelSetting,
    FeatureSetting,
    RegistrySetting,
    ServiceSetting,
    Setting,
)
from douse.harden.generate.changes import wanted_state
from douse.harden.generate.formats import FORMATS, unsaid
from douse.harden.generate.policy import BundleFile, GoRecord, Policy
from douse.harden.generate.realise import CONNECTIONS
from douse.harden.generate.undo import LEAVE, good_already, undone, user_profiles
from douse.harden.preflight.result import DAYS
from douse.text import code, markdown

RINGS = (("1", "the IT department", "3 days"), ("2", "5 % of the computers, from every department", "7 days"),
         ("3", "all others", ""))
LONGEST_REASON = 2_000
NEVER_RUN = ("Nothing in this bundle was ever run on Windows by the project that made it. The files follow the "
             "vendors' specifications and real policies, other programs read them back in its tests, and a model of a "
             "computer is hardened with them. Ring 1 is where Windows sees them first.")
_STOPS = {"gpo": "unlink the GPO, then `gpupdate /force`", "intune": "remove the assignment of the profiles",
          "powershell": "`powershell\\undo.ps1 -Execute`", "pol": "the files below `pol\\undo`",
          "reg": "`reg import reg\\undo.reg`"}
"""How each format that can refuse something is stopped at once."""

_AUDIT_BY_GPO = ("**Audit subcategories**: a computer on which any GPO sets them may lose those that no GPO sets, the "
                 "defaults such as Logon too (not verified by us). Compare `auditpol /get /category:*` before and "
                 "after on ring 1, and have one GPO set all that you need. Leave *Audit: Force audit policy "
                 "subcategory settings* enabled, else old category settings win.")
_MODE_GOES = ("AppLocker: a collection whose mode is removed while rules of others are still in it is **enforced** by "
              "Windows. Where a computer has other AppLocker rules, set its mode again yourself.")
_SIGNS = re.compile(r"([*_<`\[\]|])")


def readme(policy: Policy, words: Sequence[str], files: Sequence[BundleFile]) -> str:
    """The text of README.md, from the policy, the formats and the files of the bundle."""
    parts = (_head(policy), _order(policy), _kill_switch(words), _weaker(policy), _preflight(policy),
             _deployment(policy, words), _taking_back(policy, words), _untried(policy), _controls(policy),
             _not_set(policy, words), _contents(files))
    return "\n".join(line for part in parts for line in part).rstrip("\n") + "\n"


def _head(policy: Policy) -> Iterator[str]:
    whose = f" for {markdown(policy.site.organisation)}" if policy.site.organisation else ""
    yield from (f"# Hardening against infostealers{whose}", "")
    if policy.mode == "audit":
        yield from (("**Mode audit: nothing here refuses anything.** It switches on what records, and writes rules "
                     "that only watch."), "")
    else:
        yield from ("**Mode enforce: this refuses things.** Send it out ring by ring, after the audit bundle.", "")
    yield from ((f"Made by Douse {policy.version}; profile `{policy.profile}`; controls "
                f"{', '.join(control.id for control in policy.controls)}."), "", NEVER_RUN, "",
                ("Check the files first: `sha256sum -c SHA256SUMS`, or in PowerShell "
                "`Get-FileHash README.md` and so on."), "")


def _contents(files: Sequence[BundleFile]) -> Iterator[str]:
    yield from ("## What is in it", "", "| file | what it is |", "|---|---|")
    yield from (f"| [{_ours(str(file.path))}]({quote(str(file.path))}) | {_ours(file.about)} |" for file in files)
    yield from ("| [changes.json](changes.json) | Every value: what it was, what it becomes, what an undo does. |",
                "| SHA256SUMS | The digest of every file. |", "")


def _order(policy: Policy) -> Iterator[str]:
    yield from ("## In which order", "",
                "1. **Audit.** Deploy the bundle of mode audit to ring 1, then 2, then 3. " + _watch(policy),
                ("2. **Pilot.** Generate mode enforce, and deploy it to ring 1. Go on to the next ring when nobody was "
                "hurt for the ring's days."),
                "3. **Enforce.** Ring 3 gets what ring 2 had, byte for byte (SHA256SUMS).", "",
                "| ring | who | wait before the next |", "|---|---|---|")
    yield from (f"| {number} | {who} | {days or '—'} |" for number, who, days in RINGS)
    yield from ("", ("After each step: `douse harden audit EVIDENCE` says whether the values arrived, and `douse "
                     "harden verify --logs LOGS` who was stopped."), "")


def _kill_switch(words: Sequence[str]) -> Iterator[str]:
    """What stops it, by what is there to be stopped."""
    ways = [way for word, way in _STOPS.items() if word in words] or ["take back each format"]
    yield from (f"**Kill switch**: {'; '.join(ways)}. See *Taking it back* for what stays then.", "")


def _weaker(policy: Policy) -> Iterator[str]:
    """What the bundle may weaken where somebody was stricter before."""
    watches = [*(["attack surface reduction"] if policy.of(AsrSetting) else []),
               *(["AppLocker"] if policy.of(AppLockerSetting) else []), *_values_that_watch(policy)]
    if policy.mode == "audit" and watches:
        yield from (("Where another policy **blocks** already, let that one win (link order): of these this bundle "
                     f"only audits, and would weaken it: {_ours(', '.join(watches))}."), "")
    replaced = dict.fromkeys(undo.change.setting for undo in good_already(policy))
    if replaced:
        yield from (("On the computer of `--before` these are good already, and this bundle replaces them by values "
                     f"that may be weaker; changes.json has both: {_ours(', '.join(replaced))}."), "")
    if policy.mode == "enforce" and any(_starts_in_audit(change.setting) for change in policy.of(AsrSetting)):
        yield from ("Attack surface reduction rules that begin in audit mode have the state 2 here too: "
                    + ", ".join(f"`{change.setting.guid}`" for change in policy.changes
                                if isinstance(change.setting, AsrSetting) and _starts_in_audit(change.setting))
                    + ". Set them to 1 when event 1122 of Defender's Operational log named nothing legitimate for 14 "
                    "days.", "")


def _values_that_watch(policy: Policy) -> Iterator[str]:
    """The registry values that have an audit mode of their own, by their names."""
    settings = {setting.id: setting for control in policy.controls for setting in control.settings}
    for change in policy.registry:
        setting = settings.get(change.setting)
        if isinstance(setting, RegistrySetting) and setting.in_audit is not None and setting.in_audit != setting.good:
            yield change.name


def _starts_in_audit(setting: Setting) -> bool:
    return isinstance(setting, AsrSetting) and setting.start == "audit"


def _watch(policy: Policy) -> str:
    """Where to look for what an enforced policy would refuse."""
    places = []
    if policy.firewall:
        places.append("5156 of the Security log (the firewall has no audit mode: its rules wait, and connections are "
                      "recorded instead)")
    if policy.of(AppLockerSetting):
        places.append("8003 of AppLocker's EXE and DLL log, for **all** programs and not only the one this is about: "
                      "its rules are an allow list, and what lies outside Program Files and Windows would not start "
                      "for people who are no administrators")
    if policy.of(AppControlSetting):
        places.append("3076 of CodeIntegrity's Operational log")
    if policy.of(AsrSetting):
        places.append("1122 of Windows Defender's Operational log")
    return f"Look for what would have been refused: {'; '.join(places)}." if places else "There is nothing to wait for."


def _preflight(policy: Policy) -> Iterator[str]:
    gated = [control for control in policy.controls if control.preflight]
    if not gated and policy.go is None:
        return
    yield from ("## The pre-flight", "")
    if policy.go is None:
        yield from ((f"{_listed(control.id for control in gated)} refuse something that somebody may need. To enforce "
                    "them, prove that nobody does: `douse harden preflight "
                    f"{gated[0].preflight} --logs LOGS --inventory hosts.csv -o preflight.json`."), "")
        return
    yield from _go_lines(policy, policy.go)


def _go_lines(policy: Policy, go: GoRecord) -> Iterator[str]:
    yield from (f"- Program: {code(go.program)}", f"- Verdict: **{go.verdict}**, on {go.finished:%Y-%m-%d}"
                + (f"; its decisions are valid to {go.expires}" if go.expires else ""), *_watched(go),
                f"- SHA-256 of `preflight.json`: `{go.sha256}`", "")
    if not go.groups:
        return
    yield from ("Its exceptions, which the firewall rule knows nothing of, as a block beats every allow:", "")
    yield from (f"- {code(group)} (`{sid}`)" for group, sid in go.groups)
    yield from ("", ("Keep the GPO off them: in the GPO's *Delegation* tab, *Advanced*, add each group and deny *Apply "
                "group policy*. The rule is one of the computer, so the group must hold **computer** accounts. Give "
                "these computers a GPO of their own with the rest. With .reg files, PowerShell or Intune, leave the "
                "computers out."), "")
    if policy.of(AppLockerSetting):
        yield from ("AppLocker goes by user: one group may start the program, and nobody else.", "")


def _watched(go: GoRecord) -> Iterator[str]:
    if go.until and go.days:
        yield (f"- Watched: {go.covered:,} of the inventory's {go.hosts:,} computers, for {go.days} days to "
               f"{go.until:%Y-%m-%d}; {go.need} % had to be. It says nothing about any other computer")
    if go.until and (go.days < DAYS or go.covered < go.hosts or go.need < 100):
        yield (f"- **Weaker than what is asked for by default** ({DAYS} days, every computer): deploy it only to "
               "computers that were watched, and look longer before it goes to the rest")
    if go.reason:
        yield f"- In its words: {markdown(go.reason[:LONGEST_REASON])}"


def _deployment(policy: Policy, words: Iterable[str]) -> Iterator[str]:
    yield from ("## Deploying it", "")
    for word in words:
        one = FORMATS[word]
        steps = [*one.deploy, *([_AUDIT_BY_GPO] if word == "gpo" and policy.of(AuditSetting) else [])]
        yield from (f"**{one.title}** (`{word}`)", "", *(f"- {step}" for step in steps), "")


def _taking_back(policy: Policy, words: Sequence[str]) -> Iterator[str]:
    yield from ("## Taking it back", "")
    yield from (f"- `{word}`: {FORMATS[word].undo}" for word in words)
    known = ("Old values come from the evidence given as `--before`." if policy.before else
             "No evidence was given (`--before`), so that no old value is known.")
    yield from ("", (f"{known} Where an old value is not known, a policy's value is removed, which is *not "
                     "configured*; any other value stays. Keys that are then empty stay too. Read each control's "
                     "**Undo** below as well: some take more than a file, such as a restart or a UEFI lock to clear."),
                "")
    if policy.of(AppLockerSetting) and {"pol", "reg"} & set(words):
        yield from (_MODE_GOES, "")
    if "gpo" in words:
        yield from _tattooed(policy)
    staying = dict.fromkeys(
        f"{undo.change.hive}\\{undo.change.key}!{undo.change.name or '(default)'}"
        for hive, profiles in (("HKLM", ("",)), ("HKCU", user_profiles(policy))) for profile in profiles
        for undo in undone(policy, hive, profile) if undo.action == LEAVE)
    if staying:
        yield from ("These no undo file takes back, as nobody said what they were. Note them before you deploy:", "",
                    *(f"- {code(place)}" for place in staying), "")
    others = [": ".join(wanted_state(change)) for change in policy.of(ServiceSetting, AuditSetting, ChannelSetting,
                                                                       FeatureSetting)]
    if others:
        yield from (("These are no registry values. `powershell/undo.ps1` puts them back where `apply.ps1` set them; "
                     "else put them back by hand, as changes.json says what was found:"), "",
                    *(f"- {_ours(other)}" for other in others), "")


def _tattooed(policy: Policy) -> Iterator[str]:
    """What stays on a computer when its GPO is gone, as it lies in no policy key."""
    staying = dict.fromkeys(f"{change.hive}\\{change.key}!{change.name or '(default)'}" for change in policy.registry
                            if not change.is_policy)
    staying.update(dict.fromkeys(": ".join(wanted_state(change)) for change in policy.of(ServiceSetting)))
    if staying:
        yield from ("These an unlinked GPO leaves on every computer (they *tattoo*):", "",
                    *(f"- {code(place)}" for place in staying), "")


def _not_set(policy: Policy, words: Sequence[str]) -> Iterator[str]:
    rows: dict[str, list[str]] = {}
    for one in policy.left:
        rows.setdefault(one.why, []).append(one.setting.id)
    for _, setting, able in unsaid(policy, words):
        why = "None of the formats chosen says it. " + (f"Add --as {able[0]}." if able else "Set it by hand.")
        rows.setdefault(why, []).append(setting.id)
    if not rows:
        return
    yield from ("## What it does not set", "")
    for why, names in rows.items():
        by_control: dict[str, list[str]] = {}
        for name in names:
            control, _, rest = name.partition("/")
            by_control.setdefault(control, []).append(rest)
        yield from (_ours(why), "", *(f"- {control}: {_ours(', '.join(rest))}" for control, rest in by_control.items()),
                    "")


def _untried(policy: Policy) -> Iterator[str]:
    yield from ("## What nobody has verified", "", "- All of it on Windows, as said at the top.")
    for control in policy.controls:
        if control.unverified:
            yield f"- {control.id}: {_ours(control.unverified)}"
        names = [setting.id for setting in control.settings_of(policy.profile) if not setting.verified]
        if names:
            yield f"- {control.id}: no source of the vendor for {_ours(', '.join(names))}."
    yield ""


def _controls(policy: Policy) -> Iterator[str]:
    yield from ("## The controls", "")
    present = {control.id for control in policy.controls}
    setting = {change.control for change in policy.registry} | {change.control for change in policy.changes}
    for control in policy.controls:
        if control.id in setting:
            yield from _control(control, present, policy)
    if present - setting:
        yield from (f"It sets nothing of {_listed(sorted(present - setting))}; *What it does not set* says why.", "")


def _control(control: Control, present: set[str], policy: Policy) -> Iterator[str]:
    yield from (f"### {control.id} {_ours(control.title)}", "", _ours(control.takeaway), "",
                f"- **Cost**: {_ours(control.cost)}", f"- **Misses**: {_ours(control.misses)}",
                f"- **Undo**: {_ours(control.undo)}")
    lacking = [need for need in control.needs if need not in present]
    if lacking:
        yield f"- **Needs** {_listed(lacking)}, which this bundle does not hold."
    if any(change.control == control.id and change.setting.id.endswith("/connections") for change in policy.changes):
        yield f"- Until the rule is active, {CONNECTIONS.title} is audited: many records, so switch it off afterwards."
    notes = dict.fromkeys(setting.note for setting in control.settings_of(policy.profile)
                          if setting.note and not isinstance(setting, AuditSetting))
    yield from (f"- {_ours(note)}" for note in notes)
    yield ""


def _listed(names: Iterable[str]) -> str:
    """`H01, H02 and H06`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def _ours(text: str) -> str:
    """A text of the catalogue as one line of Markdown. Nobody else wrote it, so that only markup is escaped."""
    return _SIGNS.sub(r"\\\1", " ".join(text.split()))
