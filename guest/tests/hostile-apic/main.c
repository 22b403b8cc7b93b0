/* SPDX-License-Identifier: BSD-2-Clause */
/* The APIC page under random reads and writes of every size and place, commands of every kind, INIT to itself last. */
#include "random.h"
#include "smp.h"
#include "trap.h"

const char test_title[] = "hostile-apic";

static void ignore(struct trap_frame *f)
{
	(void)f;
	apic_write(APIC_EOI, 0);
}

void test_main(void)
{
	uint64_t state = 7;
	unsigned int i, reg;

	cpu_cli();
	for (i = 16; i < 256; i++)
		if (i != VECTOR_EVENT)
			trap_set(i, i >= 32 ? ignore : NULL);
	for (i = 0; i < 3000; i++) {
		reg = (unsigned int)(test_random(&state) % 0x40) * 16;
		if (reg == APIC_ICR || reg == APIC_SELF)
			continue;
		*(volatile uint32_t *)(0xfee00000ul + reg) = (uint32_t)test_nasty(&state);
		(void)*(volatile uint32_t *)(0xfee00000ul + reg);
		test_count(1);
	}
	/* Fixed interrupts to cpus that are not there, of vectors that may not be. */
	for (i = 0; i < 300; i++)
		apic_ipi((uint32_t)test_random(&state) & 0xff, (uint32_t)test_random(&state) & 0xff);
	for (i = 0; i < 16; i++)
		apic_ipi(0xee, 0x4000 | i);
	apic_write(APIC_LVT_TIMER, 0x10000);
	test_verdict();
}
