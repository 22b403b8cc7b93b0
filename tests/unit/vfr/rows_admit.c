/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsing, admission, owners. */
#include "rows.h"

static const struct row rows[] = {
	{ "inbound: the owner of the port gets it, untouched", "in u tcp X:40000>S:1000\nfwd A" },
	{ "inbound: first port of a slice", "in u udp X:53>S:2000\nfwd B" },
	{ "inbound: last port of a slice", "in u udp X:53>S:2999\nfwd B" },
	{ "inbound: a single listen port", "in u tcp X:40000>S:80 flags=S\nfwd A" },
	{ "inbound: udp of a port owned for tcp only", "in u udp X:40000>S:80\ndrop port-unowned\nemit u icmp S>X 3/3" },
	{ "inbound: sctp has owners of its own", "in u sctp X:9>S:1500\nfwd A" },
	{ "inbound: sctp outside any slice", "in u sctp X:9>S:443\ndrop port-unowned\nemit u icmp S>X 3/3" },
	{ "inbound: nobody's port", "in u tcp X:40000>S:30000\ndrop port-unowned\nemit u icmp S>X 3/3" },
	{ "inbound: port 0", "in u udp X:40000>S:0\ndrop port-unowned\nemit u icmp S>X 3/3" },
	{ "inbound: port 65535", "in u udp X:40000>S:65535\ndrop port-unowned\nemit u icmp S>X 3/3" },
	{ "inbound: the owner is not attached", "in u tcp X:9>S:5000\ndrop owner-down @E\nemit u icmp S>X 3/1" },
	{ "inbound: the owner attaches later", "attach E\nin u tcp X:9>S:5000\nfwd 5" },
	{ "inbound: a second shared address has other owners", "in u tcp X:9>T:1000\ndrop port-unowned\nemit u icmp T>X 3/3" },
	{ "inbound: MAP-E set, first range", "in u tcp X:9>T:5376\nfwd B" },
	{ "inbound: MAP-E set, second range", "in u tcp X:9>T:9472\nfwd B" },
	{ "inbound: MAP-E set, between ranges", "in u tcp X:9>T:5632\ndrop port-unowned\nemit u icmp T>X 3/3" },
	{ "inbound: MAP-E set, well-known ports are nobody's", "in u tcp X:9>T:1280\ndrop port-unowned\nemit u icmp T>X 3/3" },
	{ "inbound: dedicated address, any port", "in u tcp X:9>C:1\nfwd C" },
	{ "inbound: dedicated address, any protocol", "in u gre X>C\nfwd C" },
	{ "inbound: an address of nobody", "in u tcp X:9>203.0.113.99:80\ndrop addr-unknown" },
	{ "inbound: an internal address is not for outside", "in u tcp X:9>D:80\ndrop addr-unknown" },
	{ "inbound: no transit from uplink to uplink", "in u tcp X:9>Y:80\ndrop addr-unknown" },
	{ "inbound: a source that lives inside is spoofed", "in u tcp S:2000>S:1000\ndrop martian" },
	{ "inbound: a dedicated source is spoofed", "in u tcp C:2000>S:1000\ndrop martian" },
	{ "inbound: loopback source", "in u tcp 127.0.0.1:2000>S:1000\ndrop martian" },
	{ "inbound: link-local source (RFC 3927)", "in u tcp 169.254.1.1:2000>S:1000\ndrop martian" },
	{ "inbound: zero source", "in u tcp 0.0.0.0:2000>S:1000\ndrop martian" },
	{ "inbound: multicast source", "in u tcp 224.0.0.1:2000>S:1000\ndrop martian" },
	{ "inbound: frame for another machine", "in u tcp X:9>S:1000 dmac=other\ndrop dst-mac" },
	{ "inbound: broadcast frame with unicast packet", "in u tcp X:9>S:1000 dmac=bcast\ndrop broadcast" },
	{ "outbound: from the slice, untouched", "in A tcp S:1000>X:80\nfwd u" },
	{ "outbound: last port", "in A udp S:1999>X:53\nfwd u" },
	{ "outbound: listen port as source", "in A tcp S:80>X:40000\nfwd u" },
	{ "outbound: another domain's port", "in A tcp S:2000>X:80\ndrop src-port\nemit A icmp G>S 3/13\nevent src-port A" },
	{ "outbound: nobody's port", "in A udp S:30000>X:80\ndrop src-port\nemit A icmp G>S 3/13\nevent src-port A" },
	{ "outbound: port 0", "in A udp S:0>X:80\ndrop src-port\nemit A icmp G>S 3/13\nevent src-port A" },
	{ "outbound: udp from a port owned for tcp only", "in A udp S:80>X:9\ndrop src-port\nemit A icmp G>S 3/13\nevent src-port A" },
	{ "outbound: the other shared address", "in A tcp T:1000>X:80\ndrop src-port\nemit A icmp G>T 3/13\nevent src-port A" },
	{ "outbound: MAP-E owner", "in B tcp T:5377>X:80\nfwd u" },
	{ "outbound: MAP-E, just outside", "in B tcp T:5632>X:80\ndrop src-port\nemit B icmp G>T 3/13\nevent src-port B" },
	{ "outbound: another domain's dedicated address", "in A tcp C:1000>X:80\ndrop src-addr\nevent src-addr A" },
	{ "outbound: a foreign address", "in A tcp Y:1000>X:80\ndrop src-addr\nevent src-addr A" },
	{ "outbound: the router's address", "in A tcp G:1000>X:80\ndrop src-addr\nevent src-addr A" },
	{ "outbound: zero address", "in A tcp 0.0.0.0:1000>X:80\ndrop src-addr\nevent src-addr A" },
	{ "outbound: loopback source", "in A tcp 127.0.0.1:1000>X:80\ndrop src-addr\nevent src-addr A" },
	{ "outbound: foreign MAC", "in A tcp S:1000>X:80 smac=other\ndrop src-mac" },
	{ "outbound: frame to a stranger's MAC", "in A tcp S:1000>X:80 dmac=other\ndrop dst-mac" },
	{ "outbound: a protocol without ports", "in A gre S>X\ndrop src-proto\nemit A icmp G>S 3/13\nevent src-port A" },
	{ "outbound: dedicated owner, any protocol", "in C gre C>X\nfwd u" },
	{ "outbound: dedicated owner, any port", "in C tcp C:1>X:80\nfwd u" },
	{ "outbound: sctp in slice", "in A sctp S:1500>X:9\nfwd u" },
	{ "outbound: sctp outside slice", "in A sctp S:80>X:9\ndrop src-port\nemit A icmp G>S 3/13\nevent src-port A" },
	{ "outbound: violations are told once a second, with the count", "in A udp S:3000>X:80\ndrop src-port\nemit A icmp G>S 3/13\n"
	  "event src-port A 1\n"
	  "in A udp S:3001>X:80\ndrop src-port\nemit A icmp G>S 3/13\nin A udp S:3002>X:80\ndrop src-port\nemit A icmp G>S 3/13\n"
	  "time 1\nin A udp S:3003>X:80\ndrop src-port\nemit A icmp G>S 3/13\nevent src-port A 3" },
	{ "outbound: to loopback", "in A tcp S:1000>127.0.0.1:80\ndrop martian" },
	{ "outbound: to a link-local address (RFC 3927)", "in A tcp S:1000>169.254.169.254:80\ndrop martian" },
	{ "outbound: to a reserved address", "in A tcp S:1000>240.0.0.1:80\ndrop martian" },
	{ "outbound: limited broadcast", "in A udp S:1000>255.255.255.255:80\ndrop broadcast" },
	{ "outbound: multicast", "in A udp S:1000>224.0.0.251:5353\ndrop broadcast" },
	{ "outbound: multicast, where it is allowed", "domain A mcast=1\nin A udp S:1000>224.0.0.251:5353\nfwd? u" },
	{ "outbound: multicast, from one's own ports all the same", "domain A mcast=1\nin A udp S:2000>224.0.0.251:5353\ndrop src-port\n"
	  "event src-port A" },
	{ "outbound: broadcast, even where multicast is allowed", "domain A mcast=1\nin A udp S:1000>255.255.255.255:80\ndrop broadcast" },
	{ "outbound: a guest that joins a group is no liar", "in A ip=2 S>224.0.0.22\ndrop broadcast" },
	{ "egress: 25/tcp is denied by default", "in A tcp S:1000>X:25 flags=S\ndrop egress-denied\nemit A icmp G>S 3/13\n"
	  "event egress A" },
	{ "egress: 25/udp is not", "in A udp S:1000>X:25\nfwd u" },
	{ "egress: the denial can be lifted", "domain A nodeny\nin A tcp S:1000>X:25\nfwd u" },
	{ "egress: 26/tcp passes", "in A tcp S:1000>X:26 flags=S\nfwd u" },
	{ "flows: more SYNs than allowed", "domain A flows=2\nin A tcp S:1000>X:80 flags=S\nfwd u\nin A tcp S:1001>X:80 flags=S\nfwd u\n"
	  "in A tcp S:1002>X:80 flags=S\ndrop flow-limit\nevent flow-limit A" },
	{ "flows: without a burst of its own, what one second brings", "domain A flows=2 burst=0\nin A tcp S:1000>X:80 flags=S\nfwd u\n"
	  "in A tcp S:1001>X:80 flags=S\nfwd u\nin A tcp S:1002>X:80 flags=S\ndrop flow-limit\nevent flow-limit A" },
	{ "flows: packets of old flows are not limited", "domain A flows=1\nin A tcp S:1000>X:80 flags=S\nfwd u\nin A tcp S:1001>X:80\n"
	  "fwd u\nin A tcp S:1002>X:80\nfwd u" },
	{ "flows: allowance comes back with time", "domain A flows=1\nin A tcp S:1000>X:80 flags=S\nfwd u\n"
	  "in A tcp S:1001>X:80 flags=S\ndrop flow-limit\n"
	  "event flow-limit A\ntime 1\nin A tcp S:1001>X:80 flags=S\nfwd u" },
	{ "DMZ: another protocol has an owner", "proto A S 47 = 0\nin u gre X>S\nfwd A" },
	{ "DMZ: its owner may send it", "proto A S 47 = 0\nin A gre S>X\nfwd u" },
	{ "DMZ: others may not", "proto A S 47 = 0\nin B gre S>X\ndrop src-proto\nemit B icmp G>S 3/13\nevent src-port B" },
	{ "DMZ: nobody's protocol", "in u gre X>S\ndrop proto-unowned" },
	{ "DMZ: second claim is refused", "proto A S 47 = 0\nproto B S 47 = EEXIST" },
	{ "DMZ: slices' protocols cannot be claimed whole", "proto A S 6 = EINVAL" },
	{ "ESP: by SPI", "proto A S 4096 = 0\nproto B S 5000 = 0\nin u esp X>S spi=5000\nfwd B" },
	{ "ESP: unknown SPI goes to the DMZ owner", "proto A S 50 = 0\nproto B S 5000 = 0\nin u esp X>S spi=77777\nfwd A" },
	{ "ESP: unknown SPI without one", "proto B S 5000 = 0\nin u esp X>S spi=77777\ndrop proto-unowned" },
	{ "ESP: an SPI owner may send", "proto B S 5000 = 0\nin B esp S>X spi=9999\nfwd u" },
	{ "ESP: others may not", "proto B S 5000 = 0\nin A esp S>X spi=9999\ndrop src-proto\nemit A icmp G>S 3/13\nevent src-port A" },
	{ "ESP: an SPI owner does not get another's", "proto A S 4096 = 0\nproto B S 5000 = 0\nin u esp X>S spi=4096\nfwd A" },
	{ "ESP: an error about what the one SPI owner has sent (PMTUD)", "proto B S 5000 = 0\n"
	  "in u icmp Y>S type=3/4 mtu=1280 quote(esp S>X spi=9999)\nfwd B" },
	{ "ESP: with two it cannot be told whose", "proto A S 4096 = 0\nproto B S 5000 = 0\n"
	  "in u icmp Y>S type=3/4 mtu=1280 quote(esp S>X spi=9999)\ndrop icmp-quote" },
	{ "ESP: an SPI owner reports what it got",
	  "proto A S 4096 = 0\nproto B S 5000 = 0\nin B icmp S>X type=3/2 quote(esp X>S spi=5000)\n"
	  "fwd u" },
	{ "ESP: but nothing of another's", "proto A S 4096 = 0\nproto B S 5000 = 0\nin B icmp S>X type=3/2 quote(esp X>S spi=4096)\n"
	  "drop icmp-quote\nevent src-port B" },
	{ "ESP: in pieces", "proto B S 5000 = 0\nin u esp X>S spi=5000 id=7 frag=64 len=64\nheld\n"
	  "in u esp X>S spi=5000 id=7 frag=0+ len=64\nfwd B\nrel B" },
	{ "ESP: between two guests of one address", "proto A S 4096 = 0\nproto B S 5000 = 0\nin A esp S>S spi=5000\nfwd B\n"
	  "in B esp S>S spi=4096\nfwd A" },
	{ "parse: shorter than Ethernet", "in u tcp X:9>S:1000 cut=50\ndrop short" },
	{ "parse: shorter than IPv4", "in u tcp X:9>S:1000 cut=35\ndrop short" },
	{ "parse: total length beyond the frame", "in u tcp X:9>S:1000 cut=1\ndrop bad-ip" },
	{ "parse: total length below the header", "in u tcp X:9>S:1000 tlen=19\ndrop bad-ip" },
	{ "parse: version 5", "in u tcp X:9>S:1000 ver=5\ndrop bad-ip" },
	{ "parse: header checksum", "in u tcp X:9>S:1000 badsum\ndrop bad-ip-csum" },
	{ "parse: TCP header cut off by total length", "in u tcp X:9>S:1000 tlen=39\ndrop bad-l4" },
	{ "parse: UDP header cut off", "in u udp X:9>S:1000 tlen=27\ndrop bad-l4" },
	{ "parse: UDP length beyond the packet", "in u udp X:9>S:1000 tlen=30\ndrop bad-l4" },
	{ "parse: SCTP header cut off", "in u sctp X:9>S:1000 tlen=31\ndrop bad-l4" },
	{ "parse: ICMP header cut off", "in u icmp X:9>S:0 tlen=27\ndrop bad-l4" },
	{ "parse: padding behind the packet is no part of it", "in u udp X:9>S:1000 len=0 pad=18\nfwd A" },
	{ "parse: a harmless option passes", "in u udp X:9>S:1000 opt=148\nfwd A" },
	{ "parse: loose source route", "in u udp X:9>S:1000 opt=131\ndrop ip-options" },
	{ "parse: strict source route", "in u udp X:9>S:1000 opt=137\ndrop ip-options" },
	{ "ttl: runs out inbound", "in u tcp X:9>S:1000 ttl=1\ndrop ttl @A\nemit u icmp S>X 11/0" },
	{ "ttl: zero is treated alike", "in u tcp X:9>S:1000 ttl=0\ndrop ttl @A\nemit u icmp S>X 11/0" },
	{ "ttl: runs out outbound: traceroute's first hop", "in A udp S:1000>X:33434 ttl=1\ndrop ttl\nemit A icmp G>S 11/0" },
	{ "ttl: two is enough", "in u tcp X:9>S:1000 ttl=2\nfwd A" },
	{ "mtu: DF and too big: the sender learns the size", "mtu u 1400\nin A udp S:1000>X:9 df len=1400\ndrop too-big\n"
	  "emit A icmp G>S 3/4 mtu=1400" },
	{ "mtu: towards a guest", "mtu A 1000\nin u udp X:9>S:1000 df len=1000\ndrop too-big @A\nemit u icmp S>X 3/4 mtu=1000" },
	{ "mtu: exactly fits", "mtu u 1400\nin A udp S:1000>X:9 df len=1372\nfwd u" },
	{ "mtu: without DF it is split", "mtu u 600\nin A udp S:1000>X:9 len=1000\nconsumed\nemit u udp S:1000>X:9\n"
	  "emit u udp S>X later" },
	{ "mtu: split towards a guest", "mtu A 600\nin u udp X:9>S:1000 len=1000\nconsumed @A\nemit A udp X:9>S:1000\n"
	  "emit A udp X>S later" },
	{ "mtu: pieces are the sender's, of its class", "mtu u 600\nrule A out accept udp class=3\nin A udp S:1000>X:9 len=1000\nconsumed\n"
	  "emit u udp S:1000>X:9\npiece A 3\nemit u udp S>X later\npiece A 3" },
	{ "mtu: pieces of what waited for its next hop as well", "mtu u 600\nnoneigh\nin A udp S:1000>X:9 len=1000\nheld\n"
	  "emit u arp S>U op=1\nin u arp U>S op=2\nconsumed\nemit u udp S:1000>X:9\npiece A 0\nemit u udp S>X later\npiece A 0\n"
	  "relcons" },
	{ "mtu: split, every byte", "mtu u 600\nin A udp S:1000>X:9 len=1472\nconsumed\njoined u udp S:1000>X:9 len=1472" },
	{ "mtu: a partial checksum is finished before it is split", "mtu u 600\nin A udp S:1000>X:9 len=1001 partial\nconsumed\n"
	  "joined u udp S:1000>X:9 len=1001" },
	{ "mtu: of TCP likewise", "mtu u 600\nin A tcp S:1000>X:9 len=1000 partial\nconsumed\njoined u tcp S:1000>X:9 len=1000" },
	{ "mtu: translated, partial and split",
	  "mtu u 600\nin D udp D:4000>X:9 len=1000 partial\nconsumed\njoined u udp S:4000>X:9 len=1000" },
	{ "mtu: multicast is split too", "mtu u 600\ndomain A mcast=1\nin A udp S:1000>224.0.0.251:9 len=1000\nconsumed\n"
	  "joined u udp S:1000>224.0.0.251:9 len=1000" },
	{ "mtu: what we split has a number of the domain's block (RFC 7597 8.3.3)", "mtu u 600\ndomain A ipid=1\n"
	  "in A udp S:1000>X:9 len=1000\nconsumed\njoined u udp S:1000>X:9 len=1000 id=1024\nin A udp S:1000>X:9 len=1000\nconsumed\n"
	  "joined u udp S:1000>X:9 len=1000 id=1025" },
	{ "gso: a large segment crosses as one packet", "in A tcp S:1000>X:80 len=30000 gso=1448 df partial\nfwd u" },
	{ "gso: segments larger than the MTU", "mtu u 1400\nin A tcp S:1000>X:80 len=30000 gso=1448 df partial\ndrop too-big\n"
	  "emit A icmp G>S 3/4 mtu=1400" },
	{ "gso: less than one segment is measured as it is", "mtu u 1400\nin A tcp S:1000>X:80 len=500 gso=1448 df partial\nfwd u" },
	{ "gso: 64 KiB, more than is linear", "in u tcp X:80>S:1000 len=65000 gso=1448 partial\nfwd A" },
	{ "partial checksum passes untouched", "in A tcp S:1000>X:80 partial\nfwd u" },
	{ "hairpin: by the shared address, source kept", "in A tcp S:1000>S:2000 flags=S\nfwd B" },
	{ "hairpin: the answer", "in B tcp S:2000>S:1000 flags=SA\nfwd A" },
	{ "hairpin: source check holds", "in A tcp S:2001>S:2000\ndrop src-port\nemit A icmp G>S 3/13\nevent src-port A" },
	{ "hairpin: nobody's port", "in A tcp S:1000>S:30000\ndrop port-unowned\nemit A icmp G>S 3/3" },
	{ "hairpin: to a domain that is not attached", "in A tcp S:1000>S:5000\ndrop owner-down\nemit A icmp G>S 3/1" },
	{ "hairpin: to a dedicated address", "in A tcp S:1000>C:2000\nfwd C" },
	{ "hairpin: from a dedicated address", "in C tcp C:9>S:1000\nfwd A" },
	{ "hairpin: to an internal address", "in A tcp S:1000>D:2000\nfwd D" },
	{ "hairpin: between internal addresses", "in D tcp D:9>F:2000\nfwd F" },
	{ "self: no service", "in A tcp S:1000>G:22\ndrop self\nemit A icmp G>S 3/3" },
	{ "detached: input from an unknown port", "in 9 tcp S:1000>X:80\ndrop detached @u" },
	{ "between two packets: a smaller MTU", "in u udp X:9>S:1000 df len=1000\nfwd A\nmtu A 900\nin u udp X:9>S:1000 df len=1000\n"
	  "drop too-big @A\nemit u icmp S>X 3/4 mtu=900" },
	{ "between two packets: a rule comes and goes", "in u tcp X:9>S:1000\nfwd A\nrule A in drop\nin u tcp X:9>S:1000\ndrop rule @A\n"
	  "norules A\nin u tcp X:9>S:1000\nfwd A" },
	{ "between two packets: a rule for all comes and goes", "in u tcp X:9>S:1000\nfwd A\nrule all in drop\nin u tcp X:9>S:1000\n"
	  "drop rule @A\nnorules all\nin u tcp X:9>S:1000\nfwd A" },
	{ "between two packets: the receiver goes", "in u tcp X:9>S:1000\nfwd A\ndel A\nin u tcp X:9>S:1000\n"
	  "drop port-unowned\nemit u icmp S>X 3/3" },
	{ "detached: then attached again", "detach A\nin u tcp X:9>S:1000\ndrop owner-down @A\nemit u icmp S>X 3/1\nattach A\n"
	  "in u tcp X:9>S:1000\nfwd A" },
	{ "domain gone: its slice is nobody's", "del A\nin u tcp X:9>S:1000\ndrop port-unowned\nemit u icmp S>X 3/3" },
	{ "domain gone: its address is nobody's", "del C\nin u tcp X:9>C:1000\ndrop addr-unknown" },
};

const struct table admit_table = TABLE("admit", rows);
