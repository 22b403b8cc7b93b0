#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Install the Debian packages named on the command line that are not there yet. Prints what it does; silent when there is nothing to do.
set -u
missing=()
for p in "$@"; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" != 0 ]; then
	sudo=$(command -v sudo) || {
		echo "These Debian packages are needed; install them as root: apt-get install ${missing[*]}" >&2
		exit 1
	}
fi
echo "Installing Debian packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
run() { ${sudo:-} env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }; }
run apt-get update
run apt-get install -y --no-install-recommends "${missing[@]}"
