#Requires -Version 5.1
#Requires -PSEdition Desktop
#Requires -RunAsAdministrator

<#
.SYNOPSIS
Says of each place that this bundle sets whether it is set. Changes nothing.
.DESCRIPTION
For people, and for software that collects their answers; `douse harden audit` reads what collect.ps1 prints, not this.
One row for each place: pass, fail, or unknown where it could not be read. Values of users are those of people who are
signed in; how many profiles there are besides is said. Exit code 0: all pass; 1: something does not.
.PARAMETER FirewallStore
Where firewall rules are looked for: ActiveStore is what Windows applies, from whatever store.
.PARAMETER Json
Print one JSON document in place of rows.
.EXAMPLE
.\verify.ps1 | Format-Table -AutoSize
.EXAMPLE
.\verify.ps1 -Json > verify.json
#>
[CmdletBinding()]
param(
    [string]$FirewallStore = 'ActiveStore',
    [switch]$Json
)
#DOCUMENT
#READING
function Get-Verdict {
    param($Item)
    try {
        $found = Get-FoundState $Item
    } catch {
        return [pscustomobject]@{ Control = $Item.control; Place = $Item.place; Result = 'unknown'; Found = "$_" }
    }
    $word = if (Test-Satisfied $Item $found) { 'pass' } else { 'fail' }
    $text = Get-ShownState $Item $found
    if ($Item.kind -eq 'firewall' -and $found.present -and $found.detail.source -eq 'Local' -and $ignoring.Count) {
        $word = 'fail'
        $text += ", a rule of this computer, and these do not count on $($ignoring -join ', ')"
    }
    return [pscustomobject]@{ Control = $Item.control; Place = $Item.place; Result = $word; Found = $text }
}

$ignoring = @(Get-IgnoringProfile)
$rows = @(foreach ($item in @(Get-BundleItem $FirewallStore)) { Get-Verdict $item })
$all = @(Get-ProfileSid)
$loaded = @(Get-LoadedProfile)
if ($Json) {
    ConvertTo-Json -Depth 4 -InputObject ([pscustomobject]@{
        format = 'douse-verify-1'; computer = $env:COMPUTERNAME; bundle = $Bundle.mode; profiles = $all.Count
        profiles_seen = $loaded.Count; rows = $rows
    })
} else {
    $rows
    if (@($Bundle.registry | Where-Object { $_.hive -eq 'HKCU' }).Count) {
        Write-Warning "Values of users were read for $($loaded.Count) of $($all.Count) profiles."
    }
}
if (@($rows | Where-Object { $_.Result -ne 'pass' }).Count) { exit 1 }
exit 0
