/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The common packet of a connection: known, changing nothing but the time of the last packet. It takes no lock and calls
 * nothing: between two looks at the bucket's sequence number it reads the place that conn_prepare2() found and the connection there.
 * What it finds odd it leaves to the table, under the lock.
 */
#include <vfr/priv.h>

bool vfr_conn_follow(struct ctx *c, const struct vfr_pkt *p, uint16_t slot, uint16_t *sched_class)
{
	struct conn_table *t = &c->v->conns;
	struct conn_bucket *b = &t->bucket[(uint32_t)p->conn_hash & t->mask];
	uint16_t seq = atomic_load_explicit(&b->seq, memory_order_acquire);
	uint32_t now = (uint32_t)(c->now >> TICK_SHIFT);
	struct conn_key k;
	bool from_b, six = p->flags & VFR_PF_IPV6;

	vfr_conn_key(&k, p, &from_b);
	/* A chain may lead anywhere while it is changed; the places cannot. */
	if (p->conn_place >= CONN_WAYS)
		return b->overflow && vfr_conn_follow_locked(c, p, slot, sched_class);
	uint32_t idx = b->idx[p->conn_place];
	struct conn *cn = &t->conn[idx - 1];
	/* The last word has the family in it, and IPv4's addresses end with the first words. */
	if (!idx || (seq & 1) || ((cn->key.rest ^ k.rest) | (cn->key.a[0] ^ k.a[0]) | (cn->key.b[0] ^ k.b[0])) ||
		(six && ((cn->key.a[1] ^ k.a[1]) | (cn->key.b[1] ^ k.b[1]))) ||
		!conn_steady(p, cn->state, from_b == cn->opener_b))
		return vfr_conn_follow_locked(c, p, slot, sched_class);
	bool mine = (cn->slot[0] == slot || cn->slot[1] == slot) && !conn_over(cn, now);
	*sched_class = conn_class(cn->slot, cn->sched_class, slot);
	atomic_thread_fence(memory_order_acquire);
	if (atomic_load_explicit(&b->seq, memory_order_relaxed) != seq)
		return vfr_conn_follow_locked(c, p, slot, sched_class);
	if (mine && cn->stamp != now)
		cn->stamp = now;
	return mine;
}
