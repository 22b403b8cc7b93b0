/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The netif backend against a hostile or plain frontend: each test is a rule, its table the cases.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vif_case.h"

/* Send one chain of n slots of `size` bytes each from `off`; what reached the wire must be those bytes. */
static void one_chain(unsigned int n, uint16_t off, uint16_t size, bool expect)
{
	uint32_t total = n * size;
	uint8_t *want;

	if (total > 65535)
		return;
	want = malloc(total + 1);
	wire_clear();
	for (unsigned int i = 0; i < n; i++) {
		put_slot((uint16_t)i, FIRST_FREE + i, off, (uint16_t)(i ? size : total), i + 1 < n ? NETTXF_more_data : 0);
		if (off + size <= PAGE_SIZE)
			memcpy(want + i * size, g->page[FIRST_FREE + i] + off, size);
	}
	memset(g->answered, 0, sizeof(g->answered));
	guest_kick(g);
	card_complete();
	guest_collect(g);
	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(g->answered[i], 1);
		assert_int_equal(g->status[i], expect ? NETIF_RSP_OKAY : NETIF_RSP_ERROR);
	}
	if (expect) {
		assert_non_null(wire);
		assert_int_equal(wire->len, total);
		assert_memory_equal(wire->bytes, want, total);
		assert_null(wire->next);
	} else {
		assert_null(wire);
	}
	free(want);
}

static void chains_of_every_shape(void **state)
{
	static const uint16_t sizes[] = { 0, 1, 13, 14, 15, 20, 64, 256, 257, 1460, 2047, 2048, 2049, 3600, 4095, 4096, 65535 };
	static const uint16_t offs[] = { 0, 1, 16, 4032, 4095, 4096, 65535 };

	for (unsigned int n = 1; n <= 20; n++)
		for (unsigned int s = 0; s < ENV_ARRAY_SIZE(sizes); s++)
			for (unsigned int o = 0; o < ENV_ARRAY_SIZE(offs); o++) {
				uint32_t total = n * sizes[s];
				bool fits = sizes[s] && (uint32_t)offs[o] + sizes[s] <= PAGE_SIZE && n <= PKT_SLOTS && total >= 14;

				one_chain(n, offs[o], sizes[s], fits);
			}
}

static void total_smaller_than_its_parts(void **state)
{
	struct net_vif_info info;

	put_slot(0, FIRST_FREE, 0, 100, NETTXF_more_data);
	put_slot(1, FIRST_FREE + 1, 0, 100, 0);
	guest_kick(g);
	guest_collect(g);
	assert_int_equal(g->status[0], NETIF_RSP_ERROR);
	assert_int_equal(g->status[1], NETIF_RSP_ERROR);
	assert_null(wire);
	read_vif(&info);
	assert_int_equal(info.dir[VFR_OUT].drops[NET_DROP_VIF_BAD_CHAIN], 1);
}

static void bad_grant_in_each_slot(void **state)
{
	for (unsigned int n = 1; n <= PKT_SLOTS; n++)
		for (unsigned int bad = 0; bad < n; bad++)
			for (uint16_t size = 100; size <= 3000; size += 2900) {
				memset(g->answered, 0, sizeof(g->answered));
				for (unsigned int i = 0; i < n; i++)
					put_slot((uint16_t)i, i == bad ? PAGES + 7 : FIRST_FREE + i, 0, (uint16_t)(i ? size : n * size),
						 i + 1 < n ? NETTXF_more_data : 0);
				guest_kick(g);
				guest_collect(g);
				for (unsigned int i = 0; i < n; i++) {
					assert_int_equal(g->answered[i], 1);
					assert_int_equal(g->status[i], NETIF_RSP_ERROR);
				}
				assert_null(wire);
			}
}

static void ring_that_makes_no_sense_stops_the_vif(void **state)
{
	static const struct {
		const char *title;
		uint32_t tx_jump, rx_jump;
		bool cut_chain, endless_extra, cut_extra;
	} row[] = {
		{ "transmit index one too far", NETIF_RING + 1, 0, false, false, false },
		{ "transmit index far off", 0x80000000u, 0, false, false, false },
		{ "transmit index goes back", 0xffffffffu, 0, false, false, false },
		{ "receive index one too far", 0, NETIF_RING + 1, false, false, false },
		{ "chain without its end", 0, 0, true, false, false },
		{ "extra infos without end", 0, 0, false, true, false },
		{ "extra info announced, not there", 0, 0, false, false, true },
	};

	for (unsigned int i = 0; i < ENV_ARRAY_SIZE(row); i++) {
		uint8_t frame[60] = { 0 };
		struct nic_meta meta = { 0 };
		struct net_vif_info info;

		world_state(g, 6);
		world_connect(g, FULL);
		g->tx->req_prod += row[i].tx_jump;
		g->rx->req_prod += row[i].rx_jump;
		if (row[i].cut_chain)
			put_slot(0, FIRST_FREE, 0, 200, NETTXF_more_data);
		if (row[i].endless_extra || row[i].cut_extra)
			put_slot(0, FIRST_FREE, 0, 200, NETTXF_extra_info);
		for (unsigned int e = 0; row[i].endless_extra && e < 10; e++)
			put_gso_extra(XEN_NETIF_GSO_TYPE_TCPV4, 1448, XEN_NETIF_EXTRA_FLAG_MORE);
		card_receive(frame, sizeof(frame), &meta);
		guest_kick(g);
		read_vif(&info);
		if (strcmp(info.state, "broken") || !info.fault || !store_get("/local/domain/0/backend/vif/1/0/error"))
			fail_msg("%s: %s", row[i].title, info.state);
		/* Nothing of it is looked at any more, and a new start mends it. */
		guest_kick(g);
		world_state(g, 6);
		world_connect(g, FULL);
		read_vif(&info);
		assert_string_equal(info.state, "connected");
		one_chain(1, 0, 100, true);
	}
}

static void frames_to_the_guest_of_every_length(void **state)
{
	static uint8_t in[65550], out[70000];
	struct netif_extra_info extra;
	struct nic_meta meta = { 0 };
	uint16_t flags;

	for (uint32_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)rnd();
	guest_post_rx(g, NETIF_RING);
	for (uint32_t len = 1; len <= sizeof(in); len = len < 100 ? len + 1 : len * 9 / 8 + 1) {
		uint32_t posted = g->rx->req_prod;

		card_receive(in, len, &meta);
		world_run();
		assert_int_equal(guest_rx_frame(g, out, &flags, &extra), len);
		assert_memory_equal(in, out, len);
		assert_int_equal(guest_rx_frame(g, out, &flags, &extra), 0);
		guest_post_rx(g, g->rx->rsp_prod + NETIF_RING - posted);
	}
}

static void segment_to_the_guest_carries_its_size(void **state)
{
	static uint8_t in[30054], out[70000];
	struct nic_meta meta = { .csum = NIC_CSUM_PARTIAL, .gso = NIC_GSO_TCPV4, .gso_size = 1400, .csum_start = 34, .csum_offset = 16 };
	struct netif_extra_info extra;
	uint16_t flags;

	tcp_head(in, sizeof(in));
	guest_post_rx(g, NETIF_RING);
	card_receive(in, sizeof(in), &meta);
	world_run();
	assert_int_equal(guest_rx_frame(g, out, &flags, &extra), sizeof(in));
	assert_int_equal(flags, NETRXF_csum_blank | NETRXF_data_validated | NETRXF_extra_info | NETRXF_more_data);
	assert_int_equal(extra.type, XEN_NETIF_EXTRA_TYPE_GSO);
	assert_int_equal(extra.u.gso.size, 1400);
	assert_int_equal(extra.u.gso.type, XEN_NETIF_GSO_TYPE_TCPV4);
	assert_memory_equal(in, out, sizeof(in));
}

static void segment_is_cut_for_a_plain_frontend(void **state)
{
	static uint8_t in[10054], out[70000];
	struct nic_meta meta = { .csum = NIC_CSUM_PARTIAL, .gso = NIC_GSO_TCPV4, .gso_size = 1400, .csum_start = 34, .csum_offset = 16 };
	struct netif_extra_info extra;
	uint32_t len, n = 0;
	uint16_t flags;

	world_state(g, 6);
	world_forget_features(g);
	world_connect(g, "feature-no-csum-offload");
	tcp_head(in, sizeof(in));
	guest_post_rx(g, NETIF_RING);
	card_receive(in, sizeof(in), &meta);
	world_run();
	while ((len = guest_rx_frame(g, out, &flags, &extra))) {
		assert_int_equal(flags, NETRXF_data_validated);
		assert_int_equal(tcp_check(out, len), 0xffff);
		n++;
	}
	assert_int_equal(n, (10000 + 1399) / 1400);
}

/* A guest that never gives buffers costs a bounded number of packets, each drop counted; then it gets those that waited, in order. */
static void undrained_ring_costs_bounded_memory(void **state)
{
	static uint8_t out[70000];
	struct nic_meta meta = { 0 };
	struct netif_extra_info extra;
	struct net_vif_info info;
	uint32_t used, max, seen = 0, last = 0;
	uint16_t flags;

	for (uint32_t i = 1; i <= 5000; i++) {
		uint8_t frame[60] = { 0 };

		memcpy(frame, &i, sizeof(i));
		card_receive(frame, sizeof(frame), &meta);
		world_run();
	}
	read_vif(&info);
	pktpool_usage(&used, &max);
	assert_in_range(info.queued_packets, 1, 600);
	assert_int_equal(info.queued_packets + info.dir[VFR_IN].drops[NET_DROP_VIF_RING_FULL], 5000);
	assert_true(used < max);
	for (unsigned int round = 0; round < 10; round++) {
		guest_post_rx(g, round ? 100 : NETIF_RING);
		guest_kick(g);
		while (guest_rx_frame(g, out, &flags, &extra)) {
			uint32_t i;

			memcpy(&i, out, sizeof(i));
			assert_true(i > last);
			last = i;
			seen++;
		}
	}
	assert_int_equal(seen, info.queued_packets);
}

static void bad_receive_grant_harms_that_packet_only(void **state)
{
	uint8_t frame[60] = { 1 }, out[4096];
	struct nic_meta meta = { 0 };
	struct netif_extra_info extra;
	uint16_t flags;

	guest_post_rx(g, 3);
	g->granted[FIRST_FREE + 1] = false;
	g->readonly[FIRST_FREE + 2] = true;
	for (unsigned int i = 0; i < 3; i++)
		card_receive(frame, sizeof(frame), &meta);
	world_run();
	assert_int_equal(guest_rx_frame(g, out, &flags, &extra), 60);
	assert_int_equal(guest_rx_frame(g, out, &flags, &extra), UINT32_MAX);
	assert_int_equal(guest_rx_frame(g, out, &flags, &extra), UINT32_MAX);
}

static void pages_are_lent_until_the_card_is_done(void **state)
{
	card_holds = true;
	put_slot(7, FIRST_FREE, 0, 4000, 0);
	guest_kick(g);
	guest_collect(g);
	assert_int_equal(g->borrowed[FIRST_FREE], 1);
	assert_int_equal(g->answered[7], 0);
	card_complete();
	guest_collect(g);
	assert_int_equal(g->borrowed[FIRST_FREE], 0);
	assert_int_equal(g->answered[7], 1);
}

/* Answers of an old connection do not appear in the rings of the new one. */
static void reconnect_with_frames_at_the_card(void **state)
{
	card_holds = true;
	put_slot(7, FIRST_FREE, 0, 4000, 0);
	guest_kick(g);
	world_state(g, 5);
	world_state(g, 6);
	assert_string_equal(store_get("/local/domain/0/backend/vif/1/0/state"), "6");
	world_state(g, 1);
	assert_string_equal(store_get("/local/domain/0/backend/vif/1/0/state"), "2");
	world_connect(g, FULL);
	card_complete();
	assert_int_equal(g->tx->rsp_prod, 0);
	assert_int_equal(g->borrowed[FIRST_FREE], 0);
	one_chain(2, 0, 1000, true);
}

static void guest_to_guest(void **state)
{
	static uint8_t out[70000];
	struct guest *peer = &guests[1];
	struct netif_extra_info extra;
	uint16_t flags;

	world_connect(peer, FULL);
	route_to = NET_GUEST_PORT(2);
	guest_post_rx(peer, 100);
	send_gso(30000, 1448);
	guest_kick(g);
	guest_collect(g);
	assert_int_equal(guest_rx_frame(peer, out, &flags, &extra), 30054);
	assert_memory_equal(out + 54, g->page[FIRST_FREE + 1], 4096);
	for (unsigned int id = 0; id <= 7; id++)
		assert_int_equal(g->answered[id], 1);
}

/* A receiver that gives no buffers keeps none of the sender's pages. */
static void stuck_receiver_does_not_hold_the_sender(void **state)
{
	static uint8_t out[70000];
	struct guest *peer = &guests[1];
	struct netif_extra_info extra;
	uint16_t flags;

	world_connect(peer, FULL);
	route_to = NET_GUEST_PORT(2);
	send_gso(30000, 1448);
	guest_kick(g);
	guest_collect(g);
	for (unsigned int id = 0; id <= 7; id++)
		assert_int_equal(g->answered[id], 1);
	for (unsigned int p = FIRST_FREE; p < PAGES; p++)
		assert_int_equal(g->borrowed[p], 0);
	guest_post_rx(peer, 100);
	guest_kick(peer);
	assert_int_equal(guest_rx_frame(peer, out, &flags, &extra), 30054);
	assert_memory_equal(out + 54, g->page[FIRST_FREE + 1], 4096);
	assert_memory_equal(out + 54 + 4096 * 7, g->page[FIRST_FREE + 8], 30000 - 4096 * 7);
}

static unsigned int wire_count(void)
{
	unsigned int n = 0;

	for (struct sent *s = wire; s; s = s->next)
		n++;
	return n;
}

/* A guest that sends all the time is polled: it is asked for no events until it pauses; nothing is late or lost. */
static void busy_guest_is_polled(void **state)
{
	unsigned int events = 0, sent = 0;

	for (unsigned int i = 0; i < 100; i++) {
		uint32_t old = g->tx->req_prod;

		put_slot((uint16_t)(i & 255), FIRST_FREE, 0, 100, 0);
		sent++;
		if (g->tx->req_prod - g->tx->req_event < g->tx->req_prod - old) {
			events++;
			g->event(g->event_arg);
		}
		world_pass(10000);
	}
	assert_in_range(events, 1, 10);
	world_pass(2000000);
	assert_int_equal(wire_count(), sent);
	for (unsigned int i = 0; i < 20; i++)
		world_pass(2000000);
	assert_int_equal(g->tx->req_event, g->tx->req_prod + 1);
	guest_collect(g);
	one_chain(1, 0, 100, true);
}

/* Rings full of random bytes, 20,000 times: nothing but this guest's vif may suffer, and nothing is lost track of. */
static void random_rings(void **state)
{
	for (unsigned int i = 0; i < 20000; i++) {
		unsigned int n = rnd() % 40;
		uint8_t frame[2000];
		struct nic_meta meta = { .csum = (uint8_t)(rnd() % 3), .csum_start = (uint16_t)rnd(),
					 .csum_offset = (uint16_t)(rnd() % 40) };

		while (n--) {
			uint16_t size = rnd() % 4 ? (uint16_t)(rnd() % 4097) : (uint16_t)rnd();

			put_slot((uint16_t)(rnd() & 255), rnd() % (PAGES + 20), (uint16_t)(rnd() % 8 ? 0 : rnd()), size,
				 (uint16_t)(rnd() & rnd() & 15));
		}
		guest_post_rx(g, rnd() % 10);
		card_receive(frame, 1 + rnd() % 1999, &meta);
		guest_kick(g);
		card_complete();
		wire_clear();
		if (rnd() % 16 == 0) {
			world_state(g, 6);
			world_forget_features(g);
			world_connect(g, rnd() & 1 ? FULL : "feature-sg");
		}
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(chains_of_every_shape),
		T(total_smaller_than_its_parts),
		T(bad_grant_in_each_slot),
		T(ring_that_makes_no_sense_stops_the_vif),
		T(frames_to_the_guest_of_every_length),
		T(segment_to_the_guest_carries_its_size),
		T(segment_is_cut_for_a_plain_frontend),
		T(undrained_ring_costs_bounded_memory),
		T(bad_receive_grant_harms_that_packet_only),
		T(pages_are_lent_until_the_card_is_done),
		T(reconnect_with_frames_at_the_card),
		T(guest_to_guest),
		T(stuck_receiver_does_not_hold_the_sender),
		T(busy_guest_is_polled),
		T(random_rings),
	};

	return cmocka_run_group_tests_name("netif", tests, NULL, NULL);
}
