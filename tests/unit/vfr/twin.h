/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The naive twin: what the router should do with one packet, in the plainest words, without an index, a cache or a line of the
 * router's own code. What it remembers (connections, fragments, mappings) stands in plain lists, searched from end to end.
 *
 * It does not know which port NAT picks when it is free to pick one: then it asks choose(), and insists that the answer is a free port of
 * the domain's slice. Nor does it know which block of IP-IDs a domain is given: it asks block().
 *
 * Time is counted in tenths of a second.
 */
#ifndef TWIN_H
#define TWIN_H

#include <stdbool.h>
#include <stdint.h>

#define TWIN_DOMS	6	/* domains 1..5 on ports 1..5; port 0 is the uplink */
#define TWIN_SHARED	2
#define TWIN_RULES	12
#define TWIN_DENIALS	2
#define TWIN_FRAME	2048u
#define TWIN_FLOWS	8192
#define TWIN_MAPS	2048
#define TWIN_DATAGRAMS	256
#define TWIN_OF_ONE	16	/* datagrams that a domain may have under way; outside: half of all */
#define TWIN_HELD	1024
#define TWIN_NEIGHBOURS	64

enum { TWIN_NEW = 1, TWIN_KNOWN = 2, TWIN_RELATED = 4, TWIN_STRAY = 8 };	/* what a packet is to the list of connections */

/* What comes in. */
struct twin_packet {
	int in;
	uint32_t len, linear;		/* all of it; the part that the router can look at */
	bool partial;			/* the sum over TCP or UDP is left to whoever can do it cheaply */
	uint16_t piece;			/* payload bytes of each packet that is to be made of this one; 0: it is one */
	uint8_t b[TWIN_FRAME];
};

/* So many a second, so many at once. */
struct twin_bucket {
	bool started;
	uint64_t asked, tenths;
};

struct twin_rule {
	bool in, drop, reject, keep, count;
	uint32_t rate, burst;			/* rate 0: no limit */
	struct twin_bucket bucket;
	uint64_t packets, bytes;		/* that it matched */
	uint8_t family, proto, state;
	uint8_t tcp_mask, tcp_value;
	int icmp_type;				/* -1: any */
	uint8_t src[16], dst[16];
	unsigned int src_bits, dst_bits;
	uint16_t dport_first, dport_last;
};

struct twin_end {
	uint8_t addr[16];	/* IPv4 in the first four */
	uint16_t port;
};

struct twin_flow {
	struct twin_end from, to;	/* of its first packet */
	uint8_t family, proto;
	int dom[2];
	/* TCP */
	bool answered, open, reset;
	bool crossed, answered_back;	/* the other called too; the opener answered that */
	bool fin_from, fin_to;
	bool both_ways;			/* others */
	uint64_t last;
};

struct twin_map {
	uint32_t inside, outside;
	uint16_t iport, oport;
	int kind, dom;
	/* TCP: the other end of the one connection that is watched, and how far that is */
	uint32_t with;
	uint16_t with_port;
	bool answered, open, fin_in, fin_out, reset;
	uint64_t until;
};

struct twin_datagram {
	bool used;
	uint8_t family, proto, src[16], dst[16];
	uint32_t id;
	int in;
	uint32_t total;			/* 0: the last fragment has not come */
	unsigned int held;
	uint64_t until;
	bool decided, echo, set_id;
	const char *refused;
	int to;
	uint32_t new_src, new_dst;
	uint16_t new_id;
};

/* Ports: a range, or a set of MAP-E. */
struct twin_set {
	bool map;
	unsigned int first, last;
	unsigned int a, k, psid;
};

struct twin_neighbour {
	int family;			/* 0: not in use */
	uint8_t addr[16], mac[6];
	bool known, fixed;
	bool of_use;			/* since its answer was taken for good */
	int asked;			/* questions since then */
	uint64_t due;			/* for the next one, or for doubt */
};

struct twin_frame {
	const char *verdict;	/* "forward", "consumed", "held" or a drop's name */
	int port;		/* where to */
	uint64_t id;		/* which packet it was */
	int in, datagram;
	const struct twin_neighbour *hop;	/* that it waits for */
	uint32_t len, linear;
	bool partial;
	uint16_t piece;
	uint8_t b[TWIN_FRAME];
};

struct twin {
	/* configuration */
	uint32_t shared[TWIN_SHARED];
	uint8_t owner[TWIN_SHARED][4][65536];	/* tcp, udp, icmp, sctp */
	struct twin_free {
		uint32_t when;
		int by;				/* 0: nobody, or settled */
	} freed[TWIN_SHARED][4][65536];
	uint8_t other[TWIN_SHARED][256];	/* owners of whole protocols */
	uint32_t dedicated[TWIN_DOMS];		/* 0: none */
	uint32_t internal[TWIN_DOMS];
	uint32_t nat[TWIN_DOMS];		/* the shared address that a domain's private one leaves by */
	uint8_t net6[TWIN_DOMS][16], host6[TWIN_DOMS][16];	/* a /64, a /128; first byte 0: none */
	uint32_t self;
	uint8_t self6[16];
	bool attached[TWIN_DOMS], own_ids[TWIN_DOMS], gone[TWIN_DOMS];
	uint16_t mtu[TWIN_DOMS];
	struct {
		int proto, first, last;			/* proto 0: none */
	} denied[TWIN_DOMS][TWIN_DENIALS];
	uint32_t flows_rate[TWIN_DOMS], flows_burst[TWIN_DOMS];	/* 0: as many as it likes */
	struct twin_rule rule[TWIN_DOMS][TWIN_RULES];	/* [0]: everybody's */
	unsigned int rules[TWIN_DOMS];
	uint8_t mac[TWIN_DOMS][6], gateway_mac[6], peer_mac[6];
	uint32_t next4, link4;			/* the router outside; a /24 whose hosts are on the link, 0: none */
	uint32_t next4_of_8;			/* the one for 8.0.0.0/8, 0: as for all */
	uint8_t next6[16], link6[16];		/* the same; a /64 */
	/* => the port that the router has chosen for a private end; 0: none. */
	uint16_t (*choose)(uint32_t inside, uint16_t iport, int kind);
	/* => the domain's block of 1024 IP-IDs. */
	unsigned int (*block)(int dom);

	/* memory */
	uint64_t now;
	struct twin_bucket told[TWIN_DOMS], opened[TWIN_DOMS];
	struct twin_flow flow[TWIN_FLOWS];
	unsigned int flows;
	struct twin_map map[TWIN_MAPS];
	unsigned int maps;
	uint64_t flows_made, maps_made;
	struct twin_datagram datagram[TWIN_DATAGRAMS];
	uint8_t seen[TWIN_DATAGRAMS][8192];	/* of each: one for 8 bytes */
	struct twin_frame held[TWIN_HELD], came_held[TWIN_HELD];	/* as they are, as they came */
	unsigned int helds;
	struct twin_frame came;			/* the packet that is looked at, as it came */
	struct twin_neighbour neighbour[TWIN_NEIGHBOURS];
	uint16_t ids[TWIN_DOMS];
};

struct twin_answer {
	struct twin_frame own;			/* of the packet itself */
	struct twin_frame back[TWIN_HELD];	/* of packets that were held */
	unsigned int backs;
	struct twin_frame made[TWIN_HELD];	/* pieces that the router cuts */
	unsigned int mades;
};

void twin_decide(struct twin *t, uint64_t id, const struct twin_packet *p, struct twin_answer *a);
/* => time has passed: what waits too long is given back. */
/* => a neighbour that is never asked for; whoever waits for him goes. */
void twin_fix_neighbour(struct twin *t, int family, const uint8_t *addr, const uint8_t *mac, struct twin_answer *a);
bool twin_knows_neighbour(struct twin *t, int family, const uint8_t *addr);
void twin_forget_neighbour(struct twin *t, int family, const uint8_t *addr, struct twin_answer *a);

/* twin_change.c. kinds: a set of 1 << kind. => false: refused, and nothing has changed */
bool twin_in_set(const struct twin_set *set, unsigned int port);
bool twin_claim(struct twin *t, int s, unsigned int kinds, const struct twin_set *set, int d);
bool twin_give_up(struct twin *t, int s, unsigned int kinds, const struct twin_set *set, int d);
void twin_settle(struct twin *t, int s, unsigned int kinds, const struct twin_set *set);
void twin_detach(struct twin *t, int d, struct twin_answer *a);
void twin_remove(struct twin *t, int d, struct twin_answer *a);
void twin_pass_time(struct twin *t, uint64_t tenths, struct twin_answer *a);

#endif
