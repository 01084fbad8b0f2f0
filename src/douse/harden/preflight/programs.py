"""What is known of the programs that can be pre-flighted: a file name in, how their processes and requests look out.

Any executable can be asked about; of those below more is known. `runs_scripts` marks programs that run code from where
their command says, so that a mere start by a person's program is odd. `agents` is what they say of themselves to a web
server, None where nothing tells them from others. The agents of mshta and of Windows' script hosts are those of
Internet Explorer's network library (MSIE 7.0, Trident), those of curl and the installer their own; no vendor's page was
read on them (`verified: false`), and a request counts for no more than "possible".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from douse.errors import ContentError

_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
_TRAILING: Final = ' ."\0'
"""Signs behind a name that Windows, or a table's writer, leaves out or adds."""
_SCRIPTS: Final = (".vbs", ".vbe", ".js", ".jse", ".wsf", ".wsh")
_TRIDENT: Final = re.compile(r"MSIE 7\.0|Trident/", re.IGNORECASE)
_WINHTTP: Final = re.compile(r"MSIE 7\.0|Trident/|WinHttp\.WinHttpRequest", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Program:
    """A program by its file name in small letters."""

    name: str
    runs_scripts: bool = False
    agents: re.Pattern[str] | None = None
    files: tuple[str, ...] = ()
    """Endings of files that it runs, which stand for it in what a policy says about scripts and installers."""

    def is_image(self, image: str) -> bool:
        """Whether a path ends in the program's name."""
        return image[max(image.rfind("\\"), image.rfind("/")) + 1:].rstrip(_TRAILING).lower() == self.name

    def is_original(self, original: str) -> bool:
        """Whether a version resource names the program; a translated one ends in .mui."""
        return original.lower().removesuffix(".mui") == self.name


_KNOWN: Final = {one.name: one for one in (
    Program("mshta.exe", runs_scripts=True, agents=_TRIDENT, files=(".hta",)),
    Program("wscript.exe", runs_scripts=True, agents=_WINHTTP, files=_SCRIPTS),
    Program("cscript.exe", runs_scripts=True, agents=_WINHTTP, files=_SCRIPTS),
    Program("rundll32.exe", runs_scripts=True, agents=_TRIDENT),
    Program("regsvr32.exe", runs_scripts=True, agents=_TRIDENT),
    Program("msiexec.exe", agents=re.compile(r"Windows Installer", re.IGNORECASE),
            files=(".msi", ".msp", ".mst")),
    Program("curl.exe", agents=re.compile(r"\bcurl/", re.IGNORECASE)),
)}


def program_of(text: str) -> Program:
    """The program a user means: `mshta` is mshta.exe. Raises ContentError for what is no file name."""
    name = text.strip().lower()
    if not _FILE_NAME.fullmatch(name):
        raise ContentError("PROGRAM", f"{text[:80]!r} is no file name.", "Name it as in mshta or mshta.exe.")
    name = name if "." in name else f"{name}.exe"
    return _KNOWN.get(name) or Program(name)
