/* SPDX-License-Identifier: BSD-2-Clause */
/* A timing wheel: nodes that fall due, O(1) to set, to cancel and to know the next by. See wheel.c. */
#ifndef SCHED_NET_WHEEL_H
#define SCHED_NET_WHEEL_H

#include <stdint.h>

#define WHEEL_LEVELS	9u	/* 6 bits each: every tick of 64-bit nanoseconds has its place */
#define WHEEL_SLOTS	64u
#define WHEEL_SHIFT	12u	/* one tick: 4.1 us */

struct wheel_node {
	struct wheel_node *next, **link;	/* link: what points here */
	uint64_t tick;
	uint16_t level, slot;
};

struct wheel {
	uint64_t tick;				/* all nodes lie behind it */
	uint32_t used;				/* levels in use */
	uint64_t mask[WHEEL_LEVELS];		/* slots in use */
	struct wheel_node *slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

static inline int wheel_empty(const struct wheel *w)
{
	return w->used == 0;
}

/* n, on no wheel, falls due at the first tick at or after `when`, and after now. */
void wheel_add(struct wheel *w, struct wheel_node *n, uint64_t when);
void wheel_del(struct wheel *w, struct wheel_node *n);
/* A node that is due at `now`, taken off the wheel; NULL: no more. */
struct wheel_node *wheel_due(struct wheel *w, uint64_t now);
/* No node falls due before this; UINT64_MAX: the wheel is empty. Exact within the next 262 us, early beyond. */
uint64_t wheel_next(const struct wheel *w);

#endif
