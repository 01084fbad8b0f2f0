"""A difference in words: a Difference in, lines of plain text or of Markdown out, safe to show."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from douse.report.diff import Difference, HostChange, IncidentChange
from douse.report.story import count
from douse.text import clean, code, markdown

MAX_LISTED = 30
MAX_TEXT = 200
_STATES = (("new", "New incidents"), ("changed", "Changed incidents"), ("gone", "Incidents no longer found"))

Show = Callable[[object, int], str]


def as_text(difference: Difference) -> Iterator[bytes]:
    """Plain text for a terminal or a mail."""
    return _written(difference, "", "  - ", clean, clean)


def as_markdown(difference: Difference) -> Iterator[bytes]:
    """Markdown for a ticket."""
    return _written(difference, "## ", "- ", markdown, code)


def _written(difference: Difference, heading: str, bullet: str, say: Show, quote: Show) -> Iterator[bytes]:
    yield f"From {difference['before']} to {difference['after']}\n".encode()
    parts: list[tuple[str, list[str]]] = []
    for state, title in _STATES:
        parts.append((title, [_incident(one, say, quote) for one in difference["incidents"] if one["state"] == state]))
    parts += [("Hosts", [_host(one, say, quote) for one in difference["hosts"]]),
              ("Alerts by rule", [f"{say(one['title'], MAX_TEXT)} ({one['level']}): {one['new']:,} new, "
                                  f"{one['gone']:,} gone" for one in difference["rules"]]),
              ("Mind", [say(note, 0) for note in difference["notes"]])]
    for title, lines in parts:
        if lines:
            yield "".join((f"\n{heading}{title}\n", "\n" if heading else "",
                           *(f"{bullet}{line}\n" for line in lines[:MAX_LISTED]),
                           *([f"{bullet}and {len(lines) - MAX_LISTED:,} more; --format json has all\n"]
                             if len(lines) > MAX_LISTED else []))).encode()
    if not any(lines for _, lines in parts[:-1]):
        yield b"\nNothing changed in what was found and in what was logged.\n"


def _incident(one: IncidentChange, say: Show, quote: Show) -> str:
    rose = f", was {one['level_before']}" if one["level_before"] not in ("", one["level"]) else ""
    facts = [count(one["new_alerts"], "new alert") if one["new_alerts"] else "",
             f"{count(one['gone_alerts'], 'alert')} gone" if one["gone_alerts"] else "",
             _listed("new users", one["new_users"], quote), _listed("new stores", one["new_stores"], quote),
             _listed("new indicators", one["new_indicators"], quote), say(one["remark"], 0)]
    told = "; ".join(filter(None, facts))
    return (f"{one['level']}{rose}: {say(one['title'], MAX_TEXT)} on {quote(one['host'], MAX_TEXT)} "
            f"({quote(one['incident_id'], MAX_TEXT)}){': ' if told else ''}{told}")


def _host(one: HostChange, say: Show, quote: Show) -> str:
    lost = f": no records any more of {', '.join(quote(name, MAX_TEXT) for name in one['lost'])}" if (
        one["state"] == "reports less") else ""
    silent = "; nothing found on it means nothing" if one["state"] == "no longer reports" else ""
    return f"{quote(one['host'], MAX_TEXT)} {say(one['state'], 0)}{lost}{silent}"


def _listed(title: str, names: list[str], quote: Show) -> str:
    if not names:
        return ""
    more = f" and {len(names) - 10:,} more" if len(names) > 10 else ""
    return f"{title}: {', '.join(quote(name, MAX_TEXT) for name in names[:10])}{more}"
