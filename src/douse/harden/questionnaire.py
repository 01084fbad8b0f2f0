"""A blank questionnaire: what no file of a computer shows, asked of the organisation, for any vendor's product.

    blank()    YAML with every question as a comment above its entry

The questions are content/questionnaire.yml; evidence/questionnaire.py reads the answers.
"""

from __future__ import annotations

import textwrap

from douse.content.questionnaire import questions

FORMAT = "douse-questionnaire-1"

_HEAD = """\
# What no file of a computer shows. Answer what you know, leave the rest empty: an empty answer is "unknown".
#
#   answer    yes, no, partial or unknown
#   by, when  who says so, and the day (2026-11-24)
#   proof     the document that shows it: its name, number or address. A yes without one counts as partial.
#   comment   anything that explains a partial
#
# Write texts between the two quotes: proof: 'DOC-12, page 3'. A quote inside a text is written twice. H14 and the like
# are the controls that a question belongs to: douse harden show H14.
"""


def blank() -> str:
    """The text of the file; the same catalogue gives the same text."""
    lines = [_HEAD, f"format: {FORMAT}", "organisation: ''", "answers:"]
    for question in questions():
        lines += ["", *_comment(f"{question.text} ({question.control})"),
                  *_comment(f"Proof: {question.proof}"),
                  f"  - question: {question.id}", "    answer:", "    by: ''", "    when: ''", "    proof: ''",
                  "    comment: ''"]
    return "\n".join(lines) + "\n"


def _comment(text: str) -> list[str]:
    return [f"  # {line}" for line in textwrap.wrap(text, 114)]
