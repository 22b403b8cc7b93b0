/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory hypercalls with frames and spaces of all kinds: over RAM, holes, the APIC, twice, away from under a grant. */
#include "random.h"
#include "grant.h"
#include "hypercall.h"

const char test_title[] = "hostile-memory";

static void map_everywhere(uint64_t *state)
{
	static const uint64_t gfns[] = { 0xf0000, 0xfee00, 0xfffff, 0x100000, 0xffffffffff, 0xfffffffffffff, ~0ul,
					 0x7fffffffffffffff };
	unsigned int space, i;

	for (space = 0; space < 8; space++)
		for (i = 0; i < ARRAY_LEN(gfns); i++) {
			struct xen_add_to_physmap m = { .domid = DOMID_SELF, .space = space, .gpfn = gfns[i],
							.idx = (uint32_t)test_nasty(state) };

			hv_memory(XENMEM_add_to_physmap, &m);
			m.idx = 0;
			hv_memory(XENMEM_add_to_physmap, &m);
			m.domid = 0;
			CHECK(hv_memory(XENMEM_add_to_physmap, &m) < 0, "mapped into domain 0");
			/* What went elsewhere comes back: the clock and the console need it. */
			shared_info_map();
			grants_map();
			test_count(2);
		}
}

static void reservation(uint64_t *state)
{
	static const unsigned int ops[] = { XENMEM_increase_reservation, XENMEM_decrease_reservation, XENMEM_populate_physmap };
	static xen_pfn_t frames[4];
	unsigned int op, i;

	for (op = 0; op < ARRAY_LEN(ops); op++)
		for (i = 0; i < ARRAY_LEN(test_edges); i++) {
			struct xen_memory_reservation r = { .nr_extents = test_edges[i], .domid = DOMID_SELF,
							    .extent_order = (unsigned int)(test_random(state) % 70) };

			frames[0] = 0xf0000 + i;
			frames[1] = ~0ul;
			set_xen_guest_handle(r.extent_start, i & 1 ? frames : NOWHERE);
			if (i & 1 && r.nr_extents > 2)
				r.nr_extents = 2;
			hv_memory(ops[op], &r);
			test_count(1);
		}
}

/* Give a page back, then use it every way there is. */
static void given_back(void)
{
	xen_pfn_t gfn = to_gfn(page_alloc());
	struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };
	grant_ref_t ref = grant_page(0, (void *)(gfn << 12), false);
	uint32_t v;

	set_xen_guest_handle(r.extent_start, &gfn);
	if (hv_memory(XENMEM_decrease_reservation, &r) != 1)
		return;
	peek_safe((void *)(gfn << 12), &v);
	hv_version(XENVER_extraversion, (void *)(gfn << 12));
	grant_end(ref);
	CHECK(hv_memory(XENMEM_decrease_reservation, &r) != 1, "the same page twice");
	CHECK_EQ(hv_memory(XENMEM_populate_physmap, &r), 1);
	*(volatile uint32_t *)(gfn << 12) = 5;
	CHECK_EQ(*(volatile uint32_t *)(gfn << 12), 5);
}

void test_main(void)
{
	uint64_t state = 3;

	map_everywhere(&state);
	reservation(&state);
	given_back();
}
