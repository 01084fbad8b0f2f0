"""A rule's condition and its selections in, one term out.

    or-part   = and-part { "or" and-part }        not binds tighter than and, and tighter than or
    and-part  = not-part { "and" not-part }
    not-part  = "not" not-part | "(" or-part ")" | ("1" | "any" | "all") "of" ("them" | pattern) | selection

Own tokenizer: a word is whatever stands between blanks and parentheses, so a selection may be called `notepad` or
`android`. Decisions: the words and/or/not/of/them are accepted in any case, as older rule sets write them; `them` and
patterns leave out selections that start with `_` (unless the pattern does); a word that names nothing is an error,
because a condition that silently lost a part would match too much; a list of conditions is joined by or.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from douse.detection.language.documents import Mistake, did_you_mean
from douse.detection.language.patterns import Glob, Wild, expression
from douse.detection.reference import All, Any, Not, Term

MAX_DEPTH = 50
MAX_WORDS = 2_000

_TOKEN = re.compile(r"[()]|[^\s()]+")
_RESERVED = frozenset({"and", "or", "not", "of", "them"})
_QUANTIFIERS: Mapping[str, Callable[[tuple[Term, ...]], Term]] = {"1": Any, "any": Any, "all": All}


def parse_condition(text: str, selections: Mapping[str, Term]) -> Term:
    """The term a condition stands for. Raises Mistake, naming the word it stumbles over."""
    if "|" in text:
        raise Mistake("an aggregation after '|' is the old form and is not supported",
                      "Write it as a Sigma correlation: docs/sigma.md shows how.")
    words = _TOKEN.findall(text)
    if not words:
        raise Mistake("the condition is empty", f"Name a selection: {', '.join(selections)}.")
    if len(words) > MAX_WORDS:
        raise Mistake(f"the condition has more than {MAX_WORDS} words", "Use '1 of selection_*'.")
    return _Parser(words, selections).whole()


class _Parser:
    """Reads the words of one condition from left to right."""

    def __init__(self, words: list[str], selections: Mapping[str, Term]) -> None:
        self._words, self._selections = words, selections
        self._at = 0
        self._depth = 0

    def whole(self) -> Term:
        term = self._or_part()
        if self._at < len(self._words):
            raise Mistake(f"the condition goes on with '{self._words[self._at]}' where 'and' or 'or' should stand",
                          f"Write one of them after '{self._words[self._at - 1]}', or remove the rest.")
        return term

    def _peek(self) -> str:
        return self._words[self._at].lower() if self._at < len(self._words) else ""

    def _take(self) -> str:
        if self._at == len(self._words):
            raise Mistake("the condition ends too early", f"Something must follow '{self._words[-1]}'.")
        self._at += 1
        return self._words[self._at - 1]

    def _or_part(self) -> Term:
        terms = [self._and_part()]
        while self._peek() == "or":
            self._take()
            terms.append(self._and_part())
        return terms[0] if len(terms) == 1 else Any(tuple(terms))

    def _and_part(self) -> Term:
        terms = [self._not_part()]
        while self._peek() == "and":
            self._take()
            terms.append(self._not_part())
        return terms[0] if len(terms) == 1 else All(tuple(terms))

    def _not_part(self) -> Term:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise Mistake(f"the condition is nested deeper than {MAX_DEPTH} levels", "Flatten it.")
        term = self._operand()
        self._depth -= 1
        return term

    def _operand(self) -> Term:
        word = self._take()
        if word.lower() == "not":
            return Not(self._not_part())
        if word == "(":
            term = self._or_part()
            if self._peek() != ")":
                raise Mistake("a parenthesis is not closed", f"Add ')' after '{self._words[self._at - 1]}'.")
            self._take()
            return term
        return self._several(word) if self._peek() == "of" else self._one(word)

    def _one(self, word: str) -> Term:
        if word in self._selections:
            return self._selections[word]
        if word == ")" or word.lower() in _RESERVED:
            raise Mistake(f"'{word}' stands where a selection should", "Check the words around it.")
        if word.lower() in _QUANTIFIERS:
            raise Mistake(f"'{word}' has no 'of' after it", f"Write '{word} of selection_*' or '{word} of them'.")
        if "*" in word:
            raise Mistake(f"'{word}' needs '1 of' or 'all of' before it", f"Write '1 of {word}'.")
        raise Mistake(f"the condition names '{word}', which is no selection of this rule",
                      did_you_mean(word, self._selections))

    def _several(self, quantifier: str) -> Term:
        join = _QUANTIFIERS.get(quantifier.lower())
        if join is None:
            raise Mistake(f"'{quantifier} of' is not Sigma", "Use '1 of', 'any of' or 'all of'.")
        self._take()
        pattern = self._take()
        if pattern in ("(", ")"):
            raise Mistake(f"'{quantifier} of' stands before a parenthesis", "Write the pattern without parentheses.")
        terms = tuple(self._selections[name] for name in _matching(pattern, self._selections))
        if not terms:
            raise Mistake(f"'{quantifier} of {pattern}' matches no selection of this rule",
                          did_you_mean(pattern, self._selections))
        return join(terms)


def _matching(pattern: str, names: Iterable[str]) -> list[str]:
    """The selections a pattern means. `them` is all; those that start with `_` only answer to a pattern that does."""
    if pattern.lower() == "them" and pattern not in names:
        pattern = "*"
    glob = Glob(tuple(Wild.ANY if part == "*" else part for part in re.split(r"(\*)\**", pattern) if part))
    wanted, hidden = expression(glob), pattern.startswith("_")
    return [name for name in names if wanted.fullmatch(name) and (hidden or not name.startswith("_"))]
