/* SPDX-License-Identifier: BSD-2-Clause */
/* Event channels, the 2-level form: 4096 ports, one bit each in the shared info. */
#ifndef GUEST_EVENT_H
#define GUEST_EVENT_H
#include <stdbool.h>
#include <stdint.h>
#include <xen/xen.h>
#include <xen/event_channel.h>

#define EVENT_PORTS 512		/* those that may have a handler; tests use others raw */

/* Runs with interrupts off. */
typedef void (*event_fn)(evtchn_port_t port, void *arg);

void events_init(void);
/* Give a bound port its handler, or none: then the event only ends a sleep. Unmasks it. */
void event_bind(evtchn_port_t port, event_fn fn, void *arg);
void event_unbind(evtchn_port_t port);
void event_mask(evtchn_port_t port);
void event_unmask(evtchn_port_t port);
bool event_pending(evtchn_port_t port);
/* Take a pending event without a handler. */
bool event_take(evtchn_port_t port);
/* How many upcalls came so far. */
unsigned long event_upcalls(void);
/* => the new port, or -errno. */
int event_alloc_unbound(domid_t remote);
int event_bind_interdomain(domid_t remote, evtchn_port_t port);
int event_bind_virq(unsigned int virq, unsigned int vcpu);
int event_bind_ipi(unsigned int vcpu);
int event_close(evtchn_port_t port);
int event_send(evtchn_port_t port);
#endif
