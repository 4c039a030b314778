#!/bin/sh
# Prints the path of a Python 3.13 or 3.12 that works: from PATH, pyenv's versions, or uv.
# usage: sh scripts/python.sh [3.13|3.12]
# PYTHON=3.12 or PYTHON=python3.12 asks for that version, any other name or path for that one.
# Each is run before it is believed: a pyenv shim may be inactive, a Debian one lack venv.
set -u
only=${1-}
case ${PYTHON-} in
    3.13 | python3.13) only=3.13 PYTHON='' ;;
    3.12 | python3.12) only=3.12 PYTHON='' ;;
esac

check='
import sys
assert (3, 12) <= sys.version_info[:2] <= (3, 13)
assert "%d.%d" % sys.version_info[:2] == (sys.argv[1] or "%d.%d" % sys.version_info[:2])
import ensurepip, os, sqlite3, ssl, venv
print(os.path.realpath(sys._base_executable))
'

take() { # prints the candidate's own path and ends, if it works
    [ -x "$1" ] || return 0
    found=$("$1" -I -c "$check" "$only" 2>/dev/null </dev/null) || return 0
    [ -x "$found" ] || return 0
    printf '%s\n' "$found"
    exit 0
}

on_path() { # every one of that name on PATH, not only the first
    rest=$PATH:
    while [ -n "$rest" ]; do
        folder=${rest%%:*}
        rest=${rest#*:}
        take "${folder:-.}/$1"
    done
}

if [ -n "${PYTHON-}" ]; then
    case $PYTHON in
        */*) take "$PYTHON" ;;
        *) on_path "$PYTHON" ;;
    esac
    echo "PYTHON=$PYTHON is no Python ${only:-3.13 or 3.12} with venv, ensurepip, ssl and sqlite3" >&2
    exit 1
fi

for name in python3.13 python3.12 python3; do
    on_path "$name"
done
for version in 3.13 3.12; do
    for folder in "${PYENV_ROOT:-${HOME-}/.pyenv}/versions/$version"*; do
        take "$folder/bin/python$version"
    done
done
for version in 3.13 3.12; do
    take "$(uv python find --no-python-downloads "$version" 2>/dev/null)"
done

echo "no Python ${only:-3.13 or 3.12} found: install python3.13 and python3.13-venv (or with pyenv or uv)" >&2
exit 1
