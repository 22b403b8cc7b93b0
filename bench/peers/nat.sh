#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What Linux takes to forward a 64-byte UDP packet, and what to translate it as well (nftables masquerade), in namespaces of its own:
#
#	client --veth-- router --veth-- server		one core does all
#
#	nat.sh FLOOD CORE [ROUNDS]	prints "forward NS", "masquerade-1000 NS", "masquerade-60000 NS": the least of all rounds
#
# The server's kernel counts and drops before anything else; a round in which fewer arrived than were sent says nothing.
set -u
if [ "${VFR_NAT_INSIDE:-}" != 1 ]; then
	VFR_NAT_INSIDE=1 exec unshare -m -n "$0" "$@"
fi
flood=$1 core=$2 rounds=${3:-2}
mkdir -p /run/netns
mount -t tmpfs none /run/netns || exit 1

setup() {
	local end
	for n in client router server; do ip netns add $n && ip -n $n link set lo up || return 1; done
	ip link add c0 netns client type veth peer name r0 netns router || return 1
	ip link add s0 netns server type veth peer name r1 netns router || return 1
	for end in client:c0:10.77.1.2 router:r0:10.77.1.1 router:r1:10.77.2.1 server:s0:10.77.2.2; do
		IFS=: read -r n link addr <<<"$end"
		ip -n "$n" addr add "$addr/24" dev "$link" && ip -n "$n" link set "$link" up || return 1
	done
	ip -n client route add default via 10.77.1.1
	ip -n server route add default via 10.77.2.1
	ip netns exec router sysctl -qw net.ipv4.ip_forward=1
	ip netns exec server nft 'table ip sink { chain pre { type filter hook prerouting priority -300; udp dport 2048-65535 counter drop; }; }'
}
arrived() { ip netns exec server nft list table ip sink | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'; }
measure() { # NAME FLOWS
	local before after ns sent
	before=$(arrived)
	read -r ns sent < <(taskset -c "$core" ip netns exec client "$flood" 10.77.2.2 "$2" 64)
	after=$(arrived)
	if [ -n "${sent:-}" ] && ((after - before >= sent - sent / 200)); then echo "$1 $ns"; fi
}
translate() { ip netns exec router nft 'table ip nat { chain post { type nat hook postrouting priority 100; oifname r1 masquerade; }; }'; }

setup || exit 1
for ((i = 0; i < rounds; i++)); do
	measure forward 1000
	translate || exit 1
	measure masquerade-1000 1000
	measure masquerade-60000 60000
	ip netns exec router nft delete table ip nat
done | sort -k1,1 -k2,2g | sort -su -k1,1
