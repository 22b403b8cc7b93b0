/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv6: prefixes, ND, RA, errors, fragments, extension headers. */
#include "rows.h"

#define RA "router=1800 2001:db8:1::/64=86400/14400"

#define STATE "rule A out accept state\nrule A in drop\n"
#define EXT(off) "in u udp [X6]:9>[A6]:80 id=5 frag=" off " len=64 inner\n"

static const struct row rows[] = {
	{ "in: any address of a /64", "in u tcp [X6]:9>[A6]:80\nfwd A" },
	{ "in: another address of it", "in u tcp [X6]:9>[2001:db8:1::77]:80\nfwd A" },
	{ "in: a /128 whose owner is not attached", "in u tcp [X6]:9>[H6]:80\ndrop owner-down @E\nemit u icmp H6>X6 1/3" },
	{ "in: next to a /128", "in u tcp [X6]:9>[2001:db8:5::6]:80\ndrop addr-unknown" },
	{ "in: nobody's prefix", "in u tcp [X6]:9>[2001:db8:77::1]:80\ndrop addr-unknown" },
	{ "in: from nobody (RFC 4291 2.5.2)", "in u udp [::]:9>[A6]:80\ndrop martian" },
	{ "in: from the loop inside a host (RFC 4291 2.5.3)", "in u udp [::1]:9>[A6]:80\ndrop martian" },
	{ "in: from a link-local address (RFC 4291 2.5.6)", "in u udp [fe80::7]:9>[A6]:80\ndrop martian" },
	{ "in: the link itself may ask for an echo", "in u icmp [fe80::7]:5>[LL] echo\nfwd u icmp [LL]:5>[fe80::7] reply ttl=64" },
	{ "out: to nobody", "in A udp [A6]:9>[::]:80\ndrop martian" },
	{ "out: to the loop inside a host", "in A udp [A6]:9>[::1]:80\ndrop martian" },
	{ "in: a source that lives inside", "in u tcp [C6]:9>[A6]:80\ndrop martian" },
	{ "out: from the prefix", "in A tcp [A6]:9>[X6]:80\nfwd u" },
	{ "out: no slice binds IPv6 ports", "in A udp [A6]:1>[X6]:53\nfwd u" },
	{ "out: another domain's prefix", "in A tcp [C6]:9>[X6]:80\ndrop src-addr\nevent src-addr A" },
	{ "out: a foreign prefix", "in A tcp [2001:db8:77::1]:9>[X6]:80\ndrop src-addr\nevent src-addr A" },
	{ "out: egress 25/tcp is denied", "in A tcp [A6]:9>[X6]:25\ndrop egress-denied\nemit A icmp LL>A6 1/1\nevent egress A" },
	{ "out: multicast", "in A udp [A6]:9>[ff02::fb]:5353\ndrop broadcast" },
	{ "between guests", "in A tcp [A6]:9>[C6]:80\nfwd C" },
	{ "echo passes to the guest", "in u icmp [X6]:5>[A6] echo\nfwd A" },
	{ "echo to the router's link-local", "in A icmp [A6]:5>[LL] echo\nfwd A icmp [LL]:5>[A6] reply ttl=64" },
	{ "echo to the router's link-local, from the guest's", "in A icmp [fe80::1:a]:5>[LL] echo\n"
	  "fwd A icmp [LL]:5>[fe80::1:a] reply ttl=64" },
	{ "echo between link-locals, in pieces", "in A icmp [fe80::1:a]:5>[LL] echo id=5 frag=0+ len=64\n"
	  "fwd A icmp [LL]:5>[fe80::1:a] reply id=5 frag=0+ len=64 ttl=64\n"
	  "in A icmp [fe80::1:a]:5>[LL] echo id=5 frag=64 len=64\nfwd A icmp [LL]:5>[fe80::1:a] reply id=5 frag=64 len=64 ttl=64" },
	{ "a guest's link-local reaches nobody else", "in A tcp [fe80::1:a]:9>[X6]:80\ndrop src-addr\nevent src-addr A\n"
	  "in A tcp [fe80::1:a]:9>[C6]:80\ndrop src-addr\nin A tcp [fe80::1:a]:9>[LL]:80\ndrop martian" },
	{ "a guest that joins a group is told apart from one that lies about its address",
	  "in A icmp fe80::1:a>ff02::16 type=143/0\ndrop broadcast\nin A icmp ::>ff02::16 type=143/0\ndrop broadcast\n"
	  "in A udp [fe80::1:a]:5353>[ff02::fb]:5353\ndrop broadcast\n"
	  "in A udp [fe80::1:a]:9>[ff05::2]:9\ndrop src-addr\nevent src-addr A" },
	{ "hop limit runs out inbound", "in u tcp [X6]:9>[A6]:80 ttl=1\ndrop ttl @A\nemit u icmp A6>X6 3/0" },
	{ "hop limit runs out outbound", "in A udp [A6]:9>[X6]:33434 ttl=1\ndrop ttl\nemit A icmp LL>A6 3/0" },
	{ "too big: the sender learns the size", "mtu u 1280\nin A udp [A6]:9>[X6]:9 len=1300\ndrop too-big\n"
	  "emit A icmp LL>A6 2/0 mtu=1280" },
	{ "too big: inbound", "mtu A 1280\nin u udp [X6]:9>[A6]:9 len=1300\ndrop too-big @A\nemit u icmp A6>X6 2/0 mtu=1280" },
	{ "error in passes", "in u icmp X6>A6 type=2/0 mtu=1280 quote(tcp [A6]:9>[X6]:80)\nfwd A" },
	{ "error in: the quote's extension headers are walked to its ports", STATE "in A tcp [A6]:9>[X6]:80 flags=S opt=60\nfwd u\n"
	  "in u icmp X6>A6 type=2/0 mtu=1280 quote(tcp [A6]:9>[X6]:80 opt=60)\nfwd A\n"
	  "in u icmp X6>A6 type=2/0 mtu=1280 quote(tcp [A6]:9>[X6]:81 opt=60)\ndrop rule @A" },
	{ "error in: about a first fragment (PMTUD of what is fragmented)", STATE "in A udp [A6]:9>[X6]:80 id=5 frag=0+ len=1400\nfwd u\n"
	  "in u icmp X6>A6 type=2/0 mtu=1280 quote(udp [A6]:9>[X6]:80 id=5 frag=0+ len=64)\nfwd A" },
	{ "error in: about a later fragment is the prefix's",
	  "in u icmp X6>A6 type=2/0 mtu=1280 quote(udp [A6]:9>[X6]:80 id=5 frag=64 len=64)\n"
	  "fwd A" },
	{ "error in: about an error behind an extension header", "in u icmp X6>A6 type=1/4 quote(icmp A6>X6 type=1/4 opt=60)\n"
	  "drop icmp-quote" },
	{ "error in: extension headers that lead out of the quote", STATE "in A tcp [A6]:9>[X6]:80 flags=S opt=60\nfwd u\n"
	  "in u icmp X6>A6 type=2/0 mtu=1280 quote(tcp [A6]:9>[X6]:80 opt=60) q=52\ndrop rule @A" },
	{ "error in with a foreign quote", "in u icmp X6>A6 type=2/0 mtu=1280 quote(tcp [C6]:9>[X6]:80)\ndrop icmp-quote" },
	{ "error out passes", "in A icmp A6>X6 type=1/4 quote(udp [X6]:9>[A6]:80)\nfwd u" },
	{ "error out with a foreign quote", "in A icmp A6>X6 type=1/4 quote(udp [X6]:9>[C6]:80)\ndrop icmp-quote" },
	{ "version 4 in an IPv6 frame", "in u tcp [X6]:9>[A6]:80 ver=4\ndrop bad-ip" },
	{ "length beyond the frame", "in u tcp [X6]:9>[A6]:80 cut=1\ndrop bad-ip" },
	{ "shorter than a header", "in u tcp [X6]:9>[A6]:80 cut=40\ndrop short" },
	{ "TCP header cut off", "in u tcp [X6]:9>[A6]:80 tlen=19\ndrop bad-l4" },
	{ "hop-by-hop options pass", "in u udp [X6]:9>[A6]:80 opt=256\nfwd A" },
	{ "destination options pass", "in u udp [X6]:9>[A6]:80 opt=60\nfwd A" },
	{ "routing headers are refused (RFC 5095)", "in u udp [X6]:9>[A6]:80 opt=43\ndrop ip-options" },
	{ "fragments in order", "in u udp [X6]:9>[A6]:80 id=5 frag=0+ len=64\nfwd A\nin u udp [X6]:9>[A6]:80 id=5 frag=64 len=64\n"
	  "fwd A" },
	{ "fragments in reverse", "in u udp [X6]:9>[A6]:80 id=5 frag=64 len=64\nheld\nin u udp [X6]:9>[A6]:80 id=5 frag=0+ len=64\n"
	  "fwd A\nrel A" },
	{ "fragments: an extension header behind the fragment header is part of what is cut", EXT("0+") "fwd A\n" EXT("64+") "fwd A\n"
	  EXT("120") "drop frag-overlap\nevent frag-attack -" },
	{ "fragments: with one, complete", "in A udp [A6]:9>[X6]:80 id=5 frag=0+ len=64 inner\nfwd u\ndomain A frags=1\n"
	  "in A udp [A6]:9>[X6]:80 id=5 frag=64 len=64 inner\nfwd u\nin A udp [A6]:9>[X6]:80 id=6 frag=0+ len=64\nfwd u" },
	{ "fragments: with one, in reverse", EXT("64") "held\n" EXT("0+") "fwd A\nrel A" },
	{ "fragments: what a later one says of its protocol does not count (RFC 8200 4.5)",
	  "in u udp [X6]:9>[A6]:80 id=5 frag=0+ len=64\nfwd A\nin u udp [X6]:9>[A6]:80 id=5 frag=56+ len=64 nh=6\n"
	  "drop frag-overlap\nevent frag-attack -" },
	{ "overlap (RFC 5722)", "in u udp [X6]:9>[A6]:80 id=5 frag=0+ len=64\nfwd A\nin u udp [X6]:9>[A6]:80 id=5 frag=56 len=64\n"
	  "drop frag-overlap\nevent frag-attack -" },
	{ "an atomic fragment is a whole packet (RFC 6946)", "in u tcp [X6]:9>[A6]:80 id=5 frag=0 len=64\nfwd A" },
	{ "fragment ids of 32 bits", "in u udp [X6]:9>[A6]:80 id=5 frag=0+ len=64\nfwd A\n"
	  "in u udp [X6]:9>[A6]:80 id=65541 frag=64 len=64\nfwd A" },
	{ "next hop unknown: solicited", "noneigh\nin A tcp [A6]:9>[X6]:80\nheld\nemit u icmp fe80::ff:fe00:100>ff02::1:ff00:1 135/0\n"
	  "time 5\n"
	  "emit? u\nemit? u\nemit? u\nemit A icmp LL>A6 1/3\nevent neigh-failed -\nreldrop neigh-failed" },
	{ "nd: a guest asks for the router", "in A nd NS A6>LL\nconsumed\nemit A icmp LL>A6 136/0" },
	{ "nd: a guest asks for any address", "in A nd NS A6>C6\nconsumed\nemit A icmp C6>A6 136/0" },
	{ "nd: a guest probes its own (DAD) and hears nothing", "in A nd NS ::>A6\nconsumed" },
	{ "nd: a guest probes another's: taken", "in A nd NS ::>C6\nconsumed\nemit A icmp C6>ff02::1 136/0" },
	{ "nd: a guest probes a free address", "in A nd NS ::>2001:db8:77::1\nconsumed" },
	{ "nd: a guest in another's name", "in A nd NS C6>LL\ndrop nd-bad\nevent src-addr A" },
	{ "nd: hop limit 254 is not from the link", "in A nd NS A6>LL hops=254\ndrop nd-bad" },
	{ "nd: a wrong checksum", "in A nd NS A6>LL badsum\ndrop nd-bad" },
	{ "nd: a fragment header (RFC 6980)", "in A nd NS A6>LL atomic\ndrop nd-bad" },
	{ "nd: nobody's question to all nodes", "in A nd NS ::>C6 all\ndrop nd-bad" },
	{ "nd: nobody's question with a link address", "in A nd NS ::>C6 option\ndrop nd-bad" },
	{ "nd: an answer to all that says it was asked for", "in u nd NA U6>U6 solicited\ndrop nd-bad" },
	{ "nd: the uplink asks for a guest's address", "in u nd NS U6>A6\nconsumed\nemit u icmp A6>U6 136/0" },
	{ "nd: the uplink asks for nobody's", "in u nd NS U6>2001:db8:77::1\nconsumed" },
	{ "nd: somebody outside in a guest's name", "in u nd NS C6>A6\ndrop nd-bad" },
	{ "nd: a guest's router advertisement goes nowhere", "in A nd RA A6>LL\ndrop nd-bad" },
	{ "ra: asked for", "ra A\ntime 0.1\nin A nd RS A6>LL\nconsumed\nemit A ra LL>ff02::1 " RA "\nemit A ra LL>ff02::1 " RA },
	{ "ra: each /64 of the domain", "prefix A 2001:db8:a::/64\nprefix A 2001:db8:1::7/128\nra A\nin A nd RS A6>LL\nconsumed\n"
	  "emit A ra LL>ff02::1 router=1800 2001:db8:a::/64=86400/14400 2001:db8:1::/64=86400/14400" },
	{ "ra: a /128 brings the way out only", "attach E\nra E\nin E nd RS ::>LL\nconsumed\nemit E ra LL>ff02::1 router=1800" },
	{ "ra: a prefix taken away is named at once, and twice more, with lifetimes of zero (RFC 4862 5.5.3)", "ra A\n"
	  "prefix A 2001:db8:a::/64\nprefix -A 2001:db8:a::/64\nemit A ra LL>ff02::1 " RA " 2001:db8:a::/64=0/0\n"
	  "in A nd RS A6>LL\nconsumed\nemit A ra LL>ff02::1 " RA " 2001:db8:a::/64=0/0\n"
	  "in A nd RS A6>LL\nconsumed\nemit A ra LL>ff02::1 " RA " 2001:db8:a::/64=0/0\n"
	  "in A nd RS A6>LL\nconsumed\nemit A ra LL>ff02::1 " RA },
	{ "ra: one that comes back is not taken away", "ra A\nprefix -A A6/64\nemit A ra LL>ff02::1 router=1800 2001:db8:1::/64=0/0\n"
	  "prefix A A6/64\nin A nd RS A6>LL\nconsumed\nemit A ra LL>ff02::1 " RA },
	{ "ra: switched off: a router lifetime of zero (RFC 4861 6.2.5)", "ra A\nra A off\n"
	  "emit A ra LL>ff02::1 router=0 2001:db8:1::/64=86400/14400\nin A nd RS A6>LL\nconsumed" },
	{ "ra: nobody to tell", "ra A\ndetach A\nprefix -A A6/64\nra A off" },
	{ "ra: who is not advertised to is told nothing", "prefix -A A6/64" },
	{ "ra: off by default", "in A nd RS A6>LL\nconsumed" },
	{ "v6 detached: prefix stays the domain's", "detach A\nin u tcp [X6]:9>[A6]:80\ndrop owner-down @A\nemit u icmp A6>X6 1/3" },
};

const struct table v6_table = TABLE("ipv6", rows);
