/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypercall handlers of common/ share: reading arguments, naming domains, atomic bits in pages that a guest
 * writes too, and the steps that one handler does for another.
 */
#ifndef COMMON_ABI_H
#define COMMON_ABI_H

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hv/domain.h>
#include <hv/guest_mem.h>
#include <hv/log.h>

#include "frame.h"

/* Most items of one batched hypercall that are done before it is continued: keeps a call under a millisecond. */
#define ABI_BATCH 32

static inline gva_t gva(uint64_t v)
{
	return (gva_t){ v };
}

static inline gva_t gva_of(const void *handle)
{
	return (gva_t){ (uint64_t)(uintptr_t)handle };
}

/* A caller may name itself only: 0, -EPERM for another domain, -ESRCH for none. */
static inline int abi_self(const struct vcpu *v, uint16_t domid)
{
	if (domid == DOMID_SELF || domid == v->domain->id)
		return 0;
	if (domid == 0) /* the hypervisor, in the place of a driver domain */
		return -EPERM;
	struct domain *d = domain_get(domid);
	if (!d)
		return -ESRCH;
	domain_put(d);
	return -EPERM;
}

static inline struct vcpu *abi_vcpu(const struct domain *d, uint32_t id)
{
	return id < d->nr_vcpus ? d->vcpus[id] : NULL;
}

/* Bit operations on words shared with the guest, which writes them at any time. */
static inline bool shared_bit(const xen_ulong_t *word, unsigned bit)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED) >> bit & 1;
}

static inline bool shared_bit_set(xen_ulong_t *word, unsigned bit)
{
	return __atomic_fetch_or(word, 1UL << bit, __ATOMIC_SEQ_CST) >> bit & 1;
}

static inline bool shared_bit_clear(xen_ulong_t *word, unsigned bit)
{
	return __atomic_fetch_and(word, ~(1UL << bit), __ATOMIC_SEQ_CST) >> bit & 1;
}

static inline bool lock_is_held(const struct env_lock *l)
{
	return __atomic_load_n((const unsigned char *)&l->held, __ATOMIC_RELAXED);
}

static inline mfn_t page_mfn(const void *page)
{
	return virt_to_phys(page) >> PAGE_SHIFT;
}

/* A zeroed page that is to be seen by a guest: put_page() drops our reference, the guest's map has its own. */
static inline void *shared_page_alloc(void)
{
	paddr_t pa = frame_alloc_zeroed();

	return pa == INVALID_PADDR ? NULL : phys_to_virt(pa);
}

/* evtchn.c. Set everything pending after the vcpu_info moved. => d->lock is held. */
void evtchn_raise_all(struct vcpu *v);
/* Block until one of the ports is pending or the deadline (0: none) comes. 0, or -EINVAL: no such port. */
int evtchn_poll(struct vcpu *v, const uint32_t *ports, uint32_t n, uint64_t deadline_ns);
/* Where the guest has its shared info page; INVALID_GFN: nowhere. => d->lock. */
#define INVALID_GFN (~0UL)
uint64_t evtchn_shared_gfn(struct domain *d, uint64_t new_gfn);

/* grant.c, for memory_op.c: the machine frame of a grant table page, growing the table up to it; the guest frame it was
 * mapped at before goes to *old_gfn. -EINVAL: beyond the limit; -ENOMEM. */
int grant_table_frame(struct domain *d, uint32_t index, uint64_t new_gfn, mfn_t *mfn, uint64_t *old_gfn);

/* hypercall.c: calls by number since boot, for statistics. */
uint64_t hypercall_count(unsigned nr);

#endif
