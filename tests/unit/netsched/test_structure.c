/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts, each against a naive twin on random input: the calendar, the wheel, the bucket, CoDel. */
#include <harness.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sched/net/bucket.h>
#include <sched/net/calendar.h>
#include <sched/net/codel.h>
#include <sched/net/wheel.h>

#define NODES 200

static struct calendar_node nodes[NODES];
static uint32_t most[NODES];

/* The earliest deadline among queued nodes whose slot has started, by looking at all. */
static bool naive_deadline(const struct calendar *cal, uint64_t t, uint64_t *deadline)
{
	bool found = false;

	for (int i = 0; i < NODES; i++) {
		const struct calendar_node *n = &nodes[i];
		if (!n->queued || calendar_before(t, n->start & ~(calendar_width(n) - 1)))
			continue;
		if (!found || calendar_before(calendar_deadline(n), *deadline))
			*deadline = calendar_deadline(n);
		found = true;
	}
	return found;
}

/* Prices such that all nodes together owe `load` thousandths of what the clock passes for a byte of service. */
static void price_nodes(const struct calendar *cal, uint32_t load)
{
	uint64_t weight[NODES], sum = 0;

	for (int i = 0; i < NODES; i++)
		sum += weight[i] = 1 + random_below(1u << random_below(6));
	for (int i = 0; i < NODES; i++) {
		most[i] = 1538 << random_below(6);
		calendar_price(cal, &nodes[i], ((1000ull << 30) / load * sum / weight[i]) << 2, most[i]);
	}
}

/* t0 near 2^64 makes all times wrap on the way. */
static void run_calendar(uint64_t seed, uint64_t t0, uint32_t load)
{
	struct calendar *cal = calloc(1, sizeof(*cal));
	uint64_t t = t0, worst = 0, deadline = 0;

	random_seed(seed);
	memset(nodes, 0, sizeof(nodes));
	calendar_init(cal, 14);
	price_nodes(cal, load);
	for (int step = 0; step < 40000; step++) {
		for (int k = random_below(3); k > 0; k--) {
			struct calendar_node *n = &nodes[random_below(NODES)];
			if (n->queued) {
				calendar_remove(cal, n);
				continue;
			}
			if (n->start - t > calendar_width(n))
				n->start = t;
			calendar_insert(cal, n);
		}
		if (random_below(100) == 0)
			t -= random_below(1u << 30);	/* hfq's clock is set back when the link was slow */
		struct calendar_node *n = calendar_pick(cal, t);
		assert_int_equal(naive_deadline(cal, t, &deadline), n != NULL);
		if (!n) {
			uint64_t later = t + 1 + random_below(1u << 30);
			t = !calendar_empty(cal) && calendar_before(calendar_first(cal), later) ? calendar_first(cal) : later;
			continue;
		}
		assert_int_equal(calendar_deadline(n), deadline);
		if (!calendar_before(deadline, t) && t - deadline > worst)
			worst = t - deadline;
		assert_true(calendar_before(t, deadline + (49216ull << 16) + 1));	/* the theorem */
		uint32_t bytes = 64 + random_below(most[n - nodes] - 63);
		calendar_charge(cal, n, bytes, random_below(2));
		t += (uint64_t)bytes << 16;	/* the server: 2^16 units a byte */
	}
	free(cal);
}

static void calendar_picks_the_earliest_deadline_in_time(void **state)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		run_calendar(seed, 0, 990);
		run_calendar(seed, UINT64_MAX - (1ull << 40), 500);
	}
}

static void wheel_wakes_each_node_at_its_tick(void **state)
{
	static struct { struct wheel_node n; uint64_t when; bool on; } t[NODES];
	struct wheel *w = calloc(1, sizeof(*w));
	uint64_t now = (1ull << 42) - 1000000;	/* a digit boundary of the higher levels is near */

	random_seed(7);
	memset(t, 0, sizeof(t));
	for (int step = 0; step < 30000; step++) {
		int i = (int)random_below(NODES);
		if (t[i].on) {
			wheel_del(w, &t[i].n);
		} else {
			t[i].when = now + random_below(1u << random_below(31));
			wheel_add(w, &t[i].n, t[i].when);
		}
		t[i].on = !t[i].on;
		now += random_below(1u << random_below(24));
		uint64_t first = wheel_next(w), tick = 1ull << WHEEL_SHIFT;
		for (int k = 0; k < NODES; k++)
			assert_true(!t[k].on || first < t[k].when + 2 * tick);
		struct wheel_node *n;
		while ((n = wheel_due(w, now))) {
			int k = (int)(((char *)n - (char *)t) / sizeof(t[0]));
			assert_true(t[k].on && t[k].when <= now);
			t[k].on = false;
		}
		for (int k = 0; k < NODES; k++)
			assert_true(!t[k].on || t[k].when + 2 * tick > now);
	}
	free(w);
}

static void bucket_never_lets_more_than_rate_and_burst_through(void **state)
{
	static const struct { uint64_t rate, burst; } rows[] = {
		{ 1000, 100000 }, { 125000, 3076 }, { 12500000, 50000 }, { 1250000000, 200000 }, { 12500000000, 1000000 },
	};
	for (unsigned int r = 0; r < ENV_ARRAY_SIZE(rows); r++) {
		struct bucket b = { 0 };
		double t0 = 1e9, sent = 0, least = 0;
		uint64_t now = 1000000000;
		bucket_set(&b, rows[r].rate, rows[r].burst, FULL);
		for (int i = 0; i < 20000; i++) {
			if (random_below(500) == 0)
				now += random_below(1000000000);
			if (!bucket_open(&b, now)) {
				assert_true(bucket_ready(&b) > now);
				now = bucket_ready(&b);
			}
			uint32_t n = 64 + random_below(FULL - 63);
			/* the tightest interval begins where sent - rate * t was least */
			double level = sent - (now - t0) * rows[r].rate / 1e9;
			least = level < least ? level : least;
			bucket_take(&b, n, now);
			sent += n;
			assert_true(sent - (now - t0) * rows[r].rate / 1e9 - least <= rows[r].burst + 2 + rows[r].rate / 1e8);
		}
	}
}

/* RFC 8289's pseudocode in its own shape, with floating point, over a queue of sojourn times. */
struct reference {
	double above, next;
	int count, last, dropping;
};

static int reference_judge(struct reference *r, double waited, int alone, double target, double interval, double now)
{
	int bad = 0;

	if (waited < target || alone)
		r->above = 0;
	else if (r->above == 0)
		r->above = now + interval;
	else
		bad = now >= r->above;
	if (r->dropping) {
		if (!bad)
			r->dropping = 0;
		if (!bad || now < r->next)
			return 0;
		r->count++;
		r->next += interval / sqrt(r->count);
		return 1;
	}
	if (!bad)
		return 0;
	int delta = r->count - r->last;
	r->count = delta > 1 && now - r->next < 16 * interval ? delta : 1;
	r->last = r->count;
	r->dropping = 1;
	r->next = now + interval / sqrt(r->count);
	return 1;
}

static void codel_drops_as_the_rfc_does(void **state)
{
	struct codel c = { 0 };
	struct reference r = { 0 };
	uint64_t now = 1000000000, waited = 0;
	int drops = 0, differ = 0;

	random_seed(3);
	for (int i = 0; i < 200000; i++) {
		now += 100000 + random_below(200000);
		if (random_below(2000) == 0)
			waited = random_below(3) ? 6000000 + random_below(40000000) : 1000000;
		bool a = codel_judge(&c, waited, false, 5000000, 100000000, now);
		bool b = reference_judge(&r, (double)waited, 0, 5e6, 1e8, (double)now);
		drops += b;
		differ += a != b;
	}
	assert_true(drops > 1000);
	assert_true(differ <= drops / 100);	/* the fixed-point root may put a drop one packet off */
}

static void wire_bytes_count_every_segment(void **state)
{
	static const struct { uint32_t len, header, segment, wire; } rows[] = {
		{ 42, 0, 0, 84 }, { 60, 0, 0, 84 }, { 1514, 54, 0, 1538 }, { 1514, 54, 1460, 1538 },
		{ 54 + 2920, 54, 1460, 2 * 1538 }, { 54 + 2921, 54, 1460, 2 * 1538 + 54 + 1 + 24 },
		{ 54 + 64240, 54, 1460, 44 * 1538 },
	};
	for (unsigned int i = 0; i < ENV_ARRAY_SIZE(rows); i++)
		assert_int_equal(netsched_wire_bytes(rows[i].len, rows[i].header, rows[i].segment), rows[i].wire);
}

int run_structure_tests(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(calendar_picks_the_earliest_deadline_in_time),
		cmocka_unit_test(wheel_wakes_each_node_at_its_tick),
		cmocka_unit_test(bucket_never_lets_more_than_rate_and_burst_through),
		cmocka_unit_test(codel_drops_as_the_rfc_does),
		cmocka_unit_test(wire_bytes_count_every_segment),
	};
	return cmocka_run_group_tests_name("structures", tests, NULL, NULL);
}
