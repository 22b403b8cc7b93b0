/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels: the table of ports, delivery into the guest's shared page, and the hypervisor's own end.
 *
 * A domain has 4096 ports (two-level ABI); channel structs come in buckets of 32 as ports are used, and port numbers
 * are given out lowest first. Port 0 never exists.
 *
 * Delivery: pending bit -> (not masked) selector bit of the bound vcpu -> its upcall flag -> vcpu_wake(). Each step
 * happens only when the bit before it was newly set, so a storm on one port costs its receiver one wake-up.
 *
 * Locks: d->lock for the table and every delivery into it; a pair of domains is locked lower id first. fn(arg) of a port
 * bound to the hypervisor runs without the lock; `calls` counts it, and unbinding waits for that count, so that the
 * backend may free `arg` afterwards. No function here allocates or copies guest memory under a lock, buckets apart.
 */
#include <string.h>

#include "evtchn_priv.h"

/* --- the table --- */

struct evtchn *evtchn_at(struct domain *d, uint32_t port)
{
	ASSERT(lock_is_held(&d->lock));
	if (!d->evtchn || port == 0 || port >= EVTCHN_PORTS)
		return NULL;
	struct evtchn *b = d->evtchn->bucket[port / EVTCHN_BUCKET];
	return b ? &b[port % EVTCHN_BUCKET] : NULL;
}

int evtchn_take(struct domain *d, struct evtchn **c)
{
	struct evtchn_table *t = d->evtchn;

	ASSERT(lock_is_held(&d->lock));
	if (!t)
		return -ENOSPC;
	for (uint32_t port = t->hint; port < EVTCHN_PORTS; port++) {
		struct evtchn **b = &t->bucket[port / EVTCHN_BUCKET];
		if (!*b && !(*b = env_alloc(EVTCHN_BUCKET * sizeof(**b))))
			return -ENOMEM;
		*c = &(*b)[port % EVTCHN_BUCKET];
		/* A port whose handler still runs somewhere is not free yet. */
		if ((*c)->state == PORT_FREE && !atomic_load(&(*c)->calls))
			return (int)port;
		if ((*c)->state != PORT_FREE && port == t->hint)
			t->hint++;
	}
	return -ENOSPC;
}

void evtchn_set_state(struct domain *d, struct evtchn *c, enum evtchn_state state)
{
	ASSERT(lock_is_held(&d->lock));
	if (c->state == PORT_FREE && state != PORT_FREE)
		d->evtchn->used++;
	c->state = state;
}

static void free_port(struct domain *d, struct evtchn *c, uint32_t port)
{
	struct evtchn_table *t = d->evtchn;

	ASSERT(lock_is_held(&d->lock));
	if (c->state == PORT_VIRQ)
		d->vcpus[virq_is_global(c->virq) ? 0 : c->vcpu]->virq_port[c->virq] = 0;
	c->state = PORT_FREE;
	c->vcpu = 0;
	c->remote = NULL;
	t->used--;
	if (port < t->hint)
		t->hint = port;
	shared_bit_clear(&d->shared_info->evtchn_pending[port / 64], port % 64);
}

void evtchn_lock_pair(struct domain *a, struct domain *b)
{
	if (a == b) {
		env_lock(&a->lock);
		return;
	}
	bool a_first = a->id < b->id || (a->id == b->id && a < b);
	env_lock(a_first ? &a->lock : &b->lock);
	env_lock(a_first ? &b->lock : &a->lock);
}

void evtchn_unlock_pair(struct domain *a, struct domain *b)
{
	env_unlock(&a->lock);
	if (a != b)
		env_unlock(&b->lock);
}

/* The other end of a channel that goes away waits to be bound again. => both locks */
static void orphan_peer(struct domain *d, const struct evtchn *c)
{
	struct evtchn *p = evtchn_at(c->remote, c->remote_port);

	ASSERT(p && p->state == PORT_INTERDOMAIN);
	p->state = PORT_UNBOUND;
	p->remote = NULL;
	p->remote_id = d->id;
}

int evtchn_close(struct domain *d, uint32_t port)
{
	for (;;) {
		env_lock(&d->lock);
		struct evtchn *c = evtchn_at(d, port);
		if (!c || c->state == PORT_FREE) {
			env_unlock(&d->lock);
			return -EINVAL;
		}
		if (c->state != PORT_INTERDOMAIN) {
			free_port(d, c, port);
			env_unlock(&d->lock);
			return 0;
		}
		struct domain *r = domain_ref(c->remote);
		env_unlock(&d->lock);

		evtchn_lock_pair(d, r);
		c = evtchn_at(d, port);
		bool same = c && c->state == PORT_INTERDOMAIN && c->remote == r;
		if (same) {
			bool to_itself = r == d && c->remote_port == port;
			if (!to_itself)
				orphan_peer(d, c);
			free_port(d, c, port);
		}
		evtchn_unlock_pair(d, r);
		domain_put(r);
		if (same)
			return 0;
	}
}

/* --- delivery --- */

bool vcpu_event_pending(const struct vcpu *v)
{
	/* A hardware container has the interrupt flag for masking: the mask byte of the paravirtual ABI is not looked at. */
	return __atomic_load_n(&v->info->evtchn_upcall_pending, __ATOMIC_ACQUIRE) != 0;
}

static void raise_upcall(struct vcpu *v)
{
	if (!__atomic_exchange_n(&v->info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST))
		vcpu_wake(v);
}

static void wake_pollers(struct domain *d, uint32_t port)
{
	uint32_t all = atomic_load(&d->evtchn->pollers);

	for (uint32_t left = all; left; left &= left - 1) {
		uint32_t id = (uint32_t)__builtin_ctz(left);
		struct vcpu *v = d->vcpus[id];
		if (v->poll_port != ~0u && v->poll_port != port)
			continue;
		if (atomic_fetch_and(&d->evtchn->pollers, ~(1u << id)) >> id & 1)
			vcpu_wake(v);
	}
}

static void select_port(struct domain *d, const struct evtchn *c, uint32_t port)
{
	struct vcpu *v = d->vcpus[c->vcpu];

	if (!shared_bit_set(&v->info->evtchn_pending_sel, port / 64))
		raise_upcall(v);
}

void evtchn_set_pending(struct domain *d, struct evtchn *c, uint32_t port)
{
	struct shared_info *s = d->shared_info;

	ASSERT(lock_is_held(&d->lock));
	if (shared_bit_set(&s->evtchn_pending[port / 64], port % 64))
		return;
	if (!shared_bit(&s->evtchn_mask[port / 64], port % 64))
		select_port(d, c, port);
	if (atomic_load_explicit(&d->evtchn->pollers, memory_order_relaxed))
		wake_pollers(d, port);
}

void evtchn_unmasked(struct domain *d, struct evtchn *c, uint32_t port)
{
	struct shared_info *s = d->shared_info;

	ASSERT(lock_is_held(&d->lock));
	if (shared_bit_clear(&s->evtchn_mask[port / 64], port % 64) &&
	    shared_bit(&s->evtchn_pending[port / 64], port % 64))
		select_port(d, c, port);
}

void evtchn_raise_all(struct vcpu *v)
{
	ASSERT(lock_is_held(&v->domain->lock));
	__atomic_store_n(&v->info->evtchn_pending_sel, ~0UL, __ATOMIC_SEQ_CST);
	__atomic_store_n(&v->info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
	vcpu_wake(v);
}

void evtchn_notify(struct domain *d, uint32_t port)
{
	env_lock(&d->lock);
	struct evtchn *c = evtchn_at(d, port);
	if (c && c->state == PORT_HV)
		evtchn_set_pending(d, c, port);
	env_unlock(&d->lock);
}

void evtchn_send_virq(struct vcpu *v, uint32_t virq)
{
	struct domain *d = v->domain;

	env_lock(&d->lock);
	struct evtchn *c = evtchn_at(d, v->virq_port[virq]);
	if (c && c->state == PORT_VIRQ)
		evtchn_set_pending(d, c, v->virq_port[virq]);
	env_unlock(&d->lock);
}

/* The far end of an interdomain channel, as of when the sender looked: it may be another one by now. */
static void notify_peer(struct domain *from, struct domain *to, uint32_t port)
{
	env_lock(&to->lock);
	struct evtchn *c = evtchn_at(to, port);
	if (c && c->state == PORT_INTERDOMAIN && c->remote == from)
		evtchn_set_pending(to, c, port);
	env_unlock(&to->lock);
}

int evtchn_send(struct domain *d, uint32_t port)
{
	env_lock(&d->lock);
	struct evtchn *c = evtchn_at(d, port);
	int rc = 0;

	switch (c ? c->state : PORT_FREE) {
	case PORT_HV: {
		void (*fn)(void *) = c->fn;
		void *arg = c->arg;
		atomic_fetch_add(&c->calls, 1);
		env_unlock(&d->lock);
		fn(arg);
		atomic_fetch_sub(&c->calls, 1);
		return 0;
	}
	case PORT_INTERDOMAIN: {
		struct domain *r = domain_ref(c->remote);
		uint32_t rport = c->remote_port;
		env_unlock(&d->lock);
		notify_peer(d, r, rport);
		domain_put(r);
		return 0;
	}
	case PORT_IPI:
		evtchn_set_pending(d, c, port);
		break;
	case PORT_UNBOUND:
		break; /* nobody there yet: lost, as the ABI says */
	default:
		rc = -EINVAL;
	}
	env_unlock(&d->lock);
	return rc;
}

/* --- SCHEDOP_poll --- */

static bool port_pending(const struct domain *d, uint32_t port)
{
	return shared_bit(&d->shared_info->evtchn_pending[port / 64], port % 64);
}

static bool any_pending(const struct domain *d, const uint32_t *ports, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (port_pending(d, ports[i]))
			return true;
	}
	return false;
}

int evtchn_poll(struct vcpu *v, const uint32_t *ports, uint32_t n, uint64_t deadline_ns)
{
	struct domain *d = v->domain;
	uint32_t me = 1u << v->id;

	for (uint32_t i = 0; i < n; i++) {
		if (ports[i] == 0 || ports[i] >= EVTCHN_PORTS)
			return -EINVAL;
	}
	v->poll_port = n == 1 ? ports[0] : ~0u;
	/* First be seen as waiting, then look: a sender does these two the other way round. */
	atomic_fetch_or(&d->evtchn->pollers, me);
	if (any_pending(d, ports, n)) {
		atomic_fetch_and(&d->evtchn->pollers, ~me);
		return 0;
	}
	if (deadline_ns)
		timer_set(&v->poll_timer, deadline_ns);
	vcpu_block(v);
	/* A sender that cleared our bit before we blocked has found nobody to wake. */
	if (!(atomic_load(&d->evtchn->pollers) & me))
		vcpu_wake(v);
	return 0;
}

/* --- the hypervisor's own ends --- */

int evtchn_bind_hv(struct domain *d, uint32_t port, void (*fn)(void *arg), void *arg)
{
	int rc = -EINVAL;

	env_lock(&d->lock);
	struct evtchn *c = evtchn_at(d, port);
	if (c && c->state == PORT_UNBOUND && c->remote_id == 0) {
		c->fn = fn;
		c->arg = arg;
		c->state = PORT_HV;
		rc = 0;
	}
	env_unlock(&d->lock);
	return rc;
}

void evtchn_unbind_hv(struct domain *d, uint32_t port)
{
	bool busy;

	do {
		env_lock(&d->lock);
		struct evtchn *c = evtchn_at(d, port);
		if (c && c->state == PORT_HV) {
			c->state = PORT_UNBOUND;
			c->remote_id = 0;
		}
		busy = c && atomic_load(&c->calls);
		env_unlock(&d->lock);
	} while (busy);
}

int evtchn_alloc_hv(struct domain *d, void (*fn)(void *arg), void *arg)
{
	struct evtchn *c;

	env_lock(&d->lock);
	int port = evtchn_take(d, &c);
	if (port >= 0) {
		evtchn_set_state(d, c, PORT_HV);
		c->vcpu = 0;
		c->fn = fn;
		c->arg = arg;
	}
	env_unlock(&d->lock);
	return port;
}

/* --- life --- */

uint64_t evtchn_shared_gfn(struct domain *d, uint64_t new_gfn)
{
	env_lock(&d->lock);
	uint64_t old = d->evtchn ? d->evtchn->shared_gfn : INVALID_GFN;
	if (d->evtchn)
		d->evtchn->shared_gfn = new_gfn;
	env_unlock(&d->lock);
	return old;
}

int evtchn_init(struct domain *d)
{
	struct evtchn_table *t = env_alloc(sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->hint = 1;
	t->shared_gfn = INVALID_GFN;
	/* Ports start masked: the guest unmasks one when it has a handler for it. */
	memset(d->shared_info->evtchn_mask, 0xff, sizeof(d->shared_info->evtchn_mask));
	d->evtchn = t;
	return 0;
}

/* Ports still open are closed one by one, which unlinks other domains' ends; buckets go when no handler is running. */
void evtchn_destroy(struct domain *d)
{
	struct evtchn_table *t = d->evtchn;

	if (!t)
		return;
	for (uint32_t port = 1; port < EVTCHN_PORTS; port++) {
		if (!t->bucket[port / EVTCHN_BUCKET]) {
			port |= EVTCHN_BUCKET - 1;
			continue;
		}
		evtchn_close(d, port);
		while (atomic_load(&t->bucket[port / EVTCHN_BUCKET][port % EVTCHN_BUCKET].calls))
			__builtin_ia32_pause();
	}
	env_lock(&d->lock);
	d->evtchn = NULL;
	env_unlock(&d->lock);
	for (unsigned i = 0; i < EVTCHN_BUCKETS; i++)
		env_free(t->bucket[i], EVTCHN_BUCKET * sizeof(struct evtchn));
	env_free(t, sizeof(*t));
}
