/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames scattered so that each wants a table of the guest's map for itself. The host gives tables up to a limit and no
 * more, the frames come home afterwards, and the guest goes on. What a host may give is told on the command line.
 */
#include "test.h"
#include "hypercall.h"

const char test_title[] = "table-limits";

#define HOME 0x400ul	 /* RAM from 4 MiB on that nothing is in */
#define AFIELD 0x10000ul /* no RAM there */
#define FRAMES 256ul
#define STEP 512ul /* what one table covers */
#define NO_LIMIT (1ul << 20)

static bool change(unsigned int op, xen_pfn_t gfn)
{
	struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };

	set_xen_guest_handle(r.extent_start, &gfn);
	return hv_memory(op, &r) == 1;
}

static unsigned long scatter(xen_pfn_t from)
{
	unsigned long n = 0, i;

	for (i = 0; i < FRAMES; i++)
		n += change(XENMEM_populate_physmap, from + i * STEP);
	for (i = 0; i < FRAMES; i++)
		if (change(XENMEM_decrease_reservation, from + i * STEP))
			n += 1ul << 32;
	CHECK(n >> 32 == (uint32_t)n, "%lu frames came, %lu went", n & 0xffffffff, n >> 32);
	return n >> 32;
}

void test_main(void)
{
	unsigned long i, most = cmdline_number("tables", NO_LIMIT), first, second;

	for (i = 0; i < FRAMES; i++)
		CHECK(change(XENMEM_decrease_reservation, HOME + i), "frame %lu", i);
	first = scatter(AFIELD);
	second = scatter(AFIELD + FRAMES * STEP);
	printk("%lu and %lu frames found a table\n", first, second);
	CHECK(first && first + second <= most, "%lu tables, %lu may be had", first + second, most);
	for (i = 0; i < FRAMES && change(XENMEM_populate_physmap, HOME + i); i++)
		*(volatile uint64_t *)((HOME + i) << 12) = i;
	/* Xen 4.17 keeps some of what it made tables of. */
	CHECK(i == FRAMES || (most == NO_LIMIT && i > FRAMES / 2), "%lu frames came back", i);
	while (i--)
		CHECK_EQ(*(volatile uint64_t *)((HOME + i) << 12), i);
}
