/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The naive twin: what the router should do with one IPv4 packet, in the plainest words, without a table, an index, a cache or a line of
 * the router's own code. It knows no state: no connections, fragments, NAT or neighbours.
 */
#ifndef TWIN_H
#define TWIN_H

#include <stdbool.h>
#include <stdint.h>

#define TWIN_DOMS	6	/* domains 1..5 on ports 1..5; port 0 is the uplink */
#define TWIN_SHARED	2
#define TWIN_RULES	12

struct twin_rule {
	bool in, drop;
	uint8_t proto;
	uint32_t src, src_mask, dst, dst_mask;
	uint16_t sport_first, sport_last, dport_first, dport_last;
};

struct twin {
	uint32_t shared[TWIN_SHARED];
	uint8_t owner[TWIN_SHARED][4][65536];	/* tcp, udp, icmp, sctp */
	uint8_t other[TWIN_SHARED][256];	/* owners of whole protocols */
	uint32_t dedicated[TWIN_DOMS];		/* 0: none */
	uint32_t internal[TWIN_DOMS];
	uint32_t self;
	bool attached[TWIN_DOMS];
	uint16_t mtu[TWIN_DOMS];
	struct twin_rule rule[TWIN_DOMS][TWIN_RULES];	/* [0]: everybody's */
	unsigned int rules[TWIN_DOMS];
	uint8_t mac[TWIN_DOMS][6], gateway_mac[6], peer_mac[6];
};

struct twin_answer {
	const char *verdict;	/* "forward", "consumed" or a drop's name */
	int out_port;
	uint8_t frame[2048];	/* as it leaves */
};

void twin_decide(const struct twin *t, int in_port, const uint8_t *frame, uint32_t len, struct twin_answer *a);

#endif
