#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Cost of a packet against ports, domains and flows, and of a lookup against rules: one SVG. plots.sh BUILD-DIR OUT.svg
set -eu
b=$1 out=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
points() { # KIND N...
	local kind=$1
	shift
	"$b/router-bench" "$kind" "$@" 2>/dev/null | sed 's/^[a-z]*-//' >"$tmp/$kind"
}
points ports 1 16 256 4096 65536
points domains 1 4 16 64 256 1000
points flows 1 100 10000 100000 1000000
points rules 1 10 100 1000 10000
gnuplot <<GP
set terminal svg size 760,420 font "sans,12"
set output "$out"
set logscale x
set xlabel "how many"
set ylabel "ns"
set yrange [0:*]
set key left top
set grid ytics lc rgb "#dddddd"
plot "$tmp/ports" w lp t "packet, by ports of a slice", "$tmp/domains" w lp t "packet, by domains", \
     "$tmp/flows" w lp t "packet, by flows inside slices", "$tmp/rules" w lp t "rule lookup, by rules"
GP
