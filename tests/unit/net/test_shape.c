/* SPDX-License-Identifier: BSD-2-Clause */
/* Towards the guests through the scheduler: ceilings hold, order stays, every drop has a name, nobody's pages are kept. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <errno.h>
#include <string.h>

#include <cmocka.h>

#include <sched_pkt.h>

#include "numbered.h"

#define FRAME 1000u
#define WIRE  (FRAME + NETSCHED_FRAME_EXTRA)
#define MS    1000000u

static struct guest *const g = &guests[0], *const other = &guests[1];

static int set_up(void **state)
{
	world_start();
	world_connect(g, "feature-sg");
	world_connect(other, "feature-sg");
	memset(g->answered, 0, sizeof(g->answered));
	numbered_start();
	return 0;
}

static int tear_down(void **state)
{
	net_guests_class_del(1);
	net_guests_class_del(2);
	world_stop();
	return 0;
}

static void frames_come(unsigned int n)
{
	numbered_come(n, FRAME);
}

/* => how many arrived since the last look. */
static unsigned int frames_seen(struct guest *to)
{
	unsigned int n = numbered_take(to);

	guest_kick(to);
	world_run();
	return n;
}

static void set_class(uint16_t domid, const struct netsched_params *p)
{
	struct netsched_refusal why;

	assert_int_equal(net_guests_class_set(domid, p, &why), 0);
}

/* 8 Mbit/s: 1 MB comes at once; no interval gets more than ceiling * t + burst, and what did not come was dropped by name. */
static void ceiling_holds_and_losses_have_names(void **state)
{
	const struct netsched_params p = { .ceiling_bps = 8000000, .burst_bytes = 100000, .weight = NET_WEIGHT_DEFAULT };
	struct net_drops lost;
	struct net_class_info info;
	uint64_t start = host_now;
	unsigned int got;

	set_class(1, &p);
	guest_post_rx(g, NETIF_RING - 1);
	frames_come(1000);
	got = frames_seen(g);
	assert_in_range(got, 10, 100000 / WIRE + 1);
	assert_int_equal(net_class_read(1, 1, &info), 0);
	assert_string_equal(info.link, "guests");
	assert_in_range(info.stats.backlog_packets, 450, 512);
	for (unsigned int ms = 1; ms <= 1000; ms++) {
		world_pass(MS);
		got += frames_seen(g);
		assert_true(got * WIRE <= 100000 + (host_now - start) / 1000 + WIRE);
	}
	net_drops_read(1, &lost);
	assert_true(lost.dir[VFR_IN][NET_DROP_SCHED_FULL] > 300);
	assert_int_equal(got + lost.dir[VFR_IN][NET_DROP_SCHED_FULL] + lost.dir[VFR_IN][NET_DROP_SCHED_CODEL], 1000);
}

static void guest_sends(uint16_t id)
{
	netif_tx_request_t *r = &g->tx->ring[g->tx->req_prod & (NETIF_RING - 1)].req;
	uint32_t number = numbered_next();

	memset(g->page[FIRST_FREE + id], 0, PAGE_SIZE);
	memcpy(g->page[FIRST_FREE + id], &number, sizeof(number));
	*r = (netif_tx_request_t){ .gref = FIRST_FREE + id, .id = id, .size = 1400 };
	g->tx->req_prod++;
}

/* A packet a second: the sender has its pages back long before the receiver has the packets. */
static void sender_does_not_wait_for_a_slow_receiver(void **state)
{
	const struct netsched_params p = { .pps = 1, .weight = NET_WEIGHT_DEFAULT };

	route_to = NET_GUEST_PORT(2);
	set_class(2, &p);
	guest_post_rx(other, 100);
	for (uint16_t id = 0; id < 20; id++)
		guest_sends(id);
	guest_kick(g);
	world_run();
	guest_collect(g);
	for (uint16_t id = 0; id < 20; id++) {
		assert_int_equal(g->answered[id], 1);
		assert_int_equal(g->borrowed[FIRST_FREE + id], 0);
	}
	assert_in_range(frames_seen(other), 1, 3);
	world_pass(1100 * MS);
	assert_in_range(frames_seen(other), 1, 2);
}

static void without_rates_it_receives_directly_and_nothing_is_lost(void **state)
{
	const struct netsched_params p = { .ceiling_bps = 8000000, .burst_bytes = 100000, .weight = NET_WEIGHT_DEFAULT };
	struct net_class_info info;
	unsigned int got;

	set_class(1, &p);
	guest_post_rx(g, NETIF_RING - 1);
	frames_come(150);
	got = frames_seen(g);
	assert_in_range(got, 10, 100);
	net_guests_class_del(1);
	assert_int_equal(net_class_read(1, 1, &info), -ENOENT);
	got += frames_seen(g);
	assert_int_equal(got, 150);
	frames_come(100);
	assert_int_equal(frames_seen(g), 100);
}

static void policy_changes_while_packets_wait(void **state)
{
	const struct netsched_params p = { .ceiling_bps = 8000000, .burst_bytes = 100000, .weight = NET_WEIGHT_DEFAULT, .target_us = 900000,
					   .interval_us = 1000000 };
	static const char *const policies[] = { "drr", "tbf", "hfq", "rr", "hfq" };
	unsigned int got;
	uint64_t rate;
	bool paced;

	set_class(1, &p);
	guest_post_rx(g, NETIF_RING - 1);
	frames_come(400);
	got = frames_seen(g);
	for (unsigned int i = 0; i < ENV_ARRAY_SIZE(policies); i++) {
		assert_int_equal(net_guests_policy(policies[i]), 0);
		assert_string_equal(net_guests_policy_name(&rate, &paced), policies[i]);
		world_pass(20 * MS);
		got += frames_seen(g);
	}
	for (unsigned int ms = 0; ms < 500; ms++) {
		world_pass(MS);
		got += frames_seen(g);
	}
	assert_int_equal(got, 400);
	assert_int_equal(net_guests_policy("nonesuch"), -ENOENT);
}

static void sub_classes_are_the_domains_and_are_counted(void **state)
{
	const struct netsched_params p = { .ceiling_bps = 80000000, .burst_bytes = 100000, .weight = NET_WEIGHT_DEFAULT };
	const struct netsched_sub sub = { .weight = 9, .dscp_set = 1ull << 46 };
	struct net_sub_info info;
	unsigned int got = 0;

	assert_int_equal(net_sub_set(1, 3, &sub, NULL), 0);	/* on the uplink; there is no class for receiving yet */
	assert_int_equal(net_sub_read(0, 1, 3, &info), 0);
	assert_int_equal(info.dir, VFR_OUT);
	assert_int_equal(net_sub_read(1, 1, 3, &info), -ENOENT);
	assert_int_equal(net_sub_read(2, 1, 3, &info), -ENODEV);
	set_class(1, &p);
	assert_int_equal(net_sub_set(1, 3, &sub, NULL), 0);
	guest_post_rx(g, NETIF_RING - 1);
	for (unsigned int ms = 0; ms < 50; ms++) {
		sub_class = ms < 25 ? 0 : 3;
		if (ms == 0 || ms == 25)	/* the other one is empty by then: there is one order to check */
			frames_come(ms ? 30 : 20);
		world_pass(MS);
		got += frames_seen(g);
	}
	assert_int_equal(got, 50);
	assert_int_equal(net_sub_read(1, 1, 3, &info), 0);
	assert_string_equal(info.link, "guests");
	assert_int_equal(info.sub.weight, 9);
	assert_int_equal(info.stats.sent_packets, 30);
	assert_int_equal(info.stats.sent_bytes, 30 * WIRE);
	assert_int_equal(net_sub_read(1, 1, 0, &info), 0);
	assert_int_equal(info.stats.sent_packets, 20);
	assert_int_equal(net_sub_set(1, 3, NULL, NULL), 0);
	assert_int_equal(net_sub_set(1, 3, NULL, NULL), 0);	/* nothing to do */
	assert_int_equal(net_sub_read(1, 1, 3, &info), -ENOENT);
	assert_int_equal(net_sub_read(0, 1, 3, &info), -ENOENT);
}

/* Paced to 8 Mbit/s for a second, then not at all. */
static void a_line_is_paced_and_let_go(void **state)
{
	const struct netsched_params p = { .ceiling_bps = 10000000000, .weight = NET_WEIGHT_DEFAULT };
	struct net_uplink_info up;
	unsigned int got = 0;
	uint64_t rate;
	bool paced;

	set_class(1, &p);
	guest_post_rx(g, NETIF_RING - 1);
	assert_int_equal(net_guests_rate(8000000, NULL), 0);
	net_guests_policy_name(&rate, &paced);
	assert_int_equal(rate, 8000000);
	assert_true(paced);
	frames_come(200);
	got = frames_seen(g);
	assert_true(got < 150);
	assert_int_equal(net_guests_rate(0, NULL), 0);
	net_guests_policy_name(&rate, &paced);
	assert_true(rate > 1000000000 && !paced);
	world_run();
	assert_int_equal(got + frames_seen(g), 200);

	assert_int_equal(net_uplink_rate(0, 50000000, NULL), 0);
	net_uplink_read(0, &up);
	assert_true(up.paced && up.rate_bps == 50000000);
	assert_int_equal(net_uplink_rate(0, 0, NULL), 0);
	net_uplink_read(0, &up);
	assert_true(!up.paced && up.rate_bps == rate);
}

static void drops_are_called_as_the_scheduler_calls_them(void **state)
{
	static const enum netsched_verdict drops[] = { NETSCHED_NO_CLASS, NETSCHED_OVERSIZE, NETSCHED_FULL, NETSCHED_CODEL, NETSCHED_GONE };

	for (unsigned int i = 0; i < ENV_ARRAY_SIZE(drops); i++)
		assert_string_equal(net_drop_name(sched_pkt_drop(drops[i])), netsched_verdict_name(drops[i]));
}

static uint64_t sent_of(uint16_t domid)
{
	struct net_class_info info;

	return net_class_read(0, domid, &info) ? 0 : info.stats.sent_packets;
}

/* Or a domain could send past its rate by sending what is too large for the link. */
static void pieces_are_charged_to_their_sender(void **state)
{
	const struct vfr_pkt of = { .out_port = 0, .src_dom = 1, .sched_class = 0, .flags = VFR_PF_IPV4, .l3 = 14 };
	uint64_t own = sent_of(0), theirs = sent_of(1);
	uint8_t frame[600] = { 0 };

	router_ops.piece(NULL, &of, frame, sizeof(frame));
	router_ops.piece(NULL, &of, frame, sizeof(frame));
	router_ops.emit(NULL, 0, frame, sizeof(frame));
	world_run();
	assert_int_equal(sent_of(1) - theirs, 2);
	assert_int_equal(sent_of(0) - own, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(ceiling_holds_and_losses_have_names),
		T(sender_does_not_wait_for_a_slow_receiver),
		T(without_rates_it_receives_directly_and_nothing_is_lost),
		T(policy_changes_while_packets_wait),
		T(sub_classes_are_the_domains_and_are_counted),
		T(a_line_is_paced_and_let_go),
		T(pieces_are_charged_to_their_sender),
		cmocka_unit_test(drops_are_called_as_the_scheduler_calls_them),
	};

	return cmocka_run_group_tests_name("net: towards the guests", tests, NULL, NULL);
}
