/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Neighbours on the uplinks: from a next hop's address to its MAC, for IPv4 (ARP) and IPv6 (ND).
 *
 * Life-cycle: INCOMPLETE (asked, packets wait, at most NEIGH_HOLD) -> REACHABLE -> after 30 s, if it was used, STALE: asked
 * again while its address goes on being used -> back to REACHABLE, or, after four unanswered questions, gone. Guests never
 * appear here: their MAC is known from their port.
 *
 * Synchronization: packets look a neighbour up without a lock; its MAC is one atomic word. All else is under neigh.lock, which
 * is never held over a callback: packets are taken out under it and given back after it.
 */
#include <vfr/priv.h>

#define REACHABLE_NS	(30 * SEC)
#define ASK_NS		(1 * SEC)
#define TRIES		4

static unsigned int bucket_of(const struct vfr *v, uint16_t port, const uint64_t ip[2])
{
	uint64_t h = (ip[0] ^ v->key[2]) * 0x9e3779b97f4a7c15ull ^ (ip[1] + port) * 0xbf58476d1ce4e5b9ull;

	return (unsigned int)(h >> 56) % NEIGH_BUCKETS;
}

static void full_ip(uint64_t out[2], const uint8_t *ip, uint8_t family)
{
	uint32_t v4;

	if (family == 4) {
		__builtin_memcpy(&v4, ip, 4);
		out[0] = v4;
		out[1] = 0;
	} else {
		memcpy(out, ip, 16);
	}
}

static struct neigh *find(struct vfr *v, uint16_t port, const uint8_t *ip, uint8_t family)
{
	uint64_t full[2];

	full_ip(full, ip, family);
	for (struct neigh *n = rcu_get(v->neigh.bucket[bucket_of(v, port, full)]); n; n = rcu_get(n->next))
		if (n->ip[0] == full[0] && n->ip[1] == full[1] && n->port == port && n->family == family)
			return n;
	return NULL;
}

static uint64_t mac_word(const uint8_t *mac)
{
	return NEIGH_VALID | (uint64_t)env_get16(mac) << 32 | env_get32(mac + 2);
}

static void word_mac(uint64_t word, uint8_t *mac)
{
	env_put16(mac, (uint16_t)(word >> 32));
	env_put32(mac + 2, (uint32_t)word);
}

static struct neigh *create(struct vfr *v, uint16_t port, const uint8_t *ip, uint8_t family)
{
	struct neigh *n = v->neigh.used < NEIGH_MAX ? env_alloc(sizeof(*n)) : NULL;

	if (!n)
		return NULL;
	full_ip(n->ip, ip, family);
	n->family = family;
	n->port = port;
	n->tail = &n->head;
	unsigned int b = bucket_of(v, port, n->ip);
	rcu_set(n->next, rcu_get(v->neigh.bucket[b]));
	rcu_set(v->neigh.bucket[b], n);
	v->neigh.used++;
	return n;
}

static void unlink_neigh(struct vfr *v, struct neigh *n)
{
	unsigned int b = bucket_of(v, n->port, n->ip);
	struct neigh *at = rcu_get(v->neigh.bucket[b]);

	if (at == n) {
		rcu_set(v->neigh.bucket[b], rcu_get(n->next));
	} else {
		while (rcu_get(at->next) != n)
			at = rcu_get(at->next);
		rcu_set(at->next, rcu_get(n->next));
	}
	n->dead = true;
	v->neigh.used--;
	vfr_retire(v, &n->rcu, sizeof(*n), NULL);
}

static struct vfr_pkt *take_held(struct neigh *n)
{
	struct vfr_pkt *list = n->head;

	n->head = NULL;
	n->tail = &n->head;
	n->held = 0;
	return list;
}

static void drop_list(struct ctx *c, struct vfr_pkt *list, enum vfr_drop reason)
{
	while (list) {
		struct vfr_pkt *p = list;

		list = p->next;
		p->verdict = VFR_DROP;
		p->drop = (uint8_t)reason;
		vfr_give_back(c, p);
	}
}

static void ask(struct ctx *c, const struct neigh *n)
{
	const struct vfr_port *out = vfr_port_at(c->v, n->port);
	uint64_t word = atomic_load(&n->mac);
	uint8_t mac[6];

	if (!out)
		return;
	/* One that has answered before is asked in person first. */
	if (word)
		word_mac(word, mac);
	if (n->family == 4)
		vfr_arp_ask(c, out, word ? mac : NULL, n->src ? n->src : vfr_addr_first_shared(c->addrs), env_get32(n->ip));
	else
		vfr_nd_ask(c, out, word ? mac : NULL, (const uint8_t *)n->ip);
}

/* Slow path of vfr_neigh_send(): queue the packet and ask. */
static int hold(struct ctx *c, struct vfr_pkt *p, struct way *w, const struct vfr_port *out, const uint8_t *ip, uint8_t family,
	uint32_t src)
{
	struct vfr *v = c->v;
	bool first = false;
	int r = VFR_HELD;

	p->out_port = out->id;
	env_lock(&v->neigh.lock);
	struct neigh *n = find(v, out->id, ip, family);
	if (!n) {
		n = create(v, out->id, ip, family);
		first = n;
		if (n) {
			n->src = src;
			n->tries = 1;
			n->deadline = c->now + ASK_NS;
		}
	}
	if (!n || n->held >= NEIGH_HOLD) {
		r = vfr_drop(c, p, VFR_DROP_NEIGH_QUEUE);
	} else if (atomic_load(&n->mac)) {
		r = VFR_NEXT;	/* answered meanwhile */
	} else {
		vfr_hold(p, w);
		*n->tail = p;
		n->tail = &p->next;
		n->held++;
	}
	env_unlock(&v->neigh.lock);
	if (first)
		ask(c, n);
	return r;
}

int vfr_neigh_send(struct ctx *c, struct vfr_pkt *p, struct way *w, const struct vfr_port *out, const uint8_t *ip, uint8_t family,
	uint32_t src)
{
	for (;;) {
		struct neigh *n = find(c->v, out->id, ip, family);
		uint64_t word = n ? atomic_load_explicit(&n->mac, memory_order_relaxed) : 0;

		if (word) {
			neigh_use(n);
			word_mac(word, p->head);
			__builtin_memcpy(p->head + 6, out->mac, 6);
			p->out_port = out->id;
			return VFR_FORWARD;
		}
		if (c->trace) {
			STEP(c, "neighbour", "unknown: would be asked for");
			p->out_port = out->id;
			return VFR_HELD;
		}
		int r = hold(c, p, w, out, ip, family, src);
		if (r != VFR_NEXT)
			return r;
	}
}

struct neigh *vfr_neigh_find(struct vfr *v, uint16_t port, const uint8_t *ip, uint8_t family, uint64_t *mac)
{
	struct neigh *n = find(v, port, ip, family);

	*mac = n ? atomic_load_explicit(&n->mac, memory_order_relaxed) : 0;
	return n;
}

static void send_held(struct ctx *c, struct vfr_pkt *list, const struct vfr_port *out, const uint8_t *mac)
{
	while (list) {
		struct vfr_pkt *p = list;

		list = p->next;
		memcpy(p->head, mac, 6);
		memcpy(p->head + 6, out->mac, 6);
		p->verdict = (uint8_t)vfr_route_send(c, p, out);
		vfr_give_back(c, p);
	}
}

void vfr_neigh_learn(struct ctx *c, uint16_t port, const uint8_t *ip, uint8_t family, const uint8_t *mac, bool make)
{
	struct vfr *v = c->v;
	const struct vfr_port *out = vfr_port_at(v, port);
	struct vfr_pkt *held = NULL;

	if (c->trace || (mac[0] & 1) || !out)
		return;
	env_lock(&v->neigh.lock);
	struct neigh *n = find(v, port, ip, family);
	/* Whom nobody asked for may fill half the table only. */
	if (!n && make && v->neigh.used < NEIGH_MAX / 2)
		n = create(v, port, ip, family);
	if (n && n->state != NEIGH_STATIC) {
		atomic_store(&n->mac, mac_word(mac));
		n->state = NEIGH_REACHABLE;
		n->tries = 0;
		n->deadline = c->now + REACHABLE_NS;
		held = take_held(n);
	}
	env_unlock(&v->neigh.lock);
	send_held(c, held, out, mac);
}

int vfr_neigh_static(struct vfr *v, uint16_t uplink, uint32_t addr, const uint8_t *v6, const uint8_t *mac)
{
	uint8_t family = v6 ? 6 : 4, ip[16] = { 0 };
	struct vfr_pkt *held = NULL;
	struct ctx c;
	int r = 0;

	env_put32(ip, addr);
	if (v6)
		memcpy(ip, v6, 16);
	if (mac && (mac[0] & 1))
		return -EINVAL;
	vfr_enter_setter(&c, v, 0);
	env_lock(&v->neigh.lock);
	struct neigh *n = find(v, uplink, ip, family);
	if (mac && !n)
		n = create(v, uplink, ip, family);
	if (!n) {
		r = mac ? -ENOMEM : -ENOENT;
	} else {
		held = take_held(n);
		if (mac) {
			n->state = NEIGH_STATIC;
			atomic_store(&n->mac, mac_word(mac));
		} else {
			unlink_neigh(v, n);
		}
	}
	env_unlock(&v->neigh.lock);
	const struct vfr_port *out = vfr_port_at(v, uplink);
	if (mac && out)
		send_held(&c, held, out, mac);
	else
		drop_list(&c, held, VFR_DROP_NEIGH_FAILED);
	vfr_leave_setter(&c);
	return r;
}

/* => true: gone, its packets are in *held. Asks (outside the lock) are marked in *again. */
static bool age_one(struct ctx *c, struct neigh *n, struct vfr_pkt **held, bool *again)
{
	if (n->dead || n->state == NEIGH_STATIC || n->deadline > c->now)
		return n->dead;
	if (n->state == NEIGH_REACHABLE) {
		bool used = atomic_exchange(&n->used, 0);

		n->state = NEIGH_STALE;
		if (!used) {
			unlink_neigh(c->v, n);
			return true;
		}
	}
	if (n->tries >= TRIES) {
		*held = take_held(n);
		unlink_neigh(c->v, n);
		return true;
	}
	n->tries++;
	n->deadline = c->now + ASK_NS;
	*again = true;
	return false;
}

static void fail_held(struct ctx *c, struct vfr_pkt *list)
{
	for (struct vfr_pkt *p = list; p; p = p->next) {
		c->in = vfr_port_at(c->v, p->in_port);
		if (c->in)
			vfr_icmp_error(c, p, ICMP4_UNREACH, UNREACH_HOST, 0);
	}
	c->in = NULL;
	drop_list(c, list, VFR_DROP_NEIGH_FAILED);
}

static void age_bucket(struct ctx *c, unsigned int b, uint64_t *next)
{
	struct vfr *v = c->v;
	struct neigh *n = rcu_get(v->neigh.bucket[b]);

	while (n) {
		struct vfr_pkt *held = NULL;
		bool again = false;

		env_lock(&v->neigh.lock);
		struct neigh *after = rcu_get(n->next);
		bool gone = age_one(c, n, &held, &again);
		if (!gone && n->state != NEIGH_STATIC)
			note_deadline(next, n->deadline);
		env_unlock(&v->neigh.lock);
		if (held)
			vfr_event(c, NULL, VFR_EV_NEIGH_FAILED, held, 0);
		fail_held(c, held);
		if (again)
			ask(c, n);
		n = after;
	}
}

void vfr_neigh_age(struct ctx *c, uint64_t *next)
{
	for (unsigned int b = 0; b < NEIGH_BUCKETS; b++)
		age_bucket(c, b, next);
}

/* Packets to the port go with their neighbour; packets from it are picked out of the queues. */
static struct vfr_pkt *take_from(struct neigh *n, uint16_t port)
{
	struct vfr_pkt *list = NULL, **at = &n->head;

	while (*at) {
		struct vfr_pkt *p = *at;

		if (p->in_port == port) {
			*at = p->next;
			p->next = list;
			list = p;
			n->held--;
		} else {
			at = &p->next;
		}
	}
	n->tail = at;
	return list;
}

void vfr_neigh_port_gone(struct ctx *c, uint16_t port)
{
	struct vfr *v = c->v;

	for (unsigned int b = 0; b < NEIGH_BUCKETS; b++) {
		struct neigh *n = rcu_get(v->neigh.bucket[b]);

		while (n) {
			env_lock(&v->neigh.lock);
			struct neigh *after = rcu_get(n->next);
			struct vfr_pkt *list = n->port == port ? take_held(n) : take_from(n, port);
			if (n->port == port && !n->dead)
				unlink_neigh(v, n);
			env_unlock(&v->neigh.lock);
			drop_list(c, list, VFR_DROP_DETACHED);
			n = after;
		}
	}
}

void vfr_neigh_destroy(struct vfr *v)
{
	for (unsigned int b = 0; b < NEIGH_BUCKETS; b++)
		while (rcu_get(v->neigh.bucket[b]))
			unlink_neigh(v, rcu_get(v->neigh.bucket[b]));
}
