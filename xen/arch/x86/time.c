/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time. The TSC is the clock, scaled to nanoseconds by a 32-bit multiplier and a shift in the form that pvclock hands
 * to guests, so that guest and hypervisor read the same clock. Its rate comes from CPUID where that says, and from 10 ms
 * of the PIT otherwise.
 */
#include "time.h"

#include <hv/log.h>
#include <hv/subsys.h>
#include <hv/timer.h>

#include "apic.h"
#include "x86.h"

#define PIT_HZ 1193182UL
#define CALIBRATE_MS 10
#define CALIBRATE_GUARD 40000000000UL /* TSC ticks after which a PIT that stands still is given up */

static uint64_t tsc_hz;
static uint32_t tsc_mul = 1u << 31; /* until measured: 4 GHz, so that time does not go back then */
static int8_t tsc_shift = -1;
static uint64_t utc_at_boot;

static uint64_t scale(uint64_t tsc)
{
	uint64_t v = tsc_shift >= 0 ? tsc << tsc_shift : tsc >> -tsc_shift;

	return (uint64_t)(((unsigned __int128)v * tsc_mul) >> 32);
}

uint64_t time_from_tsc(uint64_t tsc)
{
	return scale(tsc - boot_tsc);
}

uint64_t time_now_ns(void)
{
	return time_from_tsc(rdtsc());
}

uint64_t time_utc_ns(void)
{
	return utc_at_boot + time_now_ns();
}

uint64_t time_tsc_hz(void)
{
	return tsc_hz;
}

void time_delay_us(uint64_t us)
{
	uint64_t end = time_now_ns() + us * 1000;

	while (time_now_ns() < end)
		cpu_relax();
}

struct instant {
	uint64_t tsc;
	uint32_t pit;  /* counts down from 0xffff */
	uint32_t apic; /* counts down */
};

/*
 * The three clocks at one instant. The reading is only as sharp as the TSC says that it took; of several the sharpest is
 * kept, so that a host that takes the CPU away between two of them does no harm.
 */
static struct instant read_clocks(void)
{
	struct instant best = { 0 };
	uint64_t best_width = ~0UL;

	for (int i = 0; i < 16; i++) {
		uint64_t before = rdtsc();
		outb(0x43, 0x80); /* latch channel 2 */
		uint32_t apic = apic_timer_calibrate_read();
		uint64_t width = rdtsc() - before;
		uint32_t pit = inb(0x42);
		pit |= (uint32_t)inb(0x42) << 8;
		if (width < best_width) {
			best_width = width;
			best = (struct instant){ before + width / 2, pit, apic };
		}
	}
	return best;
}

/* TSC and APIC timer ticks a second, against PIT channel 2 (gated by port 0x61) over CALIBRATE_MS or a little more. */
static void calibrate(uint64_t *tsc, uint64_t *apic)
{
	outb(0x61, (inb(0x61) & ~2u) | 1);
	outb(0x43, 0xb0);
	outb(0x42, 0xff);
	apic_timer_calibrate_start();
	outb(0x42, 0xff);

	struct instant a = read_clocks(), b;
	uint64_t guard = rdtsc();
	do
		b = read_clocks();
	while (a.pit - b.pit < PIT_HZ * CALIBRATE_MS / 1000 && rdtsc() - guard < CALIBRATE_GUARD);
	apic_timer_calibrate_end();
	uint64_t ticks = a.pit - b.pit;
	*tsc = ticks ? (b.tsc - a.tsc) * PIT_HZ / ticks : 0;
	*apic = ticks ? (uint64_t)(a.apic - b.apic) * PIT_HZ / ticks : 0;
}

/* mul and shift with ns = (tsc << shift) * mul >> 32, mul as large as fits. */
static void set_scale(uint64_t hz)
{
	uint64_t ns_per = 1000000000UL;

	tsc_shift = 0;
	while (hz > ns_per * 2) {
		hz >>= 1;
		tsc_shift--;
	}
	while (hz <= ns_per) {
		hz <<= 1;
		tsc_shift++;
	}
	tsc_mul = (uint32_t)((ns_per << 32) / hz);
}

uint64_t time_ns_to_tsc_mul(uint32_t *mul, int8_t *shift)
{
	*mul = tsc_mul;
	*shift = tsc_shift;
	return tsc_hz;
}

static uint8_t cmos(uint8_t reg)
{
	outb(0x70, reg);
	return inb(0x71);
}

static uint32_t bcd(uint8_t v, bool binary)
{
	return binary ? v : (v >> 4) * 10u + (v & 15);
}

/* Days since 1970-01-01 of a Gregorian date. */
static uint64_t days_from_date(uint32_t y, uint32_t m, uint32_t d)
{
	y -= m <= 2;
	uint32_t era = y / 400, yoe = y % 400;
	uint32_t doy = (153 * (m + (m > 2 ? -3u : 9)) + 2) / 5 + d - 1;
	uint32_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return (uint64_t)era * 146097 + doe - 719468;
}

static uint64_t cmos_utc_s(void)
{
	uint8_t v[6], again[6];
	static const uint8_t regs[6] = { 0, 2, 4, 7, 8, 9 };
	int tries = 0;

	do { /* two equal readings outside of an update */
		while ((cmos(0x0a) & 0x80) && ++tries < 10000)
			cpu_relax();
		for (int i = 0; i < 6; i++)
			v[i] = cmos(regs[i]);
		for (int i = 0; i < 6; i++)
			again[i] = cmos(regs[i]);
	} while (__builtin_memcmp(v, again, 6) && ++tries < 10000);

	uint8_t mode = cmos(0x0b);
	bool binary = mode & 4;
	uint32_t hour = bcd(v[2] & 0x7f, binary);
	if (!(mode & 2))
		hour = hour % 12 + (v[2] & 0x80 ? 12 : 0);
	uint64_t days = days_from_date(2000 + bcd(v[5], binary), bcd(v[4], binary), bcd(v[3], binary));
	return days * 86400 + hour * 3600 + bcd(v[1], binary) * 60 + bcd(v[0], binary);
}

void time_init(void)
{
	uint64_t apic_hz;

	calibrate(&tsc_hz, &apic_hz);
	if (tsc_hz < 1000000 || apic_hz < 1000)
		panic("no usable clock: TSC %lu Hz, APIC timer %lu Hz", tsc_hz, apic_hz);
	set_scale(tsc_hz);
	apic_timer_set_hz(apic_hz);
	utc_at_boot = cmos_utc_s() * 1000000000UL - time_now_ns();
	log_info("time: TSC %lu.%03lu MHz, APIC timer %lu.%03lu MHz", tsc_hz / 1000000, tsc_hz / 1000 % 1000, apic_hz / 1000000,
		 apic_hz / 1000 % 1000);
}
