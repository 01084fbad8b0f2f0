"""The table of formats: every word writes bytes, and listing the words costs nothing."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from douse.report.document import document
from douse.report.formats import FORMATS
from report import sample


@pytest.mark.parametrize("word", FORMATS)
@pytest.mark.parametrize("make", [sample.lumma, sample.hostile, sample.empty])
def test_every_format_writes_utf8(word: str, make) -> None:
    text = b"".join(FORMATS[word].render(document(make()))).decode("utf-8")
    assert text.endswith("\n") or (word in ("ocsf", "timesketch") and not text)  # without a finding there is no line
    assert text[:1] in {"json": "{", "jsonl": "{", "html": "<", "csv": '"', "markdown": "#"}.get(word, "{")


def test_every_format_has_a_file_of_its_own() -> None:
    names = [one.file for one in FORMATS.values()]
    assert len(set(names)) == len(names)
    assert all(one.about for one in FORMATS.values())


def test_listing_formats_loads_nothing_heavy() -> None:
    program = "import json, sys; import douse.report.formats; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert not {"jinja2", "msgspec", "rich"} & set(json.loads(done.stdout))
