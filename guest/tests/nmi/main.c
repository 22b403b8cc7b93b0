/* SPDX-License-Identifier: BSD-2-Clause */
/* Non-maskable interrupts: to itself and another by APIC and by hypercall, with interrupts off, to a sleeper, one at a time. */
#include "test.h"
#include "hypercall.h"
#include "smp.h"
#include "trap.h"

const char test_title[] = "nmi";
static volatile unsigned int got, depth, nested;
static volatile bool once_more;

static void on_nmi(struct trap_frame *f)
{
	uint64_t end = clock_ns() + 20 * MSEC;

	(void)f;
	nested += depth++ != 0;
	got++;
	if (once_more) {
		once_more = false;
		apic_ipi(0, 0x4400);
		apic_ipi(0, 0x4400);
		/* The way out to the hypervisor and back delivers nothing either. */
		while (clock_ns() < end)
			hv_version(XENVER_version, NULL);
	}
	depth--;
}

static volatile bool up;

static void sleep_for_ever(void)
{
	up = true;
	for (;;)
		cpu_sti_hlt();
}

static bool came(unsigned int want)
{
	uint64_t end = clock_ns() + SEC;

	while (got < want && clock_ns() < end)
		cpu_pause();
	return got == want;
}

/* One that sleeps and is sent no event, by either way. */
static void another_cpu(void)
{
	uint64_t end = clock_ns() + 5 * SEC;
	unsigned int before = got;

	CHECK_EQ(smp_start(1, AP_SIPI, sleep_for_ever), 0);
	while (!up && clock_ns() < end)
		cpu_pause();
	apic_ipi((uint32_t)apic_id_of(1), 0x4400);
	CHECK(came(before + 1), "asleep, by APIC: %u came", got - before);
	CHECK_EQ(hv_vcpu(VCPUOP_send_nmi, 1, NULL), 0);
	CHECK(came(before + 2), "asleep, by hypercall: %u came", got - before);
	CHECK(hv_vcpu(VCPUOP_send_nmi, 2, NULL) < 0, "-");
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
	/* Two more while one is handled: they are one, and come when it is done. */
	once_more = true;
	apic_ipi(0, 0x4400);
	CHECK(came(9), "two within one: %u came", got);
	CHECK_EQ(nested, 0);
	CHECK_EQ(got, 9);
	another_cpu();
}
