/* SPDX-License-Identifier: BSD-2-Clause */
/* The card of the network layer's tests: receive buffers it fills, frames it is given and keeps; see world.h. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

#define CARD_RING 256

struct sent *wire, **wire_tail = &wire;
bool card_holds;
static void *held[CARD_RING * 4];
static unsigned int nr_held, nr_done;
static struct {
	uint8_t *va;
	void *token;
	uint32_t len, written;
	struct nic_meta meta;
	unsigned int more;
} rx_ring[CARD_RING];
static unsigned int rx_posted, rx_written, rx_popped;
struct nic *nic_list;
static struct nic card;

static int card_start(struct nic *nic)
{
	return 0;
}

static int card_rx_post(struct nic *nic, paddr_t pa, uint32_t len, void *token)
{
	unsigned int i = rx_posted++ % CARD_RING;

	rx_ring[i].va = (uint8_t *)(uintptr_t)pa;
	rx_ring[i].len = len;
	rx_ring[i].token = token;
	return 0;
}

static unsigned int card_rx_room(const struct nic *nic)
{
	return CARD_RING - (rx_posted - rx_popped);
}

unsigned int card_rx_posted(void)
{
	return rx_posted - rx_popped;
}

static void card_nothing(struct nic *nic)
{
}

static void *card_rx_pop(struct nic *nic, void *(*data_of)(void *token), struct nic_meta *meta, uint32_t *len, unsigned int *more)
{
	unsigned int i = rx_popped % CARD_RING;

	if (rx_popped == rx_written)
		return NULL;
	rx_popped++;
	assert_ptr_equal(data_of(rx_ring[i].token), rx_ring[i].va);
	*meta = rx_ring[i].meta;
	*len = rx_ring[i].written - NIC_HEADROOM;
	*more = rx_ring[i].more;
	return rx_ring[i].token;
}

static void *card_rx_pop_more(struct nic *nic, uint32_t *len)
{
	unsigned int i = rx_popped % CARD_RING;

	if (rx_popped == rx_written)
		return NULL;
	rx_popped++;
	*len = rx_ring[i].written;
	return rx_ring[i].token;
}

static bool card_rx_pending(const struct nic *nic)
{
	return rx_popped != rx_written;
}

static bool card_irq(struct nic *nic)
{
	return rx_popped != rx_written;
}

static int card_tx(struct nic *nic, struct vq_seg *segs, unsigned int n, uint8_t *headroom, const struct nic_meta *meta, void *token)
{
	struct sent *s = calloc(1, sizeof(*s));

	if (nr_held - nr_done == CARD_RING) {
		free(s);
		return -ENOSPC;
	}
	memset(headroom, 0x55, NIC_HEADROOM);
	for (unsigned int i = 0; i < n; i++)
		s->len += (uint32_t)segs[i].len;
	s->bytes = malloc(s->len);
	for (unsigned int i = 0, at = 0; i < n; at += segs[i++].len)
		memcpy(s->bytes + at, (const void *)(uintptr_t)segs[i].pa, segs[i].len);
	s->csum = meta->csum;
	s->gso = meta->gso;
	s->gso_size = meta->gso_size;
	s->csum_start = meta->csum_start;
	s->csum_offset = meta->csum_offset;
	*wire_tail = s;
	wire_tail = &s->next;
	held[nr_held++ % (CARD_RING * 4)] = token;
	return 0;
}

static void *card_tx_pop(struct nic *nic)
{
	if (nr_done == nr_held || card_holds)
		return NULL;
	return held[nr_done++ % (CARD_RING * 4)];
}

static bool card_tx_done(const struct nic *nic)
{
	return nr_done != nr_held && !card_holds;
}

static unsigned int card_tx_pending(const struct nic *nic)
{
	return nr_held - nr_done;
}

static bool card_tx_irq(struct nic *nic, unsigned int more)
{
	return more && !card_holds && nr_held - nr_done >= more;
}

static const struct nic_ops card_ops = {
	.start = card_start, .rx_post = card_rx_post, .rx_room = card_rx_room, .rx_kick = card_nothing, .rx_pop = card_rx_pop,
	.rx_pop_more = card_rx_pop_more, .rx_pending = card_rx_pending, .rx_irq_on = card_irq,
	.tx = card_tx, .tx_kick = card_nothing, .tx_pop = card_tx_pop,
	.tx_pending = card_tx_pending, .tx_done = card_tx_done, .tx_irq = card_tx_irq,
};

void card_complete(void)
{
	bool was = card_holds;

	card_holds = false;
	card.events->tx(&card);
	world_run();
	card_holds = was;
}

void card_receive(const uint8_t *bytes, uint32_t len, const struct nic_meta *meta)
{
	unsigned int first = rx_written % CARD_RING, more = 0;
	uint32_t off = NIC_HEADROOM;

	do {
		unsigned int i = rx_written++ % CARD_RING;
		uint32_t n = rx_ring[i].len - off < len ? rx_ring[i].len - off : len;

		assert_true(rx_written - 1 != rx_posted);
		memcpy(rx_ring[i].va + off, bytes, n);
		rx_ring[i].written = off + n;
		bytes += n;
		len -= n;
		off = 0;
		more++;
	} while (len);
	rx_ring[first].more = more - 1;
	rx_ring[first].meta = *meta;
	card.events->rx(&card);
}

void wire_clear(void)
{
	while (wire) {
		struct sent *s = wire;

		wire = s->next;
		free(s->bytes);
		free(s);
	}
	wire_tail = &wire;
}

void card_start_up(void)
{
	card.ops = &card_ops;
	card.link_up = true;
	card.mtu = 1500;
	nic_list = &card;
}

void world_card_features(unsigned int features)
{
	card.tx_features = features;
}
