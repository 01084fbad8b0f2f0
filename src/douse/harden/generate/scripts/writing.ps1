# What changes this computer. Each function asks ShouldProcess for itself, and does nothing without -Execute.

$StateFormat = 'douse-state-1'

#PROTECTED
function Read-StateFile {
    $known = @{}
    $read = Read-StateDocument
    if ($null -ne $read) { foreach ($entry in @($read.items)) { $known[$entry.id] = $entry.found } }
    return $known
}

function Write-StateFile {
    param([hashtable]$Known)
    $items = @(foreach ($id in ($Known.Keys | Sort-Object)) { [pscustomobject]@{ id = $id; found = $Known[$id] } })
    $text = ConvertTo-Json -Depth 6 -InputObject ([pscustomobject]@{ format = $StateFormat; items = $items })
    Save-StateText $text "keep the state of $($items.Count) places"
}

function ConvertFrom-StateData {
    # The counterpart of ConvertTo-StateData.
    param([string]$Type, [string]$Data)
    switch ($Type) {
        'DWord' { return [BitConverter]::ToInt32([BitConverter]::GetBytes([uint32]$Data), 0) }
        'QWord' { return [BitConverter]::ToInt64([BitConverter]::GetBytes([uint64]$Data), 0) }
        'String' { return ConvertFrom-Base64 $Data }
        'ExpandString' { return ConvertFrom-Base64 $Data }
        'MultiString' {
            $lines = @($Data.Split([char[]]',', [StringSplitOptions]::RemoveEmptyEntries))
            return , [string[]]@(foreach ($line in $lines) { ConvertFrom-Base64 ($line.Substring(1)) })
        }
    }
    return , [byte[]][Convert]::FromBase64String($Data)
}

function Set-RegistryState {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param($Item, $State)
    $base = Get-BaseKey $Item.root
    if (-not $State.present) {
        if ($PSCmdlet.ShouldProcess($Item.place, 'remove the value') -and $Execute) {
            $key = $base.OpenSubKey($Item.key, $true)
            if ($null -ne $key) {
                $key.DeleteValue($Item.name, $false)
                $key.Close()
            }
        }
        Remove-EmptyKey $Item $State.parent
        return
    }
    if ($PSCmdlet.ShouldProcess($Item.place, "set to $(Get-ShownState $Item $State)") -and $Execute) {
        $key = $base.CreateSubKey($Item.key)
        $value = ConvertFrom-StateData $State.type $State.data
        $key.SetValue($Item.name, $value, [Microsoft.Win32.RegistryValueKind]$State.type)
        $key.Close()
    }
}

function Remove-EmptyKey {
    # The keys that were not there before and are empty now.
    [CmdletBinding(SupportsShouldProcess = $true)]
    param($Item, [string]$Parent)
    $base = Get-BaseKey $Item.root
    $path = $Item.key
    while ($path.Length -gt $Parent.Length -and $path.Contains('\')) {
        $key = $base.OpenSubKey($path, $false)
        if ($null -ne $key) {
            $left = $key.ValueCount + $key.SubKeyCount
            $key.Close()
            if ($left -gt 0) { return }
            if ($PSCmdlet.ShouldProcess($path, 'remove the empty key') -and $Execute) {
                $base.DeleteSubKey($path, $false)
            } else {
                return
            }
        }
        $path = $path.Substring(0, $path.LastIndexOf('\'))
    }
}

function Set-FirewallState {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param($Item, $State)
    $there = (Get-FirewallState $Item).present
    if ($PSCmdlet.ShouldProcess($Item.place, "make it: $(Get-ShownState $Item $State)") -and $Execute) {
        if ($there) {
            Remove-NetFirewallRule -PolicyStore $Item.store -Name $Item.name -Confirm:$false -ErrorAction Stop
        }
        if ($State.present) {
            $rule = $State.detail
            $options = @{
                PolicyStore = $Item.store; Name = $Item.name; DisplayName = $rule.display
                Description = $rule.description; Direction = $rule.direction; Action = $rule.action
                Enabled = $rule.enabled; Profile = $rule.profile; Program = $rule.program; Protocol = $rule.protocol
            }
            if ("$($rule.protocol)" -ne 'Any') { $options.RemotePort = [string[]]@($rule.ports) }
            foreach ($limit in @($rule.limits)) {
                $at = $limit.IndexOf('=')
                $values = $limit.Substring($at + 1).Split(',')
                $options[$limit.Substring(0, $at)] = if ($values.Count -eq 1) { $values[0] } else { $values }
            }
            New-NetFirewallRule @options -ErrorAction Stop | Out-Null
        }
    }
}

function Set-ServiceState {
    # sc.exe, because Windows refuses Set-Service for protected services such as AppIDSvc.
    [CmdletBinding(SupportsShouldProcess = $true)]
    param($Item, $State)
    $words = @{ '2,0' = 'auto'; '2,1' = 'delayed-auto'; '3' = 'demand'; '4' = 'disabled' }
    $start = $State.data.Split(',')[0]
    $word = if ($start -eq '2') { $words[$State.data] } else { $words[$start] }
    if ($null -eq $word) { throw "service $($Item.name): no word for the start type $($State.data)" }
    if ($PSCmdlet.ShouldProcess($Item.place, "start type $word") -and $Execute) {
        & "$env:SystemRoot\System32\sc.exe" 'config' $Item.name 'start=' $word | Out-Null
        if ($LASTEXITCODE -ne 0) { throw "sc.exe config $($Item.name) ended with $LASTEXITCODE" }
    }
}

function Set-AuditState {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param($Item, $State)
    $success = if ([int]$State.data -band 1) { 'enable' } else { 'disable' }
    $failure = if ([int]$State.data -band 2) { 'enable' } else { 'disable' }
    if ($PSCmdlet.ShouldProcess($Item.place, "success $success, failure $failure") -and $Execute) {
        $options = @(('/subcategory:{' + $Item.name + '}'), "/success:$success", "/failure:$failure")
        & "$env:SystemRoot\System32\auditpol.exe" '/set' $options | Out-Null
        if ($LASTEXITCODE -ne 0) { throw "auditpol /set ended with $LASTEXITCODE" }
        $script:AuditLines = $null
    }
}

function Set-ChannelState {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param($Item, $State)
    $word = $State.data.ToLowerInvariant()
    if ($PSCmdlet.ShouldProcess($Item.place, "enabled: $word") -and $Execute) {
        & "$env:SystemRoot\System32\wevtutil.exe" 'sl' $Item.name "/e:$word" '/q:true' | Out-Null
        if ($LASTEXITCODE -ne 0) { throw "wevtutil sl $($Item.name) ended with $LASTEXITCODE" }
    }
}

function Set-FeatureState {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param($Item, $State)
    if ($PSCmdlet.ShouldProcess($Item.place, $State.data) -and $Execute) {
        if ($State.data -eq 'disabled') {
            Disable-WindowsOptionalFeature -Online -FeatureName $Item.name -NoRestart -ErrorAction Stop | Out-Null
        } elseif ($State.data -eq 'enabled') {
            Enable-WindowsOptionalFeature -Online -FeatureName $Item.name -NoRestart -ErrorAction Stop | Out-Null
        }
        $script:Features = $null
    }
}

function Set-AppLockerState {
    # The bundle's own file is merged with other people's rules; where there are none it replaces the policy, because a
    # merge keeps the old enforcement mode. What was found always replaces the policy.
    [CmdletBinding(SupportsShouldProcess = $true)]
    param($Item, $State)
    if ($null -eq $State.detail) {
        $file = Join-Path $PSScriptRoot $Item.file
        if ((Get-FileHash -LiteralPath $file -Algorithm SHA256).Hash -ne $Item.sha256) {
            throw "$file is not the file of this bundle. Take both from the same bundle."
        }
        $merge = [bool](Get-AppLockerState $Item).detail.others
        if ($PSCmdlet.ShouldProcess($Item.place, "set $($Item.file), merge: $merge") -and $Execute) {
            Set-AppLockerPolicy -XmlPolicy $file -Merge:$merge -ErrorAction Stop
        }
        return
    }
    if ($PSCmdlet.ShouldProcess($Item.place, 'put back the policy found') -and $Execute) {
        $fresh = "$StateFile.applocker.xml"
        [IO.File]::WriteAllText($fresh, (ConvertFrom-Base64 $State.detail.xml))
        Set-AppLockerPolicy -XmlPolicy $fresh -ErrorAction Stop
        [IO.File]::Delete($fresh)
    }
}

function Set-State {
    param($Item, $State)
    switch ($Item.kind) {
        'registry' { Set-RegistryState $Item $State }
        'firewall' { Set-FirewallState $Item $State }
        'service' { Set-ServiceState $Item $State }
        'audit' { Set-AuditState $Item $State }
        'channel' { Set-ChannelState $Item $State }
        'feature' { Set-FeatureState $Item $State }
        'applocker' { Set-AppLockerState $Item $State }
    }
}

function Get-MergedState {
    # What a place is to be: for an audit subcategory also what was audited before.
    param($Item, $Found)
    if ($Item.kind -ne 'audit') { return $Item.wanted }
    return New-State -Present $true -Data ([string]([int]$Found.data -bor [int]$Item.wanted.data))
}

function New-Result {
    param($Item, [string]$Result, [string]$Detail)
    return [pscustomobject]@{ Control = $Item.control; Place = $Item.place; Result = $Result; Detail = $Detail }
}
