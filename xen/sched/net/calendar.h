/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A calendar: of the nodes whose start has come, the one with the earliest deadline, in O(1). See calendar.c.
 *
 * Times are in the caller's units and may wrap; they are compared by difference. A node is inserted, picked, charged and
 * refiled by the caller, who alone moves its start.
 */
#ifndef SCHED_NET_CALENDAR_H
#define SCHED_NET_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#define CALENDAR_GROUPS	32u
#define CALENDAR_SLOTS	64u

struct calendar_node {
	struct calendar_node *next, *prev;	/* a ring, of the nodes of one slot */
	uint64_t start;				/* when its next packet is due to begin */
	uint64_t price;				/* of a byte, units << CALENDAR_FRAC */
	uint8_t group, slot;
	bool queued;
};

#define CALENDAR_FRAC 16

struct calendar_group {
	uint64_t full;				/* slots in use, a bit each */
	uint64_t first;				/* number of the first slot in use: its start >> shift */
	struct calendar_node *slot[CALENDAR_SLOTS]; /* the oldest of each; number modulo 64 */
};

struct calendar {
	uint32_t used;				/* groups that are not empty */
	unsigned int base;			/* slot width of group 0: 2^base units */
	uint64_t start[CALENDAR_GROUPS];	/* of each group's first slot */
	struct calendar_group group[CALENDAR_GROUPS];
};

/* Slot widths run from 2^base to 2^(base + 31) units. */
void calendar_init(struct calendar *cal, unsigned int base);
/* n, not queued, pays `price` for a byte and takes at most `most` bytes at once. */
void calendar_price(const struct calendar *cal, struct calendar_node *n, uint64_t price, uint32_t most);
void calendar_insert(struct calendar *cal, struct calendar_node *n);
void calendar_remove(struct calendar *cal, struct calendar_node *n);
/* Charge n, queued or not, for what it took: its start moves on. */
void calendar_charge(struct calendar *cal, struct calendar_node *n, uint32_t bytes);

/* Of the nodes that have started at `t`, the one with the earliest deadline; NULL: none has started. The node is not removed. */
struct calendar_node *calendar_pick(const struct calendar *cal, uint64_t t);
/* The earliest start of any node, rounded down to its slot; the calendar is not empty. */
uint64_t calendar_first(const struct calendar *cal);

static inline bool calendar_empty(const struct calendar *cal)
{
	return cal->used == 0;
}

/* Of a node: the width of its slots; its deadline is two of these behind the start of its slot. */
static inline uint64_t calendar_width(const struct calendar *cal, const struct calendar_node *n)
{
	return 1ull << (cal->base + n->group);
}

static inline uint64_t calendar_deadline(const struct calendar *cal, const struct calendar_node *n)
{
	return (n->start & ~(calendar_width(cal, n) - 1)) + 2 * calendar_width(cal, n);
}

static inline bool calendar_before(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

#endif
