/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest ABI on a machine of paper, under ASan and UBSan: the shipped sources of event channels, grants, memory, vcpus,
 * console and dispatch against guests that call anything. Afterwards every frame, reference and byte is back.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <env_host.h>

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>

#include <common/grant_priv.h>

#include "guest.h"
#include "machine.h"

static void all_is_back(void)
{
	console_softirq();
	assert_int_equal(machine_domains(), 0);
	assert_int_equal(machine_frames(), 0);
	assert_int_equal(env_host_live_blocks(), 0);
}

static struct domain *need(uint16_t id)
{
	struct domain *d = machine_domain(id);

	assert_non_null(d);
	return d;
}

static int64_t call(struct vcpu *v, uint64_t nr, uint64_t cmd, void *arg, size_t n, uint64_t count)
{
	memcpy(machine_virt(v), arg, n);
	int64_t rc = machine_call(v, nr, cmd, 0, count, true);
	memcpy(arg, machine_virt(v), n);
	return rc;
}

#define CALL(v, nr, cmd, arg, count) call(v, nr, cmd, &(arg), sizeof(arg), count)

static void grant(struct domain *d, uint32_t ref, uint16_t to, uint32_t gfn, uint16_t flags)
{
	d->grant->shared[0][ref] = (struct grant_entry_v1){ .flags = flags, .domid = to, .frame = gfn };
}

/* --- grants --- */

static void mapped_frames_outlive_their_owner(void **state)
{
	struct domain *a = need(1), *b = need(2);
	struct gnttab_map_grant_ref map = { .host_addr = 200 << PAGE_SHIFT, .flags = GNTMAP_host_map, .ref = 9, .dom = 1 };

	grant(a, 9, 2, 5, GTF_permit_access);
	assert_int_equal(CALL(b->vcpus[0], __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, map, 1), 0);
	assert_int_equal(map.status, GNTST_okay);
	assert_int_equal(a->grant->shared[0][9].flags, GTF_permit_access | GTF_reading | GTF_writing);
	machine_destroy(a);
	uint8_t *page = p2m_get_page(b, 200, true);
	assert_non_null(page);
	page[0] = 1;
	put_page(page);
	/* A new domain of the same number is another one: the handle still names the old. */
	a = need(1);
	struct gnttab_unmap_grant_ref unmap = { .host_addr = map.host_addr, .handle = map.handle };
	assert_int_equal(CALL(b->vcpus[0], __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, unmap, 1), 0);
	assert_int_equal(unmap.status, GNTST_okay);
	assert_int_equal(CALL(b->vcpus[0], __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, unmap, 1), 0);
	assert_int_equal(unmap.status, GNTST_bad_handle);
	machine_destroy(a);
	machine_destroy(b);
	all_is_back();
}

/* Two that map each other hold references on each other until either is destroyed. */
static void crosswise_maps_come_back(void **state)
{
	struct domain *a = need(1), *b = need(2);
	struct gnttab_map_grant_ref map = { .host_addr = 200 << PAGE_SHIFT, .flags = GNTMAP_host_map, .ref = 9, .dom = 1 };

	grant(a, 9, 2, 5, GTF_permit_access);
	grant(b, 9, 1, 5, GTF_permit_access);
	CALL(b->vcpus[0], __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, map, 1);
	assert_int_equal(map.status, GNTST_okay);
	map.dom = 2;
	CALL(a->vcpus[0], __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, map, 1);
	assert_int_equal(map.status, GNTST_okay);
	machine_destroy(a);
	machine_destroy(b);
	all_is_back();
}

static const struct map_row {
	const char *title;
	uint16_t flags, to;
	uint32_t map_flags;
	uint64_t host_addr;
	uint16_t dom;
	uint32_t ref;
	int status;
} map_rows[] = {
	{ "granted", GTF_permit_access, 2, GNTMAP_host_map, 200 << 12, 1, 8, GNTST_okay },
	{ "read-only for reading", GTF_permit_access | GTF_readonly, 2, GNTMAP_host_map | GNTMAP_readonly, 200 << 12, 1, 8, GNTST_okay },
	{ "read-only for writing", GTF_permit_access | GTF_readonly, 2, GNTMAP_host_map, 200 << 12, 1, 8, GNTST_general_error },
	{ "granted to another", GTF_permit_access, 3, GNTMAP_host_map, 200 << 12, 1, 8, GNTST_general_error },
	{ "not granted", 0, 2, GNTMAP_host_map, 200 << 12, 1, 8, GNTST_general_error },
	{ "transfer", GTF_accept_transfer, 2, GNTMAP_host_map, 200 << 12, 1, 8, GNTST_general_error },
	{ "past the table", GTF_permit_access, 2, GNTMAP_host_map, 200 << 12, 1, 512, GNTST_bad_gntref },
	{ "past 32 bits of table", GTF_permit_access, 2, GNTMAP_host_map, 200 << 12, 1, ~0u, GNTST_bad_gntref },
	{ "no such domain", GTF_permit_access, 2, GNTMAP_host_map, 200 << 12, 7, 8, GNTST_bad_domain },
	{ "over RAM", GTF_permit_access, 2, GNTMAP_host_map, 3 << 12, 1, 8, GNTST_general_error },
	{ "not a page", GTF_permit_access, 2, GNTMAP_host_map, (200 << 12) + 8, 1, 8, GNTST_bad_virt_addr },
	{ "no host map", GTF_permit_access, 2, 0, 200 << 12, 1, 8, GNTST_bad_gntref },
	{ "page table entry", GTF_permit_access, 2, GNTMAP_host_map | GNTMAP_contains_pte, 200 << 12, 1, 8, GNTST_bad_gntref },
};

static void each_map_request_gets_its_status(void **state)
{
	for (size_t i = 0; i < sizeof(map_rows) / sizeof(map_rows[0]); i++) {
		const struct map_row *r = &map_rows[i];
		struct domain *a = need(1), *b = need(2);
		struct gnttab_map_grant_ref map = { .host_addr = r->host_addr, .flags = r->map_flags, .ref = r->ref, .dom = r->dom };

		grant(a, 8, r->to, 5, r->flags);
		assert_int_equal(CALL(b->vcpus[0], __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, map, 1), 0);
		if (map.status != r->status)
			fail_msg("%s: status %d", r->title, map.status);
		machine_destroy(b);
		/* Nothing stays pinned after the mapper. */
		assert_int_equal(a->grant->shared[0][8].flags, r->flags);
		assert_int_equal(a->grant->active[0][8].readers + a->grant->active[0][8].writers, 0);
		machine_destroy(a);
	}
	all_is_back();
}

static void a_borrow_holds_the_frame(void **state)
{
	struct domain *a = need(1);
	struct grant_use one, two;

	grant(a, 8, 0, 5, GTF_permit_access);
	assert_int_equal(grant_borrow(a, 8, false, &one), 0);
	/* The entry is rewritten while it is in use: the second borrow still gets the first frame. */
	a->grant->shared[0][8].frame = 6;
	assert_int_equal(grant_borrow(a, 8, true, &two), 0);
	assert_ptr_equal(one.va, two.va);
	assert_int_equal(grant_borrow(a, 7, false, &one), -EACCES);
	assert_int_equal(p2m_remove(a, 5), 0);
	machine_destroy(domain_ref(a));
	one.va = two.va;
	memset(two.va, 0x5a, PAGE_SIZE);
	one.ref = two.ref = 8;
	grant_release(a, &two);
	grant_release(a, &one);
	domain_put(a);
	all_is_back();
}

/* What a domain has mapped from another is not its to lend: not to a third domain, not to a backend. */
static void a_borrowed_frame_is_not_lent_on(void **state)
{
	struct domain *a = need(1), *b = need(2), *c = need(3);
	struct gnttab_map_grant_ref map = { .host_addr = 200 << PAGE_SHIFT, .flags = GNTMAP_host_map, .ref = 9, .dom = 1 };
	struct grant_use use;
	char byte = 1;

	grant(a, 9, 2, 5, GTF_permit_access);
	CALL(b->vcpus[0], __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, map, 1);
	assert_int_equal(map.status, GNTST_okay);
	grant(b, 9, 3, 200, GTF_permit_access);
	map.dom = 2;
	CALL(c->vcpus[0], __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, map, 1);
	assert_int_equal(map.status, GNTST_bad_page);
	grant(b, 10, 0, 200, GTF_permit_access);
	assert_int_equal(grant_borrow(b, 10, false, &use), -EFAULT);
	assert_int_equal(grant_copy(b, 10, 0, &byte, 1, true), -EFAULT);
	assert_int_equal(b->grant->shared[0][10].flags, GTF_permit_access);
	grant(b, 10, 0, 6, GTF_permit_access);
	assert_int_equal(grant_copy(b, 10, 4095, &byte, 1, true), 0);
	byte = 0;
	assert_int_equal(grant_copy(b, 10, 4095, &byte, 1, false), 0);
	assert_int_equal(byte, 1);
	assert_int_equal(b->grant->shared[0][10].flags, GTF_permit_access);
	machine_destroy(a);
	machine_destroy(b);
	machine_destroy(c);
	all_is_back();
}

/* --- event channels --- */

static void count_call(void *arg)
{
	++*(int *)arg;
}

static void a_channel_to_the_hypervisor(void **state)
{
	struct domain *d = need(1);
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = 0 };
	int calls = 0;

	assert_int_equal(CALL(d->vcpus[0], __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, alloc, 0), 0);
	struct evtchn_send send = { .port = alloc.port };
	assert_int_equal(CALL(d->vcpus[0], __HYPERVISOR_event_channel_op, EVTCHNOP_send, send, 0), 0);
	assert_int_equal(evtchn_bind_hv(d, alloc.port + 1, count_call, &calls), -EINVAL);
	assert_int_equal(evtchn_bind_hv(d, alloc.port, count_call, &calls), 0);
	assert_int_equal(evtchn_bind_hv(d, alloc.port, count_call, &calls), -EINVAL);
	CALL(d->vcpus[0], __HYPERVISOR_event_channel_op, EVTCHNOP_send, send, 0);
	assert_int_equal(calls, 1);
	d->shared_info->evtchn_mask[0] = 0;
	d->vcpus[0]->blocked = true;
	evtchn_notify(d, alloc.port);
	assert_true(vcpu_event_pending(d->vcpus[0]));
	assert_false(d->vcpus[0]->blocked);
	evtchn_unbind_hv(d, alloc.port);
	CALL(d->vcpus[0], __HYPERVISOR_event_channel_op, EVTCHNOP_send, send, 0);
	assert_int_equal(calls, 1);
	machine_destroy(d);
	all_is_back();
}

static void the_other_end_of_a_dead_domain_is_unbound(void **state)
{
	struct domain *a = need(1), *b = need(2);
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = 2 };

	CALL(a->vcpus[0], __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, alloc, 0);
	struct evtchn_bind_interdomain bind = { .remote_dom = 1, .remote_port = alloc.port };
	assert_int_equal(CALL(b->vcpus[0], __HYPERVISOR_event_channel_op, EVTCHNOP_bind_interdomain, bind, 0), 0);
	struct evtchn_send send = { .port = bind.local_port };
	a->shared_info->evtchn_mask[0] = 0;
	CALL(b->vcpus[0], __HYPERVISOR_event_channel_op, EVTCHNOP_send, send, 0);
	assert_true(a->shared_info->evtchn_pending[0] >> alloc.port & 1);
	machine_destroy(a);
	struct evtchn_status status = { .dom = DOMID_SELF, .port = bind.local_port };
	CALL(b->vcpus[0], __HYPERVISOR_event_channel_op, EVTCHNOP_status, status, 0);
	assert_int_equal(status.status, EVTCHNSTAT_unbound);
	assert_int_equal(CALL(b->vcpus[0], __HYPERVISOR_event_channel_op, EVTCHNOP_send, send, 0), 0);
	machine_destroy(b);
	all_is_back();
}

static void all_ports_are_given_out_once(void **state)
{
	struct domain *d = need(1);
	struct evtchn_bind_ipi ipi = { .vcpu = 0 };
	static bool seen[4096];
	unsigned n = 0;

	while (CALL(d->vcpus[0], __HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, ipi, 0) == 0) {
		assert_in_range(ipi.port, 1, 4095);
		assert_false(seen[ipi.port]);
		seen[ipi.port] = true;
		n++;
	}
	assert_int_equal(n, 4094); /* 0 is none, the console has one */
	struct evtchn_close close = { .port = 1234 };
	assert_int_equal(CALL(d->vcpus[0], __HYPERVISOR_event_channel_op, EVTCHNOP_close, close, 0), 0);
	assert_int_equal(CALL(d->vcpus[0], __HYPERVISOR_event_channel_op, EVTCHNOP_bind_ipi, ipi, 0), 0);
	assert_int_equal(ipi.port, 1234);
	machine_destroy(d);
	all_is_back();
}

/* --- anything --- */

static void random_life(uint64_t seed, unsigned steps)
{
	struct domain *d[GUEST_DOMAINS];

	for (uint16_t i = 0; i < GUEST_DOMAINS; i++)
		d[i] = machine_domain(i + 1);
	for (unsigned i = 0; i < steps; i++) {
		uint16_t k = (uint16_t)(guest_random(&seed) >> 10) % GUEST_DOMAINS;
		bool end = (guest_random(&seed) >> 10) % 512 == 0;
		if (d[k] && end)
			machine_destroy(d[k]);
		if (!d[k] || end)
			d[k] = machine_domain(k + 1);
		if (d[k])
			guest_step(d[k]->vcpus[guest_random(&seed) >> 30 & 3], &seed, true);
		if (i % 64 == 0)
			console_softirq();
	}
	for (uint16_t i = 0; i < GUEST_DOMAINS; i++) {
		if (d[i])
			machine_destroy(d[i]);
	}
	all_is_back();
}

static void random_calls_lose_nothing(void **state)
{
	for (uint64_t seed = 1; seed <= 20; seed++)
		random_life(seed * 0x9e3779b97f4a7c15, 20000);
	print_message("  %u steps: %u maps, %u unmaps, %u copies by grant, %u channels bound, %u balloon calls\n", guest_luck.calls,
		      guest_luck.maps, guest_luck.unmaps, guest_luck.copies, guest_luck.binds, guest_luck.balloons);
	assert_in_range(guest_luck.maps, 500, ~0u);
	assert_in_range(guest_luck.unmaps, 100, ~0u);
	assert_in_range(guest_luck.copies, 50, ~0u);
	assert_in_range(guest_luck.binds, 50, ~0u);
	assert_in_range(guest_luck.balloons, 500, ~0u);
}

/* The n-th allocation fails, for each n that the run comes to. */
static void failing_allocations_lose_nothing(void **state)
{
	for (long n = 0; n < 800; n++) {
		env_host_fail_after(n);
		random_life(0x2545f4914f6cdd1d, 200);
		env_host_fail_after(-1);
	}
}

struct player {
	pthread_t thread;
	unsigned cpu;
	uint64_t seed;
};

static struct domain *table[GUEST_DOMAINS];
static pthread_rwlock_t running[GUEST_DOMAINS]; /* read: a vcpu of it runs; write: it is destroyed and made anew */
static _Atomic bool stop;

/* CPU n runs vcpu n of the domains; one in a thousand steps ends a domain that nobody runs then, while the others go on. */
static void *play(void *arg)
{
	struct player *p = arg;

	machine_cpu(p->cpu);
	for (unsigned i = 0; !stop; i++) {
		uint16_t k = (uint16_t)(guest_random(&p->seed) >> 10) % GUEST_DOMAINS;
		if ((guest_random(&p->seed) >> 10) % 1024 == 0) {
			pthread_rwlock_wrlock(&running[k]);
			machine_destroy(table[k]);
			table[k] = machine_domain(k + 1);
			pthread_rwlock_unlock(&running[k]);
		}
		pthread_rwlock_rdlock(&running[k]);
		guest_step(table[k]->vcpus[p->cpu], &p->seed, false);
		pthread_rwlock_unlock(&running[k]);
		if (i % 64 == 0)
			console_softirq();
	}
	return NULL;
}

static void several_cpus_lose_nothing(void **state)
{
	struct player players[MACHINE_VCPUS];

	for (uint16_t i = 0; i < GUEST_DOMAINS; i++) {
		pthread_rwlock_init(&running[i], NULL);
		table[i] = need(i + 1);
	}
	stop = false;
	for (unsigned i = 0; i < MACHINE_VCPUS; i++) {
		players[i] = (struct player){ .cpu = i, .seed = 77 + i };
		assert_int_equal(pthread_create(&players[i].thread, NULL, play, &players[i]), 0);
	}
	struct timespec s = { .tv_sec = 5 };
	nanosleep(&s, NULL);
	stop = true;
	for (unsigned i = 0; i < MACHINE_VCPUS; i++)
		pthread_join(players[i].thread, NULL);
	for (uint16_t i = 0; i < GUEST_DOMAINS; i++)
		machine_destroy(table[i]);
	all_is_back();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mapped_frames_outlive_their_owner),
		cmocka_unit_test(crosswise_maps_come_back),
		cmocka_unit_test(each_map_request_gets_its_status),
		cmocka_unit_test(a_borrow_holds_the_frame),
		cmocka_unit_test(a_borrowed_frame_is_not_lent_on),
		cmocka_unit_test(a_channel_to_the_hypervisor),
		cmocka_unit_test(the_other_end_of_a_dead_domain_is_unbound),
		cmocka_unit_test(all_ports_are_given_out_once),
		cmocka_unit_test(random_calls_lose_nothing),
		cmocka_unit_test(failing_allocations_lose_nothing),
		cmocka_unit_test(several_cpus_lose_nothing),
	};

	env_host_log_level(0);
	machine_cpu(0);
	return cmocka_run_group_tests_name("abi", tests, NULL, NULL);
}
