/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bounds of the guest ABI: what a domain may have at most, what one call does at most, what is kept; and two CPUs at the same
 * thing for long.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <env_host.h>

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/version.h>

#include <common/grant_priv.h>

#include "guest.h"
#include "machine.h"

static struct domain *need(uint16_t id)
{
	struct domain *d = machine_domain(id);

	assert_non_null(d);
	return d;
}

static void all_is_back(void)
{
	console_softirq();
	assert_int_equal(machine_domains(), 0);
	assert_int_equal(machine_frames(), 0);
	assert_int_equal(env_host_live_blocks(), 0);
}

static void grant(struct domain *d, uint32_t ref, uint16_t to, uint32_t gfn, uint16_t flags)
{
	d->grant->shared[0][ref] = (struct grant_entry_v1){ .flags = flags, .domid = to, .frame = gfn };
}

/* --- what a domain may have --- */

static void at_most_1024_foreign_frames(void **state)
{
	struct domain *a = need(1), *b = need(2);
	struct gnttab_map_grant_ref *map = (void *)machine_virt(b->vcpus[0]);
	unsigned done = 0;

	grant(a, 8, 2, 5, GTF_permit_access);
	for (;; done++) {
		*map = (struct gnttab_map_grant_ref){ .host_addr = 200 << PAGE_SHIFT, .flags = GNTMAP_host_map, .ref = 8, .dom = 1 };
		assert_int_equal(machine_call(b->vcpus[0], __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, 0, 1, true), 0);
		if (map->status != GNTST_okay)
			break;
		assert_int_equal(map->handle, done);
		/* The paper map has room for one: the entry keeps its pin, the place is used again. */
		assert_int_equal(p2m_remove(b, 200), 0);
	}
	assert_int_equal(map->status, GNTST_no_device_space);
	assert_int_equal(done, 1024);
	assert_int_equal(a->grant->active[0][8].writers, 1024);
	machine_destroy(b);
	assert_int_equal(a->grant->active[0][8].writers, 0);
	machine_destroy(a);
	all_is_back();
}

static void at_most_64_grant_frames(void **state)
{
	struct domain *d = need(1);
	struct xen_add_to_physmap *op = (void *)machine_virt(d->vcpus[0]);

	for (uint64_t i = 0; i < 66; i++) {
		*op = (struct xen_add_to_physmap){ .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .idx = i, .gpfn = 130 + i };
		int64_t rc = machine_call(d->vcpus[0], __HYPERVISOR_memory_op, XENMEM_add_to_physmap, 0, 0, true);
		assert_int_equal(rc, i < 64 ? 0 : -EINVAL);
	}
	assert_int_equal(d->grant->nr_frames * GRANT_PER_FRAME, 32768);
	/* A frame that is mapped again leaves its first place. */
	*op = (struct xen_add_to_physmap){ .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .idx = 0, .gpfn = 200 };
	assert_int_equal(machine_call(d->vcpus[0], __HYPERVISOR_memory_op, XENMEM_add_to_physmap, 0, 0, true), 0);
	mfn_t mfn;
	assert_int_equal(p2m_lookup(d, 130, &mfn), P2M_NONE);
	machine_destroy(d);
	all_is_back();
}

static void no_more_ram_than_promised(void **state)
{
	struct domain *d = need(1);
	struct xen_memory_reservation *op = (void *)machine_virt(d->vcpus[0]);
	uint64_t *gfns = (void *)(machine_virt(d->vcpus[0]) + 64);
	struct vcpu *v = d->vcpus[0];

	*op = (struct xen_memory_reservation){ .nr_extents = 2, .domid = DOMID_SELF };
	op->extent_start.p = (void *)64;
	gfns[0] = 100, gfns[1] = 101;
	assert_int_equal(machine_call(v, __HYPERVISOR_memory_op, XENMEM_populate_physmap, 0, 0, true), 0);
	gfns[0] = 3;
	op->nr_extents = 1;
	assert_int_equal(machine_call(v, __HYPERVISOR_memory_op, XENMEM_decrease_reservation, 0, 0, true), 1);
	op->nr_extents = 2;
	gfns[0] = 100, gfns[1] = 101;
	assert_int_equal(machine_call(v, __HYPERVISOR_memory_op, XENMEM_populate_physmap, 0, 0, true), 1);
	assert_int_equal(d->pages, MACHINE_RAM);
	machine_destroy(d);
	all_is_back();
}

/* --- what is kept --- */

static void the_newest_64k_of_output_are_kept(void **state)
{
	struct domain *d = need(1);
	static char text[200000], back[70000];
	uint64_t at = 0;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i * 7 % 26 + i / 1000 % 5);
	for (size_t i = 0; i < sizeof(text); i += 777) {
		console_emit(d, text + i, sizeof(text) - i < 777 ? sizeof(text) - i : 777);
		/* Nothing is lost before 64 KiB are full, however it grew. */
		uint64_t first = 0;
		size_t n = guest_console_read(d, &first, back, sizeof(back));
		uint64_t end = console_end(d);
		assert_int_equal(first, end > 65536 ? end - 65536 : 0);
		assert_int_equal(n, end - first);
		assert_memory_equal(back, text + first, n);
	}
	assert_int_equal(console_end(d), sizeof(text));
	at = sizeof(text) - 10;
	assert_int_equal(guest_console_read(d, &at, back, 4), 4);
	assert_int_equal(at, sizeof(text) - 10);
	at = sizeof(text) + 5;
	assert_int_equal(guest_console_read(d, &at, back, 4), 0);
	machine_destroy(d);
	all_is_back();
}

/* --- what one pass does --- */

static int64_t one_pass(struct vcpu *v, uint64_t nr, struct hypercall_args *args)
{
	return hypercall_dispatch(v, nr, args);
}

static void a_pass_does_a_bounded_part(void **state)
{
	struct domain *d = need(1);
	struct vcpu *v = d->vcpus[0];
	struct hypercall_args args = { .a = { GNTTABOP_copy, 0, 0x7fffffff } };

	assert_int_equal(one_pass(v, __HYPERVISOR_grant_table_op, &args), HYPERCALL_AGAIN);
	assert_int_equal(args.a[2], 0x7fffffff - 32);
	assert_int_equal(args.a[1], 32 * sizeof(struct gnttab_copy));
	args = (struct hypercall_args){ .a = { GNTTABOP_copy, 0, 0x80000000 } };
	assert_int_equal(one_pass(v, __HYPERVISOR_grant_table_op, &args), -EINVAL);
	struct multicall_entry *e = (void *)machine_virt(v);
	for (int i = 0; i < 256; i++)
		e[i] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version, .args = { XENVER_version } };
	args = (struct hypercall_args){ .a = { 0, 256 } };
	assert_int_equal(one_pass(v, __HYPERVISOR_multicall, &args), HYPERCALL_AGAIN);
	assert_int_equal(args.a[1], 256 - 64);
	assert_int_equal(e[63].result, 4 << 16 | 17);
	assert_int_equal(e[64].result, 0);
	args = (struct hypercall_args){ .a = { CONSOLEIO_write, 65536, 0 } };
	memset(machine_virt(v), 'x', MACHINE_VIRT);
	assert_int_equal(one_pass(v, __HYPERVISOR_console_io, &args), HYPERCALL_AGAIN);
	assert_int_equal(console_end(d), 4096);
	args = (struct hypercall_args){ .a = { CONSOLEIO_write, 65537, 0 } };
	assert_int_equal(one_pass(v, __HYPERVISOR_console_io, &args), -EINVAL);
	machine_destroy(d);
	all_is_back();
}

/* What a handler leaves uninitialised has the compiler's pattern here; none of it may reach the guest. */
static void nothing_of_our_stack_reaches_a_guest(void **state)
{
	uint64_t seed = 0xfeedc0ffee;
	struct domain *d = need(1), *e = need(2);

	machine_watch_leaks(true);
	for (int i = 0; i < 200000; i++)
		guest_step((i & 1 ? d : e)->vcpus[i >> 1 & 3], &seed, true);
	machine_watch_leaks(false);
	machine_destroy(d);
	machine_destroy(e);
	all_is_back();
}

/* --- two CPUs --- */

struct worker {
	pthread_t thread;
	unsigned cpu;
	struct vcpu *v;
	void (*fn)(struct worker *w);
	uint64_t seed;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	machine_cpu(w->cpu);
	w->fn(w);
	return NULL;
}

static void together(struct worker *w, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		w[i].cpu = i;
		assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
	}
	for (unsigned i = 0; i < n; i++)
		pthread_join(w[i].thread, NULL);
}

static void copy_across(struct worker *w)
{
	uint16_t other = w->v->domain->id == 1 ? 2 : 1;
	struct gnttab_copy *op = (void *)machine_virt(w->v);

	for (int i = 0; i < 100000; i++) {
		*op = (struct gnttab_copy){ .len = 64, .flags = GNTCOPY_source_gref | GNTCOPY_dest_gref };
		op->source.domid = other;
		op->source.u.ref = 8;
		op->dest.domid = i & 1 ? other : DOMID_SELF;
		op->dest.u.ref = 9;
		machine_call(w->v, __HYPERVISOR_grant_table_op, GNTTABOP_copy, 0, 1, false);
		assert_int_equal(op->status, i & 1 ? GNTST_okay : GNTST_general_error);
	}
}

static void two_guests_copy_crosswise(void **state)
{
	struct domain *d[2] = { need(1), need(2) };
	struct worker w[2] = { { .v = d[0]->vcpus[0], .fn = copy_across }, { .v = d[1]->vcpus[1], .fn = copy_across } };

	for (int i = 0; i < 2; i++) {
		grant(d[i], 8, (uint16_t)(2 - i), 5, GTF_permit_access | GTF_readonly);
		grant(d[i], 9, (uint16_t)(2 - i), 6, GTF_permit_access);
	}
	together(w, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(d[i]->grant->shared[0][8].flags, GTF_permit_access | GTF_readonly);
		assert_int_equal(d[i]->grant->shared[0][9].flags, GTF_permit_access);
	}
	machine_destroy(d[0]);
	machine_destroy(d[1]);
	all_is_back();
}

/* Open, bind, send, move, close, reset on few ports of two domains. */
static void churn_events(struct worker *w)
{
	static const uint8_t sequence[] = { EVTCHNOP_alloc_unbound, EVTCHNOP_bind_interdomain, EVTCHNOP_send, EVTCHNOP_bind_vcpu,
					    EVTCHNOP_bind_ipi, EVTCHNOP_unmask, EVTCHNOP_close, EVTCHNOP_bind_virq };
	uint32_t *arg = (void *)machine_virt(w->v);

	for (int i = 0; i < 500000; i++) {
		uint8_t op = sequence[(guest_random(&w->seed) >> 20) % sizeof(sequence)];
		uint32_t port = (uint32_t)(guest_random(&w->seed) >> 20) % 24;
		arg[0] = port, arg[1] = port & 3;
		if (op == EVTCHNOP_alloc_unbound)
			arg[0] = DOMID_SELF | 1u << 16 << (port & 1);
		if (op == EVTCHNOP_bind_interdomain)
			arg[0] = 1 + (port & 1), arg[1] = port;
		if (op == EVTCHNOP_bind_virq)
			arg[0] = VIRQ_TIMER, arg[1] = port & 3;
		if (i % 20000 == 0)
			op = EVTCHNOP_reset, arg[0] = DOMID_SELF;
		machine_call(w->v, __HYPERVISOR_event_channel_op, op, 0, 0, false);
	}
}

static void two_vcpus_churn_event_channels(void **state)
{
	struct domain *d[2] = { need(1), need(2) };
	struct worker w[3] = { { .v = d[0]->vcpus[0], .fn = churn_events, .seed = 5 },
			       { .v = d[0]->vcpus[1], .fn = churn_events, .seed = 6 },
			       { .v = d[1]->vcpus[2], .fn = churn_events, .seed = 7 } };

	together(w, 3);
	machine_destroy(d[0]);
	machine_destroy(d[1]);
	all_is_back();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_most_1024_foreign_frames),
		cmocka_unit_test(at_most_64_grant_frames),
		cmocka_unit_test(no_more_ram_than_promised),
		cmocka_unit_test(the_newest_64k_of_output_are_kept),
		cmocka_unit_test(a_pass_does_a_bounded_part),
		cmocka_unit_test(nothing_of_our_stack_reaches_a_guest),
		cmocka_unit_test(two_guests_copy_crosswise),
		cmocka_unit_test(two_vcpus_churn_event_channels),
	};

	env_host_log_level(0);
	machine_cpu(0);
	return cmocka_run_group_tests_name("abi-limits", tests, NULL, NULL);
}
