#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Plots: cost by classes beside the peers, delay of a sparse domain by policy, rates over time by policy. usage: plot.sh BUILD-DIR
set -eu
dir=$1
policies="rr drr hfq"
for q in pfifo fq_codel drr qfq htb; do
	awk -v q=$q '$1 == "none" { base[$2] = $3 } $1 == q { print $2, $3 - base[$2] }' "$dir/peers.txt" > "$dir/cost-$q.dat"
done
for q in fq_codel drr qfq htb; do awk -v q="delay_$q" '$1 == q { print $2, $3 }' "$dir/peers.txt" > "$dir/delay-linux-$q.dat"; done
for m in sparse saturated; do awk -v q=ours_$m '$1 == q { print $2, $3 }' "$dir/peers.txt" > "$dir/cost-hfq-$m.dat"; done
for p in $policies; do
	"$dir/quality" delay "$p" > "$dir/delay-$p.dat"
	"$dir/quality" rates "$p" > "$dir/rates-$p.dat"
done
gnuplot <<PLOT
set terminal svg size 800,480 noenhanced
set grid
set key outside
set output "$dir/cost.svg"
set title "Instructions a packet; Linux 6.1: added by the qdisc"
set logscale x 2
set yrange [0:*]
set xlabel "classes"
plot for [q in "htb qfq drr fq_codel pfifo"] "$dir/cost-".q.".dat" with linespoints title q, \
	"$dir/cost-hfq-sparse.dat" with linespoints lw 3 title "hfq", "$dir/cost-hfq-saturated.dat" with linespoints lw 3 title "hfq, all backlogged"
unset logscale x
set output "$dir/delay.svg"
set title "A sparse domain beside three floods, 100 Mbit/s"
set xlabel "ms in the queue"
set ylabel "part of the packets"
set xrange [0:2.5]
plot for [p in "$policies"] "$dir/delay-".p.".dat" with steps lw 3 title p, \
	for [q in "fq_codel drr qfq htb"] "$dir/delay-linux-".q.".dat" with steps dashtype 2 title "Linux ".q
set xrange [*:*]
set ylabel "Mbit/s"
set xlabel "ms"
do for [p in "$policies"] {
	set output "$dir/rates-".p.".svg"
	set title p.": 9, 18, 63 guaranteed of 100 Mbit/s; a flood at 50..150 ms, a pause at 80..120 ms"
	plot "$dir/rates-".p.".dat" using 1:2 with steps title "9", "" using 1:3 with steps title "18", "" using 1:4 with steps title "63", \
		"" using 1:5 with steps title "flood"
}
PLOT
ls "$dir"/*.svg
