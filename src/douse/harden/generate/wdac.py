r"""An App Control (WDAC) policy that denies a program by its original name and allows everything else.

    files = list(wdac(policy))        Maker

A base policy that only denies would block the whole computer, so it allows all files of the kernel and of user mode,
and a policy without that is refused. Several base policies together allow only what each of them allows, so that this
one takes nothing from an allow list that is already there. It goes by the original file name of the version resource:
renaming does not help. The deny rule is Microsoft's published form (app_control_effect.py says why).

The binary form that Windows loads is made by Windows; here are the commands, not a file that looks like one.

As soon as a policy with Enabled:UMCI and script enforcement is active, in audit mode too, mshta runs no code. So the
audit policy switches script enforcement off (option 11), as it must refuse nothing; the enforced one leaves it on. App
Control knows no groups: where a group may go on using mshta, an enforced policy is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from douse.content.settings import AppControlSetting
from douse.errors import ContentError, OutputError
from douse.harden.app_control_effect import allows_all
from douse.harden.app_control_policy import (
    AUDIT,
    BASE,
    KERNEL,
    NO_SCRIPTS,
    UMCI,
    USER,
    AppControlPolicy,
    FileRule,
    write,
)
from douse.harden.generate.applocker import group_of
from douse.harden.generate.policy import BundleFile, Policy, guid_for

PLATFORM = "{2E07F7E4-194C-4D20-B7C9-6F44A6C5A234}"
"""The PlatformID of Microsoft's own policies."""

EVERY_VERSION = "65535.65535.65535.65535"
_OPTIONS = (UMCI, AUDIT, "Enabled:Unsigned System Integrity Policy", NO_SCRIPTS, "Enabled:Update Policy No Reboot",
            "Enabled:Allow Supplemental Policies")
"""Options 0, 3, 6, 11, 16 and 17. Numbers 3 and 11 are those of an audit policy only."""

_FILE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,60}")


def wdac(policy: Policy) -> Iterator[BundleFile]:
    """The policy as XML, and how to make, deploy and remove it. Nothing where no control asks for App Control."""
    names = [change.setting.file_name for change in policy.changes if isinstance(change.setting, AppControlSetting)]
    if not names:
        return
    group = group_of(policy.site, policy.go)
    if group is not None and policy.mode == "enforce":
        raise OutputError("wdac", f"App Control knows no groups; enforced it would stop it for {group[0]} too.",
                          "Leave wdac out of --as, or replace what the group uses it for.")
    made = policy_for(names, policy.mode)
    yield BundleFile(PurePosixPath("wdac/policy.xml"), xml_of(made), _about(policy.mode))
    yield BundleFile(PurePosixPath("wdac/APPLY.txt"), _instructions(made.id).encode(),
                     "The commands that turn the XML into the binary policy, deploy it and remove it.")


def policy_for(file_names: Sequence[str], mode: str) -> AppControlPolicy:
    """The base policy that denies these files by their original name. OutputError where it would block everything."""
    id_ = guid_for("wdac deny")
    allows = (_rule("Allow", "ID_ALLOW_A_1", "Allow kernel drivers", "*"),
              _rule("Allow", "ID_ALLOW_A_2", "Allow user mode components", "*"))
    denies = tuple(_deny(name) for name in dict.fromkeys(file_names))
    options = [option for option in _OPTIONS if option not in (AUDIT, NO_SCRIPTS) or mode == "audit"]
    made = AppControlPolicy(
        id=id_, base_id=id_, type=BASE, name="Douse: programs that infostealers begin with", options=frozenset(options),
        rules=(*allows, *denies), version="10.0.0.0", scenarios=(
            (KERNEL, ("ID_ALLOW_A_1",)), (USER, ("ID_ALLOW_A_2", *(rule.id for rule in denies)))))
    refuse_bricks(made)
    return made


def refuse_bricks(policy: AppControlPolicy) -> None:
    """OutputError for a base policy that does not allow all files of the kernel and of user mode."""
    for scenario, what in ((KERNEL, "drivers"), (USER, "programs")):
        if not allows_all(policy, scenario) and (scenario == KERNEL or policy.has(UMCI)):
            raise OutputError("wdac", f"the policy allows no {what}: it would block the whole computer.",
                              "Add the rule that allows all files to its signing scenario.")


def xml_of(policy: AppControlPolicy) -> bytes:
    """The policy as XML, options in Microsoft's order."""
    return write(policy, [option for option in _OPTIONS if policy.has(option)], PLATFORM)


def _deny(name: str) -> FileRule:
    if not _FILE_NAME.fullmatch(name):
        raise ContentError("wdac", f"{name[:60]!r} is no original file name.", "Give a file name without a path.")
    id_ = re.sub(r"[^A-Z0-9]", lambda sign: f"_{ord(sign[0]):X}_", name.upper().removesuffix(".EXE"))
    id_ = f"ID_DENY_{id_}" if id_[:1].isalpha() else f"ID_DENY_F_{id_}"  # the schema wants a letter first
    return _rule("Deny", id_, name, name, EVERY_VERSION)


def _rule(kind: str, id_: str, friendly: str, name: str, minimum: str = "") -> FileRule:
    return FileRule(kind, id_, friendly, name, minimum, "", "", "")


def _about(mode: str) -> str:
    if mode == "audit":
        return ("App Control base policy in audit mode, without script enforcement, so that it only records: allows "
                "everything but the named programs. Not for Server 2016 and Windows 10 1607.")
    return ("App Control base policy, enforced: allows everything but the named programs. Where it is active mshta "
            "runs no code at all, so every HTML application stops.")


def _instructions(id_: str) -> str:
    return "\r\n".join(_TEXT).replace("{ID}", id_)


_TEXT = (
    "Never run by the tool that wrote it. The binary policy is made on Windows, from policy.xml, with the ConfigCI",
    "module (Windows 10 and 11 Enterprise, Education, Pro; Windows Server).",
    "",
    "1. Every policy with Enabled:UMCI and script enforcement stops all HTML applications, in audit mode too: mshta",
    "   runs no code where it is active. PowerShell asks the policy as well, and may run in Constrained Language Mode.",
    "   So a policy in audit mode carries option 11 (Disabled:Script Enforcement) here, and an enforced one does not.",
    "   Server 2016 and Windows 10 1607 do not support that option: no audit policy for those.",
    "2. Make the binary policy:",
    "     ConvertFrom-CIPolicy -XmlFilePath .\\policy.xml -BinaryFilePath '.\\{ID}.cip'",
    "3. Deploy it, Windows 11 22H2, Server 2025 and later:",
    "     CiTool.exe --update-policy '.\\{ID}.cip'",
    "   Windows 10 1903 and later: copy it, then run Microsoft's RefreshPolicy.exe or restart:",
    "     Copy-Item '.\\{ID}.cip' \"$env:windir\\System32\\CodeIntegrity\\CiPolicies\\Active\\\"",
    "   Before 1903 there is one policy (SiPolicy.p7b); this one, which has its own id, is not for those.",
    "4. See whether it is there:",
    "     CiTool.exe --list-policies",
    "   Event 3099 of Microsoft-Windows-CodeIntegrity/Operational: a policy was loaded; 3076: what it would block;",
    "   3077: what it blocked. 8028 and 8029 of Microsoft-Windows-AppLocker/MSI and Script: the same of scripts.",
    "",
    "Back:",
    "     CiTool.exe --remove-policy '{ID}'",
    "   or delete the file from CiPolicies\\Active, and restart.",
    "")
