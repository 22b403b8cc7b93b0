/* SPDX-License-Identifier: BSD-2-Clause */
/* ICMP: echo, errors in both directions, what the router says itself. */
#include "rows.h"

static const struct row rows[] = {
	{ "echo: the router answers for the shared address", "in u icmp X:7>S echo\nfwd u icmp S:7>X reply ttl=64" },
	{ "echo: any identifier, owned or not", "in u icmp X:30000>S echo\nfwd u icmp S:30000>X reply ttl=64" },
	{ "echo: for the second shared address", "in u icmp X:7>T echo\nfwd u icmp T:7>X reply ttl=64" },
	{ "echo: a guest asks the shared address", "in A icmp S:1000>S echo\nfwd A icmp S:1000>S reply ttl=64" },
	{ "echo: a guest asks its gateway", "in A icmp S:1000>G echo\nfwd A icmp G:1000>S reply ttl=64" },
	{ "echo: a dedicated address answers for itself", "in u icmp X:7>C echo\nfwd C" },
	{ "echo: its answer goes out", "in C icmp C:7>X reply\nfwd u" },
	{ "echo: a guest's request from its identifiers", "in A icmp S:1000>X echo\nfwd u" },
	{ "echo: the reply finds the identifier's owner", "in u icmp X:1000>S reply\nfwd A" },
	{ "echo: a reply for nobody's identifier", "in u icmp X:30000>S reply\ndrop port-unowned\nemit u icmp S>X 3/3" },
	{ "echo: a request with a foreign identifier", "in A icmp S:2000>X echo\ndrop src-port\nemit A icmp G>S 3/13\nevent src-port A" },
	{ "echo: large, within one packet", "in u icmp X:7>S echo len=1400\nfwd u icmp S:7>X reply ttl=64 len=1400" },
	{ "echo: guests cannot be pinged at nobody's address", "in A icmp S:1000>203.0.113.99 echo\nfwd u" },
	{ "types: timestamp to the shared address", "in u icmp X>S type=13/0\ndrop icmp-type" },
	{ "types: redirect to the shared address", "in u icmp X>S type=5/1\ndrop icmp-type" },
	{ "types: timestamp to a dedicated address", "in u icmp X>C type=13/0\nfwd C" },
	{ "types: a guest of the shared address sends a timestamp", "in A icmp S>X type=13/0\ndrop src-proto\nevent src-port A" },
	{ "error in: port unreachable finds the quoted sender", "in u icmp X>S type=3/3 quote(udp S:1000>X:9)\nfwd A" },
	{ "error in: TTL exceeded from a router on the way (traceroute)", "in u icmp Y>S type=11/0 quote(udp S:1000>X:33434)\nfwd A" },
	{ "error in: fragmentation needed (PMTUD)", "in u icmp Y>S type=3/4 mtu=1280 quote(tcp S:2000>X:80)\nfwd B" },
	{ "error in: parameter problem", "in u icmp Y>S type=12/0 quote(tcp S:2000>X:80)\nfwd B" },
	{ "error in: 8 bytes of quote are enough (RFC 792)", "in u icmp Y>S type=11/0 quote(tcp S:1000>X:80) q=28\nfwd A" },
	{ "error in: 7 bytes are not", "in u icmp Y>S type=11/0 quote(tcp S:1000>X:80) q=27\ndrop icmp-quote" },
	{ "error in: no quote at all", "in u icmp Y>S type=3/1 len=0\ndrop icmp-quote" },
	{ "error in: long quote with room for extensions (RFC 4884)", "in u icmp Y>S type=11/0 quote(udp S:1000>X:9 len=100) q=128\n"
	  "fwd A" },
	{ "error in: about an echo request", "in u icmp Y>S type=11/0 quote(icmp S:1000>X echo)\nfwd A" },
	{ "error in: about sctp", "in u icmp Y>S type=3/2 quote(sctp S:1500>X:9)\nfwd A" },
	{ "error in: about a DMZ protocol", "proto A S 47 = 0\nin u icmp Y>S type=3/2 quote(gre S>X)\nfwd A" },
	{ "error in: about nobody's port", "in u icmp Y>S type=3/3 quote(udp S:30000>X:9)\ndrop icmp-quote" },
	{ "error in: quoted source is not the receiver (RFC 5508 4.1)", "in u icmp Y>S type=3/3 quote(udp T:5377>X:9)\ndrop icmp-quote" },
	{ "error in: about an error (RFC 1122)", "in u icmp Y>S type=3/3 quote(icmp S>X type=3/1)\ndrop icmp-quote" },
	{ "error in: quoted later fragment has no ports", "in u icmp Y>S type=11/1 quote(udp S>X frag=1480)\ndrop icmp-quote" },
	{ "error in: quoted header of another IP version", "in u icmp Y>S type=3/3 quote(udp S:1000>X:9 ver=6)\ndrop icmp-quote" },
	{ "error in: for a dedicated address", "in u icmp Y>C type=3/3 quote(udp C:1>X:9)\nfwd C" },
	{ "error in: for a dedicated address, quote of another", "in u icmp Y>C type=3/3 quote(udp S:1000>X:9)\ndrop icmp-quote" },
	{ "error in: fragmented errors are refused", "in u icmp Y>S type=3/3 frag=0+ len=64\ndrop icmp-quote" },
	{ "error in: owner not attached", "in u icmp Y>S type=3/3 quote(udp S:5000>X:9)\ndrop owner-down @E" },
	{ "error out: a guest reports its closed port", "in A icmp S>X type=3/3 quote(udp X:9>S:1000)\nfwd u" },
	{ "error out: about another domain's port", "in A icmp S>X type=3/3 quote(udp X:9>S:2000)\ndrop icmp-quote\nevent src-port A" },
	{ "error out: quote not addressed to the sender", "in A icmp S>X type=3/3 quote(udp X:9>T:1000)\ndrop icmp-quote\n"
	  "event src-port A" },
	{ "error out: from a dedicated address", "in C icmp C>X type=3/3 quote(udp X:9>C:1000)\nfwd u" },
	{ "error hairpin: B tells A about its closed port", "in B icmp S>S type=3/3 quote(udp S:1000>S:2000)\nfwd A" },
	{ "error hairpin: but not about what B did not get", "in B icmp S>S type=3/3 quote(udp S:1000>S:1001)\ndrop icmp-quote\n"
	  "event src-port B" },
	{ "own: no error about an error", "in u icmp Y>S type=3/3 quote(udp S:1000>X:9) ttl=1\ndrop ttl @A" },
	{ "own: no error to a broadcast", "in u udp X:9>S:30000 dmac=bcast\ndrop broadcast" },
	{ "own: errors to a guest are limited to a burst of 50", "repeat 50 noerr A udp S:30000>X:9\nin A udp S:30000>X:80\n"
	  "drop src-port" },
};

const struct table icmp_table = TABLE("icmp", rows);
