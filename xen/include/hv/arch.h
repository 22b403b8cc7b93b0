/* SPDX-License-Identifier: BSD-2-Clause */
/* What the machine-independent code asks of arch/x86: the serial line, the one-shot timer, the CPU loop's odds and ends. */
#ifndef HV_ARCH_H
#define HV_ARCH_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The serial line, polled. */
void serial_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Interrupt this CPU (SOFTIRQ_TIMER) at or soon after the deadline. */
void arch_timer_set(uint64_t deadline_ns);

/* Take the interrupts that wait. Their handlers take no locks; ours should be such that nobody waits for them. */
void arch_irq_window(void);

/* Once a second or so, on the boot CPU: figures for the log that are due. */
void arch_report(uint64_t now_ns);
/* False: the CPU has no virtualisation extension that we know; no guest can run. */
bool hvm_usable(void);
/* The CPU's own name, at most size - 1 bytes. */
void arch_cpu_brand(char *buf, size_t size);

/* Is the CPU QEMU's TCG? What costs what is different there. */
bool arch_emulated(void);

#endif
