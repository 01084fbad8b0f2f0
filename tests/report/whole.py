"""The incident of sample.py with everything that is judged of one: stores, rotation, family, indicators, plan, fleet.

`whole()` is what the report's own tests render; `hostile_whole()` is the same with every text that an attacker, a path
or a foreign rule can choose replaced by what attackers put there; `fleet()` has several hosts with incidents and hosts
that could not be judged; `old()` is a document as versions wrote it that had none of these keys.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from douse.hunt.fleet import HostView
from douse.hunt.result import HuntResult
from douse.model import (
    LEVELS,
    Alert,
    AssignedLesson,
    Attribution,
    BreakingControl,
    FamilyEvidence,
    Incident,
    Indicator,
    PlanStep,
    Rotation,
    StoreImpact,
    Tactic,
)
from douse.report.document import document
from report import sample

THIEF = "RegAsm.exe (8456)"
LONG_ENTRIES = ("https://login.live.example/ (m.keller)", "TERMSRV/srv-fin-01 (CORP\\m.keller)",
                "git:https://git.corp.example (keller)")
OTHER_USER = "CORP\\svc-scan"

_STORES = (
    ("wallet", "wallet", "Exodus", "observed", sample.USER, ("seed",), ("settings",), 44.0, (11,)),
    ("chromium", "chromium", "Chrome", "observed", sample.USER, ("passwords", "key"),
     ("sessions", "cards", "autofill", "history"), 41.7, (9,)),
    ("gecko", "gecko", "Firefox", "observed", sample.USER, ("passwords",), ("sessions",), 42.3, (10,)),
    ("mail", "mail", "Outlook", "presumed", sample.USER, (), ("mail", "passwords"), None, ()),
    ("vpn", "ftp", "OpenVPN", "unknown", sample.USER, (), ("key",), None, ()),
    ("ssh", "ssh", "OpenSSH", "untouched", sample.USER, (), ("key",), None, ()),
    ("chromium", "chromium", "Edge", "unknown", OTHER_USER, (), ("passwords", "sessions"), None, ()),
)

_ROTATION = (
    ("seed", "Move the funds to a new wallet with a new seed, from a clean device.", ("Exodus",), "observed", ()),
    ("sessions", "Sign out everywhere and revoke sessions, mail and the identity provider first.",
     ("Chrome", "Firefox"), "observed", ()),
    ("sessions", "Sign out of webmail.", ("Outlook",), "presumed", ()),
    ("passwords", "Change every password that was saved in the browser, the most valuable first.",
     ("Chrome", "Firefox"), "observed", ()),
    ("passwords", "Change these entries of the Windows Credential Manager.", ("Windows Credential Manager",), "named",
     LONG_ENTRIES),
    ("review", "Look through what lay there and change what it gives away.", ("Outlook",), "presumed", ()),
)

_INDICATORS = (
    ("domain-name", "verify-human.example", "lure", True, "Only the lure was there.", 0.6, (1, 2)),
    ("url", sample.URL, "download", True, "It served the loader.", 0.6, (2,)),
    ("ipv4-addr", "203.0.113.44", "C2", True, "mshta.exe connected to it.", 1.9, (3,)),
    ("ipv6-addr", "2001:db8::17", "C2", True, "RegAsm.exe connected to it.", 22.0, (7,)),
    ("domain-name", "t.me", "dead drop", False, "A public site: blocking it for everybody breaks other things.", 26.4,
     (8,)),
    ("file", "9f2c4b1de0a7c9e2d7a1b55f0c34d1f1f0d8b6c87e12a4a3f9d07b6a5c1e4f20", "payload", True, "It was started.",
     4.2, (4,)),
    ("file-path", f"{sample.APPDATA}\\Roaming\\Update\\client.exe", "payload", False, "Search for it.", 4.2, (4,)),
    ("registry-key", "HKU\\S-1-5-21-1\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\Update", "autostart", False,
     "Search for it.", 60.0, (12,)),
)

_PLAN = (
    ("isolate", "contain", "Take WS-FIN-07.corp.example off the network now, but leave it switched on.", (2, 7), (),
     ()),
    ("sessions", "contain", "From a clean device, sign CORP\\m.keller out everywhere.", (7, 8), (), ("L08",)),
    ("funds", "contain", "Move the funds of Exodus to a new wallet with a new seed.", (9,), (), ()),
    ("autostart", "eradicate", "Record and then remove the autostart entry.", (11,), (), ()),
    ("rebuild", "recover", "Re-install the computer from a clean image.", (), (), ()),
    ("mshta", "prevent", "Let nobody start mshta.exe.", (2,), ("H01", "H06"), ()),
    ("teach", "prevent", "Give CORP\\m.keller the lesson on pages that tell you to paste.", (1,), (), ("L04", "L99")),
)

_CONTROLS = (
    ("H11", "No Run dialog for standard users", "limits", 1, "A command was pasted into the Run dialog.", True),
    ("H01", "Keep mshta.exe off the network", "stops", 2, "mshta.exe connected to 203[.]0[.]113[.]44.", True),
    ("H06", "Let nobody start mshta.exe", "stops", 2, "mshta.exe was started.", False),
    ("H40", "Audit reads of password stores", "shows", 7, "Chrome's passwords were read.", True),
)


def whole() -> HuntResult:
    """The lumma result, its first incident with every part, and a fleet of four."""
    base = sample.lumma()
    return replace(base, incidents=(complete(base.incidents[0], base.alerts), *base.incidents[1:]), hosts=_hosts(base))


def complete(incident: Incident, alerts: tuple[Alert, ...]) -> Incident:
    """The incident with all that is judged of one."""
    first = incident.first_seen
    ids = {number: alert.alert_id for number, alert in enumerate(alerts, 1)}

    def at(seconds: float | None) -> datetime | None:
        return None if seconds is None else first + timedelta(seconds=seconds)

    def moment(seconds: float) -> datetime:
        return first + timedelta(seconds=seconds)

    stores = tuple(
        StoreImpact(store, family, product, state, user, holds, unseen, THIEF if proof else "", at(seconds),
                    at(seconds), tuple(ids[n] for n in proof), "" if proof else "Security record 4410901: profile",
                    product != "OpenVPN")
        for store, family, product, state, user, holds, unseen, seconds, proof in _STORES)
    return replace(
        incident,
        stores=stores,
        rotation=tuple(Rotation(what, text, products, (sample.USER,), basis, entries, (ids[9],))
                       for what, text, products, basis, entries in _ROTATION),
        attribution=Attribution(
            "LummaC2", "medium", "HijackLoader", "low", ("Vidar", "StealC"),
            (FamilyEvidence("LummaC2", "indicator", "203.0.113.44 was a Lumma server 3 days before.", (ids[3],), True),
             FamilyEvidence("Vidar", "behaviour", "t.me was asked for the next address.", (ids[8],), False),
             FamilyEvidence("LummaC2", "behaviour", "t.me was asked for the next address.", (ids[8],), False)),
            (FamilyEvidence("Vidar", "protocol", "It asks t.me too.", (ids[8],), True),)),
        indicators=tuple(Indicator(kind, value, role, block, reason, moment(seconds), moment(seconds), THIEF,
                                   tuple(ids[n] for n in proof))
                         for kind, value, role, block, reason, seconds, proof in _INDICATORS),
        plan=tuple(PlanStep(*row) for row in _PLAN),
        next_steps=tuple(row[2] for row in _PLAN),
        controls=tuple(BreakingControl(control_id, title, f"What to know of {control_id}.", effect, step, why,
                                       ("T1218.005",), verified)
                       for control_id, title, effect, step, why, verified in _CONTROLS),
        lessons=(
            AssignedLesson("L04", '"Prove that you are human": pages that tell you to paste',
                           "No real page asks you to paste a command.", (sample.USER,), "A command was pasted.", (1,)),
            AssignedLesson("L08", "A stolen session walks past the second factor", "Sign out everywhere.",
                           (sample.USER, "IT staff"), "Sessions were within reach.", (7, 8)),
        ),
        tactics=_tactics(incident, ids),
    )


def _tactics(incident: Incident, ids: dict[int, str]) -> tuple[Tactic, ...]:
    rows = (("TA0002", "Execution", ("T1204.004", "T1059.001"), (1, 4)), ("TA0005", "Stealth", ("T1218.005",), (2, 3)),
            ("TA0006", "Credential Access", ("T1555.003",), (9, 10)),
            ("TA0010", "Exfiltration", ("T1041",), ()))
    return tuple(Tactic(tactic, name, techniques, incident.first_seen, incident.last_seen,
                        tuple(ids[n] for n in proof)) for tactic, name, techniques, proof in rows)


def _hosts(base: HuntResult) -> tuple[HostView, ...]:
    none = dict.fromkeys(LEVELS, 0)
    first, second = base.incidents
    return (
        HostView(first.host, "incident", "critical", (first.incident_id,), none | {"high": 9, "medium": 3}, 8013,
                 first.first_seen, first.last_seen, ("PowerShell script text", "Clipboard")),
        HostView(second.host, "weak signs", "low", (second.incident_id,), none | {"low": 1}, 311, second.first_seen,
                 second.last_seen, ("Reads of credential stores", "DNS", "Clipboard", "Loaded libraries")),
        HostView("WS-IT-01.corp.example", "no finding", "", (), none, 900, first.first_seen, first.last_seen, ()),
        HostView("SRV-OLD.corp.example", "no usable telemetry", "", (), none, 0, None, None, ("everything",)),
    )


def fleet(count: int = 12) -> HuntResult:
    """Incidents on so many hosts over several days, all complete."""
    base = whole()
    first = base.incidents[0]
    incidents = tuple(
        replace(first, host=f"WS-{n:02}.corp.example", incident_id=f"{n:08x}-6a1c-5b7e-9d1e-3a2b6f0c0412",
                level=LEVELS[4 - n % 3], score=first.score - n, first_seen=first.first_seen + timedelta(hours=7 * n),
                last_seen=first.last_seen + timedelta(hours=7 * n))
        for n in range(count))
    hosts = tuple(replace(base.hosts[0], host=one.host, level=one.level, incident_ids=(one.incident_id,))
                  for one in incidents)
    return replace(base, incidents=incidents, hosts=(*hosts, *base.hosts[2:]))


def old() -> dict[str, Any]:
    """The lumma document as it was before incidents had stores, plan and the rest, and hunts had hosts."""
    made: dict[str, Any] = {**document(sample.lumma())}
    del made["hosts"]
    later = {"asset", "impact", "impact_reason", "tactics", "stores", "rotation", "attribution", "indicators", "plan",
             "controls", "lessons"}
    made["incidents"] = [{key: value for key, value in row.items() if key not in later} for row in made["incidents"]]
    for key in ("suppressed", "allowances"):
        del made[key]
    return made


_OUR_WORDS = sample._OUR_WORDS | {"state", "phase", "effect", "type", "confidence", "loader_confidence", "tactic_id",
                                  "basis", "what", "incident_ids", "holds", "unseen"}


def hostile_whole() -> HuntResult:
    """The whole result with every string that is not a word of ours made hostile."""
    poisoned = _poison(whole())
    assert isinstance(poisoned, HuntResult)
    return poisoned


def _poison(value: Any) -> Any:
    if isinstance(value, str):
        return value + sample.HOSTILE
    if isinstance(value, tuple):
        return tuple(_poison(item) for item in value)
    if isinstance(value, dict):
        return {_poison(key): _poison(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: _poison(getattr(value, one.name)) for one in fields(value)
                                 if one.name not in _OUR_WORDS})
    return value
