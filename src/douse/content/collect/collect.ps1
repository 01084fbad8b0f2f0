# Reads the settings of this computer that Douse's hardening controls are about, and prints them as one JSON document.
#
#   powershell -NoProfile -ExecutionPolicy Bypass -File collect.ps1 > NAME-OF-THIS-COMPUTER.json
#
# Start it elevated: without elevation it cannot read the audit policy, audit entries of folders, App Control and the
# settings of other users, and says so in the document. It installs nothing, writes no file, no registry value and no
# setting; everything goes to standard output. The output is plain ASCII, so that neither cmd.exe nor PowerShell spoils
# it on the way to the file. It needs Windows PowerShell 5.1 and no modules beyond those of Windows. Under constrained
# language (App Control, AppLocker) it reads the registry by reg.exe instead of .NET.
#
# It prints what it could read and names the rest under "errors", so that one part that fails does not lose the others;
# the exit code is 0 whenever there is a document. It takes a minute or so; a question to WMI is given up after two
# minutes.
#
# WHAT IS PERSONAL IN THE DOCUMENT: the names and SIDs of the people who have a profile here, which of the listed
# programs and credential stores (browsers, mail, wallets) lie in each profile, and the settings that are asked for. No
# content of a file, no password, no history, no process and no command line is read. Keep the document as you keep
# other security findings. It is not signed: who can change it on its way can make it say anything.
#
# HOW FAR THIS WAS TESTED: its grammar and that it holds no command that writes. It was never run on Windows by those
# who wrote it. Read it before you run it.

# What is asked for. These lines are made from the catalogue of controls.
# <constants>
# </constants>

$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
# powershell.exe prints warnings where the document goes.
$WarningPreference = 'SilentlyContinue'
$system32 = "$env:SystemRoot\System32"
# A 32-bit PowerShell on 64-bit Windows sees another folder under that name.
if ($env:PROCESSOR_ARCHITEW6432) { $system32 = "$env:SystemRoot\Sysnative" }
$full = "$($ExecutionContext.SessionState.LanguageMode)" -eq 'FullLanguage'
$patience = 120
$failures = @()
$without = @()
$document = @{}

function Get-Failure {
    param($Part, $What)
    @{ part = $Part; what = "$What" }
}

# The key of a hive, opened for reading; nothing where there is no such key. Without .NET it is the provider's item.
function Get-Key {
    param($Root, $Path)
    if ($full) {
        $base = [Microsoft.Win32.RegistryKey]::OpenBaseKey($Root, 'Registry64')
        return $base.OpenSubKey($Path)
    }
    if ($env:PROCESSOR_ARCHITEW6432) {
        throw 'This is a 32-bit PowerShell; start that of System32.'
    }
    if ($Path -match '/') {
        # The provider takes a slash for a backslash and would look at another key.
        throw 'Keys with a slash cannot be read in constrained language.'
    }
    $hive = 'HKEY_LOCAL_MACHINE'
    if ($Root -eq 'Users') {
        $hive = 'HKEY_USERS'
    }
    try {
        return Get-Item -LiteralPath "Registry::$hive\$Path"
    }
    catch {
        if ("$($_.CategoryInfo.Category)" -ne 'ObjectNotFound') {
            throw
        }
    }
}

# One value as type and data; texts as they are stored, without replacing variables in them.
function Get-Data {
    param($Key, $Name)
    $kind = "$($Key.GetValueKind($Name))"
    $data = $Key.GetValue($Name, $null, 'DoNotExpandEnvironmentNames')
    # A number of a size that its type does not have comes as bytes.
    if ($data -is [byte[]] -and $kind -ne 'None') { $kind = 'Binary' }
    if ($kind -eq 'DWord') { return @{ type = 'REG_DWORD'; data = [long]$data } }
    if ($kind -eq 'QWord') { return @{ type = 'REG_QWORD'; data = [long]$data } }
    if ($kind -eq 'String') { return @{ type = 'REG_SZ'; data = [string]$data } }
    if ($kind -eq 'ExpandString') { return @{ type = 'REG_EXPAND_SZ'; data = [string]$data } }
    if ($kind -eq 'MultiString') { return @{ type = 'REG_MULTI_SZ'; data = [string[]]@($data) } }
    $type = 'REG_NONE'
    if ($kind -eq 'Binary') { $type = 'REG_BINARY' }
    if ($null -eq $data) { return @{ type = $type; data = '' } }
    @{ type = $type; data = [System.BitConverter]::ToString([byte[]]@($data)) }
}

# What reg.exe prints, as key, name, type and text, for constrained language.
function Get-Printed {
    param($Lines)
    $at = ''
    foreach ($line in $Lines) {
        if ($line -match '^(HKEY_[A-Z_]+\\.*)$') {
            $at = $Matches[1]
        }
        elseif ($line -match '^ {4}(.*?) {4}(REG_[A-Z_]+)(?: {4}(.*))?$') {
            @{ at = $at; name = ($Matches[1] -replace '^\(.*\)$', ''); type = $Matches[2]; text = "$($Matches[3])" }
        }
    }
}

function Get-Value {
    param($Hive, $Sid, $Path, $Name)
    $root = 'LocalMachine'
    $place = $Path
    if ($Hive -eq 'HKCU') {
        $root = 'Users'
        $place = "$Sid\$Path"
    }
    $absent = @{ hive = $Hive; profile = $Sid; key = $Path; name = $Name; present = $false }
    $there = @{ hive = $Hive; profile = $Sid; key = $Path; name = $Name; present = $true }
    $key = Get-Key $root $place
    if ($null -eq $key) { return $absent }
    if ($full) {
        if ($key.GetValueNames() -notcontains $Name) { return $absent }
        return $there + (Get-Data $key $Name)
    }
    $shown = $Name
    if ($Name -eq '') { $shown = '(default)' }
    if (@($key.Property) -notcontains $shown) { return $absent }
    if ($Name -eq '') {
        $lines = @(& "$system32\reg.exe" query "$($key.Name)" /ve /reg:64)
    }
    else {
        $lines = @(& "$system32\reg.exe" query "$($key.Name)" /v "$Name" /reg:64)
    }
    $printed = @(Get-Printed $lines)
    if ($printed.Count -eq 0) { throw 'reg.exe shows nothing of a value that is there.' }
    $there + @{ type = $printed[0].type; text = $printed[0].text }
}

# Every value of a key and of the keys below it.
function Get-Below {
    param($Root, $Path, $Below)
    $key = Get-Key $Root (("$Path\$Below").TrimEnd('\'))
    if ($null -eq $key) { return }
    foreach ($name in $key.GetValueNames()) {
        @{ key = $Below; name = $name } + (Get-Data $key $name)
    }
    foreach ($name in $key.GetSubKeyNames()) {
        Get-Below $Root $Path (("$Below\$name").TrimStart('\'))
    }
}

function Get-List {
    param($Hive, $Sid, $Path)
    $root = 'LocalMachine'
    $place = $Path
    if ($Hive -eq 'HKCU') {
        $root = 'Users'
        $place = "$Sid\$Path"
    }
    $key = Get-Key $root $place
    $values = @()
    if ($null -ne $key -and $full) {
        $values = @(Get-Below $root $place '')
    }
    elseif ($null -ne $key) {
        $lines = @(& "$system32\reg.exe" query "$($key.Name)" /s /reg:64)
        $length = "$($key.Name)".Length
        $values = @(foreach ($one in @(Get-Printed $lines)) {
            @{ key = $one.at.Substring($length).TrimStart('\'); name = $one.name; type = $one.type; text = $one.text }
        })
    }
    @{ hive = $Hive; profile = $Sid; key = $Path; present = ($null -ne $key); values = $values }
}

# The named properties of an object, as text, number or truth value; lists as texts joined by commas.
function Get-Chosen {
    param($From, $Names)
    $chosen = @{}
    foreach ($name in $Names) {
        $value = $From.$name
        if ($value -is [bool] -or $value -is [int] -or $value -is [byte] -or $value -is [long] -or
            $value -is [uint32] -or $value -is [uint16]) {
            $chosen[$name] = $value
        }
        elseif ($null -ne $value) {
            $chosen[$name] = @(foreach ($one in $value) { "$one" }) -join ','
        }
    }
    $chosen
}

$document['tool'] = 'douse'
$document['tool_version'] = $toolVersion
$document['host'] = "$env:COMPUTERNAME"
$document['taken'] = (Get-Date).ToUniversalTime().ToString('s') + 'Z'
$document['powershell'] = "$($PSVersionTable.PSVersion)"
$document['language_mode'] = "$($ExecutionContext.SessionState.LanguageMode)"

$elevated = $false
try {
    # S-1-16-12288 is high integrity, S-1-16-16384 that of the system.
    $groups = @(& "$system32\whoami.exe" /groups)
    if ($LASTEXITCODE -ne 0) { throw "whoami ends with $LASTEXITCODE; taken as not elevated." }
    $elevated = @($groups | Where-Object { $_ -match 'S-1-16-(12288|16384)' }).Count -gt 0
}
catch { $failures += Get-Failure 'elevated' $_.Exception.Message }
$document['elevated'] = $elevated

$document['script_sha256'] = ''
try {
    # There is no file where the script was sent to this computer (Invoke-Command).
    if ($PSCommandPath) {
        $document['script_sha256'] = (Get-FileHash -LiteralPath $PSCommandPath -Algorithm SHA256).Hash
    }
}
catch { $failures += Get-Failure 'script_sha256' $_.Exception.Message }

$document['domain'] = ''
try {
    $computer = Get-CimInstance -ClassName Win32_ComputerSystem -OperationTimeoutSec $patience
    if ($computer.DNSHostName) { $document['host'] = "$($computer.DNSHostName)" }
    if ($computer.PartOfDomain) { $document['domain'] = "$($computer.Domain)" }
}
catch { $failures += Get-Failure 'domain' $_.Exception.Message }

try {
    $system = Get-CimInstance -ClassName Win32_OperatingSystem -OperationTimeoutSec $patience
    $document['system'] = @{
        caption = "$($system.Caption)"
        version = "$($system.Version)"
        build = [int]"$($system.BuildNumber)"
        product_type = [int]$system.ProductType
    }
}
catch { $failures += Get-Failure 'system' $_.Exception.Message }

# Profiles of people: local and domain accounts, and those of Entra.
$people = @()
try {
    $people = @(Get-CimInstance -ClassName Win32_UserProfile -OperationTimeoutSec $patience |
        Where-Object { "$($_.SID)" -match '^S-1-(5-21|12-1)-' })
    $document['profiles'] = @(foreach ($one in $people) {
        @{ sid = "$($one.SID)"; path = "$($one.LocalPath)"; loaded = [bool]$one.Loaded }
    })
}
catch { $failures += Get-Failure 'profiles' $_.Exception.Message }
$homes = @($people | Where-Object { "$($_.LocalPath)" -ne '' })
$loaded = @($people | Where-Object { $_.Loaded } | ForEach-Object { "$($_.SID)" })

$document['registry'] = @(foreach ($line in $askedValues) {
    $hive, $path, $name = $line -split '\|'
    $whose = @('')
    if ($hive -eq 'HKCU') { $whose = $loaded }
    foreach ($sid in $whose) {
        try { Get-Value $hive $sid $path $name }
        catch { $failures += Get-Failure "registry $hive\$path!$name $sid" $_.Exception.Message }
    }
})

$document['lists'] = @(foreach ($line in $askedLists) {
    $hive, $path = $line -split '\|'
    $whose = @('')
    if ($hive -eq 'HKCU') { $whose = $loaded }
    foreach ($sid in $whose) {
        try { Get-List $hive $sid $path }
        catch { $failures += Get-Failure "lists $hive\$path $sid" $_.Exception.Message }
    }
})

$serviceNames = @()
try {
    $running = @(Get-CimInstance -ClassName Win32_Service -OperationTimeoutSec $patience)
    $serviceNames = @($running | ForEach-Object { "$($_.Name)" })
    $document['services'] = @(
        foreach ($one in $running) {
            $sysmon = "$($one.PathName)" -match '(^|\\)sysmon(64|64a)?(\.exe)?(\W|$)'
            if ($services -contains "$($one.Name)" -or $sysmon) {
                @{
                    name = "$($one.Name)"
                    present = $true
                    start = "$($one.StartMode)"
                    state = "$($one.State)"
                    sysmon = $sysmon
                }
            }
        }
        foreach ($name in $services) {
            if ($serviceNames -notcontains $name) {
                @{ name = $name; present = $false }
            }
        }
    )
}
catch { $failures += Get-Failure 'services' $_.Exception.Message }

try {
    $document['firewall_profiles'] = @(foreach ($one in @(Get-NetFirewallProfile -PolicyStore ActiveStore)) {
        @{
            name = "$($one.Name)"
            enabled = ("$($one.Enabled)" -eq 'True')
            default_outbound = "$($one.DefaultOutboundAction)"
            log_blocked = "$($one.LogBlocked)"
        }
    })
}
catch { $failures += Get-Failure 'firewall_profiles' $_.Exception.Message }

# What the firewall enforces now about the programs of the controls, wherever the rules came from.
try {
    $many = 0
    foreach ($one in $document['lists']) {
        if ($one['key'] -match 'FirewallRules$') { $many += @($one['values']).Count }
    }
    # Servers for remote desktops collect rules by the ten thousand; asking for each would take an hour.
    if ($many -gt 20000) { throw "There are $many rules, too many to ask the firewall about." }
    $document['firewall_active'] = @(foreach ($filter in @(Get-NetFirewallApplicationFilter -PolicyStore ActiveStore)) {
        if ($programs -contains ("$($filter.Program)" -replace '^.*\\', '')) {
            foreach ($rule in @(Get-NetFirewallRule -AssociatedNetFirewallApplicationFilter $filter)) {
                $port = Get-NetFirewallPortFilter -AssociatedNetFirewallRule $rule
                @{
                    id = "$($rule.Name)"
                    store = "$($rule.PolicyStoreSourceType)"
                    program = "$($filter.Program)"
                    enabled = "$($rule.Enabled)"
                    direction = "$($rule.Direction)"
                    action = "$($rule.Action)"
                    profile = "$($rule.Profile)"
                    protocol = "$($port.Protocol)"
                    remote_ports = [string[]]@(foreach ($one in @($port.RemotePort)) { "$one" })
                }
            }
        }
    })
}
catch { $failures += Get-Failure 'firewall_active' $_.Exception.Message }

if ($serviceNames.Count -gt 0 -and $serviceNames -notcontains 'WinDefend') {
    $without += 'mppreference'
    $without += 'mpcomputerstatus'
}
else {
    try {
        $preference = Get-MpPreference
        $document['mppreference'] = Get-Chosen $preference $preferences
        $document['asr_ids'] = [string[]]@($preference.AttackSurfaceReductionRules_Ids | Where-Object { $_ })
        $document['asr_actions'] = [int[]]@($preference.AttackSurfaceReductionRules_Actions |
            Where-Object { $null -ne $_ })
    }
    catch { $failures += Get-Failure 'mppreference' $_.Exception.Message }
    try {
        $document['mpcomputerstatus'] = Get-Chosen (Get-MpComputerStatus) $statuses
    }
    catch { $failures += Get-Failure 'mpcomputerstatus' $_.Exception.Message }
}

try {
    $document['applocker_effective'] = "$(Get-AppLockerPolicy -Effective -Xml)"
}
catch { $failures += Get-Failure 'applocker_effective' $_.Exception.Message }

# CiTool came with Windows 11 22H2 and Server 2025.
try {
    if (-not (Test-Path -LiteralPath "$system32\CiTool.exe")) { $without += 'app_control' }
    else {
        $lines = @(& "$system32\CiTool.exe" -lp -json)
        if ($LASTEXITCODE -ne 0) { throw "CiTool ends with $LASTEXITCODE." }
        $document['app_control'] = $lines -join ' '
    }
}
catch { $failures += Get-Failure 'app_control' $_.Exception.Message }

try {
    $space = 'root/Microsoft/Windows/DeviceGuard'
    $guard = Get-CimInstance -Namespace $space -ClassName Win32_DeviceGuard -OperationTimeoutSec $patience
    $document['device_guard'] = Get-Chosen $guard $guards
}
catch { $failures += Get-Failure 'device_guard' $_.Exception.Message }

try {
    $lines = @(& "$system32\auditpol.exe" /get '/category:*' /r)
    if ($LASTEXITCODE -ne 0) { throw "auditpol ends with $LASTEXITCODE." }
    $document['auditpol'] = [string[]]$lines
}
catch { $failures += Get-Failure 'auditpol' $_.Exception.Message }

try {
    $known = @(Get-CimInstance -ClassName Win32_OptionalFeature -OperationTimeoutSec $patience)
    if ($known.Count -eq 0) { throw 'Windows lists no optional features.' }
    $document['features'] = @(foreach ($name in $features) {
        $found = @($known | Where-Object { "$($_.Name)" -eq $name })
        if ($found.Count -eq 0) { @{ name = $name; present = $false } }
        else { @{ name = $name; present = $true; state = [int]$found[0].InstallState } }
    })
}
catch { $failures += Get-Failure 'features' $_.Exception.Message }

# Programs that people install for themselves lie in their profiles; those of the computer are in the registry values.
try {
    if (-not $elevated) { throw 'Profiles of others can only be looked into with elevation.' }
    $document['user_programs'] = @(foreach ($one in $homes) {
        foreach ($line in $userPrograms) {
            $word, $path = $line -split '\|'
            try {
                $there = Test-Path -LiteralPath "$($one.LocalPath)\$path"
                @{ profile = "$($one.SID)"; word = $word; present = $there }
            }
            catch { $failures += Get-Failure "user_programs $($one.SID) $word" $_.Exception.Message }
        }
    })
}
catch { $failures += Get-Failure 'user_programs' $_.Exception.Message }

# Servers have no security center.
if ($document['system'] -and $document['system']['product_type'] -ne 1) {
    $without += 'antivirus'
}
else {
    try {
        $space = 'root/SecurityCenter2'
        $products = @(Get-CimInstance -Namespace $space -ClassName AntiVirusProduct -OperationTimeoutSec $patience)
        $document['antivirus'] = @(foreach ($one in $products) {
            @{ name = "$($one.displayName)"; state = [long]$one.productState }
        })
    }
    catch { $failures += Get-Failure 'antivirus' $_.Exception.Message }
}

# The audit entries of the folders that hold credential stores, for every profile, as SDDL without
# the permissions.
try {
    if (-not $elevated) { throw 'Audit entries can only be read with elevation.' }
    if ($homes.Count -ne $people.Count) { $failures += Get-Failure 'sacls' 'Some profiles name no folder.' }
    $document['sacls'] = @(foreach ($one in $homes) {
        foreach ($folder in $folders) {
            $place = "$($one.LocalPath)\$folder"
            try {
                if (Test-Path -LiteralPath $place) {
                    $sddl = "$((Get-Acl -LiteralPath $place -Audit).Sddl)" -replace '^(.*?)D:.*?(?=S:|$)', '$1'
                    @{ profile = "$($one.SID)"; folder = $folder; sddl = $sddl }
                }
            }
            catch { $failures += Get-Failure "sacls $place" $_.Exception.Message }
        }
    })
}
catch { $failures += Get-Failure 'sacls' $_.Exception.Message }

$document['without'] = [string[]]$without

# Each part becomes JSON by itself, so that one that cannot become so costs that part.
$parts = @(foreach ($part in @($document.Keys)) {
    try {
        if ($part -eq 'lists') {
            $made = @(foreach ($one in $document['lists']) {
                try { ConvertTo-Json -InputObject $one -Depth 6 -Compress }
                catch { $failures += Get-Failure "lists $($one['key'])" $_.Exception.Message }
            })
            '"lists":[' + ($made -join ',') + ']'
        }
        else {
            '"' + $part + '":' + (ConvertTo-Json -InputObject $document[$part] -Depth 6 -Compress)
        }
    }
    catch { $failures += Get-Failure $part $_.Exception.Message }
})
$parts += '"errors":' + (ConvertTo-Json -InputObject $failures -Depth 6 -Compress)

# The mark by which the document is known comes first; a table of PowerShell has no order.
$json = '{"schema":"douse-collected","schema_version":1,' + ($parts -join ',') + '}'
$others = @{}
foreach ($found in [regex]::Matches($json, '[^\x20-\x7e]')) {
    $others[[int][char]$found.Value] = $found.Value
}
foreach ($code in @($others.Keys)) {
    $json = $json.Replace($others[$code], ('\u{0:x4}' -f $code))
}
Write-Output $json
