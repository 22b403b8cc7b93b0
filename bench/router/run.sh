#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The router's figures beside their peers', in one run and on one core: name, ours, peer, ratio, goal, met or missed. A goal that
# asks for a peer is neither when the peer is not to be had: "no figure".
# Peers are DPDK (packages dpdk-dev, libdpdk-dev) and nftables in namespaces of its own (needs root). ROUTER_BENCH_RUNS says how often
# ours and the peers take turns (3).
set -u
b=${1:-build}
bench=$b/router-bench
runs=${ROUTER_BENCH_RUNS:-3}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
core=$(($(nproc) - 1))
eal="--no-huge -m 1024 --no-pci --no-telemetry -l $core"

ours() { taskset -c "$core" "$bench" "$@" >>"$tmp/ours" 2>>"$tmp/log"; }
least() { sort -g "$1" 2>/dev/null | head -n 1; }
named() { awk -v n="$2" '$1 == n {print $2}' "$1" | sort -g; } # FILE NAME: its values, least first
value() { named "$tmp/ours" "$1" | head -n 1; }
less() { awk -v a="${1:-0}" -v b="${2:-0}" 'BEGIN {if (a + 0 && b + 0) printf "%.1f", (a - b > 0.5 ? a - b : 0.5)}'; } # at least our resolution

# NAME OURS PEER GOAL-TEXT CONDITION (awk, over o, p and r = o / p). A goal with an x in it needs the peer; - is no goal.
line() {
	awk -v n="$1" -v ours="$2" -v peer="$3" -v g="$4" "BEGIN {
		o = ours + 0; p = peer + 0; r = p ? o / p : 0
		verdict = g == \"-\" ? \"-\" : !o || (!p && g ~ /x/) ? \"no figure\" : ($5) ? \"met\" : \"missed\"
		printf \"%s\t%s\t%s\t%s\t%s\t%s\n\", n, o ? ours : \"-\", p ? peer : \"-\", o && p ? sprintf(\"%.3g\", r) : \"-\", g, verdict
	}"
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
have() { command -v "$1" >/dev/null; }

for n in 1000 10000; do "$bench" acl-files $n "$tmp/r$n" "$tmp/t$n"; done
: >"$tmp/ours"
: >"$tmp/nat"
for ((i = 0; i < runs; i++)); do
	ours path
	ours path6
	ours asked 1000
	have dpdk-testpmd && peer_swap >>"$tmp/swap"
	for n in 1000 10000; do
		ours rules $n
		have dpdk-test-acl && peer_acl "$tmp/r$n" "$tmp/t$n" >>"$tmp/acl$n"
	done
	ours conns
	[ -x "$b/bench/rte-hash" ] && timeout 60 "$b/bench/rte-hash" $eal 2>/dev/null >>"$tmp/hash"
	ours added 1000 60000
	bench/peers/nat.sh "$b/bench/nat-flood" "$core" 2>>"$tmp/log" >>"$tmp/nat"
	ours ports 1 65536
	ours domains 1 1000
	ours flows 1 1000000
	ours grants
done
line router-packet-ns "$(value path-connections)" "$(least "$tmp/swap")" "<=40ns,<=1.5x" 'o <= 40 && r <= 1.5'
line router-packet-stateless-ns "$(value path-plain)" "$(least "$tmp/swap")" "<=40ns,<=1.5x" 'o <= 40 && r <= 1.5'
line router-packet-ipv6-ns "$(value path6-connections)" "" - 1
line router-packet-1k-rules-ns "$(value asked-1000)" "" - 1
# What sharing adds to forwarding, and what the packet costs us as a whole, both beside what translation adds to Linux' forwarding.
forward=$(named "$tmp/nat" forward | head -n 1)
for n in 1000:0.1:10 60000:0.05:20; do
	IFS=: read -r flows most times <<<"$n"
	added=$(less "$(named "$tmp/nat" "masquerade-$flows" | head -n 1)" "$forward")
	line "router-added-$flows-flows-ns" "$(less "$(value "shared-$flows")" "$(value "forward-$flows")")" "$added" "${times}x-less" "r <= $most"
	line "router-whole-$flows-flows-ns" "$(value "shared-$flows")" "$added" "${times}x-less" "r <= $most"
done
line router-ports-1-to-64k "$(value ports-65536)" "$(value ports-1)" "<=1.10x" 'r <= 1.10'
line router-domains-1-to-1k "$(value domains-1000)" "$(value domains-1)" "<=1.10x" 'r <= 1.10'
line router-flows-1-to-1M "$(value flows-1000000)" "$(value flows-1)" "<=1.10x" 'r <= 1.10'
line router-slice-Mops "$(named "$tmp/ours" slice-ops | tail -n 1)" 0.4 ">=5M/s" 'o >= 5'
line router-rules-1k-ns "$(value rules-1000)" "$(least "$tmp/acl1000")" "<=100ns,<=0.8x" 'o <= 100 && r <= 0.8'
line router-rules-10k-ns "$(value rules-10000)" "$(least "$tmp/acl10000")" "<=150ns,<=0.8x" 'o <= 150 && r <= 0.8'
line router-conns-1M-ns "$(value conns-1M)" "$(least "$tmp/hash")" "<=1.0x" 'r <= 1.0'
