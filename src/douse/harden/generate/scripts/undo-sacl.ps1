#Requires -Version 5.1
#Requires -PSEdition Desktop
#Requires -RunAsAdministrator

<#
.SYNOPSIS
Removes the audit entries that set-sacl.ps1 added. Without -Execute it only says what it would change.
.DESCRIPTION
Only folders of the list that the state file names are touched, and there only the very entry that was added: what
others audit stays. Exit code 0: done, or would be; 1: some folder failed.
.PARAMETER Execute
Really change this computer. Together with -WhatIf or -Confirm these still hold.
.PARAMETER StateFile
The state file that set-sacl.ps1 wrote.
.EXAMPLE
.\undo-sacl.ps1
.EXAMPLE
.\undo-sacl.ps1 -Execute
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [switch]$Execute,
    [string]$StateFile = (Join-Path $env:ProgramData 'Douse\sacl.json')
)
#DOCUMENT
#SHARED
function Remove-AuditEntry {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([string]$Path, $Security)
    if ($PSCmdlet.ShouldProcess($Path, 'remove the audit entry') -and $Execute) {
        $Security.RemoveAuditRule((New-AuditEntry)) | Out-Null
        [IO.Directory]::SetAccessControl($Path, $Security)
    }
}

if (-not $Execute) { $WhatIfPreference = $true }
$really = [bool]$Execute -and -not $WhatIfPreference
if (-not (Test-Path -LiteralPath $StateFile)) { throw "$StateFile is not there: set-sacl.ps1 added nothing, or all is back." }
$failed = 0
$known = Read-StateFile
$here = @(foreach ($folder in @(Get-StoreFolder)) { if (-not $folder.link) { $folder.path } })
foreach ($path in @($known.Keys | Sort-Object)) {
    try {
        if ($here -notcontains $path) {
            New-Result $path 'skipped' 'the folder is gone, is a link, or is none of the list'
        } else {
            Remove-AuditEntry $path (Get-AuditSecurity $path)
            New-Result $path $(if ($really) { 'removed' } else { 'would be removed' }) ''
        }
        if ($really) { $known.Remove($path) }
    } catch {
        $failed += 1
        New-Result $path 'failed' "$_"
    }
}
if ($really) {
    if ($known.Count) { Write-StateFile $known } else { Remove-StateFile }
}
if (-not $really) { Write-Warning 'Nothing was changed. Run it with -Execute to change this computer.' }
if ($failed) { exit 1 }
exit 0
