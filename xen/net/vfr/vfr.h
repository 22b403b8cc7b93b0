/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The router: its one public header.
 *
 * Overview: guests share public IPv4 addresses by port. A slice is (shared address, protocols, set of ports, domain); the
 * owner of a port is one table load away. Nothing of a slice owner's packet is rewritten except the TTL. The host gives
 * batches of frames to vfr_input() and does with each what the verdict in it says.
 *
 * Ownership of packets: the host allocates and frees every struct vfr_pkt. A packet that the router keeps for a while is
 * replaced by NULL in pkts[]: it is the router's until ops->release(), which may run on another CPU even before vfr_input()
 * returns. Everything else is the host's again when vfr_input() returns.
 *
 * Synchronization: vfr_input() may run on several CPUs at once, each with its own `cpu` number, never twice at once
 * with the same number. All other functions may be called at any time from any CPU, but not from inside an ops callback.
 * Readers of the configuration take no lock: the configuration is an immutable snapshot, and vfr_input() itself announces
 * when it starts and stops using one, so no quiescence call is asked of the host.
 * Callbacks are called with no router lock held, on the CPU that called vfr_input(), vfr_timer() or the setter.
 *
 * Time is the caller's monotonic clock in nanoseconds; addresses of IPv4 are host-order integers (10.0.2.15 = 0x0a00020f),
 * of IPv6 16 bytes in network order; MAC addresses 6 bytes. Errors are -errno.
 */
#ifndef VFR_VFR_H
#define VFR_VFR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vfr/drops.h>

struct vfr;

#define VFR_BATCH	64	/* most packets of one vfr_input() */
#define VFR_HEAD_MIN	256	/* linear bytes that a packet of this length or more must offer */
#define VFR_NODOM	0xffffu	/* "no domain", where a domain id stands */
#define VFR_NOPORT	0xffffu	/* "no port", where a port id stands */
#define VFR_GLOBAL	0xfffeu	/* rules for every domain, where a domain id stands */

/* --- packets ---------------------------------------------------------------------------------------------------------- */

enum vfr_verdict {
	VFR_NEXT,	/* never seen by the host */
	VFR_FORWARD,	/* transmit on out_port */
	VFR_DROP,	/* free; the reason is in `drop` and counted */
	VFR_HELD,	/* pkts[i] is NULL now: the router keeps it until ops->release() */
	VFR_CONSUMED,	/* free; the router has dealt with it */
};

enum vfr_dir { VFR_IN, VFR_OUT };	/* towards the guest, from the guest */

enum vfr_csum {
	VFR_CSUM_FULL,		/* the checksums in the packet are complete, not verified */
	VFR_CSUM_PARTIAL,	/* the L4 checksum holds the pseudo-header sum; to be finished at csum_start + csum_offset */
	VFR_CSUM_VERIFIED,	/* complete (or to be ignored), vouched for by the NIC or the sender's memory */
};

enum vfr_gso { VFR_GSO_NONE, VFR_GSO_TCPV4, VFR_GSO_TCPV6, VFR_GSO_UDP };

/* What the parser found; in vfr_pkt.flags. */
#define VFR_PF_IPV4	0x0001u
#define VFR_PF_IPV6	0x0002u
#define VFR_PF_FRAG	0x0004u	/* any fragment */
#define VFR_PF_LATER	0x0008u	/* not the first fragment: no L4 header */
#define VFR_PF_PORTS	0x0010u	/* sport and dport are set (echo: both the identifier) */
#define VFR_PF_ICMPERR	0x0020u	/* an ICMP error with a quote at `quote` */
#define VFR_PF_ECHOREQ	0x0040u
#define VFR_PF_ECHOREP	0x0080u
#define VFR_PF_DF	0x0100u	/* must not be fragmented: IPv4 DF, all IPv6 */
#define VFR_PF_MORE	0x0200u	/* more fragments follow */
#define VFR_PF_NEWFLOW	0x0400u	/* TCP SYN without ACK, or no connection known */
#define VFR_PF_ARP	0x1000u

/*
 * One frame. The first `head_len` bytes (at least min(len, VFR_HEAD_MIN)) are linear, writable and stable: no guest can
 * change them any more. What follows is opaque. The router asks for no head-room and never changes `len`.
 */
struct vfr_pkt {
	/* set by the host */
	uint8_t *head;
	void *priv;			/* the host's own */
	uint32_t len;			/* whole frame from the destination MAC on, no FCS */
	uint16_t head_len;
	uint16_t gso_size;
	uint16_t csum_start;		/* from head */
	uint16_t csum_offset;
	uint8_t gso;			/* enum vfr_gso */
	uint8_t csum;			/* enum vfr_csum */

	/* the answer */
	uint8_t verdict;		/* enum vfr_verdict */
	uint8_t drop;			/* enum vfr_drop */
	uint16_t in_port;		/* set by vfr_input() */
	uint16_t out_port;
	uint16_t src_dom, dst_dom;	/* domain ids of sender and receiver; VFR_NODOM: outside */
	uint8_t dscp, ecn;		/* for the schedulers */
	uint16_t sched_class;		/* set by a rule; 0 else */

	/* the parser's offsets, from head; for the router, readable by the host after a verdict */
	uint16_t l3, l4;
	uint16_t quote;			/* the IP header quoted by an ICMP error */
	uint16_t flags;
	uint8_t proto;
	uint8_t tcp_flags;		/* or the ICMP type */
	uint8_t icmp_code;
	uint8_t conn_place;		/* the router's, as conn_hash */
	uint16_t sport, dport;
	uint32_t src, dst;		/* IPv4 only */
	uint32_t flow_hash;		/* keyed; same for both directions of a flow */
	uint32_t l3_len;		/* IP datagram length, header included */

	struct vfr_pkt *next;		/* the router's while VFR_HELD, else the host's */
	uint64_t conn_hash;		/* the router's, within one vfr_input() */
	uint64_t undo_src, undo_dst;	/* the router's: address and port before translation, 0: none */
};

/* --- the host --------------------------------------------------------------------------------------------------------- */

enum vfr_event_type {
	VFR_EV_SRC_PORT,	/* a domain sent from a port that is not its own */
	VFR_EV_SRC_ADDR,	/* from an address or MAC that is not its own */
	VFR_EV_FLOW_LIMIT,
	VFR_EV_EGRESS_DENIED,
	VFR_EV_FRAG_ATTACK,	/* overlapping or tiny fragments */
	VFR_EV_RULE_LOG,	/* a rule with VFR_RULE_LOG matched */
	VFR_EV_CONN_QUOTA,
	VFR_EV_NAT_EXHAUSTED,
	VFR_EV_NEIGH_FAILED,
	VFR_EV_COUNT
};

struct vfr_event {
	uint64_t now_ns;
	uint64_t count;		/* how many since the last event of this type and domain; at least 1 */
	uint16_t type;
	uint16_t domid;
	uint8_t proto;
	uint8_t dir;
	uint16_t sport, dport;
	uint32_t src, dst;	/* IPv4; 0 for IPv6 */
	uint32_t rule_id;
};

struct vfr_ops {
	/* => a frame that the router made; the host copies it. Full checksums. */
	void (*emit)(void *host, uint16_t out_port, const uint8_t *frame, uint32_t len);
	/* => a piece of a packet that had to be split, to of->out_port: it is the sender's as the whole was. NULL: emit() does. */
	void (*piece)(void *host, const struct vfr_pkt *of, const uint8_t *frame, uint32_t len);
	/* => a formerly VFR_HELD packet with VFR_FORWARD, VFR_DROP or VFR_CONSUMED in it: the host's again. */
	void (*release)(void *host, struct vfr_pkt *pkt);
	/* => something to record; at most one a second for each type and domain. May be NULL. */
	void (*audit)(void *host, const struct vfr_event *ev);
};

struct vfr_params {
	uint16_t cpus;			/* numbers 0 .. cpus-1 call vfr_input() */
	uint16_t max_ports;		/* port ids 0 .. max_ports-1; 0: 4096 */
	uint16_t max_domains;		/* 0: 4096 */
	uint32_t max_conns;		/* connection table entries; 0: 65536 */
	uint32_t max_frags;		/* datagrams being followed; 0: 1024 */
	uint32_t max_nat;		/* NAT mappings; 0: 65536 */
	uint32_t hold_down_s;		/* a freed port stays its last owner's so long; 0: 120 */
	uint8_t seed[32];		/* random: hash keys, port choice */
	uint8_t gateway_mac[6];		/* the one MAC that guests see */
};

struct vfr *vfr_create(const struct vfr_params *params, const struct vfr_ops *ops, void *host);
/* => releases every held packet as a drop; no other call may be running. */
void vfr_destroy(struct vfr *v);

/*
 * => run `n` (1 .. VFR_BATCH) packets that came in on `in_port` through the stages. On return every packet has a verdict, or is
 *    NULL in pkts[]: held. The order of FORWARD packets for one out_port is the order in pkts[].
 */
void vfr_input(struct vfr *v, unsigned int cpu, uint64_t now_ns, uint16_t in_port, struct vfr_pkt **pkts, unsigned int n);
/* => age everything; the time at which to call again, at the latest. Call it about once in 100 ms, from one CPU at a time. */
uint64_t vfr_timer(struct vfr *v, uint64_t now_ns);

/* --- ports (attachment points) ---------------------------------------------------------------------------------------- */

enum vfr_port_kind { VFR_PORT_UPLINK, VFR_PORT_GUEST };

struct vfr_port_cfg {
	uint8_t kind;		/* enum vfr_port_kind */
	uint8_t mac[6];		/* uplink: ours on the wire; guest: the guest's own */
	uint16_t mtu;		/* IP bytes; 0: 1500 */
	uint16_t domid;		/* guest: whose */
};

/* => -EEXIST when the id is in use or the domain has a port already; -EINVAL, -ENOMEM. */
int vfr_port_attach(struct vfr *v, uint16_t port, const struct vfr_port_cfg *cfg);
/* => releases (as drops) all packets held from or to this port, those of batches under way on other CPUs too: after it no
 *    packet that came from the port is the router's. Slices, rules and addresses of its domain stay. */
int vfr_port_detach(struct vfr *v, uint16_t port, uint64_t now_ns);
int vfr_port_mtu_set(struct vfr *v, uint16_t port, uint16_t mtu);

/* --- addresses and routes --------------------------------------------------------------------------------------------- */

/* => a public address shared by port; answered for on the uplinks. Removing it needs no slice of it in use (-EBUSY). */
int vfr_shared_add(struct vfr *v, uint32_t addr);
int vfr_shared_del(struct vfr *v, uint32_t addr);
/* => a whole public address of one domain. -EEXIST with the owner in *owner. */
int vfr_dedicated_add(struct vfr *v, uint32_t addr, uint16_t domid, uint16_t *owner);
/* => a private address of one domain: reached by guests only, translated (if the domain has nat_addr) towards uplinks. */
int vfr_internal_add(struct vfr *v, uint32_t addr, uint16_t domid, uint16_t *owner);
/* => an address of the router itself (a gateway that guests use): echo is answered, nothing is forwarded. */
int vfr_self_add(struct vfr *v, uint32_t addr);
/* => any of dedicated, internal and self. */
int vfr_addr_del(struct vfr *v, uint32_t addr);
/* => IPv6 prefix of 64 or 128 bits of one domain; domid VFR_NODOM: the router's own address (128 only). */
int vfr_prefix6_add(struct vfr *v, const uint8_t addr[16], uint8_t plen, uint16_t domid, uint16_t *owner);
/* => a guest that is advertised to hears at once that it has lost its /64. */
int vfr_prefix6_del(struct vfr *v, const uint8_t addr[16], uint8_t plen);

/* => what is not ours leaves by the longest matching route. next_hop 0: on link. `src` is the router's source on that link
 *    for ARP (0: the first shared address). At most 256 routes. Replaces the route with the same prefix. */
int vfr_route_add(struct vfr *v, uint32_t prefix, uint8_t plen, uint16_t uplink, uint32_t next_hop, uint32_t src);
int vfr_route_del(struct vfr *v, uint32_t prefix, uint8_t plen);
int vfr_route6_add(struct vfr *v, const uint8_t prefix[16], uint8_t plen, uint16_t uplink, const uint8_t next_hop[16]);
int vfr_route6_del(struct vfr *v, const uint8_t prefix[16], uint8_t plen);
/* => a neighbour that is never asked for. v6 may be NULL for IPv4 `addr`. mac NULL: forget it. */
int vfr_neigh_static(struct vfr *v, uint16_t uplink, uint32_t addr, const uint8_t *v6, const uint8_t *mac);
/* => tell the uplinks (gratuitous ARP) where the shared and dedicated addresses are, and the guests (advertisements) their prefixes. */
void vfr_announce(struct vfr *v);

/* --- slices ----------------------------------------------------------------------------------------------------------- */

enum { VFR_TCP = 1, VFR_UDP = 2, VFR_ICMP = 4, VFR_SCTP = 8, VFR_PROTOS_ALL = 15 };	/* sets of slice protocols */

enum vfr_portset_kind { VFR_PS_RANGE, VFR_PS_MAP };

/* A set of ports: a range (a listen port: first == last) or a MAP-E set (RFC 7597 appendix B). */
struct vfr_portset {
	uint8_t kind;
	uint8_t offset;		/* MAP: a, bits before the PSID; 0: contiguous */
	uint8_t psid_len;	/* MAP: k */
	uint16_t first, last;	/* RANGE, inclusive */
	uint16_t psid;		/* MAP */
};

/* Who was in the way of a claim. */
struct vfr_conflict {
	uint16_t domid;		/* the owner, or the last one while held down */
	uint16_t port;
	uint8_t proto;		/* one of VFR_TCP ... */
	bool held_down;
	uint64_t until_ns;	/* held_down: free for others from then on */
};

/* => number of contiguous ranges, and the i-th of them. -EINVAL for a set that makes no sense. */
int vfr_portset_ranges(const struct vfr_portset *ps);
void vfr_portset_range(const struct vfr_portset *ps, unsigned int i, uint16_t *first, uint16_t *last);
bool vfr_portset_has(const struct vfr_portset *ps, uint16_t port);
uint32_t vfr_portset_count(const struct vfr_portset *ps);
/* => the index-th of equal contiguous shares of [first, last] (RFC 7422). -ERANGE past the end. */
int vfr_portset_split(uint16_t first, uint16_t last, uint16_t share, unsigned int index, struct vfr_portset *out);

/* => all ports of the set for all protocols, or nothing. -EEXIST fills *conflict (may be NULL); -ENOENT: not a shared address.
 *    Port 0 of TCP, UDP and SCTP is never granted (-EINVAL). Claiming what the domain has already is no error. */
int vfr_slice_claim(struct vfr *v, uint64_t now_ns, uint32_t addr, unsigned int protos, const struct vfr_portset *ps,
		    uint16_t domid, struct vfr_conflict *conflict);
/* => gives them back and starts the hold-down; -EACCES when any is not the domain's. */
int vfr_slice_free(struct vfr *v, uint64_t now_ns, uint32_t addr, unsigned int protos, const struct vfr_portset *ps, uint16_t domid);
/* => ends the hold-down of the ports of the set: the operator's word that they may change hands at once. -ENOENT. */
int vfr_slice_settle(struct vfr *v, uint32_t addr, unsigned int protos, const struct vfr_portset *ps);
/* => domain id or VFR_NODOM. proto is one of VFR_TCP ... */
uint16_t vfr_slice_owner(struct vfr *v, uint32_t addr, unsigned int proto, uint16_t port);

struct vfr_slice_range {
	uint32_t addr;
	uint16_t first, last;
	uint16_t domid;
	uint8_t proto;		/* one of VFR_TCP ... */
};
/* => the ranges in order of (address as added, protocol, port): start with *cursor = 0; false at the end. */
bool vfr_slice_next(struct vfr *v, uint64_t *cursor, struct vfr_slice_range *out);

/* => a whole other IP protocol of a shared address (GRE 47, ESP 50, proto 41 ...) for one "DMZ" domain. */
int vfr_proto_claim(struct vfr *v, uint32_t addr, uint8_t ip_proto, uint16_t domid, uint16_t *owner);
int vfr_proto_free(struct vfr *v, uint32_t addr, uint8_t ip_proto, uint16_t domid);
/* => inbound ESP of one SPI. */
int vfr_spi_claim(struct vfr *v, uint32_t addr, uint32_t spi, uint16_t domid, uint16_t *owner);
int vfr_spi_free(struct vfr *v, uint32_t addr, uint32_t spi, uint16_t domid);

/* --- domains ---------------------------------------------------------------------------------------------------------- */

#define VFR_EGRESS_DENY_MAX 8

struct vfr_egress_deny {
	uint8_t proto;		/* IP protocol number: 6, 17 */
	uint16_t first, last;	/* destination ports */
};

struct vfr_domain_cfg {
	uint32_t new_flows_per_s;	/* 0: no limit */
	uint32_t new_flows_burst;	/* 0: what one second brings */
	uint32_t max_conns;		/* 0: an eighth of the table, at least 1024 */
	uint32_t max_frags;		/* 0: 64 datagrams */
	uint32_t max_nat;		/* 0: as many as the slice has ports */
	uint32_t nat_addr;		/* shared address whose slice the internal addresses leave by; 0: no NAT */
	bool ipid_block;		/* rewrite the IP-ID of outgoing fragments from a block of the domain (RFC 7597 8.3.3) */
	bool allow_multicast;		/* multicast and broadcast from the guest leave by the uplink */
	uint8_t egress_denies;		/* in use of the next */
	struct vfr_egress_deny egress_deny[VFR_EGRESS_DENY_MAX];
};

/* => what a domain starts with: egress 25/tcp denied, no limits. */
void vfr_domain_defaults(struct vfr_domain_cfg *cfg);
int vfr_domain_set(struct vfr *v, uint16_t domid, const struct vfr_domain_cfg *cfg);
int vfr_domain_get(struct vfr *v, uint16_t domid, struct vfr_domain_cfg *cfg);
/* => the domain is gone: port, slices (held down), addresses, rules, connections, mappings. -ENOENT: was not known. */
int vfr_domain_del(struct vfr *v, uint16_t domid, uint64_t now_ns);

/* DHCPv4 answers on the domain's vif; lease_s 0 switches off. */
struct vfr_dhcp_cfg {
	uint32_t addr, mask, router;
	uint32_t dns[3];
	uint32_t lease_s;
	uint16_t mtu;		/* 0: the port's */
	bool port_params;	/* RFC 7618 option 159, from the domain's MAP set or range */
	uint8_t psid_offset, psid_len;
	uint16_t psid;
};
int vfr_dhcp_set(struct vfr *v, uint16_t domid, const struct vfr_dhcp_cfg *cfg);
/* => as it was set; all zero for a domain that is not known. -EINVAL. */
int vfr_dhcp_get(struct vfr *v, uint16_t domid, struct vfr_dhcp_cfg *out);
/* IPv6 router advertisements on the domain's vif: its /64 with SLAAC (or only the default route for a /128). */
struct vfr_ra_cfg {
	bool on;
	uint16_t lifetime_s;	/* 0: 1800 */
	uint8_t dns[16];	/* all zero: none */
};
/* => switched off: the guest hears that we are its router no more. */
int vfr_ra_set(struct vfr *v, uint16_t domid, const struct vfr_ra_cfg *cfg);

/* --- rules ------------------------------------------------------------------------------------------------------------ */

enum vfr_action { VFR_ACT_ACCEPT, VFR_ACT_DROP, VFR_ACT_REJECT };

#define VFR_RULE_LOG	1u	/* tell audit */
#define VFR_RULE_COUNT	2u	/* count only, and go on with the next rule */
#define VFR_RULE_STATE	4u	/* accept: keep a connection; its packets need no rule any more, answers included */
#define VFR_RULE_LIMIT	8u	/* matches only within `rate` packets/s */

#define VFR_ST_NEW		1u	/* opens a connection */
#define VFR_ST_ESTABLISHED	2u	/* of a known connection */
#define VFR_ST_RELATED		4u	/* ICMP error about a known connection */
#define VFR_ST_INVALID		8u	/* neither */

struct vfr_rule {
	uint32_t id;		/* the operator's; shown in trace, log, counters */
	uint8_t dir;		/* enum vfr_dir */
	uint8_t family;		/* 4, 6; 0: both (no addresses then) */
	uint8_t action;		/* enum vfr_action */
	uint8_t flags;		/* VFR_RULE_* */
	uint8_t proto;		/* IP protocol; 0: any */
	uint8_t state;		/* set of VFR_ST_*; 0: any */
	uint8_t tcp_mask, tcp_value;	/* flags & mask == value; mask 0: any */
	int16_t icmp_type, icmp_code;	/* -1: any */
	uint8_t src_plen, dst_plen;
	uint8_t src[16], dst[16];	/* IPv4 in the first four bytes; network order */
	uint16_t sport_first, sport_last;	/* 0, 65535: any */
	uint16_t dport_first, dport_last;
	uint32_t rate, burst;	/* VFR_RULE_LIMIT; burst 0: what one second brings */
	uint16_t sched_class;	/* 0: leave */
};

/* => replaces all rules of the domain (or VFR_GLOBAL) at once; n 0: none, everything passes. Global rules are asked first.
 *    First match in each list; without a match the packet is accepted. -EINVAL fills *bad with the index. */
int vfr_rules_set(struct vfr *v, uint16_t domid, const struct vfr_rule *rules, uint32_t n, uint32_t *bad);
struct vfr_rule_count {
	uint32_t id;
	uint64_t packets, bytes;
};
/* => counts of the first `max` rules in order; their number. */
uint32_t vfr_rules_read(struct vfr *v, uint16_t domid, struct vfr_rule_count *out, uint32_t max);

/* --- looking ---------------------------------------------------------------------------------------------------------- */

struct vfr_dir_counters {
	uint64_t packets, bytes;	/* forwarded */
	uint64_t consumed;		/* answered or eaten by the router */
	uint64_t drop[VFR_DROP_COUNT];
};
struct vfr_counters {
	struct vfr_dir_counters dir[2];	/* by enum vfr_dir */
	uint32_t conns, frags, nat;	/* in use now */
};
/* Everything that ever came in: input = forwarded + dropped + consumed + held, at any quiet moment. */
struct vfr_totals {
	uint64_t input, forwarded, dropped, consumed, held, emitted;
};

/* => domid VFR_NODOM: packets of the uplinks that no domain owns. -ENOENT. */
int vfr_counters_read(struct vfr *v, uint16_t domid, struct vfr_counters *out);
void vfr_totals_read(struct vfr *v, struct vfr_totals *out);
/* => "port-unowned" ...; and a sentence on its meaning. Never NULL for a valid reason. */
const char *vfr_drop_name(enum vfr_drop reason);
const char *vfr_drop_text(enum vfr_drop reason);

struct vfr_conn_info {
	uint8_t family, proto;
	uint8_t state;			/* vfr_conn_state_name() */
	uint8_t src[16], dst[16];	/* of the first packet */
	uint16_t sport, dport;
	uint16_t domid;			/* charged for it */
	uint32_t idle_s, expires_s;
};
bool vfr_conn_next(struct vfr *v, uint64_t now_ns, uint64_t *cursor, struct vfr_conn_info *out);
const char *vfr_conn_state_name(uint8_t proto, uint8_t state);

struct vfr_nat_info {
	uint32_t internal, external;
	uint16_t iport, eport;
	uint16_t domid;
	uint8_t proto;
};
bool vfr_nat_next(struct vfr *v, uint64_t *cursor, struct vfr_nat_info *out);

#define VFR_TRACE_STEPS 16

/* What would happen to a frame. */
struct vfr_trace {
	uint8_t verdict;
	uint8_t drop;
	uint16_t out_port;
	uint16_t src_dom, dst_dom;
	uint32_t rule_id[2];		/* by enum vfr_dir; 0: none matched */
	uint16_t rule_dom[2];		/* VFR_GLOBAL or the domain whose rule it was */
	uint8_t steps;
	struct {
		char stage[12];
		char note[52];		/* "$dom" and "$port" in it stand for the names of these two */
		uint16_t dom, port;
	} step[VFR_TRACE_STEPS];
};
/* => no side effect: no counter, no state, no packet. `frame` is changed as a forwarded packet would be. */
void vfr_trace(struct vfr *v, uint64_t now_ns, uint16_t in_port, uint8_t *frame, uint32_t len, struct vfr_trace *out);

#endif
