#!/bin/sh
# setup.sh - is everything here that building needs, and what else is asked for? Installs what is missing, on Debian and its relatives.
#
# usage: setup.sh [tests] [fuzz] [window]: without a word what building needs. Silent when nothing is to be done.
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

BUILD="cmake ninja-build gcc libc6-dev pkg-config libglib2.0-dev libwireshark-dev wireshark-dev tshark util-linux"
TESTS="libcmocka-dev python3 python3-jsonschema valgrind"
FUZZ="clang libclang-rt-dev"
WINDOW="wireshark xvfb openbox xdotool xclip imagemagick tesseract-ocr dbus-daemon at-spi2-core gir1.2-atspi-2.0 python3-gi"

fail()
{
    echo "setup: $*" >&2
    exit 1
}

packages=$BUILD
for extra in "$@"; do
    case $extra in
    tests) packages="$packages $TESTS" ;;
    fuzz) packages="$packages $FUZZ" ;;
    window) packages="$packages $WINDOW" ;;
    *) fail "$extra is none of tests, fuzz, window" ;;
    esac
done

is_installed()
{
    dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed
}

missing_packages()
{
    for package in $packages; do
        is_installed "$package" || printf '%s ' "$package"
    done
}

if ! command -v apt-get >/dev/null 2>&1; then
    for program in cmake ninja cc pkg-config tshark python3; do
        command -v "$program" >/dev/null 2>&1 ||
            fail "$program is missing. On Debian and Ubuntu this script installs it; elsewhere install the equivalents of: $packages"
    done
    exit 0
fi

missing=$(missing_packages)
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
else
    fail "these packages are missing and installing them needs root: $missing"
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "setup: installing $missing" >&2
apt()
{
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 "$@" >>"$log" 2>&1 </dev/null
}
# shellcheck disable=SC2086  # a list of packages
if ! { apt update && apt install -y --no-install-recommends $missing; }; then
    tail -n 15 "$log" >&2
    fail "apt-get could not install: $missing"
fi
