/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC, in x2APIC mode where the CPU has it and as a mapped page otherwise (AMD manual volume 2, chapter 16).
 */
#include "apic.h"

#include <hv/arch.h>
#include <hv/log.h>
#include <hv/mm.h>
#include <hv/timer.h>

#include "traps.h"
#include "x86.h"

enum {
	APIC_ID = 0x20, APIC_TPR = 0x80, APIC_EOI = 0xb0, APIC_SVR = 0xf0, APIC_ICR_LO = 0x300, APIC_ICR_HI = 0x310,
	APIC_LVT_TIMER = 0x320, APIC_LVT_LINT0 = 0x350, APIC_LVT_LINT1 = 0x360, APIC_LVT_ERROR = 0x370,
	APIC_TMICT = 0x380, APIC_TMCCT = 0x390, APIC_TDCR = 0x3e0,
};
#define APIC_BASE_ENABLE (1UL << 11)
#define APIC_BASE_X2APIC (1UL << 10)
#define LVT_MASKED (1u << 16)
#define ICR_PENDING (1u << 12)
#define ICR_LEVEL_ASSERT (1u << 14)
#define ICR_OTHERS (3u << 18)
enum { ICR_FIXED = 0, ICR_NMI = 4 << 8, ICR_INIT = 5 << 8, ICR_STARTUP = 6 << 8 };

static volatile uint32_t *page;
static bool x2apic;
static uint64_t timer_mul; /* timer ticks per ns, 32.32 fixed point */

static uint32_t apic_read(uint32_t reg)
{
	return x2apic ? (uint32_t)rdmsr(0x800 + (reg >> 4)) : page[reg / 4];
}

static void apic_write(uint32_t reg, uint32_t v)
{
	if (x2apic)
		wrmsr(0x800 + (reg >> 4), v);
	else
		page[reg / 4] = v;
}

void apic_init_boot(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	x2apic = cpuid(1, 0).c & (1u << 21);
	if (!x2apic) {
		page = mmio_map(base & 0xffffff000UL, PAGE_SIZE);
		if (!page)
			panic("the local APIC cannot be mapped");
	}
}

void apic_init_cpu(void)
{
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE | (x2apic ? APIC_BASE_X2APIC : 0));
	apic_write(APIC_SVR, 0x100 | VECTOR_SPURIOUS);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_MASKED);
	apic_write(APIC_LVT_ERROR, LVT_MASKED);
	apic_write(APIC_TDCR, 0xb); /* divide by 1 */
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
}

uint32_t apic_id(void)
{
	return x2apic ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

static void icr_write(uint32_t dest, uint32_t lo)
{
	if (x2apic) {
		wrmsr(0x830, (uint64_t)dest << 32 | lo);
		return;
	}
	while (page[APIC_ICR_LO / 4] & ICR_PENDING)
		cpu_relax();
	page[APIC_ICR_HI / 4] = dest << 24;
	page[APIC_ICR_LO / 4] = lo;
}

void apic_send(uint32_t dest, uint8_t vector)
{
	icr_write(dest, ICR_FIXED | ICR_LEVEL_ASSERT | vector);
}

void apic_send_init(uint32_t dest)
{
	icr_write(dest, ICR_INIT | ICR_LEVEL_ASSERT);
}

void apic_send_startup(uint32_t dest, uint8_t start_page)
{
	icr_write(dest, ICR_STARTUP | ICR_LEVEL_ASSERT | start_page);
}

void apic_stop_others(void)
{
	if (page || x2apic)
		icr_write(0, ICR_NMI | ICR_LEVEL_ASSERT | ICR_OTHERS);
}

void apic_timer_calibrate_start(void)
{
	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(APIC_TMICT, ~0u);
}

uint32_t apic_timer_calibrate_read(void)
{
	return apic_read(APIC_TMCCT);
}

void apic_timer_calibrate_end(void)
{
	apic_write(APIC_TMICT, 0);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
}

void apic_timer_set_hz(uint64_t hz)
{
	timer_mul = (hz << 32) / 1000000000UL;
}

void arch_timer_set(uint64_t deadline_ns)
{
	uint64_t now = time_now_ns();
	uint64_t delta = deadline_ns > now ? deadline_ns - now : 0;
	uint64_t ticks;

	if (delta > 1000000000UL)
		delta = 1000000000UL;
	ticks = (delta * timer_mul) >> 32;
	if (ticks >= ~0u)
		ticks = ~0u - 1;
	apic_write(APIC_TMICT, (uint32_t)ticks + 1);
}
