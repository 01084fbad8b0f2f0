"""Which records somebody asked for: pairs of channel and event id in, yes or no out.

The hunt builds one Wanted from what rules, correlation and indicators need. Readers ask it before they decode a
record's data; a record nobody wants is still counted (coverage.py), so that what was present stays known.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from douse.model import Interest

ANY_CHANNEL: Final = "*"
_REMEMBERED = 10_000  # answers kept; a real log has a few hundred pairs, a hostile one as many as it has records
_LONGEST_NAME = 255  # characters that Windows lets the name of a channel have


class Wanted:
    """The union of interests. An event id of None wants the whole channel, the channel "*" wants every channel."""

    def __init__(self, interests: Iterable[Interest]) -> None:
        self._pairs = frozenset((channel.lower(), event_id) for channel, event_id in interests)
        self._answers: dict[tuple[str, int], bool] = {}

    @classmethod
    def everything(cls) -> Wanted:
        """A Wanted that accepts every record."""
        return cls([(ANY_CHANNEL, None)])

    def accepts(self, channel: str, event_id: int) -> bool:
        """Whether somebody wants records of this channel (in any case) and event id."""
        answer = self._answers.get((channel, event_id))
        if answer is None:
            folded = channel.lower()
            questions = ((folded, event_id), (folded, None), (ANY_CHANNEL, event_id), (ANY_CHANNEL, None))
            answer = any(question in self._pairs for question in questions)
            if len(channel) <= _LONGEST_NAME:
                if len(self._answers) >= _REMEMBERED:
                    self._answers.clear()
                self._answers[channel, event_id] = answer
        return answer
