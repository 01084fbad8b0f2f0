Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
if ("$($ExecutionContext.SessionState.LanguageMode)" -ne 'FullLanguage') {
    throw 'PowerShell runs here in Constrained Language Mode. Sign this script with a certificate that the policy allows.'
}
$Bundle = ConvertFrom-Json -InputObject $Document
$StateFormat = 'douse-sacl-1'

function Get-ProfileFolder {
    # The folders of people: local and domain accounts, and those of Entra ID. Services and the default profile are left.
    $base = [Microsoft.Win32.RegistryKey]::OpenBaseKey('LocalMachine', 'Registry64')
    $list = $base.OpenSubKey('SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList', $false)
    foreach ($sid in $list.GetSubKeyNames()) {
        if ($sid -notmatch '^S-1-(5-21|12-1)(-[0-9]+)+$') { continue }
        $path = [string]$list.OpenSubKey($sid, $false).GetValue('ProfileImagePath', '')
        if ($path -and [IO.Directory]::Exists($path)) { [pscustomobject]@{ sid = $sid; path = $path } }
    }
}

function Test-Link {
    # Whether a folder, or one above it inside the profile, is a link: whoever owns the profile could point it anywhere.
    param([string]$Root, [string]$Path)
    $at = $Path
    while ($at.Length -gt $Root.Length) {
        if ([IO.File]::GetAttributes($at) -band [IO.FileAttributes]::ReparsePoint) { return $true }
        $at = [IO.Path]::GetDirectoryName($at)
    }
    return $false
}

function Get-StoreFolder {
    # Every folder of the list that is there, in every profile, and whether it must be left because it is a link.
    foreach ($one in Get-ProfileFolder) {
        foreach ($name in @($Bundle.folders)) {
            $path = [IO.Path]::Combine($one.path, $name)
            if ([IO.Directory]::Exists($path)) { [pscustomobject]@{ path = $path; link = Test-Link $one.path $path } }
        }
    }
}

function New-AuditEntry {
    # Successful reads of data by anybody, for the folder and all below it. By SID: names of groups are translated.
    $who = New-Object -TypeName System.Security.Principal.SecurityIdentifier -ArgumentList $Bundle.sid
    return New-Object -TypeName System.Security.AccessControl.FileSystemAuditRule -ArgumentList @(
        $who, [Security.AccessControl.FileSystemRights]::ReadData,
        ([Security.AccessControl.InheritanceFlags]'ContainerInherit, ObjectInherit'),
        [Security.AccessControl.PropagationFlags]::None, [Security.AccessControl.AuditFlags]::Success)
}

function Get-AuditSecurity {
    param([string]$Path)
    $sections = [Security.AccessControl.AccessControlSections]::Audit
    return New-Object -TypeName System.Security.AccessControl.DirectorySecurity -ArgumentList $Path, $sections
}

function Test-Audited {
    # Whether the folder itself has an entry that covers ours.
    param($Security)
    $wanted = New-AuditEntry
    foreach ($rule in $Security.GetAuditRules($true, $true, [Security.Principal.SecurityIdentifier])) {
        $reads = ([int]$rule.FileSystemRights -band [int]$wanted.FileSystemRights) -ne 0
        $inherits = ([int]$rule.InheritanceFlags -band 3) -eq 3
        $success = ([int]$rule.AuditFlags -band [int]$wanted.AuditFlags) -ne 0
        $here = "$($rule.PropagationFlags)" -eq 'None'
        if ($reads -and $inherits -and $success -and $here -and $rule.IdentityReference.Value -eq $Bundle.sid) {
            return $true
        }
    }
    return $false
}

#PROTECTED
function Read-StateFile {
    # The folders that got an entry from this script.
    $known = @{}
    $read = Read-StateDocument
    if ($null -ne $read) { foreach ($path in @($read.folders)) { $known[[string]$path] = $true } }
    return $known
}

function Write-StateFile {
    param([hashtable]$Known)
    $paths = @($Known.Keys | Sort-Object)
    $text = ConvertTo-Json -InputObject ([pscustomobject]@{ format = $StateFormat; folders = $paths })
    Save-StateText $text "keep the names of $($paths.Count) folders"
}

function New-Result {
    param([string]$Place, [string]$Result, [string]$Detail)
    return [pscustomobject]@{ Place = $Place; Result = $Result; Detail = $Detail }
}
