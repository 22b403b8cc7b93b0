/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels (2-level ABI), as the hypervisor's own backends use them. The guest side is the hypercall in
 * common/evtchn.c.
 */
#ifndef HV_EVTCHN_H
#define HV_EVTCHN_H

#include <stdint.h>

struct domain;

/*
 * Bind the hypervisor, in the place of backend domain 0, to a port that the guest left unbound for domain 0.
 * fn(arg) runs on the sending vcpu's CPU for each notification, with no lock held; it must only note the work and raise
 * a softirq. 0 or -EINVAL (no such port, not unbound for domain 0).
 */
int evtchn_bind_hv(struct domain *d, uint32_t port, void (*fn)(void *arg), void *arg);
void evtchn_unbind_hv(struct domain *d, uint32_t port);
/* Allocate a port in d that is already bound to the hypervisor (console, xenstore). Port number or -ENOSPC. */
int evtchn_alloc_hv(struct domain *d, void (*fn)(void *arg), void *arg);
/* Set the port pending for the guest and wake the vcpu it is bound to. Safe for a dying domain. */
void evtchn_notify(struct domain *d, uint32_t port);

#endif
