#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The router's figures beside their peers', in one run and on one core: name, ours, peer, ratio, goal, met or missed.
# Peers are Debian's DPDK programs (package dpdk-dev); ROUTER_BENCH_RUNS says how often ours and the peer's take turns (3).
set -u
b=${1:-build}
bench=$b/router-bench
runs=${ROUTER_BENCH_RUNS:-3}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
core=$(($(nproc) - 1))
eal="--no-huge -m 1024 --no-pci --no-telemetry -l $core"

ours() { taskset -c "$core" "$bench" "$@" 2>>"$tmp/log"; }
least() { sort -g | head -n 1; }
value() { awk -v n="$1" '$1 == n {print $2}' "$tmp/ours" | least; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {if (b + 0 > 0) printf "%.2f", a / b; else printf "-"}'; }
# NAME OURS PEER GOAL-TEXT CONDITION (awk, over o, p and r)
line() {
	local r
	r=$(ratio "$2" "${3:--}")
	awk -v o="$2" -v p="${3:-0}" -v r="$r" -v n="$1" -v g="$4" -v P="${3:--}" \
		"BEGIN {printf \"%s\t%s\t%s\t%s\t%s\t%s\n\", n, o, P, r, g, ($5) ? \"met\" : \"missed\"}"
}

peer_swap() { # ns a packet of testpmd's 5tswap between two null devices; ports' rates add up, one core serves both
	timeout -s INT 12 dpdk-testpmd --no-huge -m 512 --no-pci --no-telemetry -l 0,"$core" --vdev=net_null0,copy=1 --vdev=net_null1,copy=1 -- \
		--forward-mode=5tswap --no-lsc-interrupt --stats-period 2 --total-num-mbufs=4096 --nb-cores=1 2>/dev/null </dev/null |
		awk '/Tx-pps/ {v[n++] = $2} END {for (i = 2; i + 1 < n; i += 2) {s = v[i] + v[i + 1]; if (s > best) best = s} if (best) printf "%.1f\n", 1e9 / best}'
}
peer_acl() { # RULES TRACE: ns a lookup
	timeout 100 dpdk-test-acl $eal -- --rulesf="$1" --tracef="$2" --iter=50 --tracenum=65536 --rulenum=20000 --tracestep=64 --verbose=0 2>/dev/null |
		awk '/pkt\/sec/ {match($0, /[0-9.]+ pkt\/sec/); printf "%.1f\n", 1e9 / (substr($0, RSTART) + 0)}'
}
peer_hash() { # ns a lookup in bulk (13-byte keys, a table of a million), from the first tables that dpdk-test prints in a minute
	echo hash_perf_autotest | timeout 90 stdbuf -oL dpdk-test $eal 2>/dev/null |
		awk -v mhz="$(awk '/cpu MHz/ {print $4; exit}' /proc/cpuinfo)" \
			'$1 == "13" && NF == 5 && mhz {if (!best || $4 < best) best = $4} END {if (best) printf "%.1f\n", best * 1000 / mhz}'
}

have() { command -v "$1" >/dev/null; }
for n in 1000 10000; do ours acl-files $n "$tmp/r$n" "$tmp/t$n"; done
: >"$tmp/ours"
for ((i = 0; i < runs; i++)); do
	ours path >>"$tmp/ours"
	have dpdk-testpmd && peer_swap >>"$tmp/swap"
	for n in 1000 10000; do
		ours rules $n >>"$tmp/ours"
		have dpdk-test-acl && peer_acl "$tmp/r$n" "$tmp/t$n" >>"$tmp/acl$n"
	done
	ours conns >>"$tmp/ours"
	ours ports 1 65536 >>"$tmp/ours"
	ours domains 1 1000 >>"$tmp/ours"
	ours flows 1 1000000 >>"$tmp/ours"
	ours grants >>"$tmp/ours"
done
touch "$tmp/swap" "$tmp/acl1000" "$tmp/acl10000"
line router-packet-ns "$(value path-connections)" "$(least <"$tmp/swap")" "<=40ns,<=1.5x" 'o <= 40 && (!p || r <= 1.5)'
line router-packet-stateless-ns "$(value path-plain)" "$(least <"$tmp/swap")" "<=40ns,<=1.5x" 'o <= 40 && (!p || r <= 1.5)'
line router-ports-1-to-64k "$(value ports-65536)" "$(value ports-1)" "<=1.10x" 'r <= 1.10'
line router-domains-1-to-1k "$(value domains-1000)" "$(value domains-1)" "<=1.10x" 'r <= 1.10'
line router-flows-1-to-1M "$(value flows-1000000)" "$(value flows-1)" "<=1.10x" 'r <= 1.10'
line router-slice-Mops "$(awk '$1 == "slice-ops" {print $2}' "$tmp/ours" | sort -gr | head -n 1)" 0.4 ">=5M/s" 'o >= 5'
line router-rules-1k-ns "$(value rules-1000)" "$(least <"$tmp/acl1000")" "<=100ns,<=0.8x" 'o <= 100 && (!p || r <= 0.8)'
line router-rules-10k-ns "$(value rules-10000)" "$(least <"$tmp/acl10000")" "<=150ns,<=0.8x" 'o <= 150 && (!p || r <= 0.8)'
have dpdk-test && hash=$(peer_hash)
line router-conns-1M-ns "$(value conns-1M)" "${hash:-}" "<=1.0x" '!p || r <= 1.0'
