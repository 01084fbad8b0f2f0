#!/bin/sh
# Build .venv and install Douse into it, every package checked against the hashes in requirements*.lock.
#
#   sh scripts/setup.sh [dev] [e2e] [validators]      what `make setup`, `make test` and `make e2e` run
#   PYTHON=/path/to/python sh scripts/setup.sh      use this Python instead of the newest one found
#
# A second run finds its own stamp and does nothing. Needs only a POSIX shell and some Python from 3.11 to 3.14.
set -eu
cd "$(dirname "$0")/.."
HERE=$(pwd)
VENV=.venv
PIP="$VENV/bin/python -m pip --disable-pip-version-check --no-input"

say() { printf '%s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# The version as "3.13", nothing where the name does not run (a pyenv shim may be there and still fail).
version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        case $(version_of "$PYTHON") in
            "") fail "PYTHON=$PYTHON does not run. Name a Python of 3.11 or newer." ;;
            2.* | 3.? | 3.10) fail "PYTHON=$PYTHON is $(version_of "$PYTHON"). Douse needs 3.11 or newer." ;;
        esac
        FOUND=$PYTHON
        return
    fi
    seen=""
    for name in python3.14 python3.13 python3.12 python3.11 python3 python; do
        version=$(version_of "$name")
        case $version in
            3.11 | 3.12 | 3.13 | 3.14) FOUND=$name; return ;;
            ?*) seen="$seen $name is $version." ;;
        esac
    done
    fail "Douse needs Python 3.11 to 3.14 and found none.$seen Install one, or name it: make setup PYTHON=/path/to/python"
}

# The one line that installs what `python -m venv` lacks, for the package manager of this machine.
install_line() {
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo "
    if command -v apt-get >/dev/null 2>&1; then say "${sudo}apt-get install -y python$1-venv"
    elif command -v dnf >/dev/null 2>&1; then say "${sudo}dnf install -y python$1 python3-pip"
    elif command -v apk >/dev/null 2>&1; then say "${sudo}apk add python3 py3-pip"
    elif command -v brew >/dev/null 2>&1; then say "brew install python@$1"
    else say "python$1 -m ensurepip --upgrade"
    fi
}

build_venv() {
    find_python
    version=$(version_of "$FOUND")
    say "Building $VENV with Python $version ($FOUND)"
    rm -rf "$VENV"
    if "$FOUND" -m venv "$VENV" >/dev/null 2>&1 && "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then return; fi
    rm -rf "$VENV"
    say "  this Python has no working venv module; trying virtualenv"
    bootstrap=$(mktemp -d)
    trap 'rm -rf "$bootstrap"' EXIT
    if "$FOUND" -m pip install -q --disable-pip-version-check --require-hashes --target "$bootstrap" \
            -r requirements-bootstrap.lock 2>"$bootstrap/log" &&
        PYTHONPATH="$bootstrap" "$FOUND" -m virtualenv -q --no-download "$VENV" 2>>"$bootstrap/log"; then return; fi
    rm -rf "$VENV"
    fail "this Python can build no virtual environment. Install what it lacks, then run make again:
    $(install_line "$version")"
}

# Install one lock unless the stamp says that this very lock is in.
install_lock() {
    stamp="$VENV/.douse/$1.stamp"
    now=$(cksum <"$2")
    if [ "$(cat "$stamp" 2>/dev/null)" = "$now" ]; then return; fi
    say "Installing $2 (each file checked by its hash)"
    $PIP install -q --require-hashes -r "$2" || fail "pip could not install $2; its message is above."
    say "$now" >"$stamp"
}

install_douse() {
    stamp="$VENV/.douse/package.stamp"
    now=$(cksum <pyproject.toml)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$now" ] && [ -x "$VENV/bin/douse" ]; then return; fi
    say "Installing douse itself (editable)"
    $PIP install -q --no-deps --no-build-isolation -e . || fail "pip could not install douse; its message is above."
    say "$now" >"$stamp"
}

# A venv is kept while its Python runs and the folder has not moved (its scripts carry absolute paths).
home="$VENV/.douse/home"
case $(version_of "$VENV/bin/python") in
    "" | 2.* | 3.? | 3.10) build_venv ;;
    *) if [ -f "$home" ] && [ "$(cat "$home")" != "$HERE" ]; then build_venv; fi ;;
esac
mkdir -p "$VENV/.douse"
say "$HERE" >"$home"

install_lock runtime requirements.lock
for group in "$@"; do install_lock "$group" "requirements-$group.lock"; done
install_douse
"$VENV/bin/douse" --version >/dev/null || fail "$VENV/bin/douse does not run. Remove $VENV and run make setup again."
