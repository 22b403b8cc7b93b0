/* SPDX-License-Identifier: BSD-2-Clause */
/* INIT to itself, then a start-up command to itself: the last that is heard of this vcpu. The verdict comes first. */
#include "test.h"
#include "smp.h"

const char test_title[] = "hostile-init-self";

void test_main(void)
{
	unsigned int i;

	/* Commands to the only cpu, by its number, that are no INIT: ignored or delivered, survived. */
	apic_ipi(0, 0x4600 | 0x10);
	for (i = 0; i < 8; i++)
		apic_ipi(0x7f, 0x4500);
	test_count(9);
	test_verdict();
	apic_ipi(0, 0x4500);
	apic_ipi(0, 0x44500);
	apic_ipi(0, 0x80500);
}
