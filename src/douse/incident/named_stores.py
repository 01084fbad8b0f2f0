"""Which stores a command or a script names: a text in, products out, with what the named files hold.

A thief's text has the path in his own spelling (`$env:LOCALAPPDATA\\Google\\Chrome\\User Data`, slashes either way,
doubled or in pieces of quotes), so it is searched for each product's folder without its root, its files' longest fixed
part, and its ids as an extension, by one automaton. Names that are everyday words are not searched for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from ahocorasick_rs import AhoCorasick

from douse.content.paths import spelt_out
from douse.content.store_table import Contents, Product, Store
from douse.content.stores import stores

_SHORTEST_NAME = 5  # characters by which a text may be said to name a store: `.kdbx`
_GAP = re.compile(r"\\\*\*|\*|<[a-z]+>")


@lru_cache(maxsize=1_024)
def named_in(text: str) -> tuple[tuple[Store, Product, tuple[str, ...]], ...]:
    """The stores that a command or script names, with what the named files hold."""
    plain = plain_text(text)
    products, automaton = _names()
    hits = {index for index, _, _ in automaton.find_matches_as_indexes(plain, overlapping=True)}
    found = dict.fromkeys(product for index in sorted(hits) for product in products[index])
    return tuple((*_known()[number], _held(_names_of(number), plain)) for number in found)


@cache
def _known() -> tuple[tuple[Store, Product], ...]:
    return tuple((store, product) for store in stores() for product in store.products)


@cache
def _names() -> tuple[list[list[int]], AhoCorasick]:
    """Every text by which a product can be recognised, and the products (numbers in `_known`) that it stands for."""
    by_name: dict[str, list[int]] = {}
    for number, (store, product) in enumerate(_known()):
        if store.family == "files":
            continue  # their names are everyday words
        for name in sorted({*_folder_names(product), *product.extensions}):
            by_name.setdefault(name, []).append(number)
    return list(by_name.values()), AhoCorasick(list(by_name))


def _folder_names(product: Product) -> Iterator[str]:
    patterns = product.folders or tuple(at for contents in product.contents for at in contents.at)
    for pattern in patterns:
        if pattern.startswith("**"):
            continue
        for _, rest in spelt_out(pattern):
            name = max(_GAP.split("\\" + "\\".join(rest)), key=len).rstrip("\\")
            if len(name) >= _SHORTEST_NAME and (product.folders or name.count("\\") != 1 or "." in name):
                yield name


def held_by_family(family: str, plain: str) -> tuple[str, ...]:
    """What those files of a sub-family hold whose names stand in the text."""
    return _held(_names_in_family(family), plain)


_Names = tuple[tuple[frozenset[str], tuple[str, ...]], ...]  # names of files, and what they hold


def _held(files: _Names, plain: str) -> tuple[str, ...]:
    found = (holds for names, holds in files if any(name in plain for name in names))
    return tuple(dict.fromkeys(word for holds in found for word in holds))


@cache
def _names_in_family(family: str) -> _Names:
    return _file_names(one for store in stores() if store.family == family for one in store.contents)


@cache
def _names_of(number: int) -> _Names:
    return _file_names(_known()[number][1].contents)


def _file_names(contents: Iterable[Contents]) -> _Names:
    """Each set of names once, of those that are long enough to tell something."""
    found: dict[tuple[frozenset[str], tuple[str, ...]], None] = {}
    for one in contents:
        ends = (rest[-1] for at in one.at for _, rest in spelt_out(at))
        names = frozenset(name for name in ends if "*" not in name and "<" not in name and len(name) >= _SHORTEST_NAME)
        if names:
            found[names, one.holds] = None
    return tuple(found)


def plain_text(text: str) -> str:
    r"""The text as names are looked for in it: slashes one way, not doubled, nothing that only escapes or quotes."""
    shown = text.lower().replace("/", "\\").replace("\\\\", "\\").translate(str.maketrans("", "", "\"'^`"))
    return shown.encode("utf-8", "replace").decode("utf-8")
