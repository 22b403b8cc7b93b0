/* SPDX-License-Identifier: BSD-2-Clause */
/* The head of a class's flow queues, which is part of the class: of them a packet touches this and its flow, nothing more. See fair.c. */
#ifndef SCHED_NET_FAIRQ_H
#define SCHED_NET_FAIRQ_H

#include <stdint.h>

struct fair_more;
struct flow;
struct netsched_item;

struct netsched_queue {
	struct netsched_item *head, *tail;
};

/* A ring: the tail's next is the head. So the head goes behind all others without a write to any of them. */
struct flow_list {
	struct flow *head, *tail;
};

struct fair_sub {
	struct flow *flows;
	struct flow_list fresh, old;
	uint32_t packets;
	int32_t deficit;
};

struct fair {
	struct fair_more *more;	/* for divided classes; NULL: this one never was */
	struct flow *fattest;
	uint32_t fattest_bytes;	/* kept here, as its own line is seldom at hand */
	uint16_t mask;		/* of a flow hash */
	uint8_t turn;		/* the sub-class in service */
	uint8_t subs;		/* 1 + the highest index in use */
	struct fair_sub first;	/* sub-class 0 */
};

#endif
