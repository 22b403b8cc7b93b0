/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Out of memory in the network layer: each allocation fails in turn. Nothing is lost track of, no lock is kept (a kept one makes
 * the next step wait for ever, which the alarm ends), and with memory again all is as before.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <env_host.h>

#include "vif_case.h"

#define BUFFERS_MOST 80 /* what the traffic below needs at most, and some */
#define SENDS 12
#define SLOTS 40

static struct pktq kept;

/*
 * Take what the pool has, so that it has `left` and gets no more. No object is anywhere but here or at the card then: those that
 * there are in all, less what is in the pool's common part, which is empty, are these.
 */
static void leave(unsigned int left)
{
	uint32_t out, max;
	struct pkt *p;

	no_pages = true;
	while ((p = pkt_alloc()))
		pktq_push(&kept, p);
	pktpool_usage(&out, &max);
	assert_int_equal(kept.n + card_rx_posted(), out);
	while (left-- && (p = pktq_pop(&kept)))
		pkt_free(p);
}

static void enough_again(void)
{
	no_pages = false;
	pktq_free(&kept);
}

static bool is_held(const struct env_lock *l)
{
	return __atomic_load_n((const unsigned char *)&l->held, __ATOMIC_RELAXED);
}

static void no_lock_is_kept(void)
{
	for (uint16_t id = 1; id <= 3; id++) {
		struct netif *vif = net_vif_of(id);

		assert_false(is_held(&vif->life_lock));
		assert_false(is_held(&vif->rx_lock));
		assert_false(is_held(&vif->tx_lock));
	}
}

/* To the wire: short ones, lent ones, one that is cut for the card. To a guest that takes nothing yet. From the wire. */
static uint16_t traffic(void)
{
	struct nic_meta meta = { 0 };
	uint8_t frame[1500] = { 1 };
	uint16_t id = 100;

	for (unsigned int i = 0; i < SENDS; i++)
		put_slot(id++, FIRST_FREE + i, 0, i & 1 ? 3000 : 100, 0);
	send_gso(8000, 1400);
	guest_kick(g);
	route_to = NET_GUEST_PORT(2);
	send_gso(30000, 1448);
	guest_kick(g);
	route_to = 0;
	for (unsigned int i = 0; i < SENDS; i++) {
		card_receive(frame, i & 1 ? 60 : 1500, &meta);
		world_run();
	}
	return id;
}

/* => the receivers take what waits, the card is done. */
static void settle(void)
{
	static uint8_t out[70000];
	struct netif_extra_info extra;
	uint16_t flags;

	card_complete();
	for (unsigned int i = 0; i < 2; i++) {
		guest_post_rx(&guests[i], 200 - (guests[i].rx->req_prod - guests[i].rx->rsp_prod));
		guest_kick(&guests[i]);
		while (guest_rx_frame(&guests[i], out, &flags, &extra))
			;
	}
	card_complete();
	world_pass(20000000);
	guest_collect(g);
	wire_clear();
}

static void traffic_with_ever_more_buffers(void **state)
{
	world_card_features(0);
	world_connect(&guests[1], FULL);
	for (unsigned int left = 0; left <= BUFFERS_MOST; left++) {
		struct net_vif_info info;
		uint16_t end;

		leave(left);
		card_holds = true;
		end = traffic();
		card_holds = false;
		no_lock_is_kept();
		settle();
		no_lock_is_kept();
		for (uint16_t id = 100; id < end; id++)
			assert_int_equal(g->answered[id], left + 1);
		for (unsigned int p = FIRST_FREE; p < PAGES; p++)
			assert_int_equal(g->borrowed[p], 0);
		read_vif(&info);
		assert_string_equal(info.state, "connected");
		if (left == 0)
			assert_true(info.dir[VFR_OUT].drops[NET_DROP_NO_BUFFER] >= SENDS);
		enough_again();
	}
}

/* A long packet that cannot be kept whole for a slow receiver is dropped by name; one that can arrives whole. */
static void what_waits_is_whole_or_dropped_by_name(void **state)
{
	static uint8_t out[70000];
	struct guest *peer = &guests[1];
	struct netif_extra_info extra;
	bool whole = false;
	uint16_t flags;

	world_connect(peer, FULL);
	route_to = NET_GUEST_PORT(2);
	for (unsigned int left = 1; !whole; left++) {
		struct net_vif_info before, after;
		uint32_t len;

		assert_int_equal(net_vif_read(2, &before), 0);
		leave(left);
		send_gso(30000, 1448);
		guest_kick(g);
		guest_collect(g);
		enough_again();
		if (left == 1)
			guest_post_rx(peer, 20);
		guest_kick(peer);
		len = guest_rx_frame(peer, out, &flags, &extra);
		assert_int_equal(net_vif_read(2, &after), 0);
		whole = len == 30054;
		assert_true(whole || !len);
		assert_int_equal(after.dir[VFR_IN].drops[NET_DROP_NO_BUFFER] - before.dir[VFR_IN].drops[NET_DROP_NO_BUFFER], !whole);
		assert_true(left < BUFFERS_MOST);
		for (unsigned int p = FIRST_FREE; p < PAGES; p++)
			assert_int_equal(g->borrowed[p], 0);
	}
}

static unsigned int received(struct guest *to)
{
	uint8_t out[4096];
	struct netif_extra_info extra;
	unsigned int n = 0;
	uint16_t flags;

	guest_kick(to);
	while (guest_rx_frame(to, out, &flags, &extra))
		n++;
	return n;
}

static void come_in(unsigned int n, uint16_t port)
{
	struct nic_meta meta = { 0 };
	uint8_t frame[60] = { 1 };

	inbound_to = port;
	while (n--) {
		card_receive(frame, sizeof(frame), &meta);
		world_run();
	}
}

/* A guest that takes nothing, while the pool gets no memory: the card still has buffers, and others their packets. */
static void one_that_takes_nothing_leaves_buffers_to_the_card(void **state)
{
	struct guest *peer = &guests[1];

	world_connect(peer, FULL);
	guest_post_rx(peer, 100);
	leave(0);
	come_in(1000, NET_GUEST_PORT(1));
	assert_true(card_rx_posted() > 0);
	come_in(10, NET_GUEST_PORT(2));
	assert_int_equal(received(peer), 10);
	enough_again();
	assert_true(received(g) == 0);
}

/* Should the card have none left all the same, it gets some as soon as there are. */
static void a_card_without_buffers_gets_them_when_there_are(void **state)
{
	guest_post_rx(g, 100);
	leave(0);
	router_holds = true;
	come_in(card_rx_posted(), NET_GUEST_PORT(1));
	router_holds = false;
	world_pass(1000000000);
	assert_int_equal(card_rx_posted(), 0);
	pktq_free(&router_held);
	enough_again();
	world_pass(1000000000);
	come_in(10, NET_GUEST_PORT(1));
	assert_int_equal(received(g), 10);
}

/* The vif itself: made without memory for it, or for its classes, it leaves nothing. */
static void a_vif_whose_making_fails_leaves_nothing(void **state)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
	struct domain *d = &guests[2].d;
	int rc = -ENOMEM;

	for (long n = 0; rc; n++) {
		size_t before;

		net_vif_destroy(d);
		world_pass(1000000000);
		before = env_host_live_bytes();
		assert_int_equal(d->refs, 1);
		env_host_fail_after(n);
		rc = net_vif_create(d, mac, 1500);
		env_host_fail_after(-1);
		if (!rc)
			break;
		assert_null(net_vif_of(d->id));
		world_pass(1000000000);
		assert_int_equal(d->refs, 1);
		assert_int_equal(env_host_live_bytes(), before);
	}
	no_lock_is_kept();
}

static int begin(void **state)
{
	pktq_init(&kept);
	alarm(60);
	return set_up(state);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, begin, tear_down)
	const struct CMUnitTest tests[] = {
		T(traffic_with_ever_more_buffers),
		T(what_waits_is_whole_or_dropped_by_name),
		T(one_that_takes_nothing_leaves_buffers_to_the_card),
		T(a_card_without_buffers_gets_them_when_there_are),
		T(a_vif_whose_making_fails_leaves_nothing),
	};

	return cmocka_run_group_tests_name("net-memory", tests, NULL, NULL);
}
