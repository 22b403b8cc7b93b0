/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every hypercall, every sub-operation up to 64, with each edge value in each argument. What may come back: any number. What may
 * not: a dead host, a dead guest, a return that never comes. Operations that end or stop the guest by right are left out.
 */
#include "random.h"
#include "event.h"
#include "hypercall.h"
#include "trap.h"

const char test_title[] = "hostile-hypercall-sweep";
static const uint64_t edges[] = { 0, 1, 0x7ffffffe, 0x7fffffff, 0x80000000, 0xffffffff, 0x8000000000000000, ~0ul };

static bool lawful_end(unsigned int nr, uint64_t op)
{
	op &= 0xffffffff;
	return nr == __HYPERVISOR_iret || nr == __HYPERVISOR_sched_op_compat ||
	       (nr == __HYPERVISOR_sched_op &&
		(op == SCHEDOP_shutdown || op == SCHEDOP_block || op == SCHEDOP_poll || op == SCHEDOP_watchdog)) ||
	       (nr == __HYPERVISOR_vcpu_op &&
		(op == VCPUOP_down || op == VCPUOP_register_vcpu_info || op == VCPUOP_register_runstate_memory_area ||
		 op == VCPUOP_register_vcpu_time_memory_area)) ||
	       (nr == __HYPERVISOR_event_channel_op && (op == EVTCHNOP_reset || op == EVTCHNOP_close)) || nr == __HYPERVISOR_multicall ||
	       nr == __HYPERVISOR_console_io;
}

static void one(unsigned int nr, uint64_t op)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_LEN(edges); i++)
		for (j = 0; j < ARRAY_LEN(edges); j++) {
			/* Grant operations from address 0 up (or its non-canonical twin) are answered all over our memory, by right. */
			if (nr == __HYPERVISOR_grant_table_op && edges[i] << 16 < 2 << 16 && edges[j] > 1)
				continue;
			hypercall(nr, op, edges[i], edges[j], edges[(i + j) % ARRAY_LEN(edges)], edges[j]);
			test_count(1);
		}
}

static void ignore(struct trap_frame *f)
{
	(void)f;
}

void test_main(void)
{
	uint64_t t0 = clock_ns(), longest = 0, t;
	unsigned int nr, op;

	/* One of the calls sends an NMI. */
	trap_set(TRAP_NMI, ignore);
	for (nr = 0; nr < 64; nr++) {
		t = clock_ns();
		printk("%u ", nr);
		for (op = 0; op < 64; op++)
			if (!lawful_end(nr, op) && hypercall(nr, op, ~0ul, ~0ul, ~0ul, ~0ul) != -38)
				one(nr, op);
		for (op = 0; op < ARRAY_LEN(edges); op++)
			if (!lawful_end(nr, edges[op]))
				one(nr, edges[op]);
		t = clock_ns() - t;
		if (t > longest)
			longest = t;
	}
	printk("%lu ms, the slowest number took %lu ms\n", (clock_ns() - t0) / MSEC, longest / MSEC);
	CHECK(hv_version(XENVER_version, NULL) >> 16 >= 4, "-");
	CHECK(event_bind_ipi(0) > 0, "-");
}
