/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hypercall dispatch and multicalls.
 *
 * The table says which numbers exist and how many arguments each takes; the others are zeroed, so that no handler can
 * come to depend on what the guest left in a register. A multicall is a list of calls in guest memory: it is bounded per
 * pass, continued where it stopped, and cannot hold another multicall.
 */
#include <hv/hypercall.h>

#include <string.h>

#include "abi.h"

#define NR_HYPERCALLS 64
#define MULTICALL_BATCH 64

struct hypercall {
	hypercall_fn fn;
	uint8_t nr_args;
};

static const struct hypercall table[NR_HYPERCALLS] = {
	[__HYPERVISOR_memory_op] = { do_memory_op, 2 },
	[__HYPERVISOR_multicall] = { do_multicall, 2 },
	[__HYPERVISOR_set_timer_op] = { do_set_timer_op, 1 },
	[__HYPERVISOR_xen_version] = { do_xen_version, 2 },
	[__HYPERVISOR_console_io] = { do_console_io, 3 },
	[__HYPERVISOR_grant_table_op] = { do_grant_table_op, 3 },
	[__HYPERVISOR_vcpu_op] = { do_vcpu_op, 3 },
	[__HYPERVISOR_sched_op] = { do_sched_op, 2 },
	[__HYPERVISOR_event_channel_op] = { do_event_channel_op, 2 },
	[__HYPERVISOR_physdev_op] = { do_physdev_op, 2 },
	[__HYPERVISOR_hvm_op] = { do_hvm_op, 2 },
};

/* Each CPU counts its own, without atomics. */
static uint64_t counts[MAX_CPUS][NR_HYPERCALLS];

uint64_t hypercall_count(unsigned nr)
{
	uint64_t sum = 0;

	for (uint32_t cpu = 0; nr < NR_HYPERCALLS && cpu < nr_cpus; cpu++)
		sum += __atomic_load_n(&counts[cpu][nr], __ATOMIC_RELAXED);
	return sum;
}

int64_t hypercall_dispatch(struct vcpu *v, uint64_t nr, struct hypercall_args *args)
{
	if (nr >= NR_HYPERCALLS || !table[nr].fn)
		return -ENOSYS;
	counts[this_cpu()->id][nr]++;
	for (unsigned i = table[nr].nr_args; i < 6; i++)
		args->a[i] = 0;
	return table[nr].fn(v, args);
}

static_assert(sizeof(struct multicall_entry) == 64, "multicall entries are eight words");

/* One entry. HYPERCALL_AGAIN: the entry's arguments in guest memory say how far it came. */
static int64_t multicall_one(struct vcpu *v, gva_t at)
{
	struct multicall_entry e;
	struct hypercall_args args;

	if (gva_read(v, &e, at, sizeof(e)))
		return -EFAULT;
	memcpy(args.a, e.args, sizeof(args.a));
	int64_t result = e.op == __HYPERVISOR_multicall ? -EINVAL : hypercall_dispatch(v, e.op, &args);
	if (result == HYPERCALL_AGAIN) {
		gva_t where = gva(at.v + offsetof(struct multicall_entry, args));
		return gva_write(v, where, args.a, sizeof(args.a)) ? -EFAULT : HYPERCALL_AGAIN;
	}
	gva_t where = gva(at.v + offsetof(struct multicall_entry, result));
	return gva_write(v, where, &result, sizeof(result)) ? -EFAULT : 0;
}

static bool may_go_on(const struct vcpu *v)
{
	enum domain_state s = atomic_load_explicit(&v->domain->state, memory_order_relaxed);

	return s == DOM_RUNNING || s == DOM_PAUSED;
}

int64_t do_multicall(struct vcpu *v, struct hypercall_args *args)
{
	uint32_t n = (uint32_t)args->a[1];

	for (unsigned i = 0; n; i++, n--) {
		args->a[1] = n;
		if (i == MULTICALL_BATCH)
			return HYPERCALL_AGAIN;
		int64_t r = multicall_one(v, gva(args->a[0]));
		if (r)
			return r;
		args->a[0] += sizeof(struct multicall_entry);
		/* An entry stopped the domain: what follows it must not run. */
		if (!may_go_on(v))
			return 0;
	}
	return 0;
}

/* A guest has no physical interrupts and no devices of its own. */
int64_t do_physdev_op(struct vcpu *v, struct hypercall_args *args)
{
	return -ENOSYS;
}
