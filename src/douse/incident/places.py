"""Where an image lies and what that means: which processes cut the tree, which paths a user can write to.

A tree of processes is cut at the programs that start everything (explorer, services, browsers, ...), otherwise a whole
day would be one incident. The name alone is not enough: a stealer called explorer.exe in %TEMP% must not cut anything,
so a cut needs the program's own folder. A bare name without a folder is believed. The list follows the threat model,
3.2, plus the session processes above it. Paths are compared without drive letter or device prefix.
"""

from __future__ import annotations

import re
from functools import lru_cache

from douse.incident.entities import image_name

_VOLUME = re.compile(r"^(?:\\\\[?.]\\)?(?:[a-z]:|\\device\\harddiskvolume\d+|\\\?\?\\[a-z]:)(?=\\)")
_SYSTEM32 = "\\windows\\system32\\"

SHELLS = frozenset({"explorer.exe"})
BROWSERS = frozenset({
    "chrome.exe", "msedge.exe", "msedgewebview2.exe", "firefox.exe", "brave.exe", "opera.exe", "vivaldi.exe",
    "browser.exe", "chromium.exe", "iexplore.exe", "waterfox.exe", "librewolf.exe", "arc.exe",
})
BROKERS = frozenset({"wmiprvse.exe", "svchost.exe", "taskeng.exe"})
"""Parents that only say "somebody asked COM, WMI or the scheduler": a weak edge may cross them."""

_SESSION = frozenset({
    "services.exe", "svchost.exe", "wmiprvse.exe", "taskeng.exe", "taskhostw.exe", "taskhost.exe", "winlogon.exe",
    "wininit.exe", "smss.exe", "csrss.exe", "userinit.exe", "sihost.exe",
})
_BROWSER_FOLDERS = (
    "google\\chrome\\application", "google\\chrome sxs\\application", "chromium\\application",
    "microsoft\\edge\\application", "bravesoftware\\brave-browser\\application", "vivaldi\\application",
    "yandex\\yandexbrowser\\application", "programs\\opera", "programs\\opera gx", "mozilla firefox",
)
_BROWSER_PLACE = re.compile(
    r"^\\(?:program files(?: \(x86\))?\\|windows\\systemapps\\|users\\[^\\]+\\appdata\\local\\(?:"
    + "|".join(map(re.escape, _BROWSER_FOLDERS)) + r")\\)")
_PROGRAM_FOLDERS = re.compile(r"^\\(?:program files(?: \(x86\))?|windows)\\")
_WRITABLE = re.compile(
    r"^\\(?:users\\|programdata\\(?!microsoft\\windows defender\\platform\\)|windows\\(?:temp|tasks|tracing)\\"
    r"|perflogs\\|temp\\|tmp\\|\$recycle\.bin\\)")


@lru_cache(maxsize=1024)  # of paths, which may be long
def place(path: str) -> str:
    """The path in one spelling: lower case, backslashes, no drive or volume."""
    return _VOLUME.sub("", path.strip().strip('"').lower().replace("/", "\\"))


@lru_cache(maxsize=4096)  # asked for every process and alert, of few distinct images
def cuts_tree(image: str) -> bool:
    """Whether children of this program have nothing to do with each other."""
    name = image_name(image).lower()
    if name not in SHELLS and name not in _SESSION and name not in BROWSERS:
        return False
    path = place(image)
    if "\\" not in path:
        return True
    if name in SHELLS:
        return path in {"\\windows\\explorer.exe", "\\windows\\syswow64\\explorer.exe"}
    if name in _SESSION:
        return path.startswith(_SYSTEM32)
    return _BROWSER_PLACE.match(path) is not None


def is_browser(image: str) -> bool:
    """Whether the image is a browser in a browser's own folder."""
    return image_name(image).lower() in BROWSERS and cuts_tree(image)


def in_program_files(image: str) -> bool:
    """Whether the image lies where only an administrator can install it; Windows' own folder is not meant."""
    return re.match(r"^\\program files(?: \(x86\))?\\", place(image)) is not None


@lru_cache(maxsize=1024)
def user_writable(image: str) -> bool:
    """Whether an ordinary user can put a program there: profiles, ProgramData, temporary folders, other drives, shares.

    A bare name is not judged (False). Defender's own folder in ProgramData is only writable for Windows.
    """
    raw = image.strip().strip('"').lower().replace("/", "\\")
    if re.match(r"^\\\\(?![?.]\\)", raw):
        return True
    path = place(raw)
    if "\\" not in path:
        return False
    other_drive = re.match(r"^(?:\\\\[?.]\\)?[abd-z]:\\", raw) is not None
    return _WRITABLE.match(path) is not None or (other_drive and _PROGRAM_FOLDERS.match(path) is None)
