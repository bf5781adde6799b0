#!/bin/sh
# run.sh - does the plugin build and work with the other supported versions of Wireshark?
#
# usage: run.sh [FOLDER...]    each a Debian system that can be entered with chroot. Default: one for Debian 13 (Wireshark 4.4)
# and one for Debian testing (4.6) below ${XDG_CACHE_HOME:-~/.cache}; they are made with debootstrap when they are missing.
# MIRROR=URL says where from, EXTRA_CAPTURES=FOLDER adds labelled captures. Needs root.
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

PACKAGES="ca-certificates gcc libc6-dev cmake ninja-build pkgconf tshark wireshark-dev libwireshark-dev libglib2.0-dev python3 python3-jsonschema"
SUITES="trixie forky"

root=$(cd "$(dirname "$0")/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ipsec-tunnel-analysis

fail()
{
    echo "compat: $*" >&2
    exit 1
}

# An older debootstrap has no script for a newer suite: all of them are like sid. There it may leave packages half configured.
make_system()
{
    suite=$1 folder=$2
    script=/usr/share/debootstrap/scripts/$suite
    [ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
    echo "compat: making $folder" >&2
    mkdir -p "$folder"
    debootstrap --variant=minbase --include="$(echo "$PACKAGES" | tr ' ' ',')" "$suite" "$folder" "${MIRROR:-$("$root/tools/mirror.sh")}" "$script" \
        >"$folder.log" 2>&1 || true
    chroot "$folder" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -f install >>"$folder.log" 2>&1 ||
        fail "cannot make $folder, see $folder.log"
}

add_packages()
{
    # shellcheck disable=SC2086  # a list of packages
    chroot "$1" dpkg-query -W $PACKAGES >/dev/null 2>&1 && return
    # A mirror of a testing suite may lag behind its release file's date.
    # shellcheck disable=SC2086
    chroot "$1" env DEBIAN_FRONTEND=noninteractive sh -c "apt-get -qq -o Acquire::Check-Valid-Until=false update &&
        apt-get -qq -y install --no-install-recommends $PACKAGES" \
        >"$1.log" 2>&1 || fail "cannot install packages in $1, see $1.log"
}

copy_source()
{
    rm -rf "$1/tmp/source" "$1/tmp/extra"
    mkdir -p "$1/tmp/source" "$1/tmp/extra"
    (cd "$root" && tar -cf - --exclude=./build --exclude=./.git .) | tar -xf - -C "$1/tmp/source"
    [ -z "${EXTRA_CAPTURES:-}" ] || cp -r "$EXTRA_CAPTURES/." "$1/tmp/extra"
    chmod -R a+rX "$1/tmp/source" "$1/tmp/extra"
}

# Only the tests that run tshark: the others know no Wireshark.
test_in()
{
    folder=$1
    add_packages "$folder"
    copy_source "$folder"
    echo "== $(chroot "$folder" tshark --version 2>/dev/null | head -n 1), $(chroot "$folder" gcc --version | head -n 1) =="
    chroot "$folder" sh -ec 'cd /tmp/source
        cmake --preset debug -DIPSEC_TESTS=golden -DIPSEC_EXTRA_CAPTURES=/tmp/extra >/tmp/build.log 2>&1 &&
            cmake --build --preset debug >>/tmp/build.log 2>&1 || { tail -n 40 /tmp/build.log; exit 1; }
        ctest --preset debug' </dev/null
}

[ "$(id -u)" = 0 ] || fail "needs root, to enter the other systems"
if [ $# -eq 0 ]; then
    command -v debootstrap >/dev/null || fail "debootstrap is missing"
    for suite in $SUITES; do
        [ -x "$cache/$suite/usr/bin/tshark" ] || make_system "$suite" "$cache/$suite"
        set -- "$@" "$cache/$suite"
    done
fi

failed=
for folder in "$@"; do
    [ -x "$folder/bin/sh" ] || fail "not a system: $folder"
    test_in "$folder" || failed="$failed $folder"
done
[ -z "$failed" ] || fail "failed in:$failed"
