#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What Linux's HTB adds to a forwarded packet: A - router - B over veth in namespaces of their own, a flood through it, with and without
# the qdisc in turn. Prints: plain ns, htb ns, added ns (each the least of the runs). usage (as root): htb.sh FLOOD [RUNS]
set -eu
if [ "${VFR_BENCH_INNER:-}" != 1 ]; then
	VFR_BENCH_INNER=1 exec unshare --mount --net -- "$0" "$@"
fi
flood=$1 runs=${2:-7}
mount -t tmpfs none /run
mkdir -p /run/netns
cleanup() { for n in A R B; do ip netns del "nsch$n" 2>/dev/null || true; done; }
trap cleanup EXIT
for n in A R B; do
	ip netns add "nsch$n"
	ip -n "nsch$n" link set lo up
done
ip link add a0 netns nschA type veth peer name a1 netns nschR
ip link add b0 netns nschB type veth peer name b1 netns nschR
up() { ip -n "$1" addr add "$3" dev "$2"; ip -n "$1" link set "$2" up; }
up nschA a0 10.9.1.2/24
up nschR a1 10.9.1.1/24
up nschR b1 10.9.2.1/24
up nschB b0 10.9.2.2/24
ip -n nschA route add default via 10.9.1.1
ip netns exec nschR sysctl -qw net.ipv4.ip_forward=1
ip netns exec nschB nft -f - <<'N'
table ip raw {
	chain p {
		type filter hook prerouting priority -300
		udp dport 1024-65535 drop
	}
}
N
tc="ip netns exec nschR tc"
plain=() htb=()
measure() { taskset -c 1 ip netns exec nschA "$flood" 10.9.2.2 150000 0; }
for _ in $(seq "$runs"); do
	plain+=("$(measure)")
	$tc qdisc add dev b1 root handle 1: htb default 10
	$tc class add dev b1 parent 1: classid 1:10 htb rate 100gbit quantum 60000
	htb+=("$(measure)")
	$tc qdisc del dev b1 root
done
least() { printf '%s\n' "$@" | sort -g | head -n 1; }
p=$(least "${plain[@]}") h=$(least "${htb[@]}")
awk -v p="$p" -v h="$h" 'BEGIN { printf "%.1f %.1f %.1f\n", p, h, h - p }'
