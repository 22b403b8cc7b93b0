/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fragments, in any order.
 *
 * Overview: only the first fragment of a datagram has ports. It goes through the stages like a packet; what became of it (struct
 * frag_fate) is remembered for the datagram, and every other fragment follows it. Fragments that come before the first wait
 * for it, up to FRAG_HOLD for a datagram and a quota for a domain; nothing is reassembled and nothing copied.
 * Overlaps can only be an attack on the owner check (RFC 1858, 3128, 5722): the whole datagram is refused from then on.
 *
 * Life-cycle: made by the first fragment seen (any); FRAG_WAIT until the first one's fate; gone when all bytes have passed, or
 * by time (FRAG_PATIENCE without the first fragment, FRAG_LIFE with it).
 *
 * Synchronization: v->frags.lock for the table and all fields. While a first fragment is in the stages its entry is `busy`: no
 * other CPU frees it, and others queue behind it. Callbacks are made after unlocking.
 */
#include <vfr/priv.h>

struct place {
	uint32_t first, end;
	bool more;
};

int vfr_frags_init(struct vfr *v)
{
	v->frags.pool = env_alloc(v->par.max_frags * sizeof(struct frag));
	if (!v->frags.pool)
		return -ENOMEM;
	for (uint32_t i = 0; i < v->par.max_frags; i++) {
		v->frags.pool[i].next = v->frags.free;
		v->frags.free = &v->frags.pool[i];
	}
	return 0;
}

void vfr_frags_destroy(struct vfr *v)
{
	env_free(v->frags.pool, v->par.max_frags * sizeof(struct frag));
}

/* --- the table; frags.lock held --------------------------------------------------------------------------------------- */

static uint32_t ident(const struct vfr_pkt *p)
{
	return p->flags & VFR_PF_IPV4 ? env_get16(p->head + p->l3 + IP4_ID) : env_get32(p->head + p->quote + 4);
}

static void addresses(const struct vfr_pkt *p, const uint8_t **src, const uint8_t **dst, uint8_t *len)
{
	const uint8_t *ip = p->head + p->l3;
	bool v4 = p->flags & VFR_PF_IPV4;

	*src = ip + (v4 ? IP4_SRC : IP6_SRC);
	*dst = ip + (v4 ? IP4_DST : IP6_DST);
	*len = v4 ? 4 : 16;
}

static unsigned int bucket_of(const struct vfr *v, const uint8_t *src, const uint8_t *dst, uint32_t id, uint8_t len)
{
	uint64_t h = v->key[3] ^ id;

	for (unsigned int i = 0; i < len; i += 4)
		h = (h ^ env_get32(src + i) ^ (uint64_t)env_get32(dst + i) << 32) * 0x9e3779b97f4a7c15ull;
	return (unsigned int)(h >> 56) % FRAG_BUCKETS;
}

/* Of IPv6's fragments each may name another protocol, and only the first one's counts (RFC 8200 section 4.5). */
static bool same_proto(const struct frag *f, const struct vfr_pkt *p)
{
	return f->proto == p->proto || (p->flags & VFR_PF_IPV6);
}

static struct frag *find(struct vfr *v, const struct vfr_pkt *p)
{
	const uint8_t *src, *dst;
	uint32_t id = ident(p);
	uint8_t len;

	addresses(p, &src, &dst, &len);
	for (struct frag *f = v->frags.bucket[bucket_of(v, src, dst, id, len)]; f; f = f->next)
		if (f->id == id && same_proto(f, p) && f->in_port == p->in_port && f->family == len &&
		    !memcmp(f->src, src, len) && !memcmp(f->dst, dst, len))
			return f;
	return NULL;
}

static uint32_t datagrams_allowed(const struct vfr *v, struct vfr_dom *d)
{
	uint32_t max = d->slot ? rcu_get(d->cfg)->c.max_frags : v->par.max_frags / 2;

	return max ? max : 64;
}

static struct frag *make(struct ctx *c, const struct vfr_pkt *p, struct vfr_dom *d)
{
	struct vfr *v = c->v;
	struct frag *f = v->frags.free;
	const uint8_t *src, *dst;
	uint8_t len;

	if (!f)
		return NULL;
	v->frags.free = f->next;
	addresses(p, &src, &dst, &len);
	memset(f, 0, sizeof(*f));
	memcpy(f->src, src, len);
	memcpy(f->dst, dst, len);
	f->id = ident(p);
	f->proto = p->proto;
	f->family = len;
	f->in_port = p->in_port;
	f->slot = d->slot;
	f->tail = &f->head;
	f->deadline = c->now + FRAG_PATIENCE;
	unsigned int b = bucket_of(v, src, dst, f->id, len);
	f->next = v->frags.bucket[b];
	v->frags.bucket[b] = f;
	v->frags.used++;
	atomic_fetch_add(&d->frags, 1);
	return f;
}

/* Slot 0 has an account too: the uplinks'. */
static struct vfr_dom *account(struct vfr *v, uint16_t slot)
{
	return rcu_get(v->dom[slot]);
}

static struct vfr_pkt *take_held(struct vfr *v, struct frag *f)
{
	struct vfr_dom *d = account(v, f->slot);
	struct vfr_pkt *list = f->head;

	if (d)
		atomic_fetch_sub(&d->held, f->held);
	f->held = 0;
	f->head = NULL;
	f->tail = &f->head;
	return list;
}

static void forget(struct vfr *v, struct frag *f)
{
	const uint8_t *src = f->src, *dst = f->dst;
	struct frag **at = &v->frags.bucket[bucket_of(v, src, dst, f->id, f->family)];
	struct vfr_dom *d = account(v, f->slot);

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	f->next = v->frags.free;
	v->frags.free = f;
	v->frags.used--;
	if (d)
		atomic_fetch_sub(&d->frags, 1);
}

static void place_of(const struct vfr_pkt *p, struct place *pl)
{
	/* Extension headers behind the fragment header are what is fragmented. */
	uint32_t data = p->flags & VFR_PF_IPV4 ? p->l4 : p->quote + 8u;

	if (p->flags & VFR_PF_IPV4)
		pl->first = (env_get16(p->head + p->l3 + IP4_FRAG) & 0x1fffu) * 8;
	else
		pl->first = env_get16(p->head + p->quote + 2) & 0xfff8u;
	pl->end = pl->first + p->l3 + p->l3_len - data;
	pl->more = p->flags & VFR_PF_MORE;
}

/* => 0, or why the fragment spoils its datagram. */
static enum vfr_drop record(struct frag *f, const struct place *pl)
{
	unsigned int i = 0;

	if (f->last_seen && (pl->end > f->total || !pl->more))
		return VFR_DROP_FRAG_OVERLAP;
	while (i < f->spans && f->span[i].end <= pl->first)
		i++;
	if (i < f->spans && f->span[i].first < pl->end)
		return VFR_DROP_FRAG_OVERLAP;
	if (!pl->more && i < f->spans)
		return VFR_DROP_FRAG_OVERLAP;
	bool left = i > 0 && f->span[i - 1].end == pl->first, right = i < f->spans && f->span[i].first == pl->end;
	if (left && right) {
		f->span[i - 1].end = f->span[i].end;
		memmove(&f->span[i], &f->span[i + 1], (f->spans - i - 1u) * sizeof(f->span[0]));
		f->spans--;
	} else if (left) {
		f->span[i - 1].end = pl->end;
	} else if (right) {
		f->span[i].first = pl->first;
	} else {
		if (f->spans == FRAG_SPANS)
			return VFR_DROP_FRAG_QUOTA;
		memmove(&f->span[i + 1], &f->span[i], (f->spans - i) * sizeof(f->span[0]));
		f->span[i].first = pl->first;
		f->span[i].end = pl->end;
		f->spans++;
	}
	if (!pl->more) {
		f->last_seen = true;
		f->total = pl->end;
	}
	return VFR_DROP_NONE;
}

static bool complete(const struct frag *f)
{
	return f->last_seen && f->spans == 1 && f->span[0].first == 0 && f->span[0].end == f->total;
}

/* --- the stage -------------------------------------------------------------------------------------------------------- */

static void resume_list(struct ctx *c, struct vfr_pkt *list, const struct frag_fate *fate)
{
	while (list) {
		struct vfr_pkt *p = list;

		list = p->next;
		vfr_resume(c, p, fate);
	}
}

static void set_ident(struct vfr_pkt *p, const struct frag_fate *fate)
{
	uint8_t *ip = p->head + p->l3;
	uint16_t was = csum_load(ip + IP4_ID);

	env_put16(ip + IP4_ID, fate->id);
	csum_update(ip + IP4_CSUM, was, csum_load(ip + IP4_ID));
}

/* An IP-ID out of the domain's own block, so that two domains' datagrams are never mixed at a peer (RFC 7597 section 8.3.3). */
void vfr_frag_ident(struct ctx *c, struct vfr_pkt *p, struct way *w)
{
	struct frag_fate *fate = w->frag ? &w->frag->fate : &(struct frag_fate){ 0 };

	if (c->trace || !w->src || w->dst || !(p->flags & VFR_PF_IPV4) || !rcu_get(w->src->cfg)->c.ipid_block)
		return;
	/* A later fragment that is split again has its number already. */
	if (p->flags & VFR_PF_LATER)
		return;
	fate->set_id = true;
	fate->id = (uint16_t)(w->src->slot % 64u << 10 | (atomic_fetch_add(&w->src->ipid, 1) & 1023));
	set_ident(p, fate);
}

int vfr_frag_pass(struct ctx *c, struct vfr_pkt *p, struct way *w, const struct frag_fate *fate)
{
	if (fate->state == FRAG_REFUSED)
		return vfr_drop(c, p, fate->drop);
	w->src = vfr_dom_at(c->v, fate->src_slot);
	w->dst = vfr_dom_at(c->v, fate->dst_slot);
	p->sched_class = fate->sched_class;
	if (fate->echo)
		return vfr_icmp_turn(c, p);
	if (fate->new_src || fate->new_dst)
		vfr_nat_addresses(p, fate->new_src, fate->new_dst);
	if (fate->set_id)
		set_ident(p, fate);
	STEP(c, "fragment", "follows the first");
	return vfr_route(c, p, w);
}

/* Under the lock: queue behind the first fragment. */
static int wait(struct ctx *c, struct vfr_pkt *p, struct way *w, struct frag *f, struct vfr_dom *d)
{
	uint32_t most = d->slot ? FRAG_HELD_DOM : FRAG_HELD_OUT;

	if (f->held >= FRAG_HOLD || atomic_load(&d->held) >= most)
		return vfr_drop(c, p, VFR_DROP_FRAG_QUOTA);
	vfr_hold(p, w);
	*f->tail = p;
	f->tail = &p->next;
	f->held++;
	atomic_fetch_add(&d->held, 1);
	return VFR_HELD;
}

/* Under the lock. => the datagram's entry, or NULL with the verdict in *r. */
static struct frag *enter(struct ctx *c, struct vfr_pkt *p, struct vfr_dom *d, int *r)
{
	struct frag *f = find(c->v, p);

	if (f)
		return f;
	if (atomic_load(&d->frags) >= datagrams_allowed(c->v, d)) {
		*r = vfr_drop(c, p, VFR_DROP_FRAG_QUOTA);
		return NULL;
	}
	f = make(c, p, d);
	if (!f)
		*r = vfr_drop(c, p, VFR_DROP_FRAG_FULL);
	return f;
}

static int spoil(struct ctx *c, struct vfr_pkt *p, struct frag *f, enum vfr_drop why, struct vfr_pkt **held)
{
	if (f->fate.state != FRAG_REFUSED)
		f->fate = (struct frag_fate){ .state = FRAG_REFUSED, .drop = (uint8_t)why };
	*held = take_held(c->v, f);
	return vfr_drop(c, p, f->fate.drop);
}

int vfr_frag(struct ctx *c, struct vfr_pkt *p, struct way *w, bool *known)
{
	struct vfr *v = c->v;
	struct vfr_dom *d = account(v, c->in->slot);
	struct vfr_pkt *held = NULL;
	struct frag_fate fate = { 0 };
	struct place pl;
	int r = 0;

	if (c->trace) {
		STEP(c, "fragment", p->flags & VFR_PF_LATER ? "would wait for or follow its first" : "the first one");
		*known = p->flags & VFR_PF_LATER;
		return *known ? VFR_HELD : 0;
	}
	place_of(p, &pl);
	env_lock(&v->frags.lock);
	struct frag *f = enter(c, p, d, &r);
	enum vfr_drop bad = f && f->fate.state != FRAG_REFUSED ? record(f, &pl) : VFR_DROP_NONE;
	if (!f) {
		/* the verdict is in r */
	} else if (bad || f->fate.state == FRAG_REFUSED) {
		r = spoil(c, p, f, bad, &held);
	} else if (!(p->flags & VFR_PF_LATER)) {
		w->frag = f;
		f->busy = true;
	} else if (f->fate.state == FRAG_WAIT || f->busy) {
		r = wait(c, p, w, f, d);
	} else {
		*known = true;
	}
	if (f)
		fate = f->fate;
	if (*known && complete(f))
		forget(v, f);
	env_unlock(&v->frags.lock);
	if (bad == VFR_DROP_FRAG_OVERLAP)
		vfr_event(c, d, VFR_EV_FRAG_ATTACK, p, 0);
	resume_list(c, held, &fate);
	return *known ? vfr_frag_pass(c, p, w, &fate) : r;
}

void vfr_frag_settle(struct ctx *c, struct vfr_pkt *p, struct way *w, int verdict)
{
	struct vfr *v = c->v;
	struct frag *f = w->frag;
	struct frag_fate fate;

	env_lock(&v->frags.lock);
	f->busy = false;
	f->deadline = c->now + FRAG_LIFE;
	if (f->fate.state == FRAG_WAIT) {
		/* Forwarded, waiting for a neighbour, or (consumed) split into smaller ones. */
		f->fate.state = verdict == VFR_DROP ? FRAG_REFUSED : FRAG_PASS;
		f->fate.drop = verdict == VFR_DROP ? p->drop : VFR_DROP_NONE;
		f->fate.echo = w->echo;
		f->fate.src_slot = w->src ? w->src->slot : SLOT_NONE;
		f->fate.dst_slot = w->dst ? w->dst->slot : SLOT_NONE;
		f->fate.sched_class = w->sched_class;
		f->fate.new_src = w->new_src;
		f->fate.new_dst = w->new_dst;
	}
	fate = f->fate;
	struct vfr_pkt *held = take_held(v, f);
	if (complete(f))
		forget(v, f);
	env_unlock(&v->frags.lock);
	resume_list(c, held, &fate);
}

/* --- ageing ----------------------------------------------------------------------------------------------------------- */

/* Forget the datagrams that `doomed` names, and drop what waits for them. */
static void purge(struct ctx *c, bool (*doomed)(const struct frag *f, uint64_t arg), uint64_t arg, enum vfr_drop why)
{
	const struct frag_fate fate = { .state = FRAG_REFUSED, .drop = (uint8_t)why };
	struct vfr *v = c->v;

	for (unsigned int b = 0; b < FRAG_BUCKETS; b++) {
		struct vfr_pkt *list = NULL;

		env_lock(&v->frags.lock);
		for (struct frag *f = v->frags.bucket[b], *next; f; f = next) {
			next = f->next;
			if (f->busy || !doomed(f, arg))
				continue;
			struct vfr_pkt *held = take_held(v, f), **tail = &held;

			while (*tail)
				tail = &(*tail)->next;
			*tail = list;
			list = held;
			forget(v, f);
		}
		env_unlock(&v->frags.lock);
		while (list) {
			struct vfr_pkt *p = list;

			list = p->next;
			p->verdict = VFR_DROP;
			p->drop = fate.drop;
			vfr_give_back(c, p);
		}
	}
}

static bool too_old(const struct frag *f, uint64_t now)
{
	return f->deadline <= now;
}

static bool from_port(const struct frag *f, uint64_t port)
{
	return f->in_port == port;
}

static bool of_dom(const struct frag *f, uint64_t slot)
{
	return f->slot == slot || f->fate.src_slot == slot || f->fate.dst_slot == slot;
}

void vfr_frag_age(struct ctx *c, uint64_t *next)
{
	if (!c->v->frags.used)
		return;
	note_deadline(next, c->now + SEC / 4);
	purge(c, too_old, c->now, VFR_DROP_FRAG_TIMEOUT);
}

void vfr_frag_port_gone(struct ctx *c, uint16_t port)
{
	purge(c, from_port, port, VFR_DROP_DETACHED);
}

void vfr_frag_dom_gone(struct ctx *c, uint16_t slot)
{
	purge(c, of_dom, slot, VFR_DROP_DETACHED);
}
