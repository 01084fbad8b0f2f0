r"""A Group Policy Object as a backup that GPMC can import (`Import-GPO -BackupId ... -Path gpo`), and what it leaves.

    gpo/manifest.xml, gpo/{backup}/bkupInfo.xml, gpo/{backup}/Backup.xml
    gpo/{backup}/DomainSysvol/GPO/Machine/registry.pol
                             .../microsoft/windows nt/SecEdit/GptTmpl.inf     services
                             .../microsoft/windows nt/Audit/audit.csv         audit subcategories
    gpo/{backup}/DomainSysvol/GPO/User/registry.pol
    gpo-undo/*.reg                     values that stay on a computer when the GPO is unlinked

The layout, the pairs of GUIDs and their order are those of real backups (nsacyber/Windows-Secure-Host-Baseline).
Nothing of it was imported on Windows by us. The backup's time is a fixed one, so that the same options give the same
bytes; permissions are those of a new GPO, and an import does not take them over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import PurePosixPath
from uuid import UUID
from xml.sax.saxutils import quoteattr

from douse.content.settings import AuditSetting, ServiceSetting
from douse.harden.generate.auditpol import audit_csv
from douse.harden.generate.pol import SIDES, registry_pol
from douse.harden.generate.policy import BundleFile, Policy, guid_for
from douse.harden.generate.reg import taken_back
from douse.harden.generate.undo import LEAVE, Undo, undone, user_profiles

FOLDER = PurePosixPath("gpo")
_SYSVOL = PurePosixPath("DomainSysvol/GPO")
_SECURITY = PurePosixPath("Machine/microsoft/windows nt/SecEdit/GptTmpl.inf")
_AUDIT = PurePosixPath("Machine/microsoft/windows nt/Audit/audit.csv")
_OPERATIONS = "http://www.microsoft.com/GroupPolicy/GPOOperations"
_MANIFEST = _OPERATIONS + "/Manifest"
_TIME = "2000-01-01T00:00:00"
_NO_DOMAIN = "domain.invalid"

_REGISTRY = "{35378EAC-683F-11D2-A89A-00C04FBBCFA2}"
_SECURITY_PAIR = "{827D319E-6EAC-11D2-A4EA-00C04F79F83A}{803E14A0-B4FB-11D0-A0D0-00A0C90F574B}"
_AUDIT_PAIR = "{F3CCC681-B74C-4060-9F26-CD84525DCA2A}{0F3F3735-573D-9804-99E4-AB2A69BA5FD4}"
_DEVICE_GUARD_PAIR = "{F312195E-3D9D-447A-A3F5-08DFFA24735E}{D02B1F72-3407-48AE-BA88-E8213C6761F1}"
_TEMPLATES = "{D02B1F72-3407-48AE-BA88-E8213C6761F1}"
_USER_TEMPLATES = "{D02B1F73-3407-48AE-BA88-E8213C6761F1}"
_TOOLS = (("software\\policies\\microsoft\\windowsfirewall", "{B05566AC-FE9C-4368-BE01-7A4CBB6CBA11}"),
          ("software\\policies\\microsoft\\windows\\srpv2", "{62C1845D-C4A6-4ACB-BBB0-C895FD090385}"))
"""Which editor of GPMC shows the values below a key; all others are administrative templates."""

_UNKNOWN = "{F15C46CD-82A0-4C2D-A210-5D0D3182A418}"
_ADM = "\\Adm\\*.*"
_STARTS = {"automatic": 2, "manual": 3, "disabled": 4}


def files(policy: Policy) -> Iterator[BundleFile]:
    """The files of the format: the backup, and .reg files for what an unlinked GPO leaves behind."""
    parts = dict(_parts(policy))
    if not parts:
        return
    backup = guid_for("gpo backup")
    yield BundleFile(FOLDER / "manifest.xml", _manifest(policy, backup), "The list of backups, which GPMC reads first.")
    inside = FOLDER / backup
    yield BundleFile(inside / "bkupInfo.xml", _instance(policy, backup).encode(), "Which GPO the backup is of.")
    yield BundleFile(inside / "Backup.xml", _backup_xml(policy, set(parts)), "What the backup holds.")
    for path, (data, about) in parts.items():
        yield BundleFile(inside / _SYSVOL / path, data, about)
    yield from _leftovers(policy)


def _parts(policy: Policy) -> Iterator[tuple[PurePosixPath, tuple[bytes, str]]]:
    """The files of the GPO itself, by their path in it."""
    for hive, side in SIDES.items():
        if any(change.hive == hive for change in policy.registry):
            about = f"The registry values of the {side.lower()}."
            yield PurePosixPath(side, "registry.pol"), (registry_pol(policy.registry, hive), about)
    if policy.of(ServiceSetting):
        yield _SECURITY, (gpttmpl(policy), "How services start.")
    if policy.of(AuditSetting):
        yield _AUDIT, (audit_csv(policy), "What is audited, as auditpol keeps it.")


def gpttmpl(policy: Policy) -> bytes:
    """The security template: UTF-16LE with BOM; an empty descriptor leaves a service's permissions as they are."""
    lines = ["[Unicode]", "Unicode=yes", "[Version]", 'signature="$CHICAGO$"', "Revision=1",
             "[Service General Setting]"]
    lines += [f'"{change.setting.service}",{_STARTS[change.setting.start]},""'
              for change in policy.changes if isinstance(change.setting, ServiceSetting)]
    return b"\xff\xfe" + "".join(f"{line}\r\n" for line in lines).encode("utf-16-le")


def machine_extensions(policy: Policy) -> str:
    """Which extensions of Group Policy the machine's part needs, with the editors that show them: in the order of their
    GUIDs, as Windows skips a list that is not."""
    keys = [change.key.casefold() for change in policy.registry if change.hive == "HKLM"]
    tools = {next((guid for prefix, guid in _TOOLS if key.startswith(prefix)), _TEMPLATES) for key in keys}
    pairs = [_REGISTRY + "".join(sorted(tools))] if tools else []
    if any(key.startswith("software\\policies\\microsoft\\windows\\deviceguard") for key in keys):
        pairs.append(_DEVICE_GUARD_PAIR)
    pairs += [_SECURITY_PAIR] if policy.of(ServiceSetting) else []
    pairs += [_AUDIT_PAIR] if policy.of(AuditSetting) else []
    return "".join(f"[{pair}]" for pair in sorted(pairs))


def _user_extensions(policy: Policy) -> str:
    has = any(change.hive == "HKCU" for change in policy.registry)
    return f"[{_REGISTRY}{_USER_TEMPLATES}]" if has else ""


def _leftovers(policy: Policy) -> Iterator[BundleFile]:
    """.reg files for the values that Group Policy does not take back, as their keys are no policy keys."""
    folder = PurePosixPath("gpo-undo")
    machine = [undo for undo in undone(policy, "HKLM") if _stays(undo)]
    if machine:
        yield BundleFile(folder / "undo.reg", taken_back(machine),
                         "Takes back what an unlinked GPO leaves on a computer.")
    for number, profile in enumerate(user_profiles(policy), start=1):
        user = [undo for undo in undone(policy, "HKCU", profile) if _stays(undo)]
        if user:
            yield BundleFile(folder / (f"undo-user-{number}.reg" if profile else "undo-user.reg"), taken_back(user),
                             "The same for one user.")


def _stays(undo: Undo) -> bool:
    """Whether an undo file can do something about a value that no policy takes back."""
    return not undo.change.is_policy and undo.action != LEAVE


def _cdata(text: str) -> str:
    """A text as GPMC writes it. What would end it is split over two of them."""
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def _element(name: str, text: str) -> str:
    return f"<{name}>{_cdata(text)}</{name}>" if text else f"<{name}/>"


def _domain(policy: Policy) -> str:
    return policy.site.domain or _NO_DOMAIN


def _instance(policy: Policy, backup: str, namespace: str = f' xmlns="{_MANIFEST}"') -> str:
    domain = _domain(policy)
    fields = (("GPOGuid", guid_for("gpo")), ("GPODomain", domain), ("GPODomainGuid", guid_for(f"domain {domain}")),
              ("GPODomainController", f"dc.{domain}"), ("BackupTime", _TIME), ("ID", backup),
              ("Comment", f"Douse {policy.version}, mode {policy.mode}"), ("GPODisplayName", policy.site.gpo_name))
    return f"<BackupInst{namespace}>{''.join(_element(*field) for field in fields)}</BackupInst>"


def _manifest(policy: Policy, backup: str) -> bytes:
    return (f'<Backups xmlns="{_MANIFEST}" xmlns:mfst="{_MANIFEST}" mfst:version="1.0">'
            f"{_instance(policy, backup, '')}</Backups>").encode()


def _backup_xml(policy: Policy, parts: set[PurePosixPath]) -> bytes:
    sides = {side: int(PurePosixPath(side, "registry.pol") in parts) for side in SIDES.values()}
    sides["Machine"] |= bool(parts & {_SECURITY, _AUDIT})
    core = "".join(_element(name, text) for name, text in (
        ("ID", guid_for("gpo")), ("Domain", _domain(policy))))
    core += f"<SecurityDescriptor>{_descriptor().hex(' ')}</SecurityDescriptor>"
    core += "".join(_element(name, text) for name, text in (
        ("DisplayName", policy.site.gpo_name), ("Options", "0"), ("UserVersionNumber", str(65537 * sides["User"])),
        ("MachineVersionNumber", str(65537 * sides["Machine"])), ("MachineExtensionGuids", machine_extensions(policy)),
        ("UserExtensionGuids", _user_extensions(policy)), ("WMIFilter", "")))
    body = (f"<GroupPolicyObject><SecurityGroups/><FilePaths/><GroupPolicyCoreSettings>{core}</GroupPolicyCoreSettings>"
            f"{''.join(_extensions(policy, parts))}</GroupPolicyObject>")
    return (f'<?xml version="1.0" encoding="utf-8"?><GroupPolicyBackupScheme bkp:version="2.0" '
            f'bkp:type="GroupPolicyBackupTemplate" xmlns:bkp="{_OPERATIONS}" xmlns="{_OPERATIONS}">'
            f"{body}</GroupPolicyBackupScheme>").encode()


def _extensions(policy: Policy, parts: set[PurePosixPath]) -> Iterator[str]:
    """An element for each extension, with the files that are its."""
    registry = [PurePosixPath(side, "registry.pol") for side in SIDES.values()]
    yield _extension(policy, _REGISTRY, "Registry", [path for path in registry if path in parts],
                     after=_templates(policy))
    if _SECURITY in parts:
        yield _extension(policy, _SECURITY_PAIR[:38], "Security", [_SECURITY],
                         ' bkp:ReEvaluateFunction="SecurityValidateSettings"')
    if _AUDIT in parts:  # GPMC does not know whose the file is, and carries it under this id with its folders
        yield _extension(policy, _UNKNOWN, "Unknown Extension", [*reversed(_AUDIT.parents[:-2]), _AUDIT])


def _templates(policy: Policy) -> str:
    """The templates of old editors, which every real backup names here and few hold: without a place in the backup."""
    return (f'<FSObjectFile bkp:Path={quoteattr("%GPO_FSPATH%" + _ADM)} '
            f"bkp:SourceExpandedPath={quoteattr(_sysvol(policy) + _ADM)}/>")


def _sysvol(policy: Policy) -> str:
    domain = _domain(policy)
    return f"\\\\dc.{domain}\\sysvol\\{domain}\\Policies\\{guid_for('gpo')}"


def _extension(policy: Policy, guid: str, name: str, paths: list[PurePosixPath], more: str = "",
               after: str = "") -> str:
    inside = "".join(_file_element(policy, path, more) for path in paths)
    return f'<GroupPolicyExtension bkp:ID="{guid}" bkp:DescName="{name}">{inside}{after}</GroupPolicyExtension>'


def _file_element(policy: Policy, path: PurePosixPath, more: str) -> str:
    side, *below = path.parts
    variable = "%GPO_MACH_FSPATH%" if side == "Machine" else "%GPO_USER_FSPATH%"
    rest = "\\".join(below)
    source = f"{_sysvol(policy)}\\{side}\\{rest}"
    location = f"DomainSysvol\\GPO\\{side}\\{rest}"
    kind = "FSObjectFile" if path.suffix else "FSObjectDir"
    return (f"<{kind} bkp:Path={quoteattr(f'{variable}{chr(92)}{rest}')} bkp:SourceExpandedPath={quoteattr(source)}"
            f"{more} bkp:Location={quoteattr(location)}/>")


def _descriptor() -> bytes:
    """The permissions of a new GPO, self-relative ([MS-DTYP] 2.4.6): authenticated users apply and read it, SYSTEM and
    its creator change it, domain controllers read it. Groups of a domain are not in it, as it is nobody's yet."""
    apply_policy = UUID("edacfd8f-ffb3-11d1-b41d-00a0c968f939").bytes_le
    authenticated, system, controllers, creator = (
        _sid(5, 11), _sid(5, 18), _sid(5, 9), _sid(3, 0))
    entries = [
        struct.pack("<BBHII", 5, 2, 28 + len(authenticated), 0x100, 1) + apply_policy + authenticated,
        *(struct.pack("<BBHI", 0, flags, 8 + len(sid), rights) + sid for flags, rights, sid in (
            (2, 0x20094, controllers), (2, 0x20094, authenticated), (2, 0xF00FF, system), (10, 0xF00FF, creator)))]
    body = b"".join(entries)
    acl = struct.pack("<BBHHH", 4, 0, 8 + len(body), len(entries), 0) + body
    return struct.pack("<BBHIIII", 1, 0, 0x9C04, 0, 0, 0, 20) + acl


def _sid(authority: int, relative: int) -> bytes:
    return struct.pack(">BBHI", 1, 1, 0, authority) + struct.pack("<I", relative)
