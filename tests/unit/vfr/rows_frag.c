/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragments: any order, overlaps, quotas, both directions, echo. */
#include "rows.h"

#define IN(off, rest) "in u udp X:9>S:1000 id=77 frag=" off " len=64" rest "\n"
#define OUT(off, rest) "in A udp S:1000>X:9 id=77 frag=" off " len=64" rest "\n"

static const struct row rows[] = {
	{ "in order, inbound", IN("0+", "") "fwd A\n" IN("64+", "") "fwd A\n" IN("128", "") "fwd A" },
	{ "in order, outbound", OUT("0+", "") "fwd u\n" OUT("64+", "") "fwd u\n" OUT("128", "") "fwd u" },
	{ "reverse order, inbound: the later ones wait", IN("128", "") "held\n" IN("64+", "") "held\n" IN("0+", "") "fwd A\nrel A\n"
	  "rel A" },
	{ "reverse order, outbound", OUT("64", "") "held\n" OUT("0+", "") "fwd u\nrel u" },
	{ "first in the middle", IN("64+", "") "held\n" IN("0+", "") "fwd A\nrel A\n" IN("128", "") "fwd A" },
	{ "first last of many", IN("64+", "") "held\n" IN("192", "") "held\n" IN("128+", "") "held\n" IN("0+", "") "fwd A\nrel A\n"
	  "rel A\nrel A" },
	{ "other datagrams do not mix: id", IN("0+", "") "fwd A\nin u udp X:9>S:1000 id=78 frag=64 len=64\nheld\ntime 6\n"
	  "reldrop frag-timeout" },
	{ "other datagrams do not mix: source", IN("0+", "") "fwd A\nin u udp Y:9>S:1000 id=77 frag=64 len=64\nheld\ntime 6\n"
	  "reldrop frag-timeout" },
	{ "other datagrams do not mix: protocol", IN("0+", "") "fwd A\nin u tcp X:9>S:1000 id=77 frag=64 len=64\nheld\ntime 6\n"
	  "reldrop frag-timeout" },
	{ "other datagrams do not mix: destination", IN("0+", "") "fwd A\nin u udp X:9>T:1000 id=77 frag=64 len=64\nheld\ntime 6\n"
	  "reldrop frag-timeout" },
	{ "two owners' datagrams at once", IN("0+", "") "fwd A\nin u udp X:9>S:2000 id=78 frag=0+ len=64\nfwd B\n"
	  "in u udp X:9>S:2000 id=78 frag=64 len=64\nfwd B\n" IN("64", "") "fwd A" },
	{ "never a first: waits 5 s", IN("64+", "") "held\ntime 4\ntime 2\nreldrop frag-timeout" },
	{ "refused first refuses the rest", "in u udp X:9>S:30000 id=77 frag=0+ len=64\ndrop port-unowned\nemit u icmp S>X 3/3\n"
	  "in u udp X:9>S:30000 id=77 frag=64 len=64\ndrop port-unowned" },
	{ "refused first refuses those that wait", "in u udp X:9>S:30000 id=77 frag=64 len=64\nheld\n"
	  "in u udp X:9>S:30000 id=77 frag=0+ len=64\ndrop port-unowned\nemit u icmp S>X 3/3\nreldrop port-unowned" },
	{ "outbound: a foreign source port hidden in fragments", "in A udp S:2000>X:9 id=77 frag=64 len=64\nheld\n"
	  "in A udp S:2000>X:9 id=77 frag=0+ len=64\ndrop src-port\n"
	  "emit A icmp G>S 3/13\nevent src-port A\ntime 6\nreldrop frag-timeout" },
	{ "outbound: a later fragment alone leaves never", OUT("64", "") "held\ntime 6\nreldrop frag-timeout" },
	{ "outbound: another guest cannot ride on a first fragment", OUT("0+", "") "fwd u\nin B udp S:1000>X:9 id=77 frag=64 len=64\n"
	  "held\ntime 6\nreldrop frag-timeout" },
	{ "outbound: foreign address in a later fragment", "in A udp C:1000>X:9 id=77 frag=64 len=64\ndrop src-addr\nevent src-addr A" },
	{ "egress denial holds for fragments", "in A tcp S:1000>X:25 id=77 frag=0+ len=64\ndrop egress-denied\nemit A icmp G>S 3/13\n"
	  "event egress A" },
	{ "overlap inside", IN("0+", "") "fwd A\n" IN("56+", "") "drop frag-overlap\nevent frag-attack -\n"
	  IN("64", "") "drop frag-overlap" },
	{ "overlap: the same again", IN("0+", "") "fwd A\n" IN("0+", "") "drop frag-overlap\nevent frag-attack -" },
	{ "overlap behind the last", IN("64", "") "held\nin u udp X:9>S:1000 id=77 frag=128 len=64\ndrop frag-overlap\n"
	  "event frag-attack -\nreldrop frag-overlap" },
	{ "overlap: a last one that ends too early", IN("128+", "") "held\n" IN("64", "") "drop frag-overlap\nevent frag-attack -\n"
	  "reldrop frag-overlap" },
	{ "tiny: TCP header cut (RFC 3128)", "in u tcp X:9>S:1000 id=77 frag=0+ len=16\ndrop frag-tiny" },
	{ "tiny: 20 bytes of TCP are enough", "in u tcp X:9>S:1000 id=77 frag=0+ len=24\nfwd A" },
	{ "tiny: fragment at offset 8 of TCP (RFC 3128)", "in u tcp X:9>S:1000 id=77 frag=8+ len=64\ndrop frag-tiny" },
	{ "tiny: UDP needs only 8", "in u udp X:9>S:1000 id=77 frag=0+ len=8\nfwd A\nin u udp X:9>S:1000 id=77 frag=8 len=8\nfwd A" },
	{ "bad: length not a multiple of 8", "in u udp X:9>S:1000 id=77 frag=0+ len=63\ndrop frag-bad" },
	{ "bad: beyond 65535 (ping of death)", "in u udp X:9>S:1000 id=77 frag=65528 len=64\ndrop frag-bad" },
	{ "bad: no data", "in u udp X:9>S:1000 id=77 frag=64 len=0\ndrop frag-bad" },
	{ "a first fragment that is split: the rest follows", "mtu A 600\nin u udp X:9>S:1000 id=77 frag=0+ len=800\nconsumed @A\n"
	  "emit A udp X:9>S:1000\nemit A udp X>S later\n"
	  "in u udp X:9>S:1000 id=77 frag=808 len=64\nfwd A" },
	{ "a first fragment that is split: those that wait follow", "mtu A 600\nin u udp X:9>S:1000 id=77 frag=808 len=64\nheld\n"
	  "in u udp X:9>S:1000 id=77 frag=0+ len=800\nconsumed @A\nemit A udp X:9>S:1000\nemit A udp X>S later\nrel A" },
	{ "a later fragment that is split as well", "mtu A 600\n" IN("0+", "") "fwd A\nin u udp X:9>S:1000 id=77 frag=64 len=800\n"
	  "consumed @A\nemit A udp X>S later\nemit A udp X>S later" },
	{ "quota: datagrams of a domain", "domain A frags=1\n" OUT("0+", "") "fwd u\nin A udp S:1000>X:9 id=78 frag=0+ len=64\n"
	  "drop frag-quota" },
	{ "quota: comes back when a datagram is complete", "domain A frags=1\n" OUT("0+", "") "fwd u\n" OUT("64", "") "fwd u\n"
	  "in A udp S:1000>X:9 id=78 frag=0+ len=64\nfwd u" },
	{ "quota: comes back with time", "domain A frags=1\n" OUT("0+", "") "fwd u\ntime 31\nin A udp S:1000>X:9 id=78 frag=0+ len=64\n"
	  "fwd u" },
	{ "quota: of the uplinks is half the table", "repeat 8 first u udp X:9>S:1000 id=10% frag=0+ len=64\n"
	  "in u udp X:9>S:1000 id=9 frag=0+ len=64\ndrop frag-quota" },
	{ "detach drops what waits", OUT("64", "") "held\ndetach A\nreldrop detached" },
	{ "echo: ping -s 4000 to the shared address", "in u icmp X:7>S echo id=5 frag=0+ len=64\n"
	  "fwd u icmp S:7>X reply id=5 frag=0+ len=64 ttl=64\n"
	  "in u icmp X:7>S echo id=5 frag=64 len=64\nturned u" },
	{ "to a dedicated address", "in u udp X:9>C:7 id=77 frag=64 len=64\nheld\nin u udp X:9>C:7 id=77 frag=0+ len=64\nfwd C\nrel C" },
	{ "hairpin", "in A udp S:1000>S:2000 id=77 frag=64 len=64\nheld\nin A udp S:1000>S:2000 id=77 frag=0+ len=64\nfwd B\nrel B" },
	{ "IP-ID block: fragments of a domain leave with its own ids, all alike (RFC 7597 8.3.3)", "domain A ipid=1\n"
	  "in A udp S:1000>X:9 id=77 frag=0+ len=64\nfwd u udp S:1000>X:9 id=1024 frag=0+ len=64 ttl=63\n"
	  "in A udp S:1000>X:9 id=77 frag=64 len=64\nfwd u udp S:1000>X:9 id=1024 frag=64 len=64 ttl=63" },
	{ "IP-ID block: not for whole packets", "domain A ipid=1\nin A udp S:1000>X:9 id=77\nfwd u" },
};

const struct table frag_table = TABLE("fragments", rows);
