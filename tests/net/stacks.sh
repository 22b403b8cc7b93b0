#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Real Linux stacks in network namespaces of their own around the router (vfr-tap): two on one address, one behind NAT, clients outside.
# stacks.sh BUILD-DIR; needs root. All namespaces carry the prefix vfrnet and the script's pid.
set -u
b=$(realpath "${1:-build}")
here=$(dirname "$0")
id=vfrnet$$
tmp=$(mktemp -d)
passed=0 failed=0
A=$id-a B=$id-b D=$id-d X=$id-x Z=$id-z Y=$id-y
S=203.0.113.7
kids=()

finish() {
	for k in "${kids[@]}"; do kill "$k" 2>/dev/null; done
	for ns in "$A" "$B" "$D" "$X" "$Z" "$Y"; do ip netns del "$ns" 2>/dev/null; done
	rm -rf "$tmp"
}
trap finish EXIT
on() { local ns=$1; shift; timeout 20 ip netns exec "$ns" "$@"; }
ok() { # TITLE COMMAND...
	local title=$1
	shift
	if "$@" >"$tmp/log" 2>&1; then
		echo "ok   $title"
		passed=$((passed + 1))
	else
		echo "FAIL $title"
		tail -n 5 "$tmp/log" | sed 's/^/     /'
		failed=$((failed + 1))
	fi
}
background() { "$@" >/dev/null 2>&1 & kids+=($!); }

[ -c /dev/net/tun ] || { mkdir -p /dev/net && mknod /dev/net/tun c 10 200; } 2>/dev/null
for ns in "$A" "$B" "$D" "$X" "$Z" "$Y"; do
	ip netns add "$ns" || { echo "network namespaces are not to be had here"; echo "1 passed, 0 failed"; exit 0; }
	on "$ns" ip link set lo up
done
coproc router { exec ip netns exec "$X" "$b/vfr-tap" "$here/stacks.conf" 0=t0 1=t1 2=t2 3=t3; }
kids+=("$router_PID")
read -r -t 5 line <&"${router[0]}" && [ "$line" = ready ] || { echo "the router did not start"; exit 1; }

guest() { # NS TAP MAC ADDRESS PORTS
	ip -n "$X" link set "$2" netns "$1"
	ip -n "$1" link set "$2" address "$3" up
	ip -n "$1" addr add "$4/32" dev "$2"
	ip -n "$1" route add default via 10.0.0.1 dev "$2" onlink
	on "$1" sysctl -qw net.ipv4.ip_local_port_range="$5" net.ipv4.conf.all.accept_local=1 net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf."$2".rp_filter=0 net.ipv4.ping_group_range="0 2147483647"
}
hairpin() { # NS TAP OTHERS-PORTS: ports of others on our own address are not local
	ip -n "$1" route add default via 10.0.0.1 dev "$2" onlink table 100
	for p in tcp udp; do ip -n "$1" rule add pref 1 to $S ipproto $p dport "$3" lookup 100; done
	ip -n "$1" rule add pref 10 lookup local
	ip -n "$1" rule del pref 0
}
guest "$A" t1 02:00:00:00:01:01 $S "1024 1999"
guest "$B" t2 02:00:00:00:01:02 $S "2000 2999"
guest "$D" t3 02:00:00:00:01:03 10.0.0.3 "32768 60999"
hairpin "$A" t1 2000-3099
hairpin "$B" t2 1024-1999
ip -n "$A" -6 addr add 2001:db8:1::a/128 dev t1 nodad
ip -n "$A" -6 route add default via fe80::ff:fe00:ff01 dev t1
ip -n "$X" link set t0 address 02:00:00:00:ee:01 up
ip -n "$X" addr add 198.51.100.1/24 dev t0
ip -n "$X" -6 addr add 2001:db8:ff::1/64 dev t0 nodad
ip -n "$X" route add $S/32 dev t0
ip -n "$X" -6 route add 2001:db8:1::/64 dev t0
# Y, which believes in 1500 bytes as A does, lives behind X and Z; the link between these two has 1280.
join() { # NS ADDRESS ADDRESS6 NS ADDRESS ADDRESS6 MTU
	ip -n "$1" link add "to${4##*-}" mtu "$7" type veth peer name "to${1##*-}" mtu "$7" netns "$4"
	for side in "$1 to${4##*-} $2 $3" "$4 to${1##*-} $5 $6"; do
		set -- $side
		ip -n "$1" link set "$2" up
		ip -n "$1" addr add "$3/24" dev "$2"
		ip -n "$1" -6 addr add "$4/64" dev "$2" nodad
	done
}
join "$X" 192.0.1.1 2001:db8:f1::1 "$Z" 192.0.1.2 2001:db8:f1::2 1280
join "$Z" 192.0.2.1 2001:db8:f2::1 "$Y" 192.0.2.9 2001:db8:f2::9 1500
ip -n "$X" route add 192.0.2.0/24 via 192.0.1.2
ip -n "$X" -6 route add 2001:db8:f2::/64 via 2001:db8:f1::2
ip -n "$Z" route add default via 192.0.1.1
ip -n "$Z" -6 route add default via 2001:db8:f1::1
ip -n "$Y" route add default via 192.0.2.1
ip -n "$Y" -6 route add default via 2001:db8:f2::1
for ns in "$X" "$Z"; do on "$ns" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; done

mkdir "$tmp/www"
head -c 300000 /dev/urandom >"$tmp/www/file"
serve() { background ip netns exec "$1" /usr/bin/python3 -m http.server --directory "$tmp/www" --bind "${3:-0.0.0.0}" "$2"; }
serve "$A" 1080; serve "$B" 2080; serve "$X" 8080; serve "$Y" 8080; serve "$A" 1081 2001:db8:1::a
serve "$Y" 8081 2001:db8:f2::9
background ip netns exec "$A" iperf3 -s -p 1090
background ip netns exec "$Y" iperf3 -s -p 8090
sleep 1.5
fetch() { on "$1" curl -sf -m 8 -o "$tmp/got" "$2" && cmp -s "$tmp/got" "$tmp/www/file"; }
py() { local ns=$1; shift; on "$ns" /usr/bin/python3 "$here/probe.py" "$@"; }

ok "a client outside reaches A at $S:1080" fetch "$X" http://$S:1080/file
ok "and B at $S:2080" fetch "$X" http://$S:2080/file
ok "A reaches a server outside, from its slice" fetch "$A" http://198.51.100.1:8080/file
ok "B does" fetch "$B" http://198.51.100.1:8080/file
ok "D does, by NAT out of its slice" fetch "$D" http://198.51.100.1:8080/file
ok "hairpin: A reaches B by the shared address" fetch "$A" http://$S:2080/file
ok "hairpin: B reaches A" fetch "$B" http://$S:1080/file
ok "hairpin: D reaches A through its NAT" fetch "$D" http://$S:1080/file
ok "ping to the shared address" on "$X" ping -c 2 -i 0.2 -W 2 $S
ok "ping -s 4000 to the shared address" on "$X" ping -c 2 -i 0.2 -W 2 -s 4000 $S
ok "ping from A, its identifier" on "$A" ping -e 1500 -c 2 -i 0.2 -W 2 198.51.100.1
ok "ping -s 4000 from A: fragments both ways" on "$A" ping -e 1501 -c 2 -i 0.2 -W 2 -s 4000 198.51.100.1
ok "ping -s 4000 from D, translated" on "$D" ping -c 2 -i 0.2 -W 2 -s 4000 198.51.100.1
ok "D pings its gateway" on "$D" ping -c 2 -i 0.2 -W 2 10.0.0.1
ok "A pings its gateway by the link-local address" on "$A" ping -6 -c 2 -i 0.2 -W 2 fe80::ff:fe00:ff01%t1
ok "UDP of 8000 bytes from outside to A and back" py "$X" udp-ask $S 1100 8000 "$A"
ok "traceroute from A" py "$A" trace 192.0.2.9 1700
ok "a closed port outside is heard of by A" py "$A" refused 198.51.100.1 9 1701
ok "a closed port of A is heard of outside" py "$X" refused $S 1702 0
ok "a port of nobody is refused" py "$X" refused $S 9999 0
ok "a foreign source port is refused, and the guest told" py "$A" prohibited 198.51.100.1 9 3050
# Who has learnt a path's size asks for segments that fit, so the other end learns nothing: each is asked with a fresh memory.
afresh() { for ns in "$A" "$B" "$D" "$Y"; do ip -n "$ns" route flush cache; ip -n "$ns" -6 route flush cache; done; "$@"; }
learnt() { ip -n "$1" route get "$2" | grep -q 'mtu 1280'; }
ok "PMTU: A sends to Y over a link of 1280" afresh fetch "$Y" http://$S:1080/file
ok "PMTU: A has learnt the size" learnt "$A" 192.0.2.9
ok "PMTU: Y sends to B" afresh fetch "$B" http://192.0.2.9:8080/file
ok "PMTU: Y has learnt the size" learnt "$Y" $S
ok "PMTU: D sends to Y, translated" afresh on "$D" iperf3 -c 192.0.2.9 -p 8090 -t 1
ok "PMTU: D has learnt the size, by an error about its public side" learnt "$D" 192.0.2.9
ok "PMTU: UDP of 4000 bytes from Y to A and back" afresh py "$Y" udp-ask $S 1101 4000 "$A"
ok "PMTU, IPv6: A sends to Y" afresh fetch "$Y" "http://[2001:db8:1::a]:1081/file"
ok "PMTU, IPv6: A has learnt the size" learnt "$A" 2001:db8:f2::9
ok "PMTU, IPv6: Y sends to A" afresh fetch "$A" "http://[2001:db8:f2::9]:8081/file"
ok "PMTU, IPv6: Y has learnt the size" learnt "$Y" 2001:db8:1::a
ok "IPv6: ping" on "$X" ping -6 -c 2 -i 0.2 -W 2 2001:db8:1::a
ok "IPv6: ping -s 4000" on "$X" ping -6 -c 2 -i 0.2 -W 2 -s 4000 2001:db8:1::a
ok "IPv6: a client outside reaches A" fetch "$X" "http://[2001:db8:1::a]:1081/file"
ok "iperf3 to A" on "$X" iperf3 -c $S -p 1090 -t 1
ok "iperf3 from A" on "$X" iperf3 -c $S -p 1090 -t 1 -R
ok "egress 25/tcp is denied" py "$A" denied 198.51.100.1 25
echo "$passed passed, $failed failed"
kill "$router_PID"
wait "$router_PID" 2>/dev/null
[ $failed = 0 ]
