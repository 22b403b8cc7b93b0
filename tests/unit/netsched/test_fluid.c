/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hfq against fluid twins on random arrivals: a dedicated link for each guarantee (the bound proved in hfq.c must hold at every
 * departure), and an ideal link that serves all classes at once, infinitely finely.
 */
#include <harness.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sched/net/policy.h>

#define N 12

/* --- a dedicated link a class ----------------------------------------------------------------------------------------- */

struct dedicated {
	double rate;		/* bytes a ns */
	double backlog, served;
	uint64_t at;
};

static void dedicated_advance(struct dedicated *d, uint64_t now)
{
	double s = d->rate * (double)(now - d->at);

	s = s < d->backlog ? s : d->backlog;
	d->backlog -= s;
	d->served += s;
	d->at = now;
}

struct mix {
	const char *title;
	uint64_t rate_bps;
	bool paced;
	uint32_t max_packet;
	uint32_t small;		/* classes below this have full frames at most */
};

/* Random guarantees that fill the link's room exactly, random weights. */
static void random_classes(struct sim *s, const struct mix *m, struct dedicated *d)
{
	uint64_t room, given, part[N], sum = 0;

	netsched_admitted(s->ns, &given, &room);
	for (uint32_t id = 0; id < N; id++)
		sum += part[id] = id == N - 1 ? 0 : 1 + random_below(1u << (1 + random_below(10)));
	for (uint32_t id = 0; id < N; id++) {
		struct netsched_params p = {
			.guarantee_bps = part[id] && room / sum * part[id] < NETSCHED_MIN_RATE ? 0 : room / sum * part[id],
			.weight = 1 + random_below(1000), .limit_bytes = 1u << 29,
			.limit_packets = 1u << 20, .max_packet = id < m->small ? 2048 : 0, .target_us = 3900000, .interval_us = 4000000,
		};
		sim_class(s, id, &p);
		d[id] = (struct dedicated) { .rate = (double)p.guarantee_bps / 8e9, .at = s->now };
	}
}

static uint32_t random_size(const struct sim *s, uint32_t id)
{
	struct netsched_params p;

	netsched_class_get(s->ns, id, &p);
	return random_below(3) ? 84 + random_below(p.max_packet - 84) : p.max_packet;
}

/* Bursts at random times, at twice the link's rate in all; the last class (no guarantee) always has packets. */
static void arrivals(struct sim *s, struct dedicated *d, uint64_t *budget)
{
	while (*budget > 0) {
		uint32_t id = random_below(N - 1), burst = 1 + random_below(1u << random_below(6));
		for (uint32_t i = 0; i < burst && *budget; i++) {
			uint32_t bytes = random_size(s, id);
			dedicated_advance(&d[id], s->now);
			d[id].backlog += bytes;
			assert_true(sim_arrive(s, id, 0, bytes) <= NETSCHED_STOP);
			*budget -= bytes < *budget ? bytes : *budget;
		}
	}
	sim_fill(s, N - 1, 0, s->ns->link.max_packet, 2);
}

static double run_mix(const struct mix *m, uint64_t seed)
{
	struct dedicated d[N];
	struct netsched_stats st;
	struct sim *s = sim_new(&netsched_hfq, m->rate_bps, m->paced, m->max_packet);
	uint64_t next, fed = s->now, end = s->now + 3000ull * s->ns->link.max_packet * 8000000000ull / m->rate_bps;
	double worst = 0;

	random_seed(seed);
	random_classes(s, m, d);
	s->ecn = NETSCHED_ECT0;	/* CoDel marks, and drops nothing */
	while (s->now < end) {
		uint64_t budget = (uint64_t)((double)(s->now - fed) * (double)m->rate_bps / 8e9 * 2);
		if (budget > 4 * s->ns->link.max_packet && random_below(4) == 0) {
			fed = s->now;
			arrivals(s, d, &budget);
		}
		sim_fill(s, N - 1, 0, s->ns->link.max_packet, 1);
		if (sim_depart(s, &next) < 0)
			s->now = next < end ? next : end;
		for (uint32_t id = 0; id < N - 1; id++) {
			netsched_stats_read(s->ns, id, s->now, false, &st);
			dedicated_advance(&d[id], s->now);
			double bound = d[id].rate * (double)st.bound_ns + s->ns->classes[id].p.max_packet + 1;
			double lag = d[id].served - (double)s->bytes[id];
			assert_true(lag <= bound);
			assert_true(st.late_max_ns <= st.bound_ns);
			worst = lag / bound > worst ? lag / bound : worst;
		}
		if (s->now < s->idle_at)
			s->now = s->idle_at;
	}
	assert_true(s->bytes[N - 1] > 0);
	sim_free(s);
	return worst;
}

static void every_guarantee_is_served_as_by_a_link_of_its_own(void **state)
{
	static const struct mix mixes[] = {
		{ "10 Gbit/s, frames", 10000 * MBIT, false, FULL, 0 },
		{ "1 Gbit/s, segments", 1000 * MBIT, false, 0, 0 },
		{ "1 Gbit/s, segments beside frames", 1000 * MBIT, false, 0, 6 },
		{ "100 Mbit/s, paced", 100 * MBIT, true, FULL, 0 },
		{ "2 Mbit/s, paced, segments beside frames", 2 * MBIT, true, 0, 6 },
	};
	for (unsigned int i = 0; i < ENV_ARRAY_SIZE(mixes); i++) {
		double worst = 0;
		for (uint64_t seed = 1; seed <= 5; seed++)
			worst = fmax(worst, run_mix(&mixes[i], seed));
		print_message("  %-44s worst lag %.0f %% of the bound\n", mixes[i].title, worst * 100);
		assert_true(worst > 0.05);	/* a bound that nothing comes near would prove little */
	}
}

/* --- an ideal link ---------------------------------------------------------------------------------------------------- */

struct fluid_class {
	double g, w, c, burst;	/* bytes a ns; c 0: no ceiling */
	double backlog, tokens, served, rate;
};

struct fluid {
	struct fluid_class k[N];
	double link;
	double at;
};

static double wants(const struct fluid_class *k, double level)
{
	double r = k->g + k->w * level;

	if (k->backlog <= 1e-6)
		return 0;
	return k->c > 0 && k->tokens <= 1e-6 && r > k->c ? k->c : r;
}

/* Every class with a backlog at g + w * level, no more than its ceiling: the level at which the link is full. */
static void fill_link(struct fluid *f)
{
	double low = 0, high = f->link * 1e6;

	for (int i = 0; i < 100; i++) {
		double mid = (low + high) / 2, sum = 0;
		for (int k = 0; k < N; k++)
			sum += wants(&f->k[k], mid);
		*(sum < f->link ? &low : &high) = mid;
	}
	for (int k = 0; k < N; k++)
		f->k[k].rate = wants(&f->k[k], low);
}

static void fluid_advance(struct fluid *f, double now)
{
	while (f->at < now) {
		double step = now - f->at;
		fill_link(f);
		for (int i = 0; i < N; i++) {
			struct fluid_class *k = &f->k[i];
			if (k->rate > 0 && k->backlog / k->rate < step)
				step = k->backlog / k->rate;
			if (k->c > 0 && k->rate > k->c * 1.000001 && k->tokens / (k->rate - k->c) < step)
				step = k->tokens / (k->rate - k->c);
		}
		step = step < 1 ? 1 : step;
		for (int i = 0; i < N; i++) {
			struct fluid_class *k = &f->k[i];
			double s = fmin(k->rate * step, k->backlog);
			k->backlog -= s;
			k->served += s;
			k->tokens = fmax(0, fmin(k->burst, k->tokens + k->c * step - s));
		}
		f->at += step;
	}
}

struct busy {
	uint64_t until;
	bool on;
};

static struct sim *start_twin(struct fluid *f, bool ceilings)
{
	struct sim *s = sim_new(&netsched_hfq, 1000 * MBIT, false, FULL);

	memset(f, 0, sizeof(*f));
	f->link = 0.125;
	f->at = (double)s->now;
	for (uint32_t id = 0; id < N; id++) {
		struct netsched_params p = {
			.guarantee_bps = random_below(3) ? (5 + random_below(75)) * MBIT : 0, .weight = 1 + random_below(20),
			.limit_bytes = 1u << 29, .limit_packets = 1u << 20, .target_us = 3900000, .interval_us = 4000000,
		};
		if (ceilings && random_below(2))
			p.ceiling_bps = p.guarantee_bps + (20 + random_below(200)) * MBIT;
		sim_class(s, id, &p);
		netsched_class_get(s->ns, id, &p);
		f->k[id] = (struct fluid_class) {
			.g = (double)p.guarantee_bps / 8e9, .w = p.weight * 1e-6, .c = (double)p.ceiling_bps / 8e9,
			.burst = p.burst_bytes, .tokens = p.burst_bytes,
		};
	}
	return s;
}

/* The largest difference in bytes served between a class and its fluid twin, classes going on and off at random. */
static double twin_distance(uint64_t seed, bool ceilings)
{
	struct fluid f;
	struct busy busy[N] = { { 0, false } };
	uint64_t next;
	double worst = 0;

	random_seed(seed);
	struct sim *s = start_twin(&f, ceilings);
	const uint64_t end = s->now + 200 * MS;
	while (s->now < end) {
		for (uint32_t id = 0; id < N; id++) {
			if (s->now >= busy[id].until) {
				busy[id].on = !busy[id].on;
				busy[id].until = s->now + random_below(20 * MS);
			}
			while (busy[id].on && s->seq[id][0] * FULL < (double)FULL * 20 + fmax((double)s->bytes[id], f.k[id].served)) {
				sim_arrive(s, id, 0, FULL);
				f.k[id].backlog += FULL;
			}
		}
		if (sim_depart(s, &next) < 0)
			s->now = fmin((double)next, (double)s->now + 5000);
		if (s->now < s->idle_at)
			s->now = s->idle_at;
		fluid_advance(&f, (double)s->now);
		for (uint32_t id = 0; id < N; id++)
			worst = fmax(worst, fabs(f.k[id].served - (double)s->bytes[id]));
	}
	sim_free(s);
	return worst;
}

static void all_classes_stay_near_the_ideal_link(void **state)
{
	for (int ceilings = 0; ceilings < 2; ceilings++) {
		double worst = 0;
		for (uint64_t seed = 1; seed <= 6; seed++)
			worst = fmax(worst, twin_distance(seed, ceilings));
		print_message("  %s ceilings: at most %.1f packets from the ideal link\n", ceilings ? "with" : "without", worst / FULL);
		assert_true(worst < 12 * FULL);
	}
}

int run_fluid_tests(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_guarantee_is_served_as_by_a_link_of_its_own),
		cmocka_unit_test(all_classes_stay_near_the_ideal_link),
	};
	return cmocka_run_group_tests_name("fluid twins", tests, NULL, NULL);
}
