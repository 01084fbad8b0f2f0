#Requires -Version 5.1
#Requires -PSEdition Desktop
#Requires -RunAsAdministrator

<#
.SYNOPSIS
Audits reads of credential stores in every user profile. Without -Execute it only says what it would change.
.DESCRIPTION
One inheritable audit entry (Everyone, successful reads of data) for each folder of the list that is there; links are
skipped and named. As a startup script with -Execute it also reaches profiles and programs that come later. Windows hands
a new entry down to every file below the folder: with large browser profiles the first run may take minutes, so let it
not be waited for at sign-in. Later runs only read. Browsers and messengers read files of these folders all day, and each
read is a record (4663): make the Security log larger first. How many was not measured. Which folders got an entry is kept in -StateFile; undo-sacl.ps1 removes exactly these. Nothing is logged before
the audit subcategory File System is on. Exit code 0: done, or would be; 1: some folder failed.
.PARAMETER Execute
Really change this computer. Together with -WhatIf or -Confirm these still hold.
.PARAMETER StateFile
Where the names of changed folders are kept. Its folder must be one that only administrators can write to.
.EXAMPLE
.\set-sacl.ps1
.EXAMPLE
powershell.exe -NoProfile -File set-sacl.ps1 -Execute
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [switch]$Execute,
    [string]$StateFile = (Join-Path $env:ProgramData 'Douse\sacl.json')
)
#DOCUMENT
#SHARED
function Add-AuditEntry {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([string]$Path, $Security)
    if ($PSCmdlet.ShouldProcess($Path, 'add an audit entry') -and $Execute) {
        $Security.AddAuditRule((New-AuditEntry))
        [IO.Directory]::SetAccessControl($Path, $Security)
    }
}

if (-not $Execute) { $WhatIfPreference = $true }
$really = [bool]$Execute -and -not $WhatIfPreference
$failed = 0
$known = Read-StateFile
$todo = @(foreach ($folder in @(Get-StoreFolder)) {
    $path = $folder.path
    if ($folder.link) {
        New-Result $path 'skipped' 'it is a link, or lies below one: reads are not audited'
        continue
    }
    try {
        if (Test-Audited (Get-AuditSecurity $path)) { New-Result $path 'unchanged' 'is audited' } else { $path }
    } catch {
        $failed += 1
        New-Result $path 'failed' "$_"
    }
})
$fresh = @($todo | Where-Object { $_ -is [string] })
$todo | Where-Object { $_ -isnot [string] }
foreach ($path in $fresh) { $known[$path] = $true }
if ($fresh.Count) { Write-StateFile $known }
if ($really) { $known = Read-StateFile }
foreach ($path in $fresh) {
    try {
        if (-not $known.ContainsKey($path)) { throw 'its name could not be kept, so it is left alone' }
        Add-AuditEntry $path (Get-AuditSecurity $path)
        New-Result $path $(if ($really) { 'set' } else { 'would be set' }) ''
    } catch {
        $failed += 1
        New-Result $path 'failed' "$_"
    }
}
if (-not $really) { Write-Warning 'Nothing was changed. Run it with -Execute to change this computer.' }
if ($failed) { exit 1 }
exit 0
