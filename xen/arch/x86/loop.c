/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The CPU loop: softirqs, scheduler, one guest run, again. The hypervisor has no threads: all work is one of these three,
 * and runs to completion on the CPU's one stack.
 *
 * Interrupts are off except in two windows: after an exit that an interrupt caused (svm/exit.c), and while idle.
 */
#include <hv/arch.h>
#include <hv/boot.h>
#include <hv/domain.h>
#include <hv/log.h>

#include <common/sched.h>
#include <common/softirq.h>
#include <common/timer.h>
#include <net/net.h>

#include "irqs_off.h"
#include "smp.h"
#include "time.h"
#include "vcpu.h"
#include "x86.h"

/* Under constant device load the guest still gets its turn: after so many rounds of softirqs, for so long or net_watch_ns. */
#define SOFTIRQ_ROUNDS 4
#define GUEST_TURN_NS 200000UL

static void idle(struct cpu *c)
{
	timer_sync();
	atomic_store(&c->idle, true);
	irqs_off_end(c);
	if (!atomic_load(&c->softirq_pending) && !atomic_load(&c->need_resched))
		__asm__ volatile("sti; hlt; cli" : : : "memory");
	else
		__asm__ volatile("sti; nop; cli" : : : "memory");
	atomic_store(&c->idle, false);
	irqs_off_begin(c);
}

/* INIT and STARTUP that others sent; false: the vcpu waits for STARTUP. */
static bool start_signals(struct vcpu *v)
{
	uint32_t s;

	if (!atomic_load_explicit(&v->arch->lapic.init_sipi, memory_order_relaxed))
		return true;
	s = atomic_exchange(&v->arch->lapic.init_sipi, 0);
	vlapic_reset(&v->arch->lapic);
	v->arch->pending_exception = 0;
	atomic_store(&v->arch->nmi_pending, false);
	v->arch->nmi_masked = v->arch->nmi_ends = false;
	if (s & VLAPIC_SIPI) {
		hvm->set_real_mode(v, (uint8_t)s);
		return true;
	}
	vcpu_down(v);
	return false;
}

static void note_first_entry(struct domain *d)
{
	uint64_t now = time_now_ns();

	uint64_t never = 0;

	d->first_run_ns = now;
	if (!__atomic_compare_exchange_n(&boot_info.first_entry_ns, &never, now, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return;
	log_info("boot: first guest instruction %lu.%03lu ms after the loader's hand-over", now / 1000000, now / 1000 % 1000);
}

static void run_guest(struct vcpu *v)
{
	atomic_store(&v->work, 0); /* before the looks at what it stands for: what comes after them is seen before the entry */
	if (!start_signals(v))
		return;
	if (!v->domain->first_run_ns)
		note_first_entry(v->domain);
	hvm->run(v);
}

void cpu_loop(void)
{
	struct cpu *c = this_cpu();
	unsigned rounds = 0;

	for (;;) {
		if (c->net_watching)
			net_poll();
		bool worked = atomic_load_explicit(&c->softirq_pending, memory_order_relaxed) && softirq_run();

		if (atomic_load(&c->need_resched) || !c->current)
			schedule();
		if (!c->current) {
			rounds = 0;
			if (!worked && !net_idle())
				idle(c);
			else
				__asm__ volatile("sti; nop; cli" : : : "memory");
			continue;
		}
		if (atomic_load(&c->softirq_pending) && ++rounds < SOFTIRQ_ROUNDS)
			continue;
		c->guest_turn = rounds >= SOFTIRQ_ROUNDS;
		if (c->guest_turn) {
			c->timer_programmed = 0; /* no deadline of a timer: timer_sync() comes again */
			arch_timer_set(time_now_ns() + (net_watch_ns > GUEST_TURN_NS ? net_watch_ns : GUEST_TURN_NS));
		} else {
			timer_sync();
		}
		rounds = 0;
		run_guest(c->current);
	}
}
