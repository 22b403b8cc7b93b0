/* SPDX-License-Identifier: BSD-2-Clause */
/* The cost of a table alone: port owners being changed, connections being found. */
#include "load.h"

#define RUNS	35

void bench_grants(unsigned int n)
{
	struct load l;
	double best = 0;

	load_make(&l, 1, 100, false, 64);
	for (unsigned int run = 0; run < RUNS; run++) {
		double t = now_ns();
		unsigned int ok = 0;

		for (unsigned int i = 0; i < 200000; i++) {
			struct vfr_portset ps = { .first = (uint16_t)(1024 + i % 50000), .last = (uint16_t)(1024 + i % 50000) };

			ok += !vfr_slice_claim(l.v, SEC, BENCH_SHARED, VFR_TCP, &ps, 1, NULL);
			ok += !vfr_slice_free(l.v, SEC, BENCH_SHARED, VFR_TCP, &ps, 1);
		}
		t = 400000 * 1e3 / (now_ns() - t);
		best = t > best ? t : best;
		if (ok != 400000)
			abort();
	}
	printf("slice-ops\t%.2f\n", best);
	load_free(&l);
}

static void key_pkt(struct vfr_pkt *p, uint32_t i)
{
	p->flags = VFR_PF_IPV4 | VFR_PF_PORTS | VFR_PF_NEWFLOW;
	p->proto = IP_UDP;
	p->src = 0x08000000u + i * 2654435761u % 16777216u;
	p->dst = BENCH_SHARED;
	p->sport = (uint16_t)(i * 40503u);
	p->dport = (uint16_t)(i >> 4);
}

/* As vfr_input() does it: the table is asked for in two steps over a batch, then looked into. */
static uint32_t look_up(struct ctx *c, const struct vfr_dom *d, uint32_t n)
{
	static struct vfr_pkt p[BATCH];
	uint16_t class;
	uint32_t hits = 0;

	for (uint32_t k = 0; k < BATCH; k++) {
		key_pkt(&p[k], rnd() % n);
		conn_prepare(&c->v->conns, c->v->key, &p[k]);
	}
	for (uint32_t k = 0; k < BATCH; k++)
		conn_prepare2(&c->v->conns, &p[k]);
	for (uint32_t k = 0; k < BATCH; k++)
		hits += vfr_conn_follow(c, &p[k], d->slot, &class);
	return hits;
}

void bench_conns(unsigned int unused)
{
	struct vfr_pkt p = { 0 };
	uint32_t n = 1000000, have = 0;
	struct load l;
	struct ctx c;
	double best = 1e9;

	load_make(&l, 1, 100, false, n * 4 / 3 + 64);
	struct vfr_dom *d = vfr_dom_at(l.v, 1);
	vfr_enter(&c, l.v, 0, BENCH_NOW);
	for (uint32_t i = 0; i < n; i++) {
		key_pkt(&p, i);
		have += vfr_conn_open(&c, &p, d, 0) == 0;
	}
	for (unsigned int run = 0; run < RUNS; run++) {
		uint32_t hits = 0, lookups = 400000;
		double t = now_ns();

		for (uint32_t i = 0; i < lookups; i += BATCH)
			hits += look_up(&c, d, n);
		t = (now_ns() - t) / lookups;
		best = t < best ? t : best;
		if (hits < lookups / 100 * 98)
			fprintf(stderr, "router-bench: %u of %u lookups hit, %u opened\n", hits, lookups, have);
	}
	vfr_leave(&c);
	printf("conns-1M\t%.1f\n", best);
	load_free(&l);
}
