#!/bin/sh
# build.sh - builds one preset of CMakePresets.json into build/PRESET, and is silent unless that fails.
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

preset=$1
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$root/build"
log=$root/build/$preset.log
cd "$root"

# Two at a time would build into the same folder.
exec 9>"$root/build/.lock"
flock 9

if ! { cmake --preset "$preset" && cmake --build --preset "$preset"; } >"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    echo "build: preset $preset failed, see build/$preset.log" >&2
    exit 1
fi
