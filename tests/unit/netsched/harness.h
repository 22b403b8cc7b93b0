/* SPDX-License-Identifier: BSD-2-Clause */
/* A simulated host and link for the network schedulers' tests: packets that know who they are, and a clock. */
#ifndef NETSCHED_HARNESS_H
#define NETSCHED_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched/net/netsched.h>

#define MAX_CLASSES 64
#define FULL 1538	/* a full frame on the wire */

struct packet {
	struct netsched_item item;
	uint32_t flow;
	uint64_t seq;		/* within its class and flow */
};

struct sim {
	struct netsched *ns;
	uint64_t now;
	uint64_t rate_bps;	/* of the link that takes the packets; its wire is free again at `idle_at` */
	uint64_t idle_at;
	uint64_t seq[MAX_CLASSES][16], seen[MAX_CLASSES][16];
	uint64_t made, sent, dropped, refused;
	uint64_t bytes[MAX_CLASSES];
	uint64_t drops[NETSCHED_VERDICTS];
	uint64_t marked, resumed[MAX_CLASSES];
	uint64_t worst_ns[MAX_CLASSES];	/* longest time in the queue */
	bool cannot_mark;
	uint8_t ecn, dscp, mark;	/* of the packets made from now on */
};

/* A sim before a link of this rate. paced: the scheduler keeps the rate, the wire is infinitely fast. */
struct sim *sim_new(const struct netsched_ops *ops, uint64_t rate_bps, bool paced, uint32_t max_packet);
/* Destroys it; fails if a packet or a byte of memory is left. */
void sim_free(struct sim *s);
/* Shorthand for netsched_class_set() that must succeed. */
void sim_class(struct sim *s, uint32_t id, const struct netsched_params *p);
/* One packet arrives now; a refused one is freed and counted. */
enum netsched_verdict sim_arrive(struct sim *s, uint32_t id, uint32_t flow, uint32_t bytes);
/* Keep `n` packets queued in a class. */
void sim_fill(struct sim *s, uint32_t id, uint32_t flow, uint32_t bytes, uint32_t n);
/* The next packet if one may go at s->now: checks its order within its flow, counts and frees it. => class id or -1 */
int sim_depart(struct sim *s, uint64_t *next);
/* Run the link until `end`; refill(s, arg) is called before each departure. */
void sim_run(struct sim *s, uint64_t end, void (*refill)(struct sim *s, void *arg), void *arg);

uint32_t random_below(uint32_t n);
void random_seed(uint64_t seed);

#define MS 1000000ull
#define MBIT 1000000ull

extern const struct netsched_ops *const tested_policies[];	/* all in the registry and the documentation's example; NULL */

int run_structure_tests(void);
int run_conformance_tests(void);
int run_class_tests(void);
int run_flow_tests(void);
int run_fluid_tests(void);

#endif
