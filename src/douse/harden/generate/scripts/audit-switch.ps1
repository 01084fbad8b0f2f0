#Requires -Version 5.1
#Requires -RunAsAdministrator

<#
.SYNOPSIS
Switches audit subcategories on or off. Without -Execute it only says what it would change.
.DESCRIPTION
Only what its document names is switched; the other half of a subcategory (success or failure) stays as it is.
Subcategories are told by GUID, so that the language of Windows does not matter. Exit code 0: done, or would be; 1: not.
.PARAMETER Execute
Really change this computer.
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param([switch]$Execute)
#DOCUMENT
Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$Bundle = ConvertFrom-Json -InputObject $Document
if (-not $Execute) { $WhatIfPreference = $true }
$failed = 0
foreach ($entry in @($Bundle.audit)) {
    $options = @('/subcategory:{' + $entry.guid + '}')
    if ($entry.success) { $options += '/success:' + $entry.success }
    if ($entry.failure) { $options += '/failure:' + $entry.failure }
    if ($PSCmdlet.ShouldProcess("$($entry.title) {$($entry.guid)}", ($options -join ' ')) -and $Execute) {
        & "$env:SystemRoot\System32\auditpol.exe" '/set' $options | Out-Null
        if ($LASTEXITCODE -ne 0) {
            $failed += 1
            Write-Warning "$($entry.title): auditpol /set ended with $LASTEXITCODE"
        }
    }
}
if (-not $Execute) { Write-Warning 'Nothing was changed. Run it with -Execute to change this computer.' }
if ($failed) { exit 1 }
exit 0
