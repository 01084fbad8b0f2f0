"""Lints about filters: what a filter does to the rules that it narrows is seen by nobody who reads only the rules.

Each takes a Subject and yields Remarks; the table is LINTS in lint.py. What a filter means is language/filters.py's. A
filter that names a rule which is not there is no lint but an error (linking.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from douse.detection.lint.subject import Remark, Subject


def keeps_only(rule: Subject) -> Iterator[Remark]:
    """A condition without a `not`: the rules then match only what the filter describes, and that is seldom meant."""
    if rule.used and not rule.negated:
        names = " and ".join(f"'{name}'" for name in sorted(rule.used))
        yield Remark(f"the rules will match only where {names} holds, because a filter's condition is added with 'and'",
                     "Write 'not' before what is to be left out.", ("filter", "condition"))


def narrows_nothing(rule: Subject) -> Iterator[Remark]:
    """A filter that no loaded rule is narrowed by: what it was written for is shown, or not loaded here."""
    if rule.around.narrowed.get(rule.place) == frozenset():
        yield Remark(f"no loaded rule that can fire has the logsource {rule.source} of this filter and is meant by it",
                     "Load the rules as well, or give the filter their logsource.", ("logsource",))
