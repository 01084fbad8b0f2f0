"""The policies of Chrome in a real Chromium: it lists each with our value and finds nothing wrong, and it obeys one."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from conftest import missing
from douse.harden.generate.browser import policies
from harden.generate.policies import policy

pytestmark = pytest.mark.e2e

MANAGED = Path("/etc/chromium/policies/managed")
REMOTE = "RemoteDebuggingAllowed"
"""Turned off, nobody drives the browser any more: its own test shows that."""

ROWS = """() => {
  const found = {};
  const walk = (root) => root.querySelectorAll('*').forEach((element) => {
    if (element.localName === 'policy-row') {
      const words = element.shadowRoot.textContent.replace(/\\s+/g, ' ').trim();
      if (!words.includes('Not set.')) found[words.split(' ')[0]] = words;
    }
    if (element.shadowRoot) walk(element.shadowRoot);
  });
  walk(document);
  return found;
}"""
"""Every policy that is set, by name, with the words of its row."""


@contextmanager
def managed(values: Mapping[str, object]) -> Iterator[None]:
    """Policies of the whole computer, taken back at the end."""
    made = [folder for folder in (MANAGED, MANAGED.parent) if not folder.exists()]
    file = MANAGED / f"douse-test-{os.getpid()}.json"
    try:
        MANAGED.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    except PermissionError:
        missing(f"no right to write to {MANAGED}")
    try:
        yield
    finally:
        file.unlink()
        for folder in made:
            folder.rmdir()


@pytest.fixture
def rows(tool: Callable[[str], Path]) -> Callable[[Mapping[str, object], float], dict[str, str]]:
    """Start a Chromium of our own under these policies and read chrome://policy."""
    if importlib.util.find_spec("playwright") is None:
        missing("playwright is not installed; run `make setup-e2e`")
    from playwright.sync_api import sync_playwright

    def started(values: Mapping[str, object], seconds: float) -> dict[str, str]:
        with managed(values), sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=tool("chromium"), args=["--no-sandbox"],
                                                  timeout=seconds * 1000)
            page = chromium.new_page()
            page.goto("chrome://policy")
            page.wait_for_function(f"() => Object.keys(({ROWS})()).length >= {len(values)}")
            found: dict[str, str] = page.evaluate(ROWS)
            chromium.close()
        return found

    def read(values: Mapping[str, object], seconds: float = 30) -> dict[str, str]:
        with ThreadPoolExecutor(1) as thread:  # of its own: playwright's loop of the other tests runs in this one
            return thread.submit(started, values, seconds).result()

    return read


def test_chromium_accepts_every_policy(rows: Callable[..., dict[str, str]]) -> None:
    wanted = {name: value for name, value in policies(policy(), "chrome").items() if name != REMOTE}
    assert len(wanted) >= 10
    found = rows(wanted)
    for name, value in wanted.items():
        shown = value if isinstance(value, str) else json.dumps(value).replace(" ", "")
        assert found[name].startswith(f"{name} {shown} Platform Machine Mandatory OK Value "), found[name]


def test_chromium_complains_of_a_number_for_a_yes(rows: Callable[..., dict[str, str]]) -> None:
    """Else the test above would pass whatever we write."""
    found = rows({"PasswordManagerEnabled": 0, "DownloadRestrictions": 4})
    assert found["DownloadRestrictions"].startswith("DownloadRestrictions 4 Platform Machine Mandatory OK ")
    assert " Error" in found["PasswordManagerEnabled"].partition(" Value ")[0]


def test_chromium_obeys(rows: Callable[..., dict[str, str]]) -> None:
    from playwright.sync_api import Error

    assert policies(policy(), "chrome")[REMOTE] is False
    with pytest.raises(Error, match="remote debugging is disallowed by the system admin"):
        rows({REMOTE: False}, 10)
