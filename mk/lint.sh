#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The rules of docs/STYLE.md that a program can check. Prints each finding as FILE:LINE: what; ends with the size report.
# Usage: mk/lint.sh CC CFLAGS... (for the headers-alone check)
set -u
bad=0
report() { echo "$1"; bad=$((bad + 1)); }

files=$(git ls-files -co --exclude-standard '*.c' '*.h' '*.S' | sort -u)
for f in $files; do
	[ -f "$f" ] || continue
	head -n 1 "$f" | grep -q 'SPDX-License-Identifier: BSD-2-Clause' || report "$f:1: no SPDX line"
	while IFS= read -r line; do report "$f:$line"; done < <(awk '
		{ t = $0; gsub(/\t/, "        ", t) }
		length(t) > 140 { print FNR ": longer than 140 columns" }
		/[ \t]$/ { print FNR ": white space at the end of the line" }
		/TODO|FIXME|XXX/ { print FNR ": unfinished work" }' "$f")
done

# Host-free code sees the machine through env.h only.
for d in xen/net/vfr xen/sched xen/xenstore xen/audit xen/control; do
	[ -d "$d" ] || continue
	while IFS= read -r hit; do report "$hit: host-free code includes a machine header"; done < <(
		grep -rnE '#include <(hv|arch|common|drivers)/' "$d" | cut -d: -f1,2)
done
# Imports point one way: machine-independent code does not know arch/, except through the vcpu seam.
while IFS= read -r hit; do report "$hit: drivers and net include arch/"; done < <(
	grep -rnE '#include <arch/' xen/drivers xen/net | cut -d: -f1,2)
while IFS= read -r hit; do report "$hit: tools know xen/include/public alone"; done < <(
	grep -rnE '#include <(hv|arch|common|drivers)/' tools | cut -d: -f1,2)

# Every header compiles alone.
cc=("$@")
for h in $(git ls-files -co --exclude-standard 'xen/*.h'); do
	[ -f "$h" ] || continue
	"${cc[@]}" -x c -fsyntax-only -include "$h" /dev/null 2>build/lint.err || {
		report "$h: does not compile alone"
		head -n 3 build/lint.err
	}
done

# Sizes: files over 500 lines, functions over 100, and the trusted code's total.
awk_sizes='
	FNR == 1 { open = 0 }
	/^\{/ { start = FNR; open = 1; name = prev }
	/^\}/ && open { n = FNR - start + 1; sizes[++count] = n; open = 0
		if (n > 100) printf "%s:%d: function of %d lines: %s\n", FILENAME, start, n, name }
	{ prev = $0 }
	END { print "functions " count > "/dev/stderr" }'
long=$(awk "$awk_sizes" $(echo "$files" | grep '\.c$') 2>/dev/null)
[ -z "$long" ] || { echo "$long"; bad=$((bad + $(echo "$long" | wc -l))); }
for f in $files; do
	n=$(wc -l <"$f")
	[ "$n" -le 500 ] || report "$f: $n lines; over 500 the file asks to be split"
done
# Code under a folder without comments and blank lines.
code() { git ls-files -co --exclude-standard "$@" | xargs -r cat | grep -cvE '^\s*(/?\*.*|//.*)?$'; }
for d in arch common drivers lib include net sched xenstore audit control; do
	printf '  %-14s %6d\n' "xen/$d" "$(code "xen/$d/*.c" "xen/$d/*.S" "xen/$d/*.h")"
done
echo "trusted code (xen/, without comments and blank lines): $(code 'xen/*.c' 'xen/*.S' 'xen/*.h') lines (aim: 15000)"
if [ $bad = 0 ]; then echo "lint: clean"; else echo "lint: $bad findings"; fi
[ $bad = 0 ]
