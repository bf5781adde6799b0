#!/bin/sh
# mirror.sh - where does this system get its Debian packages from? Prints the address, as apt is configured.
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -eu

# shellcheck disable=SC2016  # apt expands it
apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | head -n 1
