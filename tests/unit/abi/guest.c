/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest.h"

#include <string.h>

#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#include <common/grant_priv.h>

struct guest_luck guest_luck;

#define MAPS_FROM 128 /* guest frames that foreign maps and shared pages go to */

uint64_t guest_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static uint32_t below(uint64_t *seed, uint32_t n)
{
	return (uint32_t)(guest_random(seed) >> 20) % n;
}

/* Mostly small, sometimes a limit. */
static uint64_t number(uint64_t *seed, uint32_t n)
{
	static const uint64_t odd[] = { 0, 1, 63, 64, 4095, 4096, 0x7fffffff, 0x80000000, 0xffffffff, 1UL << 63, ~0UL };

	return below(seed, 16) ? below(seed, n) : odd[below(seed, sizeof(odd) / sizeof(odd[0]))];
}

static uint16_t some_domid(uint64_t *seed)
{
	static const uint16_t ids[] = { DOMID_SELF, 0, 1, 2, 3, 1, 2, 3, DOMID_SELF, 99, DOMID_INVALID };

	return ids[below(seed, sizeof(ids) / sizeof(ids[0]))];
}

/* Where the arguments go; now and then across the end of memory. */
static uint64_t place(uint64_t *seed, uint32_t n)
{
	return below(seed, 40) ? below(seed, 64) * 64 : MACHINE_VIRT - below(seed, n + 1);
}

static uint64_t put(struct vcpu *v, uint64_t *seed, const void *arg, uint32_t n)
{
	uint64_t at = place(seed, n);

	memcpy(machine_virt(v) + at, arg, at + n <= MACHINE_VIRT ? n : MACHINE_VIRT - at);
	return at;
}

static void step_event(struct vcpu *v, uint64_t *seed, bool alone)
{
	uint32_t op = below(seed, 3) ? below(seed, 12) : below(seed, 2) * EVTCHNOP_alloc_unbound, arg[6];

	for (int i = 0; i < 6; i++)
		arg[i] = (uint32_t)number(seed, 24);
	switch (op) {
	case EVTCHNOP_alloc_unbound:
		arg[0] = (below(seed, 8) ? DOMID_SELF : some_domid(seed)) | (uint32_t)some_domid(seed) << 16;
		break;
	case EVTCHNOP_bind_interdomain:
	case EVTCHNOP_status:
	case EVTCHNOP_reset:
		arg[0] = some_domid(seed);
		if (op == EVTCHNOP_reset && below(seed, 50))
			return;
		break;
	case EVTCHNOP_bind_vcpu:
	case EVTCHNOP_bind_virq:
		arg[1] = (uint32_t)number(seed, MACHINE_VCPUS + 1);
		break;
	}
	int64_t rc = machine_call(v, __HYPERVISOR_event_channel_op, op, put(v, seed, arg, sizeof(arg)), 0, alone);
	guest_luck.binds += rc == 0 && op == EVTCHNOP_bind_interdomain;
}

/* The guest's own entries: permits for anybody, any frame. */
static void scribble_grants(struct vcpu *v, uint64_t *seed)
{
	struct grant_table *t = v->domain->grant;
	uint32_t ref = below(seed, 16);
	uint32_t flags = below(seed, 16) ? GTF_permit_access | (below(seed, 3) ? 0 : GTF_readonly) : (uint32_t)guest_random(seed);

	t->shared[0][ref].frame = (uint32_t)number(seed, MACHINE_RAM);
	__atomic_store_n((uint32_t *)&t->shared[0][ref], (flags & 0xff) | below(seed, 4) << 16, __ATOMIC_RELEASE);
}

static void step_map(struct vcpu *v, uint64_t *seed, bool alone)
{
	struct gnttab_map_grant_ref op[4];
	uint32_t n = 1 + below(seed, 4);

	for (uint32_t i = 0; i < 4; i++) {
		op[i] = (struct gnttab_map_grant_ref){
			.host_addr = (MAPS_FROM + number(seed, 64)) << PAGE_SHIFT,
			.flags = GNTMAP_host_map | (below(seed, 2) ? GNTMAP_readonly : 0) | (below(seed, 20) ? 0 : below(seed, 256)),
			.ref = (uint32_t)number(seed, 16),
			.dom = some_domid(seed),
		};
	}
	uint64_t at = put(v, seed, op, sizeof(op));
	if (machine_call(v, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, at, n, alone))
		return;
	memcpy(op, machine_virt(v) + at, n * sizeof(op[0]));
	for (uint32_t i = 0; i < n; i++)
		guest_luck.maps += op[i].status == GNTST_okay;
}

static void step_unmap(struct vcpu *v, uint64_t *seed, bool alone)
{
	struct gnttab_unmap_grant_ref op[4];

	for (uint32_t i = 0; i < 4; i++) {
		uint32_t handle = (uint32_t)number(seed, 40);
		struct grant_map *chunk = v->domain->grant->maps[handle / MAPTRACK_CHUNK % MAPTRACK_CHUNKS];
		op[i] = (struct gnttab_unmap_grant_ref){ .handle = handle };
		/* Usually the right address, as a guest that kept books would say it. */
		op[i].host_addr = chunk && below(seed, 8) ? chunk[handle % MAPTRACK_CHUNK].gfn << PAGE_SHIFT : number(seed, 99) << 12;
	}
	uint64_t at = put(v, seed, op, sizeof(op));
	uint32_t n = 1 + below(seed, 4);
	if (machine_call(v, __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, at, n, alone))
		return;
	memcpy(op, machine_virt(v) + at, n * sizeof(op[0]));
	for (uint32_t i = 0; i < n; i++)
		guest_luck.unmaps += op[i].status == GNTST_okay;
}

static void step_copy(struct vcpu *v, uint64_t *seed, bool alone)
{
	struct gnttab_copy op[4];

	for (uint32_t i = 0; i < 4; i++) {
		op[i] = (struct gnttab_copy){ .flags = (uint16_t)below(seed, 4), .len = (uint16_t)below(seed, 3500) };
		op[i].source.domid = some_domid(seed);
		op[i].source.u.gmfn = number(seed, op[i].flags & GNTCOPY_source_gref ? 16 : 80);
		op[i].source.offset = (uint16_t)below(seed, 1000);
		op[i].dest.domid = some_domid(seed);
		op[i].dest.u.gmfn = number(seed, op[i].flags & GNTCOPY_dest_gref ? 16 : 80);
		op[i].dest.offset = (uint16_t)below(seed, 1000);
	}
	uint32_t n = below(seed, 30) ? below(seed, 5) : (uint32_t)number(seed, 4000);
	uint64_t at = put(v, seed, op, sizeof(op));
	if (machine_call(v, __HYPERVISOR_grant_table_op, GNTTABOP_copy, at, n, alone) || n > 4)
		return;
	memcpy(op, machine_virt(v) + at, n * sizeof(op[0]));
	for (uint32_t i = 0; i < n; i++)
		guest_luck.copies += op[i].status == GNTST_okay && op[i].flags;
}

static void step_grant_other(struct vcpu *v, uint64_t *seed, bool alone)
{
	uint64_t arg[4] = { some_domid(seed), number(seed, 70), number(seed, 100), 0 };

	machine_call(v, __HYPERVISOR_grant_table_op, below(seed, 13), put(v, seed, arg, sizeof(arg)), below(seed, 3), alone);
}

static void step_physmap(struct vcpu *v, uint64_t *seed, bool alone)
{
	struct xen_add_to_physmap op = {
		.domid = some_domid(seed),
		.space = below(seed, 4),
		.idx = number(seed, 5),
		.gpfn = below(seed, 2) ? number(seed, MACHINE_RAM) : MAPS_FROM + number(seed, 64),
	};

	machine_call(v, __HYPERVISOR_memory_op, XENMEM_add_to_physmap, put(v, seed, &op, sizeof(op)), 0, alone);
}

static void step_balloon(struct vcpu *v, uint64_t *seed, bool alone)
{
	struct {
		struct xen_memory_reservation op;
		uint64_t gfns[8];
	} arg = { .op = { .nr_extents = number(seed, 9), .extent_order = (uint32_t)(below(seed, 8) ? 0 : number(seed, 12)),
			  .domid = some_domid(seed) } };
	uint64_t at = below(seed, 32) * 256;

	for (int i = 0; i < 8; i++)
		arg.gfns[i] = number(seed, MACHINE_RAM);
	arg.op.extent_start.p = (void *)(at + sizeof(arg.op));
	memcpy(machine_virt(v) + at, &arg, sizeof(arg));
	uint64_t op = below(seed, 2) ? XENMEM_decrease_reservation : XENMEM_populate_physmap;
	guest_luck.balloons += machine_call(v, __HYPERVISOR_memory_op, op, at, 0, alone) > 0;
}

static void step_memory_other(struct vcpu *v, uint64_t *seed, bool alone)
{
	uint64_t arg[8];

	for (int i = 0; i < 8; i++)
		arg[i] = number(seed, 600);
	arg[0] = below(seed, 2) ? some_domid(seed) : arg[0];
	machine_call(v, __HYPERVISOR_memory_op, number(seed, 30), put(v, seed, arg, sizeof(arg)), 0, alone);
}

static void step_vcpu(struct vcpu *v, uint64_t *seed, bool alone)
{
	uint64_t arg[16];

	for (int i = 0; i < 16; i++)
		arg[i] = number(seed, 4000);
	machine_call(v, __HYPERVISOR_vcpu_op, below(seed, 15), number(seed, MACHINE_VCPUS + 1), put(v, seed, arg, sizeof(arg)), alone);
}

static void step_sched(struct vcpu *v, uint64_t *seed, bool alone)
{
	struct sched_poll poll = { .nr_ports = (uint32_t)number(seed, 5), .timeout = number(seed, 2) };
	uint32_t op = below(seed, 8);
	uint64_t at = put(v, seed, &poll, sizeof(poll));

	/* Stopping the domain is the test's business. */
	machine_call(v, __HYPERVISOR_sched_op, op == SCHEDOP_shutdown ? SCHEDOP_poll : op, at, 0, alone);
	if (v->blocked && below(seed, 2))
		machine_fire_timers(v->domain);
	v->blocked = false;
}

static void step_other(struct vcpu *v, uint64_t *seed, bool alone)
{
	static const uint64_t calls[] = { __HYPERVISOR_xen_version, __HYPERVISOR_console_io, __HYPERVISOR_hvm_op,
					  __HYPERVISOR_set_timer_op, __HYPERVISOR_physdev_op, 62, 63, 64 };
	uint64_t arg[4] = { some_domid(seed), number(seed, 40), number(seed, 100), 0 };
	uint64_t nr = calls[below(seed, sizeof(calls) / sizeof(calls[0]))];

	machine_call(v, nr, number(seed, 26), nr == __HYPERVISOR_console_io ? number(seed, 300) : put(v, seed, arg, sizeof(arg)),
		     place(seed, 64), alone);
}

static void step_multicall(struct vcpu *v, uint64_t *seed, bool alone)
{
	struct multicall_entry e[4];
	static const uint64_t calls[] = { __HYPERVISOR_event_channel_op, __HYPERVISOR_grant_table_op, __HYPERVISOR_memory_op,
					  __HYPERVISOR_multicall, __HYPERVISOR_vcpu_op, __HYPERVISOR_xen_version };

	for (int i = 0; i < 4; i++) {
		e[i].op = calls[below(seed, 6)];
		for (int k = 0; k < 6; k++)
			e[i].args[k] = number(seed, k == 1 ? 8000 : 10);
	}
	machine_call(v, __HYPERVISOR_multicall, put(v, seed, e, sizeof(e)), below(seed, 5), 0, alone);
}

static void scribble_rings(struct vcpu *v, uint64_t *seed)
{
	struct shared_info *s = v->domain->shared_info;

	s->evtchn_mask[below(seed, 2)] = guest_random(seed);
	s->evtchn_pending[below(seed, 2)] &= guest_random(seed);
	v->info->evtchn_pending_sel = 0;
	v->info->evtchn_upcall_pending = 0;
}

void guest_step(struct vcpu *v, uint64_t *seed, bool alone)
{
	static void (*const steps[])(struct vcpu *, uint64_t *, bool) = {
		step_event, step_event, step_event, step_map, step_map, step_unmap, step_unmap, step_copy, step_grant_other,
		step_physmap, step_balloon, step_memory_other, step_vcpu, step_sched, step_other, step_multicall,
	};
	uint32_t which = below(seed, 20);

	guest_luck.calls++;
	if (which < sizeof(steps) / sizeof(steps[0]))
		steps[which](v, seed, alone);
	else if (which & 1)
		scribble_grants(v, seed);
	else
		scribble_rings(v, seed);
}
