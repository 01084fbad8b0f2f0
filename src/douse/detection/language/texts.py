"""The questions a line asks of a field's text: the whole value, open at one or both ends, null, or anywhere at all.

A Draft in, an Item out: its patterns one by one, and one test for all of them, which is what makes thousands of rules
usable. Numbers compare as numbers when rule and event both write one (5, "5", 0x5), else as text. Null means absent or
null, '' present and empty; the `-` that Windows writes is neither. The counterpart, questions.py, has the other kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from douse.detection.language.documents import Mistake
from douse.detection.language.modifiers import Draft, finished_text
from douse.detection.language.patterns import Glob, Test, glob_test, number
from douse.detection.language.probe import Probe
from douse.detection.reference import Found, Item, Pattern
from douse.detection.view import Texts, View


def text_item(field: str, draft: Draft) -> Item:
    """A line that compares text: the whole value, or open at one or both ends. A keyword is open at both."""
    if not field:
        draft.open_start = draft.open_end = True
    groups = [[finished_text(value, draft) for value in group] for group in draft.values]
    if not field and any(glob is not None and not glob.literals for group in groups for glob in group):
        raise Mistake("an empty keyword is in every event", "Give it a text.")
    fold = not draft.cased
    compared = [[glob.folded() if fold and glob is not None else glob for glob in group] for group in groups]
    patterns = tuple(
        tuple(_text_pattern(field, shown, glob, fold) for shown, glob in zip(*pair, strict=True))
        for pair in zip(groups, compared, strict=True)
    )
    asked = compared if draft.every else [[glob for group in compared for glob in group]]
    whole = field.lower() == "eventid" and (not draft.every or len(groups) == 1)
    numbers = _event_ids(groups) if whole else None
    holds = _when_asked(lambda: combined([_text_holds(field, globs, fold) for globs in asked], draft.negated))
    probes = tuple(_probe(field, globs, fold) for globs in asked)
    return Item(field, patterns, draft.every, draft.negated, numbers, holds, probes)


def _when_asked(make: Callable[[], Callable[[View], bool]]) -> Callable[[View], bool]:
    """A question made when it is first asked: the fast matcher goes by the probes and asks few."""
    made: Callable[[View], bool] | None = None

    def holds(view: View) -> bool:
        nonlocal made
        if made is None:
            made = make()
        return made(view)

    return holds


def _probe(field: str, globs: list[Glob | None], fold: bool) -> Probe:
    texts = tuple(dict.fromkeys(glob for glob in globs if glob is not None))
    return Probe(field, texts, fold, null=None in globs and bool(field))


def _event_ids(groups: list[list[Glob | None]]) -> frozenset[int] | None:
    """The numbers of a line that has nothing else, so that a rule with `EventID: 1` is only asked about those."""
    found = [number(glob.text) if glob is not None and glob.text is not None else None
             for group in groups for glob in group]
    whole = frozenset(value for value in found if isinstance(value, int))
    return whole if None not in found and all(isinstance(value, int) for value in found) else None


def _equal_test(globs: Iterable[Glob]) -> Test:
    """Any of the globs; those that write a number also match that number written otherwise."""
    known = list(globs)
    numbers = {value for glob in known if glob.text is not None and (value := number(glob.text)) is not None}
    test = glob_test(known)
    if not numbers:
        return test
    return lambda text: test(text) or number(text) in numbers


def _text_holds(field: str, globs: list[Glob | None], fold: bool) -> Callable[[View], bool]:
    """The fast question: all values of a line at once."""
    texts = [glob for glob in globs if glob is not None]
    null = len(texts) < len(globs)
    test = _equal_test(texts) if texts else None
    if not field:
        return _anywhere(test, fold) if test else _no
    if test is None:
        return lambda view: view.raw[field] is None
    return _field_test(field, test, fold, null)


def _field_test(field: str, test: Test, fold: bool, null: bool) -> Callable[[View], bool]:
    def holds(view: View) -> bool:
        texts = view.folded[field] if fold else view.raw[field]
        if texts.__class__ is str:
            return test(texts)
        return null if texts is None else any(map(test, texts))

    return holds


def _anywhere(test: Test, fold: bool) -> Callable[[View], bool]:
    if fold:
        return lambda view: any(test(text.casefold()) for _, text in view.everything())
    return lambda view: any(test(text) for _, text in view.everything())


def _no(_view: View) -> bool:
    return False


def _text_pattern(field: str, shown: Glob | None, glob: Glob | None, fold: bool) -> Pattern:
    if glob is None or shown is None:
        return Pattern("null", lambda view: (field, "") if view.raw[field] is None else None)

    test: Test | None = None

    def find(view: View) -> Found | None:
        nonlocal test
        if test is None:  # made when asked: of all values of a rule set, few are ever found
            test = _equal_test([glob])
        if not field:
            return finder(field, (lambda text: test(text.casefold())) if fold else test)(view)
        for text, whole in zip(each((view.folded if fold else view.raw)[field]), each(view.raw[field]), strict=True):
            if test(text):
                return field, whole
        return None

    return Pattern(str(shown) or "''", find)


def finder(field: str, test: Test) -> Callable[[View], Found | None]:
    """Where a test is true: in the field's texts, or for a keyword anywhere."""
    if not field:
        return lambda view: next((found for found in view.everything() if test(found[1])), None)
    return lambda view: next(((field, text) for text in each(view.raw[field]) if test(text)), None)


def each(texts: Texts) -> tuple[str, ...]:
    """The texts one by one."""
    if texts is None:
        return ()
    return (texts,) if isinstance(texts, str) else texts


def combined(tests: list[Callable[[View], bool]], negated: bool) -> Callable[[View], bool]:
    """All of the tests (one, unless the line says `all`), or the opposite."""
    if len(tests) == 1 and not negated:
        return tests[0]

    def holds(view: View) -> bool:
        for test in tests:
            if not test(view):
                return negated
        return not negated

    return holds
