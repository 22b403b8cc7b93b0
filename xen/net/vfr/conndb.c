/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connection table: buckets of one cache line with eight tagged places and an overflow chain, and a pool of connections of
 * one cache line each. A hit costs two lines, and vfr_input() asks for the first of them while it parses the batch.
 *
 * Who may be pushed out: only a connection that is not (or no longer) established, and only by a new one that falls into its
 * bucket while the pool or the domain's quota is used up. The half-open may fill three quarters of the pool at most, so a SYN
 * flood leaves room for those who complete the handshake.
 *
 * Synchronization: a bucket's lock for its places, chain and the connections in it; free_lock for the pool. The bucket's lock
 * is taken first. The common packet, which changes no state, takes no lock (connhit.c): it reads between two looks at the
 * bucket's sequence number. The pool's memory is never given away before the table, so what it reads is at worst another connection,
 * and then the number has changed.
 */
#include <vfr/priv.h>

static uint32_t pow2(uint32_t n)
{
	uint32_t p = 1;

	while (p < n)
		p *= 2;
	return p;
}

int vfr_conns_init(struct vfr *v)
{
	struct conn_table *t = &v->conns;

	t->max = v->par.max_conns;
	t->mask = pow2((t->max + 3) / 4) - 1;
	t->bucket_bytes = (t->mask + 1ull) * sizeof(struct conn_bucket);
	t->conn_bytes = t->max * sizeof(struct conn);
	/* A page at least, so that the memory is aligned to cache lines. */
	t->bucket_bytes = t->bucket_bytes < 4096 ? 4096 : t->bucket_bytes;
	t->conn_bytes = t->conn_bytes < 4096 ? 4096 : t->conn_bytes;
	t->bucket = env_alloc(t->bucket_bytes);
	t->conn = env_alloc(t->conn_bytes);
	return t->bucket && t->conn ? 0 : -ENOMEM;
}

void vfr_conns_destroy(struct vfr *v)
{
	env_free(v->conns.bucket, v->conns.bucket_bytes);
	env_free(v->conns.conn, v->conns.conn_bytes);
}

static uint32_t ticks(const struct ctx *c)
{
	return (uint32_t)(c->now >> TICK_SHIFT);
}

static void lock_bucket(struct conn_bucket *b)
{
	env_lock(&b->lock);
	atomic_store_explicit(&b->seq, (uint16_t)(atomic_load_explicit(&b->seq, memory_order_relaxed) + 1), memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
}

static void unlock_bucket(struct conn_bucket *b)
{
	atomic_store_explicit(&b->seq, (uint16_t)(atomic_load_explicit(&b->seq, memory_order_relaxed) + 1), memory_order_release);
	env_unlock(&b->lock);
}

static bool same(const struct conn_key *x, const struct conn_key *y)
{
	return !((x->a[0] ^ y->a[0]) | (x->b[0] ^ y->b[0]) | (x->rest ^ y->rest) | (x->a[1] ^ y->a[1]) | (x->b[1] ^ y->b[1]));
}

/* --- a bucket; its lock held ------------------------------------------------------------------------------------------ */

static struct conn *find(struct conn_table *t, struct conn_bucket *b, uint16_t tag, const struct conn_key *k)
{
	for (unsigned int half = 0; half < CONN_WAYS; half += 4)
		for (uint64_t m = conn_places(&b->tag[half], tag); m; m &= m - 1) {
			uint32_t idx = b->idx[half + ((unsigned int)__builtin_ctzll(m) >> 4)];

			if (idx && same(&t->conn[idx - 1].key, k))
				return &t->conn[idx - 1];
		}
	for (uint32_t i = b->overflow; i; i = t->conn[i - 1].next)
		if (same(&t->conn[i - 1].key, k))
			return &t->conn[i - 1];
	return NULL;
}

static void give_back(struct vfr *v, struct conn *cn)
{
	struct conn_table *t = &v->conns;
	struct vfr_dom *d = rcu_get(v->dom[cn->charged]);

	if (vfr_conn_embryonic(conn_proto(&cn->key), cn->state))
		atomic_fetch_sub(&t->embryonic, 1);
	if (d)
		atomic_fetch_sub(&d->conns, 1);
	atomic_fetch_sub(&t->used, 1);
	env_lock(&t->free_lock);
	cn->next = t->free;
	t->free = (uint32_t)(cn - t->conn) + 1;
	env_unlock(&t->free_lock);
}

static void unlink_conn(struct vfr *v, struct conn_bucket *b, struct conn *cn)
{
	struct conn_table *t = &v->conns;
	uint32_t idx = (uint32_t)(cn - t->conn) + 1;

	for (unsigned int i = 0; i < CONN_WAYS; i++) {
		if (b->idx[i] == idx) {
			b->idx[i] = 0;
			give_back(v, cn);
			return;
		}
	}
	uint32_t *at = &b->overflow;
	while (*at != idx)
		at = &t->conn[*at - 1].next;
	*at = cn->next;
	give_back(v, cn);
}

static void link_conn(struct conn_table *t, struct conn_bucket *b, uint16_t tag, struct conn *cn)
{
	uint32_t idx = (uint32_t)(cn - t->conn) + 1;

	for (unsigned int i = 0; i < CONN_WAYS; i++) {
		if (!b->idx[i]) {
			b->idx[i] = idx;
			b->tag[i] = tag;
			return;
		}
	}
	cn->next = b->overflow;
	b->overflow = idx;
}

/* => every connection of the bucket, one after the other: i counts the places, then *chain is followed. */
static struct conn *nth(struct conn_table *t, const struct conn_bucket *b, unsigned int *i, uint32_t *chain)
{
	while (*i < CONN_WAYS) {
		uint32_t idx = b->idx[(*i)++];

		if (idx)
			return &t->conn[idx - 1];
	}
	if (*i == CONN_WAYS) {
		*chain = b->overflow;
		++*i;
	}
	if (!*chain)
		return NULL;
	struct conn *cn = &t->conn[*chain - 1];
	*chain = cn->next;
	return cn;
}

/* Make room: the oldest embryonic connection of the bucket goes; of this domain only, if its quota is the trouble. */
static bool push_out(struct ctx *c, struct conn_bucket *b, const struct vfr_dom *d)
{
	struct conn_table *t = &c->v->conns;
	struct conn *cn, *oldest = NULL;
	uint32_t chain = 0;

	for (unsigned int i = 0; (cn = nth(t, b, &i, &chain));) {
		if (!vfr_conn_embryonic(conn_proto(&cn->key), cn->state) || (d && cn->charged != d->slot))
			continue;
		if (!oldest || (int32_t)(cn->stamp - oldest->stamp) < 0)
			oldest = cn;
	}
	if (oldest)
		unlink_conn(c->v, b, oldest);
	return oldest;
}

static struct conn *take_free(struct conn_table *t)
{
	struct conn *cn = NULL;

	env_lock(&t->free_lock);
	if (t->free) {
		cn = &t->conn[t->free - 1];
		t->free = cn->next;
	} else if (t->fresh < t->max) {
		cn = &t->conn[t->fresh++];
	}
	env_unlock(&t->free_lock);
	if (cn)
		atomic_fetch_add(&t->used, 1);
	return cn;
}

static uint32_t quota(const struct vfr *v, struct vfr_dom *d)
{
	uint32_t max = rcu_get(d->cfg)->c.max_conns;

	return max ? max : v->conns.max / 8 > 1024 ? v->conns.max / 8 : 1024;
}

/* --- packets ---------------------------------------------------------------------------------------------------------- */

static void set_state(struct conn_table *t, struct conn *cn, uint8_t state)
{
	bool was = vfr_conn_embryonic(conn_proto(&cn->key), cn->state), is = vfr_conn_embryonic(conn_proto(&cn->key), state);

	cn->state = state;
	cn->life = vfr_conn_life(conn_proto(&cn->key), state);
	if (was && !is)
		atomic_fetch_sub(&t->embryonic, 1);
	else if (is && !was)
		atomic_fetch_add(&t->embryonic, 1);
}

static void follow(struct ctx *c, struct conn *cn, const struct vfr_pkt *p, bool from_b, struct conn_hit *hit)
{
	bool from_opener = from_b == cn->opener_b;
	uint8_t next = vfr_conn_step(conn_proto(&cn->key), cn->state, from_opener, vfr_conn_event(p));

	hit->state = VFR_ST_ESTABLISHED;
	hit->slot[0] = cn->slot[0];
	hit->slot[1] = cn->slot[1];
	memcpy(hit->sched_class, cn->sched_class, sizeof(hit->sched_class));
	if (next == CONN_INVALID) {
		hit->bad = true;
		return;
	}
	if (c->trace)
		return;
	cn->stamp = ticks(c);
	if (next != cn->state)
		set_state(&c->v->conns, cn, next);
}

static void lookup_related(struct ctx *c, const struct vfr_pkt *p, struct conn_hit *hit)
{
	struct conn_table *t = &c->v->conns;
	struct conn_key k;

	if (!vfr_conn_key_quoted(&k, p))
		return;
	uint64_t h = vfr_conn_hash(c->v->key, &k);
	struct conn_bucket *b = &t->bucket[(uint32_t)h & t->mask];
	lock_bucket(b);
	struct conn *cn = find(t, b, conn_tag(h), &k);
	if (cn && !conn_over(cn, ticks(c))) {
		hit->state = VFR_ST_RELATED;
		hit->slot[0] = cn->slot[0];
		hit->slot[1] = cn->slot[1];
		memcpy(hit->sched_class, cn->sched_class, sizeof(hit->sched_class));
	}
	unlock_bucket(b);
}

bool vfr_conn_follow_locked(struct ctx *c, const struct vfr_pkt *p, uint16_t slot, uint16_t *sched_class)
{
	struct conn_table *t = &c->v->conns;
	uint64_t h = p->conn_hash;
	struct conn_bucket *b = &t->bucket[(uint32_t)h & t->mask];
	struct conn_hit hit = { .bad = true };
	struct conn_key k;
	bool from_b;

	vfr_conn_key(&k, p, &from_b);
	lock_bucket(b);
	struct conn *cn = find(t, b, conn_tag(h), &k);
	if (cn && (cn->slot[0] == slot || cn->slot[1] == slot) && !conn_over(cn, ticks(c))) {
		hit.bad = false;
		follow(c, cn, p, from_b, &hit);
		*sched_class = conn_class(cn->slot, cn->sched_class, slot);
	}
	unlock_bucket(b);
	return !hit.bad;
}

void vfr_conn_lookup(struct ctx *c, const struct vfr_pkt *p, struct conn_hit *hit)
{
	struct conn_table *t = &c->v->conns;
	struct conn_key k;
	bool from_b;

	*hit = (struct conn_hit){ .state = VFR_ST_INVALID };
	if (p->flags & VFR_PF_ICMPERR) {
		lookup_related(c, p, hit);
		return;
	}
	vfr_conn_key(&k, p, &from_b);
	uint64_t h = vfr_conn_hash(c->v->key, &k);
	struct conn_bucket *b = &t->bucket[(uint32_t)h & t->mask];
	lock_bucket(b);
	struct conn *cn = find(t, b, conn_tag(h), &k);
	if (cn && !conn_over(cn, ticks(c)))
		follow(c, cn, p, from_b, hit);
	else if (p->proto != IP_TCP || (p->flags & VFR_PF_NEWFLOW))
		hit->state = VFR_ST_NEW;
	unlock_bucket(b);
}

/* The second domain of a hairpin joins; else a new connection is made, if there is room for it. */
static enum vfr_drop open_in(struct ctx *c, struct conn_bucket *b, uint64_t h, const struct conn_key *k, bool from_b,
			     struct vfr_dom *d, uint16_t sched_class)
{
	struct conn_table *t = &c->v->conns;
	struct conn *cn = find(t, b, conn_tag(h), k);

	if (cn && conn_over(cn, ticks(c))) {
		unlink_conn(c->v, b, cn);
		cn = NULL;
	}
	if (cn) {
		bool second = cn->slot[0] != d->slot;

		cn->slot[second] = d->slot;
		cn->sched_class[second] = sched_class;
		return VFR_DROP_NONE;
	}
	if (atomic_load(&d->conns) >= quota(c->v, d) && !push_out(c, b, d))
		return VFR_DROP_CONN_QUOTA;
	if (atomic_load(&t->embryonic) >= t->max - t->max / 4 && !push_out(c, b, NULL))
		return VFR_DROP_CONN_FULL;
	cn = take_free(t);
	if (!cn && push_out(c, b, NULL))
		cn = take_free(t);
	if (!cn)
		return VFR_DROP_CONN_FULL;
	uint8_t state = vfr_conn_first(conn_proto(k));
	*cn = (struct conn){
		.key = *k, .stamp = ticks(c), .life = vfr_conn_life(conn_proto(k), state), .state = state, .opener_b = from_b,
		.slot = { d->slot }, .charged = d->slot, .sched_class = { sched_class },
	};
	atomic_fetch_add(&d->conns, 1);
	atomic_fetch_add(&t->embryonic, 1);
	link_conn(t, b, conn_tag(h), cn);
	return VFR_DROP_NONE;
}

enum vfr_drop vfr_conn_open(struct ctx *c, const struct vfr_pkt *p, struct vfr_dom *d, uint16_t sched_class)
{
	struct conn_table *t = &c->v->conns;
	struct conn_key k;
	bool from_b;

	if (c->trace)
		return VFR_DROP_NONE;
	vfr_conn_key(&k, p, &from_b);
	uint64_t h = vfr_conn_hash(c->v->key, &k);
	struct conn_bucket *b = &t->bucket[(uint32_t)h & t->mask];
	lock_bucket(b);
	enum vfr_drop r = open_in(c, b, h, &k, from_b, d, sched_class);
	unlock_bucket(b);
	return r;
}

/* --- ageing ----------------------------------------------------------------------------------------------- */

static void sweep_bucket(struct vfr *v, struct conn_bucket *b, uint32_t now, uint16_t slot)
{
	struct conn *cn;
	uint32_t chain = 0;

	lock_bucket(b);
	for (unsigned int i = 0; (cn = nth(&v->conns, b, &i, &chain));)
		if (slot ? cn->slot[0] == slot || cn->slot[1] == slot : conn_over(cn, now))
			unlink_conn(v, b, cn);
	unlock_bucket(b);
}

/* A sixteenth of the table at each call: all of it in 16 s at the slowest, and what is over is not found anyway. */
void vfr_conns_age(struct ctx *c, uint64_t *next)
{
	struct conn_table *t = &c->v->conns;

	if (!atomic_load(&t->used))
		return;
	for (uint32_t n = 0; n <= t->mask / 16; n++) {
		sweep_bucket(c->v, &t->bucket[t->sweep], ticks(c), 0);
		t->sweep = (t->sweep + 1) & t->mask;
	}
	note_deadline(next, c->now + SEC);
}

void vfr_conns_drop_dom(struct vfr *v, uint16_t slot)
{
	struct conn_table *t = &v->conns;

	for (uint32_t i = 0; atomic_load(&t->used) && i <= t->mask; i++)
		sweep_bucket(v, &t->bucket[i], 0, slot);
}

/* The cursor: bucket in the upper half, how many of it have been shown in the lower. */
bool vfr_conn_next(struct vfr *v, uint64_t now_ns, uint64_t *cursor, struct vfr_conn_info *out)
{
	struct conn_table *t = &v->conns;
	uint32_t now = (uint32_t)(now_ns >> TICK_SHIFT);

	for (uint32_t i = (uint32_t)(*cursor >> 32), skip = (uint32_t)*cursor; i <= t->mask; i++, skip = 0) {
		struct conn_bucket *b = &t->bucket[i];
		unsigned int place = 0;
		uint32_t chain = 0, seen = 0;
		struct conn *cn;

		lock_bucket(b);
		while ((cn = nth(t, b, &place, &chain)))
			if (!conn_over(cn, now) && seen++ >= skip)
				break;
		if (cn)
			vfr_conn_show(v, cn, now, out);
		unlock_bucket(b);
		if (cn) {
			*cursor = (uint64_t)i << 32 | seen;
			return true;
		}
	}
	return false;
}
