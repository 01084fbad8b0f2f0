"""Public sites: found by the most exact name, and a wrong file is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from douse.content import sites as loader
from douse.content.sites import KINDS, site_of, sites
from douse.errors import ContentError


@pytest.mark.parametrize(("host", "kind"), [
    ("t.me", "dead-drop"), ("T.ME.", "dead-drop"), ("cdn.discordapp.com", "sharing"), ("docs.google.com", "dead-drop"),
    ("www.google.com", "vendor"), ("drive.google.com", "storage"), ("schemas.microsoft.com", "names"),
    ("go.microsoft.com", "vendor"), ("bad.workers.dev", "tenant"), ("bad.blob.core.windows.net", "tenant"),
    ("checkip.amazonaws.com", "lookup"), ("8.8.8.8", "resolver"), ("2620:fe::fe", "resolver"),
    ("x.s3.amazonaws.com", "tenant"),
])
def test_the_most_exact_name_decides(host: str, kind: str) -> None:
    site = site_of(host)
    assert site is not None
    assert site.kind == kind


@pytest.mark.parametrize("host", ["", "verify.example", "nott.me", "t.me.bad.example", "com", "203.0.113.4"])
def test_other_hosts_are_no_site(host: str) -> None:
    assert site_of(host) is None


def test_every_kind_is_used_and_has_a_reason() -> None:
    assert {site.kind for site in sites().values()} == set(KINDS)
    assert all(site.says for site in sites().values())


GOOD = """kinds:
  vendor: {says: theirs, verified: true, hosts: [a.example]}
  names: {says: none, hosts: [b.example]}
"""


@pytest.mark.parametrize(("old", "new", "says"), [
    ("vendor", "friend", r"sites\.yml:2: 'friend' is no kind"),
    ("a.example", "A.example", r"sites\.yml:2: 'A.example' is no host name"),
    ("a.example", "localhost", r"sites\.yml:2: 'localhost' is no host name"),
    ("b.example", "a.example", r"sites\.yml:3: a.example is vendor already"),
    ("says: none, ", "", r"sites\.yml:3: says is missing"),
    ("says: none", "said: none", r"sites\.yml:3: says is missing"),
])
def test_a_wrong_file_is_named_with_its_line(old: str, new: str, says: str, tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sites.yml"
    monkeypatch.setattr(loader, "FILE", path)
    path.write_text(GOOD, encoding="utf-8")
    assert set(loader.sites.__wrapped__()) == {"a.example", "b.example"}
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContentError, match=says):
        loader.sites.__wrapped__()
