/* SPDX-License-Identifier: BSD-2-Clause */
/* Deferred work of each CPU: raised by interrupt handlers and guests' exits, run by the CPU loop before a guest entry. */
#include "softirq.h"

#include <hv/arch.h>
#include <hv/cpu.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/subsys.h>

#include <net/net.h>

#include "control_machine.h"
#include "domain.h"
#include "timer.h"

static void (*const handlers[SOFTIRQ_COUNT])(void) = {
	[SOFTIRQ_TIMER] = timer_softirq,
	[SOFTIRQ_NET_RX] = net_rx_softirq,
	[SOFTIRQ_NET_TX] = net_tx_softirq,
	[SOFTIRQ_CONTROL] = control_softirq,
	[SOFTIRQ_XENSTORE] = store_softirq,
	[SOFTIRQ_CONSOLE] = console_softirq,
	[SOFTIRQ_RECLAIM] = domain_reclaim_softirq,
};

void softirq_raise(enum softirq nr)
{
	atomic_fetch_or_explicit(&this_cpu()->softirq_pending, 1u << nr, memory_order_relaxed);
}

void softirq_raise_on(uint32_t cpu, enum softirq nr)
{
	uint32_t before = atomic_fetch_or_explicit(&cpus[cpu].softirq_pending, 1u << nr, memory_order_acq_rel);

	if (!(before & (1u << nr)) && cpu != this_cpu()->id)
		cpu_kick(cpu);
}

/* One round: what is raised while it runs waits for the next round, so interrupts are seen in between. */
bool softirq_run(void)
{
	uint32_t pending = atomic_exchange_explicit(&this_cpu()->softirq_pending, 0, memory_order_acq_rel);

	if (!pending)
		return false;
	for (uint32_t bits = pending; bits; bits &= bits - 1) {
		unsigned nr = (unsigned)__builtin_ctz(bits);

		handlers[nr]();
		if (nr >= SOFTIRQ_CONTROL) /* these may take their time, one alone is enough for interrupts to wait */
			arch_irq_window();
	}
	return true;
}
