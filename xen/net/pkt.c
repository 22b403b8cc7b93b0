/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walking over the bytes of a packet.
 */
#include <string.h>

#include <env.h>
#include <netif.h>
#include <pkt.h>

unsigned int pkt_pieces(struct pkt *p, struct pkt_piece out[PKT_SEGS])
{
	const struct pkt_frag *f = pkt_frags(p);
	unsigned int n = 0;

	out[n++] = (struct pkt_piece){ p->v.head, virt_to_phys(p->v.head), p->room_len };
	for (unsigned int i = 0; i < p->nr_frags; i++, f++)
		out[n++] = (struct pkt_piece){ f->use.va + f->off, f->use.pa + f->off, f->len };
	for (struct pkt *c = p->cont; c; c = c->cont) {
		uint8_t *va = (uint8_t *)c + PKT_DMA;

		ENV_ASSERT(n < PKT_SEGS);
		out[n++] = (struct pkt_piece){ va, virt_to_phys(va), c->room_len };
	}
	return n;
}

void pkt_cursor_init(struct pkt_cursor *c, struct pkt *p)
{
	c->n = pkt_pieces(p, c->piece);
	c->at = 0;
	c->off = 0;
}

void pkt_cursor_copy(struct pkt_cursor *c, void *dst, uint32_t n)
{
	uint8_t *to = dst;

	while (n) {
		const struct pkt_piece *piece = &c->piece[c->at];
		uint32_t chunk = piece->len - c->off;

		ENV_ASSERT(c->at < c->n);
		if (chunk > n)
			chunk = n;
		memcpy(to, piece->va + c->off, chunk);
		to += chunk;
		n -= chunk;
		c->off += chunk;
		if (c->off == piece->len) {
			c->at++;
			c->off = 0;
		}
	}
}

bool pkt_detach(struct pkt *p)
{
	uint32_t left = p->v.len - p->room_len;
	struct pkt **tail = &p->cont;
	struct pkt_cursor c;

	if (!p->nr_frags)
		return true;
	pkt_cursor_init(&c, p);
	c.at = 1; /* behind the head, which is ours already */
	while (left) {
		struct pkt *more = pkt_alloc();
		uint32_t n = left < PKT_DMA_MAX ? left : PKT_DMA_MAX;

		if (!more)
			break;
		pkt_cursor_copy(&c, (uint8_t *)more + PKT_DMA, n);
		more->room_len = n;
		*tail = more;
		tail = &more->cont;
		p->bufs++;
		left -= n;
	}
	p->v.len -= left;
	netif_tx_done(p);
	return !left;
}
