/* SPDX-License-Identifier: BSD-2-Clause */
/* Non-maskable interrupts: to itself by APIC and by hypercall, with interrupts off, one at a time. */
#include "test.h"
#include "hypercall.h"
#include "smp.h"
#include "trap.h"

const char test_title[] = "nmi";
static volatile unsigned int got;

static void on_nmi(struct trap_frame *f)
{
	(void)f;
	got++;
}

static bool came(unsigned int want)
{
	uint64_t end = clock_ns() + SEC;

	while (got < want && clock_ns() < end)
		cpu_pause();
	return got == want;
}

void test_main(void)
{
	unsigned int i;

	trap_set(TRAP_NMI, on_nmi);
	for (i = 1; i <= 5; i++) {
		apic_ipi(0, 0x4400);
		CHECK(came(i), "NMI %u: %u came", i, got);
	}
	cpu_cli();
	apic_ipi(0, 0x4400);
	CHECK(came(6), "interrupts off: %u came", got);
	cpu_sti();
	CHECK_EQ(hv_vcpu(VCPUOP_send_nmi, 0, NULL), 0);
	CHECK(came(7), "by hypercall: %u came", got);
}
