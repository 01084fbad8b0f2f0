r"""The registry values of one subject, as sources tell of them; a value is absent only where a source says so.

    host.registry.add("HKLM", r"SOFTWARE\Policies\Google\Chrome", "PasswordManagerEnabled",
                      RegistryValue("REG_DWORD", 0), source, where=r"SOFTWARE hive")
    host.registry.look("HKLM", r"software\policies\google\chrome", "passwordmanagerenabled")    # [Seen(...)]

A value that is not there is known to be absent by name, or because a source holds the whole of a key (`complete`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from douse.content.settings import Data
from douse.harden.seen import Seen, Source


@dataclass(frozen=True, slots=True)
class RegistryValue:
    """A registry value: its type by Windows' name and its data. A type unknown to us is `REG_NONE` with bytes."""

    type: str
    data: Data


class Registry:
    """The values of one subject, under HKLM and under HKCU of each user profile. Names compare without case.

    `profile` is "" for HKLM, else the user's name or SID; for a policy's user part it is "".
    """

    def __init__(self) -> None:
        self._values: dict[tuple[str, str, str, str], list[Seen[RegistryValue | None]]] = {}
        self._spelled: dict[tuple[str, str, str, str], tuple[str, str, str, str]] = {}
        self._under: dict[tuple[str, str], list[tuple[str, str, str, str]]] = {}
        self._complete: dict[tuple[str, str], list[tuple[str, Source, bool]]] = {}
        self._profiles: dict[str, str] = {}
        self._all_profiles: dict[Source, None] = {}

    def add(self, hive: str, key: str, name: str, value: RegistryValue | None, source: Source, *, where: str = "",
            raw: str = "", profile: str = "") -> None:
        """Keep a value, or with None that a source says it is not there."""
        spelled = (_one(hive.upper()), _one(key.strip("\\")), _one(name), _one(profile))
        place = self._place(*spelled)
        self._keep(place, spelled, [Seen(value, source, where or f"{hive}\\{key}!{name}", raw)])
        if profile:
            self.add_profile(profile)

    def _keep(self, place: tuple[str, str, str, str], spelled: tuple[str, str, str, str],
              seen: Iterable[Seen[RegistryValue | None]]) -> None:
        if place not in self._values:
            self._values[place], self._spelled[place] = [], spelled
            self._under.setdefault((place[0], place[3]), []).append(place)
        self._values[place].extend(seen)

    def add_profile(self, profile: str) -> None:
        """There is such a user profile, even if nothing of it was seen."""
        self._profiles.setdefault(profile.casefold(), profile)

    def all_profiles(self, source: Source) -> None:
        """A source names every user profile there is, whether or not it holds anything of them."""
        self._all_profiles[source] = None

    @property
    def knows_all_profiles(self) -> list[Source]:
        """The sources that name every user profile."""
        return list(self._all_profiles)

    def absorb(self, other: Registry) -> None:
        """Take over all that another one of the same computer has."""
        for place, seen in other._values.items():
            self._keep(place, other._spelled[place], seen)
        for whose, complete in other._complete.items():
            self._complete.setdefault(whose, []).extend(complete)
        for profile in other.profiles:
            self.add_profile(profile)
        self._all_profiles.update(other._all_profiles)

    def complete(self, hive: str, key: str, source: Source, profile: str = "", *, below: bool = True) -> None:
        """A source holds the whole of a key: what it lacks there, and unless `below` is false in the keys under it, is
        absent."""
        self._complete.setdefault((hive.upper(), profile.casefold()), []).append(
            (key.strip("\\").casefold(), source, below))
        if profile:
            self.add_profile(profile)

    def look(self, hive: str, key: str, name: str, profile: str = "") -> list[Seen[RegistryValue | None]]:
        """All that sources say of one value. Empty: nobody knows. A None among them: that source knows it is absent."""
        place = self._place(hive, key, name, profile)
        found = list(self._values.get(place, ()))
        told = {seen.source for seen in found}
        for prefix, source, below in self._complete.get((place[0], place[3]), ()):
            inside = place[1] == prefix or (below and _is_under(place[1], prefix))
            if inside and source not in told:
                found.append(Seen(None, source, f"{hive}\\{key}!{name}", "absent"))
                told.add(source)
        return found

    def below(self, hive: str, key: str, profile: str = "") -> Iterator[tuple[str, str, Seen[RegistryValue | None]]]:
        """Every value of a key and its subkeys: subkey relative to it, name, and what was seen."""
        prefix = key.strip("\\").casefold()
        for place in self._under.get((hive.upper(), profile.casefold()), ()):
            if place[1] == prefix or place[1].startswith(prefix + "\\"):
                _, spelled_key, name, _ = self._spelled[place]
                for one in self._values[place]:
                    yield spelled_key[len(prefix):].strip("\\"), name, one

    def knows_all_of(self, hive: str, key: str, profile: str = "") -> list[Source]:
        """The sources that hold the whole of a key's values."""
        folded = key.strip("\\").casefold()
        return [source for prefix, source, below in self._complete.get((hive.upper(), profile.casefold()), ())
                if folded == prefix or (below and _is_under(folded, prefix))]

    @property
    def profiles(self) -> tuple[str, ...]:
        """The user profiles that anybody told of, in order."""
        return tuple(self._profiles[name] for name in sorted(self._profiles))

    def __iter__(self) -> Iterator[tuple[str, str, str, str, Seen[RegistryValue | None]]]:
        """Every value as (hive, key, name, profile, seen), spelled as first seen."""
        for place, seen in self._values.items():
            for one in seen:
                yield (*self._spelled[place], one)

    def __len__(self) -> int:
        return len(self._values)

    @staticmethod
    def _place(hive: str, key: str, name: str, profile: str) -> tuple[str, str, str, str]:
        return _one(hive.upper()), _folded(key.strip("\\")), _folded(name), _folded(profile)


@lru_cache(maxsize=1 << 14)
def _one(text: str) -> str:
    """The text, the same object for all that equal it: the computers of a fleet have the same keys and names."""
    return text


@lru_cache(maxsize=1 << 14)
def _folded(text: str) -> str:
    return _one(text.casefold())


def _is_under(key: str, above: str) -> bool:
    return not above or key.startswith(above + "\\")
