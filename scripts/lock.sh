#!/bin/sh
# Write requirements*.lock from pyproject.toml: every version pinned, every file of it by hash, for Python 3.11 to 3.14
# on every platform. Needs the network; uv goes into a folder of its own that is removed again.
#
#   sh scripts/lock.sh [--upgrade]        what `make lock` and `make lock UPGRADE=1` run
#
# uv.lock is not used: it names the registry of whoever wrote it, and pip could not install from it.
set -eu
cd "$(dirname "$0")/.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
# uv does not read pip's setting for the certificates of a network with a proxy of its own.
if [ -n "${PIP_CERT:-}" ] && [ -z "${SSL_CERT_FILE:-}" ]; then export SSL_CERT_FILE="$PIP_CERT"; fi
.venv/bin/python -m pip install -q --disable-pip-version-check --target "$tools" uv

lock() {
    out=$1
    shift
    PYTHONPATH="$tools" .venv/bin/python -m uv pip compile -q --universal --python-version 3.11 --generate-hashes \
        --no-annotate --no-emit-index-url --custom-compile-command "make lock" -o "$out" "$@"
    if grep -n '://' "$out"; then echo "lock: $out holds an address" >&2; exit 1; fi
}

lock requirements.lock pyproject.toml --group build "$@"
lock requirements-dev.lock --group dev -c requirements.lock "$@"
lock requirements-e2e.lock --group e2e -c requirements.lock -c requirements-dev.lock "$@"
lock requirements-validators.lock --group validators -c requirements.lock -c requirements-dev.lock -c requirements-e2e.lock "$@"
lock requirements-bootstrap.lock --group bootstrap "$@"
