/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of devices, and the work that follows them.
 *
 * The hypervisor runs with interrupts off; they are taken in one window per round of the CPU loop (arch/x86/entry).
 * A handler therefore only notes what happened: it raises a softirq on its CPU, and the loop runs that before the next
 * guest entry. Softirq handlers run to completion and may be raised again by themselves (bounded work per call).
 */
#ifndef HV_IRQ_H
#define HV_IRQ_H

#include <stdint.h>

struct msi_message {
	uint64_t address;
	uint32_t data;
};

/* Route a new message-signalled interrupt to `cpu`; fn(arg) runs there with interrupts off. 0 or -ENOSPC. */
int irq_alloc_msi(uint32_t cpu, void (*fn)(void *arg), void *arg, const char *name, struct msi_message *out);

enum softirq {
	SOFTIRQ_TIMER,    /* common/timer.c */
	SOFTIRQ_NET_RX,   /* net/: a driver has frames */
	SOFTIRQ_NET_TX,   /* net/: guests have frames to send, or the wire has room again */
	SOFTIRQ_CONTROL,  /* control transport has bytes or room */
	SOFTIRQ_XENSTORE, /* a guest's store ring moved, watches to fire */
	SOFTIRQ_CONSOLE,  /* a guest's console ring moved */
	SOFTIRQ_RECLAIM,  /* domains to take down, snapshots to free */
	SOFTIRQ_COUNT,
};

/* Handlers are the table in common/softirq.c, one line each. Raising is safe from interrupt handlers. */
void softirq_raise(enum softirq nr);
void softirq_raise_on(uint32_t cpu, enum softirq nr);

#endif
