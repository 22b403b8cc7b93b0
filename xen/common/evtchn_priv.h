/* SPDX-License-Identifier: BSD-2-Clause */
/* The event channel table, shared by evtchn.c (delivery, the hypervisor's side) and evtchn_ops.c (the hypercall). */
#ifndef COMMON_EVTCHN_PRIV_H
#define COMMON_EVTCHN_PRIV_H

#include <hv/evtchn.h>
#include <hv/subsys.h>

#include "abi.h"

#include <xen/event_channel.h>

#define EVTCHN_PORTS 4096
#define EVTCHN_BUCKET 32
#define EVTCHN_BUCKETS (EVTCHN_PORTS / EVTCHN_BUCKET)

static_assert(EVTCHN_PORTS == sizeof(xen_ulong_t) * 8 * sizeof(xen_ulong_t) * 8, "two-level ports");

enum evtchn_state {
	PORT_FREE,
	PORT_UNBOUND,     /* waits for domain `remote_id` to bind it */
	PORT_INTERDOMAIN, /* other end: `remote`, `remote_port` */
	PORT_HV,          /* other end: the hypervisor, `fn(arg)` */
	PORT_VIRQ,
	PORT_IPI,
};

/* All fields under the domain's d->lock, an INTERDOMAIN pair's ends under both; `calls` is atomic. */
struct evtchn {
	uint8_t state;
	uint8_t virq;
	uint16_t vcpu;
	uint16_t remote_id;
	uint16_t remote_port;
	struct domain *remote; /* no reference: closing either end takes both locks */
	void (*fn)(void *arg);
	void *arg;
	_Atomic uint32_t calls; /* of fn, running now without the lock */
};

struct evtchn_table {
	struct evtchn *bucket[EVTCHN_BUCKETS];
	uint32_t used;         /* ports not free */
	uint32_t hint;         /* no free port below */
	uint32_t reset_cursor; /* EVTCHNOP_reset goes on here */
	uint64_t shared_gfn;
	_Atomic uint32_t pollers; /* bit n: vcpu n waits in SCHEDOP_poll */
};

/* Interrupts of the machine as a whole: bound at the first vcpu only, but another one may handle them. */
static inline bool virq_is_global(uint32_t virq)
{
	return virq != VIRQ_TIMER && virq != VIRQ_DEBUG && virq != VIRQ_XENOPROF && virq != VIRQ_XENPMU;
}

/* The channel of a port in any state, or NULL: out of range, or its bucket was never needed. => d->lock */
struct evtchn *evtchn_at(struct domain *d, uint32_t port);
/* Take a free port: its number and *c; -ENOSPC, -ENOMEM. It stays free until the caller gives it a state. => d->lock */
int evtchn_take(struct domain *d, struct evtchn **c);
void evtchn_set_state(struct domain *d, struct evtchn *c, enum evtchn_state state);
/* Free the port whatever it is. => no lock held; 0 or -EINVAL: nothing there. */
int evtchn_close(struct domain *d, uint32_t port);
void evtchn_set_pending(struct domain *d, struct evtchn *c, uint32_t port);
/* EVTCHNOP_send. => no lock held */
int evtchn_send(struct domain *d, uint32_t port);
void evtchn_lock_pair(struct domain *a, struct domain *b);
void evtchn_unlock_pair(struct domain *a, struct domain *b);
/* The mask bit of a port was cleared: deliver what waited. => d->lock */
void evtchn_unmasked(struct domain *d, struct evtchn *c, uint32_t port);

#endif
