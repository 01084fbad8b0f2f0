r"""Load stores/: every credential store a stealer takes, who may read it, what is lost with it, what to change and how.

    stores().match(path)    stores().ownership(found, image, signer)    for store in stores(): ...

A store is one file of the folder; its format is in the folder's README. A product's paths are written once for all its
folders, and a store of browser extensions once for all browsers of another store, so that the data says each thing in
one place. What does not follow the format is a ContentError with file and line. What can be asked: store_table.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from douse.content import document
from douse.content.document import Section
from douse.content.paths import ROOTS, PatternError, expanded, spelt_out
from douse.content.store_table import (
    EVIDENCE,
    HOLDS,
    ROTATE,
    Contents,
    Owner,
    Product,
    Reader,
    RotateStep,
    Source,
    Store,
    Stores,
)

FOLDER = Path(__file__).with_name("stores")
READERS, FAMILY_WORDS = "readers.yml", "sub_families.yml"
"""The two files of the folder that are no store."""

READER_KINDS = ("protection", "indexing", "backup", "sync")
ADMIN_ONLY = ("%PROGRAMFILES%", "%SYSTEMROOT%")
EXTENSION_ID = frozenset("abcdefghijklmnop")


@cache
def stores() -> Stores:
    """All stores of the folder, ready to be asked."""
    words = _family_words()
    loaded: dict[str, Store] = {}
    files = [document.read(path) for path in sorted(FOLDER.glob("*.yml")) if path.name not in (READERS, FAMILY_WORDS)]
    for top in sorted(files, key=lambda top: "extensions_of" in top):  # those of browsers first
        store = _store(top, words, loaded)
        loaded[store.id] = store
    return Stores(list(loaded.values()), _readers(), words)


def _family_words() -> dict[str, str]:
    top = document.read(FOLDER / FAMILY_WORDS)
    words = {name: top.text(name) for name in top}
    top.end()
    return words


def _readers() -> list[Reader]:
    top = document.read(FOLDER / READERS)
    found: list[Reader] = []
    for entry in top.listed("readers"):
        name, kind = entry.text("name"), entry.choice("kind", READER_KINDS)
        found += [Reader(name, kind, owner) for owner in _owner(entry)]
        entry.end()
    top.end()
    return found


def _store(top: Section, words: Mapping[str, str], loaded: Mapping[str, Store]) -> Store:
    name = Path(top.file).stem
    if top.text("id") != name:
        top.fail(f"id must be the file's name, {name!r}.", key="id")
    sources = tuple(_sources(top))
    owners, places = _owners(top), top.listed("places")
    shared = tuple(_inside(top, places, loaded)) if "extensions_of" in top else ()
    common = () if shared else places
    products = tuple(_product(entry, common, owners, sources) for entry in top.listed("products"))
    for place in places:
        place.end()
    store = Store(
        id=name, title=_line(top.text("title")), family=top.choice("family", tuple(words)),
        evidence=_known(top, "evidence", tuple(EVIDENCE)), lost=_some(top, "lost"), rotate=_rotate(top),
        products=products, shared=shared, misses=_line(top.text("misses", "")), sources=sources)
    if not products:
        top.fail("products has no entry.", "Name the program whose store it is.")
    top.end()
    return store


def _inside(top: Section, places: Sequence[Section], loaded: Mapping[str, Store]) -> Iterator[Contents]:
    """The places of extensions in every browser of the store that `extensions_of` names, and those beside browsers."""
    browsers = loaded.get(top.text("extensions_of"))
    if browsers is None:
        top.fail(f"extensions_of names {top.text('extensions_of')!r}, which is no store of browsers.",
                 f"Known: {', '.join(sorted(loaded))}.", key="extensions_of")
    for place in places:
        if all(map(_is_whole, place.texts("at"))):
            yield _contents(place, (), ())
            continue
        for browser in browsers.products:
            if browser.folders:
                yield _contents(place, browser.folders, browser.owners, browser.name)


def _product(entry: Section, common: Sequence[Section], owners: tuple[Owner, ...],
             sources: Sequence[Source]) -> Product:
    owners = (*_owners(entry), *owners)
    folders = tuple(_path(entry, "folders", folder) for folder in entry.texts("folders"))
    own = entry.listed("places")
    contents = [_contents(place, folders, owners) for place in (*own, *(common if folders else ()))]
    for place in own:
        place.end()
    product = Product(entry.text("name"), folders, tuple(contents), _extensions(entry), owners, _verified(entry),
                      _known(entry, "sources", tuple(source.id for source in sources)))
    if not contents and not product.extensions:
        entry.fail(f"{product.name} has no places.", "Give it folders, places or extensions.")
    if product.verified and not any(source.verified for source in sources if source.id in product.sources):
        entry.fail(f"{product.name} is verified without a source that was read.", "Name one under sources.")
    entry.end()
    return product


def _contents(place: Section, folders: Sequence[str], owners: tuple[Owner, ...], host: str = "") -> Contents:
    """A place below each folder, or where it says itself if it begins with a root."""
    at: list[str] = []
    for path in _some(place, "at"):
        spelt = [path] if _is_whole(path) else [f"{folder}\\{path}" for folder in folders]
        at += [_path(place, "at", one) for one in spelt]
    if not at:
        place.fail("at is relative, and the product has no folders.", "Begin it with a root such as %APPDATA%.")
    return Contents(tuple(at), _known(place, "holds", HOLDS), place.truth("verified", True), owners, host)


def _is_whole(path: str) -> bool:
    """Whether a path begins with a root, and not below a product's folders."""
    try:
        return expanded(path)[0].split("\\")[0].upper() in ROOTS
    except PatternError:
        return False  # it is refused where it is read


def _owners(entry: Section) -> tuple[Owner, ...]:
    found: list[Owner] = []
    for owner in entry.listed("owners"):
        found += _owner(owner)
        owner.end()
    return tuple(found)


def _owner(entry: Section) -> list[Owner]:
    """One owner for each path: whether only an administrator can write there is a matter of the path."""
    signer, verified = entry.text("signer", ""), entry.truth("verified", False)
    trusted, helper = entry.truth("admin_only", False), entry.truth("helper", False)
    return [Owner(_path(entry, "at", at), signer, trusted or at.split("\\")[0].upper() in ADMIN_ONLY, verified, helper)
            for at in _some(entry, "at")]


def _path(entry: Section, key: str, pattern: str) -> str:
    """A pattern that compiles."""
    try:
        spelt_out(pattern)
    except PatternError as error:
        entry.fail(f"{error}.", "See stores/README.md for how a path is written.", key=key)
    return pattern


def _extensions(entry: Section) -> tuple[str, ...]:
    found = entry.texts("extensions")
    for extension in found:
        if len(extension) != 32 or not EXTENSION_ID.issuperset(extension):
            entry.fail(f"{extension!r} is no id of an extension: 32 letters from a to p.", key="extensions")
    return found


def _sources(top: Section) -> Iterator[Source]:
    for entry in top.listed("sources"):
        yield Source(entry.text("id"), _line(entry.text("text")), _verified(entry))
        entry.end()


def _rotate(top: Section) -> tuple[RotateStep, ...]:
    """The steps, which must stand in the order in which they are to be done."""
    steps: list[RotateStep] = []
    for entry in top.listed("rotate"):
        step = RotateStep(entry.choice("what", ROTATE), _line(entry.text("do")))
        if steps and ROTATE.index(step.what) < ROTATE.index(steps[-1].what):
            entry.fail(f"{step.what} comes before {steps[-1].what}.", f"The order is {', '.join(ROTATE)}.")
        steps.append(step)
        entry.end()
    if not steps:
        top.fail("rotate has no step.")
    return tuple(steps)


def _verified(entry: Section) -> bool:
    """Whether somebody read it where it is said; nobody may leave that open."""
    return entry.choice("verified", ("true", "false")) == "true"


def _some(entry: Section, key: str) -> tuple[str, ...]:
    found = tuple(map(_line, entry.texts(key)))
    if not found:
        entry.fail(f"{key} has no entry.")
    return found


def _known(entry: Section, key: str, words: tuple[str, ...]) -> tuple[str, ...]:
    found = _some(entry, key)
    for word in found:
        if word not in words:
            entry.fail(f"{key} has {word!r}, which is none of {', '.join(words)}.", key=key)
    return found


def _line(text: str) -> str:
    return " ".join(text.split())
