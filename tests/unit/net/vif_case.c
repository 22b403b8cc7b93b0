/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of a vif share: see vif_case.h. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vif_case.h"

static uint32_t rnd_state = 1;

uint32_t rnd(void)
{
	rnd_state = rnd_state * 1664525u + 1013904223u;
	return rnd_state >> 8;
}

netif_tx_request_t *put_slot(uint16_t id, uint32_t gref, uint16_t off, uint16_t size, uint16_t flags)
{
	netif_tx_request_t *r = &g->tx->ring[g->tx->req_prod & (NETIF_RING - 1)].req;

	*r = (netif_tx_request_t){ .gref = gref, .offset = off, .flags = flags, .id = id, .size = size };
	g->tx->req_prod++;
	return r;
}

void put_gso_extra(uint8_t type, uint16_t size, uint8_t flags)
{
	struct netif_extra_info *e = (struct netif_extra_info *)&g->tx->ring[g->tx->req_prod & (NETIF_RING - 1)].req;

	memset(e, 0, sizeof(*e));
	e->type = XEN_NETIF_EXTRA_TYPE_GSO;
	e->flags = flags;
	e->u.gso.type = type;
	e->u.gso.size = size;
	g->tx->req_prod++;
}

static void fill_pages(void)
{
	for (unsigned int p = FIRST_FREE; p < PAGES; p++)
		for (unsigned int i = 0; i < PAGE_SIZE; i++)
			g->page[p][i] = (uint8_t)rnd();
}

int set_up(void **state)
{
	world_start();
	fill_pages();
	world_connect(g, FULL);
	memset(g->answered, 0, sizeof(g->answered));
	return 0;
}

int tear_down(void **state)
{
	world_stop();
	return 0;
}

void read_vif(struct net_vif_info *info)
{
	assert_int_equal(net_vif_read(1, info), 0);
}

/* An IPv4/TCP head of 54 bytes at the start of page `p`, with `partial` sum for `len` bytes in all. */
void tcp_head(uint8_t *h, uint32_t len)
{
	uint32_t sum = 6 + len - 34;

	memset(h, 0, 54);
	env_put16(h + 12, 0x0800);
	h[14] = 0x45;
	env_put16(h + 16, (uint16_t)(len - 14));
	env_put16(h + 18, 0x1234);
	h[22] = 64;
	h[23] = 6;
	env_put32(h + 26, 0x0a00020f);
	env_put32(h + 30, 0x0a000202);
	env_put16(h + 34, 20000);
	env_put16(h + 36, 80);
	env_put32(h + 38, 1000);
	h[46] = 5 << 4;
	h[47] = 0x99; /* CWR, ACK, PSH, FIN */
	for (unsigned int i = 26; i < 34; i += 2)
		sum += env_get16(h + i);
	sum = (sum & 0xffff) + (sum >> 16);
	env_put16(h + 50, (uint16_t)((sum & 0xffff) + (sum >> 16)));
	sum = 0;
	for (unsigned int i = 14; i < 34; i += 2)
		sum += env_get16(h + i);
	sum = (sum & 0xffff) + (sum >> 16);
	env_put16(h + 24, (uint16_t)~((sum & 0xffff) + (sum >> 16)));
}

/* The naive sum: pseudo-header and segment, 0xffff when right. */
uint16_t tcp_check(const uint8_t *f, uint32_t len)
{
	uint64_t sum = 6 + len - 34;

	for (unsigned int i = 26; i < 34; i += 2)
		sum += env_get16(f + i);
	for (uint32_t i = 34; i < len; i++)
		sum += i & 1 ? f[i] : (uint32_t)f[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

void send_gso(uint32_t payload, uint16_t gso_size)
{
	uint32_t total = 54 + payload, left = payload;
	unsigned int page = FIRST_FREE + 1;

	tcp_head(g->page[FIRST_FREE], total);
	put_slot(0, FIRST_FREE, 0, (uint16_t)total, NETTXF_more_data | NETTXF_extra_info | NETTXF_csum_blank | NETTXF_data_validated);
	put_gso_extra(XEN_NETIF_GSO_TYPE_TCPV4, gso_size, 0);
	for (uint16_t id = 1; left; id++, page++) {
		uint16_t n = (uint16_t)(left < PAGE_SIZE ? left : PAGE_SIZE);

		left -= n;
		put_slot(id, page, 0, n, left ? NETTXF_more_data : 0);
	}
}
