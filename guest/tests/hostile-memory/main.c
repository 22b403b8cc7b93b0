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

#define PIECE 0x400ul /* the frames from 4 MiB on: RAM that nothing of ours is in */

static long change(unsigned int op, xen_pfn_t gfn, unsigned int order)
{
	struct xen_memory_reservation r = { .nr_extents = 1, .extent_order = order, .domid = DOMID_SELF };

	set_xen_guest_handle(r.extent_start, &gfn);
	return hv_memory(op, &r);
}

/* What we wrote ourselves may come back, as it does on Xen; nobody else's words may. */
static bool ours(uint64_t word)
{
	return !word || word == ~0ul || (word >= PIECE && word < PIECE + 512);
}

static void clean(xen_pfn_t gfn)
{
	volatile uint64_t *p = (volatile uint64_t *)(gfn << 12);

	CHECK(ours(p[0]) && ours(p[511]), "frame %lx holds %lx %lx", gfn, p[0], p[511]);
	p[0] = p[511] = gfn;
}

/* 2 MiB at once, away and back, and single frames out of it before and after it was touched. */
static void whole_pieces(void)
{
	xen_pfn_t i;

	for (i = 0; i < 512; i++)
		*(volatile uint64_t *)((PIECE + i) << 12) = ~0ul;
	CHECK_EQ(change(XENMEM_decrease_reservation, PIECE, 9), 1);
	CHECK_EQ(change(XENMEM_decrease_reservation, PIECE, 9), 0);
	CHECK_EQ(change(XENMEM_populate_physmap, PIECE, 9), 1);
	CHECK_EQ(change(XENMEM_decrease_reservation, PIECE + 0x80, 0), 1);
	clean(PIECE + 0x7f);
	CHECK_EQ(change(XENMEM_populate_physmap, PIECE + 0x80, 0), 1);
	for (i = 0; i < 512; i++)
		if (i != 0x7f)
			clean(PIECE + i);
	for (i = 0; i < 512; i++)
		CHECK_EQ(*(volatile uint64_t *)((PIECE + i) << 12), PIECE + i);
	/* Now of single frames, with a hole at its end. */
	CHECK_EQ(change(XENMEM_decrease_reservation, PIECE + 511, 0), 1);
	CHECK_EQ(change(XENMEM_decrease_reservation, PIECE, 9), 0);
	for (i = 0; i < 512; i += 64)
		change(XENMEM_decrease_reservation, PIECE + i, 6);
	CHECK_EQ(change(XENMEM_populate_physmap, PIECE, 9), 1);
	for (i = 0; i < 512; i++)
		clean(PIECE + i);
}

void test_main(void)
{
	uint64_t state = 3;

	map_everywhere(&state);
	reservation(&state);
	given_back();
	whole_pieces();
}
