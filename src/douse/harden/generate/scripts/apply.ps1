#Requires -Version 5.1
#Requires -PSEdition Desktop
#Requires -RunAsAdministrator

<#
.SYNOPSIS
Sets what this bundle's controls ask for. Without -Execute it only says what it would change.
.DESCRIPTION
Before anything is changed, the state found is kept in -StateFile. What stands there already is never overwritten: the
first state wins, and undo.ps1 puts it back. A value that is as good as the one wanted stays. Running it again changes
nothing. Exit code 0: all is set, or would be; 1: something could not be set, each place has its reason.
.PARAMETER Execute
Really change this computer. Together with -WhatIf or -Confirm these still hold.
.PARAMETER StateFile
Where the state found is kept. Its folder must be one that only administrators can write to; it is made if need be.
.PARAMETER FirewallStore
Where firewall rules go: PersistentStore is this computer, 'domain\name of a GPO' is that GPO.
.PARAMETER Transcript
A file for a transcript of the run.
.EXAMPLE
.\apply.ps1
.EXAMPLE
.\apply.ps1 -Execute
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [switch]$Execute,
    [string]$StateFile = (Join-Path $env:ProgramData 'Douse\state.json'),
    [string]$FirewallStore = 'PersistentStore',
    [string]$Transcript = ''
)
#DOCUMENT
#READING
#WRITING
if (-not $Execute) { $WhatIfPreference = $true }
$really = [bool]$Execute -and -not $WhatIfPreference
if ($Transcript) { Start-Transcript -Path $Transcript -WhatIf:$false | Out-Null }
$failed = 0
$items = @(Get-BundleItem $FirewallStore)
$known = Read-StateFile
foreach ($item in $items) {
    if (-not $known.ContainsKey($item.id)) {
        try { $known[$item.id] = Get-FoundState $item } catch { Write-Warning "$($item.place): $_" }
    }
}
Write-StateFile $known
if ($really) { $known = Read-StateFile }
foreach ($item in $items) {
    try {
        $found = Get-FoundState $item
        if (-not $known.ContainsKey($item.id)) { throw 'its state could not be kept, so it is left alone' }
        if (Test-Satisfied $item $found) {
            New-Result $item 'unchanged' (Get-ShownState $item $found)
        } elseif (@('service', 'channel') -contains $item.kind -and -not $found.present) {
            New-Result $item 'not here' 'this computer has no such service or event log'
        } else {
            Set-State $item (Get-MergedState $item $found)
            if ($really -and -not (Test-Satisfied $item (Get-FoundState $item))) {
                if ($item.kind -eq 'applocker') {
                    throw 'it did not hold. A merge keeps the mode of a collection: undo the bundle that only watched first'
                }
                throw 'it was declined, or did not hold: a policy or a protection of Windows may decide it'
            }
            New-Result $item $(if ($really) { 'set' } else { 'would be set' }) "found: $(Get-ShownState $item $found)"
        }
    } catch {
        $failed += 1
        New-Result $item 'failed' "$_"
    }
}
$ignoring = @(Get-IgnoringProfile)
if ($FirewallStore -eq 'PersistentStore' -and @($Bundle.firewall).Count -and $ignoring.Count) {
    Write-Warning "Firewall rules of this computer do not count on $($ignoring -join ', '): AllowLocalPolicyMerge is 0 there. Use a GPO."
}
if (-not $really) { Write-Warning 'Nothing was changed. Run it with -Execute to change this computer.' }
if ($Transcript) { Stop-Transcript | Out-Null }
if ($failed) { exit 1 }
exit 0
