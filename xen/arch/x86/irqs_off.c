/* SPDX-License-Identifier: BSD-2-Clause */
/* The report of irqs_off.h: once a minute into the log (level debug), one line a CPU, then the counts start anew. */
#include "irqs_off.h"

#include <string.h>

#include <hv/arch.h>
#include <hv/log.h>

#include "time.h"

#define REPORT_NS 60000000000UL

struct irqs_off irqs_off[MAX_CPUS];

void irqs_off_count(struct irqs_off *o, uint64_t ticks)
{
	unsigned bucket = 64 - (unsigned)__builtin_clzl(ticks);

	if (!o->since) /* the start of the machine */
		return;
	o->count[bucket < IRQS_OFF_BUCKETS ? bucket : IRQS_OFF_BUCKETS - 1]++;
	if (ticks > o->longest)
		o->longest = ticks;
}

/* Stretches of more than `us` microseconds, to the next power of two of ticks above that. */
static uint32_t count_over(const struct irqs_off *o, uint64_t us)
{
	unsigned first = 64 - (unsigned)__builtin_clzl(us * (time_tsc_hz() / 1000000)) + 1;
	uint32_t n = 0;

	for (unsigned i = first; i < IRQS_OFF_BUCKETS; i++)
		n += o->count[i];
	return n;
}

void arch_irq_window(void)
{
	struct cpu *c = this_cpu();

	irqs_off_end(c);
	__asm__ volatile("sti; nop; cli" : : : "memory");
	irqs_off_begin(c);
}

void arch_report(uint64_t now_ns)
{
	static uint64_t next = REPORT_NS;

	if (now_ns < next)
		return;
	next = now_ns + REPORT_NS;
	for (uint32_t i = 0; i < nr_cpus; i++) {
		struct irqs_off *o = &irqs_off[i];
		uint64_t since = o->since;

		log_debug("cpu %u: interrupts waited over 100 us %u times, over 1 ms %u times, at most %lu us", i, count_over(o, 100),
			  count_over(o, 1000), o->longest * 1000000 / time_tsc_hz());
		*o = (struct irqs_off){ .since = since };
	}
}
