# SPDX-License-Identifier: BSD-2-Clause
# What the runner and the benchmark share: a work folder, kernels for it, a simulator that ends with the script.
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
here=$top/tests/unit/tools
vfrctl=$top/build/vfrctl
work=$(mktemp -d)
sim=
end() { [ -z "$sim" ] || kill "$sim" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"; }
trap end EXIT
kernels() {
	for k in elf no-note cut other-arch text cut-bzimage damaged raw empty; do "$here/elf.py" $k "$work/$k"; done
	for p in gzip xz lz4 zstd; do "$here/elf.py" $p:elf "$work/$p.bz"; done
	"$here/elf.py" bzip2:elf "$work/bzip2.bz"
	mv "$work/elf" "$work/kernel.elf"
	echo ramdisk | gzip -nc >"$work/web1.cpio.gz"
}
start() { # options of the simulator
	[ -z "$sim" ] || { kill "$sim"; wait "$sim" 2>/dev/null; }
	"$top/build/vfr-sim" -s "$work/sock" "$@" 2>"$work/sim.err" &
	sim=$!
	for _ in $(seq 100); do [ -S "$work/sock" ] && return; sleep 0.05; done
	echo "the simulator did not start"; exit 1
}
v() { "$vfrctl" --socket "$work/sock" "$@"; }
pass=0 fail=0
ok() { pass=$((pass + 1)); }
bad() { fail=$((fail + 1)); echo "FAIL: $1"; sed 's/^/    | /' "$work/out" | head -n 15; }
# t TITLE EXIT PATTERN COMMAND...: the command ends so, and what it prints matches
t() {
	local title=$1 want=$2 pattern=$3
	shift 3
	timeout 30 "$@" >"$work/out" 2>&1 </dev/null
	local got=$?
	if [ $got != "$want" ]; then bad "$title: exit $got, not $want"; return; fi
	if [ -n "$pattern" ] && ! grep -qzE -- "$pattern" "$work/out"; then bad "$title: '$pattern' is not in it"; return; fi
	ok
}
# j TITLE FILTER COMMAND...: --json gives JSON for which the jq filter is true
j() {
	local title=$1 filter=$2
	shift 2
	timeout 30 "$@" --json >"$work/out" 2>&1 </dev/null
	if jq -es "$filter" "$work/out" >/dev/null 2>"$work/jq"; then ok; else cat "$work/jq" >>"$work/out"; bad "$title: $filter"; fi
}
