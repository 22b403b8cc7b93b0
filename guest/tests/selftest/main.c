/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel and the harness themselves: if this fails, no other verdict means anything. */
#include "test.h"
#include <string.h>
#include "event.h"
#include "store.h"
#include "trap.h"

const char test_title[] = "selftest";

static void pages(void)
{
	unsigned int before = page_free_count();
	uint8_t *a = page_alloc(), *b = page_alloc();
	unsigned int i, sum = 0;

	CHECK(a && b && a != b, "%p %p", a, b);
	CHECK_EQ(page_free_count(), before - 2);
	memset(a, 0xff, PAGE_SIZE);
	page_free(a);
	page_free(b);
	CHECK_EQ(page_free_count(), before);
	a = page_alloc();
	for (i = 0; i < PAGE_SIZE; i++)
		sum += a[i];
	CHECK_EQ(sum, 0);
	page_free(a);
}

static void faults(void)
{
	uint64_t v;

	CHECK_EQ(rdmsr_safe(0x0badcafe, &v), TRAP_GP);
	CHECK_EQ(rdmsr_safe(0xc0000080, &v), 0);
	CHECK((v & 0x500) == 0x500, "EFER %lx is not long mode", v);
}

static void sleeping(void)
{
	uint64_t t0 = clock_ns(), t1;

	CHECK(!WAIT_UNTIL_TIMEOUT(false, 20 * MSEC), "-");
	t1 = clock_ns();
	CHECK(t1 - t0 >= 20 * MSEC && t1 - t0 < 2 * SEC, "slept %lu ns", t1 - t0);
}

void test_main(void)
{
	pages();
	faults();
	sleeping();
	printk("domain %u, %u free pages, command line '%s', %lu upcalls\n", store_own_domid(), page_free_count(), cmdline,
	       event_upcalls());
}
