/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Table tests: a row is a title (the rule it proves) and a script that runs in a fresh test world.
 *
 * The world: uplink port u (0), its gateway U, the shared addresses S and T, and
 *   A  domain 1, slice of S: 1000-1999 of tcp, udp, icmp, sctp, and 80/tcp; IPv6 2001:db8:1::/64
 *   B  domain 2, slice of S: 2000-2999 of all, 443/tcp and 443/udp; of T: MAP-E set a=4 k=4 psid=5
 *   C  domain 3, dedicated address C; IPv6 2001:db8:3::/64
 *   D  domain 4, internal address D, slice of S 4000-4003 of tcp, udp, icmp, for its NAT
 *   E  domain 5, slice of S 5000-5999 of all, not attached
 *   F  domain 6, internal address F, slice of S 6000-6099 of tcp, udp, icmp, for its NAT
 *   G  the router's own address inside; X, Y hosts outside; N a host on the uplink's own link
 *
 * Script lines (a fresh line each, leading blanks ignored):
 *   in PORT PACKET          give the router a packet (craft.h)
 *   fwd PORT [PACKET]       it was forwarded there: with nothing changed but link addresses and TTL, or as this packet
 *   drop REASON [@DOM]      it was dropped, and counted there (default: the sender, or the uplinks' account for outside)
 *   consumed [@DOM] | held
 *   emit PORT TEXT          the next frame that the router made (describe() of craft.h)
 *   piece DOM CLASS         it was a piece of a packet of that domain, in that class
 *   joined PORT PACKET      all frames left are pieces of this
 *   rel PORT [PACKET]       the next packet that was given back goes there;  reldrop REASON [@DOM];  relcons [@DOM]
 *   event TYPE DOM          the next audit event
 *   trace PORT PACKET -> forward PORT | drop REASON | consumed | held [rule DOM ID]    vfr_trace() says so, and no counter moves
 *   time SECONDS            passes
 *   claim|free DOM ADDR PROTOS SET = 0|ERROR [DOM PORT]    SET: 10-20, 10, or a/k/psid
 *   settle ADDR PROTOS SET     the hold-down of those ports ends
 *   rule DOM|all in|out ACTION [option ...]                appended to that list, which is then set
 *   norules DOM|all
 *   domain DOM FIELD=VALUE ...
 *   internal ADDR DOM|-     the private address is taken from its owner and given to that domain
 *   attach PORT | detach PORT | mtu PORT N | del DOM
 *   announce | noneigh      (the static neighbour U is forgotten)
 *   emit? PORT | relany     a frame was made for, a packet given back to (u), whatever it was
 *   first|wait|noerr PORT PACKET   in and: fwd A; held; drop src-port with its ICMP error
 *   turned                  the router sent it back with its addresses swapped
 *   fwd? PORT | fwdfrag PORT | relfrag PORT   forwarded with right checksums, not compared byte by byte
 *   also DOM                and it counts as received by that domain (which is the sender too)
 *   owner ADDR PROTO PORT = DOM     proto DOM ADDR IP-PROTOCOL-OR-SPI = 0|ERROR     ra DOM
 *   ra DOM off   prefix [-]DOM ADDR/BITS: given, or (-) taken away
 *   dhcp DOM [noports] [mtu=N] [addr=ADDR] [router=ADDR] [dns=ADDR] [ports=A/K/PSID]
 *   repeat N LINE           the line N times; in it % stands for the count
 * At the end every counter must have changed by exactly what the lines said, and nothing may be left over.
 */
#ifndef WORLD_H
#define WORLD_H

struct row {
	const char *title, *script;
};
struct table {
	const char *name;
	const struct row *rows;
	unsigned int n;
};
/* => 0, or 1 with the trouble printed. */
int run_row(const struct table *t, const struct row *r);

#endif
