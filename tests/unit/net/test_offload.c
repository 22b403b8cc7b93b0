/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments and partial checksums from a guest to the card: whole where it can, cut and finished where it cannot. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vif_case.h"

static void segment_goes_to_the_card_whole(void **state)
{
	send_gso(60000, 1448);
	guest_kick(g);
	card_complete();
	guest_collect(g);
	assert_non_null(wire);
	assert_int_equal(wire->len, 60054);
	assert_int_equal(wire->gso, NIC_GSO_TCPV4);
	assert_int_equal(wire->gso_size, 1448);
	assert_int_equal(wire->csum, NIC_CSUM_PARTIAL);
	assert_int_equal(wire->csum_start, 34);
	assert_int_equal(wire->csum_offset, 16);
	assert_memory_equal(wire->bytes + 54, g->page[FIRST_FREE + 1], 4096);
	for (unsigned int id = 0; id <= 15; id++)
		assert_int_equal(g->answered[id], 1);
}

/* A card without offload gets the same bytes in frames with right sums. */
static void segment_is_cut_for_a_plain_card(void **state)
{
	uint32_t payload = 20000, at = 0, n = 0;

	world_card_features(0);
	send_gso(payload, 1448);
	guest_kick(g);
	card_complete();
	for (struct sent *s = wire; s; s = s->next, n++) {
		uint32_t chunk = s->len - 54;

		assert_int_equal(s->gso, NIC_GSO_NONE);
		assert_int_equal(s->csum, NIC_CSUM_FULL);
		assert_int_equal(tcp_check(s->bytes, s->len), 0xffff);
		assert_int_equal(env_get16(s->bytes + 16), s->len - 14);
		assert_int_equal(env_get16(s->bytes + 18), 0x1234 + n);
		assert_int_equal(env_get32(s->bytes + 38), 1000 + at);
		assert_int_equal(s->bytes[47], (n ? 0 : 0x80) | 0x10 | (s->next ? 0 : 0x09));
		for (uint32_t i = 0; i < chunk; i++)
			assert_int_equal(s->bytes[54 + i], g->page[FIRST_FREE + 1 + (at + i) / PAGE_SIZE][(at + i) % PAGE_SIZE]);
		at += chunk;
	}
	assert_int_equal(at, payload);
	assert_int_equal(n, (payload + 1447) / 1448);
}

static void partial_checksum_is_finished_for_a_plain_card(void **state)
{
	for (uint32_t len = 54; len < 1514; len += 37) {
		world_card_features(0);
		wire_clear();
		tcp_head(g->page[FIRST_FREE], len);
		put_slot(0, FIRST_FREE, 0, (uint16_t)len, NETTXF_csum_blank);
		guest_kick(g);
		card_complete();
		assert_non_null(wire);
		assert_int_equal(wire->csum, NIC_CSUM_FULL);
		assert_int_equal(tcp_check(wire->bytes, len), 0xffff);
	}
}

static void offload_that_does_not_fit_is_refused(void **state)
{
	static const struct {
		const char *title;
		unsigned int at;
		uint8_t value;
		uint8_t gso_type;
		uint16_t gso_size, flags;
	} row[] = {
		{ "not IP", 12, 0x99, 0, 0, NETTXF_csum_blank },
		{ "not TCP or UDP", 23, 1, 0, 0, NETTXF_csum_blank },
		{ "IP header too short", 14, 0x41, 0, 0, NETTXF_csum_blank },
		{ "a fragment", 20, 0x20, 0, 0, NETTXF_csum_blank },
		{ "segments of UDP", 23, 17, XEN_NETIF_GSO_TYPE_TCPV4, 1448, NETTXF_csum_blank },
		{ "IPv6 segments of IPv4", 23, 6, XEN_NETIF_GSO_TYPE_TCPV6, 1448, NETTXF_csum_blank },
		{ "segments of no size", 23, 6, XEN_NETIF_GSO_TYPE_TCPV4, 0, NETTXF_csum_blank },
		{ "segments without a blank sum", 23, 6, XEN_NETIF_GSO_TYPE_TCPV4, 1448, 0 },
		{ "TCP header past the head", 46, 0xf0, XEN_NETIF_GSO_TYPE_TCPV4, 1448, NETTXF_csum_blank },
		{ "TCP header too short", 46, 0x10, XEN_NETIF_GSO_TYPE_TCPV4, 1448, NETTXF_csum_blank },
	};

	for (unsigned int i = 0; i < ENV_ARRAY_SIZE(row); i++) {
		uint32_t len = row[i].at == 46 && row[i].value == 0xf0 ? 80 : 300;

		tcp_head(g->page[FIRST_FREE], len);
		g->page[FIRST_FREE][row[i].at] = row[i].value;
		put_slot((uint16_t)i, FIRST_FREE, 0, (uint16_t)len, row[i].flags | (row[i].gso_type ? NETTXF_extra_info : 0));
		if (row[i].gso_type)
			put_gso_extra(row[i].gso_type, row[i].gso_size, 0);
		guest_kick(g);
		guest_collect(g);
		if (wire || g->status[i] != NETIF_RSP_ERROR)
			fail_msg("%s", row[i].title);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(segment_goes_to_the_card_whole),
		T(segment_is_cut_for_a_plain_card),
		T(partial_checksum_is_finished_for_a_plain_card),
		T(offload_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests_name("offload", tests, NULL, NULL);
}
