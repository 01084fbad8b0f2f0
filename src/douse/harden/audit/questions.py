"""Judge an answer of the questionnaire: the answers of an organisation go in, a Check comes out.

`yes` passes only with a document that shows it and a date of the last year; what somebody once said is partial. Of two
answers the newer counts; two of one day that differ are a conflict. A date that lies ahead replaces nothing.
"""

from __future__ import annotations

from datetime import date

from douse.content.settings import QuestionSetting
from douse.harden.audit.weigh import Opinion, cite, current, join, seen_of, settled
from douse.harden.finding import Check
from douse.harden.observed import Answer, Subject
from douse.harden.seen import Seen

OLD_DAYS = 365
"""After so many days an answer is no proof any more."""

_EXPECTED = f"yes, with a proof, not older than {OLD_DAYS} days"


def check_question(setting: QuestionSetting, subject: Subject, today: date) -> tuple[Check, ...]:
    """What was answered, judged as of a day."""
    seen, old = current(seen_of(subject.answers, setting.question))
    newest = max((day for one in seen if (day := _day(one.value.when)) is not None and day <= today), default=None)
    counting = [one for one in seen if newest is None or (day := _day(one.value.when)) is None or day >= newest]
    old += [one for one in seen if one not in counting]
    return (settled(setting, _EXPECTED, [_opinion(one, today) for one in counting], replaced=old,
                    missing="Answer it in the questionnaire: douse harden collect-script --questionnaire."),)


def _opinion(seen: Seen[Answer], today: date) -> Opinion:
    answer = seen.value
    word = answer.answer.strip().casefold()
    said = join(answer.by or "Somebody", "answered", answer.answer or "nothing",
                f"on {answer.when}" if answer.when else "")
    actual = word or "no answer"  # two documents that show the same are no contradiction
    cited = cite(seen, join(actual, f"({answer.proof})" if answer.proof else ""))
    if word not in ("yes", "no", "partial"):
        return Opinion("unknown", actual, f"{said}.", cited)
    if word == "no":
        return Opinion("fail", actual, f"{said}.", cited)
    if word == "partial":
        return Opinion("partial", actual, join(f"{said}.", answer.comment), cited)
    doubt = _doubt(answer, today)
    return Opinion("partial" if doubt else "pass", actual,
                   f"{said}{', and ' + doubt if doubt else f'; the proof is {answer.proof}'}.", cited)


def _doubt(answer: Answer, today: date) -> str:
    """Why a yes is not enough, "" where it is."""
    if not answer.proof.strip():
        return "named no document that shows it"
    day = _day(answer.when)
    if day is None:
        return "the answer has no date"
    if day > today:
        return "the date lies in the future"
    age = (today - day).days
    return f"that was {age:,} days ago" if age > OLD_DAYS else ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None
