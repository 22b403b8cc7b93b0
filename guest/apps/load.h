/* SPDX-License-Identifier: BSD-2-Clause */
/* The two kinds of load and their counters. */
#ifndef GUEST_LOAD_H
#define GUEST_LOAD_H
#include <stdint.h>
#include "ethif.h"
#include "lwip/ip4_addr.h"

struct load_target {
	ip4_addr_t addr;
	uint16_t port, from, size;
	unsigned long rate;		/* a second; 0: as fast as it goes */
};

struct load_counts {
	unsigned long sent, answered;
};

struct load_counts load_counts(void);
void load_count(unsigned long sent, unsigned long answered);

bool load_udp_hot(struct netfront *nf, const struct net_packet *p, enum net_verdict *verdict);
/* Returns when STOP says so. */
void load_udp_run(struct ethif *e, const struct load_target *to, bool (*stop)(void));
/* Opens the connections; each sends its next request when the last answer is complete. */
void load_http_start(const struct load_target *to, unsigned int conns);
#endif
