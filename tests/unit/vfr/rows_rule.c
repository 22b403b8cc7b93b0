/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules and connections. */
#include "rows.h"

#define SYN "in A tcp S:1000>X:80 flags=S\n"
#define SYNACK "in u tcp X:80>S:1000 flags=SA\n"
#define ACK "in A tcp S:1000>X:80 flags=A\n"
#define CROSS "in u tcp X:80>S:1000 flags=S\n"
#define OURS "in A tcp S:1000>X:80 flags=SA\n"
#define OPEN SYN "fwd u\n" SYNACK "fwd A\n" ACK "fwd u\n"
#define STATEFUL "rule A out accept state\nrule A in drop\n"

static const struct row rows[] = {
	{ "flows: UDP that a rule keeps state of is limited like TCP", "domain A flows=2\nrule A out accept state udp\n"
	  "in A udp S:1000>X:1\nfwd u\nin A udp S:1000>X:2\nfwd u\nin A udp S:1000>X:3\ndrop flow-limit\nevent flow-limit A\n"
	  "in A udp S:1000>X:1\nfwd u\nin u udp X:2>S:1000\nfwd A\ntime 1\nin A udp S:1000>X:3\nfwd u" },
	{ "no rules: everything passes", SYN "fwd u" },
	{ "drop by destination port", "rule A out drop tcp dport=80\n" SYN "drop rule" },
	{ "another port passes", "rule A out drop tcp dport=80\nin A tcp S:1000>X:81\nfwd u" },
	{ "another protocol passes", "rule A out drop tcp dport=80\nin A udp S:1000>X:80\nfwd u" },
	{ "another domain is not bound", "rule A out drop tcp dport=80\nin B tcp S:2000>X:80\nfwd u" },
	{ "first match decides: accept", "rule A out accept tcp dport=80\nrule A out drop\n" SYN "fwd u" },
	{ "first match decides: drop", "rule A out drop tcp dport=80\nrule A out accept\n" SYN "drop rule" },
	{ "in and out are apart", "rule A in drop\n" SYN "fwd u\n" SYNACK "drop rule @A" },
	{ "by source prefix", "rule A in drop src=192.0.2.0/24\n" SYNACK "drop rule @A\nin u tcp 192.0.3.1:80>S:1000\nfwd A" },
	{ "by one source address", "rule A in drop src=X\nin u tcp Y:80>S:1000\nfwd A\n" SYNACK "drop rule @A" },
	{ "by destination prefix of 1 bit", "rule A out drop dst=128.0.0.0/1\n" SYN "drop rule\nin A tcp S:1000>10.9.9.9:80\nfwd u" },
	{ "by source port range", "rule A out drop udp sport=1100-1200\nin A udp S:1099>X:9\nfwd u\nin A udp S:1100>X:9\ndrop rule\n"
	  "in A udp S:1200>X:9\ndrop rule\nin A udp S:1201>X:9\nfwd u" },
	{ "by port of any protocol that has ports", "rule A out drop dport=80\n" SYN "drop rule\nin A udp S:1000>X:80\ndrop rule" },
	{ "a port rule does not match a packet without ports", "proto A S 47 = 0\nrule A out drop dport=0-100\nin A gre S>X\nfwd u" },
	{ "by protocol", "proto A S 47 = 0\nrule A out drop gre\nin A gre S>X\ndrop rule" },
	{ "by TCP flags: SYN alone", "rule A in drop tcp flags=18/2\nin u tcp X:9>S:1000 flags=S\ndrop rule @A\n"
	  "in u tcp X:9>S:1000 flags=SA\nfwd A" },
	{ "by ICMP type", "rule C in drop icmp type=13\nin u icmp X>C type=13/0\ndrop rule @C\nin u icmp X:7>C echo\nfwd C" },
	{ "global rules come first", "rule all out drop tcp dport=80\nrule A out accept\n" SYN "drop rule" },
	{ "a global accept does not bind the domain", "rule all out accept\nrule A out drop\n" SYN "drop rule" },
	{ "global rules hold for every domain", "rule all in drop udp\nin u udp X:9>S:1000\ndrop rule @A\nin u udp X:9>S:2000\n"
	  "drop rule @B" },
	{ "reject of TCP: a reset", "rule A out reject tcp\n" SYN "drop rule-reject\nemit A tcp X:80>S:1000 RA" },
	{ "reject of TCP with ACK: a plain reset", "rule A out reject tcp\n" ACK "drop rule-reject\nemit A tcp X:80>S:1000 R" },
	{ "reject never answers a reset", "rule A out reject tcp\nin A tcp S:1000>X:80 flags=R\ndrop rule-reject" },
	{ "reject of UDP: prohibited", "rule A out reject udp\nin A udp S:1000>X:9\ndrop rule-reject\nemit A icmp G>S 3/13" },
	{ "reject towards outside", "rule A in reject tcp\nin u tcp X:9>S:1000 flags=S\ndrop rule-reject @A\nemit u tcp S:1000>X:9 RA" },
	{ "count goes on", "rule A out count\nrule A out drop\n" SYN "drop rule" },
	{ "log tells the audit and goes on with its action", "rule A out drop log\n" SYN "drop rule\nevent rule-log A" },
	{ "log: once a second, with the count", "rule A out accept log\n" SYN "fwd u\nevent rule-log A 1\n" SYN "fwd u\n" SYN "fwd u\n"
	  "time 1\n" SYN "fwd u\nevent rule-log A 3" },
	{ "limit: matches within its rate only", "rule A out accept udp rate=2\nrule A out drop udp\nin A udp S:1000>X:9\nfwd u\n"
	  "in A udp S:1000>X:9\nfwd u\n"
	  "in A udp S:1000>X:9\ndrop rule\ntime 1\nin A udp S:1000>X:9\nfwd u" },
	{ "hairpin: the sender's out and the receiver's in are both asked", "rule A out accept\nrule B in drop\n"
	  "in A tcp S:1000>S:2000\ndrop rule @A" },
	{ "hairpin: sender says no", "rule A out drop\nrule B in accept\nin A tcp S:1000>S:2000\ndrop rule" },
	{ "norules: everything passes again", "rule A out drop\n" SYN "drop rule\nnorules A\n" SYN "fwd u" },
	{ "state: answers pass without a rule", STATEFUL OPEN },
	{ "state: strangers do not", STATEFUL OPEN "in u tcp Y:80>S:1000 flags=SA\ndrop rule @A" },
	{ "state: nothing before the opener", STATEFUL SYNACK "drop rule @A" },
	{ "state: an ACK without a connection", STATEFUL ACK "drop conn-state" },
	{ "state: data both ways", STATEFUL OPEN "in u tcp X:80>S:1000\nfwd A\n" ACK "fwd u" },
	{ "state: a second SYN from the answerer does not fit", STATEFUL OPEN "in u tcp X:80>S:1000 flags=S\ndrop conn-state @A" },
	{ "state: a lost SYN may be repeated", STATEFUL SYN "fwd u\n" SYN "fwd u\n" SYNACK "fwd A" },
	{ "state: SYN-ACK repeated", STATEFUL SYN "fwd u\n" SYNACK "fwd A\n" SYNACK "fwd A" },
	{ "state: refused connection (reset)", STATEFUL SYN "fwd u\nin u tcp X:80>S:1000 flags=RA\nfwd A" },
	{ "state: new connection on the ports of a reset one", STATEFUL SYN "fwd u\nin u tcp X:80>S:1000 flags=RA\nfwd A\n" OPEN },
	{ "state: orderly end", STATEFUL OPEN "in A tcp S:1000>X:80 flags=FA\nfwd u\nin u tcp X:80>S:1000 flags=FA\nfwd A\n"
	  ACK "fwd u" },
	{ "state: half-closed still carries data", STATEFUL OPEN "in A tcp S:1000>X:80 flags=FA\nfwd u\nin u tcp X:80>S:1000\nfwd A" },
	{ "state: half-open lives 4 minutes (RFC 5382 REQ-5)", STATEFUL SYN "fwd u\ntime 235\n" SYNACK "fwd A" },
	{ "state: and no longer", STATEFUL SYN "fwd u\ntime 245\n" SYNACK "drop rule @A" },
	{ "state: established lives 2 hours 4 minutes (RFC 5382 REQ-5)", STATEFUL OPEN "time 7400\nin u tcp X:80>S:1000\nfwd A" },
	{ "state: and no longer", STATEFUL OPEN "time 7450\nin u tcp X:80>S:1000\ndrop rule @A" },
	{ "state: after a reset 4 minutes (RFC 7857 2.2)", STATEFUL OPEN "in u tcp X:80>S:1000 flags=R\nfwd A\ntime 245\n"
	  "in u tcp X:80>S:1000\ndrop rule @A" },
	{ "state: a reset that is not believed: data goes on, as long as before (RFC 7857 2)", STATEFUL OPEN
	  "in u tcp X:80>S:1000 flags=R\nfwd A\n" ACK "fwd u\ntime 7400\nin u tcp X:80>S:1000\nfwd A" },
	{ "state: a reset before it is open: nothing opens it", STATEFUL SYN "fwd u\nin A tcp S:1000>X:80 flags=R\nfwd u\n" ACK "fwd u\n"
	  "time 245\nin u tcp X:80>S:1000\ndrop rule @A" },
	{ "state: simultaneous open, ours first (RFC 793 figure 8)", STATEFUL SYN "fwd u\n" CROSS "fwd A\n" OURS "fwd u\n"
	  SYNACK "fwd A\ntime 7400\nin u tcp X:80>S:1000\nfwd A" },
	{ "state: simultaneous open, theirs is acknowledged first", STATEFUL SYN "fwd u\n" CROSS "fwd A\n" SYNACK "fwd A\n"
	  OURS "fwd u\ntime 7400\nin u tcp X:80>S:1000\nfwd A" },
	{ "state: simultaneous open, theirs came first and was refused", STATEFUL CROSS "drop rule @A\n" SYN "fwd u\n" CROSS "fwd A\n"
	  OURS "fwd u\n" SYNACK "fwd A\n" ACK "fwd u" },
	{ "state: simultaneous open of a service", "rule A in accept state\nrule A out drop\n" CROSS "fwd A\n" SYN "fwd u\n"
	  SYNACK "fwd A\n" OURS "fwd u\ntime 7400\n" ACK "fwd u" },
	{ "state: simultaneous open, a lost acknowledgement is repeated", STATEFUL SYN "fwd u\n" CROSS "fwd A\n" OURS "fwd u\n"
	  SYNACK "fwd A\n" OURS "fwd u" },
	{ "state: two SYNs are no connection yet", STATEFUL SYN "fwd u\n" CROSS "fwd A\n" ACK "drop conn-state\ntime 245\n"
	  SYNACK "drop rule @A" },
	{ "state: nor is one that only its opener acknowledges", STATEFUL SYN "fwd u\n" CROSS "fwd A\n" OURS "fwd u\n" ACK "fwd u\n"
	  "time 245\n" SYNACK "drop rule @A" },
	{ "state: a SYN-ACK from the opener of an ordinary one does not fit", STATEFUL SYN "fwd u\n" SYNACK "fwd A\n"
	  OURS "drop conn-state" },
	{ "state: UDP answers", STATEFUL "in A udp S:1000>X:53\nfwd u\nin u udp X:53>S:1000\nfwd A" },
	{ "state: UDP lives 5 minutes once answered (RFC 4787 REQ-5)", STATEFUL "in A udp S:1000>X:53\nfwd u\nin u udp X:53>S:1000\n"
	  "fwd A\ntime 295\nin u udp X:53>S:1000\nfwd A" },
	{ "state: UDP one-way lives 2 minutes", STATEFUL "in A udp S:1000>X:53\nfwd u\ntime 125\nin u udp X:53>S:1000\ndrop rule @A" },
	{ "state: echo answers", STATEFUL "in A icmp S:1000>X echo\nfwd u\nin u icmp X:1000>S reply\nfwd A" },
	{ "state: echo lives 60 s (RFC 5508 REQ-2)", STATEFUL "in A icmp S:1000>X echo\nfwd u\ntime 58\nin u icmp X:1000>S reply\n"
	  "fwd A\ntime 62\nin u icmp X:1000>S reply\ndrop rule @A" },
	{ "state: an ICMP error about a connection passes", STATEFUL SYN "fwd u\n"
	  "in u icmp Y>S type=3/4 mtu=1400 quote(tcp S:1000>X:80)\nfwd A" },
	{ "state: an ICMP error about none does not", STATEFUL "in u icmp Y>S type=3/4 mtu=1400 quote(tcp S:1000>X:80)\ndrop rule @A" },
	{ "state: connections survive a change of rules", STATEFUL OPEN "rule A out drop\nin u tcp X:80>S:1000\nfwd A" },
	{ "state: and so do they without", STATEFUL OPEN "norules A\nin u tcp X:80>S:1000\nfwd A" },
	{ "state: hairpin, both sides stateful", "rule A out accept state\nrule A in drop\nrule B in accept state tcp dport=2000\n"
	  "rule B out drop\n"
	  "in A tcp S:1000>S:2000 flags=S\nfwd B\nin B tcp S:2000>S:1000 flags=SA\nfwd A\nin A tcp S:1000>S:2000\nfwd B" },
	{ "state: inbound service", "rule A in accept state tcp dport=80\nrule A in drop\nrule A out drop\nin u tcp X:9>S:80 flags=S\n"
	  "fwd A\nin A tcp S:80>X:9 flags=SA\nfwd u\nin A tcp S:80>Y:9 flags=SA\ndrop rule" },
	{ "state: established only", "rule A out accept state\nrule A in accept st=e\nrule A in drop\n" SYN "fwd u\n" SYNACK "fwd A" },
	{ "state: new is not invalid", "rule A in accept st=n\nrule A in drop\nin u tcp X:9>S:1000 flags=S\nfwd A\n"
	  "in u tcp X:9>S:1000\ndrop rule @A" },
	{ "quota: half-open ones make room for each other", "domain A conns=1\n" STATEFUL SYN "fwd u\nin A tcp S:1001>X:80 flags=S\n"
	  "drop conn-quota\nevent conn-quota A" },
	{ "quota: of another domain is untouched", "domain A conns=1\nrule B out accept state\n" STATEFUL SYN "fwd u\n"
	  "in B tcp S:2000>X:80 flags=S\nfwd u" },
	{ "quota: an established one is never pushed out", "domain A conns=1\n" STATEFUL OPEN "in A tcp S:1001>X:80 flags=S\n"
	  "drop conn-quota\nevent conn-quota A\nin u tcp X:80>S:1000\nfwd A" },
	{ "quota: comes back with time", "domain A conns=1\n" STATEFUL SYN "fwd u\ntime 300\nin A tcp S:1001>X:80 flags=S\nfwd u" },
	{ "fragments: the first is asked, the rest follow", "rule A in drop udp dport=1000\nin u udp X:9>S:1000 id=7 frag=0+ len=64\n"
	  "drop rule @A\nin u udp X:9>S:1000 id=7 frag=64 len=64\ndrop rule" },
	{ "v6 rules: by source", "rule A in drop src=2001:db8:99::/48\nin u tcp [X6]:9>[A6]:80\ndrop rule @A\nin u tcp X:9>S:1000\n"
	  "fwd A" },
	{ "v6 rules: by full address", "rule A in drop src=X6\nin u tcp [X6]:9>[A6]:80\ndrop rule @A\n"
	  "in u tcp [2001:db8:99::8]:9>[A6]:80\nfwd A" },
	{ "v6 rules: a rule without family matches both", "rule A in drop tcp dport=1000\nin u tcp [X6]:9>[A6]:1000\ndrop rule @A\n"
	  "in u tcp X:9>S:1000\ndrop rule @A" },
	{ "v6 state", STATEFUL "in A tcp [A6]:9>[X6]:80 flags=S\nfwd u\nin u tcp [X6]:80>[A6]:9 flags=SA\nfwd A\n"
	  "in u tcp [X6]:81>[A6]:9 flags=SA\ndrop rule @A" },
	{ "trace: a plain packet", "trace u tcp X:9>S:1000 -> forward A" },
	{ "trace: outbound", "trace A tcp S:1000>X:80 -> forward u" },
	{ "trace: a foreign source port, and nobody is told", "trace A tcp S:2000>X:80 -> drop src-port" },
	{ "trace: nobody's port, no error is sent", "trace u tcp X:9>S:30000 -> drop port-unowned" },
	{ "trace: names the rule", "rule A out drop tcp dport=80 id=77\ntrace A tcp S:1000>X:80 -> drop rule rule A 77" },
	{ "trace: a reject sends nothing", "rule A out reject tcp id=5\ntrace A tcp S:1000>X:80 -> drop rule-reject rule A 5" },
	{ "trace: a state rule opens nothing",
	  STATEFUL "trace A tcp S:1000>X:80 flags=S -> forward u\n" SYNACK "drop rule @A" },
	{ "trace: a limit is not used up", "rule A out accept udp rate=1\nrule A out drop udp\ntrace A udp S:1000>X:9 -> forward u\n"
	  "trace A udp S:1000>X:9 -> forward u\nin A udp S:1000>X:9\nfwd u" },
	{ "trace: an unknown next hop is not asked for", "noneigh\ntrace A tcp S:1000>X:80 -> held" },
	{ "trace: NAT maps nothing", "trace D udp D:4000>X:53 -> forward u\nin u udp X:53>S:4000\ndrop nat-unmapped @D" },
	{ "trace: NAT has the port that a packet would get", "rule D out drop udp sport=4001 id=9\n"
	  "trace D udp D:4001>X:53 -> drop rule rule D 9\ntrace D udp D:4002>X:53 -> forward u" },
	{ "trace: NAT without a port left", "in D udp D:4000>X:53\nfwd? u\nin D udp D:4001>X:53\nfwd? u\nin D udp D:4002>X:53\nfwd? u\n"
	  "trace D udp D:9>X:53 -> forward u\nin D udp D:4003>X:53\nfwd? u\ntrace D udp D:9>X:53 -> drop nat-full" },
	{ "trace: fragments are not followed", "trace u udp X:9>S:1000 id=7 frag=64 len=64 -> held\n"
	  "trace u udp X:9>S:1000 id=7 frag=0+ len=64 -> forward A" },
	{ "trace: echo", "trace u icmp X:7>S echo -> forward u" },
	{ "trace: arp", "trace u arp U>S -> consumed" },
	{ "trace: garbage", "trace u tcp X:9>S:1000 cut=50 -> drop short" },
	{ "classes: a rule on the way chooses, a later one anew, none leaves it", "rule A out accept count udp class=2\n"
	  "rule A out accept udp dport=53 class=3\nin A udp S:1000>X:9\nfwd u\nclass 2\nin A udp S:1000>X:53\nfwd u\nclass 3\n"
	  "in A tcp S:1000>X:9 flags=S\nfwd u\nclass 0" },
	{ "classes: stay with the connection, both ways", "rule A out accept count tcp class=5\n" STATEFUL SYN "fwd u\nclass 5\n"
	  SYNACK "fwd A\nclass 5\n" ACK "fwd u\nclass 5" },
	{ "classes: what an out rule chooses is for the uplink, not for another guest", "rule A out accept udp class=2\n"
	  "in A udp S:1000>X:9\nfwd u\nclass 2\nin A udp S:1000>S:2000\nfwd B\nclass 0" },
	{ "classes: towards a guest its in rules choose", "rule A out accept udp class=2\nrule B in accept udp class=7\n"
	  "in A udp S:1000>S:2000\nfwd B\nclass 7\nin u udp X:9>S:2000\nfwd B\nclass 7" },
	{ "classes: each end of a connection between guests keeps its own", "rule A out accept state class=2\nrule A in drop\n"
	  "rule B in accept state class=7\nrule B out drop\nin A tcp S:1000>S:2000 flags=S\nfwd B\nclass 7\n"
	  "in B tcp S:2000>S:1000 flags=SA\nfwd A\nclass 2\nin A tcp S:1000>S:2000\nfwd B\nclass 7\n"
	  "in B tcp S:2000>S:1000\nfwd A\nclass 2" },
	{ "classes: a connection of one end has none at the other", "rule A out accept state class=2\nrule A in drop\n"
	  "in A tcp S:1000>S:2000 flags=S\nfwd B\nclass 0\nin B tcp S:2000>S:1000 flags=SA\nfwd A\nclass 2" },
	{ "classes: of a fragmented datagram between guests", "rule A out accept udp class=2\nrule B in accept udp class=7\n"
	  "in A udp S:1000>S:2000 id=7 frag=0+ len=64\nfwd B\nclass 7\nin A udp S:1000>S:2000 id=7 frag=64 len=64\nfwd B\nclass 7" },
	{ "many rules: one that a packet without ports cannot match hides nothing from it", "proto A S 47 = 0\n"
	  "rule A out accept dport=0-100\nrepeat 40 rule A out accept dport=9%\nrule A out drop gre\nin A gre S>X\ndrop rule\n"
	  "in A tcp S:1000>X:9 flags=S\nfwd u" },
	{ "many rules: one that counts and lets go on hides nothing", "rule A out accept count tcp\n"
	  "repeat 40 rule A out accept tcp dport=9%\nrule A out drop tcp\nin A tcp S:1000>X:917 flags=S\nfwd u\n"
	  "in A tcp S:1000>X:8 flags=S\ndrop rule" },
	{ "many rules: the classifier finds the one", "repeat 40 rule A out accept udp dport=9%\nrule A out drop udp dport=5000-5999\n"
	  "in A udp S:1000>X:917\nfwd u\nin A udp S:1000>X:5500\ndrop rule" },
};

const struct table rule_table = TABLE("rules", rows);
