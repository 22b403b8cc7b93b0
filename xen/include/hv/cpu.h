/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a physical CPU knows about itself. Reached through %gs.
 */
#ifndef HV_CPU_H
#define HV_CPU_H

#include <stdbool.h>
#include <stdint.h>

#include <hv/irq.h>
#include <hv/timer.h>

#define MAX_CPUS 32

struct vcpu;

struct cpu {
	struct cpu *self;
	uint32_t id;
	uint32_t apic_id;
	_Atomic uint32_t softirq_pending;
	struct vcpu *current;      /* the vcpu that runs here, or NULL */
	struct vcpu *loaded;       /* the vcpu whose extended state is in the registers */
	struct timer *timers;      /* by deadline */
	_Atomic uint64_t timer_first; /* deadline of the first of them; another CPU may cancel it */
	uint64_t timer_programmed; /* deadline the local APIC counts to, 0: none */
	uint64_t host_vmcb_pa;     /* FS, GS, TR and the syscall MSRs of the hypervisor itself */
	void *hsave;
	void *tss;
	uint64_t *pml4;
	uint8_t *stack_top;
	bool online;
	_Atomic bool idle;         /* in or about to enter HLT: a kick needs an IPI */
	_Atomic bool in_guest;
	_Atomic bool need_resched; /* the scheduler has to choose again */
	bool net_watching;         /* net_poll() has rings to look at */
	bool guest_turn;           /* softirqs wait: this guest run is not put off for them */
	struct timer slice;        /* end of the current vcpu's time slice */
	uint64_t irqs;
};

extern struct cpu cpus[MAX_CPUS];
extern uint32_t nr_cpus;

static inline struct cpu *this_cpu(void)
{
	struct cpu *c;
	__asm__("mov %%gs:0, %0" : "=r"(c));
	return c;
}

/* Make another CPU go through its loop soon (IPI when it is idle or in a guest). */
void cpu_kick(uint32_t cpu);

#endif
