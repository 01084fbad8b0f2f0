"""Files of placeholders, and rules whose placeholder has no list."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.makers import loaded, refusal, rule_text
from douse.detection.language.documents import Mistake
from douse.detection.language.patterns import Glob
from douse.detection.language.placeholders import MAX_VALUES, NoList, expanded_glob, read_placeholders
from douse.errors import RuleError

ADMINS = rule_text({"selection": {"User|expand": "%admins%"}, "condition": "selection"})


def write(folder: Path, text: str) -> Path:
    file = folder / "lists.yml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_file_has_names_with_lists(tmp_path: Path) -> None:
    file = write(tmp_path, "admins: [anna, 'adm_*']\n'%ports%': [80, 443]\none: alone\n---\nflags: [true]\n")
    assert read_placeholders(file) == {
        "admins": ("anna", "adm_*"), "ports": ("80", "443"), "one": ("alone",), "flags": ("true",)}


@pytest.mark.parametrize(("text", "says"), [
    ("- a\n- b\n", "lists.yml:1: a file of placeholders holds names with lists. Write 'name: [value, value]'."),
    ("a: [b]\nc: [[d]]\n", "lists.yml:2: the list of 'c' holds something that is no value. Write one text a line."),
    ("a: [b\n", "not valid YAML"),
    ("a:\n", "the list of 'a' holds something that is no value"),
])
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(RuleError) as caught:
        read_placeholders(write(tmp_path, text))
    assert says in str(caught.value)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="cannot be read"):
        read_placeholders(tmp_path / "nosuch.yml")


def test_a_rule_whose_placeholder_has_no_list_is_idle_and_says_which(tmp_path: Path) -> None:
    assert [idle.reason for idle in loaded(tmp_path, ADMINS).idle] == [
        "expand: no list is known for the placeholder %admins%"]
    assert [idle.reason for idle in loaded(tmp_path, ADMINS, admins=()).idle] == [
        "expand: the list for the placeholder %admins% is empty"]
    assert not loaded(tmp_path, ADMINS, Admins=("anna",)).idle


def test_the_lists_are_part_of_the_fingerprint(tmp_path: Path) -> None:
    prints = {loaded(tmp_path, ADMINS, admins=names).fingerprint for names in (("a",), ("b",), ())}
    assert len(prints) == 3


def test_lists_that_multiply_without_end_are_refused() -> None:
    lists = {"a": tuple(map(str, range(200)))}
    with pytest.raises(Mistake, match="would make 40000 values"):
        expanded_glob(Glob.parse("%a% %a%"), lists)
    assert len(expanded_glob(Glob.parse("%a%"), lists)) == 200 < MAX_VALUES


def test_expand_of_something_encoded_is_refused() -> None:
    error = refusal(rule_text({"selection": {"User|exists|expand": "%a%"}, "condition": "selection"}))
    assert "'expand' cannot follow 'exists'" in str(error)


@given(st.text(alphabet="%a*?\\ b", max_size=12))
def test_any_value_expands_or_lacks_its_list(text: str) -> None:
    glob = Glob.parse(text)
    try:
        made = expanded_glob(glob, {"a": ("x*", "y"), "b": ("%a%",)})
    except NoList:
        made = []
    assert all(one == Glob.joined([one]) for one in made)
