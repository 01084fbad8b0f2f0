# What the bundle wants, and what stands on this computer now. Nothing here changes anything.
# A state is an object: present, type, data (text), parent (the deepest registry key that existed) and, for a firewall
# rule or an AppLocker policy, detail. Two states of one place are equal where Get-StateText gives the same text.

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
if ("$($ExecutionContext.SessionState.LanguageMode)" -ne 'FullLanguage') {
    throw 'PowerShell runs here in Constrained Language Mode. Sign this script with a certificate that the policy allows.'
}
if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
    throw 'This is the 32-bit PowerShell, which sees another System32. Run it in the 64-bit one (Intune has a switch for it).'
}
$Bundle = ConvertFrom-Json -InputObject $Document
$Kinds = @{
    REG_DWORD = 'DWord'; REG_QWORD = 'QWord'; REG_SZ = 'String'; REG_EXPAND_SZ = 'ExpandString'
    REG_MULTI_SZ = 'MultiString'; REG_BINARY = 'Binary'; REG_NONE = 'None'
}
$StartValues = @{ automatic = 2; manual = 3; disabled = 4 }
$script:AuditLines = $null
$script:Features = $null

function New-State {
    param([bool]$Present, [string]$Type = '', [string]$Data = '', [string]$Parent = '', $Detail = $null)
    return [pscustomobject]@{ present = $Present; type = $Type; data = $Data; parent = $Parent; detail = $Detail }
}

function Get-StateText {
    param($State)
    if (-not $State.present) { return 'absent' }
    return ('{0}|{1}' -f $State.type, $State.data).ToLowerInvariant()
}

function ConvertTo-Base64 {
    param([string]$Text)
    return [Convert]::ToBase64String([Text.Encoding]::Unicode.GetBytes($Text))
}

function ConvertFrom-Base64 {
    param([string]$Text)
    return [Text.Encoding]::Unicode.GetString([Convert]::FromBase64String($Text))
}

function Get-BaseKey {
    # The 64-bit view always: a 32-bit host would otherwise be shown another SOFTWARE.
    param([string]$Root)
    $hive = [Microsoft.Win32.RegistryHive]::LocalMachine
    if ($Root -eq 'HKU') { $hive = [Microsoft.Win32.RegistryHive]::Users }
    return [Microsoft.Win32.RegistryKey]::OpenBaseKey($hive, [Microsoft.Win32.RegistryView]::Registry64)
}

function Get-LoadedProfile {
    # The SIDs of people whose profile is loaded: local and domain accounts, and those of Entra ID.
    foreach ($name in (Get-BaseKey 'HKU').GetSubKeyNames()) {
        if ($name -match '^S-1-(5-21|12-1)(-[0-9]+)+$') { $name }
    }
}

function Get-ProfileSid {
    # The SIDs of all people that have a profile here, whether it is loaded or not.
    $list = (Get-BaseKey 'HKLM').OpenSubKey('SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList', $false)
    foreach ($name in $list.GetSubKeyNames()) { if ($name -match '^S-1-(5-21|12-1)(-[0-9]+)+$') { $name } }
}

function ConvertTo-StateData {
    # A registry value as text that loses nothing. PowerShell may make nothing of an empty array.
    param([string]$Type, $Value)
    if ($null -eq $Value) { $Value = @() }
    switch ($Type) {
        'DWord' { return [string][BitConverter]::ToUInt32([BitConverter]::GetBytes([int]$Value), 0) }
        'QWord' { return [string][BitConverter]::ToUInt64([BitConverter]::GetBytes([long]$Value), 0) }
        'String' { return ConvertTo-Base64 ([string]$Value) }
        'ExpandString' { return ConvertTo-Base64 ([string]$Value) }
        'MultiString' { return (@(foreach ($line in @($Value)) { '.' + (ConvertTo-Base64 $line) }) -join ',') }
    }
    return [Convert]::ToBase64String([byte[]]@($Value))
}

function ConvertTo-WantedData {
    # The same text for a value of the bundle, whose numbers are unsigned and whose bytes are hexadecimal.
    param([string]$Type, $Value)
    if ($null -eq $Value) { $Value = @() }
    switch ($Type) {
        'DWord' { return [string][uint32]$Value }
        'QWord' { return [string][uint64]$Value }
        'String' { return ConvertTo-Base64 ([string]$Value) }
        'ExpandString' { return ConvertTo-Base64 ([string]$Value) }
        'MultiString' { return (@(foreach ($line in @($Value)) { '.' + (ConvertTo-Base64 $line) }) -join ',') }
    }
    $digits = [string]$Value
    $bytes = @(for ($at = 0; $at -lt $digits.Length; $at += 2) { [Convert]::ToByte($digits.Substring($at, 2), 16) })
    return [Convert]::ToBase64String([byte[]]$bytes)
}

function Get-RegistryState {
    param($Item)
    $base = Get-BaseKey $Item.root
    $parent = $Item.key
    $key = $base.OpenSubKey($parent, $false)
    if ($null -eq $key) {
        while ($parent -and $null -eq $base.OpenSubKey($parent, $false)) {
            $cut = $parent.LastIndexOf('\')
            $parent = if ($cut -lt 0) { '' } else { $parent.Substring(0, $cut) }
        }
        return New-State -Present $false -Parent $parent
    }
    if (-not (@($key.GetValueNames()) -contains $Item.name)) { return New-State -Present $false -Parent $parent }
    $type = "$($key.GetValueKind($Item.name))"
    $options = [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames
    $data = ConvertTo-StateData $type ($key.GetValue($Item.name, $null, $options))
    return New-State -Present $true -Type $type -Data $data -Parent $parent
}

function Get-ProgramText {
    param([string]$Program)
    return ($Program -replace '%(systemroot|windir)%', $env:SystemRoot).ToLowerInvariant()
}

function Get-RuleText {
    param($Rule)
    $ports = (@($Rule.ports) | Sort-Object) -join ','
    $limits = (@($Rule.limits) | Sort-Object) -join ' '
    return '{0} {1} {2} {3} {4} {5} {6} {7}' -f $Rule.enabled, $Rule.action, $Rule.direction, $Rule.profile,
        $Rule.protocol, $ports, (Get-ProgramText $Rule.program), $limits
}

function Get-RuleLimit {
    # What narrows a rule down beside program and ports, as `RemoteAddress=10.0.0.1,10.0.0.2`. Rules of ours have no such
    # thing: with one they would block next to nothing and look the same.
    param($Rule, $Port, $Program)
    $address = Get-NetFirewallAddressFilter -AssociatedNetFirewallRule $Rule -ErrorAction Stop
    $service = Get-NetFirewallServiceFilter -AssociatedNetFirewallRule $Rule -ErrorAction Stop
    $type = Get-NetFirewallInterfaceTypeFilter -AssociatedNetFirewallRule $Rule -ErrorAction Stop
    $people = Get-NetFirewallSecurityFilter -AssociatedNetFirewallRule $Rule -ErrorAction Stop
    $all = @{
        LocalPort = $Port.LocalPort; LocalAddress = $address.LocalAddress; RemoteAddress = $address.RemoteAddress
        Service = $service.Service; InterfaceType = $type.InterfaceType; LocalUser = $people.LocalUser
        Package = $Program.Package
    }
    foreach ($name in @($all.Keys)) {
        $text = @(foreach ($one in @($all[$name])) { "$one" }) -join ','
        if ($text -and $text -ne 'Any') { "$name=$text" }
    }
}

function Get-RuleState {
    param($Rule)
    $port = Get-NetFirewallPortFilter -AssociatedNetFirewallRule $Rule -ErrorAction Stop
    $program = Get-NetFirewallApplicationFilter -AssociatedNetFirewallRule $Rule -ErrorAction Stop
    $detail = [pscustomobject]@{
        display = [string]$Rule.DisplayName; description = [string]$Rule.Description; enabled = "$($Rule.Enabled)"
        action = "$($Rule.Action)"; direction = "$($Rule.Direction)"; profile = "$($Rule.Profile)"
        protocol = "$($port.Protocol)"; ports = @(foreach ($one in @($port.RemotePort)) { "$one" })
        program = "$($program.Program)"; limits = @(Get-RuleLimit $Rule $port $program)
        source = "$($Rule.PolicyStoreSourceType)"
    }
    return New-State -Present $true -Data (Get-RuleText $detail) -Detail $detail
}

function Get-FirewallState {
    # Commands of a module do not see this script's $ErrorActionPreference, so it is said each time. ActiveStore may hold
    # a rule twice, of this computer and of a policy: one that is as wanted counts, and that of a policy more.
    param($Item)
    try {
        $rules = @(Get-NetFirewallRule -PolicyStore $Item.store -Name $Item.name -ErrorAction Stop)
    } catch {
        if ("$($_.CategoryInfo.Category)" -ne 'ObjectNotFound') { throw }
        return New-State -Present $false
    }
    $states = @(foreach ($rule in $rules) { Get-RuleState $rule })
    $good = @(foreach ($one in $states) { if ((Get-StateText $one) -eq (Get-StateText $Item.wanted)) { $one } })
    foreach ($one in $good) { if ($one.detail.source -ne 'Local') { return $one } }
    if ($good.Count) { return $good[0] }
    return $states[0]
}

function Get-IgnoringProfile {
    # The networks on which rules of this computer itself do not count, because a policy says so.
    foreach ($name in @('DomainProfile', 'PrivateProfile', 'PublicProfile')) {
        $key = (Get-BaseKey 'HKLM').OpenSubKey("SOFTWARE\Policies\Microsoft\WindowsFirewall\$name", $false)
        if ($null -ne $key -and "$($key.GetValue('AllowLocalPolicyMerge', 1))" -eq '0') { $name }
    }
}

function Get-ServiceState {
    param($Item)
    $key = (Get-BaseKey 'HKLM').OpenSubKey('SYSTEM\CurrentControlSet\Services\' + $Item.name, $false)
    if ($null -eq $key) { return New-State -Present $false }
    $start = $key.GetValue('Start', 0)
    $delayed = if ($start -eq 2) { $key.GetValue('DelayedAutostart', 0) } else { 0 }
    $data = '{0},{1}' -f $start, $delayed
    return New-State -Present $true -Data $data
}

function Get-AuditLine {
    # auditpol translates its words, so the numbers of its backup are read: 1 success, 2 failure, 3 both.
    # A row with a SID is about one person, not about the computer.
    if ($null -eq $script:AuditLines) {
        $file = Join-Path ([IO.Path]::GetTempPath()) ([Guid]::NewGuid().ToString() + '.csv')
        & "$env:SystemRoot\System32\auditpol.exe" '/backup' "/file:$file" | Out-Null
        if ($LASTEXITCODE -ne 0) { throw "auditpol /backup ended with $LASTEXITCODE" }
        $script:AuditLines = [IO.File]::ReadAllLines($file)
        [IO.File]::Delete($file)
    }
    return $script:AuditLines
}

function Get-AuditState {
    param($Item)
    foreach ($line in Get-AuditLine) {
        if ($line.IndexOf('{' + $Item.name + '}', [StringComparison]::OrdinalIgnoreCase) -ge 0 -and
            $line -notmatch ',S-1-[0-9-]+,' -and $line -match ',([0-9]+)\s*$') {
            return New-State -Present $true -Data ([string]([int]$Matches[1] -band 3))
        }
    }
    return New-State -Present $true -Data '0'
}

function Get-ChannelState {
    param($Item)
    $type = 'System.Diagnostics.Eventing.Reader.EventLogConfiguration'
    try {
        $log = New-Object -TypeName $type -ArgumentList $Item.name
    } catch {
        $kind = [System.Diagnostics.Eventing.Reader.EventLogNotFoundException]
        if ($_.Exception.GetBaseException() -isnot $kind) { throw }
        return New-State -Present $false
    }
    return New-State -Present $true -Data "$($log.IsEnabled)"
}

function Get-FeatureState {
    # Read from the list of all. Asked for by name, a feature that is unknown and a question that failed look the same, and
    # what could not be read must not pass for removed.
    param($Item)
    if ($null -eq $script:Features) {
        $script:Features = @(Get-WindowsOptionalFeature -Online -ErrorAction Stop)
        if (-not $script:Features.Count) { throw 'Windows lists no features' }
    }
    $found = @($script:Features | Where-Object { $_.FeatureName -eq $Item.name })
    if (-not $found.Count) { return New-State -Present $false }
    $word = "$($found[0].State)".ToLowerInvariant()
    if ($word -like 'enable*') { $word = 'enabled' }
    if ($word -like 'disable*') { $word = 'disabled' }
    return New-State -Present $true -Data $word
}

function Get-AppLockerText {
    # A policy as text that does not hang on the order in which Windows writes its rules, nor on empty collections.
    param([string]$Xml)
    $rules = @(foreach ($rule in ([xml]$Xml).SelectNodes('//RuleCollection/*')) {
        $of = $rule.ParentNode
        $of.GetAttribute('Type') + ' ' + $of.GetAttribute('EnforcementMode') + ' ' + $rule.OuterXml
    })
    return (@($rules | Sort-Object) -join ' ')
}

function Get-AppLockerState {
    # Each rule counts with the mode of its collection. `others` are those that are not of this bundle: as long as they
    # stay the same, only the bundle changed the policy.
    param($Item)
    $text = [string](Get-AppLockerPolicy -Local -Xml -ErrorAction Stop)
    $ours = @()
    $others = @()
    $known = @(foreach ($rule in @($Item.rules)) { $rule.Split('=')[0] })
    foreach ($rule in ([xml]$text).SelectNodes('//RuleCollection/*[@Id]')) {
        $id = $rule.GetAttribute('Id').Trim('{}').ToLowerInvariant()
        $full = $id + '=' + $rule.ParentNode.GetAttribute('EnforcementMode').ToLowerInvariant()
        if ($known -contains $id) { $ours += $full } else { $others += $full }
    }
    $detail = [pscustomobject]@{ xml = ConvertTo-Base64 $text; others = (@($others | Sort-Object) -join ',') }
    return New-State -Present $true -Data (@($ours | Sort-Object -Unique) -join ',') -Detail $detail
}

function Get-FoundState {
    param($Item)
    switch ($Item.kind) {
        'registry' { return Get-RegistryState $Item }
        'firewall' { return Get-FirewallState $Item }
        'service' { return Get-ServiceState $Item }
        'audit' { return Get-AuditState $Item }
        'channel' { return Get-ChannelState $Item }
        'feature' { return Get-FeatureState $Item }
        'applocker' { return Get-AppLockerState $Item }
    }
    throw "no such kind: $($Item.kind)"
}

function New-RegistryItem {
    param($Value, [string]$Root, [string]$Key, [string]$Place)
    $type = $Kinds[$Value.type]
    $wanted = New-State -Present $true -Type $type -Data (ConvertTo-WantedData $type $Value.data)
    return [pscustomobject]@{
        kind = 'registry'; control = $Value.control; setting = $Value.setting; place = $Place; root = $Root; key = $Key
        name = $Value.name; wanted = $wanted; accept = $Value.accept; id = "registry|$Root|$Key|$($Value.name)"
    }
}

function Get-RegistryItem {
    # A value of each user is one for every profile that is loaded; the default profile is left alone.
    $profiles = @(Get-LoadedProfile)
    foreach ($value in @($Bundle.registry)) {
        $shown = if ($value.name) { $value.name } else { '(default)' }
        if ($value.hive -eq 'HKLM') {
            New-RegistryItem $value 'HKLM' $value.key "HKLM\$($value.key)!$shown"
        } else {
            foreach ($sid in $profiles) {
                New-RegistryItem $value 'HKU' "$sid\$($value.key)" "HKU\$sid\$($value.key)!$shown"
            }
        }
    }
}

function Get-FirewallItem {
    param([string]$Store)
    foreach ($rule in @($Bundle.firewall)) {
        $ports = @(foreach ($port in @($rule.tcp)) { "$port" })
        $detail = [pscustomobject]@{
            display = [string]$rule.name; description = [string]$rule.description; enabled = "$([bool]$rule.active)"
            action = 'Block'; direction = 'Outbound'; profile = 'Any'; program = [string]$rule.program
            protocol = if ($ports.Count) { 'TCP' } else { 'Any' }; ports = if ($ports.Count) { $ports } else { @('Any') }
            limits = @()
        }
        [pscustomobject]@{
            kind = 'firewall'; control = $rule.control; setting = $rule.setting; name = $rule.id; store = $Store
            place = "firewall rule $($rule.id) in $Store"; id = "firewall|$Store|$($rule.id)"
            wanted = New-State -Present $true -Data (Get-RuleText $detail) -Detail $detail
        }
    }
}

function New-NamedItem {
    param([string]$Kind, $Entry, [string]$Name, [string]$Data, [string]$Place)
    return [pscustomobject]@{
        kind = $Kind; control = $Entry.control; setting = $Entry.setting; name = $Name; place = $Place
        id = "$Kind|$Name"; wanted = New-State -Present $true -Data $Data
    }
}

function Get-NamedItem {
    foreach ($entry in @($Bundle.services)) {
        New-NamedItem 'service' $entry $entry.service "$($StartValues[$entry.start]),0" "service $($entry.service)"
    }
    foreach ($entry in @($Bundle.audit)) {
        $bits = [int][bool]$entry.success + 2 * [int][bool]$entry.failure
        New-NamedItem 'audit' $entry $entry.guid "$bits" "audit of $($entry.title) {$($entry.guid)}"
    }
    foreach ($entry in @($Bundle.channels)) {
        New-NamedItem 'channel' $entry $entry.channel 'True' "event log $($entry.channel)"
    }
    foreach ($entry in @($Bundle.features)) {
        New-NamedItem 'feature' $entry $entry.feature $entry.state "Windows feature $($entry.feature)"
    }
}

function Get-AppLockerItem {
    foreach ($entry in @($Bundle.applocker)) {
        $rules = @(foreach ($rule in @($entry.rules)) { "$rule".ToLowerInvariant() })
        [pscustomobject]@{
            kind = 'applocker'; control = $entry.control; setting = $entry.setting; name = 'local'; rules = $rules
            place = 'local AppLocker policy'; id = 'applocker|local'; file = $entry.file; sha256 = $entry.sha256
            wanted = New-State -Present $true -Data (@($rules | Sort-Object -Unique) -join ',')
        }
    }
}

function Get-BundleItem {
    param([string]$Store)
    Get-RegistryItem
    Get-FirewallItem $Store
    Get-NamedItem
    Get-AppLockerItem
}

function Get-RegistryText {
    # What a value says, as texts to compare: one for each line of a multi-string.
    param($State)
    switch ($State.type) {
        'DWord' { return $State.data }
        'QWord' { return $State.data }
        'String' { return ConvertFrom-Base64 $State.data }
        'ExpandString' { return ConvertFrom-Base64 $State.data }
        'MultiString' {
            foreach ($line in @($State.data.Split([char[]]',', [StringSplitOptions]::RemoveEmptyEntries))) {
                ConvertFrom-Base64 ($line.Substring(1))
            }
        }
    }
}

function Test-Number {
    param([string]$Left, [string]$Operator, [string]$Right)
    if ($Left -notmatch '^[0-9]{1,20}$' -or $Right -notmatch '^[0-9]{1,20}$') { return $false }
    if ($Operator -eq '>=') { return [decimal]$Left -ge [decimal]$Right }
    return [decimal]$Left -le [decimal]$Right
}

function Test-Accept {
    # Whether a value found is as good as the one wanted, so that it may stay: `>= 16384`, `one-of 1, 2`.
    param($Item, $Found)
    $accept = $Item.accept
    if ($null -eq $accept -or -not (@($accept.types) -contains $Found.type)) { return $false }
    $texts = @(foreach ($text in @(Get-RegistryText $Found)) { "$text".Trim() })
    $operands = @(foreach ($text in @($accept.operands)) { "$text".Trim() })
    switch ($accept.operator) {
        'present' { return $true }
        'contains' {
            $hits = @($texts | Where-Object { $_.IndexOf($operands[0], [StringComparison]::OrdinalIgnoreCase) -ge 0 })
            return $hits.Count -gt 0
        }
        '!=' { return -not ($texts.Count -eq 1 -and $texts[0] -eq $operands[0]) }
    }
    if ($texts.Count -ne 1) { return $false }
    if (@('>=', '<=') -contains $accept.operator) { return Test-Number $texts[0] $accept.operator $operands[0] }
    return $operands -contains $texts[0]
}

function Test-Satisfied {
    # Whether what was found is what the bundle wants, or more.
    param($Item, $Found)
    switch ($Item.kind) {
        'audit' { return ([int]$Found.data -band [int]$Item.wanted.data) -eq [int]$Item.wanted.data }
        'service' { return $Found.present -and $Found.data.Split(',')[0] -eq $Item.wanted.data.Split(',')[0] }
        'feature' {
            if (-not $Found.present) { return $Item.wanted.data -eq 'disabled' }
        }
        'registry' {
            if ($Found.present -and (Test-Accept $Item $Found)) { return $true }
        }
    }
    return (Get-StateText $Found) -eq (Get-StateText $Item.wanted)
}

function Get-ShownState {
    param($Item, $State)
    if (-not $State.present) { return 'absent' }
    if ($Item.kind -ne 'registry') { return $State.data }
    return (@(Get-RegistryText $State) -join ' ; ')
}
