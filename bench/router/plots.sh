#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Cost of a packet against ports, domains and flows, and of a lookup against rules: one SVG. plots.sh BUILD-DIR OUT.svg
set -eu
b=$1 out=$2
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
rounds="1 2 3" # apart in time, so that a busy machine is not busy at all of them
points() { # KIND N...: "N VALUE", the least of all rounds
	local kind=$1
	shift
	"$b/router-bench" "$kind" "$@" 2>/dev/null | sed 's/^[a-z]*-//' >>"$tmp/$kind.all"
	sort -k1,1g -k2,2g "$tmp/$kind.all" | sort -su -k1,1g >"$tmp/$kind"
}
for _ in $rounds; do
	points ports 1 16 256 4096 65536
	points domains 1 4 16 64 256 1000
	points flows 1 100 10000 100000 1000000
	points rules 1 10 100 1000 10000
	points asked 1 10 100 1000 10000
done
gnuplot <<GP
set terminal svg size 760,420 font "sans,12"
set output "$out"
set logscale x
set xlabel "how many"
set ylabel "ns"
set yrange [0:*]
set key below
set grid ytics lc rgb "#dddddd"
plot "$tmp/ports" w lp t "packet, by ports of a slice", "$tmp/domains" w lp t "packet, by domains", \
     "$tmp/flows" w lp t "packet, by flows inside slices", "$tmp/rules" w lp t "rule lookup, by rules", \
     "$tmp/asked" w lp t "packet, by rules asked for it"
GP
