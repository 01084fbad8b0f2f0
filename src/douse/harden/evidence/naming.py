"""The host of an export that does not name one: the file's name without the words of its kind, or its folder's.

    PC-7.json    PC-7_auditpol.csv    auditpol-PC-7.csv    PC-7/auditpol.csv     all are of PC-7

That is a guess by the user's own naming, so it is always noted. A file whose name says nothing is refused: evidence
that lands on the wrong host is worse than none.
"""

from __future__ import annotations

import re

from douse.errors import EvidenceError
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence
from douse.harden.observed import Subject

_CERTAIN = re.compile(
    r"(?:^|[._\- ]+)(?:get-?)?(?:mppreference|mpcomputerstatus|auditpol|citool|sysmon(?:64)?|hardening-?kitty|policies)"
    r"(?=$|[._\- ])", re.IGNORECASE)
"""Words of a kind of export that no host is called by."""

_WORDS = ("(?:mp|preferences?|defender|status|audit|policy|chrome|edge|firefox|browser|about|export(?:ed)?|managed|"
          "report|finding|list|machine|user|json|csv|xml|txt|backup)")
_VAGUE = re.compile(rf"(?:^|[._ ]+){_WORDS}(?=$|[._ ])", re.IGNORECASE)
"""Words that a host may have in its name (USER-PC, BACKUP-01): they are of the kind only where no hyphen joins them."""

_ONLY_WORDS = re.compile(rf"{_WORDS}(?:[._\- ]+{_WORDS})*", re.IGNORECASE)
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)*")


def named_for_file(file: EvidenceFile, evidence: Evidence, why: str) -> Subject:
    """The host that a file is named for, with a note that begins with `why`. EvidenceError where no name fits."""
    name = host_name(file)
    if not name:
        raise EvidenceError(file.shown, f"{why}, nor does the file's name.",
                            "Name the file for its host (PC-7_auditpol.csv), or put it in a folder of that name.")
    evidence.note(file.shown, f"{why}; it is taken as that of {name}, by its name.",
                  "Rename the file if that is wrong.")
    return evidence.host(name)


def host_name(file: EvidenceFile) -> str:
    """The name that is left of a file's or its folder's name; "" for none."""
    folder, _, name = file.inner.rpartition("/")
    stem = name.rpartition(".")[0] or name
    for candidate in (stem, folder.rpartition("/")[2]):
        left = _VAGUE.sub("", _CERTAIN.sub("", candidate)).strip("._- ")
        if _HOST.fullmatch(left) and len(left) <= 255 and not _ONLY_WORDS.fullmatch(left):
            return left
    return ""
