/* SPDX-License-Identifier: BSD-2-Clause */
/* ARP, next hops, waiting packets. */
#include "rows.h"

#define ASK "emit u arp S>U op=1\n"

static const struct row rows[] = {
	{ "arp: the uplink asks for the shared address", "in u arp U>S\nconsumed\nemit u arp S>U op=2" },
	{ "arp: for a dedicated address", "in u arp U>C\nconsumed\nemit u arp C>U op=2" },
	{ "arp: internal addresses are not shown outside", "in u arp U>D\nconsumed" },
	{ "arp: somebody else's address", "in u arp U>203.0.113.99\nconsumed" },
	{ "arp: somebody outside in our name", "in u arp S>U\ndrop arp-bad" },
	{ "arp: sender MAC that differs from the frame's", "in u arp U>S op=2 smac=up\nconsumed" },
	{ "arp: unknown operation", "in u arp U>S op=9\ndrop arp-bad" },
	{ "arp: a guest asks for its gateway", "in A arp S>G\nconsumed\nemit A arp G>S op=2" },
	{ "arp: a guest asks for any address of its link", "in A arp S>203.0.113.1\nconsumed\nemit A arp 203.0.113.1>S op=2" },
	{ "arp: a guest probes its own address and hears nothing", "in A arp 0.0.0.0>S\nconsumed" },
	{ "arp: a guest announces its own address", "in A arp S>S\nconsumed" },
	{ "arp: a guest probes another's address: taken", "in A arp 0.0.0.0>C\nconsumed\nemit A arp C>0.0.0.0 op=2" },
	{ "arp: a guest probes a free address", "in A arp 0.0.0.0>10.0.0.77\nconsumed" },
	{ "arp: a dedicated guest asks for the shared address", "in C arp C>G\nconsumed\nemit C arp G>C op=2" },
	{ "arp: a guest in another's name", "in A arp C>G\ndrop arp-bad\nevent src-addr A" },
	{ "arp: a guest in a stranger's name", "in A arp Y>G\ndrop arp-bad\nevent src-addr A" },
	{ "arp: an internal guest", "in D arp D>G\nconsumed\nemit D arp G>D op=2" },
	{ "arp: announcement of all public addresses", "announce\nemit? u\nemit? u\nemit? u" },
	{ "next hop unknown: asked for, packet waits, then goes", "noneigh\nin A tcp S:1000>X:80\nheld\n" ASK "in u arp U>S op=2\n"
	  "consumed\nrel u" },
	{ "next hop unknown: what is too large is split when it is known", "mtu u 600\nnoneigh\nin A udp S:1000>X:9 len=1000\nheld\n" ASK
	  "in u arp U>S op=2\nconsumed\nemit u udp S:1000>X:9\nemit u udp S>X later\nrelcons" },
	{ "next hop unknown: what is too large and cannot be split is refused at once", "mtu u 600\nnoneigh\n"
	  "in A udp S:1000>X:9 len=1000 df\ndrop too-big\nemit A icmp G>S 3/4 mtu=600" },
	{ "next hop known after that", "noneigh\nin A tcp S:1000>X:80\nheld\n" ASK "in u arp U>S op=2\nconsumed\nrel u\n"
	  "in A tcp S:1000>X:80\nfwd u" },
	{ "next hop: asked once for many packets, which keep their order", "noneigh\nin A tcp S:1000>X:80\nheld\n"
	  ASK "in A tcp S:1001>X:80\nheld\nin B tcp S:2000>X:80\nheld\n"
	  "in u arp U>S op=2\nconsumed\nrel u tcp S:1000>X:80 ttl=63\nrel u tcp S:1001>X:80 ttl=63\nrel u tcp S:2000>X:80 ttl=63" },
	{ "next hop: a host on the link is asked for itself", "in A tcp S:1000>N:80\nheld\nemit u arp S>N op=1\nin u arp N>S op=2\n"
	  "consumed\nrel u" },
	{ "next hop: silent: four questions, then the sender is told", "noneigh\nin A tcp S:1000>X:80\nheld\n" ASK "time 1\n"
	  ASK "time 1\n" ASK "time 1\n" ASK "time 1\n"
	  "emit A icmp G>S 3/1\nevent neigh-failed -\nreldrop neigh-failed" },
	{ "next hop: the queue is bounded", "noneigh\nin A tcp S:1000>X:80\nheld\n" ASK "repeat 15 wait A tcp S:1000>X:80%\n"
	  "in A tcp S:1000>X:80\ndrop neigh-queue\n"
	  "in u arp U>S op=2\nconsumed\nrel u\nrepeat 15 relany" },
	{ "next hop: an unasked answer teaches nothing", "noneigh\nin u arp U>S op=2\nconsumed\nin A tcp S:1000>X:80\nheld\n"
	  ASK "in u arp U>S op=2\nconsumed\nrel u" },
	{ "next hop: who asks us is learnt", "noneigh\nin u arp U>S\nconsumed\nemit u arp S>U op=2\nin A tcp S:1000>X:80\nfwd u" },
	{ "next hop: unused, it is forgotten after 30 s", "noneigh\nin u arp U>S\nconsumed\nemit u arp S>U op=2\ntime 31\n"
	  "in A tcp S:1000>X:80\nheld\n" ASK "in u arp U>S op=2\nconsumed\nrel u" },
	{ "next hop: used, it is asked again, in person, and packets go on", "noneigh\nin u arp U>S\nconsumed\nemit u arp S>U op=2\n"
	  "in A tcp S:1000>X:80\nfwd u\ntime 30\n" ASK
	  "in A tcp S:1000>X:80\nfwd u\nin u arp U>S op=2\nconsumed\ntime 20" },
	{ "next hop: static never ages", "time 100\nin A tcp S:1000>X:80\nfwd u" },
	{ "detach of the uplink drops what waits", "noneigh\nin A tcp S:1000>X:80\nheld\n" ASK "detach u\nreldrop detached" },
	{ "detach of the sender drops what waits", "noneigh\nin A tcp S:1000>X:80\nheld\n" ASK "detach A\nreldrop detached\n"
	  "in u arp U>S op=2\nconsumed" },
	{ "no uplink: no route", "detach u\nin A tcp S:1000>X:80\ndrop no-route\nemit A icmp G>S 3/0" },
	{ "a fragment may wait for the next hop too", "noneigh\nin A udp S:1000>X:9 id=7 frag=64 len=64\nheld\n"
	  "in A udp S:1000>X:9 id=7 frag=0+ len=64\nheld\n" ASK
	  "in u arp U>S op=2\nconsumed\nrel u udp S:1000>X:9 id=7 frag=0+ len=64 ttl=63\nrel u" },
};

const struct table neigh_table = TABLE("neighbours", rows);
