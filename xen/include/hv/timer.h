/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time since boot in nanoseconds, wall time, and one-shot timers on this CPU.
 */
#ifndef HV_TIMER_H
#define HV_TIMER_H

#include <stdbool.h>
#include <stdint.h>

uint64_t time_now_ns(void); /* monotonic, the same on all CPUs */
uint64_t time_utc_ns(void); /* since 1970-01-01 */
/* Busy wait, for device resets only. */
void time_delay_us(uint64_t us);

struct timer {
	uint64_t deadline_ns;
	void (*fn)(struct timer *t);
	struct timer *next; /* in its CPU's list, by deadline */
	uint32_t cpu;
	bool armed;
};

void timer_init(struct timer *t, void (*fn)(struct timer *t));
/* Arm (or re-arm) on this CPU; fn runs from SOFTIRQ_TIMER at or after the deadline. A timer stays on the CPU that armed it. */
void timer_set(struct timer *t, uint64_t deadline_ns);
/* It does not fire from now on, but its fn may still be running on another CPU. */
void timer_cancel(struct timer *t);
/* Cancel for good: no CPU but ours is in its fn any more. => nobody else sets it now, no lock is held that fn takes. */
void timer_end(struct timer *t);

#endif
