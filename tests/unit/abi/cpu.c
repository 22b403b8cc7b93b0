/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs, time, timers and the log of the machine of paper. */
#include <asm/prctl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <hv/irq.h>
#include <hv/log.h>

#include "machine.h"

struct cpu cpus[MAX_CPUS];
uint32_t nr_cpus = 8;
uint64_t boot_tsc;

static _Atomic uint64_t now_ns = 1000000000;

void machine_cpu(unsigned cpu)
{
	cpus[cpu].self = &cpus[cpu];
	cpus[cpu].id = cpu;
	syscall(SYS_arch_prctl, ARCH_SET_GS, &cpus[cpu]);
}

uint64_t time_now_ns(void)
{
	return atomic_fetch_add(&now_ns, 100);
}

uint64_t time_utc_ns(void)
{
	return 1700000000000000000 + now_ns;
}

uint64_t time_ns_to_tsc_mul(uint32_t *mul, int8_t *shift)
{
	*mul = 1u << 31;
	*shift = 1;
	return 1000000000;
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
	*t = (struct timer){ .fn = fn };
}

void timer_set(struct timer *t, uint64_t deadline_ns)
{
	t->deadline_ns = deadline_ns;
	t->armed = true;
}

void timer_cancel(struct timer *t)
{
	t->armed = false;
}

void timer_end(struct timer *t)
{
	timer_cancel(t);
}

static void fire(struct timer *t)
{
	if (t->armed) {
		t->armed = false;
		t->fn(t);
	}
}

void machine_fire_timers(struct domain *d)
{
	for (uint32_t i = 0; i < d->nr_vcpus; i++) {
		fire(&d->vcpus[i]->singleshot);
		fire(&d->vcpus[i]->periodic);
		fire(&d->vcpus[i]->poll_timer);
	}
}

void softirq_raise(enum softirq nr)
{
}

void softirq_raise_on(uint32_t cpu, enum softirq nr)
{
}

void cpu_kick(uint32_t cpu)
{
}

void log_printf(enum env_level level, const char *fmt, ...)
{
	char line[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
}

_Noreturn void panic(const char *fmt, ...)
{
	abort();
}

/* --- vcpus --- */

void vcpu_wake(struct vcpu *v)
{
	v->blocked = false;
}

void vcpu_block(struct vcpu *v)
{
	v->blocked = true;
}

void vcpu_yield(struct vcpu *v)
{
}

void vcpu_up(struct vcpu *v)
{
	v->up = true;
}

void vcpu_down(struct vcpu *v)
{
	v->up = false;
}

int vcpu_arch_set_context(struct vcpu *v, const struct vcpu_hvm_context *ctx)
{
	return 0;
}

void vcpu_arch_nmi(struct vcpu *v)
{
	v->blocked = false;
}

bool vcpu_arch_interruptible(const struct vcpu *v)
{
	return vcpu_event_pending(v);
}
