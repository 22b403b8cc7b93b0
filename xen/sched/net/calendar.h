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

struct calendar_link {
	struct calendar_link *next, *prev;
};

struct calendar_node {
	struct calendar_link link;		/* first, so that a link is its node; in a ring with its slot */
	uint64_t start;				/* when its next packet is due to begin */
	uint64_t price;				/* of a byte, units << CALENDAR_FRAC */
	uint8_t group, shift, slot;		/* shift: the width of its slots is 2^shift */
	bool queued;
};

#define CALENDAR_FRAC 16

struct calendar {
	/* The choice: the slot with the earliest deadline of those that have started. It was made at `chosen` and holds for so long. */
	struct calendar_link *front;		/* &nobody: none has started */
	uint64_t chosen, holds;			/* not behind the deadline; 0: choose anew */
	uint64_t deadline;			/* of the chosen slot */
	struct calendar_link nobody;		/* its next is NULL */

	uint32_t used;				/* groups that are not empty */
	unsigned int base;			/* slot width of group 0: 2^base units */
	/* of each group: */
	uint64_t start[CALENDAR_GROUPS];	/* of its first slot in use */
	uint64_t first[CALENDAR_GROUPS];	/* that slot's number: its start >> shift */
	uint64_t full[CALENDAR_GROUPS];		/* slots in use, a bit each */
	struct calendar_link slot[CALENDAR_GROUPS * CALENDAR_SLOTS]; /* number modulo 64; oldest first */
};

/* Slot widths run from 2^base to 2^(base + 31) units. */
void calendar_init(struct calendar *cal, unsigned int base);
/* n, not queued, pays `price` for a byte and takes at most `most` bytes at once. */
void calendar_price(const struct calendar *cal, struct calendar_node *n, uint64_t price, uint32_t most);
void calendar_insert(struct calendar *cal, struct calendar_node *n);
void calendar_remove(struct calendar *cal, struct calendar_node *n);

/* The earliest start of any node, rounded down to its slot; the calendar is not empty. */
uint64_t calendar_first(const struct calendar *cal);
/* The choice at `t`, for calendar_pick(). */
void calendar_choose(struct calendar *cal, uint64_t t);
/* n's start has moved on: file it where it belongs now, for calendar_charge(). */
void calendar_refile(struct calendar *cal, struct calendar_node *n);

static inline bool calendar_empty(const struct calendar *cal)
{
	return cal->used == 0;
}

static inline bool calendar_before(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

/* The choice that was made holds at t, which is not behind its deadline. */
static inline bool calendar_holds(const struct calendar *cal, uint64_t t)
{
	return t - cal->chosen < cal->holds;
}

/* Of the nodes that have started at `t`, the one with the earliest deadline; NULL: none has started. The node is not removed. */
static inline struct calendar_node *calendar_pick(struct calendar *cal, uint64_t t)
{
	if (!calendar_holds(cal, t))
		calendar_choose(cal, t);
	return (struct calendar_node *)cal->front->next;
}

/* n is charged for what it took; it is not queued. */
static inline void calendar_pay(struct calendar_node *n, uint32_t bytes)
{
	n->start += (n->price * bytes) >> CALENDAR_FRAC;
}

static inline struct calendar_link *calendar_slot(struct calendar *cal, unsigned int group, uint64_t number)
{
	return &cal->slot[group * CALENDAR_SLOTS + number % CALENDAR_SLOTS];
}

static inline void calendar_file(struct calendar *cal, struct calendar_node *n, uint64_t number)
{
	struct calendar_link *slot = calendar_slot(cal, n->group, number), *last = slot->prev;

	n->slot = number % CALENDAR_SLOTS;
	if (last == slot)
		cal->full[n->group] |= 1ull << n->slot;
	n->link.next = slot;
	n->link.prev = last;
	last->next = slot->prev = &n->link;
}

/*
 * The same, and it is queued: it moves to where it belongs now. keep: if that is the same slot, it keeps its place there, else it
 * goes behind the others in any case. All in a slot are equal, so either is right; to go on with what is at hand saves fetching,
 * to do the same each time saves guessing.
 */
static inline void calendar_charge(struct calendar *cal, struct calendar_node *n, uint32_t bytes, bool keep)
{
	struct calendar_link *next = n->link.next, *prev = n->link.prev;
	uint64_t before = n->start;

	calendar_pay(n, bytes);
	if (keep && (before ^ n->start) >> n->shift == 0)
		return;
	uint64_t number = n->start >> n->shift;
	if (next == prev || number - cal->first[n->group] >= CALENDAR_SLOTS) {	/* alone in its slot, or far ahead */
		calendar_refile(cal, n);
		return;
	}
	next->prev = prev;
	prev->next = next;
	calendar_file(cal, n, number);
}

/* Of a node: the width of its slots; its deadline is two of these behind the start of its slot. */
static inline uint64_t calendar_width(const struct calendar_node *n)
{
	return 1ull << n->shift;
}

static inline uint64_t calendar_deadline(const struct calendar_node *n)
{
	return (n->start & ~(calendar_width(n) - 1)) + 2 * calendar_width(n);
}

#endif
