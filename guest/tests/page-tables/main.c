/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buffers are where the guest's page tables say at the time of the call, and so is the area of the run state at each time the
 * vcpu runs again: after a change of any level, of CR3, and after the frame of the page or of a table has left the guest.
 */
#include "test.h"
#include <errno.h>
#include <string.h>
#include "hypercall.h"

const char test_title[] = "page-tables";

#define WINDOWS 8 /* neighbours: what else the hypervisor looks at in between may push one out of what it keeps */
#define SLOT(level) (window >> (12 + 9 * (level)) & 511)
#define P 1ul
#define W 2ul

extern uint64_t page_l4[512];
static uint64_t window = 0x600000000000ul; /* nothing of ours is in this slot of the top level */

/* A page, and the tables from the third level down that lead to it. */
struct way {
	uint64_t *l3, *l2, *l1, *page;
};

static void *take(void)
{
	void *p = page_alloc();

	if (!p)
		test_error("out of pages");
	return p;
}

static void make(struct way *w)
{
	*w = (struct way){ take(), take(), take(), take() };
	w->l3[SLOT(2)] = (uint64_t)w->l2 | P | W;
	w->l2[SLOT(1)] = (uint64_t)w->l1 | P | W;
	w->l1[SLOT(0)] = (uint64_t)w->page | P | W;
}

/* The hypervisor writes into the window. => 0 or its error. */
static int ask(void)
{
	return hv_vcpu(VCPUOP_get_runstate_info, 0, (void *)window);
}

#define FILL 0x5a5a5a5a5a5a5a5aul

/* One write through the window lands in TO and not in OTHER. */
static void lands(const char *when, struct way *to, struct way *other)
{
	int rc;

	to->page[1] = other->page[1] = FILL; /* the time at which the state began */
	rc = ask();
	CHECK(!rc && to->page[1] != FILL && other->page[1] == FILL, "%s: %d", when, rc);
}

static void fails(const char *when, struct way *a)
{
	int rc;

	a->page[1] = FILL;
	rc = ask();
	CHECK(rc == -EFAULT && a->page[1] == FILL, "%s: %d", when, rc);
}

static void each_level(struct way *a, struct way *b)
{
	lands("at first", a, b);
	lands("once more", a, b);
	a->l1[SLOT(0)] = (uint64_t)b->page | P | W;
	lands("another page", b, a);
	a->l1[SLOT(0)] = (uint64_t)a->page | P | W;
	lands("back", a, b);
	a->l2[SLOT(1)] = (uint64_t)b->l1 | P | W;
	lands("another table of the first level", b, a);
	a->l2[SLOT(1)] = (uint64_t)a->l1 | P | W;
	lands("back", a, b);
	a->l3[SLOT(2)] = (uint64_t)b->l2 | P | W;
	lands("another table of the second level", b, a);
	a->l3[SLOT(2)] = (uint64_t)a->l2 | P | W;
	lands("back", a, b);
	page_l4[SLOT(3)] = (uint64_t)b->l3 | P | W;
	lands("another table of the third level", b, a);
	page_l4[SLOT(3)] = (uint64_t)a->l3 | P | W;
	lands("back", a, b);
}

static void rights(struct way *a, struct way *b)
{
	a->l1[SLOT(0)] = (uint64_t)a->page | P;
	fails("read-only", a);
	a->l1[SLOT(0)] = (uint64_t)a->page | P | W;
	a->l3[SLOT(2)] = (uint64_t)a->l2 | P;
	fails("read-only by the third level", a);
	a->l3[SLOT(2)] = (uint64_t)a->l2 | P | W;
	lands("writable again", a, b);
	a->l1[SLOT(0)] = 0;
	fails("not present", a);
	a->l1[SLOT(0)] = (uint64_t)a->page | P | W;
	lands("present again", a, b);
}

static void another_root(struct way *a, struct way *b)
{
	uint64_t *root = take(), old;

	memcpy(root, page_l4, PAGE_SIZE);
	root[SLOT(3)] = (uint64_t)b->l3 | P | W;
	__asm__ volatile("mov %%cr3, %0" : "=r"(old));
	__asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");
	lands("another CR3", b, a);
	__asm__ volatile("mov %0, %%cr3" : : "r"(old) : "memory");
	lands("the first CR3", a, b);
	page_free(root);
}

static bool change(unsigned int op, const void *page)
{
	xen_pfn_t gfn = to_gfn(page);
	struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };

	set_xen_guest_handle(r.extent_start, &gfn);
	return hv_memory(op, &r) == 1;
}

/* What leaves the guest is not found any more, though every entry still names it. */
static void frames_leave(struct way *a, struct way *b)
{
	CHECK(change(XENMEM_decrease_reservation, a->page), "-");
	CHECK_EQ(ask(), -EFAULT);
	CHECK(change(XENMEM_populate_physmap, a->page), "-");
	lands("a new page in its place", a, b);
	CHECK(change(XENMEM_decrease_reservation, a->l1), "-");
	fails("without its first table", a);
	CHECK(change(XENMEM_populate_physmap, a->l1), "-");
	memset(a->l1, 0, PAGE_SIZE);
	a->l1[SLOT(0)] = (uint64_t)b->page | P | W;
	lands("a new table in its place", b, a);
	a->l1[SLOT(0)] = (uint64_t)a->page | P | W;
}

static uint64_t slept_ns(void)
{
	struct vcpu_runstate_info r;

	hv_vcpu(VCPUOP_get_runstate_info, 0, &r);
	return r.time[RUNSTATE_blocked];
}

/* Sleep, so that the vcpu leaves its CPU and comes back. On a busy machine the time may be over before it does. */
static void nap(void)
{
	uint64_t before = slept_ns();
	unsigned int i;

	for (i = 0; i < 100 && slept_ns() == before; i++)
		WAIT_UNTIL_TIMEOUT(false, 5 * MSEC);
}

static void run_state(struct way *a, struct way *b)
{
	struct vcpu_register_runstate_memory_area area = { .addr.p = window };
	volatile struct vcpu_runstate_info *ra = (void *)a->page, *rb = (void *)b->page;

	CHECK_EQ(hv_vcpu(VCPUOP_register_runstate_memory_area, 0, &area), 0);
	ra->state_entry_time = rb->state_entry_time = FILL;
	nap();
	CHECK(ra->state == RUNSTATE_running && ra->state_entry_time != FILL && rb->state_entry_time == FILL, "-");
	a->l1[SLOT(0)] = (uint64_t)b->page | P | W;
	ra->state_entry_time = rb->state_entry_time = FILL;
	nap();
	CHECK(ra->state_entry_time == FILL && rb->state_entry_time != FILL, "the run state goes where the page was");
	a->l1[SLOT(0)] = 0;
	ra->state_entry_time = rb->state_entry_time = FILL;
	nap();
	CHECK(ra->state_entry_time == FILL && rb->state_entry_time == FILL, "the run state goes where no page is");
	a->l1[SLOT(0)] = (uint64_t)a->page | P | W;
	CHECK(change(XENMEM_decrease_reservation, a->page), "-");
	nap();
	CHECK(change(XENMEM_populate_physmap, a->page), "-");
	nap();
	CHECK(ra->state_entry_time, "the run state does not go into the new page");
	area.addr.p = 0;
	hv_vcpu(VCPUOP_register_runstate_memory_area, 0, &area);
}

void test_main(void)
{
	struct way a, b;
	unsigned int i;

	for (i = 0; i < WINDOWS; i++, window += PAGE_SIZE) {
		make(&a);
		make(&b);
		page_l4[SLOT(3)] = (uint64_t)a.l3 | P | W;
		each_level(&a, &b);
		rights(&a, &b);
		another_root(&a, &b);
		frames_leave(&a, &b);
		run_state(&a, &b);
	}
}
