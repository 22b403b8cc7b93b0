/* SPDX-License-Identifier: BSD-2-Clause */
/* A ring of runnable classes, for policies that go round: the head is next, newcomers stand behind all others. */
#ifndef SCHED_NET_RING_H
#define SCHED_NET_RING_H

#include <stddef.h>

struct ring_node {
	struct ring_node *next, *prev;
};

struct ring {
	struct ring_node *head;
};

static inline void ring_add(struct ring *r, struct ring_node *n)
{
	struct ring_node *head = r->head;

	if (!head) {
		n->next = n->prev = n;
		r->head = n;
		return;
	}
	n->next = head;
	n->prev = head->prev;
	head->prev->next = n;
	head->prev = n;
}

static inline void ring_del(struct ring *r, struct ring_node *n)
{
	if (n->next == n) {
		r->head = NULL;
		return;
	}
	n->next->prev = n->prev;
	n->prev->next = n->next;
	if (r->head == n)
		r->head = n->next;
}

/* The head goes behind all others. */
static inline void ring_turn(struct ring *r)
{
	r->head = r->head->next;
}

#endif
