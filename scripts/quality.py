"""How good our rules' alerts are, measured: writes the tables of docs/detection-quality.md, checks what they rest on.

    .venv/bin/python scripts/quality.py            write the tables (`make quality`)
    .venv/bin/python scripts/quality.py --check    write nothing; exit 1 if a table is out of date or an alert unread
    .venv/bin/python scripts/quality.py --unread   draft a ledger's row for every alert that nobody has judged

Our rules and SigmaHQ's run over the same records: attack samples and data sets that others recorded, samples that a
vendor of rules chose, and ordinary days of our own simulator. A person must have read each alert of ours, and must have
said of each rule of SigmaHQ's why it sees at high or above what ours do not. tests/hunt/test_quality.py holds our side
to it, this script also SigmaHQ's, which takes minutes.
"""

from __future__ import annotations

import argparse
import csv
import sys

from quality_ledgers import LEDGER_FIELDS, OURS, THEIRS, difference_problems, drafts, ledger_problems, read_list
from quality_page import PAGE, filled, sections
from quality_runs import CORPORA, JUDGED, SYNTHETIC, Measured, differences, logs_of, measure

from douse.model import LEVELS


def problems_of(measured: Measured) -> list[str]:
    """All that a person still has to read or to explain, and what must never be."""
    found = [problem for corpus in CORPORA
             for problem in ledger_problems(corpus, measured.ours[corpus.kind].alerts, read_list(corpus.ledger))]
    found += difference_problems(THEIRS, differences(measured.theirs, measured.ours, JUDGED), read_list(THEIRS))
    found += difference_problems(OURS, differences(measured.ours, measured.theirs, LEVELS[0]), read_list(OURS))
    found += [f"An ordinary day raised the {alert.level} alert '{alert.title}' ({alert.source}). Mend the rule."
              for alert in measured.ours[SYNTHETIC].at_least(JUDGED)]
    return found


def write_drafts() -> None:
    """Print rows for the alerts that are in no ledger, below the name of the ledger they belong to."""
    writer = csv.DictWriter(sys.stdout, LEDGER_FIELDS, lineterminator="\n")
    for corpus in CORPORA:
        print(f"# docs/quality/{corpus.ledger}")
        writer.writerows(drafts(logs_of(corpus).alerts, read_list(corpus.ledger)))


def main() -> int:
    """Measure, write or compare the tables, and say what is left to do."""
    parser = argparse.ArgumentParser(description="Measure how good our rules' alerts are.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where something is out of date")
    parser.add_argument("--unread", action="store_true", help="print rows for alerts that nobody has judged")
    asked = parser.parse_args()
    if asked.unread:
        write_drafts()
        return 0
    measured = measure()
    problems = problems_of(measured)
    old = PAGE.read_text(encoding="utf-8")
    new = filled(old, sections(measured))
    if new != old and asked.check:
        problems.append("docs/detection-quality.md is out of date. Run `make quality` and review the difference.")
    elif new != old:
        PAGE.write_text(new, encoding="utf-8", newline="\n")
        print("docs/detection-quality.md")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
