/* SPDX-License-Identifier: BSD-2-Clause */
/* For policies that know who follows: what a packet of that class will touch comes into the cache before it is its turn. */
#ifndef SCHED_NET_FETCH_H
#define SCHED_NET_FETCH_H

#include <sched/net/fair.h>

#include <assert.h>
#include <stddef.h>

#define NETSCHED_LOOK_AHEAD 4u

static_assert(offsetof(struct netsched_class, q) == 0 && offsetof(struct flow, q) == 0 &&
	      offsetof(struct netsched_class, priv) == offsetof(struct flow, next), "a class's own queue can stand for a flow");

/*
 * c is to be picked after `turns` more picks. Told so at each number from NETSCHED_LOOK_AHEAD down to 1, this has all that its packet
 * needs at hand by then: the class's three lines, its ceiling, the flow, the packet. Each is reached through what was fetched before.
 * The next flow comes along, as a class may be picked twice in a row. (Always inline: a call of a function that only fetches is dropped.)
 */
static inline __attribute__((always_inline)) void netsched_fetch(const struct netsched_class *c, unsigned int turns)
{
	if (turns == 4) {
		__builtin_prefetch(c, 1);
		__builtin_prefetch(&c->sent_packets, 1);
		__builtin_prefetch(&c->fair.fattest, 1);
	} else if (turns == 2) {
		__builtin_prefetch(c->lead, 1);
		if (c->state & CLASS_PACED)
			__builtin_prefetch(c->aside, 1);
	} else if (turns == 1) {
		__builtin_prefetch(c->lead->head, 1);
		__builtin_prefetch(((const struct flow *)c->lead)->next, 1);
	}
}

#endif
