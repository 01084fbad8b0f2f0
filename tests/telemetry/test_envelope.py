"""Where the hits of a search's answer begin and what follows them; anything else is left alone."""

from __future__ import annotations

import json

import pytest

from douse.telemetry.envelope import contents, rest


@pytest.mark.parametrize("before", [
    '{"hits":{"hits":[', '{ "took" : 3, "_shards": {"a": [1, {"b": "}"}]},\n "hits": {"total": 5, "hits" : [ ',
    '{"results":[', '{"preview":false,"messages":[{"type":"x"}],"fields":[{"name":"_raw"}],"results":[\n',
    '{"id":"x","response":{"took":1,"hits":{"max_score":null,"hits":[',
])
def test_the_first_hit(before: str) -> None:
    assert contents(before + '{"_source":1}]}}', 0) == len(before)
    assert contents("\n" + before + "{", 1) == len(before) + 1


@pytest.mark.parametrize("text", [
    "{", "{}", '{"hits":[]}', '{"hits":{"hits":[]}}', '{"results":[1]}', '{"Event":{"System":1},"results":[{}]}',
    '{"took":', '{"took":1', '{"took":1}', '{"took":tru', '{"took" 1,"hits":[{', '{"x":[{"a":1}]}', '{"hits":' * 5_000,
    '{"_shards":' + "[" * 100_000, '{"ha\\u0069ts":[{', json.dumps({"took": "x" * 100}),
])
def test_what_is_no_answer(text: str) -> None:
    assert contents(text, 0) is None


@pytest.mark.parametrize(("text", "left"), [
    ("]}}", ""), (' ] } , "a": {"b": [1]}, "c": "x"}}\n', ""), ('"a": 1, "b": ', '"b": '), ("", ""), ("}{", "{"),
    ('"no key"', '"no key"'),
])
def test_what_follows_the_last_hit(text: str, left: str) -> None:
    assert text[rest(text, 0):] == left
