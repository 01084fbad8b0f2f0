"""Judge what accounts have for a second factor: an export of accounts goes in, a Check comes out.

An export with a next page, and an account without its methods, cannot pass. Of two exports that speak of one account
and differ, that is a conflict. Entra's words are those of Microsoft Graph v1.0 (userRegistrationDetails).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from douse.content.settings import TenantSetting
from douse.harden.audit.mfa_policies import EXPORT, demanding_resistance, policies_of
from douse.harden.audit.tenant import changed, cited_first, folded
from douse.harden.audit.weigh import current, current_sources, join, shortened, unseen
from douse.harden.finding import Check
from douse.harden.observed import Account, Subject
from douse.harden.seen import Seen

ENOUGH = 99
"""Percent of users that must have a second factor; the figure is ours."""

RESISTANT = ("fido2", "passkey", "windowshello", "certificate", "macossecureenclavekey")
"""How the words of methods begin that a false sign-in page cannot pass on."""

WEAK = frozenset({
    "mobilephone", "alternatemobilephone", "officephone", "sms", "voice", "email", "securityquestion",
    "password", "textmessage", "phonecall", "phone", "securityquestions"})
"""Words of methods that are no second factor, or one that is easily taken over: Graph's, then the portal's."""

_ACCOUNTS = "The Graph export reports/authenticationMethods/userRegistrationDetails (all pages) would tell."

Accounts = Sequence[Seen[Account]]


def _admins(subject: Subject) -> tuple[Accounts, Accounts]:
    """The administrators, and the accounts of which nobody said whether they are."""
    accounts = _accounts(subject)
    return ([one for one in accounts if one.value.is_admin], [one for one in accounts if one.value.is_admin is None])


def _accounts(subject: Subject) -> Accounts:
    """What the exports say of accounts; an older export counts no more where there is a newer one of its kind."""
    return current(subject.accounts, subject.accounts_whole)[0]


def admins_registered(setting: TenantSetting, subject: Subject) -> Check:
    """Every administrator has a second factor."""
    admins, untold = _admins(subject)
    return _share(setting, subject, admins, untold, _registered, "every administrator",
                  "have a second factor", 100)


def users_registered(setting: TenantSetting, subject: Subject) -> Check:
    """Nearly every account has a second factor."""
    return _share(setting, subject, _accounts(subject), (), _registered, f"{ENOUGH} % of all users",
                  "have a second factor", ENOUGH)


def _registered(account: Account) -> bool | None:
    """Registered counts only where it can be used: a method that no policy allows helps nobody."""
    return False if account.capable is False else account.registered


def no_sms_only(setting: TenantSetting, subject: Subject) -> Check:
    """Nobody has a second factor that is only SMS, a call or a mail."""
    known = [one for one in _accounts(subject) if one.value.registered is not False]
    return _share(setting, subject, known, (), _more_than_sms, "every account with a second factor",
                  "have one that is no SMS, call or mail", 100)


def _more_than_sms(account: Account) -> bool | None:
    methods = account.methods
    return None if not methods else any(_bare_word(one) not in WEAK for one in methods)


def _bare_word(method: str) -> str:
    """A method's word without blanks and hyphens, as the portal writes `Mobile phone`."""
    return "".join(sign for sign in folded(method) if sign.isalnum())


def _resistant(account: Account) -> bool | None:
    methods = account.methods
    return None if methods is None else any(
        folded(one).startswith(RESISTANT) or "certificate" in folded(one) for one in methods)


def admins_resistant(setting: TenantSetting, subject: Subject) -> Check:
    """Registered is not demanded: a policy must ask for it, else a thief takes the weaker way."""
    admins, untold = _admins(subject)
    check = _share(setting, subject, admins, untold, _resistant, "every administrator, and a policy demands it",
                   "have a factor that resists phishing", 100)
    if check.state != "pass":
        return check
    asking, in_part = demanding_resistance(subject)
    if asking and not current_sources(subject.access_policies_whole):
        return changed(check, "unknown", f"The export of policies is not complete. {EXPORT}", asking)
    if asking:
        return changed(check, "pass", f"The policy {asking[0].value.name!r} demands it.", asking)
    if in_part:
        return changed(check, "partial", f"The policy {in_part[0].value.name!r} demands it, but not for every "
                       "application, or it leaves out more than emergency accounts.", in_part)
    if current_sources(subject.access_policies_whole):
        return changed(check, "partial", "But no enabled policy demands such a factor of administrators, so that a "
                       "weaker one still works.", policies_of(subject))
    return changed(check, "unknown", f"Whether a policy demands it was not seen. {EXPORT}")


def _share(setting: TenantSetting, subject: Subject, accounts: Accounts, untold: Accounts,
           good: Callable[[Account], bool | None], who: str, what: str, percent: int) -> Check:
    """Whether enough accounts are good; those of which nothing is known cannot make it pass."""
    expected = f"{who} {what}"
    if not subject.accounts:
        return unseen(setting, expected, _ACCOUNTS)
    if not accounts and not untold:
        return Check(setting, "unknown", expected, "no such account", f"The export has no such account. {_ACCOUNTS}",
                     cited_first(subject.accounts))
    judged = _verdicts(accounts, good)
    bad, unknown, torn = _whose(judged, False), _whose(judged, None), _whose(judged, True, False)
    lacking = sum(verdicts == {False} for _, verdicts in judged.values())
    well = sum(verdicts == {True} for _, verdicts in judged.values())
    actual = f"{well:,} of {len(judged):,} ({well * 1000 // len(judged) / 10:g} %) {what}" if judged else f"0 {what}"
    why = join(f"{actual}.", _told("Without", bad), _told("Not told of", unknown), _told("Exports differ on", torn),
               _told("Not told whether they are administrators", untold))
    state = _share_state(len(judged), lacking, well, percent)
    if torn:
        state = "conflict"
    elif state == "pass" and (unknown or untold):
        state = "unknown"
    elif state == "pass" and not current_sources(subject.accounts_whole):
        state, why = "unknown", join(why, f"The export is not complete. {_ACCOUNTS}")
    return Check(setting, state, expected, actual, why, cited_first([*torn, *bad, *unknown, *untold] or accounts))


Verdicts = dict[str, tuple[list[Seen[Account]], set[bool | None]]]


def _verdicts(accounts: Accounts, good: Callable[[Account], bool | None]) -> Verdicts:
    """Each account once, with the verdicts of all exports that speak of it; one that knows counts more than one that
    does not."""
    found: Verdicts = {}
    for one in accounts:
        seen, verdicts = found.setdefault(one.value.name.casefold(), ([], set()))
        seen.append(one)
        verdicts.add(good(one.value))
    return {name: (seen, verdicts - {None} or {None}) for name, (seen, verdicts) in found.items()}


def _whose(judged: Verdicts, *verdict: bool | None) -> list[Seen[Account]]:
    return [one for seen, verdicts in judged.values() if verdicts == set(verdict) for one in seen]


def _told(what: str, accounts: Accounts) -> str:
    names = list(dict.fromkeys(one.value.name for one in accounts))
    return f"{what}: {shortened(names)}." if names else ""


def _share_state(count: int, bad: int, well: int, percent: int) -> str:
    """The state that a share leads to, if everything is known."""
    if bad * 100 <= (100 - percent) * count:
        return "pass"
    return "partial" if well else "fail"
