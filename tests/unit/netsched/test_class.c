/* SPDX-License-Identifier: BSD-2-Clause */
/* Classes as the operator and the rings see them: admission, limits, backpressure, pacing, statistics, memory. */
#include <harness.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <env_host.h>
#include <sched/net/policy.h>

static void refusals_show_their_arithmetic(void **state)
{
	static const struct { struct netsched_params p; int err; const char *text; } rows[] = {
		{ { .guarantee_bps = 400 * MBIT }, 0, "" },
		{ { .guarantee_bps = 600 * MBIT }, -EDQUOT,
		  "guarantees 500000000 + 600000000 = 1100000000 bit/s exceed 980000000 (link 1000000000 less 20/1000) by 120000000" },
		{ { .guarantee_bps = 480 * MBIT }, 0, "" },
		{ { .guarantee_bps = 480 * MBIT + 1 }, -EDQUOT,
		  "guarantees 500000000 + 480000001 = 980000001 bit/s exceed 980000000 (link 1000000000 less 20/1000) by 1" },
		{ { .guarantee_bps = 100 }, -EINVAL, "guarantee 100 bit/s: it must be 8000 to 400000000000, or 0" },
		{ { .ceiling_bps = 7999 }, -EINVAL, "ceiling 7999 bit/s: it must be 8000 to 400000000000, or 0" },
		{ { .guarantee_bps = 2 * MBIT, .ceiling_bps = MBIT }, -EINVAL, "guarantee 2000000 bit/s is above the ceiling of 1000000" },
		{ { .weight = 65536 }, -EINVAL, "weight 65536: it must be 1 to 65535" },
		{ { .max_packet = FULL + 1 }, -EINVAL, "largest packet 1539: it must be 64 to 1538 bytes" },
		{ { .ceiling_bps = MBIT, .burst_bytes = 1000 }, -EINVAL, "burst 1000 is less than one packet of 1538 bytes" },
		{ { .limit_bytes = 1000 }, -EINVAL, "limit 1000: it must be 1538 (one packet) to 1073741824 bytes" },
		{ { .flows = 48 }, -EINVAL, "48 flow queues: it must be a power of two up to 65536" },
		{ { .target_us = 6, .interval_us = 6 }, -EINVAL, "CoDel target 6 us, interval 6 us: target < interval <= 4000000" },
	};
	struct sim *s = sim_new(&netsched_hfq, 1000 * MBIT, false, FULL);

	sim_class(s, 1, &(struct netsched_params) { .guarantee_bps = 500 * MBIT });
	for (unsigned int i = 0; i < ENV_ARRAY_SIZE(rows); i++) {
		struct netsched_refusal why = { "" };
		struct netsched_params before, after;
		int known = netsched_class_get(s->ns, 2, &before);
		assert_int_equal(netsched_class_set(s->ns, 2, &rows[i].p, s->now, &why), rows[i].err);
		assert_string_equal(why.text, rows[i].text);
		if (rows[i].err && known == 0) {
			assert_int_equal(netsched_class_get(s->ns, 2, &after), 0);
			assert_memory_equal(&before, &after, sizeof(after));
		}
	}
	assert_int_equal(netsched_class_set(s->ns, MAX_CLASSES, &rows[0].p, s->now, NULL), -EINVAL);
	sim_free(s);
}

static void guarantees_are_given_back(void **state)
{
	struct sim *s = sim_new(&netsched_hfq, 100 * MBIT, false, FULL);
	struct netsched_refusal why;
	uint64_t given, room;

	sim_class(s, 1, &(struct netsched_params) { .guarantee_bps = 60 * MBIT });
	assert_int_equal(netsched_link_rate(s->ns, 50 * MBIT, &why), -EDQUOT);
	assert_string_equal(why.text, "guarantees of 60000000 bit/s exceed 49000000 (link 50000000 less 20/1000) by 11000000");
	sim_class(s, 1, &(struct netsched_params) { .guarantee_bps = 30 * MBIT });
	assert_int_equal(netsched_link_rate(s->ns, 50 * MBIT, &why), 0);
	assert_true(netsched_link(s->ns)->paced);
	sim_class(s, 2, &(struct netsched_params) { .guarantee_bps = 19 * MBIT });
	netsched_admitted(s->ns, &given, &room);
	assert_int_equal(given, 49 * MBIT);
	assert_int_equal(room, 49 * MBIT);
	assert_int_equal(netsched_class_del(s->ns, 1), 0);
	assert_int_equal(netsched_class_del(s->ns, 1), -ENOENT);
	sim_class(s, 3, &(struct netsched_params) { .guarantee_bps = 30 * MBIT });
	sim_free(s);
}

static uint32_t most_of(struct sim *s, uint32_t id)
{
	struct netsched_params p;

	assert_int_equal(netsched_class_get(s->ns, id, &p), 0);
	return p.max_packet;
}

/* Classes follow the link's largest packet unless they have one of their own; a link that does not fit them is refused. */
static void another_largest_packet(void **state)
{
	struct sim *s = sim_new(&netsched_hfq, 100 * MBIT, true, NETSCHED_MAX_PACKET);
	struct netsched_refusal why;

	sim_class(s, 1, &(struct netsched_params) { .guarantee_bps = 10 * MBIT });
	sim_class(s, 2, &(struct netsched_params) { .max_packet = 9000 });
	assert_int_equal(most_of(s, 1), NETSCHED_MAX_PACKET);
	assert_int_equal(netsched_link_packet(s->ns, FULL, &why), -EINVAL);
	assert_string_equal(why.text, "largest packet 9000: it must be 64 to 1538 bytes");
	assert_int_equal(netsched_link(s->ns)->max_packet, NETSCHED_MAX_PACKET);
	assert_int_equal(most_of(s, 1), NETSCHED_MAX_PACKET);
	assert_int_equal(netsched_class_del(s->ns, 2), 0);
	assert_int_equal(netsched_link_packet(s->ns, FULL, &why), 0);
	assert_int_equal(most_of(s, 1), FULL);
	sim_class(s, 2, &(struct netsched_params) { .ceiling_bps = MBIT, .burst_bytes = 2 * FULL });
	assert_int_equal(netsched_link_packet(s->ns, NETSCHED_MAX_PACKET, &why), -EINVAL);
	assert_string_equal(why.text, "burst 3076 is less than one packet of 81920 bytes");
	sim_free(s);
}

static void a_full_queue_stops_the_ring_then_drops(void **state)
{
	for (unsigned int i = 0; tested_policies[i]; i++) {
		struct sim *s = sim_new(tested_policies[i], 1000 * MBIT, false, FULL);
		uint64_t next;
		sim_class(s, 4, &(struct netsched_params) { .stop_bytes = 10 * FULL, .limit_bytes = 15 * FULL, .target_us = 90000 });
		for (int n = 1; n <= 20; n++)
			assert_int_equal(sim_arrive(s, 4, 1, FULL), n <= 10 ? NETSCHED_OK : n <= 15 ? NETSCHED_STOP : NETSCHED_FULL);
		struct netsched_stats st;
		netsched_stats_read(s->ns, 4, s->now, false, &st);
		assert_true(st.stopped && st.stops == 1 && st.backlog_packets == 15 && st.backlog_bytes == 15 * FULL);
		assert_int_equal(st.drops[NETSCHED_FULL], 5);
		for (int n = 0; n < 15; n++) {
			assert_int_equal(sim_depart(s, &next), 4);
			assert_int_equal(s->resumed[4], n >= 9);
		}
		sim_free(s);
	}
}

static void drops_are_named(void **state)
{
	struct sim *s = sim_new(&netsched_hfq, 1000 * MBIT, false, 9000);

	assert_int_equal(sim_arrive(s, 1, 0, FULL), NETSCHED_NO_CLASS);
	sim_class(s, 1, &(struct netsched_params) { .max_packet = FULL, .limit_packets = 2 });
	assert_int_equal(sim_arrive(s, 1, 0, FULL + 1), NETSCHED_OVERSIZE);
	sim_arrive(s, 1, 0, FULL);
	sim_arrive(s, 1, 0, FULL);
	assert_int_equal(sim_arrive(s, 1, 0, FULL), NETSCHED_FULL);
	netsched_class_del(s->ns, 1);
	assert_int_equal(s->drops[NETSCHED_GONE], 2);
	assert_string_equal(netsched_verdict_name(NETSCHED_GONE), "sched-gone");
	for (int v = 0; v < NETSCHED_VERDICTS; v++)
		assert_true(strlen(netsched_verdict_name(v)) > 0);
	sim_free(s);
}

static void new_flows_are_rationed(void **state)
{
	struct sim *s = sim_new(&netsched_rr, 1000 * MBIT, false, FULL);
	unsigned int opened = 0, refused = 0;

	sim_class(s, 1, &(struct netsched_params) { .new_flows_ps = 100 });
	sim_class(s, 2, &(struct netsched_params) { .weight = 1 });
	for (int i = 0; i < 10000; i++, s->now += MS / 5) {
		enum netsched_verdict v = netsched_new_flow(s->ns, 1, s->now);
		opened += v == NETSCHED_OK;
		refused += v == NETSCHED_NEW_FLOWS;
		assert_int_equal(netsched_new_flow(s->ns, 2, s->now), NETSCHED_OK);
	}
	assert_int_equal(opened + refused, 10000);
	assert_in_range(opened, 299, 301);	/* a second's worth at once, then two seconds */
	struct netsched_stats st;
	netsched_stats_read(s->ns, 1, s->now, false, &st);
	assert_int_equal(st.drops[NETSCHED_NEW_FLOWS], refused);
	sim_free(s);
}

static void a_paced_link_keeps_its_rate_and_sleeps_between(void **state)
{
	struct sim *s = sim_new(&netsched_hfq, 100 * MBIT, true, FULL);
	uint64_t next, polls = 0, end = s->now + 200 * MS;

	sim_class(s, 1, &(struct netsched_params) { .target_us = 500000, .interval_us = 900000 });
	while (s->now < end) {
		sim_fill(s, 1, 0, FULL, 10);
		polls++;
		if (sim_depart(s, &next) < 0)
			s->now = next;
	}
	uint64_t link = 100 * MBIT / 8 / 5;
	assert_in_range(s->bytes[1], link * 998 / 1000, link + netsched_link(s->ns)->burst_bytes);
	assert_true(polls <= 2 * s->sent + 2);
	sim_free(s);
}

static void a_capped_class_names_the_time_to_ask_again(void **state)
{
	struct sim *s = sim_new(&netsched_tbf, 1000 * MBIT, false, FULL);
	uint64_t next, polls = 0;
	const uint64_t end = 1000 + 1000 * MS;

	sim_class(s, 1, &(struct netsched_params) { .ceiling_bps = MBIT, .burst_bytes = 2 * FULL });
	assert_true(sim_depart(s, &next) < 0);
	assert_true(next == NETSCHED_FOREVER);
	while (s->now < end) {
		sim_fill(s, 1, 0, FULL, 3);
		polls++;
		if (sim_depart(s, &next) < 0)
			s->now = next;
	}
	assert_in_range(s->bytes[1], 125000 * 99 / 100, 125000 + 2 * FULL);
	assert_true(polls <= 6 * s->sent);	/* each wait is a few steps down the wheel, not a poll */
	sim_free(s);
}

static void statistics_tell_the_achieved_rate(void **state)
{
	struct sim *s = sim_new(&netsched_hfq, 100 * MBIT, true, FULL);
	struct netsched_stats st;
	uint64_t next, end = s->now + 600 * MS;

	sim_class(s, 1, &(struct netsched_params) { .guarantee_bps = 30 * MBIT, .weight = 1, .target_us = 500000, .interval_us = 900000 });
	sim_class(s, 2, &(struct netsched_params) { .weight = 6, .target_us = 500000, .interval_us = 900000 });
	while (s->now < end) {
		sim_fill(s, 1, 0, FULL, 10);
		sim_fill(s, 2, 0, FULL, 10);
		if (sim_depart(s, &next) < 0)
			s->now = next;
	}
	netsched_stats_read(s->ns, 1, s->now, true, &st);
	assert_in_range(st.rate_bps, 39 * MBIT, 41 * MBIT);	/* 30 and a seventh of 70 */
	assert_true(st.guaranteed && st.guarantee_bps == 30 * MBIT && st.late_max_ns <= st.bound_ns);
	assert_true(st.delay_max_ns >= st.delay_ns && st.delay_ns > MS);
	assert_int_equal(st.sent_bytes, s->bytes[1]);
	netsched_stats_read(s->ns, 1, s->now + 3000 * MS, false, &st);
	assert_true(st.rate_bps < 2 * MBIT && st.delay_max_ns == 0);
	sim_free(s);
}

static void a_batch_keeps_its_budget(void **state)
{
	struct sim *s = sim_new(&netsched_drr, 1000 * MBIT, false, FULL);
	struct netsched_item *out[16];
	uint64_t next;

	sim_class(s, 1, &(struct netsched_params) { .weight = 1 });
	sim_fill(s, 1, 0, 1000, 20);
	assert_int_equal(netsched_dequeue_batch(s->ns, s->now, 2500, out, 16, &next), 3);
	assert_int_equal(next, s->now);
	assert_int_equal(netsched_dequeue_batch(s->ns, s->now, UINT32_MAX, out + 3, 13, &next), 13);
	for (int i = 0; i < 16; i++)
		free(out[i]);
	s->sent += 16;
	assert_int_equal(netsched_dequeue_batch(s->ns, s->now, UINT32_MAX, out, 16, &next), 4);
	assert_true(next == NETSCHED_FOREVER);
	for (int i = 0; i < 4; i++)
		free(out[i]);
	s->sent += 4;
	sim_free(s);
}

/* The n-th allocation fails, for every n: each call changes all or nothing, nothing leaks. */
static void allocation_failures_leave_no_trace(void **state)
{
	struct netsched_host host = { 0 };
	struct netsched_link link = { .rate_bps = MBIT, .max_classes = 4 };

	for (unsigned int i = 0; tested_policies[i]; i++) {
		int steps = 0;
		for (long n = 0; steps < 3; n++) {
			struct netsched *ns = NULL;
			env_host_fail_after(n);
			steps = 0;
			if (netsched_create(tested_policies[i], &link, &host, &ns, NULL) == 0) {
				steps += 1 + (netsched_class_set(ns, 0, &(struct netsched_params) { .weight = 1 }, 0, NULL) == 0);
				steps += netsched_sub_set(ns, 0, 1, &(struct netsched_sub) { 1, 1 }, NULL) == 0;
			}
			env_host_fail_after(-1);
			netsched_destroy(ns);
			assert_int_equal(env_host_live_blocks(), 0);
			assert_true(n < 20);
		}
	}
}

int run_class_tests(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusals_show_their_arithmetic),
		cmocka_unit_test(guarantees_are_given_back),
		cmocka_unit_test(another_largest_packet),
		cmocka_unit_test(a_full_queue_stops_the_ring_then_drops),
		cmocka_unit_test(drops_are_named),
		cmocka_unit_test(new_flows_are_rationed),
		cmocka_unit_test(a_paced_link_keeps_its_rate_and_sleeps_between),
		cmocka_unit_test(a_capped_class_names_the_time_to_ask_again),
		cmocka_unit_test(statistics_tell_the_achieved_rate),
		cmocka_unit_test(a_batch_keeps_its_budget),
		cmocka_unit_test(allocation_failures_leave_no_trace),
	};
	return cmocka_run_group_tests_name("classes", tests, NULL, NULL);
}
