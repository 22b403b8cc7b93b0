/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random maps, unmaps and copies of our own grants: duplicate, with wrong handles, wrong domains, while the entries change. At
 * the end every entry can be ended: no count was left behind, whatever the order.
 */
#include "random.h"
#include <string.h>
#include "grant.h"
#include "hypercall.h"
#include "store.h"

const char test_title[] = "hostile-grants";
#define REFS 16
static grant_ref_t refs[REFS];
static uint32_t handles[64];
static uint64_t mapped_at[64];
static unsigned int nr_handles;
static domid_t self;
static uint64_t state = 4711;

/* Frames outside RAM, so that mapping over them costs us nothing; one mapping each: Xen ends a domain that maps over a mapping. */
static bool taken[64];

static unsigned int slot(uint64_t addr)
{
	return (unsigned int)(addr >> 12) % 64;
}

static uint64_t window(void)
{
	return 0xf0000000ul + (test_random(&state) % 64) * PAGE_SIZE;
}

static void random_map(void)
{
	struct gnttab_map_grant_ref m = { .host_addr = window(), .flags = GNTMAP_host_map | (test_random(&state) & 1 ? GNTMAP_readonly : 0),
					  .ref = refs[test_random(&state) % REFS], .dom = test_random(&state) & 7 ? self : DOMID_SELF };

	if (taken[slot(m.host_addr)])
		return;
	hv_grant(GNTTABOP_map_grant_ref, &m, 1);
	if (m.status == GNTST_okay) {
		taken[slot(m.host_addr)] = true;
		handles[nr_handles] = m.handle;
		mapped_at[nr_handles++] = m.host_addr;
	}
}

static void unmap(uint32_t handle, uint64_t addr)
{
	struct gnttab_unmap_grant_ref u = { .host_addr = addr, .handle = handle };

	hv_grant(GNTTABOP_unmap_grant_ref, &u, 1);
}

static void random_unmap(void)
{
	unsigned int i;

	if (!nr_handles || (test_random(&state) & 3) == 0) {
		unmap((uint32_t)test_nasty(&state), window());
		return;
	}
	i = (unsigned int)(test_random(&state) % nr_handles);
	unmap(handles[i], mapped_at[i]);
	unmap(handles[i], mapped_at[i]);
	taken[slot(mapped_at[i])] = false;
	handles[i] = handles[--nr_handles];
	mapped_at[i] = mapped_at[nr_handles];
}

static void random_copy(void)
{
	struct gnttab_copy c = { .len = (uint16_t)test_nasty(&state), .flags = GNTCOPY_source_gref };

	c.source.u.ref = refs[test_random(&state) % REFS];
	c.source.domid = self;
	c.source.offset = (uint16_t)test_nasty(&state);
	c.dest.u.gmfn = to_gfn(test_target);
	c.dest.domid = DOMID_SELF;
	c.dest.offset = (uint16_t)test_random(&state) % 5000;
	hv_grant(GNTTABOP_copy, &c, 1);
	CHECK(c.status != GNTST_okay || (c.source.offset + c.len <= 4096 && c.dest.offset + c.len <= 4096), "%u+%u was copied",
	      c.source.offset, c.len);
}

void test_main(void)
{
	unsigned int i, mapped = 0;

	self = (domid_t)store_own_domid();
	for (i = 0; i < REFS; i++)
		refs[i] = grant_page(self, page_alloc(), i & 1);
	for (i = 0; i < 6000; i++) {
		switch (test_random(&state) >> 62) {
		case 0:
		case 1:
			random_map();
			mapped += nr_handles > 0;
			break;
		case 2:
			random_unmap();
			break;
		default:
			random_copy();
		}
		test_count(1);
	}
	printk("own grants %s be mapped here\n", mapped ? "can" : "cannot");
	while (nr_handles) {
		nr_handles--;
		unmap(handles[nr_handles], mapped_at[nr_handles]);
	}
	for (i = 0; i < REFS; i++)
		CHECK(grant_end(refs[i]), "grant %u still in use: flags %x", refs[i], grant_entry(refs[i])->flags);
}
