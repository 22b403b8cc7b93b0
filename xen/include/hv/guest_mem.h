/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory is hostile: its addresses have a type of their own that cannot be dereferenced, and everything goes
 * through these accessors. A frame that the hypervisor works on keeps a reference, so it outlives the guest's death or
 * its removal from the guest's map.
 */
#ifndef HV_GUEST_MEM_H
#define HV_GUEST_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hv/mm.h>

struct domain;
struct vcpu;

typedef struct {
	uint64_t v;
} gpa_t; /* guest physical address */

typedef struct {
	uint64_t v;
} gva_t; /* guest virtual address, of the vcpu that is asking */

static inline gpa_t gpa(uint64_t v)
{
	return (gpa_t){ v };
}

/* Copy from or to guest physical memory. 0, or -EFAULT: not (all) RAM of the domain; what was copied before stays. */
int gpa_read(struct domain *d, void *dst, gpa_t src, size_t n);
int gpa_write(struct domain *d, gpa_t dst, const void *src, size_t n);

/* Copy from or to guest virtual memory of a vcpu that is not running (its page tables are walked). */
int gva_read(struct vcpu *v, void *dst, gva_t src, size_t n);
int gva_write(struct vcpu *v, gva_t dst, const void *src, size_t n);

/*
 * Take a reference on the RAM frame behind a guest frame number and return its direct-map address, or NULL: no RAM there.
 * The bytes change under our hands. put_page() gives the reference back.
 */
void *gfn_get_page(struct domain *d, uint64_t gfn);
void put_page(void *page);

#endif
