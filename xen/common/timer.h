/* SPDX-License-Identifier: BSD-2-Clause */
/* For the CPU loop and the softirq table. */
#ifndef COMMON_TIMER_H
#define COMMON_TIMER_H
#include <stdatomic.h>
#include <stdint.h>
#include <hv/cpu.h>
/* Fire what is due on this CPU. */
void timer_softirq(void);
/* Program this CPU's clock for its next deadline: before it enters a guest or sleeps. */
void timer_program(uint64_t deadline_ns);
static inline void timer_sync(void)
{
	struct cpu *c = this_cpu();
	uint64_t first = atomic_load_explicit(&c->timer_first, memory_order_relaxed);

	if (first != c->timer_programmed)
		timer_program(first);
}
#endif
