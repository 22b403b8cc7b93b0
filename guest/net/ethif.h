/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An lwIP interface on a network front end, set up from the command line: ip=A.B.C.D/N gw=A.B.C.D. One loop serves both; a
 * program may look at each packet before lwIP does (a hot path) and take it.
 */
#ifndef GUEST_ETHIF_H
#define GUEST_ETHIF_H
#include <stdbool.h>
#include "netfront.h"
#include "lwip/netif.h"

/* => true: taken, and sent back if *VERDICT says so. */
typedef bool (*ethif_hot_fn)(struct netfront *nf, const struct net_packet *p, enum net_verdict *verdict);

struct ethif {
	struct netfront nf;
	struct netif netif;
	ethif_hot_fn hot;
	uint64_t timer;			/* when the next wake-up is due, 0: none armed */
	unsigned int busy_turns;
};

/* => 0 or -errno. */
int ethif_open(struct ethif *e, ethif_hot_fn hot);
/* One batch in, whatever it causes out. => how many packets came. */
unsigned int ethif_turn(struct ethif *e);
/* Serve until STOP says so (NULL: for ever), asleep when there is nothing to do. */
void ethif_run(struct ethif *e, bool (*stop)(void));
#endif
