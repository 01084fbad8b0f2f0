#Requires -Version 5.1
#Requires -PSEdition Desktop
#Requires -RunAsAdministrator

<#
.SYNOPSIS
Puts back what apply.ps1 found. Without -Execute it only says what it would change.
.DESCRIPTION
Only places that this bundle sets are touched, whatever the state file says. A place that somebody changed after
apply.ps1 is left alone, unless -Force is given. What was put back leaves the state file; the file goes when it is empty.
Exit code 0: all is back, or would be; 1: something is not, each place has its reason.
.PARAMETER Execute
Really change this computer. Together with -WhatIf or -Confirm these still hold.
.PARAMETER Force
Put back what was found even where somebody changed it since.
.PARAMETER StateFile
The state file that apply.ps1 wrote.
.PARAMETER FirewallStore
The same as for apply.ps1.
.PARAMETER Transcript
A file for a transcript of the run.
.EXAMPLE
.\undo.ps1
.EXAMPLE
.\undo.ps1 -Execute
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [switch]$Execute,
    [switch]$Force,
    [string]$StateFile = (Join-Path $env:ProgramData 'Douse\state.json'),
    [string]$FirewallStore = 'PersistentStore',
    [string]$Transcript = ''
)
#DOCUMENT
#READING
#WRITING
function Test-OnlyOurs {
    # Whether a place is as the bundle left it.
    param($Item, $Found, $Before)
    if ($Item.kind -eq 'applocker') { return $Found.detail.others -eq $Before.detail.others }
    return (Get-StateText $Found) -eq (Get-StateText (Get-MergedState $Item $Before))
}

function Test-Back {
    param($Item, $Found, $Before)
    if ($Item.kind -eq 'applocker') {
        $now = Get-AppLockerText (ConvertFrom-Base64 $Found.detail.xml)
        return $now -eq (Get-AppLockerText (ConvertFrom-Base64 $Before.detail.xml))
    }
    return (Get-StateText $Found) -eq (Get-StateText $Before)
}

function Get-AwayPlace {
    # Values of people who are not signed in now: their hives are not loaded.
    param([hashtable]$Known, $Items)
    $here = @(foreach ($item in $Items) { $item.id })
    foreach ($id in @($Known.Keys)) {
        foreach ($value in @($Bundle.registry)) {
            if ($id -like 'registry|HKU|*' -and $id.EndsWith("\$($value.key)|$($value.name)") -and $here -notcontains $id) {
                [pscustomobject]@{ id = $id; sid = $id.Split('|')[2].Split('\')[0] }
            }
        }
    }
}

if (-not $Execute) { $WhatIfPreference = $true }
$really = [bool]$Execute -and -not $WhatIfPreference
if ($Transcript) { Start-Transcript -Path $Transcript -WhatIf:$false | Out-Null }
if (-not (Test-Path -LiteralPath $StateFile)) { throw "$StateFile is not there: apply.ps1 kept no state, or all is back." }
$failed = 0
$known = Read-StateFile
$items = @(Get-BundleItem $FirewallStore)
[array]::Reverse($items)
foreach ($item in $items) {
    if (-not $known.ContainsKey($item.id)) { continue }
    try {
        $before = $known[$item.id]
        $found = Get-FoundState $item
        if (Test-Back $item $found $before) {
            New-Result $item 'as before' (Get-ShownState $item $found)
            if ($really) { $known.Remove($item.id) }
        } elseif (-not $Force -and -not (Test-OnlyOurs $item $found $before)) {
            $failed += 1
            New-Result $item 'left alone' 'somebody changed it after apply.ps1; -Force puts it back'
        } else {
            Set-State $item $before
            if ($really) {
                if (-not (Test-Back $item (Get-FoundState $item) $before)) { throw 'it was declined, or did not hold' }
                $known.Remove($item.id)
            }
            $word = if ($really) { 'put back' } else { 'would be put back' }
            New-Result $item $word (Get-ShownState $item $before)
        }
    } catch {
        $failed += 1
        New-Result $item 'failed' "$_"
    }
}
$people = @(Get-ProfileSid)
$away = @(foreach ($place in @(Get-AwayPlace $known $items)) {
    if ($people -contains $place.sid) { $place.sid } elseif ($really) { $known.Remove($place.id) }  # a deleted profile
})
foreach ($sid in @($away | Sort-Object -Unique)) {
    $failed += 1
    Write-Warning "$sid is not signed in, so that person's values are not put back. Run it again when that is so."
}
if ($really) {
    if ($known.Count) { Write-StateFile $known } else { Remove-StateFile }
}
if (-not $really) { Write-Warning 'Nothing was changed. Run it with -Execute to change this computer.' }
if ($Transcript) { Stop-Transcript | Out-Null }
if ($failed) { exit 1 }
exit 0
