/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC: its page, its registers, interrupts to itself, then the same in x2APIC mode. */
#include "test.h"
#include "smp.h"
#include "trap.h"

const char test_title[] = "apic";
static volatile unsigned int got, last;

static void on_ipi(struct trap_frame *f)
{
	got++;
	last = (unsigned int)f->vector;
	apic_write(APIC_EOI, 0);
}

static void self_ipi(unsigned int vector)
{
	uint32_t id = apic_x2() ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;

	got = 0;
	apic_ipi(id, 0x4000 | vector);
	CHECK(WAIT_UNTIL_TIMEOUT(got, SEC), "vector %x did not come", vector);
	CHECK_EQ(last, vector);
	got = 0;
	apic_ipi(0, 0x44000 | vector);		/* the shorthand: self */
	CHECK(WAIT_UNTIL_TIMEOUT(got, SEC), "vector %x did not come by shorthand", vector);
	CHECK_EQ(got, 1);
}

/* Both wait while interrupts are off; the higher comes first. */
static void priorities(void)
{
	cpu_cli();
	got = 0;
	apic_ipi(0, 0x44000 | VECTOR_TEST);
	apic_ipi(0, 0x44000 | (VECTOR_TEST + 0x20));
	CHECK_EQ(got, 0);
	CHECK(apic_read(APIC_IRR + (VECTOR_TEST / 32) * 16) & 1u << VECTOR_TEST % 32, "not requested");
	cpu_sti();
	CHECK(WAIT_UNTIL_TIMEOUT(got == 2, SEC), "%u came", got);
	CHECK_EQ(last, VECTOR_TEST);
	CHECK_EQ(apic_read(APIC_ISR + (VECTOR_TEST / 32) * 16), 0);
}

static void timer(void)
{
	got = 0;
	apic_write(APIC_DIVIDE, 0xb);
	apic_write(APIC_LVT_TIMER, VECTOR_TEST);
	apic_write(APIC_INITIAL, 1000000);
	CHECK(apic_read(APIC_CURRENT) <= 1000000, "-");
	CHECK(WAIT_UNTIL_TIMEOUT(got, SEC), "the timer did not fire");
	CHECK_EQ(got, 1);
	CHECK_EQ(apic_read(APIC_CURRENT), 0);
	apic_write(APIC_LVT_TIMER, 0x10000);
}

void test_main(void)
{
	trap_set(VECTOR_TEST, on_ipi);
	trap_set(VECTOR_TEST + 0x20, on_ipi);
	CHECK(!apic_x2(), "-");
	CHECK((apic_read(APIC_VERSION) & 0xf0) == 0x10, "version %x", apic_read(APIC_VERSION));
	apic_write(APIC_SPURIOUS, 0x100 | VECTOR_SPURIOUS);
	CHECK_EQ(apic_read(APIC_SPURIOUS), 0x100 | VECTOR_SPURIOUS);
	self_ipi(VECTOR_TEST);
	priorities();
	timer();
	if (!(cpuid(1, 0).ecx >> 21 & 1))
		return;
	apic_enable_x2();
	CHECK(apic_x2(), "-");
	self_ipi(VECTOR_TEST);
	priorities();
	timer();
	got = 0;
	wrmsr(0x83f, VECTOR_TEST);
	CHECK(WAIT_UNTIL_TIMEOUT(got, SEC), "no self IPI by MSR");
}
