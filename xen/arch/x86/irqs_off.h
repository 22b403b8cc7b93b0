/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long each CPU keeps interrupts waiting: from the end of one window (an idle HLT, a guest's run) to the beginning of
 * the next. Counted in TSC ticks by powers of two; a long stretch is a piece of work that wants to be cut.
 */
#ifndef ARCH_X86_IRQS_OFF_H
#define ARCH_X86_IRQS_OFF_H

#include <stdint.h>

#include <hv/cpu.h>

#include "x86.h"

#define IRQS_OFF_BUCKETS 40
#define IRQS_OFF_SHORT 4096 /* ticks: less is not counted, being what each exit takes */

struct irqs_off {
	uint64_t since, longest;
	uint32_t count[IRQS_OFF_BUCKETS]; /* bucket n: less than 2^n ticks, at least half of that */
};

extern struct irqs_off irqs_off[MAX_CPUS];

void irqs_off_count(struct irqs_off *o, uint64_t ticks);

/* Interrupts are taken from here on. */
static inline void irqs_off_end(const struct cpu *c)
{
	struct irqs_off *o = &irqs_off[c->id];
	uint64_t ticks = rdtsc() - o->since;

	if (ticks >= IRQS_OFF_SHORT)
		irqs_off_count(o, ticks);
}

/* Interrupts wait from here on. */
static inline void irqs_off_begin(const struct cpu *c)
{
	irqs_off[c->id].since = rdtsc();
}

#endif
