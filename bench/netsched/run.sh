#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The network schedulers' lines of `make bench`: name, ours, peer, ratio, goal, met. usage: run.sh BUILD-DIR
set -eu
here=$(dirname "$0") dir=$1
line() { # NAME OURS PEER RATIO GOAL CONDITION, an awk expression
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$5" "$(awk "BEGIN { print ($6) ? \"yes\" : \"NO\" }")"
}
div() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }
least() { printf '%s\n' "$@" | sort -g | head -n 1; }
sub() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", a - b }'; }
# In large pages, as the hypervisor's memory is.
ns() { GLIBC_TUNABLES=glibc.malloc.hugetlb=1 taskset -c 1 "$dir/cost" "$@"; }
# Cache lines that one packet misses in a simulated cache of 2 MiB, which knows nothing of fetching ahead: two runs, so that the start cancels.
misses() { # CLASSES MODE
	for packets in 30000 60000; do
		valgrind --tool=callgrind --callgrind-out-file="$dir/callgrind.out" --cache-sim=yes --D1=32768,8,64 --LL=2097152,16,64 \
			"$dir/cost" hfq "$1" "$2" $packets > /dev/null 2>&1
		awk '/^totals:/ { print $9 + $10 }' "$dir/callgrind.out"
	done | awk '{ n[NR] = $1 } END { printf "%.2f", (n[2] - n[1]) / (7 * 30000) }'
}
peer() { awk -v n="$1" -v c="$2" '$1 == n && $2 == c { print $3 }' "$dir/peers.txt"; }

# Wall time on this machine; many classes cost what the caches cost.
# In turns, the least of each: what else this machine does, hits all alike.
for mode in sparse saturated; do
	one=9e9 some=9e9 many=9e9
	for _ in $(seq 8); do
		one=$(least "$one" "$(ns hfq 1 $mode 200000)")
		some=$(least "$some" "$(ns hfq 512 $mode 200000)")
		many=$(least "$many" "$(ns hfq 32768 $mode 200000)")
	done
	line "hfq $mode, 1 class, ns/packet" "$one" - - - 1
	line "hfq $mode, 512 classes, ns/packet" "$some" "$one (1 class)" "$(div "$some" "$one")" "<=1.2" "$some <= 1.2 * $one"
	line "hfq $mode, 32768 classes, ns/packet" "$many" "$some (512)" "$(div "$many" "$some")" "<=1.2" "$many <= 1.2 * $some"
done
for mode in sparse saturated; do
	if [ $mode = sparse ]; then goal=3; else goal=6; fi
	lines=$(misses 32768 $mode)
	line "hfq $mode, 32768 classes, cache lines missed/packet" "$lines" - - "<=$goal" "$lines <= $goal"
done
if [ "$(id -u)" = 0 ]; then
	read -r _ _ added < <("$here/htb.sh" "$dir/flood")
	one=$(ns hfq 1 sparse)
	line "htb's added ns/packet over hfq's" "$one" "$added" "$(div "$added" "$one")" ">=5" "$added >= 5 * $one"
fi

# Instructions, counted in one guest: the same on every machine.
for mode in sparse saturated; do
	a=$(peer ours_$mode 512) b=$(peer ours_$mode 32768)
	line "hfq $mode, 32768 classes, instructions/packet" "$b" "$a (512)" "$(div "$b" "$a")" "<=1.2" "$b <= 1.2 * $a"
done
ours=$(peer ours_sparse 512) none=$(peer none 512)
for q in pfifo fq_codel drr qfq htb; do
	added=$(sub "$(peer $q 512)" "$none")
	if [ $q = htb ]; then goal=">=5" met="$added >= 5 * $ours"; else goal=- met=1; fi
	line "$q's added instructions/packet over hfq's, 512 classes" "$ours" "$added" "$(div "$added" "$ours")" "$goal" "$met"
done

# Promises, in virtual time.
"$dir/quality" > "$dir/quality.txt"
q() { awk -v n="$1" '$1 == n { print $2 }' "$dir/quality.txt"; }
for r in 1g 10g; do
	line "hfq rate error over 100 ms, ${r/g/ Gbit\/s}, %" "$(q rate_error_percent_$r)" - - "<=0.5" "$(q rate_error_percent_$r) <= 0.5"
done
for k in frames segments; do
	line "hfq worst lag of its bound, $k" "$(q worst_lag_$k)" 1 "$(q worst_lag_$k)" "<=1" "$(q worst_lag_$k) <= 1"
done
line "hfq Jain index, 100 domains, mixed lengths" "$(q jain)" "$(q jain_rr) (rr)" - ">=0.999" "$(q jain) >= 0.999"
for q in pfifo fq_codel drr qfq htb; do
	theirs=$(awk -v n="delay_$q" '$1 == n && $3 >= 0.99 { printf "%.4f", $2 + 0.016; exit }' "$dir/peers.txt")
	line "hfq p99 of a sparse domain beside floods, ms, and $q's" "$(q p99_flood_ms)" "$theirs" "$(div "$theirs" "$(q p99_flood_ms)")" - 1
done
line "hfq p99 of a sparse domain beside floods, ms" "$(q p99_flood_ms)" "$(q p99_flood_rr_ms) (rr)" \
	"$(div "$(q p99_flood_rr_ms)" "$(q p99_flood_ms)")" "<= a frame + solo" "$(q p99_flood_ms) <= $(q p99_solo_ms) + 0.124"
