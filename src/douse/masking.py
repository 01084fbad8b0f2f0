r"""Mask the secrets in a text from evidence: passwords, tokens and keys on command lines, in script blocks, in URLs.

    mask('net use \\\\srv\\c$ /user:anna Hunter2!')    'net use \\\\srv\\c$ /user:anna [redacted]'

A report travels further than the log it was made from. So a secret is left out of whatever is shown or written, unless
the user asks for it; detection and correlation see the text as it is. What marks a secret is the word before it
(`password=`, `/rp`, `-u user:`) or its own form (an AWS key, a JWT). A reference such as `$password` or `%PW%` is none
and stays. Code in Base64 is looked into, and left out as a whole where it holds a secret. A secret that nothing marks
cannot be found: a bare word that happens to be a password stays. Expressions are linear in the text; a masked text
is not masked further.
"""

from __future__ import annotations

import base64
import re
from functools import lru_cache

import re2  # type: ignore[import-untyped]  # the package ships no types

MASK = "[redacted]"

_LONGEST_CACHED = 400
_VALUE = r"""\^?(?:"[^"\r\n]{1,4000}"?|'[^'\r\n]{1,4000}'?|[^\s"'`;&|<>,)}\]]{1,4000})"""
"""A quote may be escaped for cmd, and its end may have been cut off."""
_REFERENCE = (r"""(?!["']?(?:\$[a-z_{(]|%\w{1,60}%|\(|\{|\[redacted\]|[/-][a-z]{1,20}\b|null\b|true\b|false\b|"""
              r"""(?:ConvertTo-SecureString|New-Object|Get-Credential|Read-Host)\b))""")
_NAMES = (r"(?:pass(?:word|wd|phrase|code)?|pwd?|passwort|kennwort|secret|client[_-]?secret|"
          r"(?:api|access|secret|private|account|storage|shared|encryption|signing|master)[_-]?(?:access[_-]?)?key|apikey|"
          r"(?:access|refresh|auth|api|bot|id|session|bearer|sas|csrf)[_-]?token|token|"
          r"accountkey|sharedaccesskey|sharedaccesssignature|connectionstring)")
_TRIGGER = re2.compile(
    r"(?i)pass|\bpwd?\b|pwd|kennw|secret|key|token|signature|connectionstring|\buser\b|/rp|authori|bearer|basic |cookie|://|"
    r"AKIA|ASIA|gh[pousr]_|github_pat|xox|eyJ|PRIVATE KEY|sk-|glpat|npm_|AIza|hvs\.|\bnet1?\b|psexec|plink|curl|sqlcmd|"
    r"mysql|sshpass|certutil|freerdp|-hp|7z|rar|sig=|\d:AA|hooks\.slack|api/webhooks|-asplaintext")

def _after(mark: str, not_before: str = "", flags: int = re.IGNORECASE) -> re.Pattern[str]:
    """A value behind a mark, which is the first group."""
    return re.compile(rf"({mark}){not_before}{_REFERENCE}{_VALUE}", flags)


def _option(program: str, option: str, flags: int = re.IGNORECASE) -> re.Pattern[str]:
    """The value of an option of a program, somewhere behind its name."""
    return _after(rf"{program}(?:\.exe)?\b[^\r\n]{{0,300}}?\s{option}", flags=flags)


_NET = r"\bnet1?(?:\.exe)?[\"']?\s{1,3}"
_MARKED = (
    # name=value, name: value, "name": "value"; a .NET assembly's PublicKeyToken is public
    re.compile(rf"(?<!PublicKey)(?<![a-z])({_NAMES}(?:\\?[\"'])?\s{{0,3}}(?:=>|[:=])\s{{0,3}}\\?)"
               rf"{_REFERENCE}{_VALUE}", re.IGNORECASE),
    # --password value, -Password value, /password value, --s3-secret-access-key value
    re.compile(rf"(?<![^\s\"'(])([-/]{{1,2}}(?:[a-z0-9]{{1,20}}-){{0,3}}{_NAMES}\s{{1,3}})"
               rf"{_REFERENCE}{_VALUE}", re.IGNORECASE),
    # https://user:password@host
    re.compile(r"([a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>]{1,200}:)(?!\[redacted\])[^\s/@\"'<>]{1,200}(?=@)",
               re.IGNORECASE),
    # Authorization: Bearer value; -H "X-Api-Key: value" is a name above
    re.compile(r"(\b(?:bearer|authorization\s{0,3}[:=]\s{0,3}[\"']?(?:basic|token|negotiate|ntlm))\s{1,3})"
               r"(?!\[redacted\])(?!\$|%)[A-Za-z0-9._~+/=-]{8,4000}", re.IGNORECASE),
    re.compile(r"(\bBasic\s{1,3})[A-Za-z0-9+/]{8,400}={1,2}"),
    # Cookie: a=b; c=d
    re.compile(r"(\b(?:set-)?cookie\s{0,3}[:=]\s{0,3}[\"']?)(?!\[redacted\]|\$)[^\s\"'][^\"'\r\n]{0,2000}",
               re.IGNORECASE),
    # schtasks /rp value; sc create password= value is a name above
    _after(r"/rp\s{1,3}"),
    # net user NAME value /add
    _after(rf"{_NET}user\s{{1,3}}(?:\"[^\"]{{1,100}}\"|[^\s\"/]{{1,100}})\s{{1,3}}", "(?!/)"),
    # net use * \\server\share value /user:..., and net use ... /user:anna value
    _after(rf"{_NET}use\s{{1,3}}(?:[a-z*]:?\s{{1,3}})?\\\\[^\s\"]{{1,200}}\s{{1,3}}", "(?!/)"),
    _after(rf"{_NET}use\s[^\r\n]{{0,300}}?/u(?:ser)?:[^\s]{{1,200}}\s{{1,3}}", "(?!/)"),
    # psexec -u anna -p value, sshpass -p value
    _option(r"\b(?:psexec\w*|paexec|sshpass|smbexec|wmiexec|xfreerdp|evil-winrm)", r"-p\s{0,3}"),
    _option(r"\b(?:plink|pscp|psftp|putty|kitty)", r"-pw\s{1,3}"),
    _option(r"\b(?:sqlcmd|osql|bcp|isql)", r"-P\s{0,3}", 0),
    _option(r"\b(?:mysql|mysqldump|mysqladmin)", "-p", 0),
    # certutil -p value, xfreerdp /p:value
    _option(r"\bcertutil", r"[-/]p\s{1,3}"),
    _option("freerdp", "/p:"),
    # reg add KEY /v DefaultPassword /t REG_SZ /d value
    _after(rf"\s/v\s{{1,3}}\"?[a-z_]{{0,30}}{_NAMES}\"?\s[^\r\n]{{0,100}}?/d\s{{1,3}}"),
    # 7z a -pvalue, rar a -hpvalue
    re.compile(r"(\b(?:7z|7za|7zr|rar|winrar|unrar)(?:\.exe)?\b[\"']?\s[^\r\n]{0,300}?\s-h?p)(?!\[redacted\])[^\s]{1,200}",
               re.IGNORECASE),
    # curl -u anna:value
    re.compile(r"(\bcurl(?:\.exe)?\b[^\r\n]{0,300}?\s(?:-u|--user|--proxy-user)\s{0,3}[\"']?[^\s:\"']{1,100}:)"
               r"(?!\[redacted\])[^\s\"']{1,200}", re.IGNORECASE),
    # ConvertTo-SecureString "value" -AsPlainText, in either order
    _after(r"ConvertTo-SecureString\s{1,3}(?:-String\s{1,3}|-AsPlainText\s{1,3}|-Force\s{1,3}){0,3}"),
    # [pscredential]::new('anna', 'value'), NetworkCredential("anna", "value")
    re.compile(r"((?:NetworkCredential|PSCredential)(?:\]::new)?\s{0,3}\(\s{0,3}(?:\"[^\"]{0,100}\"|'[^']{0,100}')\s{0,3},"
               r"\s{0,3}[\"'])(?!\[redacted\])[^\"'\r\n]{1,200}", re.IGNORECASE),
    # signed addresses
    re.compile(r"([?&](?:sig|signature|x-amz-signature|code|auth|t|key|access)=)(?!\[redacted\])[A-Za-z0-9%._~+/=-]{16,1000}",
               re.IGNORECASE),
    re.compile(r"(hooks\.slack\.com/services/|/api/webhooks/\d{1,25}/)(?!\[redacted\])[A-Za-z0-9_/-]{8,200}",
               re.IGNORECASE),
    re.compile(r"(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)(?!\[redacted\])[A-Za-z0-9+/=\s\\:,.]{1,20000}"),
)
_FORMS = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{20,255}|\bgithub_pat_[A-Za-z0-9_]{20,255}|"
    r"\bxox[abeoprs]-[A-Za-z0-9-]{10,255}|\beyJ[A-Za-z0-9_-]{8,4000}\.eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{0,4000}|"
    r"\bsk-[A-Za-z0-9_-]{20,255}|\bglpat-[A-Za-z0-9_-]{16,255}|\bnpm_[A-Za-z0-9]{30,60}|\bAIza[0-9A-Za-z_-]{35}|"
    r"\bhvs\.[A-Za-z0-9_-]{20,255}|\bpypi-[A-Za-z0-9_-]{40,255}|(?:\b|(?<=bot))\d{6,12}:AA[A-Za-z0-9_-]{30,40}")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]+")
_SECRET_FIELD = re.compile(rf"(?:cs|sc)?[_(-]?(?:{_NAMES}|(?:set-)?cookie|(?:proxy-)?authorization)\)?", re.IGNORECASE)
_SHORTEST = 8
_DEEPEST = 2
_ROUNDS = 4
_LARGEST = 1 << 16


def mask_named(name: str, text: str) -> str:
    """The text of a field: masked as a whole where the field's name marks a secret (`Password`, `cs(Cookie)`)."""
    return MASK if _is_secret(name) and text.strip("- ") else mask(text)


def mask(text: str) -> str:
    """The text with each secret in it replaced by MASK."""
    if len(text) < _SHORTEST:
        return text
    return _masked_short(text) if len(text) <= _LONGEST_CACHED else _masked_if_any(text)


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _SECRET_FIELD.fullmatch(name) is not None


@lru_cache(maxsize=16_384)
def _masked_short(text: str) -> str:
    """As below; most texts of evidence come again and again."""
    return _masked_if_any(text)


def _masked_if_any(text: str) -> str:
    return _masked(text, 0) if _may_hold_one(text) else _looked_into(text, 0)


def _looked_into(text: str, depth: int) -> str:
    """The text without Base64 that hides a secret, looked into as deep as _DEEPEST."""
    return _BASE64.sub(lambda found: _encoded(found[0], depth), text) if depth < _DEEPEST else text


def _may_hold_one(text: str) -> bool:
    """Whether anything in the text could mark a secret: what nearly no text has, so it is what is asked of all."""
    try:
        return _TRIGGER.search(text) is not None
    except UnicodeEncodeError:  # a lone surrogate, which RE2 does not take
        return _TRIGGER.search(text.encode("utf-8", "replace").decode()) is not None


def _masked(text: str, depth: int) -> str:
    for _ in range(_ROUNDS):  # what one expression took as a value may hold the mark of another
        before = text
        for marked in _MARKED:
            text = marked.sub(_keep_mark, text)
        text = _FORMS.sub(MASK, text)
        if text == before:
            break
    return _looked_into(text, depth)


def _keep_mark(found: re.Match[str]) -> str:
    """The mark stays, and the quotes around the value, so that the line still reads as what it was."""
    value = found[0][len(found[1]):]
    quote = value[0] if value[0] in "\"'" and value[-1] == value[0] else ""
    return f"{found[1]}{quote}{MASK}{quote}"


def _encoded(text: str, depth: int) -> str:
    """Base64 that hides a secret as a whole, other Base64 as it is."""
    bare = text.rstrip("=")[:_LARGEST]
    if _HEXADECIMAL.fullmatch(bare):  # a hash
        return text
    if len(bare) % 4 == 1:  # it was cut
        bare = bare[:-1]
    raw = base64.b64decode(bare + "=" * (-len(bare) % 4))
    for encoding in ("utf-16-le", "utf-8"):
        inner = raw.decode(encoding, "ignore")
        if (_masked(inner, depth + 1) if _may_hold_one(inner) else _looked_into(inner, depth + 1)) != inner:
            return MASK
    return text
