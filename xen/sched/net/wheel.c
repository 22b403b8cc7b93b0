/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wheel's levels are the base-64 digits of a tick. A node lies on the level of the highest digit in which its tick
 * differs from the wheel's, in the slot of that digit; so all slots in use on a level lie ahead of the wheel's own digit,
 * and everything on a lower level is due before everything on a higher one. When time reaches a slot of a higher level, its
 * nodes move down.
 */
#include <sched/net/wheel.h>

#include <assert.h>
#include <stddef.h>

static_assert(6 * WHEEL_LEVELS >= 64 - WHEEL_SHIFT, "a level for every digit");

static void place(struct wheel *w, struct wheel_node *n)
{
	uint64_t differ = n->tick ^ w->tick;
	unsigned int level = differ ? (63 - (unsigned int)__builtin_clzll(differ)) / 6 : 0;

	n->slot = (n->tick >> (6 * level)) % WHEEL_SLOTS;
	n->level = (uint16_t)level;
	struct wheel_node **head = &w->slot[level][n->slot];
	n->next = *head;
	if (n->next)
		n->next->link = &n->next;
	n->link = head;
	*head = n;
	w->mask[level] |= 1ull << n->slot;
	w->used |= 1u << level;
}

void wheel_add(struct wheel *w, struct wheel_node *n, uint64_t when)
{
	n->tick = (when + (1ull << WHEEL_SHIFT) - 1) >> WHEEL_SHIFT;
	if (n->tick <= w->tick)
		n->tick = w->tick + 1;
	place(w, n);
}

static void clear(struct wheel *w, unsigned int level, uint64_t digit)
{
	w->mask[level] &= ~(1ull << digit);
	if (!w->mask[level])
		w->used &= ~(1u << level);
}

void wheel_del(struct wheel *w, struct wheel_node *n)
{
	*n->link = n->next;
	if (n->next)
		n->next->link = n->link;
	n->link = NULL;
	if (!w->slot[n->level][n->slot])
		clear(w, n->level, n->slot);
}

/* The first slot in use: its level, or WHEEL_LEVELS; where it starts. */
static unsigned int first_slot(const struct wheel *w, uint64_t *start)
{
	if (!w->used)
		return WHEEL_LEVELS;
	unsigned int level = (unsigned int)__builtin_ctz(w->used);
	uint64_t digit = (uint64_t)__builtin_ctzll(w->mask[level]);
	uint64_t upper = w->tick >> (6 * (level + 1));
	*start = (upper << 6 | digit) << (6 * level);
	return level;
}

/* Time has come to a slot of a higher level: its nodes go where they now belong. */
static void move_down(struct wheel *w, unsigned int level, uint64_t digit)
{
	struct wheel_node *n = w->slot[level][digit], *next;

	w->slot[level][digit] = NULL;
	clear(w, level, digit);
	for (; n; n = next) {
		next = n->next;
		place(w, n);
	}
}

struct wheel_node *wheel_due(struct wheel *w, uint64_t now)
{
	uint64_t start, tick = now >> WHEEL_SHIFT;

	for (;;) {
		unsigned int level = first_slot(w, &start);
		if (level == WHEEL_LEVELS || start > tick)
			break;
		uint64_t digit = (start >> (6 * level)) % WHEEL_SLOTS;
		w->tick = start;
		if (level == 0) {
			struct wheel_node *n = w->slot[0][digit];
			wheel_del(w, n);
			return n;
		}
		move_down(w, level, digit);
	}
	if (tick > w->tick)
		w->tick = tick;
	return NULL;
}

uint64_t wheel_next(const struct wheel *w)
{
	uint64_t start;

	return first_slot(w, &start) == WHEEL_LEVELS ? UINT64_MAX : start << WHEEL_SHIFT;
}
