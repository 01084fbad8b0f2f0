"""The table of formats: every word writes bytes, and listing the words costs nothing."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from douse.report.formats import FORMATS
from report import sample


@pytest.mark.parametrize("word", FORMATS)
@pytest.mark.parametrize("make", [sample.lumma, sample.hostile, sample.empty])
def test_every_format_writes_utf8(word: str, make) -> None:
    text = b"".join(FORMATS[word](make())).decode("utf-8")
    assert text.endswith("\n")
    assert text[0] in "{<"


def test_listing_formats_loads_nothing_heavy() -> None:
    program = "import json, sys; import douse.report.formats; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert not {"jinja2", "msgspec", "rich"} & set(json.loads(done.stdout))
