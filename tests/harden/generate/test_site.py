"""site.yml: what is right is taken over, and nothing hostile comes through."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.errors import ContentError
from douse.harden.generate.policy import Site
from douse.harden.generate.site import is_group_sid, is_name, read_site
from harden.generate.go_files import CHROME_ID, GROUP, site_file


def test_everything_a_site_can_say(tmp_path: Path) -> None:
    more = f"mshta_group: {GROUP[0]}\nmshta_sid: {GROUP[1]}\n"
    assert read_site(site_file(tmp_path, more)) == Site(
        organisation="Example & Sons", proxy_ports=(3128, 8080),
        extensions={"chrome": (CHROME_ID,), "edge": (CHROME_ID,), "firefox": ("password-manager@example.com",)},
        mshta_group=GROUP[0], mshta_sid=GROUP[1], gpo_name="Infostealer hardening", domain="corp.example.com")


def test_all_of_it_may_be_missing(tmp_path: Path) -> None:
    assert read_site(site_file(tmp_path, text="domain: corp.example.com\n")) == Site(domain="corp.example.com")


@pytest.mark.parametrize(("line", "said"), [
    ("proxy_ports: [0]", "no port"),
    ("proxy_ports: [65536]", "no port"),
    ("proxy_ports: ['80|443']", "no port"),
    ("proxy_ports: [٣]", "no port"),
    ("organisation: 'a|b'", "organisation may have letters"),
    ('organisation: "a\\nb"', "organisation may have letters"),
    ("gpo_name: $(calc)", "gpo_name may have letters"),
    ("gpo_name: a\\b", "gpo_name may have letters"),
    ("gpo_name: it\u2019s", "gpo_name may have letters"),
    ("gpo_name: 'x]]>'", "gpo_name may have letters"),
    ("domain: example", "no DNS name"),
    ("domain: a.example.com/x", "no DNS name"),
    ("domain: -a.example.com", "no DNS name"),
    ("mshta_group: HTA users", "go together"),
    ("mshta_group: HTA users\nmshta_sid: S-1-1-0", "would let everybody in"),
    ("mshta_group: HTA users\nmshta_sid: S-1-5-32-545", "would let everybody in"),
    ("mshta_group: HTA users\nmshta_sid: S-1-5-21-1-2-3-99999999999", "would let everybody in"),
    ("extensions: {chrome: [abc]}", "no id of an extension"),
    ("extensions: {edge: ['nngceckbapebfimnlniiiahkandclblz']}", "no id of an extension"),
    ("extensions: {firefox: ['a b']}", "no id of an extension"),
    ("extensions: {opera: []}", "unknown key"),
    ("proxy_port: [80]", "Did you mean 'proxy_ports'?"),
])
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    file = site_file(tmp_path, text=f"# ours\n{line}\n")
    with pytest.raises(ContentError) as raised:
        read_site(file)
    assert said in str(raised.value)
    assert raised.value.where.startswith(f"{file}:")


@given(st.text(max_size=120))
def test_a_name_holds_nothing_that_a_policy_or_a_script_reads(text: str) -> None:
    if is_name(text, also="\\"):
        assert not set(text) & set("|\"'`$;<>{}[]%*?!~^=:/\r\n\t\0\u2018\u2019\u201a\u201b\u201c\u201d\u201e")
        assert text.isprintable()


@given(st.from_regex(r"S-1-[0-9]+(-[0-9]+){0,5}", fullmatch=True) | st.text())
def test_a_group_is_one_of_a_domain_or_a_computer(text: str) -> None:
    if is_group_sid(text):
        assert text.startswith("S-1-5-21-")
        assert text.count("-") == 7
