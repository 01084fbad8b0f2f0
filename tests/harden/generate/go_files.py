"""Files that a bundle is made with: a pre-flight's record with its digest, and a site.yml."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from douse.harden.preflight.record import KIND, SCHEMA, digest

TODAY = date(2026, 11, 24)
CHROME_ID = "nngceckbapebfimnlniiiahkandclblb"
GROUP = ("CORP\\HTA users", "S-1-5-21-1004336348-1177238915-682003330-1603")

SITE = f"""\
organisation: Example & Sons
domain: corp.example.com
gpo_name: Infostealer hardening
proxy_ports: [8080, 3128]
extensions: {{chrome: [{CHROME_ID}], edge: [{CHROME_ID}], firefox: ['password-manager@example.com']}}
"""


def go_file(folder: Path, *, verdict: str = "GO", program: str = "mshta.exe",
            finished: str = "2026-11-20T12:00:00+00:00", groups: Sequence[tuple[str, str]] = (),
            expires: str = "2027-01-31", until: object = "2026-11-19T00:00:00Z", started: int = 0,
            **more: object) -> Path:
    """A pre-flight of that day, with an exception for each group and so many uses that only started."""
    uses = [{"id": f"use-{number}", "class": "business candidate", "destination": "intranet.example.com", "port": 443,
             "parent": "explorer.exe", "command": "mshta.exe https://intranet.example.com/a.hta", "open": "",
             "decision": {"decision": "except", "group": group, "sid": sid, "expires": expires}}
            for number, (group, sid) in enumerate(groups)]
    uses += [{"id": f"start-{number}", "class": "unknown", "destination": "", "port": 0, "parent": "explorer.exe",
              "command": "mshta.exe C:\\Tools\\a.hta", "open": "", "decision": None} for number in range(started)]
    document = {"kind": KIND, "schema": SCHEMA, "program": program, "verdict": verdict, "reason": "by this test",
                "finished": finished, "until": until, "days": 30, "need": 100, "use_cases": uses,
                "coverage": {"hosts": 3, "covered": 3}, **more}
    file = folder / "preflight.json"
    file.write_text(json.dumps({**document, "digest": digest(document)}, indent=2), encoding="utf-8")
    return file


def site_file(folder: Path, more: str = "", text: str = SITE) -> Path:
    """A site.yml."""
    file = folder / "site.yml"
    file.write_text(text + more, encoding="utf-8")
    return file
