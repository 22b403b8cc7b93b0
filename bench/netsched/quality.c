/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How well the policies keep their promises, on a simulated link (virtual time, so the figures do not depend on the machine).
 *
 *	quality			one line a figure of hfq: name value
 *	quality delay POLICY	delays of a sparse domain beside three floods, ms, sorted: for the plot
 *	quality rates POLICY	Mbit/s of three domains guaranteed 1:2:7 in steps of 5 ms, one pausing, one flooding: for the plot
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sched/net/netsched.h>

#define FRAME 1538
#define MAX 128
#define MS 1000000ull
#define MBIT 1000000ull

struct packet {
	struct netsched_item item;
	uint64_t born;		/* when it was due to arrive, be it that the simulated wire was busy then */
};

struct run {
	struct netsched *ns;
	uint64_t now, rate;
	uint32_t queued[MAX];
	double bytes[MAX];
	double delay[200000];
	uint32_t delays;
};

static void host_drop(void *ctx, struct netsched_item *item, enum netsched_verdict why)
{
	struct run *r = ctx;

	r->queued[item->class_id]--;
	free(item);
}

static bool host_mark(void *ctx, struct netsched_item *item)
{
	return true;
}

static void host_resume(void *ctx, uint32_t class_id)
{
}

static struct run *start(const char *policy, uint64_t rate, uint32_t max_packet)
{
	struct run *r = calloc(1, sizeof(*r));
	struct netsched_link link = { .rate_bps = rate, .max_packet = max_packet, .max_classes = MAX };
	struct netsched_host host = { .ctx = r, .drop = host_drop, .mark = host_mark, .resume = host_resume };

	if (!netsched_find(policy) || netsched_create(netsched_find(policy), &link, &host, &r->ns, NULL))
		exit(2);
	r->rate = rate;
	r->now = 1000;
	return r;
}

static void finish(struct run *r)
{
	netsched_destroy(r->ns);
	free(r);
}

static void add(struct run *r, uint32_t id, uint64_t guarantee, uint32_t weight)
{
	struct netsched_params p = { .guarantee_bps = guarantee, .weight = weight, .limit_bytes = 1u << 29, .limit_packets = 1u << 20,
				     .target_us = 3900000, .interval_us = 4000000 };
	struct netsched_refusal why;

	if (netsched_class_set(r->ns, id, &p, r->now, &why)) {
		fprintf(stderr, "%s\n", why.text);
		exit(2);
	}
}

static void arrive(struct run *r, uint32_t id, uint32_t bytes, uint64_t born)
{
	struct packet *p = calloc(1, sizeof(*p));
	struct netsched_item *item = &p->item;

	p->born = born;

	item->class_id = id;
	item->wire_bytes = bytes;
	item->ecn = NETSCHED_ECT0;
	r->queued[id]++;
	if (netsched_enqueue(r->ns, item, r->now) > NETSCHED_STOP)
		exit(2);
}

static void keep(struct run *r, uint32_t id, uint32_t bytes, uint32_t n)
{
	while (r->queued[id] < n)
		arrive(r, id, bytes, r->now);
}

/* One packet goes and the wire is busy with it; without one the clock moves to `idle`. => its class or -1 */
static int step(struct run *r, uint64_t idle)
{
	uint64_t next;
	struct netsched_item *item = netsched_dequeue(r->ns, r->now, &next);

	if (!item) {
		r->now = next < idle ? next : idle;
		return -1;
	}
	int id = (int)item->class_id;
	r->queued[id]--;
	r->bytes[id] += item->wire_bytes;
	if (id == 0 && r->delays < 200000)
		r->delay[r->delays++] = (double)(r->now - ((struct packet *)item)->born) / 1e6;
	r->now += item->wire_bytes * 8000000000ull / r->rate;
	free(item);
	return id;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* 1:2:7 guaranteed on 90 % of the link beside a flood with the weight of a hundred: the worst share of any window of 100 ms. */
static double rate_error(uint64_t rate)
{
	static const double guaranteed[] = { 0.09, 0.18, 0.63 };
	struct run *r = start("hfq", rate, FRAME);
	double worst = 0, before[4];

	for (uint32_t id = 0; id < 3; id++)
		add(r, id, (uint64_t)((double)rate * guaranteed[id]), 1);
	add(r, 3, 0, 100);
	for (int window = 0; window < 10; window++) {
		uint64_t begin = r->now, end = begin + 100 * MS;
		memcpy(before, r->bytes, sizeof(before));
		while (r->now < end) {
			for (uint32_t id = 0; id < 4; id++)
				keep(r, id, FRAME, 3);
			step(r, end);
		}
		double all = (double)rate / 8e9 * (double)(r->now - begin);
		for (uint32_t id = 0; id < 3; id++) {
			double share = (guaranteed[id] + 0.1 / 103) * all;
			worst = fmax(worst, fabs(r->bytes[id] - before[id] - share) / share);
		}
	}
	finish(r);
	return worst * 100;
}

/* Random bursts at a link that is fully given away: the worst lag behind a link of one's own, in parts of the bound. */
static double worst_lag(uint64_t rate, uint32_t max_packet)
{
	struct run *r = start("hfq", rate, max_packet);
	double served[16] = { 0 }, backlog[16] = { 0 }, g[16], worst = 0;
	uint64_t fed = r->now, at = r->now, end = r->now + 20000ull * max_packet * 8000000000ull / rate;
	struct netsched_stats st;

	srand(1);
	for (uint32_t id = 0; id < 16; id++) {
		uint64_t guarantee = id < 15 ? rate / 1000 * 980 / 120 * (id + 1) : 0;
		g[id] = (double)guarantee / 8e9;
		add(r, id, guarantee, 1 + (uint32_t)rand() % 1000);
	}
	while (r->now < end) {
		keep(r, 15, max_packet, 2);
		for (double budget = (double)(r->now - fed) * (double)rate / 8e9 * 1.5; budget > 0 && rand() % 3 == 0; fed = r->now) {
			for (uint32_t id = (uint32_t)rand() % 15, n = (uint32_t)rand() % 20; n > 0; n--) {
				uint32_t bytes = rand() % 2 ? max_packet : 84;
				arrive(r, id, bytes, r->now);
				backlog[id] += bytes;
				budget -= bytes;
			}
		}
		step(r, end);
		for (uint32_t id = 0; id < 15; id++) {
			double s = fmin(g[id] * (double)(r->now - at), backlog[id]);
			served[id] += s;
			backlog[id] -= s;
			netsched_stats_read(r->ns, id, r->now, false, &st);
			worst = fmax(worst, (served[id] - r->bytes[id]) / (g[id] * (double)st.bound_ns + max_packet));
		}
		at = r->now;
	}
	finish(r);
	return worst;
}

/* A hundred equal domains with packets of different lengths, 100 ms: Jain's index of their bytes. */
static double jain(const char *policy)
{
	struct run *r = start(policy, 1000 * MBIT, FRAME);
	double sum = 0, squares = 0;

	for (uint32_t id = 0; id < 100; id++)
		add(r, id, 0, 5);
	for (uint64_t end = r->now + 200 * MS; r->now < end; step(r, end))
		for (uint32_t id = 0; id < 100; id++)
			keep(r, id, 100 + id * 14, 2);
	for (uint32_t id = 0; id < 100; id++) {
		sum += r->bytes[id];
		squares += r->bytes[id] * r->bytes[id];
	}
	finish(r);
	return sum * sum / (100 * squares);
}

/* Domain 0: a small packet about each ms; three others flood if asked to. */
static struct run *sparse(const char *policy, bool floods)
{
	struct run *r = start(policy, 100 * MBIT, FRAME);
	uint64_t due = r->now;

	srand(2);
	for (uint32_t id = 0; id < 4; id++)
		add(r, id, id ? 20 * MBIT : 10 * MBIT, 1);
	for (uint64_t end = r->now + 4000 * MS; r->now < end; step(r, due)) {
		for (uint32_t id = 1; id < 4 && floods; id++)
			keep(r, id, FRAME, 64);
		if (r->now >= due) {
			arrive(r, 0, 200, due);
			due = r->now + MS / 2 + (uint64_t)rand() % MS;
		}
	}
	qsort(r->delay, r->delays, sizeof(r->delay[0]), ascending);
	return r;
}

/* Including its own time on the wire, as a round trip would show it. */
static double p99(const char *policy, bool floods)
{
	struct run *r = sparse(policy, floods);
	double d = r->delay[r->delays * 99 / 100] + 200 * 8e3 / (100 * MBIT);

	finish(r);
	return d;
}

static void print_delays(const char *policy)
{
	struct run *r = sparse(policy, true);

	for (uint32_t i = 0; i < r->delays; i += 20)
		printf("%.4f %.4f\n", r->delay[i], (double)i / r->delays);
	finish(r);
}

static void print_rates(const char *policy)
{
	struct run *r = start(policy, 100 * MBIT, FRAME);
	const uint64_t begin = r->now;

	for (uint32_t id = 0; id < 3; id++)
		add(r, id, (id == 0 ? 9 : id == 1 ? 18 : 63) * MBIT, id == 0 ? 1 : id == 1 ? 2 : 7);
	add(r, 3, 0, 1);
	for (uint64_t t = 0; t < 200; t += 5) {
		double before[4];
		memcpy(before, r->bytes, sizeof(before));
		uint64_t t0 = r->now, end = begin + (t + 5) * MS;
		while (r->now < end) {
			for (uint32_t id = 0; id < 4; id++)	/* the third pauses, the flood comes at 50 ms and goes at 150 ms */
				if ((id != 2 || t < 80 || t >= 120) && (id != 3 || (t >= 50 && t < 150)))
					keep(r, id, id == 3 ? 500 : FRAME, 8);
			step(r, end);
		}
		printf("%u", (unsigned int)t);
		for (uint32_t id = 0; id < 4; id++)
			printf(" %.3f", (r->bytes[id] - before[id]) * 8e3 / (double)(r->now - t0));
		printf("\n");
	}
	finish(r);
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "delay")) {
		print_delays(argv[2]);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "rates")) {
		print_rates(argv[2]);
		return 0;
	}
	printf("rate_error_percent_1g %.4f\n", rate_error(1000 * MBIT));
	printf("rate_error_percent_10g %.4f\n", rate_error(10000 * MBIT));
	printf("worst_lag_frames %.4f\n", worst_lag(1000 * MBIT, FRAME));
	printf("worst_lag_segments %.4f\n", worst_lag(10000 * MBIT, 67672));
	printf("jain %.6f\n", jain("hfq"));
	printf("jain_rr %.6f\n", jain("rr"));
	printf("p99_solo_ms %.4f\n", p99("hfq", false));
	printf("p99_flood_ms %.4f\n", p99("hfq", true));
	printf("p99_flood_rr_ms %.4f\n", p99("rr", true));
	return 0;
}
