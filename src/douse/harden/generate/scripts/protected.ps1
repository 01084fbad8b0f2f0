if (-not [IO.Path]::IsPathRooted($StateFile)) { throw 'Name -StateFile with its whole path.' }

function Assert-Protected {
    # Standard users may create folders below ProgramData. A state file of theirs would tell the undo what to change.
    param([string]$Path)
    $entry = Get-Item -LiteralPath $Path -Force
    if ($entry.Attributes -band [IO.FileAttributes]::ReparsePoint) { throw "$Path is a link. Name another -StateFile." }
    $trusted = @('S-1-5-18', 'S-1-5-32-544')
    $kind = [Security.Principal.SecurityIdentifier]
    $security = $entry.GetAccessControl()
    if (-not ($trusted -contains $security.GetOwner($kind).Value)) {
        throw "$Path is not owned by Administrators or SYSTEM. Name another -StateFile."
    }
    foreach ($rule in $security.GetAccessRules($true, $true, $kind)) {
        $writes = [int]$rule.FileSystemRights -band 0x500D0156
        if ("$($rule.AccessControlType)" -eq 'Allow' -and $writes -and
            -not (($trusted + 'S-1-3-0') -contains $rule.IdentityReference.Value)) {
            throw "$Path can be written by $($rule.IdentityReference.Value). Name another -StateFile."
        }
    }
}

function Read-StateDocument {
    # What the state file says, nothing where there is none.
    if (-not (Test-Path -LiteralPath $StateFile)) { return }
    Assert-Protected (Split-Path -Parent -Path $StateFile)
    Assert-Protected $StateFile
    $read = ConvertFrom-Json -InputObject ([IO.File]::ReadAllText($StateFile))
    if ($read.format -ne $StateFormat) { throw "$StateFile is no state file of this script. Name another -StateFile." }
    return $read
}

function Save-StateText {
    # The old file stays whole until the new one is.
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([string]$Text, [string]$What)
    $folder = Split-Path -Parent -Path $StateFile
    if ($PSCmdlet.ShouldProcess($StateFile, $What) -and $Execute) {
        if (-not (Test-Path -LiteralPath $folder)) {
            $security = New-Object -TypeName System.Security.AccessControl.DirectorySecurity
            $security.SetSecurityDescriptorSddlForm('O:BAG:SYD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)')
            [IO.Directory]::CreateDirectory($folder, $security) | Out-Null
        }
        Assert-Protected $folder
        $fresh = "$StateFile.new"
        [IO.File]::WriteAllText($fresh, $Text)
        if (Test-Path -LiteralPath $StateFile) {
            [IO.File]::Replace($fresh, $StateFile, [NullString]::Value)
        } else {
            [IO.File]::Move($fresh, $StateFile)
        }
    }
}

function Remove-StateFile {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param()
    if ($PSCmdlet.ShouldProcess($StateFile, 'remove the empty state file') -and $Execute) { [IO.File]::Delete($StateFile) }
}
