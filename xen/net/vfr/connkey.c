/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a connection is known by: both endpoints in a fixed order, so that both directions make the same key; and its keyed hash.
 * Guests hold the public address themselves, so one key serves from end to end, hairpins included.
 */
#include <vfr/priv.h>

struct end {
	uint64_t a[2];
	uint16_t port;
};

static bool lower(const struct end *x, const struct end *y)
{
	if (x->a[0] != y->a[0])
		return x->a[0] < y->a[0];
	if (x->a[1] != y->a[1])
		return x->a[1] < y->a[1];
	return x->port <= y->port;
}

static bool fill(struct conn_key *k, const struct end *src, const struct end *dst, uint8_t proto, uint8_t family)
{
	bool src_first = lower(src, dst);
	const struct end *a = src_first ? src : dst, *b = src_first ? dst : src;

	*k = (struct conn_key){
		.a = { a->a[0], a->a[1] }, .b = { b->a[0], b->a[1] }, .aport = a->port, .bport = b->port,
		.proto = proto, .family = family,
	};
	return !src_first;
}

static void load6(struct end *e, const uint8_t *addr)
{
	memcpy(e->a, addr, 16);
}

void vfr_conn_key(struct conn_key *k, const struct vfr_pkt *p, bool *from_b)
{
	struct end src = { .a = { p->src }, .port = p->sport }, dst = { .a = { p->dst }, .port = p->dport };

	if (p->flags & VFR_PF_IPV6) {
		load6(&src, p->head + p->l3 + IP6_SRC);
		load6(&dst, p->head + p->l3 + IP6_DST);
	}
	*from_b = fill(k, &src, &dst, p->proto, p->flags & VFR_PF_IPV4 ? 4 : 6);
}

/* => the key of the packet that an ICMP error quotes. */
bool vfr_conn_key_quoted(struct conn_key *k, const struct vfr_pkt *p)
{
	struct quote q;

	if (!vfr_parse_quote(p, &q))
		return false;
	struct end src = { .a = { q.src }, .port = q.sport }, dst = { .a = { q.dst }, .port = q.dport };
	if (p->flags & VFR_PF_IPV6) {
		load6(&src, q.src6);
		load6(&dst, q.dst6);
	}
	fill(k, &src, &dst, q.proto, p->flags & VFR_PF_IPV4 ? 4 : 6);
	return true;
}

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Multiply-fold with secret operands: without the key nobody outside can aim at one bucket. */
uint64_t vfr_conn_hash(const struct vfr *v, const struct conn_key *k)
{
	uint64_t ports = (uint64_t)k->aport << 48 | (uint64_t)k->bport << 32 | (uint64_t)k->proto << 8 | k->family;
	uint64_t h = mix(k->a[0] ^ v->key[0], k->b[0] ^ v->key[1]);

	if (k->family == 6)
		h ^= mix(k->a[1] ^ v->key[2], k->b[1] ^ v->key[3]);
	return mix(h ^ v->key[2], ports ^ v->key[3]);
}
