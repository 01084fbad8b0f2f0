"""What a computer had before: the evidence of `--before` in, the one Subject it is about out.

The files are read like those of an audit (evidence/walk.py). An undo file is made for one computer, so evidence of two
is refused: what was right on the one would be written to the other.
"""

from __future__ import annotations

from collections.abc import Sequence

from douse.errors import EvidenceError
from douse.harden.gathered import Problem
from douse.harden.observed import Subject


def read_before(paths: Sequence[str]) -> tuple[Subject | None, tuple[Problem, ...]]:
    """The host that the evidence is of, None where none was named, and what of the evidence could not be used. Raises
    EvidenceError where it is of no host, or of several."""
    if not paths:
        return None, ()
    from douse.harden.evidence.walk import gather  # only this option needs the readers and their libraries

    evidence = gather(paths)
    hosts = evidence.of("host")
    if not hosts:
        first = evidence.problems[0] if evidence.problems else None
        raise EvidenceError(f"--before {paths[0]}", "holds nothing that a computer had." + (
            f" First: {first.where}: {first.what}" if first else ""),
            "Name what `douse harden collect-script` collected, or copies of its registry hives.")
    if len(hosts) > 1:
        names = ", ".join(host.name for host in hosts[:3]) + ("" if len(hosts) < 4 else ", ...")
        raise EvidenceError("--before", f"holds evidence of {len(hosts)} computers ({names}), and an undo is for one.",
                            "Name the evidence of one of them, and generate a bundle for each.")
    return hosts[0], tuple(evidence.problems)
