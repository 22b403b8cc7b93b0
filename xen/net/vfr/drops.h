/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every reason for which a packet can be dropped: one list, from which enum, names, texts and the manual's table are made.
 * X(enumerator, name, meaning). The names are what users see everywhere; the order may grow at the end only.
 */
#ifndef VFR_DROPS_H
#define VFR_DROPS_H

#define VFR_DROP_LIST(X)                                                                                              \
	X(NONE, "none", "not dropped")                                                                                \
	X(SHORT, "short", "the frame ends before its headers do")                                                     \
	X(ETHERTYPE, "ethertype", "not IPv4, IPv6 or ARP")                                                            \
	X(SRC_MAC, "src-mac", "a guest sent from a MAC that is not its own")                                          \
	X(DST_MAC, "dst-mac", "the frame is for another machine of the link")                                         \
	X(BAD_IP, "bad-ip", "IP version, header length or total length is impossible")                                \
	X(BAD_IP_CSUM, "bad-ip-csum", "the IPv4 header checksum is wrong")                                            \
	X(IP_OPTIONS, "ip-options", "source routing or a malformed option or extension header")                       \
	X(BAD_L4, "bad-l4", "the TCP, UDP, SCTP or ICMP header is cut off or impossible")                             \
	X(MARTIAN, "martian", "a source or destination that must not be on this side of the router")                  \
	X(SRC_ADDR, "src-addr", "a guest sent from an address that is not its own")                                   \
	X(SRC_PORT, "src-port", "a guest sent from a port outside its slice")                                         \
	X(SRC_PROTO, "src-proto", "a guest sent a protocol that its slice does not cover")                            \
	X(ADDR_UNKNOWN, "addr-unknown", "an uplink packet for an address that nobody here owns")                      \
	X(PORT_UNOWNED, "port-unowned", "no slice covers the destination port")                                       \
	X(PROTO_UNOWNED, "proto-unowned", "no domain owns this protocol of the shared address")                       \
	X(OWNER_DOWN, "owner-down", "the owner has no attached port")                                                 \
	X(SELF, "self", "for the router itself, which offers no such service")                                        \
	X(BROADCAST, "broadcast", "broadcast or multicast is not forwarded")                                          \
	X(EGRESS_DENIED, "egress-denied", "the domain may not send to this destination port")                         \
	X(FLOW_LIMIT, "flow-limit", "more new flows per second than the domain may open")                             \
	X(ICMP_TYPE, "icmp-type", "an ICMP type that the router does not pass")                                       \
	X(ICMP_QUOTE, "icmp-quote", "an ICMP error whose quoted packet is cut off or does not belong to its receiver") \
	X(FRAG_BAD, "frag-bad", "a fragment with an impossible offset or length")                                     \
	X(FRAG_TINY, "frag-tiny", "a first fragment too small for its L4 header, or one that would overwrite it")     \
	X(FRAG_OVERLAP, "frag-overlap", "a fragment that overlaps another; the datagram is lost")                     \
	X(FRAG_QUOTA, "frag-quota", "the domain follows too many fragmented datagrams, or holds too many fragments")  \
	X(FRAG_FULL, "frag-full", "the fragment table is full")                                                       \
	X(FRAG_TIMEOUT, "frag-timeout", "the first fragment did not come in time")                                    \
	X(TTL, "ttl", "the TTL or hop limit ran out here")                                                            \
	X(NO_ROUTE, "no-route", "no route to the destination")                                                        \
	X(TOO_BIG, "too-big", "larger than the MTU of the way out, and may not be fragmented")                        \
	X(NEIGH_QUEUE, "neigh-queue", "too many packets wait for this neighbour's address already")                   \
	X(NEIGH_FAILED, "neigh-failed", "the neighbour did not answer")                                               \
	X(ARP_BAD, "arp-bad", "malformed ARP, or ARP in somebody else's name")                                        \
	X(ND_BAD, "nd-bad", "malformed neighbour discovery, or in somebody else's name")                              \
	X(RULE, "rule", "a rule says drop")                                                                           \
	X(RULE_REJECT, "rule-reject", "a rule says reject; the sender was told")                                      \
	X(CONN_STATE, "conn-state", "not a packet that this connection can carry now")                                \
	X(CONN_QUOTA, "conn-quota", "the domain has as many connections as it may")                                   \
	X(CONN_FULL, "conn-full", "the connection table has no room for a new connection here")                       \
	X(NAT_UNMAPPED, "nat-unmapped", "no NAT mapping for this port of the slice")                                  \
	X(NAT_FULL, "nat-full", "no free port in the slice, or the mapping table or quota is full")                   \
	X(NAT_UNSUITED, "nat-unsuited", "a packet that NAT cannot carry (protocol, or a private address with no NAT)") \
	X(DETACHED, "detached", "the port was detached while the packet waited, or is unknown")                       \
	X(TRANSIT, "transit", "from uplink to uplink: this router carries no transit")                                \
	X(NO_MEMORY, "no-memory", "an allocation failed")

enum vfr_drop {
#define X(e, name, text) VFR_DROP_##e,
	VFR_DROP_LIST(X)
#undef X
	VFR_DROP_COUNT
};

#endif
