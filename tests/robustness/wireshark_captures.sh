#!/bin/sh
# wireshark_captures.sh - fetches the captures of Wireshark's own tests, out of Debian's source package, into a folder.
#
#     tests/robustness/wireshark_captures.sh FOLDER
#     tests/robustness/mutate.py --plugin PLUGIN --preload LIBASAN FOLDER/*.*
#
# MIRROR=URL says where from, else where the system gets its packages. Nothing of the system is changed: lists and package are kept below
# FOLDER. SPDX-License-Identifier: GPL-2.0-or-later
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mkdir -p "$1/apt/lists/partial" && cd "$1" && pwd)
# shellcheck disable=SC1091  # VERSION_CODENAME
. /etc/os-release
echo "deb-src ${MIRROR:-$("$root/tools/mirror.sh")} $VERSION_CODENAME main" >"$folder/apt/sources.list"

apt()
{
    apt-get -qq -o Dir::Etc::SourceList="$folder/apt/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$folder/apt/lists" \
        -o APT::Sandbox::User=root "$@" </dev/null
}

cd "$folder/apt"
apt update
apt source --download-only wireshark
tar -xf wireshark_*.orig.tar.* --wildcards --strip-components=3 -C "$folder" '*/test/captures/*'
echo "$(find "$folder" -maxdepth 1 -type f | wc -l) captures in $folder"
