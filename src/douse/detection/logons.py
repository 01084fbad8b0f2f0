r"""Whose process a Security record is about, as Sysmon would write it: its user and its logon id.

A 4688 names two accounts: the Subject started the process, and the Target runs it where the two differ (else its logon
id is 0x0). Sysmon names the one that runs it. The built-in accounts have the same logon id on every Windows; the
Security log calls them by the computer's name (`CORP\\WS-01$`), Sysmon `NT AUTHORITY\\SYSTEM`. The counterpart is
registry.py; which fields are asked is the table in content/logsources.yml.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from douse.detection.language.patterns import number

_BUILT_IN: Mapping[int, str] = {0x3E7: "SYSTEM", 0x3E4: "NETWORK SERVICE", 0x3E5: "LOCAL SERVICE"}


def account(texts: Sequence[str]) -> str:
    """The account among (logon id, domain, name, logon id, ...) that has a logon id, else the last one."""
    *known, last = _threes(texts)
    logon_id, domain, name = next((one for one in known if _is_one(one[0])), last)
    built_in = _BUILT_IN.get(whole) if isinstance(whole := number(logon_id), int) else None
    if built_in is not None:
        return f"NT AUTHORITY\\{built_in}"
    return f"{domain}\\{name}" if domain not in ("", "-") else name


def logon(texts: Sequence[str]) -> str:
    """The first logon id that is one, else the last."""
    return next((text for text in texts if _is_one(text)), texts[-1])


def _is_one(logon_id: str) -> bool:
    """Whether it is a logon at all; Windows writes 0x0 for none."""
    return logon_id not in ("", "-") and number(logon_id) != 0


def _threes(texts: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    for at in range(0, len(texts), 3):
        yield texts[at], texts[at + 1], texts[at + 2]


WORDS: Mapping[str, Callable[[Sequence[str]], str]] = {"account": account, "logon": logon}
"""How an alias of the table is made of its fields."""
