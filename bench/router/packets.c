/* SPDX-License-Identifier: BSD-2-Clause */
/* The cost of a packet: 64 bytes, both directions, everything that the router does. */
#include "load.h"

#define RING	4096u		/* fits an inner cache */
#define LARGE	65536u		/* does not */

static void path(const char *name, bool six)
{
	struct load l;

	load_make(&l, 16, 4000, false, 64);
	l.six = six;
	printf("%s-plain\t%.1f\n", name, load_measure(&l, 1000, RING));
	load_free(&l);
	load_make(&l, 16, 4000, false, 65536);
	l.six = six;
	load_open_flows(&l, 1000);
	printf("%s-connections\t%.1f\n", name, load_measure(&l, 1000, RING));
	load_free(&l);
}

void bench_path(unsigned int n)
{
	path("path", false);
}

void bench_path6(unsigned int n)
{
	path("path6", true);
}

/* N rules for all domains, half of them in each direction, and one for each domain: none asks for connections. */
void bench_asked(unsigned int n)
{
	struct load l;

	load_make(&l, 16, 4000, false, 64);
	load_rules(&l, n);
	printf("asked-%u\t%.1f\n", n, load_measure(&l, 1000, RING));
	load_free(&l);
}

void bench_ports(unsigned int n)
{
	struct load l;

	load_make(&l, 1, n, false, 64);
	printf("ports-%u\t%.1f\n", n, load_measure(&l, n < 1000 ? 1000 : n, LARGE));
	load_free(&l);
}

void bench_domains(unsigned int n)
{
	struct load l;

	load_make(&l, n, 60, false, 64);
	printf("domains-%u\t%.1f\n", n, load_measure(&l, 60000 / n * n, LARGE));
	load_free(&l);
}

void bench_flows(unsigned int n)
{
	struct load l;

	load_make(&l, 16, 4000, false, 64);
	printf("flows-%u\t%.1f\n", n, load_measure(&l, n, LARGE));
	load_free(&l);
}

/*
 * What sharing an address costs: the same traffic for owners of slices and for owners of whole addresses, which is plain forwarding
 * through the same code. The two take turns, since their difference is small.
 */
void bench_added(unsigned int n)
{
	struct load l[2];
	struct ring r[2];
	double best[2] = { 1e9, 1e9 };

	for (unsigned int k = 0; k < 2; k++) {
		load_make(&l[k], 16, 4000, k == 0, 64);
		ring_make(&l[k], &r[k], n, LARGE);
	}
	for (unsigned int i = 0; i < 120; i++) {
		double t = ring_pass(&l[i & 1], &r[i & 1]);

		best[i & 1] = t < best[i & 1] ? t : best[i & 1];
	}
	printf("forward-%u\t%.2f\nshared-%u\t%.2f\n", n, best[0], n, best[1]);
	for (unsigned int k = 0; k < 2; k++) {
		ring_free(&r[k]);
		load_free(&l[k]);
	}
}
