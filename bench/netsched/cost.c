/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cost of a packet: ns for one enqueue and one dequeue, in a steady state where every class has packets queued and each packet
 * that leaves comes back to its class (saturated), or where no class has any and each packet passes through alone (sparse).
 *
 *	cost POLICY CLASSES saturated|sparse [PACKETS]	prints the least of seven runs' ns per packet
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sched/net/netsched.h>

#define RATE 100000000000ull
#define DEPTH 2
#define BUFFERS 256	/* as a driver recycles them */
#define AHEAD 8		/* a driver hands packets over in batches, so the next ones are known */

static uint32_t *order;	/* class ids, each DEPTH times, shuffled */

static void host_drop(void *ctx, struct netsched_item *item, enum netsched_verdict why)
{
	fprintf(stderr, "a packet was dropped: %s\n", netsched_verdict_name(why));
	exit(1);
}

static bool host_mark(void *ctx, struct netsched_item *item)
{
	return true;
}

static void host_resume(void *ctx, uint32_t class_id)
{
}

static double clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct netsched *make(const char *policy, uint32_t classes)
{
	struct netsched_link link = { .rate_bps = RATE, .max_packet = 1538, .max_classes = classes };
	struct netsched_host host = { .drop = host_drop, .mark = host_mark, .resume = host_resume };
	struct netsched_refusal why;
	struct netsched *ns;

	if (netsched_create(netsched_find(policy), &link, &host, &ns, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(1);
	}
	for (uint32_t id = 0; id < classes; id++) {
		struct netsched_params p = {
			.guarantee_bps = RATE / 10 * 8 / classes, .weight = 1 + id % 7, .flows = 4,
			.target_us = 3900000, .interval_us = 4000000,
		};
		if (netsched_class_set(ns, id, &p, 0, &why)) {
			fprintf(stderr, "%s\n", why.text);
			exit(1);
		}
	}
	return ns;
}

static void put(struct netsched *ns, struct netsched_item *item, uint64_t now)
{
	if (netsched_enqueue(ns, item, now) > NETSCHED_STOP) {
		fprintf(stderr, "a packet was refused\n");
		exit(1);
	}
}

/* Each packet that leaves is the next to arrive. */
static double saturated(struct netsched *ns, struct netsched_item *items, uint32_t n, uint64_t packets, uint64_t *now)
{
	uint64_t next;

	for (uint32_t i = 0; i < n; i++)
		put(ns, &items[i], *now);
	for (uint64_t i = 0; i < packets / 4; i++, *now += 123)
		put(ns, netsched_dequeue(ns, *now, &next), *now);
	double t = clock_ns();
	for (uint64_t i = 0; i < packets; i++, *now += 123)	/* 1538 bytes at 100 Gbit/s */
		put(ns, netsched_dequeue(ns, *now, &next), *now);
	t = clock_ns() - t;
	while (netsched_dequeue(ns, *now, &next))
		;
	return t / (double)packets;
}

static double sparse(struct netsched *ns, struct netsched_item *items, uint32_t n, uint64_t packets, uint64_t *now)
{
	uint64_t next;

	double t = clock_ns();
	for (uint64_t i = 0; i < packets; i++, *now += 123) {
		struct netsched_item *item = &items[i % (n < BUFFERS ? n : BUFFERS)];
		item->class_id = order[i % n];
		netsched_expect(ns, order[(i + AHEAD) % n]);
		put(ns, item, *now);
		netsched_dequeue(ns, *now, &next);
	}
	return (clock_ns() - t) / (double)packets;
}

int main(int argc, char **argv)
{
	uint32_t classes = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;

	if (argc < 4 || !classes || !netsched_find(argv[1])) {
		fprintf(stderr, "usage: %s POLICY CLASSES saturated|sparse [PACKETS]\n", argv[0]);
		return 2;
	}
	uint64_t packets = argc > 4 ? strtoull(argv[4], NULL, 10) : 1000000, now = 1000;
	uint32_t n = classes * DEPTH;
	struct netsched *ns = make(argv[1], classes);
	struct netsched_item *items = aligned_alloc(64, n * 64);
	double best = 1e9;

	memset(items, 0, n * sizeof(*items));
	order = malloc(n * sizeof(*order));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t j = (uint32_t)rand() % (i + 1);
		order[i] = order[j];
		order[j] = i % classes;
	}
	for (uint32_t i = 0; i < n; i++) {
		items[i].class_id = order[i];
		items[i].wire_bytes = 1538;
		items[i].flow_hash = i;
	}
	for (int run = 0; run < 7; run++) {
		double t = (strcmp(argv[3], "sparse") ? saturated : sparse)(ns, items, n, packets, &now);
		best = t < best ? t : best;
	}
	printf("%.1f\n", best);
	netsched_destroy(ns);
	free(items);
	free(order);
	return 0;
}
