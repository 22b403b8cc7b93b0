/* SPDX-License-Identifier: BSD-2-Clause */
/* NAT44 inside a slice, DHCP. D (10.0.0.4) has 4000-4003, F (10.0.0.6) has 6000-6099 of S. */
#include "rows.h"

#define SYN "in D tcp D:4000>X:80 flags=S\nfwd u tcp S:4000>X:80 flags=S ttl=63\nin u tcp X:80>S:4000 flags=SA\n" \
	"fwd D tcp X:80>D:4000 flags=SA ttl=63\n"
#define ACK "in D tcp D:4000>X:80 flags=A\nfwd u tcp S:4000>X:80 flags=A ttl=63\n"
#define GW "10.0.0.9"
#define GATEWAY "dhcp D noports addr=D router=" GW "\n"
#define OUT "in D udp D:4000>X:53\nfwd u udp S:4000>X:53 ttl=63\n"

static const struct row rows[] = {
	{ "out and back", OUT "in u udp X:53>S:4000\nfwd D udp X:53>D:4000 ttl=63" },
	{ "REQ-1: the mapping does not depend on the peer", OUT "in D udp D:4000>Y:99\nfwd u udp S:4000>Y:99 ttl=63" },
	{ "REQ-8: nor does the filter", OUT "in u udp Y:99>S:4000\nfwd D udp Y:99>D:4000 ttl=63" },
	{ "REQ-3: a port of the slice is kept (preservation)", "in D udp D:4003>X:53\nfwd u udp S:4003>X:53 ttl=63" },
	{ "another port gets one of the slice", "in D udp D:4001>X:53\nfwd u udp S:4001>X:53 ttl=63\nin D udp D:4002>X:53\n"
	  "fwd u udp S:4002>X:53 ttl=63\n"
	  "in D udp D:4003>X:53\nfwd u udp S:4003>X:53 ttl=63\nin D udp D:9>X:53\nfwd u udp S:4000>X:53 ttl=63\nin u udp X:53>S:4000\n"
	  "fwd D udp X:53>D:9 ttl=63" },
	{ "REQ-2: one public address for all", OUT "in D tcp D:4001>X:80 flags=S\nfwd u tcp S:4001>X:80 flags=S ttl=63" },
	{ "the slice is full: told, not overloaded (REQ-3)", OUT "in D udp D:4001>X:53\nfwd u udp S:4001>X:53 ttl=63\n"
	  "in D udp D:4002>X:53\nfwd u udp S:4002>X:53 ttl=63\n"
	  "in D udp D:4003>X:53\nfwd u udp S:4003>X:53 ttl=63\nin D udp D:9>X:53\ndrop nat-full\nemit D icmp G>D 3/13\n"
	  "event nat-exhausted D" },
	{ "quota", "domain D maxnat=1\n" OUT "in D udp D:4001>X:53\ndrop nat-full\nemit D icmp G>D 3/13\nevent nat-exhausted D" },
	{ "two domains keep apart", OUT "in F udp F:6000>X:53\nfwd u udp S:6000>X:53 ttl=63\nin u udp X:53>S:6000\n"
	  "fwd F udp X:53>F:6000 ttl=63" },
	{ "nobody asked: no way in", "in u udp X:53>S:4000\ndrop nat-unmapped @D" },
	{ "REQ-5: UDP lives 5 minutes", OUT "time 295\nin u udp X:53>S:4000\nfwd D udp X:53>D:4000 ttl=63" },
	{ "REQ-5: and no longer", OUT "time 305\nin u udp X:53>S:4000\ndrop nat-unmapped @D" },
	{ "REQ-6: what comes in does not keep it alive", OUT "time 200\nin u udp X:53>S:4000\nfwd D udp X:53>D:4000 ttl=63\ntime 200\n"
	  "in u udp X:53>S:4000\ndrop nat-unmapped @D" },
	{ "REQ-6: what goes out does", OUT "time 200\n" OUT "time 200\nin u udp X:53>S:4000\nfwd D udp X:53>D:4000 ttl=63" },
	{ "REQ-9: hairpin, seen as public from the other side", "in F udp F:6000>X:9\nfwd u udp S:6000>X:9 ttl=63\n"
	  "in D udp D:4000>S:6000\nfwd F udp S:4000>F:6000 ttl=63\n"
	  "in F udp F:6000>S:4000\nfwd D udp S:6000>D:4000 ttl=63" },
	{ "REQ-9: hairpin to oneself", OUT "in D udp D:4001>S:4000\nfwd D udp S:4001>D:4000 ttl=63\nalso D" },
	{ "from a slice owner to a mapped port", OUT "in A udp S:1000>S:4000\nfwd D udp S:1000>D:4000 ttl=63" },
	{ "from an internal guest to a slice owner", "in D tcp D:4000>S:1000 flags=S\nfwd A tcp S:4000>S:1000 flags=S ttl=63" },
	{ "rules see the translated source", "rule D out drop tcp src=S dport=53\nrule D out accept\nin D tcp D:4000>X:53 flags=S\n"
	  "drop rule\nin D tcp D:4000>X:54 flags=S\nfwd u tcp S:4000>X:54 flags=S ttl=63" },
	{ "between internal addresses nothing is translated", "in D udp D:5>F:6\nfwd F" },
	{ "from a slice owner to an internal address", "in A udp S:1000>D:6\nfwd D" },
	{ "TCP: out and back (RFC 5382 REQ-1)", "in D tcp D:4000>X:80 flags=S\nfwd u tcp S:4000>X:80 flags=S ttl=63\n"
	  "in u tcp X:80>S:4000 flags=SA\nfwd D tcp X:80>D:4000 flags=SA ttl=63" },
	{ "TCP: simultaneous open (RFC 5382 REQ-2)", "in D tcp D:4000>X:80 flags=S\nfwd u tcp S:4000>X:80 flags=S ttl=63\n"
	  "in u tcp X:80>S:4000 flags=S\nfwd D tcp X:80>D:4000 flags=S ttl=63\n"
	  "in D tcp D:4000>X:80 flags=SA\nfwd u tcp S:4000>X:80 flags=SA ttl=63" },
	{ "TCP: half-open lives 4 minutes (RFC 5382 REQ-5)", "in D tcp D:4000>X:80 flags=S\nfwd u tcp S:4000>X:80 flags=S ttl=63\n"
	  "time 245\nin u tcp X:80>S:4000 flags=SA\ndrop nat-unmapped @D" },
	{ "TCP: established lives 2 hours 4 minutes (RFC 5382 REQ-5)", "in D tcp D:4000>X:80 flags=S\n"
	  "fwd u tcp S:4000>X:80 flags=S ttl=63\nin u tcp X:80>S:4000 flags=SA\n"
	  "fwd D tcp X:80>D:4000 flags=SA ttl=63\n" ACK "time 7400\nin u tcp X:80>S:4000\nfwd D tcp X:80>D:4000 ttl=63" },
	{ "TCP: closed lives 4 minutes", "in D tcp D:4000>X:80 flags=S\nfwd u tcp S:4000>X:80 flags=S ttl=63\n"
	  "in u tcp X:80>S:4000 flags=SA\n"
	  "fwd D tcp X:80>D:4000 flags=SA ttl=63\nin D tcp D:4000>X:80 flags=R\nfwd u tcp S:4000>X:80 flags=R ttl=63\ntime 245\n"
	  "in u tcp X:80>S:4000\ndrop nat-unmapped @D" },
	{ "TCP: answered, but not acknowledged: 4 minutes", SYN "time 245\nin u tcp X:80>S:4000\ndrop nat-unmapped @D" },
	{ "TCP: half-closed lives on (RFC 7857 2)", SYN ACK "in D tcp D:4000>X:80 flags=FA\nfwd u tcp S:4000>X:80 flags=FA ttl=63\n"
	  "time 7400\nin u tcp X:80>S:4000\nfwd D tcp X:80>D:4000 ttl=63" },
	{ "TCP: closed from both sides, 4 minutes", SYN ACK "in D tcp D:4000>X:80 flags=FA\nfwd u tcp S:4000>X:80 flags=FA ttl=63\n"
	  "in u tcp X:80>S:4000 flags=FA\nfwd D tcp X:80>D:4000 flags=FA ttl=63\n" ACK "time 245\nin u tcp X:80>S:4000\n"
	  "drop nat-unmapped @D" },
	{ "TCP: a reset that is not believed (RFC 7857 2)", SYN ACK "in u tcp X:80>S:4000 flags=R\nfwd D tcp X:80>D:4000 flags=R ttl=63\n"
	  ACK "time 7400\nin u tcp X:80>S:4000\nfwd D tcp X:80>D:4000 ttl=63" },
	{ "TCP: a stranger's reset ends nothing", SYN ACK "in u tcp Y:80>S:4000 flags=R\nfwd D tcp Y:80>D:4000 flags=R ttl=63\n"
	  "time 7400\nin u tcp X:80>S:4000\nfwd D tcp X:80>D:4000 ttl=63" },
	{ "TCP: nor does the answer to a stranger (RFC 7857 7.1)", SYN ACK "in u tcp Y:80>S:4000 flags=S\n"
	  "fwd D tcp Y:80>D:4000 flags=S ttl=63\nin D tcp D:4000>Y:80 flags=RA\nfwd u tcp S:4000>Y:80 flags=RA ttl=63\n"
	  "time 7400\nin u tcp X:80>S:4000\nfwd D tcp X:80>D:4000 ttl=63" },
	{ "TCP: a stranger keeps nothing alive (RFC 7857 7)", "in D tcp D:4000>X:80 flags=S\nfwd u tcp S:4000>X:80 flags=S ttl=63\n"
	  "time 200\nin u tcp Y:80>S:4000\nfwd D tcp Y:80>D:4000 ttl=63\ntime 45\nin u tcp X:80>S:4000 flags=SA\n"
	  "drop nat-unmapped @D" },
	{ "TCP: a second connection of the same port goes on when the first has ended", SYN ACK "in D tcp D:4000>Y:80 flags=S\n"
	  "fwd u tcp S:4000>Y:80 flags=S ttl=63\nin u tcp Y:80>S:4000 flags=SA\nfwd D tcp Y:80>D:4000 flags=SA ttl=63\n"
	  "in D tcp D:4000>X:80 flags=R\nfwd u tcp S:4000>X:80 flags=R ttl=63\nin D tcp D:4000>Y:80\nfwd u tcp S:4000>Y:80 ttl=63\n"
	  "time 7400\nin u tcp Y:80>S:4000\nfwd D tcp Y:80>D:4000 ttl=63" },
	{ "TCP: partial checksum is kept partial", "in D tcp D:4000>X:80 flags=S partial\nfwd u tcp S:4000>X:80 flags=S partial ttl=63" },
	{ "TCP: a large segment", "in D tcp D:4000>X:80 len=20000 gso=1448 partial\n"
	  "fwd u tcp S:4000>X:80 len=20000 gso=1448 partial ttl=63" },
	{ "echo: out and back (RFC 5508 REQ-1)", "in D icmp D:4000>X echo\nfwd u icmp S:4000>X echo ttl=63\nin u icmp X:4000>S reply\n"
	  "fwd D icmp X:4000>D reply ttl=63" },
	{ "echo: lives 60 s (RFC 5508 REQ-2)", "in D icmp D:4000>X echo\nfwd u icmp S:4000>X echo ttl=63\ntime 62\n"
	  "in u icmp X:4000>S reply\ndrop nat-unmapped @D" },
	{ "echo: the shared address is asked from inside", "in D icmp D:9>S echo\nfwd D icmp S:9>D reply ttl=64" },
	{ "echo: the gateway is asked", "in D icmp D:9>G echo\nfwd D icmp G:9>D reply ttl=64" },
	{ "gateway: the one that DHCP names answers echo", GATEWAY "in D icmp D:9>" GW " echo\nfwd D icmp " GW ":9>D reply ttl=64" },
	{ "gateway: a large echo, in pieces", GATEWAY "in D icmp D:9>" GW " echo id=5 frag=64 len=64\nheld\n"
	  "in D icmp D:9>" GW " echo id=5 frag=0+ len=64\nfwd D icmp " GW ":9>D reply id=5 frag=0+ len=64 ttl=64\nrelfrag D" },
	{ "gateway: it has no service, and nothing for it leaves translated", GATEWAY "in D udp D:4000>" GW ":53\ndrop self\n"
	  "emit D icmp " GW ">D 3/3" },
	{ "gateway: errors come from it", GATEWAY "in D udp D:4000>X:53 ttl=1\ndrop ttl\nemit D icmp " GW ">D 11/0" },
	{ "gateway: another guest's address is another guest", "dhcp D noports addr=D router=F\nin D icmp D:9>F echo\nfwd F" },
	{ "gateway: not for other domains", GATEWAY "in F udp F:6000>" GW ":53\nfwd u udp S:6000>" GW ":53 ttl=63" },
	{ "gateway: not for outside", GATEWAY "in u icmp X:9>" GW " echo\ndrop addr-unknown" },
	{ "gateway: of a shared address it is a machine outside", "dhcp A\nin A icmp S:1000>U echo\nfwd u" },
	{ "error in: quote is translated (RFC 5508 REQ-4)", OUT "in u icmp Y>S type=3/3 quote(udp S:4000>X:53)\n"
	  "fwd D icmp Y>D type=3/3 quote(udp D:4000>X:53) ttl=63" },
	{ "error in: fragmentation needed (RFC 5508 REQ-4)", "in D tcp D:4000>X:80\nfwd u tcp S:4000>X:80 ttl=63\n"
	  "in u icmp Y>S type=3/4 mtu=1280 quote(tcp S:4000>X:80)\n"
	  "fwd D icmp Y>D type=3/4 mtu=1280 quote(tcp D:4000>X:80) ttl=63" },
	{ "error in: short quote", OUT "in u icmp Y>S type=11/0 quote(udp S:4000>X:53) q=28\n"
	  "fwd D icmp Y>D type=11/0 quote(udp D:4000>X:53) q=28 ttl=63" },
	{ "error in: about an echo", "in D icmp D:4000>X echo\nfwd u icmp S:4000>X echo ttl=63\n"
	  "in u icmp Y>S type=11/0 quote(icmp S:4000>X echo)\nfwd D icmp Y>D type=11/0 quote(icmp D:4000>X echo) ttl=63" },
	{ "error in: about a mapping whose time is over", "in D icmp D:4000>X echo\nfwd u icmp S:4000>X echo ttl=63\ntime 60\n"
	  "in u icmp Y>S type=11/0 quote(icmp S:4000>X echo)\ndrop nat-unmapped @D" },
	{ "error out: about a mapping whose time is over", "in D icmp D:4000>X echo\nfwd u icmp S:4000>X echo ttl=63\ntime 60\n"
	  "in D icmp D>X type=3/3 quote(icmp X:4000>D echo)\ndrop nat-unmapped" },
	{ "error in: unmapped port", "in u icmp Y>S type=3/3 quote(udp S:4000>X:53)\ndrop nat-unmapped @D" },
	{ "error in: does not end the mapping (RFC 5508 REQ-6)", OUT "in u icmp Y>S type=3/3 quote(udp S:4000>X:53)\n"
	  "fwd D icmp Y>D type=3/3 quote(udp D:4000>X:53) ttl=63\nin u udp X:53>S:4000\nfwd D udp X:53>D:4000 ttl=63" },
	{ "error out: a guest's closed port (RFC 5508 REQ-5)", OUT "in D icmp D>X type=3/3 quote(udp X:53>D:4000)\n"
	  "fwd u icmp S>X type=3/3 quote(udp X:53>S:4000) ttl=63" },
	{ "error hairpin: both ends translated (RFC 5508 REQ-7)", "in F udp F:6000>X:9\nfwd u udp S:6000>X:9 ttl=63\n" OUT
	  "in D udp D:4000>S:6000\nfwd F udp S:4000>F:6000 ttl=63\nin F icmp F>S type=3/3 quote(udp S:4000>F:6000)\n"
	  "fwd D icmp S>D type=3/3 quote(udp D:4000>S:6000) ttl=63" },
	{ "error hairpin: a slice owner's, to a translated guest", "in D udp D:4000>S:1000\nfwd A udp S:4000>S:1000 ttl=63\n"
	  "in A icmp S>S type=3/3 quote(udp S:4000>S:1000)\nfwd D icmp S>D type=3/3 quote(udp D:4000>S:1000) ttl=63" },
	{ "error in: a quote padded to 128 bytes, with extensions behind it (RFC 4884)", OUT
	  "in u icmp Y>S type=11/0 quote(udp S:4000>X:53 len=100) q=128\n"
	  "fwd D icmp Y>D type=11/0 quote(udp D:4000>X:53 len=100) q=128 ttl=63" },
	{ "error in: a quoted first fragment", OUT "in u icmp Y>S type=11/1 quote(udp S:4000>X:53 id=9 frag=0+ len=64)\n"
	  "fwd? D" },
	{ "error in: a quoted later fragment", OUT "in u icmp Y>S type=11/1 quote(udp S:4000>X:53 id=9 frag=64 len=64)\ndrop icmp-quote" },
	{ "error in: an odd number of bytes is quoted", OUT "in u icmp Y>S type=11/0 quote(udp S:4000>X:53) q=33\n"
	  "fwd D icmp Y>D type=11/0 quote(udp D:4000>X:53) q=33 ttl=63" },
	{ "error out: about what was never mapped", "in D icmp D>X type=3/3 quote(udp X:53>D:4000)\ndrop nat-unmapped" },
	{ "TTL runs out: the error quotes the private packet", "in D udp D:4000>X:53 ttl=1\ndrop ttl\nemit D icmp G>D 11/0" },
	{ "MTU: the error goes to the private address", "mtu u 600\nin D udp D:4000>X:53 df len=1000\ndrop too-big\n"
	  "emit D icmp G>D 3/4 mtu=600" },
	{ "fragments out: in any order (REQ-14)", "in D udp D:4000>X:53 id=5 frag=64 len=64\nheld\n"
	  "in D udp D:4000>X:53 id=5 frag=0+ len=64\nfwdfrag u\nrelfrag u" },
	{ "other protocols are refused", "in D gre D>X\ndrop nat-unsuited" },
	{ "SCTP is refused (its checksum covers the whole packet)", "in D sctp D:4000>X:9\ndrop nat-unsuited" },
	{ "without NAT a private address goes nowhere", "domain D nonat\nin D udp D:4000>X:53\ndrop nat-unsuited" },
	{ "private source of another guest", "in A udp D:4000>X:53\ndrop src-addr\nevent src-addr A" },
	{ "egress denial holds inside NAT", "in D tcp D:4000>X:25 flags=S\ndrop egress-denied\nemit D icmp G>D 3/13\nevent egress D" },
	{ "rules see the public side", "rule D out drop udp src=S\nin D udp D:4000>X:53\ndrop rule" },
	{ "rules reject: the private side is told", "rule D out reject udp\nin D udp D:4000>X:53\ndrop rule-reject\n"
	  "emit D icmp G>D 3/13" },
	{ "a mapping dies with its port", OUT "free D S udp 4000 = 0\nin u udp X:53>S:4000\ndrop port-unowned\nemit u icmp S>X 3/3" },
	{ "and another is found", OUT "free D S udp 4000 = 0\nrule D out count\nfree D S udp 4001-4002 = 0\nin D udp D:4000>X:53\n"
	  "fwd u udp S:4003>X:53 ttl=63" },
	{ "a mapping dies with the address that it leaves by", "claim D T udp 4000-4003 = 0\n" OUT "domain D nat=T\nin D udp D:4000>X:53\n"
	  "fwd u udp T:4000>X:53 ttl=63\nin u udp X:53>T:4000\nfwd D udp X:53>D:4000 ttl=63" },
	{ "error out: the address that it left by is another one now", "claim D T udp 4000-4003 = 0\n" OUT "domain D nat=T\n"
	  "in D icmp D>X type=3/3 quote(udp X:53>D:4000)\ndrop nat-unmapped" },
	{ "a private address that changes hands leaves its mappings behind", OUT "free D S udp 4000 = 0\nsettle S udp 4000\n"
	  "claim F S udp 4000 = 0\ninternal D F\nin F udp D:4000>X:53\nfwd u udp S:4000>X:53 ttl=63\n"
	  "in u udp X:53>S:4000\nfwd F udp X:53>D:4000 ttl=63" },
	{ "in: the private address is another guest's now", OUT "internal D F\nin u udp X:53>S:4000\ndrop nat-unmapped @D" },
	{ "error in: the private address is another guest's now", OUT "internal D F\nin u icmp Y>S type=3/3 quote(udp S:4000>X:53)\n"
	  "drop nat-unmapped @D" },
	{ "a port whose mapping is over is free at once", "domain D maxnat=9\nfree D S icmp 4001-4003 = 0\nin D icmp D:4000>X echo\n"
	  "fwd u icmp S:4000>X echo ttl=63\ntime 60\nin D icmp D:77>X echo\nfwd u icmp S:4000>X echo ttl=63" },
	{ "mappings go with the domain", OUT "del D\nin u udp X:53>S:4000\ndrop port-unowned\nemit u icmp S>X 3/3" },
	{ "dhcp: off by default", "in A udp 0.0.0.0:68>255.255.255.255:67\ndrop src-addr\nevent src-addr A" },
	{ "dhcp: DISCOVER is answered by an OFFER, with the port parameters (RFC 7618)", "dhcp A\nin A dhcp discover\nconsumed\n"
	  "emit A dhcp offer your=S server=G mask=255.255.255.255 router=G lease=3600 mtu=1500 ports=6/8/3400" },
	{ "dhcp: REQUEST for the offered address: ACK", "dhcp A\nin A dhcp request want=S server=G\nconsumed\n"
	  "emit A dhcp ack your=S server=G mask=255.255.255.255 router=G lease=3600 mtu=1500 ports=6/8/3400" },
	{ "dhcp: REQUEST to renew what it has: ACK", "dhcp A\nin A dhcp request client=S\nconsumed\n"
	  "emit A dhcp ack your=S server=G mask=255.255.255.255 router=G lease=3600 mtu=1500 ports=6/8/3400" },
	{ "dhcp: REQUEST for another address: NAK", "dhcp A\nin A dhcp request want=C\nconsumed\nemit A dhcp nak server=G" },
	{ "dhcp: REQUEST to renew another address: NAK", "dhcp A\nin A dhcp request client=C\nconsumed\nemit A dhcp nak server=G" },
	{ "dhcp: REQUEST to another server is not ours", "dhcp A\nin A dhcp request want=S server=U\nconsumed" },
	{ "dhcp: INFORM: ACK without a lease or an address", "dhcp A\nin A dhcp inform client=S\nconsumed\n"
	  "emit A dhcp ack server=G mask=255.255.255.255 router=G mtu=1500 ports=6/8/3400" },
	{ "dhcp: a client that names itself is called by that name (RFC 6842)", "dhcp A noports\nin A dhcp discover id=a-long-client-name\n"
	  "consumed\nemit A dhcp offer your=S server=G mask=255.255.255.255 router=G lease=3600 mtu=1500 id=a-long-client-name\n"
	  "in A dhcp request want=C id=me\nconsumed\nemit A dhcp nak server=G id=me" },
	{ "dhcp: RELEASE and DECLINE are eaten", "dhcp A\nin A dhcp release client=S\nconsumed\nin A dhcp decline want=S\nconsumed" },
	{ "dhcp: name servers, another MTU", "dhcp A dns=Y mtu=1400\nin A dhcp discover\nconsumed\n"
	  "emit A dhcp offer your=S server=G mask=255.255.255.255 router=G dns=Y lease=3600 mtu=1400 ports=6/8/3400" },
	{ "dhcp: the MTU is that of the vif", "dhcp A\nmtu A 1300\nin A dhcp discover\nconsumed\n"
	  "emit A dhcp offer your=S server=G mask=255.255.255.255 router=G lease=3600 mtu=1300 ports=6/8/3400" },
	{ "dhcp: no option 159 where there is no port set", "dhcp A noports\nin A dhcp discover\nconsumed\n"
	  "emit A dhcp offer your=S server=G mask=255.255.255.255 router=G lease=3600 mtu=1500" },
	{ "dhcp: option 159: the PSID stands left in its field (RFC 7618)", "dhcp A ports=0/6/21\nin A dhcp discover\nconsumed\n"
	  "emit A dhcp offer your=S server=G mask=255.255.255.255 router=G lease=3600 mtu=1500 ports=0/6/8400" },
	{ "dhcp: option 159: a PSID of all 16 bits", "dhcp A ports=0/16/1234\nin A dhcp discover\nconsumed\n"
	  "emit A dhcp offer your=S server=G mask=255.255.255.255 router=G lease=3600 mtu=1500 ports=0/16/1234" },
	{ "dhcp: option 159: no PSID at all", "dhcp A ports=0/0/0\nin A dhcp discover\nconsumed\n"
	  "emit A dhcp offer your=S server=G mask=255.255.255.255 router=G lease=3600 mtu=1500 ports=0/0/0000" },
	{ "dhcp: a client's hardware address that is not the vif's", "dhcp A\nin A dhcp discover othermac\ndrop bad-l4" },
	{ "dhcp: an option that is longer than the message", "dhcp A\nin A dhcp discover badoption\ndrop bad-l4" },
	{ "dhcp: from outside it is a packet to a port", "dhcp A\nin u dhcp discover\ndrop martian" },
	{ "dhcp: a what-if answers nobody", "dhcp A\ntrace A dhcp discover -> consumed" },
	{ "dhcp: too short for BOOTP", "dhcp A\nin A udp 0.0.0.0:68>255.255.255.255:67 len=100\ndrop bad-l4" },
	{ "dhcp: not BOOTP", "dhcp A\nin A udp 0.0.0.0:68>255.255.255.255:67 len=300\ndrop bad-l4" },
	{ "dhcp: another domain's is its own matter", "dhcp B\nin A udp 0.0.0.0:68>255.255.255.255:67 len=300\ndrop src-addr\n"
	  "event src-addr A" },
};

const struct table nat_table = TABLE("nat", rows);
