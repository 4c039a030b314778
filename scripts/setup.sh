#!/bin/sh
# Makes the environment (VENV, .venv by default) as requirements.lock says, if it is not so already.
# Stamps, each written last, say what it was made from: what was interrupted or is out of date is
# done again.
set -eu
cd "$(dirname "$0")/.."
venv=${VENV:-.venv}
python=$venv/bin/python

case $venv in
    */*) named=no ;;
    .venv | .venv-*) named=yes ;;
    *) named=no ;;
esac
if [ "$named" = no ]; then
    echo "VENV=$venv: name it .venv or .venv-NAME, which git ignores; it is removed at need" >&2
    exit 1
fi

describe='
import os, sys
print("python", "%d.%d.%d" % sys.version_info[:3], os.path.realpath(sys._base_executable))
'

installed_from() { # what decides over the packages, with the Python $1
    "$1" -I -c "$describe"
    printf 'clone %s\n' "$PWD"
    cksum <requirements.lock
}

packages_current() {
    [ -x "$python" ] && [ -f "$venv/.stamp-packages" ] || return 1
    if [ -n "${PYTHON-}" ]; then
        wanted=$(sh scripts/python.sh) || exit 1
    else
        wanted=$python
    fi
    [ "$(installed_from "$wanted" 2>/dev/null)" = "$(cat "$venv/.stamp-packages")" ]
}

project_current() {
    [ -f "$venv/.stamp-project" ] && [ "$(cksum <pyproject.toml)" = "$(cat "$venv/.stamp-project")" ]
}

export PIP_DISABLE_PIP_VERSION_CHECK=1
# Nothing is written outside the clone, so no cache either, unless one is named.
[ -n "${PIP_CACHE_DIR-}" ] || export PIP_NO_CACHE_DIR=1

if ! packages_current; then
    base=$(sh scripts/python.sh)
    version=$("$base" -I -c 'import platform; print(platform.python_version())')
    echo "Setting up $venv with Python $version: about a minute, once."
    rm -rf "$venv"
    "$base" -m venv "$venv"
    "$python" -m pip install -qq --require-hashes -r requirements.lock
    installed_from "$python" >"$venv/.stamp-packages"
fi

if ! project_current; then
    "$python" -m pip install -qq --no-deps --no-build-isolation -e .
    cksum <pyproject.toml >"$venv/.stamp-project"
    echo "Ready: $venv"
fi
