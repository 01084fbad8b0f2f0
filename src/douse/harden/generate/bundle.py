"""Options in, a Bundle out: all files of it in memory, in the order in which they are written. Nothing touches a disk.

    bundle = generate(GenerateOptions(("H01", "H02"), ("gpo", "reg"), mode="audit"))

The same options, evidence and catalogue give the same bytes: there is no time in it and no path of a machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from douse.errors import OutputError
from douse.harden.gathered import Problem
from douse.harden.generate.changes import changes_json
from douse.harden.generate.formats import FORMATS, unsaid
from douse.harden.generate.plan import planned
from douse.harden.generate.policy import WORDS, BundleFile, GenerateOptions, Policy
from douse.harden.generate.readme import readme
from douse.harden.generate.undo import good_already


@dataclass(frozen=True, slots=True)
class Bundle:
    """A whole bundle: its files, the policy they are made of, what none of the formats says (control and setting), what
    of the evidence of `--before` could not be used, and the settings that it shows to be good already and that the
    bundle replaces all the same."""

    files: tuple[BundleFile, ...]
    policy: Policy
    unsaid: tuple[tuple[str, str], ...]
    problems: tuple[Problem, ...]
    replaced: tuple[str, ...] = ()


def generate(options: GenerateOptions) -> Bundle:
    """Everything that the options ask for. Raises OutputError where nothing of it could be made."""
    policy, problems = planned(options)
    words = tuple(word for word in WORDS if word in options.formats)
    made = list(_made(policy, words))
    if not made:
        raise OutputError(f"--as {','.join(words)}", _nothing(policy), "Choose other controls or formats, or --mode "
                          "enforce; `douse harden list` shows the controls.")
    if policy.go is not None:
        made.append(BundleFile(PurePosixPath("preflight.json"), policy.go.data, "The record that lets it be enforced."))
    front = (BundleFile(PurePosixPath("README.md"), readme(policy, words, made).encode(), "Read this first."),
             BundleFile(PurePosixPath("changes.json"), changes_json(policy), "Every value, old and new."))
    files = (*front, *made)
    sums = BundleFile(PurePosixPath("SHA256SUMS"), _sums(files), "sha256sum -c SHA256SUMS")
    return Bundle((*files, sums), policy,
                  tuple((control, setting.id) for control, setting, _ in unsaid(policy, words)), problems,
                  tuple(dict.fromkeys(undo.change.setting for undo in good_already(policy))))


def _made(policy: Policy, words: Iterable[str]) -> Iterator[BundleFile]:
    for word in words:
        yield from FORMATS[word].load()(policy)


def _nothing(policy: Policy) -> str:
    if policy.registry or policy.changes:
        return "says nothing of what these controls set."
    return f"would be empty: all {len(policy.left)} settings of these controls are left, the first because: " + (
        policy.left[0].why if policy.left else "there are none.")


def _sums(files: Iterable[BundleFile]) -> bytes:
    """As `sha256sum -c` reads it: no path of a bundle holds a backslash or a line feed."""
    return "".join(f"{hashlib.sha256(file.data).hexdigest()}  {file.path}\n" for file in files).encode()
