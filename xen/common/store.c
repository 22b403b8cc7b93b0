/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The xenstore instance and the ring page through which each guest speaks to it.
 *
 * The store itself is host-free (xenstore/). Here is its life in the machine: a page and an event channel for each
 * domain, a list of rings that moved, and the softirq that serves them and then lets the store deliver what is due.
 * Work is bounded: a ring that has more after its share goes to the end of the list.
 *
 * store_lock guards the list alone. A domain's connection is served by one CPU at a time (`serving`), without the lock;
 * who ends a connection waits for that.
 */
#include <string.h>

#include <hv/evtchn.h>
#include <hv/irq.h>
#include <hv/subsys.h>
#include <xenstore/xenstore.h>

#include "abi.h"
#include "layout.h"

#include <xen/hvm/params.h>
#include <xen/io/xs_wire.h>

#define SERVE_BATCH 32 /* rings in one softirq */

struct domain_store {
	struct domain *domain;
	struct xs_conn *conn;
	struct xenstore_domain_interface *ring; /* referenced */
	uint32_t port;
	bool queued;    /* on the list; the list holds a reference on the domain */
	bool serving;   /* some CPU has taken it off the list and works on it */
	bool again;     /* kicked while served */
	bool dead;      /* never queued again */
	bool said_broken;
	struct domain_store *next;
};

struct xenstore *the_xenstore;

static struct env_lock store_lock;
static struct domain_store *first, **last = &first;

/* => store_lock */
static void enqueue(struct domain_store *s)
{
	ASSERT(lock_is_held(&store_lock));
	s->queued = true;
	s->next = NULL;
	*last = s;
	last = &s->next;
	domain_ref(s->domain);
}

/* The next ring to serve, with the list's reference on its domain. */
static struct domain_store *dequeue(void)
{
	env_lock(&store_lock);
	struct domain_store *s = first;
	if (s) {
		first = s->next;
		if (!first)
			last = &first;
		s->queued = false;
		s->serving = true;
	}
	env_unlock(&store_lock);
	return s;
}

/* The guest's event, or output that waits for it. */
static void store_kick(void *arg)
{
	struct domain_store *s = arg;

	env_lock(&store_lock);
	if (s->serving)
		s->again = true;
	else if (!s->queued && !s->dead)
		enqueue(s);
	env_unlock(&store_lock);
	softirq_raise(SOFTIRQ_XENSTORE);
}

static const struct xs_conn_ops conn_ops = { .output_ready = store_kick };

/* True: there is more to do. */
static bool serve(struct domain_store *s)
{
	struct domain *d = s->domain;
	int flags = xs_ring_service(s->conn, s->ring);

	if (flags < 0) {
		if (!s->said_broken)
			log_warn("dom%u '%s': xenstore ring stopped: %s", d->id, d->name, xs_conn_fault(s->conn));
		s->said_broken = true;
		return false;
	}
	if (flags & XS_RING_NOTIFY)
		evtchn_notify(d, s->port);
	return flags & XS_RING_MORE;
}

static void serve_one(struct domain_store *s)
{
	struct domain *d = s->domain;
	bool more = serve(s);

	env_lock(&store_lock);
	more |= s->again;
	s->again = false;
	s->serving = false;
	if (more && !s->dead)
		enqueue(s);
	env_unlock(&store_lock);
	domain_put(d);
}

void store_softirq(void)
{
	struct domain_store *s;

	for (unsigned i = 0; i < SERVE_BATCH && (s = dequeue()); i++)
		serve_one(s);
	bool more = __atomic_load_n(&first, __ATOMIC_RELAXED) != NULL;
	if (xs_pending(the_xenstore))
		more |= xs_run_pending(the_xenstore);
	if (more)
		softirq_raise(SOFTIRQ_XENSTORE);
}

/* --- life --- */

void store_init(void)
{
	the_xenstore = xs_create(time_now_ns() ^ (time_utc_ns() << 20));
	if (!the_xenstore)
		panic("no memory for the xenstore");
}

static int add_home(struct domain *d, const struct domain_store *s)
{
	struct xs_home home = {
		.domid = d->id,
		.name = d->name,
		.memory_kib = d->mem_bytes >> 10,
		.vcpus = d->nr_vcpus,
		.store_gfn = GUEST_STORE_GFN,
		.store_port = s->port,
		.console_gfn = d->hvm_params[HVM_PARAM_CONSOLE_PFN],
		.console_port = (uint32_t)d->hvm_params[HVM_PARAM_CONSOLE_EVTCHN],
	};

	memcpy(home.uuid, d->uuid, sizeof(home.uuid));
	return xs_home_add(the_xenstore, &home);
}

static int attach(struct domain *d, struct domain_store *s)
{
	s->ring = shared_page_alloc();
	if (!s->ring)
		return -ENOMEM;
	int rc = p2m_map_frame(d, GUEST_STORE_GFN, page_mfn(s->ring), P2M_SPECIAL);
	if (rc)
		return rc;
	int port = evtchn_alloc_hv(d, store_kick, s);
	if (port < 0)
		return port;
	s->port = (uint32_t)port;
	d->hvm_params[HVM_PARAM_STORE_PFN] = GUEST_STORE_GFN;
	d->hvm_params[HVM_PARAM_STORE_EVTCHN] = s->port;
	rc = xs_domain_add(the_xenstore, d->id, NULL);
	if (rc)
		return rc;
	rc = add_home(d, s);
	s->conn = rc ? NULL : xs_conn_open(the_xenstore, d->id, &conn_ops, s);
	if (!s->conn) {
		xs_domain_remove(the_xenstore, d->id);
		return rc ? rc : -ENOMEM;
	}
	xs_ring_attach(s->conn, s->ring);
	return 0;
}

static void store_free(struct domain_store *s)
{
	if (s->ring)
		put_page(s->ring);
	env_free(s, sizeof(*s));
}

/* => console_init() was called: the home tells where the console is. */
int store_domain_init(struct domain *d)
{
	struct domain_store *s = env_alloc(sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->domain = d;
	int rc = attach(d, s);
	if (rc) {
		if (s->port)
			evtchn_unbind_hv(d, s->port);
		store_free(s);
		return rc;
	}
	d->store = s;
	return 0;
}

/* Nobody serves it and nobody will: unlink it, or wait for the CPU that is at it. */
static void retire(struct domain_store *s)
{
	bool was_queued = false, busy;

	env_lock(&store_lock);
	s->dead = true;
	for (struct domain_store **p = &first; *p; p = &(*p)->next) {
		if (*p != s)
			continue;
		*p = s->next;
		if (!*p)
			last = p;
		was_queued = true;
		break;
	}
	env_unlock(&store_lock);
	if (was_queued)
		domain_put(s->domain);
	do {
		env_lock(&store_lock);
		busy = s->serving;
		env_unlock(&store_lock);
	} while (busy);
}

void store_domain_destroy(struct domain *d)
{
	struct domain_store *s = d->store;

	if (!s)
		return;
	evtchn_unbind_hv(d, s->port);
	retire(s);
	xs_conn_close(s->conn);
	xs_domain_remove(the_xenstore, d->id);
	d->store = NULL;
	store_free(s);
	softirq_raise(SOFTIRQ_XENSTORE);
}
