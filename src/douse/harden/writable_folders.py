r"""Folders below C:\Windows in which ordinary users may create files, so that `%WINDIR%\*` allows what they put there.

From the collection of AppLocker bypasses by Oddvar Moe (api0cradle/UltimateAppLockerByPassList, "Generic AppLocker
bypasses"), from ANSSI's advice to except such folders as public guides repeat it, and from Helge Klein's article on
C:\Windows\Temp. Which of them are writable differs between versions of Windows: nobody tried them here.
"""

from __future__ import annotations

BELOW_WINDOWS = (
    "Tasks", "Temp", "tracing", r"Registration\CRMLog", r"System32\FxsTmp", r"System32\com\dmp",
    r"System32\Microsoft\Crypto\RSA\MachineKeys", r"System32\spool\PRINTERS", r"System32\spool\SERVERS",
    r"System32\spool\drivers\color", r"System32\Tasks", r"SysWOW64\FxsTmp", r"SysWOW64\com\dmp", r"SysWOW64\Tasks")
"""Relative to the Windows folder; what lies below them is meant too."""
