/* SPDX-License-Identifier: BSD-2-Clause */
/* The grant table: its frames are mapped over pages of our own; the first eight entries are the tools' and are left alone. */
#include "grant.h"
#include "hypercall.h"
#include "kernel.h"

static struct grant_entry_v1 table[GRANT_REFS] __page_aligned;
static uint16_t free_refs[GRANT_REFS];
static unsigned int nr_free;

void grants_map(void)
{
	unsigned int i;

	for (i = 0; i < GRANT_FRAMES; i++) {
		struct xen_add_to_physmap map = { .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .idx = i,
						  .gpfn = to_gfn(table) + i };

		if (hv_memory(XENMEM_add_to_physmap, &map))
			panic("grant frame %u cannot be mapped", i);
	}
}

void grants_init(void)
{
	unsigned int i;

	grants_map();
	for (i = GRANT_REFS - 1; i >= GNTTAB_NR_RESERVED_ENTRIES; i--)
		free_refs[nr_free++] = (uint16_t)i;
}

struct grant_entry_v1 *grant_entry(grant_ref_t ref)
{
	return &table[ref];
}

grant_ref_t grant_page(domid_t to, const void *page, bool readonly)
{
	grant_ref_t ref;

	if (!nr_free)
		return GRANT_NONE;
	ref = free_refs[--nr_free];
	table[ref].frame = (uint32_t)to_gfn(page);
	table[ref].domid = to;
	wmb();
	WRITE_ONCE(table[ref].flags, (uint16_t)(GTF_permit_access | (readonly ? GTF_readonly : 0)));
	return ref;
}

bool grant_end(grant_ref_t ref)
{
	uint16_t flags = READ_ONCE(table[ref].flags);

	do {
		if (flags & (GTF_reading | GTF_writing))
			return false;
	} while (!__atomic_compare_exchange_n(&table[ref].flags, &flags, 0, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	free_refs[nr_free++] = (uint16_t)ref;
	return true;
}
