/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random hypercalls, MSRs, ports and far memory, from a seed printed first: the same seed does the same again. Every exception
 * is survived by skipping; a call that would end the domain by right is not made. Rounds: calls= on the command line.
 */
#include "random.h"
#include <stdio.h>
#include "hypercall.h"
#include "trap.h"

const char test_title[] = "hostile-fuzz";
static uint64_t state;

static uint64_t pointer(void)
{
	uint64_t r = test_random(&state);
	unsigned int i;

	if (r & 7) {
		for (i = 0; i < 8; i++)
			test_target[i] = test_nasty(&state);
		return (uint64_t)test_target + (r >> 8 & 0xff8);
	}
	return test_nasty(&state);
}

static void random_call(void)
{
	unsigned int nr = (unsigned int)(test_random(&state) % 56);
	uint64_t op = test_random(&state) % 40;

	if (nr == __HYPERVISOR_iret || nr == __HYPERVISOR_multicall || nr == __HYPERVISOR_sched_op || nr == __HYPERVISOR_sched_op_compat ||
	    nr == __HYPERVISOR_console_io || (nr == __HYPERVISOR_vcpu_op && op == VCPUOP_down) ||
	    (nr == __HYPERVISOR_event_channel_op && (op == EVTCHNOP_reset || op == EVTCHNOP_close)) ||
	    (nr == __HYPERVISOR_hvm_op && (op == HVMOP_set_param || op == HVMOP_set_evtchn_upcall_vector)) || nr == __HYPERVISOR_memory_op)
		return;
	if (nr == __HYPERVISOR_vcpu_op)
		hypercall(nr, op, test_random(&state) % 3, (uint64_t)NOWHERE, 0, 0);
	else if (nr == __HYPERVISOR_grant_table_op)
		/* A longer array would be written over our own memory, by right. */
		hypercall(nr, op, pointer(), test_random(&state) % 64, 0, 0);
	else
		hypercall(nr, op, pointer(), test_nasty(&state), test_nasty(&state), test_nasty(&state));
}

static void random_machine(void)
{
	uint64_t v;
	uint32_t w, msr = (uint32_t)test_nasty(&state);

	switch (test_random(&state) >> 61) {
	case 0:
		rdmsr_safe(msr, &v);
		break;
	case 1:
		if (msr >= 0xc0002000)
			wrmsr_safe(msr, test_nasty(&state));
		break;
	case 2:
		peek_safe((void *)(0xf0000000 + (test_random(&state) & 0xffffff0)), &w);
		break;
	default:
		inb((uint16_t)test_random(&state));
	}
}

static void ignore(struct trap_frame *f)
{
	(void)f;
}

void test_main(void)
{
	unsigned long calls = cmdline_number("calls", 20000), n;

	trap_set(TRAP_NMI, ignore); /* it may send itself one */
	state = cmdline_number("seed", 1);
	printk("seed %lu, %lu rounds\n", state, calls);
	state = state * 0x9e3779b97f4a7c15 + 1;
	for (n = 0; n < calls; n++) {
		if (test_random(&state) & 3)
			random_call();
		else
			random_machine();
		test_count(1);
	}
	CHECK(hv_version(XENVER_version, NULL) >> 16 >= 4, "-");
}
